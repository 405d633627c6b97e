"""What background jobs do with a source; imported without Streamlit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bedside.cohort import Cohort
from bedside.cohort.selection import Selection
from bedside.intake.building import Report, Rows
from bedside.intake.from_large import open_large
from bedside.intake.from_source import open_live
from bedside.intake.guess import guess
from bedside.intake.live_plan import countable, how_read_live, live_from
from bedside.intake.live_sample import sample_of
from bedside.intake.opening import ROWS_SHOWN, Opened
from bedside.intake.plan import Plan
from bedside.intake.staging import Staged, preview
from bedside.store.cohorts_folder import making
from bedside.store.cohorts_kept import Kept, keep
from bedside.store.sources import Source, Sources


@dataclass(frozen=True, eq=False)
class Brought:
    """Rows, and the moment that they are of."""

    rows: Cohort
    as_of: datetime


def bring(
    folder: Path, key: str, source: Source | None, chosen: Selection, progress: Callable[[float, str], None]
) -> Brought:
    """The patients of a live cohort whom a filter keeps, with their rows; without a source, from its own file."""
    if source is None:
        live = open_large(folder, key=key)
    else:
        live = open_live(folder, engine_of_source=Sources((source,)).engine, key=key)
    try:
        return Brought(live.select(chosen).bring(progress), live.as_of)
    finally:
        live.close()


@dataclass(frozen=True)
class Place:
    """A table of a source."""

    source: Source
    schema: str
    table: str

    @property
    def name(self) -> str:
        """What it is called: the table, or the source where that is one table."""
        return self.table or self.source.title


def look(place: Place, folder: Path) -> Opened:
    """Some rows of a table, and what they let guess."""
    with place.source.engine(place.schema, place.table) as engine:
        staged = sample_of(engine, folder, name=place.name)
    return Opened(staged, countable(staged, guess(staged, title=place.name)), preview(staged, ROWS_SHOWN))


def read(place: Place, staged: Staged, plan: Plan) -> Report:
    """How the outcomes of a plan are read, counted over all rows of the table."""
    with place.source.engine(place.schema, place.table) as engine:
        reads = how_read_live(staged, plan, engine)
    first = reads[0]
    left = [("no follow-up", first.no_time), ("no known status", first.no_status),
            ("negative follow-up", first.negative), ("observed only from after the end", first.late)]  # fmt: skip
    return Report(
        file=place.name, sha256="", rows_read=first.n + sum(rows.n for _, rows in left), rows_kept=first.n,
        rejected=Rows(0, ()), outcomes=reads, left_out=tuple((why, rows) for why, rows in left if rows.n),
        set_aside=tuple(each.key for each in reads if each.n < first.n),
    )  # fmt: skip


def keep_live(place: Place, staged: Staged, plan: Plan, reader: str) -> Kept:
    """Keep what describes the cohort; its rows stay where they are."""
    sources = Sources((place.source,))
    with making() as folder:
        live = live_from(
            staged, plan, folder, engine_of_source=sources.engine, source=place.source.name, schema=place.schema,
            table=place.table,
        )  # fmt: skip
        try:
            return keep(
                folder, reader=reader, title=plan.title, source_name=f"{place.name}, in {place.source.title}", live=live
            )
        finally:
            live.close()
