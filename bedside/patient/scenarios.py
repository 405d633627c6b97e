"""Patients who differ from this one in some values: what may be entered, and their risks side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bedside.cohort.codes import normal_code
from bedside.cohort.variable import Variable, is_missing
from bedside.cohort.wording import say_range
from bedside.errors import Fixable
from bedside.explain.contributions import readings_of
from bedside.explain.explanation import Explanation
from bedside.patient.conditional import conditional_risk
from bedside.risk.design import Reading
from bedside.risk.fitted import Fitted, Limits
from bedside.risk.words import notes

MOST = 4
CAVEAT = (
    "This compares patients whose other values are alike. It does not say what would become of this patient with "
    "another value: the model knows what goes together, not what causes what."
)
WHAT = "That value can't be used."


@dataclass(frozen=True)
class Editable:
    """A value that may be replaced.

    Attributes
    ----------
    variable : Variable
    value : object
        The patient's: a number, a code, or None where missing.
    low, high : float or None
        Of a number: the plausible range, or what training patients had where the dictionary has none.
    codes : tuple of str
        Levels.
    """

    variable: Variable
    value: float | str | None
    low: float | None
    high: float | None
    codes: tuple[str, ...]

    @property
    def modifiable(self) -> bool:
        """True if the dictionary marks it so."""
        return self.variable.modifiable


@dataclass(frozen=True)
class Change:
    """One value in which two patients differ."""

    variable: Variable
    before: float | str | None
    after: float | str | None

    @property
    def said(self) -> str:
        """The other value in words, e.g. ``"Grade 2"``."""
        return self.variable.say_with_label(self.after)

    @property
    def instead(self) -> str:
        """Both, e.g. ``"Grade 2 instead of 3"``."""
        return f"{self.said} instead of {self.variable.say(self.before)}"


@dataclass(frozen=True, eq=False)
class Scenario:
    """A patient with these values.

    Attributes
    ----------
    name : str
    patient : pandas.DataFrame of one row
    changes : tuple of Change
        Where it differs from the patient that was opened, in dictionary order; empty if nowhere.
    notes : tuple of str
        What the model did with values that are missing, rare or outside of what it has seen.
    """

    name: str
    patient: pd.DataFrame = field(repr=False)
    changes: tuple[Change, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Compared:
    """The patient and the scenarios side by side, the patient first.

    Attributes
    ----------
    names : tuple of str
    times : array, shape (t,)
    risk : array, shape (1 + k, t)
    lower, upper : arrays of that shape
        NaN where the model has no interval.
    limits : str
        What the interval is; empty where there is none.
    """

    names: tuple[str, ...]
    times: np.ndarray
    risk: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    limits: str

    @property
    def points(self) -> np.ndarray:
        """Percentage points above (or below) the patient's own risk, shape (1 + k, t)."""
        return 100 * (self.risk - self.risk[:1])


def editable(model: Fitted, patient: pd.DataFrame) -> tuple[Editable, ...]:
    """The values that the model reads, modifiable ones first, each part in dictionary order."""
    found = [_editable(reading, patient) for reading in readings_of(model).values()]
    return tuple(sorted(found, key=lambda e: not e.modifiable))


def _editable(reading: Reading, patient: pd.DataFrame) -> Editable:
    variable = reading.variable
    value = value_of(variable, patient)
    if not variable.is_numeric:
        return Editable(variable, value, None, None, reading.codes)
    low, high = limits_of(reading)
    return Editable(variable, value, low, high, ())


def limits_of(reading: Reading) -> tuple[float, float]:
    """What a number may be: the dictionary's plausible range, or failing that the one seen."""
    seen = reading.range
    if reading.variable.plausible is not None or seen is None:
        return reading.variable.plausible or (-np.inf, np.inf)
    return seen.low, seen.high


def value_of(variable: Variable, patient: pd.DataFrame) -> float | str | None:
    """The patient's value: a number, a code, or None."""
    value = patient[variable.name].iloc[0] if variable.name in patient else None
    if is_missing(value):
        return None
    if not variable.is_numeric:
        return normal_code(value)
    number = pd.to_numeric(value, errors="coerce")
    return float(number) if np.isfinite(number) else None


def scenario(model: Fitted, patient: pd.DataFrame, values: Mapping[str, object], *, name: str = "") -> Scenario:
    """A patient with some other values.

    Parameters
    ----------
    model : Fitted
    patient : pandas.DataFrame of one row
    values : mapping of str to object
        By column: a number within the plausible range, a level's code, or None for a missing value. Those that the
        patient has already are no changes, however implausible.
    name : str

    Raises
    ------
    Fixable
        If the model does not read a variable, or a value is outside of what is plausible or no level.
    """
    readings = readings_of(model)
    changes: list[Change] = []
    for key in values:
        if key not in readings:
            raise Fixable(
                WHAT,
                "The model does not read that variable, so its risk is the same for every value of it.",
                f"Choose one of {', '.join(r.variable.label for r in list(readings.values())[:5])}.",
            )
    for key, reading in readings.items():
        if key in values:
            before = value_of(reading.variable, patient)
            if not is_same(reading, before, values[key]):
                changes.append(Change(reading.variable, before, checked(reading, values[key])))
    changed = with_values(patient, {c.variable.name: c.after for c in changes})
    return Scenario(name, changed, tuple(changes), notes(model, changed))


def with_values(patient: pd.DataFrame, values: Mapping[str, object]) -> pd.DataFrame:
    """The patient's row with some values replaced."""
    return patient.iloc[[0]].assign(**{name: pd.Series([v], dtype=object).array for name, v in values.items()})


def is_same(reading: Reading, own: float | str | None, value: object) -> bool:
    """True if a value is the one that the patient has."""
    if value is None or value == "" or is_missing(value):
        return own is None
    return own == (_number(value) if reading.variable.is_numeric else normal_code(value))


def checked(reading: Reading, value: object) -> float | str | None:
    """A value that may be entered.

    Raises
    ------
    Fixable
    """
    variable = reading.variable
    if value is None or value == "" or is_missing(value):
        return None
    if not variable.is_numeric:
        code = normal_code(value)
        if code in reading.codes:
            return code
        labels = ", ".join(variable.label_of(c) for c in reading.codes[:8])
        raise Fixable(WHAT, f"It is no level of {variable.label}.", f"Choose one of {labels}.")
    number = _number(value)
    low, high = limits_of(reading)
    if np.isfinite(number) and low <= number <= high:
        return number
    raise Fixable(
        WHAT,
        f"{variable.label} must be a number within what is plausible.",
        f"Enter a value from {say_range(variable, low, high)}.",
    )


def _number(value: object) -> float:
    """A number or a text that is one; NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | np.number):
        return float("nan")
    try:
        return float(value)
    except (ValueError, OverflowError):
        return float("nan")


def risks_of(
    model: Fitted,
    patients: pd.DataFrame,
    times: np.ndarray,
    *,
    alive_at: float = 0.0,
    whole: Fitted | None = None,
    level: float = 0.95,
) -> tuple[np.ndarray, Limits | None]:
    """Risks from time zero, or of patients who are event-free at `alive_at`, shape (n, t), with their limits."""
    if alive_at > 0:
        found = conditional_risk(model, patients, alive_at, times, whole=whole, level=level)
        return found.risk, found.limits
    return model.risk(patients, times), model.limits(patients, times, level=level)


def compare(
    model: Fitted,
    patient: pd.DataFrame,
    scenarios: Sequence[Scenario],
    times: Sequence[float] | np.ndarray,
    *,
    own: str = "This patient",
    alive_at: float = 0.0,
    whole: Fitted | None = None,
    level: float = 0.95,
    most: int = MOST,
) -> Compared:
    """Risks of the patient and of some scenarios.

    Parameters
    ----------
    model : Fitted
    patient : pandas.DataFrame of one row
    scenarios : sequence of Scenario
    times : sequence of float
        In the outcome's unit.
    own : str
        Name of the patient's own line.
    alive_at : float
        Time that all of them are known to be event-free, in the outcome's unit; 0 from the start.
    whole : Fitted, optional
        As in `state_risks`.
    level : float, default 0.95
    most : int, default 4
        How many scenarios at most.

    Raises
    ------
    Fixable
        If there are more, or a time is outside the follow-up.
    """
    if len(scenarios) > most:
        raise Fixable(
            "No more can be compared.", f"Up to {most} scenarios stand beside the patient.", "Remove one of them first."
        )
    asked = np.atleast_1d(np.asarray(times, dtype=float))
    frame = pd.concat([f.astype(object) for f in (patient.iloc[[0]], *(s.patient for s in scenarios))])
    risk, limits = risks_of(model, frame, asked, alive_at=alive_at, whole=whole, level=level)
    nothing = np.full(risk.shape, np.nan)
    names = tuple(s.name or f"Scenario {i}" for i, s in enumerate(scenarios, start=1))
    return Compared(
        (own, *names), asked, risk, nothing if limits is None else limits.lower,
        nothing if limits is None else limits.upper, "" if limits is None else limits.name,
    )  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """What one value goes with in two patients, as shares of 1 beside the same average.

    Attributes
    ----------
    label : str
        The variable.
    before, after : str
        Each patient's value in words; alike where it does not differ.
    own, other : float
        Contributions: .17 is 17 percentage points.
    """

    label: str
    before: str
    after: str
    own: float
    other: float

    @property
    def points(self) -> float:
        """Percentage points by which the other patient's contribution is higher."""
        return 100 * (self.other - self.own)


def differences(own: Explanation, other: Explanation) -> tuple[Difference, ...]:
    """The contributions of two patients side by side, those furthest apart first; together their risks' difference.

    Both must be of the same model, at the same time and beside the same patients.
    """
    theirs = {c.variable: c for c in other.contributions}
    pairs = [(c, theirs[c.variable]) for c in own.contributions]
    found = [Difference(c.label, c.value_text, d.value_text, c.points, d.points) for c, d in pairs]
    return tuple(sorted(found, key=lambda d: -abs(d.points)))
