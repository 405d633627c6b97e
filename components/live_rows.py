"""The rows of a live cohort, for the pages that need them: brought once, in the background, with a button to stop."""

from __future__ import annotations

import streamlit as st

from bedside.cohort.derived_words import COLUMN
from bedside.cohort.selection import Selection
from bedside.engine.ask import EVERYONE
from bedside.engine.live import LiveCohort
from bedside.errors import Fixable
from bedside.report import say
from components import desk, imported, jobs, live, live_child, live_counts
from components.panels import page

WITHOUT = "live_without_groups"
"""The cohort whose counts are to be shown although a link asks for a group of it."""
COUNTED = ("", "overview", "survival", "patients", "report")
"""Pages that need no rows."""


def ready(name: str, title: str) -> bool:
    """Whether a page can be drawn; where it needs rows that are not here, they are brought in its place.

    Parameters
    ----------
    name, title : str
        How it stands in the address, and what it is called.
    """
    needs = name not in COUNTED
    if needs:
        live_counts.want_rows()
    of = desk.as_read()
    if not isinstance(of, LiveCohort):
        here = live_counts.brought(of.key)
        if here is not None and here.filter:
            page.caption(
                f"From the rows of the {say.patients(len(here.rows))} whom the filter keeps, brought from "
                f"{live.title_of(here.source_name)}."
            )
        return True
    waits = not needs and _waits_for_group(of)
    if not needs and not live_counts.asked(of.key):
        if waits:
            _offer(of)
        return not waits
    with desk.fixable():
        if needs and not (name == "patient" and _meanwhile(of)):
            page.title(title)
        chosen = wanted(of)
        if needs:
            source = live.title_of(of.source_name)
            page.caption(
                f"This page needs the rows of the patients. They are brought from {source} into the memory of this "
                "server, and let go when you leave."
            )
        _bring(of, chosen)
    return not needs and not waits


def _waits_for_group(of: LiveCohort) -> bool:
    """True where a link brings a choice of a group that is worked out of the rows, and these could come."""
    if st.session_state.get(WITHOUT) == of.key or not of.stay().can_come:
        return False
    asked = [value for name, value in st.query_params.items() if desk.from_link(name) is not None]
    return any(value.startswith(COLUMN) for value in asked) and not imported.group_columns(of.key).isdisjoint(asked)


def _offer(of: LiveCohort) -> None:
    """The rows that a group needs, in the place of the page."""
    page.put(
        "<p>This goes by a group that was made of the cohort. Groups are worked out of the rows, which stay in "
        "<b>{source}</b>.</p>",
        source=live.title_of(of.source_name),
    )
    with st.container(horizontal=True, gap="small", key="live_group"):
        st.button("Bring the rows and show it", key="live_group_bring", type="primary", on_click=live_counts.ask,
                  args=(of.key,))  # fmt: skip
        st.button("Show it without the group", key="live_group_without", on_click=_without, args=(of.key,))


def _without(key: str) -> None:
    st.session_state[WITHOUT] = key


def wanted(of: LiveCohort) -> Selection:
    """Whose rows to bring: everybody's if they fit, else those of the filter in force.

    Raises
    ------
    RowsStay
        If these are too many as well.
    """
    if of.stay().can_come:
        return EVERYONE
    kept = desk.cohort()
    assert isinstance(kept, LiveCohort)  # a filter of what is counted is counted
    stop = kept.stay()
    if not stop.can_come:
        raise stop
    return desk.selection()


def _bring(of: LiveCohort, chosen: Selection) -> None:
    source = live.source_of(of)
    key = ("live rows", of.fingerprint, chosen.to_text())
    entry = imported.at_version(next(entry for entry in desk.entries() if entry.key == of.key))
    found = jobs.wanted(
        key,
        f"Bringing the rows from {live.title_of(of.source_name)}",
        live_child.bring,
        entry.folder,
        of.key,
        source,
        chosen,
    )
    if found is not None:
        desk.let_go(key)  # it is held once
        live_counts.hold(
            live_counts.Rows(of.key, found.rows, chosen.to_text(), found.as_of, of.source_name, entry.folder)
        )
        st.rerun()


def _meanwhile(of: LiveCohort) -> bool:
    """The patient who is opened, whose row comes first; whether there is one."""
    name = live_counts.opened_patient(st.query_params.get("patient") or st.session_state.get("patient") or "")
    if name is None:
        return False
    kept = desk.cohort()
    assert isinstance(kept, LiveCohort)  # a filter of what is counted is counted
    key = ("live row", kept.fingerprint, name)
    found = desk.kept(key, lambda: (kept.row(name),))[0]
    if found is None:
        raise Fixable(
            "This patient is not among those selected.",
            f"The filter above leaves the patient out, or {of.source_name} has nobody of that name any more.",
            "Remove a part of the filter, or choose another patient.",
        )
    page.title(f"Patient {name}", "the values in the source; risk and reasons follow with the rows")
    values = found.frame.iloc[0]
    rows = [(v.label, v.say(values[v.name])) for v in found.filterable]
    with st.container(border=True, key="card_live_patient"):
        page.table(("What is known", ""), rows, label="What is known of this patient", numeric_from=9)
    return True
