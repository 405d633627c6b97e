"""Sentences about the patients most like one patient."""

from __future__ import annotations

import math

import numpy as np

from bedside.cohort import convert
from bedside.cohort.selection import FEWEST_SHARED
from bedside.cohort.variable import is_missing
from bedside.errors import Fixable
from bedside.patient import Metric, Similar
from bedside.patient.held_out import held_out
from bedside.patient.similar import Match
from bedside.report import say
from components import numbers_models, numbers_validation
from components.numbers_validation import Ask
from components.panels import patient_sure, patient_view
from components.panels.patient_view import View

NAMED = 3
UNLIKE = 40
"""Half of the nearest are less alike than this, of 100: what happened to them says little."""


def _of(share: float, decimals: int) -> str:
    return say.of_100(share, decimals=decimals)


def _bare(share: float, decimals: int) -> str:
    return _of(share, decimals).removesuffix(" of 100")


def within(view: View) -> str:
    """By when, without what is known so far."""
    return f"within {say.duration(view.when, view.unit)}"


def landmark(view: View) -> str:
    """Among whom they were sought, where not among all."""
    if not view.alive:
        return ""
    return (
        f", among those who were {view.outcome.free_phrase} and under observation "
        f"{say.duration(view.alive, view.unit)} after {view.outcome.since}"
    )


def _came(view: View) -> str:
    if not view.alive:
        return ""
    free = patient_view.plainly(view.outcome.free_phrase)
    return f" among those who were {free} {say.duration(view.alive, view.unit)} after {view.outcome.since}"


def lead(view: View, near: Similar) -> str:
    """What happened to them, what the model said for them, and what it says for this patient."""
    n, d = near.observed.n, view.decimals
    who = f"Of the {n} patients most alike{_came(view)}"
    by = f"{within(view)} of {view.outcome.since}"
    said = f"the model said {_of(near.expected_at, d)} for them, and says {_of(view.risk, d)} for this patient."
    if math.isnan(near.observed_at):
        seen = near.observed
        ends = (float(seen.lower[-1]), float(seen.upper[-1]))
        between = "" if any(map(math.isnan, ends)) else f" ({say.range_of_100(*ends, decimals=d)})"
        return (
            f"{who}, fewer than 10 are still under observation after {say.duration(_last(view, near), view.unit)}; by "
            f"then {_of(float(seen.risk[-1]), d)}{between} had been seen to {view.happens}. By "
            f"{say.duration(view.when, view.unit)} {said}"
        )
    return f"{who}, {_of(near.observed_at, d)}{_between(near, d)} were seen to {view.happens} {by}; {said}"


def _between(near: Similar, decimals: int) -> str:
    # Where none or all of them had it, there is no interval that could be believed.
    if not 0 < near.observed_at < 1 or math.isnan(near.lower_at):
        return ""
    return f" ({say.range_of_100(near.lower_at, near.upper_at, decimals=decimals)})"


def _last(view: View, near: Similar) -> float:
    return float(convert(near.observed.last, view.outcome.unit, view.unit))


def _unseen(view: View, near: Similar) -> float:
    """Their mean risk from models that had not seen them; NaN where the session has no such check."""
    ask = Ask(view.choice, (view.choice.kind,), "folds", numbers_models.until(view.cohort, view.outcome))
    try:
        done = numbers_validation.there(view.cohort, view.outcome, ask)
    except Fixable:
        return math.nan
    said = None if done is None else held_out(done, view.choice.kind, view.t, since=view.s)
    return math.nan if said is None else float(said[near.rows].mean())


def cautions(view: View, on: Metric, near: Similar) -> list[str]:
    """What must be known before they are taken for this patient's kind.

    Whether the model was right for them is judged by models that had not seen them, if there is such a check: the
    model itself learnt from what happened to them.
    """
    told, few = [], near.close < FEWEST_SHARED or nothing_known(view, on)
    if few:
        told.append(much_alike(view, on, near))
    elif float(np.median(likeness(on, near))) < UNLIKE:
        told.append(
            f"Even these {near.observed.n} are not very like this patient (see Alike below): what happened to them "
            "says little of this one."
        )
    low, high, unseen = near.lower_at, near.upper_at, _unseen(view, near)
    if unseen < low or unseen > high:
        more = unseen < low
        told.append(
            f"{'More' if more else 'Fewer'} of them had it than models that had not seen them said "
            f"({_of(unseen, view.decimals)}), beyond chance: the risk may be too {'low' if more else 'high'} for "
            "patients like this."
        )
    return told


def much_alike(view: View, on: Metric, near: Similar) -> str:
    """How many of them the evidence beside the number calls similar too."""
    k, close = near.observed.n, near.close
    if nothing_known(view, on):
        return (
            "Nothing is known of this patient, so these are like the typical patient here and say nothing of this one."
        )
    means = patient_sure.means(on.unit, on.close)
    if close >= FEWEST_SHARED:
        who = f"All {k} are" if close == k else f"{close} of these {k} are"
        return f"{who} much like this patient ({means})."
    who = f"Fewer than {FEWEST_SHARED} of these {k} are" if close else f"None of these {k} is"
    return f"{who} much like this patient ({means}): what happened to them says little of this one."


def nothing_known(view: View, on: Metric) -> bool:
    """True if none of what counts is recorded."""
    here = view.patient
    return all(v.name not in here or is_missing(here[v.name].iloc[0]) for v in on.variables)


def likeness(on: Metric, near: Similar) -> np.ndarray:
    """How alike each is: 100 the same in all that counts, 0 no more than any two patients are."""
    return 100 * np.clip(1 - near.distance / on.weight.sum(), 0.0, 1.0)


def shared(near: Similar) -> list[str]:
    """What they have in common with the patient, where they differ, and what can't be compared."""
    alike = [say.in_sentence(m.variable.label) for m in near.shared[:NAMED]]
    apart = [
        f"{say.in_sentence(m.variable.label)} (this patient {m.own}, {_theirs(m)})" for m in near.differing[:NAMED]
    ]
    told = [f"Alike in {_listed(alike)}."] if alike else []
    if apart:
        told.append(f"They differ in {_listed(apart)}.")
    elif len(near.shared) == len(near.matches):
        told.append("No single value sets them apart.")
    gaps = [say.in_sentence(m.variable.label) for m in near.matches if m.verdict == "not recorded"]
    if gaps:
        told.append(f"Not recorded, so not compared: {_listed(_few(gaps))}.")
    told += [
        f"{m.variable.label} {m.own} is read as {m.like}, so they need not have it." for m in near.matches if m.like
    ]
    return told


def _few(names: list[str]) -> list[str]:
    return names if len(names) <= NAMED + 1 else [*names[:NAMED], f"{len(names) - NAMED} more"]


def verdict(match: Match) -> str:
    """Alike or not, as the table has it."""
    if match.verdict == "read as":
        return f"read as {match.like}"
    if match.verdict == "mixed" and match.same is not None and match.same.value is not None:
        return f"mixed ({match.same.value} of {match.same.of})"
    return match.verdict


def _theirs(match: Match) -> str:
    """What they have instead."""
    if match.variable.is_numeric:
        return f"they {match.typical}"
    return f"they mostly {match.typical}" if match.typical != match.own else "they vary"


def _listed(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def typical(match: Match, near: Similar) -> str:
    """What is usual among them; a count only where it may be shown."""
    if match.same is None or match.same.value is None or not match.same.value:
        return match.typical
    return f"{match.typical} ({match.same.value} of {match.same.of} as this patient)"


def method(near: Similar, view: View) -> str:
    """How their curve was made."""
    return "by Aalen and Johansen" if view.one_event else "by Kaplan and Meier"


def scale(on: Metric) -> str:
    """What a difference is measured by."""
    if on.unit == "log hazard" and on.causes > 1:
        return (
            "Differences are counted as the model counts them: by what each does to the rate of the event, and to the "
            "rate of what can come before it."
        )
    if on.unit == "log hazard":
        return "Differences are counted as the model counts them: by what each does to the rate of the event."
    return "A difference counts by how much the risk changes, on average, when a patient gets another one's value."


def note(view: View, near: Similar) -> str:
    """What the figure rests on."""
    seen = near.observed
    counted = seen.n_events.value
    events = "a number of events that is not shown" if counted is None else say.events(counted)
    how = "Aalen-Johansen" if view.one_event else "Kaplan-Meier"
    return (
        f"{say.patients(seen.n)}, {events}; {how}, pointwise 95% interval, as far as 10 are left. Counts that would "
        "tell of fewer than 10 patients are not shown (·). The model learnt from these patients too; this one is left "
        "out."
    )
