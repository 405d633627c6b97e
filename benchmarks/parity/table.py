"""The rows a block is about: read, derived, filtered."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.parity.expression import bare, evaluate, missing

SIGNS = " _-,;:!?.'\"()[]{}§@*/\\&#%`^°+±<=>|~≤≥$£€"
"""Signs in the order of the Unicode collation, all before digits, which are before letters."""
LOGICAL = {"TRUE", "FALSE"}


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of one input file, in its order.

    Attributes
    ----------
    frame : pandas.DataFrame
        Numbers as float64, text as objects with None where missing.
    levels : dict of str to list
        Order of the levels of a column, where the block gives one.
    folder : Path or None
        Where inputs are read from.
    """

    frame: pd.DataFrame
    levels: dict[str, list[Any]]
    folder: Path | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def value(self, expression: str | float) -> np.ndarray:
        """An expression's value in each row."""
        columns = {name: self.frame[name].to_numpy() for name in self.frame}
        told = bare(str(expression))
        return columns[told] if told in columns else evaluate(told, columns, len(self))

    def number(self, expression: str | float) -> np.ndarray:
        """As numbers, NaN where missing."""
        return self.value(expression).astype(float)

    def flag(self, expression: str) -> np.ndarray:
        """True where an expression holds; missing counts as not."""
        return self.number(expression) == 1

    def text(self, expression: str) -> np.ndarray:
        """As R would write each value, None where missing."""
        value = self.value(expression)
        return np.array([None if m else said(v) for v, m in zip(value, missing(value), strict=True)], dtype=object)

    def codes(self, expression: str) -> tuple[np.ndarray, tuple[str, ...]]:
        """Groups of a column or expression, as R's factor().

        Returns
        -------
        codes : int array, shape (n_rows,)
            Position in `labels`, -1 where missing.
        labels : tuple of str
            In the order the block gives, else sorted: numbers by size, text as R does outside the C locale. Without
            an order given, only levels that occur.
        """
        expression, texts = bare(expression), self.text(expression)
        if expression in self.levels:
            labels = [said(level) for level in self.levels[expression]]
        else:
            value = self.value(expression)
            found = set(value[~missing(value)])
            labels = [said(level) for level in sorted(found, key=collated if value.dtype == object else None)]
        place = {label: i for i, label in enumerate(labels)}
        return np.array([place.get(text, -1) for text in texts], dtype=int), tuple(labels)

    def combined(self, expressions: str | list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Groups of several columns together, as R's strata(a, b): the last varies fastest, -1 where one is missing."""
        codes, labels = np.zeros(len(self), dtype=int), ("",)
        for expression in [expressions] if isinstance(expressions, str) else expressions:
            more, names = self.codes(expression)
            codes = np.where((codes < 0) | (more < 0), -1, codes * len(names) + more)
            labels = tuple(f"{a}, {b}" if a else b for a in labels for b in names)
        used = np.unique(codes[codes >= 0])
        return np.where(codes < 0, -1, np.searchsorted(used, codes)), tuple(labels[i] for i in used)

    def is_factor(self, expression: str) -> bool:
        """True for text, but for TRUE and FALSE, which R reads as logical."""
        value = self.value(expression)
        return value.dtype == object and not {part for part in value if part is not None} <= LOGICAL

    def other(self, data: dict[str, Any]) -> Table:
        """Other rows of the same folder, told of as a block's ``data``."""
        if self.folder is None:
            raise ValueError("this table was not read from a folder")
        return read_table(self.folder, data)

    def rows(self, mask: np.ndarray) -> Table:
        """The rows where the mask is True."""
        return Table(self.frame.loc[mask].reset_index(drop=True), self.levels, self.folder)

    def with_column(self, name: str, values: np.ndarray) -> Table:
        """The same rows with one more column."""
        return Table(self.frame.assign(**{name: values}), self.levels, self.folder)

    def new_rows(self, given: dict[str, Any]) -> pd.DataFrame:
        """New patients, a column of values or one value by name, as this table would hold them."""
        return pd.DataFrame({name: self._as_held(name, told) for name, told in given.items()})

    def _as_held(self, name: str, told: Any) -> np.ndarray:
        values = told if isinstance(told, list) else [told]
        as_text = self.frame[name].dtype == object if name in self.frame else any(isinstance(v, str) for v in values)
        if as_text:
            return np.array([None if value is None else said(value) for value in values], dtype=object)
        return np.array(values, dtype=float)


def said(value: object) -> str:
    """A level's name as R would print it."""
    if isinstance(value, bool | np.bool_):
        return str(value).upper()
    return f"{value:.15g}" if isinstance(value, int | float | np.number) else str(value)


def collated(text: str) -> tuple[list[tuple[int, int, str]], list[str], list[bool]]:
    """What text is sorted by in R's usual locales: signs, digits, letters; then accents; then small before capital."""
    letters, accents = [], []
    for sign in unicodedata.normalize("NFD", text):
        if unicodedata.combining(sign) and accents:
            accents[-1] += sign
            continue
        letters.append(sign)
        accents.append("")
    return [_rank(sign) for sign in letters], accents, [sign.isupper() for sign in letters]


def _rank(sign: str) -> tuple[int, int, str]:
    if sign in SIGNS:
        return 0, SIGNS.index(sign), ""
    return (2 if sign.isdigit() else 3 if sign.isalpha() else 1), 0, sign.casefold()


def read_table(folder: Path, data: dict[str, Any]) -> Table:
    """The table of a block's ``data``: input, derive, where, complete, levels, in this order."""
    frame = _read(folder / data["input"])
    levels = dict(data.get("levels") or {})
    for name, expression in (data.get("derive") or {}).items():
        frame[name] = Table(frame, levels).value(expression)
    table = Table(frame, levels, folder)
    if data.get("where") is not None:
        table = table.rows(table.flag(data["where"]))
    if data.get("complete"):
        table = table.rows(~np.any([missing(table.value(name)) for name in data["complete"]], axis=0))
    return table


def _read(path: Path) -> pd.DataFrame:
    """Every column as numbers if all of it are, else as text; an empty cell is missing."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        header, *body = (row for row in csv.reader(lines) if row)
    return pd.DataFrame({name: _column([row[i] for row in body]) for i, name in enumerate(header)})


def _column(cells: list[str]) -> np.ndarray:
    # Python reads 1_2 as a number, R does not.
    if not any("_" in cell for cell in cells):
        try:
            return np.array([float(cell) if cell else np.nan for cell in cells])
        except ValueError:
            pass
    return np.array([cell or None for cell in cells], dtype=object)
