"""Baseline hazards of a Cox model, with what the standard errors of predicted curves are made of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bedside.regression.model import CoxFit
from bedside.regression.moments import Moments, moments


@dataclass(frozen=True, eq=False)
class Baseline:
    """The baseline of one stratum, for a linear predictor of 0, at the t distinct times of its follow-up.

    Attributes
    ----------
    stratum : str
        Its name; empty in a model without strata.
    code : int
        Its position among the model's strata.
    time : array, shape (t,)
        Ascending, in the outcome's unit.
    at_risk, events, censored : arrays, shape (t,)
        Sums of weights: at risk just before each time, and what happened at it.
    cumulative : array, shape (t,)
        Cumulative hazard.
    variance : array, shape (t,)
        Of `cumulative`, if the coefficients were known.
    drift : array, shape (t, p)
        Integral of the risk sets' mean columns, less `centre`, over the baseline hazard.
    centre : array, shape (p,)
    n, n_events : int
        Rows and events.
    """

    stratum: str
    code: int
    time: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    censored: np.ndarray
    cumulative: np.ndarray
    variance: np.ndarray
    drift: np.ndarray
    centre: np.ndarray
    n: int
    n_events: int


@dataclass(frozen=True, eq=False)
class BaselineHazard:
    """Cumulative baseline hazards of all strata, one below the other.

    Attributes
    ----------
    time : array, shape (t,)
    stratum : tuple of str, length t
        Empty texts in a model without strata.
    uncentred : array, shape (t,)
        With every column 0.
    centred : array, shape (t,)
        At R's means: of the columns, except that those of only -1, 0 and 1 stay 0.
    """

    time: np.ndarray
    stratum: tuple[str, ...]
    uncentred: np.ndarray
    centred: np.ndarray


def baseline_hazard(fit: CoxFit, *, sets: Moments | None = None) -> BaselineHazard:
    """Cumulative baseline hazards by stratum: Efron's form with Efron's ties, Breslow's with his.

    An offset is at its (weighted) mean in both.

    References
    ----------
    Therneau & Grambsch (2000), section 10.2. R: ``basehaz(fit, centered = )``.
    """
    parts = baselines(fit, sets=sets)
    # The fit's linear predictor counts offsets from their plain mean, R's curves from their weighted mean.
    shift = mean_offset(fit, weighted=True) - mean_offset(fit)
    at_means = np.concatenate([part.cumulative for part in parts]) * np.exp(shift)
    return BaselineHazard(
        time=np.concatenate([part.time for part in parts]),
        stratum=tuple(part.stratum for part in parts for _ in part.time),
        uncentred=at_means * np.exp(-fit.means @ fit.coef),
        centred=at_means,
    )


def mean_offset(fit: CoxFit, *, weighted: bool = False) -> float:
    """Mean of the offset; 0 without one."""
    if fit.data.offset is None:
        return 0.0
    return float(np.average(fit.data.offset, weights=fit.data.weights if weighted else None))


def baselines(fit: CoxFit, *, sets: Moments | None = None) -> tuple[Baseline, ...]:
    """The baseline of each stratum that holds a row, in the order of the strata."""
    sets = moments(fit) if sets is None else sets
    order = np.lexsort((sets.time, sets.stratum))
    stratum = sets.stratum[order]
    begin = np.flatnonzero(np.r_[True, np.diff(stratum) != 0])
    return tuple(_baseline(fit, sets, order[a:b]) for a, b in pairwise([*begin, len(order)]))


def _baseline(fit: CoxFit, sets: Moments, rows: np.ndarray) -> Baseline:
    """The baseline of the stratum that these rows, ascending by time, are."""
    code = int(sets.stratum[rows[0]])
    time, begin = np.unique(sets.time[rows], return_index=True)
    weight, event = sets.weights[rows], fit.data.event[rows]
    leaving = np.add.reduceat(weight, begin)
    at_risk = np.cumsum(leaving[::-1])[::-1]
    if sets.entry is not None:
        entry = np.sort(sets.entry[rows])
        entering = np.concatenate(([0.0], np.cumsum(weight[np.argsort(sets.entry[rows], kind="stable")])))
        at_risk = at_risk - (entering[-1] - entering[np.searchsorted(entry, time, side="left")])
    dead = sets.stratum[sets.deaths] == code
    hazard = sets.hazard[dead] * np.exp(-sets.shift)
    parts = np.column_stack(
        (hazard, hazard * np.exp(-sets.shift) / sets.denominator[dead], hazard[:, None] * sets.mean[dead])
    )
    by_time = np.zeros((len(time), parts.shape[1]))
    np.add.at(by_time, np.searchsorted(time, sets.time[sets.deaths[dead]]), parts)
    running = np.cumsum(by_time, axis=0)
    return Baseline(
        stratum=fit.data.strata_labels[code] if fit.data.strata is not None else "",
        code=code,
        time=time,
        at_risk=at_risk,
        events=np.add.reduceat(weight * event, begin),
        censored=np.add.reduceat(weight * ~event, begin),
        cumulative=running[:, 0],
        variance=running[:, 1],
        drift=running[:, 2:],
        centre=sets.centre,
        n=len(rows),
        n_events=int(event.sum()),
    )
