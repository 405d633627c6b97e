"""Curves and hazard ratios as they would be if the groups had been alike from the start, beside the raw ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from bedside.cohort.cohort import Cohort
from bedside.cohort.groups import Grouping
from bedside.cohort.outcome import Outcome
from bedside.errors import Fixable
from bedside.survival.build import curve_of
from bedside.survival.columns import columns_of
from bedside.survival.curve import Curve
from bedside.survival.events import Rows, tabulate
from bedside.survival.intervals import Interval, interval_of
from bedside.treatment.balance import BalanceRow, balance
from bedside.treatment.covariates import Covariates, covariates_of
from bedside.treatment.hazards import HazardRatio, hazard_ratios
from bedside.treatment.propensity import Propensity, propensity
from bedside.treatment.weights import Estimand, Weights, weights_of

SEED = 20_260_101
"""Bootstrap intervals are the same whenever they are asked for."""


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Groups compared with and without weights, on the same complete cases.

    Attributes
    ----------
    labels : tuple of str
        Groups.
    reference : int
        The group that hazard ratios compare with.
    n, events : tuple of int
        Complete cases and their events in each group.
    dropped : int
        Patients with a group who are left out: a covariate, or the time of entry, is missing.
    randomised : bool or None
        Whether the groups were made by chance, from the dictionary; None where it does not say.
    scores : Propensity
    weights : Weights
    balance : tuple of BalanceRow
        Every covariate and every level, before and after.
    raw_curves, curves : tuple of Curve
        Kaplan-Meier, plain and weighted, in the outcome's unit.
    raw_ratios, ratios : tuple of HazardRatio
        Plain, and weighted with robust standard errors.
    level : float
    resamples : int
        Bootstrap samples behind the intervals of `curves`; 0 for the infinitesimal jackknife.
    failed : int
        Those in which the propensity model could not be fitted; they are left out.
    """

    labels: tuple[str, ...]
    reference: int
    n: tuple[int, ...]
    events: tuple[int, ...]
    dropped: int
    randomised: bool | None
    scores: Propensity
    weights: Weights
    balance: tuple[BalanceRow, ...]
    raw_curves: tuple[Curve, ...]
    curves: tuple[Curve, ...]
    raw_ratios: tuple[HazardRatio, ...]
    ratios: tuple[HazardRatio, ...]
    level: float
    resamples: int
    failed: int


@dataclass(frozen=True)
class DifferenceAt:
    """Difference of two curves at a time: `label` less `reference`, in shares of patients; NaN beyond follow-up."""

    time: float
    label: str
    reference: str
    difference: float
    lower: float
    upper: float
    p: float


def adjusted(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping,
    covariates: Sequence[str],
    estimand: Estimand = "ate_stabilised",
    *,
    target: int | None = None,
    truncate: float | None = None,
    reference: int = 0,
    level: float = 0.95,
    interval: Interval = "log-log",
    resamples: int = 0,
    seed: int = SEED,
    scores: Propensity | None = None,
) -> Adjusted:
    """Compare groups with inverse probability weights, beside the raw comparison.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome
        With competing events, the composite. Delayed entry is heeded.
    grouping : Grouping
        Two or more groups; patients with code -1 are left out.
    covariates : sequence of str
        Column names of what was known at time zero and may have led to the choice of treatment.
    estimand : {"ate", "ate_stabilised", "att", "overlap"}
        See `weights_of`.
    target : int, optional
        Of "att": the group that the others are made to look like; the last one without it.
    truncate : float, optional
        See `weights_of`.
    reference : int, default 0
        The group that hazard ratios compare with.
    level : float, default 0.95
    interval : {"plain", "log", "log-log", "logit", "arcsin"}, default "log-log"
    resamples : int, default 0
        0: intervals of the weighted curves are the infinitesimal jackknife's, which takes the weights as known (for
        plain and stabilised weights it is rather too wide than too narrow). Above 0: from that many bootstrap samples,
        the propensity model fitted anew in each.
    seed : int
        Of the bootstrap.
    scores : Propensity, optional
        Of the same complete cases, where they are at hand: fitted here without it.

    Returns
    -------
    Adjusted

    Raises
    ------
    Fixable
        If there are no complete cases, a group is too small, or a covariate tells the groups apart.

    Notes
    -----
    Both comparisons are of the same complete cases, so that what differs between them is the adjustment. It is only
    as good as the covariates: what was not recorded cannot be adjusted for.

    References
    ----------
    Cole & Hernán (2004), Comput Methods Programs Biomed 75:45-49 (weighted curves); Austin & Stuart (2015), Stat Med
    34:3661-3679. R: ``survfit(Surv(time, event) ~ group, weights = w)``, ``coxph(..., weights = w, robust = TRUE)``.
    """
    found, rows, codes, lost = complete_cases(cohort, outcome, grouping, covariates)
    scores = propensity(found, codes, grouping.labels) if scores is None else scores
    weights = weights_of(scores, estimand, target=target, truncate=truncate)
    weighted = replace(rows, weights=weights.value)
    drawn: dict[str, object] = {"unit": outcome.unit, "level": level, "interval": interval}
    curves = _curves(weighted, scores, drawn)
    failed = 0
    if resamples > 0:
        again = _Again(found, rows, codes, estimand, target, truncate)
        curves, failed = _resampled(curves, again, resamples, seed)
    return Adjusted(
        labels=scores.labels,
        reference=reference,
        n=tuple(np.bincount(codes, minlength=len(scores.labels)).tolist()),
        events=tuple(np.bincount(codes[rows.event], minlength=len(scores.labels)).tolist()),
        dropped=lost,
        randomised=randomised(cohort, grouping),
        scores=scores,
        weights=weights,
        balance=balance(found.plain, found.plain_columns, codes, weights.value),
        raw_curves=_curves(rows, scores, drawn),
        curves=curves,
        raw_ratios=hazard_ratios(rows, codes, scores.labels, reference=reference, level=level),
        ratios=hazard_ratios(weighted, codes, scores.labels, reference=reference, level=level),
        level=level,
        resamples=resamples,
        failed=failed,
    )


def randomised(cohort: Cohort, grouping: Grouping) -> bool | None:
    """Whether these groups were made by chance; None where they are not the cohort's treatment."""
    told = cohort.treatment
    if told is None or not cohort.has(told.column) or cohort.variable(told.column).label != grouping.title:
        return None
    return told.randomised


def differences_at(
    curves: Sequence[Curve], times: Sequence[float], *, reference: int = 0, level: float = 0.95
) -> tuple[DifferenceAt, ...]:
    """Differences of independent curves at chosen times, each against the reference, intervals on the plain scale.

    Parameters
    ----------
    curves : sequence of Curve
        In one unit.
    times : sequence of float
        In that unit.
    reference : int, default 0
    level : float, default 0.95
    """
    z = float(ndtri((1 + level) / 2))
    base = curves[reference]
    found = []
    for curve in curves:
        if curve is base:
            continue
        for time in times:
            (a, va), (b, vb) = _at(base, time), _at(curve, time)
            apart, se = b - a, float(np.sqrt(va + vb))
            p = float(2 * ndtr(-abs(apart) / se)) if se > 0 else float("nan")
            found.append(DifferenceAt(float(time), curve.group, base.group, apart, apart - z * se, apart + z * se, p))
    return tuple(found)


def _at(curve: Curve, time: float) -> tuple[float, float]:
    value = float(curve.at([time]).survival[0])
    place = max(int(np.searchsorted(curve.time, time * (1 + 1e-9), side="right")) - 1, 0)
    return value, float(curve.std_err[place]) ** 2


def complete_cases(
    cohort: Cohort, outcome: Outcome, grouping: Grouping, names: Sequence[str]
) -> tuple[Covariates, Rows, np.ndarray, int]:
    """Covariates, follow-up and group of the complete cases, and how many with a group are left out."""
    chosen = columns_of(cohort, outcome)
    codes = np.full(len(cohort), -1)
    codes[chosen.kept] = grouping.codes[chosen.kept]
    for variable in (cohort.variable(name) for name in names):
        if variable.label == grouping.title:
            raise Fixable(
                f"“{variable.label}” cannot be adjusted for.",
                "It is what the groups are made from.",
                "Leave it out of the covariates.",
            )
    found = covariates_of(cohort, replace(grouping, codes=codes), names)
    rows = chosen.rows.take(np.searchsorted(chosen.kept, found.rows))
    return found, rows, codes[found.rows], int((grouping.codes >= 0).sum()) - len(found.rows)


def _curves(rows: Rows, scores: Propensity, drawn: dict[str, object]) -> tuple[Curve, ...]:
    parts = [(label, rows.take(scores.codes == code)) for code, label in enumerate(scores.labels)]
    robust = rows.weights is not None
    return tuple(
        curve_of(tabulate(part), group=label, rows=part if robust else None, **drawn)  # type: ignore[arg-type]
        for label, part in parts
    )


@dataclass(frozen=True, eq=False)
class _Again:
    """What a bootstrap sample is drawn from, and how it is weighted."""

    found: Covariates
    rows: Rows
    codes: np.ndarray
    estimand: Estimand
    target: int | None
    truncate: float | None

    def survival(self, picked: np.ndarray, k: int, times: list[np.ndarray]) -> list[np.ndarray] | None:
        """Weighted survival of each group at the given times in one sample; None if there is no model for it."""
        codes, x = self.codes[picked], self.found.x[picked]
        vary = np.flatnonzero(x.std(axis=0) > 0)
        columns = tuple(self.found.columns[j] for j in vary)
        sample = replace(self.found, x=x[:, vary], columns=columns, plain=self.found.plain[picked], rows=picked)
        try:
            scores = propensity(sample, codes, tuple(str(code) for code in range(k)))
        except (Fixable, np.linalg.LinAlgError):
            return None
        weights = weights_of(scores, self.estimand, target=self.target, truncate=self.truncate)
        rows = replace(self.rows.take(picked), weights=weights.value)
        found = []
        for code, at in enumerate(times):
            table = tabulate(rows.take(codes == code))
            steps = np.concatenate(([1.0], np.cumprod(1 - table.events / table.at_risk)))
            found.append(steps[np.searchsorted(table.time, at, side="right")])
        return found


def _resampled(curves: tuple[Curve, ...], again: _Again, resamples: int, seed: int) -> tuple[tuple[Curve, ...], int]:
    """The curves with standard errors and intervals from bootstrap samples, and how many samples failed."""
    chance = np.random.default_rng(seed)
    n, times = len(again.codes), [curve.time for curve in curves]
    samples = [again.survival(chance.integers(n, size=n), len(curves), times) for _ in range(resamples)]
    good = [sample for sample in samples if sample is not None]
    if len(good) < 2:
        raise Fixable(
            "No bootstrap interval.",
            f"The propensity model could be fitted in {len(good)} of {resamples} samples.",
            "Choose fewer covariates, or the robust interval.",
        )
    spread = [np.std([sample[code] for sample in good], axis=0, ddof=1) for code in range(len(curves))]
    return tuple(_with_error(curve, se) for curve, se in zip(curves, spread, strict=True)), resamples - len(good)


def _with_error(curve: Curve, se: np.ndarray) -> Curve:
    with np.errstate(divide="ignore", invalid="ignore"):
        log_se = np.where(curve.survival > 0, se / curve.survival, np.nan)
    lower, upper = interval_of(curve.survival, log_se, level=curve.level, interval=curve.interval)
    lower[0], upper[0] = 1.0, 1.0
    return replace(curve, std_err=se, log_std_err=log_se, lower=lower, upper=upper, influence=None)
