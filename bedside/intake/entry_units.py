"""When observation began, in the unit of the follow-up: a column of months beside one of days is converted."""

from __future__ import annotations

from bedside.cohort.units import DAYS, Unit
from bedside.intake.names import words_of, wordset
from bedside.intake.plan import OutcomePlan, Plan

SAID: dict[Unit, frozenset[str]] = {
    "days": wordset("d day days tag tage jour jours dia dias giorno giorni dag dagen"),
    "weeks": wordset("w wk wks week weeks woche wochen semaine semaines semana semanas settimana settimane weken"),
    "months": wordset("mo mos mth mths month months monat monate mois mes meses mese mesi maand maanden"),
    "years": wordset("y yr yrs year years jahr jahre an ans annee annees ano anos anno anni jaar"),
}


def unit_of_entry(plan: Plan, outcome: OutcomePlan) -> Unit:
    """The unit of an outcome's column of entries: the one it has, or that its name says, else that of the follow-up.

    Parameters
    ----------
    plan : Plan
    outcome : OutcomePlan
    """
    own = next((c for c in plan.columns if c.name == outcome.entry), None)
    if own is None or outcome.of_dates or own.concept == "age":
        return outcome.unit
    for words in (words_of(own.unit), words_of(own.name)):
        for unit, said in SAID.items():
            if set(words) & said:
                return unit
    return outcome.unit


def entry_factor(plan: Plan, outcome: OutcomePlan) -> float:
    """By what entries are multiplied to be in the unit of the follow-up; 1 where they are in it."""
    unit = unit_of_entry(plan, outcome)
    return 1.0 if unit == outcome.unit else DAYS[unit] / DAYS[outcome.unit]


def is_made(plan: Plan, outcome: OutcomePlan) -> bool:
    """True if an outcome has entries that are worked out, and so stand in a column of their own."""
    return bool(outcome.entry) and (outcome.of_dates or entry_factor(plan, outcome) != 1.0)


def entry_notes(plan: Plan) -> tuple[str, ...]:
    """Of each column of entries in another unit than its follow-up, that it was converted."""
    return tuple(dict.fromkeys(
        f"“{o.entry}” is in {unit_of_entry(plan, o)} and the follow-up of “{o.label}” in {o.unit}: it was converted."
        for o in plan.outcomes if o.entry and not o.of_dates and is_made(plan, o)
    ))  # fmt: skip
