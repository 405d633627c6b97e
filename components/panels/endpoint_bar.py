"""An endpoint of the reader's own, defined in the line above every page."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort, Unit
from bedside.cohort.endpoint import KEY, Columns, Endpoint
from components import desk
from components.panels.pick import told_apart

UNITS: tuple[Unit, ...] = ("days", "weeks", "months", "years")
NONE = ""
FIRST, COLUMNS = "first", "columns"


def from_link() -> None:
    """Take the endpoint that a link brings."""
    text = desk.from_link("endpoint")
    if text is not None:
        with desk.fixable():
            desk.define(Endpoint.from_text(text))


def to_link() -> None:
    """Keep it in the link: it names outcomes and columns, nobody."""
    chosen = desk.endpoint()
    desk.keep_in_link("endpoint", None if chosen is None else chosen.to_text())


def define(cohort: Cohort) -> None:
    """A button whose menu builds an endpoint of the cohort as it was read, changes it or takes it away."""
    panel = st.popover("Own endpoint", icon=":material/flag:", key="endpoint_add", on_change="rerun", type="tertiary")
    if not panel.open:
        return
    with panel:
        label = st.text_input("Name", value="My endpoint", key="endpoint_label", max_chars=80)
        outcomes = told_apart({o.key: o.cause_label or o.label for o in cohort.outcomes if o.key != KEY})
        kind = st.segmented_control(
            "Made of",
            [FIRST, COLUMNS],
            default=FIRST,
            required=True,
            format_func={FIRST: "The first of some outcomes", COLUMNS: "Two columns"}.__getitem__,
            key="endpoint_kind",
        )
        parts = _first(outcomes) if kind == FIRST else {"columns": _columns(cohort)}
        start, unit = _start(cohort)
        ready = bool(parts.get("first_of") or parts.get("columns"))
        st.button("Use it", type="primary", key="endpoint_use", disabled=not (ready and label.strip()),
                  on_click=_use, args=(label, parts, start, unit))  # fmt: skip
        if desk.endpoint() is not None:
            st.button("Remove my endpoint", key="endpoint_remove", on_click=_remove)


def _first(outcomes: dict[str, str]) -> dict[str, object]:
    keys = list(outcomes)
    wanted = st.multiselect(
        "The earliest of", keys, default=keys[:1], format_func=outcomes.__getitem__, key="endpoint_first"
    )
    rest = [key for key in keys if key not in wanted]
    against = []
    if rest:
        against = st.multiselect(
            "Can no longer come after", rest, format_func=outcomes.__getitem__, key="endpoint_against",
            help="A competing event: for example death, when the endpoint is progression.",
        )  # fmt: skip
    return {"first_of": tuple(wanted), "competing": tuple(against)}


def _columns(cohort: Cohort) -> Columns | None:
    frame = cohort.frame
    numbers = told_apart({n: _said(cohort, n) for n in frame if frame[n].dtype.kind == "f"})
    codes = told_apart({n: _said(cohort, n) for n in frame if frame[n].dtype.name == "category"})
    if not (numbers and codes):
        st.caption("This cohort has no column of numbers, or none of codes.")
        return None
    time = st.selectbox("Time since time zero", list(numbers), format_func=numbers.__getitem__, key="endpoint_time")
    unit = st.selectbox("In", UNITS, key="endpoint_unit")
    status = st.selectbox("Status", list(codes), format_func=codes.__getitem__, key="endpoint_status")
    shown = _levels(cohort, status)
    event = st.multiselect(
        "Codes that mean the event", list(shown), format_func=shown.__getitem__, key=f"endpoint_codes_{status}"
    )
    return Columns(time=time, status=status, unit=unit, event=tuple(event)) if event else None


def _levels(cohort: Cohort, name: str) -> dict[str, str]:
    codes = [str(code) for code in cohort.frame[name].cat.categories]
    return told_apart({code: cohort.variable(name).label_of(code) if cohort.has(name) else code for code in codes})


def _start(cohort: Cohort) -> tuple[str, Unit]:
    numbers = {v.name: v.label for v in cohort.filterable if v.is_numeric}
    labels = {NONE: "The cohort's time zero", **told_apart(numbers)}
    start = st.selectbox(
        "The clock starts at", list(labels), format_func=labels.__getitem__, key="endpoint_start",
        help="A column that holds a time since the cohort's time zero. Patients without it are left out.",
    )  # fmt: skip
    unit = st.selectbox("which is in", UNITS, key="endpoint_start_unit") if start else "days"
    return start, unit


def _said(cohort: Cohort, name: str) -> str:
    return cohort.variable(name).label if cohort.has(name) else str(name)


def _use(label: str, parts: dict[str, object], start: str, unit: Unit) -> None:
    st.session_state["endpoint_add"] = False
    desk.define(Endpoint(label=label.strip(), start=start, start_unit=unit, **parts))
    st.session_state["outcome"] = KEY


def _remove() -> None:
    st.session_state["endpoint_add"] = False
    desk.define(None)
    st.session_state.pop("outcome", None)
