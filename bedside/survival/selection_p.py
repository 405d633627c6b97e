"""The chance of a large statistic somewhere, when the best of many cut-points was chosen."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import gammaln, ndtr, roots_legendre

from bedside.errors import Fixable

Correction = Literal["lausen-1994", "lausen-1992", "gauss", "permutation", "exact"]

MOST_CUTS, MOST_PATIENTS = 500, 200
CELLS = 1 << 22
"""Shuffled scores that are held at once."""


def corrected_p(
    b: float,
    scores: np.ndarray,
    below: np.ndarray,
    low_share: float,
    high_share: float,
    correction: Correction,
    *,
    draws: int = 10_000,
    seed: int = 0,
) -> float:
    """The p-value of a maximally selected statistic b; a bound may exceed 1.

    Parameters
    ----------
    b : float
        The largest standardised statistic.
    scores : array, shape (n_patients,)
        Scores in the order of the value that is cut.
    below : int array, shape (n_cuts,)
        Patients at or below each cut, ascending.
    low_share, high_share, correction, draws, seed
        As in `best_cut`.

    Raises
    ------
    Fixable
        If the correction is too costly for so many cut-points or patients.

    References
    ----------
    See `best_cut`. R: ``maxstat:::pLausen94``, ``pLausen92``, ``pexactgauss``, ``pmaxperm``, ``pmaxstat``.
    """
    n = len(scores)
    if correction == "lausen-1992":
        return lausen_1992(b, low_share, high_share)
    if correction == "lausen-1994":
        return lausen_1994(b, n, below)
    if correction == "gauss":
        return _gauss(b, n, below)
    if correction == "permutation":
        return _permuted(b, scores, below, draws, seed)
    return _exact(b, scores, below)


def lausen_1994(b: float, n: int, below: np.ndarray) -> float:
    """Improved Bonferroni bound from neighbouring cut-points."""
    first, second = below[:-1].astype(float), below[1:].astype(float)
    t = np.sqrt(1 - first * (n - second) / ((n - first) * second))
    more = np.sum(np.exp(-(b**2) / 2) / np.pi * (t - (b**2 / 4 - 1) * t**3 / 6))
    return float(2 * ndtr(-b) + more)


def lausen_1992(b: float, low_share: float, high_share: float) -> float:
    """Limit for many patients and as many different values."""
    if b < 1:
        return 1.0
    density = np.exp(-(b**2) / 2) / np.sqrt(2 * np.pi)
    width = np.log(high_share * (1 - low_share) / ((1 - high_share) * low_share))
    return float(max(4 * density / b + density * (b - 1 / b) * width, 0))


def _gauss(b: float, n: int, below: np.ndarray) -> float:
    """Exceedance of correlated normal statistics, which form a Markov chain: one integral after another."""
    if len(below) > MOST_CUTS:
        raise Fixable(
            "No corrected p-value.",
            f"There are {len(below):,} cut-points, and this correction takes {MOST_CUTS} at most.",
            "Choose the correction of Lausen and Schumacher (1994), which takes any number.",
        )
    # Correlation of neighbours: root of odds of lying below over odds of lying below the next.
    odds = below / (n - below)
    step = np.sqrt(odds[:-1] / odds[1:])
    spread = np.sqrt(1 - step**2)
    # Nodes closer than the spread of a step: the integrals are then exact to ten digits.
    size = int(np.clip(np.ceil(4 * b / spread.min(initial=1.0)), 48, 1200))
    node, weight = roots_legendre(size)
    node, weight = b * node, b * weight
    density = np.exp(-(node**2) / 2) / np.sqrt(2 * np.pi)
    beyond = float(2 * ndtr(-b))
    for rho, sd in zip(step, spread, strict=True):
        beyond += float((weight * density) @ (ndtr((-b - rho * node) / sd) + ndtr((rho * node - b) / sd)))
        gap = (node[:, None] - rho * node) / sd
        density = np.exp(-(gap**2) / 2) @ (weight * density) / (sd * np.sqrt(2 * np.pi))
    return beyond


def _permuted(b: float, scores: np.ndarray, below: np.ndarray, draws: int, seed: int) -> float:
    """Share of shuffles whose largest statistic reaches b; what was seen counts as one of them, so it is never 0."""
    n, shuffle = len(scores), np.random.default_rng(seed)
    mean = below / n * scores.sum()
    spread = np.sqrt(below * (n - below) / (n**2 * (n - 1)) * (n * (scores**2).sum() - scores.sum() ** 2))
    reached, done = 1, 0
    while done < draws:
        rows = min(draws - done, max(1, CELLS // n))
        shuffled = shuffle.permuted(np.broadcast_to(scores, (rows, n)), axis=1)
        largest = np.abs((np.cumsum(shuffled, axis=1)[:, below - 1] - mean) / spread).max(axis=1)
        reached += int((largest >= b * (1 - 1e-12)).sum())
        done += rows
    return reached / (draws + 1)


def _exact(b: float, scores: np.ndarray, below: np.ndarray) -> float:
    """Hothorn and Lausen's bound from the permutation distribution of sums of whole-number scores.

    Each cut adds the chance that its own statistic exceeds b, less the part
    that the cut of one patient fewer has counted already.
    """
    n = len(scores)
    if n > MOST_PATIENTS:
        raise Fixable(
            "No corrected p-value.",
            f"There are {n:,} patients, and this correction takes {MOST_PATIENTS} at most.",
            "Choose the correction of Lausen and Schumacher (1994), which takes any number.",
        )
    whole = (scores - scores.min()).astype(np.int64)
    size, total = np.arange(1, n), int(whole.sum())
    chance = _chances(whole, total)[1:n]
    mean = size / n * total
    spread = np.sqrt(size * (n - size) / (n**2 * (n - 1)) * (n * (whole**2.0).sum() - float(total) ** 2))
    value = np.arange(1, total + 1)
    chance, occurs = chance[:, 1:], chance[:, 1:] > 0
    statistic = np.where(occurs, np.abs((value - mean[:, None]) / spread[:, None]), 0.0)
    if len(below) == 1:
        row = below[0] - 1
        return float(chance[row, statistic[row] >= b * (1 - 1e-12)].sum())
    chance = np.where(statistic > b, chance, 0.0)
    due = chance.sum(axis=1)
    for i in range(below[0] - 1, n - 2):
        due[i + 1] -= _counted(chance[i], statistic[i + 1], value, mean[i], whole.max(), b)
    return float(due[below - 1].sum())


def _counted(
    chance: np.ndarray, following: np.ndarray, value: np.ndarray, mean: float, largest: int, b: float
) -> float:
    """Chance of exceeding b with one patient fewer and, whoever comes next, again."""
    low = np.flatnonzero((chance > 0) & (value < mean))
    low = low[low + largest < len(following)]
    low = low[following[low + largest] > b]
    high = np.flatnonzero((chance > 0) & (value > mean))
    high = high[following[high] > b]
    return float(chance[low].sum() + chance[high].sum())


def _chances(whole: np.ndarray, total: int) -> np.ndarray:
    """Chance that m of the patients, drawn at random, have scores that add up to s; shape (n + 1, total + 1)."""
    n = len(whole)
    ways = np.zeros((n + 1, total + 1))
    ways[0, 0] = 1.0
    reach = 0
    for i, score in enumerate(np.sort(whole)):
        reach += int(score)
        ways[1 : i + 2, score : reach + 1] += ways[: i + 1, : reach + 1 - score].copy()
    m = np.arange(n + 1)
    return ways * np.exp(gammaln(m + 1) + gammaln(n - m + 1) - gammaln(n + 1))[:, None]
