"""Where a live cohort is counted, and as of when: a line below the cohort on every page."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from bedside.cohort import Cohort
from bedside.engine.live import LiveCohort
from bedside.errors import Fixable
from bedside.intake import Entry
from components import desk, imported, live, live_counts
from components.panels import page
from components.panels.page import put

WRITES = (
    "The account that this server counts with could also change the table. Bedside only reads; an account that can do "
    "nothing else is safer, and whoever looks after the source can make one."
)


def show(of: Cohort) -> None:
    """The line, for a cohort that is counted in a source or whose rows came from one; nothing for others."""
    if isinstance(of, LiveCohort):
        told, source, as_of = "Counted in", of.source_name, of.as_of
    else:
        here = live_counts.brought(of.key)
        if here is None:
            return
        told, source, as_of = f"Rows of {len(here.rows):,} patients, brought from", here.source_name, here.as_of
    with st.container(key="live_bar", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="content"):
            _line(told, live.title_of(source), as_of)
        st.button("Count anew", key="live_anew", type="tertiary", icon=":material/refresh:",
                  on_click=live_counts.anew, args=(of.key,), help="As the source is now")  # fmt: skip


def _line(told: str, source: str, as_of: datetime) -> None:
    """The time is written by the browser in the reader's own zone; what stands in it until then is UTC."""
    utc = as_of.astimezone(UTC)
    put(
        '<p class="bs-muted">{told} <b>{source}</b>, as of <time datetime="{iso}" data-bs-seconds="{seconds}">{utc}'
        "</time></p>",
        told=told, source=source, iso=utc.isoformat(timespec="seconds"), seconds=int(utc.timestamp()),
        utc=utc.strftime("%d %b %Y, %H:%M UTC"),
    )  # fmt: skip


def warn(of: Cohort) -> None:
    """That an account which only reads would be safer, where the one that counts a live cohort may write too."""
    if not isinstance(of, LiveCohort):
        return
    entry = imported.at_version(next(entry for entry in desk.entries() if entry.key == of.key))
    if desk.kept(("live may write", of.key, str(entry.folder), of.as_of.isoformat()), lambda: _may_write(entry)):
        page.caution(WRITES)


def _may_write(entry: Entry) -> bool:
    try:
        return live.may_write(entry)
    except Fixable:
        return False  # what is wrong with the source is said where it is counted
