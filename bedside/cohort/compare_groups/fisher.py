"""Fisher's exact p for a table of any size, by meeting in the middle.

The rows of the table are split into two parts. Every way to fill the first is listed, with what it leaves of the column
sums and its weight; ways that leave the same and weigh the same are one. For each remainder, every way to fill the
second part is listed. What is settled on the way is not carried on. A whole table is a pair of the two, so sorting by
weight turns the sum over all tables that are no likelier than the one seen into a search: a table of 4 x 2 with a
thousand patients costs thousands of steps instead of millions of tables.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

TWO_BY_TWO_TIE = 1e-7
"""R's relative tolerance for "no likelier" in a table of two by two."""
TIE = 3.45254e-7
"""The same for larger tables, on the log scale, as in the algorithm that R uses."""
MOST = 400_000
"""Fillings of a part that are listed before a table counts as too large; about a quarter of a second."""
WORK = 60
"""Cells that are looked at for each filling that may be listed, at most."""
LOST = 1e-12
"""The least likely fillings that are left out after a row are together below this share of the table seen."""
SCALES = (1.0, 1.3, 2.0, 3.5)
SAME = 1e10
"""Weights that agree in the tenth decimal of their logarithm are one."""


@dataclass(frozen=True, eq=False)
class _Fillings:
    """Ways to fill some rows.

    Attributes
    ----------
    left : int array, shape (m, n_columns)
        What each leaves of the column sums.
    log : array, shape (m,)
        Its weight: minus the sum of log factorials of its cells.
    times : array, shape (m,)
        How many ways it stands for.
    begun : int array, shape (m,)
        Which remainder of the first part it began with; 0 in the first part.
    """

    left: np.ndarray
    log: np.ndarray
    times: np.ndarray
    begun: np.ndarray

    def take(self, which: np.ndarray) -> _Fillings:
        """Some of them."""
        return _Fillings(self.left[which], self.log[which], self.times[which], self.begun[which])


@dataclass(frozen=True, eq=False)
class _Past:
    """What came before each remainder, as logs: everything together, the likeliest and the least likely way."""

    weight: np.ndarray
    highest: np.ndarray
    lowest: np.ndarray

    @classmethod
    def nothing(cls) -> _Past:
        """Before the first row."""
        return cls(np.zeros(1), np.zeros(1), np.zeros(1))

    @classmethod
    def of(cls, before: _Fillings, begun: np.ndarray) -> _Past:
        """From the ways of the first part and the remainder that each leaves."""
        top = before.log.max()
        weight = np.log(np.bincount(begun, weights=before.times * np.exp(before.log - top))) + top
        highest, lowest = np.full(len(weight), -np.inf), np.full(len(weight), np.inf)
        np.maximum.at(highest, begun, before.log)
        np.minimum.at(lowest, begun, before.log)
        return cls(weight, highest, lowest)


def fisher_p(table: np.ndarray, *, most: int = MOST) -> float | None:
    """Probability of all tables with these margins that are no likelier than this one.

    Parameters
    ----------
    table : int array, shape (n_levels, n_groups)
        Counts; no empty row or column, at least two of each.
    most : int
        Fillings of a part that may be listed.

    Returns
    -------
    float or None
        p, 0 to 1; None if the table is too large.

    References
    ----------
    Mehta & Patel (1983), JASA 78:427-434; Horowitz & Sahni (1974), J ACM 21:277-292 (meeting in the middle).
    R: ``fisher.test(table)``.
    """
    table = np.asarray(table, dtype=np.int64)
    if table.shape == (2, 2):
        return _two_by_two(table)
    turned, first = min((_plan(table), _plan(table.T)), key=lambda plan: plan[2])[:2]
    if (turned.sum(axis=0).max() + 1.0) ** (turned.shape[1] - 1) > 2.0**62:
        return None
    return _Problem(turned, most).p(first)


def _two_by_two(table: np.ndarray) -> float:
    (row, other), column = table.sum(axis=1), table[:, 0].sum()
    low, high = max(0, column - other), min(row, column)
    x = np.arange(low, high + 1.0)
    log = -(gammaln(x + 1) + gammaln(row - x + 1) + gammaln(column - x + 1) + gammaln(other - column + x + 1))
    d = np.exp(log - log.max())
    d /= d.sum()
    return float(min(1.0, d[d <= d[table[0, 0] - low] * (1 + TWO_BY_TWO_TIE)].sum()))


def _plan(table: np.ndarray) -> tuple[np.ndarray, int, float]:
    """The table with its smallest rows first, how many of them make the first part, and about what it costs.

    The last row is what is left, so it costs nothing; that is the largest.
    """
    table = table[np.argsort(table.sum(axis=1), kind="stable")]
    rows, columns, n = table.sum(axis=1)[:, None], table.sum(axis=0)[None, :], float(table.sum())
    spread = np.sqrt(rows * columns * (n - rows) * (n - columns) / (n**2 * max(n - 1, 1)))
    cells = np.log(np.minimum(np.minimum(rows, columns), 14 * spread) + 1)
    ways = cells.sum(axis=1) - cells.max(axis=1)
    done = np.cumsum(rows, axis=0)
    remainders = np.log(np.minimum(done, columns) + 1)
    remainders = np.minimum(remainders.sum(axis=1) - remainders.max(axis=1), np.cumsum(ways))
    costs = [max(ways[:k].sum(), remainders[k - 1] + ways[k:-1].sum()) for k in range(1, len(table))]
    best = int(np.argmin(costs))
    return table, best + 1, float(costs[best])


class _Problem:
    """One table, its margins and what is known of them."""

    def __init__(self, table: np.ndarray, most: int) -> None:
        self.rows, self.columns, self.most = table.sum(axis=1).tolist(), table.sum(axis=0), most
        n = int(table.sum())
        self.known = gammaln(np.arange(int(SCALES[-1] * n) + 2) + 1.0)
        self.common = self.known[self.rows].sum() + self.known[self.columns].sum() - self.known[n]
        self.seen = -float(self.known[table].sum())
        self.logs = np.log(np.maximum(np.arange(n + 1), 1))
        self.by_log = np.arange(n + 1) * self.logs
        self.settled, self.work = 0.0, 0
        self.radix = (int(self.columns.max()) + 1) ** np.arange(len(self.columns) - 1, dtype=np.int64)

    def p(self, first: int) -> float | None:
        """Fill the first rows, then the others for each remainder, and add up the pairs."""
        start = _Fillings(self.columns[None, :], np.zeros(1), np.ones(1), np.zeros(1, dtype=np.int64))
        before = self._fill(start, self.rows[:first], self.rows[first:], _Past.nothing())
        if before is None:
            return None
        if not len(before.log):
            return min(1.0, self.settled)
        place, begun = np.unique(self._key(before.left), return_index=True, return_inverse=True)[1:]
        nodes = _Fillings(before.left[place], np.zeros(len(place)), np.ones(len(place)), np.arange(len(place)))
        after = self._fill(nodes, self.rows[first:-1], self.rows[-1:], _Past.of(before, begun))
        if after is None:
            return None
        after = _Fillings(after.left, after.log - self.known[after.left].sum(axis=1), after.times, after.begun)
        return min(1.0, self.settled + self._pairs(before, begun, after))

    def _fill(self, start: _Fillings, rows: list[int], others: list[int], past: _Past) -> _Fillings | None:
        """Every way to fill these rows that is still open; None if there are too many.

        What is settled, since even the likeliest way to fill the rows that follow makes no table likelier than the one
        seen, is added up at once; what is too unlikely to count is left out.
        """
        found = start
        for i, total in enumerate(rows):
            grown = self._grown(found, total)
            if grown is None:
                return None
            rest = [*rows[i + 1 :], *others]
            self.work += grown.left.size * len(rest)
            if self.work > WORK * self.most:
                return None
            share = self.common + grown.log + np.log(grown.times) + self._ways_to_end(grown.left, rest)
            share += past.weight[grown.begun]
            bound = grown.log + self._likeliest_end(grown.left, rest)
            below = bound + past.highest[grown.begun] <= self.seen + TIE
            self.settled += float(np.exp(share[below]).sum())
            still = ~below & _worth(share, self.seen + self.common)
            if len(rest) == 1:
                still &= bound + past.lowest[grown.begun] <= self.seen + TIE
            found = self._merged(grown.take(still))
            if len(found.log) > self.most:
                return None
        return found

    def _grown(self, found: _Fillings, total: int) -> _Fillings | None:
        """Each filling with every way to spread one more row over what is left of the columns."""
        parent = np.arange(len(found.log))
        spare = np.full(len(parent), total)
        room = np.cumsum(found.left[:, ::-1], axis=1)[:, ::-1]
        cells: list[np.ndarray] = []
        for j in range(len(self.columns)):
            after = room[parent, j + 1] if j + 1 < len(self.columns) else 0
            low = np.maximum(spare - after, 0)
            counts = np.maximum(np.minimum(spare, found.left[parent, j]) - low + 1, 0)
            if counts.sum() > 8 * self.most:
                return None
            chosen = np.repeat(np.arange(len(parent)), counts)
            cell = low[chosen] + np.arange(len(chosen)) - np.repeat(np.cumsum(counts) - counts, counts)
            parent, spare, cells = parent[chosen], spare[chosen] - cell, [*(c[chosen] for c in cells), cell]
        ways = np.column_stack(cells)
        log = found.log[parent] - self.known[ways].sum(axis=1)
        return _Fillings(found.left[parent] - ways, log, found.times[parent], found.begun[parent])

    def _ways_to_end(self, left: np.ndarray, rows: list[int]) -> np.ndarray:
        """Log of the summed weight of every way to fill the rows that follow, shape (m,)."""
        return self.known[sum(rows)] - self.known[left].sum(axis=1) - self.known[rows].sum()

    def _likeliest_end(self, left: np.ndarray, rows: list[int]) -> np.ndarray:
        """An upper bound of the log weight of any way to fill the rows that follow, shape (m,); exact for one row.

        By duality: the sum over cells of the largest k log(e) - log k!, e being the count expected there, at k the
        whole part of e, plus what the margins add.
        """
        n = sum(rows)
        margins = self.by_log[n] - self.by_log[rows].sum() - self.by_log[left].sum(axis=1)
        if len(rows) == 1:
            return -self.known[left].sum(axis=1)
        # Any multiple of the expected counts gives a bound; where they are small, the larger ones are the better.
        bound = np.zeros(len(left))
        for scale in SCALES:
            whole = [np.floor(scale * row * left / n).astype(np.int64) for row in rows]
            gain = sum(
                (k * (self.logs[row] + self.logs[left] - self.logs[n] + np.log(scale)) - self.known[k]).sum(axis=1)
                for k, row in zip(whole, rows, strict=True)
            )
            bound = np.minimum(bound, margins + gain - n * np.log(scale))
        return bound

    def _merged(self, found: _Fillings) -> _Fillings:
        """Ways that began and end with the same remainder, in any order, and weigh the same are one."""
        found = replace(found, left=np.sort(found.left, axis=1))
        key, log = self._key(found.left), np.round(found.log * SAME).astype(np.int64)
        order = np.lexsort((log, key, found.begun))
        new = [values[order][1:] != values[order][:-1] for values in (log, key, found.begun)]
        start = np.flatnonzero(np.concatenate(([True], np.any(new, axis=0)))[: len(order)])
        one = found.take(order[start])
        return _Fillings(one.left, one.log, np.add.reduceat(found.times[order], start), one.begun)

    def _key(self, left: np.ndarray) -> np.ndarray:
        """One number for each sorted remainder; the last column follows from the others."""
        return left[:, :-1] @ self.radix

    def _pairs(self, before: _Fillings, begun: np.ndarray, after: _Fillings) -> float:
        """The probability of every pair that meets in a remainder and is no likelier than the table seen."""
        orders = np.lexsort((before.log, begun)), np.lexsort((after.log, after.begun))
        a, b = before.take(orders[0]), after.take(orders[1])
        met = np.unique(b.begun)
        bounds = [
            np.searchsorted(of, met, side=side) for of in (begun[orders[0]], b.begun) for side in ("left", "right")
        ]
        total = 0.0
        for a0, a1, b0, b1 in zip(*bounds, strict=True):
            x, y = a.log[a0:a1], b.log[b0:b1]
            counted = np.searchsorted(y, self.seen + TIE - x, side="right")
            sums = np.concatenate(([0.0], np.cumsum(b.times[b0:b1] * np.exp(y - y[-1]))))
            total += float((a.times[a0:a1] * np.exp(self.common + x + y[-1]) * sums[counted]).sum())
        return total


def _worth(share: np.ndarray, seen: float) -> np.ndarray:
    """True but for the least likely, which together are below a share of 1e-12 of the table seen; logs, shape (m,)."""
    if not len(share):
        return np.zeros(0, dtype=bool)
    place = np.floor(share - share.min()).astype(np.int64)
    with np.errstate(over="ignore"):  # far likelier tables than the one seen: more than enough either way
        sums = np.cumsum(np.bincount(place, weights=np.exp(share - seen)))
    return place >= np.searchsorted(sums, LOST, side="right")
