"""Do the groups differ in how likely one type of event is? Gray's test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from bedside.competing.checks import check_causes
from bedside.competing.gray_many import Steps, covariance_of
from bedside.competing.variance import before, share
from bedside.errors import Fixable
from bedside.survival.counted import MOST

BLOCK = 1 << 21
"""How many cells of the table times x groups x groups are worked on at once: keeps memory flat."""
MANY = 40
"""From so many groups on, sums over pairs of times are quicker than those over pairs of groups at each time."""
HARDEST = 2e11
"""More steps of work than this (some ten seconds) are not begun."""
SMALL = 1e-10
"""A direction in which the scaled scores vary less than this says nothing, and takes no degree of freedom."""


@dataclass(frozen=True, eq=False)
class GrayTest:
    """A comparison of the cumulative incidence of one type of event between groups.

    Attributes
    ----------
    cause : str
        Name of the type of event.
    statistic : float
        Chi-squared statistic; NaN if there was no event of this type, or nothing to compare.
    df : int
    p : float
        Chance of so large a statistic if the groups had the same cumulative incidence at every time.
    rho : float
        Weight (1 - F)^rho: above 0, early differences count for more.
    n, events : int arrays, shape (n_groups,)
        Patients, and patients with this type of event, in each group.
    score : array, shape (n_groups - 1,)
        Weighted events beyond what is expected, without the last group.
    variance : array, shape (n_groups - 1, n_groups - 1)
    """

    cause: str
    statistic: float
    df: int
    p: float
    rho: float
    n: np.ndarray
    events: np.ndarray
    score: np.ndarray
    variance: np.ndarray


def gray_test(
    time: ArrayLike,
    cause: ArrayLike,
    codes: ArrayLike,
    *,
    causes: tuple[str, ...] = (),
    strata: ArrayLike | None = None,
    rho: float = 0.0,
) -> tuple[GrayTest, ...]:
    """Gray's test that all groups have the same cumulative incidence, for each type of event.

    Parameters
    ----------
    time, cause
        As in `cumulative_incidence`.
    codes : array-like of int, shape (n_patients,)
        Group of each patient, 0 and up; patients below 0 (missing) are left out.
    causes : tuple of str, optional
        Names of the types of event.
    strata : array-like of int, optional
        Compare within these and add up; patients below 0 are left out.
    rho : float, default 0
        Weight (1 - F(t-))^rho with F of the groups together.

    Returns
    -------
    tuple of GrayTest
        One for each type; of a type that never occurred there is no statistic (NaN).

    Raises
    ------
    Fixable
        If there are not two groups with patients, or a time or a cause is not usable.

    References
    ----------
    Gray (1988), Ann Stat 16:1141-1154. R: ``cmprsk::cuminc(time, cause, group, strata, rho)$Tests``.
    """
    times, types = check_causes(time, cause)
    groups = np.asarray(codes)
    layers = np.zeros(len(times), dtype=np.int64) if strata is None else np.asarray(strata)
    if groups.shape != times.shape or layers.shape != times.shape:
        raise Fixable("No comparison.", "There is not one group for each patient.", "Give each patient a group.")
    known = (groups >= 0) & (layers >= 0)
    times, types, layers = times[known], types[known], layers[known]
    labels, group = np.unique(groups[known], return_inverse=True)
    if len(labels) < 2:
        raise Fixable(
            "No comparison.",
            "All patients are in one group.",
            "Choose a grouping with at least two groups of patients.",
        )
    _check_size(len(labels), len(np.unique(times[types > 0])))
    names = causes or tuple(f"Cause {k}" for k in range(1, max(int(types.max()), 1) + 1))
    tests = []
    for number, name in enumerate(names, start=1):
        score, variance = np.zeros(len(labels)), np.zeros((len(labels), len(labels)))
        for layer in np.unique(layers):
            inside = layers == layer
            kind = np.where(types[inside] == number, 1, np.where(types[inside] > 0, 2, 0))
            more = _layer(times[inside], kind, group[inside], len(labels), rho)
            score, variance = score + more[0], variance + more[1]
        statistic, df = _chi_squared(score[:-1], variance[:-1, :-1])
        seen = np.bincount(group[types == number], minlength=len(labels))
        p = float(chdtrc(df, statistic)) if df else float("nan")
        tests.append(GrayTest(name, statistic, df, p, rho, np.bincount(group), seen, score[:-1], variance[:-1, :-1]))
    return tuple(tests)


def _check_size(groups: int, steps: int) -> None:
    """Refuse what would keep the reader waiting for minutes."""
    each = 4 * steps if groups >= MANY else 2 * groups**2
    if groups > MOST or steps * groups * each > HARDEST:
        raise Fixable(
            "No Gray's test.",
            f"{groups:,} groups with events at {steps:,} different times are more than it can be made of.",
            "Merge groups, or choose a grouping with fewer of them.",
        )


@dataclass(frozen=True, eq=False)
class _Table:
    """Counts and left-continuous estimates, times x groups, with those of the groups together."""

    at_risk: np.ndarray
    own: np.ndarray
    other: np.ndarray
    free: np.ndarray
    free_before: np.ndarray
    weight: np.ndarray
    whole: np.ndarray
    whole_before: np.ndarray
    size: np.ndarray


def _layer(time: np.ndarray, kind: np.ndarray, group: np.ndarray, k: int, rho: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores and their covariance within one stratum; `kind` is 1 for the event, 2 for another, 0 for none."""
    grid = np.unique(time[kind > 0])
    if not len(grid):
        return np.zeros(k), np.zeros((k, k))
    table, expected, factor = _tabulate(grid, time, kind, group, k, rho)
    score = (factor[:, None] * (table.own - expected)).sum(axis=0)
    return score, _covariance(table, factor, k)


def _tabulate(
    grid: np.ndarray, time: np.ndarray, kind: np.ndarray, group: np.ndarray, k: int, rho: float
) -> tuple[_Table, np.ndarray, np.ndarray]:
    steps = len(grid)
    # Whoever leaves between two event times is at risk at the earlier one: the last event time not after him.
    row = np.searchsorted(grid, time, side="right") - 1
    stays = row >= 0
    left = np.bincount(row[stays] * k + group[stays], minlength=steps * k).reshape(steps, k)
    at_risk = left[::-1].cumsum(axis=0)[::-1].astype(float)

    def seen(number: int) -> np.ndarray:
        mine = kind == number
        return np.bincount(row[mine] * k + group[mine], minlength=steps * k).reshape(steps, k).astype(float)

    own, other = seen(1), seen(2)
    free = np.cumprod(1 - share(own + other, at_risk), axis=0)
    free_before = before(free, 1.0)
    incidence_before = before(np.cumsum(free_before * share(own, at_risk), axis=0), 0.0)
    weight = share(at_risk, free_before)
    # Patients at risk of this event in the subdistribution's sense: those who had another event still count.
    sub_risk = weight * (1 - incidence_before)
    total = own.sum(axis=1)
    size = weight.sum(axis=1)
    whole = np.cumsum(share(total, size))
    whole_before = before(whole, 0.0)
    expected = total[:, None] * share(sub_risk, sub_risk.sum(axis=1)[:, None])
    factor = np.maximum(1 - whole_before, 0.0) ** rho
    return _Table(at_risk, own, other, free, free_before, weight, whole, whole_before, size), expected, factor


def _covariance(t: _Table, factor: np.ndarray, k: int) -> np.ndarray:
    """Sum over times of what each group's events of either type do to every group's score.

    An event in one group moves every score at once and, through that group's curve, at all later times: the second
    part is `drift` at the end less `drift` now, so the sum is expanded into terms known on the way.
    """
    whole_free = (1 - t.whole)[:, None] * share(np.ones_like(t.free), t.free)
    own, others = _spread(t)
    others *= whole_free**2
    steps = np.flatnonzero(t.own.sum(axis=1))
    if not len(steps):
        return np.zeros((k, k))
    # Scores drift only at events of interest: other events are gathered onto the last of these before them.
    place = np.searchsorted(steps, np.arange(len(t.size)), side="right") - 1
    gathered = np.zeros((len(steps), k))
    np.add.at(gathered, place[place >= 0], others[place >= 0])
    ratio = np.where(t.free > 0, 1 - whole_free, 1.0)[steps]
    own, h, size, fb = own[steps], t.weight[steps], t.size[steps], factor[steps]
    growth = fb * share(t.own.sum(axis=1)[steps], size * (1 - t.whole_before[steps]))
    constant = (ratio**2 * own).sum(axis=0) + others.sum(axis=0)
    if k >= MANY:
        return covariance_of(Steps(h, ratio, own, gathered, size, fb, growth), constant)

    carried, covariance, linear = np.zeros((k, k)), np.zeros((k, k)), np.zeros((k, k))
    block = max(1, BLOCK // (k * k))
    for at in range(0, len(steps), block):
        part = slice(at, at + block)
        pull = -h[part, :, None] * share(h[part], size[part, None])[:, None, :]
        pull[:, np.arange(k), np.arange(k)] += h[part]
        drift = carried + np.cumsum(pull * growth[part, None, None], axis=0)
        carried = drift[-1].copy()
        pull = pull * fb[part, None, None] - ratio[part, None, :] * drift
        linear += np.einsum("tik,tk->ik", pull, ratio[part] * own[part])
        linear -= np.einsum("tik,tk->ik", drift, gathered[part])
        flat = (pull * np.sqrt(own[part])[:, None, :]).transpose(1, 0, 2).reshape(k, -1)
        row, column = np.nonzero(gathered[part])
        sparse = drift[row, :, column] * np.sqrt(gathered[part][row, column])[:, None]
        covariance += flat @ flat.T + sparse.T @ sparse
    return covariance + (carried * constant) @ carried.T + carried @ linear.T + linear @ carried.T


def _spread(t: _Table) -> tuple[np.ndarray, np.ndarray]:
    """Variance of the events of interest expected in each group at each time, and of the other events seen."""
    total = t.own.sum(axis=1)
    tied = np.where(total > 1, total - 1, 0)[:, None]
    own = (1 - share(tied, t.size[:, None] * t.free_before - 1)) * t.free_before
    own = np.where(t.at_risk > 0, own * share(share(total, t.size)[:, None], t.at_risk), 0.0)
    tied = np.where(t.other > 1, share(t.other - 1, t.at_risk - 1), 0.0)
    others = np.where(t.free > 0, (1 - tied) * t.free_before**2 * share(t.other, t.at_risk**2), 0.0)
    return np.maximum(own, 0.0), np.maximum(others, 0.0)


def _chi_squared(score: np.ndarray, variance: np.ndarray) -> tuple[float, int]:
    """Quadratic form over the directions in which the scores vary at all; the degrees of freedom are their number."""
    scale = np.sqrt(np.maximum(np.diag(variance), 0.0))
    used = scale > 0
    if not used.any():
        return float("nan"), 0
    scaled = variance[np.ix_(used, used)] / np.outer(scale[used], scale[used])
    z = score[used] / scale[used]
    values, vectors = np.linalg.eigh(scaled)
    if values[0] > SMALL * values[-1]:
        return float(z @ np.linalg.solve(scaled, z)), int(used.sum())
    kept = values > SMALL * values[-1]
    along = vectors[:, kept].T @ z
    return float((along**2 / values[kept]).sum()), int(kept.sum())
