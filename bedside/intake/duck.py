"""DuckDB with the doors closed: it reads the files of one folder and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

_CLOSED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "2GB",
    "threads": "2",
}

_CSV = """
SELECT * FROM read_csv(
    $file, auto_detect = false, header = true, delim = $delimiter, quote = '"', escape = '"',
    columns = $columns, nullstr = '', strict_mode = true, max_line_size = 16777216
)
"""
_PARQUET = "SELECT * FROM read_parquet($file)"


class Duck:
    """One connection. Every query takes a cursor of its own.

    A connection shared between threads hands one thread the rows of another
    thread's query; cursors keep them apart.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def query(self, sql: str, values: dict[str, Any]) -> pa.Table:
        """Rows of a query as an Arrow table; ``values`` travel as parameters, never as text."""
        with self._connection.cursor() as cursor:
            return cursor.sql(sql, params=values).to_arrow_table()

    def csv(self, path: Path, *, delimiter: str, n_columns: int) -> pa.Table:
        """A CSV file with a header, every cell as text, columns named by place."""
        columns = {f"c{i}": "VARCHAR" for i in range(n_columns)}
        return self.query(_CSV, {"file": str(path), "delimiter": delimiter, "columns": columns})

    def parquet(self, path: Path) -> pa.Table:
        """A Parquet file."""
        return self.query(_PARQUET, {"file": str(path)})


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
    connection = duckdb.connect(":memory:", config=_CLOSED)
    try:
        connection.execute("SET temp_directory = ''")
        connection.execute("SET TimeZone = 'UTC'")
        # Directories must be named while access is still open; afterwards nothing can be changed.
        connection.execute("SET allowed_directories = $folders", {"folders": [f"{folder.resolve()}/"]})
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield Duck(connection)
    finally:
        connection.close()
