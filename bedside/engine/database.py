"""The tables of a DuckDB database file: read only, and let go of after each question."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
from sqlglot import exp

from bedside.engine import duck
from bedside.engine.gone import SourceGone, changed, let_go, stamp_of, too_long
from bedside.engine.sql import SqlEngine, family_of
from bedside.engine.tree import Field
from bedside.errors import Fixable
from bedside.intake.duck import CLOSED, within

CATALOG = "source"


class DatabaseFile:
    """A connection that can reach one DuckDB file and nothing else, and holds it only while a question is asked.

    Parameters
    ----------
    file : Path
    """

    def __init__(self, file: Path) -> None:
        self._file, self._lock, self._asking = file.resolve(), Lock(), 0
        self._log = self._file.with_name(self._file.name + ".wal")
        self._stamp = stamp_of((self._file, self._log))
        self._connection = duckdb.connect(":memory:", config=CLOSED)
        self._connection.execute("SET temp_directory = ''")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET allowed_paths = $paths", {"paths": [str(self._file), str(self._log)]})
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    @contextmanager
    def held(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file, for one question: whoever writes it need not wait for a page that is open.

        Raises
        ------
        SourceGone
            If it is not the file that it was, or not there.
        Fixable
            If it can't be opened.
        """
        if not self._file.is_file():
            raise SourceGone(
                "The database file is not there.", "No file of its name can be read.", "Ask whoever looks after it."
            )
        if stamp_of((self._file, self._log)) != self._stamp:
            raise changed()
        attach = exp.Attach(
            this=exp.alias_(exp.Literal.string(str(self._file)), CATALOG),
            expressions=[exp.AttachOption(this=exp.var("READ_ONLY"))],
        )
        with self._cursor() as cursor:
            self._take(cursor, attach.sql("duckdb"))
            try:
                yield cursor
            finally:
                self._leave(cursor)

    def _take(self, cursor: duckdb.DuckDBPyConnection, attach: str) -> None:
        with self._lock:
            if not self._asking:
                try:
                    cursor.execute(attach)
                except duckdb.Error as error:
                    raise _closed(error) from None
            self._asking += 1

    def _leave(self, cursor: duckdb.DuckDBPyConnection) -> None:
        with self._lock:
            self._asking -= 1
            if not self._asking:
                with suppress(duckdb.ConnectionException):  # the server let go of it meanwhile
                    cursor.execute("DETACH source")

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.cursor()
        except duckdb.ConnectionException:
            raise let_go() from None

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


class DatabaseEngine(SqlEngine):
    """A table or view of a DuckDB file."""

    dialect: ClassVar[str] = "duckdb"

    def __init__(self, file: DatabaseFile, relation: exp.Expression, fields: list[tuple[str, Field]]) -> None:
        super().__init__(relation, fields)
        self._file = file

    def _ask(self, tree: exp.Expression, values: dict[str, Any]) -> pa.Table:
        with self._file.held() as cursor:
            try:
                with within(cursor, duck.MOST_SECONDS):
                    return cursor.sql(tree.sql(self.dialect), params=values or None).to_arrow_table()
            except duckdb.InterruptException:
                raise too_long() from None
            except duckdb.Error as error:
                raise Fixable(
                    "The database file could not be counted.",
                    f"DuckDB stopped ({type(error).__name__}).",
                    "Check that the file is whole and still where it was.",
                ) from None


@contextmanager
def open_database(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB file for as long as the block lasts, under the name ``source``.

    Raises
    ------
    Fixable
        If it is not there, is none, or another program holds it for writing.
    """
    database = DatabaseFile(file)
    try:
        with database.held() as cursor:
            yield cursor
    finally:
        database.close()


@contextmanager
def open_database_table(file: Path, schema: str, table: str) -> Iterator[DatabaseEngine]:
    """A table or view of a DuckDB file, usable until the block ends.

    Raises
    ------
    Fixable
        If there is none of that name, or the file can't be opened.
    """
    relation = exp.table_(
        exp.to_identifier(table, quoted=True),
        db=exp.to_identifier(schema or "main", quoted=True),
        catalog=exp.to_identifier(CATALOG, quoted=True),
    )
    database = DatabaseFile(file)
    try:
        with database.held() as cursor:
            try:
                told = cursor.sql(exp.select("*").from_(relation.copy()).limit(0).sql("duckdb")).to_arrow_table().schema
            except duckdb.Error:
                raise Fixable(
                    "The database has no such table.",
                    "A table of the name that was asked for is not there, or can't be read.",
                    "Check the names of schema and table.",
                ) from None
        fields = [(name, Field(name, family_of(kind))) for name, kind in zip(told.names, told.types, strict=True)]
        yield DatabaseEngine(database, relation, fields)
    finally:
        database.close()


def _closed(error: duckdb.Error) -> Fixable:
    held = isinstance(error, duckdb.IOException)
    return Fixable(
        "The database file could not be opened.",
        "Another program holds it for writing, or it is no file of this release of DuckDB."
        if held
        else f"DuckDB stopped ({type(error).__name__}).",
        "Try again when the other program has ended." if held else "Check that the file is whole.",
    )
