"""Which row of a text table stands where in its file, as a spreadsheet that opens it numbers them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from bedside.intake.formats.sniff import LONGEST_CELL, Manner
from bedside.intake.own_rows import Shifts, shifts_of

_BLOCK = 4 * 2**20
MOST = 48 * 2**20
"""Bytes up to which a file with blank lines or line ends inside cells is gone through line by line."""


def text_shifts(file: Path, manner: Manner, n_rows: int, rejected: tuple[int, ...], n_rejected: int) -> Shifts:
    """Where the rows stand; empty if that is not known."""
    if n_rejected == len(rejected) and _lines(file) - manner.skip == n_rows + n_rejected:
        if not rejected:
            return ((1, manner.skip),)
        gone = set(rejected)
        return shifts_of(line for line in range(manner.skip + 1, manner.skip + n_rows + n_rejected + 1)
                         if line not in gone)  # fmt: skip
    if file.stat().st_size > MOST:
        return ()
    places = tuple(_places(file, manner))
    return shifts_of(places) if len(places) == n_rows else ()


def _lines(file: Path) -> int:
    """Physical lines."""
    n, last = 0, b"\n"
    with file.open("rb") as data:
        while part := data.read(_BLOCK):
            n += part.count(b"\n")
            last = part[-1:]
    return n + (last != b"\n")


def _places(file: Path, manner: Manner) -> Iterator[int]:
    """Of every row of cells below the names, how many stand above it, blank ones too, and itself."""
    usual = csv.field_size_limit(LONGEST_CELL)
    how = {"quotechar": manner.quote} if manner.quote else {"quoting": csv.QUOTE_NONE}
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, delimiter=manner.delimiter, **how)  # type: ignore[arg-type]
            for n, row in enumerate(reader, 1):
                if reader.line_num > manner.skip and len(row) == len(manner.names):
                    yield n
    except (csv.Error, UnicodeDecodeError):
        return
    finally:
        csv.field_size_limit(usual)
