"""Table 1 by group: which test is shown, and awkward groups."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact, multivariate_hypergeom

from bedside.cohort.compare_groups import chi_squared, difference_of_levels, difference_of_numbers, fisher, wilcoxon
from bedside.cohort.compare_groups.fisher import fisher_p
from bedside.cohort.groups import Grouping, group_by
from bedside.cohort.table_by import row_of_levels, row_of_numbers, table_by
from bedside.cohort.variable import Variable
from bedside.errors import Fixable

AGE = Variable(name="age", kind="continuous")
SITE = Variable(name="site", kind="categorical")
GRADE = Variable(name="grade", kind="ordinal")


def spread(*counts: int) -> np.ndarray:
    """Positions of levels: three patients at the first, ..."""
    return np.repeat(np.arange(len(counts)), counts)


def by_every_table(table: np.ndarray) -> float:
    """Fisher's p the long way: every table of two columns with these margins."""
    rows, first = table.sum(axis=1), table[:, 0].sum()
    ways = (w for w in itertools.product(*(range(n + 1) for n in rows)) if sum(w) == first)
    chances = np.array([multivariate_hypergeom.pmf(w, rows, first) for w in ways])
    seen = multivariate_hypergeom.pmf(table[:, 0], rows, first)
    return float(chances[chances <= seen * (1 + 1e-7)].sum())


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=4))
def test_fisher_is_the_sum_over_every_table(counts):
    table = np.array(counts)
    table = table[table.sum(axis=1) > 0]
    if len(table) < 3 or (table.sum(axis=0) == 0).any():
        return
    assert fisher_p(table) == pytest.approx(by_every_table(table), rel=1e-9)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 400), min_size=4, max_size=4))
def test_fisher_of_two_by_two_equals_scipy(counts):
    table = np.array(counts).reshape(2, 2)
    if (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        return
    assert fisher_p(table) == pytest.approx(fisher_exact(table).pvalue, rel=1e-8)


def test_a_table_too_large_says_so_and_falls_back():
    rng = np.random.default_rng(1)
    table = rng.multinomial(900, np.full(36, 1 / 36)).reshape(6, 6)
    table[5] = [1, 0, 2, 0, 1, 0]
    assert math.isnan(fisher(table).p)
    row = row_of_levels(SITE, list("abcdef"), [spread(*table[:, group]) for group in range(6)])
    assert row.shown.key == "chisq"
    assert "too large for Fisher's exact test" in row.shown.note
    assert row.shown.p == chi_squared(table).p


def test_small_expected_counts_are_tested_exactly():
    """Expected counts 2 and 2 in the second row: 3 of 4 against 1 of 4, p = 34/70 by hand."""
    row = row_of_levels(SITE, ["a", "b"], [spread(3, 1), spread(1, 3)])
    assert row.shown.key == "fisher"
    assert row.shown.p == pytest.approx(34 / 70, rel=1e-12)
    assert {test.key for test in row.tests} == {"chisq", "chisq_yates", "fisher"}


def test_large_counts_are_compared_by_chi_squared_without_yates():
    """40:60 against 60:40, chi-squared 4 * 10^2 / 50 = 8."""
    row = row_of_levels(SITE, ["a", "b"], [spread(40, 60), spread(60, 40)])
    assert row.shown.key == "chisq"
    assert row.shown.statistic == pytest.approx(8.0, rel=1e-12)


def test_ordered_levels_are_compared_by_rank():
    row = row_of_levels(GRADE, ["1", "2", "3"], [spread(10, 5, 1), spread(2, 6, 8)])
    assert row.shown.key == "wilcoxon_corrected"
    assert row.shown.p == wilcoxon(spread(10, 5, 1).astype(float), spread(2, 6, 8).astype(float)).p
    assert row.test("chisq") is not None
    three = row_of_levels(GRADE, ["1", "2", "3"], [spread(10, 5, 1), spread(2, 6, 8), spread(3, 3, 3)])
    assert three.shown.key == "kruskal"


def test_skewed_numbers_are_compared_by_rank_others_by_mean():
    even, odd = np.arange(40.0), np.arange(40.0) + 3
    assert row_of_numbers(AGE, [even, odd]).shown.key == "welch"
    assert not row_of_numbers(AGE, [even, odd]).skewed
    assert row_of_numbers(AGE, [np.exp(even / 5), odd]).shown.key == "wilcoxon_corrected"
    assert row_of_numbers(AGE, [even, odd, even * 2]).shown.key == "welch_anova"
    assert row_of_numbers(AGE, [even[:5], odd[:5]]).shown.key == "wilcoxon_corrected"


def test_groups_of_one_and_constant_values_have_no_test_but_a_row():
    row = row_of_numbers(AGE, [np.array([5.0]), np.array([5.0, np.nan])])
    assert (row.n, row.missing) == ((1, 1), (0, 1))
    assert math.isnan(row.shown.p)
    assert row.shown.note
    assert row.numbers[0].mean == 5.0
    assert math.isnan(row.numbers[0].sd)
    nobody = row_of_numbers(AGE, [np.array([np.nan]), np.arange(20.0)])
    assert nobody.n == (0, 20)
    assert math.isnan(nobody.difference.value)


def test_standardised_differences_by_hand():
    """Means 1 and 3, variances 1 and 1; shares 0.2 and 0.5."""
    assert difference_of_numbers([np.array([0.0, 1, 2]), np.array([2.0, 3, 4])]).value == pytest.approx(2.0)
    two = difference_of_levels(np.array([[8, 5], [2, 5]]))
    assert two.value == pytest.approx(0.3 / math.sqrt((0.16 + 0.25) / 2))


def test_the_distance_of_many_levels_is_mahalanobis():
    """sqrt(d' S^-1 d) by solving, for every pair, the largest kept."""
    table = np.random.default_rng(3).integers(1, 30, (5, 4))
    shares = table / table.sum(axis=0)

    def one(i: int, j: int) -> float:
        p, q = shares[1:, i], shares[1:, j]
        s = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
        return float(np.sqrt((q - p) @ np.linalg.solve(s, q - p)))

    found = difference_of_levels(table)
    by_hand = {(i, j): one(i, j) for i in range(4) for j in range(i + 1, 4)}
    assert found.value == pytest.approx(max(by_hand.values()), rel=1e-10)
    assert (found.first, found.second) == max(by_hand, key=by_hand.get)


def test_groups_that_share_no_level_are_infinitely_apart():
    assert difference_of_levels(np.array([[5, 0], [5, 0], [0, 7], [0, 3]])).value == math.inf
    assert difference_of_levels(np.array([[5, 5], [5, 5], [5, 5]])).value == 0


def test_the_variable_that_made_the_groups_is_left_out(gbsg2):
    names = [row.variable.name for row in table_by(gbsg2, group_by(gbsg2, "age")).rows]
    assert "age" not in names
    assert "grade" in names
    assert [row.variable.name for row in table_by(gbsg2, group_by(gbsg2, "age"), variables=["age"]).rows] == ["age"]


def test_one_group_is_refused(gbsg2):
    with pytest.raises(Fixable, match="one group"):
        table_by(gbsg2, Grouping(("all",), np.zeros(len(gbsg2), dtype=int), 0, "x"))


def test_five_hundred_groups_have_a_table(gbsg2):
    grouping = Grouping(tuple(map(str, range(500))), np.arange(len(gbsg2)) % 500, 0, "x")
    table = table_by(gbsg2, grouping, variables=["age", "grade", "menopausal_status"])
    assert sum(table.n) == len(gbsg2)
    assert all(len(row.n) == 500 for row in table.rows)
    assert not math.isnan(table.rows[0].test("kruskal").p)
