"""The Cox model as one learner among others."""

from __future__ import annotations

from collections.abc import Mapping

from bedside.risk.fit import check_size, fit_rows
from bedside.risk.fitted import Progress, State
from bedside.risk.model import Model, restore_model
from bedside.risk.training import Training


def fit_cox_rows(
    rows: Training,
    *,
    settings: Mapping[str, float | int | str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Model:
    """A Cox model from rows.

    Parameters
    ----------
    rows : Training
    settings : mapping, optional
        ``penalizer``: as in `fit`.
    seed : int
        Not needed: nothing is left to chance.
    progress : callable, optional
    """
    check_size(len(rows), int(rows.event.sum()), rows.outcome)
    asked = settings or {}
    return fit_rows(
        rows.frame,
        rows.time,
        rows.event,
        rows.variables,
        entry=rows.entry,
        outcome=rows.outcome,
        cohort_key=rows.cohort_key,
        cohort_fingerprint=rows.cohort_fingerprint,
        penalizer=float(asked["penalizer"]) if "penalizer" in asked else None,
        progress=progress,
        target=rows.target,
    )


def restore_cox(state: State) -> Model:
    """The inverse of ``state`` of every Cox model."""
    return restore_model(state)
