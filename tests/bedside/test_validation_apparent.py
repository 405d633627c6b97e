"""Measures on training data and the bootstrap with settled settings; scripts that compute a validation again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import concordance_index
from risk_cases import cohort_of, number

from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.report.csv import csv_bytes
from bedside.report.made import sealed
from bedside.report.made_validation import validation_made
from bedside.risk.learners import learn
from bedside.risk.training import Training, training
from bedside.validation import Resampled, bootstrap_optimism, calibrated, compare, cross_validate
from bedside.validation.apparent import apparent, settled_optimism
from tests.bedside.scripts import printed

ROOT = Path(__file__).resolve().parents[2]
T = 365.25 * 4


@pytest.fixture(scope="module")
def rows() -> Training:
    cohort = read_cohort(ROOT / "sample_data" / "gbsg2_breast")
    return training(cohort, cohort.outcomes[0])


@pytest.fixture(scope="module")
def found(rows: Training) -> Resampled:
    return cross_validate(("cox",), rows, times=[T])


def test_apparent_measures_are_those_of_the_model_on_its_own_patients(rows):
    of = apparent(("cox",), rows, times=[T])
    model = learn("cox", rows)
    assert np.array_equal(of.risk["cox"][0, :, of.grid.searchsorted(T)], model.risk(rows.frame, [T])[:, 0])
    card = compare(of).card("cox")
    assert card.get("harrell").mean == pytest.approx(
        concordance_index(rows.time, -model.score(rows.frame), rows.event), abs=1e-12
    )
    assert np.isnan(card.get("harrell").sd) and of.folds == 1
    observed = 1 - KaplanMeierFitter().fit(rows.time, rows.event).predict(T)
    assert calibrated(of, "cox", T).overall.observed.risk == pytest.approx(observed, abs=1e-12)
    assert all(d.verdict == "unknown" for d in compare(of).differences)


def test_settled_optimism_is_the_bootstrap_with_the_settings_of_all_patients(rows):
    said: list[float] = []
    settled = settled_optimism(("cox",), rows, times=[T], resamples=3, progress=lambda share, _: said.append(share))
    own = dict(learn("cox", rows).settings)
    plain = bootstrap_optimism(("cox",), rows, times=[T], resamples=3, settings={"cox": own})
    for key, value in plain["cox"].corrected.items():
        assert np.array_equal(settled["cox"].corrected[key], value, equal_nan=True), key
    assert settled["cox"].apparent["harrell"][0] > settled["cox"].corrected["harrell"][0]
    assert said == sorted(said) and said[-1] == 1.0


def test_trees_are_judged_out_of_bag_so_that_noise_is_of_no_use():
    """Survival has nothing to do with any of six columns: what is to be expected is a C of a half."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(400, 6)).round(4), columns=list("abcdef"))
    died, left = rng.exponential(1000, 400), rng.uniform(300, 3000, 400)
    frame["time"], frame["event"] = np.ceil(np.minimum(died, left)), died <= left
    noise = training(cohort_of(frame, [number(name) for name in "abcdef"]), "death")
    fixed = {"cox": {"knots": 0}, "forest": {"trees": 40, "leaf": 10}}
    kinds = ("cox", "forest", "average")
    found = bootstrap_optimism(kinds, noise, times=[500.0], resamples=5, settings=fixed)
    assert [found[kind].judged for kind in kinds] == ["all patients", "out of bag", "out of bag"]
    for kind, one in found.items():
        assert one.corrected["harrell"][0] == pytest.approx(0.5, abs=0.05), kind
        assert one.corrected["auc"][0] == pytest.approx(0.5, abs=0.05), kind
        assert one.corrected["ipa"][0] < 0.01, kind
        np.testing.assert_allclose(one.apparent["uno"] - one.optimism["uno"], one.corrected["uno"], rtol=1e-12)
    assert found["forest"].apparent["harrell"][0] > 0.7


def test_out_of_bag_is_the_mean_over_resamples_of_those_not_drawn(rows):
    """The first 150 patients, by lifelines."""
    few = rows.take(np.arange(150))
    given = {"forest": {"trees": 20, "leaf": 10}}
    found = bootstrap_optimism(("forest",), few, times=[T], resamples=2, settings=given, seed=3)["forest"]
    rng, seen = np.random.default_rng(3), []
    for _ in range(2):
        drawn = rng.integers(0, 150, 150)
        out = few.take(~np.isin(np.arange(150), drawn))
        model = learn("forest", few.take(drawn), given["forest"], seed=3)
        seen.append(concordance_index(out.time, -model.score(out.frame), out.event))
    assert found.corrected["harrell"][0] == pytest.approx(np.mean(seen), abs=1e-12)
    assert found.sd["harrell"][0] == pytest.approx(np.std(seen, ddof=1), abs=1e-12)


def test_below_ten_events_there_is_a_way_out(rows):
    few = rows.take(np.concatenate((np.flatnonzero(rows.event)[:9], np.flatnonzero(~rows.event)[:50])))
    for ask in (apparent, settled_optimism):
        with pytest.raises(Fixable, match="Include more patients"):
            ask(("cox",), few, times=[300.0])


def test_scripts_compute_it_again(rows, found, tmp_path):
    made = sealed(validation_made(found, rows.outcome, T, "cox", "f" * 64))
    assert "5-fold cross-validation (1 repeat" in made.methods and "cox model" in made.methods.lower()
    (tmp_path / made.data_name).write_bytes(csv_bytes(*made.data))
    assert [name for name, _ in made.scripts] == ["bedside", "lifelines"]
    c = compare(found).card("cox").get("harrell")
    whole = calibrated(found, "cox", T, thresholds=(0.1, 0.2, 0.5))
    for name, text in made.scripts:
        text.encode("ascii")
        script = tmp_path / f"validation-{name}.py"
        script.write_text(text, encoding="ascii")
        lines = [line.split("\t") for line in printed(script, knows_bedside=name == "bedside").splitlines()]
        assert [float(v) for v in lines[0][2:]] == pytest.approx([c.mean, c.sd], rel=1e-8)
        assert float(lines[1][1]) == pytest.approx(whole.overall.expected, rel=1e-12)
        assert float(lines[1][2]) == pytest.approx(whole.overall.observed.risk, rel=1e-8)
        groups = [line for line in lines if line[0] == "group"]
        assert [float(g[1]) for g in groups] == pytest.approx([g.predicted for g in whole.groups], rel=1e-8)
        assert [float(g[2]) for g in groups] == pytest.approx([g.observed for g in whole.groups], rel=1e-8)
        if name == "bedside":
            benefit = [float(line[2]) for line in lines if line[0] == "net benefit"]
            assert benefit == pytest.approx(whole.decision.model.tolist(), rel=1e-12)


def test_the_data_of_the_scripts_name_nobody(found, rows):
    header, body = validation_made(found, rows.outcome, T, "cox", "f" * 64).data
    assert header == ["time", "cause", "fold_1", "cox_score_1", "cox_risk_1"]
    assert len(body) == len(rows) == 686
