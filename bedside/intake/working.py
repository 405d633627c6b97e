"""A staged file as its plan reads it: typed columns, and what was put right, as one query over the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from bedside.errors import Fixable
from bedside.intake.columns import MISSING
from bedside.intake.dates import DateStyle, days_of
from bedside.intake.duck import literal
from bedside.intake.plan import ColumnPlan, Plan
from bedside.intake.staging import Staged, StagedColumn
from bedside.intake.steps import Step

ROW = "row"
BLANKS = " \t\n\r\u00a0\ufeff"
KEPT_CELLS = 3_000_000
"""Cells up to which the rows are held as they are read."""
MOST_WAYS = 1_000_000
"""Different cells of one column of dates."""
_MEMORY = "800MB"
_THOUSANDS = {".": r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", ",": r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?"}
_SETTINGS = {
    "autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": "2",
    "allow_community_extensions": "false", "python_enable_replacements": "false", "memory_limit": _MEMORY,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Working:
    """One connection over one staged file.

    Attributes
    ----------
    staged, plan
    connection : duckdb.DuckDBPyConnection
    table : str
        The view with ``row`` (from 1) and ``c0``, ``c1`` and so on as the plan reads them, after all its steps.
    lost : exp.Select
        ``row``, and of columns of numbers and dates written as text, under the same names, whether a cell holds
        something else.
    """

    staged: Staged
    plan: Plan
    connection: duckdb.DuckDBPyConnection
    table: str
    lost: exp.Select
    _numbers: Iterator[int] = field(default_factory=count, repr=False)

    def ask(self, query: exp.Query) -> list[tuple[Any, ...]]:
        """Rows of a query that was written as a tree."""
        with self.connection.cursor() as cursor:
            return cursor.execute(query.sql(dialect="duckdb")).fetchall()

    def keep(self, query: exp.Query) -> str:
        """Work out a query once; the name of the table that holds what it found."""
        with self.connection.cursor() as cursor:
            name = f"kept_{next(self._numbers)}"
            cursor.sql(query.sql(dialect="duckdb")).create(name)
        return name

    def one(self, *what: exp.Expr, where: exp.Expr | None = None, table: str = "") -> tuple[Any, ...]:
        """A single row of aggregates."""
        query = exp.select(*what).from_(table or self.table)
        return self.ask(query if where is None else query.where(where))[0]

    def rows(self, where: exp.Expr, most: int = 20, table: str = "") -> tuple[int, ...]:
        """Numbers of the first rows that meet a condition."""
        query = (
            exp.select(exp.column(ROW)).from_(table or self.table).where(where).order_by(exp.column(ROW)).limit(most)
        )
        return tuple(row for (row,) in self.ask(query))

    def count(self, where: exp.Expr, table: str = "") -> int:
        """How many rows meet a condition."""
        return self.one(exp.Count(this=exp.Star()), where=where, table=table)[0]

    def at(self, name: str) -> exp.Column:
        """A column by the name it was staged under."""
        return exp.column(self.staged.place(name))

    def written(self, name: str) -> exp.Column:
        """A column as it was written, in the view ``written``."""
        return exp.column(self.staged.place(name))


@contextmanager
def open_working(staged: Staged, plan: Plan, *, steps: Sequence[Step] | None = None) -> Iterator[Working]:
    """Open a staged file; what does not fit in memory is put beside it, in the same private folder.

    Parameters
    ----------
    staged : Staged
    plan : Plan
    steps : sequence of Step, optional
        Instead of the plan's.
    """
    connection = duckdb.connect(":memory:", config=_SETTINGS)
    try:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET temp_directory = $folder", {"folder": str(staged.file.parent / "spill")})
        _written(connection, staged)
        lost = _typed(connection, staged, plan)
        table = "typed"
        for i, step in enumerate(plan.steps if steps is None else steps):
            made = _after(staged, plan, step, table)
            if made is not None:
                table = f"step_{i}"
                _keep(connection, made, table, staged)
        yield Working(staged, plan, connection, table, lost)
    except duckdb.OutOfMemoryException:
        raise Fixable(
            "This file is too large to be worked on.", "It takes more memory than an import may.",
            "Leave out columns that are not needed, and bring it again.",
        ) from None  # fmt: skip
    finally:
        connection.close()


def _written(connection: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    rows = connection.sql(
        "SELECT * FROM read_parquet($file, file_row_number = true)", params={"file": literal(staged.file)}
    )
    rows.create_view("file")
    number = exp.Add(this=exp.column("file_row_number"), expression=exp.Literal.number(1))
    query = exp.select(number.as_(ROW), *(exp.column(f"c{i}") for i in range(len(staged.columns)))).from_("file")
    connection.sql(query.sql(dialect="duckdb")).create_view("written")


# ------------------------------------------------------------------ typed columns


def _typed(connection: duckdb.DuckDBPyConnection, staged: Staged, plan: Plan) -> exp.Select:
    """Make the view with the columns as they are read; returns what says of each cell whether that failed."""
    planned = {column.name: column for column in plan.columns}
    query = exp.select(exp.column(ROW, table="written")).from_("written")
    lost = query.copy()
    for i, column in enumerate(staged.columns):
        own = planned.get(column.name) or ColumnPlan(column.name, "drop", "text")
        cell = exp.column(f"c{i}", table="written")
        value = value_of(cell, column, own, plan.time_zone)
        if own.kind == "date" and column.kind == "text":
            table = _dates(connection, i, own, plan)
            value = exp.column("day", table=table)
            same = exp.EQ(this=trimmed(cell), expression=exp.column("cell", table=table))
            query = query.join(table, on=same, join_type="left")
            lost = lost.join(table, on=same.copy(), join_type="left")
        query = query.select(value.as_(f"c{i}"))
        if own.kind in ("date", "continuous") and column.kind == "text":
            something = known(trimmed(cell), own).is_(exp.Null()).not_()
            lost = lost.select(exp.and_(something, value.copy().is_(exp.Null())).as_(f"c{i}"))
    _keep(connection, query, "typed", staged)
    return lost


def _keep(connection: duckdb.DuckDBPyConnection, query: exp.Query, name: str, staged: Staged) -> None:
    """A query under a name: of a small file its rows, so that they are worked out once; of a large one as it is."""
    found = connection.sql(query.sql(dialect="duckdb"))
    if staged.n_rows * len(staged.columns) <= KEPT_CELLS:
        found.create(name)
    else:
        found.create_view(name)


def value_of(cell: exp.Expr, column: StagedColumn, own: ColumnPlan, time_zone: str = "UTC") -> exp.Expr:
    """A cell as its plan reads it."""
    if own.kind == "date":
        zoned = exp.func("timezone", exp.Literal.string(time_zone), cell) if column.kind == "datetime" else cell
        return exp.TryCast(this=zoned, to=exp.DataType.build("DATE"))
    if own.kind == "continuous":
        return number_of(cell, own) if column.kind == "text" else _known_number(cell, column, own)
    if column.kind == "text":
        return known(trimmed(cell), own)
    code = code_text(cell, column)
    return known(code, own)


def _known_number(cell: exp.Expr, column: StagedColumn, own: ColumnPlan) -> exp.Expr:
    number = exp.TryCast(this=cell, to=exp.DataType.build("DOUBLE"))
    gone = [float(code) for code in own.missing if _is_number(code)]
    if column.kind not in ("number", "bool") or not gone:
        return number
    return _unless(exp.In(this=number, expressions=[exp.Literal.number(each) for each in gone]), number)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def code_text(cell: exp.Expr, column: StagedColumn) -> exp.Expr:
    """A typed cell as a code: whole numbers without a point, truth values as 1 and 0."""
    text = exp.Cast(this=cell, to=exp.DataType.build("VARCHAR"))
    if column.kind == "bool":
        return exp.Cast(this=exp.Cast(this=cell, to=exp.DataType.build("TINYINT")), to=exp.DataType.build("VARCHAR"))
    if column.kind == "number":
        return regexp_replace(text, exp.Literal.string(r"\.0+$"), exp.Literal.string(""))
    return text


def regexp_replace(text: exp.Expr, pattern: exp.Expr, new: exp.Expr, how: exp.Expr | None = None) -> exp.Expr:
    """DuckDB's own, in its order of arguments."""
    return exp.Anonymous(this="regexp_replace", expressions=[text, pattern, new, *([how] if how is not None else [])])


def trimmed(cell: exp.Expr) -> exp.Expr:
    """Text without blanks around it; nothing where nothing is left."""
    text = exp.Cast(this=cell.copy(), to=exp.DataType.build("VARCHAR"))
    bare = exp.Anonymous(this="trim", expressions=[text, exp.Literal.string(BLANKS)])
    return exp.func("nullif", bare, exp.Literal.string(""))


def known(text: exp.Expr, own: ColumnPlan) -> exp.Expr:
    """Text unless it says that nothing is known."""
    gone = [exp.Literal.string(each) for each in sorted((MISSING - {""}) | set(own.missing))]
    return _unless(exp.In(this=text.copy(), expressions=gone), text)


def number_of(cell: exp.Expr, own: ColumnPlan) -> exp.Expr:
    """A number from text with a point or a comma, and with or without marks between thousands."""
    text = known(trimmed(cell), own)
    bare = regexp_replace(text, exp.Literal.string(r"(\d)[\s\x{a0}\x{202f}'’](\d{3})"),
                    exp.Literal.string(r"\1\2"), exp.Literal.string("g"))  # fmt: skip
    mark = "," if own.decimal == "." else "."
    grouped = exp.Anonymous(
        this="regexp_full_match", expressions=[bare.copy(), exp.Literal.string(_THOUSANDS[own.decimal])]
    )
    plain = exp.Case().when(grouped, _replaced(bare, mark, "")).else_(bare.copy())
    if own.decimal == ",":
        plain = _replaced(plain, ",", ".")
    # What DuckDB takes for numbers besides: "inf", "1_000".
    usual = exp.Anonymous(
        this="regexp_full_match",
        expressions=[plain.copy(), exp.Literal.string(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")],
    )
    number = exp.TryCast(this=plain, to=exp.DataType.build("DOUBLE"))
    return exp.Case().when(usual, number)


def _replaced(text: exp.Expr, old: str, new: str) -> exp.Expr:
    return exp.func("replace", text.copy(), exp.Literal.string(old), exp.Literal.string(new))


def _unless(condition: exp.Expr, value: exp.Expr) -> exp.Expr:
    return exp.Case().when(condition, exp.Null()).else_(value.copy())


def _dates(connection: duckdb.DuckDBPyConnection, i: int, own: ColumnPlan, plan: Plan) -> str:
    """A table of every different cell of a column and its day."""
    cell = trimmed(exp.column(f"c{i}"))
    query = exp.select(cell.as_("cell")).distinct().from_("written").where(exp.column(f"c{i}").is_(exp.Null()).not_())
    found = connection.execute(query.limit(MOST_WAYS + 1).sql(dialect="duckdb")).fetchall()
    if len(found) > MOST_WAYS:
        raise Fixable(
            "This file is too large to be worked on.",
            f"The column “{own.name}” holds more than {MOST_WAYS:,} different dates.",
            "Shorten points in time to days where it came from, and bring it again.",
        )
    style = DateStyle(own.day_first, own.serials, plan.time_zone, plan.this_year)
    gone = set(own.missing)
    cells, days = days_of((text for (text,) in found if text is not None and text not in gone), style)
    name = f"dates_{i}"
    connection.from_arrow(pa.table({"cell": pa.array(cells, pa.string()), "day": pa.array(days, pa.date32())})).create(
        name
    )
    return name


# ------------------------------------------------------------------ steps


def _after(staged: Staged, plan: Plan, step: Step, table: str) -> exp.Select | None:
    """The rows after one step; None where it changes no row."""
    every = exp.select("*").from_(table)
    names = [column.name for column in staged.columns]
    if step.kind == "drop_column" or (step.column and step.column not in names):
        return None
    if step.kind == "drop_rows":
        return every.where(exp.In(this=exp.column(ROW), expressions=_numbers(step.rows)).not_()) if step.rows else None
    if step.kind == "drop_duplicates":
        return _first_of(table, [f"c{i}" for i in range(len(names))], "first")
    place = staged.place(step.column)
    if step.kind == "keep_one":
        return _first_of(table, [place], step.keep)
    if step.kind == "drop_outside":
        column = exp.column(place)
        return every.where(exp.or_(column.is_(exp.Null()), _inside(column, step)))
    changed = _changed(staged, step, place)
    others = [exp.column(f"c{i}") for i in range(len(names)) if f"c{i}" not in changed]
    return exp.select(exp.column(ROW), *others, *(value.as_(name) for name, value in changed.items())).from_(table)


def _changed(staged: Staged, step: Step, place: str) -> dict[str, exp.Expr]:
    column = exp.column(place)
    if step.kind == "multiply":
        scaled = exp.Mul(this=column.copy(), expression=exp.Literal.number(step.factor))
        return {place: exp.Case().when(_inside(column, step), scaled).else_(column.copy())}
    if step.kind == "set_missing_outside":
        return {place: exp.Case().when(_inside(column, step), column.copy())}
    if step.kind == "swap_dates":
        other = staged.place(step.other)
        wrong = exp.LT(this=exp.column(other), expression=column.copy())
        return {
            place: exp.Case().when(wrong, exp.column(other)).else_(column.copy()),
            other: exp.Case().when(wrong.copy(), column.copy()).else_(exp.column(other)),
        }
    made = exp.Case()
    for code, new in step.codes:
        is_code = exp.EQ(this=as_code(column), expression=exp.Literal.string(code))
        made = made.when(is_code, exp.Null() if step.kind == "set_missing" else exp.Literal.string(new))
    return {place: made.else_(column.copy())} if step.codes else {place: column}


def as_code(column: exp.Expr) -> exp.Expr:
    """A cell as the text that codes are told apart by."""
    text = exp.Cast(this=column.copy(), to=exp.DataType.build("VARCHAR"))
    return regexp_replace(text, exp.Literal.string(r"\.0+$"), exp.Literal.string(""))


def _inside(column: exp.Expr, step: Step) -> exp.Expr:
    bounds: list[exp.Expr] = []
    if step.low is not None:
        bounds.append(exp.GTE(this=column.copy(), expression=exp.Literal.number(step.low)))
    if step.high is not None:
        bounds.append(exp.LTE(this=column.copy(), expression=exp.Literal.number(step.high)))
    return exp.and_(*bounds) if bounds else exp.true()


def _first_of(table: str, places: Sequence[str], keep: str) -> exp.Select:
    """Of rows that are alike in some columns only one."""
    order = exp.Ordered(this=exp.column(ROW), desc=keep == "last")
    number = exp.Window(this=exp.RowNumber(), partition_by=[exp.column(p) for p in places],
                        order=exp.Order(expressions=[order]))  # fmt: skip
    lone = [exp.column(place).is_(exp.Null()) for place in places] if len(places) == 1 else []
    kept = exp.or_(exp.EQ(this=number, expression=exp.Literal.number(1)), *lone)
    inner = exp.select("*", kept.as_("kept")).from_(table).subquery("numbered")
    return exp.select(exp.Star(**{"except_": [exp.to_identifier("kept")]})).from_(inner).where(exp.column("kept"))


def _numbers(rows: Sequence[int]) -> list[exp.Expr]:
    return [exp.Literal.number(row) for row in rows]
