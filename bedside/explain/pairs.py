"""How two players' contributions depend on each other: the Shapley interaction index of a table or of samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations
from math import factorial

import numpy as np

CELLS = 1 << 22
"""Numbers of drawn sets that are held at once."""
FEWEST = 4
"""Draws of a pair, each with its complement, below which their error would be a guess."""


def of_table(worth: np.ndarray) -> np.ndarray:
    """Interaction index of every pair of players from the worth of every coalition.

    The mean over the coalitions S of the others of v(S+i+j) - v(S+i) - v(S+j) + v(S), all sizes of S alike.

    Parameters
    ----------
    worth : array, shape (t, 2**p)
        Bit j of the place says "player j is in".

    Returns
    -------
    array, shape (t, p, p)
        Symmetric, 0 on the diagonal.

    References
    ----------
    Grabisch & Roubens (1999), Int J Game Theory 28:547-565. Fujimoto, Kojadinovic & Marichal (2006), Games Econ
    Behav 55:72-99.
    """
    t, p = len(worth), worth.shape[1].bit_length() - 1
    out = np.zeros((t, p, p))
    if p < 2:
        return out
    weight = _weights(p)
    for i, j in combinations(range(p), 2):
        v = worth.reshape(t, 1 << (p - 1 - j), 2, 1 << (j - i - 1), 2, 1 << i)
        both = v[:, :, 1, :, 1] - v[:, :, 1, :, 0] - v[:, :, 0, :, 1] + v[:, :, 0, :, 0]
        out[:, i, j] = out[:, j, i] = both.reshape(t, -1) @ weight
    return out


@lru_cache(maxsize=16)
def _weights(p: int) -> np.ndarray:
    """Weight of each coalition of the other players, shape (2**(p - 2),)."""
    size = np.bitwise_count(np.arange(1 << (p - 2))).astype(int)
    share = np.array([factorial(s) * factorial(p - s - 2) / factorial(p - 1) for s in range(p - 1)])
    weight = share[size]
    weight.flags.writeable = False
    return weight


def drawn(
    risk: Callable[[np.ndarray, np.ndarray], np.ndarray], p: int, n_background: int, *, seed: int, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Interaction index of every pair from coalitions drawn at random, and its standard error, shape (t, p, p).

    A size is drawn evenly, then a coalition of that size, each with its complement among the others, beside the
    background patients in turn.

    Parameters
    ----------
    risk : callable
        Members (m, p) and rows of background patients (m,) to risks (t, m).
    p, n_background : int
    seed : int
    draws : int
        For each pair; at least 4.
    """
    first, second = np.triu_indices(p, 1)
    rng = np.random.default_rng(seed)
    draws = max(draws, FEWEST)
    step = max(CELLS // (8 * len(first) * p), 1)
    total = squares = np.zeros(0)
    for start in range(0, draws, step):
        found = _differences(risk, first, second, p, np.arange(start, min(start + step, draws)) % n_background, rng)
        total = total + found.sum(axis=2) if total.size else found.sum(axis=2)
        squares = squares + (found**2).sum(axis=2) if squares.size else (found**2).sum(axis=2)
    spread = np.sqrt(np.maximum(squares - total**2 / draws, 0.0) / (draws - 1) / draws)
    values, errors = np.zeros((2, len(total), p, p))
    for out, each in ((values, total / draws), (errors, spread)):
        out[:, first, second] = out[:, second, first] = each
    return values, errors


def _differences(
    risk: Callable[[np.ndarray, np.ndarray], np.ndarray], first: np.ndarray, second: np.ndarray, p: int,
    rows: np.ndarray, rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Of each pair and draw, the mean over a coalition and its complement, shape (t, n_pairs, n_draws)."""
    pair, m = np.arange(len(first)), len(rows)
    key = rng.random((len(first), m, p))
    key[pair, :, first] = key[pair, :, second] = np.inf
    seat = np.argsort(np.argsort(key, axis=2), axis=2)
    inside = seat < rng.integers(0, p - 1, (len(first), m, 1))
    outside = ~inside
    for each in (inside, outside):
        each[pair, :, first] = each[pair, :, second] = False
    member = np.repeat(np.stack([inside, outside])[None], 4, axis=0)
    for k, lent in enumerate(((), (first,), (second,), (first, second))):
        for players in lent:
            member[k][:, pair, :, players] = True
    beside = np.broadcast_to(rows, member.shape[:-1]).ravel()
    v = risk(member.reshape(-1, p), beside).reshape(-1, 4, 2, len(first), m)
    return (v[:, 3] - v[:, 2] - v[:, 1] + v[:, 0]).mean(axis=1)
