"""A nomogram: a regression model as points to be added up by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10

import numpy as np

from bedside.errors import Fixable

MAXSCALE = 100.0
TICKS = 10
SLACK = 1e-10


@dataclass(frozen=True, eq=False)
class Axis:
    """One variable's line.

    Attributes
    ----------
    name : str
    values : tuple
        Numbers, or levels of a factor.
    effects : array, shape (n_values,)
        What each value adds to the linear predictor.
    points : array, shape (n_values,)
        From 0 at the value of lowest risk.
    """

    name: str
    values: tuple[object, ...]
    effects: np.ndarray
    points: np.ndarray


@dataclass(frozen=True, eq=False)
class Nomogram:
    """Points for every variable, and what their sum means.

    Attributes
    ----------
    axes : tuple of Axis
    points_per_unit : float
        Points for one unit of the linear predictor.
    lowest : float
        Centred linear predictor of somebody with 0 points.
    total : array
        Ticks of the line of total points.
    lp : array
        Ticks of the line of the centred linear predictor.
    """

    axes: tuple[Axis, ...]
    points_per_unit: float
    lowest: float
    total: np.ndarray
    lp: np.ndarray

    @property
    def lp_points(self) -> np.ndarray:
        """Total points at which `lp`'s ticks stand."""
        return (self.lp - self.lowest) * self.points_per_unit

    def linear_predictor(self, total: np.ndarray | float) -> np.ndarray:
        """Centred linear predictor for so many points."""
        return self.lowest + np.asarray(total, dtype=float) / self.points_per_unit

    def survival(self, total: np.ndarray | float, *, cumulative_hazard: float) -> np.ndarray:
        """Chance of no event for so many points.

        Parameters
        ----------
        total : array or float
            Points.
        cumulative_hazard : float
            Of a patient whose centred linear predictor is 0, at the time asked for.
        """
        return np.exp(-cumulative_hazard * np.exp(self.linear_predictor(total)))

    def points_for(self, survival: np.ndarray | float, *, cumulative_hazard: float) -> np.ndarray:
        """Total points at which the chance of no event is as given: where to put that tick."""
        with np.errstate(divide="ignore"):
            lp = np.log(-np.log(np.asarray(survival, dtype=float)) / cumulative_hazard)
        return (lp - self.lowest) * self.points_per_unit


def nomogram(
    axes: Mapping[str, tuple[Sequence[object], np.ndarray]],
    *,
    linear_predictor: np.ndarray,
    centre: float,
    maxscale: float = MAXSCALE,
    ticks: int = TICKS,
) -> Nomogram:
    """Points for the values of each variable, the variable with the widest effect taking all of the scale.

    Parameters
    ----------
    axes : mapping of str to (values, effects)
        For each variable its values and what each adds to the (uncentred) linear predictor: value times coefficient,
        a level's coefficient with 0 for the reference, or a spline's contribution.
    linear_predictor : array, shape (n,)
        Centred, of the patients the model was fitted to: how far the lines for totals reach.
    centre : float
        What was taken off the linear predictor to centre it.
    maxscale : float
        Points of the widest axis.
    ticks : int
        About how many ticks the lines for totals have.

    Returns
    -------
    Nomogram

    Raises
    ------
    Fixable
        If there are no axes, an effect is not finite, or no variable has any effect.

    References
    ----------
    Harrell (2015), Regression Modeling Strategies, section 5.3. R: ``rms::nomogram(fit, maxscale = 100)``.
    """
    told = {name: (tuple(values), np.asarray(effects, dtype=float)) for name, (values, effects) in axes.items()}
    if not told or any(not len(effects) or not np.isfinite(effects).all() for _, effects in told.values()):
        raise Fixable("No nomogram.", "The model has no finite effects to draw.", "Choose at least one variable.")
    widest = max(float(np.ptp(effects)) for _, effects in told.values())
    if widest == 0:
        raise Fixable("No nomogram.", "No variable changes the risk.", "Choose at least two values of a variable.")
    scale = maxscale / widest
    lines = tuple(
        Axis(name, values, effects, (effects - effects.min()) * scale) for name, (values, effects) in told.items()
    )
    lowest = sum(float(line.effects.min()) for line in lines) - centre
    lp = pretty(float(np.min(linear_predictor)), float(np.max(linear_predictor)), ticks)
    top = maxscale if len(lines) == 1 else max(maxscale, scale * (float(lp.max()) - lowest))
    return Nomogram(lines, scale, lowest, pretty(0.0, top, ticks), lp)


def pretty(low: float, high: float, count: int = 5) -> np.ndarray:
    """About `count` intervals of 1, 2 or 5 times a power of ten that cover a range; a single number gets one around it.

    References
    ----------
    Becker, Chambers & Wilks (1988), The New S Language. R: ``pretty(c(low, high), n = count)``.
    """
    if high - low < max(abs(low), abs(high)) * SLACK or high == low:
        return np.array([low - 0.5, low + 0.5])
    cell, fewest = (high - low) / count, count // 3
    unit = _unit(cell)
    first, last = floor(low / unit + SLACK), -floor(-high / unit + SLACK)
    lacking = fewest - (last - first)
    if lacking > 0:
        if low == 0 and first == 0 and high != 0:
            last += lacking
        else:
            first, last = first - (lacking // 2), last + lacking // 2 + lacking % 2
    return np.arange(first, last + 1) * unit


def _unit(cell: float) -> float:
    """1, 2, 5 or 10 times the power of ten below a width, whichever is near, with R's leanings."""
    base = 10.0 ** floor(log10(cell))
    unit = base
    for times, leaning in ((2, 1.5), (5, 2.75), (10, 1.5)):
        if times * base - cell < leaning * (cell - unit):
            unit = times * base
        else:
            break
    return unit
