"""How long patients live free of an event: curves, comparisons and follow-up, equal to R's."""

from __future__ import annotations

from bedside.survival.compare import GroupTest, log_rank, log_rank_of, weighted_test
from bedside.survival.comparison import (
    Comparison,
    LeftOut,
    PairComparison,
    best_cut_by,
    compare_by,
    log_rank_by,
    pairs_by,
)
from bedside.survival.contrast import Effect
from bedside.survival.crossing import Crossing, Gap, crossings
from bedside.survival.curve import Counts, Curve, Estimator, Points, Quantile
from bedside.survival.cutpoint import CutPoint, best_cut
from bedside.survival.estimate import curves_by, follow_up_by, kaplan_meier, reverse_kaplan_meier
from bedside.survival.events import EventTable, curve_of, event_table
from bedside.survival.horizon import Horizon, default_horizon, horizon_of
from bedside.survival.intervals import Interval
from bedside.survival.landmark import ConditionalPoint, Landmark, conditional, conditional_survival, landmark_by
from bedside.survival.milestones import Milestone, MilestoneContrast, Milestones, milestones, milestones_by
from bedside.survival.pairwise import Adjustment, Pairwise, adjust, pairwise_tests
from bedside.survival.rmst import (
    CurveSummary,
    RestrictedContrast,
    RestrictedMean,
    RestrictedMeans,
    longest_tau,
    restricted_mean,
    restricted_means,
    restricted_means_by,
    summaries,
)
from bedside.survival.selection_p import Correction
from bedside.survival.trend import TrendTest, trend_test
from bedside.survival.view import View, view
from bedside.survival.weighted import Weighting

__all__ = [
    "Adjustment",
    "Comparison",
    "ConditionalPoint",
    "Correction",
    "Counts",
    "Crossing",
    "Curve",
    "CurveSummary",
    "CutPoint",
    "Effect",
    "Estimator",
    "EventTable",
    "Gap",
    "GroupTest",
    "Horizon",
    "Interval",
    "Landmark",
    "LeftOut",
    "Milestone",
    "MilestoneContrast",
    "Milestones",
    "PairComparison",
    "Pairwise",
    "Points",
    "Quantile",
    "RestrictedContrast",
    "RestrictedMean",
    "RestrictedMeans",
    "TrendTest",
    "View",
    "Weighting",
    "adjust",
    "best_cut",
    "best_cut_by",
    "compare_by",
    "conditional",
    "conditional_survival",
    "crossings",
    "curve_of",
    "curves_by",
    "default_horizon",
    "event_table",
    "follow_up_by",
    "horizon_of",
    "kaplan_meier",
    "landmark_by",
    "log_rank",
    "log_rank_by",
    "log_rank_of",
    "longest_tau",
    "milestones",
    "milestones_by",
    "pairs_by",
    "pairwise_tests",
    "restricted_mean",
    "restricted_means",
    "restricted_means_by",
    "reverse_kaplan_meier",
    "summaries",
    "trend_test",
    "view",
    "weighted_test",
]
