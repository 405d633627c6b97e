"""How each kind of source is opened and looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bedside.engine.database import open_database_table
from bedside.engine.folder import open_files
from bedside.engine.sql import SqlEngine
from bedside.errors import Fixable
from bedside.store.sources_tables import (
    MOST_TABLES,
    Seen,
    Table,
    in_duckdb,
    in_parquet,
    in_postgres,
    writable_in_postgres,
)

if TYPE_CHECKING:
    import psycopg

    from bedside.store.sources import Source

MOST_IDLE = 1800.0
"""Seconds after which a database lets go of somebody who asks nothing: a moment that is held keeps it from tidying."""


def open_table(source: Source, schema: str, table: str) -> AbstractContextManager[SqlEngine]:
    """A table of a source, for as long as the block lasts."""
    if source.kind == "postgresql":
        return _postgres(source, schema, table)
    if source.kind == "spark":
        return _spark(source, schema, table)
    if source.kind == "duckdb":
        return open_database_table(Path(source.address), schema, table)
    return _parquet(source, table)


@contextmanager
def _parquet(source: Source, table: str) -> Iterator[SqlEngine]:
    with open_files(place_in(Path(source.address), table)) as engine:
        yield engine


def place_in(root: Path, table: str) -> Path:
    """A file or folder below the configured one; the configured one itself if no table is named.

    Raises
    ------
    Fixable
        If it is not there, or leads out of it.
    """
    place = root.joinpath(*(part for part in table.split("/") if part)) if table else root
    try:
        there = "\0" not in table and place.resolve().is_relative_to(root.resolve()) and place.exists()
    except (OSError, ValueError):  # no name that any file could have
        there = False
    if not there:
        raise Fixable(
            "The source has no such table.",
            "There is no file or folder of the name that was asked for in it.",
            "Choose one of those that are listed.",
        )
    return place


@contextmanager
def _postgres(source: Source, schema: str, table: str) -> Iterator[SqlEngine]:
    try:
        from bedside.engine.postgres import open_postgres
    except ImportError:
        raise missing_driver("PostgreSQL", "psycopg[binary]>=3.3,<4") from None
    with open_postgres(source.address, table, schema=schema or "public", most_idle=MOST_IDLE) as engine:
        yield engine


@contextmanager
def _spark(source: Source, schema: str, table: str) -> Iterator[SqlEngine]:
    try:
        from bedside.engine.spark import open_spark_table
    except ImportError:
        raise missing_driver("Spark", "pyspark>=4,<5") from None
    with open_spark_table(source.address, schema, table) as engine:
        yield engine


def missing_driver(name: str, package: str) -> Fixable:
    """A library that is not installed."""
    return Fixable(
        "This source can't be used.",
        f"It is kept in {name}, and the library that speaks with it is not installed.",
        f"Run pip install '{package}' in Bedside's environment, then start again.",
    )


def tables_of(source: Source) -> tuple[Table, ...]:
    """As `Source.tables`."""
    if source.kind == "duckdb":
        return in_duckdb(Path(source.address))
    if source.kind == "parquet":
        return in_parquet(Path(source.address))
    if source.kind == "postgresql":
        with _connection(source) as connection:
            return in_postgres(connection)
    try:
        from bedside.engine.spark import spark_tables
    except ImportError:
        raise missing_driver("Spark", "pyspark>=4,<5") from None
    return tuple(
        Table(schema, name, tuple(Seen(*column) for column in columns))
        for schema, name, columns in spark_tables(source.address, MOST_TABLES)
    )


def may_write(source: Source, schema: str, table: str) -> bool:
    """As `Source.may_write`; files are opened for reading only, whatever the account may do."""
    if source.kind != "postgresql":
        return False
    with _connection(source) as connection:
        return writable_in_postgres(connection, schema or "public", table)


@contextmanager
def _connection(source: Source) -> Iterator[psycopg.Connection]:
    try:
        from bedside.engine.postgres_moment import connected
    except ImportError:
        raise missing_driver("PostgreSQL", "psycopg[binary]>=3.3,<4") from None
    with connected(source.address, most_seconds=20.0) as connection:
        yield connection
