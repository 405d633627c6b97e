"""Under every figure: what it rests on, and the ways to take it along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from bedside.report.csv import csv_bytes, file_name
from components.panels.page import caption

_SAVE = st.components.v2.component(
    "bedside_save_figure",
    html="<div class='row'><button type='button' data-kind='svg'>SVG</button>"
    "<button type='button' data-kind='png'>PNG</button></div>\n",
    css=(Path(__file__).parents[1] / "style" / "save.css").read_text(encoding="utf-8"),
    js=(Path(__file__).parents[1] / "style" / "save.js").read_text(encoding="utf-8"),
)

Rows = tuple[Sequence[str], Sequence[Sequence[object]]]


def figure(fig: go.Figure, *, key: str, alt: str, note: str, stem: str, rows: Callable[[], Rows]) -> None:
    """A figure with its alternative text, what it rests on, and its downloads.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
        Already in the house template; Streamlit's own colours are not applied.
    key : str
        Unique on the page; also the hook by which the picture is found for saving.
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
        st.plotly_chart(fig, key=key, theme=None, alt=alt, config={"displayModeBar": False, "responsive": True})
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(width="stretch"):
                caption(note)
            with st.container(key=f"screen_{key}", width="content"):
                save = st.popover(
                    "Save", icon=":material/download:", type="tertiary", key=f"save_{key}", on_change="rerun"
                )
                if save.open:
                    with save:
                        _downloads(key=key, stem=stem, rows=rows)


def _downloads(*, key: str, stem: str, rows: Callable[[], Rows]) -> None:
    _csv(key=key, stem=stem, rows=rows)
    st.caption("Picture, as it stands on the screen:")
    _SAVE(key=f"picture_{key}", data={"figure": f"st-key-{key}", "stem": stem})


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
