"""Regression on survival: Cox models and their diagnostics."""

from __future__ import annotations

from bedside.regression.cox import fit_cox
from bedside.regression.data import CoxData, cox_data
from bedside.regression.model import Aliased, ChiTest, CoxFit, Ridge, Ties, chi_test

__all__ = ["Aliased", "ChiTest", "CoxData", "CoxFit", "Ridge", "Ties", "chi_test", "cox_data", "fit_cox"]
