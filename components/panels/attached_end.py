"""How the attaching of a file ends: with what became of it, or with a way back."""

from __future__ import annotations

import streamlit as st

from components import attached, attaching, jobs
from components.attaching import Attaching


def after_stop(held: Attaching, key: jobs.Key) -> None:
    """The way back from a job that ended without a result."""
    job = jobs.mine().get(key)
    if job is not None and job.ended.is_set():

        def back() -> None:
            jobs.mine().pop(key, None)
            held.running = False

        with st.container(horizontal=True, gap="small"):
            st.button("Change the answers", key="attached_back", on_click=back)
            st.button("Another file", key="attached_other", on_click=attaching.forget)


def finish(held: Attaching) -> None:
    """Let the file go, and show what became of it."""
    held.running = False
    held.end()
    held.file = None
    attached.look_again()
    st.rerun()
