"""Which version of an imported cohort is open, and which groups could not be made of it: a line below the cohort."""

from __future__ import annotations

import streamlit as st

from components import desk, imported
from components.text import md


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
        st.button("Open the newest", key="version_newest", type="tertiary", on_click=imported.choose, args=(key, None))
