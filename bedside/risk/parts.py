"""What a model shows of itself: each hazard that it is made of, with its ratios and curves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtri

from bedside.cohort.values import numbers
from bedside.regression.smooth import HazardRatioCurve
from bedside.risk.coefficients import Coefficient, coefficients, kept_ratio
from bedside.risk.design import Design
from bedside.risk.fitted import Fitted
from bedside.risk.model import Model

POINTS = 80


@dataclass(frozen=True, eq=False)
class Part:
    """One hazard: of the event that is predicted, or of one that competes with it.

    Attributes
    ----------
    label : str
        Of the event.
    n, n_events : int
    design : Design
    coef : array, shape (p,)
        Log hazard ratios of the design's columns.
    variance : array, shape (p, p), or None
        None where a penalty leaves no interval that could be believed.
    """

    label: str
    n: int
    n_events: int
    design: Design = field(repr=False)
    coef: np.ndarray = field(repr=False)
    variance: np.ndarray | None = field(repr=False)

    # How a Cox model reads its own design holds for any hazard on that design.
    terms = Model.terms
    ranges = Model.ranges
    reading = Model.reading
    columns = Model.columns
    contrast = Model.contrast


@dataclass(frozen=True, eq=False)
class Shape:
    """A curved variable of a part: its hazard ratio along its range.

    Attributes
    ----------
    term, column : str
        For people, and the column's name.
    low, high : float
        What is drawn: the 1st and 99th percentile.
    knots : int
    curve : HazardRatioCurve
        Against the median.
    """

    term: str
    column: str
    low: float
    high: float
    knots: int
    curve: HazardRatioCurve


def parts(model: Fitted) -> tuple[Part, ...]:
    """The hazards of a model, the predicted event's first; those of the Cox model in an average; none for trees."""
    names = model.outcome.cause_labels
    whole = model.outcome.label
    if hasattr(model, "members"):
        return tuple(part for member in model.members for part in parts(member))
    if hasattr(model, "numbers"):
        told = zip(model.numbers, model.events, model.causes, strict=False)
        return tuple(_part(model, names[k - 1], events, c.coef, c.cov) for k, events, c in told)
    if hasattr(model, "hazards"):
        several = len(model.hazards) > 1
        label = [names[h.cause - 1] if several or model.target == "event" else whole for h in model.hazards]
        return tuple(_part(model, text, h.n_events, h.coef, None) for text, h in zip(label, model.hazards, strict=True))
    if hasattr(model, "coef"):
        return (_part(model, whole, model.n_events, model.coef, model.variance),)
    return ()


def _part(model: Fitted, label: str, events: int, coef: np.ndarray, variance: np.ndarray | None) -> Part:
    return Part(label, model.n, int(events), model.design, coef, variance)


def ratios(part: Part) -> tuple[Coefficient, ...]:
    """Hazard ratios in dictionary order; without intervals those that are not 1, the furthest from it first."""
    if part.variance is not None:
        return coefficients(part)
    found = [kept_ratio(part, term) for term, beta in zip(part.terms, part.coef, strict=True) if beta]
    return tuple(sorted(found, key=lambda c: -abs(np.log(c.hr))))


def curved(part: Part) -> tuple[str, ...]:
    """Columns that the part reads along a curve, in dictionary order."""
    return tuple(r.variable.name for r in part.design.readings if r.knots)


def shape(part: Part, name: str, *, level: float = 0.95) -> Shape:
    """Hazard ratio of a curved variable along its range, against its median.

    References
    ----------
    R: ``predict(coxph(Surv(time, event) ~ rcs(x, 4)), type = "terms", se.fit = TRUE)``, differences to one value.
    """
    reading, seen = part.reading(name), part.ranges[name]
    values = np.unique(np.append(np.linspace(seen.p01, seen.p99, POINTS), seen.median))
    off = part.contrast(name, values) - part.contrast(name, [seen.median])
    log_ratio = off @ part.coef
    reach = ndtri((1 + level) / 2) * np.sqrt(np.einsum("ij,jk,ik->i", off, _known(part), off))
    drawn = HazardRatioCurve(
        values, *np.exp((log_ratio, log_ratio - reach, log_ratio + reach)), float(seen.median), level, part.n,
        part.n_events,
    )  # fmt: skip
    return Shape(reading.variable.label, name, float(seen.p01), float(seen.p99), len(reading.knots), drawn)


def _known(part: Part) -> np.ndarray:
    return np.zeros((len(part.coef),) * 2) if part.variance is None else part.variance


def recorded(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A continuous column's values where they are known."""
    values = numbers(frame, name)
    return values[np.isfinite(values)]
