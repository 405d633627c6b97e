"""What validation found, in words: how sure a test is, and how many folds a number rests on."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.validation import DCalibration, Score
from bedside.validation.calibration import Estimate
from bedside.validation.decision_at import NetBenefit
from components.panels import validation_words as words


def spread(p: float, censored: float, df: int = 8) -> DCalibration:
    return DCalibration(np.full(10, 50.0), 50.0, 10.2, df, p, censored)


@pytest.mark.parametrize(("censored", "warned"), [(0.0, False), (0.25, False), (0.26, True), (0.8, True)])
def test_nothing_found_is_no_comfort_where_many_are_censored(censored, warned):
    said = words.evenly(spread(0.25, censored))
    assert "nothing speaks against the spread of risks (D-calibration: chi-squared 10.2 on 8 degrees of freedom" in said
    assert (f"{100 * censored:.0f} of 100 patients were censored, so that a wrong spread is harder" in said) is warned


def test_without_a_test_nothing_is_said_of_the_spread():
    said = words.evenly(spread(float("nan"), 0.97, df=0))
    assert said == "Whether risks are spread as they should be can't be told (D-calibration): too few events."
    assert "1 degree of freedom" in words.evenly(spread(0.01, 0.5, df=1))
    assert "are not spread as they should be" in words.evenly(spread(0.01, 0.5))


@pytest.mark.parametrize(
    ("folds", "cell"),
    [
        ((0.6, 0.7, 0.8), "0.700 (0.307 to 1.000; SD 0.100)"),
        ((0.6, float("nan"), 0.8), "0.700 (0.000 to 1.000; SD 0.141) (2 of 3 folds)"),
        ((0.6, float("nan"), float("nan")), "0.600 (1 of 3 folds)"),
        ((float("nan"),) * 3, "–"),
    ],
)
def test_folds_without_a_value_are_told(folds, cell):
    known = np.array([f for f in folds if f == f])
    mean = known.mean() if len(known) else float("nan")
    sd = known.std(ddof=1) if len(known) > 1 else float("nan")
    assert words.score_cell(Score("auc", "AUC", 2.0, mean, sd, folds, "higher"), 3) == cell


def net(model: tuple[float, float, float], beyond: tuple[float, float, float]) -> NetBenefit:
    def made(value: float, lower: float, upper: float) -> Estimate:
        return Estimate(value, (upper - lower) / 3.92, lower, upper)

    return NetBenefit(0.25, made(*model), made(*beyond), 0.5, 0.3)


def test_net_benefit_is_told_with_its_interval_and_without_a_claim_where_there_is_none():
    sure = words.decision(net((0.2, 0.15, 0.25), (0.05, 0.02, 0.08)), "Cox model", better=True)
    assert "a missed event weighs as much as 3 needless treatments" in sure
    assert "going by the Cox model 500 of 1,000 would be treated, of whom 300 have the event" in sure
    assert "worth the same as 200 events treated rightly and nobody treated needlessly (150 to 250)" in sure
    assert "Beside treating everybody it is worth 50 more (20 to 80)" in sure and "not clearly" not in sure
    unsure = words.decision(net((0.2, 0.15, 0.25), (0.05, -0.02, 0.12)), "Cox model", better=True)
    assert "50 more (−20 to 120). It is not clearly better than treating everybody." in unsure
    harm = words.decision(net((-0.01, -0.05, 0.03), (0.3, 0.2, 0.4)), "Cox model", better=True)
    assert "Needless treatments outweigh them: 10 fewer (−50 to 30)" in harm
    assert harm.endswith("It is not clearly better than treating nobody.")
    none = words.decision(net((0.2, 0.15, 0.25), (0.05, 0.02, 0.08)), "Cox model", better=False)
    assert none.endswith("So nothing is claimed of what going by it is worth.") and "200" not in none
