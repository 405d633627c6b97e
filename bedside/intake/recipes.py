"""A recipe that somebody brings: read as what it says it is, or refused with what is wrong in it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from bedside.errors import Fixable
from bedside.intake.plan import OutcomePlan, Plan, from_json
from bedside.intake.steps import LONGEST_TEXT, MOST_CODES

LONGEST = 16 * 2**20
"""Bytes."""
MOST_OUTCOMES = 50
YEARS = (1900, 2200)
_KEY = re.compile(r"[a-z0-9_]{1,60}")


def recipe_of(data: bytes, sha256: str = "") -> Plan:
    """The plan in a ``recipe.json``.

    Parameters
    ----------
    data : bytes
    sha256 : str
        Of the file that it is to be used on: steps that name rows by number hold only for the file they were made of.

    Raises
    ------
    Fixable
        If it is no recipe, is of a later release, or says what can't be.
    """
    told = _read(data)
    if not isinstance(told, dict) or not isinstance(told.get("plan", told), dict):
        raise _refused("It is no recipe of a table.")
    plan = from_json(told.get("plan", told))
    wrong = next(_wrong(plan), "")
    if wrong:
        raise _refused(wrong)
    if told.get("sha256") != sha256:
        plan = replace(plan, steps=tuple(step for step in plan.steps if step.kind != "drop_rows"))
    return plan


def gone_from(plan: Plan, names: Sequence[str]) -> tuple[str, ...]:
    """Columns that a plan uses and a file does not have."""
    there = set(names)
    used = [c.name for c in plan.columns if c.use != "drop"]
    used += [name for outcome in plan.outcomes for name in outcome.columns]
    used += [name for step in plan.steps for name in (step.column, step.other)] + [plan.identifier, plan.treatment]
    return tuple(name for name in dict.fromkeys(used) if name and name not in there)


def _read(data: bytes) -> Any:
    if len(data) > LONGEST:
        raise _refused(f"It is larger than {LONGEST // 2**20} MB, which no recipe is.")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise _refused("It is no JSON.") from None


def _refused(why: str) -> Fixable:
    return Fixable(
        "This recipe can't be used.", why,
        "Take the “Recipe (JSON)” that was offered at the end of an import, or go through the file by hand.",
    )  # fmt: skip


def _wrong(plan: Plan) -> Iterator[str]:
    """What can't be, in words."""
    if any(n > 1 for n in Counter(c.name for c in plan.columns).values()):
        yield "It names a column twice."
    if len(plan.outcomes) > MOST_OUTCOMES or any(n > 1 for n in Counter(o.key for o in plan.outcomes).values()):
        yield "It names too many outcomes, or one twice."
    if any(not _sound(outcome) for outcome in plan.outcomes):
        yield "An outcome in it is not of the form that Bedside writes."
    if plan.time_zone not in {"UTC"} | available_timezones() or not YEARS[0] <= plan.this_year <= YEARS[1]:
        yield "Its time zone or its year is none."
    texts = [plan.title, plan.short_title, plan.summary, plan.identifier, plan.treatment]
    texts += [text for c in plan.columns for text in (c.name, c.label, c.unit, c.why_later, c.concept, *c.missing)]
    if any(len(text) > LONGEST_TEXT for text in texts):
        yield "A text in it is too long."


def _sound(outcome: OutcomePlan) -> bool:
    texts = [outcome.label, outcome.event_phrase, outcome.free_phrase, outcome.since, outcome.composite]
    texts += [text for pair in outcome.meaning for text in pair]
    few = len(outcome.meaning) <= MOST_CODES and all(len(text) <= LONGEST_TEXT for text in texts)
    return few and bool(_KEY.fullmatch(outcome.key)) and bool(outcome.label.strip())
