"""Tails and ranks are those of scipy.stats, and jobs begin without it."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bedside.tails import chi2_tail, f_tail, mean_ranks

STATISTICS = (0.0, 1e-9, 0.3, 3.84, 40.0, 1e300, math.inf, math.nan)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_tails_are_those_of_scipy(statistic: float):
    for df in (1, 2, 7, 499):
        np.testing.assert_equal(chi2_tail(statistic, df), float(stats.chi2.sf(statistic, df)))
        for within in (1.0, 2.5, 200.0):
            np.testing.assert_equal(f_tail(statistic, df, within), float(stats.f.sf(statistic, df, within)))
        # R: pf(3.84, 2, Inf, lower.tail = FALSE); scipy's own answer is NaN.
        np.testing.assert_equal(f_tail(statistic, df, math.inf), float(stats.chi2.sf(df * statistic, df)))


def test_what_rounding_left_below_zero_is_no_evidence_and_no_degrees_of_freedom_are_no_answer():
    assert chi2_tail(-1e-12, 3) == f_tail(-1e-12, 3, 10) == f_tail(-1e-12, 3, math.inf) == 1
    assert math.isnan(chi2_tail(2.0, 0))


@given(st.lists(st.sampled_from([-2.5, -0.0, 0.0, 1.0, 7.0, math.inf]) | st.integers(-3, 3), min_size=1, max_size=30))
def test_ranks_are_those_of_scipy(values: list[float]):
    np.testing.assert_array_equal(mean_ranks(np.array(values)), stats.rankdata(values))
    np.testing.assert_array_equal(mean_ranks(np.array([*values, np.nan])), stats.rankdata([*values, np.nan]))


def test_what_jobs_import_leaves_scipy_stats_alone():
    """It takes half a second, which each of them would wait."""
    asked = "import sys; import bedside.risk, bedside.explain, bedside.validation, bedside.regression.imputation; " \
            "sys.exit('scipy.stats' in sys.modules)"  # fmt: skip
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", asked], cwd=root, timeout=60).returncode == 0
