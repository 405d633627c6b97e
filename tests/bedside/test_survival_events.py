"""Counts per distinct time, delayed entry and weights: by hand, by brute force, by repetition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter, NelsonAalenFitter

from bedside.errors import Fixable
from bedside.survival import curve_of, event_table, kaplan_meier, reverse_kaplan_meier

PATIENTS = st.lists(
    st.tuples(st.integers(0, 15), st.integers(1, 12), st.booleans(), st.integers(1, 3)), min_size=1, max_size=60
)
ESTIMATORS = ("kaplan-meier", "nelson-aalen", "fleming-harrington")


def columns(patients):
    """Entry, time, event and weight."""
    entry, length, event, weight = (np.array(column) for column in zip(*patients, strict=True))
    return entry.astype(float), (entry + length).astype(float), event, weight


@given(PATIENTS)
def test_counts_are_those_of_a_direct_count(patients):
    entry, time, event, weight = columns(patients)
    plain, heavy = event_table(time, event, entry=entry), event_table(time, event, entry=entry, weights=weight)
    assert plain.time.tolist() == sorted(set(time.tolist()))
    for i, t in enumerate(plain.time):
        for table, w in ((plain, np.ones(len(time))), (heavy, weight)):
            assert table.at_risk[i] == w[(entry < t) & (t <= time)].sum()
            assert table.events[i] == w[(time == t) & event].sum()
            assert table.censored[i] == w[(time == t) & ~event].sum()
    for table in (plain, heavy):
        left = table.events + table.censored
        np.testing.assert_allclose(table.at_risk[1:], (table.at_risk - left + table.entered)[:-1])
    assert plain.at_risk.dtype == plain.entered.dtype == np.int64
    assert heavy.counted.tolist() == plain.events.tolist()


@given(PATIENTS)
def test_risk_set_is_known_at_any_time(patients):
    """Also between two times of the curve, where its own counts are those of the next time."""
    entry, time, event, _ = columns(patients)
    curve = kaplan_meier(time, event, entry=entry)
    asked = np.arange(0.5, 30, 0.5)
    direct = [((entry < t) & (t <= time)).sum() for t in asked]
    assert curve.counts(asked).at_risk.tolist() == direct
    assert curve.counts(0).at_risk[0] == (entry == 0).sum()


@pytest.mark.parametrize("estimator", ESTIMATORS)
@given(patients=PATIENTS)
def test_whole_weights_are_repeated_patients(estimator, patients):
    """But for tied events in Fleming and Harrington's, which R spreads over the patients, not over their weight."""
    entry, time, event, weight = columns(patients)
    if estimator == "fleming-harrington":
        weight = np.full(len(time), 1)
    ours = kaplan_meier(time, event, entry=entry, weights=weight, estimator=estimator)
    rows = np.repeat(np.arange(len(time)), weight)
    theirs = kaplan_meier(time[rows], event[rows], entry=entry[rows], estimator=estimator)
    for name in ("time", "survival", "std_err", "cumulative_hazard", "hazard_std_err", "lower", "upper", "at_risk"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-12, err_msg=name)
    assert (ours.n, ours.n_events) == (len(time), event.sum())
    assert not ours.robust


@given(PATIENTS)
def test_jackknife_without_weights_is_greenwood(patients):
    """An identity of the infinitesimal jackknife of a product-limit curve, as long as nobody joins late."""
    _, time, event, _ = columns(patients)
    plain, robust = (kaplan_meier(time, event, robust=wanted) for wanted in (False, True))
    some = plain.survival > 0
    np.testing.assert_allclose(robust.std_err[some], plain.std_err[some], rtol=1e-9, atol=1e-12)
    assert (robust.std_err[~some] == 0).all()


@given(PATIENTS)
def test_jackknife_of_clusters_is_that_of_the_parts_of_a_patient(patients):
    """Cutting a patient's time into two rows changes nothing once the rows are known to be one patient."""
    entry, time, event, weight = columns(patients)
    w = weight * 0.7
    middle = (entry + time) / 2
    whole = kaplan_meier(time, event, entry=entry, weights=w)
    parts = kaplan_meier(
        np.concatenate((middle, time)),
        np.concatenate((np.zeros(len(time), bool), event)),
        entry=np.concatenate((entry, middle)),
        weights=np.concatenate((w, w)),
        cluster=np.tile(np.arange(len(time)), 2),
    )
    row = np.searchsorted(parts.time[1:], whole.time[1:]) + 1
    for name in ("survival", "std_err", "hazard_std_err"):
        np.testing.assert_allclose(
            getattr(parts, name)[row], getattr(whole, name)[1:], rtol=1e-8, atol=1e-10, err_msg=name
        )


@given(PATIENTS)
def test_delayed_entry_equals_lifelines(patients):
    """One patient more, observed throughout: where nobody is at risk, lifelines stops or starts again from 1."""
    entry, time, event, _ = (
        np.append(column, last) for column, last in zip(columns(patients), (0, 40, 0, 1), strict=True)
    )
    event = event.astype(bool)
    ours = kaplan_meier(time, event, entry=entry)
    theirs = KaplanMeierFitter().fit(time, event, entry=entry)
    np.testing.assert_allclose(theirs.predict(ours.time[1:]), ours.survival[1:], rtol=1e-9, atol=1e-12)


@settings(max_examples=50)
@given(PATIENTS)
def test_cumulative_hazard_equals_lifelines(patients):
    """NelsonAalenFitter without its smoothing of ties is the sum of d/n; with it, Fleming and Harrington's."""
    _, time, event, _ = columns(patients)
    for smooth, estimator in ((False, "nelson-aalen"), (True, "fleming-harrington")):
        ours = kaplan_meier(time, event, estimator=estimator)
        theirs = NelsonAalenFitter(nelson_aalen_smoothing=smooth).fit(time, event)
        at = theirs.cumulative_hazard_.iloc[:, 0].reindex(ours.time[1:]).to_numpy()
        np.testing.assert_allclose(ours.cumulative_hazard[1:], at, rtol=1e-9, atol=1e-12)


def test_risk_set_emptied_by_censoring_fills_again():
    """By hand: 3/4 after 1; nobody from 2 to 5; then 1/2 of it."""
    curve = kaplan_meier([1, 2, 2, 2, 6, 7], [1, 0, 0, 0, 1, 0], entry=[0, 0, 0, 0, 5, 5])
    np.testing.assert_array_equal(curve.survival, [1, 0.75, 0.75, 0.375, 0.375])
    assert curve.at_risk.tolist() == [4, 4, 3, 2, 1]
    assert curve.counts([3, 5.5]).at_risk.tolist() == [0, 2]
    np.testing.assert_allclose(curve.std_err[-1], 0.375 * np.sqrt(1 / 12 + 1 / 2))


def test_risk_set_emptied_by_an_event_leaves_the_curve_at_zero():
    """By hand, as in R: from the event on the curve is 0 without limits, though others join."""
    curve = kaplan_meier([1, 2, 6, 7], [1, 1, 1, 0], entry=[0, 0, 5, 5])
    np.testing.assert_array_equal(curve.survival, [1, 0.5, 0, 0, 0])
    assert np.isnan([curve.lower[2:], curve.upper[2:]]).all()
    np.testing.assert_array_equal(curve.cumulative_hazard, [0, 0.5, 1.5, 2, 2])


def test_weights_that_do_not_add_up_leave_nobody_half_alive():
    """0.1 + 0.2 is not 0.3, and yet 0.3 of 0.3 had the event."""
    curve = kaplan_meier([1, 1, 2, 2, 3], [1, 1, 1, 1, 1], weights=[0.1, 0.2, 0.7, 0.1, 0.3], entry=[0, 0, 1, 1, 2])
    np.testing.assert_array_equal(curve.survival, [1, 0, 0, 0])


def test_times_of_entry_are_tied_with_ends():
    """0.1 + 0.2 enters where 0.3 ends: it is not at risk there."""
    table = event_table([0.3, 1.0], [1, 1], entry=[0.0, 0.1 + 0.2])
    assert table.at_risk.tolist() == [1, 1]
    assert table.entered.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"entry": [0, 2, 5]}, "it does not in rows 2, 3"),
        ({"entry": [0, 0, 0.1 + 0.2 + 2.7]}, "it does not in row 3"),
        ({"entry": [0, np.nan, 0]}, "1 patient has no time of entry"),
        ({"entry": [0, 0]}, "2 times of entry"),
        ({"entry": ["a", "b", "c"]}, "not all numbers"),
        ({"weights": [1, 0, -1]}, "it is not in rows 2, 3"),
        ({"weights": [1, np.inf, 1]}, "1 patient has no weight"),
        ({"weights": [1]}, "1 weights"),
    ],
)
def test_unusable_entries_and_weights_are_refused_by_row(options, why):
    with pytest.raises(Fixable) as caught:
        event_table([1, 2, 3], [1, 1, 1], **options)
    assert why in caught.value.why
    assert caught.value.next_step


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_curve_of_counts_alone_is_the_curve_of_the_patients(estimator):
    """What an engine counts is enough."""
    rng = np.random.default_rng(5)
    time, event = rng.integers(0, 40, 300).astype(float), rng.random(300) < 0.4
    ours = curve_of(event_table(time, event), group="A", unit="months", estimator=estimator, interval="plain")
    theirs = kaplan_meier(time, event, group="A", unit="months", estimator=estimator, interval="plain")
    for name in ("time", "survival", "lower", "upper", "at_risk", "events", "censored", "hazard_std_err"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert (ours.n, ours.n_events, ours.unit) == (300, event.sum(), "months")


def test_unknown_estimator_is_refused():
    with pytest.raises(Fixable, match="estimator is not known"):
        kaplan_meier([1, 2], [1, 0], estimator="breslow")


def test_follow_up_with_delayed_entry():
    """survfit(Surv(entry, time, 1 - event) ~ 1): two of three censored at 4, the third at risk from 3 on."""
    curve = reverse_kaplan_meier([4, 4, 6], [0, 0, 1], entry=[0, 0, 3])
    np.testing.assert_allclose(curve.survival, [1, 1 / 3, 1 / 3])
    assert curve.median.estimate == 4


def test_another_unit_takes_entries_along():
    days = kaplan_meier([400, 800.0], [1, 1], entry=[0, 365.25])
    years = days.convert("years")
    assert years.entry_time.tolist() == [0, 1]
    assert years.counts([0.99, 1.01]).at_risk.tolist() == [1, 2]


def test_ten_thousand_patients():
    """With entries, weights and clusters; bounds for a busy machine."""

    rng = np.random.default_rng(2)
    entry, event = rng.integers(0, 500, 10_000), rng.random(10_000) < 0.5
    time, weights = entry + rng.integers(1, 3000, 10_000), rng.random(10_000) + 0.5
    curve = kaplan_meier(time, event, entry=entry, weights=weights, cluster=np.arange(10_000) // 2)
    assert curve.robust and 0 < curve.std_err[-1] < 1
