"""The model in sentences: what it is, what its ridge does, and what it did with one patient's values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bedside.cohort import Variable
from bedside.cohort.values import MISSING, UNSEEN, level_index, numbers
from bedside.risk.design import Reading
from bedside.risk.model import Model


def describe(model: Model) -> str:
    """The model in three sentences of plain text; `ridge_sentence` adds how it was estimated."""
    p, k = len(model.coef), len(model.variables)
    return (
        f"A Cox proportional hazards model of {_lowered(model.outcome.label)}, fitted on {model.n:,} patients with "
        f"{model.n_events:,} events. It reads {k} variable{'s' if k != 1 else ''} known at time zero "
        f"({p} coefficient{'s' if p != 1 else ''}). It takes each hazard ratio to be the same at "
        f"all times{_shape(model)}"
    )


def _shape(model: Model) -> str:
    if any(reading.knots for reading in model.design.readings):
        return ", which is not checked here; numbers act along curves (restricted cubic splines)."
    return " and, for a number, each step to count alike (on its own or a logarithmic scale); neither is checked here."


def ridge_sentence(model: Model) -> str:
    """What the ridge does and which variance the intervals use, for the screen."""
    if model.penalizer == 0:
        return "Hazard ratios are not penalised; intervals use the inverse of the information."
    worth = round(model.penalizer * model.n, 2)
    return (
        f"A ridge pulls every hazard ratio towards 1 as {worth:g} event{'s' if worth != 1 else ''} of evidence for "
        "no effect would; intervals use the inverse of the penalised information."
    )


def notes(model: Model, patient: pd.DataFrame | pd.Series) -> tuple[str, ...]:
    """What the model did with values that are missing, unseen or outside what it knows.

    Parameters
    ----------
    model : Model
    patient : pandas.DataFrame of one row, or pandas.Series
        One patient, in the cohort's units and codes.

    Returns
    -------
    tuple of str
        One sentence for each such value, in dictionary order; empty when there is nothing to say. Plain text
        with text from the data in it: escape it before it is shown.
    """
    row = patient.to_frame().T if isinstance(patient, pd.Series) else patient.iloc[[0]]
    told = (_about_number(r, row) if r.variable.is_numeric else _about_level(r, row) for r in model.design.readings)
    return tuple(sentence for sentence in told if sentence)


def _about_number(reading: Reading, row: pd.DataFrame) -> str:
    variable, seen = reading.variable, reading.range
    value = float(numbers(row, variable.name)[0])
    if np.isnan(value):
        filled = variable.say(reading.fill)
        return (
            f"{variable.label} was missing for this patient: the median of the patients here ({filled}) was used; "
            "the interval leaves this out."
        )
    said = _implausible(variable, value)
    if seen is not None and not seen.low <= value <= seen.high:
        said += (
            f"{' ' if said else ''}{variable.label} is outside the values the model has seen "
            f"({variable.number(seen.low)} to {variable.say(seen.high)}): the risk is an extrapolation."
        )
    if reading.floor is not None and value < reading.floor:
        taken = variable.with_unit(f"{reading.floor:.3g}")
        said += (
            f"{' ' if said else ''}{variable.label} is read on a log scale, which has no place for so small a value: "
            f"half the smallest one above 0 ({taken}) was used."
        )
    return said


def _implausible(variable: Variable, value: float) -> str:
    if variable.plausible is None or variable.plausible[0] <= value <= variable.plausible[1]:
        return ""
    low, high = variable.plausible
    between = f"{variable.number(low)} to {variable.say(high)}"
    return f"{variable.label} is outside the plausible range ({between}): check it before relying on this risk."


def _about_level(reading: Reading, row: pd.DataFrame) -> str:
    variable = reading.variable
    index = int(level_index(row, variable.name, reading.codes)[0])
    filled = variable.say(reading.fill)
    if index == MISSING:
        return (
            f"{variable.label} was missing for this patient: the commonest value of the patients here ({filled}) was "
            "used; the interval leaves this out."
        )
    if index == UNSEEN or reading.codes[index] not in reading.present:
        return (
            f"{variable.label} has a value that no patient in the model had: the commonest one ({filled}) was used "
            "instead."
        )
    if reading.codes[index] in reading.rare:
        level, reference = (
            variable.label_of(reading.codes[index]),
            variable.label_of(reading.stand_in(reading.codes[index])),
        )
        return f"Too few patients here have {variable.label} “{level}” to judge: it was read like “{reference}”."
    return ""


def _lowered(label: str) -> str:
    """A label inside a sentence: its first letter small unless the word is an abbreviation."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
