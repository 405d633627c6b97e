"""Measurements of attached tables in the line above every page: those that are chosen, and a search for more."""

from __future__ import annotations

from functools import partial

import streamlit as st

from bedside.cohort import Cohort
from bedside.cohort.attached import MOST, Feature, to_text
from bedside.cohort.selection import Selection
from bedside.errors import Fixable
from bedside.store.attached import Attached
from components import attached, desk
from components.panels import import_fields as fields
from components.panels.pick import told_apart
from components.text import md


def show(everyone: Cohort) -> None:
    """Chips for the chosen ones, and the button that finds others; nothing where no table is attached."""
    key = everyone.key
    wide = tuple(table for table in attached.tables(key) if table.kind == "wide" and table.trouble is None)
    chosen = attached.chosen(key)
    desk.keep_in_link(attached.LINK, to_text(chosen) if chosen else None)
    desk.keep_in_link(attached.IN_MODELS, "1" if attached.in_models(key) else None)
    for i, feature in enumerate(chosen):
        if not everyone.has(feature.column):
            continue
        st.button(
            md(everyone.variable(feature.column).label), icon=":material/close:", icon_position="right",
            key=f"attached_chip_{i}", help="Remove this measurement", on_click=partial(_drop, key, feature),
        )  # fmt: skip
    if not wide:
        return
    menu = st.popover("Measurements", icon=":material/genetics:", key="attached_add", on_change="rerun",
                      type="tertiary")  # fmt: skip
    if menu.open:
        with menu, desk.fixable():
            _search(key, wide)
            if chosen:
                fields.tick("The default model reads them too", attached.in_models(key), partial(attached.offer, key),
                            key="attached_models")  # fmt: skip


def troubles() -> None:
    """Why a table, or something that a link asks for, is not there."""
    for stop in attached.troubles():
        st.caption(md(f"{stop.what} {stop.why} {stop.next_step}"))


def _drop(key: str, feature: Feature) -> None:
    """Take a measurement away, and what the filter asks of it."""
    attached.drop(key, feature)
    now = desk.selection()
    groups = [tuple(clause for clause in group if clause.column != feature.column) for group in now.groups]
    if feature.column in now.columns:
        desk.select(Selection(tuple(group for group in groups if group)))


@st.fragment
def _search(key: str, wide: tuple[Attached, ...]) -> None:
    """Drawn again on its own while the reader types; the names stay here, and a dozen of them are shown."""
    table = wide[0]
    if len(wide) > 1:
        titles = told_apart({each.id: each.title for each in wide})
        name = st.selectbox("Table", list(titles), format_func=titles.__getitem__, key="attached_table")
        table = next(each for each in wide if each.id == name)
    try:
        names = table.wide
    except Fixable as stop:
        desk.show(stop)
        return
    text = st.text_input(
        f"Search {names.about.n_features:,} names", key="attached_search", placeholder="Part of a name",
        max_chars=80, autocomplete="off", live=True,
    )  # fmt: skip
    found, n = names.search(text)
    chosen = attached.chosen(key)
    if text and not n:
        st.caption("No name holds this.")
    for i, name in enumerate(found):
        feature = Feature(table.id, name)
        there = feature in chosen
        if st.button(
            md(name), key=f"attached_take_{i}", icon=":material/check:" if there else ":material/add:",
            type="tertiary", disabled=there or len(chosen) >= MOST,
        ):  # fmt: skip
            attached.add(key, feature)
            st.rerun(scope="app")
    if n > len(found):
        st.caption(f"The first {len(found)} of {n:,}: type more of the name.")
    if len(chosen) >= MOST:
        st.caption(f"{MOST} are chosen, which is as many as there can be.")
