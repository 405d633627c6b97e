"""Cox regression as R's ``coxph`` fits it, and a reason in words where it can't be fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.errors import Fixable
from bedside.regression.data import CoxData
from bedside.regression.exact import ExactPartial, exact_partial
from bedside.regression.likelihood import Partial, partial
from bedside.regression.model import Aliased, AnyTies, CoxFit, Ridge, chi_test
from bedside.regression.newton import R_STEPS, Maximum, maximise, redundant_columns, solve
from bedside.regression.trouble import check, refuse_few, refuse_infinite, refuse_nothing_left, separated

NOT_CENTRED = (-1.0, 0.0, 1.0)
"""A column with these values alone keeps a mean of 0: R's ``nocenter``."""


def fit_cox(
    data: CoxData,
    *,
    ties: AnyTies = "efron",
    robust: bool | None = None,
    ridge: Ridge | None = None,
    start: np.ndarray | None = None,
    steps: int = R_STEPS,
    exact_times: bool = False,
) -> CoxFit:
    """A Cox model by maximum partial likelihood.

    Parameters
    ----------
    data : CoxData
        With `entry` it is a counting process: left truncation, time-varying covariates, recurrent events.
    ties : {"efron", "breslow", "exact"}
        The exact treatment takes time with many ties, and has no weights, entries or robust variance.
    robust : bool, optional
        Whether the variance is the sandwich, summed within clusters. Default as in R: with clusters, or with case
        weights that are not whole numbers.
    ridge : Ridge, optional
        A penalty on the coefficients; then neither separation nor few events stop the fit.
    start : array, shape (p,), optional
        Where Newton's method starts; 0 if not given.
    steps : int, default 20
        Most Newton steps before it is asked whether there is a finite maximum at all.
    exact_times : bool, default False
        Times that differ by rounding noise alone count as different.

    Returns
    -------
    CoxFit
        Columns that others determine are left out and named in `aliased`.

    Raises
    ------
    Fixable
        No event, fewer events than columns, weights of 0 or less, an entry at or after the end, no column that
        differs among those at risk, or separation: a coefficient without a finite value, named with its level.

    References
    ----------
    Cox (1972), JRSS B 34:187-220. Efron (1977), JASA 72:557-565. Lin & Wei (1989), JASA 84:1074-1078 (sandwich).
    R: ``coxph(Surv(entry, time, event) ~ ..., ties = , robust = , cluster = , weights = )``.
    """
    check(data)
    found = _columns(data, ties, exact_times=exact_times, keep_all=_holds_all(data, ridge))
    kept = data if not found.aliased else data.with_columns(found.kept)
    if not found.kept:
        refuse_nothing_left(data)
    penalty = None if ridge is None else _penalty(kept, ridge, found)
    if penalty is None:
        _refuse_hopeless(kept)
    begin = None if start is None else start[found.kept] * found.scale
    best = maximise(found.likelihood, penalty=penalty, start=begin, steps=steps)
    if best.runaway is not None:
        refuse_infinite(kept, best.runaway)
    return _finished(kept, ties, found, best, penalty, ridge, _is_robust(data, robust, ties))


def _holds_all(data: CoxData, ridge: Ridge | None) -> bool:
    return ridge is not None and (ridge.columns is None or set(range(data.x.shape[1])) <= set(ridge.columns))


def _refuse_hopeless(data: CoxData) -> None:
    """Stop before the first step where it is plain that there is no finite maximum."""
    if data.n_events < data.x.shape[1]:
        refuse_few(data)
    direction = separated(data)
    if direction is not None:
        refuse_infinite(data, direction)


@dataclass(frozen=True, eq=False)
class _Columns:
    """Columns that have a coefficient, centred and of similar size."""

    likelihood: Partial | ExactPartial
    kept: list[int]
    scale: np.ndarray
    aliased: tuple[Aliased, ...]


def _likelihood(data: CoxData, x: np.ndarray, ties: AnyTies, *, exact_times: bool) -> Partial | ExactPartial:
    return exact_partial(data, x) if ties == "exact" else partial(data, x, ties, exact_times=exact_times)


def _columns(data: CoxData, ties: AnyTies, *, exact_times: bool, keep_all: bool) -> _Columns:
    x = data.x - data.x.mean(axis=0)
    scale = np.abs(x).mean(axis=0)
    scale[scale == 0] = 1.0
    likelihood = _likelihood(data, x / scale, ties, exact_times=exact_times)
    # A ridge shares an effect among columns that say the same; without one they have no coefficients.
    gone = [] if keep_all else redundant_columns(likelihood.derivatives(np.zeros(x.shape[1]))[2])
    kept = [j for j in range(x.shape[1]) if j not in gone]
    if not gone:
        return _Columns(likelihood, kept, scale, ())
    likelihood = _likelihood(data, (x / scale)[:, kept], ties, exact_times=exact_times)
    return _Columns(likelihood, kept, scale[kept], tuple(_made_of(data, x / scale, j, kept) for j in gone))


def _made_of(data: CoxData, z: np.ndarray, column: int, kept: list[int]) -> Aliased:
    """Which kept columns a column without information can be worked out from."""
    before = [j for j in kept if j < column]
    share = np.linalg.lstsq(z[:, before], z[:, column], rcond=None)[0] if before else np.zeros(0)
    strong = [j for j, part in zip(before, share, strict=True) if abs(part) > 1e-6]
    return Aliased(data.names[column], tuple(data.names[j] for j in strong))


def _penalty(data: CoxData, ridge: Ridge, found: _Columns) -> np.ndarray:
    """The penalty on each kept column, in the units that Newton's method works in."""
    p = len(found.kept)
    chosen = found.kept if ridge.columns is None else [j for j in ridge.columns if j in found.kept]
    variances = np.ones(len(chosen))
    if ridge.scale and ridge.variances is not None:
        known = dict(zip(ridge.columns or range(len(ridge.variances)), ridge.variances, strict=True))
        variances = np.array([known[j] for j in chosen])
    elif ridge.scale:
        variances = data.x[:, [found.kept.index(j) for j in chosen]].var(axis=0, ddof=1)
    penalty = np.zeros(p)
    penalty[[found.kept.index(j) for j in chosen]] = ridge.theta * variances
    return penalty / found.scale**2


def _is_robust(data: CoxData, robust: bool | None, ties: AnyTies) -> bool:
    if ties == "exact" and (robust or (robust is None and data.cluster is not None)):
        raise Fixable(
            "No robust intervals with exact ties.",
            "The exact treatment of ties has no score of its own for each patient.",
            "Use Efron's treatment of ties, or leave the clusters out.",
        )
    if robust is not None:
        return robust
    fractions = data.weights is not None and bool((data.weights != np.floor(data.weights)).any())
    return data.cluster is not None or fractions


def column_means(data: CoxData, ridge: Ridge | None = None) -> np.ndarray:
    """R's ``fit$means``: weighted unless there are entries or a penalty, 0 for columns of -1, 0 and 1."""
    weights = data.weights if data.entry is None and ridge is None else None
    means = np.average(data.x, axis=0, weights=weights)
    return np.where(np.isin(data.x, NOT_CENTRED).all(axis=0), 0.0, means)


def linear_predictor(x: np.ndarray, coef: np.ndarray, offset: np.ndarray | float = 0.0) -> np.ndarray:
    """x·coef + offset, column by column, so that rows with the same covariates have the very same value."""
    found = np.zeros(len(x))
    for j, beta in enumerate(coef):
        found += x[:, j] * beta
    return found + offset


def clustered(values: np.ndarray, cluster: np.ndarray | None) -> np.ndarray:
    """Rows summed within clusters, shape (n_clusters, ...)."""
    if cluster is None:
        return values
    codes = np.unique(cluster, return_inverse=True)[1]
    total = np.zeros((int(codes.max()) + 1, *values.shape[1:]))
    np.add.at(total, codes, values)
    return total


def _finished(
    data: CoxData,
    ties: AnyTies,
    found: _Columns,
    best: Maximum,
    penalty: np.ndarray | None,
    ridge: Ridge | None,
    robust: bool,
) -> CoxFit:
    p = len(best.beta)
    held = np.zeros(p) if penalty is None else penalty
    inverse = solve(best.information + np.diag(held), np.eye(p))
    inverse = (inverse + inverse.T) / 2
    units = np.outer(found.scale, found.scale)
    naive, coef = inverse / units, best.beta / found.scale
    means = column_means(data, ridge)
    offset = 0.0 if data.offset is None else data.offset - data.offset.mean()
    linear = linear_predictor(data.x, coef, offset) - float(coef @ means)
    variance, robust_score = naive, None
    if robust:
        weights = 1.0 if data.weights is None else data.weights[:, None]
        moved = clustered(weights * found.likelihood.scores(linear) @ inverse, data.cluster)
        variance = moved.T @ moved / units
        pulls = clustered(weights * found.likelihood.scores(np.zeros(len(data))), data.cluster)
        total = pulls.sum(axis=0)
        robust_score = chi_test(float(total @ solve(pulls.T @ pulls, total)), p)
    df = p if penalty is None else float(np.trace(inverse @ best.information))
    wald = float(coef @ solve(variance, coef))
    return CoxFit(
        data=data,
        ties=ties,
        coef=coef,
        variance=variance,
        naive_variance=naive,
        robust=robust,
        loglik_null=best.value_null,
        loglik=best.value,
        iterations=best.iterations,
        means=means,
        linear_predictor=linear,
        lr_test=chi_test(2 * (best.value - best.value_null), df),
        wald_test=chi_test(wald, df),
        score_test=chi_test(best.score_test, df),
        robust_score_test=robust_score,
        ridge=ridge,
        variance2=None if penalty is None else inverse @ best.information @ inverse / units,
        penalty=0.5 * float(held @ best.beta**2),
        df=df,
        aliased=found.aliased,
    )
