"""Tests of whether a number is distributed alike in two or more groups, equal to R's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import ndtr, stdtr

from bedside.cohort.compare_groups.comparison import Comparison, not_possible
from bedside.tails import chi2_tail, f_tail, mean_ranks

FEWEST = 2
EXACT_BELOW = 50
"""R's own bound: below it, and without ties, ``wilcox.test`` gives the exact p."""

Samples = Sequence[np.ndarray]


def welch(first: np.ndarray, second: np.ndarray) -> Comparison:
    """Welch's t test: unequal variances.

    Parameters
    ----------
    first, second : arrays, shapes (n1,), (n2,)
        Values of the two groups, none missing.

    Returns
    -------
    Comparison
        t, its degrees of freedom and the two-sided p. NaN with a note where
        a group has fewer than two values or nothing varies.

    References
    ----------
    Welch (1947), Biometrika 34:28-35. R: ``t.test(x ~ g)``.
    """
    if (stop := _stop("welch", "Welch's t test", (first, second), FEWEST)) is not None:
        return stop
    a, b = (sample.var(ddof=1) / len(sample) for sample in (first, second))
    df = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
    return _t("welch", "Welch's t test", first, second, math.sqrt(a + b), df)


def student(first: np.ndarray, second: np.ndarray) -> Comparison:
    """Student's t test: one variance for both groups.

    References
    ----------
    R: ``t.test(x ~ g, var.equal = TRUE)``.
    """
    if (stop := _stop("student", "Student's t test", (first, second), 1)) is not None:
        return stop
    df = len(first) + len(second) - 2
    if not df:
        return not_possible("student", "Student's t test", "there is one value in each group")
    pooled = _within((first, second)) / df
    error = math.sqrt(pooled * (1 / len(first) + 1 / len(second)))
    return _t("student", "Student's t test", first, second, error, df)


def _t(key: str, name: str, first: np.ndarray, second: np.ndarray, error: float, df: float) -> Comparison:
    means = float(first.mean()), float(second.mean())
    if error < 10 * np.finfo(float).eps * max(abs(means[0]), abs(means[1])) or error == 0:
        return not_possible(key, name, "the values do not vary within the groups")
    statistic = (means[0] - means[1]) / error
    return Comparison(key, name, statistic, (float(df),), float(2 * stdtr(df, -abs(statistic))))


def wilcoxon(first: np.ndarray, second: np.ndarray, *, correct: bool = True) -> Comparison:
    """Wilcoxon's rank-sum test (Mann-Whitney) by its normal approximation, ties allowed for.

    Parameters
    ----------
    first, second : arrays, shapes (n1,), (n2,)
        Values of the two groups, none missing.
    correct : bool, default True
        Continuity correction of one half.

    Returns
    -------
    Comparison
        ``statistic`` is R's W: pairs in which the first group's value is larger, ties counted half.

    References
    ----------
    Wilcoxon (1945), Biometrics Bull 1:80-83; Mann & Whitney (1947), Ann Math Stat 18:50-60.
    R: ``wilcox.test(x ~ g, exact = FALSE, correct = )``.
    """
    key = "wilcoxon_corrected" if correct else "wilcoxon"
    name = f"Wilcoxon rank-sum test {'with' if correct else 'without'} continuity correction"
    if (stop := _stop(key, name, (first, second), 1)) is not None:
        return stop
    m, n = float(len(first)), float(len(second))
    ranks = mean_ranks(np.concatenate((first, second)))
    w = float(ranks[: len(first)].sum() - m * (m + 1) / 2)
    spread = math.sqrt(m * n / 12 * ((m + n + 1) - _tied(ranks) / ((m + n) * (m + n - 1))))
    z = w - m * n / 2
    z = (z - np.sign(z) * 0.5 * correct) / spread
    return Comparison(key, name, w, (), float(min(1.0, 2 * ndtr(-abs(z)))) if z else 1.0)


def wilcoxon_exact(first: np.ndarray, second: np.ndarray) -> Comparison:
    """Wilcoxon's rank-sum test from every arrangement of the ranks; for small groups without ties.

    References
    ----------
    R: ``wilcox.test(x ~ g, exact = TRUE)``.
    """
    key, name = "wilcoxon_exact", "exact Wilcoxon rank-sum test"
    if (stop := _stop(key, name, (first, second), 1)) is not None:
        return stop
    if max(len(first), len(second)) >= EXACT_BELOW:
        return not_possible(key, name, f"it is for groups of fewer than {EXACT_BELOW}")
    both = np.concatenate((first, second))
    if len(np.unique(both)) < len(both):
        return not_possible(key, name, "some values are equal")
    from scipy.stats import mannwhitneyu  # half a second, for a test of small groups only

    found = mannwhitneyu(first, second, method="exact")
    return Comparison(key, name, float(found.statistic), (), float(found.pvalue))


def kruskal_wallis(samples: Samples) -> Comparison:
    """Kruskal-Wallis rank test of any number of groups, ties allowed for.

    Parameters
    ----------
    samples : sequence of arrays
        Values of each group, none missing. Empty groups are left out.

    References
    ----------
    Kruskal & Wallis (1952), JASA 47:583-621. R: ``kruskal.test(x, g)``.
    """
    key, name = "kruskal", "Kruskal-Wallis test"
    samples = [sample for sample in samples if len(sample)]
    if (stop := _stop(key, name, samples, 1)) is not None:
        return stop
    ranks = mean_ranks(np.concatenate(samples))
    n = float(len(ranks))
    sizes = np.array([len(sample) for sample in samples])
    sums = np.add.reduceat(ranks, np.concatenate(([0], np.cumsum(sizes)[:-1])))
    raw = 12 * float((sums**2 / sizes).sum()) / (n * (n + 1)) - 3 * (n + 1)
    statistic = raw / (1 - _tied(ranks) / (n**3 - n))
    df = len(samples) - 1
    return Comparison(key, name, statistic, (float(df),), chi2_tail(statistic, df))


def anova(samples: Samples) -> Comparison:
    """One-way analysis of variance, one variance for all groups.

    References
    ----------
    R: ``oneway.test(x ~ g, var.equal = TRUE)``, or ``anova(lm(x ~ g))``.
    """
    key, name = "anova", "analysis of variance"
    samples = [sample for sample in samples if len(sample)]
    if (stop := _stop(key, name, samples, 1)) is not None:
        return stop
    n, k = sum(len(sample) for sample in samples), len(samples)
    within = _within(samples)
    if n == k or within == 0:
        return not_possible(key, name, "the values do not vary within the groups")
    overall = np.concatenate(samples).mean()
    between = sum(len(sample) * (sample.mean() - overall) ** 2 for sample in samples)
    statistic = float(between / (k - 1) / (within / (n - k)))
    return Comparison(key, name, statistic, (float(k - 1), float(n - k)), f_tail(statistic, k - 1, n - k))


def welch_anova(samples: Samples) -> Comparison:
    """One-way analysis of variance with a variance for each group.

    References
    ----------
    Welch (1951), Biometrika 38:330-336. R: ``oneway.test(x ~ g)``.
    """
    key, name = "welch_anova", "Welch's analysis of variance"
    samples = [sample for sample in samples if len(sample)]
    if (stop := _stop(key, name, samples, FEWEST)) is not None:
        return stop
    variances = np.array([sample.var(ddof=1) for sample in samples])
    if (variances == 0).any():
        return not_possible(key, name, "the values of a group do not vary")
    sizes, means = np.array([len(sample) for sample in samples]), np.array([sample.mean() for sample in samples])
    k, weight = len(samples), sizes / variances
    spread = float(((1 - weight / weight.sum()) ** 2 / (sizes - 1)).sum() / (k**2 - 1))
    centre = (weight * means).sum() / weight.sum()
    statistic = float((weight * (means - centre) ** 2).sum() / ((k - 1) * (1 + 2 * (k - 2) * spread)))
    df = 1 / (3 * spread)
    return Comparison(key, name, statistic, (float(k - 1), df), f_tail(statistic, k - 1, df))


def all_number_tests(samples: Samples) -> tuple[Comparison, ...]:
    """Every test of a number in these groups; those for two groups only where there are two."""
    for_two: tuple[Callable[..., Comparison], ...] = (welch, student, wilcoxon, _uncorrected, wilcoxon_exact)
    two = tuple(test(*samples) for test in for_two) if len(samples) == 2 else ()
    return (*two, kruskal_wallis(samples), anova(samples), welch_anova(samples))


def _uncorrected(first: np.ndarray, second: np.ndarray) -> Comparison:
    return wilcoxon(first, second, correct=False)


def _within(samples: Samples) -> float:
    return float(sum(((sample - sample.mean()) ** 2).sum() for sample in samples))


def _tied(ranks: np.ndarray) -> float:
    counts = np.unique(ranks, return_counts=True)[1].astype(float)
    return float((counts**3 - counts).sum())


def _stop(key: str, name: str, samples: Samples, fewest: int) -> Comparison | None:
    if len(samples) < 2:
        return not_possible(key, name, "there is only one group with values")
    if min(len(sample) for sample in samples) < fewest:
        return not_possible(key, name, "a group has too few values")
    low, high = min(sample.min() for sample in samples), max(sample.max() for sample in samples)
    return not_possible(key, name, "all values are equal") if low == high else None
