"""How well the regression page's model holds, and what else is read off it; each number once per session."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.errors import Fixable
from bedside.regression import CoxFit, Design, Forest, Spline, fit_cox
from bedside.regression.data import CoxData
from bedside.regression.diagnose import SplineCurve, spline_curve
from bedside.regression.influence import Influence, influence
from bedside.regression.parametric_compare import ParametricComparison, compare_parametric
from bedside.regression.points import Points, points_of
from bedside.regression.residuals import Residuals
from bedside.regression.residuals import residuals as cox_residuals
from bedside.regression.terms import Linear, Log
from bedside.regression.timevarying import split_at
from bedside.regression.zph import ProportionalHazards, check_proportional
from components import desk
from components.numbers_regression import Ask, cox, kept, made_of, plain


def proportional(of: Cohort, end: Outcome, ask: Ask, scale: str) -> ProportionalHazards:
    """Does the hazard ratio stay the same over time?"""
    found = cox(of, end, ask)
    return kept("proportional", of, end, plain(ask), scale, make=lambda: check_proportional(found.fit, scale))


@dataclass(frozen=True)
class BeforeAfter:
    """One column's hazard ratio up to a time and after it.

    Attributes
    ----------
    column : str
    cut : float
        In the outcome's unit.
    before, after : (ratio, lower, upper)
    events_before, events_after : int
    """

    column: str
    cut: float
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    events_before: int
    events_after: int


def before_and_after(of: Cohort, end: Outcome, ask: Ask, term: str) -> tuple[BeforeAfter, ...]:
    """A term's hazard ratios in the first and second half of events: an interaction with time."""
    return kept("halves", of, end, ask, term, make=lambda: _halves(cox(of, end, ask), ask, term))


def _halves(found: Forest, ask: Ask, term: str) -> tuple[BeforeAfter, ...]:
    data = found.fit.data
    cut = float(np.median(data.time[data.event]))
    split, interval = split_at(data, [cut])
    own, late = data.columns_of(term), (interval == 1)[:, None]
    others = [j for j in range(data.x.shape[1]) if j not in own]
    x = np.column_stack((split.x[:, others], split.x[:, own] * ~late, split.x[:, own] * late))
    names = (
        *(data.names[j] for j in others),
        *(f"{data.names[j]}, early" for j in own),
        *(f"{data.names[j]}, late" for j in own),
    )
    parts = replace(split, x=x, names=names, assign=tuple(range(x.shape[1])), terms=names)
    fit = fit_cox(parts, ties=ask.ties, robust=ask.robust, ridge=ask.penalty)
    if fit.aliased:
        raise Fixable(
            "No hazard ratio before and after.",
            "In one half of the events the variable does not differ among those at risk.",
            "Read the curve above instead.",
        )
    lower, upper = fit.interval(ask.level)
    seen = [int((split.event & (interval == half)).sum()) for half in (0, 1)]
    told, k = [], len(own)
    for i, j in enumerate(own):
        both = [
            (float(np.exp(fit.coef[at])), float(lower[at]), float(upper[at]))
            for at in (len(others) + i, len(others) + k + i)
        ]
        told.append(BeforeAfter(data.names[j], cut, both[0], both[1], *seen))
    return tuple(told)


def _curved(of: Cohort, end: Outcome, ask: Ask, name: str, knots: int) -> tuple[Design, CoxFit]:
    """The same model with a restricted cubic spline for one number."""
    terms = tuple(
        Spline(name, knots) if isinstance(t, Linear | Log | Spline) and t.column == name else t for t in ask.spec.terms
    )
    curved = replace(plain(ask), spec=replace(ask.spec, terms=terms))

    def make() -> tuple[Design, CoxFit]:
        made = made_of(of, end, curved)
        return made, fit_cox(made.data, ties=ask.ties, robust=ask.robust, ridge=ask.penalty)

    return kept("curved", of, end, curved, make=make)


def curve(of: Cohort, end: Outcome, ask: Ask, name: str, knots: int, reference: float | None) -> SplineCurve:
    """A number's hazard ratio along its range, from the same model with a restricted cubic spline for it."""

    def make() -> SplineCurve:
        return spline_curve(*_curved(of, end, ask, name, knots), name, reference=reference, level=ask.level)

    return kept("curve", of, end, ask, name, knots, "" if reference is None else reference, make=make)


def curve_data(of: Cohort, end: Outcome, ask: Ask, name: str, knots: int) -> CoxData:
    """The data of the model that a curve is read from."""
    return _curved(of, end, ask, name, knots)[1].data


def curve_values(of: Cohort, end: Outcome, ask: Ask, found: SplineCurve, knots: int) -> np.ndarray:
    """The values that a curve is of: one for each row of its model, a patient or an interval between visits."""
    data = curve_data(of, end, ask, found.column, knots)
    return data.x[:, data.columns_of(found.term)[0]]


def influential(of: Cohort, end: Outcome, ask: Ask) -> Influence:
    """Whose absence would move the coefficients most."""
    return kept("influence", of, end, plain(ask), make=lambda: influence(cox(of, end, ask).fit))


def parametric(
    of: Cohort, end: Outcome, groups: Grouping | None, *, separate: bool, until: float, level: float
) -> ParametricComparison:
    """Parametric models side by side."""

    def make() -> ParametricComparison:
        with desk.progress("Fitting seven parametric models"):
            return compare_parametric(of, end, grouping=groups, separate=separate, until=until, level=level)

    return desk.kept(("parametric", of.fingerprint, end.key, desk.seal(groups), separate, until, level), make)


def residuals(of: Cohort, end: Outcome, ask: Ask) -> Residuals:
    """Of every row of the model."""
    return kept("residuals", of, end, plain(ask), make=lambda: cox_residuals(cox(of, end, ask).fit))


def points(of: Cohort, end: Outcome, ask: Ask, time: float) -> Points:
    """The model as points, with what their sum means by a time."""
    found = cox(of, end, ask)
    return kept("points", of, end, plain(ask), time, make=lambda: points_of(of, found.design, found.fit, time=time))
