"""Several types of event that exclude each other, and several states in a row; equal to R's."""

from __future__ import annotations

from bedside.competing.by_cohort import gray_by, incidence_by
from bedside.competing.cause_specific import AbsoluteRisk, CauseSpecific, cause_specific_models
from bedside.competing.fine_gray import FineGray, fine_gray
from bedside.competing.gray import GrayTest, gray_test
from bedside.competing.histories import Histories, histories
from bedside.competing.illness_death import IllnessDeath, IllnessDeathModel, illness_death, illness_death_model
from bedside.competing.incidence import cumulative_incidence, incidence_from_counts
from bedside.competing.incidence_curve import Incidence, IncidenceCounts, IncidencePoints
from bedside.competing.models_by_cohort import CauseSpecificTables, FineGrayTable, cause_specific_by, fine_gray_by
from bedside.competing.multistate_cox import MultiStateCox, multi_state_cox
from bedside.competing.occupation import Occupation, OccupationPoints, TimeInState, occupation

__all__ = [
    "AbsoluteRisk",
    "CauseSpecific",
    "CauseSpecificTables",
    "FineGray",
    "FineGrayTable",
    "GrayTest",
    "Histories",
    "IllnessDeath",
    "IllnessDeathModel",
    "Incidence",
    "IncidenceCounts",
    "IncidencePoints",
    "MultiStateCox",
    "Occupation",
    "OccupationPoints",
    "TimeInState",
    "cause_specific_by",
    "cause_specific_models",
    "cumulative_incidence",
    "fine_gray",
    "fine_gray_by",
    "gray_by",
    "gray_test",
    "histories",
    "illness_death",
    "illness_death_model",
    "incidence_by",
    "incidence_from_counts",
    "multi_state_cox",
    "occupation",
]
