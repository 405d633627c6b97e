"""Standardised survival: its variance piece by piece, and effects by subgroup."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bedside.cohort.groups import Grouping, group_by
from bedside.errors import Fixable
from bedside.regression.baseline import baselines
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.survival.events import rows_of
from bedside.treatment import interaction_test, standardised, subgroups
from bedside.treatment.standardise import designs_of, standard_survival


@pytest.fixture
def small():
    """Sixty patients with tied times, a treatment and two covariates."""
    rng = np.random.default_rng(11)
    x = np.column_stack((rng.integers(0, 2, 60), rng.normal(size=60), rng.integers(0, 2, 60))).astype(float)
    time = np.ceil(rng.exponential(8 * np.exp(-0.5 * x[:, 1]), 60))
    return x, time, rng.random(60) < 0.7


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_influence_is_the_derivative_with_respect_to_a_patients_weight(small, ties):
    """The fit, the baseline and the average over patients again, with one patient's weight a little larger."""
    x, time, event = small
    times = np.array([2.0, 5.0, 12.0])
    fit = fit_cox(cox_data(x, time, event), ties=ties)
    designs = designs_of(x[:, 1:], 2)
    influence = standard_survival(fit, designs, times, influence=True)[1]

    def weighted(patient: int, step: float) -> np.ndarray:
        w = np.ones(60)
        w[patient] += step
        again = fit_cox(cox_data(x, time, event, weights=w), ties=ties, robust=False, start=fit.coef, steps=40)
        base = baselines(again)[0]
        row = np.searchsorted(base.time, times, side="right") - 1
        each = [np.exp(-np.outer(base.cumulative[row], np.exp((d - again.means) @ again.coef))) for d in designs]
        return np.array([values @ w / w.sum() for values in each])

    dead_and_tied = int(np.flatnonzero(event & (time == np.bincount(time[event].astype(int)).argmax()))[0])
    for patient in (0, 1, dead_and_tied, int(time.argmax())):
        step = 1e-4
        numeric = (weighted(patient, step) - weighted(patient, -step)) / (2 * step)
        if ties == "breslow" or patient not in np.flatnonzero(event):
            np.testing.assert_allclose(influence[:, :, patient], numeric, rtol=2e-3, atol=2e-6)
        else:
            # Efron's own weights of tied deaths move a little differently; the variance is not sensitive to it.
            np.testing.assert_allclose(influence[:, :, patient], numeric, atol=2e-3)


def test_delta_and_bootstrap_errors_agree_about(gbsg2):
    grouping = group_by(gbsg2, "hormone_therapy")
    asked = {"times": [500.0, 1500.0], "covariates": ["age", "nodes", "grade"]}
    delta = standardised(gbsg2, gbsg2.outcomes[0], grouping, **asked)
    boot = standardised(gbsg2, gbsg2.outcomes[0], grouping, resamples=80, **asked)
    assert (boot.at[0].survival == delta.at[0].survival).all()
    for a, b in zip((*delta.at, *delta.differences), (*boot.at, *boot.differences), strict=True):
        assert (np.abs(np.log(b.std_err / a.std_err)) < 0.35).all()
    again = standardised(gbsg2, gbsg2.outcomes[0], grouping, resamples=80, **asked)
    assert (again.at[1].std_err == boot.at[1].std_err).all()


def test_without_covariates_that_matter_it_is_the_model_alone(small):
    """Everybody has the same covariate value: the standardised curve is one patient's prediction."""
    x, time, event = small
    fit = fit_cox(cox_data(x[:, :1], time, event), ties="breslow")
    got = standard_survival(fit, designs_of(np.zeros((60, 0)), 2), np.array([5.0]))[0][:, 0]
    hazard = baselines(fit)[0]
    at = hazard.cumulative[np.searchsorted(hazard.time, 5.0, side="right") - 1]
    assert got == pytest.approx(np.exp(-at * np.exp((np.array([0.0, 1.0]) - fit.means[0]) * fit.coef[0])), rel=1e-12)


def test_curves_start_at_one_and_end_with_follow_up(gbsg2):
    grouping = group_by(gbsg2, "hormone_therapy")
    found = standardised(gbsg2, gbsg2.outcomes[0], grouping, ["age"], times=[1000.0, 1e6])
    for curve in found.curves:
        assert (curve.time[0], curve.survival[0], curve.lower[0], curve.upper[0]) == (0, 1, 1, 1)
        assert (np.diff(curve.survival) <= 0).all()
        assert curve.time[-1] <= gbsg2.time(gbsg2.outcomes[0]).max()
        assert len(curve.time) <= 202
    assert math.isnan(found.differences[0].difference[1])
    one = found.differences[0]
    assert one.difference[0] == pytest.approx(found.at[1].survival[0] - found.at[0].survival[0])
    with pytest.raises(Fixable, match="one group"):
        standardised(gbsg2, gbsg2.outcomes[0], Grouping(("a",), np.zeros(len(gbsg2), int), 0, "x"), ["age"])


def test_subgroups_use_clinical_cut_points_and_count_everybody(gbsg2):
    grouping = group_by(gbsg2, "hormone_therapy")
    forest = subgroups(gbsg2, gbsg2.outcomes[0], grouping, ["age", "grade", "menopausal_status"])
    ages = group_by(gbsg2, "age")
    assert tuple(level.label for level in forest.rows[0].levels) == ages.labels
    for row in forest.rows:
        assert sum(level.n for level in row.levels) + row.dropped_missing == len(gbsg2)
        assert sum(level.events for level in row.levels) == forest.overall.events
        assert row.interaction.df == len(row.levels) - 1
    level = forest.rows[1].levels[0]
    inside = gbsg2.frame["grade"].cat.codes.to_numpy() == 0
    assert level.by_arm == tuple(
        (int((inside & (grouping.codes == arm)).sum()), events) for arm, (_, events) in enumerate(level.by_arm)
    )


def test_an_interaction_with_an_empty_cell_has_fewer_degrees_of_freedom():
    rng = np.random.default_rng(5)
    arms, codes = np.arange(90) % 2, np.arange(90) % 3
    arms[codes == 2] = 0
    rows = rows_of(rng.exponential(size=90), np.ones(90))
    assert interaction_test(rows, arms, codes).df == 1
    assert interaction_test(rows, arms * 0, codes) is None
    assert interaction_test(rows, arms, codes * 0) is None


def test_three_arms_have_a_ratio_each(sample):
    colon = sample("colon_trial")
    grouping = group_by(colon, colon.treatment.column)
    forest = subgroups(colon, colon.outcomes[0], grouping, ["sex"])
    assert [len(level.ratios) for level in forest.rows[0].levels] == [2, 2]
    assert forest.rows[0].interaction.df == 2
    assert forest.randomised is True
