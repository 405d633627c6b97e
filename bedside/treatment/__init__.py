"""Comparing treatments: groups made alike, standardised survival, and effects by subgroup."""

from __future__ import annotations

from bedside.treatment.adjusted import Adjusted, DifferenceAt, adjusted, differences_at, randomised
from bedside.treatment.balance import BalanceRow, balance
from bedside.treatment.covariates import Column, Covariates, covariates_of
from bedside.treatment.hazards import HazardRatio, hazard_ratios
from bedside.treatment.propensity import Propensity, propensity
from bedside.treatment.standardise import StandardCurve, StandardDifference, Standardised, standardised
from bedside.treatment.subgroups import Subgroup, SubgroupForest, SubgroupRows, interaction_test, subgroups
from bedside.treatment.weights import Estimand, GroupWeights, Weights, histogram, weights_of

__all__ = [
    "Adjusted",
    "BalanceRow",
    "Column",
    "Covariates",
    "DifferenceAt",
    "Estimand",
    "GroupWeights",
    "HazardRatio",
    "Propensity",
    "StandardCurve",
    "StandardDifference",
    "Standardised",
    "Subgroup",
    "SubgroupForest",
    "SubgroupRows",
    "Weights",
    "adjusted",
    "balance",
    "covariates_of",
    "differences_at",
    "hazard_ratios",
    "histogram",
    "interaction_test",
    "propensity",
    "randomised",
    "standardised",
    "subgroups",
    "weights_of",
]
