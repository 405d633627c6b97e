"""Columns that have no place in a model because they repeat the outcome, or another column value by value."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np


def copies(columns: Sequence[np.ndarray]) -> dict[int, list[int]]:
    """Columns that equal an earlier one, and which."""
    first: dict[bytes, int] = {}
    found: dict[int, list[int]] = {}
    for j, column in enumerate(columns):
        earlier = first.setdefault(hashlib.sha256(np.ascontiguousarray(column)).digest(), j)
        if earlier != j:
            found[j] = [earlier]
    return found


def is_outcome(values: np.ndarray, time: np.ndarray, event: np.ndarray) -> bool:
    """True if a column is the follow-up time or the event itself, in whatever unit or coding."""
    return any(_same_line(values.astype(float), known.astype(float)) for known in (time, event))


def _same_line(a: np.ndarray, b: np.ndarray) -> bool:
    """True if the two are exact linear functions of each other."""
    a, b = a - a.mean(), b - b.mean()
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return lengths > 0 and abs(float(a @ b)) > (1 - 1e-10) * lengths
