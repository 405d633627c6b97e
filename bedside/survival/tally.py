"""Who is at risk in each group at each time of an event: what every comparison of groups is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

BLOCK = 1 << 20
"""How many cells of the table event times x groups are worked on at once: keeps memory flat."""

Weigh = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From patients at risk and events at each time, groups together, to the weight of each time."""


@dataclass(frozen=True, eq=False)
class Records:
    """How many (`count`) of which group, by position of a time of an event (`at`); arrays of one length."""

    at: np.ndarray
    group: np.ndarray
    count: np.ndarray

    def where(self, mask: np.ndarray) -> Records:
        """Only the records where the mask is True."""
        return Records(self.at[mask], self.group[mask], self.count[mask])


@dataclass(frozen=True, eq=False)
class Stratum:
    """Patients who are compared with each other only.

    Attributes
    ----------
    time : array, shape (n_times,)
        Distinct times of events in the stratum, ascending.
    groups : int array, shape (n_here,)
        Which groups have patients in it, ascending; records count from its start.
    leaving : Records
        ``at`` is the last time at which they were at risk. Late entries are
        taken off: ``at`` is the last time at which they were not yet, ``count`` negative.
    events : Records
        Those with the event at each time.
    """

    time: np.ndarray
    groups: np.ndarray
    leaving: Records
    events: Records

    @cached_property
    def at_risk(self) -> np.ndarray:
        """At risk just before each time, groups together, shape (n_times,)."""
        left = np.bincount(self.leaving.at, weights=self.leaving.count, minlength=len(self.time))
        return np.cumsum(left[::-1])[::-1]

    @cached_property
    def deaths(self) -> np.ndarray:
        """Events at each time, groups together, shape (n_times,)."""
        return np.bincount(self.events.at, weights=self.events.count, minlength=len(self.time))

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Spans of times, latest first, each with those at risk in each group, shape (span, n_here)."""
        k = len(self.groups)
        size = max(1, BLOCK // k)
        edges = np.append(np.arange(0, len(self.time), size), len(self.time))
        order = np.argsort(self.leaving.at, kind="stable")
        place = np.searchsorted(self.leaving.at[order], edges)
        later = np.zeros(k)
        for i in range(len(edges) - 2, -1, -1):
            start, stop = edges[i], edges[i + 1]
            rows = order[place[i] : place[i + 1]]
            cell = (self.leaving.at[rows] - start) * k + self.leaving.group[rows]
            left = np.bincount(cell, weights=self.leaving.count[rows], minlength=(stop - start) * k)
            risk = later + np.cumsum(left.reshape(-1, k)[::-1], axis=0)[::-1]
            later = risk[0]
            yield slice(start, stop), risk

    def only(self, groups: Sequence[int]) -> Stratum:
        """The same stratum without the other groups; the times stay, with no event at some."""
        here = np.flatnonzero(np.isin(self.groups, groups))
        place = np.full(len(self.groups), -1)
        place[here] = np.arange(len(here))
        kept = [part.where(place[part.group] >= 0) for part in (self.leaving, self.events)]
        leaving, events = (replace(part, group=place[part.group]) for part in kept)
        return Stratum(self.time, self.groups[here], leaving, events)


@dataclass(frozen=True, eq=False)
class Sums:
    """Weighted sums over all times and strata.

    Attributes
    ----------
    observed, expected : array, shape (n_groups,)
        Events, and those to be expected if the groups had the same hazards.
    variance : array, shape (n_groups, n_groups)
        Hypergeometric covariance of observed minus expected.
    due : array, shape (n_groups,)
        Expected events, not weighted.
    informative : int
        Strata with an event while patients of two or more groups were at risk.
    """

    observed: np.ndarray
    expected: np.ndarray
    variance: np.ndarray
    due: np.ndarray
    informative: int


def stratum_of(time: np.ndarray, event: np.ndarray, group: np.ndarray, entry: np.ndarray | None = None) -> Stratum:
    """Count the patients of one stratum; times are checked and their ties merged, groups are 0 and up."""
    when = np.unique(time[event])
    sizes = np.bincount(group)
    groups = np.flatnonzero(sizes)
    place = np.zeros(len(sizes), dtype=np.int64)
    place[groups] = np.arange(len(groups))
    local = place[group]
    left = np.searchsorted(when, time, side="right") - 1
    leaving = Records(left, local, np.ones(len(time)))
    if entry is not None:
        late = Records(np.searchsorted(when, entry, side="right") - 1, local, np.full(len(time), -1.0))
        leaving = joined([leaving, late])
    return Stratum(when, groups, leaving.where(leaving.at >= 0), Records(left, local, np.ones(len(time))).where(event))


def strata_of(
    time: np.ndarray, event: np.ndarray, group: np.ndarray, strata: np.ndarray | None, entry: np.ndarray | None = None
) -> list[Stratum]:
    """As `stratum_of`, for each distinct value of `strata`."""
    if strata is None:
        return [stratum_of(time, event, group, entry)]
    order = np.argsort(strata, kind="stable")
    edges = np.flatnonzero(np.diff(strata[order])) + 1
    parts = np.split(order, edges)
    return [stratum_of(time[i], event[i], group[i], None if entry is None else entry[i]) for i in parts]


def joined(parts: Sequence[Records]) -> Records:
    """Several records as one."""
    return Records(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("at", "group", "count")))


def tally(strata: Sequence[Stratum], k: int, weigh: Weigh) -> Sums:
    """Add up observed and expected events of k groups, and their covariance, over times and strata."""
    observed, expected, due, variance = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros((k, k))
    informative = 0
    for stratum in strata:
        here, events = stratum.groups, stratum.events
        if not len(events.at):
            continue
        weight = weigh(stratum.at_risk, stratum.deaths)
        observed[here] += np.bincount(events.group, weights=events.count * weight[events.at], minlength=len(here))
        counted, weighed, spread = _expect(stratum, weight)
        due[here] += counted
        expected[here] += weighed
        if len(here) > 1:
            variance[np.ix_(here, here)] += spread
            informative += bool(np.trace(spread) > 0)
    return Sums(observed, expected, variance, due, informative)


def _expect(stratum: Stratum, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expected events of the groups in a stratum, as they are and weighted, and the covariance of the latter."""
    k = len(stratum.groups)
    due, weighed, own, shared = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros((k, k))
    for span, risk in stratum.blocks():
        n, d, w = stratum.at_risk[span], stratum.deaths[span], weight[span]
        share = risk / np.maximum(n, 1)[:, None]
        due += d @ share
        weighed += (w * d) @ share
        # One patient left: no spread, and no division by n - 1 = 0.
        spread = w**2 * d * (n - d) / np.maximum(n - 1, 1)
        own += spread @ (share * (1 - share))
        if k > 1:
            shared -= (share * spread[:, None]).T @ share
    # A group alone at risk has no spread at all: its own sum says so exactly, a difference of two sums does not.
    np.fill_diagonal(shared, own)
    return due, weighed, shared
