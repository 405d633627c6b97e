"""Case-cohort studies: all cases, and a random subcohort that stands for everyone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.data import CoxData
from bedside.regression.likelihood import partial
from bedside.regression.model import CoxFit

Method = Literal["Prentice", "SelfPrentice", "LinYing"]
LEFT_OUT = -100.0
"""An offset so low that a row counts as an event without adding to the risk set."""


@dataclass(frozen=True, eq=False)
class CaseCohortFit:
    """Coefficients and their variance, shapes (p,) and (p, p); the second part of the variance is the sampling's."""

    names: tuple[str, ...]
    coef: np.ndarray
    variance: np.ndarray
    sampling_variance: np.ndarray

    @property
    def se(self) -> np.ndarray:
        """Standard errors, shape (p,)."""
        return np.sqrt(np.diag(self.variance))


def fit_case_cohort(data: CoxData, subcohort: np.ndarray, cohort_size: int, *, method: Method) -> CaseCohortFit:
    """A Cox model of a case-cohort sample.

    Parameters
    ----------
    data : CoxData
        Subcohort and all cases, one row each, with their full follow-up.
    subcohort : array of bool, shape (n,)
        Who was drawn into the subcohort.
    cohort_size : int
        How many the subcohort was drawn from.
    method : {"Prentice", "SelfPrentice", "LinYing"}

    Raises
    ------
    Fixable
        If somebody is neither a case nor in the subcohort, or the cohort is smaller than the sample.

    References
    ----------
    Prentice (1986), Biometrika 73:1-11. Self & Prentice (1988), Ann Stat 16:64-81. Lin & Ying (1993), JASA
    88:1341-1349. Therneau & Li (1999), Lifetime Data Anal 5:99-112. R: ``cch(..., method = )``.
    """
    subcohort = np.asarray(subcohort, dtype=bool)
    strange = int((~subcohort & ~data.event).sum())
    if strange:
        raise Fixable(
            "No case-cohort model.",
            f"{strange} patients are neither cases nor in the subcohort.",
            "Leave them out, or mark who belongs to the subcohort.",
        )
    if cohort_size < len(data):
        raise Fixable(
            "No case-cohort model.",
            f"A cohort of {cohort_size} can't have a sample of {len(data)}.",
            "Give the number of patients the subcohort was drawn from.",
        )
    entry = np.zeros(len(data)) if data.entry is None else data.entry
    begun = replace(data, entry=entry)
    if method == "LinYing":
        return _lin_ying(begun, subcohort, cohort_size)
    if method == "SelfPrentice":
        fit = _stacked(begun, subcohort, None)
        return _sampled(fit, fit.coef, subcohort, cohort_size)
    times = np.unique(data.time[data.event])
    just_before = float(np.diff(times).min()) / 2 if len(times) > 1 else 1.0
    late = np.where(subcohort, entry, data.time - just_before)
    first = fit_cox(replace(data, entry=late), exact_times=True)
    return _sampled(_stacked(begun, subcohort, first.coef), first.coef, subcohort, cohort_size)


def _stacked(data: CoxData, subcohort: np.ndarray, start: np.ndarray | None) -> CoxFit:
    """Cases as events outside the risk sets, which the subcohort alone makes up."""
    cases, members = np.flatnonzero(data.event), np.flatnonzero(subcohort)
    both = replace(
        data.take(np.concatenate((cases, members))),
        event=np.repeat([True, False], [len(cases), len(members)]),
        offset=np.repeat([LEFT_OUT, 0.0], [len(cases), len(members)]),
    )
    return fit_cox(both, robust=False, exact_times=True, start=start, steps=20 if start is None else 35)


def _shifts(fit: CoxFit) -> np.ndarray:
    """How far the coefficients move without each row, shape (n, p)."""
    scores = partial(fit.data, fit.data.x, fit.ties, exact_times=True).scores(fit.linear_predictor)
    return scores @ fit.naive_variance


def _sampled(fit: CoxFit, coef: np.ndarray, subcohort: np.ndarray, cohort_size: int) -> CaseCohortFit:
    size = int(subcohort.sum())
    moved = _shifts(fit)[-size:]
    extra = (1 - size / cohort_size) * moved.T @ moved
    return CaseCohortFit(fit.data.names, coef, fit.naive_variance + extra, extra)


def _lin_ying(data: CoxData, subcohort: np.ndarray, cohort_size: int) -> CaseCohortFit:
    controls = int((subcohort & ~data.event).sum())
    others = cohort_size - data.n_events
    offset = np.where(data.event, 0.0, np.log(others / max(controls, 1)))
    fit = fit_cox(replace(data, offset=offset), robust=False, exact_times=True)
    moved = _shifts(fit)[~data.event]
    moved = moved - moved.mean(axis=0) if len(moved) else moved
    extra = (1 - controls / others) * moved.T @ moved if others else 0.0 * fit.naive_variance
    return CaseCohortFit(fit.data.names, fit.coef, fit.naive_variance + extra, extra)
