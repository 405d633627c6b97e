"""All that a reader has decided about a file: enough to make the same cohort of next month's file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.intake.steps import MOST_STEPS, Step, possible

VERSION = 1
Use = Literal["identifier", "predictor", "optional", "later", "outcome", "drop"]
Kind = Literal["continuous", "binary", "categorical", "ordinal", "identifier", "date", "text"]
CENSORED, EVENT, UNKNOWN = "censored", "event", "missing"
_STRICT = ConfigDict(extra="forbid")


@checked(frozen=True, config=_STRICT)
class ColumnPlan:
    """What a column is.

    Attributes
    ----------
    name : str
        As it was staged.
    use, kind : str
    label, unit : str
    decimal : {".", ","}
        How its numbers are written, where they are text.
    missing : tuple of str
        Cells that mean "not recorded", besides the usual ones.
    levels : tuple of (code, label)
        In clinical order; empty for those that occur.
    day_first, serials : bool
        How its dates are read.
    why_later : str
        If it is known only after time zero.
    concept : str
        What it is to published scores.
    """

    name: str
    use: Use = "predictor"
    kind: Kind = "continuous"
    label: str = ""
    unit: str = ""
    decimal: Literal[".", ","] = "."
    missing: tuple[str, ...] = ()
    levels: tuple[tuple[str, str], ...] = ()
    day_first: bool = True
    serials: bool = False
    why_later: str = ""
    concept: str = ""
    sensitive: bool = False
    modifiable: bool = False


@checked(frozen=True, config=_STRICT)
class OutcomePlan:
    """What happened, and when.

    Attributes
    ----------
    key, label, event_phrase, free_phrase, since : str
    time, unit : str
        A column with the follow-up and its unit; empty where it is made of dates.
    start : str
        Column with the date of time zero.
    end : tuple of str
        Columns with dates of contact: of each patient the latest that is recorded. One that is named after a death or
        another event ends follow-up wherever it is recorded.
    happened : str
        Column with the date of the event: who has one had it, and then follow-up ends with it.
    status : str
        Column; empty where ``happened`` says it all.
    meaning : tuple of (code, meaning)
        ``"censored"``, ``"event"``, ``"missing"`` or the name of what came first instead.
    entry : str
        Column with the time, or the date, at which observation began.
    composite : str
        What all kinds of event together are called, where others compete.
    """

    key: str
    label: str
    time: str = ""
    unit: Unit = "days"
    start: str = ""
    end: tuple[str, ...] = ()
    happened: str = ""
    status: str = ""
    meaning: tuple[tuple[str, str], ...] = ()
    entry: str = ""
    event_phrase: str = "have the event"
    free_phrase: str = "free of the event"
    since: str = "the start of follow-up"
    composite: str = ""

    @property
    def of_dates(self) -> bool:
        """True if the follow-up is counted between dates."""
        return bool(self.start)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it reads."""
        found = [self.time, self.start, *self.end, self.happened, self.status, self.entry]
        return tuple(dict.fromkeys(name for name in found if name))

    @property
    def competing(self) -> tuple[str, ...]:
        """What can come first instead, in the order in which it stands."""
        found = dict.fromkeys(meaning for _, meaning in self.meaning if meaning not in (CENSORED, EVENT, UNKNOWN))
        return tuple(found)


@checked(frozen=True, config=_STRICT)
class Plan:
    """How a staged file becomes a cohort.

    Attributes
    ----------
    title, short_title : str
    identifier : str
        Column; empty if patients are to be numbered.
    columns : tuple of ColumnPlan
        Every column that is kept, in the file's order.
    outcomes : tuple of OutcomePlan
        The first one decides who can be followed: patients without it are left out and counted.
    treatment : str
    randomised : bool
    time_zone : str
        In which points in time become days.
    steps : tuple of Step
        What was put right, in order.
    """

    title: str = ""
    short_title: str = ""
    summary: str = ""
    identifier: str = ""
    columns: tuple[ColumnPlan, ...] = ()
    outcomes: tuple[OutcomePlan, ...] = ()
    treatment: str = ""
    randomised: bool = False
    time_zone: str = "UTC"
    this_year: int = 2026
    steps: tuple[Step, ...] = ()
    version: int = VERSION

    def column(self, name: str) -> ColumnPlan:
        """The plan of a column."""
        return next(column for column in self.columns if column.name == name)

    def with_column(self, changed: ColumnPlan) -> Plan:
        """The same with one column seen otherwise."""
        return replace(self, columns=tuple(changed if c.name == changed.name else c for c in self.columns))

    def with_step(self, step: Step) -> Plan:
        """The same with one more thing put right."""
        return replace(self, steps=(*self.steps, step))


@dataclass(frozen=True)
class Guess:
    """What is thought of one place of a plan.

    Attributes
    ----------
    what : str
        In words.
    confidence : float
        From 0 to 1.
    why : str
        A sentence.
    """

    what: str
    confidence: float
    why: str


@dataclass(frozen=True)
class Guessed:
    """A plan, and how sure each part of it is.

    Attributes
    ----------
    plan : Plan
    guesses : dict
        Places are ``"identifier"``, ``"treatment"``, ``"outcome.<key>"``, ``"outcome.<key>.time"``,
        ``"outcome.<key>.status"`` and ``"column.<name>"``.
    """

    plan: Plan
    guesses: dict[str, Guess] = field(default_factory=dict)


_ADAPTER: TypeAdapter[Plan] = TypeAdapter(Plan)


def to_json(plan: Plan) -> dict[str, Any]:
    """A plan as plain lists and mappings."""
    return _ADAPTER.dump_python(plan, mode="json")


def from_json(told: Any) -> Plan:
    """A plan that was kept.

    Raises
    ------
    Fixable
        If it is none, is of a later release, or has a step that can't be taken.
    """
    try:
        plan = _ADAPTER.validate_python(told)
    except ValidationError as fault:
        places = sorted({".".join(map(str, each["loc"][:2])) for each in fault.errors()})
        raise Fixable(
            "This recipe can't be used.", f"It is not of the form that this release knows ({', '.join(places[:5])}).",
            "Go through the file by hand once; a new recipe is kept then.",
        ) from None  # fmt: skip
    if plan.version > VERSION:
        raise Fixable(
            "This recipe can't be used.", "It was made by a later release of Bedside.", "Update Bedside, or start anew."
        )
    try:
        json.dumps(to_json(plan), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Fixable(
            "This recipe can't be used.", "It holds letters that are none.",
            "Go through the file by hand once; a new recipe is kept then.",
        ) from None  # fmt: skip
    if len(plan.steps) > MOST_STEPS or not all(map(possible, plan.steps)):
        raise Fixable(
            "This recipe can't be used.", "A step in it can't be taken, or there are too many of them.",
            "Go through the file by hand once; a new recipe is kept then.",
        )  # fmt: skip
    return plan


def header_signature(names: tuple[str, ...]) -> str:
    """What tells one layout of columns from another, whatever is in them and in whichever order they stand."""
    return hashlib.sha256("\x1f".join(sorted(names)).encode("utf-8", "surrogatepass")).hexdigest()[:32]
