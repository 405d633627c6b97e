"""JSON: a list of records, one below the other or in one list; of nested records each field becomes a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from bedside.errors import Fixable
from bedside.intake.formats.written import MOST_COLUMNS, Written, check_width, columns_of, too_large, write
from bedside.intake.staging import WHAT, Progress, Reading

_BATCH = 20_000
_WITHIN = "\x1f"
"""Between the names of a record and of a field in it, until they are shown: ``a.b`` may be a name of its own."""
_DEEPEST = 5
"""Levels of records in records that become columns; what lies deeper stays as JSON text."""
LONGEST_RECORD = 16 * 2**20
MOST_IN_ONE = 120 * 2**20
"""Bytes of a file that is one single JSON value: it is held in memory as a whole."""


def read_records(source: Path, folder: Path, reading: Reading, progress: Progress) -> Written:
    """Records as rows; texts as they are written, numbers with all their digits, ``patient.id`` for a nested field.

    A list inside a record stays as JSON text.

    Raises
    ------
    Fixable
        If it is not JSON, or holds no list of records.
    """
    names: dict[str, int] = {}
    for record in map(_flat, _records(source)):
        for name in record:
            names.setdefault(name, len(names))
        if len(names) > MOST_COLUMNS:
            check_width(len(names))
    schema = pa.schema([(f"c{i}", pa.string()) for i in range(len(names))])
    progress(0.4, "Reading rows")
    out, n_rows = write(folder, _batches(source, list(names), schema), schema)
    columns, notes = columns_of([name.replace(_WITHIN, ".") for name in names], ["text"] * len(names))
    return Written(out, columns, n_rows, replace(reading, format="json", encoding="utf-8"), notes=tuple(notes))


def _batches(source: Path, names: list[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    rows: list[dict[str, Any]] = []
    for record in _records(source):
        rows.append(_flat(record))
        if len(rows) == _BATCH:
            yield _batch(rows, names, schema)
            rows = []
    if rows:
        yield _batch(rows, names, schema)


def _batch(rows: list[dict[str, Any]], names: list[str], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([_said(row.get(n)) for row in rows], pa.string()) for n in names],
                                      schema=schema)  # fmt: skip


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record, and of the records in it, side by side."""
    if not any(isinstance(cell, dict) for cell in record.values()):
        return record
    found: dict[str, Any] = {}
    todo = [("", record, 0)]
    while todo:
        path, inner, deep = todo.pop()
        nested = []
        for name, cell in inner.items():
            if isinstance(cell, dict) and cell and deep < _DEEPEST:
                nested.append((f"{path}{name}{_WITHIN}", cell, deep + 1))
            else:
                found.setdefault(f"{path}{name}", cell)
        todo += reversed(nested)
    return found


def _said(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell or None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    try:
        return orjson.dumps(cell).decode()
    except orjson.JSONEncodeError:
        raise Fixable(
            WHAT, "Records in it lie in one another more than 250 levels deep.", "Leave that field out."
        ) from None


def _records(source: Path) -> Iterator[dict[str, Any]]:
    """Every record, from lines of JSON or from one value."""
    try:
        with source.open("rb") as file:
            first = file.readline(LONGEST_RECORD).lstrip(b"\xef\xbb\xbf").strip()
            more = any(line.strip() for line in file)
            if _is_record(first) and more:
                file.seek(0)
                yield from _lines(file)
                return
        if source.stat().st_size > MOST_IN_ONE:
            raise too_large()
        yield from _of_one(orjson.loads(source.read_bytes().lstrip(b"\xef\xbb\xbf")))
    except orjson.JSONDecodeError:
        raise Fixable(WHAT, "It is not JSON throughout.", "Save it again, or bring the table as CSV.") from None


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _lines(file: Any) -> Iterator[dict[str, Any]]:
    while line := file.readline(LONGEST_RECORD):
        if not line.strip():
            continue
        record = orjson.loads(line.lstrip(b"\xef\xbb\xbf"))
        if not isinstance(record, dict):
            raise _no_records()
        yield record


def _of_one(value: Any) -> Iterator[dict[str, Any]]:
    """The list of records in a JSON value: itself, or the longest one inside it."""
    if isinstance(value, dict):
        lists = [each for each in value.values() if isinstance(each, list) and each and isinstance(each[0], dict)]
        value = max(lists, key=len, default=[value])
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise _no_records()
    yield from value


def _no_records() -> Fixable:
    return Fixable(
        WHAT, "It is JSON, and holds no list of records with named fields.", "Bring one object for each patient."
    )
