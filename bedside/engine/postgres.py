"""PostgreSQL as an engine: one snapshot, read only, with a limit on every question's time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import psycopg
import pyarrow as pa
from sqlglot import exp

from bedside.engine.postgres_moment import Moment, refusal, settings_of
from bedside.engine.sql import SqlEngine
from bedside.engine.tree import Family, Field
from bedside.errors import Fixable

_ARROW: dict[str, pa.DataType] = {
    "bool": pa.bool_(), "int2": pa.int64(), "int4": pa.int64(), "int8": pa.int64(), "float4": pa.float32(),
    "float8": pa.float64(), "text": pa.string(), "varchar": pa.string(), "date": pa.date32(),
    "timestamp": pa.timestamp("us"), "timestamptz": pa.timestamp("us", "UTC"),
}  # fmt: skip
_FAMILY: dict[str, Family] = {
    "bool": "truth", "int2": "whole", "int4": "whole", "int8": "whole", "float4": "float", "float8": "float",
    "numeric": "decimal", "text": "text", "varchar": "text", "bpchar": "other text", "name": "other text",
    "uuid": "other text", '"char"': "other text", "oid": "other text",
    "date": "date", "timestamp": "moment", "timestamptz": "zoned",
}  # fmt: skip

PORTION = 10_000
"""Rows that come at once."""


class PostgresEngine(SqlEngine):
    """A table or view of a PostgreSQL database.

    Everything it counts is of one moment, whatever is written to the table
    meanwhile.
    """

    dialect: ClassVar[str] = "postgres"

    def __init__(self, moment: Moment, relation: exp.Expression, fields: list[tuple[str, Field]]):
        super().__init__(relation, fields)
        self._moment = moment

    def _ask(self, tree: exp.Expression, values: dict[str, Any]) -> pa.Table:
        return self._answered(tree, values, None)

    def _ask_rows(self, tree: exp.Expression, values: dict[str, Any], came: Callable[[int], None]) -> pa.Table:
        return self._answered(tree, values, came)

    def _answered(self, tree: exp.Expression, values: dict[str, Any], came: Callable[[int], None] | None) -> pa.Table:
        numbers = {name: i for i, name in enumerate(values, start=1)}
        told = tree.transform(lambda node: _numbered(node, numbers)).sql(self.dialect)
        with self._moment.connection() as connection:
            return _answer(connection, told, list(values.values()), came)

    def by_bytes(self, text: exp.Expression) -> exp.Expression:
        return exp.Collate(this=text, expression=exp.to_identifier("C", quoted=True))


def _numbered(node: exp.Expression, numbers: dict[str, int]) -> exp.Expression:
    """PostgreSQL's own parameters, $1 and so on: psycopg's would read a % in a column's name."""
    if isinstance(node, exp.Placeholder):
        return exp.Parameter(this=exp.Literal.number(numbers[node.name]))
    return node


def _answer(
    connection: psycopg.Connection, told: str, values: list[Any], came: Callable[[int], None] | None = None
) -> pa.Table:
    """One answer; where ``came`` is to be told of many rows, they come in portions."""
    try:
        # A question that fails takes only itself back, not the moment of which everything is counted.
        with connection.transaction():
            if came is None:
                with psycopg.RawCursor(connection) as cursor:
                    cursor.execute(told.encode(), values, binary=True)
                    return _table(_kinds(connection, cursor), [cursor.fetchall()])
            with psycopg.RawServerCursor(connection, "rows") as cursor:
                cursor.execute(told.encode(), values, binary=True)
                return _table(_kinds(connection, cursor), _portions(cursor, came))
    except psycopg.Error as error:
        raise refusal(connection, error) from None


def _kinds(connection: psycopg.Connection, cursor: psycopg.Cursor) -> list[tuple[str, pa.DataType | None]]:
    described = cursor.description or []
    return [(column.name, _ARROW.get(_type_name(connection, column.type_code))) for column in described]


def _portions(cursor: psycopg.Cursor, came: Callable[[int], None]) -> Iterator[list[tuple[Any, ...]]]:
    n = 0
    while rows := cursor.fetchmany(PORTION):
        n += len(rows)
        yield rows
        came(n)


def _table(kinds: list[tuple[str, pa.DataType | None]], portions: Iterable[list[tuple[Any, ...]]]) -> pa.Table:
    columns: list[list[pa.Array]] = [[] for _ in kinds]
    for rows in portions:
        for column, values, (_, kind) in zip(
            columns, zip(*rows, strict=True) if rows else (), kinds, strict=bool(rows)
        ):
            column.append(pa.array(values, kind))
    return pa.table(
        {
            name: pa.chunked_array(column, kind or (column[0].type if column else pa.null()))
            for (name, kind), column in zip(kinds, columns, strict=True)
        }
    )


def _type_name(connection: psycopg.Connection, code: int) -> str:
    found = connection.adapters.types.get(code)
    if found is None:
        return ""
    # Several values in one cell are found under the type of one of them.
    return f"{found.name}[]" if code == found.array_oid else found.name


@contextmanager
def open_postgres(
    address: str, table: str, *, schema: str = "public", most_seconds: float = 60.0, most_idle: float = 0.0
) -> Iterator[PostgresEngine]:
    """A table of a PostgreSQL database.

    Parameters
    ----------
    address : str
        As libpq takes it, ``"host=... dbname=..."``; passwords belong into
        ``~/.pgpass`` or ``PGPASSWORD``.
    table, schema : str
        Names as they are, not quoted.
    most_seconds : float
        Longest that one question may take.
    most_idle : float
        Seconds without a question after which the database lets go; 0 for never.

    Yields
    ------
    PostgresEngine
        Usable until the block ends.

    Raises
    ------
    Fixable
        If the database cannot be reached, or has no such table for this account.
    """
    relation = exp.table_(exp.to_identifier(table, quoted=True), db=exp.to_identifier(schema, quoted=True))
    with Moment(address, settings_of(most_seconds, most_idle)) as moment:
        with moment.connection() as connection:
            fields = _fields(connection, relation)
        yield PostgresEngine(moment, relation, fields)


def _fields(connection: psycopg.Connection, relation: exp.Expression) -> list[tuple[str, Field]]:
    nothing = exp.select("*").from_(relation).limit(0).sql(PostgresEngine.dialect)
    try:
        with psycopg.RawCursor(connection) as cursor:
            described = cursor.execute(nothing.encode()).description or []
    except psycopg.Error:
        raise Fixable(
            "The database has no such table.",
            "A table of the name that was asked for is not there, or this account may not read it.",
            "Check the names of schema and table, and the account's rights.",
        ) from None
    names = ((column.name, _type_name(connection, column.type_code)) for column in described)
    # What psycopg has no name for is an enumeration or a type of an extension, and has a text.
    return [(name, Field(name, _FAMILY.get(kind, "none") if kind else "other text")) for name, kind in names]
