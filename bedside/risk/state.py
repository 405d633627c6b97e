"""What all models have in common, as plain facts, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from bedside.cohort.outcome import Outcome
from bedside.cohort.values import Range
from bedside.cohort.variable import Variable
from bedside.risk.design import Design, Dropped, Reading, Term
from bedside.risk.fitted import Fitted

DESIGN = "design."
"""What the names of a design's arrays begin with."""


def common_facts(model: Fitted) -> dict[str, Any]:
    """Outcome, training cohort, sizes, settings, cautions and the design, as JSON can hold them."""
    return {
        "outcome": model.outcome.model_dump(mode="json"),
        "target": model.target,
        "cohort_key": model.cohort_key,
        "cohort_fingerprint": model.cohort_fingerprint,
        "n": model.n,
        "n_events": model.n_events,
        "last": model.last,
        "settings": dict(model.settings),
        "cautions": list(model.cautions),
        "design": design_facts(model.design),
    }


def read_common(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The inverse of `common_facts`, by the names of the attributes of `Fitted`."""
    return {
        "outcome": Outcome.model_validate(facts["outcome"]),
        "target": facts["target"],
        "cohort_key": facts["cohort_key"],
        "cohort_fingerprint": facts["cohort_fingerprint"],
        "n": int(facts["n"]),
        "n_events": int(facts["n_events"]),
        "last": float(facts["last"]),
        "settings": dict(facts["settings"]),
        "cautions": tuple(facts["cautions"]),
        "design": read_design(facts["design"], arrays),
    }


def design_facts(design: Design) -> dict[str, Any]:
    """How patients are read, without the arrays of `design_arrays`."""
    return {
        "readings": [_reading_facts(reading) for reading in design.readings],
        "terms": [asdict(term) for term in design.terms],
        "dropped": [asdict(dropped) for dropped in design.dropped],
    }


def design_arrays(design: Design) -> dict[str, np.ndarray]:
    """The arrays of a design, named so that they can stand beside those of a model."""
    return {DESIGN + "centre": design.centre, DESIGN + "scale": design.scale}


def read_design(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Design:
    """The inverse of `design_facts` and `design_arrays`."""
    return Design(
        readings=tuple(_reading(told) for told in facts["readings"]),
        terms=tuple(Term(**told) for told in facts["terms"]),
        centre=np.asarray(arrays[DESIGN + "centre"], dtype=float),
        scale=np.asarray(arrays[DESIGN + "scale"], dtype=float),
        dropped=tuple(Dropped(**told) for told in facts["dropped"]),
    )


def _reading_facts(reading: Reading) -> dict[str, Any]:
    told = {name: getattr(reading, name) for name in reading.__dataclass_fields__}
    told["variable"] = reading.variable.model_dump(mode="json")
    told["range"] = None if reading.range is None else asdict(reading.range)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}


def _reading(told: Mapping[str, Any]) -> Reading:
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    plain["variable"] = Variable.model_validate(told["variable"])
    plain["range"] = None if told["range"] is None else Range(**told["range"])
    return Reading(**plain)
