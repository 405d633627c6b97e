"""How long patients live free of an event: curves, comparisons and follow-up, equal to R's."""

from __future__ import annotations

from bedside.survival.compare import GroupTest, log_rank, log_rank_by
from bedside.survival.curve import Counts, Curve, Estimator, Points, Quantile
from bedside.survival.estimate import curves_by, kaplan_meier, reverse_kaplan_meier
from bedside.survival.events import EventTable, curve_of, event_table
from bedside.survival.horizon import Horizon, default_horizon, horizon_of
from bedside.survival.intervals import Interval

__all__ = [
    "Counts",
    "Curve",
    "Estimator",
    "EventTable",
    "GroupTest",
    "Horizon",
    "Interval",
    "Points",
    "Quantile",
    "curve_of",
    "curves_by",
    "default_horizon",
    "event_table",
    "horizon_of",
    "kaplan_meier",
    "log_rank",
    "log_rank_by",
    "reverse_kaplan_meier",
]
