"""Outcomes that are not known of everybody: which of them can stand in one cohort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import pandas as pd

LEAST = 10
"""Patients of a cohort that is made for outcomes which are not known of everybody."""


class Known(Protocol):
    """Whose outcome is known: ``rows`` has an index of patients, each once."""

    @property
    def rows(self) -> pd.DataFrame:
        """Time and status by patient."""


KnownT = TypeVar("KnownT", bound=Known)


def in_cohorts(outcomes: Sequence[KnownT], *, least: int = LEAST) -> tuple[list[tuple[KnownT, ...]], list[KnownT]]:
    """Outcomes that stand together, since a cohort knows each of its outcomes of everybody in it.

    Parameters
    ----------
    outcomes : sequence
        The first decides who is in the first cohort.
    least : int
        Fewer patients make no further cohort.

    Returns
    -------
    groups : list of tuple
        For each cohort the outcome that it is made for, then the others that are known of all its patients. Every
        outcome that is not left out is in one of them.
    left_out : list
        Outcomes that are known of too few.
    """
    groups: list[tuple[KnownT, ...]] = []
    left_out: list[KnownT] = []
    open_ones = list(outcomes)
    while open_ones:
        first = open_ones.pop(0)
        who = first.rows.index
        if groups and len(who) < least:
            left_out.append(first)
            continue
        others = [each for each in outcomes if each is not first and who.isin(each.rows.index).all()]
        open_ones = [each for each in open_ones if all(each is not other for other in others)]
        groups.append((first, *others))
    return groups, left_out
