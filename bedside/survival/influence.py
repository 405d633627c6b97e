"""How much each patient moves a curve: the infinitesimal jackknife, for weights and for repeated rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bedside.survival.events import EventTable

ROUNDING = 1e-14
"""Share of its terms below which a variance is their rounding."""


@dataclass(frozen=True, eq=False)
class Influence:
    """Each change of what a curve owes to a patient, as ``weight * path(t) + level``.

    The derivative of log S(t) with respect to the weight of a patient, times
    that weight, is -w (G(min(t, exit)) - G(entry)) while under observation, and
    a constant afterwards. So a sum over patients needs their entries and exits
    only, not a matrix of patients by times.

    Attributes
    ----------
    slot : int array, shape (n_changes,)
        Time after which each change holds, as its place in the table; -1 for before the first.
    member : int array, shape (n_changes,)
        Whose change it is: the patient, or the cluster that the row belongs to. Sorted.
    weight, level : array, shape (n_changes,)
        What is added.
    path : array, shape (n_times,)
        G at each time.
    """

    slot: np.ndarray
    member: np.ndarray
    weight: np.ndarray
    level: np.ndarray
    path: np.ndarray

    def variance(self) -> np.ndarray:
        """Sum of squared influences after each time, shape (n_times,): the variance of log S or of the hazard."""
        weight, level = self._within(self.weight), self._within(self.level)
        before = weight - self.weight, level - self.level
        at = self.slot + 1
        size = len(self.path) + 1
        square, cross, flat = (
            np.cumsum(np.bincount(at, weights=now - then, minlength=size))[1:]
            for now, then in (
                (weight**2, before[0] ** 2),
                (weight * level, before[0] * before[1]),
                (level**2, before[1] ** 2),
            )
        )
        total = square * self.path**2 + 2 * cross * self.path + flat
        # What is left of large sums by rounding alone is nothing: its root would not look like it.
        most = [np.maximum.accumulate(np.abs(part)) for part in (square, cross, flat)]
        scale = most[0] * self.path**2 + 2 * most[1] * np.abs(self.path) + most[2]
        return np.where(total > ROUNDING * scale, total, 0.0)

    def area_variance(self, survival: np.ndarray, width: np.ndarray) -> float:
        """Variance of the area under a curve.

        Parameters
        ----------
        survival : array, shape (n_times,)
            S at each time.
        width : array, shape (n_times,)
            How long each value of S lasts within the area.

        Returns
        -------
        float
        """
        rest = _remaining(survival * width), _remaining(survival * width * self.path)
        at = np.maximum(self.slot, 0)
        each = np.bincount(self.member, weights=self.weight * rest[1][at] + self.level * rest[0][at])
        return float(each @ each)

    def _within(self, change: np.ndarray) -> np.ndarray:
        """Running sum of the changes of each member."""
        running = np.cumsum(change)
        first = np.flatnonzero(np.concatenate(([True], self.member[1:] != self.member[:-1])))
        base = (running - change)[first]
        return running - np.repeat(base, np.diff(np.append(first, len(change))))


def influence_on(
    table: EventTable,
    path: np.ndarray,
    jump: np.ndarray,
    *,
    time: np.ndarray,
    event: np.ndarray,
    entry: np.ndarray | None,
    weights: np.ndarray | None,
    cluster: np.ndarray | None,
) -> Influence:
    """What each patient adds to minus log S, or to the cumulative hazard.

    Parameters
    ----------
    table : EventTable
        Counts of these patients.
    path : array, shape (n_times,)
        G(t): how fast the estimate falls with the weight of somebody at risk.
    jump : array, shape (n_times,)
        What the event of a patient adds at its time.
    time, event, entry, weights : arrays, shape (n_patients,)
        Checked columns, ties merged: those that the table was made of.
    cluster : int array, shape (n_patients,), or None
        Rows that belong together; None if each row is a patient.

    Returns
    -------
    Influence
    """
    n = len(time)
    heavy = np.ones(n) if weights is None else weights
    member = np.arange(n) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    so_far = np.concatenate(([0.0], path))
    out = np.searchsorted(table.time, time, side="left")
    into = np.full(n, -1) if entry is None else np.searchsorted(table.time, entry, side="right") - 1
    slot = np.concatenate((into, out))
    level = np.concatenate((-heavy * so_far[into + 1], heavy * (so_far[out + 1] - event * jump[out])))
    weight, who = np.concatenate((heavy, -heavy)), np.concatenate((member, member))
    order = np.lexsort((slot, who))
    return Influence(slot[order], who[order], weight[order], level[order], path)


def _remaining(values: np.ndarray) -> np.ndarray:
    return np.cumsum(values[::-1])[::-1]
