"""Models side by side on the same folds: scorecards, differences with their noise, and what all of it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from bedside.cohort.units import Unit
from bedside.validation.calibration import (
    CalibrationGroup,
    OverallCalibration,
    calibration_groups,
    overall_calibration,
)
from bedside.validation.calibration_curve import SmoothCalibration, smooth_calibration
from bedside.validation.d_calibration import DCalibration, d_calibration
from bedside.validation.decision import THRESHOLDS, DecisionCurve, decision_curve
from bedside.validation.panel import MEASURES, Better
from bedside.validation.resample import NULL, Resampled
from bedside.validation.risk_groups import RiskGroups, risk_groups
from bedside.validation.weak import WeakCalibration, weak_calibration

Verdict = Literal["noise", "alike", "better", "worse", "unknown"]
COMPARED = ("harrell", "uno", "auc", "brier", "ibs", "ici")
AGAINST_NULL = ("auc", "brier", "ibs")
ALIKE = {"harrell": 0.005, "uno": 0.005, "auc": 0.005, "brier": 0.0005, "ibs": 0.0005, "ici": 0.005}
"""Differences smaller than these are of no use to anybody, however sure they are."""
PATIENTS_PER_GROUP, MOST_GROUPS = 10, 10


@dataclass(frozen=True)
class Score:
    """One measure of one model over the folds.

    Attributes
    ----------
    key, name : str
        As in `bedside.validation.panel.MEASURES`.
    t : float or None
        Time of the risks, where the measure belongs to one.
    mean, sd : float
        Over the folds in which it has a value; the SD is NaN for a single one.
    folds : tuple of float
        In the order of repeats and folds; NaN where it has no value.
    better : {"higher", "lower", "one", "zero"}
    """

    key: str
    name: str
    t: float | None
    mean: float
    sd: float
    folds: tuple[float, ...]
    better: Better


@dataclass(frozen=True)
class Scorecard:
    """Every measure of one model on patients it had not seen."""

    kind: str
    label: str
    scores: tuple[Score, ...]

    def get(self, key: str, t: float | None = None) -> Score:
        """One of them; of a measure that belongs to a time, at the last one if none is given."""
        found = [s for s in self.scores if s.key == key and (t is None or s.t is None or np.isclose(s.t, t))]
        if not found:
            raise KeyError(key)
        return found[-1]


@dataclass(frozen=True)
class Difference:
    """A measure of one model less that of another, over the same folds.

    Attributes
    ----------
    key, name, t
        As in `Score`.
    first, second : str
        Keys of the models.
    mean, std_err, lower, upper, p : float
        Corrected for training parts that overlap.
    verdict : {"noise", "alike", "better", "worse", "unknown"}
        Of the first against the second: ``"noise"`` if the interval holds 0, ``"alike"`` if it does not but the
        difference is too small to matter, ``"unknown"`` with fewer than two folds.
    sentence : str
    """

    key: str
    name: str
    t: float | None
    first: str
    second: str
    mean: float
    std_err: float
    lower: float
    upper: float
    p: float
    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """Models side by side.

    Attributes
    ----------
    cards : tuple of Scorecard
        Of the models, in the order asked for.
    baseline : Scorecard
        Kaplan-Meier (Aalen-Johansen with competing events): the same risk for everybody.
    differences : tuple of Difference
        Of each pair of models, then of each model and the baseline.
    reading : tuple of str
        What it comes to, in plain words.
    """

    cards: tuple[Scorecard, ...]
    baseline: Scorecard
    differences: tuple[Difference, ...]
    reading: tuple[str, ...]
    times: tuple[float, ...]
    unit: Unit
    folds: int
    repeats: int
    n: int
    n_events: int
    notes: tuple[str, ...]

    def card(self, kind: str) -> Scorecard:
        """Of one model, or of ``"kaplan-meier"``."""
        return next(card for card in (*self.cards, self.baseline) if card.kind == kind)


def compare(found: Resampled, *, level: float = 0.95) -> Comparison:
    """Scorecards of all models, and which differences are more than noise.

    A difference is averaged over the folds. Their training parts overlap, so the plain standard error would be too
    small; it is multiplied by the root of (1/J + n_test/n_train) over 1/J, for J folds in all, and t with J - 1
    degrees of freedom is used.

    Parameters
    ----------
    found : Resampled
    level : float, default 0.95

    References
    ----------
    Nadeau & Bengio (2003), Mach Learn 52:239-281.
    """
    cards = tuple(_card(found, kind, label) for kind, label in found.labels.items())
    baseline = _card(found, NULL, "Kaplan-Meier" if not found.rows.competes else "Aalen-Johansen")
    share = float(np.mean([len(part.rows) / part.n_train for part in found.parts]))
    pairs = [(a, b, COMPARED) for b, a in combinations(cards, 2)] + [(a, baseline, AGAINST_NULL) for a in cards]
    differences = tuple(
        _difference(a, b, first, share, level, found.outcome.unit)
        for a, b, keys in pairs
        for first in a.scores
        if first.key in keys
    )
    return Comparison(
        cards=cards,
        baseline=baseline,
        differences=differences,
        reading=_reading(cards, differences),
        times=tuple(float(t) for t in found.times),
        unit=found.outcome.unit,
        folds=found.folds,
        repeats=found.repeats,
        n=len(found.rows.time),
        n_events=int((found.rows.cause == 1).sum()),
        notes=found.notes,
    )


def _card(found: Resampled, kind: str, label: str) -> Scorecard:
    scores = []
    for key, info in MEASURES.items():
        if key not in found.parts[0].measures[kind]:
            continue
        values = np.array([part.measures[kind][key] for part in found.parts])
        for j in range(values.shape[1]):
            t = float(found.times[j]) if info.by_time else None
            scores.append(Score(key, info.name, t, *_spread(values[:, j]), tuple(values[:, j].tolist()), info.better))
    return Scorecard(kind, label, tuple(scores))


def _spread(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    mean = float(known.mean()) if len(known) else float("nan")
    return mean, float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def _difference(a: Scorecard, b: Scorecard, first: Score, share: float, level: float, unit: Unit) -> Difference:
    off = np.array(first.folds) - np.array(b.get(first.key, first.t).folds)
    known = off[np.isfinite(off)]
    mean, std_err, lower, upper, p = corrected(known, share, level)
    verdict = _verdict(first, mean, lower, upper)
    at = "" if first.t is None else f" at {first.t:g} {unit}"
    told = _told(a.label, b.label, f"{first.name}{at}", mean, lower, upper, verdict, level, len(known))
    return Difference(first.key, first.name, first.t, a.kind, b.kind, mean, std_err, lower, upper, p, verdict, told)


def corrected(off: np.ndarray, share: float, level: float = 0.95) -> tuple[float, float, float, float, float]:
    """Mean of differences over J folds, its standard error, interval and p, corrected for overlapping training parts.

    Parameters
    ----------
    off : array, shape (J,)
    share : float
        Patients held out over patients learnt from.

    References
    ----------
    Nadeau & Bengio (2003), Mach Learn 52:239-281.
    """
    j = len(off)
    mean = float(off.mean()) if j else float("nan")
    if j < 2:
        return mean, *(float("nan"),) * 4
    std_err = float(np.sqrt((1 / j + share) * off.var(ddof=1)))
    reach = float(stdtrit(j - 1, (1 + level) / 2)) * std_err
    p = float(2 * stdtr(j - 1, -abs(mean) / std_err)) if std_err > 0 else (1.0 if mean == 0 else 0.0)
    return mean, std_err, mean - reach, mean + reach, p


def _verdict(score: Score, mean: float, lower: float, upper: float) -> Verdict:
    if not np.isfinite(lower):
        return "unknown"
    if lower <= 0 <= upper:
        return "noise"
    if abs(mean) < ALIKE[score.key]:
        return "alike"
    return "better" if (mean > 0) == (score.better == "higher") else "worse"


WORDS: dict[Verdict, str] = {
    "noise": "within noise",
    "alike": "too small to matter",
    "better": "clearly better",
    "worse": "clearly worse",
    "unknown": "too few folds to tell",
}


def _told(
    a: str, b: str, name: str, mean: float, lower: float, upper: float, verdict: Verdict, level: float, folds: int
) -> str:
    if verdict == "unknown":
        return f"{name}, {a} against {b}: {WORDS[verdict]}."
    side = "the same" if f"{abs(mean):.3f}" == "0.000" else f"{abs(mean):.3f} {'higher' if mean > 0 else 'lower'}"
    return (
        f"{name}, {a} against {b}: {side} ({level:.0%} interval {_signed(lower)} to {_signed(upper)}, {folds} folds), "
        f"{WORDS[verdict]}."
    )


def _signed(value: float) -> str:
    shown = f"{value:.3f}"
    return "0.000" if shown in ("-0.000", "0.000") else shown.replace("-", "−")


def _reading(cards: tuple[Scorecard, ...], differences: tuple[Difference, ...]) -> tuple[str, ...]:
    told = []
    between = [d for d in differences if NULL not in (d.first, d.second) and d.key in ("harrell", "ibs")]
    if len(cards) > 1:
        clear = [d for d in between if d.verdict in ("better", "worse")]
        if clear:
            told += [d.sentence for d in clear]
        else:
            told.append(
                "No model ranks patients or predicts their risks clearly better than another: the differences are "
                "within noise or too small to matter. Choose the one that is easiest to explain."
            )
    for card in cards:
        own = [d for d in differences if d.first == card.kind and d.second == NULL and d.key == "ibs"]
        if own and own[0].verdict != "better":
            told.append(
                f"{card.label}: over all follow-up its risks are not clearly closer to what happened than the same "
                "risk for everybody."
            )
    return tuple(told)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """One model's out-of-fold risks by one time against what happened, all patients together.

    Attributes
    ----------
    groups : tuple of CalibrationGroup
    overall : OverallCalibration
    weak : WeakCalibration
    smooth : SmoothCalibration or None
    decision : DecisionCurve
    """

    kind: str
    label: str
    t: float
    groups: tuple[CalibrationGroup, ...]
    overall: OverallCalibration
    weak: WeakCalibration
    smooth: SmoothCalibration | None
    decision: DecisionCurve


def calibrated(
    found: Resampled, kind: str, t: float, *, groups: int | None = None, thresholds: tuple[float, ...] = THRESHOLDS
) -> Calibrated:
    """Calibration and decision curve of a model at one of the times, from out-of-fold risks averaged over repeats.

    Parameters
    ----------
    found : Resampled
    kind : str
    t : float
        One of ``found.times``.
    groups : int, optional
        By default 10, or fewer so that each holds 10 patients.
    """
    rows, risk = found.rows, found.mean(kind).at(t)
    asked = groups or max(1, min(MOST_GROUPS, len(risk) // PATIENTS_PER_GROUP))
    given = (rows.time, rows.cause, risk, float(t))
    return Calibrated(
        kind=kind,
        label=found.labels[kind],
        t=float(t),
        groups=calibration_groups(*given, groups=asked, entry=rows.entry),
        overall=overall_calibration(*given, entry=rows.entry),
        weak=weak_calibration(*given, entry=rows.entry),
        smooth=smooth_calibration(*given, entry=rows.entry),
        decision=decision_curve(*given, thresholds=thresholds, entry=rows.entry),
    )


def d_calibrated(found: Resampled, kind: str) -> DCalibration | None:
    """D-calibration of out-of-fold risks; None with competing events, where it has no definition.

    Chances at a patient's own time are read straight between the times of ``found.grid``.
    """
    rows, said = found.rows, found.mean(kind)
    if rows.competes:
        return None
    begun = None if rows.entry is None else 1 - said.at_own(rows.entry)
    return d_calibration(rows.event, 1 - said.at_own(rows.time), at_entry=begun)


def groups_of_risk(found: Resampled, kind: str, *, groups: int = 3) -> RiskGroups:
    """Groups of out-of-fold score with their observed curves."""
    rows = found.rows
    score = found.mean(kind).score
    return risk_groups(rows.time, rows.cause, score, groups=groups, entry=rows.entry, unit=found.outcome.unit)
