"""What the columns of an imported cohort mean, as its dictionary says it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bedside.cohort.codes import normal_code
from bedside.intake.plan import CENSORED, EVENT, ColumnPlan, OutcomePlan, Plan
from bedside.intake.staging import Staged
from bedside.intake.units_guess import one_each

DATA = "data.parquet"
DEATH = "death"
_ANY_DEATH = re.compile(
    r"^\s*(death|dead|died|os|overall survival\b.*|(death|mortality),? (of|from) any cause|"
    r"all.?cause (death|mortality))\s*$",
    re.IGNORECASE,
)
"""Labels of an outcome that is death, whatever it was of."""


def derived_names(outcome: OutcomePlan, taken: Sequence[str]) -> tuple[str, str]:
    """Names of the columns that are made from dates, told apart from those that are there by more than capitals."""
    there, found = {name.casefold() for name in taken}, []
    for name in (f"{outcome.label}: days", f"{outcome.label}: status"):
        unique = name
        while unique.casefold() in there:
            unique += " "
            unique = unique.strip() + "*"
        found.append(unique)
    return found[0], found[1]


def entry_name(outcome: OutcomePlan, taken: Sequence[str]) -> str:
    """Name of the column with the days from time zero to the beginning of observation."""
    name = f"{outcome.label}: days at entry"
    there = {each.casefold() for each in taken}
    while name.casefold() in there:
        name += "*"
    return name


def dictionary_of(staged: Staged, plan: Plan, outcomes: Sequence[OutcomePlan], names: Sequence[str]) -> dict[str, Any]:
    """The dictionary of the cohort that a plan makes."""
    kept = one_each([_merged(c, plan) for c in plan.columns if c.name in names])
    entries = [entry_of(outcome, [c.name for c in kept]) for outcome in outcomes]
    # Of follow-up between dates the outcome's columns are made: the status that was read for it is no variable either.
    read = {entry[part] for entry in entries for part in ("time", "status", "entry") if part in entry}
    aside = {name for outcome in plan.outcomes for name in outcome.columns} - read
    identifier = plan.identifier if plan.identifier in names else None
    told: dict[str, Any] = {
        "title": plan.title or staged.name,
        "short_title": (plan.short_title or plan.title or staged.name)[:40],
        "summary": plan.summary,
        "data": DATA,
        "identifier": identifier,
        "variables": [_variable(c, c.name in aside) for c in kept if c.name not in read or c.name == identifier],
        "outcomes": entries,
        "source": {
            "citation": "Not published.", "licence": "Stays with whoever brought it.",
            "origin": f"Imported from {staged.name}", "note": f"SHA-256 {staged.sha256[:16]}",
        },
    }  # fmt: skip
    if plan.treatment in names:
        told["treatment"] = {"column": plan.treatment, "randomised": plan.randomised}
    return told


def _merged(column: ColumnPlan, plan: Plan) -> ColumnPlan:
    """A column with the levels that its steps have left: what was taken together is one."""
    levels = dict(column.levels)
    for step in plan.steps:
        if step.kind != "merge_levels" or step.column != column.name or not levels:
            continue
        for code, new in step.codes:
            levels.pop(code, None)
            levels.setdefault(new, new)
    return replace(column, levels=tuple({normal_code(code): label for code, label in levels.items()}.items()))


def entry_of(outcome: OutcomePlan, taken: Sequence[str]) -> dict[str, Any]:
    """An outcome's entry in a dictionary."""
    time, status = (outcome.time, outcome.status)
    codes = [(code, meaning) for code, meaning in outcome.meaning if meaning != "missing"]
    if outcome.of_dates:
        time, status = derived_names(outcome, taken)
        codes = [(CENSORED, CENSORED), (EVENT, EVENT), *((each, each) for each in outcome.competing)]
    told: dict[str, Any] = {
        "key": outcome.key, "label": outcome.label, "time": time, "status": status,
        "unit": "days" if outcome.of_dates else outcome.unit,
        "censored": _meaning(codes, CENSORED) or ["no event"], "event": _meaning(codes, EVENT) or ["event"],
        "event_phrase": outcome.event_phrase, "free_phrase": outcome.free_phrase, "since": outcome.since,
    }  # fmt: skip
    if outcome.entry:
        told["entry"] = entry_name(outcome, taken) if outcome.of_dates else outcome.entry
    if outcome.competing:
        told["competing"] = {each: _meaning(codes, each) for each in outcome.competing}
        whole = outcome.composite or " or ".join([outcome.label, *(each.lower() for each in outcome.competing)])
        told["composite"] = {
            "label": whole, "event_phrase": f"have {whole[:1].lower()}{whole[1:]}",
            "free_phrase": f"free of {whole[:1].lower()}{whole[1:]}",
        }  # fmt: skip
    elif _ANY_DEATH.search(outcome.label):
        told["concept"] = DEATH
    return told


def _meaning(codes: Sequence[tuple[str, str]], of: str) -> list[str]:
    """Codes of one meaning, each once."""
    return list(dict.fromkeys(normal_code(code) for code, meaning in codes if meaning == of))


def _variable(column: ColumnPlan, part_of_outcome: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"name": column.name, "kind": column.kind, "use": column.use}
    told |= {key: value for key in ("label", "unit", "concept") if (value := getattr(column, key))}
    if column.kind in ("binary", "categorical", "ordinal") and column.levels:
        told["levels"] = [{"code": code, "label": label or code} for code, label in column.levels]
    for key in ("sensitive", "modifiable"):
        if getattr(column, key):
            told[key] = True
    if column.use == "later":
        told["why_later"] = column.why_later or "known only after the start"
    if column.use == "identifier" or column.kind in ("identifier", "date", "text"):
        told["use"] = "predictor"
        told["kind"] = column.kind if column.kind in ("identifier", "date", "text") else "identifier"
    if part_of_outcome and told["kind"] not in ("identifier", "date", "text"):
        told["use"] = "outcome"
        if told["kind"] != "continuous":
            # Which codes occur is the outcome's own matter.
            told["kind"] = "categorical"
            told.pop("levels", None)
    return told
