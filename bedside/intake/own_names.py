"""Rows as whoever brought the file finds them again: by its own numbers, and by the identifiers that stand there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from bedside.intake.cells import ROW
from bedside.intake.own_rows import Shifts, own_row
from bedside.intake.staging import Staged
from bedside.intake.working import open_written

LONGEST = 24


@dataclass(frozen=True)
class Names:
    """What rows are called; for the screen of whoever brought the file, and for nothing that is kept.

    Attributes
    ----------
    shifts : tuple of (row, shift)
    identifiers : mapping
        By row, counted from 1 below the names.
    """

    shifts: Shifts = ()
    identifiers: Mapping[int, str] = field(default_factory=dict, repr=False)

    def of(self, row: int) -> str:
        """One row."""
        name = self.identifiers.get(row, "")
        return f"{own_row(row, self.shifts):,}" + (f" ({name})" if name else "")


def names_of(staged: Staged, identifier: str, rows: Iterable[int]) -> Names:
    """Numbers and identifiers of some rows."""
    wanted = sorted(set(rows))
    if not wanted or not any(column.name == identifier for column in staged.columns):
        return Names(staged.shifts)
    there = exp.In(this=exp.column(ROW), expressions=[exp.Literal.number(row) for row in wanted])
    with open_written(staged) as working:
        cell = exp.Cast(this=working.written(identifier), to=exp.DataType.build("VARCHAR"))
        found = working.ask(exp.select(exp.column(ROW), cell).from_(working.table).where(there))
    return Names(staged.shifts, {row: _short(text) for row, text in found if text is not None})


def _short(text: str) -> str:
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    plain = plain.removesuffix(".0")
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}…"
