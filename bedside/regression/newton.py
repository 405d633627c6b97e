"""The maximum of a partial likelihood by Newton's method, stopping where R stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

R_EPS = 1e-9
"""Relative change of the log-likelihood at which ``coxph`` stops."""
R_STEPS = 20
"""Most steps ``coxph`` takes."""
STILL_MOVING = float(np.sqrt(R_EPS))
"""Share of a coefficient that the next step would add, above which ``coxph`` warns of an infinite one."""
MORE_STEPS = 25
"""Steps after R's last to see whether a coefficient that still moved comes to rest."""
AT_REST = 1e-6
VANISHED = 1e-9
"""A coefficient is infinite once the information on it has sunk to this share of what it was at 0."""
PIVOT = float(np.finfo(float).eps ** 0.75)
"""R's tolerance for a column that the others determine."""


class Likelihood(Protocol):
    """What has a maximum."""

    @property
    def x(self) -> np.ndarray:
        """Columns, shape (n, p)."""
        ...

    def derivatives(self, beta: np.ndarray, /) -> tuple[float, np.ndarray, np.ndarray]:
        """Log likelihood, gradient (p,) and observed information (p, p)."""
        ...


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the (penalised) log partial likelihood is highest.

    Attributes
    ----------
    beta : array, shape (p,)
    value_null, value : float
        Log partial likelihood at the start and at `beta`, without the penalty.
    score_test : float
        Gradient at the start in the metric of the information there.
    information : array, shape (p, p)
        Observed information at `beta`, without the penalty.
    iterations : int
        As R counts them.
    runaway : array, shape (p,), or None
        If there is no finite maximum: the direction in which the likelihood keeps rising.
    """

    beta: np.ndarray
    value_null: float
    value: float
    score_test: float
    information: np.ndarray
    iterations: int
    runaway: np.ndarray | None = None


def solve(information: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solution of a symmetric system, by Cholesky where it is positive definite."""
    try:
        return cho_solve(cho_factor(information, check_finite=False), right, check_finite=False)
    except LinAlgError:
        return np.linalg.pinv(information, hermitian=True) @ right


def redundant_columns(information: np.ndarray) -> list[int]:
    """Columns about which nothing is left once the earlier ones are known.

    Parameters
    ----------
    information : array, shape (p, p)
        Of columns of similar size.

    References
    ----------
    R gives such columns a coefficient of NA (``cholesky2``, with the same tolerance).
    """
    left = information.copy()
    enough = PIVOT * float(np.diag(left).max(initial=0.0))
    found = []
    for j in range(len(left)):
        pivot = left[j, j]
        if not pivot > enough:
            found.append(j)
            continue
        column = left[j + 1 :, j] / pivot
        left[j + 1 :, j + 1 :] -= np.outer(column, left[j, j + 1 :])
    return found


def maximise(
    likelihood: Likelihood,
    *,
    penalty: np.ndarray | None = None,
    start: np.ndarray | None = None,
    steps: int = R_STEPS,
) -> Maximum:
    """The maximum of the log partial likelihood minus half the sum of penalty times squared coefficients.

    Newton's path does not depend on the columns' units, so stopping where R stops gives every digit R gives, the
    last unfinished ones included.

    References
    ----------
    R: ``coxph.fit``, ``agreg.fit``; with a penalty ``coxpenal.fit``. Therneau & Grambsch (2000), section 3.
    """
    held = np.zeros(likelihood.x.shape[1]) if penalty is None else penalty
    path = _Path(likelihood, held, np.zeros(len(held)) if start is None else start)
    first, value_null = path.information, path.plain
    score_test = float(path.gradient @ solve(path.information + np.diag(held), path.gradient))
    converged = path.run(steps)
    count = path.count
    if not converged or _moves(path.next_step(), path.beta):
        found = _followed(path, first)
        if found is not None:
            return Maximum(path.beta, value_null, path.plain, score_test, path.information, count, found)
    return Maximum(path.beta, value_null, path.plain, score_test, path.information, count)


class _Path:
    """Where Newton's method is, and where it was best before."""

    def __init__(self, likelihood: Likelihood, penalty: np.ndarray, beta: np.ndarray) -> None:
        self.likelihood, self.penalty = likelihood, penalty
        self.count = 0
        self._look(beta)

    def _look(self, beta: np.ndarray) -> None:
        self.beta = beta
        self.plain, gradient, self.information = self.likelihood.derivatives(beta)
        self.value = self.plain - 0.5 * float(self.penalty @ beta**2)
        self.gradient = gradient - self.penalty * beta

    @property
    def finite(self) -> bool:
        return bool(
            np.isfinite(self.value) and np.isfinite(self.gradient).all() and np.isfinite(self.information).all()
        )

    def next_step(self) -> np.ndarray:
        return solve(self.information + np.diag(self.penalty), self.gradient)

    def run(self, steps: int) -> bool:
        """Newton's method with R's halving, to R's stop; False if the steps ran out."""
        best, before = self.value, self.beta
        ahead = self.beta + self.next_step()
        halvings = 0
        for _ in range(steps):
            self.count += 1
            self._look(ahead)
            if self.finite and halvings == 0 and abs(self.value - best) <= R_EPS * abs(self.value):
                return True
            if not self.finite or self.value < best:
                halvings += 1
                ahead = (ahead + halvings * before) / (halvings + 1)
            else:
                halvings, best, before = 0, self.value, ahead
                ahead = ahead + self.next_step()
        self._look(before)
        return False


def _moves(step: np.ndarray, beta: np.ndarray) -> bool:
    return not np.isfinite(step).all() or bool((np.abs(step) > STILL_MOVING * (1 + np.abs(beta))).any())


def _followed(path: _Path, first: np.ndarray) -> np.ndarray | None:
    """Further steps from where R stopped: None if they come to rest, else the direction they keep taking."""
    held = np.diag(path.penalty)
    direction = path.next_step()
    for _ in range(MORE_STEPS):
        known = float(direction @ (first + held) @ direction)
        if not path.finite or float(direction @ (path.information + held) @ direction) < VANISHED * known:
            return direction
        step = direction = path.next_step()
        if (np.abs(step) <= AT_REST * (1 + np.abs(path.beta))).all():
            return None
        best, before = path.value, path.beta
        path._look(before + step)
        for _ in range(30):
            if path.finite and path.value >= best - R_EPS * abs(best):
                break
            step = step / 2
            path._look(before + step)
    return direction
