"""Why this risk: exact Shapley values of absolute risk, and their words."""

from bedside.explain.crosscheck import against_shap
from bedside.explain.explain import Background, background, explain, global_explanation, variable_terms
from bedside.explain.explanation import Contribution, Explanation, Global
from bedside.explain.shapley import Sampled, shapley_cox, shapley_cox_sampled
from bedside.explain.words import headline, points_text, reasons

__all__ = [
    "Background",
    "Contribution",
    "Explanation",
    "Global",
    "Sampled",
    "against_shap",
    "background",
    "explain",
    "global_explanation",
    "headline",
    "points_text",
    "reasons",
    "shapley_cox",
    "shapley_cox_sampled",
    "variable_terms",
]
