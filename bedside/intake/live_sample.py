"""Some rows of a source's table as if they had been brought as a file, for the guesses of the import."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bedside.engine.ask import EVERYONE
from bedside.engine.sql import SqlEngine
from bedside.engine.tree import Family
from bedside.errors import Fixable
from bedside.intake.staging import ROWS, Kind, Reading, Staged, StagedColumn, sealed, shown_name

SAMPLE = 20_000
_KINDS: dict[Family, Kind] = {
    "whole": "number", "float": "number", "decimal": "number", "truth": "bool", "text": "text", "other text": "text",
    "date": "date", "moment": "datetime", "zoned": "datetime",
}  # fmt: skip
_WHAT = "This table can't become a cohort."


def sample_of(engine: SqlEngine, folder: Path, *, name: str, n: int = SAMPLE) -> Staged:
    """Some rows of a table, staged.

    Parameters
    ----------
    engine : SqlEngine
    folder : Path
        From `bedside.intake.staging.new_staging`.
    name : str
        What the table is called.
    n : int
        The most rows that come: the first that the source gives.

    Returns
    -------
    Staged
        Its notes say how many of how many rows it holds.

    Raises
    ------
    Fixable
        If the table has no rows, none of its columns can be read, or the source does not answer.
    """
    fields = [(column, _KINDS[known.family]) for column, known in engine.fields.items() if known.family in _KINDS]
    if not fields:
        raise Fixable(_WHAT, "None of its columns holds numbers, text or dates.", "Choose another table.")
    rows = engine.rows([column for column, _ in fields], most=n)
    if not rows.num_rows:
        raise Fixable(_WHAT, "It has no rows that this account may see.", "Choose another table.")
    (whole,) = engine.sizes((EVERYONE,))
    file = folder / ROWS
    file.touch(mode=0o600)
    pq.write_table(_plain(rows), file)
    sealed(file)
    columns = tuple(StagedColumn(column, column, kind) for column, kind in fields)
    return Staged(
        file=file, columns=columns, n_rows=rows.num_rows, reading=Reading("parquet"), size=file.stat().st_size,
        name=shown_name(name), notes=_notes(engine, rows.num_rows, whole),
    )  # fmt: skip


def _notes(engine: SqlEngine, came: int, whole: int) -> tuple[str, ...]:
    seen = f"All {whole:,} rows were looked at." if came >= whole else f"{came:,} of {whole:,} rows were looked at."
    left = [column for column, known in engine.fields.items() if known.family not in _KINDS]
    return (seen, *([f"Left out, being neither numbers, text nor dates: {', '.join(left)}."] if left else []))


def _plain(rows: pa.Table) -> pa.Table:
    """Columns named by place, as a staged table has them."""
    columns = [column.cast(_kept(column.type)) for column in rows.columns]
    return pa.table(columns, names=[f"c{i}" for i in range(len(columns))])


def _kept(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind) or pa.types.is_null(kind):
        return pa.string()
    return kind
