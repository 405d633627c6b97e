"""The numbers of the regression page, each computed once per session under the choices it was computed with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.competing import FineGray, fine_gray
from bedside.errors import Fixable
from bedside.regression import (
    Concordance,
    CoxFit,
    CoxSpec,
    Design,
    Forest,
    ForestRow,
    Ridge,
    Spline,
    Ties,
    design,
    design_visits,
    fit_cox,
    multivariable,
    univariable,
)
from bedside.regression.data import CoxData
from bedside.regression.diagnose import SplineCurve, spline_curve
from bedside.regression.forest import rows_of
from bedside.regression.forest_curve import curves_as_quartiles
from bedside.regression.imputation import Imputed, PooledCox, impute, pool_cox
from bedside.regression.influence import Influence, influence
from bedside.regression.parametric_compare import ParametricComparison, compare_parametric
from bedside.regression.points import Points, points_of
from bedside.regression.residuals import Residuals
from bedside.regression.residuals import residuals as cox_residuals
from bedside.regression.terms import Interaction, Linear, Log, Term, variables_of
from bedside.regression.timevarying import split_at
from bedside.regression.zph import ProportionalHazards, check_proportional
from components import desk

ANY = "any"
"""All types of event together."""


@dataclass(frozen=True)
class Ask:
    """Everything that decides a regression.

    Attributes
    ----------
    spec : CoxSpec
    ties : {"efron", "breslow"}
    robust : bool or None
        None as in R: where there are clusters, or weights that are no whole numbers.
    ridge : float
        0 for none.
    level : float
        Of the intervals.
    event : str
        ``"any"``; ``"cause:2"`` for the hazard of one type of event; ``"fine-gray:2"`` for its subdistribution hazard.
    at_visits : bool
        Whether values change at visits.
    imputed : bool
        Whether missing values are imputed, else complete cases.
    """

    spec: CoxSpec
    ties: Ties = "efron"
    robust: bool | None = None
    ridge: float = 0.0
    level: float = 0.95
    event: str = ANY
    at_visits: bool = False
    imputed: bool = False

    @property
    def cause(self) -> int:
        """Number of the type of event; 0 for all together."""
        return 0 if self.event == ANY else int(self.event.partition(":")[2])

    @property
    def is_fine_gray(self) -> bool:
        """True if ratios are of subdistribution hazards."""
        return self.event.startswith("fine-gray")

    @property
    def penalty(self) -> Ridge | None:
        """The ridge, if there is one."""
        return Ridge(self.ridge) if self.ridge > 0 else None

    def happened(self, of: Cohort, end: Outcome) -> np.ndarray | None:
        """Who had the event that is asked about; None for any of the outcome's."""
        return of.cause(end) == self.cause if self.cause else None


@dataclass(frozen=True, eq=False)
class Answer:
    """What a regression says.

    Attributes
    ----------
    alone, together : tuple of ForestRow
        Each variable in a model of its own, and all in one; `together` is empty where that could not be fitted.
    made : Design
    fit : CoxFit, FineGray, PooledCox or None
    concordance : Concordance or None
    cautions : tuple of str
    stop : Fixable or None
        Why there is no model of all.
    imputed : Imputed or None
    """

    alone: tuple[ForestRow, ...]
    together: tuple[ForestRow, ...]
    made: Design
    fit: CoxFit | FineGray | PooledCox | None
    concordance: Concordance | None = None
    cautions: tuple[str, ...] = ()
    stop: Fixable | None = None
    imputed: Imputed | None = None


def _kept(what: str, of: Cohort, end: Outcome, ask: Ask, *more: str | float, make: Callable[[], object]) -> object:
    return desk.kept((what, of.fingerprint, end.key, repr(ask), *more), make)


def made(of: Cohort, end: Outcome, ask: Ask) -> Design:
    """Rows and columns of the model, complete cases."""
    build = design_visits if ask.at_visits else design
    return _kept("design", of, end, ask, make=lambda: build(of, end, ask.spec, event=ask.happened(of, end)))  # type: ignore[return-value]


def answer(of: Cohort, end: Outcome, ask: Ask) -> Answer:
    """Hazard ratios alone and together."""
    make = _imputed if ask.imputed else _fine_gray if ask.is_fine_gray else _cox
    return _kept("regression", of, end, ask, make=lambda: make(of, end, ask))  # type: ignore[return-value]


def cox(of: Cohort, end: Outcome, ask: Ask) -> Forest:
    """The Cox model of complete cases that the checks are about."""

    def make() -> Forest:
        return multivariable(
            of, end, ask.spec, ties=ask.ties, robust=ask.robust, ridge=ask.penalty, level=ask.level,
            event=ask.happened(of, end), at_visits=ask.at_visits,
        )  # fmt: skip

    plain = replace(ask, imputed=False, event=ask.event.replace("fine-gray", "cause"))
    return _kept("cox", of, end, plain, make=make)  # type: ignore[return-value]


def _alone(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Terms that can stand alone: a product without its parts has no meaning."""
    return tuple(term for term in terms if not isinstance(term, Interaction))


def _cox(of: Cohort, end: Outcome, ask: Ask) -> Answer:
    whole = made(of, end, ask)
    plain = replace(ask.spec, terms=_alone(ask.spec.terms))
    alone = univariable(
        of, end, plain, ties=ask.ties, robust=ask.robust, level=ask.level, event=ask.happened(of, end),
        at_visits=ask.at_visits,
    )  # fmt: skip
    alone = _with_curves_alone(of, whole, ask, alone)
    try:
        found = cox(of, end, ask)
    except Fixable as stop:
        return Answer(alone, (), whole, None, cautions=whole.notes, stop=stop)
    together = curves_as_quartiles(of, found.design, found.fit, found.rows, level=ask.level)
    return Answer(alone, together, whole, found.fit, found.concordance, found.cautions)


def _with_curves_alone(of: Cohort, whole: Design, ask: Ask, rows: tuple[ForestRow, ...]) -> tuple[ForestRow, ...]:
    for name, term in zip(whole.data.terms, whole.terms, strict=True):
        if isinstance(term, Spline):
            try:
                fit = fit_cox(whole.data.with_columns(whole.data.columns_of(name)), ties=ask.ties, robust=ask.robust)
            except Fixable:
                continue
            own = tuple(row for row in rows if row.term == name)
            one = curves_as_quartiles(of, whole, fit, own, level=ask.level)
            first = rows.index(own[0])
            rows = (*rows[:first], *one, *rows[first + len(own) :])
    return rows


def _fine_gray(of: Cohort, end: Outcome, ask: Ask) -> Answer:
    """Fine-Gray's model; strata, weights, clusters and a ridge are not part of it."""
    whole = made(of, end, ask)
    data, causes = whole.data, of.cause(end)[whole.data.rows]

    def fitted(columns: list[int]) -> FineGray:
        part = data.with_columns(columns)
        return fine_gray(
            part.x, part.time, causes, of=ask.cause, name=end.cause_labels[ask.cause - 1], names=part.names,
            assign=part.assign, terms=part.terms, entry=part.entry,
            definition="crr" if part.entry is None else "finegray",
        )  # fmt: skip

    def rows(fit: FineGray, of_design: Design) -> tuple[ForestRow, ...]:
        tests = {name: fit.term_test(name) for name in fit.data.terms}
        found = rows_of(of, of_design, fit, tests, level=ask.level)
        return curves_as_quartiles(of, of_design, fit, found, level=ask.level)  # type: ignore[arg-type]

    alone: list[ForestRow] = []
    for index, term in enumerate(whole.terms):
        if not isinstance(term, Interaction):
            columns = data.columns_of(index)
            try:
                alone += rows(fitted(columns), _part(whole, index))
            except Fixable as stop:
                alone.append(without(data.terms[index], term, len(data), data.n_events, f"{stop.why} {stop.next_step}"))
    try:
        fit = fitted(list(range(data.x.shape[1])))
    except Fixable as stop:
        return Answer(tuple(alone), (), whole, None, cautions=whole.notes, stop=stop)
    return Answer(tuple(alone), rows(fit, whole), whole, fit, cautions=whole.notes)


def _part(whole: Design, index: int) -> Design:
    """A design with one term alone."""
    columns = whole.data.columns_of(index)
    kept = tuple(whole.columns[j] for j in columns)
    return replace(whole, data=whole.data.with_columns(columns), columns=kept, terms=(whole.terms[index],))


def without(name: str, term: Term, n: int, events: int, why: str) -> ForestRow:
    """A row that says why there is no ratio."""
    nan = float("nan")
    return ForestRow(name, name, None, variables_of(term), n, events, nan, nan, nan, nan, nan, note=why)


def copies(of: Cohort, end: Outcome, names: tuple[str, ...]) -> Imputed:
    """Twenty completed copies."""

    def make() -> Imputed:
        with desk.progress(f"Completing {len(of):,} patients 20 times"):
            return impute(of, end, names)

    return desk.kept(("copies", of.fingerprint, end.key, "\x1f".join(names)), make)


def _imputed(of: Cohort, end: Outcome, ask: Ask) -> Answer:
    names = tuple(dict.fromkeys(n for term in ask.spec.terms for n in variables_of(term)))
    found = copies(of, end, tuple(dict.fromkeys((*names, *ask.spec.strata))))
    happened = ask.happened(of, end)
    first = design(found.cohorts[0], end, ask.spec, event=happened)
    settled = replace(ask.spec, terms=first.terms)
    designs = [design(copy, end, settled, event=happened) for copy in found.cohorts]

    def rows(fit: PooledCox, of_design: Design) -> tuple[ForestRow, ...]:
        tests = {name: fit.term_test(name) for name in fit.data.terms}
        return rows_of(of, of_design, fit, tests, level=ask.level)

    with desk.progress("Fitting 20 models and pooling them") as report:
        alone: list[ForestRow] = []
        for index, term in enumerate(first.terms):
            if isinstance(term, Interaction):
                continue
            report(0.5 * index / len(first.terms), "")
            try:
                parts = [d.data.with_columns(d.data.columns_of(index)) for d in designs]
                alone += rows(pool_cox(parts, ties=ask.ties, robust=ask.robust), _part(first, index))
            except Fixable as stop:
                data = first.data
                alone.append(without(data.terms[index], term, len(data), data.n_events, f"{stop.why} {stop.next_step}"))
        try:
            fit = pool_cox(
                [d.data for d in designs], ties=ask.ties, robust=ask.robust, done=lambda s: report(0.5 + s / 2, "")
            )
        except Fixable as stop:
            return Answer(tuple(alone), (), first, None, cautions=first.notes, stop=stop, imputed=found)
    return Answer(tuple(alone), rows(fit, first), first, fit, cautions=first.notes, imputed=found)


# ------------------------------------------------------------------ how well it holds


def proportional(of: Cohort, end: Outcome, ask: Ask, scale: str) -> ProportionalHazards:
    """Does the hazard ratio stay the same over time?"""
    found = cox(of, end, ask)
    return _kept("proportional", of, end, ask, scale, make=lambda: check_proportional(found.fit, scale))  # type: ignore[return-value, arg-type]


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
    return _kept("halves", of, end, ask, term, make=lambda: _halves(cox(of, end, ask), ask, term))  # type: ignore[return-value]


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


def curve(of: Cohort, end: Outcome, ask: Ask, name: str, knots: int, reference: float | None) -> SplineCurve:
    """A number's hazard ratio along its range, from the same model with a restricted cubic spline for it."""
    terms = tuple(
        Spline(name, knots) if isinstance(t, Linear | Log | Spline) and t.column == name else t for t in ask.spec.terms
    )
    curved = replace(ask, spec=replace(ask.spec, terms=terms))
    found = cox(of, end, curved)
    return _kept(
        "curve", of, end, curved, name, "" if reference is None else reference,
        make=lambda: spline_curve(found.design, found.fit, name, reference=reference, level=ask.level),
    )  # type: ignore[return-value]  # fmt: skip


def influential(of: Cohort, end: Outcome, ask: Ask) -> Influence:
    """Whose absence would move the coefficients most."""
    return _kept("influence", of, end, ask, make=lambda: influence(cox(of, end, ask).fit))  # type: ignore[return-value]


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
    return _kept("residuals", of, end, ask, make=lambda: cox_residuals(cox(of, end, ask).fit))  # type: ignore[return-value]


def curve_data(of: Cohort, end: Outcome, ask: Ask, found: SplineCurve) -> CoxData:
    """The data of the model that a curve is read from."""
    terms = tuple(
        Spline(found.column, found.knots) if isinstance(t, Linear | Log | Spline) and t.column == found.column else t
        for t in ask.spec.terms
    )
    return made(of, end, replace(ask, spec=replace(ask.spec, terms=terms), imputed=False)).data


def pooled_data(of: Cohort, end: Outcome, ask: Ask) -> list[CoxData]:
    """The data of the model, one value for each imputed copy."""
    return [fit.data for fit in answer(of, end, ask).fit.fits]  # type: ignore[union-attr]


def points(of: Cohort, end: Outcome, ask: Ask, time: float) -> Points:
    """The model as points, with what their sum means by a time."""
    found = cox(of, end, ask)
    return _kept("points", of, end, ask, time, make=lambda: points_of(of, found.design, found.fit, time=time))  # type: ignore[return-value]
