"""Filters, groups and views that were saved under a name."""

from __future__ import annotations

from functools import partial

import streamlit as st

from bedside.cohort.derived_words import COLUMN
from bedside.errors import Fixable
from bedside.store.estimates import LOCAL
from bedside.store.models import list_models
from bedside.store.saved import Item, Saved
from bedside.store.views import what_changed
from components import desk, imported, live_counts
from components.panels import page, saved_view
from components.text import md

KINDS = {"view": "Views", "filter": "Filters", "group": "Groups"}
TROUBLE = "library_trouble"
WHOSE = {(True, False): "", (True, True): ", shared", (False, True): ", somebody else’s, shared", (False, False): ""}
"""By whether it is the reader's own, and shared."""


def show(saved: Saved) -> None:
    """A card for each kind of which there is any."""
    titles = {entry.key: entry.short_title for entry in desk.entries()}
    found = saved.all(cohorts=titles)
    for kind, heading in KINDS.items():
        items = [item for item in found if item.kind == kind]
        if items:
            with st.container(border=True, key=f"card_library_{kind}"):
                page.heading(heading, f"{len(items):,}")
                for item in items:
                    _item(saved, item, titles)


def _item(saved: Saved, item: Item, titles: dict[str, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch"):
            told = item.body.get("said")
            said = "; ".join(map(str, told)) if isinstance(told, list) else ""
            page.put('<p><b>{name}</b> <span class="bs-muted">{cohort}, {made}{said}</span></p>', name=item.name,
                     cohort=titles.get(item.cohort, "a cohort that is not here"), made=item.made[:10],
                     said=f"{WHOSE[item.mine, item.shared]}{f': {said}' if said else ''}")  # fmt: skip
            if item.note:
                page.caption(item.note)
        if item.cohort in titles and item.kind != "group":
            st.button("Open", key=f"library_item_{item.id}", on_click=partial(_ask, item))
        menu = st.popover("More", key=f"library_more_{item.id}", on_change="rerun")
        if menu.open:
            with menu, desk.fixable():
                _more(saved, item, item.cohort in titles)
    if st.session_state.get("library_ask") == item.id:
        st.session_state.pop("library_ask")
        with desk.fixable():
            saved_view.open_item(item)


def _ask(item: Item) -> None:
    st.session_state["library_ask"] = item.id


def _more(saved: Saved, item: Item, here: bool) -> None:
    """What is another now than when it was saved; its name and note; and the way to be rid of it."""
    if here:
        plain, shown = desk.another(item.cohort), imported.version_of(item.cohort)
        cohort, troubles = imported.with_all(plain, desk.kept)
        # At the newest version: which is where a filter or a group is used, and a view may be wanted.
        newest = 0 if shown is None else shown.newest
        changed = what_changed(
            item,
            cohort,
            version=newest,
            newest=newest,
            models=list_models(),
            read="" if live_counts.is_counted(plain) else plain.fingerprint,
        )
        if item.kind == "group":
            changed += tuple(stop.why for stop in troubles if f"“{item.name}”" in stop.what)
        for line in changed or ("Nothing that it rests on has changed.",):
            st.caption(md(line))
    if item.mine:
        with st.form(f"library_item_form_{item.id}", border=False):
            name = st.text_input("Name", item.name, max_chars=120, key=f"library_item_name_{item.id}")
            note = st.text_area("Note", item.note, max_chars=4000, key=f"library_item_note_{item.id}")
            shared = item.shared
            if saved.reader != LOCAL:
                shared = st.checkbox("Everybody who may open the cohort sees it", item.shared)
            if st.form_submit_button("Keep", key=f"library_item_keep_{item.id}"):
                saved.describe(item.id, name=name, note=note, shared=shared)
                st.rerun()
        resting = [other.name for other in saved.all() if f"{COLUMN}{item.id}" in (other.body.get("columns") or {})]
        if resting:
            st.caption(md(f"Without it these can no longer be opened as they were: {', '.join(resting)}."))
        st.button("Delete", key=f"library_item_delete_{item.id}", type="tertiary", icon=":material/delete:",
                  on_click=partial(_delete, saved, item.id))  # fmt: skip


def _delete(saved: Saved, item: str) -> None:
    try:
        saved.delete(item)
    except Fixable as stop:
        st.session_state[TROUBLE] = stop
