"""Inside a model for one patient: hazard ratios against a typical patient, and the place of the score."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtri

from bedside.explain.value_words import value_text
from bedside.risk.average import Average
from bedside.risk.cause_specific import CompetingModel
from bedside.risk.design import Design
from bedside.risk.fitted import Fitted
from bedside.risk.model import Model
from bedside.risk.penalised_model import Penalised
from bedside.risk.variability import Varied


@dataclass(frozen=True)
class Ratio:
    """What one value of a patient multiplies the hazard by.

    Attributes
    ----------
    variable : str
        Column name.
    value, reference : str
        The variable with the patient's value, and the value it is compared with, in words.
    ratio, lower, upper : float
        Hazard ratio and its limits; NaN limits where the model has none, and where the values are the same.
    """

    variable: str
    value: str
    reference: str
    ratio: float
    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class Internals:
    """One patient as a model sees them.

    Attributes
    ----------
    ratios : tuple of Ratio
        Largest difference first; empty for models without hazard ratios.
    of : {"hazard", "hazard of the event", "subdistribution hazard", ""}
        What they are ratios of.
    score : float
        As the model ranks patients.
    percentile : float
        Share of patients with a lower score, those with the same counted half, 0 to 1.
    typical : array, shape (t,)
        Chance of no event of a patient whose values are all typical, at the times asked for.
    """

    ratios: tuple[Ratio, ...]
    of: str
    score: float
    percentile: float
    typical: np.ndarray = field(repr=False)


def internals(
    model: Fitted, patient: pd.DataFrame, others: pd.DataFrame, times: list[float], *, level: float = 0.95
) -> Internals:
    """Hazard ratios of a patient's values, the score and its percentile, and a typical patient's survival.

    Parameters
    ----------
    model : Fitted
        Ratios: a Cox model, also one with competing events, Fine-Gray or penalised (without limits).
    patient : pandas.DataFrame of one row
    others : pandas.DataFrame
        Patients among whom the score is placed.
    times : list of float
        In the outcome's unit.
    level : float, default 0.95

    Returns
    -------
    Internals
        Typical is the value that stands in for a missing one: the median, or the commonest level.

    References
    ----------
    R: ``predict(coxph(...), type = "terms", reference = ..., se.fit = TRUE)`` without the centring.
    """
    plain = model.model if isinstance(model, Varied) else model
    typical = pd.DataFrame({r.variable.name: [r.fill] for r in plain.design.readings}) if _reads(plain) else patient
    scores = plain.score(others)
    own = float(plain.score(patient)[0])
    known = _coefficients(plain)
    ratios = () if known is None else _ratios(plain.design, *known[:2], patient, typical, float(ndtri((1 + level) / 2)))
    return Internals(
        ratios=ratios, of="" if known is None else known[2], score=own,
        percentile=float(np.mean(scores < own) + np.mean(scores == own) / 2), typical=1 - plain.risk(typical, times)[0],
    )  # fmt: skip


def _reads(model: Fitted) -> bool:
    return not isinstance(model, Average) and bool(model.design.readings)


def _coefficients(model: Fitted) -> tuple[np.ndarray, np.ndarray | None, str] | None:
    """Coefficients, their variance and what they are of; None for models without."""
    if isinstance(model, Model):
        return model.coef, model.variance, "hazard"
    if isinstance(model, CompetingModel):
        cause = model.causes[0]
        return cause.coef, cause.cov, "hazard of the event" if len(model.causes) > 1 else "subdistribution hazard"
    if isinstance(model, Penalised):
        return model.hazards[0].coef, None, "hazard"
    return None


def _ratios(
    design: Design, coef: np.ndarray, variance: np.ndarray | None, patient: pd.DataFrame, typical: pd.DataFrame,
    reach: float,
) -> tuple[Ratio, ...]:  # fmt: skip
    away = (design.encode(patient) - design.encode(typical))[0]
    found = []
    for reading in design.readings:
        mine = [term.column for term in design.terms if term.variable == reading.variable.name]
        own = np.zeros(len(coef))
        own[mine] = away[mine]
        log, se = float(own @ coef), np.nan
        if variance is not None and own.any():
            se = float(np.sqrt(max(own @ variance @ own, 0.0)))
        ends = np.exp([log, log - reach * se, log + reach * se])
        fill = reading.variable.say(reading.fill)
        found.append(Ratio(reading.variable.name, value_text(reading, patient), fill, *(float(e) for e in ends)))
    return tuple(sorted(found, key=lambda each: -abs(np.log(each.ratio))))
