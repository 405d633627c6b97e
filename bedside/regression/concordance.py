"""Concordance of a score with survival, all time weights, with strata, case weights and delayed entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bedside.regression.dominance import earlier, earlier_and_lower
from bedside.regression.model import CoxFit
from bedside.regression.risksets import RiskSets, risk_sets, same_times

TimeWeight = Literal["n", "S", "S/G", "n/G2", "I"]


@dataclass(frozen=True)
class Concordance:
    """How well a score ranks who has the event first.

    Attributes
    ----------
    c : float
        Share of comparable pairs in which the row with the higher score had the event first, ties of the score
        counting half. NaN if no pair is comparable.
    se : float
        By the infinitesimal jackknife, summed within clusters.
    concordant, discordant, tied_x, tied_time, tied_both : float
        Weighted pairs: in the right order, in the wrong order, with the same score; and with events at the same
        time, with different scores and with the same one, which are not compared.
    n : int
        Rows.
    """

    c: float
    se: float
    concordant: float
    discordant: float
    tied_x: float
    tied_time: float
    tied_both: float
    n: int


def concordance(
    time: np.ndarray,
    event: np.ndarray,
    score: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
    time_weight: TimeWeight = "n",
    up_to: float | None = None,
) -> Concordance:
    """Concordance of a score for which higher means sooner.

    Parameters
    ----------
    time : array, shape (n,)
        End of follow-up, any unit.
    event : array of bool, shape (n,)
    score : array, shape (n,)
        Only its order counts.
    entry : array, shape (n,), optional
        At risk in (entry, time].
    strata, cluster : array of int, shape (n,), optional
        Pairs are made within strata; rows of one cluster are one for the standard error.
    weights : array, shape (n,), optional
        Case weights.
    time_weight : {"n", "S", "S/G", "n/G2", "I"}, default "n"
        What a pair counts by the time of its event: 1 (Harrell), survival over the number at risk (Peto and
        Wilcoxon), the same over the censoring curve (Schemper), the inverse square of the censoring curve (Uno),
        or the inverse of the number at risk. The two with the censoring curve only without entry.
    up_to : float, optional
        Events after this time count nothing.

    References
    ----------
    Harrell et al. (1982), JAMA 247:2543-2546. Uno et al. (2011), Stat Med 30:1105-1117. Therneau & Atkinson,
    vignette "Concordance". R: ``concordance(Surv(time, event) ~ score, timewt = , ymax = , reverse = TRUE)``.
    """
    time, entry = same_times(np.asarray(time, dtype=float), entry)
    pairs = _Pairs(
        sets=risk_sets(time, event, entry=entry, strata=strata),
        time=time,
        event=np.asarray(event, dtype=bool),
        entry=entry,
        score=np.unique(score, return_inverse=True)[1],
        strata=np.zeros(len(time), dtype=np.int64) if strata is None else np.unique(strata, return_inverse=True)[1],
        weights=np.ones(len(time)) if weights is None else np.asarray(weights, dtype=float),
    )
    return pairs.compared(_time_weights(pairs, time_weight, up_to), cluster)


def concordance_of(fit: CoxFit) -> Concordance:
    """Concordance of a Cox model's own linear predictor, as R's ``fit$concordance``."""
    data = fit.data
    return concordance(
        data.time,
        data.event,
        fit.linear_predictor,
        entry=data.entry,
        strata=data.strata,
        weights=data.weights,
        cluster=data.cluster if fit.robust else None,
    )


@dataclass(frozen=True, eq=False)
class _Pairs:
    sets: RiskSets
    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None
    score: np.ndarray  # ranks from 0
    strata: np.ndarray
    weights: np.ndarray

    def _keys(self) -> tuple[np.ndarray, np.ndarray | None, int]:
        """Whole numbers that rise with time, of ends and of entries, and one above them all.

        An end comes before another if its number is smaller: events before censorings of the same time. An entry
        has a larger number than an event at its own time, which it misses.
        """
        times = np.unique(self.time)
        end = 2 * np.searchsorted(times, self.time) + ~self.event
        begun = None if self.entry is None else 2 * np.searchsorted(times, self.entry, side="right") - 1
        return end, begun, 2 * len(times) + 1

    def compared(self, time_weight: np.ndarray, cluster: np.ndarray | None) -> Concordance:
        """Count all pairs, given the time weight of each event time."""
        rows = self.sets.order[self.sets.deaths]
        at = time_weight[self.sets.group]
        first = self._as_first(rows) * at  # (3, d): concordant, discordant, tied
        influence = self._as_later(rows, at * self.weights[rows])
        influence[:, rows] += first
        concordant, discordant, tied = first @ self.weights[rows]
        tied_time, tied_both = self._ties(rows, time_weight)
        total = concordant + discordant + tied
        if not total > 0:
            return Concordance(np.nan, np.nan, 0.0, 0.0, 0.0, tied_time, tied_both, len(self.time))
        difference = (concordant - discordant) / total
        moved = self.weights * ((influence[0] - influence[1]) - difference * influence.sum(axis=0)) / total
        if cluster is not None:
            moved = np.bincount(np.unique(cluster, return_inverse=True)[1], weights=moved)
        return Concordance(
            c=(difference + 1) / 2,
            se=float(np.sqrt((moved**2).sum())) / 2,
            concordant=float(concordant),
            discordant=float(discordant),
            tied_x=float(tied),
            tied_time=tied_time,
            tied_both=tied_both,
            n=len(self.time),
        )

    def _same(self) -> np.ndarray:
        """A number for each stratum and score."""
        return self.strata * (int(self.score.max(initial=0)) + 1) + self.score

    def _as_first(self, rows: np.ndarray) -> np.ndarray:
        """For each event, the weight of the rows at risk beyond it with a lower, a higher and the same score."""
        end, begun, top = self._keys()
        key, weight, who = top - end, self.weights, np.arange(len(self.time))
        if begun is not None:
            key = np.concatenate((key, top - begun))
            weight, who = np.concatenate((weight, -weight)), np.concatenate((who, who))
        query, same, strata = (top - end)[rows], self._same(), self.strata
        beyond = earlier(strata[who], key, weight, strata[rows], query)
        tied = earlier(same[who], key, weight, same[rows], query)
        # Keys fall and scores rise with the stratum's number, so that no pair is made across strata.
        width = top + 2
        lower = earlier_and_lower(
            key - strata[who] * width, same[who], weight, query - strata[rows] * width, same[rows]
        )
        return _cleared(np.stack((lower, beyond - lower - tied, tied)), self.weights)

    def _as_later(self, rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """For each row, the weight of the events it outlived at risk, with a higher, a lower and the same score."""
        end, begun, top = self._keys()
        same, strata, width = self._same(), self.strata, top + 2
        n, key = len(self.time), end[rows]
        query = end if begun is None else np.concatenate((end, begun))
        who = np.arange(len(query)) % n
        outlived = earlier(strata[rows], key, weight, strata[who], query)
        tied = earlier(same[rows], key, weight, same[who], query)
        lower = earlier_and_lower(
            key - strata[rows] * width, same[rows], weight, query - strata[who] * width, same[who]
        )
        found = np.stack((outlived - lower - tied, lower, tied))
        return _cleared(found if begun is None else found[:, :n] - found[:, n:], weight)

    def _ties(self, rows: np.ndarray, time_weight: np.ndarray) -> tuple[float, float]:
        """Weighted pairs of events at one time: with different scores, and with the same."""
        weight, group = self.weights[rows], self.sets.group
        both = np.unique(group * (int(self.score.max(initial=0)) + 1) + self.score[rows], return_inverse=True)
        same = _pairs(weight, both[1])
        at = time_weight[group[np.unique(both[1], return_index=True)[1]]]
        plain = time_weight if self.entry is None else np.ones_like(time_weight)
        together = float((at * same).sum())
        return float((plain * _pairs(weight, group)).sum()) - together, together


def _cleared(sums: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Sums of weights with what is only rounding noise made 0: a sum is 0 or about as large as a weight."""
    counted = weight[weight > 0]
    sums[np.abs(sums) < 1e-6 * (counted.min() if len(counted) else 1.0)] = 0.0
    return sums


def _pairs(weight: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Sum over the pairs within each group of the product of their weights."""
    return (np.bincount(group, weights=weight) ** 2 - np.bincount(group, weights=weight**2)) / 2


def _time_weights(pairs: _Pairs, kind: TimeWeight, up_to: float | None) -> np.ndarray:
    """What each event time counts, shape (g,)."""
    sets = pairs.sets
    weight = np.ones(len(sets.time))
    if kind != "n":
        at_risk = sets.at_risk(pairs.weights)
        died = sets.at_event(pairs.weights)
        for stratum in np.unique(sets.stratum):
            here = np.flatnonzero(sets.stratum == stratum)[::-1]  # earliest first
            rows = np.flatnonzero(pairs.strata == stratum)
            if pairs.event[rows].sum() > 1:
                weight[here] = _weights_of(pairs, kind, rows, sets.time[here], at_risk[here], died[here])
    return weight if up_to is None else np.where(sets.time > up_to, 0.0, weight)


def _weights_of(
    pairs: _Pairs, kind: TimeWeight, rows: np.ndarray, time: np.ndarray, at_risk: np.ndarray, died: np.ndarray
) -> np.ndarray:
    """Time weights of one stratum, event times ascending."""
    if kind == "I":
        return 1 / at_risk
    survival = np.concatenate(([1.0], np.cumprod((at_risk - died) / at_risk)[:-1]))
    spread = pairs.weights[rows].sum() * survival / at_risk
    if kind == "S":
        return spread
    uncensored = _still_uncensored(pairs.time[rows], pairs.event[rows], pairs.weights[rows], time)
    return spread / uncensored if kind == "S/G" else 1 / uncensored**2


def _still_uncensored(time: np.ndarray, event: np.ndarray, weight: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Kaplan-Meier curve of the censoring just before each time; a tied event comes before a censoring."""
    times, place = np.unique(time, return_inverse=True)
    censored = np.bincount(place, weights=weight * ~event)
    events = np.bincount(place, weights=weight * event)
    left = np.cumsum((censored + events)[::-1])[::-1] - events
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = np.cumprod(np.where(censored > 0, (left - censored) / left, 1.0))
    return np.concatenate(([1.0], curve))[np.searchsorted(times, at)]
