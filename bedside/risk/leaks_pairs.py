"""Columns beside each other: those that say the same twice, and those that together make the follow-up time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bedside.risk.leaks_columns import Column, Followed
from bedside.tails import mean_ranks

SAME = 0.99
CONTAINS = 0.98
FEWEST = 20
MOST_PAIRED = 300
"""Columns among which pairs that make the follow-up time are looked for."""
SOME = 2000


@dataclass(frozen=True)
class Duplicate:
    """Two columns that say almost the same, by their positions."""

    first: int
    second: int
    how: str
    value: float


@dataclass(frozen=True)
class MadeOfTime:
    """Columns, by their positions, that give the follow-up time by a straight line."""

    parts: tuple[int, ...]
    r2: float


def duplicates(columns: Sequence[Column]) -> Iterator[Duplicate]:
    """Later columns that repeat an earlier one; each is named once."""
    said: set[int] = set()
    found = sorted([*_numbers_alike(columns), *_levels_alike(columns)], key=lambda d: (d.second, d.first))
    for pair in found:
        if pair.second not in said:
            said.add(pair.second)
            yield pair


def _numbers_alike(columns: Sequence[Column]) -> Iterator[Duplicate]:
    at = [i for i, column in enumerate(columns) if not column.levels and column.distinct > 1]
    if len(at) < 2:
        return
    x = np.column_stack([_sized(columns[i].values) for i in at])
    some = x[:: -(-len(x) // SOME)]
    ranks = np.column_stack([_ranked(column) for column in some.T])
    near = np.maximum(np.abs(_correlation(some)), np.abs(_correlation(ranks))) >= SAME - 0.01
    for i, j in zip(*np.nonzero(np.triu(near, 1)), strict=True):
        both = ~np.isnan(x[:, i]) & ~np.isnan(x[:, j])
        if both.sum() < FEWEST:
            continue
        a, b = x[both, i], x[both, j]
        for how, value in (("correlation", _r(a, b)), ("correlation of ranks", _r(mean_ranks(a), mean_ranks(b)))):
            if abs(value) >= SAME:
                yield Duplicate(at[i], at[j], how, value)
                break


def _levels_alike(columns: Sequence[Column]) -> Iterator[Duplicate]:
    """Level for level the same, whatever the levels are called; numbers with few values count as levels."""
    coded = {}
    for i, column in enumerate(columns):
        if 2 <= column.distinct <= 50:
            present = column.present
            code = np.full(len(present), -1)
            code[present] = np.unique(column.values[present], return_inverse=True)[1]
            counts = np.sort(np.bincount(code[present]))
            coded[i] = (code, counts, bool(column.levels))
    for (i, (a, many_a, is_a)), (j, (b, many_b, is_b)) in combinations(coded.items(), 2):
        alike = len(many_a) == len(many_b) and np.abs(many_a - many_b).max() <= 0.1 * len(a) + 1
        if not alike or not (is_a or is_b):
            continue
        both = (a >= 0) & (b >= 0)
        if both.sum() < FEWEST:
            continue
        v = _cramer(a[both], b[both], len(many_a))
        if v >= SAME:
            yield Duplicate(i, j, "agreement of levels (Cramér's V)", v)


def _cramer(a: np.ndarray, b: np.ndarray, k: int) -> float:
    table = np.bincount(a * k + b, minlength=k * k).reshape(k, k).astype(float)
    n, rows, cols = table.sum(), table.sum(axis=1), table.sum(axis=0)
    least = min((rows > 0).sum(), (cols > 0).sum()) - 1
    expected = np.outer(rows, cols) / n
    squares = np.divide((table - expected) ** 2, expected, out=np.zeros_like(table), where=expected > 0)
    return float(np.sqrt(squares.sum() / n / least)) if least > 0 else 0.0


def made_of_time(columns: Sequence[Column], seen: Followed) -> Iterator[MadeOfTime]:
    """Numbers, alone or two together, that give 98% of the variance of the follow-up time where they are recorded."""
    at = [i for i, column in enumerate(columns) if not column.levels and column.distinct > 2]
    if not at or len(seen.stop) < FEWEST:
        return
    x = np.column_stack([_sized(columns[i].values) for i in at])
    alone = set()
    for k, i in enumerate(at):
        r2 = _r2(seen.stop, x[:, [k]])
        if r2 >= CONTAINS:
            alone.add(k)
            yield MadeOfTime((i,), r2)
    left = [k for k in range(len(at)) if k not in alone]
    if not 2 <= len(left) <= MOST_PAIRED:
        return
    every = -(-len(x) // SOME)
    near = _pairs_r2(seen.stop[::every], x[::every][:, left]) >= CONTAINS - 0.02
    for a, b in zip(*np.nonzero(np.triu(near, 1)), strict=True):
        r2 = _r2(seen.stop, x[:, [left[a], left[b]]])
        if r2 >= CONTAINS:
            # The one that follows time more closely is the one to leave out.
            pair = sorted((left[a], left[b]), key=lambda k: _r2(seen.stop, x[:, [k]]))
            yield MadeOfTime(tuple(at[k] for k in pair), r2)


def _r2(time: np.ndarray, x: np.ndarray) -> float:
    """Share of the variance of time that a straight line in the columns gives."""
    here = ~np.isnan(x).any(axis=1)
    if here.sum() < FEWEST:
        return 0.0
    y, parts = time[here] - time[here].mean(), x[here] - x[here].mean(axis=0)
    spread = parts.std(axis=0)
    if not (spread > 0).all() or not (y @ y) > 0:
        return 0.0
    parts = parts / spread
    coef = np.linalg.lstsq(parts, y, rcond=1e-6)[0]
    return 1 - float(((y - parts @ coef) ** 2).sum() / (y @ y))


def _pairs_r2(time: np.ndarray, x: np.ndarray) -> np.ndarray:
    """R² of time on each pair of columns, among patients with both, shape (p, p)."""
    there = (~np.isnan(x)).astype(float)
    z = np.nan_to_num((x - np.nanmean(x, axis=0)) / np.maximum(np.nanstd(x, axis=0), 1e-300))
    y = (time - time.mean()) / max(float(time.std()), 1e-300)
    n = np.maximum(there.T @ there, 1)
    ty = (there * y[:, None]).T @ there
    tyy = (there * (y**2)[:, None]).T @ there
    tv, tvv, tvy = z.T @ there, (z**2).T @ there, (z * y[:, None]).T @ there
    s_yy = tyy / n - (ty / n) ** 2
    s_vv = tvv / n - (tv / n) ** 2
    s_vy = tvy / n - tv * ty / n**2
    s_vw = (z.T @ z) / n - tv * tv.T / n**2
    s_ww, s_wy = s_vv.T, s_vy.T
    with np.errstate(divide="ignore", invalid="ignore"):
        gained = (s_vy**2 * s_ww + s_wy**2 * s_vv - 2 * s_vy * s_wy * s_vw) / (s_vv * s_ww - s_vw**2) / s_yy
        apart = 1 - s_vw**2 / (s_vv * s_ww) > 1e-4
    return np.where(apart & (n >= FEWEST) & np.isfinite(gained), gained, 0.0)


def _correlation(x: np.ndarray) -> np.ndarray:
    """Correlations among patients with both recorded, shape (p, p)."""
    there = (~np.isnan(x)).astype(float)
    n = np.maximum(there.T @ there, 1)
    centre = np.where(there.any(axis=0), np.nansum(x, axis=0) / np.maximum(there.sum(axis=0), 1), 0.0)
    z = np.nan_to_num(x - centre)
    z = z / np.maximum(np.sqrt((z**2).mean(axis=0)), 1e-300)
    s, ss = z.T @ there, (z**2).T @ there
    spread = ss / n - (s / n) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        r = ((z.T @ z) / n - s * s.T / n**2) / np.sqrt(spread * spread.T)
    return np.where(np.isfinite(r) & (n >= FEWEST), r, 0.0)


def _sized(values: np.ndarray) -> np.ndarray:
    """Values from -1 to 1, so that no square is too large or too small for a number."""
    size = float(np.nanmax(np.abs(values)))
    with np.errstate(under="ignore"):
        return values / size if size > 0 else values


def _ranked(values: np.ndarray) -> np.ndarray:
    found, known = np.full(len(values), np.nan), ~np.isnan(values)
    found[known] = mean_ranks(values[known])
    return found


def _r(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0 else 0.0
