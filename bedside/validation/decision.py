"""Is a model worth using? Net benefit of treating by its risks, against treating everybody and nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.validation.calibration import standing_for
from bedside.validation.measure import rows_of
from bedside.validation.observed import counter

THRESHOLDS = tuple(float(p) for p in np.round(np.arange(0.01, 1.0, 0.01), 2))


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit by threshold of risk.

    Attributes
    ----------
    t : float
        Time of the risks.
    thresholds : array, shape (k,)
        Risk from which on one would treat, above 0 and below 1.
    model, everybody, nobody : arrays, shape (k,)
        Net benefit: true positives less false positives times the odds of the threshold, as a share of the patients.
    true_positive, false_positive : arrays, shape (k,)
        Shares of the patients whom the model would treat, and who have or do not have the event by `t`.
    n_above : array of int, shape (k,)
        Patients whom the model would treat.
    n : int
    """

    t: float
    thresholds: np.ndarray
    model: np.ndarray
    everybody: np.ndarray
    nobody: np.ndarray
    true_positive: np.ndarray
    false_positive: np.ndarray
    n_above: np.ndarray
    n: int

    @property
    def gain_per_1000(self) -> np.ndarray:
        """Net true positives among 1,000 patients beyond the better of treating everybody and nobody, shape (k,)."""
        return 1000 * (self.model - np.maximum(self.everybody, self.nobody))

    @property
    def per_1000(self) -> np.ndarray:
        """Net true positives among 1,000 patients, shape (k,)."""
        return 1000 * self.model

    @property
    def avoided_per_1000(self) -> np.ndarray:
        """Treatments that the model spares among 1,000 patients without missing an event more than treating everybody
        would, net, shape (k,)."""
        return 1000 * (self.model - self.everybody) * (1 - self.thresholds) / self.thresholds


def decision_curve(
    time: np.ndarray,
    cause: np.ndarray,
    risk: np.ndarray,
    t: float,
    *,
    thresholds: np.ndarray | tuple[float, ...] = THRESHOLDS,
    entry: np.ndarray | None = None,
) -> DecisionCurve:
    """Net benefit of treating patients whose risk by `t` is at or above each threshold.

    Events among them are counted by Kaplan-Meier, or Aalen-Johansen with competing events, whose last value is
    carried on where their follow-up is shorter. With delayed entry patients are weighed by those they stand for.

    Parameters
    ----------
    time, cause : arrays, shape (n,)
    risk : array, shape (n,)
        By time `t`.
    thresholds : array, shape (k,)
        Above 0 and below 1.

    References
    ----------
    Vickers, Cronin, Elkin & Gonen (2008), BMC Med Inform Decis Mak 8:53. R: ``dcurves::dca(Surv(time, event) ~ risk,
    time = t)``.
    """
    at, values = np.asarray(thresholds, dtype=float), np.asarray(risk, dtype=float)
    if not ((at > 0) & (at < 1)).all():
        raise ValueError("thresholds must lie above 0 and below 1")
    rows = rows_of(time, cause, entry)
    count, weight = counter(rows, t), standing_for(rows, t) * np.ones(len(values))
    n, odds = len(values), at / (1 - at)
    overall = count.risk(np.ones(n, dtype=bool))
    above = n - np.searchsorted(np.sort(values), at, side="left")
    right, part = np.zeros(len(at)), above / n
    for size in np.unique(above[above > 0]):
        which = above == size
        among = values >= at[which][0]
        if entry is not None:
            part[which] = weight[among].sum() / n
        right[which] = count.risk(among) * part[which]
    wrong = part - right
    return DecisionCurve(
        t=float(t), thresholds=at, model=right - wrong * odds, everybody=overall - (1 - overall) * odds,
        nobody=np.zeros(len(at)), true_positive=right, false_positive=wrong, n_above=above, n=n,
    )  # fmt: skip
