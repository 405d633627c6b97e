"""One model on all patients together: calibration, usefulness and groups of its out-of-fold risks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.validation.calibration import (
    CalibrationGroup,
    OverallCalibration,
    calibration_groups,
    overall_calibration,
)
from bedside.validation.calibration_curve import SmoothCalibration, smooth_calibration
from bedside.validation.d_calibration import DCalibration, d_calibration
from bedside.validation.decision import THRESHOLDS, DecisionCurve, decision_curve
from bedside.validation.resample import Resampled
from bedside.validation.risk_groups import RiskGroups, risk_groups
from bedside.validation.weak import WeakCalibration, weak_calibration

PATIENTS_PER_GROUP, MOST_GROUPS = 10, 10


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


def pooled(found: Resampled, kind: str, t: float) -> dict[str, float]:
    """Calibration slope (``"slope_at"``) and integrated calibration index (``"ici"``) of all patients together.

    Taken in each repeat and averaged, so that they are of one model's risks, not of risks averaged over several
    models. In one small fold both are mostly noise: the index of a perfect model would be far above 0.

    Parameters
    ----------
    found : Resampled
    kind : str
    t : float
        One of ``found.times``.

    Returns
    -------
    dict of str to float
        NaN where no repeat has a value.
    """
    rows, place = found.rows, int(np.searchsorted(found.grid, t))
    values: dict[str, list[float]] = {"slope_at": [], "ici": []}
    for risk in found.risk[kind][:, :, place]:
        given = (rows.time, rows.cause, risk, float(t))
        smooth = smooth_calibration(*given, entry=rows.entry)
        values["slope_at"].append(weak_calibration(*given, entry=rows.entry).slope.value)
        values["ici"].append(np.nan if smooth is None else smooth.ici)
    return {key: _mean(np.array(each)) for key, each in values.items()}


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
