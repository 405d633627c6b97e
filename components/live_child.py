"""What a background job does of a live cohort; imported without Streamlit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bedside.cohort import Cohort
from bedside.cohort.selection import Selection
from bedside.intake.from_source import open_live
from bedside.store.sources import Source, Sources


@dataclass(frozen=True, eq=False)
class Brought:
    """Rows, and the moment that they are of."""

    rows: Cohort
    as_of: datetime


def bring(folder: Path, key: str, source: Source, chosen: Selection, progress: Callable[[float, str], None]) -> Brought:
    """The patients of a live cohort whom a filter keeps, with their rows."""
    live = open_live(folder, engine_of_source=Sources((source,)).engine, key=key)
    try:
        return Brought(live.select(chosen).bring(progress), live.as_of)
    finally:
        live.close()
