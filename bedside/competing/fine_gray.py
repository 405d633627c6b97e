"""How variables go with the cumulative incidence itself: the Fine-Gray model, as cmprsk and as survival have it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from bedside.competing.checks import check_causes, check_entry
from bedside.competing.fine_gray_variance import Pieces, crr_variance, piecewise_variance
from bedside.competing.subdistribution import Definition, Subdistribution, censoring, subdistribution
from bedside.errors import Fixable
from bedside.regression.data import CoxData, cox_data
from bedside.regression.model import Aliased, ChiTest, Ties, chi_test
from bedside.regression.newton import Maximum, maximise, redundant_columns
from bedside.regression.trouble import NO_MODEL as COX_NO_MODEL
from bedside.regression.trouble import check, refuse_few, refuse_infinite, refuse_nothing_left

CRR_STEPS, CRR_TOLERANCE, CRR_RISE, CRR_HALVINGS = 10, 1e-6, 1e-4, 20
"""Where cmprsk stops: steps, share of the log-likelihood that gradient times coefficient may have, least rise."""

STRONG = 1e-6
"""Least share of another column that a column without information is said to be made of."""


@dataclass(frozen=True, eq=False)
class FineGray:
    """A fitted Fine-Gray model.

    Attributes
    ----------
    cause : str
        Name of the type of event.
    definition : {"crr", "finegray"}
        cmprsk's, with a variance that allows for the estimated censoring weights; or survival's, a weighted Cox model.
    ties : {"breslow", "efron"}
    names : tuple of str
        One for each coefficient.
    coef : array, shape (p,)
        Log subdistribution hazard ratios.
    variance : array, shape (p, p)
        crr: Fine and Gray's. finegray: what ``vcov(coxph(...))`` gives, the sandwich over pieces of follow-up.
    naive_variance : array, shape (p, p)
        Inverse of the information.
    loglik_null, loglik : float
        Log pseudo-likelihood with every coefficient 0, and at `coef`.
    n, n_events, n_other : int
        Patients, with this type of event, and with another.
    n_rows : int
        Rows of the expanded data that ``finegray`` would make.
    time, hazard : arrays, shape (m,)
        Event times and steps of the cumulative subdistribution hazard where every column is 0 (Breslow's form).
    data : CoxData
        The rows and columns that were fitted, with this type of event as the event.
    aliased : tuple of Aliased
        Columns that others determine.
    """

    cause: str
    definition: Definition
    ties: Ties
    names: tuple[str, ...]
    coef: np.ndarray
    variance: np.ndarray
    naive_variance: np.ndarray
    loglik_null: float
    loglik: float
    n: int
    n_events: int
    n_other: int
    n_rows: int
    time: np.ndarray
    hazard: np.ndarray
    data: CoxData
    aliased: tuple[Aliased, ...] = ()

    @cached_property
    def se(self) -> np.ndarray:
        """Standard errors of `coef`, shape (p,)."""
        return np.sqrt(np.diag(self.variance))

    @property
    def p(self) -> np.ndarray:
        """Two-sided Wald p of each coefficient, shape (p,)."""
        return 2 * ndtr(-np.abs(self.coef / self.se))

    @property
    def ratio(self) -> np.ndarray:
        """Subdistribution hazard ratios for one unit of each column, shape (p,)."""
        return np.exp(self.coef)

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limits of the subdistribution hazard ratios, each of shape (p,)."""
        reach = ndtri((1 + level) / 2) * self.se
        with np.errstate(over="ignore"):
            return np.exp(self.coef - reach), np.exp(self.coef + reach)

    def term_test(self, term: int | str) -> ChiTest:
        """Wald's test that all coefficients of a term are 0."""
        columns = self.data.columns_of(term)
        part = self.coef[columns]
        statistic = part @ np.linalg.pinv(self.variance[np.ix_(columns, columns)], hermitian=True) @ part
        return chi_test(float(statistic), len(columns))

    def predict(self, x: ArrayLike, times: ArrayLike) -> np.ndarray:
        """Predicted cumulative incidence of this type of event.

        Parameters
        ----------
        x : array-like, shape (n_patients, p)
            Columns as in `names`.
        times : array-like, shape (n_times,)

        Returns
        -------
        array, shape (n_patients, n_times)

        References
        ----------
        R: ``predict(crr(...), x)``.
        """
        risk = np.exp(np.atleast_2d(np.asarray(x, dtype=float)) @ self.coef)
        row = np.searchsorted(self.time, np.asarray(times, dtype=float), side="right")
        return -np.expm1(-np.outer(risk, np.concatenate(([0.0], np.cumsum(self.hazard)))[row]))


NO_MODEL = "No Fine-Gray model for this selection."
RIDGE = re.compile(r", ([^,]*), or use a ridge")


@contextmanager
def _in_its_words() -> Iterator[None]:
    """Reasons of Cox models told of this one: what they are about, and no remedy that it does not have."""
    try:
        yield
    except Fixable as stop:
        what = NO_MODEL if stop.what == COX_NO_MODEL else stop.what.replace("hazard ratio", "subdistribution ratio")
        why = stop.why.replace("hazards can't", "chances can't")
        next_step = RIDGE.sub(r", or \1", stop.next_step).replace(", or use a ridge", "")
        raise Fixable(what, why, next_step) from stop


def fine_gray(
    x: ArrayLike,
    time: ArrayLike,
    cause: ArrayLike,
    *,
    of: int = 1,
    name: str = "",
    names: tuple[str, ...] | None = None,
    assign: tuple[int, ...] | None = None,
    terms: tuple[str, ...] | None = None,
    entry: ArrayLike | None = None,
    definition: Definition = "crr",
    ties: Ties = "breslow",
) -> FineGray:
    """Fine-Gray model of one type of event.

    Parameters
    ----------
    x : array-like, shape (n_patients, p)
        Design matrix without an intercept, complete.
    time, cause
        As in `cumulative_incidence`.
    of : int, default 1
        Number of the type of event.
    name : str
        Its name.
    names, assign, terms
        Names of the columns, and of the terms they belong to, as in `CoxData`.
    entry : array-like, shape (n_patients,), optional
        When a patient came under observation; only survival's form allows for it.
    definition : {"crr", "finegray"}
        cmprsk's or survival's. They differ where a censoring and an event share a time, and in the variance.
    ties : {"breslow", "efron"}
        crr has Breslow's only.

    Returns
    -------
    FineGray

    Raises
    ------
    Fixable
        No event of this type, fewer than coefficients, no column that differs, or a ratio without a finite value.

    References
    ----------
    Fine & Gray (1999), JASA 94:496-509; Geskus (2011), Biometrics 67:39-49.
    R: ``cmprsk::crr(time, cause, x, failcode = of)``; ``coxph(Surv(fgstart, fgstop, fgstatus) ~ x,
    weights = fgwt, data = finegray(Surv(time, factor(cause)) ~ x, etype = of))``.
    """
    times, codes = check_causes(time, cause)
    times, start = check_entry(entry, times)
    if definition == "crr" and (start is not None or ties != "breslow"):
        what = "no delayed entry" if start is not None else "Breslow's ties only"
        raise Fixable(NO_MODEL, f"cmprsk's form has {what}.", "Choose survival's form.")
    data = cox_data(np.asarray(x, dtype=float), times, codes == of, names=names, assign=assign, terms=terms)
    kind = np.where(codes == of, 1, np.where(codes > 0, 2, 0))
    with _in_its_words():
        check(data)
        return _fit(data, kind, start, name or f"Cause {of}", definition, ties)


def _fit(
    data: CoxData, kind: np.ndarray, start: np.ndarray | None, name: str, definition: Definition, ties: Ties
) -> FineGray:
    centred = data.x - data.x.mean(axis=0)
    size = np.abs(centred).mean(axis=0)
    size[size == 0] = 1.0
    curve = censoring(data.time, kind, definition, start)

    def made(columns: np.ndarray) -> Subdistribution:
        return subdistribution(columns, data.time, kind, curve, efron=ties == "efron", entry=start)

    part = made(centred / size)
    gone = redundant_columns(part.derivatives(np.zeros(centred.shape[1]))[2])
    kept = [j for j in range(centred.shape[1]) if j not in gone]
    if not kept:
        refuse_nothing_left(data)
    shown = data.with_columns(kept)
    if shown.n_events < len(kept):
        refuse_few(shown)
    scale = np.ones(len(kept)) if definition == "crr" else size[kept]
    part = made(centred[:, kept] / scale)
    best = _crr_maximum(part) if definition == "crr" else None
    if best is None:
        scale = size[kept]
        part = made(centred[:, kept] / scale)
        best = maximise(part)  # type: ignore[arg-type]
    if best.runaway is not None:
        refuse_infinite(shown, best.runaway)
    aliased = tuple(_aliased(data, centred / size, j, kept) for j in gone)
    return _finished(shown, part, best, scale, Pieces(part, curve), name, definition, ties, aliased)


def _finished(
    shown: CoxData,
    part: Subdistribution,
    best: Maximum,
    scale: np.ndarray,
    pieces: Pieces,
    name: str,
    definition: Definition,
    ties: Ties,
    aliased: tuple[Aliased, ...],
) -> FineGray:
    s = part.sums(best.beta)
    naive = np.linalg.inv(best.information)
    if definition == "crr":
        variance = crr_variance(part, s, best.information)
    else:
        whole = not pieces.weighted(part)
        variance = naive if whole else piecewise_variance(part, s, pieces, best.information)
    units = np.outer(scale, scale)
    coef = best.beta / scale
    # Breslow's form, moved from the mean of each column to 0.
    events = np.bincount(part.upto[part.kind == 1] - 1, minlength=len(part.at))
    hazard = events / part.risk_sums(s) * np.exp(-s.shift - float(coef @ shown.x.mean(axis=0)))
    return FineGray(
        cause=name, definition=definition, ties=ties, names=shown.names, coef=coef, variance=variance / units,
        naive_variance=naive / units, loglik_null=best.value_null, loglik=best.value, n=len(shown),
        n_events=int((part.kind == 1).sum()), n_other=int((part.kind == 2).sum()),
        n_rows=len(shown) + int(pieces.more(part).sum()), time=part.at, hazard=hazard,
        data=shown, aliased=aliased,
    )  # fmt: skip


def _aliased(data: CoxData, z: np.ndarray, column: int, kept: list[int]) -> Aliased:
    """Which kept columns a column without information can be worked out from."""
    before = [j for j in kept if j < column]
    part = np.linalg.lstsq(z[:, before], z[:, column], rcond=None)[0] if before else np.zeros(0)
    strong = [j for j, size in zip(before, part, strict=True) if abs(size) > STRONG]
    return Aliased(data.names[column], tuple(data.names[j] for j in strong))


def _crr_maximum(part: Subdistribution) -> Maximum | None:
    """Newton's method with cmprsk's stop, digit by digit; None if it does not get there in cmprsk's ten steps."""
    beta = np.zeros(part.x.shape[1])
    value_null = part.value(beta)
    for step in range(CRR_STEPS + 1):
        value, gradient, information = part.derivatives(beta)
        if not np.isfinite(value):
            return None
        if np.max(np.abs(gradient) * np.maximum(np.abs(beta), 1)) < max(abs(value), 1) * CRR_TOLERANCE:
            return Maximum(beta, value_null, value, float("nan"), information, step)
        move = np.linalg.solve(information, gradient)
        for _ in range(CRR_HALVINGS + 1):
            ahead = part.value(beta + move)
            if ahead >= value + CRR_RISE * float(move @ gradient):
                break
            move = move / 2
        else:
            return None
        beta = beta + move
    return None
