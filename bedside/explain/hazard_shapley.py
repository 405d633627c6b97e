"""Shapley values of risks that come from log hazards: one hazard or several, added up from terms or from trees.

Every coalition of variables has a log hazard for each cause, worked out once for all times. Where they are sums of
terms, so are the coalitions'. A tree's leaf counts for a coalition that holds all variables only the patient satisfies
on the way to it and none that only the background patient does; written as a signed sum over sets that a coalition must
hold, all leaves of all trees go into one table of 2**p numbers, which one pass over the variables turns into the log
hazard of every coalition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from bedside.explain.curves import Curve
from bedside.explain.forest_shapley import Leaves, leaves_beside
from bedside.explain.shapley import TARGET_ERROR, coalition_weights
from bedside.risk.forest_arrays import Trees

CELLS = 1 << 18
"""Log hazards worked on at once."""


class LogHazards(Protocol):
    """Log hazards of patients made of a patient's own values and a background patient's.

    Attributes
    ----------
    n_players, n_background : int
    """

    n_players: int
    n_background: int

    def coalitions(self, patient: np.ndarray, rows: slice) -> np.ndarray:
        """Of every coalition, shape (rows, 2**n_players, causes); bit j of the place says "player j is in"."""
        ...

    def orders(self, patient: np.ndarray, orders: np.ndarray, rows: slice) -> np.ndarray:
        """As the players join one after the other, shape (rows, n_orders, n_players + 1, causes)."""
        ...

    def mixed(self, patient: np.ndarray, member: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Of some coalitions (m, n_players), each beside one background patient, shape (m, causes)."""
        ...


@dataclass(frozen=True, eq=False)
class Terms:
    """Log hazards that are sums of a term for each player.

    Attributes
    ----------
    background : array, shape (n_background, n_players, causes)
    """

    background: np.ndarray = field(repr=False)

    @property
    def n_players(self) -> int:
        """Variables."""
        return self.background.shape[1]

    @property
    def n_background(self) -> int:
        """Background patients."""
        return len(self.background)

    def coalitions(self, patient: np.ndarray, rows: slice) -> np.ndarray:
        """See `LogHazards`; `patient` has shape (n_players, causes)."""
        chunk = self.background[rows]
        found = np.empty((len(chunk), 1 << self.n_players, chunk.shape[2]))
        found[:, 0] = chunk.sum(axis=1)
        for j in range(self.n_players):
            gap = (patient[j] - chunk[:, j])[:, None]
            np.add(found[:, : 1 << j], gap, out=found[:, 1 << j : 2 << j])
        return found

    def orders(self, patient: np.ndarray, orders: np.ndarray, rows: slice) -> np.ndarray:
        """See `LogHazards`."""
        chunk = self.background[rows]
        joined = np.cumsum((patient - chunk)[:, orders], axis=2)
        start = chunk.sum(axis=1)[:, None, None]
        return np.concatenate([np.broadcast_to(start, (*joined.shape[:2], 1, chunk.shape[2])), start + joined], axis=2)

    def mixed(self, patient: np.ndarray, member: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """See `LogHazards`."""
        return np.where(member[:, :, None], patient, self.background[rows]).sum(axis=1)


@dataclass(frozen=True, eq=False)
class TreeSums:
    """Log hazards that are sums over trees, one set of trees for each cause.

    Attributes
    ----------
    background : array of float32, shape (n_background, n_players)
        As the trees read them.
    log_hazards : callable
        Those of patients, shape (n, causes).
    trees : tuple of Trees
    leaves : tuple of Leaves
        Their leaves; of the background patients nothing is used.
    own : array, shape (n_background, causes)
        Log hazards of the background patients.
    """

    background: np.ndarray = field(repr=False)
    log_hazards: Callable[[np.ndarray], np.ndarray] = field(repr=False)
    trees: tuple[Trees, ...] = field(repr=False)
    leaves: tuple[Leaves, ...] = field(repr=False)
    own: np.ndarray = field(repr=False)

    @classmethod
    def of(
        cls, background: np.ndarray, trees: Sequence[Trees], log_hazards: Callable[[np.ndarray], np.ndarray]
    ) -> TreeSums:
        """With the ways to the leaves worked out."""
        leaves = tuple(leaves_beside(each, background[:1]) for each in trees)
        return cls(background, log_hazards, tuple(trees), leaves, log_hazards(background))

    @property
    def n_players(self) -> int:
        """Variables."""
        return self.background.shape[1]

    @property
    def n_background(self) -> int:
        """Background patients."""
        return len(self.background)

    def coalitions(self, patient: np.ndarray, rows: slice) -> np.ndarray:
        """See `LogHazards`; `patient` has shape (n_players,)."""
        chunk = self.background[rows]
        base = self.own[rows]
        found = [
            _table(leaves, trees, patient, chunk) + base[:, [k]]
            for k, (leaves, trees) in enumerate(zip(self.leaves, self.trees, strict=True))
        ]
        return np.stack(found, axis=2)

    def orders(self, patient: np.ndarray, orders: np.ndarray, rows: slice) -> np.ndarray:
        """See `LogHazards`."""
        chunk = self.background[rows]
        seat = np.argsort(orders, axis=1)
        joined = seat[:, None, :] < np.arange(self.n_players + 1)[:, None]
        mixed = np.where(joined, patient, chunk[:, None, None, :])
        return self.log_hazards(mixed.reshape(-1, self.n_players)).reshape(*mixed.shape[:3], -1)

    def mixed(self, patient: np.ndarray, member: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """See `LogHazards`."""
        return self.log_hazards(np.where(member, patient, self.background[rows]))


def _table(leaves: Leaves, trees: Trees, patient: np.ndarray, background: np.ndarray) -> np.ndarray:
    """What every coalition adds to the sum of the trees of each background patient, shape (n, 2**n_players)."""
    n, p = background.shape
    table = np.zeros((n, 1 << p))
    if leaves.n_leaves:
        one = np.left_shift(1, leaves.feature)
        met = (patient[leaves.feature] > leaves.low) & (patient[leaves.feature] <= leaves.high)
        values = background[:, leaves.feature]
        theirs = (values > leaves.low) & (values <= leaves.high)
        reached = np.logical_and.reduceat(theirs | met, leaves.first, axis=1)
        only_own = np.add.reduceat(np.where(met & ~theirs, one, 0), leaves.first, axis=1)
        only_theirs = np.add.reduceat(np.where(theirs & ~met, one, 0), leaves.first, axis=1)
        row, leaf = np.nonzero(reached & ((only_own | only_theirs) > 0))
        must, must_not = only_own[row, leaf], only_theirs[row, leaf]
        _signed(table, row, must, must_not, trees.value[leaves.row[leaf], 0].astype(float))
        spread = table.reshape(n, *(2,) * p)
        for j in range(p):
            without = (slice(None),) * (p - j)
            spread[(*without, 1)] += spread[(*without, 0)]
    # The empty coalition is the background patient as it is.
    return table - table[:, :1]


def _signed(
    table: np.ndarray, row: np.ndarray, must: np.ndarray, must_not: np.ndarray, value: np.ndarray
) -> None:  # fmt: skip
    """[no player of B is in] as a signed sum over the subsets of B of [all of them are in], added to the table."""
    flat, width = table.ravel(), table.shape[1]
    while len(row):
        done = must_not == 0
        flat += np.bincount(row[done] * width + must[done], value[done], flat.size)
        row, must, must_not, value = row[~done], must[~done], must_not[~done], value[~done]
        lowest = must_not & -must_not
        rest = must_not ^ lowest
        row, must_not = np.concatenate([row, row]), np.concatenate([rest, rest])
        must, value = np.concatenate([must, must | lowest]), np.concatenate([value, -value])


def exact(game: LogHazards, patient: np.ndarray, risk: Curve, n_times: int) -> np.ndarray:
    """Contributions from every coalition, shape (n_times, n_players)."""
    return table(game, patient, risk, n_times) @ coalition_weights(game.n_players).T


def table(game: LogHazards, patient: np.ndarray, risk: Curve, n_times: int) -> np.ndarray:
    """Worth of every coalition, shape (n_times, 2**n_players)."""
    size = 1 << game.n_players
    step = max(1, CELLS // size)
    total = np.zeros((n_times, size))
    for start in range(0, game.n_background, step):
        rows = slice(start, min(start + step, game.n_background))
        found = game.coalitions(patient, rows)
        total += risk(found.reshape(-1, found.shape[2])).reshape(n_times, -1, size).sum(axis=1)
    return total / game.n_background


def sampled(
    game: LogHazards, patient: np.ndarray, risk: Curve, n_times: int, *, seed: int, most_pairs: int, batch: int = 16,
    target: float = TARGET_ERROR,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Contributions and their standard errors from random orders, each with its reverse, shape (n_times, n_players).

    Orders are drawn in batches until the largest error is at most `target`, or `most_pairs` are used.

    References
    ----------
    Castro, Gomez & Tejada (2009), Comput Oper Res 36:1726-1730. Mitchell et al. (2022), JMLR 23(43):1-46.
    """
    p = game.n_players
    rng = np.random.default_rng(seed)
    total, squares = np.zeros((2, n_times, p))
    pairs, error = 0, np.full((n_times, p), np.inf)
    while pairs < most_pairs and (pairs == 0 or error.max(initial=0.0) > target):
        drawn = rng.permuted(np.tile(np.arange(p), (batch, 1)), axis=1)
        orders = np.concatenate([drawn, drawn[:, ::-1]])
        worth = np.zeros((n_times, 2 * batch, p + 1))
        step = max(1, CELLS // (2 * batch * (p + 1)))
        for start in range(0, game.n_background, step):
            found = game.orders(patient, orders, slice(start, min(start + step, game.n_background)))
            each = risk(found.reshape(-1, found.shape[3])).reshape(n_times, *found.shape[:3])
            worth += each.sum(axis=1)
        seat = np.broadcast_to(np.argsort(orders, axis=1), (n_times, 2 * batch, p))
        gained = np.take_along_axis(np.diff(worth / game.n_background, axis=2), seat, axis=2)
        gained = (gained[:, :batch] + gained[:, batch:]) / 2
        total += gained.sum(axis=1)
        squares += (gained**2).sum(axis=1)
        pairs += batch
        error = np.sqrt(np.maximum(squares - total**2 / pairs, 0.0) / (pairs - 1) / pairs)
    return total / pairs, error
