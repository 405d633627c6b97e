"""Exact Shapley values of risks whose log hazards are sums of terms, by waves: for any number of variables and times.

On an interval a smooth curve is a short sum of waves exp(iwx), to as many decimals as wanted. A wave of a sum is a
product, so where the log hazard is a sum of a term for each player, each wave is a game in which every player
multiplies the worth by one of two numbers, whichever of the two patients lends the value. With every player lent by the
patient with chance q, the mean worth is a product over the players too, and a Shapley value is the integral over q from
0 to 1 of its derivative: a polynomial in q, which Gauss' rule integrates exactly. No coalition is enumerated, and the
times only weigh the waves, which are worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from bedside.explain.curves import Chebyshev, Curve

STRETCH = 1.5
"""Period of the slowest wave over that of the interval."""
SIZES = {1: (16, 24, 32, 48, 64), 2: (16, 20, 24, 32)}
"""Fastest waves that are tried, for one log hazard and for two."""
ENOUGH = {1: 1e-12, 2: 1e-7}
"""Largest error of a risk."""
WIDEST = 20.0
"""Log hazards: no wave of `SIZES` follows a curve over a wider interval."""
NOTHING = {1: 1e-14, 2: 1e-12}
"""Directions of the fit below this share of the largest are rounding error."""
STEP = 0.5
"""Log hazards: ends of the interval are rounded outwards, so that patients share a fit."""
WAVES_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Waves:
    """Risks as a sum of waves of the log hazards.

    Attributes
    ----------
    middle, slowest : arrays, shape (causes,)
        Where the waves are counted from, and the frequency of the slowest.
    order : array of int, shape (m, causes)
        Frequencies, in slowest waves.
    coef : array of complex, shape (t, m)
        Risks are the real part of these times the waves.
    """

    middle: np.ndarray
    slowest: np.ndarray
    order: np.ndarray = field(repr=False)
    coef: np.ndarray = field(repr=False)

    def risk(self, log_hazard: np.ndarray) -> np.ndarray:
        """Risks at log hazards (m, causes), shape (t, m)."""
        phase = ((log_hazard - self.middle) * self.slowest) @ self.order.T
        return (self.coef @ np.exp(1j * phase).T).real


def box(own: np.ndarray, background: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the log hazards of all coalitions beside all background patients, rounded outwards.

    Parameters
    ----------
    own : array, shape (p, causes)
    background : array, shape (n_background, p, causes)
    """
    low = np.minimum(own, background).sum(axis=1).min(axis=0)
    high = np.maximum(own, background).sum(axis=1).max(axis=0)
    return np.floor(low / STEP) * STEP, np.maximum(np.ceil(high / STEP), np.floor(low / STEP) + 1) * STEP


def waves(curve: Curve, low: np.ndarray, high: np.ndarray) -> Waves | None:
    """A curve of one log hazard or two as waves; None if they would be too many, or there are more hazards.

    References
    ----------
    Huybrechs (2010), SIAM J Numer Anal 47:4326-4355. Adcock, Huybrechs & Martin-Vaquero (2014), Found Comput Math
    14:635-687 (why the fit is stable).
    """
    causes = len(low)
    if causes not in SIZES or not (high - low <= WIDEST).all():
        return None
    middle, half = (low + high) / 2, (high - low) / 2
    between = middle + (2 * np.random.default_rng(0).random((60, causes)) - 1) * half
    known = curve(between)
    # A sum of waves can't follow a curve that turns faster than half the fastest of them.
    for size in SIZES[causes]:
        coef = _fitted(curve, middle, half, size, causes)
        found = Waves(middle, np.pi / (STRETCH * half), _orders(size, causes), coef)
        if np.abs(found.risk(between) - known).max(initial=0.0) < ENOUGH[causes]:
            return found
    return None


@lru_cache(maxsize=16)
def _basis(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Nodes in (-1, 1), and the singular value decomposition of the waves there."""
    node = np.cos((np.arange(4 * size) + 0.5) * np.pi / (4 * size))
    return node, *np.linalg.svd(np.exp(1j * np.pi / STRETCH * np.outer(node, np.arange(-size, size + 1))), False)


@lru_cache(maxsize=16)
def _orders(size: int, causes: int) -> np.ndarray:
    """One of each two waves that turn opposite ways, shape (m, causes)."""
    if causes == 1:
        return np.arange(size + 1)[:, None]
    first, second = np.meshgrid(np.arange(size + 1), np.arange(-size, size + 1), indexing="ij")
    kept = (first > 0) | (second >= 0)
    return np.column_stack([first[kept], second[kept]])


def _fitted(curve: Curve, middle: np.ndarray, half: np.ndarray, size: int, causes: int) -> np.ndarray:
    """Least squares coefficients, shape (t, m); those of two waves that turn opposite ways are one."""
    node, left, scale, right = _basis(size)
    limit = NOTHING[causes] * scale[0] ** causes
    if causes == 1:
        y = curve(middle + np.outer(node, half)) @ left.conj()
        coef = np.divide(y, scale, out=np.zeros_like(y), where=scale > limit) @ right.conj()
        coef = coef + coef[:, ::-1].conj()
        coef[:, size] /= 2
        return coef[:, size:]
    y = left.conj().T @ _grid(curve)(middle[0] + half[0] * node, middle[1] + half[1] * node) @ left.conj()
    both = np.outer(scale, scale)
    coef = right.conj().T @ np.divide(y, both, out=np.zeros_like(y), where=both > limit) @ right.conj()
    coef = coef + coef[:, ::-1, ::-1].conj()
    coef[:, size, size] /= 2
    order = _orders(size, 2)
    return coef[:, order[:, 0] + size, order[:, 1] + size]


def _grid(curve: Curve) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return (curve.curve if isinstance(curve, Chebyshev) else curve).grid


@lru_cache(maxsize=64)
def _gauss(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights from 0 to 1 that integrate polynomials of degree 2 count - 1 exactly."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return (points + 1) / 2, weights / 2


def spectrum(found: Waves, own: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Shapley values of each wave, shape (m, p); the real part of `coef` times them are those of the risks."""
    p, (points, weights) = len(own), _gauss((len(own) + 1) // 2 or 1)
    out = np.empty((len(found.order), p), dtype=complex)
    for start, less, begin in _parts(found, own, background):
        m, b = begin.shape
        gained, before, mix = np.zeros((p, m * b), complex), np.empty((p, m * b), complex), np.empty_like(less)
        for q, weight in zip(points, weights, strict=True):
            np.multiply(less, q, out=mix)
            mix += 1
            _others(begin.ravel() * weight, mix, before, gained)
        gained *= less
        out[start : start + m] = gained.reshape(p, m, b).mean(axis=2).T
    return out


def _others(begin: np.ndarray, mix: np.ndarray, before: np.ndarray, gained: np.ndarray) -> None:
    """For each player, the product over all others, added to what was gained."""
    p = len(mix)
    before[0] = begin
    for i in range(1, p):
        np.multiply(before[i - 1], mix[i - 1], out=before[i])
    after = np.ones_like(begin)
    for i in range(p - 1, -1, -1):
        before[i] *= after
        gained[i] += before[i]
        after *= mix[i]


def pair_spectrum(found: Waves, own: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Interaction indices of each wave, shape (m, p, p): the integral of the mean worth's second derivative."""
    p, out = len(own), np.zeros((len(found.order), len(own), len(own)), dtype=complex)
    # An even number of points leaves out q = 1/2, where opposite waves cancel.
    points, weights = _gauss(2 * ((p + 2) // 4 or 1))
    for start, less, begin in _parts(found, own, background):
        m, b = begin.shape
        for q, weight in zip(points, weights, strict=True):
            mix = 1 + q * less
            share = (less / mix).reshape(p, m, b).transpose(1, 0, 2)
            worth = (begin.ravel() * weight * mix.prod(axis=0)).reshape(m, 1, b)
            out[start : start + m] += (share * worth) @ share.transpose(0, 2, 1) / b
    out[:, np.arange(p), np.arange(p)] = 0.0
    return out


def _parts(
    found: Waves, own: np.ndarray, background: np.ndarray
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:  # fmt: skip
    """Some waves at a time: which, what each player multiplies them by less 1 (p, m*b), and where they begin (m, b)."""
    gap = ((own - background) * found.slowest).transpose(2, 1, 0)
    lead = ((background.sum(axis=1) - found.middle) * found.slowest).T
    low, high = found.order.min(axis=0), found.order.max(axis=0)
    turns = [np.exp(1j * np.arange(a, b + 1)[:, None, None] * g) for a, b, g in zip(low, high, gap, strict=True)]
    for start in range(0, len(found.order), WAVES_AT_ONCE):
        order = found.order[start : start + WAVES_AT_ONCE]
        less = turns[0][order[:, 0] - low[0]]
        for k in range(1, len(turns)):
            less = less * turns[k][order[:, k] - low[k]]
        begin = np.exp(1j * (order @ lead))
        yield start, less.transpose(1, 0, 2).reshape(len(own), -1) - 1, begin


def efficient(values: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Contributions (t, p) that add up to the gaps (t,) exactly: what rounding left is shared out equally.

    That is what the Shapley values are if the worth of nobody and of everybody are known exactly.
    """
    moved = values.any(axis=0)
    return values + np.where(moved, ((gap - values.sum(axis=1)) / max(moved.sum(), 1))[:, None], 0.0)
