"""Columns as plain arrays: numbers with gaps, positions of levels, and what a range of numbers looks like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bedside.cohort.codes import normal_code

MISSING, UNSEEN = -1, -2


@dataclass(frozen=True)
class Range:
    """What a continuous variable looked like missing values aside, in its own unit."""

    low: float
    p01: float
    q1: float
    median: float
    q3: float
    p99: float
    high: float


def numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A continuous column as float64, shape (n,): NaN where missing, infinite, not a number or absent."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def level_index(frame: pd.DataFrame, name: str, codes: Sequence[str]) -> np.ndarray:
    """Position of each patient's level in `codes`, shape (n,): -1 where missing, -2 where not among them."""
    if name not in frame:
        return np.full(len(frame), MISSING)
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        found, levels = column.cat.codes.to_numpy(), column.cat.categories
    else:
        found, levels = pd.factorize(column)
    place = {code: i for i, code in enumerate(codes)}
    table = np.array([place.get(normal_code(level), UNSEEN) for level in levels] + [MISSING])
    return table[found]


def tidy_step(seen: Range) -> float:
    """The largest of 1, 2 or 5 times a power of ten within the interquartile range.

    Where half of the patients share one value, a quarter of the 1st to 99th percentile stands in for the
    interquartile range, and failing that of the whole range.
    """
    spread = seen.q3 - seen.q1 or (seen.p99 - seen.p01) / 4 or (seen.high - seen.low) / 4
    power = 10.0 ** math.floor(math.log10(spread))
    return next(m * power for m in (10, 5, 2, 1) if m * power <= spread * (1 + 1e-9) or m == 1)
