"""Workbooks: one sheet as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from bedside.errors import Fixable
from bedside.intake.formats.sniff import names_at
from bedside.intake.formats.written import Written, check_width, columns_of, write
from bedside.intake.own_rows import shifts_of
from bedside.intake.staging import WHAT, Kind, Progress, Reading

_BATCH = 20_000
_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(), "number": pa.float64(), "bool": pa.bool_(), "date": pa.date32(),
    "datetime": pa.timestamp("us"),
}  # fmt: skip


def read_excel(source: Path, folder: Path, reading: Reading, progress: Progress) -> Written:
    """One sheet of a workbook (xlsx, xls, xlsb, ods); by default the one with most cells.

    A column of numbers alone, dates alone or truth values alone keeps that kind; any mixture is text as it is read.

    Raises
    ------
    Fixable
        If it is damaged, locked with a password, or has no table.
    """
    try:
        with CalamineWorkbook.from_path(str(source)) as book:
            sheets = tuple(book.sheet_names)
            if not sheets:
                raise Fixable(WHAT, "The workbook has no sheet.", "Bring one with a table.")
            sheet = reading.sheet if reading.sheet in sheets else _fullest(book, sheets)
            table = book.get_sheet_by_name(sheet)
            rows, above = table.to_python(skip_empty_area=True), (table.start or (0, 0))[0]
    except (CalamineError, OSError, ValueError):
        raise Fixable(
            WHAT, "The workbook is damaged, or locked with a password.", "Save it again without one, or as CSV."
        ) from None
    filled = [i for i, row in enumerate(rows) if any(cell not in ("", None) for cell in row)]
    rows = [rows[i] for i in filled]
    at = reading.header_row if reading.sheet else _header(rows)
    if not rows or at >= len(rows):
        raise Fixable(WHAT, "The sheet is empty.", "Choose another sheet.")
    names = [f"column {i + 1}" for i in range(len(rows[0]))] if at < 0 else [_text(cell) or "" for cell in rows[at]]
    rows = rows[at + 1 :]
    check_width(len(names))
    kinds = [_kind([row[i] for row in rows]) for i in range(len(names))]
    used = [i for i, name in enumerate(names) if name or any(row[i] not in ("", None) for row in rows)]
    names, kinds, rows = [names[i] for i in used], [kinds[i] for i in used], [[row[i] for i in used] for row in rows]
    schema = pa.schema([(f"c{i}", _TYPES[kind]) for i, kind in enumerate(kinds)])
    progress(0.5, "Reading rows")
    out, n_rows = write(folder, _batches(rows, kinds, schema), schema)
    columns, notes = columns_of(names, kinds)
    notes += [f"Sheet “{sheet}” of {len(sheets)}."] if len(sheets) > 1 else []
    told = replace(reading, format="excel", sheet=sheet, header_row=at)
    shifts = shifts_of(above + 1 + i for i in filled[at + 1 :])
    return Written(out, columns, n_rows, told, sheets, notes=tuple(notes), shifts=shifts)


def _fullest(book: CalamineWorkbook, sheets: Sequence[str]) -> str:
    def size(name: str) -> int:
        sheet = book.get_sheet_by_name(name)
        return sheet.height * sheet.width

    return max(sheets, key=size)


def _header(rows: Sequence[Sequence[object]]) -> int:
    texts = [[_text(cell) or "" for cell in row] for row in rows[:50]]
    return names_at(texts, len(texts[0])) if texts else 0


def _batches(rows: Sequence[Sequence[object]], kinds: Sequence[Kind], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        arrays = [pa.array([_cell(row[i], kind) for row in part], schema.field(i).type) for i, kind in enumerate(kinds)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _kind(cells: Sequence[object]) -> Kind:
    present = [cell for cell in cells if cell not in ("", None)]
    if not present:
        return "text"
    if all(isinstance(cell, bool) for cell in present):
        return "bool"
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in present):
        return "number"
    if all(isinstance(cell, date) for cell in present):
        return "datetime" if any(isinstance(c, datetime) and c.time() != time() for c in present) else "date"
    return "text"


def _cell(cell: object, kind: Kind) -> object:
    if cell in ("", None):
        return None
    if kind == "text":
        return _text(cell)
    if kind == "date" and isinstance(cell, datetime):
        return cell.date()
    if kind == "datetime" and not isinstance(cell, datetime):
        return datetime.combine(cell, time())  # type: ignore[arg-type]
    return float(cell) if kind == "number" else cell  # type: ignore[arg-type]


def _text(cell: object) -> str | None:
    """A cell as it is read: whole numbers without a point, dates as year-month-day."""
    if cell in ("", None):
        return None
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell.total_seconds()) if isinstance(cell, timedelta) else str(cell)
