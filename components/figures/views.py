"""What of a curve is drawn, and how its axis is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bedside.report.say import percent_range
from bedside.survival import Curve
from bedside.survival.view import Scale, view

CAUSES = "causes"
VIEWS: dict[str, str] = {
    "survival": "Still free of the event",
    "incidence": "Had the event",
    "hazard": "Cumulative hazard",
    "complementary-log-log": "Check: do the curves keep their distance?",
}
TOP = 1.005
"""Share of survival that the axis shows: a curve at 100% is not cut in half."""


@dataclass(frozen=True)
class Axis:
    """The vertical axis of a view.

    Attributes
    ----------
    scale : Scale
    top : float
        Its end.
    look : dict
        Plotly's words for it.
    """

    scale: Scale
    top: float
    look: dict[str, Any]

    @property
    def is_share(self) -> bool:
        """True if values are shares of patients."""
        return self.scale in ("survival", "incidence")

    def says(self, value: float, low: float, high: float, level: float) -> str:
        """A value with its interval in words; no interval where nothing has happened yet, or none can be given."""
        none = np.isnan(low) or np.isnan(high) or value == (1 if self.scale == "survival" else 0)
        if self.is_share:
            return f"{value:.1%}" + ("" if none else f" ({level:.0%} CI {percent_range(low, high, decimals=1)})")
        return f"{value:.2f}" + ("" if none else f" ({level:.0%} CI {low:.2f} to {high:.2f})")


def seen_as(curves: Sequence[Curve], scale: Scale, until: float) -> tuple[Curve, ...]:
    """Curves whose values are those of a view: survival or incidence as shares, or the hazard."""
    if scale == "survival":
        return tuple(curves)
    seen = ((curve, view(curve, scale)) for curve in curves)
    return tuple(replace(curve, survival=v.y, lower=v.lower, upper=v.upper) for curve, v in seen)


def axis_of(curves: Sequence[Curve], scale: Scale, until: float) -> Axis:
    """The axis that curves seen in one way need."""
    if scale in ("survival", "incidence"):
        return Axis(scale, TOP, {"tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%"})
    values = [c.survival[: np.searchsorted(c.time, until, side="right")] for c in curves]
    highest = max((float(v[np.isfinite(v)].max()) for v in values), default=0.0)
    step = _nice(highest / 4)
    top = step * max(1, int(np.ceil(highest / step - 1e-9)))
    return Axis(scale, 1.005 * top, {"tickvals": list(step * np.arange(round(top / step) + 1)), "tickformat": ".3~g"})


def _nice(step: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    if not step > 0:
        return 0.25
    power = 10.0 ** np.floor(np.log10(step))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9))
