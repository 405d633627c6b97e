"""One patient's values, typed by hand: kept in the session, never in the address."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st

from bedside.cohort import Cohort
from bedside.risk.scores import SCORES, Input, Score
from components import numbers_scores
from components.panels import page
from components.panels.pick import pick
from components.panels.scores_typed import Unreadable, number

SHARED = ("sex", "dialysis")
"""Choices that mean the same in every score; numbers do so anyway."""
NONE = ""
SURE = "scores_sure"
FIELD = 222
"""Pixels of a field with its unit."""
BUTTONS = 34
"""Letters of all answers together up to which they stand side by side as buttons."""


@dataclass(frozen=True)
class Doubt:
    """A number that is unusual in the unit it was typed in and usual in another."""

    item: Input
    value: float
    unit: str
    fits: str

    def read_in_other(self) -> None:
        """Keep the number and read it in the other unit."""
        st.session_state[f"scores_unit_{self.item.key}"] = self.fits

    def confirm(self) -> None:
        """Take it as it was typed; another number or unit is asked about anew."""
        st.session_state[SURE] = {*st.session_state.get(SURE, ()), (self.item.key, self.value, self.unit)}

    @property
    def confirmed(self) -> bool:
        """True if a person said that it is right."""
        return (self.item.key, self.value, self.unit) in st.session_state.get(SURE, ())


@dataclass(frozen=True)
class Typed:
    """What stands in the form.

    Attributes
    ----------
    values : dict of str to float or str or None
        By input, in the unit it was typed in.
    units : dict of str to str
    unreadable : tuple of str
        Labels of the inputs that hold something that is no number.
    doubts : tuple of Doubt
        Numbers whose unit is to be confirmed before a score is said.
    """

    values: dict[str, float | str | None]
    units: dict[str, str]
    unreadable: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def empty(self) -> bool:
        """True if nothing was filled in."""
        return not self.unreadable and all(value is None for value in self.values.values())


def choose(cohort: Cohort) -> Score | None:
    """Which score: at first one that this cohort carries, and none where it carries none."""
    ready = numbers_scores.ready(cohort)
    options = numbers_scores.labels()
    default = ready[0].key if ready else NONE
    if not ready:
        options = {NONE: "Choose a score", **options}
    with st.container(key="screen_scores_pick", width=440):
        key = pick("Score", options, key="score", default=default, help="Type a part of the name to find a score.")
    return SCORES.get(key or default)


def population(score: Score) -> None:
    """Whom the score is for: to be read before anything is filled in."""
    page.put(
        '<p class="bs-lead">{predicts}</p><p style="margin-top:.45rem"><b>For:</b> {population}</p>',
        predicts=score.predicts,
        population=score.population,
    )


def form(score: Score) -> Typed:
    """A field for each input, with its unit and its range."""
    values: dict[str, float | str | None] = {}
    units: dict[str, str] = {}
    unreadable = []
    with st.container(horizontal=True, gap="small", key="scores_form"):
        for item in score.inputs:
            with st.container(width=FIELD, gap="xsmall"):
                if item.kind == "choice":
                    values[item.key] = _choice(score, item)
                else:
                    values[item.key], units[item.key], fault = _number(item)
                    unreadable += [item.label] * fault
    with st.container(horizontal=True, key="screen_scores_clear", vertical_alignment="center"):
        with st.container(width="stretch"):
            page.caption(
                "Choosing another unit keeps the number as it was typed and reads it in that unit. What is typed stays "
                "in this session: it is in no address and in no file."
            )
        st.button("Clear", icon=":material/backspace:", on_click=_clear, args=(score,), key="scores_clear")
    return Typed(values, units, tuple(unreadable), _doubts(score, values, units))


def _doubts(score: Score, values: dict[str, float | str | None], units: dict[str, str]) -> tuple[Doubt, ...]:
    found = []
    for item in score.inputs:
        value = values[item.key]
        if isinstance(value, float) and (fits := _other_unit(item, value, units[item.key])):
            found.append(Doubt(item, value, units[item.key], fits))
    return tuple(doubt for doubt in found if not doubt.confirmed)


def _key(score: Score, item: Input) -> str:
    """Numbers that two scores ask for alike are typed once."""
    shared = item.kind == "number" or item.key in SHARED
    return f"scores_{item.key}" if shared else f"scores_{score.key}_{item.key}"


def _clear(score: Score) -> None:
    for item in score.inputs:
        st.session_state[_key(score, item)] = "" if item.kind == "number" else None


def _choice(score: Score, item: Input) -> str | None:
    labels = {choice.code: choice.label for choice in item.choices}
    key = _key(score, item)
    if st.session_state.get(key) not in (None, *labels):
        st.session_state[key] = None
    # Our own words, and no data: an escape would be read aloud.
    label = f"{item.label} (if known)" if item.default is not None else item.label
    shown = {"options": list(labels), "format_func": lambda code: labels.get(code, ""), "key": key}
    if sum(len(text) for text in labels.values()) <= BUTTONS:
        found = st.segmented_control(label, **shown, persist_state="session")
    else:
        found = st.selectbox(label, **shown, index=None, placeholder="Choose", persist_state="session")
    if item.note:
        page.caption(item.note)
    return found


def _number(item: Input) -> tuple[float | None, str, bool]:
    """The number, its unit, and whether something else was typed."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom"):
        text = st.text_input(
            item.label, key=_key_of_number(item), max_chars=20, autocomplete="off", width=110,
            persist_state="session",
        )  # fmt: skip
        unit = _unit(item)
    try:
        value = number(text)
    except Unreadable as stop:
        page.caution(str(stop))
        return None, unit, True
    _about(item, value, unit)
    if item.note:
        page.caption(item.note)
    return value, unit, False


def _key_of_number(item: Input) -> str:
    return f"scores_{item.key}"


def _unit(item: Input) -> str:
    if len(item.units) == 1:
        if item.unit:
            page.put('<p class="bs-muted" style="padding-bottom:.65rem">{u}</p>', u=item.unit)
        return item.unit
    key = f"scores_unit_{item.key}"
    if st.session_state.get(key) not in item.units:
        st.session_state[key] = item.unit
    return st.selectbox(
        f"Unit of {item.label}", item.units, key=key, label_visibility="collapsed", width=104,
        persist_state="session",
    )  # fmt: skip


def _about(item: Input, value: float | None, unit: str) -> None:
    """Below a number: its range; what it is in the formula's unit; or what is wrong with it."""
    usual = ("For " if item.published else "Usual ") + item.say_range(unit) if item.range else ""
    if value is None:
        page.caption(usual or "A whole number" * item.whole)
        return
    known = np.array([item.convert(value, unit)])
    if not item.read(known)[1][0]:
        page.caution(f"Must be {item.demand()}.")
    elif item.outside(known)[0]:
        fits = _other_unit(item, value, unit)
        page.caution(item.caution(unit) + (f" In {fits} it would be within it: is the unit right?" if fits else ""))
    else:
        same = "" if unit == item.unit else f"= {_short(float(known[0]))} {item.unit}"
        page.caption(" · ".join(part for part in (same, usual) if part))


def _other_unit(item: Input, value: float, unit: str) -> str:
    """The unit in which an unusual number would be usual; "" if it is usual or there is none."""

    def outside(in_unit: str) -> bool:
        known = np.array([item.convert(value, in_unit)])
        return bool(not item.read(known)[1][0] or item.outside(known)[0])

    if not outside(unit):
        return ""
    return next((other for other in item.units if other != unit and not outside(other)), "")


def _short(value: float) -> str:
    """Four digits, without an exponent."""
    digits = 3 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(digits, 0)}f}".rstrip("0").rstrip(".") if digits > 0 else f"{value:,.0f}"
