"""Where a live cohort is counted, and as of when: a line below the cohort on every page."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from bedside.cohort import Cohort
from bedside.engine.live import LiveCohort
from components import live_counts
from components.panels.page import put


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
            _line(told, source, as_of)
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
