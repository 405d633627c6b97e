"""Dates of which only the month or the year is known: where they are put, and when they are not before the start."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

import pyarrow as pa
from sqlglot import exp

from bedside.intake.cells import ROW, trimmed
from bedside.intake.dates import DateStyle, read_date
from bedside.intake.plan import OutcomePlan
from bedside.intake.working import Working

_LONGEST = 366
"""Days by which a date that is put into the middle of its year may lie before one of the same year."""


def _texts(working: Working, names: list[str]) -> list[str]:
    """Columns of dates that are written as text: only there can a part of a date stand."""
    dated = {c.name for c in working.plan.columns if c.kind == "date"}
    kinds = {column.name: column.kind for column in working.staged.columns}
    return [name for name in dict.fromkeys(names) if name in dated and kinds[name] == "text"]


def _style(working: Working, name: str) -> DateStyle:
    own = working.plan.column(name)
    return DateStyle(own.day_first, own.serials, working.plan.time_zone, working.plan.this_year)


def _middle(day: exp.Expr) -> exp.Expr:
    """True for days on which a part of a date may have been put."""
    month, of = (exp.Anonymous(this=part, expressions=[day.copy()]) for part in ("month", "day"))
    july = exp.and_(exp.EQ(this=month, expression=exp.Literal.number(7)),
                    exp.EQ(this=of.copy(), expression=exp.Literal.number(1)))  # fmt: skip
    return exp.or_(exp.EQ(this=of, expression=exp.Literal.number(15)), july)


def _span(text: str | None, day: date, style: DateStyle) -> tuple[date, date]:
    """The first and the last day that a cell may mean, where it is what was read as this day."""
    read = read_date(text, style) if text else None
    if read is None or read.day != day or read.how != "partial":
        return day, day
    if read.precision == "month":
        return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    return date(day.year, 1, 1), date(day.year, 12, 31)


def spanning(working: Working, outcome: OutcomePlan, end: exp.Expr) -> str:
    """A table of the rows whose end is only put before their start, and may lie on or after it; empty if there is none.

    Parameters
    ----------
    working : Working
    outcome : OutcomePlan
        Between dates.
    end : Expr
        The day at which follow-up ends.
    """
    names = _texts(working, [outcome.start, outcome.happened, *outcome.end])
    if not names:
        return ""
    key = f"spanning {outcome.start} {end.sql(dialect='duckdb')}"
    if key not in working.known:
        working.known[key] = _spanning(working, outcome.start, names, end)
    return working.known[key]


def _spanning(working: Working, start: str, names: list[str], end: exp.Expr) -> str:
    begin = working.at(start)
    apart = exp.Sub(this=end.copy(), expression=begin.copy())
    near = exp.and_(
        exp.LT(this=apart, expression=exp.Literal.number(0)),
        exp.GTE(this=apart.copy(), expression=exp.Literal.number(-_LONGEST)), exp.or_(_middle(end), _middle(begin)),
    )  # fmt: skip
    ends = exp.select(exp.column(ROW), begin.as_("begins"), end.copy().as_("ends")).from_(working.table).where(near)
    cells = [trimmed(exp.column(working.staged.place(name), table="written")) for name in names]
    same = exp.EQ(this=exp.column(ROW, table="near"), expression=exp.column(ROW, table="written"))
    query = exp.select(exp.column(ROW, table="near"), "begins", "ends", *cells).from_(ends.subquery("near"))
    styles = [_style(working, name) for name in names]
    found = []
    for row, begins, over, *texts in working.ask(query.join("written", on=same)):
        told = list(zip(names, texts, styles, strict=True))
        latest = max((_span(text, over, style)[1] for name, text, style in told if name != start), default=over)
        earliest = min((_span(text, begins, style)[0] for name, text, style in told if name == start), default=begins)
        if latest >= earliest:
            found.append(row)
    return working.hold(pa.table({ROW: pa.array(found, pa.int64())})) if found else ""


def partial_notes(working: Working) -> tuple[str, ...]:
    """Of each column of dates, how many say only the month or the year, and where these were put."""
    used = {name for outcome in working.plan.outcomes for name in outcome.columns}
    kept = [c.name for c in working.plan.columns if c.use != "drop" or c.name in used]
    return tuple(said for name in _texts(working, kept) if (said := _note(working, name)))


def _note(working: Working, name: str) -> str:
    place = working.staged.place(name)
    same = exp.EQ(this=exp.column(ROW, table="read"), expression=exp.column(ROW, table="written"))
    cell = trimmed(exp.column(place, table="written")).as_("cell")
    query = exp.select(cell, exp.Count(this=exp.Star()).as_("n")).from_(exp.to_table(working.table).as_("read"))
    query = query.join("written", on=same).where(_middle(exp.column(place, table="read"))).group_by("cell")
    style, counts = _style(working, name), {"month": 0, "year": 0}
    for text, n in working.ask(query):
        read = read_date(text, style) if text else None
        if read is not None and read.how == "partial":
            counts[read.precision] += n
    parts = [f"only the month in {counts['month']:,} rows (put on its 15th)"] if counts["month"] else []
    parts += [f"only the year in {counts['year']:,} rows (put on the 1st of July)"] if counts["year"] else []
    return f"“{name}” says {' and '.join(parts)}." if parts else ""
