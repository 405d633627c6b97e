"""DuckDB with the doors closed: it reads the files of one folder and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb
import pyarrow as pa

MOST_BYTES = 2 * 10**9
"""The largest table that is opened, as it lies in memory."""

_BATCH = 100_000
CLOSED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "2GB",
    "threads": "2",
    # Whole numbers of few values (days, arms) are counted in a plain array of up to 2^20 places, in half the time.
    "perfect_ht_threshold": "20",
}
"""Settings of every connection."""

_CSV = """
SELECT * FROM read_csv(
    $file, auto_detect = false, header = false, delim = $delimiter, quote = '"', escape = '"',
    columns = $columns, nullstr = '', strict_mode = true, max_line_size = 16777216,
    compression = 'none', hive_partitioning = false
)
"""
_PARQUET = "SELECT * FROM read_parquet($file, hive_partitioning = false)"


class TooLarge(Exception):
    """A table that does not fit, however small its file is."""


def literal(path: Path) -> str:
    """A path as DuckDB has to be told it: marks that it would search by stand for themselves."""
    return re.sub(r"([*?\[])", r"[\1]", str(path.resolve()))


class Duck:
    """One connection. Every query takes a cursor of its own.

    A connection shared between threads hands one thread the rows of another
    thread's query; cursors keep them apart.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def query(self, sql: str, values: dict[str, Any], *, most_seconds: float | None = None) -> pa.Table:
        """Rows of a query as an Arrow table; ``values`` travel as parameters, never as text.

        Raises
        ------
        duckdb.InterruptException
            If it takes longer than it may.
        """
        with self._connection.cursor() as cursor, within(cursor, most_seconds):
            return cursor.sql(sql, params=values).to_arrow_table()

    def csv(self, path: Path, *, delimiter: str, n_columns: int) -> pa.Table:
        """A CSV file, its header the first row, every cell as text, columns named by place.

        Raises
        ------
        TooLarge
            If the table takes more than ``MOST_BYTES``.
        """
        columns = {f"c{i}": "VARCHAR" for i in range(n_columns)}
        return self._table(_CSV, {"file": literal(path), "delimiter": delimiter, "columns": columns})

    def parquet(self, path: Path) -> pa.Table:
        """A Parquet file.

        Raises
        ------
        TooLarge
            If the table takes more than ``MOST_BYTES``.
        """
        return self._table(_PARQUET, {"file": literal(path)})

    def keep(self, name: str, rows: pa.Table) -> None:
        """Put a table into the connection under a name of ours, for queries to come."""
        with self._connection.cursor() as cursor:
            cursor.from_arrow(rows).create(name)

    def _table(self, sql: str, values: dict[str, Any]) -> pa.Table:
        """A whole file, counted while it is unpacked: what a file says of its own size need not be true."""
        batches, size = [], 0
        with self._connection.cursor() as cursor:
            reader = cursor.sql(sql, params=values).to_arrow_reader(_BATCH)
            for batch in reader:
                size += batch.nbytes
                if size > MOST_BYTES:
                    raise TooLarge
                batches.append(batch)
            return pa.Table.from_batches(batches, reader.schema)


@contextmanager
def within(cursor: duckdb.DuckDBPyConnection, most_seconds: float | None) -> Iterator[None]:
    """Stop what a cursor does in the block once it has taken too long."""
    if most_seconds is None:
        yield
        return
    timer = Timer(most_seconds, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def open_duck(folder: Path) -> Iterator[Duck]:
    """DuckDB that can read ``folder``; no network, no extensions, no spilling, settings locked.

    Parameters
    ----------
    folder : Path
        The only folder whose files can be opened.

    Yields
    ------
    Duck
        Closed when the block ends.
    """
    connection = duckdb.connect(":memory:", config=CLOSED)
    try:
        connection.execute("SET temp_directory = ''")
        connection.execute("SET TimeZone = 'UTC'")
        # Directories must be named while access is still open; afterwards nothing can be changed.
        # A name with marks to search by is compared twice: as it is asked for, and as what was found.
        folders = [f"{folder.resolve()}/", f"{literal(folder)}/"]
        connection.execute("SET allowed_directories = $folders", {"folders": folders})
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield Duck(connection)
    finally:
        connection.close()
