"""The Cox partial likelihood with Breslow's ties, weights, strata and delayed entry, as penalised paths need it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bedside.regression.risksets import RiskSets, risk_sets, same_times


@dataclass(frozen=True, eq=False)
class Point:
    """The partial likelihood at one linear predictor.

    Attributes
    ----------
    value : float
        Log partial likelihood; minus infinity where it is out of reach of floating point.
    residual : array, shape (n,)
        Its derivative by each row's linear predictor: weighted martingale residuals.
    hazard : array, shape (n,)
        Weighted expected number of events of each row.
    relative : array, shape (n,)
        Weight times exp(linear predictor), up to a common factor.
    total : array, shape (g,)
        Sum of `relative` over each risk set.
    """

    value: float
    residual: np.ndarray
    hazard: np.ndarray
    relative: np.ndarray
    total: np.ndarray


@dataclass(frozen=True, eq=False)
class Rows:
    """Outcomes of rows in the order of risk sets: end, event, case weight, entry and stratum, shape (n,) each."""

    time: np.ndarray
    event: np.ndarray
    weight: np.ndarray
    entry: np.ndarray | None
    strata: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Who was at risk when, and with which weight. Rows are in the order of `order` everywhere here.

    Attributes
    ----------
    sets : RiskSets
        Of the ordered rows.
    order : array of int, shape (n,)
        Rows of the table by stratum, then from the longest follow-up to the shortest.
    weight : array, shape (n,)
        0 for a row that takes no part.
    deaths : array, shape (n,)
        Weight of the rows with the event, 0 elsewhere.
    at_event : array, shape (g,)
        Weight of the events at each time.
    rows : Rows
    """

    sets: RiskSets
    order: np.ndarray
    weight: np.ndarray
    deaths: np.ndarray
    at_event: np.ndarray
    rows: Rows

    @property
    def saturated(self) -> float:
        """Log partial likelihood of a model with a parameter for each row: that of deviances."""
        return -float(self.at_event @ np.log(self.at_event))

    @property
    def null_deviance(self) -> float:
        """Deviance of a linear predictor that is the same for everyone."""
        return float(self.deviances(np.zeros((len(self.weight), 1)))[0])

    def deviances(self, eta: np.ndarray) -> np.ndarray:
        """Twice the way from the saturated log partial likelihood to that of each column, shape (n, k) to (k,)."""
        return 2 * (self.saturated - self.values(eta))

    def scaled(self, total: float) -> Likelihood:
        """The same with weights that sum to `total`."""
        by = total / float(self.weight.sum())
        return replace(self, weight=self.weight * by, deaths=self.deaths * by, at_event=self.at_event * by)

    def keeping(self, kept: np.ndarray) -> Likelihood:
        """The same rows with weight 0 for those not in a mask in the order of `order`; event times nobody has go."""
        return _built(replace(self.rows, weight=np.where(kept, self.rows.weight, 0.0)), self.order)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        """Sums over the risk sets, shape (g, ...)."""
        late = None if self.sets.entry_order is None else values[self.sets.entry_order]
        return self.sets.held(values, late)

    def values(self, eta: np.ndarray) -> np.ndarray:
        """Log partial likelihood of each column of linear predictors, shape (n, k) to (k,)."""
        top = eta.max(axis=0, initial=-np.inf)
        with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
            total = self._sum(self.weight[:, None] * np.exp(eta - top))
            value = self.deaths @ (eta - top) - self.at_event @ np.log(np.maximum(total, 0.0))
        return np.where(np.isfinite(value), value, -np.inf)

    def at(self, eta: np.ndarray) -> Point:
        """Value and derivatives at a linear predictor, shape (n,)."""
        top = float(eta.max(initial=-np.inf))
        with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
            relative = self.weight * np.exp(eta - top)
            total = self._sum(relative)
            value = float(self.deaths @ (eta - top) - self.at_event @ np.log(np.maximum(total, 0.0)))
            hazard = relative * self.sets.seen(self.at_event / total)
        return Point(value if np.isfinite(value) else -np.inf, self.deaths - hazard, hazard, relative, total)

    def information(self, point: Point, x: np.ndarray) -> np.ndarray:
        """Observed information of the coefficients of some columns, shape (n, a) to (a, a)."""
        mean = self._sum(point.relative[:, None] * x) / point.total[:, None]
        root = np.sqrt(np.maximum(point.hazard, 0.0))[:, None] * x
        mean *= np.sqrt(self.at_event)[:, None]
        return root.T @ root - mean.T @ mean


def likelihood_of(
    time: np.ndarray,
    event: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    entry: np.ndarray | None = None,
    strata: np.ndarray | None = None,
) -> Likelihood:
    """Sort rows into risk sets.

    Parameters
    ----------
    time : array, shape (n,)
        End of follow-up, any unit, finite.
    event : array of bool, shape (n,)
        A censoring at the time of an event counts as still at risk.
    weight : array, shape (n,), optional
        At least 0; rows of weight 0 take no part but keep their place.
    entry : array, shape (n,), optional
        At risk in (entry, time].
    strata : array of int, shape (n,), optional
        Codes from 0.
    """
    time, entry = same_times(np.asarray(time, dtype=float), entry)
    weight = np.ones(len(time)) if weight is None else np.asarray(weight, dtype=float)
    event = np.asarray(event, dtype=bool)
    order = risk_sets(time, event, entry=entry, strata=strata).order
    rows = Rows(
        time=time[order],
        event=event[order],
        weight=weight[order],
        entry=None if entry is None else entry[order],
        strata=None if strata is None else np.asarray(strata)[order],
    )
    return _built(rows, order)


def _built(rows: Rows, order: np.ndarray) -> Likelihood:
    seen = rows.event & (rows.weight > 0)
    sets = risk_sets(rows.time, seen, entry=rows.entry, strata=rows.strata)
    deaths = np.where(seen, rows.weight, 0.0)
    at_event = np.add.reduceat(deaths[sets.deaths], sets.start) if len(sets.start) else np.zeros(0)
    return Likelihood(sets, order, rows.weight, deaths, at_event, rows)
