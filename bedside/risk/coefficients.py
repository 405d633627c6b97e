"""Hazard ratios a clinician can read: per step of a tidy size, per doubling, or against a named level."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from bedside.cohort.values import tidy_step
from bedside.cohort.variable import Variable
from bedside.risk.design import Term
from bedside.risk.model import Model
from bedside.tails import chi2_tail


@dataclass(frozen=True)
class Coefficient:
    """One hazard ratio, others held equal.

    Attributes
    ----------
    label : str
        With its step or reference, e.g. "Age, per 10 years" or "Tumour grade: III (against I)".
    variable : str
        Column name.
    level : str or None
        Code of the level; None for a continuous variable.
    hr, lower, upper : float
        Hazard ratio for one `step`, and its interval.
    p : float
        Two-sided Wald test.
    unit_step_text : str
        "per 10 years", "per doubling" or "against I"; "70 years against 50" along a curve.
    step : float
        What the model's log hazard ratio was multiplied by; along a curve, the distance of the two values.
    """

    label: str
    variable: str
    level: str | None
    hr: float
    lower: float
    upper: float
    p: float
    unit_step_text: str
    step: float


def coefficients(model: Model, *, level: float = 0.95) -> tuple[Coefficient, ...]:
    """Hazard ratios of a model, in dictionary order.

    A continuous variable is told per step: the largest of 1, 2 or 5 times a power of ten within its
    interquartile range, so that the ratio compares two ordinary patients. One on the log scale is told per
    doubling, or per 10% more if the 99th percentile is less than twice the 1st; a level against the reference
    level. A curved variable has one ratio for all of its columns: the upper quartile against the lower one, with
    the test that none of its columns matters. Intervals and p are Wald's, on the log scale.

    References
    ----------
    R: ``summary(coxph(...))$conf.int`` at penalizer 0, for a step of 1.
    """
    z = float(ndtri((1 + level) / 2))
    told = []
    for term, beta, se in zip(model.terms, model.coef, np.sqrt(np.diag(model.variance)), strict=True):
        if term.level is None and model.reading(term.variable).knots:
            told += [_curved(model, term, z)] if term.part == 0 else []
            continue
        label, text, step = _step(model, term)
        low, high = sorted((_ratio(step * (beta - z * se)), _ratio(step * (beta + z * se))))
        told.append(
            Coefficient(
                label=label,
                variable=term.variable,
                level=term.level,
                hr=_ratio(step * beta),
                lower=low,
                upper=high,
                p=float(2 * ndtr(-abs(beta) / se)),
                unit_step_text=text,
                step=step,
            )
        )
    return tuple(told)


def kept_ratio(model: Model, term: Term) -> Coefficient:
    """One ratio of a model whose penalty leaves no interval: limits and p are NaN."""
    label, text, step = _step(model, term)
    beta = float(model.coef[term.column])
    return Coefficient(
        label=label,
        variable=term.variable,
        level=term.level,
        hr=_ratio(step * beta),
        lower=math.nan,
        upper=math.nan,
        p=math.nan,
        unit_step_text=text,
        step=step,
    )


def _curved(model: Model, term: Term, z: float) -> Coefficient:
    """The ratio between a curved variable's quartiles, or the ends of its range where these are the same."""
    variable, seen = model.reading(term.variable).variable, model.ranges[term.variable]
    low, high = (seen.q1, seen.q3) if seen.q1 < seen.q3 else (seen.low, seen.high)
    below, above = model.contrast(term.variable, (low, high))
    along = above - below
    log_ratio, se = float(along @ model.coef), float(np.sqrt(along @ model.variance @ along))
    columns = model.columns(term.variable)
    part = model.coef[columns]
    wald = float(part @ np.linalg.solve(model.variance[np.ix_(columns, columns)], part))
    text = f"{variable.say(high)} against {variable.number(low)}"
    return Coefficient(
        label=f"{variable.label}, {text} (along a curve)",
        variable=term.variable,
        level=None,
        hr=_ratio(log_ratio),
        lower=_ratio(log_ratio - z * se),
        upper=_ratio(log_ratio + z * se),
        p=chi2_tail(wald, len(columns)),
        unit_step_text=text,
        step=high - low,
    )


def _ratio(log_ratio: float) -> float:
    """A hazard ratio; of a coefficient without a finite value, infinite rather than an overflow."""
    return math.exp(log_ratio) if log_ratio < 700 else math.inf


def _step(model: Model, term: Term) -> tuple[str, str, float]:
    reading = model.reading(term.variable)
    variable = reading.variable
    if term.level is not None:
        text = f"against {variable.label_of(reading.reference)}"
        return f"{term.label} ({text})", text, 1.0
    if variable.scale == "log":
        seen = reading.range
        doubles = seen is None or seen.p01 <= 0 or seen.p99 >= 2 * seen.p01
        text, step = ("per doubling", math.log(2)) if doubles else ("per 10% more", math.log(1.1))
        return f"{variable.label}, {text}", text, step
    step = tidy_step(reading.range) if reading.range is not None else 1.0
    text = f"per {_with_unit(variable, step)}"
    return f"{variable.label}, {text}", text, step


def _with_unit(variable: Variable, step: float) -> str:
    return variable.with_unit(f"{step:g}" if 1e-4 <= step < 1e6 else f"{step:.0e}")
