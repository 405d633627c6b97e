"""The files of a cBioPortal study as they lie on the disk: tab-separated text, read line by line."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from bedside.errors import Fixable
from bedside.intake.standards.staged_table import numbers_of

WHAT = "The study was not read."
NULLS = frozenset({
    "[not applicable]", "[not available]", "[pending]", "[discrepancy]", "[completed]", "[null]", "", "na", "n/a",
    "nan", "[unknown]", "[not evaluated]", "not available",
})  # fmt: skip
"""Cells that mean "not recorded", in lower case."""
MOST_BYTES = 500 * 10**6
MOST_LINE = 8 * 2**20
MOST_CELLS = 50_000_000
_DEFINED = ("label", "description", "datatype", "priority")


@dataclass(frozen=True, eq=False)
class Clinical:
    """A file of clinical attributes.

    Attributes
    ----------
    frame : pandas.DataFrame
        Text under names in upper case, None where nothing was recorded.
    words : dict
        By name: ``label``, ``description`` and ``datatype``, as far as the four lines above the header say them.
    n_read, n_ragged : int
        Lines below the header, and how many of them have another number of cells than it.
    """

    frame: pd.DataFrame
    words: dict[str, dict[str, str]]
    n_read: int
    n_ragged: int


@contextmanager
def lines_of(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a text file, packed or not, without their ends.

    Raises
    ------
    Fixable
        If it is damaged, or more than a file may be.
    """
    try:
        with _opened(path) as file:
            yield _lines(file, path.name)
    except (OSError, EOFError, zlib.error) as fault:
        raise Fixable(WHAT, f"“{path.name}” is damaged.", "Copy it again from where it came.") from fault


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]


def _lines(file: IO[bytes], name: str) -> Iterator[str]:
    size = 0
    while line := file.readline(MOST_LINE):
        size += len(line)
        if size > MOST_BYTES or (len(line) == MOST_LINE and not line.endswith(b"\n")):
            raise Fixable(
                WHAT,
                f"“{name}” has more than {MOST_BYTES // 10**6} MB, or a line of more than {MOST_LINE // 2**20} MB.",
                "Leave the file out of the folder, or split the study.",
            )  # fmt: skip
        text = line.decode("utf-8-sig" if size == len(line) else "utf-8", "replace").rstrip("\r\n")
        yield from text.split("\r")  # old files have carriage returns alone


def read_meta(path: Path) -> dict[str, str]:
    """``key: value`` lines of a meta file or a case list."""
    found: dict[str, str] = {}
    with lines_of(path) as lines:
        for line in lines:
            key, colon, value = line.partition(":")
            if colon and not key.startswith("#"):
                found.setdefault(key.strip(), value.strip())
    return found


def read_clinical(path: Path) -> Clinical:
    """A file of clinical attributes, with the four lines of definitions above its header or without.

    Raises
    ------
    Fixable
        If it has no header, or names a column twice.
    """
    above: list[list[str]] = []
    header: list[str] = []
    rows: list[list[str]] = []
    n_ragged = 0
    with lines_of(path) as lines:
        for line in lines:
            if not line.strip():
                continue
            if not header and line.startswith("#"):
                above.append(line[1:].split("\t"))
            elif not header:
                header = [name.strip().upper() for name in line.split("\t")]
                _check_header(path, header)
            else:
                cells = line.split("\t")
                n_ragged += len(cells) != len(header)
                rows.append([*cells, *[""] * (len(header) - len(cells))][: len(header)])
                if len(rows) * len(header) > MOST_CELLS:
                    raise Fixable(WHAT, f"“{path.name}” has more than {MOST_CELLS:,} cells.", "Split the study.")
    if not header:
        raise Fixable(WHAT, f"“{path.name}” has no header.", "Export the study again.")
    columns = {name: [_cell(row[i]) for row in rows] for i, name in enumerate(header)}
    frame = pd.DataFrame(columns, index=range(len(rows)), dtype=object)
    return Clinical(frame, _words(above, header), len(rows), n_ragged)


def _check_header(path: Path, header: list[str]) -> None:
    if len(set(header)) < len(header) or "" in header:
        raise Fixable(
            WHAT, f"“{path.name}” names a column twice, or not at all.", "Give each column a name of its own."
        )  # fmt: skip


def _cell(text: str) -> str | None:
    trimmed = text.strip()
    return None if trimmed.lower() in NULLS else trimmed


def _words(above: list[list[str]], header: list[str]) -> dict[str, dict[str, str]]:
    """What the lines above the header say of each column; nothing where they are not the four that are documented."""
    if len(above) < 3 or any(len(row) != len(header) for row in above[:3]):
        return {}
    return {
        name: {key: row[i].strip() for key, row in zip(_DEFINED, above, strict=False) if i < len(row)}
        for i, name in enumerate(header)
    }


def read_cells(path: Path, wanted: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Cells of some columns, row by row; the first tuple says which of the columns there are.

    Names are compared in lower case. A row that ends before a column has an empty cell there.
    """
    with lines_of(path) as lines:
        places: list[int] | None = None
        for line in lines:
            if places is None and (line.startswith("#") or not line.strip()):
                continue
            cells = line.split("\t")
            if places is None:
                names = [cell.strip().lower() for cell in cells]
                places = [names.index(name) if name in names else -1 for name in wanted]
                yield tuple(name if place >= 0 else "" for name, place in zip(wanted, places, strict=True))
            elif line.strip():
                yield tuple(cells[i].strip() if 0 <= i < len(cells) else "" for i in places)


def width_of(path: Path) -> tuple[int, int]:
    """Rows and columns of a matrix, counted."""
    n_rows, n_columns = 0, 0
    with lines_of(path) as lines:
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            if not n_columns:
                n_columns = line.count("\t") + 1
            else:
                n_rows += 1
    return n_rows, n_columns


def numbers(values: pd.Series) -> tuple[np.ndarray, int]:
    """float64, and in how many cells a limit such as ``>89`` was read as the number."""
    texts = values.astype(object)
    limits = texts.map(lambda cell: isinstance(cell, str) and cell[:1] in "<>" and len(cell) > 1)
    bare = texts.where(~limits.astype(bool), texts.map(lambda cell: cell[1:] if isinstance(cell, str) else cell))
    return numbers_of(bare), int(limits.sum())
