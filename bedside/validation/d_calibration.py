"""Is the whole distribution of survival times right? D-calibration and its test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

LEAST = 1e-9
"""Survival chances are at least this where they are divided by."""
EVENTS = 5.0
"""Neighbouring shares are tested as one until this many events are expected in each."""


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
        Chi-squared, Pearson's where nobody is censored; NaN where too few events are expected for two groups.
    df : int
        One less than the groups that are tested: tenths, joined where few events are expected.
    censored : float
        Share of the patients who were censored.
    """

    counts: np.ndarray
    expected: float
    statistic: float
    df: int
    p: float
    censored: float


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

    Notes
    -----
    The censored are shared out evenly below their chance, so that they vary less than Pearson's test supposes and it
    hardly ever rejects where many are censored. Here the counts are divided by their own covariance. If risks are
    right, the chance at the event is uniform whatever the patient's risk, hence independent of the chance c at
    censoring, and the shares y of one patient have E[y y' | c] = diag(length of each tenth above c) + c v v', where v
    is how a patient censored at c is shared out. The law of c is the Kaplan-Meier estimate of censoring on the scale
    of chance.

    References
    ----------
    Haider, Hoehn, Davis & Greiner (2020), J Mach Learn Res 21:1-63.
    """
    seen, chance = np.asarray(event, dtype=bool), np.clip(np.asarray(survival, dtype=float), 0.0, 1.0)
    if at_entry is not None:
        chance = np.clip(chance / np.maximum(at_entry, LEAST), 0.0, 1.0)
    counts = np.bincount(np.minimum((chance[seen] * bins).astype(int), bins - 1), minlength=bins).astype(float)
    counts += _shared_out(chance[~seen], bins).sum(axis=0)
    expected = len(seen) / bins
    statistic, df = _tested(counts - expected, seen, chance)
    p = float(chdtrc(df, statistic)) if df else np.nan
    return DCalibration(counts, expected, statistic, df, p, float(np.mean(~seen)) if len(seen) else np.nan)


def _shared_out(chance: np.ndarray, bins: int) -> np.ndarray:
    """Share of each censored patient in each bin, shape (n, bins): evenly below their chance."""
    held = np.maximum(chance, LEAST)
    return np.clip(held[:, None] - np.arange(bins) / bins, 0.0, 1 / bins) / held[:, None]


def _tested(off: np.ndarray, seen: np.ndarray, chance: np.ndarray) -> tuple[float, int]:
    """Statistic and degrees of freedom; NaN and 0 where there is nothing to test."""
    n, bins = len(seen), len(off)
    mass, at = _censoring(seen, chance)
    lower = np.arange(bins) / bins
    above = mass @ np.clip(lower + 1 / bins - np.maximum(lower, at[:, None]), 0.0, None)
    shared = _shared_out(at, bins)
    covariance = n * (np.diag(above) + (shared * (mass * at)[:, None]).T @ shared - 1 / bins**2)
    group = _groups(n * above)
    joined = (group[:, None] == np.arange(group.max())).astype(float)  # the last follows from the others
    if not joined.shape[1]:
        return np.nan, 0
    left = off @ joined
    return float(left @ np.linalg.solve(joined.T @ covariance @ joined, left)), joined.shape[1]


def _censoring(seen: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Law of the chance at censoring by Kaplan-Meier, from 1 down; 0 is never to be censored."""
    order = np.lexsort((~seen, -chance))  # of equal chances events come first
    ended = ~seen[order]
    going = np.cumprod(np.where(ended, 1 - 1 / np.arange(len(seen), 0, -1), 1.0))
    falls = -np.diff(going, prepend=1.0)
    return np.append(falls[ended], going[-1:]), np.append(chance[order][ended], np.zeros(len(going[-1:])))


def _groups(events: np.ndarray) -> np.ndarray:
    """Number of each bin's group, from the highest chance down; each has `EVENTS` expected events if all have."""
    group, now, gathered = np.zeros(len(events), dtype=int), 0, 0.0
    for k in range(len(events) - 1, -1, -1):
        group[k] = now
        gathered += events[k]
        if gathered >= EVENTS * (1 - LEAST) and events[:k].sum() >= EVENTS * (1 - LEAST):
            now, gathered = now + 1, 0.0
    return group
