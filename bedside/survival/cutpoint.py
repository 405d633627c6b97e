"""Where would a value part patients best? The maximally selected log-rank statistic, with its corrected p-value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from bedside.errors import Fixable
from bedside.survival.checks import check_times, merge_ties
from bedside.survival.compare import GroupTest, log_rank
from bedside.survival.selection_p import Correction, corrected_p


@dataclass(frozen=True, eq=False)
class CutPoint:
    """A cut-point chosen for the sharpest difference.

    Attributes
    ----------
    cut : float
        Patients above this value are one group, those at or below it the other.
    above : float
        The smallest value of the upper group: ``group_by(cohort, variable,
        cuts=(above,))`` makes the two groups.
    statistic : float
        The largest of ``statistics``.
    p : float
        Chance of so large a statistic somewhere among all cut-points tried, if the value said nothing.
    correction : str
        How ``p`` was found, as in `best_cut`.
    unselected : GroupTest
        Log-rank test between the two groups. Its p-value takes the cut-point as
        given beforehand, is far too small, and must not be used.
    cuts, statistics : arrays, shape (n_cuts,)
        Every cut-point tried, and the standardised log-rank statistic there.
    n, n_low, n_high : int
        Patients with a value, at or below the cut, and above it.
    dropped_missing : int
        Patients without a value, who take no part.
    low_share, high_share : float
        Share of patients that had to lie at or below a cut: from, to.
    """

    cut: float
    above: float
    statistic: float
    p: float
    correction: Correction
    unselected: GroupTest
    cuts: np.ndarray
    statistics: np.ndarray
    n: int
    n_low: int
    n_high: int
    dropped_missing: int
    low_share: float
    high_share: float


def best_cut(
    time: ArrayLike,
    event: ArrayLike,
    values: ArrayLike,
    *,
    low_share: float = 0.1,
    high_share: float = 0.9,
    correction: Correction = "lausen-1994",
    draws: int = 10_000,
    seed: int = 0,
) -> CutPoint:
    """The cut-point at which survival below and above differs most, and what that is worth.

    The statistic at each possible cut-point is the sum of the log-rank scores
    of the patients at or below it, standardised by its permutation mean and
    spread. Looking for the largest makes it large: ``p`` is corrected for that.

    Parameters
    ----------
    time, event : array-like, shape (n_patients,)
        As in `kaplan_meier`.
    values : array-like, shape (n_patients,)
        What is to be cut, in its own unit; patients with NaN are left out.
    low_share, high_share : float
        Cuts leave at least these shares (rounded down to whole patients) of
        patients below, R's ``minprop`` and ``maxprop``.
    correction : str
        ``"lausen-1994"``: improved Bonferroni bound, good for any size and
        small p-values. ``"lausen-1992"``: limit for many different values.
        ``"gauss"``: exact for the joint normal distribution of the statistics
        (500 cut-points at most). ``"permutation"``: how often patients
        shuffled `draws` times do as well. ``"exact"``: Hothorn and Lausen's
        bound for the permutation distribution (200 patients at most); its
        scores are rounded to whole numbers, so statistic and cut may differ.
    draws, seed : int
        For ``"permutation"``.

    Returns
    -------
    CutPoint

    Raises
    ------
    Fixable
        If the columns are not usable, nobody had the event, or no cut-point
        leaves enough patients on both sides.

    References
    ----------
    Lausen & Schumacher (1992), Biometrics 48:73-85; Lausen, Sauerbrei &
    Schumacher (1994), in Dirschedl & Ostermann (eds), Computational Statistics;
    Hothorn & Lausen (2003), Comput Stat Data Anal 43:121-137.
    R: ``maxstat::maxstat.test(Surv(time, event) ~ x, smethod = "LogRank",
    pmethod = "Lau94" | "Lau92" | "exactGauss" | "condMC" | "HL")``.
    """
    _check(low_share, high_share, correction)
    times, flags = check_times(time, event)
    x = np.asarray(values, dtype=float)
    if x.shape != times.shape:
        raise Fixable("No cut-point.", "There is not one value for each patient.", "Give each patient a value.")
    known = ~np.isnan(x)
    dropped = int(len(x) - known.sum())
    times, flags, x = merge_ties(times[known]) if known.any() else times[known], flags[known], x[known]
    below, cuts = _below(x, low_share, high_share)
    scores = log_rank_scores(times, flags)
    if correction == "exact":
        scores = whole_scores(scores)
    ordered = scores[np.argsort(x, kind="stable")]
    spread = _spread(ordered, below)
    if not flags.any() or not spread.min() > 0:
        raise Fixable(
            "No cut-point.", "No event tells these patients apart.", "Widen the filter or choose another outcome."
        )
    statistics = np.abs((np.cumsum(ordered)[below - 1] - below / len(x) * ordered.sum()) / spread)
    best = int(np.argmax(statistics))
    high = x > cuts[best]
    p = corrected_p(float(statistics[best]), ordered, below, low_share, high_share, correction, draws=draws, seed=seed)
    return CutPoint(
        float(cuts[best]), float(x[high].min()), float(statistics[best]), min(max(p, 0.0), 1.0), correction,
        log_rank(times, flags, high), cuts, statistics, len(x), int(len(x) - high.sum()), int(high.sum()), dropped,
        low_share, high_share,
    )  # fmt: skip


def log_rank_scores(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Observed minus expected events of each patient, shape (n_patients,).

    Tied patients share the last place among them, as in R: where several
    leave at once, the expected events are a little larger than Nelson and Aalen's.

    References
    ----------
    Hothorn & Lausen (2003). R: ``exactRankTests::cscores(Surv(time, event), type = "LogRank")``.
    """
    ordered = np.sort(time)
    rank = np.searchsorted(ordered, time, side="right")
    due = (event / (len(time) - rank + 1))[np.argsort(time, kind="stable")]
    return event - np.cumsum(due)[rank - 1]


def whole_scores(scores: np.ndarray) -> np.ndarray:
    """Scores moved and stretched to whole numbers, 0 to the number of patients, as maxstat does for exact p-values."""
    if (scores == np.floor(scores)).all():
        return scores
    shifted = scores - scores.min()
    return np.round(shifted * len(scores) / shifted.max())


def _spread(scores: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Standard deviation of the sum of scores at or below each cut, over all ways to shuffle the patients."""
    n = len(scores)
    variance = below * (n - below) / (n**2 * max(n - 1, 1)) * (n * (scores**2).sum() - scores.sum() ** 2)
    return np.sqrt(np.maximum(variance, 0))


def _below(x: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """For each possible cut, how many patients lie at or below it, and the largest value among them."""
    n = len(x)
    ordered = np.sort(x)
    below = np.flatnonzero(ordered[1:] > ordered[:-1]) + 1
    below = below[(below >= max(1, np.floor(n * low))) & (below <= np.floor(n * high))]
    if not len(below):
        raise Fixable(
            "No cut-point.",
            f"No value leaves between {low:.0%} and {high:.0%} of the patients at or below it.",
            "Allow smaller groups, or choose a variable with more different values.",
        )
    return below, ordered[below - 1]


def _check(low: float, high: float, correction: Correction) -> None:
    if not 0 < low < high < 1:
        raise Fixable(
            "No cut-point.",
            "The shares of patients must lie above 0 and below 1, the first below the second.",
            "Choose for instance 0.1 and 0.9.",
        )
    if correction not in get_args(Correction):
        names = ", ".join(get_args(Correction))
        raise Fixable("No cut-point.", "This correction is not known.", f"Choose one of: {names}.")
