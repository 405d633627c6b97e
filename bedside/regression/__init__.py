"""Regression on survival: Cox models and their diagnostics."""

from __future__ import annotations

from bedside.regression.data import CoxData, cox_data
from bedside.regression.model import ChiTest, CoxFit, Ridge, chi_test

__all__ = ["ChiTest", "CoxData", "CoxFit", "Ridge", "chi_test", "cox_data"]
