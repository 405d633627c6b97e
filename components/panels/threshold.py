"""From which risk on would one treat? One threshold for every page that decides by it, kept in the link."""

from __future__ import annotations

import streamlit as st

from components import desk

KEY = "decision_threshold"
LOWEST, HIGHEST = 1, 99
HELP = (
    "The risk from which on you would treat, or do whatever is to be decided. There is no right one: a low threshold "
    "treats many needlessly, a high one misses events. None is set until you set it."
)


def choose() -> int | None:
    """The reader's threshold in percent; None until one is set, since no default would be anybody's choice."""
    news = desk.from_link(KEY)
    if news is not None:
        known = news.isascii() and news.isdigit() and LOWEST <= int(news) <= HIGHEST
        st.session_state[KEY] = int(news) if known else None
    st.session_state.setdefault(KEY, None)
    value = st.number_input(
        "Treat from a risk of, of 100", LOWEST, HIGHEST, key=KEY, persist_state="session", value=None,
        placeholder="Not set", width=220, step=5, help=HELP,
    )  # fmt: skip
    desk.keep_in_link(KEY, None if value is None else str(value))
    return value
