"""The nomogram of a Cox model that was fitted to a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.regression.baseline import baseline_hazard
from bedside.regression.model import CoxFit
from bedside.regression.nomogram import Nomogram, nomogram, pretty
from bedside.regression.source import columns_of
from bedside.regression.terms import Factor, Interaction, Term, expand, variables_of

if TYPE_CHECKING:
    from bedside.cohort import Cohort
    from bedside.regression.design import Design

NO_NOMOGRAM = "No nomogram of this model."
CHANCES = (0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.01)
TICKS = 8


@dataclass(frozen=True, eq=False)
class CoxNomogram:
    """Points by variable, and the chance of no event by a time for their sum.

    Attributes
    ----------
    nomogram : Nomogram
        One axis for each variable, by its column name; values are numbers, or codes of levels.
    labels : dict of str to str
        Clinical names of the axes.
    t : float
        Time of the chances, in `unit`.
    unit : str
    cumulative_hazard : float
        At `t`, of a patient whose centred linear predictor is 0.
    chances : array, shape (k,)
        Ticks of the line of chances that fall on the line of total points.
    chance_points : array, shape (k,)
        Total points at which they stand.
    n, n_events : int
    """

    nomogram: Nomogram
    labels: dict[str, str]
    t: float
    unit: Unit
    cumulative_hazard: float
    chances: np.ndarray
    chance_points: np.ndarray
    n: int
    n_events: int

    def survival(self, total: np.ndarray | float) -> np.ndarray:
        """Chance of no event by `t` for so many points."""
        return self.nomogram.survival(total, cumulative_hazard=self.cumulative_hazard)


@dataclass(frozen=True, eq=False)
class _Line:
    """The values of one variable's axis, as a source of columns."""

    values: np.ndarray
    labels: tuple[str, ...]

    def number(self, column: str, /) -> np.ndarray:
        return self.values

    def codes(self, column: str, /) -> tuple[np.ndarray, tuple[str, ...]]:
        return np.arange(len(self.labels)), self.labels


def cox_nomogram(
    cohort: Cohort, fit: CoxFit, plan: Design, *, t: float, unit: Unit, ticks: dict[str, Sequence[float]] | None = None
) -> CoxNomogram:
    """The nomogram of a fitted Cox model.

    Parameters
    ----------
    cohort : Cohort
        That the model was fitted to.
    fit : CoxFit
    plan : Design
        From `design`, which gave `fit` its data.
    t : float
        Time of the chances, within follow-up.
    unit : str
        Of `t` and of the model's times.
    ticks : dict of str to sequence of float, optional
        Values shown for a number, by its column; else round numbers between its 1st and 99th percentile.

    Raises
    ------
    Fixable
        If the model has strata or interactions of several variables, whose points cannot be added up, or `t` is
        beyond follow-up.

    References
    ----------
    R: ``rms::nomogram(cph(...), fun = function(lp) surv(t, lp))``.
    """
    if fit.data.strata is not None or any(_joins(term) for term in plan.terms):
        raise Fixable(
            NO_NOMOGRAM,
            "It has strata or interactions, and then points of single variables do not add up.",
            "Fit a model without them.",
        )
    if not 0 < t <= float(fit.data.time.max()):
        raise Fixable(NO_NOMOGRAM, "The time lies outside the follow-up.", "Choose a time within the follow-up.")
    axes: dict[str, tuple[Sequence[object], np.ndarray]] = {}
    for index, term in enumerate(plan.terms):
        name = variables_of(term)[0]
        line, values = _line(cohort, plan, index, (ticks or {}).get(name))
        shown = replace(term, reference=_reference(plan, index)) if isinstance(term, Factor) else term
        effects = expand(shown, line).values @ _coef(fit, plan, index)
        before = axes[name][1] if name in axes else 0.0
        axes[name] = (values, effects + before)
    centre = float(fit.means @ fit.coef)
    drawn = nomogram(axes, linear_predictor=fit.linear_predictor, centre=centre)
    hazard = baseline_hazard(fit)
    reached = np.searchsorted(hazard.time, t, side="right")
    cumulative = float(hazard.centred[reached - 1]) if reached else 0.0
    chances, points = _chance_line(drawn, cumulative)
    return CoxNomogram(
        nomogram=drawn,
        labels={name: columns_of(cohort).name(name) for name in axes},
        t=t,
        unit=unit,
        cumulative_hazard=cumulative,
        chances=chances,
        chance_points=points,
        n=fit.n,
        n_events=fit.n_events,
    )


def _joins(term: Term) -> bool:
    return isinstance(term, Interaction) and len(variables_of(term)) > 1


def _line(cohort: Cohort, plan: Design, index: int, ticks: Sequence[float] | None) -> tuple[_Line, tuple[object, ...]]:
    """An axis's values, and how they are shown."""
    term, columns = plan.terms[index], columns_of(cohort)
    name = variables_of(term)[0]
    if isinstance(term, Factor):
        used = [plan.columns[j] for j in plan.data.columns_of(index)]
        codes = (used[0].reference, *(column.level for column in used))
        labels = tuple(str(code) for code in columns.codes(name)[1] if code in codes)
        return _Line(np.zeros(0), labels), labels
    if ticks is None:
        known = columns.number(name)[plan.data.rows]
        low, high = np.quantile(known, [0.01, 0.99])
        every = pretty(float(low), float(high), TICKS)
        ticks = every[(every >= known.min()) & (every <= known.max())]
        ticks = ticks if len(ticks) > 1 else np.array([known.min(), known.max()])
    values = np.asarray(ticks, dtype=float)
    return _Line(values, ()), tuple(float(v) for v in values)


def _reference(plan: Design, index: int) -> str | None:
    return plan.columns[plan.data.columns_of(index)[0]].reference


def _coef(fit: CoxFit, plan: Design, index: int) -> np.ndarray:
    """Coefficients of a term's columns, 0 for those the fit left out."""
    by_name = dict(zip(fit.data.names, fit.coef, strict=True))
    return np.array([by_name.get(plan.data.names[j], 0.0) for j in plan.data.columns_of(index)])


def _chance_line(drawn: Nomogram, cumulative: float) -> tuple[np.ndarray, np.ndarray]:
    if cumulative <= 0:
        return np.zeros(0), np.zeros(0)
    chances = np.array(CHANCES)
    points = drawn.points_for(chances, cumulative_hazard=cumulative)
    on_line = (points >= drawn.total[0]) & (points <= drawn.total[-1])
    return chances[on_line], points[on_line]
