"""Whether groups differ in a number or in levels: tests and standardised differences, equal to R's."""

from __future__ import annotations

from bedside.cohort.compare_groups.comparison import Comparison
from bedside.cohort.compare_groups.counts import chi_squared, expected, fisher
from bedside.cohort.compare_groups.differences import Difference, difference_of_levels, difference_of_numbers
from bedside.cohort.compare_groups.numbers import anova, kruskal_wallis, student, welch, welch_anova, wilcoxon

__all__ = [
    "Comparison",
    "Difference",
    "anova",
    "chi_squared",
    "difference_of_levels",
    "difference_of_numbers",
    "expected",
    "fisher",
    "kruskal_wallis",
    "student",
    "welch",
    "welch_anova",
    "wilcoxon",
]
