"""What the reader has typed into "What if" and pinned: kept in the session for one patient, never in the address."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar

import streamlit as st

from bedside.patient.scenarios import MOST, Editable, Scenario
from components.panels.patient_view import View
from components.text import cell

T = TypeVar("T")
KEY = "what_if"
FIELD = "what_if_field_"
NAME = "what_if_name"
LONGEST = 40
"""Letters of a scenario's name."""


@dataclass(frozen=True)
class Pin:
    """A scenario that was put aside: its name, and the values in which it differs, by column."""

    name: str
    values: dict[str, object]


@dataclass
class Kept:
    """Of one patient.

    Attributes
    ----------
    of : (str, str)
        Cohort and patient.
    values : dict of str to object
        Edited values by column; None where a value was taken away.
    pins : list of Pin
        At most four.
    """

    of: tuple[str, str]
    values: dict[str, object] = field(default_factory=dict)
    pins: list[Pin] = field(default_factory=list)
    _last: dict[str, tuple[Hashable, Any]] = field(default_factory=dict, repr=False)

    def last(self, what: str, of: Hashable, make: Callable[[], T]) -> T:
        """The last result of a kind, made anew where it was of something else: values stay out of the desk's keys."""
        if what not in self._last or self._last[what][0] != of:
            self._last[what] = (of, make())
        return self._last[what][1]


def kept(view: View) -> Kept:
    """What is kept for this patient; another patient starts fresh."""
    of = (view.cohort.key, view.cohort.identifiers[view.row])
    found = st.session_state.get(KEY)
    if not isinstance(found, Kept) or found.of != of or not _sound(found):
        found = st.session_state[KEY] = Kept(of)
        st.session_state[NAME] = ""
        _blank()
    return found


def _sound(found: Kept) -> bool:
    """True if the session holds what this page put there."""
    return (
        isinstance(found.values, dict)
        and isinstance(found.pins, list)
        and all(isinstance(pin, Pin) and isinstance(pin.values, dict) for pin in found.pins)
    )


def _blank() -> None:
    """Let go of the widgets' own state, so that they show what is kept."""
    for key in [key for key in st.session_state if str(key).startswith(FIELD)]:
        del st.session_state[key]


def key_of(column: str) -> str:
    """The key of a variable's widget; column names come from data."""
    return FIELD + sha256(column.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _held() -> Kept:
    """What the session holds, for a button's callback."""
    found = st.session_state.get(KEY)
    return found if isinstance(found, Kept) and _sound(found) else Kept(("", ""))


def reset() -> None:
    """All values as recorded: a button's callback."""
    _held().values.clear()
    _blank()


def pin(scenario: Scenario) -> None:
    """Put a scenario aside under the name in its field: a button's callback."""
    found = _held()
    if len(found.pins) < MOST:
        values = {change.variable.name: change.after for change in scenario.changes}
        found.pins.append(Pin(_named(str(st.session_state.get(NAME) or ""), scenario, found.pins), values))
        st.session_state[NAME] = ""


def _named(typed: str, scenario: Scenario, pins: Sequence[Pin]) -> str:
    """The name that was typed, or what differs; told apart from the names that are there."""
    told = " ".join(cell(typed).split()) or ", ".join(change.said for change in scenario.changes)
    told = told if len(told) <= LONGEST else f"{told[: LONGEST - 1].rstrip()}…"
    taken, name, number = {one.name for one in pins}, told, 2
    while name in taken:
        name, number = f"{told} ({number})", number + 1
    return name


def unpin(number: int) -> None:
    """Let go of a pinned scenario: a button's callback."""
    found = _held()
    if number < len(found.pins):
        del found.pins[number]


def take(number: int) -> None:
    """Put a pinned scenario's values into the form: a button's callback."""
    found = _held()
    if number < len(found.pins):
        found.values = dict(found.pins[number].values)
        _blank()


def is_pinned(found: Kept, scenario: Scenario) -> bool:
    """True if these very values are pinned already."""
    values = {change.variable.name: change.after for change in scenario.changes}
    return any(one.values == values for one in found.pins)


def edited(found: Kept, fields: Sequence[Editable]) -> dict[str, object]:
    """Values that differ from what is recorded, of variables that the model reads."""
    names = {one.variable.name for one in fields}
    return {name: value for name, value in found.values.items() if name in names}
