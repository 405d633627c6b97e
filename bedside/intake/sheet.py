"""CSV cell by cell: the header, and whole files that DuckDB refuses.

Slower than DuckDB by far, but it takes every kind of line end, also several in
one file, and it can say in which row something is wrong: DuckDB's own messages
quote cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from bedside.errors import Fault
from bedside.intake.columns import Column
from bedside.intake.duck import MOST_BYTES, TooLarge
from bedside.intake.rows import say_rows

DELIMITERS = (",", ";", "\t", "|")
LONGEST_HEADER = 4 * 2**20
_BATCH = 20_000
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Header:
    """The first line that is not blank: what it is parted by, and its cells as written."""

    delimiter: str
    names: tuple[str, ...]


def read_header(path: Path) -> Header | Fault:
    """The header of a CSV file, or why there is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            start = io.StringIO(file.read(LONGEST_HEADER), newline="")
            cut = bool(file.read(1))
        first = next((line for line in start if line.strip()), "")
        start.seek(0)
        delimiter = max(DELIMITERS, key=_QUOTED.sub("", first).count)
        names = next(_rows(start, delimiter), [])
    except UnicodeDecodeError:
        return Fault(path.name, "", "text in UTF-8", "another encoding")
    except csv.Error:
        return Fault(path.name, "", "a header line with closed quotes and names of a usual length")
    if cut and not start.read(1):
        return Fault(path.name, "", f"a header line of at most {LONGEST_HEADER:,} characters", "a longer one")
    if not any(name.strip() for name in names):
        return Fault(path.name, "", "a header line with column names", "none")
    return Header(delimiter, tuple(names))


def read_slowly(path: Path, header: Header) -> list[Column] | Fault:
    """Every cell below the header as text, or what is wrong, in row numbers.

    Raises
    ------
    TooLarge
        If the table takes more than ``MOST_BYTES``.
    """
    expected = f"{len(header.names)} cells in every row, as in the header"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _rows(file, header.delimiter)
            next(rows, [])
            columns, ragged = _collected(rows, len(header.names))
    except UnicodeDecodeError:
        return Fault(path.name, "", "text in UTF-8", "another encoding")
    except csv.Error as error:
        return Fault(path.name, "", expected, _said(str(error)))
    if ragged.any():
        return Fault(path.name, "", expected, f"more or fewer in {say_rows(ragged)}")
    return columns


def _said(reason: str) -> str:
    if "expected after" in reason:
        return "a quotation mark inside a quoted cell that is not doubled"
    return "a quotation mark that is never closed, or a cell that is too long"


def _rows(file: io.TextIOBase, delimiter: str) -> Iterator[list[str]]:
    """Rows from the header on: blank lines above it are no rows."""
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    for row in reader:
        if len(row) > 1 or (row and row[0].strip()):
            yield row
            break
    yield from reader


def _collected(rows: Iterator[list[str]], n_columns: int) -> tuple[list[Column], np.ndarray]:
    """Cells by column, and which rows have another number of them; blank lines are passed over."""
    ragged: list[bool] = []
    parts: list[list[pa.Array]] = [[] for _ in range(n_columns)]
    size = 0
    while batch := list(islice(rows, _BATCH)):
        ragged += [len(row) not in (0, n_columns) for row in batch]
        whole = [row for row in batch if len(row) == n_columns]
        for part, cells in zip(parts, zip(*whole, strict=True), strict=False):
            part.append(_texts(cells))
            size += part[-1].nbytes
        if size > MOST_BYTES:
            raise TooLarge
    columns = [Column(pa.chunked_array(part, pa.string())) for part in parts]
    return columns, np.array(ragged, dtype=bool)


def _texts(cells: Sequence[str]) -> pa.Array:
    return pa.array([cell or None for cell in cells], pa.string())
