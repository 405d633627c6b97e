"""The numbers of the regression page, each computed once per session under the choices it was computed with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bedside.cohort import Cohort, Outcome
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
    Ties,
    design,
    design_visits,
    fit_cox,
    multivariable,
    term_tests,
)
from bedside.regression.data import CoxData
from bedside.regression.forest import rows_of
from bedside.regression.forest_curve import curves_as_quartiles
from bedside.regression.imputation import Imputed, PooledCox, impute, pool_cox
from bedside.regression.terms import Interaction, Term, variables_of
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


Fitted = CoxFit | FineGray | PooledCox


@dataclass(frozen=True, eq=False)
class Part:
    """One term in a model of its own, or all terms in one.

    Attributes
    ----------
    made : Design
    fit : CoxFit, FineGray, PooledCox or None
    stop : Fixable or None
        Why there is no fit.
    """

    made: Design
    fit: Fitted | None
    stop: Fixable | None = None


@dataclass(frozen=True, eq=False)
class Fits:
    """A regression before it is read at a level of confidence."""

    alone: tuple[Part, ...]
    together: Part
    concordance: Concordance | None
    cautions: tuple[str, ...]
    imputed: Imputed | None = None


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
    fit: Fitted | None
    concordance: Concordance | None
    cautions: tuple[str, ...]
    stop: Fixable | None
    imputed: Imputed | None


def kept(what: str, of: Cohort, end: Outcome, ask: Ask, *more: str | float, make: Callable[[], Any]) -> Any:
    """A result of this session, made once for these patients, this outcome and these choices."""
    return desk.kept((what, of.fingerprint, end.key, repr(ask), *more), make)


class NoFineGray(Fixable):
    """A stop because Fine and Gray's model cannot be fitted to what was asked for."""


def answer(of: Cohort, end: Outcome, ask: Ask) -> Answer:
    """Hazard ratios alone and together."""
    return kept("answer", of, end, ask, make=lambda: _read(of, fits(of, end, ask), ask.level))


def fits(of: Cohort, end: Outcome, ask: Ask) -> Fits:
    """All models of the page's first figure, whatever the level of their intervals."""
    make = _imputed if ask.imputed else _fine_gray if ask.is_fine_gray else _cox
    asked = replace(ask, level=0.95)
    return kept("fits", of, end, asked, make=lambda: make(of, end, asked))


def cox(of: Cohort, end: Outcome, ask: Ask) -> Forest:
    """The Cox model of complete cases that the checks are about."""

    def make() -> Forest:
        return multivariable(
            of, end, ask.spec, ties=ask.ties, robust=ask.robust, ridge=ask.penalty,
            event=plain(ask).happened(of, end), at_visits=ask.at_visits,
        )  # fmt: skip

    return kept("cox", of, end, plain(ask), make=make)


def plain(ask: Ask) -> Ask:
    """The Cox model of complete cases that is checked, whatever the level of intervals."""
    return replace(ask, imputed=False, level=0.95, event=ask.event.replace("fine-gray", "cause"))


def made_of(of: Cohort, end: Outcome, ask: Ask) -> Design:
    """Rows and columns of the model, complete cases."""
    build = design_visits if ask.at_visits else design
    return build(of, end, ask.spec, event=ask.happened(of, end))


# ------------------------------------------------------------------ reading


def _read(of: Cohort, found: Fits, level: float) -> Answer:
    whole = found.together
    return Answer(
        alone=tuple(row for part in found.alone for row in _rows(of, part, level)),
        together=() if whole.fit is None else _rows(of, whole, level),
        made=whole.made,
        fit=whole.fit,
        concordance=found.concordance,
        cautions=found.cautions,
        stop=whole.stop,
        imputed=found.imputed,
    )


def _rows(of: Cohort, part: Part, level: float) -> tuple[ForestRow, ...]:
    made, fit = part.made, part.fit
    if fit is None:
        why = "" if part.stop is None else f"{part.stop.why} {part.stop.next_step}"
        return (_without(made.data.terms[0], made.terms[0], made.data, why),)
    tests = term_tests(fit) if isinstance(fit, CoxFit) else {name: fit.term_test(name) for name in fit.data.terms}
    return curves_as_quartiles(of, made, fit, rows_of(of, made, fit, tests, level=level), level=level)


def _without(name: str, term: Term, data: CoxData, why: str) -> ForestRow:
    nan = float("nan")
    return ForestRow(name, name, None, variables_of(term), len(data), data.n_events, nan, nan, nan, nan, nan, note=why)


# ------------------------------------------------------------------ fitting


def _tried(made: Design, fit: Callable[[], Fitted]) -> Part:
    try:
        return Part(made, fit())
    except Fixable as stop:
        return Part(made, None, stop)


def _terms_alone(whole: Design) -> list[tuple[Design, list[int]]]:
    """Each term as a design of its own with its columns; a product without its parts has no meaning alone."""
    found = []
    for index, term in enumerate(whole.terms):
        columns = whole.data.columns_of(index)
        if not isinstance(term, Interaction):
            kept_ = tuple(whole.columns[j] for j in columns)
            part = replace(whole, data=whole.data.with_columns(columns), columns=kept_, terms=(term,))
            found.append((part, columns))
    return found


def _cox(of: Cohort, end: Outcome, ask: Ask) -> Fits:
    try:
        found = cox(of, end, ask)
        together, concordance = Part(found.design, found.fit), found.concordance
        cautions = found.cautions
    except Fixable as stop:
        together, concordance = Part(made_of(of, end, ask), None, stop), None
        cautions = together.made.notes
    alone = tuple(
        _tried(part, lambda part=part: fit_cox(part.data, ties=ask.ties, robust=ask.robust))
        for part, _ in _terms_alone(together.made)
    )
    return Fits(alone, together, concordance, cautions)


def _fine_gray(of: Cohort, end: Outcome, ask: Ask) -> Fits:
    """Fine-Gray's model; strata, weights, clusters and a ridge are not part of it."""
    if ask.at_visits:
        # Each interval of a patient would count as a patient, with the event at its end.
        raise NoFineGray(
            "No Fine-Gray model of values that change at visits.",
            "After another type of event a patient still counts in it, and nobody knows the values at later visits.",
            "Choose the cause-specific hazard, or values at the start.",
        )
    whole = made_of(of, end, ask)
    causes = of.cause(end)[whole.data.rows]

    def fitted(data: CoxData) -> FineGray:
        return fine_gray(
            data.x, data.time, causes, of=ask.cause, name=end.cause_labels[ask.cause - 1], names=data.names,
            assign=data.assign, terms=data.terms, entry=data.entry,
            definition="crr" if data.entry is None else "finegray",
        )  # fmt: skip

    alone = tuple(_tried(part, lambda part=part: fitted(part.data)) for part, _ in _terms_alone(whole))
    return Fits(alone, _tried(whole, lambda: fitted(whole.data)), None, whole.notes)


def copies(of: Cohort, end: Outcome, names: tuple[str, ...]) -> Imputed:
    """Twenty completed copies."""

    def make() -> Imputed:
        with desk.progress(f"Completing {len(of):,} patients 20 times"):
            return impute(of, end, names)

    return desk.kept(("copies", of.fingerprint, end.key, "\x1f".join(names)), make)


def _imputed(of: Cohort, end: Outcome, ask: Ask) -> Fits:
    names = tuple(n for term in ask.spec.terms for n in variables_of(term))
    found = copies(of, end, tuple(dict.fromkeys((*names, *ask.spec.strata))))
    happened = ask.happened(of, end)
    first = design(found.cohorts[0], end, ask.spec, event=happened)
    settled = replace(ask.spec, terms=first.terms)
    datas = [design(copy, end, settled, event=happened).data for copy in found.cohorts]

    def pooled(parts: Sequence[CoxData], done: Callable[[float], None] | None = None) -> PooledCox:
        return pool_cox(parts, ties=ask.ties, robust=ask.robust, done=done)

    with desk.progress("Fitting 20 models and pooling them") as report:
        together = _tried(first, lambda: pooled(datas, lambda share: report(share / 2, "")))
        alone, single = [], _terms_alone(first)
        for number, (part, columns) in enumerate(single):
            report(0.5 + 0.5 * number / len(single), "")
            parts = [data.with_columns(columns) for data in datas]
            alone.append(_tried(part, lambda parts=parts: pooled(parts)))
    return Fits(tuple(alone), together, None, first.notes, found)


def pooled_data(of: Cohort, end: Outcome, ask: Ask) -> list[CoxData]:
    """The data of the model, one value for each imputed copy."""
    fit = fits(of, end, ask).together.fit
    return [one.data for one in fit.fits] if isinstance(fit, PooledCox) else []
