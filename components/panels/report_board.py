"""The report: cards put together on the other pages, in order, with words, as one file."""

from __future__ import annotations

from datetime import datetime

import plotly.graph_objects as go
import streamlit as st

from bedside.report.card import LONGEST, Basket, Card
from bedside.report.csv import file_name
from bedside.report.ending import HEADING, ending, line_of
from components import basket, desk
from components.panels import page
from components.printing import booklet

TITLE = "Report"
USUAL = "report_title_usual"
FILES = "report_files"


def show() -> None:
    """The whole page."""
    held = basket.held()
    if not held.cards:
        _empty()
        return
    n = len(held)
    page.title("Report", f"{n} {'card' if n == 1 else 'cards'}, kept in this tab only until they are exported")
    with st.container(key="screen_report_export", horizontal=True, vertical_alignment="bottom", gap="small"):
        usual = _usual(held)
        title = st.text_input("Title", key="report_title", persist_state="session", max_chars=120, width=420)
        _export(held, title.strip() or usual)
        _clear(n)
    for i, card in enumerate(held.cards):
        with st.container(border=True, key=f"card_report_{card.key}"):
            _card(card, first=i == 0, last=i == n - 1)
    page.heading(HEADING)
    for name, text in ending(held.cards):
        lines = page.Markup("<br>").join(page.fill("{t}", t=line) for line in text.splitlines())
        page.put('<p class="bs-muted"><b>{name}.</b> {lines}</p>', name=name, lines=lines)


def _usual(held: Basket) -> str:
    """The title until the reader writes another: the cohort of the cards."""
    cohorts = {card.cohort for card in held.cards}
    usual = next(iter(cohorts)) if len(cohorts) == 1 else TITLE
    if st.session_state.get("report_title") in (None, "", st.session_state.get(USUAL)):
        st.session_state["report_title"] = usual
    st.session_state[USUAL] = usual
    return usual


def _empty() -> None:
    page.title("Report", "nothing in it yet")
    page.put(
        "<p>Wherever a figure or table has a <b>Save</b> menu, <b>Add to report</b> stands in it. What you add is "
        "gathered here with its cohort, filter and method, can be put in order and annotated, and leaves as one PDF or "
        "one HTML file that needs no network.</p>"
    )
    st.page_link(desk.page("survival"), label="Go to the survival curves", icon=":material/show_chart:")


def _clear(n: int) -> None:
    menu = st.popover("Empty", icon=":material/delete:", type="tertiary", key="report_empty", on_change="rerun")
    if menu.open:
        with menu:
            st.button(
                f"Take out {'the card' if n == 1 else f'all {n} cards'}, and your words with them", key="report_clear",
                on_click=basket.put, args=(Basket(),),
            )  # fmt: skip


def _export(held: Basket, title: str) -> None:
    menu = st.popover("Export", icon=":material/download:", type="primary", key="report_export", on_change="rerun")
    if not menu.open:
        return
    with menu:
        pdf, html = _files(held, title)
        stem = f"{title}-{datetime.now().astimezone():%Y-%m-%d}"
        for name, kind, mime, data in (
            ("PDF", "pdf", "application/pdf", pdf), ("HTML, one file", "html", "text/html", html),
        ):  # fmt: skip
            st.download_button(
                name, data, file_name=file_name(stem, data, kind), mime=mime, key=f"report_{kind}",
                on_click="ignore", icon=":material/picture_as_pdf:" if kind == "pdf" else ":material/html:",
            )  # fmt: skip


def _files(held: Basket, title: str) -> tuple[bytes, bytes]:
    """The report as PDF and HTML, set anew only when something has changed."""
    kept_as, files = st.session_state.get(FILES, (None, None))
    if kept_as != (basket.changes(), title):
        with st.spinner("Setting the pages"):
            made = booklet.Report(title, held.cards, datetime.now().astimezone())
            files = booklet.pdf(made), booklet.html(made)
        st.session_state[FILES] = ((basket.changes(), title), files)
    return files


def _card(card: Card, *, first: bool, last: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="top", horizontal_alignment="distribute", gap="small"):
        with st.container(width="stretch"):
            page.heading(card.title, card.aside)
        with st.container(key=f"screen_{card.key}", width="content", horizontal=True, gap="xsmall"):
            for label, icon, by, off in (("Up", "arrow_upward", -1, first), ("Down", "arrow_downward", 1, last)):
                st.button(
                    label, icon=f":material/{icon}:", key=f"{label}_{card.key}", type="tertiary", disabled=off,
                    on_click=_move, args=(card.key, by),
                )  # fmt: skip
            st.button("Remove", icon=":material/close:", key=f"out_{card.key}", type="tertiary", on_click=_remove,
                      args=(card.key,))  # fmt: skip
    key = f"words_{card.key}"
    st.text_area(
        "Your words", value=card.comment, key=key, max_chars=LONGEST, height=80, on_change=_annotate,
        args=(card.key, key), placeholder="What this shows, and what follows from it",
    )  # fmt: skip
    for text in card.cautions:
        page.put('<p class="bs-caution">{t}</p>', t=text)
    if card.reading:
        page.put("<p>{t}</p>", t=card.reading)
    if card.picture is not None:
        with st.container(key=f"paper_{card.key}"):
            st.plotly_chart(
                go.Figure(card.picture), key=f"picture_{card.key}", theme=None, alt=card.said,
                config={"displayModeBar": False, "responsive": True},
            )  # fmt: skip
    if card.table is not None:
        page.table(card.table.header, card.table.rows, label=card.title)
    page.caption(" ".join(text for text in (card.note, line_of(card)) if text))


def _move(key: str, by: int) -> None:
    basket.put(basket.held().moved(key, by))


def _remove(key: str) -> None:
    basket.put(basket.held().without(key))


def _annotate(key: str, widget: str) -> None:
    basket.put(basket.held().annotated(key, st.session_state[widget]))
