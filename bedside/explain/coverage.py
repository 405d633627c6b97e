"""What the interval of a contribution is, and how often it held the true one: `benchmarks.reasons_coverage`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bedside.risk.fitted import Fitted
from bedside.risk.model import Model
from bedside.risk.variability import Varied

FILE = Path(__file__).with_suffix(".json")
CONFIDENT = ("cox",)
"""Kinds whose refits' spread is all there is: nothing is smoothed as the data have it. Measured to hold about 95."""
INTERVAL, SPREAD = "95% interval", "spread over refits"
"""What the ends are called: with other kinds, what all refits get wrong alike is not in them."""


@dataclass(frozen=True)
class Held:
    """Share of intervals that held the contribution of the true model, in simulations.

    Attributes
    ----------
    held : float
        Of variables with an effect.
    cohorts, of, patients, refits : int
        Simulated cohorts, of how many patients each, how many of them were explained, by how many refits.
    """

    held: float
    cohorts: int
    of: int
    patients: int
    refits: int


def measure_of(model: Fitted) -> str:
    """What the interval of a model's contributions is called: `INTERVAL` where it is one, else `SPREAD`."""
    own = model.model if isinstance(model, Varied) else model
    pulled = isinstance(own, Model) and own.strong_ridge
    return INTERVAL if own.kind in CONFIDENT and not pulled else SPREAD


def held_by(kind: str) -> Held | None:
    """What was measured; None of kinds that were not looked at."""
    found = _table().get(kind)
    if found is None:
        return None
    return Held(float(found["held"]), *(int(found[name]) for name in ("cohorts", "of", "patients", "refits")))


def beside_intervals(model: Fitted) -> str:
    """What is in the interval of a model's contributions and what it held, in words."""
    if measure_of(model) == INTERVAL:
        return "95% intervals from refits to samples of the patients."
    start = "Spread over refits to samples of the patients: no 95% interval, since"
    if model.kind in CONFIDENT:
        return f"{start} the pull of the strong ridge is not in it."
    told, found = f"{start} what all refits get wrong alike is not in it", held_by(model.kind)
    if found is None:
        return f"{told}."
    return f"{told}; in simulations ({found.cohorts} cohorts) it held the true one in {100 * found.held:.0f} of 100."


@cache
def _table() -> Mapping[str, Mapping[str, float]]:
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
