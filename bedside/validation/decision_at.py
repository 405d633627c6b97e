"""What treating by a model is worth at one threshold of risk, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.risk.pseudo import pseudo_incidence
from bedside.validation.calibration import Estimate, estimate, standing_for
from bedside.validation.decision import decision_curve
from bedside.validation.measure import rows_of


@dataclass(frozen=True)
class NetBenefit:
    """Net benefit at one threshold, as a share of the patients.

    Attributes
    ----------
    threshold : float
    model : Estimate
        Of treating by the model; this is also what it is worth beyond treating nobody.
    beyond_everybody : Estimate
        Of treating by the model less that of treating everybody.
    treated, right : float
        Shares of the patients whom the model would treat, and whom it would treat and who have the event.
    """

    threshold: float
    model: Estimate
    beyond_everybody: Estimate
    treated: float
    right: float

    @property
    def beyond(self) -> Estimate:
        """Against the better of treating everybody and nobody, the one it is harder to do better than."""
        return min(self.model, self.beyond_everybody, key=lambda each: each.value)


def net_benefit(
    time: np.ndarray,
    cause: np.ndarray,
    risk: np.ndarray,
    t: float,
    threshold: float,
    *,
    entry: np.ndarray | None = None,
    level: float = 0.95,
) -> NetBenefit:
    """Net benefit of treating patients whose risk by `t` is at or above a threshold, with its interval.

    The standard error is that of the sum of what each patient adds: pseudo-observations of the risk, of all patients
    and of those treated. It is what a bootstrap over patients comes to, for predictions taken as they are.

    Parameters
    ----------
    time, cause : arrays, shape (n,)
    risk : array, shape (n,)
        By time `t`.
    t, threshold : float
        The threshold above 0 and below 1.
    entry : array, shape (n,), optional
    level : float, default 0.95

    References
    ----------
    Vickers, Cronin, Elkin & Gonen (2008), BMC Med Inform Decis Mak 8:53 (net benefit). Sande et al. (2020), Stat Med
    39:2980-3002 (its interval). Graw, Gerds & Schumacher (2009), Lifetime Data Anal 15:241-255 (pseudo-observations).
    """
    curve = decision_curve(time, cause, risk, t, thresholds=(threshold,), entry=entry)
    odds, above, n = threshold / (1 - threshold), np.asarray(risk, dtype=float) >= threshold, len(risk)
    treated = float(curve.true_positive[0] + curve.false_positive[0])
    worth = float(curve.true_positive[0]) / treated * (1 + odds) - odds if treated else 0.0
    weight = standing_for(rows_of(time, cause, entry), t) * np.ones(n)
    own = (weight * above - treated) * worth + (1 + odds) * _about(time, cause, t, entry, above)
    everybody = (1 + odds) * _about(time, cause, t, entry, np.ones(n, dtype=bool))

    def told(value: float, part: np.ndarray) -> Estimate:
        return estimate(value, float(np.sqrt((part**2).sum())) / n, level)

    model, all_ = float(curve.model[0]), float(curve.everybody[0])
    return NetBenefit(
        threshold, told(model, own), told(model - all_, own - everybody), treated, float(curve.true_positive[0])
    )


def _about(
    time: np.ndarray, cause: np.ndarray, t: float, entry: np.ndarray | None, among: np.ndarray
) -> np.ndarray:  # fmt: skip
    """What each patient adds to the risk of a part of the patients, 0 for the others, shape (n,)."""
    out = np.zeros(len(among))
    if among.sum() > 1:
        begun = None if entry is None else np.asarray(entry)[among]
        pseudo = pseudo_incidence(np.asarray(time)[among], np.asarray(cause)[among], [t], entry=begun)[:, 0]
        out[among] = pseudo - pseudo.mean()
    return out
