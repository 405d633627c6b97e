"""Exact interaction indices of a forest's risk, leaf by leaf.

As for the Shapley values a leaf counts if a coalition holds the a variables that only the patient satisfies and none of
the b that only the background patient does. The interaction index of that little game is known too: the leaf's value
times (a-2)! b! / (a+b-1)! for two of the a, a! (b-2)! / (a+b-1)! for two of the b, and minus (a-1)! (b-1)! / (a+b-1)!
for one of each.
"""

from __future__ import annotations

from functools import lru_cache
from math import factorial

import numpy as np

from bedside.explain.forest_shapley import NARROW, Leaves, reached

_ROWS = 1 << 17


def interaction_leaves(leaves: Leaves, patient: np.ndarray, value: np.ndarray, n_features: int) -> np.ndarray:
    """Sum over the leaves of the interaction indices of one patient, shape (n_features, n_features).

    Parameters
    ----------
    leaves : Leaves
    patient : array of float32, shape (n_features,)
    value : array, shape (n_leaves,)
        Of each leaf, at one time.
    n_features : int

    References
    ----------
    Grabisch & Roubens (1999), Int J Game Theory 28:547-565.
    """
    out = np.zeros((n_features, n_features))
    if not leaves.n_leaves:
        return out
    _, there, theirs = reached(leaves, patient)
    at, lacks = leaves.pair_leaf[there], leaves.lacks[there]
    both = np.bitwise_count(lacks).astype(np.int64) * (leaves.most + 1) + np.bitwise_count(theirs)
    weight = leaves.share[there] * value[at]
    joined, opposed, apart = (table.ravel()[both] * weight for table in _weights(leaves.most))
    places = _places(leaves, n_features)
    for start in range(0, len(there), _ROWS):
        rows = slice(start, start + _ROWS)
        own = _members(lacks[rows], at[rows], places, n_features)
        other = _members(theirs[rows], at[rows], places, n_features)
        mixed = (own * opposed[rows, None]).T @ other
        out += (own * joined[rows, None]).T @ own + (other * apart[rows, None]).T @ other - mixed - mixed.T
    np.fill_diagonal(out, 0.0)
    return out


def _places(leaves: Leaves, n_features: int) -> np.ndarray | None:
    """Feature of each bit of each leaf, shape (n_leaves, most); None where a bit is the feature's own."""
    if n_features <= NARROW:
        return None
    found = np.zeros((leaves.n_leaves, leaves.most), dtype=np.int64)
    found[leaves.leaf, leaves.place] = leaves.feature
    return found


def _members(bits: np.ndarray, at: np.ndarray, places: np.ndarray | None, n_features: int) -> np.ndarray:
    """Which features some bits stand for, shape (n, n_features)."""
    kind = bits.dtype.type
    if places is None:
        return ((bits[:, None] >> np.arange(n_features, dtype=kind)) & kind(1)).astype(float)
    found = np.zeros((len(bits), n_features))
    for place in range(places.shape[1]):
        row = np.flatnonzero((bits >> kind(place)) & kind(1))
        found[row, places[at[row], place]] = 1.0
    return found


@lru_cache(maxsize=64)
def _weights(most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of two of the a, one of each, and two of the b, shape (most + 1, most + 1); 0 where there are none."""
    joined, opposed, apart = np.zeros((3, most + 1, most + 1))
    for a in range(most + 1):
        for b in range(most + 1 - a):
            whole = factorial(max(a + b - 1, 0))
            if a > 1:
                joined[a, b] = factorial(a - 2) * factorial(b) / whole
            if a and b:
                opposed[a, b] = factorial(a - 1) * factorial(b - 1) / whole
            if b > 1:
                apart[a, b] = factorial(a) * factorial(b - 2) / whole
    return joined, opposed, apart
