"""Why this risk: exact Shapley values of absolute risk, and their words."""

from bedside.explain.contributions import Background, Contributions, background, contributions, variable_terms
from bedside.explain.crosscheck import against_shap
from bedside.explain.explain import explain, global_explanation
from bedside.explain.explanation import Contribution, Explanation, Global
from bedside.explain.interaction import Interactions, interactions
from bedside.explain.overtime import Dependence, OverTime, Stability, dependence, global_over_time, stability
from bedside.explain.shapley import Sampled, shapley_cox, shapley_cox_sampled
from bedside.explain.words import headline, points_text, reasons

__all__ = [
    "Background",
    "Contribution",
    "Contributions",
    "Dependence",
    "Explanation",
    "Global",
    "Interactions",
    "OverTime",
    "Sampled",
    "Stability",
    "against_shap",
    "background",
    "contributions",
    "dependence",
    "explain",
    "global_explanation",
    "global_over_time",
    "headline",
    "interactions",
    "points_text",
    "reasons",
    "shapley_cox",
    "shapley_cox_sampled",
    "stability",
    "variable_terms",
]
