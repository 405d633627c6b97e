"""Does a hazard ratio stay the same over time? Score tests of proportional hazards, and beta(t) to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from bedside.errors import Fixable
from bedside.regression.model import ChiTest, CoxFit, chi_test
from bedside.regression.moments import Moments, moments
from bedside.regression.residuals import by_time, schoenfeld_residuals
from bedside.regression.smooth import natural_spline
from bedside.tails import mean_ranks

SAME = 1e-12
"""Relative distance from the mean below which all deaths are at one time, but for rounding."""

TimeScale = Literal["km", "identity", "rank", "log"]


@dataclass(frozen=True, eq=False)
class BetaOverTime:
    """How one term's coefficient moves over time.

    Attributes
    ----------
    term : str
    time : array, shape (m,)
        Times of the deaths that bear on the term, in the outcome's unit.
    scaled_time : array, shape (m,)
        The same on the time scale of the test.
    beta : array, shape (m,)
        Scaled Schoenfeld residuals plus the coefficient. For a term of several columns they are those of its
        part of the linear predictor, about 1.
    estimate : float
        The one coefficient of the model; 1 for a term of several columns.
    smooth_scaled, smooth_time, smooth, lower, upper : arrays, shape (40,)
        A natural cubic spline through them with its pointwise band, at evenly spaced points of the time scale, which
        are `smooth_time` in the outcome's unit; empty where there are too few distinct times for it.
    """

    term: str
    time: np.ndarray
    scaled_time: np.ndarray
    beta: np.ndarray
    estimate: float
    smooth_scaled: np.ndarray
    smooth_time: np.ndarray
    smooth: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @property
    def early_and_late(self) -> tuple[float, float] | None:
        """The smooth at the times by which a quarter and three quarters of the deaths had happened; None without it."""
        if not len(self.smooth):
            return None
        at = np.quantile(self.scaled_time, (0.25, 0.75))
        early, late = np.interp(at, self.smooth_scaled, self.smooth)
        return float(early), float(late)


@dataclass(frozen=True, eq=False)
class ProportionalHazards:
    """Tests of proportional hazards for each term and for all together.

    Attributes
    ----------
    scale : {"km", "identity", "rank", "log"}
        How time was counted.
    terms : tuple of str
    tests : tuple of ChiTest
        One for each term, on as many degrees of freedom as it has columns.
    overall : ChiTest
        All terms at once.
    series : tuple of BetaOverTime
        One for each term.
    n, n_events : int
        Rows and events.
    """

    scale: TimeScale
    terms: tuple[str, ...]
    tests: tuple[ChiTest, ...]
    overall: ChiTest
    series: tuple[BetaOverTime, ...]
    n: int
    n_events: int

    @property
    def chisq(self) -> np.ndarray:
        """Statistics of the terms."""
        return np.array([test.statistic for test in self.tests])

    @property
    def df(self) -> np.ndarray:
        """Degrees of freedom of the terms."""
        return np.array([test.df for test in self.tests])

    @property
    def p(self) -> np.ndarray:
        """p of the terms."""
        return np.array([test.p for test in self.tests])

    def doubtful(self, alpha: float = 0.05) -> tuple[str, ...]:
        """Terms whose p is below `alpha`, the smallest first; each is tested on its own, without adjustment."""
        found = [(test.p, term) for term, test in zip(self.terms, self.tests, strict=True) if test.p < alpha]
        return tuple(term for _, term in sorted(found, key=lambda pair: pair[0]))


def check_proportional(
    fit: CoxFit, scale: TimeScale = "km", *, level: float = 0.95, smooth_df: int = 4, sets: Moments | None = None
) -> ProportionalHazards:
    """Test each term for a hazard ratio that changes with time, and follow its coefficient over time.

    The score test of adding the term's columns times g(t) to the model, with g(t) the share of patients who had
    the event before t ("km"), time itself, its rank among all follow-up times, or its logarithm.

    Parameters
    ----------
    fit : CoxFit
        At least one event.
    scale : {"km", "identity", "rank", "log"}
    level : float, default 0.95
        Coverage of the bands.
    smooth_df : int, default 4
        Columns of the spline.
    sets : Moments, optional
        Of the same fit.

    Raises
    ------
    Fixable
        If the scale is not known, or is the logarithm and an event is at time 0.

    References
    ----------
    Grambsch & Therneau (1994), Biometrika 81:515-526. R: ``cox.zph(fit, transform = )`` of survival 3 or later
    (a score test; versions before tested the residuals), and ``plot.cox.zph``, whose band is two standard errors.
    """
    sets = moments(fit) if sets is None else sets
    stretched = time_scale(fit, sets, scale)
    score, information = _score_test_parts(sets, stretched[sets.deaths])
    p = len(fit.coef)
    terms = [fit.data.columns_of(i) for i in range(len(fit.data.terms))]
    if fit.ridge is not None:
        # What is held back is the coefficients; whether they change is asked freely, or it would hang on g's unit.
        information[:p, :p] = np.linalg.inv(fit.naive_variance)
    return ProportionalHazards(
        scale=scale,
        terms=fit.data.terms,
        tests=tuple(_test(score, information, part) for part in terms),
        overall=_test(score, information, list(range(p))),
        series=beta_over_time(fit, sets, stretched, information[:p, :p], level=level, smooth_df=smooth_df),
        n=fit.n,
        n_events=fit.n_events,
    )


def time_scale(fit: CoxFit, sets: Moments, scale: TimeScale) -> np.ndarray:
    """Each row's end of follow-up on the scale of the test, shape (n,); over all strata together, without weights."""
    if scale not in get_args(TimeScale):
        raise Fixable("No test.", "That way to count time is not known.", f"Choose {', '.join(get_args(TimeScale))}.")
    time = sets.time
    at_zero = int((time[fit.data.event] <= 0).sum())
    if scale == "log" and at_zero:
        raise Fixable(
            "No test on the logarithm of time.",
            f"{at_zero} {'event is' if at_zero == 1 else 'events are'} at a time of 0, which has no logarithm.",
            "Choose another way to count time.",
        )
    scales: dict[TimeScale, Callable[[np.ndarray], np.ndarray]] = {
        "identity": np.copy,
        "log": _log,
        "rank": mean_ranks,
        "km": lambda t: _share_before(t, fit.data.event, sets.entry),
    }
    return scales[scale](time)


def _log(time: np.ndarray) -> np.ndarray:
    """Logarithm; of a censoring at 0, whose value is never looked at, minus infinity."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(time)


def _share_before(time: np.ndarray, event: np.ndarray, entry: np.ndarray | None) -> np.ndarray:
    """One less the Kaplan-Meier curve of all rows just before each time."""
    deaths, count = np.unique(time[event], return_counts=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), deaths, side="left")
    if entry is not None:
        at_risk = at_risk - (len(time) - np.searchsorted(np.sort(entry), deaths, side="left"))
    survival = np.r_[1.0, np.cumprod(1 - count / at_risk)]
    return 1 - survival[np.searchsorted(deaths, time, side="left")]


def _score_test_parts(sets: Moments, stretched: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score (p,) of the columns times g(t), and the information (2p, 2p) of the columns and these."""
    at = stretched - stretched.mean()  # as in R: over deaths, whatever their weights
    at[np.abs(at) < SAME * np.abs(stretched).max(initial=0.0)] = 0.0
    own = sets.weights[sets.deaths][:, None] * sets.x[sets.deaths]
    score = at @ (own - sets.each[:, None] * sets.mean)
    blocks = []
    for power in (np.ones(len(at)), at, at**2):
        held = sets.weights * sets.relative * sets.held(sets.hazard * power)
        blocks.append(sets.x.T @ (held[:, None] * sets.x) - (sets.mean * (sets.each * power)[:, None]).T @ sets.mean)
    return score, np.block([[blocks[0], blocks[1]], [blocks[1], blocks[2]]])


def _test(score: np.ndarray, information: np.ndarray, part: list[int]) -> ChiTest:
    """Score test of some columns times g(t), on as many degrees of freedom as can be told apart."""
    p = len(score)
    kept = [*range(p), *(p + j for j in part)]
    u = np.r_[np.zeros(p), score[part]]
    inner = information[np.ix_(kept, kept)]
    size = np.sqrt(np.maximum(np.diag(inner), np.finfo(float).tiny))
    solved, _, rank, _ = np.linalg.lstsq(inner / np.outer(size, size), u / size, rcond=1e-13)
    return chi_test(float(solved @ (u / size)), int(rank) - p)


def beta_over_time(
    fit: CoxFit, sets: Moments, stretched: np.ndarray, information: np.ndarray, *, level: float, smooth_df: int
) -> tuple[BetaOverTime, ...]:
    """Scaled Schoenfeld residuals of each term plus its coefficient, with a smooth, as R's ``cox.zph(fit)$y``.

    Parameters
    ----------
    stretched : array, shape (n,)
        Time on the scale of the test.
    information : array, shape (p, p)
        Of the coefficients.
    level : float
        Coverage of the band.
    smooth_df : int
        Columns of the spline.
    """
    order = by_time(sets)
    rows = sets.deaths[order]
    terms = [fit.data.columns_of(i) for i in range(len(fit.data.terms))]
    # A term of several columns is followed along its part of the linear predictor, where its coefficient is 1.
    along = np.zeros((len(fit.coef), len(terms)))
    for i, part in enumerate(terms):
        along[part, i] = 1.0 if len(part) == 1 else fit.coef[part]
    estimate = np.array([fit.coef[part[0]] if len(part) == 1 else 1.0 for part in terms])
    informed = _informed(sets, terms)
    shared = np.minimum(informed[:, :, None], informed[:, None, :]).sum(axis=0)
    variance = along.T @ (information / np.where(shared == 0, 1, shared)) @ along
    known = (informed[:, [part[0] for part in terms]] > 0)[sets.stratum[rows]]
    beta = _scaled(schoenfeld_residuals(sets)[order] @ along, variance, known) + estimate
    spread = np.sqrt(np.diag(_inverse(variance)))
    series = []
    for i, term in enumerate(fit.data.terms):
        seen = known[:, i]
        curve = natural_spline(stretched[rows], beta[:, i], df=smooth_df, spread=float(spread[i]), level=level)
        back = _back(curve.x, stretched[rows], sets.time[rows])
        time, at, values = sets.time[rows][seen], stretched[rows][seen], beta[seen, i]
        series.append(
            BetaOverTime(term, time, at, values, float(estimate[i]), curve.x, back, curve.y, curve.lower, curve.upper)
        )
    return tuple(series)


def _scaled(raw: np.ndarray, variance: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Residuals times the inverse of the mean variance of the columns their stratum tells of; NaN elsewhere."""
    scaled = np.full_like(raw, np.nan)
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for i, pattern in enumerate(patterns):
        here = np.ix_(which.ravel() == i, pattern)
        scaled[here] = raw[here] @ _inverse(variance[np.ix_(pattern, pattern)])
    return scaled


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverse of a covariance matrix, whatever the units of its columns; where columns coincide, the smallest one."""
    size = np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    return np.linalg.pinv(matrix / np.outer(size, size), hermitian=True) / np.outer(size, size)


def _informed(sets: Moments, terms: list[list[int]]) -> np.ndarray:
    """Events that bear on each column in each stratum, shape (n_strata, p): none where the column is constant."""
    by_stratum = np.argsort(sets.stratum, kind="stable")
    present, begin = np.unique(sets.stratum[by_stratum], return_index=True)
    x = sets.x[by_stratum]
    varies = np.maximum.reduceat(x, begin, axis=0) > np.minimum.reduceat(x, begin, axis=0)
    events = np.bincount(sets.stratum[sets.deaths], minlength=int(present[-1]) + 1)
    informed = np.zeros((len(events), x.shape[1]))
    informed[present] = varies * events[present, None]
    for part in terms:
        if len(part) > 1 and (informed[:, part] == 0).any():
            informed[:, part] = informed[:, part].max(axis=1, keepdims=True)
    return informed


def _back(at: np.ndarray, scaled: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Points of the time scale in the outcome's unit, between the times of deaths."""
    distinct, place = np.unique(scaled, return_index=True)
    return np.interp(at, distinct, time[place]) if len(distinct) else at
