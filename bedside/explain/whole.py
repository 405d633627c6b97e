"""Everything that a background job needs to explain a model over a cohort: plain values in, plain arrays out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bedside.cohort.units import Unit
from bedside.explain.contributions import background
from bedside.explain.explanation import Global
from bedside.explain.interaction import Interactions, among
from bedside.explain.overtime import OverTime, global_over_time
from bedside.risk.fitted import Fitted, Progress


def explained(model: Fitted, frame: pd.DataFrame, times: Sequence[float], progress: Progress | None = None) -> OverTime:
    """Contributions of a cohort's patients at several times, beside background patients of the same cohort.

    Parameters
    ----------
    model : Fitted
        Of any kind.
    frame : pandas.DataFrame
    times : sequence of float
        In the outcome's unit.
    progress : callable, optional
    """
    if progress is not None:
        progress(0.02, "Choosing patients to compare with")
    compared = background(model, frame)
    if progress is not None:
        progress(0.1, "Working out contributions")
    return global_over_time(model, frame, compared, times)


def together(model: Fitted, frame: pd.DataFrame, t: float, most: int, progress: Progress | None = None) -> Interactions:
    """Interactions of every pair of variables among some of a cohort's patients, evenly chosen by their risk.

    Parameters
    ----------
    model : Fitted
        Of any kind.
    frame : pandas.DataFrame
    t : float
        In the outcome's unit.
    most : int
        Patients at most.
    progress : callable, optional
    """
    if progress is not None:
        progress(0.05, "Working out pairs of variables")
    return among(model, frame, t, most)


def at_one_time(told: OverTime, at: int, when: float, unit: Unit) -> Global:
    """Contributions at one of the times, most important variable first.

    Parameters
    ----------
    told : OverTime
    at : int
        Which of its times.
    when, unit
        The same time as it is to be said.
    """
    order = np.argsort(-told.mean_abs[:, at], kind="stable")
    return Global(
        variables=tuple(told.variables[j].name for j in order),
        labels=tuple(told.variables[j].label for j in order),
        points=told.points[:, order, at],
        values=told.values[:, order],
        mean_abs=told.mean_abs[order, at],
        n_patients=len(told.rows),
        t=float(when),
        unit=unit,
        method=told.how,
        sampling_error=told.sampling_error,
        n_background=told.n_background,
        rows=told.rows,
    )
