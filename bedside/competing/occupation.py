"""How likely a patient is to be in each state at each time: Aalen-Johansen for several states in a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit
from bedside.competing.histories import Histories
from bedside.competing.incidence import limits
from bedside.competing.incidence_curve import SLACK
from bedside.competing.state_influence import Walk
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
    is the number of patients times the square root of the number of times at which somebody changed state.

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
    walk = Walk(rows, grid, tau)
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
