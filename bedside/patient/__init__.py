"""One patient: the risk as frequencies, what stands behind it, similar patients, other values, and visits."""

from __future__ import annotations

from bedside.patient.conditional import Conditional, conditional_risk
from bedside.patient.evidence import Evidence, Ground, evidence, ground
from bedside.patient.frequencies import Frequencies, frequencies, frequencies_of, whole_counts
from bedside.patient.metric import Metric, metric
from bedside.patient.scenarios import CAVEAT, Compared, Editable, Scenario, compare, editable, scenario
from bedside.patient.similar import Similar, Tally, nearest, similar, tally
from bedside.patient.states import StateRisks, state_risks
from bedside.patient.visits_gain import LandmarkGain, gain_at, landmark_gain
from bedside.patient.visits_models import Landmarks, landmark_models, landmark_times, risk_at_visits
from bedside.patient.visits_risk import AtLandmark, at_landmark, check_at_risk, landmark_model, visits_of
from bedside.patient.visits_update import VisitRisk, updated_risk
from bedside.patient.what_if import Crossing, Step, smallest_change

__all__ = [
    "CAVEAT",
    "AtLandmark",
    "Compared",
    "Conditional",
    "Crossing",
    "Editable",
    "Evidence",
    "Frequencies",
    "Ground",
    "LandmarkGain",
    "Landmarks",
    "Metric",
    "Scenario",
    "Similar",
    "StateRisks",
    "Step",
    "Tally",
    "VisitRisk",
    "at_landmark",
    "check_at_risk",
    "compare",
    "conditional_risk",
    "editable",
    "evidence",
    "frequencies",
    "frequencies_of",
    "gain_at",
    "ground",
    "landmark_gain",
    "landmark_model",
    "landmark_models",
    "landmark_times",
    "metric",
    "nearest",
    "risk_at_visits",
    "scenario",
    "similar",
    "smallest_change",
    "state_risks",
    "tally",
    "updated_risk",
    "visits_of",
    "whole_counts",
]
