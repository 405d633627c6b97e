"""A Cox model as points: which values of each variable count how much, and what their sum means by a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.regression.baseline import baseline_hazard
from bedside.regression.design import Design
from bedside.regression.model import CoxFit
from bedside.regression.nomogram import Nomogram, nomogram, pretty
from bedside.regression.splines import spline_basis
from bedside.regression.terms import Factor, Interaction, Linear, Log, Spline, Term

VALUES = 6
"""About so many values of a number are named."""
STEPS = (1.0, 2.0, 5.0)


@dataclass(frozen=True, eq=False)
class Points:
    """A nomogram and the hazard that turns sums into chances.

    Attributes
    ----------
    board : Nomogram
        Axes by the variables' labels; their values in words.
    time : float
        In the outcome's unit.
    cumulative_hazard : float or None
        By that time, of a patient whose centred linear predictor is 0; None with strata, which differ in it.
    """

    board: Nomogram
    time: float
    cumulative_hazard: float | None


def points_of(cohort: Cohort, made: Design, fit: CoxFit, *, time: float) -> Points:
    """The points of every value.

    Parameters
    ----------
    cohort : Cohort
        Whose words are used.
    made : Design
    fit : CoxFit
    time : float
        By which the chance is wanted, in the outcome's unit.

    Raises
    ------
    Fixable
        If there are interactions: a product has no line of its own. As `nomogram`.
    """
    if any(isinstance(term, Interaction) for term in made.terms):
        raise Fixable(
            "No points for this model.",
            "With an interaction, the points of one variable hang on the value of another.",
            "Take the interactions out of the model.",
        )
    coef = {name: float(b) for name, b in zip(fit.data.names, fit.coef, strict=True)}
    axes = {
        name: _axis(cohort, made, name, term, np.array([coef.get(made.data.names[j], 0.0) for j in columns]), columns)
        for i, (name, term) in enumerate(zip(made.data.terms, made.terms, strict=True))
        for columns in [made.data.columns_of(i)]
    }
    centre = float(fit.means @ fit.coef)
    board = nomogram(axes, linear_predictor=fit.linear_predictor, centre=centre)
    return Points(board, time, None if fit.data.strata is not None else _hazard(fit, time))


def _hazard(fit: CoxFit, time: float) -> float:
    base = baseline_hazard(fit)
    row = int(np.searchsorted(base.time, time * (1 + 1e-9), side="right")) - 1
    return float(base.centred[row]) if row >= 0 else 0.0


def _axis(
    cohort: Cohort, made: Design, name: str, term: Term, coef: np.ndarray, columns: list[int]
) -> tuple[tuple[str, ...], np.ndarray]:
    if isinstance(term, Factor):
        variable = cohort.variable(term.column)
        first = made.columns[columns[0]]
        levels = [first.reference, *(made.columns[j].level for j in columns)]
        return tuple(variable.label_of(level) for level in levels), np.concatenate(([0.0], coef))
    seen = made.data.x[:, columns[0]]
    if isinstance(term, Log):
        low, high = (float(v) for v in np.exp(np.array([seen.min(), seen.max()]) * np.log(term.base)))
        values = _ratios(low, high)
        effects = np.log(values) / np.log(term.base) * coef[0]
    elif isinstance(term, Spline):
        values = _within(float(seen.min()), float(seen.max()))
        effects = spline_basis(values, term.knots) @ coef  # type: ignore[arg-type]
    else:
        per = term.per if isinstance(term, Linear) else 1.0
        values = _within(float(seen.min()) * per, float(seen.max()) * per)
        effects = values / per * coef[0]
    return tuple(f"{v:g}" for v in values), effects


def _within(low: float, high: float) -> np.ndarray:
    """Round values from the lowest to the highest that was seen, and at least these two."""
    found = pretty(low, high, VALUES)
    found = found[(found >= low) & (found <= high)]
    return found if len(found) > 1 else np.unique([low, high])


def _ratios(low: float, high: float) -> np.ndarray:
    """Values of 1, 2 or 5 times a power of ten, thinned to a few."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    found = np.array([step * 10.0**k for k in powers for step in STEPS])
    found = found[(found >= low) & (found <= high)]
    if len(found) < 2:
        return np.unique([low, high])
    return found[:: max(1, round(len(found) / VALUES))]
