"""Cohorts that the reader brought, with their versions, and what was saved of them and of others."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from bedside.errors import Fixable
from bedside.intake import Entry
from bedside.intake.read import entry_of
from bedside.store.cohorts import Kept, delete, describe, list_kept, open_folder
from bedside.store.estimates import LOCAL
from bedside.store.saved import Saved
from components import desk, whose
from components.panels import attached_tables, library_items, library_take, library_versions, page
from components.panels.import_words import count
from components.text import md

SAID, TROUBLE = "library_said", "library_trouble"


def show() -> None:
    """The whole page."""
    page.title("Saved", "cohorts you brought, and what you saved")
    stop, said = st.session_state.pop(TROUBLE, None), st.session_state.pop(SAID, "")
    if stop is not None:
        desk.show(stop)
    if said:
        st.success(md(said), icon=":material/check:")
    with desk.fixable():
        reader = whose.reader()
        found = list_kept(reader=reader)
        if not found:
            _none()
        for kept in found:
            with st.container(border=True, key=f"card_library_{kept.key}"), desk.fixable():
                _cohort(kept, reader)
        library_items.show(Saved(reader))
        library_take.others(reader)


def _entry(kept: Kept, reader: str) -> Entry:
    return entry_of(kept.key, open_folder(kept.key, kept.version, reader=reader), title=kept.title)


def _none() -> None:
    with st.container(border=True, key="card_library_none"):
        page.put("<p>You have brought no cohort yet. The ones that come with Bedside are in the list above every "
                 "page.</p>")  # fmt: skip
        st.page_link(desk.page("import_data"), label="Bring data", icon=":material/upload:")


def when(made: str) -> str:
    """A moment as it is shown."""
    try:
        return f"{datetime.fromisoformat(made):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return made


def _cohort(kept: Kept, reader: str) -> None:
    version = f"version {kept.version}, " if kept.version > 1 else ""
    told = f"{count(kept.n_patients, 'patient')}, {count(kept.n_columns, 'column')}, {version}{when(kept.made)}"
    page.heading(kept.title, told if kept.trouble is None else "")
    if kept.trouble is not None:
        desk.show(kept.trouble)
    if kept.note:
        page.put("<p>{t}</p>", t=kept.note)
    facts = [f"from {kept.source_name}"] if kept.source_name else []
    facts += ["shared with everybody who signs in here"] if kept.shared else []
    facts += [] if kept.mine else ["somebody else's, who lets you open it"]
    if facts:
        page.caption(" · ".join(facts))
    with st.container(horizontal=True, gap="small", key=f"library_do_{kept.key}"):
        if kept.trouble is None and st.button("Open", key=f"library_open_{kept.key}", icon=":material/groups:"):
            library_versions.to(kept.key)
        library_versions.menu(kept, reader)
        attached_tables.menu(kept.key, mine=kept.mine)
        if kept.mine:
            _describe(kept, reader)
        if kept.trouble is None:
            library_take.menu(_entry(kept, reader), reader)
        if kept.mine:
            _delete(kept, reader)


def _describe(kept: Kept, reader: str) -> None:
    menu = st.popover("Name and note", icon=":material/edit:", key=f"library_words_{kept.key}", on_change="rerun")
    if not menu.open:
        return
    with menu, st.form(f"library_form_{kept.key}", border=False):
        title = st.text_input("Name", kept.title, max_chars=120)
        note = st.text_area("Note", kept.note, max_chars=4000)
        shared = kept.shared
        if reader != LOCAL:
            shared = st.checkbox("Everybody who signs in here may open it", kept.shared)
        if st.form_submit_button("Keep"):
            with desk.fixable():
                describe(kept.key, reader=reader, title=title, note=note, shared=shared)
                desk.begin()
                st.rerun()


def _delete(kept: Kept, reader: str) -> None:
    menu = st.popover("Delete", icon=":material/delete:", key=f"library_delete_{kept.key}", on_change="rerun")
    if not menu.open:
        return
    with menu:
        n = len(library_versions.all_of(kept, reader))
        saved = [item for item in Saved(reader).all() if item.cohort == kept.key]
        page.put(
            "<p>With <b>{title}</b> go, for everybody and for good: {n}, {saved} that you saved of it, and the "
            "estimates and models of it.</p>",
            title=kept.title, n=count(n, "version"), saved=count(len(saved), "item"),
        )  # fmt: skip
        page.caption("Take it along first if you may need it again.")
        st.button(
            "Delete it all", key=f"library_delete_yes_{kept.key}", type="primary", icon=":material/delete_forever:",
            on_click=partial(_gone, kept, reader),
        )  # fmt: skip


def _gone(kept: Kept, reader: str) -> None:
    try:
        went = delete(kept.key, reader=reader)
    except Fixable as stop:
        st.session_state[TROUBLE] = stop
        return
    parts = [
        count(n, what) for what, n in (
            ("version", went.versions), ("attached table", went.attached), ("filter", went.filters),
            ("group", went.groups), ("view", went.views), ("recipe", went.recipes), ("estimate", went.estimates),
            ("model", went.models),
        ) if n
    ]  # fmt: skip
    st.session_state[SAID] = f"“{kept.title}” is deleted: {', '.join(parts)}."
    if st.session_state.get("cohort") == kept.key:
        st.session_state.pop("cohort")
