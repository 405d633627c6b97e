"""What a decision at a threshold of risk does to a group: who is flagged, who is missed, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtri

from bedside.competing.incidence import cumulative_incidence
from bedside.survival.estimate import kaplan_meier
from bedside.validation.calibration import UNKNOWN, Estimate
from bedside.validation.measure import Rows
from bedside.validation.observed import ObservedRisk, observed_risk

RATES = ("flagged", "sensitivity", "specificity", "ppv", "npv", "false_positive")


@dataclass(frozen=True)
class AtThreshold:
    """Patients whose risk by `t` is at or above a threshold, against those below it, in one group.

    Attributes
    ----------
    threshold : float
    n_flagged, n : int
    above, below : ObservedRisk
        Of those flagged and of those not.
    flagged : Estimate
        Share flagged.
    sensitivity, specificity, false_positive : Estimate
        Share flagged of those who have the event by `t`; share not flagged, and flagged, of those who do not.
    ppv, npv : Estimate
        Share of those flagged who have the event by `t`, and of those not flagged who do not.
    """

    threshold: float
    n_flagged: int
    n: int
    above: ObservedRisk
    below: ObservedRisk
    flagged: Estimate
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate
    false_positive: Estimate


def at_threshold(rows: Rows, risk: np.ndarray, t: float, threshold: float, *, level: float = 0.95) -> AtThreshold:
    """What a decision at a threshold does, with censoring allowed for.

    Parameters
    ----------
    rows : Rows
    risk : array, shape (n,)
        By time `t`.
    t, threshold : float
    level : float, default 0.95

    Notes
    -----
    With p the share flagged and R1, R0 the risks by `t` among those flagged and not (Kaplan-Meier, Aalen-Johansen
    with competing events): sensitivity is p R1 / (p R1 + (1 - p) R0), specificity (1 - p)(1 - R0) / ((1 - p)(1 - R0)
    + p (1 - R1)). Standard errors are by the delta method on the logit scale, from the binomial variance of p and
    Greenwood's of R1 and R0. NaN where follow-up of either side is shorter than `t`, or nobody is on it.

    References
    ----------
    Heagerty, Lumley & Pepe (2000), Biometrics 56:337-344. Begg, Cramer, Venkatraman & Rosai (2000), Stat Med
    19:1997-2014.
    """
    above = np.asarray(risk, dtype=float) >= threshold
    (one, e1), (zero, e0) = (observed_with_error(_part(rows, side), t, level) for side in (above, ~above))
    n, k = len(above), int(above.sum())
    p, r1, r0 = k / max(n, 1), one.risk, zero.risk
    z = float(ndtri((1 + level) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        split = 1 / np.float64(n * p * (1 - p))
        hit = np.float64(p * r1) / (p * r1 + (1 - p) * r0)
        spared = np.float64((1 - p) * (1 - r0)) / ((1 - p) * (1 - r0) + p * (1 - r1))
        of_hit = np.sqrt(split + (e1 / np.float64(r1)) ** 2 + (e0 / np.float64(r0)) ** 2)
        of_spared = np.sqrt(split + (e1 / np.float64(1 - r1)) ** 2 + (e0 / np.float64(1 - r0)) ** 2)
    specificity = _on_logit(spared, of_spared, z)
    return AtThreshold(
        threshold=float(threshold), n_flagged=k, n=n, above=one, below=zero,
        flagged=_on_logit(p, np.sqrt(split), z),
        sensitivity=_on_logit(hit, of_hit, z),
        specificity=specificity,
        ppv=Estimate(r1, e1, one.lower, one.upper),
        npv=Estimate(1 - r0, e0, 1 - zero.upper, 1 - zero.lower),
        false_positive=Estimate(
            1 - specificity.value, specificity.std_err, 1 - specificity.upper, 1 - specificity.lower
        ),
    )  # fmt: skip


def difference(group: Estimate, reference: Estimate, *, level: float = 0.95) -> Estimate:
    """One group's rate less that of the reference group: other patients, so that variances add up."""
    value = group.value - reference.value
    std_err = float(np.hypot(group.std_err, reference.std_err))
    if not np.isfinite(value + std_err):
        return Estimate(value, np.nan, np.nan, np.nan) if np.isfinite(value) else UNKNOWN
    reach = float(ndtri((1 + level) / 2)) * std_err
    return Estimate(value, std_err, value - reach, value + reach)


def observed_with_error(rows: Rows, t: float, level: float) -> tuple[ObservedRisk, float]:
    """Observed risk by `t`, and its standard error (Greenwood's; with competing events that of Aalen-Johansen)."""
    seen = observed_risk(rows, t, level=level)
    if not 0 < seen.risk < 1:
        return seen, float("nan")
    if rows.competes:
        points = cumulative_incidence(rows.time, rows.cause, entry=rows.entry).at([t])
        return seen, float(points.std_err[0, 0])
    return seen, float(kaplan_meier(rows.time, rows.cause == 1, entry=rows.entry).at([t]).std_err[0])


def _on_logit(value: float, spread: float, z: float) -> Estimate:
    """A share with its interval on the logit scale."""
    value, spread = float(value), float(spread)
    if not (0 < value < 1 and np.isfinite(spread)):
        return Estimate(value, np.nan, np.nan, np.nan)
    lower, upper = (float(expit(logit(value) + side * z * spread)) for side in (-1, 1))
    return Estimate(value, spread * value * (1 - value), lower, upper)


def _part(rows: Rows, here: np.ndarray) -> Rows:
    return Rows(rows.time[here], rows.cause[here], rows.event[here], None if rows.entry is None else rows.entry[here])
