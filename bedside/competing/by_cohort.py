"""Cumulative incidence and Gray's test for the groups of a cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from bedside.competing.gray import GrayTest, gray_test
from bedside.competing.incidence import cumulative_incidence
from bedside.competing.incidence_curve import Incidence
from bedside.errors import Fixable
from bedside.survival.columns import columns_of
from bedside.survival.intervals import Interval

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome
    from bedside.cohort.groups import Grouping

EVERYONE = "All patients"


def incidence_by(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping | None = None,
    *,
    level: float = 0.95,
    interval: Interval = "log-log",
    entry: str | None = None,
    weights: str | ArrayLike | None = None,
    alive_at: float = 0.0,
) -> tuple[Incidence, ...]:
    """Cumulative incidence of each type of event, one value per group, in the outcome's unit.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome
        Its types of event are named by ``outcome.cause_labels``; one that never occurs is a flat line at 0.
    grouping : Grouping, optional
        Which patient belongs to which group; None is everybody. Patients with code -1 are in no group.
    level, interval
        As `cumulative_incidence`.
    entry : str, optional
        Column with the time at which observation began; by default the outcome's own, if it has one.
    weights : str or array-like of shape (n_patients,), optional
        Column of case weights, or the weights themselves.
    alive_at : float, default 0
        Only patients still under observation and free of any event after this time; curves start there, at 0.

    Returns
    -------
    tuple of Incidence
        In the order of ``grouping.labels``; a label that no patient has gives none.

    Raises
    ------
    Fixable
        If nobody is left, no patient has a group, or a time, an entry or a weight is not usable.
    """
    chosen = columns_of(cohort, outcome, entry=entry, weights=weights).alive_at(alive_at)
    causes = cohort.cause(outcome)[chosen.kept]
    codes = np.zeros(len(cohort), dtype=np.int64) if grouping is None else grouping.codes
    labels = (EVERYONE,) if grouping is None else grouping.labels
    if not (codes[chosen.kept] >= 0).any():
        raise Fixable(
            "No curves.",
            "The value that patients are compared by is missing for all of them.",
            "Choose another grouping.",
        )
    found = []
    for code, label in enumerate(labels):
        mine = np.flatnonzero(codes[chosen.kept] == code)
        if len(mine):
            columns = {
                name: None if column is None else column[mine]
                for name, column in (("entry", chosen.rows.entry), ("weights", chosen.rows.weights))
            }
            found.append(
                cumulative_incidence(
                    chosen.rows.time[mine], causes[mine], causes=outcome.cause_labels, group=label,
                    unit=outcome.unit, level=level, interval=interval, origin=alive_at,
                    dropped=int((codes[chosen.dropped] == code).sum()), **columns,
                )
            )  # fmt: skip
    return tuple(found)


def gray_by(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping,
    *,
    strata: Grouping | None = None,
    rho: float = 0.0,
    entry: str | None = None,
    alive_at: float = 0.0,
) -> tuple[GrayTest, ...]:
    """Gray's test between the groups of a cohort for each type of event, as `gray_test`.

    Parameters
    ----------
    cohort, outcome, grouping
        As in `incidence_by`.
    strata : Grouping, optional
        Compare within these and add up.
    rho : float
        As in `gray_test`.
    entry : str, optional
        Column with the time at which observation began: there is no such test then.
    alive_at : float, default 0
        Only patients still under observation and free of any event after this time, in the outcome's unit.

    Raises
    ------
    Fixable
        If there is delayed entry, for which there is no such test, nobody is left, or as `gray_test`.
    """
    if entry is not None or cohort.entry(outcome) is not None:
        raise Fixable(
            "No Gray's test.",
            "Patients came under observation at different times, and the test has no form for that.",
            "Compare the groups with a Fine-Gray or a cause-specific Cox model, which both allow for it.",
        )
    chosen = columns_of(cohort, outcome).alive_at(alive_at)
    return gray_test(
        chosen.rows.time,
        cohort.cause(outcome)[chosen.kept],
        grouping.codes[chosen.kept],
        causes=outcome.cause_labels,
        strata=None if strata is None else strata.codes[chosen.kept],
        rho=rho,
    )
