"""The scripts behind "How made" on the comparison page: run as a reader runs them, and compared with the page."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bedside.cohort import Cohort
from bedside.cohort.groups import Grouping, group_by
from bedside.intake import read_cohort
from bedside.report.csv import csv_bytes
from bedside.report.made import Made
from bedside.report.made_comparison import balance_made, curves_made
from bedside.treatment import adjusted, differences_at, standardised
from tests.bedside.scripts import printed
from tests.pages.made import dictionary, patients, write
from tests.pages.made import outcome as made_outcome

ROOT = Path(__file__).resolve().parents[2]
AT = 1461.0
FOUR = "overlap of four arms"
CASES = {
    "stabilised": ("gbsg2_breast", "hormone_therapy", {"estimand": "ate_stabilised"}),
    "treated, truncated": ("gbsg2_breast", "hormone_therapy", {"estimand": "att", "truncate": 0.05, "reference": 1}),
    FOUR: ("actg175_hiv_trial", "arm", {"estimand": "overlap", "level": 0.9}),
}


@cache
def opened(key: str) -> Cohort:
    return read_cohort(ROOT / "sample_data" / key)


def grouped(key: str, by: str) -> tuple[Cohort, Grouping, list[str]]:
    cohort = opened(key)
    return cohort, group_by(cohort, by), [v.name for v in cohort.predictors if v.name != by]


def run(made: Made, which: str, folder: Path) -> dict:
    """What a script prints, in a folder with nothing but itself and the data."""
    header, rows = made.data
    (folder / made.data_name).write_bytes(csv_bytes(header, rows))
    # As it is downloaded: a script called like the library would import itself.
    script = folder / f"fair-comparison-{which}.py"
    script.write_text(dict(made.scripts)[which], encoding="utf-8")
    return json.loads(printed(script, knows_bedside=which == "bedside"))


@pytest.mark.parametrize(
    ("case", "which"), [*((case, "bedside") for case in CASES), ("stabilised", "lifelines"), (FOUR, "lifelines")]
)
def test_a_script_comes_to_the_numbers_of_the_page(case, which, tmp_path):
    key, by, asked = CASES[case]
    cohort, grouping, names = grouped(key, by)
    outcome = cohort.outcomes[0]
    found = adjusted(cohort, outcome, grouping, names, **asked)
    made = curves_made(cohort, outcome, grouping, names, weighted=found, standard=None, at=AT)
    # lifelines stops its Cox model a little earlier, and forms S by exp(sum of logs).
    tolerance = 1e-9 if which == "bedside" else 1e-6
    told = run(made, which, tmp_path)
    for curve, said in zip(found.curves, told["weighted"], strict=True):
        assert (curve.group, curve.n, curve.n_events) == (said["group"], said["n"], said["events"])
        shown = dict(zip(said["time"], said["survival"], strict=True))
        np.testing.assert_allclose([shown[t] for t in curve.time.tolist()], curve.survival, rtol=tolerance)
        expected = curve.at([AT]).survival[0]
        assert said["at"] is None if np.isnan(expected) else said["at"] == pytest.approx(expected, rel=tolerance)
    for ratio, said in zip(found.ratios, told["hazard_ratios"], strict=True):
        assert (ratio.label, ratio.reference) == (said["group"], said["against"])
        # lifelines takes tied events of unequal weight, and their robust variance, a little differently from R.
        near = 1e-9 if which == "bedside" else 1e-4
        np.testing.assert_allclose([said["hr"], *said["interval"]], [ratio.hr, ratio.lower, ratio.upper], rtol=near)


@pytest.mark.parametrize("which", ["bedside", "lifelines"])
def test_delayed_entry_is_heeded_by_both(which, tmp_path):
    base = patients(200)
    chance = np.random.default_rng(5)
    entry = [int(max(0, days - chance.integers(1, 400))) if i % 17 else "" for i, days in enumerate(base["days"])]
    write(tmp_path, "late", base | {"entry": entry}, dictionary("Late", outcomes=[made_outcome(entry="entry")]))
    cohort = read_cohort(tmp_path / "late")
    grouping, outcome, names = group_by(cohort, "arm"), cohort.outcomes[0], ["age", "marker"]
    found = adjusted(cohort, outcome, grouping, names)
    assert found.dropped == 12
    told = run(curves_made(cohort, outcome, grouping, names, weighted=found, standard=None, at=500.0), which, tmp_path)
    for curve, said in zip(found.curves, told["weighted"], strict=True):
        assert said["at"] == pytest.approx(curve.at([500.0]).survival[0], rel=1e-6)
    (ratio,), (said,) = found.ratios, told["hazard_ratios"]
    assert said["hr"] == pytest.approx(ratio.hr, rel=1e-4)


def test_standardised_shares_are_recomputed_too(tmp_path):
    cohort, grouping, names = grouped("gbsg2_breast", "hormone_therapy")
    outcome = cohort.outcomes[0]
    standard = standardised(cohort, outcome, grouping, names, times=[AT])
    made = curves_made(cohort, outcome, grouping, names, weighted=None, standard=standard, at=AT)
    assert [name for name, _ in made.scripts] == ["bedside"]
    told = run(made, "bedside", tmp_path)["standardised"]
    assert [one["at"] for one in told] == pytest.approx([float(c.survival[0]) for c in standard.at], rel=1e-10)
    assert "g-formula" in made.methods and "Propensities" not in made.methods


def test_the_paragraph_says_what_was_done():
    cohort, grouping, names = grouped("gbsg2_breast", "hormone_therapy")
    outcome = cohort.outcomes[0]
    found = adjusted(cohort, outcome, grouping, names, "att", truncate=0.05)
    made = balance_made(cohort, outcome, grouping, names, found, filters=("Age 50 to 65 years",))
    said = ("686 patients", "299 events", "logistic regression", "target: “Hormone therapy”", "percentiles 5 and 95")
    for part in (*said, "Age 50 to 65 years", "standardised mean difference", "confounding by others remains"):
        assert part in made.methods, part
    # As on the page: a name keeps its capital.
    assert "by “Hormone therapy”" in made.methods and "Adjusted for: Age, Menopausal status" in made.methods


def test_no_identifier_is_in_the_data():
    cohort, grouping, names = grouped("gbsg2_breast", "hormone_therapy")
    made = curves_made(cohort, cohort.outcomes[0], grouping, names, weighted=None, standard=None, at=AT)
    assert made.data is None and made.scripts == ()
    found = adjusted(cohort, cohort.outcomes[0], grouping, names)
    header, rows = curves_made(cohort, cohort.outcomes[0], grouping, names, weighted=found, standard=None, at=AT).data
    assert header[:4] == ("time", "event", "group", "weight") and all(name.startswith("x") for name in header[4:])
    assert not {str(cell) for row in rows for cell in row} & set(cohort.identifiers) - {str(i) for i in range(10_000)}


def test_differences_of_the_page_are_those_of_the_curves():
    cohort, grouping, names = grouped("gbsg2_breast", "hormone_therapy")
    found = adjusted(cohort, cohort.outcomes[0], grouping, names)
    (one,) = differences_at(found.curves, [AT])
    a, b = (curve.at([AT]).survival[0] for curve in found.curves)
    assert one.difference == pytest.approx(b - a)
