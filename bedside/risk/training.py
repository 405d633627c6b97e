"""Patients a model learns from, whoever they are and whichever learner asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome, Variable
from bedside.risk.choice import chosen
from bedside.survival.checks import merge_ties

Target = Literal["any", "event"]
"""``"any"``: the risk of the outcome's event or a competing one, whichever comes first. ``"event"``: the risk of
the event itself in the presence of the competing ones (cumulative incidence)."""


@dataclass(frozen=True, eq=False)
class Training:
    """Rows to learn from.

    Attributes
    ----------
    frame : pandas.DataFrame, shape (n, n_columns)
        In the cohort's units and codes, gaps included.
    time : array, shape (n,)
        Follow-up in the outcome's unit; times that differ by rounding alone are made equal.
    cause : array of int, shape (n,)
        0 censored, 1 the event, 2 and more the competing ones. Under target ``"any"`` all events are 1.
    entry : array, shape (n,), or None
        When each patient came under observation, where that was after time zero.
    variables : tuple of Variable
        What may be used, in dictionary order.
    """

    frame: pd.DataFrame = field(repr=False)
    time: np.ndarray = field(repr=False)
    cause: np.ndarray = field(repr=False)
    entry: np.ndarray | None = field(repr=False)
    variables: tuple[Variable, ...]
    outcome: Outcome
    target: Target
    cohort_key: str
    cohort_fingerprint: str

    def __len__(self) -> int:
        return len(self.time)

    @property
    def event(self) -> np.ndarray:
        """True where the event that is predicted was seen, shape (n,)."""
        return self.cause == 1

    @property
    def competes(self) -> bool:
        """True if another event can prevent the one that is predicted."""
        return self.target == "event" and self.outcome.has_competing

    def take(self, rows: np.ndarray) -> Training:
        """Some of the rows (positions or a mask), in the order given; repeats are allowed, as a bootstrap needs."""
        return replace(
            self,
            frame=self.frame.iloc[np.flatnonzero(rows) if rows.dtype == bool else rows],
            time=self.time[rows],
            cause=self.cause[rows],
            entry=None if self.entry is None else self.entry[rows],
        )


def training(
    cohort: Cohort, outcome: Outcome | str, *, variables: Sequence[str] | None = None, target: Target = "any"
) -> Training:
    """What a model of an outcome may learn from in a cohort.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome or str
    variables : sequence of str, optional
        Column names. Default: the cohort's predictors.
    target : {"any", "event"}
        Ignored where nothing competes with the event.

    Raises
    ------
    Fixable
        If a variable can't be a predictor.
    """
    outcome = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    split = target == "event" and outcome.has_competing
    return Training(
        frame=cohort.frame,
        time=merge_ties(cohort.time(outcome)),
        cause=cohort.cause(outcome) if split else cohort.event(outcome).astype(int),
        entry=cohort.entry(outcome),
        variables=chosen(cohort, variables),
        outcome=outcome,
        target="event" if split else "any",
        cohort_key=cohort.key,
        cohort_fingerprint=cohort.fingerprint,
    )
