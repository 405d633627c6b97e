"""The subdistribution's partial likelihood: whoever had another event stays at risk with a falling weight.

The weight of such a patient at time t is G(t-) / G(T-), with T when the other event came and G the chance of not yet
being censored. It is a product, so every sum over a risk set is two running sums, and nobody's follow-up has to be
split into a row for each interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from bedside.competing.variance import share

Definition = Literal["crr", "finegray"]


@dataclass(frozen=True, eq=False)
class Censoring:
    """The chance G of not yet being censored; with delayed entry, of being under observation.

    Attributes
    ----------
    time : array, shape (k,)
        When somebody was censored or entered, ascending.
    after : array, shape (k,)
        G just after each.
    closed : bool
        True if G at time 0 is read after those censored at 0: cmprsk reads its curve a hair before each time, and 0
        less a hair of itself is 0.
    """

    time: np.ndarray
    after: np.ndarray
    closed: bool

    def before(self, times: np.ndarray) -> np.ndarray:
        """G just before each time."""
        row = np.searchsorted(self.time, times, side="left")
        if self.closed:
            row = np.where(times == 0, np.searchsorted(self.time, times, side="right"), row)
        return np.concatenate(([1.0], self.after))[row]


def censoring(time: np.ndarray, kind: np.ndarray, definition: Definition, entry: np.ndarray | None = None) -> Censoring:
    """Kaplan-Meier curve of being censored; with delayed entry, times the chance of having entered.

    Parameters
    ----------
    time : array, shape (n,)
    kind : int array, shape (n,)
        0 censored, 1 the event, 2 another one.
    definition : {"crr", "finegray"}
        Whether patients with an event at the same time as a censoring could have been censored then (crr), or left
        just before it (finegray).
    entry : array, shape (n,), optional
        At risk in (entry, time].

    References
    ----------
    Geskus (2011), Biometrics 67:39-49. R: ``survival::finegray``.
    """
    at, count = np.unique(time[kind == 0], return_counts=True)
    ordered = np.sort(time)
    there = len(time) - np.searchsorted(ordered, at, side="left")
    if definition == "finegray":
        seen = np.sort(time[kind > 0])
        there = there - (np.searchsorted(seen, at, side="right") - np.searchsorted(seen, at, side="left"))
    if entry is None:
        return Censoring(at, np.cumprod(1 - share(count.astype(float), there)), definition == "crr")
    starts = np.sort(entry)
    there = there - (len(starts) - np.searchsorted(starts, at, side="left"))
    after = np.cumprod(1 - share(count.astype(float), there))
    if starts[-1] <= ordered[0]:
        return Censoring(at, after, False)
    # The same curve backwards: who had entered by a, of those under observation just after it.
    came, new = np.unique(entry, return_counts=True)
    under = np.searchsorted(starts, came, side="right") - np.searchsorted(ordered, came, side="right")
    later = np.append(np.cumprod((1 - share(new.astype(float), under))[::-1])[::-1][1:], 1.0)
    both = np.union1d(at, came)
    entered = later[np.searchsorted(came, both, side="right") - 1]
    return Censoring(both, entered * np.concatenate(([1.0], after))[np.searchsorted(at, both, side="right")], False)


@dataclass(frozen=True, eq=False)
class Sums:
    """Weighted sums over risk sets at one vector of coefficients; terms as in `Subdistribution`."""

    risk: np.ndarray
    shift: float
    denominator: np.ndarray
    mean: np.ndarray


@dataclass(frozen=True, eq=False)
class Subdistribution:
    """What does not change from step to step; rows from the shortest follow-up to the longest.

    Attributes
    ----------
    x : array, shape (n, p)
    order : int array, shape (n,)
        Where each row stood in the table.
    time : array, shape (n,)
    kind : int array, shape (n,)
        0 censored, 1 the event, 2 another one.
    at : array, shape (m,)
        Distinct times of the event.
    upto : int array, shape (n,)
        How many of them are at or before each row's time.
    low : int array, shape (n,), or None
        With delayed entry: how many of them are at or before each row's entry.
    own : array, shape (n,)
        G just before each row's time.
    then : array, shape (m,)
        G just before each of `at`.
    group, share, mass : arrays, shape (k,)
        Terms of the likelihood: event time, part of the tied events that is taken out (Efron), and weight.
    """

    x: np.ndarray
    order: np.ndarray
    time: np.ndarray
    kind: np.ndarray
    at: np.ndarray
    upto: np.ndarray
    low: np.ndarray | None
    own: np.ndarray
    then: np.ndarray
    group: np.ndarray
    share: np.ndarray
    mass: np.ndarray

    @cached_property
    def _events(self) -> np.ndarray:
        return np.flatnonzero(self.kind == 1)

    @cached_property
    def _start(self) -> np.ndarray:
        """Where each event time begins among the events."""
        return np.searchsorted(self.upto[self._events], np.arange(1, len(self.at) + 1))

    @cached_property
    def _gone(self) -> np.ndarray:
        """How many rows left before each event time."""
        return np.searchsorted(self.upto, np.arange(len(self.at)), side="right")

    @cached_property
    def lasting(self) -> np.ndarray:
        """1 / G(T-) for rows with another event, 0 for the rest; shape (n,)."""
        return np.where(self.kind == 2, share(np.ones_like(self.own), self.own), 0.0)

    def per_time(self, values: np.ndarray) -> np.ndarray:
        """Sums over the terms of each event time, shape (m, ...)."""
        if len(self.group) == len(self.at):
            return values
        return np.add.reduceat(values, self._start, axis=0)

    def _held(self, values: np.ndarray) -> np.ndarray:
        """Sums over the risk set of each event time."""
        staying = np.concatenate((np.cumsum(values[::-1], axis=0)[::-1], np.zeros((1, *values.shape[1:]))))
        lasting = _padded(np.cumsum(_by(self.lasting, values), axis=0))
        held = staying[self._gone] + _by(self.then, lasting[self._gone])
        if self.low is not None:
            by_entry = np.argsort(self.low, kind="stable")
            late = np.concatenate((np.cumsum(values[by_entry][::-1], axis=0)[::-1], staying[-1:]))
            held = held - late[np.searchsorted(self.low[by_entry], np.arange(len(self.at)), side="right")]
        return held

    def sums(self, beta: np.ndarray) -> Sums:
        """Sums over risk sets."""
        linear = self.x @ beta
        shift = float(linear.max())
        with np.errstate(over="ignore", invalid="ignore"):
            risk = np.exp(linear - shift)
            weighted = risk[:, None] * self.x
            denominator, mean = self._held(risk)[self.group], self._held(weighted)[self.group]
            if self.share.any():
                tied = np.add.reduceat(risk[self._events], self._start)
                denominator = denominator - self.share * tied[self.group]
                tied = np.add.reduceat(weighted[self._events], self._start, axis=0)
                mean = mean - self.share[:, None] * tied[self.group]
        with np.errstate(divide="ignore", invalid="ignore"):  # a step so long that every weight vanishes is halved
            return Sums(risk, shift, denominator, mean / denominator[:, None])

    def risk_sums(self, s: Sums) -> np.ndarray:
        """Sum of the risks in the risk set of each event time, shape (m,), before anything is taken out for ties."""
        return self._held(s.risk)

    def _value(self, beta: np.ndarray, s: Sums) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = self.mass @ (np.log(s.denominator) + s.shift)
        return float((self.x[self._events] @ beta).sum() - logs)

    def value(self, beta: np.ndarray) -> float:
        """Log pseudo-likelihood."""
        return self._value(beta, self.sums(beta))

    def while_at_risk(self, per_term: np.ndarray) -> np.ndarray:
        """For each row, the sum of a value over the terms that saw it, times its weight there; shape (n, ...)."""
        value = self.per_time(per_term)
        before = _padded(np.cumsum(value, axis=0))
        later = _by(self.then, value)
        later = np.concatenate((np.cumsum(later[::-1], axis=0)[::-1], np.zeros((1, *value.shape[1:]))))
        seen = before[self.upto] if self.low is None else before[self.upto] - before[self.low]
        total = seen + _by(self.lasting, later[self.upto])
        if self.share.any():
            tied = np.add.reduceat(_by(self.share, per_term), self._start, axis=0)
            total[self._events] -= tied[self.upto[self._events] - 1]
        return total

    def derivatives(self, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log pseudo-likelihood, gradient (p,) and observed information (p, p)."""
        s = self.sums(beta)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            gradient = self.x[self._events].sum(axis=0) - self.mass @ s.mean
            held = self.while_at_risk(self.mass / s.denominator)
            information = self.x.T @ ((s.risk * held)[:, None] * self.x) - s.mean.T @ (self.mass[:, None] * s.mean)
        return self._value(beta, s), gradient, (information + information.T) / 2

    def centre(self, s: Sums) -> np.ndarray:
        """Mean of the columns that each event is held against, averaged over ties; shape (m, p)."""
        if len(self.group) == len(self.at):
            return s.mean
        counts = np.diff(np.append(self._start, len(self._events)))
        return np.add.reduceat(s.mean, self._start, axis=0) / counts[:, None]


def subdistribution(
    x: np.ndarray,
    time: np.ndarray,
    kind: np.ndarray,
    curve: Censoring,
    *,
    efron: bool,
    entry: np.ndarray | None = None,
) -> Subdistribution:
    """Sort rows into risk sets.

    Parameters
    ----------
    x : array, shape (n, p)
    time : array, shape (n,)
    kind : int array, shape (n,)
        0 censored, 1 the event, 2 another one; at least one event.
    curve : Censoring
    efron : bool
        Efron's ties, else Breslow's.
    entry : array, shape (n,), optional
        At risk in (entry, time].
    """
    order = np.argsort(time, kind="stable")
    time, kind = time[order], kind[order]
    at, size = np.unique(time[kind == 1], return_counts=True)
    group = np.repeat(np.arange(len(at)), size)
    start = np.concatenate(([0], np.cumsum(size)[:-1]))
    if efron:
        part, mass = (np.arange(len(group)) - start[group]) / size[group], np.ones(len(group))
    else:
        group, part, mass = np.arange(len(at)), np.zeros(len(at)), size.astype(float)
    return Subdistribution(
        x=np.ascontiguousarray(x[order]), order=order, time=time, kind=kind, at=at,
        upto=np.searchsorted(at, time, side="right"),
        low=None if entry is None else np.searchsorted(at, entry[order], side="right"),
        own=curve.before(time), then=curve.before(at),
        group=group, share=part, mass=mass,
    )  # fmt: skip


def _by(factor: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Each row of `values` times its factor."""
    return (factor[:, None] if values.ndim > 1 else factor) * values


def _padded(sums: np.ndarray) -> np.ndarray:
    return np.concatenate((np.zeros((1, *sums.shape[1:])), sums))
