"""Which smooth curve lies closest to a Kaplan-Meier curve, and what each says beyond follow-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.regression.data import CoxData, cox_data
from bedside.regression.design import design, spec_of
from bedside.regression.parametric import fit_parametric
from bedside.regression.parametric_distributions import FAMILIES
from bedside.regression.parametric_fit import ParametricFit
from bedside.regression.parametric_response import NO_FIT
from bedside.regression.spline_hazard import SplineFit, fit_spline_hazard
from bedside.survival.estimate import EVERYONE, kaplan_meier

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome
    from bedside.cohort.groups import Grouping

ModelKey = Literal["exponential", "weibull", "lognormal", "loglogistic", "spline2", "spline3", "spline4"]

MODELS: tuple[ModelKey, ...] = ("exponential", "weibull", "lognormal", "loglogistic", "spline2", "spline3", "spline4")
GRID = 200
ALIKE = 2.0
"""Models whose AIC differs by no more than this are told apart by chance alone."""


@dataclass(frozen=True, eq=False)
class ModelCurve:
    """A model's chance of no event in one group.

    Attributes
    ----------
    group : str
    time : array, shape (n_times,)
        From 0, in the outcome's unit.
    survival : array, shape (n_times,)
        With variables: the mean over the group's patients.
    lower, upper : array, shape (n_times,)
        Pointwise interval; NaN with variables.
    followed_until : float
        Longest follow-up in the group: beyond it the curve is an assumption.
    """

    group: str
    time: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    followed_until: float


@dataclass(frozen=True, eq=False)
class FittedModel:
    """One line of the comparison.

    Attributes
    ----------
    key, label : str
    n_parameters : int
    loglik, aic, bic : float
        NaN where the model could not be fitted.
    behind : float
        AIC above the smallest one.
    curves : tuple of ModelCurve
        One for each group; empty where the model could not be fitted.
    largest_gap : float
        Largest distance of its curves from the Kaplan-Meier curves within follow-up, as a probability; NaN with
        variables, where the two need not agree.
    monotone : bool
        False if a spline rises somewhere within follow-up.
    why_not : str
        Why there is no fit; empty if there is one.
    """

    key: str
    label: str
    n_parameters: int
    loglik: float
    aic: float
    bic: float
    behind: float
    curves: tuple[ModelCurve, ...]
    largest_gap: float
    monotone: bool
    why_not: str


@dataclass(frozen=True, eq=False)
class ParametricComparison:
    """Parametric models side by side.

    Attributes
    ----------
    models : tuple of FittedModel
        In the order asked for.
    best : str
        Key of the smallest AIC.
    alike : tuple of str
        Keys of the models within 2 of it, the best included: these data do not tell them apart.
    unit : str
    followed_until : float
        Longest follow-up of all: what any curve says beyond it is an assumption of the model.
    n, n_events : int
    n_dropped : int
        Patients without a group, an entry or a value of a variable; those of `without_events` not counted.
    without_events : tuple of str
        Groups left out because nobody in them had the event: nothing says how their curve falls.
    moved_from_zero : int
        Patients with the event at time 0, counted at half the smallest time above 0.
    separate : bool
        Whether each group has a curve of its own shape.
    level : float
    """

    models: tuple[FittedModel, ...]
    best: str
    alike: tuple[str, ...]
    unit: Unit
    followed_until: float
    n: int
    n_events: int
    n_dropped: int
    without_events: tuple[str, ...]
    moved_from_zero: int
    separate: bool
    level: float


def compare_parametric(
    cohort: Cohort,
    outcome: Outcome | str,
    *,
    grouping: Grouping | None = None,
    variables: Sequence[str] = (),
    models: Sequence[ModelKey] = MODELS,
    separate: bool = False,
    until: float | None = None,
    level: float = 0.95,
) -> ParametricComparison:
    """Fit several parametric models to the same patients.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome or str
        With competing events, the composite.
    grouping : Grouping, optional
        Curves for each group; groups differ by a time ratio (splines: a hazard ratio), unless `separate`.
    variables : sequence of str
        Further variables of the models; complete cases only.
    models : sequence of str
        Of `MODELS`; "spline3" is Royston-Parmar's on the hazard scale with 3 degrees of freedom.
    separate : bool
        Fit each group on its own: likelihoods and parameters are added up.
    until : float, optional
        End of the curves in the outcome's unit; the longest follow-up if not given.
    level : float
        Of the pointwise intervals.

    Raises
    ------
    Fixable
        If no model can be fitted.

    References
    ----------
    Akaike (1974), IEEE Trans Autom Control 19:716-723. Burnham & Anderson (2002), section 2.6 (differences below 2).
    R: ``AIC(survreg(Surv(time, event) ~ group, dist = ))``.
    """
    outcome = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    rows = _rows(cohort, outcome, grouping, tuple(variables))
    zero = (rows.data.time == 0) & rows.data.event
    if zero.any():
        later = rows.data.time[rows.data.time > 0]
        half = float(later.min()) / 2 if len(later) else 0.5
        rows = replace(rows, data=replace(rows.data, time=np.where(zero, half, rows.data.time)))
    end = float(rows.data.time.max()) if until is None else until
    grid = np.linspace(0.0, end, GRID + 1)
    found = [_tried(key, rows, grid, separate=separate, level=level) for key in models]
    fitted = [each for each in found if not each.why_not]
    if not fitted:
        why = found[0].why_not if found else "No model was chosen."
        raise Fixable(NO_FIT, why, "Choose other variables or groups, or widen the filter.")
    least = min(each.aic for each in fitted)
    return ParametricComparison(
        models=tuple(replace(each, behind=each.aic - least) for each in found),
        best=min(fitted, key=lambda each: each.aic).key,
        alike=tuple(each.key for each in sorted(fitted, key=lambda e: e.aic) if each.aic - least <= ALIKE),
        unit=outcome.unit,
        followed_until=float(rows.data.time.max()),
        n=len(rows.data),
        n_events=rows.data.n_events,
        n_dropped=rows.n_dropped,
        without_events=rows.without_events,
        moved_from_zero=int(zero.sum()),
        separate=separate,
        level=level,
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    data: CoxData
    group: np.ndarray  # (n,) position in labels
    labels: tuple[str, ...]
    adjusted: bool  # whether there are variables beside the groups
    n_dropped: int = 0
    without_events: tuple[str, ...] = ()


def _rows(cohort: Cohort, outcome: Outcome, grouping: Grouping | None, variables: tuple[str, ...]) -> _Rows:
    entry = cohort.entry(outcome)
    keep = np.ones(len(cohort), dtype=bool) if entry is None else ~np.isnan(entry)
    codes = np.zeros(len(cohort), dtype=np.int64) if grouping is None else grouping.codes
    keep &= codes >= 0
    if not keep.any():
        raise Fixable(NO_FIT, "No patient has a known group and entry.", "Choose another grouping.")
    if variables:
        own = design(cohort, outcome, spec_of(cohort, variables), keep=keep).data
    else:
        own = cox_data(np.empty((len(cohort), 0)), cohort.time(outcome), cohort.event(outcome), entry=entry).take(
            np.flatnonzero(keep)
        )
    n_known = len(own)
    with_event = np.unique(codes[own.rows[own.event]])
    silent = np.setdiff1d(codes[own.rows], with_event) if len(with_event) else with_event
    own = own.take(np.flatnonzero(~np.isin(codes[own.rows], silent)))
    used, place = np.unique(codes[own.rows], return_inverse=True)
    labels = (EVERYONE,) if grouping is None else tuple(grouping.labels[code] for code in used)
    member = (place[:, None] == np.arange(1, len(labels))).astype(float)
    count = 1 if len(labels) > 1 else 0
    data = replace(
        own,
        x=np.column_stack([member, own.x]),
        names=(*labels[1:], *own.names),
        assign=(*[0] * (len(labels) - 1), *(a + count for a in own.assign)),
        terms=(*[grouping.title if grouping else ""] * count, *own.terms),
    )
    without = () if grouping is None else tuple(grouping.labels[code] for code in silent)
    return _Rows(data, place, labels, bool(variables), len(cohort) - n_known, without)


def _tried(key: str, rows: _Rows, grid: np.ndarray, *, separate: bool, level: float) -> FittedModel:
    """A model's line, or why there is none."""
    try:
        if separate and len(rows.labels) > 1:
            parts = [_alone(rows, code) for code in range(len(rows.labels))]
        else:
            parts = [rows]
        fits = [_fit(key, part.data) for part in parts]
    except Fixable as reason:
        return FittedModel(key, _label(key), 0, *[np.nan] * 4, (), np.nan, True, reason.why)
    curves = tuple(
        curve for fit, part in zip(fits, parts, strict=True) for curve in _curves(fit, part, grid, level=level)
    )
    count, loglik = sum(fit.df for fit in fits), sum(fit.loglik for fit in fits)
    gap = np.nan if rows.adjusted else max(_gap(curve, rows) for curve in curves)
    return FittedModel(
        key=key,
        label=_label(key),
        n_parameters=count,
        loglik=loglik,
        aic=2 * count - 2 * loglik,
        bic=float(np.log(len(rows.data))) * count - 2 * loglik,
        behind=np.nan,
        curves=curves,
        largest_gap=gap,
        monotone=all(fit.monotone for fit in fits if isinstance(fit, SplineFit)),
        why_not="",
    )


def _alone(rows: _Rows, code: int) -> _Rows:
    """One group's patients, without the columns that tell groups apart."""
    others = list(range(len(rows.labels) - 1, rows.data.x.shape[1]))
    mine = np.flatnonzero(rows.group == code)
    data = rows.data.take(mine).with_columns(others)
    return _Rows(data, np.zeros(len(mine), dtype=np.int64), (rows.labels[code],), rows.adjusted)


def _label(key: str) -> str:
    if key in FAMILIES:
        return FAMILIES[key].label
    return f"Royston-Parmar, {key.removeprefix('spline')} degrees of freedom"


def _fit(key: str, data: CoxData) -> ParametricFit | SplineFit:
    if key in MODELS and key.startswith("spline"):
        return fit_spline_hazard(data, df=int(key.removeprefix("spline")))
    return fit_parametric(data, key)  # type: ignore[arg-type]


def _curves(fit: ParametricFit | SplineFit, rows: _Rows, grid: np.ndarray, *, level: float) -> list[ModelCurve]:
    x = fit.data.x
    curves = []
    for code, label in enumerate(rows.labels):
        mine = np.flatnonzero(rows.group == code)
        until = float(rows.data.time[mine].max())
        if rows.adjusted:
            survival = _mean_survival(fit, x[mine], grid)
            lower = upper = np.full(len(grid), np.nan)
        else:
            survival = fit.survival(x[mine[:1]], grid)[0]
            low, high = fit.survival_interval(x[mine[:1]], grid, level=level)
            lower, upper = low[0], high[0]
        curves.append(ModelCurve(label, grid, survival, lower, upper, until))
    return curves


def _mean_survival(fit: ParametricFit | SplineFit, x: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Mean over patients, those with the same values counted together."""
    distinct, count = np.unique(x, axis=0, return_counts=True)
    return np.average(fit.survival(distinct, grid), axis=0, weights=count)


def _gap(curve: ModelCurve, rows: _Rows) -> float:
    """Largest distance from the Kaplan-Meier curve at the times of its steps, before and after each."""
    mine = np.flatnonzero(rows.group == rows.labels.index(curve.group))
    data = rows.data.take(mine)
    observed = kaplan_meier(data.time, data.event, entry=data.entry)
    at = np.interp(observed.time, curve.time, curve.survival)
    before = np.concatenate([[1.0], observed.survival[:-1]])
    return float(np.maximum(np.abs(at - observed.survival), np.abs(at - before)).max())
