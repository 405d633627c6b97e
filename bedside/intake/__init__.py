"""From a folder or a data frame to a cohort, with everything that is wrong said at once."""

from __future__ import annotations

from bedside.intake.frame import cohort_from_frame
from bedside.intake.read import Entry, list_cohorts, read_cohort

__all__ = ["Entry", "cohort_from_frame", "list_cohorts", "read_cohort"]
