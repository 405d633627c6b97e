"""How far apart two patients are to a model: each variable's difference counts by what it does to the prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from bedside.cohort.variable import Variable
from bedside.explain.contributions import readings_of
from bedside.explain.games import terms_of
from bedside.risk.cause_specific import CompetingModel
from bedside.risk.design import Design, Reading, read
from bedside.risk.fitted import Fitted
from bedside.risk.model import Model
from bedside.risk.penalised_model import Penalised
from bedside.risk.training import Training
from bedside.risk.variability import Varied

Unit = Literal["log hazard", "risk"]
ASKED, DRAWS = 150, 3
"""Patients, and other values for each, from whom a variable's weight is worked out where a model is no sum of terms."""
CLOSE: dict[Unit, float] = {"log hazard": float(np.log(2)), "risk": 0.10}
"""Patients this near are alike: their differences, were they all to pull in one direction, at most double the hazard,
or add up to 10 points of risk."""
DIGITS = 10
"""Distances are compared to so many decimals, so that equal patients tie whatever the order of a sum."""


@dataclass(frozen=True, eq=False)
class Metric:
    """The distances of a model.

    The distance of two patients is the sum over the variables of what each one's difference does. In a Cox model of
    any penalty that is the absolute difference of its terms in the log hazard, curves and levels included. Where other
    events compete in the model, the difference in their log hazards is added: who is likely to have another event
    first is at less risk of this one, whatever its own hazard. Each competing cause counts by its events, over those of
    the event or of all that compete, whichever are more, so that a rare one does not blur the distance. For other
    kinds a variable's weight is the mean absolute change of risk by `t` when a patient gets another one's value, and
    differences count in proportion: on the scale it is read on for a number, in steps for ordered levels, as same or
    not for others.

    Attributes
    ----------
    model_fingerprint : str
    variables : tuple of Variable
        Those that do anything, the heaviest first.
    weight : array, shape (p,)
        Mean contribution of each to the distance of two training patients.
    unit : {"log hazard", "risk"}
        Of weights and distances.
    t : float
        For ``"risk"``: by when, in the outcome's unit.
    places : array, shape (n, p * causes)
        Training patients; a level without order is its position. The causes of a variable stand side by side.
    step : array, shape (p * causes,)
        What another level counts; NaN where distances are differences of `places`.
    causes : int
        How many kinds of event have terms of their own in the distance.
    """

    model_fingerprint: str
    variables: tuple[Variable, ...]
    weight: np.ndarray
    unit: Unit
    t: float
    places: np.ndarray = field(repr=False)
    step: np.ndarray = field(repr=False)
    place: Callable[[pd.DataFrame], np.ndarray] = field(repr=False)
    causes: int = 1

    @property
    def share(self) -> np.ndarray:
        """Each variable's part of the distance of two training patients, shape (p,)."""
        return self.weight / self.weight.sum() if len(self.weight) else self.weight

    @property
    def close(self) -> float:
        """The distance up to which patients are called alike."""
        return CLOSE[self.unit]

    def parts(self, patient: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
        """Contribution of each variable to the distance of some training patients, shape (n_rows, p)."""
        gap = np.abs(self.places[rows] - self.place(patient.iloc[[0]])[0])
        each = np.where(np.isnan(self.step), gap, np.where(gap > 0, self.step, 0.0))
        return each.reshape(len(rows), -1, self.causes).sum(axis=2)

    def distances(self, patient: pd.DataFrame) -> np.ndarray:
        """Distance of a patient to every training patient, shape (n,)."""
        own = self.place(patient.iloc[[0]])[0]
        total = np.zeros(len(self.places))
        for column, value, step in zip(self.places.T, own, self.step, strict=True):
            total += np.abs(column - value) if np.isnan(step) else step * (column != value)
        return np.round(total, DIGITS)


def metric(model: Fitted, rows: Training, *, t: float | None = None, seed: int = 0) -> Metric:
    """The metric of a model, worked out once.

    Parameters
    ----------
    model : Fitted
    rows : Training
        What it learnt from.
    t : float, optional
        For kinds whose weights are changes of risk. Default: the median time of the events.
    seed : int
        Of the values that are exchanged.

    References
    ----------
    Breiman (2001), Mach Learn 45:5-32 (exchanged values).
    """
    inner = model.model if isinstance(model, Varied) else model
    if isinstance(inner, Model | Penalised | CompetingModel):
        return _of_terms(model, inner.design, _coef(inner), rows)
    return _of_changes(model, rows, _time(inner, rows) if t is None else float(t), seed)


def _coef(model: Model | Penalised | CompetingModel) -> list[np.ndarray]:
    """Log hazard ratios of the event that is predicted, and of those that compete, each times what it counts."""
    if isinstance(model, Model):
        return [model.coef]
    if isinstance(model, Penalised):
        return _counted([hazard.coef for hazard in model.hazards], [hazard.n_events for hazard in model.hazards])
    # Fine and Gray's one hazard has the competing events in it already.
    return _counted([cause.coef for cause in model.causes], model.events)


def _counted(coef: Sequence[np.ndarray], events: Sequence[int]) -> list[np.ndarray]:
    most = max(events[0], sum(events[1 : len(coef)]), 1)
    return [coef[0], *(b * (n / most) for b, n in zip(coef[1:], events[1:], strict=False) if n and b.any())]


def _time(model: Fitted, rows: Training) -> float:
    return float(min(np.median(rows.time[rows.event]), model.last))


def _of_terms(model: Fitted, design: Design, coef: list[np.ndarray], rows: Training) -> Metric:
    variables, causes = tuple(reading.variable for reading in design.readings), len(coef)
    places = terms_of(design, coef, rows.frame)
    weight = np.array([sum(mean_difference(column) for column in own.T) for own in places.transpose(1, 0, 2)])
    kept = _kept(weight)

    def place(frame: pd.DataFrame) -> np.ndarray:
        return terms_of(design, coef, frame)[:, kept].reshape(len(frame), -1)

    return Metric(
        model.fingerprint, tuple(variables[j] for j in kept), weight[kept], "log hazard", np.nan,
        np.asfortranarray(places[:, kept].reshape(len(places), -1)), np.full(len(kept) * causes, np.nan), place, causes,
    )  # fmt: skip


def _of_changes(model: Fitted, rows: Training, t: float, seed: int) -> Metric:
    readings = list(readings_of(model).values())
    weight = _changes(model, rows, [r.variable.name for r in readings], t, seed)
    values = np.column_stack([read(r, rows.frame).astype(float) for r in readings])
    apart = np.array([_apart(r, column) for r, column in zip(readings, values.T, strict=True)])
    weight = np.where(apart > 0, weight, 0.0)
    kept = _kept(weight)
    per = weight[kept] / apart[kept]
    nominal = np.array([_is_nominal(readings[j]) for j in kept], dtype=bool)
    scale, used = np.where(nominal, 1.0, per), [readings[j] for j in kept]

    def place(frame: pd.DataFrame) -> np.ndarray:
        return np.column_stack([read(r, frame).astype(float) for r in used]) * scale if used else np.empty((1, 0))

    return Metric(
        model.fingerprint, tuple(r.variable for r in used), weight[kept], "risk", t,
        np.asfortranarray(values[:, kept] * scale), np.where(nominal, per, np.nan), place,
    )  # fmt: skip


def _kept(weight: np.ndarray) -> np.ndarray:
    """Variables that do anything, the heaviest first and equal ones in dictionary order."""
    order = np.argsort(-weight, kind="stable")
    return order[weight[order] > 0]


def _is_nominal(reading: Reading) -> bool:
    return reading.variable.kind not in ("continuous", "ordinal")


def _apart(reading: Reading, values: np.ndarray) -> float:
    """Mean difference of two training patients; for levels without order, the chance that they differ."""
    if not _is_nominal(reading):
        return mean_difference(values)
    share = np.bincount(values.astype(int)) / len(values)
    return float(1 - (share**2).sum())


def _changes(model: Fitted, rows: Training, names: list[str], t: float, seed: int) -> np.ndarray:
    """Mean absolute change of risk when a patient gets the value of another one, for each variable."""
    order = np.argsort(model.score(rows.frame), kind="stable")
    asked = order[np.unique(np.linspace(0, len(order) - 1, min(ASKED, len(order))).astype(int))]
    patients, rng = rows.frame.iloc[asked], np.random.default_rng(seed)
    many = pd.concat([patients] * DRAWS, ignore_index=True)
    own = np.tile(model.risk(patients, [t])[:, 0], DRAWS)
    donors = rng.integers(len(rows), size=len(many))
    found = np.zeros(len(names))
    for j, name in enumerate(names):
        if name in many:
            other = many.assign(**{name: rows.frame[name].iloc[donors].array})
            found[j] = np.abs(model.risk(other, [t])[:, 0] - own).mean()
    return found


def mean_difference(values: np.ndarray) -> float:
    """Gini's mean difference: of two different patients drawn at random."""
    n = len(values)
    if n < 2 or values.min() == values.max():
        return 0.0
    ordered = np.sort(values)
    ordered = ordered - ordered[0]
    return float(2 * ((2 * np.arange(1, n + 1) - n - 1) * ordered).sum() / (n * (n - 1)))
