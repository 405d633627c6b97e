"""How well the regression page's model holds, and what else is read off it; each number once per session."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.errors import Fixable
from bedside.regression import CoxFit, Design, Forest, Spline, fit_cox
from bedside.regression.bootstrap import Optimism, bootstrap_optimism
from bedside.regression.data import CoxData
from bedside.regression.diagnose import SplineCurve, spline_curve
from bedside.regression.influence import Influence, influence
from bedside.regression.parametric_compare import ParametricComparison, compare_parametric
from bedside.regression.points import Points, points_of
from bedside.regression.residuals import Residuals
from bedside.regression.residuals import residuals as cox_residuals
from bedside.regression.splines import spline_basis, spline_knots
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


@dataclass(frozen=True, eq=False)
class LineCheck:
    """A curve in place of the line that the model holds.

    Attributes
    ----------
    curve : SplineCurve
        In the variable's own unit.
    held : SplineCurve
        The same as its model holds it: of the logarithm where that is in the model.
    data : CoxData
        Of the curve's model.
    values : array, shape (n,)
        The variable, one for each row: a patient, or an interval between visits.
    base : float or None
        Of the logarithm, where the model holds that.
    line : array or None
        The model's own ratios at the curve's values; None if it holds a curve.
    """

    curve: SplineCurve
    held: SplineCurve
    data: CoxData
    values: np.ndarray
    base: float | None
    line: np.ndarray | None


def _own(made: Design, name: str) -> int:
    return next(
        i for i, term in enumerate(made.terms) if isinstance(term, Linear | Log | Spline) and term.column == name
    )


def _curved(of: Cohort, end: Outcome, ask: Ask, name: str, knots: int) -> tuple[Design, CoxFit]:
    """The same model with a restricted cubic spline for one number, of its logarithm where that is in the model."""
    spec = plain(ask).spec
    terms = tuple(Spline(name, knots) if isinstance(t, Linear | Spline) and t.column == name else t for t in spec.terms)
    curved = replace(plain(ask), spec=replace(spec, terms=terms))

    def make() -> tuple[Design, CoxFit]:
        made = made_of(of, end, curved)
        own = _own(made, name)
        if isinstance(made.terms[own], Log):
            made = _bent(made, own, knots)
        return made, fit_cox(made.data, ties=ask.ties, robust=ask.robust, ridge=ask.penalty)

    return kept("curved", of, end, curved, name, knots, make=make)


def _bent(made: Design, own: int, knots: int) -> Design:
    """A design with a curve of the column of one term in place of the column."""
    data = made.data
    at = data.columns_of(own)[0]
    where = spline_knots(data.x[:, at], knots)
    if len(where) < 3:
        return made
    basis, column = spline_basis(data.x[:, at], where), made.columns[at]
    parts = tuple(f"{column.name}, part {i + 1} of its curve" for i in range(basis.shape[1]))
    bent = replace(
        data,
        x=np.column_stack((data.x[:, :at], basis, data.x[:, at + 1 :])),
        names=(*data.names[:at], *parts, *data.names[at + 1 :]),
        assign=(*data.assign[:at], *(own for _ in parts), *data.assign[at + 1 :]),
    )
    columns = (*made.columns[:at], *(replace(column, name=name) for name in parts), *made.columns[at + 1 :])
    terms = (*made.terms[:own], Spline(column.variables[0], where), *made.terms[own + 1 :])
    return replace(made, data=bent, columns=columns, terms=terms)


def curve(of: Cohort, end: Outcome, ask: Ask, name: str, knots: int, reference: float | None) -> LineCheck:
    """A number's hazard ratio along its range, from the same model with a restricted cubic spline for it."""

    def make() -> LineCheck:
        found = cox(of, end, ask)
        own = found.design.terms[_own(found.design, name)]
        base = own.base if isinstance(own, Log) else None
        made, fit = _curved(of, end, ask, name, knots)
        seen = made.data.x[:, made.data.columns_of(_own(made, name))[0]]
        at = reference if reference is None or base is None else _on_scale(reference, base, seen, name)
        held = spline_curve(made, fit, name, reference=at, level=ask.level)
        shown = held if base is None else _back(held, base)
        values = seen if base is None else base**seen
        return LineCheck(shown, held, made.data, values, base, _line(found, own, held))

    return kept("curve", of, end, ask, name, knots, "" if reference is None else reference, make=make)


def _on_scale(reference: float, base: float, seen: np.ndarray, name: str) -> float:
    low, high = base ** float(seen.min()), base ** float(seen.max())
    if not low * (1 - 1e-9) <= reference <= high * (1 + 1e-9):
        raise Fixable(
            "No hazard-ratio curve.",
            f"The reference value is outside the range of “{name}” in these patients.",
            f"Choose a value from {low:g} to {high:g}.",
        )
    return float(np.clip(np.log(reference) / np.log(base), seen.min(), seen.max()))


def _back(held: SplineCurve, base: float) -> SplineCurve:
    """A curve of a logarithm, along the variable itself."""
    curve = replace(held.curve, value=base**held.curve.value, reference=base**held.curve.reference)
    return replace(held, curve=curve, low=base**held.low, high=base**held.high)


def _line(found: Forest, own: Linear | Log | Spline, held: SplineCurve) -> np.ndarray | None:
    """The ratios of the model's own line, along what it is a line of."""
    columns = found.fit.data.columns_of(held.term) if held.term in found.fit.data.terms else []
    if isinstance(own, Spline) or len(columns) != 1:
        return None
    per = own.per if isinstance(own, Linear) else 1.0
    return np.exp(found.fit.coef[columns[0]] / per * (held.curve.value - held.curve.reference))


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


def optimism(of: Cohort, end: Outcome, ask: Ask, count: int) -> Optimism:
    """How much of the model's concordance would be lost in new patients."""
    if ask.ridge:
        raise Fixable(
            "No bootstrap for this model.",
            "It is held back by a ridge, without which each sample would be fitted.",
            "Use a model without a ridge.",
        )
    if ask.at_visits:
        raise Fixable(
            "No bootstrap for this model.",
            "Its values change at visits, and a sample would tear a patient's intervals apart.",
            "Use the values at the start.",
        )

    def make() -> Optimism:
        data = cox(of, end, ask).design.data
        with desk.progress(f"Fitting the model in {count} samples") as report:
            return bootstrap_optimism(data, count=count, seed=0, ties=ask.ties, done=lambda share: report(share, ""))

    return kept("optimism", of, end, plain(ask), count, make=make)


def residuals(of: Cohort, end: Outcome, ask: Ask) -> Residuals:
    """Of every row of the model."""
    return kept("residuals", of, end, plain(ask), make=lambda: cox_residuals(cox(of, end, ask).fit))


def points(of: Cohort, end: Outcome, ask: Ask, time: float) -> Points:
    """The model as points, with what their sum means by a time."""
    found = cox(of, end, ask)
    return kept("points", of, end, plain(ask), time, make=lambda: points_of(of, found.design, found.fit, time=time))
