"""Which column says when patients came under observation: only one that is named as nothing else, and fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bedside.intake.entry_units import SAID, entry_factor, unit_of_entry
from bedside.intake.names import words_of, wordset
from bedside.intake.plan import ColumnPlan, Guess, OutcomePlan, Plan

if TYPE_CHECKING:
    from bedside.intake.guess import Seen

NEARLY_ALL = 0.95
"""Share of the patients that must have come under observation before the end of their follow-up."""
_ENTRIES = wordset("entry t0 entrytime entrydays entrydate tstart eintritt entree entrada ingresso referral truncation")
_BESIDE = wordset(
    "time date dt datum day of at in to the study trial cohort registry observation left delayed late von zum der den "
    "studie register zeit tag beobachtung temps etude de du la le l dans tiempo estudio tempo studio estudo data fecha "
)
_LENGTHS = frozenset().union(*SAID.values())
_STOPS = wordset("stop tstop")


def entered(outcome: OutcomePlan, columns: Sequence[tuple[Seen, ColumnPlan]], guesses: dict[str, Guess]) -> OutcomePlan:
    """The same outcome with the column that says when observation began, where one is named so and fits.

    “weight_at_entry” is a weight: the whole name has to say an entry and nothing else but a unit of time, and
    nearly nobody may come under observation only after the end.
    """
    time = next((seen for seen, _ in columns if seen.column.name == outcome.time), None)
    for seen, plan in columns:
        name = seen.column.name
        if name in outcome.columns or not _named(name, outcome):
            continue
        there = replace(outcome, entry=name)
        own = Plan(columns=(plan,))
        factor = entry_factor(own, there)
        fits = plan.kind == "date" if outcome.of_dates else time is not None and _fits(seen, plan, time, factor)
        if fits:
            unit = "" if factor == 1.0 else f" It is in {unit_of_entry(own, there)}: converted to {outcome.unit}."
            guesses[f"outcome.{outcome.key}.entry"] = Guess(
                name, 0.5, f"“{name}” is named like the moment from which on a patient was observed.{unit}"
            )
            return there
    return outcome


def _named(name: str, outcome: OutcomePlan) -> bool:
    """True where the whole name says an entry, and its unit of time where it counts in one."""
    parts = re.findall(r"[a-z]+\d*|\d+", " ".join(words_of(name)[:-1] or words_of(name)))
    starts = {"start"} if set(words_of(outcome.time)) & _STOPS else set()
    entries, lengths = _ENTRIES | starts, frozenset() if outcome.of_dates else _LENGTHS
    return any(part in entries for part in parts) and all(part in entries | _BESIDE | lengths for part in parts)


def _fits(seen: Seen, plan: ColumnPlan, time: Seen, factor: float) -> bool:
    """True for numbers from 0 on that, times a factor, end before follow-up does, as far as their sizes say."""
    entry, ends = np.sort(seen.values) * factor, np.sort(time.values)
    if plan.kind not in ("continuous", "identifier") or seen.numeric < NEARLY_ALL or not len(ends):
        return False
    if len(np.unique(entry)) < 2 or entry[0] < 0:
        return False
    # Whoever is the k-th to enter may not come after the k-th end: so it is if each enters before their own.
    places = np.linspace(0, 1, 101)
    before = np.quantile(entry, places) < np.quantile(ends, places)
    return bool(np.mean(before) >= NEARLY_ALL)
