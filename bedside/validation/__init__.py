"""Validation: how well risks rank, mean what they say and help to decide, on patients a model has not seen."""

from __future__ import annotations

from bedside.validation.accuracy import brier, integrated_brier, null_risk, prediction_accuracy
from bedside.validation.calibration import (
    CalibrationGroup,
    Estimate,
    OverallCalibration,
    calibration_groups,
    calibration_slope,
    overall_calibration,
)
from bedside.validation.calibration_curve import SmoothCalibration, smooth_calibration
from bedside.validation.compare import (
    Comparison,
    Difference,
    Score,
    Scorecard,
    compare,
)
from bedside.validation.d_calibration import DCalibration, d_calibration
from bedside.validation.decision import DecisionCurve, decision_curve
from bedside.validation.discrimination import RoystonD, auc, concordance, royston_d, truncated_concordance, uno
from bedside.validation.measure import Contrast, Measure, Rows, contrast, rows_of
from bedside.validation.observed import ObservedRisk, observed_risk
from bedside.validation.optimism import Optimism, bootstrap_optimism
from bedside.validation.panel import MEASURES, Predicted, measures
from bedside.validation.resample import (
    Part,
    Plan,
    Resampled,
    cross_validate,
    gathered,
    plan_folds,
    validate_part,
)
from bedside.validation.risk_groups import RiskGroups, risk_groups
from bedside.validation.together import Calibrated, calibrated, d_calibrated, groups_of_risk, pooled
from bedside.validation.weak import WeakCalibration, weak_calibration
from bedside.validation.weights import Convention, censoring_curve, uncensored_weights

__all__ = [
    "MEASURES",
    "Calibrated",
    "CalibrationGroup",
    "Comparison",
    "Contrast",
    "Convention",
    "DCalibration",
    "DecisionCurve",
    "Difference",
    "Estimate",
    "Measure",
    "ObservedRisk",
    "Optimism",
    "OverallCalibration",
    "Part",
    "Plan",
    "Predicted",
    "Resampled",
    "RiskGroups",
    "Rows",
    "RoystonD",
    "Score",
    "Scorecard",
    "SmoothCalibration",
    "WeakCalibration",
    "auc",
    "bootstrap_optimism",
    "brier",
    "calibrated",
    "calibration_groups",
    "calibration_slope",
    "censoring_curve",
    "compare",
    "concordance",
    "contrast",
    "cross_validate",
    "d_calibrated",
    "d_calibration",
    "decision_curve",
    "gathered",
    "groups_of_risk",
    "integrated_brier",
    "measures",
    "null_risk",
    "observed_risk",
    "overall_calibration",
    "plan_folds",
    "pooled",
    "prediction_accuracy",
    "risk_groups",
    "rows_of",
    "royston_d",
    "smooth_calibration",
    "truncated_concordance",
    "uncensored_weights",
    "uno",
    "validate_part",
    "weak_calibration",
]
