"""Fisher's exact p for a table of any size, by meeting in the middle.

The rows of the table are split into two halves. Every way to fill a half, with its column sums and its weight, is
listed; a whole table is a pair of fillings whose column sums add up. Sorting one half by weight turns the sum over
all tables that are no likelier than the one seen into a search, so a table of 4 x 2 with a thousand patients costs
thousands of fillings instead of millions of tables.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

TWO_BY_TWO_TIE = 1e-7
"""R's relative tolerance for "no likelier" in a table of two by two."""
TIE = 3.45254e-7
"""The same for larger tables, on the log scale, as in the algorithm that R uses."""
MOST = 300_000
"""Fillings of a half that are listed before a table counts as too large; at most about a quarter of a second."""
NEGLIGIBLE = 50.0
"""A filling is left out at once below exp(-50) = 2e-22 of the probability of the table seen."""
LOST = 1e-12
"""And all that are left out at a row are together below this share of it."""
CHUNK = 1_000_000
"""Fillings that are looked at together."""


def fisher_p(table: np.ndarray, *, most: int = MOST) -> float | None:
    """Probability of all tables with these margins that are no likelier than this one.

    Parameters
    ----------
    table : int array, shape (n_levels, n_groups)
        Counts; no empty row or column, at least two of each.
    most : int
        Fillings of a half that may be listed.

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
    turned = min((table, table.T), key=_cost)
    if np.prod(turned.sum(axis=0) + 1.0) > 2.0**62:
        return None
    seen = -float(gammaln(turned + 1.0).sum())
    columns = turned.sum(axis=0)
    halves = _split(turned)
    listed = [_fillings(rows, columns, seen + _constant(turned), most) for rows in halves]
    if listed[0] is None or listed[1] is None:
        return None
    return min(1.0, _joined(listed[0], listed[1], columns, seen + TIE, _constant(turned)))


def _two_by_two(table: np.ndarray) -> float:
    (row, other), column = table.sum(axis=1), table[:, 0].sum()
    low, high = max(0, column - other), min(row, column)
    x = np.arange(low, high + 1.0)
    log = -(gammaln(x + 1) + gammaln(row - x + 1) + gammaln(column - x + 1) + gammaln(other - column + x + 1))
    d = np.exp(log - log.max())
    d /= d.sum()
    return float(min(1.0, d[d <= d[table[0, 0] - low] * (1 + TWO_BY_TWO_TIE)].sum()))


def _constant(table: np.ndarray) -> float:
    """Log of what all tables with these margins have in common."""
    return float(
        gammaln(table.sum(axis=1) + 1.0).sum() + gammaln(table.sum(axis=0) + 1.0).sum() - gammaln(table.sum() + 1.0)
    )


def _sizes(table: np.ndarray) -> np.ndarray:
    """About how many ways there are to fill each row, as logs, shape (n_rows,): the likely ones within margins."""
    rows, columns, n = table.sum(axis=1)[:, None], table.sum(axis=0)[None, :], float(table.sum())
    spread = np.sqrt(rows * columns * (n - rows) * (n - columns) / (n**2 * max(n - 1, 1)))
    ways = np.log(np.minimum(np.minimum(rows, columns), 16 * spread) + 1)
    return ways.sum(axis=1) - ways.max(axis=1)


def _cost(table: np.ndarray) -> float:
    sizes = _sizes(table)
    return max(float(sizes[half].sum()) for half in _halves(sizes))


def _halves(sizes: np.ndarray) -> tuple[list[int], list[int]]:
    """Rows in two halves of about the same number of fillings."""
    halves: tuple[list[int], list[int]] = ([], [])
    weight = [0.0, 0.0]
    for row in np.argsort(-sizes, kind="stable"):
        lighter = int(weight[1] < weight[0])
        halves[lighter].append(int(row))
        weight[lighter] += sizes[row]
    return halves


def _split(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    totals = table.sum(axis=1)
    first, second = _halves(_sizes(table))
    return totals[first], totals[second]


Fillings = tuple[np.ndarray, np.ndarray]
"""Column sums, shape (m, n_columns), and log weights, shape (m,)."""


def _fillings(rows: np.ndarray, columns: np.ndarray, seen: float, most: int) -> Fillings | None:
    """Every filling of these rows that is worth counting; None if there are too many.

    ``seen`` is the log probability of the table seen.
    """
    known = gammaln(np.arange(columns.sum() + 2) + 1.0)
    used, log = np.zeros((1, len(columns)), dtype=np.int32), np.zeros(1)
    done, common = 0, known[columns].sum() - known[columns.sum()]
    for total in rows.tolist():
        ways = _compositions(total, columns, 4 * most)
        if ways is None:
            return None
        weight = -known[ways].sum(axis=1)
        share = weight + known[total] + _rest(ways, columns, known) + known[columns].sum() - known[columns.sum()]
        likely = _worth(share, seen)
        ways, weight = ways[likely], weight[likely]
        if len(ways) * len(used) > 8 * most:
            return None
        done, common = done + total, common + known[total]
        parts = [
            _crossed(used[i], log[i], ways, weight, columns, known, seen - NEGLIGIBLE - common)
            for i in np.array_split(np.arange(len(used)), 1 + len(ways) * len(used) // CHUNK)
        ]
        used, log, share = (np.concatenate(piece) for piece in zip(*parts, strict=True))
        likely = _worth(share + common, seen)
        used, log = used[likely], log[likely]
        if len(used) > most:
            return None
    return used, log


def _crossed(
    used: np.ndarray,
    log: np.ndarray,
    ways: np.ndarray,
    weight: np.ndarray,
    columns: np.ndarray,
    known: np.ndarray,
    floor: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every filling so far with every way to fill the next row: column sums, log weights, and with the rest's share."""
    sums = (used[:, None, :] + ways[None, :, :]).reshape(-1, len(columns))
    logs = (log[:, None] + weight[None, :]).reshape(-1)
    fits = (sums <= columns).all(axis=1)
    sums, logs = sums[fits], logs[fits]
    share = logs + _rest(sums, columns, known)
    keep = share >= floor
    return sums[keep], logs[keep], share[keep]


def _rest(used: np.ndarray, columns: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Log of how many ways there are to fill the other rows, given the column sums of these, shape (m,)."""
    left = columns - used
    return known[left.sum(axis=1)] - known[left].sum(axis=1)


def _worth(share: np.ndarray, seen: float) -> np.ndarray:
    """True but for the least likely fillings, which together are below a share of 1e-12 of the table seen.

    ``share``, shape (m,), is the log of the probability of all tables that hold a filling.
    """
    if not len(share):
        return np.zeros(0, dtype=bool)
    place = np.floor(share - share.min()).astype(np.int64)
    sums = np.cumsum(np.bincount(place, weights=np.exp(share - seen)))
    return place >= np.searchsorted(sums, LOST, side="right")


def _compositions(total: int, columns: np.ndarray, most: int) -> np.ndarray | None:
    """Every way to spread a row's total over the columns, shape (m, n_columns); None if there are too many."""
    ways, left = np.zeros((1, 0), dtype=np.int32), np.array([total])
    for j, column in enumerate(columns):
        low = np.maximum(left - columns[j + 1 :].sum(), 0)
        counts = np.maximum(np.minimum(left, column) - low + 1, 0)
        if counts.sum() > most:
            return None
        parent = np.repeat(np.arange(len(left)), counts)
        place = np.arange(len(parent)) - np.repeat(np.cumsum(counts) - counts, counts)
        cell = (low[parent] + place).astype(np.int32)
        ways, left = np.column_stack((ways[parent], cell)), left[parent] - cell
    return ways


def _joined(first: Fillings, second: Fillings, columns: np.ndarray, most_likely: float, constant: float) -> float:
    """Sum over all pairs whose column sums add up and whose weight is at most that of the table seen."""
    radix = np.concatenate((np.cumprod((columns + 1)[::-1])[::-1][1:], [1]))
    keys, logs = [], []
    for (used, log), turned in ((first, False), (second, True)):
        key = (columns - used if turned else used.astype(np.int64)) @ radix
        order = np.lexsort((log, key))
        keys.append(key[order])
        logs.append(log[order])
    shared = np.intersect1d(*keys)
    starts, stops = ([np.searchsorted(key, shared, side=side) for key in keys] for side in ("left", "right"))
    total = 0.0
    for a0, a1, b0, b1 in zip(starts[0], stops[0], starts[1], stops[1], strict=True):
        a, b = logs[0][a0:a1], logs[1][b0:b1]
        total += _pairs(a, b, most_likely, constant)
    return total


def _pairs(a: np.ndarray, b: np.ndarray, most_likely: float, constant: float) -> float:
    """Sum of exp(constant + a + b) over pairs with a + b at most ``most_likely``; both ascending."""
    counted = np.searchsorted(b, most_likely - a, side="right")
    sums = np.concatenate(([0.0], np.cumsum(np.exp(b - b[-1]))))
    return float((np.exp(constant + a + b[-1]) * sums[counted]).sum())
