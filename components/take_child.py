"""Packing a cohort that is too large for it in the server; imported without Streamlit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bedside.intake.from_large import open_large
from bedside.intake.staging import staging_folder
from bedside.store.cohorts_taken import pack_csv, pack_mine


def pack(folder: Path, key: str, reader: str, whole: bool, progress: Callable[[float, str], None]) -> bytes:
    """A ZIP file of a large cohort: its table as CSV with its dictionary, or with all that a reader has of it."""
    progress(0.05, "Writing the table")
    live = open_large(folder, key=key)
    try:
        with staging_folder() as work:
            made = pack_mine(live, key, reader=reader, into=work) if whole else pack_csv(live, work)
            return made.read_bytes()
    finally:
        live.close()
