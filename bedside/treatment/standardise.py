"""Standardised survival (g-formula): if everybody had been in one group, and if everybody had been in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from bedside.cohort.cohort import Cohort
from bedside.cohort.groups import Grouping
from bedside.cohort.outcome import Outcome
from bedside.errors import Fixable
from bedside.regression.baseline import baselines
from bedside.regression.cox import fit_cox
from bedside.regression.data import CoxData, cox_data
from bedside.regression.model import CoxFit, Ties
from bedside.regression.moments import moments
from bedside.regression.residuals import score_residuals
from bedside.survival.events import Rows
from bedside.survival.intervals import interval_of
from bedside.treatment.adjusted import SEED, complete_cases, randomised
from bedside.treatment.covariates import Column

MOST_TIMES = 200
"""Steps of a standardised curve; a curve with more is read at as many of its event times, evenly spaced in rank."""
SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class StandardCurve:
    """Mean predicted survival with everybody in one group; arrays of shape (n_times,), the first time 0."""

    label: str
    time: np.ndarray
    survival: np.ndarray
    std_err: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True, eq=False)
class StandardDifference:
    """One standardised curve less the reference's at chosen times; arrays of shape (n_times,)."""

    label: str
    reference: str
    time: np.ndarray
    difference: np.ndarray
    std_err: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True, eq=False)
class Standardised:
    """Standardised survival of every group.

    Attributes
    ----------
    curves : tuple of StandardCurve
        Step functions, one a group, in the outcome's unit.
    at : tuple of StandardCurve
        The same at the times asked for alone.
    differences : tuple of StandardDifference
        Each group against the reference, at the times asked for.
    n, events, dropped : int
        Complete cases, their events, and patients left out.
    randomised : bool or None
    columns : tuple of Column
        What the model adjusts for.
    fit : CoxFit
    level : float
    method : {"delta", "bootstrap"}
    resamples, failed : int
        Of the bootstrap.
    """

    curves: tuple[StandardCurve, ...]
    at: tuple[StandardCurve, ...]
    differences: tuple[StandardDifference, ...]
    n: int
    events: int
    dropped: int
    randomised: bool | None
    columns: tuple[Column, ...]
    fit: CoxFit
    level: float
    method: Literal["delta", "bootstrap"]
    resamples: int
    failed: int


def standardised(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping,
    covariates: Sequence[str],
    *,
    times: Sequence[float] = (),
    reference: int = 0,
    ties: Ties = "breslow",
    level: float = 0.95,
    resamples: int = 0,
    seed: int = SEED,
) -> Standardised:
    """Survival of the whole cohort as a Cox model predicts it, with everybody in one group after the other.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome
        With competing events, the composite.
    grouping : Grouping
        Two or more groups; patients with code -1 are left out.
    covariates : sequence of str
        Column names of what was known at time zero.
    times : sequence of float
        Where differences are asked for, in the outcome's unit; NaN beyond the longest follow-up.
    reference : int, default 0
        The group that differences are taken from.
    ties : {"breslow", "efron"}, default "breslow"
    level : float, default 0.95
    resamples : int, default 0
        0: intervals by the delta method. Above 0: from that many bootstrap samples, the model fitted anew in each.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Standardised

    Raises
    ------
    Fixable
        If there are no complete cases, fewer than two groups, or the Cox model cannot be fitted.

    Notes
    -----
    The model has one hazard ratio for each group, the same for all patients. Intervals of the curves are on the
    log-log scale, those of differences on the plain one.

    References
    ----------
    Makuch (1982), J Chronic Dis 35:437-443; Chang, Gelman & Pagano (1982), J Chronic Dis 35:669-674; Hernán & Robins
    (2020), Causal Inference: What If, chapter 17.
    R: ``rowMeans(summary(survfit(coxph(..., ties = "breslow"), newdata = treated), times = t)$surv)``.
    """
    found, rows, codes, lost = complete_cases(cohort, outcome, grouping, covariates)
    if len(grouping.labels) < 2:
        raise Fixable("Nothing to standardise.", "There is only one group.", "Choose a grouping with two groups.")
    data = _data(rows, codes, found.x, grouping.labels, tuple(c.label for c in found.columns))
    fit = fit_cox(data, ties=ties)
    _check_identified(data, fit)
    designs = designs_of(found.x, len(grouping.labels))
    asked = np.sort(np.asarray(times, dtype=float))
    grid = np.unique(np.concatenate((step_times(rows), asked)))
    if resamples > 0:
        survival, covariance, failed = _resampled(data, ties, designs, grid, resamples, seed)
    else:
        survival, influence = standard_survival(fit, designs, grid, influence=True)
        covariance, failed = np.einsum("akn,bkn->abk", influence, influence, optimize=True), 0
    # Beyond the longest follow-up nothing is known.
    survival[:, grid > rows.time.max() * (1 + SLACK)] = np.nan
    place, drawn = np.searchsorted(grid, asked), ~np.isnan(survival[0])
    return Standardised(
        curves=_curves(grouping.labels, grid[drawn], survival[:, drawn], covariance[:, :, drawn], level),
        at=_curves(grouping.labels, asked, survival[:, place], covariance[:, :, place], level, start=False),
        differences=_differences(grouping.labels, asked, survival[:, place], covariance[:, :, place], reference, level),
        n=len(data),
        events=data.n_events,
        dropped=lost,
        randomised=randomised(cohort, grouping),
        columns=found.columns,
        fit=fit,
        level=level,
        method="bootstrap" if resamples > 0 else "delta",
        resamples=resamples,
        failed=failed,
    )


def _check_identified(data: CoxData, fit: CoxFit) -> None:
    """The covariates must not say by themselves who was in which group."""
    lost = [f"“{name}”" for name in data.names if name not in fit.data.names]
    if lost:
        raise Fixable(
            "The groups cannot be standardised.",
            f"The other columns of the Cox model say {', '.join(lost[:3])} exactly, the groups among them.",
            "Leave out what only one group has, or compare other groups.",
        )


def step_times(rows: Rows) -> np.ndarray:
    """Times at which the standardised curves step, at most 200 of them."""
    distinct = np.unique(rows.time[rows.event])
    if len(distinct) <= MOST_TIMES:
        return distinct
    return distinct[np.unique(np.linspace(0, len(distinct) - 1, MOST_TIMES).round().astype(int))]


def designs_of(x: np.ndarray, k: int) -> list[np.ndarray]:
    """Everybody in the first group, everybody in the second, and so on: each of shape (n, k - 1 + p)."""
    return [np.column_stack((np.tile(np.arange(1, k) == code, (len(x), 1)).astype(float), x)) for code in range(k)]


def standard_survival(
    fit: CoxFit, designs: Sequence[np.ndarray], times: np.ndarray, *, influence: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the patients' predicted survival, for each design.

    Parameters
    ----------
    fit : CoxFit
        Without strata, weights and offset.
    designs : sequence of arrays, each shape (n, p)
        The fit's columns with some of them set; the patients in the fit's order.
    times : array, shape (n_times,)
    influence : bool, default False
        Whether the patients' influence is worked out too.

    Returns
    -------
    survival : array, shape (n_designs, n_times)
    influence : array, shape (n_designs, n_times, n)
        How far each value would move, about, for each patient left out: its sum of squares is the variance, the
        patients being a sample themselves. Empty if not asked for.

    Notes
    -----
    The influence has three parts: through the average over patients, through the baseline hazard and through the
    coefficients.
    """
    base = baselines(fit)[0]
    row = np.searchsorted(base.time, times * (1 + SLACK), side="right")
    hazard = np.concatenate(([0.0], base.cumulative))[row]
    ratios = [np.exp(design @ fit.coef - fit.means @ fit.coef) for design in designs]
    each = [np.exp(-np.outer(hazard, ratio)) for ratio in ratios]
    survival = np.array([values.mean(axis=1) for values in each])
    if not influence:
        return survival, np.zeros((len(designs), len(times), 0))
    drift = np.vstack((np.zeros(len(fit.coef)), base.drift))[row]
    on_hazard, on_coef = _on_baseline(fit, times), score_residuals(fit) @ fit.naive_variance
    parts = []
    for design, ratio, values in zip(designs, ratios, each, strict=True):
        n = len(ratio)
        slope = values * ratio / n
        through_hazard = -slope.sum(axis=1)
        away = hazard[:, None] * (slope @ (design - base.centre)) + through_hazard[:, None] * drift
        own = (values - values.mean(axis=1, keepdims=True)) / n
        parts.append(own + through_hazard[:, None] * on_hazard - away @ on_coef.T)
    return survival, np.array(parts)


def _on_baseline(fit: CoxFit, times: np.ndarray) -> np.ndarray:
    """Influence of each patient on the baseline hazard at each time, the coefficients held, shape (n_times, n)."""
    sets = moments(fit)
    scale = np.exp(-sets.shift)
    term = sets.hazard * scale
    squared = term / sets.denominator
    deaths, at = sets.deaths, sets.time[sets.deaths]
    order = np.argsort(at, kind="stable")
    path = np.concatenate(([0.0], np.cumsum(squared[order])))

    def until(t: np.ndarray) -> np.ndarray:
        return path[np.searchsorted(at[order], t * (1 + SLACK), side="right")]

    began = np.zeros(len(sets.time)) if sets.entry is None else until(sets.entry)
    gained = np.zeros(len(sets.time))
    gained[deaths] = (sets.per_time(term) / sets.sets.size)[sets.sets.group]
    # Efron's share: somebody who dies is only partly at risk when those tied with them are counted.
    gained[deaths] += sets.relative[deaths] * sets.per_time(squared * sets.share)[sets.sets.group]
    after = gained - sets.relative * (until(sets.time) - began)
    during = -sets.relative * np.maximum(until(times)[:, None] - began, 0.0)
    return np.where(times[:, None] * (1 + SLACK) >= sets.time, after, during)


def _data(rows: Rows, codes: np.ndarray, x: np.ndarray, labels: tuple[str, ...], names: tuple[str, ...]) -> CoxData:
    marks = (codes[:, None] == np.arange(1, len(labels))).astype(float)
    return cox_data(np.column_stack((marks, x)), rows.time, rows.event, names=(*labels[1:], *names), entry=rows.entry)


def _resampled(
    data: CoxData, ties: Ties, designs: list[np.ndarray], grid: np.ndarray, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Survival in the data, covariance of the groups at each time over bootstrap samples, and how many failed."""
    chance = np.random.default_rng(seed)
    n, samples = len(data), []
    for _ in range(resamples):
        picked = chance.integers(n, size=n)
        try:
            fit = fit_cox(data.take(picked), ties=ties)
        except Fixable:
            continue
        if fit.data.x.shape[1] == data.x.shape[1]:
            samples.append(standard_survival(fit, [design[picked] for design in designs], grid)[0])
    if len(samples) < 2:
        raise Fixable(
            "No bootstrap interval.",
            f"The Cox model could be fitted in {len(samples)} of {resamples} samples.",
            "Choose fewer covariates, or the interval by the delta method.",
        )
    away = np.array(samples) - np.mean(samples, axis=0)
    covariance = np.einsum("sak,sbk->abk", away, away) / (len(samples) - 1)
    return standard_survival(fit_cox(data, ties=ties), designs, grid)[0], covariance, resamples - len(samples)


def _curves(
    labels: tuple[str, ...],
    times: np.ndarray,
    survival: np.ndarray,
    covariance: np.ndarray,
    level: float,
    *,
    start: bool = True,
) -> tuple[StandardCurve, ...]:
    found = []
    for code, label in enumerate(labels):
        s, se = survival[code], np.sqrt(np.maximum(covariance[code, code], 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            lower, upper = interval_of(s, se / s, level=level, interval="log-log")
        parts = [times, s, se, lower, upper]
        if start:
            parts = [
                np.concatenate(([first], part)) for first, part in zip((0.0, 1.0, 0.0, 1.0, 1.0), parts, strict=True)
            ]
        found.append(StandardCurve(label, *parts))
    return tuple(found)


def _differences(
    labels: tuple[str, ...],
    times: np.ndarray,
    survival: np.ndarray,
    covariance: np.ndarray,
    reference: int,
    level: float,
) -> tuple[StandardDifference, ...]:
    z = float(ndtri((1 + level) / 2))
    found = []
    for code, label in enumerate(labels):
        if code == reference:
            continue
        apart = survival[code] - survival[reference]
        both = covariance[code, code] + covariance[reference, reference] - 2 * covariance[code, reference]
        se = np.sqrt(np.maximum(both, 0.0))
        found.append(StandardDifference(label, labels[reference], times, apart, se, apart - z * se, apart + z * se))
    return tuple(found)
