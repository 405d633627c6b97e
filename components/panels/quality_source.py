"""The report that is kept with a cohort of files of a standard: what was read, what was left out and why."""

from __future__ import annotations

import json

import streamlit as st

from bedside.errors import Fixable
from bedside.intake.standards.folder import ImportReport, report_of
from components.panels import page

MOST = 200


def show(data: bytes, *, key: str) -> None:
    """A line, and all of it behind; nothing for what is no such report."""
    try:
        told = report_of(json.loads(data))
    except (Fixable, ValueError, RecursionError):
        return
    read, used = sum(each.n_read for each in told.files), sum(each.n_mapped for each in told.files)
    faults = [f"{what} ({n:,})" for what, n in told.faults if n]
    line = f"{read:,} records were read, {read - used:,} not used"
    line += f" · {faults[0]}" + (f" and {len(faults) - 1:,} more" if len(faults) > 1 else "") if faults else ""
    page.put('<p class="bs-muted"><b>Quality at import:</b> {t}.</p>', t=line)
    box = st.expander("Quality report", key=key, on_change="rerun")
    if box.open:
        with box:
            _all(told)


def _all(told: ImportReport) -> None:
    tables = (
        (("What is wrong in the source", "How often"), [(what, f"{n:,}") for what, n in told.faults if n]),
        (("Left out", "Patients"), [(f"{each.title}: {why}", f"{n:,}") for each in told.cohorts
                                    for why, n in each.left_out if n]),
        (("Not used, since", "How many"), [(f"{each.name}: {why}", f"{n:,}") for each in told.files
                                           for why, n in each.why if n]),
    )  # fmt: skip
    for header, rows in tables:
        if rows:
            page.table(header, rows[:MOST], label=header[0])
    for note in told.notes[:MOST]:
        page.caption(note)
