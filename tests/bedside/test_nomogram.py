"""Nomograms: points, totals and what they mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.regression import fit_cox
from bedside.regression.curves import Patients, predicted_curves
from bedside.regression.design import design, spec_of
from bedside.regression.nomogram import nomogram, pretty
from bedside.regression.nomogram_cox import cox_nomogram
from bedside.regression.terms import Interaction, Linear, Log, Spline


def test_points_by_hand() -> None:
    """A number that harms, one that protects and a factor: the widest takes 100 points."""
    axes = {
        "age": ([40, 60, 80], np.array([40, 60, 80]) * 0.05),
        "albumin": ([2, 3, 4], np.array([2, 3, 4]) * -0.5),
        "stage": (["I", "II", "III"], np.array([0.0, 0.4, 1.0])),
    }
    drawn = nomogram(axes, linear_predictor=np.array([-1.0, 0.0, 2.2]), centre=1.5)
    points = {axis.name: axis.points for axis in drawn.axes}
    np.testing.assert_allclose(points["age"], [0, 50, 100])
    np.testing.assert_allclose(points["albumin"], [50, 25, 0])
    np.testing.assert_allclose(points["stage"], [0, 20, 50])
    assert drawn.points_per_unit == 50 and drawn.lowest == pytest.approx(2 - 2 - 1.5)
    # Aged 80 with an albumin of 3 in stage II.
    np.testing.assert_allclose(drawn.linear_predictor(100 + 25 + 20), 80 * 0.05 - 3 * 0.5 + 0.4 - 1.5)
    np.testing.assert_allclose(drawn.lp_points[[0, -1]], (drawn.lp[[0, -1]] + 1.5) * 50)


def test_total_points_and_survival_go_both_ways() -> None:
    """The line of chances has its ticks where the points give that chance."""
    drawn = nomogram({"x": ([0, 1], np.array([0.0, 0.7]))}, linear_predictor=np.array([-0.3, 0.4]), centre=0.3)
    assert (drawn.total[0], drawn.total[-1]) == (0, 100)
    np.testing.assert_allclose(drawn.survival(0.0, cumulative_hazard=0.5), np.exp(-0.5 * np.exp(-0.3)))
    chances = np.array([0.9, 0.5, 0.1])
    at = drawn.points_for(chances, cumulative_hazard=0.5)
    np.testing.assert_allclose(drawn.survival(at, cumulative_hazard=0.5), chances)
    assert (np.diff(at) > 0).all()


@pytest.mark.parametrize(
    ("low", "high", "count", "ticks"),
    [
        (0, 187.3, 10, [0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200]),
        (-1.2, 2.9, 10, [-1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3]),
        (17, 99, 10, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]),
        (-3.3, -1.1, 4, [-3.5, -3, -2.5, -2, -1.5, -1]),
        (0, 5, 5, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_ticks_are_rs(low: float, high: float, count: int, ticks: list[float]) -> None:
    """pretty(c(low, high), n = count) in R 4.2.2."""
    np.testing.assert_allclose(pretty(low, high, count), ticks, atol=1e-12)


@given(low=st.floats(-1e6, 1e6), reach=st.floats(1e-3, 1e6), count=st.integers(2, 20))
def test_ticks_cover_the_range(low: float, reach: float, count: int) -> None:
    """Evenly, from at or below the lower end to at or above the upper one."""
    ticks = pretty(low, low + reach, count)
    slack = 1e-6 * (abs(low) + reach)
    assert ticks[0] <= low + slack and ticks[-1] >= low + reach - slack
    np.testing.assert_allclose(np.diff(ticks), ticks[1] - ticks[0], rtol=1e-6, atol=slack * 1e-3)


def test_without_effects_there_is_none() -> None:
    """No variables, infinite effects, or none at all."""
    for axes in ({}, {"x": ([0, 1], np.array([0.0, np.inf]))}, {"x": ([0, 1], np.zeros(2))}):
        with pytest.raises(Fixable, match="No nomogram"):
            nomogram(axes, linear_predictor=np.zeros(3), centre=0.0)


def test_points_of_every_patient_give_the_cox_models_own_curve(gbsg2: Cohort) -> None:
    """Numbers, a logarithm, a spline and a factor: adding up points is the model, for patients on the ticks."""
    outcome = gbsg2.outcomes[0]
    numbers = [v.name for v in gbsg2.predictors if v.is_numeric]
    level = next(v.name for v in gbsg2.predictors if v.is_grouping)
    spec = spec_of(gbsg2, [Linear(numbers[0], 10.0), Spline(numbers[1], 3), Log(numbers[2], 2.0), level])
    plan = design(gbsg2, outcome, spec)
    fit = fit_cox(plan.data)
    t = float(np.median(gbsg2.time(outcome)))
    values = {name: np.unique(gbsg2.frame[name].to_numpy(dtype=float)) for name in numbers[:3]}
    told = cox_nomogram(gbsg2, fit, plan, t=t, unit=outcome.unit, ticks=values)
    axes = {axis.name: axis for axis in told.nomogram.axes}
    assert set(axes) == {*numbers[:3], level} == set(told.labels)
    assert max(axis.points.max() for axis in axes.values()) == pytest.approx(100)
    frame, rows = gbsg2.frame, [0, 17, 300, 685]
    curves = predicted_curves(fit, Patients(plan.data.x[rows]))
    for row, curve in zip(rows, curves, strict=True):
        total = sum(axis.points[list(axis.values).index(frame[name].iloc[row])] for name, axis in axes.items())
        assert told.survival(total) == pytest.approx(float(curve.at([t]).survival[0]), rel=1e-9)
    np.testing.assert_allclose(told.survival(told.chance_points), told.chances)
    usual = cox_nomogram(gbsg2, fit, plan, t=t, unit=outcome.unit)
    assert all(len(axis.values) > 1 for axis in usual.nomogram.axes)


def test_interactions_and_times_beyond_follow_up_have_none(gbsg2: Cohort) -> None:
    """Points of single variables do not add up, or there is no chance to state."""
    outcome = gbsg2.outcomes[0]
    a, b = [variable.name for variable in gbsg2.predictors][:2]
    plan = design(gbsg2, outcome, spec_of(gbsg2, [a, b]))
    with pytest.raises(Fixable, match="outside the follow-up"):
        cox_nomogram(gbsg2, fit_cox(plan.data), plan, t=1e9, unit=outcome.unit)
    terms = spec_of(gbsg2, [a, b]).terms
    joined = design(gbsg2, outcome, spec_of(gbsg2, [*terms, Interaction(*terms)]))
    with pytest.raises(Fixable, match="do not add up"):
        cox_nomogram(gbsg2, fit_cox(joined.data), joined, t=1.0, unit=outcome.unit)
