"""What a model goes by over a whole cohort: one state for every view of the page, and for the model page's summary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome, Unit, Variable, convert
from bedside.cohort.values import level_index, numbers
from bedside.explain import Global
from bedside.explain.contributions import readings_of
from bedside.explain.overtime import OverTime
from bedside.explain.whole import at_one_time
from bedside.report import say
from bedside.risk.fitted import Fitted
from components import my_estimates, numbers_reasons
from components.model_choice import Choice
from components.panels import horizon

MOST_TIMES = 12
FEW = 6


@dataclass(frozen=True, eq=False)
class Part:
    """One variable among the patients explained.

    Attributes
    ----------
    variable : Variable
    levels : tuple of str
        What its levels are called, in their order; empty for a number.
    value : array, shape (n,)
        As the model reads it: a number or the position of the level; NaN where missing or unseen.
    points : array, shape (n,)
        What it adds to each patient's risk at the time asked for, as a share of 1.
    """

    variable: Variable
    levels: tuple[str, ...]
    value: np.ndarray
    points: np.ndarray

    @property
    def size(self) -> float:
        """Mean size of what it adds, in percentage points."""
        return float(100 * np.abs(self.points).mean()) if len(self.points) else 0.0

    def said(self, i: int) -> str:
        """The value of one of the patients, with the variable's name."""
        value = self.value[i]
        if not np.isfinite(value):
            return self.variable.say_with_label(None)
        return self.variable.say_with_label(float(value)) if not self.levels else self._level(int(value))

    def _level(self, at: int) -> str:
        return self.variable.within_phrase(self.levels[at])


@dataclass(frozen=True, eq=False)
class Reasons:
    """Contributions of a cohort's patients to the risk by the chosen model.

    Attributes
    ----------
    cohort, outcome, choice, fitted
    when, unit
        The time of the risks, as the reader has it.
    told : OverTime
        At several times, the one asked for among them.
    at : int
        Which of its times is asked for.
    """

    cohort: Cohort
    outcome: Outcome
    choice: Choice
    fitted: Fitted
    when: float
    unit: Unit
    told: OverTime
    at: int

    @property
    def within(self) -> str:
        """``"within 4 years"``."""
        return f"within {say.duration(self.when, self.unit)}"

    @property
    def times(self) -> np.ndarray:
        """All times, in the reader's unit."""
        return np.array([float(convert(float(t), self.outcome.unit, self.unit)) for t in self.told.times])

    @cached_property
    def now(self) -> Global:
        """At the time asked for, most important variable first."""
        return at_one_time(self.told, self.at, self.when, self.unit)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Every variable at the time asked for, most important first."""
        names = [variable.name for variable in self.told.variables]
        return tuple(self._part(names.index(name)) for name in self.now.variables)

    def part(self, name: str) -> Part:
        """One of them by its column."""
        return next(part for part in self.parts if part.variable.name == name)

    def _part(self, j: int) -> Part:
        variable = self.told.variables[j]
        reading = readings_of(self.fitted)[variable.name]
        frame, points = self.frame, self.told.points[:, j, self.at]
        if variable.is_numeric:
            return Part(variable, (), numbers(frame, variable.name), points)
        index = level_index(frame, variable.name, reading.codes)
        levels = tuple(variable.label_of(code) for code in reading.codes)
        return Part(variable, levels, np.where(index < 0, np.nan, index), points)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The patients explained."""
        return self.cohort.frame.iloc[self.told.rows]

    def who(self, i: int) -> str:
        """What one of the patients explained is called."""
        return f"Patient {self.cohort.identifiers[self.told.rows[i]]}".replace("Patient Patient", "Patient")

    def named(self, part: Part, keep: np.ndarray) -> list[str]:
        """Patients with their value of a variable; without their names while the reader's own estimates come first."""
        if self.nameless:
            return [part.said(i) for i in keep.tolist()]
        return [f"{self.who(i)}: {part.said(i)}" for i in keep.tolist()]

    @cached_property
    def nameless(self) -> bool:
        """True while nothing of the model's may be told of a patient, since the reader's own estimates come first."""
        return my_estimates.first()

    @property
    def basis(self) -> str:
        """Under every figure: whose contributions, against whom, and how near."""
        return self._basis(self.within)

    @property
    def basis_of_all(self) -> str:
        """The same of all times."""
        return self._basis(f"within up to {say.duration(float(self.times[-1]), self.unit)}")

    def _basis(self, within: str) -> str:
        told = self.told
        exact = " Exact." if told.how == "exact" else ""
        error = f" Sampled, standard error {100 * told.sampling_error:.2f} points." if told.sampling_error else ""
        return (
            f"Shapley values of the risk {within}: {say.patients(len(told.rows))}{self._sampled}, against "
            f"{told.n_background} of them.{exact}{error} What goes with the model’s risk, not what causes it."
        )

    @property
    def _sampled(self) -> str:
        n = len(self.cohort)
        return f" (a random sample of {n:,})" if n > len(self.told.rows) else ""


def reasons(
    cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, when: float, unit: Unit
) -> Reasons | None:
    """The page's state; None while it is worked out: its place shows how far that is."""
    t = float(convert(when, unit, outcome.unit))
    times = _times(cohort, outcome, fitted, t)
    told = numbers_reasons.explained(cohort, outcome, choice, fitted, times)
    if told is None:
        return None
    return Reasons(cohort, outcome, choice, fitted, when, unit, told, int(np.argmin(np.abs(told.times - t))))


def _times(cohort: Cohort, outcome: Outcome, fitted: Fitted, t: float) -> tuple[float, ...]:
    """Every time that the slider can stand at, so that it moves at no cost; where they are many, a few and this one."""
    stops = [stop for stop in horizon.stops(cohort, outcome) if stop <= fitted.last]
    if len(stops) > MOST_TIMES:
        stops = [stops[i] for i in np.linspace(0, len(stops) - 1, FEW + 1).round().astype(int)[1:].tolist()]
    return tuple(sorted({*stops, t}))
