"""Sums over pairs of points without a loop over them: who comes earlier, and who also lies lower."""

from __future__ import annotations

import numpy as np


def earlier(
    group: np.ndarray, key: np.ndarray, weight: np.ndarray, query_group: np.ndarray, query_key: np.ndarray
) -> np.ndarray:
    """For each query, the sum of weights of the points of its group that have a smaller key.

    Parameters
    ----------
    group, query_group : arrays of int
        From 0.
    key, query_key : arrays of int
    weight : array
    """
    low = min(int(key.min(initial=0)), int(query_key.min(initial=0)))
    width = max(int(key.max(initial=0)), int(query_key.max(initial=0))) - low + 2
    place = group * width + (key - low)
    order = np.argsort(place, kind="stable")
    total = np.concatenate(([0.0], np.cumsum(weight[order])))
    upto = np.searchsorted(place[order], query_group * width + (query_key - low))
    begin = np.searchsorted(place[order], query_group * width)
    return total[upto] - total[begin]


def earlier_and_lower(
    key: np.ndarray, value: np.ndarray, weight: np.ndarray, query_key: np.ndarray, query_value: np.ndarray
) -> np.ndarray:
    """For each query, the sum of weights of the points that have both a smaller key and a smaller value.

    Points and queries stand in the order of their keys; going through the bits of that position from the highest,
    each half is split off in the order of values and every query of a right half adds what its left half holds
    below it. That is a merge sort read from its end: n log n, without a loop over points.
    """
    n_points, n = len(key), len(key) + len(query_key)
    if not n_points or n == n_points:
        return np.zeros(n - n_points)
    is_point = np.arange(n) < n_points
    keys, values = np.concatenate((key, query_key)), np.concatenate((value, query_value))
    # Queries come first among equals, so that no point that is merely equal counts.
    order = np.lexsort((is_point, keys))
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    row = place[np.lexsort((is_point, values))]
    held = np.concatenate((weight, np.zeros(n - n_points)))[order]
    found = np.zeros(n)
    index = np.arange(n)
    for bit in reversed(range(int(n - 1).bit_length())):
        right = (row >> bit) & 1
        block = (row >> (bit + 1)) << (bit + 1)  # each block holds all its places, so it begins at its first
        left = np.where(right, 0.0, held[row])
        before = np.cumsum(left) - left
        found[row] += right * (before - before[block])
        lefts = np.cumsum(1 - right) - (1 - right)
        rank = lefts - lefts[block]
        target = block + np.where(right, (1 << bit) + (index - block) - rank, rank)
        split = np.empty_like(row)
        split[target] = row
        row = split
    return found[place[n_points:]]
