"""The minimum of a quadratic function plus weighted absolute values: one step of a penalised fit."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

MOST_ROUNDS, SWEEPS = 400, 5
JITTER = 1e-10
"""Share of the largest curvature that is added, so that columns that repeat each other still have one answer."""


def violation(gradient: np.ndarray, b: np.ndarray, bound: np.ndarray) -> np.ndarray:
    """How far each coefficient is from its optimality condition, given the smooth part's gradient, shape (p,)."""
    return np.where(b != 0, np.abs(gradient + bound * np.sign(b)), np.maximum(np.abs(gradient) - bound, 0.0))


def minimise(h: np.ndarray, gradient: np.ndarray, start: np.ndarray, bound: np.ndarray, enough: float) -> np.ndarray:
    """The b with the least gradient'(b - start) + ½ (b - start)'h(b - start) + Σ bound |b|.

    Sweeps of coordinate descent find which coefficients are not 0 and their signs; the exact minimum on that face
    is then one linear system. A sign that would change on the way there stops at 0, and the sweeps go on.

    Parameters
    ----------
    h : array, shape (p, p)
        Symmetric, positive semi-definite.
    gradient, start, bound : arrays, shape (p,)
    enough : float
        Largest `violation` that is left.
    """
    h = h + np.eye(len(h)) * (JITTER * max(float(np.diag(h).max(initial=0.0)), np.finfo(float).tiny))
    b = start.copy()
    now = gradient.copy()
    for _ in range(MOST_ROUNDS):
        signs = np.sign(b)
        for _ in range(SWEEPS):
            _sweep(h, now, b, bound)
            before, signs = signs, np.sign(b)
            if (signs == before).all():
                break
        b = _on_face(h, now, b, bound)
        now = gradient + h @ (b - start)
        if violation(now, b, bound).max(initial=0.0) <= enough:
            break
    return b


def _sweep(h: np.ndarray, now: np.ndarray, b: np.ndarray, bound: np.ndarray) -> None:
    """One round of coordinate descent over the coefficients that may move; `now` and `b` are changed in place."""
    diagonal = np.diag(h)
    for j in np.flatnonzero((b != 0) | (np.abs(now) > bound)):
        curve, old = float(diagonal[j]), float(b[j])
        free = curve * old - float(now[j])
        reach = abs(free) - float(bound[j])
        new = (reach if free > 0 else -reach) / curve if reach > 0 else 0.0
        if new != old:
            b[j] = new
            now += (new - old) * h[j]


def _on_face(h: np.ndarray, now: np.ndarray, b: np.ndarray, bound: np.ndarray) -> np.ndarray:
    """The minimum among coefficients with these signs, or the way towards it until one of them reaches 0."""
    at = np.flatnonzero((b != 0) | (bound == 0))
    if not len(at):
        return b
    sign = np.sign(b[at])
    # LAPACK itself: with few columns the checks around it would take longer than the system.
    factor, failed = dpotrf(h[np.ix_(at, at)], clean=False)
    if failed:
        return b
    step = -dpotrs(factor, now[at] + bound[at] * sign)[0]
    crosses = (bound[at] > 0) & (sign * (b[at] + step) < 0)
    reached = b.copy()
    if not crosses.any():
        reached[at] += step
        return reached
    # All that would cross stop at 0, if that is downhill; otherwise the first of them alone.
    reached[at] = np.where(crosses, 0.0, b[at] + step)
    away = reached - b
    if now @ away + 0.5 * away @ (h @ away) + bound @ (np.abs(reached) - np.abs(b)) < 0:
        return reached
    share = np.full(len(at), np.inf)
    share[crosses] = -b[at][crosses] / step[crosses]
    first = int(np.argmin(share))
    reached[at] = b[at] + share[first] * step
    reached[at[first]] = 0.0
    return reached
