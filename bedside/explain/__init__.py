"""Why this risk: exact Shapley values of absolute risk, and their words."""

from bedside.explain.contributions import Background, Contributions, background, contributions, variable_terms
from bedside.explain.coverage import INTERVAL, beside_intervals, measure_of
from bedside.explain.crosscheck import against_shap
from bedside.explain.explain import explain, global_explanation
from bedside.explain.explanation import Contribution, Explanation, Global
from bedside.explain.interaction import Interactions, interactions
from bedside.explain.overtime import Dependence, OverTime, Stability, dependence, global_over_time, stability
from bedside.explain.shapley import Sampled, shapley_cox, shapley_cox_sampled
from bedside.explain.spread import Spread, Spreading, spread, with_partners, with_spread
from bedside.explain.words import (
    as_expected,
    doubt,
    headline,
    interval_text,
    plain_reasons,
    points_text,
    reasons,
    told_with_checks,
)

__all__ = [
    "INTERVAL",
    "Background",
    "Contribution",
    "Contributions",
    "Dependence",
    "Explanation",
    "Global",
    "Interactions",
    "OverTime",
    "Sampled",
    "Spread",
    "Spreading",
    "Stability",
    "against_shap",
    "as_expected",
    "background",
    "beside_intervals",
    "contributions",
    "dependence",
    "doubt",
    "explain",
    "global_explanation",
    "global_over_time",
    "headline",
    "interactions",
    "interval_text",
    "measure_of",
    "plain_reasons",
    "points_text",
    "reasons",
    "shapley_cox",
    "shapley_cox_sampled",
    "spread",
    "stability",
    "told_with_checks",
    "variable_terms",
    "with_partners",
    "with_spread",
]
