"""Is the whole distribution of survival times right? D-calibration and its test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

LEAST = 1e-9
"""Survival chances are at least this where they are divided by."""


@dataclass(frozen=True, eq=False)
class DCalibration:
    """Are survival chances at the patients' own ends of follow-up spread evenly from 0 to 1, as they should be?

    Attributes
    ----------
    counts : array, shape (bins,)
        Patients in each tenth (or other share) of survival chance, from low to high; the censored are shared out.
    expected : float
        In each, if calibrated.
    statistic, p : float
        Pearson's chi-squared.
    df : int
    """

    counts: np.ndarray
    expected: float
    statistic: float
    df: int
    p: float


def d_calibration(
    event: np.ndarray, survival: np.ndarray, *, at_entry: np.ndarray | None = None, bins: int = 10
) -> DCalibration:
    """Distribution calibration with its test. There is no definition with competing events: take the composite.

    Parameters
    ----------
    event : array of bool, shape (n,)
    survival : array, shape (n,)
        Predicted chance of being event-free at each patient's own end of follow-up, 0 to 1.
    at_entry : array, shape (n,), optional
        The same at each patient's delayed entry.
    bins : int

    References
    ----------
    Haider, Hoehn, Davis & Greiner (2020), J Mach Learn Res 21:1-63.
    """
    seen, chance = np.asarray(event, dtype=bool), np.clip(np.asarray(survival, dtype=float), 0.0, 1.0)
    if at_entry is not None:
        chance = np.clip(chance / np.maximum(at_entry, LEAST), 0.0, 1.0)
    counts = np.bincount(np.minimum((chance[seen] * bins).astype(int), bins - 1), minlength=bins).astype(float)
    held = np.maximum(chance[~seen], LEAST)
    counts += (np.clip(held[:, None] - np.arange(bins) / bins, 0.0, 1 / bins) / held[:, None]).sum(axis=0)
    expected = len(seen) / bins
    statistic = float(((counts - expected) ** 2).sum() / expected) if expected else np.nan
    return DCalibration(counts, expected, statistic, bins - 1, float(chdtrc(bins - 1, statistic)))
