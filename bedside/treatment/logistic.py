"""Logistic and multinomial regression by maximum likelihood, on plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import xlogy

R_EPSILON = 1e-8
"""Relative change of the deviance at which R's ``glm`` stops."""
R_STEPS = 25
FAR = 30.0
"""A linear predictor beyond this is a probability of 0 or 1 to R."""
EPS = float(np.finfo(float).eps)
NO_DEVIANCE = 1e-4
STILL_MOVING = 1e-3
"""Change of a linear predictor in a further step that only a coefficient without a finite value can cause."""


@dataclass(frozen=True, eq=False)
class Logistic:
    """A fitted logistic regression.

    Attributes
    ----------
    coef : array, shape (p + 1,)
        The intercept first.
    variance : array, shape (p + 1, p + 1)
        Inverse of the information.
    loglik : float
    fitted : array, shape (n,)
        Probability of a 1.
    iterations : int
        As R counts them.
    moved : array, shape (p,)
        How far each column would carry the linear predictor in one further step; all but 0 if the fit is finite.
    """

    coef: np.ndarray
    variance: np.ndarray
    loglik: float
    fitted: np.ndarray
    iterations: int
    moved: np.ndarray

    @property
    def separated(self) -> bool:
        """True if some coefficient has no finite value."""
        return bool(self.moved.max(initial=0.0) > STILL_MOVING)


def logistic(x: np.ndarray, y: np.ndarray) -> Logistic:
    """Logistic regression of y on the columns of x and an intercept.

    Parameters
    ----------
    x : array, shape (n, p)
        Of full rank together with an intercept, none missing.
    y : array of bool or of 0 and 1, shape (n,)

    Returns
    -------
    Logistic
        Iteratively reweighted least squares from R's start to R's stop, so that the last digits are R's too.

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, 2nd ed, section 2.5. R: ``glm(y ~ x, family = binomial)``.
    """
    z = np.column_stack((np.ones(len(x)), x))
    y = np.asarray(y, dtype=float)
    eta = _logit((y + 0.5) / 2)
    mu, slope = _inverse(eta)
    before, steps = _deviance(y, mu), 0
    coef, _ = _step(z, y, eta, mu, slope)
    while steps < R_STEPS:
        steps += 1
        eta = z @ coef
        mu, slope = _inverse(eta)
        after = _deviance(y, mu)
        further, triangle = _step(z, y, eta, mu, slope)
        if abs(after - before) / (abs(after) + 0.1) < R_EPSILON:
            break
        before, coef = after, further
    moved = np.abs(further - coef)
    if after < NO_DEVIANCE:
        # Everything is told exactly, and probabilities held off 0 and 1 no longer move.
        moved = np.abs(coef)
    inverse = solve_triangular(triangle, np.eye(len(coef)))
    return Logistic(
        coef=coef,
        variance=inverse @ inverse.T,
        loglik=-after / 2,
        fitted=mu,
        iterations=steps,
        moved=moved[1:] * x.std(axis=0),
    )


def _logit(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


def _inverse(eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and their slope, held off 0 and 1 as in R."""
    odds = np.exp(np.clip(eta, -FAR, FAR))
    odds = np.where(eta < -FAR, EPS, np.where(eta > FAR, 1 / EPS, odds))
    slope = np.where(np.abs(eta) > FAR, EPS, odds / (1 + odds) ** 2)
    return odds / (1 + odds), slope


def _deviance(y: np.ndarray, mu: np.ndarray) -> float:
    return float(-2 * (xlogy(y, mu) + xlogy(1 - y, 1 - mu)).sum())


def _step(
    z: np.ndarray, y: np.ndarray, eta: np.ndarray, mu: np.ndarray, slope: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted least squares by QR: coefficients, and the triangle whose square is the information."""
    root = np.sqrt(slope**2 / (mu * (1 - mu)))
    q, r = np.linalg.qr(z * root[:, None])
    return solve_triangular(r, q.T @ (root * (eta + (y - mu) / slope))), r


@dataclass(frozen=True, eq=False)
class Multinomial:
    """A fitted multinomial logistic regression.

    Attributes
    ----------
    coef : array, shape (k - 1, p + 1)
        Log odds of each further class against the first, the intercept first.
    loglik : float
    fitted : array, shape (n, k)
        Probability of each class.
    moved : array, shape (p,)
        As in `Logistic`.
    """

    coef: np.ndarray
    loglik: float
    fitted: np.ndarray
    moved: np.ndarray

    @property
    def separated(self) -> bool:
        """True if some coefficient has no finite value."""
        return bool(self.moved.max(initial=0.0) > STILL_MOVING)


def multinomial(x: np.ndarray, codes: np.ndarray, k: int) -> Multinomial:
    """Multinomial logistic regression of a class on the columns of x and an intercept.

    Parameters
    ----------
    x : array, shape (n, p)
        Of full rank together with an intercept.
    codes : int array, shape (n,)
        Class of each row, 0 to k - 1; each has rows.
    k : int
        Classes, at least 2.

    Returns
    -------
    Multinomial
        By Newton's method, until a step no longer changes the likelihood.

    References
    ----------
    Agresti (2013), Categorical Data Analysis, 3rd ed, section 8.1. R: ``nnet::multinom``, ``VGAM::vglm(multinomial)``.
    """
    scale = np.maximum(x.std(axis=0), 1e-300)
    centre = x.mean(axis=0)
    z = np.column_stack((np.ones(len(x)), (x - centre) / scale))
    q = z.shape[1]
    marks = (codes[:, None] == np.arange(1, k)).astype(float)
    coef = np.zeros((k - 1, q))
    value, p = _classes(z, coef, codes)
    move = np.zeros_like(coef)
    for _ in range(4 * R_STEPS):
        move = _newton(z, marks, p)
        coef, value_next, p = _half_until_better(z, codes, coef, move, value)
        if value_next - value < 1e-14 * abs(value):
            value = value_next
            break
        value = value_next
    move = _newton(z, marks, p)
    coef = coef.copy()
    coef[:, 1:] /= scale
    coef[:, 0] -= coef[:, 1:] @ centre
    return Multinomial(coef, value, p, np.abs(move[:, 1:]).max(axis=0, initial=0.0))


def _classes(z: np.ndarray, coef: np.ndarray, codes: np.ndarray) -> tuple[float, np.ndarray]:
    eta = np.column_stack((np.zeros(len(z)), z @ coef.T))
    eta -= eta.max(axis=1, keepdims=True)
    odds = np.exp(eta)
    total = odds.sum(axis=1)
    return float((eta[np.arange(len(z)), codes] - np.log(total)).sum()), odds / total[:, None]


def _newton(z: np.ndarray, marks: np.ndarray, p: np.ndarray) -> np.ndarray:
    classes, q = marks.shape[1], z.shape[1]
    gradient = ((marks - p[:, 1:]).T @ z).ravel()
    information = np.empty((classes * q, classes * q))
    for a in range(classes):
        for b in range(a, classes):
            weight = p[:, a + 1] * ((a == b) - p[:, b + 1])
            block = z.T @ (z * weight[:, None])
            information[a * q : (a + 1) * q, b * q : (b + 1) * q] = block
            information[b * q : (b + 1) * q, a * q : (a + 1) * q] = block.T
    return np.linalg.lstsq(information, gradient, rcond=1e-15)[0].reshape(classes, q)


def _half_until_better(
    z: np.ndarray, codes: np.ndarray, coef: np.ndarray, move: np.ndarray, value: float
) -> tuple[np.ndarray, float, np.ndarray]:
    """The step, halved while it lowers the likelihood."""
    for _ in range(R_STEPS):
        trial, p = _classes(z, coef + move, codes)
        if trial >= value - 1e-12 * abs(value):
            break
        move = move / 2
    return coef + move, trial, p
