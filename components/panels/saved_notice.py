"""What is another now than when something was saved: told below the cohort until it is closed or the cohort changes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.text import md

NOTICE = "saved_notice"


def tell(name: str, lines: Sequence[str], cohort: str) -> None:
    """Have it told from the next run on; ``name`` is what was opened, "" for the filter in force."""
    st.session_state[NOTICE] = (name, tuple(lines), cohort)


def told(cohort: str) -> tuple[str, ...]:
    """What is told of this cohort now."""
    _, lines, of = st.session_state.get(NOTICE, ("", (), ""))
    return lines if of == cohort else ()


def show(cohort: str) -> None:
    """The notice, if there is one of this cohort."""
    name, lines, of = st.session_state.get(NOTICE, ("", (), ""))
    if not lines or of != cohort:
        st.session_state.pop(NOTICE, None)
        return
    with st.container(key="saved_notice", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(md(f"“{name}”: {' '.join(lines)}" if name else " ".join(lines)), width="content")
        st.button("Close", key="saved_notice_close", type="tertiary", on_click=close)


def close() -> None:
    """Told; no longer shown."""
    st.session_state.pop(NOTICE, None)
