"""States in a row: against cumulative incidence where there is only one step, by hand, and of cohorts."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.competing import cumulative_incidence, histories, multi_state_cox, occupation
from bedside.errors import Fixable

STATES = ("well", "ill", "dead")


def test_worked_by_hand():
    """Four patients: ill at 1 and dead at 3; dead at 2; ill at 2 and followed to 4; censored at 5."""
    rows = histories(
        ["a", "a", "b", "c", "c", "d"], [0, 1, 0, 0, 2, 0], [1, 3, 2, 2, 4, 5], [1, 2, 2, 1, 0, 0], states=STATES
    )
    np.testing.assert_array_equal(rows.transitions, [[0, 2, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]])
    assert rows.moves == ((0, 1), (0, 2), (1, 2))
    found = occupation(rows, tau=4)
    np.testing.assert_array_equal(found.time, [0, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(
        found.chance,
        [[1, 0, 0], [0.75, 0.25, 0], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5], [0.25, 0.25, 0.5], [0.25, 0.25, 0.5]],
    )
    np.testing.assert_array_equal(found.at_risk[1:, :2], [[4, 0], [3, 1], [1, 2], [1, 1], [1, 0]])
    # 1 whole unit well, then 3/4, then 1/4 twice.
    np.testing.assert_allclose(found.within.mean, [2.25, 1 / 4 + 1 / 2 + 1 / 4, 1 / 4 + 1 / 2])
    np.testing.assert_allclose(found.within.mean.sum(), 4)


@pytest.mark.parametrize("late", [False, True])
def test_one_step_is_the_cumulative_incidence(late):
    rng = np.random.default_rng(8)
    n = 120
    start = rng.integers(0, 5, n).astype(float) if late else np.full(n, -1.0)
    stop = np.maximum(start, 0) + rng.integers(1, 20, n)
    cause = rng.integers(0, 3, n)
    states = occupation(histories(np.arange(n), start, stop, cause, states=STATES), interval="log")
    plain = cumulative_incidence(stop, cause, entry=start if late else None, interval="log", causes=STATES[1:])
    np.testing.assert_allclose(states.chance[1:, 1:], plain.incidence[1:], atol=1e-14)
    np.testing.assert_allclose(states.std_err[1:, 1:], plain.std_err[1:], atol=1e-12)
    np.testing.assert_allclose(states.chance[1:, 0], plain.event_free[1:], atol=1e-14)
    np.testing.assert_allclose(states.std_err[1:, 0], plain.event_free_std_err[1:], atol=1e-12)
    np.testing.assert_allclose(states.upper[1:, 1:], plain.upper[1:], atol=1e-10)


def test_the_mean_time_varies_as_the_sum_over_patients_of_their_influence():
    """Time before any event up to tau: the restricted mean, whose Greenwood variance is known."""
    rng = np.random.default_rng(9)
    stop, event = rng.exponential(10, 80), rng.integers(0, 2, 80)
    found = occupation(histories(np.arange(80), np.full(80, -1.0), stop, event, states=("free", "event")), tau=12.0)
    curve = cumulative_incidence(stop, event)
    inside = (curve.time <= 12) & (np.arange(len(curve.time)) > 0)
    times = np.append(curve.time[inside], 12)
    areas = np.diff(times) * curve.event_free[inside]
    n, d = curve.at_risk[inside], curve.events[inside, 0]
    variance = (np.cumsum(areas[::-1])[::-1] ** 2 * d / (n * (n - d))).sum()
    np.testing.assert_allclose(found.within.mean[0], times[0] + areas.sum())
    np.testing.assert_allclose(found.within.std_err, np.sqrt(variance), rtol=1e-10)


def test_a_patient_can_come_back():
    rows = histories([1, 1, 1, 2], [0, 1, 2, 0], [1, 2, 3, 4], [1, 0, 2, 0], states=STATES)
    np.testing.assert_array_equal(rows.origin, [0, 1, 1, 0])
    np.testing.assert_array_equal(rows.final, [False, False, True, True])
    assert occupation(rows).n_rows == 3


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (([1, 1], [0, 1], [2, 3], [0, 0]), "1 row overlaps with another row"),
        (([1], [2], [2], [0]), "1 row does not begin before it ends"),
        (([1, 2], [3, 4], [2, 2], [0, 0]), "2 rows do not begin before they end"),
        (([1], [np.nan], [2], [1]), "no time"),
        (([1], [0], [2], [3]), "no name"),
        (([], [], [], []), "no rows"),
    ],
)
def test_unusable_rows_are_refused(told, why):
    with pytest.raises(Fixable) as stop:
        histories(*told, states=STATES)
    assert why in stop.value.why


def test_no_one_moves():
    rows = histories([1, 2], [0, 0], [3, 4], [0, 0], states=STATES)
    np.testing.assert_array_equal(occupation(rows, tau=2).chance, [[1, 0, 0]] * 3)
    with pytest.raises(Fixable, match="No patient changed state"):
        multi_state_cox(rows, [[0.0], [1.0]])
    with pytest.raises(Fixable, match="above 0"):
        occupation(rows, tau=0)


def test_a_transition_that_a_variable_separates_is_named():
    rng = np.random.default_rng(4)
    n = 60
    event = rng.integers(0, 3, n)
    rows = histories(np.arange(n), np.zeros(n), rng.integers(1, 9, n), event, states=STATES)
    with pytest.raises(Fixable) as stop:
        multi_state_cox(rows, (event == 1).astype(float), names=("marker",))
    assert "marker, well → " in stop.value.why


def test_shares_of_ten_thousand_patients_add_up():
    rng = np.random.default_rng(2)
    n = 10_000
    ill, end = np.ceil(rng.exponential(300, n)), np.ceil(rng.exponential(400, n))
    first = ill < end
    rows = histories(
        np.concatenate((np.arange(n), np.flatnonzero(first))),
        np.concatenate((np.zeros(n), ill[first])),
        np.concatenate((np.minimum(ill, end), end[first])),
        np.concatenate((np.where(first, 1, 2), np.full(first.sum(), 2))),
        states=STATES,
    )
    found = occupation(rows, tau=1000)
    np.testing.assert_allclose(found.chance.sum(axis=1), 1)


@pytest.mark.parametrize("whole", [True, False])
def test_variances_are_those_of_every_patient_followed_step_by_step(whole):
    """Late entry, times without a row, a return to the first state: p(t) (I + A) differentiated by each weight."""
    rng = np.random.default_rng(11)
    rows = []
    for patient in range(150):
        at = rng.uniform(0, 40) if patient % 3 else 0.0
        for _ in range(rng.integers(1, 5)):
            gap = 5.0 if rng.random() < 0.1 else 0.0
            stop = at + gap + rng.exponential(30) + 1
            rows.append((patient, at + gap, stop, rng.choice([0, 0, 1, 2])))
            at = stop
    patient, start, stop, event = np.array(rows).T
    if whole:
        start, stop = np.floor(start), np.ceil(stop)
        stop = np.minimum(stop, np.append(np.where(patient[1:] == patient[:-1], start[1:], np.inf), np.inf) + 1)
        start[1:] = np.where(patient[1:] == patient[:-1], np.maximum(start[1:], stop[:-1]), start[1:])
    found_rows = histories(patient, start, stop, event.astype(int), states=STATES)
    found = occupation(found_rows, tau=90.0)
    p, influence, spent, before = found.chance[0], np.zeros((150, 3)), np.zeros((150, 3)), 0.0
    for now, chance, error in zip(found.time[1:], found.chance[1:], found.std_err[1:], strict=True):
        spent += influence * (min(now, 90) - min(before, 90))
        here = (found_rows.start < now) & (found_rows.stop >= now)
        jumps = here & (found_rows.stop == now) & (found_rows.target >= 0)
        turn, added = np.eye(3), np.zeros((150, 3))
        for j in range(3):
            there, size = here & (found_rows.origin == j), (here & (found_rows.origin == j)).sum()
            for k in range(3):
                who = jumps & there & (found_rows.target == k)
                if who.any():
                    each = np.eye(3)[k] - np.eye(3)[j]
                    turn[j] += who.sum() / size * each
                    np.add.at(added, found_rows.subject[there], -p[j] / size * who.sum() / size * each)
                    np.add.at(added, found_rows.subject[who], p[j] / size * each)
        influence, p, before = influence @ turn + added, p @ turn, now
        np.testing.assert_allclose(chance, p, atol=1e-14)
        np.testing.assert_allclose(error, np.sqrt((influence**2).sum(axis=0)), rtol=1e-10, atol=1e-15)
    spent += influence * (90 - min(before, 90))
    np.testing.assert_allclose(found.within.std_err, np.sqrt((spent**2).sum(axis=0)), rtol=1e-10)
