"""The one form that every kind of file is read into: Parquet with columns called c0, c1 and so on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bedside.errors import Fixable
from bedside.intake.columns import clean_name
from bedside.intake.own_rows import Shifts
from bedside.intake.staging import ROWS, WHAT, Kind, Reading, StagedColumn

MOST_COLUMNS = 2_000
MOST_ROWS = 10_000_000
MOST_UNPACKED = 2 * 10**9
"""Bytes of all cells together, unpacked."""
LONGEST_COLUMN_NAME = 500


@dataclass(frozen=True)
class Written:
    """What a reader of one kind of file has left."""

    file: Path
    columns: tuple[StagedColumn, ...]
    n_rows: int
    reading: Reading
    sheets: tuple[str, ...] = ()
    rejected: tuple[int, ...] = ()
    n_rejected: int = 0
    notes: tuple[str, ...] = ()
    shifts: Shifts = ()


def named(originals: Sequence[str]) -> tuple[list[str], list[str]]:
    """Unique names for columns, and what had to be changed, in sentences.

    A name that is empty becomes "column 3"; the second of two equal names "age (2)", and so does one that differs in
    capitals only: questions to a database do not tell them apart.
    """
    found: list[str] = []
    taken: set[str] = set()
    unnamed = doubled = 0
    for i, original in enumerate(originals):
        name = clean_name(original)[:LONGEST_COLUMN_NAME]
        if not name:
            unnamed += 1
            name = f"column {i + 1}"
        base, n = name, 1
        while name.casefold() in taken:
            n += 1
            name = f"{base} ({n})"
        doubled += n > 1
        taken.add(name.casefold())
        found.append(name)
    notes = []
    if unnamed:
        notes.append(f"{unnamed} column{'s' if unnamed > 1 else ''} without a name: called by their place.")
    if doubled:
        notes.append(f"{doubled} column{'s have names' if doubled > 1 else ' has a name'} that stood before: numbered.")
    return found, notes


def check_width(n_columns: int) -> None:
    """Refuse what is no table of patients."""
    if n_columns > MOST_COLUMNS:
        raise Fixable(
            WHAT,
            f"It has {n_columns:,} columns; a table of patients has at most {MOST_COLUMNS:,}.",
            "Bring the patients first; a table of many measured genes is attached to them afterwards, as Parquet.",
        )


def too_many_rows(n_rows: int | None = None) -> Fixable:
    """The refusal of a table that is too long."""
    has = f"It has {n_rows:,} rows; at most" if n_rows else "It has more rows than are read: at most"
    return Fixable(WHAT, f"{has} {MOST_ROWS:,}.", "Keep one row for each patient.")


def too_large() -> Fixable:
    """The refusal of a table that swells."""
    return Fixable(
        WHAT,
        f"Unpacked it takes more than the {MOST_UNPACKED // 10**9} GB that a table may take.",
        "Leave out columns or rows that are not needed.",
    )


def columns_of(
    originals: Sequence[str],
    kinds: Sequence[Kind],
    labels: Sequence[str] = (),
    values: Sequence[tuple[tuple[str, str], ...]] = (),
) -> tuple[tuple[StagedColumn, ...], list[str]]:
    """The columns under their unique names, and notes about them."""
    names, notes = named(originals)
    labels = labels or [""] * len(names)
    values = values or [()] * len(names)
    made = [
        StagedColumn(name, original[:LONGEST_COLUMN_NAME], kind, label or "", codes)
        for name, original, kind, label, codes in zip(names, originals, kinds, labels, values, strict=True)
    ]
    return tuple(made), notes


def write(folder: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> tuple[Path, int]:
    """Batches into the one file, counted and weighed on the way.

    Raises
    ------
    Fixable
        If they are more, or larger, than a table may be.
    """
    file, n_rows, size = folder / ROWS, 0, 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches:
            n_rows += batch.num_rows
            size += batch.nbytes
            if n_rows > MOST_ROWS:
                raise too_many_rows()
            if size > MOST_UNPACKED:
                raise too_large()
            writer.write_batch(batch)
    return file, n_rows
