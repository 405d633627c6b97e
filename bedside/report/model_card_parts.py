"""What a model is made of, as plain data: how it reads each variable, and its coefficients or its structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from bedside.risk.design import Reading, Term
from bedside.risk.fitted import Fitted
from bedside.risk.hazards import all_within, at_times

FORMULA = (
    "risk(t) = 1 - exp(-H0(t) exp(lp)), lp = sum of coefficient x (column - centre), at most 300 either way. A column "
    "is the value, its part of the spline, or 1 for its level and 0 otherwise. H0(t) is the last value of the "
    "baseline at or before t."
)
SPLINE = (
    "Restricted cubic spline with knots k1 < ... < km: part 0 is x; part j is (cube(x - kj) - cube(x - km-1)(km - kj)/"
    "(km - km-1) + cube(x - km)(km-1 - kj)/(km - km-1))/(km - k1)^2, where cube(u) = max(u, 0)^3."
)
CAUSES = (
    "Each part is the hazard of one event, with coefficients and all steps of its cumulative hazard H. At a time at "
    "which any of them steps, d = the step of H x exp(lp) for each; of the patients free of all events before, "
    "1 - exp(-sum of d) have one then, and the first part's share of them is its d / sum of d. The risk is the sum of "
    "these shares up to t."
)
LOG = "Scale log: x is ln(max(value, floor))."


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LevelRead(_Part):
    """One level of a variable, and the level it is read as: itself unless it was rare or absent in training."""

    code: str
    label: str
    read_as: str


class Spread(_Part):
    """A continuous variable among the patients the model learnt from."""

    low: float
    p01: float
    q1: float
    median: float
    q3: float
    p99: float
    high: float


class Predictor(_Part):
    """A variable as the model reads it."""

    name: str
    label: str
    unit: str
    kind: str
    scale: Literal["linear", "log"]
    sensitive: bool
    missing: int
    fill: float | str
    spread: Spread | None
    floor: float | None
    knots: tuple[float, ...]
    levels: tuple[LevelRead, ...]
    reference: str | None


class Coefficient(_Part):
    """One column of the design with its log hazard ratio; limits are Wald's at 95%."""

    variable: str
    level: str | None
    part: int
    label: str
    centre: float
    coefficient: float
    std_err: float | None
    lower: float | None
    upper: float | None


class BaselineAt(_Part):
    """Cumulative hazard and survival for a patient at the centre, at one time in the outcome's unit."""

    time: float
    cumulative_hazard: float
    survival: float


class Steps(_Part):
    """A cumulative hazard as it stands after each of its steps."""

    time: tuple[float, ...]
    cumulative_hazard: tuple[float, ...]


class Parameters(_Part):
    """The model itself.

    Attributes
    ----------
    form : {"proportional hazards", "competing hazards", "average", "structure"}
        ``"proportional hazards"``: coefficients and baseline are all there is. ``"competing hazards"``: one of them for
        each event among `parts`, the predicted one first. ``"average"``: the mean risk of `parts`. ``"structure"``:
        too large for a table; settings and sizes are given, the saved model has the rest.
    formula : tuple of str
        How a risk follows from what is given.
    settings : mapping
        Hyper-parameters.
    steps : Steps or None
        The whole baseline, where the risk can't be worked out from its values at a few times.
    structure : mapping
        What there is of what, e.g. trees and nodes.
    """

    form: Literal["proportional hazards", "competing hazards", "average", "structure"]
    label: str
    formula: tuple[str, ...] = ()
    settings: dict[str, float | int | str]
    coefficients: tuple[Coefficient, ...] = ()
    baseline: tuple[BaselineAt, ...] = ()
    steps: Steps | None = None
    structure: dict[str, int] = Field(default_factory=dict)
    parts: tuple[Parameters, ...] = ()


def predictors(model: Fitted) -> tuple[Predictor, ...]:
    """How a model reads each of its variables."""
    return tuple(_predictor(reading) for reading in model.design.readings)


def _predictor(r: Reading) -> Predictor:
    v, spread = r.variable, r.range
    names = ("low", "p01", "q1", "median", "q3", "p99", "high")
    return Predictor(
        name=v.name,
        label=v.label,
        unit=v.unit,
        kind=v.kind,
        scale=v.scale,
        sensitive=v.sensitive,
        missing=r.missing,
        fill=r.fill,
        spread=None if spread is None else Spread(**{name: getattr(spread, name) for name in names}),
        floor=r.floor,
        knots=r.knots,
        levels=tuple(LevelRead(code=c, label=v.label_of(c), read_as=_read_as(r, c)) for c in r.codes),
        reference=r.reference,
    )


def _read_as(r: Reading, code: str) -> str:
    level = code if code in r.present else str(r.fill)
    return r.stand_in(level) if level in r.rare else level


def specification(model: Fitted, times: Sequence[float]) -> Parameters:
    """The model itself, with its baseline at some times."""
    members = getattr(model, "members", ())
    if members:
        return Parameters(
            form="average",
            label=model.label,
            formula=("The risk is the mean of the risks of its parts.",),
            settings=dict(model.settings),
            parts=tuple(specification(member, times) for member in members),
        )
    hazards = _hazards(model)
    if len(hazards) == 1:
        return _alone(model, hazards[0], times)
    if hazards:
        parts = tuple(_part(model, hazard) for hazard in hazards)
        told = (CAUSES, *_reading_told(model))
        return Parameters(
            form="competing hazards", label=model.label, formula=told, settings=dict(model.settings), parts=parts
        )
    arrays = {name: int(np.size(array)) for name, array in model.state().arrays.items()}
    return Parameters(form="structure", label=model.label, settings=dict(model.settings), structure=arrays)


@dataclass(frozen=True, eq=False)
class _Hazard:
    """Coefficients with their variance, and a baseline as steps, whichever kind of model they are from."""

    label: str
    coef: np.ndarray
    variance: np.ndarray | None
    time: np.ndarray
    cumulative: np.ndarray


def _hazards(model: Fitted) -> list[_Hazard]:
    """The hazards that a model is made of; none for trees."""
    names = model.outcome.cause_labels
    if hasattr(model, "baseline") and hasattr(model, "coef"):
        base = model.baseline
        return [_Hazard(model.label, model.coef, model.variance, base.time, base.cumulative)]
    if hasattr(model, "hazards"):
        return [_Hazard(names[h.cause - 1], h.coef, None, h.time, np.cumsum(h.increment)) for h in model.hazards]
    if hasattr(model, "numbers"):
        pairs = zip(model.numbers, model.causes, strict=False)
        return [_Hazard(names[n - 1], c.coef, c.cov, model.time, np.cumsum(c.hazard)) for n, c in pairs]
    return []


def _reading_told(model: Fitted) -> list[str]:
    readings = model.design.readings
    told = [SPLINE] if any(r.knots for r in readings) else []
    return told + ([LOG] if any(r.floor is not None for r in readings) else [])


def _alone(model: Fitted, own: _Hazard, times: Sequence[float]) -> Parameters:
    hazard = at_times(own.time, own.cumulative, all_within(times, model.last, model.outcome.unit))
    return Parameters(
        form="proportional hazards",
        label=model.label,
        formula=(FORMULA, *_reading_told(model)),
        settings=dict(model.settings),
        coefficients=_coefficients(model, own),
        baseline=tuple(_baseline(float(t), float(h)) for t, h in zip(times, hazard, strict=True)),
    )


def _part(model: Fitted, own: _Hazard) -> Parameters:
    moved = np.diff(own.cumulative, prepend=0.0) > 0
    steps = Steps(time=own.time[moved].tolist(), cumulative_hazard=own.cumulative[moved].tolist())
    return Parameters(
        form="proportional hazards", label=own.label, settings={}, coefficients=_coefficients(model, own), steps=steps
    )


def _coefficients(model: Fitted, own: _Hazard) -> tuple[Coefficient, ...]:
    errors = [None] * len(own.coef) if own.variance is None else np.sqrt(np.diag(own.variance)).tolist()
    return tuple(
        _coefficient(t, float(model.design.centre[t.column]), float(own.coef[t.column]), errors[t.column])
        for t in model.design.terms
    )


def _coefficient(term: Term, centre: float, value: float, error: float | None) -> Coefficient:
    reach = None if error is None else 1.959963984540054 * error
    return Coefficient(
        variable=term.variable,
        level=term.level,
        part=term.part,
        label=term.label,
        centre=centre,
        coefficient=value,
        std_err=error,
        lower=None if reach is None else value - reach,
        upper=None if reach is None else value + reach,
    )


def _baseline(time: float, hazard: float) -> BaselineAt:
    return BaselineAt(time=time, cumulative_hazard=hazard, survival=float(np.exp(-hazard)))
