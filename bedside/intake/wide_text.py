"""CSV and TSV of numbers, read in blocks of lines: the header may have 25,000 names."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from bedside.errors import Fixable
from bedside.intake.columns import MISSING
from bedside.intake.formats.encode import plain_text
from bedside.intake.staging import WHAT
from bedside.intake.wide_grid import BLOCK, LOOKED_AT, MOST_ROWS, Block, check_size, text_numbers

PIECE = 8 * 2**20
LONGEST_LINE = 32 * 2**20
MOST_RAGGED = 10_000
"""Lines of another width than the header that are passed over in one piece."""
HEAD = 30
"""Lines that are looked at to tell names from numbers."""
_GONE = sorted({*MISSING, "[Not Available]", "[Not Applicable]", "[Unknown]", "-", "NULL", "#DIV/0!"})
_NUMBER = re.compile(
    r"[+-]?(\d+[.,]?\d*|[.,]\d+|\d{1,3}(\.\d{3})+(,\d+)?|\d{1,3}(,\d{3})+(\.\d+)?)([eE][+-]?\d+)?|[+-]?inf(inity)?",
    re.IGNORECASE,
)


class TextGrid:
    """A text table in any encoding; comma, semicolon, tab or bar between its cells.

    Parameters
    ----------
    path : Path
    folder : Path
        For what is written on the way.

    Raises
    ------
    Fixable
        If no line of names is found, or it is larger than is read.
    """

    single = False

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._folder = plain_text(path, folder, "").file, folder
        lines = self._first_lines()
        header, self._delimiter = _header(lines)
        self._skip = header + 1
        names = next(csv.reader(io.StringIO(lines[header]), delimiter=self._delimiter), [])
        rows = [row for row in csv.reader(lines[header + 1 :], delimiter=self._delimiter) if row]
        if rows and len(rows[0]) == len(names) + 1:
            names = ["", *names]  # R writes no name above the names of rows
        self.names = tuple(names)
        check_size(len(names), 0)
        self.n_ragged = 0
        self._decimal = _decimal(rows, self._delimiter)
        text = _text_columns(rows, len(names))
        self.texts = tuple(sorted({0, *text[:LOOKED_AT]})) if names else ()
        self.numbers = tuple(i for i in range(len(names)) if i not in set(text))

    def texts_of(self, column: int) -> list[str]:
        """A column as text."""
        found: list[str] = []
        for table in self._tables([column], numbers=False):
            found += ["" if cell is None else cell for cell in table.column(0).to_pylist()]
            check_size(len(self.names), len(found))
        return found

    def by_rows(self, columns: Sequence[int]) -> Iterator[Block]:
        """Rows of these columns."""
        if not columns:
            return
        for table in self._tables(columns, numbers=True):
            for start in range(0, table.num_rows, step := max(1, BLOCK // max(len(columns), 1))):
                read = [_read(part, self._decimal) for part in table.slice(start, step).columns]
                values, unread, present = (np.stack([each[i] for each in read], axis=1) for i in range(3))
                yield Block(values, unread.sum(axis=1), present.sum(axis=1))

    def by_columns(self, columns: Sequence[int]) -> Iterator[Block]:
        """These columns, by way of a file on the disk that is turned over in pieces."""
        if not columns:
            return
        scratch = self._folder / "turned"
        unread, present = np.zeros(len(columns), dtype=np.int64), np.zeros(len(columns), dtype=np.int64)
        n_rows = 0
        with scratch.open("wb") as out:
            for table in self._tables(columns, numbers=True):
                read = [_read(part, self._decimal) for part in table.columns]
                unread += [int(each[1].sum()) for each in read]
                present += [int(each[2].sum()) for each in read]
                np.stack([each[0] for each in read], axis=1).tofile(out)
                n_rows += table.num_rows
                check_size(len(columns), n_rows)
        try:
            size = max(1, BLOCK // max(n_rows, 1))
            for start in range(0, len(columns) if n_rows else 0, size):
                # Mapped anew for each piece, so that pages that were read do not count as memory of this process.
                rows = np.memmap(scratch, dtype=np.float64, mode="r", shape=(n_rows, len(columns)))
                end = start + size
                yield Block(np.ascontiguousarray(rows[:, start:end].T), unread[start:end], present[start:end])
        finally:
            scratch.unlink()

    # -------------------------------------------------------------- lines

    def _first_lines(self) -> list[str]:
        found: list[str] = []
        with self._path.open("rb") as file:
            while len(found) < HEAD and (line := file.readline(LONGEST_LINE)):
                if len(line) == LONGEST_LINE:
                    raise _too_long()
                found.append(line.decode("utf-8-sig", "replace").rstrip("\r\n"))
        if not found:
            raise Fixable(WHAT, "It is empty.", "Save it again where it came from, and bring it then.")
        return found

    def _pieces(self) -> Iterator[bytes]:
        """Whole lines below the header, some megabytes at a time."""
        with self._path.open("rb") as file:
            for _ in range(self._skip):
                file.readline(LONGEST_LINE)
            rest = b""
            while part := file.read(PIECE):
                whole, end, after = (rest + part).rpartition(b"\n")
                if end:
                    yield whole + end
                rest = after if end else rest + part
                if len(rest) > LONGEST_LINE:
                    raise _too_long()
            if rest.strip():
                yield rest

    def _tables(self, columns: Sequence[int], *, numbers: bool) -> Iterator[pa.Table]:
        """The cells of some columns; numbers as such wherever all cells of a piece are, else text."""
        n_rows, n_lines = 0, self._skip
        self.n_ragged = 0
        for piece in self._pieces():
            _check_quotes(piece, n_lines)
            n_lines += piece.count(b"\n")
            try:
                table = self._parsed(piece, columns, pa.float64() if numbers else pa.string())
            except pa.ArrowInvalid:
                if not numbers:
                    raise _unread() from None
                table = self._again(piece, columns)
            n_rows += table.num_rows
            if n_rows > MOST_ROWS:
                check_size(len(self.names), n_rows)
            yield table

    def _again(self, piece: bytes, columns: Sequence[int]) -> pa.Table:
        try:
            return self._parsed(piece, columns, pa.string())
        except pa.ArrowInvalid:
            raise _unread() from None

    def _parsed(self, piece: bytes, columns: Sequence[int], kind: pa.DataType) -> pa.Table:
        places = [f"c{i}" for i in columns]
        ragged = 0

        def passed_over(_row: pacsv.InvalidRow) -> str:
            nonlocal ragged
            ragged += 1
            return "skip" if ragged <= MOST_RAGGED else "error"

        table = pacsv.read_csv(
            pa.BufferReader(piece),
            read_options=pacsv.ReadOptions(
                use_threads=False, block_size=len(piece) + 1, column_names=[f"c{i}" for i in range(len(self.names))]
            ),
            parse_options=pacsv.ParseOptions(delimiter=self._delimiter, invalid_row_handler=passed_over),
            convert_options=pacsv.ConvertOptions(
                check_utf8=kind == pa.string(), include_columns=places, column_types=dict.fromkeys(places, kind),
                null_values=_GONE, strings_can_be_null=True, decimal_point=self._decimal,
            ),
        )  # fmt: skip
        self.n_ragged += ragged
        return table


def _check_quotes(piece: bytes, before: int) -> None:
    """Refuse a quotation mark that is never closed: it would swallow the lines below it."""
    if b'"' not in piece:
        return
    for i, line in enumerate(piece.split(b"\n")):
        if line.count(b'"') % 2:
            raise Fixable(
                WHAT,
                f"A quotation mark in line {before + i + 1:,} is never closed.",
                "Look for a lone quotation mark, close or remove it, and bring the file again.",
            )


def _read(column: pa.ChunkedArray, decimal: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    array = column.combine_chunks()
    if pa.types.is_string(array.type):
        return text_numbers(array, decimal)
    values = array.to_numpy(zero_copy_only=False)
    odd = np.isinf(values)
    return np.where(odd, np.nan, values), odd, ~np.isnan(values)


def _header(lines: Sequence[str]) -> tuple[int, str]:
    """Which of the first lines holds the names, and what parts most lines into one number of cells."""
    best, mark, widest = (0.0, 0), "", 0
    for each in "\t;,|":
        counts = Counter(line.count(each) for line in lines if not line.startswith("#"))
        usual, n = max(counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        if usual and (score := (round(n / len(lines), 2), usual)) > best:
            best, mark, widest = score, each, usual
    if not widest:
        raise Fixable(
            WHAT, "Its lines are not parted into cells by commas, semicolons, tabs or bars.",
            "Save it as CSV, TSV or Parquet where it came from, and bring that.",
        )  # fmt: skip
    return next(i for i, line in enumerate(lines) if line.count(mark) >= widest - 1 and not line.startswith("#")), mark


def _decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    cells = [cell for row in rows for cell in row[:200]] if delimiter != "," else []
    commas = sum(bool(re.fullmatch(r"[+-]?(\d*|\d{1,3}(\.\d{3})+),\d+([eE][+-]?\d+)?", cell.strip())) for cell in cells)
    points = sum(bool(re.fullmatch(r"[+-]?(\d*|\d{1,3}(,\d{3})+)\.\d+([eE][+-]?\d+)?", cell.strip())) for cell in cells)
    return "," if commas > points else "."


def _text_columns(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Columns most of whose first cells are no numbers."""
    found = []
    for i in range(width):
        cells = [row[i].strip() for row in rows if i < len(row)]
        cells = [cell for cell in cells if cell not in _GONE]
        odd = sum(not _NUMBER.fullmatch(cell) for cell in cells)
        if cells and odd > len(cells) / 2:
            found.append(i)
    return found


def _too_long() -> Fixable:
    return Fixable(
        WHAT, f"A line of it has more than {LONGEST_LINE // 2**20} MB.",
        "Look at whether its lines end; save it as CSV, TSV or Parquet, and bring that.",
    )  # fmt: skip


def _unread() -> Fixable:
    return Fixable(
        WHAT, "Many of its lines have more or fewer cells than the header, or can't be parted into cells.",
        "Save it as CSV, TSV or Parquet where it came from, and bring that.",
    )  # fmt: skip
