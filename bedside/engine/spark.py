"""Spark as an engine: the counting is done where the rows are, the counts come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from sqlglot import exp

from bedside.engine.sql import SqlEngine, family_of
from bedside.engine.tree import Field
from bedside.errors import Fixable

_VIEW = "patients"
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.ansi.enabled": "true",
}


class SparkEngine(SqlEngine):
    """A view of a Spark session."""

    dialect: ClassVar[str] = "spark"

    def __init__(self, session: SparkSession, relation: exp.Expression, fields: list[tuple[str, Field]]) -> None:
        super().__init__(relation, fields)
        self._session = session

    def _ask(self, tree: exp.Expression, values: dict[str, Any]) -> pa.Table:
        with _told():
            return self._session.sql(tree.sql(self.dialect), args=values).toArrow()


@contextmanager
def _told() -> Iterator[None]:
    """What Spark and its Java say, as a `Fixable` that quotes neither."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise Fixable(
            "Spark did not answer.",
            f"It stopped with {type(error).__name__}.",
            "Check that the table can be read, and that Spark is still running.",
        ) from error


@contextmanager
def open_spark(session: SparkSession, read: Callable[[SparkSession], DataFrame]) -> Iterator[SparkEngine]:
    """Rows that Spark reads.

    Parameters
    ----------
    session : SparkSession
        A running one; its settings are left alone.
    read : callable
        Given a session of the engine's own, returns the rows, e.g.
        ``lambda own: own.read.parquet(path)`` or ``lambda own: own.table(name)``.

    Yields
    ------
    SparkEngine
        Usable until the block ends.

    Raises
    ------
    Fixable
        If the rows cannot be read.
    """
    own = session.newSession()
    for name, value in _SETTINGS.items():
        own.conf.set(name, value)
    with _told():
        rows = read(own)
        rows.createOrReplaceTempView(_VIEW)
        schema = rows.limit(0).toArrow().schema
    fields = [(name, Field(name, family_of(kind))) for name, kind in zip(schema.names, schema.types, strict=True)]
    try:
        yield SparkEngine(own, exp.table_(exp.to_identifier(_VIEW, quoted=True)), fields)
    finally:
        own.catalog.dropTempView(_VIEW)


@contextmanager
def open_spark_table(address: str, schema: str, table: str) -> Iterator[SparkEngine]:
    """A table that a Spark session knows by name.

    Parameters
    ----------
    address : str
        The master, such as ``"local[2]"`` or ``"spark://host:7077"``; empty for what Spark's own settings say.
    schema, table : str
        Names as they are, not quoted.

    Raises
    ------
    Fixable
        If Spark does not start, or has no such table.
    """
    session = session_at(address)
    relation = _table(schema, table)
    with open_spark(session, lambda own: own.sql(exp.select("*").from_(relation).sql("spark"))) as engine:
        yield engine


def _table(schema: str, table: str) -> exp.Table:
    db = exp.to_identifier(schema, quoted=True) if schema else None
    return exp.table_(exp.to_identifier(table, quoted=True), db=db)


def session_at(address: str) -> SparkSession:
    """The session of this process; it is started once, and shared.

    Raises
    ------
    Fixable
        If Spark does not start.
    """
    builder = SparkSession.builder.appName("Bedside")
    try:
        return (builder.master(address) if address else builder).getOrCreate()
    except (PySparkException, Py4JError, OSError, RuntimeError) as error:
        raise Fixable(
            "Spark did not start.",
            f"It stopped with {type(error).__name__}.",
            "Check that Java 17 is installed, and the address that the administrator wrote.",
        ) from None


def spark_tables(address: str, most: int) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Schema, name and columns of each table that Spark knows by name.

    Raises
    ------
    Fixable
        If Spark does not start or answer.
    """
    catalog = session_at(address).catalog
    found: list[tuple[str, str, list[tuple[str, str]]]] = []
    with _told():
        for database in catalog.listDatabases():
            for table in catalog.listTables(database.name):
                if table.isTemporary or len(found) >= most:
                    continue
                named = _table(database.name, table.name).sql("spark")
                columns = [(c.name, c.dataType) for c in catalog.listColumns(named)]
                found.append((database.name, table.name, columns))
    return found
