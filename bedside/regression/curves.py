"""Predicted survival of new patients from a Cox model, with intervals, for any strata and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.regression.baseline import Baseline, baselines, mean_offset
from bedside.regression.model import CoxFit
from bedside.regression.moments import Moments
from bedside.survival.curve import Curve, Quantile
from bedside.survival.intervals import Interval, interval_of


@dataclass(frozen=True, eq=False)
class Patients:
    """Patients to predict for, in the columns of a fit.

    Attributes
    ----------
    x : array, shape (m, p)
        Their columns, coded as the fit's.
    strata : array of int, shape (m,), or None
        Their strata; None where they are not known: then they get a curve in each.
    offset : array, shape (m,), or None
        Their part of the linear predictor with a coefficient of 1, where the fit has one.
    """

    x: np.ndarray
    strata: np.ndarray | None = None
    offset: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class PredictedCurve:
    """One patient's predicted survival in one stratum.

    Attributes
    ----------
    patient : int
        Position among the patients asked about.
    stratum : str
        Whose baseline it follows; empty without strata.
    linear_predictor : float
        Log hazard ratio to a patient at the fit's means.
    curve : Curve
        Steps with their interval, cumulative hazard and standard errors; what it counts is the stratum's rows.
    """

    patient: int
    stratum: str
    linear_predictor: float
    curve: Curve

    def at(self, times: ArrayLike) -> PredictedPoints:
        """Values at chosen times, the last one carried on, as R's ``summary(survfit, times, extend = TRUE)``."""
        curve = self.curve
        t = np.atleast_1d(np.asarray(times, dtype=float))
        row = np.maximum(np.searchsorted(curve.time, t, side="right") - 1, 0)
        return PredictedPoints(
            time=t,
            survival=curve.survival[row],
            std_err=curve.std_err[row],
            cumulative_hazard=curve.cumulative_hazard[row],
            lower=curve.lower[row],
            upper=curve.upper[row],
        )

    def quantile(self, p: float) -> Quantile:
        """When a share p of such patients would have had the event; NaN where not reached."""
        return self.curve.quantile(p)


@dataclass(frozen=True, eq=False)
class PredictedPoints:
    """Predicted survival at chosen times; arrays of shape (t,), `std_err` that of survival."""

    time: np.ndarray
    survival: np.ndarray
    std_err: np.ndarray
    cumulative_hazard: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def linear_predictor(fit: CoxFit, patients: Patients, *, reference: Literal["sample", "zero"] = "sample") -> np.ndarray:
    """Log hazard ratios of patients to one at the fit's means, or to one whose columns are all 0, shape (m,).

    References
    ----------
    R: ``predict(fit, newdata, type = "lp", reference = )``. As there, the offset counts in full against the
    sample, and less the mean offset of the fit's rows against zero.
    """
    offset = np.zeros(len(patients.x)) if patients.offset is None else patients.offset
    if reference == "sample":
        return (patients.x - fit.means) @ fit.coef + offset
    return patients.x @ fit.coef + offset - (mean_offset(fit) if np.any(fit.means != 0) else 0.0)


def predicted_curves(
    fit: CoxFit,
    patients: Patients,
    *,
    level: float = 0.95,
    interval: Interval = "log",
    unit: Unit = "days",
    sets: Moments | None = None,
) -> tuple[PredictedCurve, ...]:
    """Predicted survival curves exp(-H) of patients, with pointwise intervals.

    The standard error of H = H0(t) exp(lp) holds the baseline's part and the coefficients' part, the latter from
    the robust variance where the fit has one.

    Parameters
    ----------
    fit : CoxFit
    patients : Patients
    level : float, default 0.95
    interval : {"log", "log-log", "plain", "logit", "arcsin"}, default "log"
    unit : str, default "days"
        The outcome's unit.
    sets : Moments, optional
        Of the same fit.

    Returns
    -------
    tuple of PredictedCurve
        One for each patient; with strata and none given, for each patient one for each stratum.

    Raises
    ------
    Fixable
        If a patient's stratum has no rows in the fit, or level or interval are not known.

    References
    ----------
    Therneau & Grambsch (2000), section 10.2. R: ``survfit(fit, newdata, conf.type = , conf.int = )``.
    """
    bases = {base.code: base for base in baselines(fit, sets=sets)}
    lp = linear_predictor(fit, patients)
    curves = []
    for i, row in enumerate(patients.x):
        asked = list(bases) if patients.strata is None or fit.data.strata is None else [int(patients.strata[i])]
        for code in asked:
            if code not in bases:
                raise Fixable(
                    "No curve for this patient.",
                    "The model has no patients in that stratum.",
                    "Choose a stratum of the model, or leave the stratum out of it.",
                )
            base = bases[code]
            curve = _curve(fit, base, row, float(lp[i]), level=level, interval=interval, unit=unit)
            curves.append(PredictedCurve(i, base.stratum, float(lp[i]), curve))
    return tuple(curves)


def _curve(
    fit: CoxFit, base: Baseline, row: np.ndarray, lp: float, *, level: float, interval: Interval, unit: Unit
) -> Curve:
    away = np.outer(base.cumulative, row - base.centre) - base.drift
    spread = np.maximum(((away @ fit.variance) * away).sum(axis=1), 0.0)
    ratio = np.exp(lp - mean_offset(fit))
    hazard = _begun(base.cumulative * ratio, 0.0)
    log_se = _begun(np.sqrt(base.variance + spread) * ratio, 0.0)
    survival = np.exp(-hazard)
    lower, upper = interval_of(survival, log_se, level=level, interval=interval)
    lower[0] = upper[0] = 1.0
    return Curve(
        group=base.stratum,
        unit=unit,
        time=_begun(base.time, 0.0),
        survival=survival,
        lower=lower,
        upper=upper,
        at_risk=_begun(base.at_risk, base.at_risk[0]),
        events=_begun(base.events, 0.0),
        censored=_begun(base.censored, 0.0),
        n=base.n,
        n_events=base.n_events,
        level=level,
        interval=interval,
        std_err=survival * log_se,
        log_std_err=log_se,
        cumulative_hazard=hazard,
        hazard_std_err=log_se,
        estimator="fleming-harrington" if fit.ties == "efron" else "nelson-aalen",
    )


def _begun(values: np.ndarray, first: float) -> np.ndarray:
    return np.concatenate(([first], values))
