"""From log hazards to risks at some times: of one hazard, of two, and of more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb, factorial

import numpy as np

from bedside.risk.incidence import CauseSteps

Curve = Callable[[np.ndarray], np.ndarray]
"""Log hazards (m, causes) to risks (t, m)."""
SMALL, TERMS = 0.25, 8
"""Hazards of a step up to which this many terms of a series are as good as the whole: to 1e-10."""
FEW = 2_000_000
"""Numbers up to which all steps are held at once."""


def one_hazard(cumulative: np.ndarray) -> Curve:
    """1 - exp(-H exp(f)) at some cumulative baseline hazards."""

    def risk(log_hazard: np.ndarray) -> np.ndarray:
        relative = np.exp(np.clip(log_hazard[:, 0], -700.0, 700.0))
        return np.stack([-np.expm1(-hazard * relative) for hazard in cumulative])

    return risk


def several_hazards(causes: Sequence[CauseSteps], upto: np.ndarray) -> Curve:
    """The first cause's risk after some numbers of steps, of two causes by `Chebyshev`, else step by step."""
    curve = SeveralHazards(np.stack([cause.hazard for cause in causes]), upto)
    return Chebyshev(curve) if len(causes) == 2 else curve


class SeveralHazards:
    """The first cause's risk beside others, from the steps of all baseline hazards, shape (causes, g)."""

    def __init__(self, steps: np.ndarray, upto: np.ndarray) -> None:
        self.steps = steps
        self.upto = upto

    def __call__(self, log_hazard: np.ndarray) -> np.ndarray:
        """Risks, shape (t, m)."""
        relative = np.exp(np.clip(log_hazard, -300.0, 300.0)).T
        out = np.zeros((len(self.upto), relative.shape[1]))
        for start in range(0, relative.shape[1], 8192):
            part = slice(start, start + 8192)
            out[:, part] = _running(np.ascontiguousarray(relative[:, part]), self.steps, self.upto)
        return out

    def grid(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Of two causes: risks at every pair of log hazards, shape (t, n_first, n_second).

        At a step of one cause alone what it adds is a product of what each log hazard makes of it, so that all steps
        are one product of matrices.
        """
        rises = [np.exp(np.clip(each, -300.0, 300.0)) for each in (first, second)]
        out = np.zeros((len(self.upto), len(first), len(second)))
        total, done = np.zeros(out.shape[1:]), 0
        before = np.cumsum(self.steps, axis=1) - self.steps
        for i in np.argsort(self.upto, kind="stable"):
            at = slice(done, int(self.upto[i]))
            if at.stop > at.start:
                total = total + _between(rises, self.steps[:, at], before[:, at])
                done = at.stop
            out[i] = total
        return np.minimum(out, 1.0)


def _between(rises: list[np.ndarray], steps: np.ndarray, before: np.ndarray) -> np.ndarray:
    """What some steps add to the first cause's risk at every pair of relative hazards."""
    free = [np.exp(-np.outer(rise, hazard)) for rise, hazard in zip(rises, before, strict=True)]
    tied = steps[1] > 0
    gone = np.where(tied, 0.0, -np.expm1(-np.outer(rises[0], steps[0])))
    out = (free[0] * gone) @ free[1].T
    both = tied & (steps[0] > 0)
    most = rises[0].max() * steps[0] + rises[1].max() * steps[1]
    little = np.flatnonzero(both & (most <= SMALL))
    if len(little):
        out += _small_ties(rises, steps[:, little], [each[:, little] for each in free])
    for k in np.flatnonzero(both & (most > SMALL)):
        own, total = rises[0] * steps[0, k], np.add.outer(rises[0] * steps[0, k], rises[1] * steps[1, k])
        share = np.divide(own[:, None], total, out=np.zeros_like(total), where=total > 0)
        out += np.outer(free[0][:, k], free[1][:, k]) * -np.expm1(-total) * share
    return out


def _small_ties(rises: list[np.ndarray], steps: np.ndarray, free: list[np.ndarray]) -> np.ndarray:
    """Steps of both causes with small hazards a and b: a (1 - exp(-a-b)) / (a+b) as a series of products of powers."""
    first, second = (np.outer(rise, hazard) for rise, hazard in zip(rises, steps, strict=True))
    own, out = free[0] * first, np.zeros((len(first), len(second)))
    for i in range(TERMS):
        other = free[1]
        for j in range(TERMS - i):
            out += (-1.0) ** (i + j) * comb(i + j, i) / factorial(i + j + 1) * (own @ other.T)
            other = other * second
        own = own * first
    return out


class Chebyshev:
    """A smooth curve of two log hazards by polynomials, to 1e-10: it is asked at a few points instead of all.

    The polynomials cover the box of what was asked so far. They are compared with the curve at points between their
    nodes, and made finer until they agree; where 80 nodes a side are not enough, or few points are asked for, the curve
    itself answers.

    References
    ----------
    Trefethen (2013), Approximation Theory and Approximation Practice, chapters 3 and 8.
    """

    SIDES = (24, 48, 80)
    ENOUGH = 1e-10

    def __init__(self, curve: SeveralHazards) -> None:
        self.curve = curve
        self.low = np.full(2, np.inf)
        self.high = np.full(2, -np.inf)
        self.coef: np.ndarray | None = None

    def __call__(self, log_hazard: np.ndarray) -> np.ndarray:
        """Risks, shape (t, m)."""
        if len(log_hazard) < 2000:
            return self.curve(log_hazard)
        low, high = log_hazard.min(axis=0), log_hazard.max(axis=0)
        if (low < self.low).any() or (high > self.high).any():
            self._cover(np.minimum(low, self.low), np.maximum(high, self.high))
        return self.curve(log_hazard) if self.coef is None else self._value(log_hazard)

    def _cover(self, low: np.ndarray, high: np.ndarray) -> None:
        room = 0.2 * (high - low) + 0.1
        self.low, self.high = low - room, high + room
        between = self.low + np.random.default_rng(0).random((60, 2)) * (self.high - self.low)
        known = self.curve(between)
        for n in self.SIDES:
            angle = (np.arange(n) + 0.5) * np.pi / n
            nodes = self.low + (np.cos(angle)[:, None] + 1) / 2 * (self.high - self.low)
            basis = np.cos(np.outer(np.arange(n), angle)) * (2 / n)
            basis[0] /= 2
            self.coef = basis @ self.curve.grid(nodes[:, 0], nodes[:, 1]) @ basis.T
            if np.abs(self._value(between) - known).max() < self.ENOUGH:
                return
        self.coef = None

    def _value(self, log_hazard: np.ndarray) -> np.ndarray:
        n = self.coef.shape[1]
        out = np.empty((len(self.coef), len(log_hazard)))
        for start in range(0, len(log_hazard), 8192):
            part = slice(start, start + 8192)
            place = 2 * (log_hazard[part] - self.low) / (self.high - self.low) - 1
            basis = np.empty((n, *place.shape))
            basis[0], basis[1] = 1.0, place
            for k in range(2, n):
                basis[k] = 2 * place * basis[k - 1] - basis[k - 2]
            first, second = np.ascontiguousarray(basis[:, :, 0]), np.ascontiguousarray(basis[:, :, 1])
            for i, coef in enumerate(self.coef):
                out[i, part] = np.einsum("ij,ij->j", coef.T @ first, second)
        return out


def _running(relative: np.ndarray, steps: np.ndarray, upto: np.ndarray) -> np.ndarray:
    if relative.shape[1] * int(upto.max(initial=0)) <= FEW:
        return _at_once(relative, steps, upto)
    hazard, gone, out = np.zeros(relative.shape[1]), np.ones(relative.shape[1]), np.zeros((len(upto), len(relative[0])))
    risk = np.zeros(relative.shape[1])
    for i in range(int(upto.max(initial=0))):
        out[upto == i] = risk
        total = steps[:, i] @ relative
        hazard += total
        free = np.exp(-hazard)
        share = np.divide(relative[0] * steps[0, i], total, out=np.zeros_like(total), where=total > 0)
        risk += (gone - free) * share
        gone = free
    out[upto >= int(upto.max(initial=0))] = risk
    return np.minimum(out, 1.0)


def _at_once(relative: np.ndarray, steps: np.ndarray, upto: np.ndarray) -> np.ndarray:
    """As `_running`, all steps together."""
    used = int(upto.max(initial=0))
    total = relative.T @ steps[:, :used]
    free = np.exp(-np.cumsum(np.hstack([np.zeros((len(total), 1)), total]), axis=1))
    share = np.divide(np.outer(relative[0], steps[0, :used]), total, out=np.zeros_like(total), where=total > 0)
    risk = np.cumsum((free[:, :-1] - free[:, 1:]) * share, axis=1)
    return np.minimum(np.hstack([np.zeros((len(total), 1)), risk])[:, upto].T, 1.0)
