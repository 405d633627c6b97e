"""Survival at its edges: odd input, odd groups, other units, and a second implementation."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test

from bedside.errors import Fixable
from bedside.intake.read import read_cohort
from bedside.survival import curves_by, default_horizon, horizon_of, kaplan_meier, log_rank, log_rank_by
from bedside.survival.checks import merge_ties

SAMPLES = Path(__file__).parents[2] / "sample_data"
FOLLOW_UP = st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 2)), min_size=2, max_size=80)


def cohort_of(time, event, *, unit="days"):
    """What `curves_by` asks of a cohort and an outcome: times, events and a unit."""
    outcome = SimpleNamespace(unit=unit)
    columns = {"time": lambda _: np.asarray(time, float), "event": lambda _: np.asarray(event, bool)}
    return SimpleNamespace(**columns, entry=lambda _: None), outcome


def grouping_of(codes, *labels):
    return SimpleNamespace(labels=labels, codes=np.asarray(codes))


@pytest.mark.parametrize(
    ("time", "event", "why"),
    [
        ([], [], "no patients"),
        ([1, 2], [1], "2 follow-up times and 1 events"),
        ([1, np.nan], [1, 0], "1 patient has no follow-up time"),
        ([np.inf, np.nan, 3], [1, 0, 0], "2 patients have no follow-up time"),
        ([-1, 2], [1, 0], "1 patient has a negative"),
        ([1, 2], [1, 2], "1 patient has an event that is not 0 or 1"),
        ([1, 2], [np.nan, 1], "1 patient has an event that is not 0 or 1"),
        (["soon", "late"], [1, 0], "not all numbers"),
        ([[1, 2]], [[1, 0]], "not one column"),
    ],
)
def test_unusable_input_is_refused_with_the_reason(time, event, why):
    with pytest.raises(Fixable) as caught:
        kaplan_meier(time, event)
    assert why in caught.value.why
    assert caught.value.next_step


@pytest.mark.parametrize(("level", "interval"), [(0, "log"), (1, "log"), (95, "log"), (np.nan, "log"), (0.95, "exact")])
def test_unknown_interval_is_refused(level, interval):
    with pytest.raises(Fixable, match="No interval"):
        kaplan_meier([1, 2], [1, 0], level=level, interval=interval)


def test_group_without_events_is_a_flat_line():
    """survfit(Surv(1:3, c(0, 0, 0)) ~ 1, conf.type = "log-log"): surv 1, limits NA, median NA."""
    curve = kaplan_meier([1, 2, 3], [0, 0, 0])
    np.testing.assert_array_equal(curve.survival, [1, 1, 1, 1])
    np.testing.assert_array_equal(curve.lower, [1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(curve.censored, [0, 1, 1, 1])
    assert curve.n_events == 0
    assert np.isnan(curve.median).all()


def test_group_without_events_has_limits_on_the_log_scale():
    """survfit(..., conf.type = "log"): limits 1 and 1."""
    curve = kaplan_meier([1, 2, 3], [0, 0, 0], interval="log")
    np.testing.assert_array_equal(curve.lower, np.ones(4))
    np.testing.assert_array_equal(curve.upper, np.ones(4))


def test_curve_that_reaches_zero_has_no_limits_there():
    for interval in ("plain", "log", "log-log", "logit", "arcsin"):
        curve = kaplan_meier([1, 2, 3], [1, 1, 1], interval=interval)
        assert curve.survival[-1] == 0
        assert np.isnan([curve.lower[-1], curve.upper[-1]]).all()
        assert curve.upper[2] <= 1


def test_one_patient():
    curve = kaplan_meier([5], [1])
    np.testing.assert_array_equal(curve.survival, [1, 0])
    assert curve.median.estimate == 5
    assert curve.at([4, 5, 6]).survival.tolist() == [1, 0, 0]


def test_everybody_at_the_same_time():
    curve = kaplan_meier([7, 7, 7, 7], [1, 1, 0, 0])
    np.testing.assert_array_equal(curve.time, [0, 7])
    np.testing.assert_array_equal(curve.survival, [1, 0.5])
    assert (curve.events[1], curve.censored[1], curve.median.estimate) == (2, 2, 7)


def test_event_at_time_zero_is_a_step_at_zero():
    """The curve starts at 1 and drops at once; nobody is lost from the counts."""
    curve = kaplan_meier([0, 1, 2, 3], [1, 0, 1, 0])
    np.testing.assert_array_equal(curve.time, [0, 0, 1, 2, 3])
    np.testing.assert_array_equal(curve.survival[:2], [1, 0.75])
    np.testing.assert_array_equal(curve.at_risk[:3], [4, 4, 3])
    assert curve.at(0).survival[0] == 0.75
    assert (curve.counts(0).at_risk[0], curve.counts(0).events[0]) == (4, 1)


def test_times_that_differ_by_rounding_are_tied():
    """survfit with timefix = TRUE: 0.1 + 0.2 and 0.3 are one time with three at risk."""
    curve = kaplan_meier([0.1 + 0.2, 0.3, 0.4], [1, 1, 0])
    np.testing.assert_array_equal(curve.time, [0, 0.3, 0.4])
    assert (curve.at_risk[1], curve.events[1]) == (3, 2)


def test_ties_are_relative_to_large_times_and_absolute_for_small():
    assert len(np.unique(merge_ties(np.array([1e6, 1e6 + 1e-3, 1e6 + 1])))) == 2
    assert len(np.unique(merge_ties(np.array([1e-9, 5e-9, 1e-3])))) == 2
    assert len(np.unique(merge_ties(np.array([1.0, 1.0 + 1e-6, 2.0])))) == 3


def test_beyond_follow_up_there_is_no_value_unless_asked_for():
    curve = kaplan_meier([1, 2, 3, 4], [1, 0, 1, 0])
    plain, extended = curve.at([4, 4.5]), curve.at([4, 4.5], extend=True)
    np.testing.assert_array_equal(plain.survival, [0.375, np.nan])
    np.testing.assert_array_equal(plain.upper[1], np.nan)
    np.testing.assert_array_equal(plain.at_risk, [1, 0])
    np.testing.assert_array_equal(extended.survival, [0.375, 0.375])


def test_counts_include_what_happens_at_the_time_itself():
    counts = kaplan_meier([1, 2, 2, 3, 5], [1, 1, 0, 0, 1]).counts([0, 1.5, 2, 4, 9])
    assert counts.at_risk.tolist() == [5, 4, 4, 1, 0]
    assert counts.censored.tolist() == [0, 0, 1, 2, 2]
    assert counts.events.tolist() == [0, 1, 2, 2, 3]


def test_another_unit_changes_times_and_nothing_else():
    days = kaplan_meier([365.25, 730.5, 1826.25, 2000], [1, 0, 1, 0])
    years = days.convert("years")
    assert years.unit == "years"
    np.testing.assert_array_equal(years.survival, days.survival)
    np.testing.assert_allclose(years.time[1:4], [1, 2, 5], rtol=1e-15)
    assert years.median.estimate == pytest.approx(days.median.estimate / 365.25, rel=1e-15)
    assert days.convert("days") is days


@pytest.mark.parametrize("unit", ["weeks", "months", "years"])
def test_whole_times_are_found_after_conversion(unit):
    """At 5 years somebody with an event after exactly 5 years in days has had it."""
    length = {"weeks": 7, "months": 30.4375, "years": 365.25}[unit]
    curve = kaplan_meier(length * np.arange(1, 200), np.ones(199)).convert(unit)
    whole = np.arange(1, 200)
    np.testing.assert_array_equal(curve.counts(whole).events, whole)
    np.testing.assert_array_equal(curve.counts(whole).at_risk, 200 - whole)


def test_reliable_until_ten_remain():
    curve = kaplan_meier(np.arange(1, 31), np.tile([1, 0, 0], 10))
    assert curve.reliable_until() == 21
    assert curve.reliable_until(30) == 1
    assert curve.reliable_until(31) == 0


def test_a_curve_cannot_be_changed():
    curve = kaplan_meier([1, 2], [1, 0])
    with pytest.raises(FrozenInstanceError):
        curve.n = 3
    with pytest.raises(ValueError, match="read-only"):
        curve.survival[0] = 0.5


def test_input_is_left_alone():
    time, event = np.array([3.0, 1.0, 2.0]), np.array([True, False, True])
    kaplan_meier(time, event)
    assert (time.tolist(), event.tolist()) == ([3, 1, 2], [True, False, True])


def test_groups_keep_their_order_and_missing_patients_are_in_none():
    cohort, outcome = cohort_of([1, 2, 3, 4, 5], [1, 1, 0, 1, 0], unit="months")
    curves = curves_by(cohort, outcome, grouping_of([2, 0, -1, 2, 0], "Low", "Middle", "<b>High</b>"))
    assert [(c.group, c.n, c.unit) for c in curves] == [("Low", 2, "months"), ("<b>High</b>", 2, "months")]
    assert curves_by(cohort, outcome)[0].n == 5


def test_curve_of_a_sample_cohort_is_the_curve_of_its_rows(reference_frame):
    """The colon trial as it is read is the colon trial that R was given."""
    cohort = read_cohort(SAMPLES / "colon_trial")
    outcome = cohort.outcome("death")
    (ours,) = curves_by(cohort, outcome)
    rows = reference_frame("colon_death")
    theirs = kaplan_meier(rows.time, rows.status)
    np.testing.assert_array_equal(ours.survival, theirs.survival)
    assert (ours.group, ours.unit, ours.n) == ("All patients", "days", 929)
    horizon = default_horizon(cohort, outcome)
    assert (ours.at_risk[ours.time >= horizon.to("days")][0] >= 0.2 * 929) and horizon.unit == "years"


def test_no_curves_where_no_patient_has_a_group():
    cohort, outcome = cohort_of([1, 2], [1, 0])
    with pytest.raises(Fixable, match="missing for all"):
        curves_by(cohort, outcome, grouping_of([-1, -1], "A", "B"))


def test_ties_are_merged_across_groups():
    """survfit merges before it splits: 0.1 + 0.2 in one group is the 0.3 of the other."""
    cohort, outcome = cohort_of([0.1 + 0.2, 0.3], [1, 1])
    first, second = curves_by(cohort, outcome, grouping_of([0, 1], "A", "B"))
    assert first.time[1] == second.time[1] == 0.3


def test_log_rank_without_events_in_one_group():
    """survdiff(Surv(c(1,2,3,4,5,6), c(1,1,1,0,0,0)) ~ c(0,0,0,1,1,1)), by hand: E = .5 + .4 + .25."""
    test = log_rank([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(test.expected, [1.15, 1.85])
    assert test.observed.tolist() == [3, 0]
    assert test.statistic == pytest.approx((3 - 1.15) ** 2 / (0.25 + 0.24 + 0.1875))


def test_log_rank_leaves_out_a_group_that_left_before_the_first_event():
    """R: df counts groups with something expected."""
    test = log_rank([1, 1, 5, 6, 7, 8], [0, 0, 1, 1, 1, 0], [0, 0, 1, 2, 1, 2])
    assert test.df == 1
    assert test.expected[0] == 0


@pytest.mark.parametrize(
    ("time", "event", "codes"),
    [
        ([1, 2, 3], [1, 1, 1], [0, 0, 0]),
        ([1, 2, 3], [1, 1, 1], [0, -1, -1]),
        ([1, 2, 3], [0, 0, 0], [0, 1, 1]),
        ([1, 1, 2, 3], [0, 0, 1, 1], [0, 0, 1, 1]),
        ([4, 4, 4, 4], [1, 1, 1, 1], [0, 0, 1, 1]),
        ([1, 2, 3], [1, 1, 1], [0, 1]),
    ],
    ids=["one group", "one group known", "no events", "one left early", "no spread", "lengths"],
)
def test_log_rank_that_cannot_be_made_is_refused(time, event, codes):
    with pytest.raises(Fixable, match="No comparison"):
        log_rank(time, event, codes)


def test_log_rank_by_group_of_a_cohort():
    cohort, outcome = cohort_of([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0])
    ours = log_rank_by(cohort, outcome, grouping_of([0, 0, 0, 1, 1, 1], "A", "B"))
    assert ours.p == log_rank([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], [5, 5, 5, 9, 9, 9]).p


@settings(max_examples=150, deadline=None)
@given(FOLLOW_UP)
def test_curve_equals_lifelines(rows):
    """A second implementation, wherever the two agree on definitions: positive times, 0 < S < 1."""
    time, event = np.array([t + 1 for t, _, _ in rows], float), np.array([e for _, e, _ in rows])
    ours = kaplan_meier(time, event)
    theirs = KaplanMeierFitter().fit(time, event)
    np.testing.assert_allclose(ours.survival, theirs.survival_function_.to_numpy().ravel(), rtol=1e-12, atol=1e-14)
    inside = (ours.survival > 0) & (ours.survival < 1)
    band = theirs.confidence_interval_.to_numpy()[inside]
    np.testing.assert_allclose(np.column_stack([ours.lower, ours.upper])[inside], band, rtol=1e-9, atol=1e-12)


@settings(max_examples=150, deadline=None)
@given(FOLLOW_UP)
def test_curve_keeps_its_own_books(rows):
    """Falls only at events, its band holds it, and everybody is counted once."""
    time, event = np.array([t for t, _, _ in rows], float), np.array([e for _, e, _ in rows])
    for interval in ("plain", "log", "log-log", "logit", "arcsin"):
        curve = kaplan_meier(time, event, interval=interval)
        assert ((np.diff(curve.survival) < 0) == (curve.events[1:] > 0)).all()
        known = ~np.isnan(curve.lower)
        assert (curve.lower[known] <= curve.survival[known] + 1e-12).all()
        assert (curve.survival[known] <= curve.upper[known] + 1e-12).all()
        assert curve.events.sum() + curve.censored.sum() == curve.n
        assert (np.diff(curve.at_risk[1:]) == -(curve.events + curve.censored)[1:-1]).all()


@settings(max_examples=100, deadline=None)
@given(FOLLOW_UP)
def test_log_rank_equals_lifelines(rows):
    time, event, codes = (np.array(column) for column in zip(*rows, strict=True))
    try:
        ours = log_rank(time, event, codes)
    except Fixable:
        return
    if (ours.expected > 0).all():
        theirs = multivariate_logrank_test(time, codes, event)
        np.testing.assert_allclose(ours.statistic, theirs.test_statistic, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("time", "unit", "value", "horizon_unit"),
    [
        (np.linspace(1, 3652.5, 100), "days", 8.0, "years"),
        (np.full(50, 60.0), "months", 5.0, "years"),
        (np.full(50, 1826.25), "days", 5.0, "years"),
        (np.full(50, 300.0), "days", 9.0, "months"),
        (np.full(50, 0.5), "years", 6.0, "months"),
        (np.full(50, 29.0), "days", 4.0, "weeks"),
        (np.full(50, 6.5), "days", 6.0, "days"),
        (np.full(50, 0.25), "days", 0.25, "days"),
        (np.arange(1, 21) * 1.0, "years", 11.0, "years"),
        (np.array([1.0, 2.0, 3.0, 4.0]), "years", 3.0, "years"),
        (np.concatenate([np.zeros(95), np.full(5, 9.0)]), "years", 9.0, "years"),
    ],
)
def test_horizon_is_what_enough_patients_reach(time, unit, value, horizon_unit):
    ours = horizon_of(time, unit=unit)
    assert (ours.value, ours.unit) == (value, horizon_unit)


def test_horizon_of_a_cohort_is_reached_by_a_fifth(reference_frame):
    """GBSG: a fifth of 686 patients are followed for 4 years, and fewer for 5."""
    frame = reference_frame("gbsg")
    cohort, outcome = cohort_of(frame.rfstime, frame.status)
    ours = default_horizon(cohort, outcome)
    assert (ours.value, ours.unit) == (4.0, "years")
    reached = [(frame.rfstime >= 365.25 * year).mean() for year in (4, 5)]
    assert reached[0] >= 0.2 > reached[1]
    assert ours.to("days") == 1461


@pytest.mark.parametrize("time", [[], [0.0, 0.0, 0.0]])
def test_no_horizon_without_follow_up(time):
    with pytest.raises(Fixable, match="No horizon"):
        horizon_of(time, unit="days")


def test_a_million_patients_are_counted():
    """Against a direct count; the time is a bound for a busy machine, not the benchmark."""
    rng = np.random.default_rng(1)
    time, event = rng.exponential(1000, 1_000_000).round(), rng.random(1_000_000) < 0.5
    curve = kaplan_meier(time, event)
    assert curve.counts(500).events[0] == (event & (time <= 500)).sum()
    assert curve.counts(500).at_risk[0] == (time >= 500).sum()
    assert curve.at(500).survival[0] == pytest.approx(np.exp(-0.25), abs=0.002)
