"""What is read off curves: views, restricted means, milestones, landmarks, conditional survival."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

from bedside.errors import Fixable
from bedside.survival import (
    conditional,
    conditional_survival,
    curves_by,
    kaplan_meier,
    landmark_by,
    longest_tau,
    milestones,
    milestones_by,
    restricted_mean,
    restricted_means,
    restricted_means_by,
    view,
)

FOLLOW_UP = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=2, max_size=60)
SCALES = ("plain", "log", "log-log", "logit", "arcsin")


def follow_up(rows):
    return (np.array(column) for column in zip(*rows, strict=True))


def cohort_of(frame: pd.DataFrame):
    """What curves ask of a cohort, and an outcome in days."""
    cohort = SimpleNamespace(
        frame=frame,
        rows=np.arange(len(frame)),
        time=lambda _: frame.time.to_numpy(float),
        event=lambda _: frame.event.to_numpy(bool),
        entry=lambda _: frame.entry.to_numpy(float) if "entry" in frame else None,
    )
    return cohort, SimpleNamespace(unit="days")


def grouping_of(codes, *labels):
    return SimpleNamespace(labels=labels, codes=np.asarray(codes))


# Views


@pytest.mark.parametrize("interval", SCALES)
def test_incidence_turns_survival_round(interval):
    curve = kaplan_meier([1, 2, 3, 4, 5], [1, 0, 1, 1, 0], interval=interval)
    seen = view(curve, "incidence")
    np.testing.assert_allclose(seen.y, [0, 0.2, 0.2, 7 / 15, 11 / 15, 11 / 15])
    np.testing.assert_array_equal(seen.lower, 1 - curve.upper)
    known = ~np.isnan(seen.lower)
    assert (seen.lower[known] <= seen.y[known]).all() and (seen.y[known] <= seen.upper[known]).all()


def test_hazard_with_its_interval():
    """By hand: H = 1/4 + 1/3 with variance 1/16 + 1/9; on the log-log scale of exp(-H) its interval is log H's."""
    seen = view(kaplan_meier([1, 2, 3, 4], [1, 1, 0, 0], interval="log-log"), "hazard")
    np.testing.assert_allclose(seen.y, [0, 1 / 4, 7 / 12, 7 / 12, 7 / 12])
    factor = np.exp(1.959963984540054 * np.sqrt(1 / 16 + 1 / 9) / (7 / 12))
    np.testing.assert_allclose([seen.lower[2], seen.upper[2]], [7 / 12 / factor, 7 / 12 * factor])
    plain = view(kaplan_meier([1, 2, 3, 4], [1, 1, 0, 0], interval="log"), "hazard")
    np.testing.assert_allclose(plain.upper[2], 7 / 12 + 1.959963984540054 * np.sqrt(1 / 16 + 1 / 9))
    assert plain.lower[2] == 0


@given(FOLLOW_UP)
def test_hazard_of_nelson_aalen_is_minus_log_survival(rows):
    time, event = follow_up(rows)
    for interval in SCALES:
        curve = kaplan_meier(time, event, estimator="nelson-aalen", interval=interval)
        seen = view(curve, "hazard")
        np.testing.assert_allclose(np.exp(-seen.y), curve.survival, rtol=1e-12)
        known = ~np.isnan(curve.lower)
        np.testing.assert_allclose(np.exp(-seen.upper[known]), curve.lower[known], rtol=1e-12)


def test_complementary_log_log_has_the_steps_inside_only():
    """Neither time 0, nor a curve at 1 or at 0, has a logarithm."""
    seen = view(kaplan_meier([0, 1, 2, 3], [0, 1, 1, 1], interval="log"), "complementary-log-log")
    np.testing.assert_allclose(seen.x, np.log([1, 2]))
    np.testing.assert_allclose(seen.y, np.log(-np.log([2 / 3, 1 / 3])))
    assert (seen.lower <= seen.y).all() and (seen.y <= seen.upper).all()
    assert len(view(kaplan_meier([1, 2], [0, 0]), "complementary-log-log").x) == 0


def test_unknown_view_is_refused():
    with pytest.raises(Fixable, match="scale of the curve is not known"):
        view(kaplan_meier([1, 2], [1, 0]), "density")


# Restricted means


def test_restricted_mean_by_hand():
    """Events at 1 and 3 of 4: 1 + 2 * 3/4 + 1 * 3/8 up to 4; areas left at the events 15/8 and 3/8."""
    mean = restricted_mean(kaplan_meier([1, 2, 3, 5], [1, 0, 1, 0]), 4)
    assert mean.mean == pytest.approx(1 + 1.5 + 0.375)
    assert mean.std_err == pytest.approx(np.sqrt(1.875**2 / 12 + 0.375**2 / 2))
    assert mean.lost == pytest.approx(4 - 2.875)
    assert (mean.n, mean.n_events) == (4, 2)


@given(FOLLOW_UP, st.integers(1, 30))
def test_restricted_mean_equals_lifelines(rows, tau):
    time, event = follow_up(rows)
    ours = restricted_mean(kaplan_meier(time, event), tau, extend=True)
    theirs = restricted_mean_survival_time(KaplanMeierFitter().fit(time, event), t=tau)
    assert ours.mean == pytest.approx(theirs, rel=1e-9)
    assert ours.mean + ours.lost == pytest.approx(tau)


@given(FOLLOW_UP)
def test_jackknife_of_the_area_is_greenwood_without_weights(rows):
    time, event = follow_up(rows)
    plain, robust = (kaplan_meier(time, event, robust=wanted) for wanted in (False, True))
    if plain.survival[-1] > 0:
        ours, theirs = (restricted_mean(curve, plain.last).std_err for curve in (robust, plain))
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-7)


def test_group_that_was_not_followed_to_tau_has_no_mean_and_the_others_do():
    curves = [kaplan_meier([5, 9], [1, 0], group="long"), kaplan_meier([1, 2], [1, 0], group="short"),
              kaplan_meier([1, 3], [1, 1], group="all dead")]  # fmt: skip
    found = restricted_means(curves, 8)
    assert [g.mean for g in found.groups] == [pytest.approx(6.5), pytest.approx(np.nan, nan_ok=True), 2]
    assert np.isnan(found.contrasts[0].difference.p)
    assert found.contrasts[1].difference.estimate == pytest.approx(2 - 6.5)
    assert longest_tau(curves) == 2
    assert longest_tau([*curves, kaplan_meier([0, 0], [1, 0])]) == 2
    assert longest_tau(curves[2:]) == 3
    with pytest.raises(Fixable, match="the longest follow-up is 2 days"):
        restricted_means(curves[1:2], 8)


def test_restricted_means_without_events_have_no_p():
    """Nothing varies: an exact difference, and nothing to test."""
    flat = [kaplan_meier([5, 9], [0, 0], group=g) for g in "AB"]
    found = restricted_means(flat, 4).contrasts[0]
    assert found.difference[:3] == (0, 0, 0)
    assert np.isnan([found.difference.p, found.lost_ratio.estimate]).all()
    assert found.ratio.estimate == 1


def test_reference_group_is_chosen():
    curves = [kaplan_meier([1, 2, 3], [1, 1, 0], group=g) for g in ("A", "B", "C")]
    assert [(c.group, c.reference) for c in restricted_means(curves, 2, reference="B").contrasts] == [
        ("A", "B"),
        ("C", "B"),
    ]
    with pytest.raises(Fixable, match="reference group has no patients"):
        restricted_means(curves, 2, reference="D")


@pytest.mark.parametrize("tau", [0, -1, np.inf, np.nan])
def test_restriction_must_lie_ahead(tau):
    with pytest.raises(Fixable, match="No restricted mean"):
        restricted_mean(kaplan_meier([1, 2], [1, 0]), tau)


def test_restricted_means_of_a_cohort():
    frame = pd.DataFrame({"time": [1, 2, 3, 4], "event": [1, 0, 1, 0]})
    found = restricted_means_by(*cohort_of(frame), grouping_of([0, 0, 1, 1], "A", "B"))
    assert found.tau == 2
    assert [g.mean for g in found.groups] == [1.5, 2]


# Milestones


def test_milestones_where_a_curve_is_at_one():
    """No logarithm of a logarithm: the p of the difference instead, and none where nothing varies."""
    flat, falling = kaplan_meier([5, 9, 9], [0, 0, 0], group="flat"), kaplan_meier([1, 9, 9], [1, 0, 0], group="falls")
    (early, late) = milestones([flat, falling], [0.5, 4]).contrasts
    assert np.isnan(early.p)
    assert late.p == late.difference.p == pytest.approx(0.2206714, rel=1e-6)
    assert np.isnan(milestones([flat, falling], [20]).contrasts[0].difference.estimate)


def test_milestones_against_a_curve_at_zero():
    """survfit has no standard error where S is 0; the others' is what is uncertain of the difference."""
    curves = [kaplan_meier([1, 2], [1, 1], group="dead"), kaplan_meier([1, 9, 9], [1, 0, 0], group="alive")]
    (contrast,) = milestones(curves, [5]).contrasts
    assert contrast.difference.std_err == pytest.approx(np.sqrt(2 / 27))
    assert np.isnan(contrast.ratio.estimate)


def test_milestones_count_patients_at_the_time():
    found = milestones_by(
        *cohort_of(pd.DataFrame({"time": [1, 2, 3, 4], "event": [1, 1, 0, 0]})), times=[0, 2]
    ).points  # fmt: skip
    assert [(m.at_risk, m.events, m.survival) for m in found] == [(4, 0, 1), (3, 2, 0.5)]


@pytest.mark.parametrize("times", [[-1], [np.nan], [1, np.inf]])
def test_milestones_need_times(times):
    with pytest.raises(Fixable, match="0 or later"):
        milestones([kaplan_meier([1, 2], [1, 0])], times)


# Landmarks and conditional survival


@given(FOLLOW_UP, st.integers(0, 25), st.lists(st.integers(0, 5), min_size=60, max_size=60))
def test_conditional_survival_is_the_ratio_and_the_curve_of_those_left(rows, alive_at, early):
    """With delayed entry and without: three ways to one curve."""
    time, event = follow_up(rows)
    entry = time - 1 - np.minimum(early[: len(time)], time - 1)
    if (time <= alive_at).all():
        return
    frame = pd.DataFrame({"time": time, "event": event})
    for columns in ({}, {"entry": entry}):
        whole = kaplan_meier(time, event, **columns)
        ours = conditional(whole, alive_at)
        (counted,) = curves_by(*cohort_of(frame.assign(**columns)), alive_at=alive_at)
        for name in ("time", "survival", "lower", "upper", "at_risk", "std_err", "events", "n"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(counted, name), err_msg=name)
        asked = alive_at + np.arange(0, 30, 0.5)
        assert ours.counts(asked[1:]).at_risk.tolist() == counted.counts(asked[1:]).at_risk.tolist()
        start = whole.at(alive_at, extend=True).survival[0]
        if start > 0:
            ratio = whole.at(asked, extend=True).survival / start
            np.testing.assert_allclose(ours.at(asked, extend=True).survival, ratio, rtol=1e-12)


def test_conditional_survival_over_time():
    """By hand: of 4, 3 are followed beyond 1; of these, one has the event within the next 2."""
    curve = kaplan_meier([1, 2, 3, 6], [1, 1, 0, 0], group="A")
    first, second, none = conditional_survival([curve], [0, 1, 6], ahead=2)
    assert (first.survival, first.n, first.events) == (0.5, 4, 2)
    assert second.survival == pytest.approx(2 / 3)
    assert (second.n, second.events) == (3, 1)
    assert np.isnan(none.survival) and none.n == 0
    beyond = conditional_survival([curve], [3], ahead=9)[0]
    assert np.isnan(beyond.survival) and beyond.n == 1
    with pytest.raises(Fixable, match="time ahead"):
        conditional_survival([curve], [0], ahead=0)


def test_conditional_curve_starts_at_its_own_time():
    curve = conditional(kaplan_meier([1, 2, 3, 6], [1, 1, 0, 1]), 1.5)
    assert (curve.origin, curve.survival[0], curve.n) == (1.5, 1, 3)
    np.testing.assert_array_equal(curve.at([1, 1.5, 2]).survival, [np.nan, 1, 2 / 3])
    again = curve.restart()
    assert again.time.tolist() == [0, 0.5, 1.5, 4.5]
    assert again.restart() is again
    assert restricted_mean(curve, 3.5).mean == restricted_mean(again, 2).mean == pytest.approx(0.5 + 1.5 * 2 / 3)
    assert curve.convert("years").origin == pytest.approx(1.5 / 365.25)


def test_conditional_curve_of_robust_errors_is_counted_anew():
    curve = kaplan_meier([1, 2, 3], [1, 1, 1], weights=[0.5, 1, 1])
    with pytest.raises(ValueError, match="alive_at"):
        conditional(curve, 1)
    frame = pd.DataFrame({"time": [1, 2, 3, 4], "event": [1, 1, 1, 0], "w": [0.5, 1, 1.5, 2]})
    (ours,) = curves_by(*cohort_of(frame), weights="w", alive_at=1)
    direct = kaplan_meier([2, 3, 4], [1, 1, 0], weights=[1, 1.5, 2], robust=True)
    np.testing.assert_array_equal(ours.std_err[1:], direct.std_err[1:])


def test_landmark_says_who_is_left_out():
    frame = pd.DataFrame({"time": [1, 2, 2, 5, 7, 9], "event": [1, 1, 0, 1, 0, 1]})
    found = landmark_by(*cohort_of(frame), grouping_of([0, 0, 1, 0, 1, -1], "A", "B"), at=2)
    assert (found.n, found.n_after, found.n_event, found.n_censored) == (6, 3, 2, 1)
    assert [(c.group, c.n, c.time.tolist()) for c in found.curves] == [("A", 1, [0, 3]), ("B", 1, [0, 5])]
    kept = landmark_by(*cohort_of(frame), at=2, clock="kept")
    assert kept.curves[0].time.tolist() == [2, 5, 7, 9]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"at": 9}, "Nobody was followed beyond"),
        ({"at": -1}, "must be 0 or later"),
        ({"at": 1, "clock": "stopped"}, "neither reset nor kept"),
    ],
)
def test_landmark_that_leaves_nobody_is_refused(options, why):
    with pytest.raises(Fixable, match=why):
        landmark_by(*cohort_of(pd.DataFrame({"time": [1.0, 9.0], "event": [1, 0]})), **options)
