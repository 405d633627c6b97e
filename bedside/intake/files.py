"""CSV and Parquet files as tables, told apart by what is in them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bedside.errors import Fault
from bedside.intake.columns import Column, Table
from bedside.intake.duck import Duck
from bedside.intake.frame import table_of
from bedside.intake.rows import say_rows

DELIMITERS = (",", ";", "\t", "|")
_QUOTED = re.compile(r'"[^"]*"')


def read_table(duck: Duck, path: Path) -> tuple[Table | None, tuple[Fault, ...]]:
    """Read a file of a cohort.

    Parameters
    ----------
    duck : Duck
        May read the folder that ``path`` is in.
    path : Path
        CSV (comma, semicolon, tab or bar) in UTF-8, or Parquet.

    Returns
    -------
    table : Table or None
        None if the file could not be read as a table at all.
    faults : tuple of Fault
        Of the file, never quoting a cell.
    """
    if not path.is_file():
        return None, (Fault(path.name, "", "a file of this name in the cohort's folder", "none"),)
    if path.resolve().parent != path.parent.resolve():
        return None, (Fault(path.name, "", "a file in the cohort's folder, not a link that leads out of it"),)
    with path.open("rb") as file:
        start = file.read(4096)
    holds_parquet = start.startswith(b"PAR1")
    says_parquet = path.suffix.lower() in (".parquet", ".pq")
    if holds_parquet != says_parquet:
        found = "Parquet" if holds_parquet else "something else"
        return None, (Fault(path.name, "", "a file that is what its ending says", found),)
    read: Callable[[Duck, Path], tuple[Table | None, tuple[Fault, ...]]] = _parquet if holds_parquet else _csv
    return read(duck, path)


def _parquet(duck: Duck, path: Path) -> tuple[Table | None, tuple[Fault, ...]]:
    try:
        # The file's own names: DuckDB would rename columns that differ in case only.
        names = pq.read_schema(path).names
        rows = duck.parquet(path)
    except (pa.ArrowInvalid, duckdb.Error, OSError):
        return None, (Fault(path.name, "", "a readable Parquet file", "a damaged one"),)
    columns = []
    for i in range(rows.num_columns):
        columns.append(Column(rows.column(i)))
    return table_of(path.name, names, columns)


def _csv(duck: Duck, path: Path) -> tuple[Table | None, tuple[Fault, ...]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            start = "".join(islice(file, 1))
            delimiter = max(DELIMITERS, key=_QUOTED.sub("", start).count)
            file.seek(0)
            header = next(csv.reader(file, delimiter=delimiter, strict=True), [])
    except UnicodeDecodeError:
        return None, (Fault(path.name, "", "text in UTF-8", "another encoding"),)
    except csv.Error:
        return None, (Fault(path.name, "", "a header line with closed quotes"),)
    if not header or not any(name.strip() for name in header):
        return None, (Fault(path.name, "", "a header line with column names", "none"),)
    try:
        rows = duck.csv(path, delimiter=delimiter, n_columns=len(header))
    except duckdb.Error:
        return None, (_why_unreadable(path, delimiter, len(header)),)
    return table_of(path.name, header, [Column(rows.column(i)) for i in range(rows.num_columns)])


def _why_unreadable(path: Path, delimiter: str, n_columns: int) -> Fault:
    """What is wrong with a CSV file that DuckDB refused, in row numbers: its own message quotes cells."""
    expected = f"{n_columns} cells in every row, as in the header"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            next(reader)
            ragged = np.array([len(row) not in (0, n_columns) for row in reader], dtype=bool)
    except UnicodeDecodeError:
        return Fault(path.name, "", "text in UTF-8", "another encoding")
    except csv.Error:
        return Fault(path.name, "", expected, "a quotation mark that is never closed, or a cell that is too long")
    if not ragged.any():
        return Fault(path.name, "", "CSV with cells quoted by double quotation marks only", "another form of quoting")
    return Fault(path.name, "", expected, f"more or fewer in {say_rows(ragged)}")
