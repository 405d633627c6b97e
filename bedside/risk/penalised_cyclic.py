"""glmnet's own way down a path, unfinished digits included: to compare numbers with it, not to fit models."""

from __future__ import annotations

import numpy as np

from bedside.risk.penalised_path import BIG, Path, Problem

MOST_PASSES = 100_000


class _Cycle:
    """State of glmnet's descent: coefficients, order of entry, and who passed the strong rule."""

    def __init__(self, problem: Problem, alpha: float, threshold: float) -> None:
        like = problem.likelihood
        share = like.weight / problem.weight
        self.problem, self.alpha = problem, alpha
        self.x = (problem.x - share @ problem.x) / problem.scale
        self.a = np.zeros(self.x.shape[1])
        self.enough = threshold * like.null_deviance / 2 / problem.weight
        self.passed = np.zeros(len(self.a), dtype=bool)
        self.entered: list[int] = []
        self._outer()
        self.pull = np.abs(self.slope @ self.x)

    def _outer(self) -> None:
        like, weight = self.problem.likelihood, self.problem.weight
        self.point = point = like.at(self.problem.offset + self.x @ self.a)
        square = point.relative**2 * like.sets.seen(like.at_event / point.total**2)
        self.slope, self.curve = point.residual / weight, (point.hazard - square) / weight

    def down(self, lam: float, before: float) -> None:
        """The model at one lambda, from the one before."""
        problem, bound = self.problem, self.alpha * lam * self.problem.factor
        self.passed |= problem.usable & (self.pull > self.alpha * (2 * lam - before) * problem.factor)
        for _ in range(MOST_PASSES):
            start = self.a.copy()
            at = np.flatnonzero(self.passed)
            curve = self._weighted(at, bound, (1 - self.alpha) * lam * problem.factor)
            self._outer()
            moved = bool((curve * (self.a[at] - start[at]) ** 2 >= self.enough).any())
            if moved:
                continue
            self.pull = np.abs(self.slope @ self.x)
            new = problem.usable & ~self.passed & (self.pull > bound)
            if not new.any():
                return
            self.passed |= new

    def _weighted(self, at: np.ndarray, bound: np.ndarray, ridge: np.ndarray) -> np.ndarray:
        """Coordinate descent of one weighted least squares problem; the curvature of its columns."""
        x = self.x[:, at]
        gram = x.T @ (self.curve[:, None] * x)
        pull, place = self.slope @ x, {int(j): i for i, j in enumerate(at)}
        diagonal = np.diag(gram).copy()
        told = [(float(diagonal[i]), float(bound[j]), float(diagonal[i] + ridge[j])) for i, j in enumerate(at)]
        b = [float(value) for value in self.a[at]]

        def sweep(order: list[int]) -> float:
            widest = 0.0
            for i in order:
                curve, limit, below = told[i]
                u = b[i] * curve + float(pull[i])
                reach = abs(u) - limit
                new = (reach if u > 0 else -reach) / below if reach > 0 else 0.0
                if new != b[i]:
                    away = new - b[i]
                    b[i] = new
                    widest = max(widest, curve * away * away)
                    np.subtract(pull, away * gram[i], out=pull)
                    if int(at[i]) not in self.seen:
                        self.seen.add(int(at[i]))
                        self.entered.append(int(at[i]))
            return widest

        self.seen = set(self.entered)
        everyone = list(range(len(at)))
        for _ in range(MOST_PASSES):
            if sweep(everyone) < self.enough:
                break
            among = [place[j] for j in self.entered]
            while sweep(among) >= self.enough:
                pass
        self.a[at] = b
        return diagonal


def glmnet_path(problem: Problem, path: Path, *, own: bool, threshold: float = 1e-7) -> np.ndarray:
    """Coefficients where glmnet stops, shape (k, p), at the lambdas of a path.

    Parameters
    ----------
    problem : Problem
    path : Path
    own : bool
        True if glmnet was given these lambdas; otherwise it fits the first with an infinite one.
    threshold : float
        glmnet's ``thresh``.

    References
    ----------
    Simon, Friedman, Hastie & Tibshirani (2011), J Stat Softw 39(5). R: ``glmnet(..., thresh = )``.
    """
    cycle = _Cycle(problem, path.alpha, threshold)
    found, before = [], 0.0
    for k, lam in enumerate(path.lambdas):
        cycle.down(BIG if k == 0 and not own else float(lam), before)
        before = float(lam)
        found.append(cycle.a / problem.scale)
    return np.array(found)
