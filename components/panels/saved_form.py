"""A name, and Enter: how anything is saved under a name, wherever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from bedside.errors import Fixable
from bedside.store.saved import LONGEST_NAME, LONGEST_NOTE, Saved, What
from components import desk, imported, whose
from components.text import md

DONE = {"filter": "Saved: the filter “{}”.", "group": "Kept: “{}” is in every list of variables now.",
        "view": "Saved: the view “{}”."}  # fmt: skip
TAKEN = "That name is taken."


def form(
    key: str, kind: What, body: Callable[[], Mapping[str, Any]], *, usual: str, button: str = "Save", close: str = ""
) -> None:
    """A line for the name, one for a note, and a button.

    Parameters
    ----------
    key : str
        Of the form: each place where something is saved has its own.
    kind : {"filter", "group", "view"}
    body : callable
        What is saved, made when the reader saves it; may raise `Fixable`.
    usual : str
        The name if the reader types none.
    button : str
        What stands on it.
    close : str
        Key of the popover that closes then.
    """
    usual = " ".join(usual.split())[:LONGEST_NAME] or "No name"
    with st.form(f"{key}_form", border=False, enter_to_submit=True), st.container(key=f"first_{key}", gap="small"):
        st.text_input("Name", key=f"{key}_name", max_chars=LONGEST_NAME, placeholder=usual)
        st.text_input("Note", key=f"{key}_note", max_chars=LONGEST_NOTE, placeholder="What it is for, if you like")
        stop = st.session_state.get(f"{key}_stop")
        if stop is not None:
            st.caption(md(f"{stop.what} {stop.why} {stop.next_step}"))
        with st.container(horizontal=True, gap="small"):
            done = (key, kind, body, usual, close)
            st.form_submit_button(button, type="primary", key=f"{key}_save", on_click=_keep, args=done)
            if stop is not None and stop.why == TAKEN:
                st.form_submit_button("Replace it", key=f"{key}_replace", on_click=_keep, args=(*done, True))


def _keep(
    key: str, kind: What, body: Callable[[], Mapping[str, Any]], usual: str, close: str, replace: bool = False
) -> None:
    """Save it; where that can't be, the form stays and says why."""
    state = st.session_state
    state.pop(f"{key}_stop", None)
    name = str(state.get(f"{key}_name") or "").strip() or usual
    try:
        of = desk.as_read()
        shown = imported.version_of(of.key)
        Saved(whose.reader()).keep(
            kind, cohort=of.key, name=name, note=str(state.get(f"{key}_note") or ""), body=body(),
            fingerprint=imported.brought(of), version=0 if shown is None else shown.version, replace=replace,
        )  # fmt: skip
    except Fixable as stop:
        state[f"{key}_stop"] = stop
        return
    state[f"{key}_name"] = state[f"{key}_note"] = ""
    if close:
        state[close] = False
    st.toast(DONE[kind].format(md(name)), icon=":material/check:")
