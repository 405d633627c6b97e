"""A table of numbers with names along two sides, read a block at a time by rows or by columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bedside.errors import Fixable
from bedside.intake.files import MOST_COLUMNS_PARQUET, _too_much
from bedside.intake.staging import WHAT

MOST_COLUMNS = MOST_COLUMNS_PARQUET
MOST_BESIDE = 50
"""Columns beside those of numbers: identifiers, descriptions."""
MOST_ROWS = 100_000
MOST_CELLS = 250_000_000
BLOCK = 2_000_000
"""Cells of one block."""
LOOKED_AT = 20
"""Columns that may hold identifiers."""


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows, or some columns, of a grid.

    Attributes
    ----------
    values : array, shape (n, across)
        NaN where there is no finite number.
    n_unread, n_present : array of int, shape (n,)
        Cells that hold something else than a number, and cells that hold anything.
    """

    values: np.ndarray
    n_unread: np.ndarray
    n_present: np.ndarray


class Grid(Protocol):
    """What both kinds of files can do.

    Attributes
    ----------
    names : tuple of str
        Of all columns.
    texts : tuple of int
        Columns that may hold identifiers.
    numbers : tuple of int
        Columns that may hold numbers.
    single : bool
        All numbers have single precision.
    n_ragged : int
        Rows that were passed over, since they have more or fewer cells than the header.
    """

    names: tuple[str, ...]
    texts: tuple[int, ...]
    numbers: tuple[int, ...]
    single: bool
    n_ragged: int

    def texts_of(self, column: int) -> list[str]:
        """A column as text, empty where there is nothing."""

    def by_rows(self, columns: Sequence[int]) -> Iterator[Block]:
        """Rows of these columns, in order."""

    def by_columns(self, columns: Sequence[int]) -> Iterator[Block]:
        """These columns, in order, a block with all rows of some."""


class ParquetGrid:
    """A Parquet file.

    Raises
    ------
    Fixable
        If it is damaged, nested, or larger than is read.
    """

    n_ragged = 0

    def __init__(self, path: Path) -> None:
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            raise damaged() from None
        schema, told = self._file.schema_arrow, self._file.metadata
        self.names = tuple(schema.names)
        if told.num_columns != len(self.names):
            raise Fixable(WHAT, "Its columns hold lists or records.", "Save it as a plain table of numbers.")
        kinds = [_seen_through(field.type) for field in schema]
        text = [i for i, kind in enumerate(kinds) if _is_text(kind)]
        self.numbers = tuple(i for i, kind in enumerate(kinds) if _is_number(kind))
        whole = [i for i in self.numbers if pa.types.is_integer(kinds[i]) and (i == 0 or "id" in self.names[i].lower())]
        self.texts = tuple(sorted({*text[:LOOKED_AT], *whole[:LOOKED_AT]}))
        self.single = bool(self.numbers) and all(_is_single(kinds[i]) for i in self.numbers)
        self.n_rows = told.num_rows
        check_size(len(self.names), self.n_rows)
        refused = _too_much(told, min(len(self.names), MOST_COLUMNS), path.stat().st_size)
        if refused is not None:
            raise Fixable(WHAT, f"Expected: {refused[0]}. Found: {refused[1]}.", "Leave out what is not needed.")

    def texts_of(self, column: int) -> list[str]:
        """A column as text."""
        try:
            cells = self._file.reader.read_all(column_indices=[column], use_threads=False).column(0)
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            raise damaged() from None
        return ["" if cell is None else _said(cell) for cell in cells.to_pylist()]

    def by_rows(self, columns: Sequence[int]) -> Iterator[Block]:
        """Rows of these columns."""
        size = max(1, BLOCK // max(len(columns), 1))
        order = np.argsort(np.argsort(np.asarray(columns)))
        try:
            for batch in self._file.reader.iter_batches(
                size, row_groups=range(self._file.num_row_groups), column_indices=sorted(columns), use_threads=False
            ):
                columns_read = [_numbers(column) for column in batch.columns]
                yield _block(columns_read, order, by_row=True)
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            raise damaged() from None

    def by_columns(self, columns: Sequence[int]) -> Iterator[Block]:
        """These columns."""
        size = max(1, BLOCK // max(self.n_rows, 1))
        try:
            for start in range(0, len(columns), size):
                part = list(columns[start : start + size])
                table = self._file.reader.read_all(column_indices=sorted(part), use_threads=False)
                order = np.argsort(np.argsort(np.asarray(part)))
                yield _block([_numbers(column.combine_chunks()) for column in table.columns], order, by_row=False)
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            raise damaged() from None


def _block(columns: list[tuple[np.ndarray, np.ndarray, np.ndarray]], order: np.ndarray, *, by_row: bool) -> Block:
    values = np.stack([columns[i][0] for i in order])
    unread = np.stack([columns[i][1] for i in order])
    present = np.stack([columns[i][2] for i in order])
    if by_row:
        return Block(values.T, unread.sum(axis=0), present.sum(axis=0))
    return Block(values, unread.sum(axis=1), present.sum(axis=1))


def _numbers(column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """float64, where something else than a finite number stands, and where anything does."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_text(column.type):
        return text_numbers(column)
    if pa.types.is_null(column.type):
        nothing = np.zeros(len(column), dtype=bool)
        return np.full(len(column), np.nan), nothing, nothing
    values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    present = ~np.isnan(values)
    odd = np.isinf(values)
    return np.where(odd, np.nan, values), odd, present


_PARTED = {
    ".": r"^[+-]?\d{1,3}((,\d{3})+\.\d+|(,\d{3}){2,})$",
    ",": r"^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$",
}
"""Numbers with marks between thousands, by decimal mark."""


def text_numbers(column: pa.Array, decimal: str = ".") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same for text: None where nothing stands."""
    column = pc.utf8_trim_whitespace(column)
    column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
    parted = pc.match_substring_regex(column, _PARTED[decimal]).fill_null(False)
    column = pc.if_else(parted, pc.replace_substring(column, "." if decimal == "," else ",", ""), column)
    if decimal == ",":
        column = pc.replace_substring(column, ",", ".")
    present = column.is_valid().to_numpy(zero_copy_only=False)
    looks = pc.match_substring_regex(column, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$").fill_null(False)
    numbers = pc.if_else(looks, column, pa.scalar(None, column.type))
    values = pc.cast(numbers, pa.float64()).to_numpy(zero_copy_only=False)
    odd = np.isinf(values)
    values = np.where(odd, np.nan, values)
    return values, present & np.isnan(values), present


def _said(cell: object) -> str:
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _seen_through(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_number(kind: pa.DataType) -> bool:
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)
    return any(check(kind) for check in checks)


def _is_single(kind: pa.DataType) -> bool:
    """Numbers that lose nothing with single precision."""
    small = (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.float16(), pa.float32(), pa.bool_(), pa.null())
    return kind in small


def check_size(n_columns: int, n_rows: int) -> None:
    """Refuse what is larger than is kept.

    Raises
    ------
    Fixable
    """
    if n_columns > MOST_COLUMNS + MOST_BESIDE:
        why = f"It has {n_columns:,} columns; at most {MOST_COLUMNS:,} are read."
    elif n_rows > MOST_ROWS:
        why = f"It has {n_rows:,} rows; a table of measurements of patients has at most {MOST_ROWS:,}."
    elif n_columns * n_rows > MOST_CELLS:
        why = f"It has {n_columns * n_rows:,} cells; at most {MOST_CELLS:,} are read."
    else:
        return
    raise Fixable(WHAT, why, "Leave out columns or rows that are not needed, or attach it in parts.")


def damaged() -> Fixable:
    """The refusal of a file that can't be read."""
    return Fixable(WHAT, "It is a damaged Parquet file.", "Save it again where it came from, and bring it then.")
