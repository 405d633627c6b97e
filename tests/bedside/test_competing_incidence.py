"""Cumulative incidence: values worked out by hand, influences by brute force, and awkward groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.competing import cumulative_incidence, incidence_from_counts
from bedside.errors import Fixable
from bedside.survival import kaplan_meier

ROWS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), min_size=1, max_size=40)


def test_worked_by_hand():
    """Five patients: 1 censored at 1; types 1 and 2 at 2; type 1 at 3; type 1 at 4."""
    found = cumulative_incidence([1, 2, 2, 3, 4], [0, 1, 2, 1, 1])
    np.testing.assert_allclose(found.time, [0, 1, 2, 3, 4])
    np.testing.assert_allclose(found.incidence[:, 0], [0, 0, 1 / 4, 1 / 2, 3 / 4])
    np.testing.assert_allclose(found.incidence[:, 1], [0, 0, 1 / 4, 1 / 4, 1 / 4])
    np.testing.assert_allclose(found.event_free, [1, 1, 1 / 2, 1 / 4, 0])
    # One of four had type 1 at time 2: the spread of a share.
    np.testing.assert_allclose(found.std_err[2, 0], np.sqrt(0.25 * 0.75 / 4))
    np.testing.assert_allclose(found.naive[:, 0], [0, 0, 1 / 4, 5 / 8, 1])
    np.testing.assert_array_equal(found.at_risk, [5, 5, 4, 2, 1])
    assert found.n_events == (3, 1)


def influence_by_brute_force(time, cause, entry, weights, step=1e-6):
    """Sum of squared weight times derivative, by moving each weight up and down."""
    total = 0
    for i in range(len(time)):
        moved = []
        for sign in (1, -1):
            w = weights.copy()
            w[i] += sign * step
            moved.append(cumulative_incidence(time, cause, entry=entry, weights=w))
        up, down = ((m.incidence, m.event_free[:, None]) for m in moved)
        slope = np.hstack([(a - b) / (2 * step) for a, b in zip(up, down, strict=True)])
        total = total + (weights[i] * slope) ** 2
    return np.sqrt(total)


@pytest.mark.parametrize("seed", range(4))
def test_standard_errors_are_the_jackknife_of_weighted_patients_who_come_late(seed):
    rng = np.random.default_rng(seed)
    n = 40
    entry = rng.integers(0, 6, n).astype(float)
    time = entry + rng.integers(1, 9, n)
    cause, weights = rng.integers(0, 3, n), rng.uniform(0.5, 2.0, n)
    found = cumulative_incidence(time, cause, entry=entry, weights=weights, causes=("a", "b"))
    theirs = influence_by_brute_force(time, cause, entry, weights)
    np.testing.assert_allclose(np.column_stack((found.std_err, found.event_free_std_err)), theirs, rtol=1e-5, atol=1e-7)


@given(ROWS)
def test_closed_form_and_running_sums_agree(rows):
    """Weights of 1 take the other way to the same variance."""
    time, cause = np.array(rows, dtype=float).T
    plain = cumulative_incidence(time, cause, causes=("a", "b", "c"))
    loaded = cumulative_incidence(time, cause, causes=("a", "b", "c"), weights=np.ones(len(time)))
    np.testing.assert_allclose(plain.std_err, loaded.std_err, atol=1e-12)
    np.testing.assert_allclose(plain.event_free_std_err, loaded.event_free_std_err, atol=1e-12)


@given(ROWS)
def test_counts_of_a_database_are_enough(rows):
    time, cause = np.array(rows, dtype=float).T
    plain = cumulative_incidence(time, cause, causes=("a", "b", "c"))
    at = np.unique(time)
    counts = np.array([[((time == t) & (cause == k)).sum() for k in range(4)] for t in at])
    added = incidence_from_counts(at, counts[:, 1:], counts[:, 0], causes=("a", "b", "c"))
    for name in ("time", "at_risk", "events", "censored", "incidence", "std_err", "lower", "upper", "aalen_variance"):
        np.testing.assert_array_equal(getattr(added, name), getattr(plain, name))
    assert (added.n, added.n_events) == (plain.n, plain.n_events)


@given(ROWS)
def test_chances_add_up_and_the_naive_one_is_never_lower(rows):
    time, cause = np.array(rows, dtype=float).T
    found = cumulative_incidence(time, cause, causes=("a", "b", "c"))
    np.testing.assert_allclose(found.incidence.sum(axis=1) + found.event_free, 1)
    assert (found.naive >= found.incidence - 1e-12).all()
    assert (np.diff(found.incidence, axis=0) >= 0).all()
    inside = np.isfinite(found.lower)
    assert (found.lower[inside] <= found.incidence[inside] + 1e-12).all()
    assert (found.upper[inside] >= found.incidence[inside] - 1e-12).all()


def test_a_single_type_is_one_minus_kaplan_meier(reference_frame):
    lung = reference_frame("lung")
    found = cumulative_incidence(lung.time, lung.status, interval="plain")
    curve = kaplan_meier(lung.time, lung.status, interval="plain")
    np.testing.assert_allclose(found.incidence[:, 0], 1 - curve.survival, atol=1e-14)
    np.testing.assert_allclose(found.event_free_lower[1:-1], curve.lower[1:-1])
    np.testing.assert_allclose(found.naive, found.incidence, atol=1e-14)


@pytest.mark.parametrize(
    ("time", "cause", "last"),
    [
        ([5], [0], [0, 0]),
        ([0], [2], [0, 1]),
        ([3] * 6, [0, 1, 2, 1, 2, 0], [1 / 3, 1 / 3]),
        ([3] * 6, [1, 1, 2, 1, 2, 2], [1 / 2, 1 / 2]),
        ([1, 2, 3], [0, 0, 0], [0, 0]),
        ([1, 2, 3], [1, 0, 1], [1, 0]),
    ],
    ids=["one, censored", "one, at time 0", "all at one time", "nobody left", "no events", "type that never occurs"],
)
@pytest.mark.parametrize("interval", ["plain", "log", "log-log", "logit", "arcsin"])
def test_awkward_groups_get_an_answer(time, cause, last, interval):
    found = cumulative_incidence(time, cause, causes=("a", "b"), interval=interval)
    np.testing.assert_allclose(found.incidence[-1], last)
    assert np.isfinite(found.std_err).all()


def test_beyond_follow_up_there_is_no_estimate_unless_asked():
    found = cumulative_incidence([1, 2, 3], [1, 2, 0], causes=("a", "b"))
    assert np.isnan(found.at([4]).incidence).all()
    np.testing.assert_allclose(found.at([4], extend=True).incidence, [[1 / 3, 1 / 3]])
    np.testing.assert_allclose(found.at([2.5]).incidence, [[1 / 3, 1 / 3]])
    everyone = cumulative_incidence([1, 2], [1, 2])
    np.testing.assert_allclose(everyone.at([9]).incidence, [[0.5, 0.5]])


def test_table_below_the_curves():
    found = cumulative_incidence([1, 1, 2, 4, 4], [1, 0, 2, 1, 0], causes=("a", "b"))
    counts = found.counts([0, 1, 3, 4])
    np.testing.assert_array_equal(counts.at_risk, [5, 5, 2, 2])
    np.testing.assert_array_equal(counts.events, [[0, 0], [1, 0], [1, 1], [2, 1]])
    np.testing.assert_array_equal(counts.censored, [0, 1, 1, 2])


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"cause": [1, 1.5]}, "1 row has no type of event"),
        ({"cause": [-1, np.nan]}, "2 rows have no type of event"),
        ({"entry": [2, 0]}, "In 1 of 2 rows"),
        ({"entry": [np.nan, 0]}, "1 of 2 rows have no time of entry"),
        ({"weights": [0, 1]}, "1 row has a weight that is not above 0"),
        ({"weights": [-1, np.inf]}, "2 rows have a weight"),
        ({"causes": ("a",), "cause": [1, 2]}, "2 types of event and 1 names"),
    ],
)
def test_unusable_rows_are_named(told, why):
    with pytest.raises(Fixable) as stop:
        cumulative_incidence(**{"time": [1, 2], "cause": [1, 0]} | told)
    assert why in stop.value.why
    assert stop.value.next_step
