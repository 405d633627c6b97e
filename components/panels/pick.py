"""One choice out of several, safe for any label and kept in the link by its key.

Streamlit tells options apart by their shown text and would put that text into
the address: two columns of one label would be confused, and a link would hold
words from the data. Here the address holds the key, and equal labels are told
apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import streamlit as st

from components import desk, imported
from components.text import cell, md


def pick(label: str, options: Mapping[str, str], *, key: str, default: str | None = None, **more: object) -> str | None:
    """A select box over keys with labels from data.

    Parameters
    ----------
    label : str
        What is chosen; our own words.
    options : mapping of str to str
        Key to label; labels may be hostile text and need not differ.
    key : str
        Of the widget, and the name in the address.
    default : str, optional
        Chosen at first, and then left out of the address; without it the first option.
    **more
        Passed on to `st.selectbox`.

    Returns
    -------
    str or None
        The chosen key; None when there is nothing to choose.
    """
    shown = told_apart(options)
    first = default if default in options else next(iter(options), None)
    _asked_for(label, options, key, first)
    chosen = st.selectbox(
        label, list(options), format_func=lambda value: shown.get(value, ""), key=key, persist_state="session", **more
    )
    desk.keep_in_link(key, None if chosen == default else chosen)
    return chosen


def _asked_for(label: str, options: Mapping[str, str], key: str, first: str | None) -> None:
    """Take in what a link asks for; what is not here is said, and the first choice stands instead."""
    news = desk.from_link(key)
    if news is not None and news not in options:
        # On a line of its own, also within a row of choices (the stylesheet knows it by its key).
        with st.container(key=f"notice_{key}"):
            st.warning(
                f"This link asks for something that is not here ({label.lower()}). "
                f"**{md(options.get(first or '', 'None'))}** is shown instead.",
                icon=":material/link_off:",
            )
    if news is not None:
        st.session_state[key] = news
    if st.session_state.get(key) not in options:
        st.session_state[key] = first


def segments(label: str, options: Mapping[str, str], *, key: str, default: str | None = None, **more: object) -> str:
    """The same as a row of buttons, over a few keys with labels of our own.

    Parameters
    ----------
    label, key, default
        As in `pick`.
    options : mapping of str to str
        At least one.
    **more
        Passed on to `st.segmented_control`.
    """
    first = default if default in options else next(iter(options))
    _asked_for(label, options, key, first)
    chosen = st.segmented_control(
        label, list(options), format_func=lambda value: options.get(value, ""), key=key, required=True,
        persist_state="session", **more,
    )  # fmt: skip
    desk.keep_in_link(key, None if chosen == first else chosen)
    return chosen


def told_apart(options: Mapping[str, str]) -> dict[str, str]:
    """Labels as a list of options shows them, no two alike: the key is added to those that look the same.

    Behind a group that was made here stands whose it is.

    Streamlit shows options as plain text, unlike labels, so that only invisible characters are taken out; and it
    knows a choice by its shown text alone, so that two alike would open each other.
    """
    shown = {key: f"{cell(label)}{imported.mark_of(key)}" for key, label in options.items()}
    counted = Counter(shown.values())
    named = {
        key: text if counted[text] == 1 or not key.strip() else f"{text} [{cell(key)}]" for key, text in shown.items()
    }
    taken: set[str] = set()
    for key, text in named.items():
        unique, number = text, 2
        while unique in taken:
            unique, number = f"{text} ({number})", number + 1
        taken.add(unique)
        named[key] = unique
    return named
