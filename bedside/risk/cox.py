"""The Cox model as one learner among others: curved or straight, for one kind of event or several."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bedside.risk.cause_specific import CAUSE_SPECIFIC, FINE_GRAY, CompetingModel, restore_competing
from bedside.risk.cause_specific_fit import fit_cause_specific, fit_fine_gray
from bedside.risk.design import build
from bedside.risk.fit import check_size, fit_rows
from bedside.risk.fitted import Progress, State
from bedside.risk.model import Model, restore_model
from bedside.risk.training import Training
from bedside.risk.tuning import choose, stratified_folds

CURVES = (4, 3)
"""Knots of the curves that are set against straight lines where nobody chose: the first that events allow."""
EVENTS_PER_PARAMETER = 12
"""Curves are tried only where so many events are left for each coefficient."""
INNER_FOLDS = 3
ENOUGH = 3000
"""Patients among whom the shape is chosen; more would take longer and choose the same."""


def fit_cox_rows(
    rows: Training,
    *,
    settings: Mapping[str, float | int | str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Model | CompetingModel:
    """A Cox model from rows.

    Parameters
    ----------
    rows : Training
    settings : mapping, optional
        ``penalizer``: as in `fit`. ``knots``: 0 for straight lines, 3 to 5 for restricted cubic splines of the
        continuous variables; chosen inside these rows if not given (`chosen_knots`). ``competing``, where another
        event can prevent the one that is predicted: ``"cause-specific"`` (a Cox model for each cause, their risks
        combined) or ``"fine-gray"``.
    seed : int
        Of the inner folds.
    progress : callable, optional

    Raises
    ------
    Fixable
        As `fit`.
    """
    check_size(len(rows), int(rows.event.sum()), rows.outcome)
    asked = dict(settings or {})
    if progress is not None:
        progress(0.02, "Choosing between straight lines and curves")
    knots = int(asked["knots"]) if "knots" in asked else chosen_knots(rows, asked, seed=seed)
    return _fitted(rows, knots, asked, progress)


def _fitted(
    rows: Training, knots: int, asked: Mapping[str, float | int | str], progress: Progress | None = None
) -> Model | CompetingModel:
    penalizer = float(asked["penalizer"]) if "penalizer" in asked else None
    if rows.competes:
        method = asked.get("competing", CAUSE_SPECIFIC)
        if method == FINE_GRAY:
            return fit_fine_gray(rows, knots=knots, progress=progress)
        if method != CAUSE_SPECIFIC:
            raise ValueError("competing must be cause-specific or fine-gray")
        return fit_cause_specific(rows, penalizer=penalizer, knots=knots, progress=progress)
    return fit_rows(
        rows.frame,
        rows.time,
        rows.event,
        rows.variables,
        entry=rows.entry,
        outcome=rows.outcome,
        cohort_key=rows.cohort_key,
        cohort_fingerprint=rows.cohort_fingerprint,
        penalizer=penalizer,
        knots=knots,
        progress=progress,
        target=rows.target,
    )


def chosen_knots(rows: Training, settings: Mapping[str, float | int | str] | None = None, *, seed: int = 0) -> int:
    """Knots for the continuous variables: 0, 3 or 4, by cross-validation inside the training rows.

    Curves are tried only if at least 12 events are left for each coefficient, as Harrell advises: with 4 knots, or
    with 3 where 4 would ask for too many. They are used if they rank held-out patients better (`choose`).

    References
    ----------
    Harrell (2015), Regression Modeling Strategies, sections 2.4.6 and 4.4.
    """
    some = _some(rows, seed)
    events = int(rows.event.sum())
    knots = next((k for k in CURVES if _affordable(some, k, events)), 0)
    if not knots:
        return 0
    fixed = {name: value for name, value in (settings or {}).items() if name != "knots"}
    grid = [{**fixed, "knots": k} for k in (0, knots)]
    return int(choose(_tried, grid, some, INNER_FOLDS, seed).settings["knots"])


def _tried(
    rows: Training,
    *,
    settings: Mapping[str, float | int | str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Model | CompetingModel:
    asked = settings or {}
    return _fitted(rows, int(asked["knots"]), asked, progress)


def _affordable(rows: Training, knots: int, events: int) -> bool:
    """True if a design with these knots has curves, and enough events for each of its columns."""
    if events < EVENTS_PER_PARAMETER * len(rows.variables):
        return False  # known without reading a column
    design, _ = build(rows.frame, rows.time, rows.event, rows.variables, knots=knots)
    return any(term.part for term in design.terms) and events >= EVENTS_PER_PARAMETER * len(design.terms)


def _some(rows: Training, seed: int) -> Training:
    """All rows, or enough of them with the same share of events."""
    parts = -(-len(rows) // ENOUGH)
    return rows if parts == 1 else rows.take(np.flatnonzero(stratified_folds(rows.event, parts, seed) == 0))


def restore_cox(state: State) -> Model | CompetingModel:
    """The inverse of ``state`` of every Cox model."""
    return restore_competing(state) if "numbers" in state.facts else restore_model(state)
