"""Hazard ratios as rows of a table and a forest plot: each variable alone, or all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.errors import Fixable
from bedside.regression.concordance import Concordance, concordance_of
from bedside.regression.cox import fit_cox
from bedside.regression.data import CoxData
from bedside.regression.design import CoxSpec, Design, design, design_visits
from bedside.regression.model import Aliased, AnyTies, ChiTest, CoxFit, Ridge, chi_test
from bedside.regression.source import columns_of
from bedside.regression.terms import Column, Factor

TermTest = Literal["wald", "lr"]


class Ratios(Protocol):
    """A fitted model as far as a forest plot asks: Cox, Fine-Gray, or one pooled over imputed copies."""

    @property
    def data(self) -> CoxData: ...

    @property
    def coef(self) -> np.ndarray: ...

    @property
    def p(self) -> np.ndarray: ...

    @property
    def aliased(self) -> tuple[Aliased, ...]: ...

    def interval(self, level: float = ..., /) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True)
class ForestRow:
    """One hazard ratio, or the reference level that others are compared with.

    Attributes
    ----------
    term : str
        Name of the variable or interaction.
    label : str
        What is compared: ``"Age, per 10 years"``, ``"Stage: III against I"``.
    level : str or None
        Label of the level, for a factor.
    variables : tuple of str
        Columns of the cohort.
    n, events : int
        Rows and events: at this level, or in the whole model for a number.
    hr, lower, upper : float
        1 at the reference; NaN where there is none, `note` says why.
    p : float
        Wald, two-sided; NaN at the reference.
    term_p : float
        All coefficients of the term against 0.
    is_reference : bool
    note : str
        Why there is no hazard ratio.
    """

    term: str
    label: str
    level: str | None
    variables: tuple[str, ...]
    n: int
    events: int
    hr: float
    lower: float
    upper: float
    p: float
    term_p: float
    is_reference: bool = False
    note: str = ""


@dataclass(frozen=True, eq=False)
class Forest:
    """A fitted model as a table.

    Attributes
    ----------
    rows : tuple of ForestRow
    design : Design
    fit : CoxFit
    concordance : Concordance
    level : float
    term_tests : dict of str to ChiTest
        By the term's name; with splines, also the test of its curve under the name and `CURVED`.
    cautions : tuple of str
        What a reader must know before believing it.
    """

    rows: tuple[ForestRow, ...]
    design: Design
    fit: CoxFit
    concordance: Concordance
    level: float
    term_tests: dict[str, ChiTest]
    cautions: tuple[str, ...]


EVENTS_PER_COEFFICIENT = 10


def multivariable(
    cohort: Cohort,
    outcome: Outcome | str,
    spec: CoxSpec,
    *,
    ties: AnyTies = "efron",
    robust: bool | None = None,
    ridge: Ridge | None = None,
    level: float = 0.95,
    test: TermTest = "wald",
    event: np.ndarray | None = None,
    at_visits: bool = False,
) -> Forest:
    """All terms in one model.

    Parameters
    ----------
    cohort, outcome, spec, event
        As `design`.
    ties, robust, ridge
        As `fit_cox`.
    level : float, default 0.95
        Of the intervals.
    test : {"wald", "lr"}
        How a term is tested as a whole; likelihood ratios only without a robust variance and without a ridge.
    at_visits : bool, default False
        Whether covariates change at visits (`design_visits`).

    Raises
    ------
    Fixable
        As `design` and `fit_cox`.

    References
    ----------
    R: ``summary(coxph(...))``, ``drop1(fit, test = "Chisq")``.
    """
    made = (design_visits if at_visits else design)(cohort, outcome, spec, event=event)
    return _forest(cohort, made, ties=ties, robust=robust, ridge=ridge, level=level, test=test)


def univariable(
    cohort: Cohort,
    outcome: Outcome | str,
    spec: CoxSpec,
    *,
    ties: AnyTies = "efron",
    robust: bool | None = None,
    level: float = 0.95,
    test: TermTest = "wald",
    event: np.ndarray | None = None,
    at_visits: bool = False,
    same_rows: bool = True,
) -> tuple[ForestRow, ...]:
    """Each term in a model of its own, with the strata, weights and entry of the specification.

    Parameters
    ----------
    cohort, outcome, spec, ties, robust, level, test, event, at_visits
        As `multivariable`.
    same_rows : bool, default True
        Whether every model is of the rows that have all values, so that it can be held against the multivariable
        one; else of the rows that have its own.

    Returns
    -------
    tuple of ForestRow
        A term whose model can't be fitted has one row with the reason in `note`.
    """
    build = design_visits if at_visits else design
    whole = build(cohort, outcome, spec, event=event)
    found: list[ForestRow] = []
    for index, term in enumerate(whole.terms):
        try:
            alone = (
                _alone(whole, index) if same_rows else build(cohort, outcome, replace(spec, terms=(term,)), event=event)
            )
            fit = fit_cox(alone.data, ties=ties, robust=robust)
            found += _rows(cohort, alone, fit, term_tests(fit, test), level)
        except Fixable as reason:
            name = whole.data.terms[index]
            of = [whole.columns[j] for j in whole.data.columns_of(index)]
            found.append(_without(name, of, len(whole.data), whole.data.n_events, f"{reason.why} {reason.next_step}"))
    return tuple(found)


def _alone(whole: Design, index: int) -> Design:
    columns = whole.data.columns_of(index)
    return replace(
        whole,
        data=whole.data.with_columns(columns),
        columns=tuple(whole.columns[j] for j in columns),
        terms=(whole.terms[index],),
    )


def _without(name: str, columns: Sequence[Column], n: int, events: int, why: str) -> ForestRow:
    variables = tuple(dict.fromkeys(v for column in columns for v in column.variables))
    nan = float("nan")
    return ForestRow(name, name, None, variables, n, events, nan, nan, nan, nan, nan, note=why)


def _forest(
    cohort: Cohort,
    made: Design,
    *,
    ties: AnyTies,
    robust: bool | None,
    ridge: Ridge | None,
    level: float,
    test: TermTest,
) -> Forest:
    fit = fit_cox(made.data, ties=ties, robust=robust, ridge=ridge)
    tests = term_tests(fit, test)
    return Forest(
        rows=tuple(_rows(cohort, made, fit, tests, level)),
        design=made,
        fit=fit,
        concordance=concordance_of(fit),
        level=level,
        term_tests=tests,
        cautions=_cautions(made, fit),
    )


def term_tests(fit: CoxFit, test: TermTest = "wald") -> dict[str, ChiTest]:
    """Each term of a model against 0, by Wald's test or by the likelihood ratio of the model without it."""
    by_ratio = test == "lr" and not fit.robust and fit.ridge is None
    return {name: _ratio(fit, i) if by_ratio else fit.term_test(i) for i, name in enumerate(fit.data.terms)}


def _ratio(fit: CoxFit, term: int) -> ChiTest:
    gone = fit.data.columns_of(term)
    rest = [j for j in range(len(fit.coef)) if j not in gone]
    without = fit.loglik_null
    if rest:
        without = fit_cox(fit.data.with_columns(rest), ties=fit.ties, robust=False).loglik
    return chi_test(2 * (fit.loglik - without), len(gone))


def curve_test(fit: CoxFit, term: int | str) -> ChiTest:
    """Wald's test that a restricted cubic spline is a straight line: its first column is the line itself."""
    columns = fit.data.columns_of(term)[1:]
    part = fit.coef[columns]
    inverse = np.linalg.pinv(fit.variance[np.ix_(columns, columns)], hermitian=True)
    return chi_test(float(part @ inverse @ part), len(columns))


def _rows(cohort: Cohort, made: Design, fit: Ratios, tests: dict[str, ChiTest], level: float) -> list[ForestRow]:
    lower, upper = fit.interval(level)
    with np.errstate(over="ignore"):
        ratios = np.exp(fit.coef)
    place = {name: j for j, name in enumerate(fit.data.names)}
    aliased = {column.name: column for column in fit.aliased}
    found: list[ForestRow] = []
    for index, term in enumerate(made.terms):
        name = made.data.terms[index]
        columns = made.data.columns_of(index)
        p = tests[name].p if name in tests else float("nan")
        place_of_reference = _before(cohort, made, columns) if isinstance(term, Factor) and not term.full else -1
        for k, j in enumerate(columns):
            if k == place_of_reference:
                found.append(_reference(cohort, made, columns, name, p))
            column, (n, events) = made.columns[j], _counted(made, j)
            if column.name in aliased:
                why = _aliased(aliased[column.name].made_of)
                found.append(replace(_without(name, [column], n, events, why), label=column.name))
                continue
            i = place[column.name]
            found.append(
                ForestRow(
                    term=name,
                    label=column.name,
                    level=None if column.level is None else _said(cohort, column),
                    variables=column.variables,
                    n=n,
                    events=events,
                    hr=float(ratios[i]),
                    lower=float(lower[i]),
                    upper=float(upper[i]),
                    p=float(fit.p[i]),
                    term_p=p,
                )
            )
        if place_of_reference == len(columns):
            found.append(_reference(cohort, made, columns, name, p))
    return found


def _before(cohort: Cohort, made: Design, columns: list[int]) -> int:
    """How many levels come before the reference: which one is chosen does not change the order of levels."""
    first = made.columns[columns[0]]
    order = columns_of(cohort).codes(first.variables[0])[1]
    if first.reference not in order:
        return 0
    at = order.index(first.reference)
    return sum(1 for j in columns if made.columns[j].level in order[:at])


def rows_of(
    cohort: Cohort, made: Design, fit: Ratios, tests: dict[str, ChiTest], *, level: float = 0.95
) -> tuple[ForestRow, ...]:
    """A fitted model's ratios as rows, whatever hazard they are ratios of."""
    return tuple(_rows(cohort, made, fit, tests, level))


def _said(cohort: Cohort, column: Column) -> str:
    return columns_of(cohort).level(column.variables[0], str(column.level))


def _reference(cohort: Cohort, made: Design, columns: list[int], name: str, p: float) -> ForestRow:
    at = ~made.data.x[:, columns].any(axis=1)
    first = made.columns[columns[0]]
    term = made.terms[made.data.terms.index(name)]
    merged = term.merged if isinstance(term, Factor) else ()
    taken = dict.fromkeys((str(first.reference), *merged))
    said = " or ".join(columns_of(cohort).level(first.variables[0], code) for code in taken)
    events = int(made.data.event[at].sum())
    nan = float("nan")
    return ForestRow(name, said, said, first.variables, int(at.sum()), events, 1.0, nan, nan, nan, p, is_reference=True)


def _counted(made: Design, column: int) -> tuple[int, int]:
    """Rows and events at a level; of a number, all."""
    data = made.data
    at = data.x[:, column] == 1 if made.columns[column].level is not None else np.ones(len(data), dtype=bool)
    return int(at.sum()), int(data.event[at].sum())


def _aliased(made_of: tuple[str, ...]) -> str:
    if not made_of:
        return "It does not differ among the patients who were at risk when an event occurred."
    named = [f"“{name}”" for name in made_of[:3]] + ([f"{len(made_of) - 3} more"] if len(made_of) > 3 else [])
    listed = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    return f"It can be worked out from {listed}, so it adds nothing and has no hazard ratio of its own."


def _cautions(made: Design, fit: CoxFit) -> tuple[str, ...]:
    told = list(made.notes)
    p, events = len(fit.coef), fit.n_events
    if events < EVENTS_PER_COEFFICIENT * p:
        told.append(
            f"{events} events for {p} coefficient{'s' if p != 1 else ''}: with fewer than {EVENTS_PER_COEFFICIENT} "
            "events for each, hazard ratios vary much from one group of patients to the next."
        )
    if fit.ridge is not None:
        told.append("A ridge draws hazard ratios towards 1; their intervals leave this pull out.")
    told += [f"“{column.name}”: {_aliased(column.made_of)}" for column in fit.aliased]
    return tuple(told)
