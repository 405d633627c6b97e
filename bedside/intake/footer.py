"""Lines below a table that are no rows of it: a sum, a remark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from bedside.intake.cells import ROW
from bedside.intake.staging import Staged

LOOKED_AT = 6
"""Lines at the end of a file: at most all but one of them are below the table."""
WIDE = 3
"""Columns from which on a line with one cell is no row."""


def last_rows(staged: Staged) -> exp.Select:
    """The last rows as they are written, each with its number first."""
    cells = [exp.column(f"c{i}") for i in range(len(staged.columns))]
    late = exp.GT(this=exp.column(ROW), expression=exp.Literal.number(staged.n_rows - LOOKED_AT))
    return exp.select(exp.column(ROW), *cells).from_("written").where(late).order_by(exp.column(ROW))


def footer_of(rows: Sequence[Sequence[Any]]) -> tuple[int, ...]:
    """Numbers of those at the very end that fill one cell at most; none if all of them do, or the table is narrow."""
    found: list[int] = []
    for row, *cells in reversed(rows):
        if len(cells) < WIDE:
            return ()
        if sum(cell is not None and str(cell).strip() != "" for cell in cells) > 1:
            return tuple(reversed(found))
        found.append(row)
    return ()
