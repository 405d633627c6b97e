"""The form of "What if": one field for each value that the model reads, those that can be acted on first."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import streamlit as st

from bedside.cohort.variable import Variable
from bedside.cohort.wording import say_range
from bedside.errors import Fixable
from bedside.patient.scenarios import WHAT, Editable, checked, is_same
from bedside.risk.design import Reading
from components.panels import page, patient_what_if_kept
from components.panels.patient_what_if_kept import Kept
from components.panels.pick import told_apart
from components.text import REWRITTEN, md

ALL, SOME = "what_if_all", "what_if_some"
FIELD = 166
"""Pixels of a field."""
MOST_FIELDS = 24
"""Fields shown at once; of more variables the reader says which."""
FINEST = 6
HARMLESS = re.compile(r"[^\W\d_](?:[^\W_]|[ (),/.%'×-])*")
"""Words, figures and units: no sign that starts anything in Markdown."""
WHERE = "The dictionary of the cohort marks them, by “modifiable”: true."


def form(
    found: Kept, fields: Sequence[Editable], readings: dict[str, Reading], *, marked: Sequence[Variable]
) -> list[Fixable]:
    """All fields; edits go to `found`. What was refused comes back, and the field shows the recorded value again.

    `marked` are the variables that the dictionary marks as modifiable, whether the model reads them or not.
    """
    stops = _settled(found, fields, readings)
    first = [one for one in fields if one.modifiable]
    rest = [one for one in fields if not one.modifiable]
    if not first:
        page.caption(f"{_none_marked(marked, fields)} {WHERE}")
    _grid(found, first)
    if rest and _unlocked(found, bool(first)):
        _grid(found, _chosen(found, rest))
    with st.container(key="screen_what_if_reset"):
        st.button(
            "Reset", icon=":material/restart_alt:", key="what_if_reset", on_click=patient_what_if_kept.reset,
            disabled=not found.values, help="All values as recorded.",
        )  # fmt: skip
    return stops


def _none_marked(marked: Sequence[Variable], fields: Sequence[Editable]) -> str:
    """Why there is nothing to be acted on."""
    read = {one.variable.name for one in fields}
    unread = ", ".join(variable.label for variable in marked if variable.name not in read)
    if not unread:
        return "No variable of this cohort is marked as one that can be acted on."
    return f"The model reads no value that can be acted on; marked as such, but not in the model: {unread}."


def _unlocked(found: Kept, locked: bool) -> bool:
    """Whether values that nobody can act on are open to be replaced; at first only where there are no others."""
    started = (found.of[0], locked)
    if st.session_state.get("what_if_toggled") != started:
        st.session_state["what_if_toggled"] = started
        st.session_state[ALL] = not locked
    return st.toggle("Also values that can't be modified", key=ALL, persist_state="session")


def _chosen(found: Kept, rest: Sequence[Editable]) -> list[Editable]:
    """All of them, or of very many those that the reader names, besides those already edited."""
    if len(rest) <= MOST_FIELDS:
        return list(rest)
    shown = told_apart({one.variable.name: one.variable.label for one in rest})
    held = st.session_state.get(SOME)
    st.session_state[SOME] = [name for name in held if name in shown] if isinstance(held, list) else []
    names = st.multiselect(
        "Which values", list(shown), format_func=lambda name: shown.get(name, ""), key=SOME, max_selections=MOST_FIELDS,
        persist_state="session", placeholder=f"Choose among {len(rest)}",
    )  # fmt: skip
    return [one for one in rest if one.variable.name in names or one.variable.name in found.values]


def _settled(found: Kept, fields: Sequence[Editable], readings: dict[str, Reading]) -> list[Fixable]:
    """Take in what the widgets hold; what can't be used is let go of and told."""
    stops = []
    for one in fields:
        name, key = one.variable.name, patient_what_if_kept.key_of(one.variable.name)
        if key in st.session_state:
            found.values[name] = st.session_state[key]
        if name not in found.values:
            continue
        value = found.values[name]
        try:
            if is_same(readings[name], one.value, _plain(one, value)):
                del found.values[name]
            else:
                found.values[name] = checked(readings[name], value)
        except Fixable as stop:
            stops.append(stop)
            del found.values[name]
            st.session_state.pop(key, None)
    return stops


def _plain(one: Editable, value: object) -> object:
    """The value itself.

    Raises
    ------
    Fixable
        If it is no single value, or none although one is recorded: a field holds none once it was emptied, and also
        where a browser sent a number beyond its limits.
    """
    label = one.variable.label
    if value is not None and (not isinstance(value, str | int | float) or value != value):
        raise Fixable(WHAT, f"What {label} was given is no value.", "Type it again, or choose it from the list.")
    if value is None and one.value is not None:
        ask = "Choose another level."
        if one.variable.is_numeric:
            ask = f"Enter a value from {say_range(one.variable, float(one.low), float(one.high))}."  # type: ignore[arg-type]
        raise Fixable(f"{label} is as recorded again.", "It was emptied, or given what is not plausible.", ask)
    return value


def _grid(found: Kept, fields: Sequence[Editable]) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="top"):
        for one in fields:
            with st.container(width=FIELD, gap=None):
                _field(found, one)


def _field(found: Kept, one: Editable) -> None:
    """One value: a number with its unit and limits, or one of the levels; what is recorded stands below an edit."""
    variable, key = one.variable, patient_what_if_kept.key_of(one.variable.name)
    edited = variable.name in found.values
    value = found.values[variable.name] if edited else one.value
    if key not in st.session_state or st.session_state[key] != value:
        # Only then: a value that is set anew would take back what a quick hand has clicked meanwhile.
        st.session_state[key] = value
    blank = "not recorded"
    if variable.is_numeric:
        low, high = limits(one)
        step, digits = stepped(one)
        unit = f" ({variable.unit})" if variable.unit else ""
        st.number_input(
            spoken(f"{variable.label}{unit}"), low, high, value=None, step=step, format=f"%.{digits}f", key=key,
            placeholder=blank,
        )  # fmt: skip
    else:
        shown = told_apart(_levels(one))
        st.selectbox(
            spoken(variable.label), list(shown), index=None, format_func=lambda code: shown.get(code, ""), key=key,
            placeholder=blank,
        )  # fmt: skip
    if edited:
        page.caption(f"recorded: {variable.say(one.value)}")


def spoken(text: str) -> str:
    """A label from data: as it is where Markdown reads nothing into it, since a screen reader would say the escapes."""
    return text if HARMLESS.fullmatch(text) and not REWRITTEN.search(text) else md(text)


def _levels(one: Editable) -> dict[str, str]:
    """Levels in the dictionary's order; the patient's own stands last where the model does not know it."""
    levels = {code: one.variable.label_of(code) for code in one.codes}
    if one.value is not None and one.value not in levels:
        levels[str(one.value)] = f"{one.variable.label_of(one.value)} (unknown to the model)"
    return levels


def limits(one: Editable) -> tuple[float | None, float | None]:
    """From where to where a field goes: what is plausible, and what is recorded where that lies outside."""
    own = [float(one.value)] if one.value is not None else []
    low, high = min([float(one.low), *own]), max([float(one.high), *own])  # type: ignore[arg-type]
    return (low if math.isfinite(low) else None), (high if math.isfinite(high) else None)


def stepped(one: Editable) -> tuple[float, int]:
    """One step of a number, and its decimals: the dictionary's, or what suits the width of the range."""
    if one.variable.decimals is not None:
        digits = one.variable.decimals
        return 10.0**-digits, digits
    low, high = limits(one)
    if low is None or high is None or high <= low:
        return 1.0, 2
    digits = min(max(2 - math.floor(math.log10(high - low)), 0), FINEST)
    return 10.0**-digits, digits
