"""All that a page shows about how well a Cox model holds, worked out together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.errors import Fixable
from bedside.regression.baseline import BaselineHazard, baseline_hazard
from bedside.regression.curves import Patients
from bedside.regression.design import Design
from bedside.regression.influence import Influence, influence
from bedside.regression.model import CoxFit
from bedside.regression.moments import moments
from bedside.regression.residuals import Residuals, residuals
from bedside.regression.smooth import (
    FunctionalForm,
    HazardRatioCurve,
    Nonlinearity,
    functional_form,
    hazard_ratio_curve,
    nonlinearity,
)
from bedside.regression.splines import spline_basis
from bedside.regression.terms import Linear, Log, Spline
from bedside.regression.zph import ProportionalHazards, TimeScale, check_proportional


@dataclass(frozen=True, eq=False)
class CoxDiagnostics:
    """What there is to say of a fit.

    Attributes
    ----------
    proportional : ProportionalHazards
    residuals : Residuals
    influence : Influence
    baseline : BaselineHazard
    forms : tuple of (str, FunctionalForm)
        For each number that is in the model as a line or a spline: its name and what the residuals say along it,
        or along its logarithm where that is in the model.
    curves : tuple of SplineCurve
        For each spline.
    n, n_events : int
        Rows and events.
    """

    proportional: ProportionalHazards
    residuals: Residuals
    influence: Influence
    baseline: BaselineHazard
    forms: tuple[tuple[str, FunctionalForm], ...]
    curves: tuple[SplineCurve, ...]
    n: int
    n_events: int


@dataclass(frozen=True, eq=False)
class SplineCurve:
    """A spline term's hazard ratio along its range, and whether it is a straight line.

    Attributes
    ----------
    term : str
        For people.
    column : str
        The variable.
    knots : tuple of float
    curve : HazardRatioCurve
    nonlinearity : Nonlinearity
    low, high : float
        The range drawn: the 1st and 99th percentile.
    """

    term: str
    column: str
    knots: tuple[float, ...]
    curve: HazardRatioCurve
    nonlinearity: Nonlinearity
    low: float
    high: float


def diagnose(
    design: Design, fit: CoxFit, *, scale: TimeScale = "km", most: int = 10, level: float = 0.95
) -> CoxDiagnostics:
    """Check a Cox model: proportional hazards, residuals, influential patients, form of the numbers in it.

    Parameters
    ----------
    design : Design
        What the fit was made of.
    fit : CoxFit
    scale : {"km", "identity", "rank", "log"}, default "km"
        How the tests of proportional hazards count time.
    most : int, default 10
        How many influential patients to list.
    level : float, default 0.95
        Of bands and curves.

    Raises
    ------
    Fixable
        As `check_proportional`.
    """
    sets = moments(fit)
    numbers = [
        (name, _values(design, name) * (term.per if isinstance(term, Linear) else 1.0))
        for term, name in zip(design.terms, design.data.terms, strict=True)
        if isinstance(term, Linear | Log | Spline)
    ]
    return CoxDiagnostics(
        proportional=check_proportional(fit, scale, level=level, sets=sets),
        residuals=residuals(fit, sets=sets),
        influence=influence(fit, most=most, sets=sets),
        baseline=baseline_hazard(fit, sets=sets),
        forms=tuple((name, functional_form(fit, values)) for name, values in numbers if np.ptp(values) > 0),
        curves=tuple(
            spline_curve(design, fit, term.column, level=level)
            for term in design.terms
            if isinstance(term, Spline) and _is_whole(design, fit, term)
        ),
        n=fit.n,
        n_events=fit.n_events,
    )


def spline_curve(
    design: Design,
    fit: CoxFit,
    column: str,
    *,
    reference: float | None = None,
    points: int = 200,
    level: float = 0.95,
) -> SplineCurve:
    """The hazard ratio along the range of a variable that is in the model as a spline.

    Parameters
    ----------
    design : Design
    fit : CoxFit
    column : str
        The variable's column.
    reference : float, optional
        The value with a hazard ratio of 1. Default: the median.
    points : int, default 200
        Evenly spaced from the 1st to the 99th percentile; the reference is added to them.
    level : float, default 0.95

    Raises
    ------
    Fixable
        If the variable is not in the model as a spline, or the reference is not within the values of the cohort.
    """
    found = [i for i, t in enumerate(design.terms) if isinstance(t, Spline) and t.column == column]
    if not found or not _is_whole(design, fit, design.terms[found[0]]):  # type: ignore[arg-type]
        raise Fixable(
            "No hazard-ratio curve.",
            f"“{column}” is not in the model as a spline.",
            "Enter it as a spline, and fit the model again.",
        )
    term, name = design.terms[found[0]], design.data.terms[found[0]]
    values = _values(design, name)
    middle = float(np.median(values)) if reference is None else float(reference)
    if not values.min() <= middle <= values.max():
        raise Fixable(
            "No hazard-ratio curve.",
            f"The reference value is outside the range of “{name}” in these patients.",
            f"Choose a value from {values.min():g} to {values.max():g}.",
        )
    low, high = (float(v) for v in np.quantile(values, (0.01, 0.99)))
    columns, knots = fit.data.columns_of(name), term.knots
    curve = hazard_ratio_curve(
        fit,
        columns,
        lambda x: spline_basis(x, knots),
        values=np.union1d(np.linspace(low, high, points), middle),
        reference=middle,
        level=level,
    )
    return SplineCurve(name, column, tuple(knots), curve, nonlinearity(fit, columns, values), low, high)


def patients_like(fit: CoxFit, rows: np.ndarray) -> Patients:
    """Rows of the fit, as patients to predict for."""
    data = fit.data
    return Patients(
        x=data.x[rows],
        strata=None if data.strata is None else data.strata[rows],
        offset=None if data.offset is None else data.offset[rows],
    )


def _values(design: Design, name: str) -> np.ndarray:
    """A number as its term's first column holds it."""
    return design.data.x[:, design.data.columns_of(name)[0]]


def _is_whole(design: Design, fit: CoxFit, term: Spline) -> bool:
    """Whether a spline has knots to bend at, and all of its columns have coefficients."""
    name = design.data.terms[design.terms.index(term)]
    has = len(fit.data.columns_of(name)) if name in fit.data.terms else 0
    return not isinstance(term.knots, int) and has == len(design.data.columns_of(name)) == len(term.knots) - 1 > 1
