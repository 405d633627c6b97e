"""The report that this session is putting together: cards, and nothing on disk."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import streamlit as st

from bedside import __version__
from bedside.errors import Fixable
from bedside.report.card import Basket, Card, Grid
from components import desk

KEY = "basket"


def held() -> Basket:
    """The cards so far."""
    return st.session_state.get(KEY, Basket())


def put(changed: Basket) -> None:
    """Keep a changed basket."""
    st.session_state[KEY] = changed


def add(
    *,
    title: str,
    said: str,
    note: str,
    aside: str = "",
    picture: Mapping[str, Any] | None = None,
    table: Grid | None = None,
    methods: str = "",
) -> None:
    """Put a finding into the report, with the cohort and filter it was made from; the same finding is not put twice."""
    stamp = _stamp()
    seal = sha256("\x1f".join((title, aside, said, note, *stamp)).encode()).hexdigest()[:16]
    card = Card(seal, title, aside, picture, table, said, note, stamp, methods)
    try:
        put(held().with_card(card))
    except Fixable as stop:
        st.toast(f"{stop.what} {stop.next_step}", icon=":material/info:")
        return
    st.toast("Added to the report.", icon=":material/note_add:")


def _stamp() -> tuple[str, ...]:
    """Cohort, outcome, filter, fingerprint and version."""
    of = desk.cohort()
    end = desk.outcome(of)
    chosen = desk.selection()
    who = f"Patients: {'; '.join(chosen.say(desk.whole()))}." if not chosen.is_everyone else "All patients."
    return (
        f"{of.title}. Outcome: {end.label}. {who}",
        f"Data and filter {of.fingerprint[:12]}, Bedside {__version__}. Source: {of.source.citation}",
    )
