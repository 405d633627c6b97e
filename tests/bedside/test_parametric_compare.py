"""Parametric models side by side for a cohort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Cohort, group_by
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.regression.parametric_compare import MODELS, compare_parametric
from bedside.survival import kaplan_meier


def with_times(cohort: Cohort, outcome: str, time: np.ndarray, event: np.ndarray | None = None) -> Cohort:
    """The same patients with other follow-up."""
    told = cohort.outcome(outcome)
    frame = cohort.frame.copy()
    frame[told.time] = time
    if event is not None:
        codes = np.where(event, told.event[0], told.censored[0])
        frame[told.status] = pd.Categorical(codes, categories=frame[told.status].cat.categories)
    return replace(cohort, frame=frame, fingerprint="")


def test_lung_cancer_is_weibull(lung: Cohort) -> None:
    """AIC of R's survreg fits (tests/reference/05_parametric.json) and the smallest of them."""
    found = compare_parametric(lung, lung.outcomes[0])
    aic = {model.key: model.aic for model in found.models}
    assert aic["exponential"] == pytest.approx(2326.67635157493, rel=1e-10)
    assert aic["weibull"] == pytest.approx(2311.70237617881, rel=1e-10)
    assert aic["lognormal"] == pytest.approx(2342.5381106112, rel=1e-10)
    assert aic["loglogistic"] == pytest.approx(2325.86124702246, rel=1e-10)
    assert found.best == "weibull" and found.alike[0] == "weibull" and "lognormal" not in found.alike
    assert [m.behind for m in found.models if m.key == "weibull"] == [0.0]
    assert (found.n, found.n_events, found.n_dropped, found.moved_from_zero) == (228, 165, 0, 0)
    assert tuple(model.key for model in found.models) == MODELS


def test_curves_lie_on_the_kaplan_meier_curve(gbsg2: Cohort) -> None:
    """The gap that is told is the largest there is; a curve of four degrees of freedom lies closer than one of one."""
    outcome = gbsg2.outcomes[0]
    found = compare_parametric(gbsg2, outcome)
    gaps = {model.key: model.largest_gap for model in found.models}
    assert gaps["spline4"] < gaps["exponential"] < 0.1
    curve = found.models[1].curves[0]
    observed = kaplan_meier(gbsg2.time(outcome), gbsg2.event(outcome))
    at = np.interp(observed.time, curve.time, curve.survival)
    assert gaps["weibull"] >= np.abs(at - observed.survival).max() - 1e-12
    assert curve.survival[0] == 1 and (np.diff(curve.survival) <= 0).all()
    assert (curve.lower <= curve.survival).all() and (curve.survival <= curve.upper).all()
    assert curve.followed_until == gbsg2.time(outcome).max()


def test_separate_curves_add_up(gbsg2: Cohort) -> None:
    """Groups on their own: likelihoods and parameters are sums; the exponential is the same either way."""
    outcome, grouping = gbsg2.outcomes[0], group_by(gbsg2, "horTh" if gbsg2.has("horTh") else gbsg2.groupings[0].name)
    shared = compare_parametric(gbsg2, outcome, grouping=grouping)
    alone = compare_parametric(gbsg2, outcome, grouping=grouping, separate=True)
    by = {model.key: (model, other) for model, other in zip(shared.models, alone.models, strict=True)}
    assert by["exponential"][0].aic == pytest.approx(by["exponential"][1].aic, rel=1e-10)
    assert by["weibull"][1].loglik >= by["weibull"][0].loglik
    assert by["weibull"][1].n_parameters == 2 * len(grouping.labels)
    one = gbsg2.take(grouping.codes == 0, seal="first group")
    own = compare_parametric(one, outcome, models=("weibull",), until=float(gbsg2.time(outcome).max()))
    np.testing.assert_allclose(by["weibull"][1].curves[0].survival, own.models[0].curves[0].survival, rtol=1e-9)


def test_beyond_follow_up_and_with_variables(lung: Cohort) -> None:
    """Curves reach as far as asked; with variables they are means over the group's patients, complete cases only."""
    outcome = lung.outcomes[0]
    numbers = [variable.name for variable in lung.predictors if variable.is_numeric][:2]
    found = compare_parametric(lung, outcome, variables=numbers, until=3000.0, models=("weibull", "spline2"))
    known = lung.frame[numbers].notna().all(axis=1)
    assert found.n == int(known.sum()) and found.n_dropped == int((~known).sum())
    assert found.followed_until < 3000 == found.models[0].curves[0].time[-1]
    assert np.isnan(found.models[0].largest_gap) and np.isnan(found.models[0].curves[0].lower).all()
    plain = compare_parametric(lung, outcome, until=3000.0, models=("weibull",))
    gap = np.abs(found.models[0].curves[0].survival - plain.models[0].curves[0].survival)
    assert 0 < gap.max() < 0.05


def test_a_group_without_events_and_a_group_of_one(gbsg2: Cohort) -> None:
    """The others are still compared, and the silent group is named."""
    outcome = gbsg2.outcomes[0]
    grouping = group_by(gbsg2, gbsg2.groupings[0].name, cuts=None)
    codes = np.where(np.arange(len(gbsg2)) % 7 == 0, 2, np.arange(len(gbsg2)) % 2)
    codes[0] = 3
    grouped = replace(grouping, labels=("A", "B", "C", "D"), codes=codes, dropped_missing=0)
    event = gbsg2.event(outcome) & (codes != 2)
    event[0] = True
    made = with_times(gbsg2, outcome.key, gbsg2.time(outcome), event)
    for separate in (False, True):
        found = compare_parametric(made, outcome, grouping=grouped, separate=separate)
        assert found.without_events == ("C",)
        assert found.n == int((codes != 2).sum())
        fitted = [model for model in found.models if not model.why_not]
        assert fitted and all([c.group for c in model.curves] == ["A", "B", "D"] for model in fitted)
    assert [m.why_not for m in found.models if m.key == "weibull"] == [
        "The event was seen once, and there are 2 numbers to estimate."
    ]


def test_events_at_time_zero_are_counted_and_moved(gbsg2: Cohort) -> None:
    """Half the smallest time above 0; told how many."""
    outcome = gbsg2.outcomes[0]
    time, event = gbsg2.time(outcome).copy(), gbsg2.event(outcome).copy()
    time[:3], event[:3] = 0.0, (True, True, False)
    found = compare_parametric(with_times(gbsg2, outcome.key, time, event), outcome, models=("weibull", "spline2"))
    assert found.moved_from_zero == 2 and not any(model.why_not for model in found.models)


def test_nothing_to_fit_is_said(gbsg2: Cohort, cohort_folder: Callable[..., Path]) -> None:
    """No events; all times equal leaves the exponential."""
    outcome = gbsg2.outcomes[0]
    silent = with_times(gbsg2, outcome.key, gbsg2.time(outcome), np.zeros(len(gbsg2), dtype=bool))
    with pytest.raises(Fixable, match="No patient here had the event"):
        compare_parametric(silent, outcome)
    found = compare_parametric(with_times(gbsg2, outcome.key, np.full(len(gbsg2), 9.0)), outcome)
    assert found.best == "exponential"
    assert {m.key for m in found.models if not m.why_not} >= {"exponential"}
    assert next(m.why_not for m in found.models if m.key == "spline3")
    tiny = read_cohort(cohort_folder("days,status,arm\n5,1,a\n9,0,b\n7,1,a\n"))
    assert compare_parametric(tiny, tiny.outcomes[0]).models[0].n_parameters == 1
