"""The report that this session is putting together: cards, and nothing on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import streamlit as st

from bedside.errors import Fixable
from bedside.report.card import Basket, Card, Grid
from bedside.report.made_words import stamp_of
from components import desk

KEY, CHANGES = "basket", "basket_changes"


def held() -> Basket:
    """The cards so far."""
    return st.session_state.get(KEY, Basket())


def put(changed: Basket) -> None:
    """Keep a changed basket."""
    st.session_state[KEY] = changed
    st.session_state[CHANGES] = changes() + 1


def changes() -> int:
    """How often the report has changed: which of its files are still true."""
    return st.session_state.get(CHANGES, 0)


def add(
    *,
    title: str,
    said: str,
    note: str,
    aside: str = "",
    picture: Mapping[str, Any] | None = None,
    table: Grid | None = None,
    methods: str = "",
    stamp: tuple[str, ...] = (),
    by: str = "",
    cautions: Sequence[str] = (),
    reading: str = "",
) -> None:
    """Put a finding into the report, with the cohort and filter it was made from; the same finding is not put twice."""
    stamp, cohort = stamp or stamp_now(), desk.cohort().short_title
    title = titled(title, by, cohort)
    seal = sha256("\x1f".join((title, aside, said, note, *stamp)).encode()).hexdigest()[:16]
    card = Card(
        seal, title, aside, picture, table, said, note, stamp, methods, cautions=tuple(dict.fromkeys(cautions)),
        reading=reading, cohort=cohort,
    )  # fmt: skip
    try:
        put(held().with_card(card))
    except Fixable as stop:
        st.toast(f"{stop.what} {stop.next_step}", icon=":material/info:")
        return
    st.toast("Added to the report.", icon=":material/note_add:")


def titled(title: str, by: str, cohort: str) -> str:
    """What tells a card from its like: "Alive, by stage (Colon cancer trial)"."""
    grouped = f", {by}" if by and by.lower() not in title.lower() else ""
    return f"{title}{grouped} ({cohort})"


def stamp_now() -> tuple[str, ...]:
    """Cohort, outcome, filter, fingerprint and versions, as the page has them."""
    of = desk.cohort()
    chosen = desk.selection()
    return stamp_of(of, desk.outcome(of), chosen.say(desk.whole()))
