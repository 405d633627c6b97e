"""Harrell's concordance with its standard error, in n log n."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.survival.checks import merge_ties


@dataclass(frozen=True)
class Concordance:
    """How well a score ranks patients.

    Attributes
    ----------
    c : float
        Harrell's C: share of comparable pairs in which the patient with the higher score had the event
        first, ties of the score counting half. NaN if no pair is comparable.
    se : float
        Its standard error by the infinitesimal jackknife.
    concordant, discordant, tied_x : int
        Comparable pairs in the right order, in the wrong order, and with the same score.
    tied_time : int
        Pairs with events at the same time and different scores, which are not compared.
    tied_both : int
        Pairs with events at the same time and the same score, which are not compared.
    """

    c: float
    se: float
    concordant: int
    discordant: int
    tied_x: int
    tied_time: int
    tied_both: int


def concordance(time: np.ndarray, event: np.ndarray, score: np.ndarray) -> Concordance:
    """Harrell's C of a score for which higher means sooner.

    Parameters
    ----------
    time : array, shape (n,)
        Follow-up, any unit.
    event : array of bool, shape (n,)
        True where the event was seen at `time`.
    score : array, shape (n,)
        Risk, linear predictor or any other ranking; only its order counts.

    Returns
    -------
    Concordance
        With counts of pairs; a pair is comparable if the shorter follow-up ended in the event. A censoring
        at the time of an event counts as longer.

    References
    ----------
    Harrell, Califf, Pryor, Lee & Rosati (1982), JAMA 247:2543-2546. Therneau & Atkinson, vignette
    "Concordance" of R's survival. R: ``concordance(Surv(time, event) ~ score, reverse = TRUE)``.
    """
    time, score = merge_ties(np.asarray(time, dtype=float)), np.asarray(score, dtype=float)
    event = np.asarray(event, dtype=bool)
    seen_at = np.unique(time, return_inverse=True)[1] * 2 + ~event  # an event precedes a tied censoring
    value = np.unique(score, return_inverse=True)[1]
    everyone = np.ones(len(time), dtype=bool)
    # As the later one of a pair, and, where the event was seen, as the earlier one.
    wrong = _before_and_below(seen_at, value, event) + event * _before_and_below(-seen_at, -value, everyone)
    right = _before_and_below(seen_at, -value, event) + event * _before_and_below(-seen_at, value, everyone)
    comparable = _before(seen_at, event) + event * _before(-seen_at, everyone)
    concordant, discordant, pairs = int(right.sum()) // 2, int(wrong.sum()) // 2, int(comparable.sum()) // 2
    tied_both = _pairs_within(seen_at[event] * (int(value.max(initial=0)) + 1) + value[event])
    tied_time = _pairs_within(seen_at[event]) - tied_both
    if pairs == 0:
        return Concordance(float("nan"), float("nan"), 0, 0, 0, tied_time, tied_both)
    difference = (concordant - discordant) / pairs
    influence = ((right - wrong) - difference * comparable) / pairs
    return Concordance(
        c=(difference + 1) / 2,
        se=float(np.sqrt((influence**2).sum())) / 2,
        concordant=concordant,
        discordant=discordant,
        tied_x=pairs - concordant - discordant,
        tied_time=tied_time,
        tied_both=tied_both,
    )


def _pairs_within(key: np.ndarray) -> int:
    size = np.unique(key, return_counts=True)[1]
    return int((size * (size - 1) // 2).sum())


def _before(key: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """For each entry, how many counted entries have a smaller key."""
    return np.searchsorted(np.sort(key[counted]), key, side="left")


def _before_and_below(key: np.ndarray, value: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """For each entry, how many counted entries have both a smaller key and a smaller value.

    Entries stand in the order of their keys; going through the bits of that position from the highest,
    each half is split off in the order of values and every entry of a right half counts the entries of its
    left half that are below. That is a merge sort read from its end: n log n, without a loop over patients.
    """
    n = len(key)
    order = np.lexsort((-value, key))  # ties of the key: higher values first, so that none is below
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    # Ties of the value: later places first, for the same reason.
    row = place[np.lexsort((-place, value))]
    is_counted = counted[order].astype(np.int64)
    below = np.zeros(n, dtype=np.int64)
    index = np.arange(n)
    for bit in reversed(range(int(n - 1).bit_length() if n > 1 else 0)):
        on_right = (row >> bit) & 1
        start = (row >> (bit + 1)) << (bit + 1)  # each block holds all its places, so it begins at its first
        left = np.where(on_right, 0, is_counted[row])
        before = np.cumsum(left) - left
        below[row] += on_right * (before - before[start])
        lefts = np.cumsum(1 - on_right) - (1 - on_right)
        rank = lefts - lefts[start]
        target = start + np.where(on_right, (1 << bit) + (index - start) - rank, rank)
        split = np.empty_like(row)
        split[target] = row
        row = split
    return below[place]
