"""Concordance against every pair looked at in turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.regression.concordance import concordance
from bedside.regression.dominance import earlier_and_lower


def every_pair(follow_up, event, score, entry, strata, weights, cluster):
    """C, its standard error and counts, pair by pair."""
    n = len(follow_up)
    good, bad, tied = np.zeros(n), np.zeros(n), np.zeros(n)
    counts = np.zeros(5)
    for i in np.flatnonzero(event):
        for j in range(n):
            if i == j or strata[i] != strata[j] or entry[j] >= follow_up[i]:
                continue
            if follow_up[j] == follow_up[i] and event[j]:
                counts[3 + (score[i] == score[j])] += weights[i] * weights[j] / 2
            elif follow_up[j] >= follow_up[i]:
                kind = (good, bad, tied)[0 if score[i] > score[j] else 1 if score[i] < score[j] else 2]
                kind[i] += weights[j]
                kind[j] += weights[i]
                counts[0 if kind is good else 1 if kind is bad else 2] += weights[i] * weights[j]
    pairs = counts[:3].sum()
    if pairs == 0:
        return np.nan, np.nan, counts
    d = (counts[0] - counts[1]) / pairs
    moved = weights * ((good - bad) - d * (good + bad + tied)) / pairs
    return (d + 1) / 2, np.sqrt((np.bincount(cluster, weights=moved) ** 2).sum()) / 2, counts


@given(seed=st.integers(0, 100_000), late=st.booleans(), many=st.integers(1, 3))
@settings(max_examples=60)
def test_equals_every_pair(seed, late, many):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 30))
    follow_up = rng.integers(1, 8, n).astype(float)
    event, score = rng.random(n) < 0.6, rng.integers(0, 5, n).astype(float)
    entry = np.where(rng.random(n) < 0.5, follow_up - rng.integers(1, 4, n), -1.0) if late else None
    strata, weights = rng.integers(0, many, n), rng.choice([0.5, 1.0, 2.0], n)
    cluster = rng.integers(0, 6, n)
    found = concordance(follow_up, event, score, entry=entry, strata=strata, weights=weights, cluster=cluster)
    begun = np.full(n, -np.inf) if entry is None else entry
    c, se, counts = every_pair(follow_up, event, score, begun, strata, weights, cluster)
    np.testing.assert_allclose([found.c, found.se], [c, se], rtol=1e-10, atol=1e-12)
    told = [found.concordant, found.discordant, found.tied_x, found.tied_time, found.tied_both]
    np.testing.assert_allclose(told, counts, atol=1e-10)


def test_time_weights_by_hand():
    """Four patients, events at 1 and 3, censored at 2 and 4; scores 4, 3, 1, 2."""
    follow_up, event = np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False])
    score = np.array([4.0, 3.0, 1.0, 2.0])
    # At 1 three pairs, all right; at 3 one pair, wrong. Censoring curve just before 3: 2/3. Survival: 3/4.
    weights = {
        "n": (1, 1),
        "S": (4 / 4, 4 * 0.75 / 2),
        "S/G": (1, 1.5 / (2 / 3)),
        "n/G2": (1, 9 / 4),
        "I": (1 / 4, 1 / 2),
    }
    for kind, (first, second) in weights.items():
        found = concordance(follow_up, event, score, time_weight=kind)
        assert found.c == pytest.approx(3 * first / (3 * first + second), rel=1e-14), kind
        assert concordance(follow_up, event, score, time_weight=kind, up_to=2.5).c == 1.0


def test_no_pair_to_compare():
    found = concordance(np.array([1.0, 2.0]), np.array([False, False]), np.array([1.0, 2.0]))
    assert np.isnan(found.c) and np.isnan(found.se) and found.concordant == 0


@given(seed=st.integers(0, 100_000))
@settings(max_examples=40)
def test_sums_of_earlier_and_lower_points(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(0, 20, 2)
    key, value, weight = rng.integers(-5, 5, n), rng.integers(0, 6, n), rng.integers(-3, 4, n).astype(float)
    at, below = rng.integers(-5, 5, m), rng.integers(0, 6, m)
    expected = [(weight * ((key < a) & (value < b))).sum() for a, b in zip(at, below, strict=True)]
    np.testing.assert_array_equal(earlier_and_lower(key, value, weight, at, below), expected)
