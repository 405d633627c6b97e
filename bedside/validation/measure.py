"""A measure of performance at one or more times, with its interval."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr, ndtri

from bedside.survival.checks import check_times


@dataclass(frozen=True, eq=False)
class Measure:
    """One measure at each of t times.

    Attributes
    ----------
    name : str
    times : array, shape (t,)
        In the outcome's unit.
    value, std_err, lower, upper : arrays, shape (t,)
        NaN where there is nothing to measure: no event by then, or nobody followed for so long.
    influence : array, shape (n, t)
        What each patient does to `value`: differences between models get their standard error from it.
    level : float
    """

    name: str
    times: np.ndarray
    value: np.ndarray
    std_err: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    influence: np.ndarray = field(repr=False)
    level: float = 0.95


@dataclass(frozen=True, eq=False)
class Contrast:
    """One measure of two models on the same patients: the first minus the second, at each of t times."""

    name: str
    times: np.ndarray
    difference: np.ndarray
    std_err: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    p: np.ndarray


def measure(name: str, times: np.ndarray, value: np.ndarray, influence: np.ndarray, level: float) -> Measure:
    """A measure between 0 and 1 with the interval that its influence gives."""
    std_err = _error(influence)
    reach = ndtri((1 + level) / 2) * std_err
    return Measure(
        name=name,
        times=times,
        value=value,
        std_err=std_err,
        lower=np.maximum(value - reach, 0.0),
        upper=np.minimum(value + reach, 1.0),
        influence=influence,
        level=level,
    )


def contrast(first: Measure, second: Measure) -> Contrast:
    """The same measure of two models on the same patients.

    References
    ----------
    R: ``Score(...)$Brier$contrasts``, ``$AUC$contrasts``.
    """
    difference = first.value - second.value
    std_err = _error(first.influence - second.influence)
    reach = ndtri((1 + first.level) / 2) * std_err
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * ndtr(-np.abs(difference) / std_err)
    return Contrast(first.name, first.times, difference, std_err, difference - reach, difference + reach, p)


def _error(influence: np.ndarray) -> np.ndarray:
    n = len(influence)
    if n < 2:
        return np.full(influence.shape[1], np.nan)
    centred = influence - influence.mean(axis=0)
    return np.sqrt((centred**2).sum(axis=0) / (n - 1) / n)


@dataclass(frozen=True, eq=False)
class Rows:
    """Checked follow-up of n patients: `event` is of any kind, `cause` 1 where it is the one that was predicted."""

    time: np.ndarray
    cause: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None

    @property
    def competes(self) -> bool:
        """True if somebody had another event than the one that was predicted."""
        return bool((self.cause > 1).any())


def rows_of(time: np.ndarray, cause: np.ndarray, entry: np.ndarray | None = None) -> Rows:
    """Follow-up as checked arrays.

    Parameters
    ----------
    time : array-like, shape (n,)
    cause : array-like, shape (n,)
        0 or False: censored; 1 or True: the event that was predicted; 2 and more: competing ones.
    entry : array-like, shape (n,), optional

    Raises
    ------
    Fixable
        As `bedside.survival.kaplan_meier`.
    """
    kinds = np.asarray(cause).astype(int)
    times, event = check_times(time, kinds > 0)
    return Rows(times, kinds, event, None if entry is None else np.asarray(entry, dtype=float))


def risk_matrix(risk: np.ndarray, n: int, t: int) -> np.ndarray:
    """Risks as an array of shape (n, t); one column or one row serves for all."""
    values = np.asarray(risk, dtype=float)
    if values.ndim == 1:
        values = values[:, None] if len(values) == n and (t == 1 or n != t) else values[None, :]
    return np.broadcast_to(values, (n, t))
