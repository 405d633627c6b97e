"""Chained equations: each incomplete column drawn anew from all the others, again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

DONORS = 5
"""A missing number takes the value of one of so many patients with the nearest prediction."""
MOST_LEVELS = 8
"""A column of more levels is matched like a number: a multinomial model of it would have too many coefficients."""
RIDGE = 1e-5
PRIOR = 0.5
"""Precision of the coefficients of a level's model: keeps them finite where a level is separated."""
MOST_STEPS = 12
STEP_ENOUGH = 1e-4
BRACKET = DONORS


@dataclass(frozen=True, eq=False)
class Series:
    """One column of the imputation.

    Attributes
    ----------
    name : str
    values : array, shape (n,)
        Numbers, NaN where missing; or positions among the levels, -1 where missing.
    levels : int
        How many levels; 0 for numbers.
    reading : callable or None
        How others see the numbers, for instance their logarithm.
    """

    name: str
    values: np.ndarray
    levels: int = 0
    reading: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def missing(self) -> np.ndarray:
        """Which are to be imputed, shape (n,)."""
        return self.values < 0 if self.levels else np.isnan(self.values)

    def columns(self) -> np.ndarray:
        """The column as predictors of others, once complete, shape (n, k): of many levels the commonest."""
        if not self.levels:
            return self.seen()[:, None]
        shown = np.arange(1, self.levels)
        if self.levels > MOST_LEVELS:
            shown = np.argsort(-np.bincount(self.values.astype(int), minlength=self.levels))[:MOST_LEVELS]
        return (self.values[:, None] == shown).astype(float)

    def seen(self) -> np.ndarray:
        """The numbers as others see them."""
        return self.values if self.reading is None else self.reading(self.values)


def chain(
    series: Sequence[Series], always: np.ndarray, *, iterations: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """One completed copy of every incomplete column.

    Parameters
    ----------
    series : sequence of Series
    always : array, shape (n, k)
        Predictors without missing values: the event and the cumulative hazard.
    iterations : int
        Rounds through all incomplete columns.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to array, shape (n,)

    References
    ----------
    Van Buuren & Groothuis-Oudshoorn (2011), J Stat Softw 45(3). White & Royston (2009), Stat Med 28:1982-1998.
    """
    gaps = {s.name: s.missing for s in series if s.missing.any()}
    current = {s.name: _begun(s, rng) for s in series}
    first = {s.name: s for s in series}
    order = sorted(gaps, key=lambda name: int(gaps[name].sum()))
    warm: dict[str, np.ndarray] = {}
    parts = {name: _standard(s.columns()) for name, s in current.items()}
    fixed = _standard(always)
    for _ in range(iterations):
        for name in order:
            others = [parts[other] for other in parts if other != name]
            x = np.column_stack([np.ones(len(always)), fixed, *others])
            drawn = _draw(first[name], gaps[name], x, warm, rng)
            values = current[name].values.copy()
            values[gaps[name]] = drawn
            current[name] = replace(current[name], values=values)
            parts[name] = _standard(current[name].columns())
    return {name: current[name].values for name in order}


def _begun(series: Series, rng: np.random.Generator) -> Series:
    """Gaps filled with values drawn from those that are known."""
    gap = series.missing
    if not gap.any():
        return series
    values = series.values.copy()
    values[gap] = rng.choice(values[~gap], int(gap.sum()))
    return replace(series, values=values)


def _standard(columns: np.ndarray) -> np.ndarray:
    spread = columns.std(axis=0)
    kept = spread > 1e-12
    return (columns[:, kept] - columns[:, kept].mean(axis=0)) / spread[kept]


def _draw(
    series: Series, gap: np.ndarray, x: np.ndarray, warm: dict[str, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    known, wanted = x[~gap], x[gap]
    if not series.levels:
        return series.values[~gap][_matched(series.seen()[~gap], known, wanted, rng)]
    codes = series.values[~gap].astype(int)
    present = np.unique(codes)
    if len(present) > MOST_LEVELS:
        return codes[_matched(_scores(codes, known), known, wanted, rng)]
    if len(present) == 1:
        return np.full(len(wanted), present[0])
    place = np.searchsorted(present, codes)
    coef = _multinomial(place, len(present), known, warm.get(series.name), rng)
    warm[series.name] = coef[0]
    chance = _chances(wanted, coef[1])
    return present[(rng.random(len(wanted))[:, None] > np.cumsum(chance, axis=1)[:, :-1]).sum(axis=1)]


def _matched(y: np.ndarray, known: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Predictive mean matching: positions among the known of each donor, shape (n_missing,).

    The known are predicted with the estimated coefficients and the missing with drawn ones (type 1 matching).
    """
    products = known.T @ known
    products[np.diag_indices_from(products)] *= 1 + RIDGE
    inverse = np.linalg.pinv(products, hermitian=True)
    estimate = inverse @ (known.T @ y)
    left = y - known @ estimate
    freedom = max(len(y) - known.shape[1], 1)
    sigma = np.sqrt(float(left @ left) / rng.chisquare(freedom))
    drawn = estimate + sigma * (_root(inverse) @ rng.standard_normal(len(estimate)))
    return _nearest(known @ estimate, wanted @ drawn, rng)


def _root(matrix: np.ndarray) -> np.ndarray:
    values, axes = np.linalg.eigh((matrix + matrix.T) / 2)
    return axes * np.sqrt(np.maximum(values, 0.0))


def _nearest(of_known: np.ndarray, of_wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the nearest predictions for each, ties in no particular order."""
    shuffled = rng.permutation(len(of_known))
    order = shuffled[np.argsort(of_known[shuffled], kind="stable")]
    lined_up = of_known[order]
    count = min(DONORS, len(order))
    around = np.searchsorted(lined_up, of_wanted)[:, None] + np.arange(-BRACKET, BRACKET)
    valid = (around >= 0) & (around < len(order))
    distance = np.where(valid, np.abs(lined_up[np.clip(around, 0, len(order) - 1)] - of_wanted[:, None]), np.inf)
    closest = np.argpartition(distance, count - 1, axis=1)[:, :count]
    pick = closest[np.arange(len(of_wanted)), rng.integers(0, count, len(of_wanted))]
    return order[around[np.arange(len(of_wanted)), pick]]


def _scores(codes: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Levels as numbers, so that the first canonical variable of the predictors tells them apart best."""
    distinct, place = np.unique(codes, return_inverse=True)
    member = (place[:, None] == np.arange(len(distinct))).astype(float)
    share = member.mean(axis=0)
    predicted = x @ np.linalg.lstsq(x, member - share, rcond=None)[0]
    weighed = predicted / np.sqrt(share)
    axis = np.linalg.eigh(weighed.T @ weighed)[1][:, -1]
    return (axis / np.sqrt(share))[place]


def _chances(x: np.ndarray, coef: np.ndarray) -> np.ndarray:
    """Probability of each level, the first being the reference, shape (n, n_levels)."""
    eta = np.column_stack([np.zeros(len(x)), x @ coef.T])
    return np.exp(eta - logsumexp(eta, axis=1, keepdims=True))


def _multinomial(
    place: np.ndarray, levels: int, x: np.ndarray, start: np.ndarray | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of a multinomial logistic model and a draw from their posterior, each (n_levels - 1, p)."""
    q, count = x.shape[1], levels - 1
    coef = start if start is not None and start.shape == (count, q) else np.zeros((count, q))
    hit = (place[:, None] == np.arange(1, levels)).astype(float)
    prior = np.tile(np.r_[1e-8, np.full(q - 1, PRIOR)], count)
    information = np.eye(count * q)
    for _ in range(MOST_STEPS):
        chance = _chances(x, coef)[:, 1:]
        gradient = ((hit - chance).T @ x).ravel() - prior * coef.ravel()
        information = np.diag(prior)
        for a in range(count):
            for b in range(a, count):
                weight = chance[:, a] * ((a == b) - chance[:, b])
                block = x.T @ (weight[:, None] * x)
                information[a * q : (a + 1) * q, b * q : (b + 1) * q] += block
                if a != b:
                    information[b * q : (b + 1) * q, a * q : (a + 1) * q] += block
        step = np.linalg.solve(information, gradient)
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        coef = coef + step.reshape(count, q)
        if np.abs(step).max() < STEP_ENOUGH:
            break
    drawn = coef.ravel() + _root(np.linalg.pinv(information, hermitian=True)) @ rng.standard_normal(count * q)
    return coef, drawn.reshape(count, q)
