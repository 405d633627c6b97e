"""Files of SAS, SPSS and Stata, with their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
from pyreadstat._readstat_parser import ReadstatError

from bedside.errors import Fixable
from bedside.intake.formats.written import MOST_ROWS, Written, check_width, columns_of, too_many_rows, write
from bedside.intake.staging import WHAT, Kind, Progress, Reading

_BATCH = 50_000
_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(), "number": pa.float64(), "date": pa.date32(), "datetime": pa.timestamp("us"),
}  # fmt: skip


def read_statistics(source: Path, folder: Path, reading: Reading, progress: Progress) -> Written:
    """One table with the labels that its package kept.

    Raises
    ------
    Fixable
        If it is damaged.
    """
    read = _reader(source, reading.format)
    try:
        first, meta = read(str(source), row_limit=1000)
    except (ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, ValueError, OverflowError):
        raise _damaged() from None
    names = [str(name) for name in meta.column_names]
    check_width(len(names))
    if (meta.number_rows or 0) > MOST_ROWS:
        raise too_many_rows(meta.number_rows)
    kinds = [_kind(first[name], meta.readstat_variable_types.get(name, "")) for name in names]
    schema = pa.schema([(f"c{i}", _TYPES[kind]) for i, kind in enumerate(kinds)])
    try:
        out, n_rows = write(folder, _batches(read, source, names, kinds, schema, meta.number_rows, progress), schema)
    except (ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, OverflowError):
        raise _damaged() from None
    labels = [meta.column_names_to_labels.get(name) or "" for name in names]
    values = [_codes(meta.variable_value_labels.get(name, {})) for name in names]
    columns, notes = columns_of(names, kinds, labels, values)
    return Written(out, columns, n_rows, replace(reading, encoding=meta.file_encoding or ""), notes=tuple(notes))


def _reader(source: Path, kind: str) -> Any:
    if kind == "spss":
        return pyreadstat.read_sav
    if kind == "stata":
        return pyreadstat.read_dta
    with source.open("rb") as file:
        return pyreadstat.read_xport if file.read(6) == b"HEADER" else pyreadstat.read_sas7bdat


def _batches(
    read: Any,
    source: Path,
    names: Sequence[str],
    kinds: Sequence[Kind],
    schema: pa.Schema,
    total: int | None,
    progress: Progress,
) -> Iterator[pa.RecordBatch]:
    start = 0
    while True:
        frame, _ = read(str(source), row_limit=_BATCH, row_offset=start)
        if not len(frame):
            return
        start += len(frame)
        progress(min(start / max(total or start, 1), 1.0), "Reading rows")
        arrays = [_array(frame[name], kind) for name, kind in zip(names, kinds, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        if len(frame) < _BATCH:
            return


def _kind(values: pd.Series, told: str) -> Kind:
    if told == "string":
        return "text"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "datetime"
    present = values.dropna()
    if len(present) and all(isinstance(cell, datetime) for cell in present):
        return "datetime"
    if len(present) and all(isinstance(cell, date) for cell in present):
        return "date"
    return "number" if pd.api.types.is_numeric_dtype(values) else "text"


def _array(values: pd.Series, kind: Kind) -> pa.Array:
    if kind == "number":
        return pa.array(
            pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64), pa.float64(), from_pandas=True
        )
    missing = values.isna().to_numpy()
    cells = [None if gone or cell == "" else cell for cell, gone in zip(values, missing, strict=True)]
    if kind == "text":
        return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
    return pa.array(cells, _TYPES[kind])


def _codes(labels: Mapping[Any, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((_code(code), str(label)) for code, label in labels.items())


def _code(code: Any) -> str:
    return str(int(code)) if isinstance(code, float) and code.is_integer() else str(code)


def _damaged() -> Fixable:
    return Fixable(WHAT, "The file is damaged, or of a release that can't be read.", "Save it as CSV, and bring that.")
