"""What a page says about all of its findings, for a report: how patients are grouped, cautions, answers in words."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

KEY = "page_words"


@dataclass
class PageWords:
    """Of one run of a page.

    Attributes
    ----------
    by : str
        How patients are grouped, e.g. "by hormone therapy"; empty if they are not.
    cautions : list of str
        What must be known before any of the findings is read.
    remarks : list of str
        What else holds for all of them.
    readings : dict of str to str
        A figure's key, and its answer in words where that stands elsewhere on the page.
    """

    by: str = ""
    cautions: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    readings: dict[str, str] = field(default_factory=dict)


def begin() -> None:
    """Forget the last run: called before every page."""
    st.session_state[KEY] = PageWords()


def now() -> PageWords:
    """Those of this run. A button keeps them with what it adds: a later run has its own."""
    return st.session_state.setdefault(KEY, PageWords())
