"""The quality report that is kept with an imported cohort: a line, all of it behind a button, and a file of it."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort
from bedside.intake import noted_words as words
from bedside.intake.noted import LONGEST, Told, read_told
from bedside.report.csv import file_name
from bedside.store.cohorts import open_folder
from components import desk, imported, whose
from components.panels import page, quality_source

MOST = 200
"""Lines of one table on the page; the file has all of them."""


def of_open(everyone: Cohort) -> None:
    """The line about the cohort that is open; nothing for one that was not imported."""
    with desk.fixable():
        shown = imported.version_of(everyone.key)
        if shown is not None:
            of_version(everyone.key, shown.version, everyone.title, key="overview_quality")


def of_version(cohort: str, version: int, title: str, *, key: str) -> None:
    """The line about one version of a cohort."""
    path = open_folder(cohort, version, reader=whose.reader()) / "report.json"
    if path.is_file() and path.stat().st_size <= LONGEST:
        show(path.read_bytes(), title, key=key)


def show(data: bytes, title: str, *, key: str) -> None:
    """A report as it is kept: what was not put right and who was left out, in a line, with all of it behind."""
    told = read_told(data)
    if told is None:
        quality_source.show(data, key=key)
        return
    page.put('<p class="bs-muted"><b>Quality at import:</b> {t}.</p>', t=words.short(told))
    box = st.expander("Quality report", key=key, on_change="rerun")
    if box.open:
        with box:
            _all(told, title, key)


def _all(told: Told, title: str, key: str) -> None:
    if told.quality.findings:
        page.table(("", "What was found", "Rows", "What became of it"), words.found(told)[:MOST],
                   label="What was found in the file", numeric_from=9)  # fmt: skip
    if left := words.left(told):
        page.table(("Left out", "Rows", "Which"), left[:MOST], label="Rows that were left out", numeric_from=9)
    if told.quality.later:
        page.put("<p>Known only later: {t}.</p>", t=", ".join(told.quality.later[:MOST]))
    if missing := words.missing(told):
        page.table(("Column", "Not recorded"), missing[:MOST], label="What is not recorded", numeric_from=9)
    for note in told.notes:
        page.caption(note)
    data = words.text(told, title).encode()
    st.download_button(
        "Quality report (text)", data, file_name=file_name(f"{title}-quality", data, "txt"), mime="text/plain",
        key=f"{key}_text", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
