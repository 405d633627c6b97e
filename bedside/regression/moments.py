"""The risk sets of a fitted Cox model at its coefficients: what residuals, tests and baselines are made of.

Event times and deaths are in the order of `RiskSets`: by stratum, and within a stratum from the latest time to the
earliest. No step depends on the number of ties, and none walks through the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.errors import Fixable
from bedside.regression.model import CoxFit
from bedside.regression.risksets import RiskSets, risk_sets, same_times


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over risk sets for n rows with p columns, g event times within strata and d deaths.

    Attributes
    ----------
    sets : RiskSets
    time : array, shape (n,)
        End of follow-up of each row, rounding noise removed, in the outcome's unit.
    entry : array, shape (n,), or None
        Its start, likewise.
    stratum : array of int, shape (n,)
    weights : array, shape (n,)
        Case weights, 1 where there are none.
    relative : array, shape (n,)
        exp(linear predictor - shift).
    shift : float
        The largest linear predictor, so that nothing overflows.
    x : array, shape (n, p)
        Columns less `centre`.
    centre : array, shape (p,)
        Their means over all rows.
    deaths : array of int, shape (d,)
        Row of each death.
    share : array, shape (d,)
        Efron's k/m for the k-th of m tied deaths, counted from 0; 0 throughout for Breslow.
    each : array, shape (d,)
        Mean weight of the deaths at the same time.
    denominator : array, shape (d,)
        Sum of weight times `relative` over the risk set, less Efron's share of the tied deaths.
    mean : array, shape (d, p)
        Weighted mean of `x` over the same.
    """

    sets: RiskSets
    time: np.ndarray
    entry: np.ndarray | None
    stratum: np.ndarray
    weights: np.ndarray
    relative: np.ndarray
    shift: float
    x: np.ndarray
    centre: np.ndarray
    deaths: np.ndarray
    share: np.ndarray
    each: np.ndarray
    denominator: np.ndarray
    mean: np.ndarray

    @property
    def hazard(self) -> np.ndarray:
        """Each death's term of the cumulative hazard, on the scale of `relative`, shape (d,)."""
        return self.each / self.denominator

    def per_time(self, by_death: np.ndarray) -> np.ndarray:
        """Sums over the deaths of each event time, shape (g, ...)."""
        return np.add.reduceat(by_death, self.sets.start, axis=0) if len(by_death) else by_death

    def held(self, by_death: np.ndarray) -> np.ndarray:
        """For each row, terms of the deaths whose risk sets it was in, shape (n, ...).

        A row that died belongs to its own tied risk sets with Efron's share taken out.
        """
        total = self.sets.while_at_risk(self.per_time(by_death))
        own = self.per_time(by_death * self.share.reshape((-1,) + (1,) * (by_death.ndim - 1)))
        total[self.deaths] -= own[self.sets.group]
        return total


def moments(fit: CoxFit) -> Moments:
    """The risk sets of a fit, summed once.

    References
    ----------
    Efron (1977), JASA 72:557-565. With weights each of m tied deaths counts with their mean weight, as in R's
    ``coxph``.
    """
    if fit.ties == "exact":
        raise Fixable(
            "Not available with exact ties.",
            "Curves, residuals and tests of proportional hazards are not defined for the exact treatment of ties.",
            "Fit the model with Efron's treatment of ties, which is very close.",
        )
    data = fit.data
    time, entry = same_times(data.time, data.entry)
    sets = risk_sets(time, data.event, entry=entry, strata=data.strata)
    weights = np.ones(len(data)) if data.weights is None else data.weights
    shift = float(fit.linear_predictor.max(initial=-np.inf))
    relative = np.exp(fit.linear_predictor - shift)
    centre = data.x.mean(axis=0)
    x = data.x - centre
    wanted = np.column_stack([np.ones(len(x)), x]) * (weights * relative)[:, None]
    place = np.arange(len(sets.deaths)) - sets.start[sets.group]
    share = place / sets.size[sets.group] if fit.ties == "efron" else np.zeros(len(place))
    tied, at_risk = sets.at_event(wanted), sets.at_risk(wanted)
    # Where almost everyone has left, the difference of two long sums may round to less than the deaths alone.
    at_risk[:, 0] = np.maximum(at_risk[:, 0], tied[:, 0])
    at_risk = at_risk[sets.group] - share[:, None] * tied[sets.group]
    return Moments(
        sets=sets,
        time=time,
        entry=entry,
        stratum=np.zeros(len(data), dtype=int) if data.strata is None else np.asarray(data.strata, dtype=int),
        weights=weights,
        relative=relative,
        shift=shift,
        x=x,
        centre=centre,
        deaths=sets.order[sets.deaths],
        share=share,
        each=(sets.at_event(weights) / sets.size)[sets.group],
        denominator=at_risk[:, 0],
        mean=at_risk[:, 1:] / at_risk[:, :1],
    )
