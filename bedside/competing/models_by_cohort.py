"""Fine-Gray and cause-specific models of a cohort, as rows for tables and forest plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort import Cohort, Outcome
from bedside.competing.cause_specific import AbsoluteRisk, CauseSpecific, cause_specific_models
from bedside.competing.fine_gray import FineGray, fine_gray
from bedside.competing.subdistribution import Definition
from bedside.errors import Fixable
from bedside.regression.design import CoxSpec, Design, design, spec_of
from bedside.regression.forest import EVENTS_PER_COEFFICIENT, Forest, ForestRow, multivariable, rows_of
from bedside.regression.model import ChiTest, Ties
from bedside.regression.terms import Term


@dataclass(frozen=True, eq=False)
class FineGrayTable:
    """A Fine-Gray model of a cohort.

    Attributes
    ----------
    cause : str
        Name of the type of event.
    rows : tuple of ForestRow
        `hr` is a subdistribution hazard ratio.
    design : Design
    fit : FineGray
    level : float
    term_tests : dict of str to ChiTest
    cautions : tuple of str
    """

    cause: str
    rows: tuple[ForestRow, ...]
    design: Design
    fit: FineGray
    level: float
    term_tests: dict[str, ChiTest]
    cautions: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CauseSpecificTables:
    """A Cox model of a cohort for each type of event.

    Attributes
    ----------
    causes : tuple of str
    forests : tuple of Forest or None
        None where a model could not be fitted.
    reasons : tuple of str
        Why not, and what to do; empty where it could.
    design : Design
        Rows and columns, the same for every type.
    models : CauseSpecific or None
        For absolute risks, with Breslow's ties as R's reference has them; None if a model is missing.
    """

    causes: tuple[str, ...]
    forests: tuple[Forest | None, ...]
    reasons: tuple[str, ...]
    design: Design
    models: CauseSpecific | None

    def absolute_risk(
        self,
        patients: ArrayLike,
        times: ArrayLike,
        *,
        of: int = 1,
        product_limit: bool = True,
        level: float = 0.95,
    ) -> AbsoluteRisk:
        """Chance of one type of event by chosen times for patients of the cohort, as `CauseSpecific.absolute_risk`.

        Parameters
        ----------
        patients : array-like of int, shape (n,)
            Their rows in the cohort.
        times : array-like, shape (n_times,)
            In the outcome's unit.

        Raises
        ------
        Fixable
            If a model is missing, or a patient lacks a value.
        """
        if self.models is None:
            missing = next((reason for reason in self.reasons if reason), "A model is missing.")
            raise Fixable("No absolute risks.", missing, "They need a model of every type of event that occurred.")
        asked = np.atleast_1d(np.asarray(patients, dtype=np.int64))
        place = np.searchsorted(self.design.data.rows, asked)
        known = (place < len(self.design.data)) & (
            self.design.data.rows[np.minimum(place, len(self.design.data) - 1)] == asked
        )
        if not known.all():
            raise Fixable(
                "No absolute risk.",
                f"{int((~known).sum())} of {len(asked)} patients lack a value that the model needs.",
                "Choose other patients, or leave the variable out of the model.",
            )
        return self.models.absolute_risk(
            self.design.data.x[place], times, of=of, product_limit=product_limit, level=level
        )


def fine_gray_by(
    cohort: Cohort,
    outcome: Outcome,
    terms: Sequence[Term | str],
    *,
    of: int = 1,
    definition: Definition | None = None,
    ties: Ties = "breslow",
    level: float = 0.95,
) -> FineGrayTable:
    """Fine-Gray model of one type of event, complete cases only.

    Parameters
    ----------
    cohort, outcome
        Types of event are numbered as in ``outcome.cause_labels``, from 1.
    terms : sequence of Term or str
        A bare column name stands for its default term.
    of : int, default 1
    definition : {"crr", "finegray"}, optional
        cmprsk's form, unless the outcome has delayed entry, which only survival's allows for.
    ties : {"breslow", "efron"}
    level : float, default 0.95

    Raises
    ------
    Fixable
        As `design` and `fine_gray`.
    """
    label, cause = outcome.cause_labels[of - 1], cohort.cause(outcome)
    made = design(cohort, outcome, spec_of(cohort, terms), event=cause == of)
    data = made.data
    form = definition or ("crr" if data.entry is None and ties == "breslow" else "finegray")
    fit = fine_gray(
        data.x, data.time, cause[data.rows], of=of, name=label, names=data.names, assign=data.assign,
        terms=data.terms, entry=data.entry, definition=form, ties=ties,
    )  # fmt: skip
    tests = {name: fit.term_test(name) for name in fit.data.terms}
    return FineGrayTable(
        cause=label, rows=rows_of(cohort, made, fit, tests, level=level), design=made, fit=fit, level=level,
        term_tests=tests, cautions=(*made.notes, *_few(fit)),
    )  # fmt: skip


def _few(fit: FineGray) -> tuple[str, ...]:
    p = len(fit.coef)
    if fit.n_events >= EVENTS_PER_COEFFICIENT * p:
        return ()
    return (
        f"{fit.n_events} events for {p} coefficient{'s' if p != 1 else ''}: with fewer than {EVENTS_PER_COEFFICIENT} "
        "events for each, ratios vary much from one group of patients to the next.",
    )


def cause_specific_by(
    cohort: Cohort,
    outcome: Outcome,
    terms: Sequence[Term | str],
    *,
    ties: Ties = "efron",
    level: float = 0.95,
) -> CauseSpecificTables:
    """A Cox model for each type of event, complete cases only.

    A type whose model can't be fitted leaves a reason, and the others stand.

    Parameters
    ----------
    cohort, outcome, terms
        As `fine_gray_by`.
    ties : {"efron", "breslow"}
        Of the hazard ratios.
    level : float, default 0.95

    Raises
    ------
    Fixable
        If nobody has all values.
    """
    spec, cause = spec_of(cohort, terms), cohort.cause(outcome)
    made = design(cohort, outcome, spec)
    forests, reasons = [], []
    for number, label in enumerate(outcome.cause_labels, start=1):
        forest, reason = _forest(cohort, outcome, spec, cause == number, label, ties, level)
        forests.append(forest)
        reasons.append(reason)
    return CauseSpecificTables(
        outcome.cause_labels, tuple(forests), tuple(reasons), made, _models(made, cause, outcome)
    )


def _forest(
    cohort: Cohort, outcome: Outcome, spec: CoxSpec, event: np.ndarray, label: str, ties: Ties, level: float
) -> tuple[Forest | None, str]:
    if not event.any():
        return None, f"No event of the type “{label}” was seen, so its hazard is 0 throughout."
    try:
        return multivariable(cohort, outcome, spec, ties=ties, level=level, event=event), ""
    except Fixable as stop:
        return None, f"{stop.why} {stop.next_step}"


def _models(made: Design, cause: np.ndarray, outcome: Outcome) -> CauseSpecific | None:
    data = made.data
    try:
        return cause_specific_models(
            data.x, data.time, cause[data.rows], causes=outcome.cause_labels, names=data.names, assign=data.assign,
            terms=data.terms, entry=data.entry, ties="breslow",
        )  # fmt: skip
    except Fixable:
        return None
