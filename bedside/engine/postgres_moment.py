"""Connections to a PostgreSQL that only read, several of which can see one moment of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from bedside.engine.gone import SourceGone, let_go
from bedside.errors import Fixable

CONNECT = 5
"""Seconds to wait for a database."""
MOST = 4
"""Connections that see one moment at the same time."""
_SETTINGS = {
    "default_transaction_read_only": "on",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
    "client_encoding": "UTF8",
}


def settings_of(most_seconds: float, most_idle: float = 0.0) -> dict[str, str]:
    """What a connection is told: the longest that a question may take, and that nobody asks anything."""
    return {
        **_SETTINGS,
        "statement_timeout": str(int(1000 * most_seconds)),
        "idle_in_transaction_session_timeout": str(int(1000 * most_idle)),
    }


def connect(address: str, settings: dict[str, str]) -> psycopg.Connection:
    """A connection that only reads.

    Raises
    ------
    Fixable
        If the database cannot be reached.
    """
    told = " ".join(f"-c {name}={value}" for name, value in settings.items())
    try:
        # Each question is planned for its own values.
        connection = psycopg.connect(address, options=told, connect_timeout=CONNECT, prepare_threshold=None)
    except (psycopg.Error, UnicodeError, ValueError) as error:
        # What the driver says may hold the address, and its account: only the kind of fault is told.
        raise Fixable(
            "The database could not be reached.",
            f"Connecting failed with {type(error).__name__}.",
            "Check the address, the account and its password.",
        ) from None
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection


@contextmanager
def connected(address: str, *, most_seconds: float) -> Iterator[psycopg.Connection]:
    """A connection that only reads, in one transaction, until the block ends.

    Raises
    ------
    Fixable
        If the database cannot be reached, or refuses a question within the block.
    """
    connection = connect(address, settings_of(most_seconds))
    try:
        yield connection
    except psycopg.Error as error:
        raise refusal(connection, error) from None
    finally:
        connection.close()


class Moment:
    """One moment of a database: transactions that see the same rows, whatever is written meanwhile.

    Parameters
    ----------
    address : str
    settings : dict of str to str

    Raises
    ------
    Fixable
        If the database cannot be reached.
    """

    def __init__(self, address: str, settings: dict[str, str]) -> None:
        self._address, self._settings = address, settings
        first = connect(address, settings)
        self._all, self._free = [first], [first]
        self._waiting, self._closed = Condition(), False
        self._snapshot = _exported(first)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None):
        self.close()

    @property
    def first(self) -> psycopg.Connection:
        """The connection whose moment it is."""
        return self._all[0]

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection that nobody else uses while the block lasts.

        Raises
        ------
        SourceGone
            If the moment is over.
        """
        mine = self._taken()
        try:
            yield mine
        finally:
            with self._waiting:
                self._free.append(mine)
                self._waiting.notify()

    def close(self) -> None:
        """The moment is over."""
        with self._waiting:
            self._closed = True
            for connection in self._all:
                connection.close()
            self._waiting.notify_all()

    def _taken(self) -> psycopg.Connection:
        with self._waiting:
            while not self._free and not self._closed:
                if self._snapshot and len(self._all) < MOST and self._another():
                    break
                self._waiting.wait()
            if self._closed:
                raise let_go()
            return self._free.pop()

    def _another(self) -> bool:
        """One more connection, if the database grants it; else whoever asks waits for one that is there."""
        try:
            connection = connect(self._address, self._settings)
        except Fixable:
            self._snapshot = None
            return False
        same = sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self._snapshot))
        try:
            connection.execute(same)
        except psycopg.Error:
            connection.close()
            self._snapshot = None
            return False
        self._all.append(connection)
        self._free.append(connection)
        return True


def _exported(connection: psycopg.Connection) -> str | None:
    """The name of a connection's moment; None where a database gives none, such as some copies of another one."""
    try:
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    except psycopg.Error:
        connection.rollback()
        return None
    return None if row is None else str(row[0])


def refusal(connection: psycopg.Connection, error: psycopg.Error) -> Fixable:
    """What a database says may hold values of patients, and its address: only the kind of fault is told."""
    if connection.closed or connection.broken:
        return SourceGone(
            "The database can't be reached any more.",
            f"The connection ended ({type(error).__name__}); what was counted was of a moment that is over.",
            "Count anew.",
        )
    late = isinstance(error, psycopg.errors.QueryCanceled)
    return Fixable(
        "The database did not answer.",
        "It was asked for longer than is allowed." if late else f"It refused with {type(error).__name__}.",
        "Ask for less at once, or have the limit raised." if late else "Ask whoever looks after the database.",
    )
