"""Shapley values of a Cox model's absolute risk, on arrays alone.

The game: players are a patient's p values, a coalition S keeps the patient's own values for the players
in S and takes those of a background patient for the others, and what the coalition earns is the risk
1 - exp(-H(t) exp(lp)), averaged over the background (the interventional, or marginal, expectation). The
linear predictor is additive over players, so it is enumerated over coalitions once and every time is read
from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import factorial

import numpy as np

EXACT_UP_TO = 14
"""Players up to which every coalition is enumerated (16,384 of them)."""

TARGET_ERROR = 0.0008
"""Largest standard error, as a share of 1, at which sampling stops: it keeps the stated .001 with room."""

_HIGHEST_LP = 700.0  # exp(709.8) overflows; at 700 the risk is 1 for every positive hazard a float can hold
_CHUNK = 1 << 16  # numbers worked on at once: half a megabyte stays in the processor's cache


@dataclass(frozen=True)
class Sampled:
    """Sampled Shapley values with their error.

    Attributes
    ----------
    base : ndarray, shape (n_times,)
        Mean risk of the background.
    points : ndarray, shape (n_times, n_players)
        Contributions, as shares of 1.
    error : ndarray, shape (n_times, n_players)
        Sampling standard error of each contribution, as a share of 1.
    pairs : int
        Permutation pairs drawn.
    """

    base: np.ndarray
    points: np.ndarray
    error: np.ndarray
    pairs: int


def shapley_cox(
    terms: np.ndarray, background: np.ndarray, cumulative_hazard: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Exact Shapley values of 1 - S(t|x) for one patient of a Cox model, at all times at once.

    Parameters
    ----------
    terms : array, shape (n_players,)
        The patient's share of the linear predictor (log hazard) from each player.
    background : array, shape (n_background, n_players)
        The same for the background patients.
    cumulative_hazard : array, shape (n_times,)
        Cumulative baseline hazard at each time, for a linear predictor of 0; >= 0.

    Returns
    -------
    base : ndarray, shape (n_times,)
        Mean risk of the background, 0 to 1.
    points : ndarray, shape (n_times, n_players)
        Contributions as shares of 1 (.17 is 17 percentage points). They add up to the patient's risk
        minus `base`, to rounding error.

    Notes
    -----
    Costs 2**n_players x n_background x n_times exponentials: use `shapley_cox_sampled` above 14 players.

    References
    ----------
    Shapley (1953), Contributions to the Theory of Games 2:307-317. Lundberg & Lee (2017), NeurIPS 30.
    Krzyzinski et al. (2023), Knowledge-Based Systems 262:110234 (the same game on S(t|x)).
    R: written out by hand from ``expand.grid`` over coalitions and ``basehaz(coxph(...))``.
    """
    value = coalition_risks(np.asarray(terms, float), np.asarray(background, float), _hazards(cumulative_hazard))
    return value[:, 0].copy(), value @ coalition_weights(len(terms)).T


def shapley_cox_sampled(
    terms: np.ndarray,
    background: np.ndarray,
    cumulative_hazard: np.ndarray,
    *,
    seed: int = 0,
    target: float = TARGET_ERROR,
    batch: int = 64,
    most_pairs: int = 8192,
) -> Sampled:
    """Shapley values from antithetic pairs of random player orders, for more than 14 players.

    Each order lets the players join one after the other and notes what each adds, so the contributions of
    every single order already add up to the risk minus the base. Each order is used together with its
    reverse, which cancels most of the error that comes from who joins early. Pairs are drawn in batches
    until the largest standard error over players and times is at most `target`.

    Parameters
    ----------
    terms, background, cumulative_hazard : arrays
        As in `shapley_cox`.
    seed : int
        Seed of the orders: the same seed gives the same values.
    target : float
        Largest standard error to stop at, as a share of 1.
    batch : int
        Pairs drawn between two looks at the error; at least 2.
    most_pairs : int
        Pairs after which drawing stops whatever the error is; the error returned is then the one reached.

    References
    ----------
    Castro, Gomez & Tejada (2009), Computers & Operations Research 36:1726-1730. Mitchell, Cooper, Frank &
    Holmes (2022), JMLR 23(43):1-46 (antithetic permutations).
    """
    x, rows, hazard = np.asarray(terms, float), np.asarray(background, float), _hazards(cumulative_hazard)
    rng = np.random.default_rng(seed)
    total = np.zeros((len(hazard), len(x)))
    squares = np.zeros_like(total)
    base = np.zeros(len(hazard))
    pairs, error = 0, np.full_like(total, np.inf)
    while pairs < most_pairs and (pairs == 0 or error.max(initial=0.0) > target):
        base, gained = _order_gains(x, rows, hazard, rng.permuted(np.tile(np.arange(len(x)), (batch, 1)), axis=1))
        total += gained.sum(axis=1)
        squares += (gained**2).sum(axis=1)
        pairs += batch
        spread = np.maximum(squares - total**2 / pairs, 0.0) / (pairs - 1)
        error = np.sqrt(spread / pairs)
    return Sampled(base=base, points=total / pairs, error=error, pairs=pairs)


def _hazards(cumulative_hazard: np.ndarray) -> np.ndarray:
    return np.atleast_1d(np.asarray(cumulative_hazard, float))


def coalition_risks(terms: np.ndarray, background: np.ndarray, hazard: np.ndarray) -> np.ndarray:
    """Mean risk of every coalition, shape (n_times, 2**n_players); bit j of the column says "player j is in"."""
    size = 1 << len(terms)
    rows = max(1, _CHUNK // size)
    survived = np.zeros((len(hazard), size))
    for start in range(0, len(background), rows):
        chunk = background[start : start + rows]
        relative = np.empty((len(chunk), size))
        relative[:, 0] = chunk.sum(axis=1)
        for j, gap in enumerate((terms - chunk).T):
            np.add(relative[:, : 1 << j], gap[:, None], out=relative[:, 1 << j : 2 << j])
        _exp(relative)
        for i, h in enumerate(hazard):
            survived[i] += np.exp(relative * -h).sum(axis=0)
    return 1.0 - survived / len(background)


def _order_gains(
    terms: np.ndarray, background: np.ndarray, hazard: np.ndarray, orders: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Base (n_times,) and mean gain of each order and its reverse, shape (n_times, n_orders, n_players)."""
    k, p = orders.shape
    both = np.concatenate([orders, orders[:, ::-1]])
    seat = np.argsort(both, axis=1)
    survived = np.zeros((len(hazard), 2 * k, p + 1))
    rows = max(1, _CHUNK // (2 * k * (p + 1)))
    for start in range(0, len(background), rows):
        chunk = background[start : start + rows]
        relative = np.empty((len(chunk), 2 * k, p + 1))
        relative[:, :, 0] = chunk.sum(axis=1)[:, None]
        np.cumsum((terms - chunk)[:, both], axis=2, out=relative[:, :, 1:])
        relative[:, :, 1:] += relative[:, :, :1]
        _exp(relative)
        for i, h in enumerate(hazard):
            survived[i] += np.exp(relative * -h).sum(axis=0)
    value = 1.0 - survived / len(background)
    gained = np.take_along_axis(np.diff(value, axis=2), np.broadcast_to(seat, (len(hazard), 2 * k, p)), axis=2)
    return value[:, 0, 0].copy(), (gained[:, :k] + gained[:, k:]) / 2


def _exp(values: np.ndarray) -> None:
    """Exponentials in place; a value far outside the data gives a hazard ratio too large for a float."""
    np.exp(np.minimum(values, _HIGHEST_LP, out=values), out=values)


@lru_cache(maxsize=32)
def coalition_weights(players: int) -> np.ndarray:
    """Weight of each coalition's value in each player's contribution, shape (n_players, 2**n_players)."""
    coalition = np.arange(1 << players)
    size = np.bitwise_count(coalition).astype(int)
    share = np.array([factorial(s) * factorial(players - s - 1) / factorial(players) for s in range(players)] + [0.0])
    member = (coalition >> np.arange(players)[:, None]) & 1 == 1
    weights = np.where(member, np.take(share, size - 1), -share[size])
    weights.flags.writeable = False
    return weights
