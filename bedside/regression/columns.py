"""Columns that have no place in a design matrix because they repeat others."""

from __future__ import annotations

import numpy as np

TOLERANCE = 1e-7
"""A column is redundant if what the earlier ones leave of it is shorter than this share of its length."""


def redundant(z: np.ndarray) -> dict[int, list[int]]:
    """Columns that are linear combinations of earlier ones, and of which.

    Parameters
    ----------
    z : array, shape (n, p)
        Centred columns of similar size.

    Returns
    -------
    dict of int to list of int
        For each redundant column, the kept columns it is made of, those with the largest share first.
        Modified Gram-Schmidt, done twice for each column, keeps the earlier of two that say the same.
    """
    n, p = z.shape
    basis = np.zeros((p, n))
    kept: list[int] = []
    found: dict[int, list[int]] = {}
    for j in range(p):
        rest = z[:, j].copy()
        length = np.linalg.norm(rest)
        before = basis[: len(kept)]
        for _ in range(2):
            rest -= before.T @ (before @ rest)
        left = np.linalg.norm(rest)
        if left > TOLERANCE * max(length, 1.0):
            basis[len(kept)] = rest / left
            kept.append(j)
        else:
            found[j] = _made_of(z, kept, j)
    return found


def _made_of(z: np.ndarray, kept: list[int], column: int) -> list[int]:
    share = np.abs(np.linalg.lstsq(z[:, kept], z[:, column], rcond=None)[0])
    order = np.argsort(-share, kind="stable")
    return [kept[i] for i in order if share[i] > 1e-6]
