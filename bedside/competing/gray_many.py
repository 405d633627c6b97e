"""The covariance of Gray's scores where groups are many: sums over times as products of tables times x groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BLOCK = 1 << 22
"""How many cells of the table times x times are worked on at once: keeps memory flat."""


@dataclass(frozen=True, eq=False)
class Steps:
    """What happens at each time of an event of interest; rows are times, columns groups.

    Attributes
    ----------
    weight, ratio, own, others : arrays, shape (n_times, n_groups)
        Weight of those at risk; what an event does to a group's own curve; variance of the events of interest, and of
        the others gathered onto each of these times.
    size : array, shape (n_times,)
        Weights of all groups together.
    factor, growth : array, shape (n_times,)
        Weight of the time in the test, and the growth of the drift of the scores.
    """

    weight: np.ndarray
    ratio: np.ndarray
    own: np.ndarray
    others: np.ndarray
    size: np.ndarray
    factor: np.ndarray
    growth: np.ndarray


def covariance_of(t: Steps, constant: np.ndarray) -> np.ndarray:
    """The same sum as over explicit n_groups x n_groups drifts at each time, in far fewer operations.

    At each time an event moves the scores by p_j = h_j (e_j - u), with u the groups' shares, less the drift column
    d_j of D = diag(a) - S, where S adds up c h h' over the times so far. Each product that the covariance is made of
    then splits into diagonals, products of two tables, and sums over pairs of times.

    Parameters
    ----------
    t : Steps
    constant : array, shape (n_groups,)
        Variance that the drift at the end is multiplied with.

    Returns
    -------
    array, shape (n_groups, n_groups)
    """
    h, fb = t.weight, t.factor[:, None]
    u = h / t.size[:, None]
    c = (t.growth / t.size)[:, None]
    a = np.cumsum(t.growth[:, None] * h, axis=0)
    w = t.own * t.ratio * h
    m = t.ratio**2 * t.own + t.others
    # At once: the sum of own p p'.
    spread = fb**2 * t.own * h**2
    total = spread.sum(axis=1)[:, None]
    found = np.diag(spread.sum(axis=0)) + (total * u).T @ u
    found -= _both(spread.T @ u)
    # At once with the drift: the sum of own r p d'.
    turned, squared = _over_pairs(h, c, w, m)
    crossed = np.diag((fb * w * a).sum(axis=0)) - (c * _from_here(fb * w) * h).T @ h
    found -= _both(crossed - (fb * u).T @ (a * w - turned))
    # The drift with itself: the sum of D diag(m) D.
    found += np.diag((a**2 * m).sum(axis=0)) - _both((c * _from_here(a * m) * h).T @ h) + squared
    linear = np.diag((fb * h * t.ratio * t.own).sum(axis=0)) - (fb * u).T @ (h * t.ratio * t.own)
    linear -= np.diag((a * m).sum(axis=0)) - (c * h).T @ (h * _from_here(m))
    carried = np.diag(a[-1]) - (c * h).T @ h
    return found + (carried * constant) @ carried.T + _both(carried @ linear.T)


def _both(square: np.ndarray) -> np.ndarray:
    return square + square.T


def _from_here(values: np.ndarray) -> np.ndarray:
    """Sum over each time and all later ones."""
    return np.cumsum(values[::-1], axis=0)[::-1]


def _over_pairs(h: np.ndarray, c: np.ndarray, w: np.ndarray, m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """S w at each time, and the sum over times of S diag(m) S."""
    steps, k = h.shape
    turned, squared = np.empty_like(h), np.zeros((k, k))
    scaled, later = c * h, _from_here(m) * h
    size = max(1, BLOCK // steps)
    for at in range(0, steps, size):
        stop = min(at + size, steps)
        past = np.arange(stop)[None, :] - np.arange(at, stop)[:, None]
        turned[at:stop] = np.where(past <= 0, w[at:stop] @ h[:stop].T, 0.0) @ scaled[:stop]
        # Each pair of times once, a time with itself half, and the mirror image added at the end.
        pairs = np.where(past < 0, 1.0, np.where(past == 0, 0.5, 0.0)) * (later[at:stop] @ h[:stop].T)
        squared += scaled[at:stop].T @ (pairs @ scaled[:stop])
    return turned, _both(squared)
