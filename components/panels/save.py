"""Under every figure: what it rests on, and the ways to take it along."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import plotly.graph_objects as go
import streamlit as st
from markupsafe import Markup

from bedside.report.csv import csv_bytes, file_name
from components.panels.page import caption, fill, heading, join, put

Rows = tuple[Sequence[str], Sequence[Sequence[object]]]


def figure(
    fig: go.Figure,
    *,
    key: str,
    title: str,
    aside: str = "",
    lead: Markup | None = None,
    alt: str,
    note: str,
    stem: str,
    rows: Callable[[], Rows],
) -> None:
    """A figure under its title, with its alternative text, what it rests on, and its downloads.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
        Already in the house template; Streamlit's own colours are not applied.
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
    """
    with st.container(key=f"fig_{key}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="top", horizontal_alignment="distribute", gap="small"):
            with st.container(width="stretch"):
                heading(title, aside)
            with st.container(key=f"screen_{key}", width="content"):
                save = st.popover(
                    "Save", icon=":material/download:", type="tertiary", key=f"save_{key}", on_change="rerun"
                )
                if save.open:
                    with save:
                        _downloads(key=key, title=title, note=note, stem=stem, rows=rows)
        if lead is not None:
            put("{lead}", lead=lead)
        st.plotly_chart(fig, key=key, theme=None, alt=alt, config={"displayModeBar": False, "responsive": True})
        caption(note)


def _downloads(*, key: str, title: str, note: str, stem: str, rows: Callable[[], Rows]) -> None:
    _csv(key=key, stem=stem, rows=rows)
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


def numbers(key: str, *, stem: str, rows: Callable[[], Rows]) -> None:
    """A table's numbers as CSV, made when asked for."""
    save = st.popover("Save", icon=":material/download:", type="tertiary", key=f"save_{key}", on_change="rerun")
    if save.open:
        with save:
            _csv(key=key, stem=stem, rows=rows)


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
