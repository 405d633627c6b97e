"""What validation found, in words: how sure a test is, and how many folds a number rests on."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.validation import DCalibration, Score
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
        ((0.6, 0.7, 0.8), "0.700 ± 0.100"),
        ((0.6, float("nan"), 0.8), "0.700 ± 0.141 (2 of 3 folds)"),
        ((0.6, float("nan"), float("nan")), "0.600 (1 of 3 folds)"),
        ((float("nan"),) * 3, "–"),
    ],
)
def test_folds_without_a_value_are_told(folds, cell):
    known = np.array([f for f in folds if f == f])
    mean = known.mean() if len(known) else float("nan")
    sd = known.std(ddof=1) if len(known) > 1 else float("nan")
    assert words.score_cell(Score("auc", "AUC", 2.0, mean, sd, folds, "higher")) == cell
