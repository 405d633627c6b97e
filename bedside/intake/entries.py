"""Which column says when patients came under observation: only one that is named as nothing else, and fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bedside.intake.names import words_of, wordset
from bedside.intake.plan import ColumnPlan, Guess, OutcomePlan

if TYPE_CHECKING:
    from bedside.intake.guess import Seen

NEARLY_ALL = 0.95
"""Share of the patients that must have come under observation before the end of their follow-up."""
_ENTRIES = wordset("entry t0 entrytime entrydays entrydate tstart eintritt entree entrada ingresso referral truncation")
_BESIDE = wordset(
    "time date dt datum day of at in to the study trial cohort registry observation left delayed late von zum der den "
    "studie register zeit tag beobachtung temps etude de du la le l dans tiempo estudio tempo studio estudo data fecha "
)
_LENGTHS = {
    "days": wordset("d days tage jours dias giorni dagen"),
    "weeks": wordset("weeks wochen semaines semanas settimane weken"),
    "months": wordset("mo months monate mois meses mesi maanden"),
    "years": wordset("y yrs years jahre ans annees anos anni jaar"),
}
_STOPS = wordset("stop tstop")


def entered(outcome: OutcomePlan, columns: Sequence[tuple[Seen, ColumnPlan]], guesses: dict[str, Guess]) -> OutcomePlan:
    """The same outcome with the column that says when observation began, where one is named so and fits.

    “weight_at_entry” is a weight: the whole name has to say an entry and nothing else, in the unit of the follow-up,
    and nearly nobody may come under observation only after the end.
    """
    time = next((seen for seen, _ in columns if seen.column.name == outcome.time), None)
    for seen, plan in columns:
        name = seen.column.name
        if name in outcome.columns or not _named(name, outcome):
            continue
        fits = plan.kind == "date" if outcome.of_dates else time is not None and _fits(seen, plan, time)
        if fits:
            guesses[f"outcome.{outcome.key}.entry"] = Guess(
                name, 0.5, f"“{name}” is named like the moment from which on a patient was observed."
            )
            return replace(outcome, entry=name)
    return outcome


def _named(name: str, outcome: OutcomePlan) -> bool:
    """True where the whole name says an entry, in the unit of the follow-up if in any."""
    parts = re.findall(r"[a-z]+\d*|\d+", " ".join(words_of(name)[:-1] or words_of(name)))
    starts = {"start"} if set(words_of(outcome.time)) & _STOPS else set()
    entries, lengths = _ENTRIES | starts, _LENGTHS.get(outcome.unit, frozenset()) if not outcome.of_dates else set()
    return any(part in entries for part in parts) and all(part in entries | _BESIDE | lengths for part in parts)


def _fits(seen: Seen, plan: ColumnPlan, time: Seen) -> bool:
    """True for numbers from 0 on that end before follow-up does, as far as their sizes say."""
    entry, ends = np.sort(seen.values), np.sort(time.values)
    if plan.kind not in ("continuous", "identifier") or seen.numeric < NEARLY_ALL or not len(ends):
        return False
    if len(np.unique(entry)) < 2 or entry[0] < 0:
        return False
    # Whoever is the k-th to enter may not come after the k-th end: so it is if each enters before their own.
    places = np.linspace(0, 1, 101)
    before = np.quantile(entry, places) < np.quantile(ends, places)
    return bool(np.mean(before) >= NEARLY_ALL)
