"""Parametric survival models: exponential, Weibull, log-normal, log-logistic and Gaussian regression."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bedside.errors import Fixable
from bedside.regression.data import CoxData
from bedside.regression.model import Aliased
from bedside.regression.parametric_checks import check_model, check_rows, own_columns, runs_away
from bedside.regression.parametric_distributions import FAMILIES, Distribution, Family
from bedside.regression.parametric_fit import ParametricFit
from bedside.regression.parametric_likelihood import Pieces, pieces
from bedside.regression.parametric_newton import Maximum, NoMaximum, maximise
from bedside.regression.parametric_response import NO_FIT, RIGHT, Response, on_log_scale, right_censored


def fit_parametric(
    data: CoxData,
    distribution: Distribution,
    *,
    response: Response | None = None,
    robust: bool | None = None,
    zero_as: float | None = None,
) -> ParametricFit:
    """Fit a parametric survival model by maximum likelihood.

    Parameters
    ----------
    data : CoxData
        Design, weights, offset; `strata` have a scale each; `entry` truncates on the left (at risk from then on);
        `cluster` marks rows that belong together. No columns: the distribution alone.
    distribution : str
        One of ``FAMILIES``.
    response : Response, optional
        Where times are censored on the left or lie between two visits; else `data`'s times, censored on the right.
    robust : bool, optional
        Sandwich variance; None: with clusters.
    zero_as : float, optional
        Time put in place of 0 where an event came at time 0, in the outcome's unit.

    Returns
    -------
    ParametricFit
        Columns that others determine are left out and named in `aliased`.

    Raises
    ------
    Fixable
        If there are no patients or no events, fewer events than parameters, an event at time 0 that no `zero_as`
        moves, weights of 0 or less, entry at or after the end, or a coefficient without a finite value.

    Notes
    -----
    Newton's method with analytic derivatives on standardised columns, to rounding error. Delayed entry, which R's
    survreg does not offer, divides each likelihood by S(entry).

    References
    ----------
    Kalbfleisch & Prentice (2002), chapter 3. R: ``survreg(Surv(time, event) ~ x + strata(s), weights = , dist = )``.
    """
    family = FAMILIES.get(distribution)
    if family is None:
        known = ", ".join(FAMILIES)
        raise Fixable(NO_FIT, "The distribution is not known.", f"Choose one of: {known}.")
    given = right_censored(data.time, data.event) if response is None else response
    if len(given) != len(data):
        raise ValueError("a response has one entry for each row of the data")
    check_rows(data, given)
    data, aliased = own_columns(data)
    scales = 0 if family.scale is not None else max(len(data.strata_labels) if data.strata is not None else 1, 1)
    check_model(data, given, n_parameters=1 + data.x.shape[1] + scales)
    used = given
    if family.log_time:
        used = on_log_scale(given, zero_as=zero_as, label=family.label.lower(), places=data.rows)
    problem = _problem(data, used, family, scales)
    try:
        null = _null(problem)
    except NoMaximum as away:
        raise runs_away(data.with_columns([]), away.direction) from away
    try:
        best = null if not data.x.shape[1] else maximise(problem.derivatives, problem.from_null(null.at))
    except NoMaximum as away:
        raise runs_away(data, away.direction) from away
    return _fit(problem, best, null, given, distribution, robust=robust, aliased=aliased)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Rows ready to be fitted: columns standardised, delayed entries as rows of negative weight."""

    data: CoxData
    family: Family
    response: Response
    design: np.ndarray  # (rows, 1 + p) with the intercept
    centre: np.ndarray  # (p,)
    spread: np.ndarray  # (p,)
    weights: np.ndarray
    offset: np.ndarray
    codes: np.ndarray  # whose scale
    scales: int
    correction: float  # from the density of log time to that of time

    def from_null(self, null: np.ndarray) -> np.ndarray:
        """Where to start with all columns: at the model without them."""
        return np.concatenate([null[:1], np.zeros(self.design.shape[1] - 1), null[1:]])

    def sigma(self, at: np.ndarray) -> np.ndarray:
        """Scale of each row."""
        if self.family.scale is not None:
            return np.full(len(self.design), self.family.scale)
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(at[self.design.shape[1] :])[self.codes]

    def pieces(self, at: np.ndarray) -> Pieces:
        """Contributions of each row at a point."""
        location = self.design @ at[: self.design.shape[1]] + self.offset
        with np.errstate(all="ignore"):
            return pieces(self.family.standard, self.response, location, self.sigma(at))

    def derivatives(self, at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log-likelihood, gradient and observed information."""
        part, x, w = self.pieces(at), self.design, self.weights
        with np.errstate(all="ignore"):
            value = float(w @ part.value) + self.correction
            gradient = x.T @ (w * part.location)
            information = -(x.T @ ((w * part.location2)[:, None] * x))
            if self.scales:
                member = (self.codes[:, None] == np.arange(self.scales)) * w[:, None]
                gradient = np.concatenate([gradient, part.scale @ member])
                mixed = -(x.T @ (part.mixed[:, None] * member))
                information = np.block([[information, mixed], [mixed.T, -np.diag(part.scale2 @ member)]])
        sound = np.isfinite(gradient).all() and np.isfinite(information).all()
        return (value if sound else -np.inf), gradient, information


def _problem(data: CoxData, used: Response, family: Family, scales: int) -> _Problem:
    n, p = data.x.shape
    centre = data.x.mean(axis=0) if p else np.zeros(0)
    spread = data.x.std(axis=0) if p else np.ones(0)
    design = np.column_stack([np.ones(n), (data.x - centre) / spread])
    weights = np.ones(n) if data.weights is None else data.weights
    offset = np.zeros(n) if data.offset is None else data.offset
    codes = np.zeros(n, dtype=int) if data.strata is None else np.asarray(data.strata)
    exact = used.kind == 1
    correction = -float(weights[exact] @ used.time[exact]) if family.log_time else 0.0
    late = _late(data, family)
    if len(late):
        entry = np.log(data.entry[late]) if family.log_time else data.entry[late]
        used = Response(
            np.concatenate([used.time, entry]),
            np.concatenate([used.upper, entry]),
            np.concatenate([used.kind, np.full(len(late), RIGHT)]),
        )
        weights = np.concatenate([weights, -weights[late]])
        design, offset, codes = (np.concatenate([a, a[late]]) for a in (design, offset, codes))
    return _Problem(data, family, used, design, centre, spread, weights, offset, codes, scales, correction)


def _late(data: CoxData, family: Family) -> np.ndarray:
    """Rows whose entry says something: on a log scale everyone is at risk from 0."""
    if data.entry is None:
        return np.zeros(0, dtype=int)
    return np.flatnonzero(np.isfinite(data.entry) & ((data.entry > 0) | (not family.log_time)))


def _null(problem: _Problem) -> Maximum:
    """The model with an intercept and the scales alone, from the mean and spread of the known times."""
    alone = replace(problem, design=problem.design[:, :1])
    used = problem.response
    known = np.isfinite(used.time) & (problem.weights > 0)
    middle = ((used.time + used.upper) / 2 - problem.offset)[known]
    weights = problem.weights[known]
    mean = float(np.average(middle, weights=weights))
    variance = float(np.average((middle - mean) ** 2, weights=weights))
    start = np.full(1 + problem.scales, 0.5 * np.log(variance) if variance > 0 else 0.0)
    start[0] = mean
    return maximise(alone.derivatives, start)


def _fit(
    problem: _Problem,
    best: Maximum,
    null: Maximum,
    given: Response,
    distribution: Distribution,
    *,
    robust: bool | None,
    aliased: tuple[Aliased, ...],
) -> ParametricFit:
    """The maximum in the units of the columns as they were given."""
    data, k = problem.data, 1 + problem.data.x.shape[1]
    back = np.eye(len(best.at))
    back[1:k, 1:k] = np.diag(1 / problem.spread)
    back[0, 1:k] = -problem.centre / problem.spread
    naive = back @ best.variance @ back.T
    wanted = data.cluster is not None if robust is None else robust
    variance = back @ _sandwich(problem, best) @ back.T if wanted else naive
    fixed = problem.family.scale
    return ParametricFit(
        data=data,
        response=given,
        distribution=distribution,
        coef=(back @ best.at)[:k],
        scale=np.exp(best.at[k:]) if fixed is None else np.array([fixed]),
        variance=variance,
        naive_variance=naive,
        robust=wanted,
        loglik_null=null.value,
        loglik=best.value,
        iterations=best.steps,
        linear_predictor=(problem.design @ best.at[:k] + problem.offset)[: len(data)],
        aliased=aliased,
    )


def _sandwich(problem: _Problem, best: Maximum) -> np.ndarray:
    """Variance from the rows' own scores, summed within clusters."""
    data, part = problem.data, problem.pieces(best.at)
    member = (problem.codes[:, None] == np.arange(problem.scales)).astype(float)
    scores = np.column_stack([part.location[:, None] * problem.design, part.scale[:, None] * member])
    scores *= problem.weights[:, None]
    late = _late(data, problem.family)
    rows = np.concatenate([np.arange(len(data)), late]).astype(int)
    whose = rows if data.cluster is None else np.asarray(data.cluster)[rows]
    groups = np.unique(whose, return_inverse=True)[1]
    summed = np.zeros((int(groups.max()) + 1, scores.shape[1]))
    np.add.at(summed, groups, scores)
    influence = summed @ best.variance
    return influence.T @ influence
