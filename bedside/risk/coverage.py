"""How often intervals of a risk held the true risk in simulations, as `benchmarks.coverage` measured it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bedside.risk.cause_specific import FINE_GRAY, CompetingModel
from bedside.risk.fitted import Fitted
from bedside.risk.model import Model
from bedside.risk.variability import Varied

FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Coverage:
    """Shares of patients whose true risk lay within the limits.

    Attributes
    ----------
    low, middle, high : float
        By third of the predicted risk.
    cohorts, patients : int
        Simulated cohorts, and patients that a model learnt from in each.
    said : str
        What was measured, e.g. ``"default ridge"``.
    right, wrong : float
        Share where the truth had the form of a Cox model, and where it had a curve and an interaction besides; NaN
        where that was not looked at.
    larger : float
        The second with four times the patients.
    """

    low: float
    middle: float
    high: float
    cohorts: int
    patients: int
    said: str
    right: float = math.nan
    wrong: float = math.nan
    larger: float = math.nan

    @property
    def counts(self) -> tuple[int, int, int]:
        """The three shares of 100."""
        return round(100 * self.low), round(100 * self.middle), round(100 * self.high)

    @property
    def sentence(self) -> str:
        """In words, e.g. "In simulations this band held the true risk in 96 / 94 / 88 of 100 patients of ... risk."."""
        low, middle, high = self.counts
        return (
            f"In simulations this band held the true risk in {low} / {middle} / {high} of 100 patients of low / middle "
            f"/ high risk ({self.cohorts:,} cohorts of {self.patients:,}).{self.of_form}"
        )

    @property
    def of_form(self) -> str:
        """How much hangs on the form of the truth, in a sentence; empty where it was not looked at."""
        if math.isnan(self.right) or math.isnan(self.wrong):
            return ""
        more = "" if math.isnan(self.larger) else f", and in {100 * self.larger:.0f} with four times the patients"
        return (
            f" It held {100 * self.right:.0f} of 100 where the truth had the form of a Cox model, "
            f"{100 * self.wrong:.0f} where it had a curve and an interaction besides{more}: what all such models get "
            "wrong alike is not in it."
        )


def coverage_of(model: Fitted) -> Coverage | None:
    """What was measured of a model's limits; None where it has none, or they were not looked at."""
    if isinstance(model, Varied):
        return _read("kinds", model.kind)
    if isinstance(model, CompetingModel):
        return None if model.method == FINE_GRAY else _read("cox", "competing")
    if isinstance(model, Model):
        name = "raised" if model.strong_ridge else "ridge" if model.penalizer else "plain"
        return _read("cox", name)
    return None


def variance_of(model: Fitted) -> str:
    """Which variance the limits of a Cox model use, in words; empty for other kinds."""
    if isinstance(model, CompetingModel):
        return "" if model.method == FINE_GRAY else "Variance: delta method over all kinds of event, ridge-penalised."
    if not isinstance(model, Model):
        return ""
    if not model.penalizer:
        return "Variance: as R's survfit has it, without a ridge."
    told = "Variance: inverse ridge-penalised information"
    return f"{told}; the pull of the strong ridge is left out." if model.strong_ridge else f"{told}."


def beside_limits(model: Fitted) -> str:
    """The one quiet sentence that stands beside a model's limits wherever they are named; empty where it has none."""
    if isinstance(model, Varied):
        found = coverage_of(model)
        return "" if found is None else found.sentence
    return variance_of(model)


def _read(part: str, name: str) -> Coverage | None:
    found = table().get(part, {}).get(name)
    if found is None:
        return None
    low, middle, high = (float(found["held"][third]) for third in ("low", "middle", "high"))
    patients = int(found["patients"])
    # Other settings of a Cox model than the page's own were looked at in its own form alone.
    kind = "cox" if part == "cox" and name == "ridge" else name if part == "kinds" else ""
    forms = table().get("forms", {}).get(kind, {})
    right, wrong, larger = (
        float(forms[f"{form} {n}"]["all"]) if f"{form} {n}" in forms else math.nan
        for form, n in (("straight", patients), ("bent", patients), ("bent", 4 * patients))
    )
    return Coverage(
        low, middle, high, int(found["cohorts"]), patients, str(found["said"]), right, wrong, larger
    )  # fmt: skip


@cache
def table() -> Mapping[str, Any]:
    """All that was measured, with its settings; empty where nothing was."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
