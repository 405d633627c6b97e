"""Exact Shapley values of a forest's risk, leaf by leaf.

A leaf counts for a patient, a background patient and a coalition if each variable on its way is satisfied by whoever
lends it: the patient within the coalition, the background patient outside. So it counts exactly if the coalition holds
all variables that only the patient satisfies (a of them) and none that only the background patient does (b), provided
that each is satisfied by one of the two. The Shapley values of that little game are known: the leaf's value times
(a-1)! b! / (a+b)! for each of the a, and minus a! (b-1)! / (a+b)! for each of the b. A forest's risk is linear in the
leaves' values at every time, so the sums over leaves are made once for all times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from math import factorial

import numpy as np

from bedside.risk.forest_arrays import Trees

MOST_ON_A_WAY = 60
"""Different variables on the way to one leaf: each has a bit of a 64-bit number."""
NARROW = 14
"""Features up to which a bit stands for the same feature in every leaf, and sets of them have a table."""
_CELLS = 20_000_000


class TooDeep(ValueError):
    """A leaf's way asks for more variables than there are bits."""


@dataclass(frozen=True, eq=False)
class Leaves:
    """A forest's leaves beside some background patients.

    An entry is a variable on the way to a leaf, with the interval (low, high] that the way asks for; it has a bit among
    those of its leaf. A pair is a leaf and a set of its variables that some background patients do not satisfy.

    Attributes
    ----------
    leaf, feature : arrays of int, shape (n_entries,)
    low, high : arrays, shape (n_entries,)
    bit : array of unsigned int, shape (n_entries,)
        1, 2, 4, ... within a leaf; with few features, that of the feature in every leaf.
    first : array of int, shape (n_leaves,)
        First entry of each leaf.
    pair_leaf : array of int, shape (n_pairs,)
        Ascending.
    lacks : array of unsigned int, shape (n_pairs,)
        Bits of the variables that those background patients do not satisfy.
    share : array, shape (n_pairs,)
        Share of the background patients.
    row : array of int, shape (n_leaves,)
        Row of each leaf in the trees' `value`.
    place : array of int, shape (n_entries,)
        Which entry of its leaf each is, from 0.
    count : array of int, shape (n_leaves,)
        Pairs of each leaf.
    most : int
        Largest number of entries of a leaf.
    """

    leaf: np.ndarray = field(repr=False)
    feature: np.ndarray = field(repr=False)
    low: np.ndarray = field(repr=False)
    high: np.ndarray = field(repr=False)
    bit: np.ndarray = field(repr=False)
    first: np.ndarray = field(repr=False)
    pair_leaf: np.ndarray = field(repr=False)
    lacks: np.ndarray = field(repr=False)
    share: np.ndarray = field(repr=False)
    row: np.ndarray = field(repr=False)
    place: np.ndarray = field(repr=False)
    count: np.ndarray = field(repr=False)
    most: int

    @property
    def n_leaves(self) -> int:
        """Leaves that are not the only one of their tree."""
        return len(self.first)


def leaves_beside(trees: Trees, background: np.ndarray) -> Leaves:
    """Everything about a forest and its background patients that does not depend on the patient explained.

    Parameters
    ----------
    trees : Trees
    background : array of float32, shape (n_background, n_features)

    Raises
    ------
    TooDeep
        If more than 60 variables are asked for on the way to a leaf.
    """
    leaf, feature, low, high, row = _ways(trees)
    if not len(leaf):
        none, whole = np.empty(0), np.empty(0, dtype=np.int64)
        bits = np.empty(0, dtype=np.uint16)
        return Leaves(whole, whole, none, none, bits, whole, whole, bits, none, whole, whole, whole, 0)
    first = np.flatnonzero(np.r_[True, leaf[1:] != leaf[:-1]])
    place = np.arange(len(leaf)) - first[leaf]
    most = int(place.max()) + 1
    if most > MOST_ON_A_WAY:
        raise TooDeep
    bits = place
    if background.shape[1] <= NARROW:
        bits = feature
    kind = np.uint16 if int(bits.max()) < 16 else np.uint32 if int(bits.max()) < 32 else np.uint64
    bit = np.left_shift(np.ones(len(place), dtype=kind), bits.astype(kind))
    pairs = _pairs(leaf, feature, low, high, bit, first, np.asarray(background, dtype=np.float32))
    return Leaves(leaf, feature, low, high, bit, first, *pairs, row, place, np.bincount(pairs[0]), most)


def shapley_leaves(leaves: Leaves, patient: np.ndarray, value: np.ndarray, n_features: int) -> np.ndarray:
    """Sum over the leaves of the Shapley values of one patient, shape (n_times, n_features).

    Parameters
    ----------
    leaves : Leaves
    patient : array of float32, shape (n_features,)
    value : array, shape (n_times, n_leaves)
        Of each leaf of `leaves`, at each time.
    n_features : int
    """
    out = np.zeros((len(value), n_features))
    if not leaves.n_leaves:
        return out
    unmet, there, theirs = reached(leaves, patient)
    at, lacks, share = leaves.pair_leaf[there], leaves.lacks[there], leaves.share[there]
    # How many variables only the patient satisfies, and only those background patients; as one place in a table.
    both = np.bitwise_count(lacks).astype(np.int64) * (leaves.most + 1) + np.bitwise_count(theirs)
    gains, losses = _weights(leaves.most)
    gain, loss = share * gains.ravel()[both], share * losses.ravel()[both]
    if n_features <= NARROW:
        return _by_set(lacks, theirs, gain, loss, (each[at] for each in value), n_features)
    start = np.flatnonzero(np.diff(at, prepend=-1))
    each, lost = np.zeros((leaves.most, leaves.n_leaves)), np.zeros(leaves.n_leaves)
    if len(start):
        lost[at[start]] = np.add.reduceat(loss, start)
        for place in range(leaves.most):
            holds = (lacks >> lacks.dtype.type(place)) & lacks.dtype.type(1)
            each[place, at[start]] = np.add.reduceat(gain * holds, start)
    weight = np.where(unmet, -lost[leaves.leaf], each[leaves.place, leaves.leaf])
    some = np.flatnonzero(weight)
    feature, leaf, weight = leaves.feature[some], leaves.leaf[some], weight[some]
    for i, values in enumerate(value):
        out[i] = np.bincount(feature, weight * values[leaf], n_features)
    return out


def reached(leaves: Leaves, patient: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Entries a patient does not satisfy, pairs that some coalition reaches, and their bits of the patient's lacks."""
    own = np.asarray(patient, dtype=np.float32)[leaves.feature]
    unmet = (own <= leaves.low) | (own > leaves.high)
    need = np.add.reduceat(np.where(unmet, leaves.bit, leaves.bit.dtype.type(0)), leaves.first, dtype=leaves.bit.dtype)
    every = np.repeat(need, leaves.count)
    there = np.flatnonzero((every & leaves.lacks) == 0)
    return unmet, there, every[there]


def _by_set(
    lacks: np.ndarray, theirs: np.ndarray, gain: np.ndarray, loss: np.ndarray, values: Iterable[np.ndarray], p: int
) -> np.ndarray:
    """Where bits stand for features: what every set of features gains and loses, then shared out, shape (t, p)."""
    member = ((np.arange(1 << p)[:, None] >> np.arange(p)) & 1).astype(float)
    out = [
        (np.bincount(lacks, gain * value, 1 << p) - np.bincount(theirs, loss * value, 1 << p)) @ member
        for value in values
    ]
    return np.array(out)


def _ways(trees: Trees) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Entries in the order of leaf and feature, and the row of each leaf in `value`; lone leaves are left out."""
    n = len(trees.left)
    nodes = np.arange(n)
    inner = np.flatnonzero(trees.left != nodes)
    parent = np.full(n, -1)
    parent[trees.left[inner]] = inner
    parent[trees.right[inner]] = inner
    ends = np.flatnonzero((trees.leaf >= 0) & (parent >= 0))
    here, leaf = ends.copy(), np.arange(len(ends))
    parts: list[tuple[np.ndarray, ...]] = []
    while len(here):
        above = parent[here]
        leaf, here, above = leaf[above >= 0], here[above >= 0], above[above >= 0]
        went_left = trees.left[above] == here
        split = trees.threshold[above]
        parts.append(
            (leaf, trees.feature[above], np.where(went_left, -np.inf, split), np.where(went_left, split, np.inf))
        )
        here = above
    if not parts:
        none = np.empty(0, dtype=np.int64)
        return none, none, np.empty(0), np.empty(0), none
    leaf, feature, low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((feature, leaf))
    leaf, feature, low, high = leaf[order], feature[order].astype(np.int64), low[order], high[order]
    start = np.flatnonzero(np.r_[True, (leaf[1:] != leaf[:-1]) | (feature[1:] != feature[:-1])])
    return (
        leaf[start],
        feature[start],
        np.maximum.reduceat(low, start),
        np.minimum.reduceat(high, start),
        trees.leaf[ends].astype(np.int64),
    )


def _pairs(
    leaf: np.ndarray, feature: np.ndarray, low: np.ndarray, high: np.ndarray, bit: np.ndarray,
    first: np.ndarray, background: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Leaf, bits not satisfied and share of the background patients, some leaves at a time."""
    count, ends = len(background), np.r_[first[1:], len(leaf)]
    found = []
    begin = 0
    while begin < len(first):
        stop = int(np.searchsorted(ends, first[begin] + max(_CELLS // count, 1), side="right"))
        stop = max(stop, begin + 1)
        at = slice(first[begin], ends[stop - 1])
        values = background[:, feature[at]].T
        lacking = (values <= low[at, None]) | (values > high[at, None])
        bits = np.where(lacking, bit[at, None], bit.dtype.type(0))
        sets = np.sort(np.add.reduceat(bits, first[begin:stop] - first[begin], axis=0, dtype=bit.dtype), axis=1)
        new = np.ones(sets.shape, dtype=bool)
        new[:, 1:] = sets[:, 1:] != sets[:, :-1]
        where = np.flatnonzero(new)
        many = np.diff(np.r_[where, new.size])
        found.append((begin + where // count, sets.ravel()[where], many / count))
        begin = stop
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


@lru_cache(maxsize=64)
def _weights(most: int) -> tuple[np.ndarray, np.ndarray]:
    """(a-1)! b! / (a+b)! and a! (b-1)! / (a+b)!, shape (most + 1, most + 1); 0 where a or b is."""
    gains, losses = np.zeros((2, most + 1, most + 1))
    for a in range(most + 1):
        for b in range(most + 1 - a):
            if a:
                gains[a, b] = factorial(a - 1) * factorial(b) / factorial(a + b)
            if b:
                losses[a, b] = factorial(a) * factorial(b - 1) / factorial(a + b)
    return gains, losses
