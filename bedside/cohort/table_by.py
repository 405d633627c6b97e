"""Table 1 by group: every variable in every group, the tests, and how far the groups lie apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bedside.cohort.cohort import Cohort
from bedside.cohort.compare_groups.comparison import Comparison
from bedside.cohort.compare_groups.counts import all_count_tests, chi_squared, expected, fisher, trimmed
from bedside.cohort.compare_groups.differences import Difference, difference_of_levels, difference_of_numbers
from bedside.cohort.compare_groups.numbers import all_number_tests, kruskal_wallis, wilcoxon
from bedside.cohort.groups import Grouping
from bedside.cohort.variable import Variable
from bedside.errors import Fixable

SKEWED = 1.0
"""A skewness beyond this, either way, and a mean with its standard deviation misleads."""
FEWEST_FOR_MEANS = 10
"""With fewer values in a group nobody can tell how they are distributed, so ranks are compared."""
QUICK, PATIENT = 20_000, 100_000
"""Work accepted for an exact test that is not the one shown, and for the one that is; see `fisher_p`."""


@dataclass(frozen=True)
class Numbers:
    """A continuous variable in one group.

    Attributes
    ----------
    n, missing : int
        Patients in whom it was recorded, and in whom it was not.
    mean, sd, median, q1, q3, min, max : float
        In the variable's unit; ``sd`` with n - 1, quartiles as R's type 7. NaN without values.
    """

    n: int
    missing: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float
    min: float
    max: float


@dataclass(frozen=True)
class LevelBy:
    """One level: patients in each group, and their share of those in whom the variable was recorded."""

    code: str
    label: str
    counts: tuple[int, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class RowBy:
    """One variable by group.

    Attributes
    ----------
    variable : Variable
    n, missing : tuple of int
        For each group.
    numbers : tuple of Numbers
        For each group, of a continuous variable.
    levels : tuple of LevelBy
        Of a grouped variable, in dictionary order, empty levels included.
    skewed : bool
        True where median and quartiles describe a continuous variable better than mean and standard deviation.
    tests : tuple of Comparison
        Every test there is for it.
    shown : Comparison
        The one that a table shows, by the rule of `table_by`.
    difference : Difference
        Standardised mean difference; of the pair of groups that lies furthest apart.
    """

    variable: Variable
    n: tuple[int, ...]
    missing: tuple[int, ...]
    numbers: tuple[Numbers, ...]
    levels: tuple[LevelBy, ...]
    skewed: bool
    tests: tuple[Comparison, ...]
    shown: Comparison
    difference: Difference

    def test(self, key: str) -> Comparison | None:
        """The test of that key, e.g. ``"welch"``; None where it is none for this variable."""
        return next((one for one in (*self.tests, self.shown) if one.key == key), None)


@dataclass(frozen=True)
class TableBy:
    """Table 1 by group.

    Attributes
    ----------
    title : str
        What patients are grouped by.
    labels : tuple of str
        Groups, text from the data.
    n : tuple of int
        Patients in each.
    dropped_missing : int
        Patients in no group.
    rows : tuple of RowBy
    """

    title: str
    labels: tuple[str, ...]
    n: tuple[int, ...]
    dropped_missing: int
    rows: tuple[RowBy, ...]


def table_by(cohort: Cohort, grouping: Grouping, *, variables: Sequence[str] | None = None) -> TableBy:
    """Table 1 by group, with tests and standardised mean differences.

    Parameters
    ----------
    cohort : Cohort
        The patients that were grouped.
    grouping : Grouping
        At least two groups.
    variables : sequence of str, optional
        Column names. Without it, every variable that patients can be chosen by and that is known at time zero, but
        for the one that made the groups.

    Returns
    -------
    TableBy

    Raises
    ------
    Fixable
        If there are fewer than two groups, or a variable is not in the cohort.

    Notes
    -----
    The test that is shown:

    * continuous, roughly symmetrical in every group (skewness within ±1, ten values or more): Welch's t test, or
      Welch's analysis of variance for more than two groups;
    * continuous otherwise, on a log scale, or ordered levels: Wilcoxon's rank-sum test with continuity correction, or
      Kruskal-Wallis;
    * levels without an order: chi-squared without Yates' correction if every expected count is at least 5, else
      Fisher's exact test; where the table is too large for it, chi-squared after all, and its note says so.

    A test says whether chance alone would explain the difference; for whether groups are comparable, the standardised
    difference is the better guide, since it does not depend on their size.

    References
    ----------
    Austin (2009), Stat Med 28:3083-3107 (standardised differences). Campbell (2007), Stat Med 26:3661-3675 (small
    tables). R: ``tableone::CreateTableOne``.
    """
    if len(grouping.labels) < 2:
        raise Fixable(
            "No comparison of groups.", "All patients are in one group.", "Choose a grouping with at least two groups."
        )
    chosen = [cohort.variable(name) for name in variables] if variables is not None else _baseline(cohort, grouping)
    members = [np.flatnonzero(grouping.codes == code) for code in range(len(grouping.labels))]
    return TableBy(
        title=grouping.title,
        labels=grouping.labels,
        n=tuple(len(rows) for rows in members),
        dropped_missing=grouping.dropped_missing,
        rows=tuple(_row(cohort, variable, members) for variable in chosen if variable in cohort.filterable),
    )


def row_of_numbers(variable: Variable, samples: Sequence[np.ndarray]) -> RowBy:
    """A continuous variable by group; NaN in ``samples`` (one array a group) is missing."""
    known = [sample[~np.isnan(sample)] for sample in samples]
    numbers = tuple(_describe(sample, len(all_)) for sample, all_ in zip(known, samples, strict=True))
    tests = all_number_tests(known)
    skewed = variable.scale == "log" or any(_is_skewed(sample) for sample in known)
    by_key = {test.key: test for test in tests}
    order = ("wilcoxon_corrected", "kruskal") if skewed else ("welch", "welch_anova", "wilcoxon_corrected", "kruskal")
    if len(samples) > 2 and not skewed:
        order = ("welch_anova", "anova", "kruskal")
    possible = [by_key[key] for key in order if key in by_key and not math.isnan(by_key[key].p)]
    return RowBy(
        variable=variable,
        n=tuple(one.n for one in numbers),
        missing=tuple(one.missing for one in numbers),
        numbers=numbers,
        levels=(),
        skewed=skewed,
        tests=tests,
        shown=possible[0] if possible else by_key[order[0] if order[0] in by_key else "kruskal"],
        difference=difference_of_numbers(known),
    )


def row_of_levels(variable: Variable, codes: Sequence[str], columns: Sequence[np.ndarray]) -> RowBy:
    """A grouped variable by group; each of ``columns`` holds positions in ``codes``, -1 where missing."""
    table = np.column_stack([np.bincount(column[column >= 0], minlength=len(codes)) for column in columns])
    n = table.sum(axis=0)
    shares = table / np.where(n, n, 1)
    shares[:, n == 0] = math.nan
    tests, shown = _level_tests(variable, table)
    levels = tuple(
        LevelBy(code, variable.label_of(code), tuple(counts.tolist()), tuple(share.tolist()))
        for code, counts, share in zip(codes, table, shares, strict=True)
    )
    return RowBy(
        variable=variable,
        n=tuple(n.tolist()),
        missing=tuple(int((column < 0).sum()) for column in columns),
        numbers=(),
        levels=levels,
        skewed=False,
        tests=tests,
        shown=shown,
        difference=difference_of_levels(table),
    )


def _row(cohort: Cohort, variable: Variable, members: list[np.ndarray]) -> RowBy:
    column = cohort.frame[variable.name]
    if variable.is_numeric:
        values = column.to_numpy(dtype=float)
        return row_of_numbers(variable, [values[rows] for rows in members])
    codes = column.cat.codes.to_numpy().astype(np.int64)
    return row_of_levels(variable, [str(code) for code in column.cat.categories], [codes[rows] for rows in members])


def _baseline(cohort: Cohort, grouping: Grouping) -> list[Variable]:
    """What is known at time zero and before the groups were formed, without the variable that made them."""
    without = bound_to(cohort, grouping)
    return [v for v in cohort.filterable if v.use != "later" and v.name not in without]


def bound_to(cohort: Cohort, grouping: Grouping) -> set[str]:
    """Names of the variable that the groups were made from, and of those known only after they were formed."""
    made = [v for v in cohort.filterable if _made_the_groups(cohort, v, grouping)]
    return {v.name for by in made for v in (by, *cohort.known_after(by.name))}


def _made_the_groups(cohort: Cohort, variable: Variable, grouping: Grouping) -> bool:
    if grouping.title != variable.label and not grouping.title.startswith(f"{variable.label}, "):
        return False
    if variable.is_numeric:
        missing = np.isnan(cohort.frame[variable.name].to_numpy(dtype=float))
    else:
        missing = cohort.frame[variable.name].cat.codes.to_numpy() < 0
    return bool(((grouping.codes < 0) == missing).all())


def _describe(known: np.ndarray, everyone: int) -> Numbers:
    missing = everyone - len(known)
    if not len(known):
        return Numbers(0, missing, *[math.nan] * 7)
    q1, median, q3 = np.quantile(known, [0.25, 0.5, 0.75]).tolist()
    with np.errstate(over="ignore", invalid="ignore"):
        mean, sd = float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else math.nan
    return Numbers(len(known), missing, mean, sd, median, q1, q3, float(known.min()), float(known.max()))


def _is_skewed(known: np.ndarray) -> bool:
    if len(known) < FEWEST_FOR_MEANS:
        return True
    apart = known - known.mean()
    spread = float((apart**2).mean())
    return spread > 0 and abs(float((apart**3).mean())) > SKEWED * spread**1.5


def _level_tests(variable: Variable, table: np.ndarray) -> tuple[tuple[Comparison, ...], Comparison]:
    """Every test of a table of levels by groups, and the one to show."""
    used = trimmed(table)
    if variable.kind == "ordinal":
        places = np.arange(len(table), dtype=float)
        ranked = [np.repeat(places, table[:, group]) for group in range(table.shape[1])]
        shown = wilcoxon(*ranked) if table.shape[1] == 2 else kruskal_wallis(ranked)
        others = (kruskal_wallis(ranked),) if table.shape[1] == 2 else ()
        return (*all_count_tests(table, most=QUICK), shown, *others), shown
    if min(used.shape, default=0) < 2 or not (expected(used) < 5).any():
        tests = all_count_tests(table, most=QUICK)
        return tests, tests[0]
    exact = fisher(table, most=PATIENT)
    tests = (*all_count_tests(table, most=1)[:-1], exact)
    if math.isnan(exact.p):
        plain = chi_squared(table)
        note = "chi-squared, since the table is too large for Fisher's exact test; some expected counts are below 5"
        return tests, Comparison(plain.key, plain.name, plain.statistic, plain.df, plain.p, note)
    return tests, exact
