"""Cells that hold something else than their column, and days that stand for "unknown", each with its rows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from bedside.intake.cells import ROW, trimmed
from bedside.intake.dates import DateStyle, read_date
from bedside.intake.plan import ColumnPlan
from bedside.intake.typed import is_lossy
from bedside.intake.working import Working

SHOWN = 20
"""Rows that are named of those with a fault."""
_SAID = {"continuous": "a number", "date": "a date"}


@dataclass(frozen=True)
class Rows:
    """Rows of a kind: how many, and the numbers of the first; the first below the header is 1."""

    n: int
    first: tuple[int, ...]


@dataclass(frozen=True)
class Unreadable:
    """Cells of a column that count as not recorded though something is written in them.

    Attributes
    ----------
    column, expected : str
    rows : Rows
    placeholder : bool
        True for days such as 1900-01-01 and 9999-12-31, which registers write for "unknown" or "not yet".
    """

    column: str
    expected: str
    rows: Rows
    placeholder: bool = False


def unreadable(working: Working) -> tuple[Unreadable, ...]:
    """Cells that are recorded and are no number, or no date, in the columns that are kept."""
    texts = [c for c in working.plan.columns if c.use != "drop" and c.kind in _SAID]
    texts = [c for c in texts if is_lossy(working.staged, c)]
    if not texts:
        return ()
    counts = working.one(*(exp.func("count_if", working.at(c.name)) for c in texts), table=working.lost)
    found: list[Unreadable] = []
    for column, n in zip(texts, counts, strict=True):
        if not n:
            continue
        if column.kind == "date":
            found += _dates(working, column)
        else:
            rows = Rows(n, working.rows(working.at(column.name), SHOWN, working.lost))
            found.append(Unreadable(column.name, _SAID[column.kind], rows))
    return tuple(found)


def _dates(working: Working, column: ColumnPlan) -> list[Unreadable]:
    """Of a column of dates, what can't be read and what stands for "unknown"."""
    place = working.staged.place(column.name)
    rows = exp.EQ(this=exp.column(ROW, table="written"), expression=exp.column(ROW, table=working.lost))
    table = working.keep(
        exp.select(exp.column(ROW, table="written"), trimmed(exp.column(place, table="written")).as_("cell"))
        .from_("written").join(working.lost, on=rows).where(exp.column(place, table=working.lost))
    )  # fmt: skip
    style = DateStyle(column.day_first, column.serials, working.plan.time_zone, working.plan.this_year)
    ways = working.ask(exp.select("cell").distinct().from_(table))
    known = [cell for (cell,) in ways if read_date(cell, style).how == "placeholder"]
    stands = exp.In(this=exp.column("cell"), expressions=[exp.Literal.string(cell) for cell in known])
    found = []
    for where, placeholder in ((stands.not_(), False), (stands, True)) if known else ((exp.true(), False),):
        n = working.count(where.copy(), table)
        if n:
            which = Rows(n, working.rows(where, SHOWN, table))
            found.append(Unreadable(column.name, _SAID["date"], which, placeholder))
    return found
