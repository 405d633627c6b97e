"""Risk: fitting a Cox model, predicting, saying what it is made of, and validating it."""

from __future__ import annotations

from bedside.cohort.values import Range
from bedside.regression.concordance import Concordance, concordance
from bedside.risk.coefficients import Coefficient, coefficients
from bedside.risk.crosscheck import against_lifelines
from bedside.risk.design import Dropped, Reading, Term
from bedside.risk.efron import Baseline
from bedside.risk.fit import fit
from bedside.risk.model import Model, ModelTest
from bedside.risk.prediction import Prediction, cumulative_hazard, encode, linear_predictor, predict, risks
from bedside.risk.validation import CalibrationPoint, Validation, calibration_by_risk, validate
from bedside.risk.words import describe, notes, ridge_sentence

__all__ = [
    "Baseline",
    "CalibrationPoint",
    "Coefficient",
    "Concordance",
    "Dropped",
    "Model",
    "ModelTest",
    "Prediction",
    "Range",
    "Reading",
    "Term",
    "Validation",
    "against_lifelines",
    "calibration_by_risk",
    "coefficients",
    "concordance",
    "cumulative_hazard",
    "describe",
    "encode",
    "fit",
    "linear_predictor",
    "notes",
    "predict",
    "ridge_sentence",
    "risks",
    "validate",
]
