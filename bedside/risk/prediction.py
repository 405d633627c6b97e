"""Predicted risk of single patients, as step curves with intervals and as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from scipy.linalg import cholesky
from scipy.special import ndtri

from bedside.cohort import Cohort, Unit
from bedside.risk.hazards import RiskInterval, combine, survival_limits, within
from bedside.risk.model import Model


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted curves of n patients: right-continuous steps.

    Attributes
    ----------
    time : array, shape (t,)
        0, then each event time of the training patients, then the longest follow-up, in `unit`.
    survival, lower, upper : arrays, shape (n, t)
        Chance of being free of the event after `time`, and its pointwise interval.
    unit : str
    level : float
        Coverage of the interval.
    interval : {"log-log", "log"}
        Scale on which it is symmetrical.
    """

    time: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    unit: Unit
    level: float
    interval: RiskInterval = "log-log"

    @property
    def last(self) -> float:
        """Longest follow-up of the training patients; nothing is predicted beyond it."""
        return float(self.time[-1])

    def risk_at(self, t: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Risk of the event by time `t` (in `unit`) with its interval, each of shape (n,).

        Between 0 and the first event a log-log interval is NaN, as in R: nothing is known of how rare an event is
        that nobody had.

        Raises
        ------
        Fixable
            If `t` is negative or beyond the longest follow-up.
        """
        at = np.searchsorted(self.time, within(t, self.last, self.unit), side="right") - 1
        if at == 0 and t > 0 and self.interval == "log-log":
            unknown = np.full(len(self.survival), np.nan)
            return 1 - self.survival[:, 0], unknown, unknown.copy()
        return 1 - self.survival[:, at], 1 - self.upper[:, at], 1 - self.lower[:, at]


def encode(model: Model, frame: pd.DataFrame) -> np.ndarray:
    """Design matrix of patients, shape (n, p): filled, transformed, centred on the training means.

    `frame` may lack columns, which are then missing for everyone, and hold levels never seen, which are read
    as the commonest level; `notes` says so for each patient.
    """
    return model.design.encode(frame)


def linear_predictor(model: Model, frame: pd.DataFrame) -> np.ndarray:
    """Log hazard of patients relative to the centre of the training patients, shape (n,).

    Equals R's ``predict(fit, type = "lp")`` up to a constant: R leaves 0/1 columns uncentred.
    """
    return combine(encode(model, frame), model.coef)


def predict(
    model: Model, patients: pd.DataFrame, *, level: float = 0.95, interval: RiskInterval = "log-log"
) -> Prediction:
    """Predicted survival curves with pointwise intervals.

    S(t|x) = exp(-H) with H = H0(t) e^lp and Efron's baseline H0. With se the standard error of H, from the
    baseline and from the coefficients together, the interval of S is exp(-H exp(±z·se/H)) on the log-log scale
    and exp(-H ± z·se), cut at 1, on the log scale. Under the ridge the coefficients' part of se uses the inverse
    of the penalised information.

    Parameters
    ----------
    model : Model
    patients : pandas.DataFrame, shape (n, n_columns)
        In the cohort's units and codes. All curves are held at once: use `risks` for whole cohorts.
    level : float, default 0.95
        Coverage, between 0 and 1.
    interval : {"log-log", "log"}
        Log-log keeps its coverage where events are few, and is the one of the Kaplan-Meier curves; R's own
        default is log.

    References
    ----------
    Therneau & Grambsch (2000), section 10.2. R: ``survfit(coxph(...), newdata, conf.type = )``: step curves,
    not interpolated. On the log-log scale R has NA where S rounds to 0 or 1; here H still gives limits.

    Raises
    ------
    ValueError
        If `interval` is neither.
    """
    if interval not in get_args(RiskInterval):
        raise ValueError(f"interval must be one of {', '.join(get_args(RiskInterval))}")
    x = encode(model, patients)
    hazard, se = _cumulative_hazard(model, x)
    z = ndtri((1 + level) / 2)
    base = model.baseline
    time = np.r_[0.0, base.time, base.last]
    steps = np.r_[0, np.arange(len(base.time)) + 1, len(base.time)]
    start = np.zeros((len(x), 1))
    hazard, se = np.hstack([start, hazard])[:, steps], np.hstack([start, se])[:, steps]
    if len(base.time) and base.time[-1] == base.last:
        time, hazard, se = time[:-1], hazard[:, :-1], se[:, :-1]
    lower, upper = survival_limits(hazard, z * se, interval)
    return Prediction(
        time=time,
        survival=np.exp(-hazard),
        lower=lower,
        upper=upper,
        unit=model.unit,
        level=level,
        interval=interval,
    )


def risks(model: Model, patients: Cohort | pd.DataFrame, t: float) -> np.ndarray:
    """Risk of the event by time `t` for every patient, without intervals, shape (n,).

    Parameters
    ----------
    model : Model
    patients : Cohort or pandas.DataFrame
    t : float
        In the model's unit, from 0 to the longest follow-up.

    Raises
    ------
    Fixable
        If `t` is outside.
    """
    frame = patients.frame if isinstance(patients, Cohort) else patients
    return predicted_risk(model, linear_predictor(model, frame), t)


def predicted_risk(model: Model, lp: np.ndarray, t: float) -> np.ndarray:
    """Risk by time `t` of linear predictors, shape (n,)."""
    return -np.expm1(-cumulative_hazard(model, t) * np.exp(lp))


def cumulative_hazard(model: Model, t: float) -> float:
    """Efron's cumulative baseline hazard by time `t`, for a linear predictor of 0.

    Raises
    ------
    Fixable
        If `t` is negative or beyond the longest follow-up.
    """
    base = model.baseline
    at = np.searchsorted(base.time, within(t, base.last, model.unit), side="right")
    return float(base.cumulative[at - 1]) if at else 0.0


def _cumulative_hazard(model: Model, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative hazard of each patient at each event time and its standard error, both of shape (n, g)."""
    base = model.baseline
    # x' V x as a sum of squares: the coefficients' share of the variance can't turn negative by rounding.
    root = cholesky(model.variance, lower=True)
    own, drift = x @ root, base.drift @ root
    relative = np.exp(combine(x, model.coef))[:, None]
    spread = np.zeros((len(x), len(base.time)))
    for j in range(own.shape[1]):
        spread += (np.outer(own[:, j], base.cumulative) - drift[:, j]) ** 2
    return relative * base.cumulative, relative * np.sqrt(base.variance + spread)
