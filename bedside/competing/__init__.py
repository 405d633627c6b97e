"""Several types of event that exclude each other, and several states in a row; equal to R's."""

from __future__ import annotations

from bedside.competing.cause_specific import AbsoluteRisk, CauseSpecific, cause_specific_models
from bedside.competing.fine_gray import FineGray, fine_gray
from bedside.competing.gray import GrayTest, gray_test
from bedside.competing.histories import Histories, histories
from bedside.competing.incidence import Incidence, IncidenceCounts, IncidencePoints, cumulative_incidence
from bedside.competing.multistate_cox import MultiStateCox, multi_state_cox
from bedside.competing.occupation import Occupation, OccupationPoints, TimeInState, occupation

__all__ = [
    "AbsoluteRisk",
    "CauseSpecific",
    "FineGray",
    "GrayTest",
    "Histories",
    "Incidence",
    "IncidenceCounts",
    "IncidencePoints",
    "MultiStateCox",
    "Occupation",
    "OccupationPoints",
    "TimeInState",
    "cause_specific_models",
    "cumulative_incidence",
    "fine_gray",
    "gray_test",
    "histories",
    "multi_state_cox",
    "occupation",
]
