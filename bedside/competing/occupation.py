"""How likely a patient is to be in each state at each time: Aalen-Johansen for several states in a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit
from bedside.competing.histories import Histories
from bedside.competing.incidence import limits
from bedside.competing.incidence_curve import SLACK
from bedside.errors import Fixable
from bedside.survival.intervals import Interval


@dataclass(frozen=True, eq=False)
class OccupationPoints:
    """Chances of being in each state at chosen times; arrays (n_times, n_states), NaN where follow-up had ended."""

    time: np.ndarray
    at_risk: np.ndarray
    chance: np.ndarray
    std_err: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True, eq=False)
class TimeInState:
    """Mean time in each state up to `tau`, with its standard error and interval; arrays, shape (n_states,)."""

    tau: float
    mean: np.ndarray
    std_err: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True, eq=False)
class Occupation:
    """Chances of being in each state, in one group: right-continuous steps.

    Attributes
    ----------
    group : str
    unit : {"days", "weeks", "months", "years"}
    states : tuple of str
    time : array, shape (n_steps,)
        0, then every time at which somebody changed state or left observation.
    at_risk : int array, shape (n_steps, n_states)
        In each state just before each time.
    entries : int array, shape (n_steps, n_states)
        Patients who came into each state.
    censored : int array, shape (n_steps,)
    chance, std_err, lower, upper : arrays, shape (n_steps, n_states)
        Chance, its infinitesimal-jackknife standard error over patients, and the pointwise interval.
    n, n_rows : int
        Patients, and rows of follow-up (those between two others in which nothing happened not counted).
    n_entries : tuple of int
        How often each state was entered.
    within : TimeInState or None
        If a time was asked for up to which the time in each state is to be counted.
    level : float
    interval : {"plain", "log", "log-log", "logit", "arcsin"}
    """

    group: str
    unit: Unit
    states: tuple[str, ...]
    time: np.ndarray
    at_risk: np.ndarray
    entries: np.ndarray
    censored: np.ndarray
    chance: np.ndarray
    std_err: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n: int
    n_rows: int
    n_entries: tuple[int, ...]
    within: TimeInState | None
    level: float
    interval: Interval

    @property
    def last(self) -> float:
        """The longest follow-up in the group."""
        return float(self.time[-1])

    def at(self, times: ArrayLike, *, extend: bool = False) -> OccupationPoints:
        """Chances at chosen times.

        Parameters
        ----------
        times : array-like, shape (n_times,)
        extend : bool, default False
            True carries the last values on beyond the longest follow-up, as R does when asked to.

        References
        ----------
        R: ``summary(survfit(Surv(start, stop, event) ~ 1, id = id), times = times, extend = TRUE)``.
        """
        t = np.atleast_1d(np.asarray(times, dtype=float))
        row = np.maximum(np.searchsorted(self.time, t + SLACK * np.abs(t), side="right") - 1, 0)
        risk = np.searchsorted(self.time, t - SLACK * np.abs(t), side="left")
        beyond = (t > self.last * (1 + SLACK)) & (not extend)
        names = ("chance", "std_err", "lower", "upper")
        read = {name: np.where(beyond[:, None], np.nan, getattr(self, name)[row]) for name in names}
        none = np.zeros((1, len(self.states)), dtype=self.at_risk.dtype)
        return OccupationPoints(t, np.concatenate((self.at_risk, none))[risk], **read)


def occupation(
    rows: Histories,
    *,
    group: str = "All patients",
    unit: Unit = "days",
    tau: float | None = None,
    level: float = 0.95,
    interval: Interval = "log-log",
) -> Occupation:
    """Chance of being in each state at each time.

    Parameters
    ----------
    rows : Histories
        Of the patients of one group.
    tau : float, optional
        Also the mean time in each state up to here.
    level : float, default 0.95
    interval : {"plain", "log", "log-log", "logit", "arcsin"}, default "log-log"
        R's own default is ``"log"``.

    Returns
    -------
    Occupation

    Raises
    ------
    Fixable
        If there are no rows, or `tau` is not above 0.

    Notes
    -----
    The standard error is that of survival: each patient's influence over all his rows, squared and summed. Its cost
    is the number of patients times the number of times at which somebody changed state.

    References
    ----------
    Aalen & Johansen (1978), Scand J Stat 5:141-150; Therneau, vignette "Multi-state models and competing risks".
    R: ``survfit(Surv(start, stop, event) ~ 1, id = id)``, with ``summary(..., rmean = tau)$table``.
    """
    if not len(rows):
        raise Fixable("No curve.", "There are no patients in this group.", "Choose another grouping.")
    if tau is not None and not tau > 0:
        raise Fixable("No mean time.", "The time to count up to must lie above 0.", "Choose a later time.")
    grid = np.unique(rows.stop[(rows.target >= 0) | rows.final])
    walk = _Walk(rows, grid, tau)
    states = len(rows.states)
    chance, error = np.vstack((walk.begin, walk.chance)), np.sqrt(np.vstack((np.zeros(states), walk.variance)))
    lower, upper = limits(chance, error, level=level, interval=interval)
    at_risk, entries, censored = _counts(rows, grid)
    between = ~rows.final & (rows.target < 0)
    between[1:] &= rows.subject[1:] == rows.subject[:-1]
    between[0] = False
    within = None
    if tau is not None:
        mean = walk.mean
        half_width = limits(mean / tau, np.sqrt(walk.mean_variance) / tau, level=level, interval="plain")
        within = TimeInState(tau, mean, np.sqrt(walk.mean_variance), half_width[0] * tau, half_width[1] * tau)
    return Occupation(
        group=group, unit=unit, states=rows.states,
        time=np.concatenate(([0.0], grid)),
        at_risk=np.vstack((at_risk[:1], at_risk)), entries=np.vstack((np.zeros((1, states), dtype=int), entries)),
        censored=np.concatenate(([0], censored)),
        chance=chance, std_err=error, lower=lower, upper=upper,
        n=len(np.unique(rows.subject)), n_rows=int(len(rows) - between.sum()),
        n_entries=tuple(int(k) for k in entries.sum(axis=0)), within=within, level=level, interval=interval,
    )  # fmt: skip


def _counts(rows: Histories, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    steps, states = len(grid), len(rows.states)
    shape = (steps + 1, states)
    came = np.searchsorted(grid, rows.start, side="right")
    went = np.searchsorted(grid, rows.stop, side="right")
    change = np.zeros(shape, dtype=np.int64)
    np.add.at(change, (came, rows.origin), 1)
    np.add.at(change, (went, rows.origin), -1)
    entries = np.zeros((steps, states), dtype=np.int64)
    moved = rows.target >= 0
    np.add.at(entries, (went[moved] - 1, rows.target[moved]), 1)
    ended = rows.final & ~moved
    return np.cumsum(change, axis=0)[:-1], entries, np.bincount(went[ended] - 1, minlength=steps)


class _Walk:
    """Chances and every patient's influence on them, carried from one change of state to the next.

    At each step only the states involved are touched, a few operations on a number per patient.
    """

    def __init__(self, rows: Histories, grid: np.ndarray, tau: float | None) -> None:
        states = len(rows.states)
        self.rows = rows
        subjects, self.subject = np.unique(rows.subject, return_inverse=True)
        moved = np.flatnonzero(rows.target >= 0)
        self.times, step = np.unique(rows.stop[moved], return_inverse=True)
        self.moved = _by_step(moved, step, len(self.times))
        first = np.searchsorted(self.times, rows.start, side="right")
        last = np.searchsorted(self.times, rows.stop, side="right")
        seen = np.flatnonzero(first < last)
        self.joins = _by_step(seen, first[seen], len(self.times))
        self.leaves = _by_step(seen, last[seen], len(self.times) + 1)
        self.there = np.zeros((states, len(subjects)))
        self.size = np.zeros(states)
        self.influence = np.zeros((states, len(subjects)))
        self.begin = self._begin(self.times[0] if len(self.times) else grid[-1], states)
        self.p = self.begin.copy()
        chances, variances = self._walk(tau)
        place = np.searchsorted(self.times, grid, side="right")
        self.chance, self.variance = chances[place], variances[place]

    def _begin(self, first: float, states: int) -> np.ndarray:
        """Shares of the states among those under observation when the first change comes."""
        there = (self.rows.start < first) & (self.rows.stop >= first)
        return np.bincount(self.rows.origin[there], minlength=states) / max(int(there.sum()), 1)

    def _walk(self, tau: float | None) -> tuple[np.ndarray, np.ndarray]:
        steps = len(self.times)
        chances, variances = np.zeros((2, steps + 1, len(self.p)))
        chances[0] = self.p
        until = None if tau is None else np.minimum(np.append(self.times, np.inf), tau)
        self.mean, spent, before = np.zeros(len(self.p)), np.zeros_like(self.influence), 0.0
        for i in range(steps + 1):
            if until is not None and until[i] > before:
                self.mean += self.p * (until[i] - before)
                spent += self.influence * (until[i] - before)
                before = until[i]
            if i < steps:
                self._turn(self.leaves[i], -1)
                self._turn(self.joins[i], 1)
                self._step(self.moved[i])
                chances[i + 1], variances[i + 1] = self.p, [float(u @ u) for u in self.influence]
        self.mean_variance = (spent**2).sum(axis=1)
        return chances, variances

    def _turn(self, rows: np.ndarray, sign: int) -> None:
        """Rows begin (1) or have ended (-1). A patient has one row at a time."""
        if len(rows):
            self.there[self.rows.origin[rows], self.subject[rows]] = max(sign, 0)
            np.add.at(self.size, self.rows.origin[rows], sign)

    def _step(self, moved: np.ndarray) -> None:
        left, to, who = self.rows.origin[moved], self.rows.target[moved], self.subject[moved]
        each = np.divide(self.p, self.size, out=np.zeros_like(self.p), where=self.size > 0)
        change = np.zeros((len(each), len(each)))
        np.add.at(change, (left, to), 1 / self.size[left])
        flows = {int(j): self.influence[j] - each[j] * self.there[j] for j in np.unique(left)}
        for j, flow in flows.items():
            for k in np.flatnonzero(change[j]):
                self.influence[k] += change[j, k] * flow
                self.influence[j] -= change[j, k] * flow
        self.influence[to, who] += each[left]
        self.influence[left, who] -= each[left]
        self.p = self.p + self.p @ change - self.p * change.sum(axis=1)


def _by_step(rows: np.ndarray, step: np.ndarray, steps: int) -> list[np.ndarray]:
    """Rows apart by step, 0 to steps - 1."""
    order = np.argsort(step, kind="stable")
    return np.split(rows[order], np.searchsorted(step[order], np.arange(1, steps)))
