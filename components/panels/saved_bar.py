"""In the line above every page: save what is on it under a name, and set a filter that was saved."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort
from bedside.cohort.derived import chosen as group_of
from bedside.cohort.derived import to_body
from bedside.cohort.selection import Selection
from bedside.errors import Fixable
from bedside.store.saved import LONGEST_NAME, Saved
from bedside.store.views import NO_FILTER, filter_body, group_body, misfit
from components import desk, live_counts, whose
from components.panels import saved_form, saved_notice, saved_view
from components.panels.pick import told_apart

MENU, WHAT, LIST = "saved_menu", "saved_what", "saved_filter"
VIEW, FILTER, GROUP = "view", "filter", "group"
BUTTONS = {VIEW: "Save this view", FILTER: "Save this filter", GROUP: "Keep as a group"}
WORDS = {VIEW: "This view", FILTER: "This filter", GROUP: "A group"}
SAYS = {
    VIEW: "This page with its choices and filter. It is under “Saved”.",
    FILTER: "It can be set again from the menu “Filter”.",
    GROUP: "These patients and everyone else become a variable, worked out anew in later versions of the cohort.",
}


def keep(everyone: Cohort, title: str, page: str) -> None:
    """A quiet button whose menu saves the view, the filter in force, or whom it leaves as a group.

    Parameters
    ----------
    everyone : Cohort
        Before the filter.
    title, page : str
        What the page is called, and how it stands in the address.
    """
    menu = st.popover("Keep", icon=":material/bookmark_add:", key=MENU, on_change="rerun", type="tertiary")
    if not menu.open:
        return
    with menu, desk.fixable():
        what = VIEW
        if not desk.selection().is_everyone:
            # A group is worked out of rows, which stay in a database where patients are only counted.
            offered = [VIEW, FILTER] if live_counts.is_counted(everyone) else list(WORDS)
            what = st.segmented_control(
                "What", offered, default=FILTER, required=True, format_func=WORDS.__getitem__, key=WHAT,
                label_visibility="collapsed",
            ) or VIEW  # fmt: skip
        said = "; ".join(desk.selection().say(everyone))
        st.caption(SAYS[what])
        usual = said
        if what == VIEW:
            usual = ", ".join(part for part in (title, desk.outcome(everyone).label, said) if part)
        body = {VIEW: lambda: saved_view.body(page), FILTER: _filter, GROUP: _group}[what]
        saved_form.form(f"saved_{what}", what, body, usual=usual, button=BUTTONS[what], close=MENU)


def _filter() -> dict[str, object]:
    return filter_body(desk.selection(), desk.whole())


def _group() -> dict[str, object]:
    return group_body(to_body(group_of(desk.selection())), desk.as_read())


def filters(everyone: Cohort) -> None:
    """The filters that were saved of this cohort, to be set by a click; nothing where there is none."""
    with desk.fixable():
        found = Saved(whose.reader()).marks(everyone.key, "filter")
        if not found:
            return
        names = {
            item: f"{name}{f' ({note})' if note else ''}{'' if mine else ', shared'}"[:LONGEST_NAME]
            for item, name, note, mine in found
        }
        shown = told_apart(names)
        st.session_state[LIST] = None
        st.selectbox(
            "Saved filters", list(shown), index=None, format_func=shown.__getitem__, key=LIST, on_change=_put,
            placeholder="Choose one",
        )  # fmt: skip


def _put() -> None:
    item = st.session_state.get(LIST)
    if not item:
        return
    st.session_state["filter_add"] = False
    try:
        of = desk.as_read()
        saved_view.put_filter(Saved(whose.reader()).find(item, cohorts=[of.key]))
    except Fixable as stop:
        saved_notice.tell("", (f"{stop.what} {stop.why}",), str(st.session_state.get("cohort")))


def check(everyone: Cohort) -> None:
    """Take a filter away that the cohort can no longer have, for instance since another version is open, and say so."""
    why = misfit(desk.selection(), everyone)
    if why:
        desk.select(Selection())
        if NO_FILTER not in saved_notice.told(everyone.key):
            saved_notice.tell("", (f"The filter was taken away. {why}",), everyone.key)
