"""Tests of whether levels are distributed alike in two or more groups, equal to R's."""

from __future__ import annotations

import math

import numpy as np

from bedside.cohort.compare_groups.comparison import Comparison, not_possible
from bedside.cohort.compare_groups.fisher import fisher_p
from bedside.tails import chi2_tail

ONE_LINE = "there is only one group, or only one level, with patients"


def trimmed(table: np.ndarray) -> np.ndarray:
    """The table without levels and groups that nobody is in; they say nothing, and would leave R without an answer."""
    table = np.asarray(table)
    return table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]


def expected(table: np.ndarray) -> np.ndarray:
    """Counts to be expected if levels and groups had nothing to do with each other, same shape."""
    table = np.asarray(table, dtype=float)
    return np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()


def chi_squared(table: np.ndarray, *, yates: bool = False) -> Comparison:
    """Pearson's chi-squared test of a table of counts.

    Parameters
    ----------
    table : int array, shape (n_levels, n_groups)
        Patients. Empty levels and groups are left out.
    yates : bool, default False
        Continuity correction; as in R it changes tables of two by two only.

    Returns
    -------
    Comparison
        Chi-squared, degrees of freedom and p.

    References
    ----------
    Pearson (1900), Phil Mag 50:157-175; Yates (1934), Suppl J R Stat Soc 1:217-235.
    R: ``chisq.test(table, correct = )``.
    """
    key = "chisq_yates" if yates else "chisq"
    name = f"chi-squared test with{'' if yates else 'out'} Yates' correction"
    table = trimmed(table)
    if min(table.shape, default=0) < 2:
        return not_possible(key, name, ONE_LINE)
    wanted = expected(table)
    apart = np.abs(table - wanted)
    if yates and table.shape == (2, 2):
        apart = apart - min(0.5, float(apart.min()))
    if table.shape != (2, 2):
        name = "chi-squared test"
    statistic = float((apart**2 / wanted).sum())
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    note = "some expected counts are below 5" if (wanted < 5).any() else ""
    return Comparison(key, name, statistic, (float(df),), chi2_tail(statistic, df), note)


def fisher(table: np.ndarray, *, most: int | None = None) -> Comparison:
    """Fisher's exact test of a table of any size.

    Parameters
    ----------
    table : int array, shape (n_levels, n_groups)
        Patients. Empty levels and groups are left out.
    most : int, optional
        How much work is accepted, see `fisher_p`.

    Returns
    -------
    Comparison
        p alone. A table too large to enumerate gives NaN and says so.

    References
    ----------
    Fisher (1934), Statistical Methods for Research Workers, 5th ed; Freeman & Halton (1951), Biometrika 38:141-149.
    R: ``fisher.test(table)``.
    """
    key, name = "fisher", "Fisher's exact test"
    table = trimmed(table)
    if min(table.shape, default=0) < 2:
        return not_possible(key, name, ONE_LINE)
    p = fisher_p(table) if most is None else fisher_p(table, most=most)
    if p is None:
        return not_possible(key, name, "the table is too large for an exact test")
    return Comparison(key, name, math.nan, (), p)


def all_count_tests(table: np.ndarray, *, most: int | None = None) -> tuple[Comparison, ...]:
    """Every test of a table of counts, Fisher's last; Yates' correction only for two by two."""
    plain = chi_squared(table)
    yates = (chi_squared(table, yates=True),) if trimmed(table).shape == (2, 2) else ()
    return (plain, *yates, fisher(table, most=most))
