"""The rows a block is about: read, derived, filtered."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.parity.expression import evaluate, missing


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of one input file, in its order.

    Attributes
    ----------
    frame : pandas.DataFrame
        Numbers as float64, text as objects with None where missing.
    levels : dict of str to list
        Order of the levels of a column, where the block gives one.
    """

    frame: pd.DataFrame
    levels: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.frame)

    def value(self, expression: str | float) -> np.ndarray:
        """An expression's value in each row."""
        columns = {name: self.frame[name].to_numpy() for name in self.frame}
        if expression in columns:
            return columns[expression]
        return evaluate(str(expression), columns, len(self))

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
            In the order the block gives, else sorted: numbers by size, text by code point. Without an order given,
            only levels that occur.
        """
        texts = self.text(expression)
        if expression in self.levels:
            labels = [said(level) for level in self.levels[expression]]
        else:
            value = self.value(expression)
            labels = [said(level) for level in sorted(set(value[~missing(value)]))]
        place = {label: i for i, label in enumerate(labels)}
        return np.array([place.get(text, -1) for text in texts], dtype=int), tuple(labels)

    def combined(self, expressions: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Groups of several columns together, as R's strata(a, b): the last varies fastest, -1 where one is missing."""
        codes, labels = np.zeros(len(self), dtype=int), ("",)
        for expression in expressions:
            more, names = self.codes(expression)
            codes = np.where((codes < 0) | (more < 0), -1, codes * len(names) + more)
            labels = tuple(f"{a}, {b}" if a else b for a in labels for b in names)
        used = np.unique(codes[codes >= 0])
        return np.where(codes < 0, -1, np.searchsorted(used, codes)), tuple(labels[i] for i in used)

    def rows(self, mask: np.ndarray) -> Table:
        """The rows where the mask is True."""
        return Table(self.frame.loc[mask].reset_index(drop=True), self.levels)


def said(value: object) -> str:
    """A level's name as R would print it."""
    return f"{value:.15g}" if isinstance(value, int | float | np.number) else str(value)


def read_table(folder: Path, data: dict[str, Any]) -> Table:
    """The table of a block's ``data``: input, derive, where, complete, levels, in this order."""
    frame = _read(folder / data["input"])
    levels = dict(data.get("levels") or {})
    for name, expression in (data.get("derive") or {}).items():
        frame[name] = Table(frame, levels).value(expression)
    table = Table(frame, levels)
    if data.get("where") is not None:
        table = table.rows(table.flag(data["where"]))
    if data.get("complete"):
        table = table.rows(~np.any([missing(table.value(name)) for name in data["complete"]], axis=0))
    return table


def _read(path: Path) -> pd.DataFrame:
    """Every column as numbers if all of it are, else as text; an empty cell is missing."""
    with path.open(encoding="utf-8", newline="") as lines:
        header, *body = csv.reader(lines)
    return pd.DataFrame({name: _column([row[i] for row in body]) for i, name in enumerate(header)})


def _column(cells: list[str]) -> np.ndarray:
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        return np.array([cell or None for cell in cells], dtype=object)
