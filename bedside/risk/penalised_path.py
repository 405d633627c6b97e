"""The elastic net path of a Cox model: all coefficients from the strongest penalty to a light one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bedside.errors import Fixable
from bedside.risk.penalised_likelihood import Likelihood, Point, likelihood_of
from bedside.risk.penalised_quadratic import minimise, violation

BIG = 9.9e35
"""What glmnet takes for an infinite lambda."""
LEAST_ALPHA = 1e-3
"""Below it the largest lambda is the one of this alpha: at 0 it would be infinite."""
FLAT_OVER, FLAT, NEARLY_ALL = 5, 1e-5, 0.999
"""A path ends where the deviance ratio rose by less than this share in 5 steps, or is above .999."""
ENOUGH = 1e-10
"""Largest gradient left, as a share of the largest at coefficients of 0."""
ACCEPTABLE = 1e-6
"""The same where rounding lets no step go further."""
MOST_STEPS = 100
BLOCK = 1024
"""Columns taken at once where a whole wide table would not fit twice into memory."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Cross-validated partial-likelihood deviance along a path.

    Attributes
    ----------
    lambdas, mean, se : arrays, shape (k,)
        Mean deviance per event that was held out, and its standard error over the folds.
    lambda_min : float
        The lambda of the lowest mean.
    lambda_1se : float
        The largest lambda whose mean is within one standard error of the lowest.
    folds : int
    """

    lambdas: np.ndarray
    mean: np.ndarray
    se: np.ndarray
    lambda_min: float
    lambda_1se: float
    folds: int


@dataclass(frozen=True, eq=False)
class Path:
    """Coefficients of a penalised Cox model for each strength of its penalty.

    Attributes
    ----------
    alpha : float
        1 lasso, 0 ridge.
    lambdas : array, shape (k,)
        Strengths of the penalty, from the strongest.
    coef : array, shape (k, p)
        Log hazard ratios per unit of each column.
    kept : array of int, shape (k,)
        Coefficients that are not 0.
    dev_ratio : array, shape (k,)
        Share of the null deviance that is explained.
    null_deviance : float
        Twice the log partial likelihood between the saturated model and the one without variables.
    names : tuple of str
        Of the columns, where they are known.
    curve : Curve or None
        By cross-validation, where that was done.
    chosen : float or None
        The lambda in use, where one was chosen.
    """

    alpha: float
    lambdas: np.ndarray
    coef: np.ndarray = field(repr=False)
    kept: np.ndarray
    dev_ratio: np.ndarray
    null_deviance: float
    names: tuple[str, ...] = field(default=(), repr=False)
    curve: Curve | None = None
    chosen: float | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """Columns and patients of a path, in the order of the likelihood.

    Attributes
    ----------
    x : array, shape (n, p)
        Ordered by columns; centred, since the partial likelihood does not notice and sums lose fewer digits.
    scale : array, shape (p,)
        What each column is divided by; 1 where it does not vary.
    usable : array of bool, shape (p,)
    factor : array, shape (p,)
        Weight of each coefficient's penalty, their mean 1.
    likelihood : Likelihood
    offset : array, shape (n,)
    standardised : bool
        Whether `scale` is each column's standard deviation.
    """

    x: np.ndarray
    scale: np.ndarray
    usable: np.ndarray
    factor: np.ndarray
    likelihood: Likelihood
    offset: np.ndarray
    standardised: bool = True

    @cached_property
    def weight(self) -> float:
        """Sum of the case weights: the objective is a mean over patients."""
        return float(self.likelihood.weight.sum())

    def gradient(self, point: Point) -> np.ndarray:
        """Of the mean negative log partial likelihood by each standardised coefficient, shape (p,)."""
        return -(point.residual @ self.x) / (self.weight * self.scale)


def penalised_path(
    x: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    *,
    alpha: float = 1.0,
    lambdas: np.ndarray | None = None,
    n_lambdas: int = 100,
    smallest: float | None = None,
    weights: np.ndarray | None = None,
    entry: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    factors: np.ndarray | None = None,
    standardise: bool = True,
    tell: Callable[[float], None] | None = None,
) -> Path:
    """Elastic net Cox models for a falling sequence of penalties.

    Minimises, for each lambda, -l(β)/Σw + λ Σ v_j [α |β_j| + (1 - α) β_j² / 2] over the coefficients of
    standardised columns (weighted variance over n), where l is the log partial likelihood with Breslow's ties and v
    are the factors, scaled to a mean of 1. Coefficients are given per unit of the column.

    Parameters
    ----------
    x : array, shape (n, p)
        Without gaps. Columns that do not vary get a coefficient of 0.
    time, event : arrays, shape (n,)
    alpha : float, 0 to 1
    lambdas : array, optional
        Of your own, at least 0; they are put in falling order.
    n_lambdas, smallest : int, float
        Otherwise this many from the one at which all coefficients leave 0 to `smallest` times it (default .01 with
        fewer rows than columns, else .0001), even on the log scale; fewer where the path has come to its end.
    weights, entry, strata, offset : arrays, shape (n,), optional
        Rows are at risk in (entry, time], within their stratum.
    factors : array, shape (p,), optional
        At least 0; 0 leaves a coefficient unpenalised.
    standardise : bool
    tell : callable, optional
        Called with the share done.

    Raises
    ------
    Fixable
        If no event or no column that varies is left, or the first model has no finite answer.
    ValueError
        If alpha, a lambda or a factor is outside its range.

    References
    ----------
    Simon, Friedman, Hastie & Tibshirani (2011), J Stat Softw 39(5). Tibshirani et al. (2012), JRSS B 74:245-266
    (strong rules). Lee, Sun & Saunders (2014), SIAM J Optim 24:1420-1443 (proximal Newton steps).
    R: ``glmnet(x, Surv(time, event), family = "cox", alpha = )``.
    """
    _check(alpha, lambdas, factors)
    problem = problem_of(
        x, time, event, weights=weights, entry=entry, strata=strata, offset=offset, factors=factors,
        standardise=standardise,
    )  # fmt: skip
    if smallest is None:
        smallest = 0.01 if x.shape[0] < x.shape[1] else 1e-4
    return solve_path(problem, alpha, lambdas=lambdas, n_lambdas=n_lambdas, smallest=smallest, tell=tell)


def _check(alpha: float, lambdas: np.ndarray | None, factors: np.ndarray | None) -> None:
    if not 0 <= alpha <= 1:
        raise ValueError("alpha must be between 0 and 1")
    for name, values in (("lambdas", lambdas), ("factors", factors)):
        if values is not None and not (len(values) and np.isfinite(values).all() and np.min(values) >= 0):
            raise ValueError(f"{name} must be finite numbers of at least 0")
    if factors is not None and not np.max(factors) > 0:
        raise ValueError("at least one factor must be above 0")


def problem_of(
    x: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    entry: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    factors: np.ndarray | None = None,
    standardise: bool = True,
) -> Problem:
    """Order and centre columns once, for a path and for those of its folds."""
    n, p = x.shape
    likelihood = likelihood_of(time, event, weight=weights, entry=entry, strata=strata)
    ordered = np.empty((n, p), order="F")
    for begin in range(0, p, BLOCK):
        part = np.asarray(x[:, begin : begin + BLOCK], dtype=float)
        ordered[:, begin : begin + BLOCK] = (part - part.mean(axis=0))[likelihood.order]
    factors = np.ones(p) if factors is None else np.asarray(factors, dtype=float)
    offset = np.zeros(n) if offset is None else np.asarray(offset, dtype=float)[likelihood.order]
    scale, usable = spread(ordered, likelihood.weight)
    return Problem(
        x=ordered,
        scale=scale if standardise else np.ones(p),
        usable=usable,
        factor=factors * p / factors.sum(),
        likelihood=likelihood,
        offset=offset,
        standardised=standardise,
    )


def spread(x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted standard deviation (over n) of each column, 1 where it does not vary, and which vary."""
    there = weight > 0
    share = weight[there] / weight[there].sum() if there.any() else weight[there]
    scale, usable = np.ones(x.shape[1]), np.zeros(x.shape[1], dtype=bool)
    for begin in range(0, x.shape[1] if there.any() else 0, BLOCK):
        at = slice(begin, begin + BLOCK)
        part = x[:, at] if there.all() else x[there, at]
        usable[at] = part.max(axis=0) > part.min(axis=0)
        away = part - share @ part
        scale[at] = np.where(usable[at], np.sqrt(share @ (away * away)), 1.0)
    return np.where(scale > 0, scale, 1.0), usable & (scale > 0)


def solve_path(
    problem: Problem,
    alpha: float,
    *,
    lambdas: np.ndarray | None = None,
    n_lambdas: int = 100,
    smallest: float = 1e-4,
    most: int | None = None,
    tell: Callable[[float], None] | None = None,
) -> Path:
    """The path of a prepared problem; `penalised_path` says what it is.

    It ends at the first model that keeps more than `most` columns, where that is given.
    """
    if not len(problem.likelihood.at_event):
        raise Fixable("No path of models.", "There is no event among these rows.", "Include more patients.")
    if not problem.usable.any():
        raise Fixable("No path of models.", "No column varies among these rows.", "Choose other variables.")
    own = lambdas is not None
    walk = _Walk(problem, alpha)
    used = np.sort(np.asarray(lambdas, dtype=float))[::-1] if own else walk.sequence(n_lambdas, smallest)
    null, best = problem.likelihood.null_deviance, problem.likelihood.saturated
    found: list[np.ndarray] = []
    ratio: list[float] = []
    for k, beta, value in walk.along(used, own):
        found.append(beta / problem.scale)
        ratio.append(1 - 2 * (best - value) / null if null > 0 else 0.0)
        if tell is not None:
            tell((k + 1) / len(used))
        full = most is not None and np.count_nonzero(beta) > most
        if full or (not own and _ended(ratio, min(FLAT_OVER, len(used)))):
            break
    if not found:
        raise Fixable(
            "No path of models.",
            "The penalty is too light for so few events: at least one coefficient has no finite value.",
            "Choose a larger lambda.",
        )
    coef = np.array(found)
    return Path(
        alpha=float(alpha),
        lambdas=used[: len(coef)].copy(),
        coef=coef,
        kept=(coef != 0).sum(axis=1),
        dev_ratio=np.array(ratio),
        null_deviance=null,
    )


def _ended(ratio: list[float], over: int) -> bool:
    """True where further lambdas would hardly change the model."""
    if len(ratio) < over or len(ratio) < 2:
        return False
    return ratio[-1] > NEARLY_ALL or ratio[-1] - ratio[-over] < FLAT * ratio[-1]


class _Walk:
    """Coefficients on their way along a path, each model beginning at the one before."""

    def __init__(self, problem: Problem, alpha: float) -> None:
        self.problem, self.alpha = problem, alpha
        self.beta = np.zeros(problem.x.shape[1])
        self.eta = problem.offset.copy()
        self.point = problem.likelihood.at(self.eta)
        self.gradient = problem.gradient(self.point)
        self.enough = ENOUGH * max(float(np.abs(self.gradient[problem.usable]).max()), np.finfo(float).tiny)
        self.free = problem.usable & (problem.factor == 0)
        self.strong = self.free.copy()
        self.columns, self.held = np.zeros(0, dtype=int), np.zeros((len(self.eta), 0))
        if self.free.any():
            self._settle(BIG)
        penalised = problem.usable & ~self.free
        pull = np.abs(self.gradient[penalised]) / problem.factor[penalised]
        self.largest = float(pull.max(initial=0.0)) / max(alpha, LEAST_ALPHA)

    def sequence(self, count: int, smallest: float) -> np.ndarray:
        """Lambdas from the largest to `smallest` of it, even on the log scale."""
        # glmnet divides in single precision there, which the eighth digit of its lambdas shows.
        step = smallest ** float(np.float32(1) / np.float32(max(count - 1, 1)))
        return self.largest * step ** np.arange(count)

    def along(self, lambdas: np.ndarray, own: bool) -> Iterator[tuple[int, np.ndarray, float]]:
        """Each model in turn: its place, standardised coefficients and log partial likelihood."""
        before = max(self.largest, float(lambdas[0]))
        for k, lam in enumerate(lambdas):
            self._screen(float(lam), before)
            # The first of glmnet's own lambdas is the smallest that leaves nothing: there it fits with an infinite one.
            if not self._settle(BIG if k == 0 and not own else float(lam)):
                return
            before = float(lam)
            yield k, self.beta.copy(), self.point.value

    def _screen(self, lam: float, before: float) -> None:
        """Columns that the strong rule can't leave out."""
        problem = self.problem
        bar = self.alpha * problem.factor * (2 * lam - before)
        self.strong = problem.usable & ((np.abs(self.gradient) >= bar) | (self.beta != 0) | self.free)

    def _settle(self, lam: float) -> bool:
        """The model at one lambda, with every column that was left out looked at again."""
        problem = self.problem
        bound = self.alpha * lam * problem.factor
        while True:
            if not self._fit(lam):
                return False
            self.gradient = problem.gradient(self.point)
            wrong = problem.usable & ~self.strong & (np.abs(self.gradient) > bound + self.enough)
            if not wrong.any():
                return True
            self.strong |= wrong

    def _fit(self, lam: float) -> bool:
        """Proximal Newton steps among the strong columns; False where no finite answer was found."""
        problem = self.problem
        at = np.flatnonzero(self.strong)
        if not np.array_equal(at, self.columns):
            self.columns, self.held = at, problem.x[:, at] / problem.scale[at]
        pull = lam * problem.factor[at]
        bound, ridge = self.alpha * pull, (1 - self.alpha) * pull
        for _ in range(MOST_STEPS):
            b = self.beta[at]
            uphill = -(self.point.residual @ self.held) / problem.weight + ridge * b
            wrong = violation(uphill, b, bound)
            left = float(wrong.max(initial=0.0))
            if left <= self.enough:
                return True
            moving = np.flatnonzero((b != 0) | (wrong > 0))
            x = self.held[:, moving]
            h = problem.likelihood.information(self.point, x) / problem.weight + np.diag(ridge[moving])
            target = minimise(h, uphill[moving], b[moving], bound[moving], max(self.enough / 10, left * 1e-4))
            if not self._step(at[moving], x, target - b[moving], bound[moving], ridge[moving]):
                return left <= ACCEPTABLE / ENOUGH * self.enough
        return False

    def _step(self, at: np.ndarray, x: np.ndarray, step: np.ndarray, bound: np.ndarray, ridge: np.ndarray) -> bool:
        """Take a step, halved until the objective does not rise beyond rounding; False where none will do."""
        likelihood, weight, begin = self.problem.likelihood, self.problem.weight, self.beta[at]

        def cost(point: Point, b: np.ndarray) -> float:
            return -point.value / weight + float(bound @ np.abs(b) + 0.5 * ridge @ (b * b))

        now, along = cost(self.point, begin), x @ step
        slack = 1e-13 * max(1.0, abs(now))
        for halved in range(40):
            share = 0.5**halved
            reached = begin + share * step
            point = likelihood.at(self.eta + share * along)
            if cost(point, reached) <= now + slack:
                self.eta = self.eta + share * along
                self.beta[at], self.point = reached, point
                return True
        return False
