"""What a leaf of a forest says where patients came under observation late: its own left-truncated curve.

Pseudo-observations of patients who lived to join do not have the risk of all patients as their mean, so a leaf can't
hold that mean. It holds the Aalen-Johansen estimate of the patients drawn into it, each of them at risk from entry to
exit, which needs entry to say nothing of the risk among patients alike alone, and not among all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bedside.risk.incidence import thinned
from bedside.risk.training import Training
from bedside.survival.curve import SLACK

MOST_TIMES, ENDS = 300, 100
"""Event times beyond so many are joined to the next one kept, but for these first and last ones, when few are there."""
LENT = 0.1
"""Patients with the cohort's hazard who are added to each leaf, so that it says something where nobody is at risk.

More of them draw the lowest and highest risks to the middle: a whole one overstates the lowest fifth by a quarter."""


@dataclass(frozen=True, eq=False)
class LateEntry:
    """Follow-up of n patients in steps between event times.

    Attributes
    ----------
    start, stop : arrays of int, shape (n,)
        A patient is at risk in the steps from `start` to before `stop`.
    step : array of int, shape (n,)
        In which step follow-up ended; as many as there are steps if after the last one.
    cause : array of int, shape (n,)
        0 censored, 1 the event, 2 and more the competing ones.
    hazard : array, shape (2, s)
        The cohort's, in each step: of any event, and of the event.
    reached : array of int, shape (k,)
        How many steps are over at each grid time.
    """

    start: np.ndarray = field(repr=False)
    stop: np.ndarray = field(repr=False)
    step: np.ndarray = field(repr=False)
    cause: np.ndarray = field(repr=False)
    hazard: np.ndarray = field(repr=False)
    reached: np.ndarray = field(repr=False)

    def risks(self, rows: np.ndarray, weight: np.ndarray, leaf: np.ndarray, leaves: int) -> np.ndarray:
        """Cumulative incidence of the event in each leaf, shape (leaves, k).

        Parameters
        ----------
        rows : array of int, shape (m,)
            Which patients were drawn.
        weight : array, shape (m,)
            How often.
        leaf : array of int, shape (m,)
            The leaf each fell into.
        leaves : int
        """
        at_risk = _under_observation(leaf, leaves, self.start[rows], self.stop[rows], weight, self.hazard.shape[1])
        total = at_risk + LENT
        ended = self.cause[rows] > 0
        any_event, event = (
            (_count(leaf[of], leaves, self.step[rows][of], weight[of], at_risk.shape[1]) + LENT * own) / total
            for of, own in zip((ended, self.cause[rows] == 1), self.hazard, strict=True)
        )
        free = np.cumprod(1 - np.minimum(any_event, 1.0), axis=1)
        before = np.concatenate((np.ones((leaves, 1)), free[:, :-1]), axis=1)
        gained = np.cumsum(before * event, axis=1)
        return np.concatenate((np.zeros((leaves, 1)), gained), axis=1)[:, self.reached]


def late_entry(rows: Training, grid: np.ndarray) -> LateEntry | None:
    """Follow-up for `LateEntry.risks` at grid times, or None where all were there from time zero."""
    if rows.entry is None:
        return None
    times = np.unique(rows.time[rows.cause > 0])
    steps = np.unique(np.concatenate((times[:ENDS], thinned(times, MOST_TIMES), times[-ENDS:], grid)))
    many, n = len(steps), len(rows)
    place = np.searchsorted(steps, rows.time, side="left")
    # Whoever came within the step of the own event was at risk of it.
    start = np.minimum(np.searchsorted(steps, rows.entry, side="right"), place)
    # Those censored between two event times are not at risk at the second one.
    stop = np.where(rows.cause > 0, place + 1, np.searchsorted(steps, rows.time, side="right"))
    whole, alone = np.zeros(n, dtype=np.int64), np.ones(n)
    at_risk = _under_observation(whole, 1, start, stop, alone, many)[0]
    hazard = [
        np.divide(_count(whole[of], 1, place[of], alone[of], many)[0], at_risk, out=np.zeros(many), where=at_risk > 0)
        for of in (rows.cause > 0, rows.cause == 1)
    ]
    reached = np.searchsorted(steps, grid * (1 + SLACK), side="right")
    return LateEntry(start, stop, place, rows.cause, np.array(hazard), reached)


def _count(leaf: np.ndarray, leaves: int, step: np.ndarray, weight: np.ndarray, steps: int) -> np.ndarray:
    return np.bincount(leaf * steps + step, weights=weight, minlength=leaves * steps).reshape(leaves, steps)


def _under_observation(
    leaf: np.ndarray, leaves: int, start: np.ndarray, stop: np.ndarray, weight: np.ndarray, steps: int
) -> np.ndarray:
    """How many are at risk in each leaf and step, shape (leaves, steps)."""
    change = _count(leaf, leaves, start, weight, steps + 1) - _count(leaf, leaves, stop, weight, steps + 1)
    return np.cumsum(change, axis=1)[:, :steps]
