"""What a check on patients a model had not seen comes to: one number, interval and word, wherever it is told."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bedside.report import say
from bedside.validation import CalibrationGroup, Resampled, calibration_groups, compare
from bedside.validation.compare import corrected
from bedside.validation.resample import NULL

WEAK = 0.65
"""Concordance below which a model tells patients apart little better than chance."""
PARTS = {5: "fifth", 4: "quarter", 3: "third", 2: "half"}
PATIENTS_PER_PART = 20
NO_BETTER = "It is not clearly better than giving everybody the average risk."


@dataclass(frozen=True)
class Ranking:
    """How well a model ranks patients: Harrell's C over the folds.

    Attributes
    ----------
    c, lower, upper : float
        With a 95% interval that allows for training parts that overlap; NaN limits with fewer than two folds.
    folds : int
    """

    c: float
    lower: float
    upper: float
    folds: int

    @property
    def between(self) -> str:
        """``" (64 to 77)"``, of 100 pairs; nothing where it has no interval."""
        return "" if math.isnan(self.lower) else f" ({100 * self.lower:.0f} to {100 * self.upper:.0f})"

    @property
    def verdict(self) -> str:
        """``"little better than chance"``, ``"may be chance"``, or nothing."""
        return verdict(self.c, self.lower)


def ranking(of: Resampled, kind: str) -> Ranking:
    """A model's concordance on patients it had not seen."""
    score = np.array([float(np.ravel(part.measures[kind]["harrell"])[-1]) for part in of.parts])
    c, lower, upper = interval(score, of.folds)
    return Ranking(c, max(lower, 0.0), min(upper, 1.0), of.folds)


def interval(score: np.ndarray, folds: int) -> tuple[float, float, float]:
    """Mean over folds and its 95% interval, which allows for training parts that overlap."""
    share = 1 / (folds - 1) if folds > 1 else math.nan
    mean, _, lower, upper, _ = corrected(score[np.isfinite(score)], share)
    return mean, lower, upper


def verdict(c: float, lower: float) -> str:
    """The one word for weak ranking: nothing where a model ranks patients well."""
    if math.isnan(c):
        return ""
    if c < WEAK:
        return "little better than chance"
    return "which may be chance" if lower <= 0.5 else ""


def better_than_average(of: Resampled, kind: str) -> bool:
    """True if a model's risks are clearly closer to what happened than the same risk for everybody."""
    return any(
        d.key == "ibs" and {d.first, d.second} == {kind, NULL} and d.verdict == ("better", "worse")[d.first == NULL]
        for d in compare(of).differences
    )


def parts(of: Resampled, kind: str, t: float) -> tuple[CalibrationGroup, ...]:
    """Fifths of patients by predicted risk, or fewer parts where patients are few; from the lowest risks."""
    rows = of.rows
    n = max(1, min(5, len(rows.time) // PATIENTS_PER_PART))
    return calibration_groups(rows.time, rows.cause, of.mean(kind).at(t), t, groups=n, entry=rows.entry)


def ends(groups: tuple[CalibrationGroup, ...], within: str) -> str:
    """What was said and what happened in those with the highest and the lowest risks."""
    name = PARTS.get(len(groups))
    if name is None or math.isnan(groups[-1].observed) or math.isnan(groups[0].observed):
        return ""
    return (
        f"In the {name} of patients with the highest risks it said {_said(groups[-1])} {within}, and {_had(groups[-1])}"
        f"; in the lowest {name} it said {_said(groups[0])}, and {_had(groups[0])}."
    )


def _said(group: CalibrationGroup) -> str:
    return say.of_100(group.predicted)


def _had(group: CalibrationGroup) -> str:
    known = not math.isnan(group.lower)
    between = f" ({say.range_of_100(group.lower, group.upper)})" if known else ""
    told = f"{say.of_100(group.observed).removesuffix(' of 100')} had the event{between}"
    if known and not group.lower <= group.predicted <= group.upper:
        return f"{told}: too {'high' if group.predicted > group.upper else 'low'}"
    return told
