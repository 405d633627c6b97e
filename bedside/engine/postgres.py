"""PostgreSQL as an engine: one snapshot, read only, with a limit on every question's time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, ClassVar

import psycopg
import pyarrow as pa
from sqlglot import exp

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
    "date": "date", "timestamp": "moment", "timestamptz": "zoned",
}  # fmt: skip

_SETTINGS = {
    "default_transaction_read_only": "on",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
    "client_encoding": "UTF8",
    "idle_in_transaction_session_timeout": "0",
}


class PostgresEngine(SqlEngine):
    """A table or view of a PostgreSQL database.

    One transaction for as long as the engine is open: everything it counts is
    of one moment, whatever is written to the table meanwhile.
    """

    dialect: ClassVar[str] = "postgres"

    def __init__(self, connection: psycopg.Connection, relation: exp.Expression, fields: list[tuple[str, Field]]):
        super().__init__(relation, fields)
        self._connection, self._lock = connection, Lock()

    def _ask(self, tree: exp.Expression, values: dict[str, Any]) -> pa.Table:
        numbers = {name: i for i, name in enumerate(values, start=1)}
        told = tree.transform(lambda node: _numbered(node, numbers)).sql(self.dialect)
        # The lock keeps one thread's rows from another's: they share the transaction.
        with self._lock:
            return _answer(self._connection, told, list(values.values()))

    def _by_bytes(self, text: exp.Expression) -> exp.Expression:
        return exp.Collate(this=text, expression=exp.to_identifier("C", quoted=True))


def _numbered(node: exp.Expression, numbers: dict[str, int]) -> exp.Expression:
    """PostgreSQL's own parameters, $1 and so on: psycopg's would read a % in a column's name."""
    if isinstance(node, exp.Placeholder):
        return exp.Parameter(this=exp.Literal.number(numbers[node.name]))
    return node


def _answer(connection: psycopg.Connection, told: str, values: list[Any]) -> pa.Table:
    try:
        with psycopg.RawCursor(connection) as cursor:
            cursor.execute(told.encode(), values, binary=True)
            kinds = [
                (column.name, _ARROW.get(_type_name(connection, column.type_code))) for column in cursor.description
            ]
            rows = cursor.fetchall()
    except psycopg.Error as error:
        connection.rollback()
        late = isinstance(error, psycopg.errors.QueryCanceled)
        raise Fixable(
            "The database did not answer.",
            "It was asked for longer than is allowed." if late else f"It refused with {type(error).__name__}.",
            "Ask for less at once, or have the limit raised." if late else "Ask whoever looks after the database.",
        ) from error
    columns = zip(*rows, strict=True) if rows else ([] for _ in kinds)
    return pa.table({name: pa.array(column, kind) for (name, kind), column in zip(kinds, columns, strict=True)})


def _type_name(connection: psycopg.Connection, code: int) -> str:
    found = connection.adapters.types.get(code)
    return "" if found is None else found.name


@contextmanager
def open_postgres(
    address: str, table: str, *, schema: str = "public", most_seconds: float = 60.0
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

    Yields
    ------
    PostgresEngine
        Usable until the block ends.

    Raises
    ------
    Fixable
        If the database cannot be reached, or has no such table for this account.
    """
    settings = {**_SETTINGS, "statement_timeout": str(int(1000 * most_seconds))}
    try:
        connection = psycopg.connect(address, options=" ".join(f"-c {k}={v}" for k, v in settings.items()))
    except psycopg.Error as error:
        raise Fixable(
            "The database could not be reached.",
            f"Connecting failed with {type(error).__name__}.",
            "Check the address, the account and its password.",
        ) from error
    try:
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        relation = exp.table_(exp.to_identifier(table, quoted=True), db=exp.to_identifier(schema, quoted=True))
        yield PostgresEngine(connection, relation, _fields(connection, relation))
    finally:
        connection.close()


def _fields(connection: psycopg.Connection, relation: exp.Expression) -> list[tuple[str, Field]]:
    nothing = exp.select("*").from_(relation).limit(0).sql(PostgresEngine.dialect)
    try:
        with psycopg.RawCursor(connection) as cursor:
            described = cursor.execute(nothing.encode()).description or []
    except psycopg.Error as error:
        raise Fixable(
            "The database has no such table.",
            "A table of the name that was asked for is not there, or this account may not read it.",
            "Check the names of schema and table, and the account's rights.",
        ) from error
    names = ((column.name, _type_name(connection, column.type_code)) for column in described)
    # What psycopg has no name for is an enumeration or a type of an extension, and has a text.
    return [(name, Field(name, _FAMILY.get(kind, "none") if kind else "other text")) for name, kind in names]
