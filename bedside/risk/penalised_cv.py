"""Which strength of the penalty predicts best: cross-validated partial-likelihood deviance along a path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bedside.errors import Fixable
from bedside.risk.penalised_cyclic import glmnet_path
from bedside.risk.penalised_path import Curve, Path, Problem, solve_path, spread

Told = Callable[[float], None]


def cross_validate(
    problem: Problem, path: Path, fold: np.ndarray, *, tell: Told | None = None, threshold: float | None = None
) -> Curve:
    """Deviance of held-out patients for each lambda of a path.

    A fold's share is the deviance of all patients less that of the patients it was fitted on, both at the
    coefficients that were fitted without it, so that its patients are judged within full risk sets; it is divided
    by the events held out, and the mean weighs each fold by them.

    Parameters
    ----------
    problem : Problem
        That the path was solved for.
    path : Path
    fold : array of int, shape (n,)
        Fold of each row of the table, from 0. Folds without events are left out of the mean.
    tell : callable, optional
        Called with the share done.
    threshold : float, optional
        Stop where glmnet would with this ``thresh``, to compare numbers with it.

    Returns
    -------
    Curve
        Its standard error is that of a weighted mean over the folds: the root of the weighted variance over their
        number less 1.

    Raises
    ------
    Fixable
        If fewer than two folds have events.

    References
    ----------
    Verweij & Van Houwelingen (1993), Stat Med 12:2305-2314. Simon et al. (2011), J Stat Softw 39(5).
    R: ``cv.glmnet(..., family = "cox", foldid = fold + 1, grouped = TRUE)``.
    """
    like = problem.likelihood
    held = np.asarray(fold)[like.order]
    count = int(held.max()) + 1
    share = np.full((count, len(path.lambdas)), np.nan)
    events = np.array([like.deaths[held == k].sum() for k in range(count)])
    if (events > 0).sum() < 2:
        raise Fixable(
            "The penalty can't be chosen by cross-validation.",
            "Fewer than two of the folds have an event.",
            "Spread the events over the folds, or give the penalty yourself.",
        )
    for k in range(count):
        part = None if tell is None else _part(tell, k, count)
        if events[k] > 0 and events[k] < events.sum():
            share[k] = _held_out(problem, path, held == k, part, threshold) / events[k]
    good = np.isfinite(share).all(axis=1)
    weight = events[good] / events[good].sum()
    mean = weight @ share[good]
    se = np.sqrt(weight @ (share[good] - mean) ** 2 / max(int(good.sum()) - 1, 1))
    best = int(np.argmin(mean))
    near = int(np.flatnonzero(mean <= mean[best] + se[best])[0])
    return Curve(path.lambdas, mean, se, float(path.lambdas[best]), float(path.lambdas[near]), int(good.sum()))


def _part(tell: Told, k: int, of: int) -> Told:
    """A fold's progress as a part of the whole."""

    def told(share: float) -> None:
        tell((k + share) / of)

    return told


def _held_out(problem: Problem, path: Path, out: np.ndarray, tell: Told | None, threshold: float | None) -> np.ndarray:
    """Deviance of all rows less that of the rows kept, at the coefficients of the rows kept, shape (k,)."""
    like = problem.likelihood
    known = like.keeping(~out)
    scale, usable = spread(problem.x, known.weight)
    scale = scale if problem.standardised else problem.scale
    inner = replace(problem, scale=scale, usable=usable, likelihood=known)
    try:
        if threshold is None:
            coef = solve_path(inner, path.alpha, lambdas=path.lambdas, tell=tell).coef
        else:
            coef = glmnet_path(inner, path, own=True, threshold=threshold)
    except Fixable:
        coef = np.zeros((1, problem.x.shape[1]))
    used = np.flatnonzero((coef != 0).any(axis=0))
    eta = problem.offset[:, None] + problem.x[:, used] @ coef[:, used].T
    # As glmnet's deviances: weights that sum to the number of rows.
    left = like.scaled(len(out)).deviances(eta) - known.scaled(int((~out).sum())).deviances(eta)
    return np.concatenate((left, np.full(len(path.lambdas) - len(left), left[-1])))
