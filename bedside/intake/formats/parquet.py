"""Parquet as it is typed; what is nested becomes JSON text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bedside.errors import Fixable
from bedside.intake.files import _too_much
from bedside.intake.formats.written import MOST_ROWS, Written, check_width, columns_of, too_many_rows, write
from bedside.intake.staging import WHAT, Kind, Progress, Reading

_BATCH = 65_536


def read_parquet(source: Path, folder: Path, reading: Reading, progress: Progress) -> Written:
    """A Parquet file, batch by batch.

    Raises
    ------
    Fixable
        If it is damaged, or says or shows that it is larger than a table may be.
    """
    try:
        with pq.ParquetFile(source) as file:
            names = list(file.schema_arrow.names)
            check_width(len(names))
            if file.metadata.num_rows > MOST_ROWS:
                raise too_many_rows(file.metadata.num_rows)
            refused = _too_much(file.metadata, len(names), source.stat().st_size)
            if refused is not None:
                raise Fixable(WHAT, f"Expected: {refused[0]}. Found: {refused[1]}.", "Leave out what is not needed.")
            kinds = [_kind(field.type) for field in file.schema_arrow]
            schema = pa.schema([(f"c{i}", _kept(kinds[i], field.type)) for i, field in enumerate(file.schema_arrow)])
            zones = sorted({zone for field in file.schema_arrow if (zone := _strange(_seen_through(field.type)))})
            out, n_rows = write(folder, _batches(file, schema, progress), schema)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise Fixable(
            WHAT, "It is a damaged Parquet file.", "Save it again where it came from, and bring it then."
        ) from None
    columns, notes = columns_of(names, kinds)
    notes += [f"The time zone {zone[:40]} is not known here: its points in time are read as UTC." for zone in zones]
    return Written(out, columns, n_rows, replace(reading, format="parquet"), notes=tuple(notes))


def _batches(file: pq.ParquetFile, schema: pa.Schema, progress: Progress) -> Iterator[pa.RecordBatch]:
    done, total = 0, max(file.metadata.num_rows, 1)
    for batch in file.iter_batches(batch_size=_BATCH):
        done += batch.num_rows
        progress(min(done / total, 1.0), "Reading rows")
        columns = [_plain(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _seen_through(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _strange(kind: pa.DataType) -> str:
    """The time zone of points in time, if there is none of that name."""
    zone = kind.tz if pa.types.is_timestamp(kind) else None
    try:
        pa.lib.string_to_tzinfo(zone or "UTC")
    except (KeyError, ValueError, OSError):  # as pytz, zoneinfo and Arrow itself say it
        return zone
    return ""


def _kind(kind: pa.DataType) -> Kind:
    kind = _seen_through(kind)
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_date(kind):
        return "date"
    return "datetime" if pa.types.is_timestamp(kind) else "text"


def _kept(kind: Kind, was: pa.DataType) -> pa.DataType:
    """What a column is kept as: its own type where it is a plain one."""
    was = _seen_through(was)
    if kind == "text":
        return pa.string()
    if _strange(was):
        return pa.timestamp(was.unit, "UTC")  # points in time are kept in UTC whatever the zone they are shown in
    # A decimal divides by a power of ten that is rounded itself: as text it keeps its digits until it is a number.
    return pa.string() if pa.types.is_decimal(was) else was


def _plain(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.type.equals(kind):
        return column
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), kind)
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.array([None if cell is None else _said(cell) for cell in column.to_pylist()], pa.string())
    return pc.cast(column, kind)


def _said(cell: object) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
