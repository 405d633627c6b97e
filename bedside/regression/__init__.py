"""Regression on survival: Cox models and their diagnostics."""

from __future__ import annotations

from bedside.regression.concordance import Concordance, concordance, concordance_of
from bedside.regression.cox import fit_cox
from bedside.regression.data import CoxData, cox_data
from bedside.regression.design import CoxSpec, Design, design, design_visits, spec_of
from bedside.regression.forest import Forest, ForestRow, curve_test, multivariable, term_tests, univariable
from bedside.regression.model import Aliased, ChiTest, CoxFit, Ridge, Ties, chi_test
from bedside.regression.source import default_term
from bedside.regression.terms import Factor, Interaction, Linear, Log, Spline, Term

__all__ = [
    "Aliased",
    "ChiTest",
    "Concordance",
    "CoxData",
    "CoxFit",
    "CoxSpec",
    "Design",
    "Factor",
    "Forest",
    "ForestRow",
    "Interaction",
    "Linear",
    "Log",
    "Ridge",
    "Spline",
    "Term",
    "Ties",
    "chi_test",
    "concordance",
    "concordance_of",
    "cox_data",
    "curve_test",
    "default_term",
    "design",
    "design_visits",
    "fit_cox",
    "multivariable",
    "spec_of",
    "term_tests",
    "univariable",
]
