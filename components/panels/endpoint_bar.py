"""An endpoint of the reader's own, defined in the line above every page."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from bedside.cohort import Cohort, Unit
from bedside.cohort import endpoint_words as words
from bedside.cohort.endpoint import KEY, Columns, Endpoint
from bedside.engine.live import LiveCohort
from components import desk
from components.panels.pick import told_apart
from components.text import md

UNITS: tuple[Unit, ...] = ("days", "weeks", "months", "years")
NONE = ""
FIRST, COLUMNS = "first", "columns"
LABEL, FREE = 80, 120
"""Longest name of an event, and longest phrase for who is without it."""


def from_link() -> None:
    """Take the endpoint that a link brings."""
    text = desk.from_link("endpoint")
    if text is not None:
        with desk.fixable():
            desk.define(Endpoint.from_text(text))


def to_link(plain: Cohort) -> bool:
    """Keep it in the link as far as it identifies nobody; whether it could be kept."""
    chosen = desk.endpoint()
    key = ("shared", plain.fingerprint, "" if chosen is None else chosen.to_text())
    shared = chosen is None or desk.kept(key, lambda: chosen.may_be_shared(plain))
    desk.keep_in_link("endpoint", chosen.to_text() if shared and chosen is not None else None)
    return shared


def define(cohort: Cohort) -> None:
    """A button whose menu builds an endpoint of the cohort as it was read, changes it or takes it away."""
    own = desk.endpoint()
    name = "Own endpoint" if own is None else "Change my endpoint"
    panel = st.popover(name, icon=":material/flag:", key="endpoint_add", on_change="rerun", type="tertiary")
    if not panel.open:
        return
    with panel:
        if isinstance(cohort, LiveCohort):
            # It is made of the patients' own rows.
            desk.show(cohort.stay())
            return
        outcomes = told_apart({o.key: o.cause_label or o.label for o in cohort.outcomes if o.key != KEY})
        kind = st.segmented_control(
            "Made of",
            [FIRST, COLUMNS],
            default=COLUMNS if own is not None and own.columns else FIRST,
            required=True,
            format_func={FIRST: "The first of some outcomes", COLUMNS: "Two columns"}.__getitem__,
            key="endpoint_kind",
        )
        parts = _first(outcomes, own) if kind == FIRST else {"columns": _columns(cohort, own)}
        label, free = _names(cohort, parts, own)
        start, unit = _start(cohort, own)
        ready = bool(parts.get("first_of") or parts.get("columns"))
        st.button("Use this endpoint", type="primary", key="endpoint_use", disabled=not ready,
                  on_click=_use, args=(label, free, parts, start, unit))  # fmt: skip
        if own is not None:
            st.button("Remove my endpoint", key="endpoint_remove", on_click=_remove)


def _first(outcomes: dict[str, str], own: Endpoint | None) -> dict[str, object]:
    keys = list(outcomes)
    before = [key for key in own.first_of if key in outcomes] if own is not None else []
    wanted = st.multiselect(
        "The earliest of", keys, default=before or keys[:1], format_func=outcomes.__getitem__, key="endpoint_first"
    )
    rest = [key for key in keys if key not in wanted]
    against = []
    if rest:
        before = [key for key in own.competing if key in rest] if own is not None else []
        against = st.multiselect(
            "Rules it out (competing event)", rest, default=before, format_func=outcomes.__getitem__,
            key="endpoint_against",
            help="After it the endpoint can no longer come: for example death, when the endpoint is progression.",
        )  # fmt: skip
    return {"first_of": tuple(wanted), "competing": tuple(against)}


def _names(cohort: Cohort, parts: dict[str, object], own: Endpoint | None) -> tuple[str, str]:
    """What the event is called and what patients without it are: at first after the parts, then the reader's words."""
    wanted = [cohort.outcome(key) for key in parts.get("first_of", ())]
    others = [cohort.outcome(key) for key in parts.get("competing", ())]
    usual = words.event_name(wanted)[:LABEL]
    label = _worded("The event is called", "endpoint_label", usual, own.label if own is not None else "", LABEL)
    if words.names_a_survival(label):
        st.caption(
            f"“{md(label)}” is what studies call the time without the event. The event is shown as “{md(usual)}”."
        )
    plain = usual if words.names_a_survival(label) else label
    said = words.free_phrase([*wanted, *others], plain)[:FREE]
    free = _worded("Patients without it are", "endpoint_free", said, own.free if own is not None else "", FREE)
    return label, "" if free == said else free


def _worded(label: str, key: str, usual: str, own: str, most: int) -> str:
    """A line of text that follows the parts until the reader writes another."""
    before = f"{key}_usual"
    if key not in st.session_state:
        st.session_state[key] = own or usual
    elif st.session_state[key].strip() in ("", st.session_state.get(before)):
        st.session_state[key] = usual
    st.session_state[before] = usual
    return st.text_input(label, key=key, max_chars=most).strip() or usual


def _columns(cohort: Cohort, own: Endpoint | None) -> Columns | None:
    frame = cohort.frame
    numbers = told_apart({n: _said(cohort, n) for n in frame if frame[n].dtype.kind == "f"})
    codes = told_apart({n: _said(cohort, n) for n in frame if frame[n].dtype.name == "category"})
    if not (numbers and codes):
        st.caption("This cohort has no column of numbers, or none of codes.")
        return None
    was = own.columns if own is not None else None
    time = st.selectbox(
        "Time since time zero", list(numbers), format_func=numbers.__getitem__, key="endpoint_time",
        index=_at(numbers, was and was.time),
    )  # fmt: skip
    unit = st.selectbox("In", UNITS, key="endpoint_unit", index=_at(UNITS, was and was.unit))
    status = st.selectbox(
        "Status",
        list(codes),
        format_func=codes.__getitem__,
        key="endpoint_status",
        index=_at(codes, was and was.status),
    )
    shown = _levels(cohort, status)
    event = st.multiselect(
        "Codes that mean the event", list(shown), format_func=shown.__getitem__, key=f"endpoint_codes_{status}",
        default=[code for code in was.event if code in shown] if was is not None and was.status == status else [],
    )  # fmt: skip
    return Columns(time=time, status=status, unit=unit, event=tuple(event)) if event else None


def _levels(cohort: Cohort, name: str) -> dict[str, str]:
    codes = [str(code) for code in cohort.frame[name].cat.categories]
    return told_apart({code: cohort.variable(name).label_of(code) if cohort.has(name) else code for code in codes})


def _start(cohort: Cohort, own: Endpoint | None) -> tuple[str, Unit]:
    numbers = {v.name: v.label for v in cohort.filterable if v.is_numeric}
    labels = {NONE: "The cohort's time zero", **told_apart(numbers)}
    start = st.selectbox(
        "The clock starts at", list(labels), format_func=labels.__getitem__, key="endpoint_start",
        index=_at(labels, own and own.start),
        help="A column that holds a time since the cohort's time zero. Patients without it are left out.",
    )  # fmt: skip
    if not start:
        return start, "days"
    return start, st.selectbox(
        "which is in", UNITS, key="endpoint_start_unit", index=_at(UNITS, own and own.start_unit)
    )


def _at(options: Iterable[str], chosen: str | None) -> int:
    """Where what was chosen before stands among the options; else the first."""
    listed = list(options)
    return listed.index(chosen) if chosen in listed else 0


def _said(cohort: Cohort, name: str) -> str:
    return cohort.variable(name).label if cohort.has(name) else str(name)


def _use(label: str, free: str, parts: dict[str, object], start: str, unit: Unit) -> None:
    st.session_state["endpoint_add"] = False
    desk.define(Endpoint(label=label, free=free, start=start, start_unit=unit, **parts))
    st.session_state["outcome"] = KEY


def _remove() -> None:
    st.session_state["endpoint_add"] = False
    desk.define(None)
    st.session_state.pop("outcome", None)
