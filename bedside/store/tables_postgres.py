"""What readers saved, in a PostgreSQL that several processes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bedside.errors import Fixable
from bedside.store.tables import SAVED, VERSION, WHAT

CONNECT = 5
"""Seconds to wait for the database."""
SETTINGS = {"statement_timeout": "10s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "60s"}
LOCK = 0x42645361
"""Of whoever makes the tables: two processes that start at once agree."""

_THERE = "SELECT to_regclass('bedside_about') IS NOT NULL AS found"
_ABOUT = "CREATE TABLE IF NOT EXISTS bedside_about (version INTEGER NOT NULL)"
_FIRST = "INSERT INTO bedside_about SELECT $1::integer WHERE NOT EXISTS (SELECT version FROM bedside_about)"


class _Post:
    """One transaction of a connection."""

    def __init__(self, connection: Any, cursor: Callable[[Any], Any]) -> None:
        self._connection, self._cursor = connection, cursor

    def ask(self, statement: str, *values: str | int | float | None) -> list[Mapping[str, Any]]:
        with self._cursor(self._connection) as cursor:
            return cursor.execute(statement, values).fetchall()

    def change(self, statement: str, *values: str | int | float | None) -> int:
        with self._cursor(self._connection) as cursor:
            return cursor.execute(statement, values).rowcount


@contextmanager
def opened(address: str, *, make: bool) -> Iterator[_Post | None]:
    """One transaction, committed at the end; None if the tables are not there and are not to be made.

    Raises
    ------
    Fixable
        If the database can't be reached, refuses, was made by a newer Bedside, or psycopg is not installed.
    """
    try:
        import psycopg
        from psycopg.rows import dict_row
    except ImportError:
        raise Fixable(
            f"{WHAT} can't be reached.",
            "It is kept in PostgreSQL, and the library that speaks with it is not installed.",
            "Run pip install 'psycopg[binary]>=3.3,<4' in Bedside's environment, then start again.",
        ) from None

    def cursor(connection: Any) -> Any:
        return psycopg.RawCursor(connection, row_factory=dict_row)

    try:
        with psycopg.connect(address, connect_timeout=CONNECT) as connection:
            tables = _Post(connection, cursor)
            for name, value in SETTINGS.items():
                tables.ask("SELECT set_config($1, $2, true)", name, value)
            yield tables if _ready(tables, make=make) else None
    except psycopg.Error as fault:
        late = isinstance(fault, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable)
        raise _refused(fault, late=late) from fault


def _ready(tables: _Post, *, make: bool) -> bool:
    if not tables.ask(_THERE)[0]["found"]:
        if not make:
            return False
        tables.ask("SELECT pg_advisory_xact_lock($1)", LOCK)
        # Another process may have made them while this one waited.
        for statement in (_ABOUT, *filter(str.strip, SAVED.split(";"))):
            tables.change(statement)
        tables.change(_FIRST, VERSION)
    version = tables.ask("SELECT max(version) AS version FROM bedside_about")[0]["version"]
    if version != VERSION:
        raise Fixable(
            f"{WHAT} can't be opened.",
            f"The tables in the database were made by a newer Bedside (version {version}).",
            "Start the newer Bedside again. Nothing in the database was changed.",
        )
    return True


def _refused(fault: Exception, *, late: bool) -> Fixable:
    """The database's own words may hold its address: only the kind of fault is told."""
    why = "It did not answer in time." if late else f"The database refused ({type(fault).__name__})."
    return Fixable(
        f"{WHAT} can't be reached right now.", why,
        "Try again in a moment; if it stays so, ask whoever looks after the database.",
    )  # fmt: skip
