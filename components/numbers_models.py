"""The chosen model's numbers, each computed once per session under the choices it was computed with."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bedside.cohort import Cohort, Outcome
from bedside.risk import leaks
from bedside.validation.calibration import overall_calibration
from bedside.validation.resample import Resampled
from components import desk, model_choice, numbers_validation, unseen
from components.model_choice import Choice
from components.numbers_validation import Ask
from components.panels import horizon

MOST_UNASKED = 150_000
"""Patients times columns up to which a model is checked without being asked to."""


def suspicions(cohort: Cohort, outcome: Outcome, choice: Choice) -> tuple[leaks.Suspicion, ...]:
    """What looks wrong in the columns that the model is offered."""
    names = [variable.name for variable in model_choice.rows(cohort, outcome, choice).variables]

    def make() -> tuple[leaks.Suspicion, ...]:
        with desk.progress(f"Looking through {len(names):,} variables"):
            return leaks.check(cohort, outcome, names, target=choice.target)

    out = "\x1f".join(choice.left_out)
    return desk.kept(("suspicions", cohort.fingerprint, outcome.key, choice.target, choice.wide, out), make)


def checked(cohort: Cohort, outcome: Outcome, choice: Choice, t: float, *, shown: bool = True) -> Resampled | None:
    """The chosen model's predictions for patients it has not seen, as the validation page has them.

    None while they are being made, with nothing drawn meanwhile unless `shown`. A quick check is made at once.
    """
    ask = Ask(choice, (choice.kind,), "folds", t)
    quick = numbers_validation.at_once(cohort, outcome, ask)
    if quick is not None:
        return quick
    return numbers_validation.found(cohort, outcome, ask, ask.kinds, slot="model", shown=shown)


def until(cohort: Cohort, outcome: Outcome) -> float:
    """The time of a check that serves every horizon: between its times risks are read off straight lines."""
    stops = horizon.stops(cohort, outcome)
    return stops[math.ceil(len(stops) / numbers_validation.MOST_TIMES) - 1]


def unasked(cohort: Cohort, outcome: Outcome, choice: Choice) -> bool:
    """True if the check takes seconds rather than minutes."""
    rows = model_choice.rows(cohort, outcome, choice)
    return len(rows) * max(len(rows.variables), 1) <= MOST_UNASKED


# ------------------------------------------------------------------ what a check says


@dataclass(frozen=True)
class Answer:
    """How well a model does on patients it has not seen, in the fewest numbers.

    Attributes
    ----------
    c, lower, upper : float
        Harrell's C over the folds, with an interval that allows for their overlapping training parts.
    folds : int
    predicted, observed, observed_lower, observed_upper : float
        By the time asked for: mean predicted risk, and what happened.
    ratio_lower, ratio_upper : float
        Of observed over predicted.
    """

    c: float
    lower: float
    upper: float
    folds: int
    predicted: float
    observed: float
    observed_lower: float
    observed_upper: float
    ratio_lower: float
    ratio_upper: float

    @property
    def ranks(self) -> bool:
        """True if it surely ranks patients better than chance."""
        return self.lower > 0.5

    @property
    def right_on_average(self) -> bool:
        """False if its risks are surely too high or too low on average."""
        return not (self.ratio_lower > 1 or self.ratio_upper < 1)


def answer(done: Resampled, kind: str, t: float) -> Answer:
    """A check in a sentence's worth of numbers."""
    ranked = unseen.ranking(done, kind)
    rows = done.rows
    judged = overall_calibration(rows.time, rows.cause, done.mean(kind).at(t), t, entry=rows.entry)
    seen = judged.observed
    return Answer(
        ranked.c, ranked.lower, ranked.upper, ranked.folds, judged.expected, seen.risk, seen.lower, seen.upper,
        judged.lower, judged.upper,
    )  # fmt: skip
