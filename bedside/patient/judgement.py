"""How a reader's own estimates and a model's compare with what happened.

happened, weight = outcomes(time, cause, rows, horizons)
found = judge(own, model, happened, weight, patients=rows)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import stdtrit

from bedside.survival.curve import SLACK
from bedside.validation.calibration import quantile_groups
from bedside.validation.weights import uncensored_weights

FEWEST_IN_A_BIN = 10
MOST_BINS = 5
FEWEST_COMPARED = 20
"""Known outcomes from which two Brier scores are compared."""
FEWEST_MEAN = 10
"""Known outcomes from which a mean error is given."""
APART = 0.10
"""Estimates at least so far from each other disagree."""


@dataclass(frozen=True)
class Mean:
    """A weighted mean with its 95% interval, NaN where there is none."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Bin:
    """Estimates of similar size.

    Attributes
    ----------
    said : float
        Their mean.
    observed, lower, upper : float
        Share with the event by the time asked for, weighted for censoring, and its 95% interval.
    n, n_events : int
        Known outcomes, and events among them.
    """

    said: float
    observed: float
    lower: float
    upper: float
    n: int
    n_events: int


@dataclass(frozen=True, eq=False)
class Judgement:
    """Estimates against what happened.

    Attributes
    ----------
    own, model : arrays, shape (n,)
        Risks from 0 to 1; `model` is NaN where none was kept.
    happened : array, shape (n,)
        1 with the event by the time asked for, 0 known to be without it, NaN not known.
    weight : array, shape (n,)
        What each counts for: 0 where not known.
    own_bins, model_bins : tuples of Bin
        Empty while there are too few for two bins of ten.
    own_error, model_error : Mean or None
        Said minus happened; None below ten known outcomes.
    own_brier, model_brier : float
        Of the estimates where both numbers are there; NaN below twenty known outcomes.
    brier_difference : Mean or None
        The reader's minus the model's: below 0 the reader was nearer.
    apart, own_nearer, model_nearer : int
        Known outcomes of estimates that lie ten points or more apart, and who was nearer.
    """

    own: np.ndarray = field(repr=False)
    model: np.ndarray = field(repr=False)
    happened: np.ndarray = field(repr=False)
    weight: np.ndarray = field(repr=False)
    own_bins: tuple[Bin, ...]
    model_bins: tuple[Bin, ...]
    own_error: Mean | None
    model_error: Mean | None
    own_brier: float
    model_brier: float
    brier_difference: Mean | None
    apart: int
    own_nearer: int
    model_nearer: int

    @property
    def known(self) -> np.ndarray:
        """Which outcomes are known, shape (n,)."""
        return self.weight > 0

    @property
    def n_events(self) -> int:
        """How many had the event by the time asked for."""
        return int((self.happened == 1).sum())

    @property
    def n_free(self) -> int:
        """How many are known to be without it by then."""
        return int((self.happened == 0).sum())


def outcomes(
    time: np.ndarray,
    cause: np.ndarray,
    rows: Sequence[int] | np.ndarray,
    horizons: Sequence[float] | np.ndarray,
    *,
    entry: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """What became of some patients by a time each, and what they count for.

    Parameters
    ----------
    time, cause : arrays, shape (n_patients,)
        Follow-up of the whole cohort; `cause` 0 censored, 1 the event, 2 and more competing.
    rows, horizons : arrays, shape (k,)
        Patients, and by when each was asked for. A patient may be there more than once.
    entry : array, shape (n_patients,), optional
        Delayed entry.

    Returns
    -------
    happened : array, shape (k,)
        1, 0, or NaN where follow-up ended before without an event. Another event first counts as 0.
    weight : array, shape (k,)
        1 over the chance of being still followed, from all patients of the cohort; 0 where `happened` is NaN.

    References
    ----------
    Graf et al. (1999), Stat Med 18:2529-2545.
    """
    place, ends = np.asarray(rows, dtype=int), np.asarray(horizons, dtype=float)
    at, which = np.unique(ends, return_inverse=True)
    time, cause = np.asarray(time, dtype=float), np.asarray(cause)
    found = uncensored_weights(time, cause > 0, at, entry=entry)[place, which]
    weight = np.where(np.isfinite(found) & (found > 0), found, 0.0)
    had = (cause[place] == 1) & (time[place] <= ends * (1 + SLACK))
    return np.where(weight > 0, had.astype(float), np.nan), weight


def judge(
    own: np.ndarray, model: np.ndarray, happened: np.ndarray, weight: np.ndarray, *, patients: np.ndarray
) -> Judgement:
    """Compare two sets of estimates with what happened.

    Parameters
    ----------
    own, model : arrays, shape (n,)
    happened, weight : arrays, shape (n,)
        From `outcomes`.
    patients : array, shape (n,)
        Which patient each is of: estimates of one patient are not independent.
    """
    own, model = np.asarray(own, dtype=float), np.asarray(model, dtype=float)
    known = weight > 0
    both = known & np.isfinite(model)
    compared = int(both.sum()) >= FEWEST_COMPARED
    mine, its = (own - happened) ** 2, (model - happened) ** 2
    apart = both & (np.abs(own - model) >= APART - 1e-9)
    return Judgement(
        own=own, model=model, happened=happened, weight=weight,
        own_bins=bins(own, happened, weight), model_bins=bins(model, happened, weight),
        own_error=_mean(own - happened, known, weight, patients),
        model_error=_mean(model - happened, both, weight, patients),
        own_brier=_share(mine, both, weight) if compared else float("nan"),
        model_brier=_share(its, both, weight) if compared else float("nan"),
        brier_difference=_mean(mine - its, both, weight, patients) if compared else None,
        apart=int(apart.sum()),
        own_nearer=int((apart & (mine < its)).sum()),
        model_nearer=int((apart & (its < mine)).sum()),
    )  # fmt: skip


def bins(said: np.ndarray, happened: np.ndarray, weight: np.ndarray) -> tuple[Bin, ...]:
    """Estimates in up to five groups of similar size, ten known outcomes each at least; none if that gives one.

    The share with the event weighs each known outcome by 1 over the chance of being still followed; its interval is
    Wilson's for as many patients as these weights are worth, (sum w)^2 / sum w^2.

    References
    ----------
    Wilson (1927), J Am Stat Assoc 22:209-212. Kish (1965), Survey Sampling.
    """
    here = (weight > 0) & np.isfinite(said)
    values = said[here]
    for groups in range(min(MOST_BINS, len(values) // FEWEST_IN_A_BIN), 1, -1):
        code = quantile_groups(values, groups)
        kinds, sizes = np.unique(code, return_counts=True)
        if len(kinds) > 1 and sizes.min() >= FEWEST_IN_A_BIN:
            return tuple(_bin(values[code == k], happened[here][code == k], weight[here][code == k]) for k in kinds)
    return ()


def _bin(said: np.ndarray, happened: np.ndarray, weight: np.ndarray) -> Bin:
    total = weight.sum()
    share = float((weight * happened).sum() / total)
    worth = float(total**2 / (weight**2).sum())
    z = 1.959963984540054
    middle = (share + z**2 / (2 * worth)) / (1 + z**2 / worth)
    reach = z / (1 + z**2 / worth) * np.sqrt(share * (1 - share) / worth + z**2 / (4 * worth**2))
    return Bin(
        said=float((weight * said).sum() / total),
        observed=share,
        lower=max(float(middle - reach), 0.0),
        upper=min(float(middle + reach), 1.0),
        n=len(said),
        n_events=int(happened.sum()),
    )


def _share(values: np.ndarray, among: np.ndarray, weight: np.ndarray) -> float:
    return float((weight[among] * values[among]).sum() / weight[among].sum())


def _mean(values: np.ndarray, among: np.ndarray, weight: np.ndarray, patients: np.ndarray) -> Mean | None:
    """Weighted mean; its interval takes the weights as known, and estimates of one patient as one."""
    if int(among.sum()) < FEWEST_MEAN:
        return None
    middle = _share(values, among, weight)
    pull = weight[among] * (values[among] - middle) / weight[among].sum()
    _, which = np.unique(np.asarray(patients)[among], return_inverse=True)
    of_each = np.bincount(which, weights=pull)
    m = len(of_each)
    if m < 2:
        return Mean(middle, float("nan"), float("nan"))
    reach = float(stdtrit(m - 1, 0.975) * np.sqrt(m / (m - 1) * (of_each**2).sum()))
    return Mean(middle, middle - reach, middle + reach)
