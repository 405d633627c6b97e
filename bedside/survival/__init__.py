"""How long patients live free of an event: curves, comparisons and follow-up, equal to R's."""

from __future__ import annotations

from bedside.survival.compare import GroupTest, log_rank, log_rank_by
from bedside.survival.curve import Counts, Curve, Points, Quantile
from bedside.survival.estimate import curves_by, kaplan_meier, reverse_kaplan_meier
from bedside.survival.horizon import Horizon, default_horizon, horizon_of
from bedside.survival.intervals import Interval

__all__ = [
    "Counts",
    "Curve",
    "GroupTest",
    "Horizon",
    "Interval",
    "Points",
    "Quantile",
    "curves_by",
    "default_horizon",
    "horizon_of",
    "kaplan_meier",
    "log_rank",
    "log_rank_by",
    "reverse_kaplan_meier",
]
