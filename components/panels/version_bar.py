"""Which version of an imported cohort is open, and which groups could not be made of it: a line below the cohort."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.store.cohorts import versions
from bedside.store.models import list_models
from bedside.store.saved import Item
from bedside.store.views import view_body, what_changed
from components import desk, imported, whose
from components.panels import library_versions, saved_notice
from components.panels.page import caption, fill, join, put
from components.text import md

MENU = "version_changed"


def show(key: str) -> None:
    """Keep the version in the link, and say so where it is not the newest."""
    shown = imported.version_of(key)
    desk.keep_in_link(imported.VERSION, None if shown is None else str(shown.version))
    for stop in imported.troubles():
        st.caption(md(f"{stop.what} {stop.why} {stop.next_step}"))
    if shown is None or (shown.asked == shown.version == shown.newest):
        return
    said = f"This is version {shown.version} of this cohort."
    if shown.asked != shown.version:
        said = f"Version {shown.asked}, which the link asks for, is not here. {said}"
    if shown.version == shown.newest:
        st.caption(said)
        return
    with st.container(key="version_bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{said} Version {shown.newest} is the newest.", width="content")
        menu = st.popover("What changed", key=MENU, type="tertiary", on_change="rerun")
        if menu.open:
            with menu, desk.fixable():
                _changed(key, shown)
        st.button("Open the newest", key="version_newest", type="tertiary", on_click=_newest, args=(key,))


def _changed(key: str, shown: imported.Shown) -> None:
    """Between the version that is open and the newest: in what this page shows, and in the cohort."""
    lines = _rests_on(key)
    if lines:
        caption(f"What is set here rests on something that is another in version {shown.newest}:")
        put('<ul class="bs-muted">{said}</ul>', said=join(fill("<li>{t}</li>", t=line) for line in lines))
    newest = next((each for each in versions(key, reader=whose.reader()) if each.version == shown.newest), None)
    if newest is not None:
        library_versions.show_differences(newest, shown.version, whose.reader())


def _rests_on(key: str) -> tuple[str, ...]:
    """What of the filter and the choices in the address is another in the newest version."""
    of = desk.as_read()
    body = view_body("link", st.query_params.to_dict(), of, models=list_models(), chosen=desk.selection())
    here = Item("", "view", key, "", "", body, "", 0, "", True, False)
    return what_changed(here, _newest_of(key), models=list_models())


def _newest_of(key: str) -> Cohort:
    """The newest version with the groups made of it."""
    return imported.with_all(desk.another(key), desk.kept)[0]


def _newest(key: str) -> None:
    """Go to the newest version, with all that is set; what can't be set there is said below the cohort."""
    try:
        lines = _rests_on(key)
    except Fixable:
        lines = ()  # the page says why as soon as that version is open
    imported.choose(key, None)
    if lines:
        saved_notice.tell("", lines, key)
