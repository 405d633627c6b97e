"""The scripts behind the risk model's figures compute the same numbers again, with bedside and with lifelines."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bedside import explain, risk
from bedside.cohort import Cohort
from bedside.intake import read_cohort
from bedside.report import made_risk
from bedside.report.csv import csv_bytes
from bedside.report.made import Made
from tests.bedside.scripts import printed

ROOT = Path(__file__).resolve().parents[2]


class Everything:
    """What the scripts are asked to compute, computed here."""

    def __init__(self, cohort: Cohort, curved: Cohort) -> None:
        self.cohort, self.outcome, self.row = cohort, cohort.outcomes[0], 4
        self.model = risk.fit(cohort, self.outcome)
        self.last = self.model.last
        self.done = risk.validate(cohort, self.outcome, t=1500.0)
        self.curved = risk.fit(curved, curved.outcomes[0], knots=4)
        m = made_risk
        self.made: dict[str, Made] = {
            "ratios": m.ratios_made(cohort, self.model),
            "curved": m.ratios_made(curved, self.curved),
            "curve": m.curve_made(cohort, self.model, self.row),
            "calibration": m.calibration_made(cohort, self.model, self.done),
            "one": m.reasons_made(cohort, self.model, self.row, 4.0, "years"),
            "many": m.reasons_made(cohort, self.model, None, 4.0, "years"),
        }


@pytest.fixture(scope="module")
def all_of() -> Everything:
    return Everything(*(read_cohort(ROOT / "sample_data" / key) for key in ("pbc_liver", "gbsg2_breast")))


@pytest.fixture(scope="module")
def ran(all_of, tmp_path_factory) -> Any:
    """What the scripts print, each beside its data: some know bedside, some are not told where it is."""
    root = tmp_path_factory.mktemp("scripts")
    said: dict[tuple[str, str], str] = {}
    for case, made in all_of.made.items():
        (root / case).mkdir()
        (root / case / made.data_name).write_bytes(csv_bytes(*made.data))
        for name, text in made.scripts:
            script = root / case / f"model-{name}.py"
            script.write_text(text, encoding="utf-8")
            said[case, name] = printed(script, knows_bedside=name == "bedside", strict=False)

    def lines(case: str, name: str = "bedside") -> list[list[str]]:
        return [line.split("\t") for line in said[case, name].splitlines()]

    return lines


@pytest.mark.parametrize(("name", "tolerance"), [("bedside", 1e-8), ("lifelines", 2e-4)])
@pytest.mark.parametrize(("case", "which"), [("ratios", "model"), ("curved", "curved")])
def test_the_forest(all_of, ran, case, which, name, tolerance):
    told, lines = risk.coefficients(getattr(all_of, which)), ran(case, name)
    assert [ast.literal_eval(line[0]) for line in lines] == [each.label for each in told]
    found = [[float(v) for v in line[1:]] for line in lines]
    np.testing.assert_allclose(found, [[c.hr, c.lower, c.upper] for c in told], rtol=tolerance)


def test_a_patients_curve(all_of, ran):
    predicted = risk.predict(all_of.model, all_of.cohort.frame.iloc[[all_of.row]])
    found = np.array(ran("curve"), dtype=float)
    at = [int(np.flatnonzero(predicted.time == t)[-1]) for t in found[:, 0]]
    wanted = np.column_stack([predicted.survival[0, at], predicted.lower[0, at], predicted.upper[0, at]])
    np.testing.assert_allclose(found[:, 1:], wanted, rtol=1e-8)
    assert len(found) == 9
    theirs = np.array(ran("curve", "lifelines"), dtype=float)
    np.testing.assert_allclose(theirs[:, 1], wanted[:, 0], atol=2e-3)  # Breslow's baseline


def test_calibration(all_of, ran):
    wanted = [[p.predicted, p.observed, p.lower, p.upper] for p in all_of.done.calibration]
    np.testing.assert_allclose(np.array(ran("calibration"), dtype=float), wanted, rtol=1e-10)


def test_contributions(all_of, ran):
    background = explain.background(all_of.model, all_of.cohort)
    patient = all_of.cohort.frame.iloc[[all_of.row]]
    one = explain.explain(all_of.model, patient, background, [4.0], unit="years")[0]
    found = {ast.literal_eval(label): float(points) for label, points in ran("one")}
    assert found == pytest.approx({c.label: c.points for c in one.contributions}, rel=1e-9)
    many = explain.global_explanation(all_of.model, all_of.cohort, background, 4.0, unit="years")
    found = {ast.literal_eval(label): float(size) for label, size in ran("many")}
    assert found == pytest.approx(dict(zip(many.labels, many.mean_abs, strict=True)), rel=1e-9)


def test_the_paragraph_says_what_was_done(all_of):
    text = all_of.made["calibration"].methods
    assert "The time to death or transplant was modelled by Cox regression with a light ridge (418 patients, " in text
    assert "5-fold cross-validation" in text
    assert "Breslow's estimate of the baseline" in all_of.made["curve"].methods
