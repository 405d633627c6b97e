"""CSV and Parquet files as tables, told apart by what is in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from bedside.errors import Fault
from bedside.intake.columns import Column, Table
from bedside.intake.duck import MOST_BYTES, Duck, TooLarge
from bedside.intake.frame import table_of
from bedside.intake.paths import leads_out
from bedside.intake.sheet import Header, read_header, read_slowly

Read = tuple[Table | None, tuple[Fault, ...]]

MOST_COLUMNS_CSV = 2_000
"""DuckDB takes seconds beyond, minutes far beyond."""
MOST_COLUMNS_PARQUET = 25_000
MOST_ROWS = 10_000_000
SURELY_SMALL = 256 * 10**6
MOST_SWELLING = 1_000
"""How many times larger than its file a table may be, unless it is small in any case."""

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 4}


def read_table(duck: Duck, path: Path) -> Read:
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
    try:
        if not path.is_file():
            return _refused(path, "a file of this name in the cohort's folder", "none")
        if leads_out(path):
            return _refused(path, "a file in the cohort's folder, not a link that leads out of it")
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return _refused(path, "a file that Bedside may read")
    holds_parquet = start.startswith(b"PAR1")
    says_parquet = path.suffix.lower() in (".parquet", ".pq")
    if holds_parquet != says_parquet:
        return _refused(path, "a file that is what its ending says", "Parquet" if holds_parquet else "something else")
    read: Callable[[Duck, Path], Read] = _parquet if holds_parquet else _csv
    try:
        return read(duck, path)
    except (TooLarge, MemoryError):
        return _refused(path, f"a table of at most {MOST_BYTES // 10**9} GB when it is unpacked", "a larger one")


def _refused(path: Path, expected: str, found: str = "") -> Read:
    return None, (Fault(path.name, "", expected, found),)


def _parquet(duck: Duck, path: Path) -> Read:
    try:
        # The file's own names: DuckDB would rename columns that differ in case only.
        with pq.ParquetFile(path) as file:
            names, told = file.schema_arrow.names, file.metadata
            too_much = _too_much(told, len(names), path.stat().st_size)
        if too_much is not None:
            return None, (Fault(path.name, "", *too_much),)
        rows = duck.parquet(path)
    except (pa.ArrowException, duckdb.Error, OSError, UnicodeDecodeError):
        return _refused(path, "a readable Parquet file", "a damaged one")
    if rows.num_columns != len(names):
        return _refused(path, "a readable Parquet file", "other columns than it says it has")
    return table_of(path.name, names, [Column(rows.column(i)) for i in range(rows.num_columns)])


def _too_much(told: pq.FileMetaData, n_columns: int, file_bytes: int) -> tuple[str, str] | None:
    """What is expected and found instead, if a Parquet file says itself that it is too large.

    A few kilobytes can hold millions of repeated values.
    """
    if n_columns > MOST_COLUMNS_PARQUET:
        return f"at most {MOST_COLUMNS_PARQUET:,} columns", f"{n_columns:,}"
    if told.num_rows > MOST_ROWS:
        return f"at most {MOST_ROWS:,} rows", f"{told.num_rows:,}"
    leaves = [told.schema.column(i) for i in range(told.num_columns)]
    width = sum(_WIDTHS.get(leaf.physical_type, leaf.length or 1) for leaf in leaves)
    packed = sum(told.row_group(i).total_byte_size for i in range(told.num_row_groups))
    size = max(width * told.num_rows, packed)
    if size > MOST_BYTES:
        return f"a table of at most {MOST_BYTES // 10**9} GB when it is unpacked", "a larger one"
    if size > SURELY_SMALL and size > MOST_SWELLING * file_bytes:
        return f"a table at most {MOST_SWELLING:,} times larger than its file", "a larger one"
    return None


def _csv(duck: Duck, path: Path) -> Read:
    header = read_header(path)
    if isinstance(header, Fault):
        return None, (header,)
    if len(header.names) > MOST_COLUMNS_CSV:
        return _refused(path, f"at most {MOST_COLUMNS_CSV:,} columns in CSV", f"{len(header.names):,}")
    columns = _csv_columns(duck, path, header)
    if isinstance(columns, Fault):
        return None, (columns,)
    return table_of(path.name, header.names, columns)


def _csv_columns(duck: Duck, path: Path, header: Header) -> list[Column] | Fault:
    try:
        rows = duck.csv(path, delimiter=header.delimiter, n_columns=len(header.names))
    except duckdb.Error:
        return read_slowly(path, header)
    # DuckDB settles on one kind of line end; where the header shows that it took the wrong one, it is not believed.
    first = [rows.column(i)[0].as_py() or "" for i in range(rows.num_columns)] if rows.num_rows else []
    if tuple(first) != header.names:
        return read_slowly(path, header)
    return [Column(rows.column(i).slice(1)) for i in range(rows.num_columns)]
