"""What a patient's risk is made of, and compared with whom: worked out once for a patient and a time."""

from __future__ import annotations

from bedside import explain
from bedside.cohort import Cohort, Outcome, Unit
from bedside.risk.fitted import Fitted
from components import desk, model_choice
from components.model_choice import Choice

EVERYONE = ""


def reference(cohort: Cohort, row: int) -> str:
    """The population that reasons are compared with, as the reader chose it; empty for everyone."""
    return EVERYONE


def background_key(
    cohort: Cohort, outcome: Outcome, choice: Choice, chosen: str
) -> tuple[str | int | float | bool, ...]:
    """What a cache must know of the patients that reasons are compared with."""
    return ("background", *model_choice.key(cohort, outcome, choice), chosen)


def explained(
    cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, row: int, when: float, unit: Unit, *,
    alive: float = 0.0, chosen: str = EVERYONE,
) -> explain.Explanation:  # fmt: skip
    """What the model's risk of this patient is made of, at one time."""
    key = background_key(cohort, outcome, choice, chosen)

    def make() -> explain.Explanation:
        with desk.progress("Working out why"):
            beside = desk.kept(key, lambda: explain.background(fitted, cohort))
            return explain.explain(fitted, cohort.frame.iloc[[row]], beside, [when], unit=unit)[0]

    return desk.kept(("explanation", *key[1:], row, when, unit, alive), make)
