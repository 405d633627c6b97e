"""What was put right in a file, step after step, as tables over tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from sqlglot import exp

from bedside.intake.cells import ROW, as_code, regexp_replace
from bedside.intake.footer import footer_of, last_rows
from bedside.intake.plan import Plan
from bedside.intake.staging import Staged
from bedside.intake.steps import Step

DAY_ZERO = exp.Cast(this=exp.Literal.string("1970-01-01"), to=exp.DataType.build("DATE"))
HELD_CELLS = 3_000_000
"""Cells up to which the rows after a step are held; of more only the numbers of those that it leaves out."""


@dataclass(frozen=True)
class Stepped:
    """The rows after some steps.

    Attributes
    ----------
    table : str
    dropped : tuple of int
        Rows that each step has left out, or changed.
    """

    table: str
    dropped: tuple[int, ...]


def stepped(
    connection: duckdb.DuckDBPyConnection, staged: Staged, plan: Plan, steps: Sequence[Step], table: str
) -> Stepped:
    """Take steps one after the other.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Gets a table or a view for each.
    staged : Staged
    plan : Plan
        Says what the columns are: a step that no longer fits its column is passed over.
    steps : sequence of Step
    table : str
        With ``row`` and ``c0``, ``c1`` and so on.
    """
    dropped = []
    kinds = {column.name: "text" for column in staged.columns} | {c.name: str(c.kind) for c in plan.columns}
    for i, step in enumerate(steps):
        if not _fits(step, kinds):
            dropped.append(0)
            continue
        gone = _gone(connection, staged, step, table, f"gone_{i}", kinds)
        if gone:
            dropped.append(gone)
            query = _without(table, f"gone_{i}")
        elif not step.drops_rows:
            changed = _changed(staged, step, staged.place(step.column), kinds)
            dropped.append(_altered(connection, changed, table))
            query = _with(staged, changed, table)
        else:
            dropped.append(0)
            continue
        table = f"step_{i}"
        found = connection.sql(query.sql(dialect="duckdb"))
        if staged.n_rows * len(staged.columns) <= HELD_CELLS:
            found.create(table)
        else:
            found.create_view(table)
    return Stepped(table, tuple(dropped))


def _fits(step: Step, kinds: Mapping[str, str]) -> bool:
    """False for a step on a column that is not there, or has become something else."""
    if step.kind == "drop_column" or not all(name in kinds for name in (step.column, step.other) if name):
        return False
    if step.kind in ("set_missing_outside", "drop_outside"):
        return kinds[step.column] in ("continuous", "date")
    if step.kind == "multiply":
        return kinds[step.column] == "continuous"
    if step.kind in ("swap_dates", "drop_before"):
        return kinds[step.column] == kinds[step.other] == "date"
    return step.kind not in ("merge_levels", "same_spelling") or kinds[step.column] not in ("continuous", "date")


# ------------------------------------------------------------------ rows that are left out


_LISTED = ("drop_rows", "drop_footer")
"""Steps whose rows are known by their numbers."""


def _gone(
    connection: duckdb.DuckDBPyConnection, staged: Staged, step: Step, table: str, name: str, kinds: Mapping[str, str]
) -> int:
    """Keep the numbers of the rows that a step leaves out under a name; how many they are."""
    if not step.drops_rows:
        return 0
    if step.kind in _LISTED:
        last = connection.sql(last_rows(staged).sql(dialect="duckdb")) if step.kind == "drop_footer" else None
        rows = step.rows if last is None else footer_of(last.fetchall())
        connection.execute("DROP TABLE IF EXISTS listed")
        connection.from_arrow(pa.table({ROW: pa.array(rows, pa.int64())})).create("listed")
    connection.sql(_dropping(staged, step, table, kinds).sql(dialect="duckdb")).create(name)
    counted = exp.select(exp.Count(this=exp.Star())).from_(name)
    ((n,),) = connection.sql(counted.sql(dialect="duckdb")).fetchall()
    return n


def _dropping(staged: Staged, step: Step, table: str, kinds: Mapping[str, str]) -> exp.Select:
    """Numbers of the rows that a step leaves out."""
    row = exp.column(ROW)
    if step.kind in ("drop_duplicates", "drop_alike"):
        return again(table, [exp.column(f"c{i}") for i, c in enumerate(staged.columns) if c.name != step.column])
    if step.kind in _LISTED:
        where = row.isin(query=exp.select(row.copy()).from_("listed"))
        return exp.select(row).from_(table).where(where)
    column = exp.column(staged.place(step.column))
    if step.kind == "keep_one":
        return again(table, [column], last=step.keep == "last")
    if step.kind == "drop_empty":
        where = column.is_(exp.Null())
    elif step.kind == "drop_before":
        where = exp.LT(this=exp.column(staged.place(step.other)), expression=column)
    else:
        inside = _inside(_number(column, kinds[step.column]), step)
        where = exp.and_(column.is_(exp.Null()).not_(), inside.not_())
    return exp.select(row).from_(table).where(where)


def _number(column: exp.Expr, kind: str) -> exp.Expr:
    """A number as it is; a day as days since 1970-01-01."""
    return exp.Sub(this=column.copy(), expression=DAY_ZERO.copy()) if kind == "date" else column


def _without(table: str, gone: str) -> exp.Select:
    return exp.select("*").from_(table).join(
        gone, on=exp.EQ(this=exp.column(ROW, table=table), expression=exp.column(ROW, table=gone)), join_type="anti"
    )  # fmt: skip


def again(table: str, by: Sequence[exp.Expr], *, last: bool = False) -> exp.Select:
    """Numbers of rows that are alike in some values to one before (or after) them; rows without any value are not.

    Most rows of most files have no like: only those whose fingerprints occur twice are compared by their values.
    """
    known = exp.or_(*(each.copy().is_(exp.Null()).not_() for each in by))
    mark = exp.Anonymous(this="hash", expressions=[each.copy() for each in by])
    twice = (
        exp.select(exp.column("mark")).from_(exp.select(mark.as_("mark")).from_(table).where(known).subquery("marked"))
        .group_by("mark").having(exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1)))
    )  # fmt: skip
    number = exp.Window(this=exp.RowNumber(), partition_by=[each.copy() for each in by],
                        order=exp.Order(expressions=[exp.Ordered(this=exp.column(ROW), desc=last)]))  # fmt: skip
    alike = mark.copy().isin(query=twice)
    inner = exp.select(exp.column(ROW), number.as_("nth")).from_(table).where(exp.and_(known.copy(), alike))
    return exp.select(exp.column(ROW)).from_(inner.subquery("numbered")).where(
        exp.GT(this=exp.column("nth"), expression=exp.Literal.number(1))
    )  # fmt: skip


# ------------------------------------------------------------------ cells that are changed


def _with(staged: Staged, changed: Mapping[str, exp.Expr], table: str) -> exp.Select:
    """The rows with some cells changed."""
    others = [exp.column(f"c{i}") for i in range(len(staged.columns)) if f"c{i}" not in changed]
    return exp.select(exp.column(ROW), *others, *(value.as_(name) for name, value in changed.items())).from_(table)


def _altered(connection: duckdb.DuckDBPyConnection, changed: Mapping[str, exp.Expr], table: str) -> int:
    """In how many rows a cell is another than before."""
    both = [each for i, (place, value) in enumerate(changed.items())
            for each in (exp.column(place).as_(f"was_{i}"), value.copy().as_(f"is_{i}"))]  # fmt: skip
    differs = [exp.NullSafeNEQ(this=exp.column(f"was_{i}"), expression=exp.column(f"is_{i}"))
               for i in range(len(changed))]  # fmt: skip
    counted = exp.select(exp.func("count_if", exp.or_(*differs))).from_(exp.select(*both).from_(table).subquery("rows"))
    ((n,),) = connection.sql(counted.sql(dialect="duckdb")).fetchall()
    return int(n or 0)


def _changed(staged: Staged, step: Step, place: str, kinds: Mapping[str, str]) -> dict[str, exp.Expr]:
    column = exp.column(place)
    if step.kind == "multiply":
        scaled = exp.Mul(this=column.copy(), expression=exp.Literal.number(step.factor))
        return {place: exp.Case().when(_inside(column, step), scaled).else_(column.copy())}
    if step.kind == "set_missing_outside":
        return {place: exp.Case().when(_inside(_number(column, kinds[step.column]), step), column.copy())}
    if step.kind == "swap_dates":
        other = staged.place(step.other)
        wrong = exp.LT(this=exp.column(other), expression=column.copy())
        return {
            place: exp.Case().when(wrong, exp.column(other)).else_(column.copy()),
            other: exp.Case().when(wrong.copy(), column.copy()).else_(exp.column(other)),
        }
    if step.kind == "same_spelling":
        order = exp.Order(expressions=[exp.Ordered(this=exp.column(ROW))])
        first = exp.Window(this=exp.Anonymous(this="first_value", expressions=[column.copy()]),
                           partition_by=[spelling(column)], order=order)  # fmt: skip
        return {place: exp.Case().when(column.copy().is_(exp.Null()).not_(), first)}
    made = exp.Case()
    for code, new in step.codes:
        is_code = exp.EQ(this=as_code(column), expression=exp.Literal.string(code))
        made = made.when(is_code, exp.Null() if step.kind == "set_missing" else exp.Literal.string(new))
    return {place: made.else_(column.copy())} if step.codes else {place: column}


def spelling(column: exp.Expr) -> exp.Expr:
    """A text without blanks, in small letters and one form of each: what tells one name from another."""
    bare = regexp_replace(column.copy(), exp.Literal.string(r"[\s\x{a0}\x{200b}]+"), exp.Literal.string(""),
                          exp.Literal.string("g"))  # fmt: skip
    return exp.func("lower", exp.Anonymous(this="nfc_normalize", expressions=[bare]))


def _inside(column: exp.Expr, step: Step) -> exp.Expr:
    bounds: list[exp.Expr] = []
    if step.low is not None:
        bounds.append(exp.GTE(this=column.copy(), expression=exp.Literal.number(step.low)))
    if step.high is not None:
        bounds.append(exp.LTE(this=column.copy(), expression=exp.Literal.number(step.high)))
    return exp.and_(*bounds) if bounds else exp.true()
