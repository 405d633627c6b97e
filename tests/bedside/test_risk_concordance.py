"""Concordance counted in n log n is concordance counted pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.risk import concordance

patients = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(-3, 3)), min_size=1, max_size=30)


def pair_by_pair(time, event, score):
    """Harrell's definition, and the jackknife's influence of each patient, in the plainest way."""
    n = len(time)
    counts = dict.fromkeys(("concordant", "discordant", "tied_x", "tied_time", "tied_both"), 0)
    own = np.zeros((n, 3))
    for i in range(n):
        for j in range(n):
            if i < j and event[i] and event[j] and time[i] == time[j]:
                counts["tied_both" if score[i] == score[j] else "tied_time"] += 1
            sooner = time[i] < time[j] or (time[i] == time[j] and not event[j])
            if i != j and event[i] and sooner:
                kind = 0 if score[i] > score[j] else 1 if score[i] < score[j] else 2
                counts[("concordant", "discordant", "tied_x")[kind]] += 1
                own[[i, j], kind] += 1
    return counts, own


@settings(max_examples=200, deadline=None)
@given(patients)
def test_counts_and_error_equal_those_of_all_pairs(rows):
    time, event, score = (np.array(column) for column in zip(*rows, strict=True))
    counts, own = pair_by_pair(time, event, score)

    ours = concordance(time, event, score)

    assert {k: getattr(ours, k) for k in counts} == counts
    pairs = counts["concordant"] + counts["discordant"] + counts["tied_x"]
    if pairs == 0:
        assert np.isnan(ours.c) and np.isnan(ours.se)
        return
    difference = (counts["concordant"] - counts["discordant"]) / pairs
    influence = (own[:, 0] - own[:, 1] - difference * own.sum(axis=1)) / pairs
    assert ours.c == pytest.approx((counts["concordant"] + counts["tied_x"] / 2) / pairs)
    assert ours.se == pytest.approx(np.sqrt((influence**2).sum()) / 2)


def test_perfect_reversed_and_constant_scores():
    time, event = np.arange(1.0, 21.0), np.ones(20, bool)
    assert concordance(time, event, -time).c == 1
    assert concordance(time, event, time).c == 0
    assert concordance(time, event, np.zeros(20)).c == 0.5


def test_hundred_thousand_patients_are_counted_exactly():
    """Of independent columns half of the pairs agree; the total is known from the times alone."""
    rng = np.random.default_rng(0)
    n = 100_000
    time, event, score = rng.permutation(n), np.ones(n, bool), rng.integers(0, 50, n)
    ours = concordance(time, event, score)
    assert ours.concordant + ours.discordant + ours.tied_x == n * (n - 1) // 2
    size = np.bincount(score)
    assert ours.tied_x == (size * (size - 1) // 2).sum()
    assert abs(ours.c - 0.5) < 5 * ours.se
