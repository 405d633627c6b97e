"""Under every figure and table: what it rests on, how it was made, and the ways to take it along."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import plotly.graph_objects as go
import streamlit as st
from markupsafe import Markup

from bedside.errors import Fixable
from bedside.report.card import grid
from bedside.report.csv import csv_bytes, file_name
from bedside.report.made import Made, sealed
from components import basket, desk, page_words
from components.figures.palette import Mode
from components.panels.page import caption, fill, heading, join, put

Rows = tuple[Sequence[str], Sequence[Sequence[object]]]
NOTHING_MORE = Made("")
FILES = "These files compute it again: keep them in one folder."
PRINTED_ROWS = 200
"""Rows of a table that a report holds; the file with the numbers holds all."""


def figure(
    draw: Callable[[Mode], go.Figure],
    *,
    key: str,
    title: str,
    aside: str = "",
    lead: Markup | None = None,
    alt: str,
    note: str,
    stem: str,
    rows: Callable[[], Rows],
    made: Callable[[], Made] | None = None,
    cautions: Sequence[str] = (),
    chosen: Callable[[object], None] | None = None,
    drawn: Callable[[list[object]], None] | None = None,
) -> None:
    """A figure under its title, with its alternative text, what it rests on, and its downloads.

    Parameters
    ----------
    draw : callable
        Given "light" or "dark", the figure in the house template; Streamlit's own colours are not applied. On paper
        it is always light.
    key : str
        Unique on the page; also the hook by which the picture is found for saving.
    title, aside : str
        The finding's subject, and a quiet line beside it.
    lead : Markup, optional
        Our own HTML between title and figure: what the figure says, in words.
    alt : str
        The figure in one sentence.
    note : str
        Patients, events and method, shown under the figure.
    stem : str
        Start of the file names.
    rows : callable
        Returns header and rows of the numbers behind the figure.
    made : callable, optional
        Returns how the numbers were made: a paragraph, and scripts that make them again.
    cautions : sequence of str
        What must be known before this figure is read, besides the page's own; for the report, since the panel shows it.
    chosen : callable, optional
        Makes marks answer to a click: given the custom data of the one that was clicked, as the browser sent it.
    drawn : callable, optional
        Lets the reader draw around marks instead: given the custom data of all inside, as the browser sent it.
    """
    words = page_words.now()

    def add() -> None:
        told = _told(made)
        basket.add(
            title=title, aside=aside, said=alt, note=" ".join((note, *words.remarks)), methods=told.methods,
            picture=draw("light").to_plotly_json(), stamp=told.stamp, by=words.by,
            cautions=(*words.cautions, *cautions),
            reading=words.readings.get(key, "") if lead is None else lead.striptags(),
        )  # fmt: skip

    with st.container(key=f"fig_{key}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="top", horizontal_alignment="distribute", gap="small"):
            with st.container(width="stretch"):
                heading(title, aside)
            with st.container(key=f"screen_{key}", width="content", horizontal=True, gap="xsmall"):
                if made is not None:
                    _how(key, stem, made, note)
                save = _menu(key)
                if save.open:
                    with save:
                        _csv(key=key, stem=stem, rows=rows)
                        _pictures(key=key, title=title, note=note, stem=stem)
                        _to_report(key, add)
        if lead is not None:
            put("{lead}", lead=lead)
        fig = draw(desk.mode())
        if drawn is not None:
            fig.update_layout(dragmode="lasso")
        event = st.plotly_chart(
            fig, key=key, theme=None, alt=alt, config={"displayModeBar": False, "responsive": True},
            on_select="ignore" if chosen is None and drawn is None else "rerun",
            selection_mode="points" if drawn is None else ("points", "box", "lasso"),
        )  # fmt: skip
        caption(note)
    points = [] if chosen is None and drawn is None else event["selection"]["points"]
    if drawn is not None:
        drawn([point.get("customdata") for point in points])
    elif points and chosen is not None:
        chosen(points[0].get("customdata"))


def numbers(
    key: str,
    *,
    stem: str,
    rows: Callable[[], Rows],
    title: str = "",
    note: str = "",
    made: Callable[[], Made] | None = None,
    shown: Callable[[], Rows] | None = None,
    files: Callable[[], Sequence[tuple[str, str, bytes]]] | None = None,
    cautions: Sequence[str] = (),
) -> None:
    """A table's numbers as CSV, made when asked for; with a title, the table can be put into the report.

    Parameters
    ----------
    key, stem, rows, made, cautions
        As in `figure`.
    title, note : str
        What the table is, and what it rests on.
    shown : callable, optional
        Returns header and rows as a report prints them, in words; `rows` by default.
    files : callable, optional
        Returns further forms of the table: label, ending and bytes of each.
    """
    words = page_words.now()

    def add() -> None:
        header, body = (shown or rows)()
        more = f" The first {PRINTED_ROWS:,} of {len(body):,} rows." if len(body) > PRINTED_ROWS else ""
        told = _told(made)
        basket.add(
            title=title, said=title, note=" ".join((note + more, *words.remarks)).strip(),
            table=grid(header, body[:PRINTED_ROWS]),
            methods=told.methods, stamp=told.stamp, by=words.by, cautions=(*words.cautions, *cautions),
        )  # fmt: skip

    with st.container(key=f"screen_{key}", width="content", horizontal=True, gap="xsmall"):
        if made is not None:
            _how(key, stem, made, note)
        save = _menu(key)
        if save.open:
            with save:
                _csv(key=key, stem=stem, rows=rows)
                for label, ending, data in files() if files is not None else ():
                    _file(label, f"more_{ending}_{key}", data, stem=stem, ending=ending)
                if title:
                    _to_report(key, add)


def _told(made: Callable[[], Made] | None) -> Made:
    """How it was made, for the report; without it where that cannot be said."""
    try:
        return NOTHING_MORE if made is None else made()
    except Fixable:
        return NOTHING_MORE


def _menu(key: str) -> st.delta_generator.DeltaGenerator:
    return st.popover("Save", icon=":material/download:", type="tertiary", key=f"save_{key}", on_change="rerun")


def _how(key: str, stem: str, made: Callable[[], Made], note: str) -> None:
    """How a finding was made: in short, what recomputes it, and folded a paragraph for a paper."""
    drawer = st.popover("How made", icon=":material/science:", type="tertiary", key=f"how_{key}", on_change="rerun")
    if not drawer.open:
        return
    with drawer, desk.fixable():
        told = sealed(made())
        put("<p>{short} {files}</p>", short=_first_sentence(note), files=FILES if told.scripts else "")
        for name, text in told.scripts:
            _file(
                f"Python script with {name} alone", f"{name}_{key}", text.encode(), stem=f"{stem}-{name}", ending="py"
            )
        if told.data is not None:
            header, body = told.data
            data = csv_bytes(header, body)
            st.download_button(
                f"The data they read ({told.data_name})", data, file_name=told.data_name, mime="text/csv",
                key=f"data_{key}", on_click="ignore", icon=":material/table:",
            )  # fmt: skip
        with st.expander("Methods, as a paragraph for a paper"):
            put("<p>{text}</p>", text=told.methods)
            for text in told.stamp or basket.stamp_now():
                caption(text)


def _first_sentence(text: str) -> str:
    """What a finding rests on, in short."""
    first, _, more = text.partition(". ")
    return f"{first}." if more else first


def _to_report(key: str, add: Callable[[], None]) -> None:
    st.button("Add to report", icon=":material/note_add:", key=f"report_{key}", on_click=add)


def _pictures(*, key: str, title: str, note: str, stem: str) -> None:
    # static/bedside.js acts on these: the picture is made in the browser, so that nothing travels.
    buttons = join(
        fill(
            '<button type="button" data-bs-save="{kind}" data-bs-figure="st-key-{key}" data-bs-stem="{stem}" '
            'data-bs-title="{title}" data-bs-note="{note}">{name}</button>',
            kind=kind,
            key=key,
            stem=stem,
            title=title,
            note=note,
            name=kind.upper(),
        )
        for kind in ("svg", "png")
    )
    put('<p class="bs-muted">Picture, as it stands on the screen</p><p class="bs-buttons">{b}</p>', b=buttons)


def _csv(*, key: str, stem: str, rows: Callable[[], Rows]) -> None:
    header, body = rows()
    data = csv_bytes(header, body)
    st.download_button(
        "Numbers (CSV)",
        data,
        file_name=file_name(stem, data, "csv"),
        mime="text/csv",
        key=f"csv_{key}",
        on_click="ignore",
        icon=":material/table:",
    )


def _file(label: str, key: str, data: bytes, *, stem: str, ending: str) -> None:
    st.download_button(
        label, data, file_name=file_name(stem, data, ending), mime="text/plain", key=key, on_click="ignore",
        icon=":material/description:",
    )  # fmt: skip
