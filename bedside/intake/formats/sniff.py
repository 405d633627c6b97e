"""How a text table is written: what parts its cells, which line holds the names, and how its numbers look."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bedside.errors import Fixable
from bedside.intake.staging import WHAT

DELIMITERS = (",", ";", "\t", "|")
HEAD = 8 * 2**20
LONGEST_CELL = 2 * 2**20
"""Letters of one cell or line: a quotation mark that is never closed makes a longer one."""
LOOKED_AT = 400
FILLED = 0.6
"""Share of its cells that a line of names has filled; a title above the table has fewer."""
EITHER = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}")
"""A number whose mark could part thousands or decimals."""
_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+")
_POINT = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)\.\d+")
_NUMBER = re.compile(r"[+-]?[\d.,]+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Manner:
    """How a text table is written.

    Attributes
    ----------
    delimiter, quote : str
    decimal : {".", ","}
    header_row : int
        Line with the names, counted from 0 among those that are not blank; -1 if there is none.
    names : tuple of str
    skip : int
        Physical lines above the first row of cells below the names.
    """

    delimiter: str
    quote: str
    decimal: Literal[".", ","]
    header_row: int
    names: tuple[str, ...]
    skip: int


def sniff(file: Path, *, delimiter: str = "", quote: str | None = None, header_row: int | None = None) -> Manner:
    """Find out how a table in UTF-8 is written; what is given is taken as it is.

    Raises
    ------
    Fixable
        If no line can be read as a row of cells.
    """
    with file.open(encoding="utf-8-sig", newline="") as text:
        head = text.read(HEAD)
        cut = bool(text.read(1))
    tried = [_rows(head, mark, quote, cut) for mark in ((delimiter,) if delimiter else DELIMITERS)]
    # The mark that parts most lines into one and the same number of cells, and into most of them.
    best = max(tried, key=lambda found: found.score)
    if not best.rows:
        raise Fixable(
            WHAT,
            "A quotation mark in it is never closed, or a cell is longer than any that is read.",
            "Look for a lone quotation mark in the first rows, close or remove it, and bring the file again.",
        )
    cells = [row for _, row in best.rows]
    at = names_at(cells, best.width) if header_row is None else header_row
    names = tuple(f"column {i + 1}" for i in range(best.width)) if at < 0 else tuple(cells[at])
    skip = best.rows[at][0] if at >= 0 else 0
    return Manner(best.delimiter, best.quote, _decimal(cells[at + 1 :], best.delimiter), at, names, skip)


@dataclass(frozen=True)
class _Tried:
    delimiter: str
    quote: str
    rows: list[tuple[int, list[str]]]
    """Physical line at which each row ends, counted from 1, and its cells."""
    width: int
    score: tuple[float, int]


def _rows(head: str, delimiter: str, quote: str | None, cut: bool) -> _Tried:
    quoted = _parsed(head, delimiter, '"' if quote is None else quote, cut)
    if quote is None and not quoted:
        quoted, mark = _parsed(head, delimiter, "", cut) if delimiter == "\t" else [], ""
    else:
        mark = '"' if quote is None else quote
    widths = Counter(len(row) for _, row in quoted)
    width, n = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return _Tried(delimiter, mark, quoted, width, (n / max(len(quoted), 1) if width > 1 else 0.0, width))


def _parsed(head: str, delimiter: str, quote: str, cut: bool) -> list[tuple[int, list[str]]]:
    """The first rows; none if a quotation mark does not close."""
    usual = csv.field_size_limit(LONGEST_CELL)
    how = {"quotechar": quote, "strict": True} if quote else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, **how)  # type: ignore[arg-type]
    found: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row) and not (not found and row[0].startswith("#")):
                found.append((reader.line_num, row))
            if len(found) == LOOKED_AT:
                return found
    except csv.Error:
        return found if len(found) > 1 and cut else []
    finally:
        csv.field_size_limit(usual)
    return found[:-1] if cut and len(found) > 1 else found


def names_at(rows: Sequence[Sequence[str]], width: int) -> int:
    """The first row that is as wide as the table and reads like names; -1 if the first such row reads like values."""
    for i, row in enumerate(rows[:50]):
        if len(row) != width:
            continue
        filled = [cell.strip() for cell in row if cell.strip()]
        if len(filled) < FILLED * width:
            continue  # a title above the table
        return -1 if any(_NUMBER.fullmatch(cell) for cell in filled) and _like_values(rows, i) else i
    return 0


def _like_values(rows: Sequence[Sequence[str]], at: int) -> bool:
    """True if the row above differs from the next in nothing: numbers stand where numbers stand below."""
    below = next((row for row in rows[at + 1 :] if len(row) == len(rows[at])), None)
    if below is None:
        return False
    above = [bool(_NUMBER.fullmatch(cell.strip())) for cell in rows[at]]
    under = [bool(_NUMBER.fullmatch(cell.strip())) for cell in below]
    return sum(above) >= max(1, sum(under) // 2)


def _decimal(rows: Sequence[Sequence[str]], delimiter: str) -> Literal[".", ","]:
    """A comma only where more cells are written so than with a point; ``1.500`` and ``1,500`` count if none else do."""
    cells = [cell.strip() for row in rows for cell in row]
    either = [match[1] for cell in cells if (match := EITHER.fullmatch(cell))]
    sure = [cell for cell in cells if not EITHER.fullmatch(cell)]
    commas, points = (sum(1 for cell in sure if form.fullmatch(cell)) for form in (_COMMA, _POINT))
    if not commas and not points and either:
        # Between commas a comma in a number had to be quoted: it parts thousands. Between semicolons a point that is
        # followed by nothing but zeros does.
        round_ones = all(cell.endswith("000") for cell in cells if EITHER.fullmatch(cell))
        if either.count(",") > either.count("."):
            return "." if delimiter == "," else ","
        return "," if delimiter == ";" and round_ones else "."
    return "," if commas > points else "."
