"""One cohort in every engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from psycopg import sql

from bedside.cohort import Cohort
from bedside.engine import Engine, engine_of
from bedside.engine.duck import open_file
from bedside.engine.postgres import open_postgres
from benchmarks.postgres_server import own_server
from tests.engines import made

TABLE = 'patients"; DROP SCHEMA public CASCADE;--'
TYPES = {"Age": "smallint", "age": "real", "paid": "numeric(12, 2)", "days": "bigint", "status": "smallint"}


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    """The rows that every engine holds."""
    return made.frame()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where their files are."""
    return tmp_path_factory.mktemp("it's [a] folder")


@pytest.fixture(scope="session")
def cohort(folder: Path, rows: pd.DataFrame) -> Cohort:
    """The rows as a cohort in memory."""
    return made.write(folder, rows)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of a PostgreSQL that is there for the tests only."""
    with own_server() as address:
        yield address


@pytest.fixture(scope="session")
def table(server: str, rows: pd.DataFrame) -> str:
    """Name of the table that holds the rows in PostgreSQL."""
    with psycopg.connect(server) as connection:
        fill(connection, TABLE, rows, {made.FLAG: "boolean", made.SITE: "varchar(40)", **TYPES})
    return TABLE


def fill(connection: psycopg.Connection, name: str, rows: pd.DataFrame, types: dict[str, str]) -> None:
    """Make a table of rows; a type that is not named follows from the column."""
    usual = {column: "double precision" if rows[column].dtype.kind == "f" else "text" for column in rows}
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in {**usual, **types}.items()
    )
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(name), columns))
    order = sql.SQL(", ").join(sql.Identifier(column) for column in {**usual, **types})
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), order)
    with connection.cursor().copy(into) as copy:
        for cells in rows[list({**usual, **types})].itertuples(index=False):
            copy.write_row(list(cells))


@pytest.fixture(scope="session")
def engines(cohort: Cohort, folder: Path, server: str, table: str) -> Iterator[dict[str, Engine]]:
    """The same rows in memory, in Parquet, in CSV and in PostgreSQL."""
    parquet, csv = open_file(folder / "data.parquet"), open_file(folder / "data.csv")
    with parquet as over_parquet, csv as over_csv, open_postgres(server, table) as postgres:
        yield {"memory": engine_of(cohort), "parquet": over_parquet, "csv": over_csv, "postgres": postgres}
