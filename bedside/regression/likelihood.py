"""The Cox partial likelihood on plain arrays: value, derivatives and each row's share of the score.

One evaluation costs a matrix product and a few running sums, whatever the ties, strata and entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bedside.regression.data import CoxData
from bedside.regression.model import Ties
from bedside.regression.risksets import RiskSets, as_column, risk_sets, same_times


@dataclass(frozen=True, eq=False)
class Sums:
    """Weighted sums over risk sets at one linear predictor.

    With Efron's ties each death is a term of its own, from whose risk set a share of the tied deaths is taken;
    with Breslow's each event time is one term.

    Attributes
    ----------
    risk : array, shape (n,)
        Case weight times exp(linear predictor - shift), in sorted order.
    shift : array, shape (n,)
        What was taken from the linear predictor in each row's stratum, so that nothing overflows.
    denominator : array, shape (k,)
        Sum of `risk` over each term's risk set.
    mean : array, shape (k, p)
        Weighted mean of the columns in it.
    """

    risk: np.ndarray
    shift: np.ndarray
    denominator: np.ndarray
    mean: np.ndarray


@dataclass(frozen=True, eq=False)
class Partial:
    """What does not change from step to step.

    Attributes
    ----------
    sets : RiskSets
    x : array, shape (n, p)
        Columns in sorted order.
    weights, offset : arrays, shape (n,)
        In sorted order.
    group : array of int, shape (k,)
        Event time of each term.
    share : array, shape (k,)
        Part of the tied deaths that is taken out of the risk set.
    mass : array, shape (k,)
        Case weight of the term.
    """

    sets: RiskSets
    x: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    group: np.ndarray
    share: np.ndarray
    mass: np.ndarray

    @cached_property
    def _death_weights(self) -> np.ndarray:
        return self.weights[self.sets.deaths]

    @cached_property
    def _observed(self) -> np.ndarray:
        """Weighted sum of the columns of those who had the event, shape (p,)."""
        return self._death_weights @ self.x[self.sets.deaths]

    @cached_property
    def _entries(self) -> np.ndarray | None:
        """Sorted places in the order of entry."""
        if self.sets.entry_order is None:
            return None
        place = np.empty(len(self.sets.order), dtype=np.int64)
        place[self.sets.order] = np.arange(len(place))
        return place[self.sets.entry_order]

    @cached_property
    def _block_of(self) -> np.ndarray:
        return np.searchsorted(self.sets.strata_begin, np.arange(len(self.x)), side="right") - 1

    def linear(self, beta: np.ndarray) -> np.ndarray:
        """Linear predictor in sorted order, shape (n,)."""
        return self.x @ beta + self.offset

    def _held(self, values: np.ndarray) -> np.ndarray:
        """Sums over risk sets of values in sorted order."""
        return self.sets.held(values, None if self._entries is None else values[self._entries])

    def sums(self, linear: np.ndarray) -> Sums:
        """Sums over risk sets at a linear predictor in sorted order."""
        shift = np.maximum.reduceat(linear, self.sets.strata_begin)[self._block_of]
        risk = self.weights * np.exp(linear - shift)
        weighted = risk[:, None] * self.x
        deaths, start = self.sets.deaths, self.sets.start
        tied = np.add.reduceat(risk[deaths], start)
        # Where almost everyone has left, the difference of two long sums may round to less than the deaths alone.
        whole = np.maximum(self._held(risk), tied)
        denominator = whole[self.group] - self.share * tied[self.group]
        mean = self._held(weighted)[self.group]
        if self.share.any():
            mean = mean - self.share[:, None] * np.add.reduceat(weighted[deaths], start, axis=0)[self.group]
        with np.errstate(divide="ignore", invalid="ignore"):  # a step so long that every weight vanishes is halved
            return Sums(risk, shift, denominator, mean / denominator[:, None])

    def _value(self, linear: np.ndarray, sums: Sums) -> float:
        shift = sums.shift[self.sets.last][self.group]
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = self.mass @ (np.log(sums.denominator) + shift)
        return float(self._death_weights @ linear[self.sets.deaths] - logs)

    def _spread(self, per_term: np.ndarray) -> np.ndarray:
        """For each row in sorted order, the sum of a value over the terms that saw it, less its share as tied."""
        start = self.sets.start if len(self.group) == len(self.sets.deaths) else np.arange(len(self.sets.start))
        held = self.sets.seen(np.add.reduceat(per_term, start, axis=0))
        tied = np.add.reduceat(as_column(self.share, per_term) * per_term, start, axis=0)[self.sets.group]
        held[self.sets.deaths] -= tied
        return held

    def derivatives(self, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log partial likelihood, gradient (p,) and observed information (p, p)."""
        linear = self.linear(beta)
        s = self.sums(linear)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            gradient = self._observed - self.mass @ s.mean
            # The second moments of all risk sets are one weighted cross-product: a row's weight is what all the
            # risk sets that held this row add up to.
            held = self._spread(self.mass / s.denominator)
            information = self.x.T @ ((s.risk * held)[:, None] * self.x) - s.mean.T @ (self.mass[:, None] * s.mean)
        return self._value(linear, s), gradient, (information + information.T) / 2

    def scores(self, linear: np.ndarray) -> np.ndarray:
        """Score residuals, unweighted, shape (n, p), rows in the table's order.

        Parameters
        ----------
        linear : array, shape (n,)
            Linear predictor in the table's order.

        References
        ----------
        Therneau & Grambsch (2000), section 4.6. R: ``residuals(fit, "score")``.
        """
        sets = self.sets
        linear = linear[sets.order]
        s = self.sums(linear)
        hazard = self._spread(self.mass / s.denominator)
        pulled = self._spread((self.mass / s.denominator)[:, None] * s.mean)
        bare = np.exp(linear - s.shift)[:, None]
        found = bare * (pulled - hazard[:, None] * self.x)
        if len(self.group) == len(sets.deaths):
            centre = np.add.reduceat(s.mean, sets.start, axis=0) / sets.size[:, None]
        else:
            centre = s.mean
        found[sets.deaths] += self.x[sets.deaths] - centre[sets.group]
        residuals = np.empty_like(found)
        residuals[sets.order] = found
        return residuals


def partial(data: CoxData, x: np.ndarray, ties: Ties, *, exact_times: bool = False) -> Partial:
    """The partial likelihood of some rows.

    Parameters
    ----------
    data : CoxData
        At least one event.
    x : array, shape (n, p)
        Columns to use in place of `data.x`, best centred and of similar size.
    ties : {"efron", "breslow"}
    exact_times : bool, default False
        Times that differ by rounding noise alone count as different, as R's ``timefix = FALSE``.
    """
    time, entry = (data.time, data.entry) if exact_times else same_times(data.time, data.entry)
    sets = risk_sets(time, data.event, entry=entry, strata=data.strata)
    n = len(data)
    weights = np.ones(n) if data.weights is None else data.weights[sets.order]
    offset = np.zeros(n) if data.offset is None else (data.offset - data.offset.mean())[sets.order]
    by_time = np.add.reduceat(weights[sets.deaths], sets.start)
    if ties == "efron":
        group = sets.group
        share = (np.arange(len(sets.deaths)) - sets.start[group]) / sets.size[group]
        mass = (by_time / sets.size)[group]
    else:
        group, share, mass = np.arange(len(sets.start)), np.zeros(len(sets.start)), by_time
    return Partial(sets, np.ascontiguousarray(x[sets.order]), weights, offset, group, share, mass)
