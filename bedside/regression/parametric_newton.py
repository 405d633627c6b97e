"""Newton's method to the last digit, for the log-likelihoods of parametric models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MOST_STEPS = 100
MOST_HALVINGS = 40
STEP_ENOUGH = 1e-18
"""Newton decrement, relative to the log-likelihood, after which the step taken leaves only rounding error."""
STILL_MOVING = 1e-3
"""A parameter that goes on moving by more than this while the likelihood stands still has no finite value."""

Derivatives = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]


class NoMaximum(ArithmeticError):
    """The likelihood rises without end; `direction` says which parameters run away.

    Attributes
    ----------
    direction : array, shape (n_parameters,)
        Size of the last step of each parameter.
    """

    def __init__(self, direction: np.ndarray) -> None:
        super().__init__("The log-likelihood keeps rising.")
        self.direction = direction


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where a log-likelihood is highest.

    Attributes
    ----------
    at : array, shape (n_parameters,)
    value : float
    variance : array, shape (n_parameters, n_parameters)
        Inverse of the observed information at the maximum.
    steps : int
        Newton steps taken.
    """

    at: np.ndarray
    value: float
    variance: np.ndarray
    steps: int


def maximise(derivatives: Derivatives, start: np.ndarray) -> Maximum:
    """The maximum of a smooth function, with steps halved while they go downhill.

    Parameters
    ----------
    derivatives : callable
        Gives value, gradient and observed information (minus the second derivatives) at a point; a value of
        minus infinity or NaN marks points that are out of bounds.
    start : array, shape (n_parameters,)

    Raises
    ------
    NoMaximum
        If the parameters still move when the function no longer rises, or a direction has no curvature.
    """
    at = np.asarray(start, dtype=float)
    value, gradient, information = derivatives(at)
    if not np.isfinite(value):
        raise NoMaximum(np.zeros_like(at))
    step = np.zeros_like(at)
    for steps in range(1, MOST_STEPS + 1):
        step = _uphill(information, gradient)
        enough = float(step @ gradient) < STEP_ENOUGH * max(1.0, abs(value))
        if enough and np.abs(step).max(initial=0.0) > STILL_MOVING:
            break
        at, value, gradient, information = _taken(derivatives, at, step, value, gradient, information)
        if enough:
            return Maximum(at, value, _inverse(information, step), steps)
    raise NoMaximum(np.abs(step))


def _taken(
    derivatives: Derivatives,
    at: np.ndarray,
    step: np.ndarray,
    value: float,
    gradient: np.ndarray,
    information: np.ndarray,
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """The step, halved until the function does not fall beyond rounding error; no step if that never happens."""
    for _ in range(MOST_HALVINGS):
        reached = derivatives(at + step)
        if np.isfinite(reached[0]) and reached[0] >= value - 1e-12 * max(1.0, abs(value)):
            return at + step, *reached
        step = step / 2
    return at, value, gradient, information


def _uphill(information: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Newton's step; where the function is not yet concave, with every curvature taken as positive."""
    try:
        np.linalg.cholesky(information)
        return np.linalg.solve(information, gradient)
    except np.linalg.LinAlgError:
        pass
    if not np.isfinite(information).all():
        raise NoMaximum(np.zeros_like(gradient))
    curvature, axes = np.linalg.eigh(information)
    floor = max(1e-8 * float(np.abs(curvature).max(initial=0.0)), 1e-300)
    return axes @ ((axes.T @ gradient) / np.maximum(np.abs(curvature), floor))


def _inverse(information: np.ndarray, step: np.ndarray) -> np.ndarray:
    try:
        np.linalg.cholesky(information)
        inverse = np.linalg.inv(information)
    except np.linalg.LinAlgError as flat:
        raise NoMaximum(np.abs(step)) from flat
    return (inverse + inverse.T) / 2
