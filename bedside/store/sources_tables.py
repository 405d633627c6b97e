"""What a source holds: its tables with their columns and about how many rows, without counting one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from bedside.engine.database import open_database
from bedside.engine.folder import ENDINGS, parquet_files
from bedside.errors import Fixable

if TYPE_CHECKING:
    import psycopg

MOST_TABLES = 2_000
MOST_SCHEMAS_READ = 200
"""Parquet files of a table whose rows are added up."""

_DUCKDB = """
SELECT c.schema_name, c.table_name, t.estimated_size, coalesce(t.comment, v.comment), c.column_name, c.data_type
FROM duckdb_columns() c
LEFT JOIN duckdb_tables() t ON t.database_oid = c.database_oid AND t.table_oid = c.table_oid
LEFT JOIN duckdb_views() v ON v.database_oid = c.database_oid AND v.view_oid = c.table_oid
WHERE NOT c.internal AND c.database_name = 'source'
ORDER BY c.schema_name, c.table_name, c.column_index
"""
_POSTGRES = """
SELECT n.nspname, c.relname, CASE WHEN c.reltuples >= 0 AND c.relkind <> 'v' THEN c.reltuples::bigint END,
       obj_description(c.oid, 'pg_class'), a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT c.relispartition AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY n.nspname, c.relname, a.attnum
"""
_MAY_WRITE = """
SELECT coalesce(bool_or(has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')), false)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
"""


@dataclass(frozen=True)
class Seen:
    """A column of a table, and its type as the source calls it."""

    name: str
    type: str


@dataclass(frozen=True)
class Table:
    """A table, a view, a file or a folder that can be read.

    Attributes
    ----------
    schema, name : str
        What `Source.engine` takes.
    columns : tuple of Seen
    about : int or None
        About how many rows, where the source knows without counting.
    note : str
        What its owner wrote about it.
    """

    schema: str
    name: str
    columns: tuple[Seen, ...] = ()
    about: int | None = None
    note: str = ""


def in_duckdb(file: Path) -> tuple[Table, ...]:
    """Tables and views of a DuckDB file."""
    with open_database(file) as connection:
        try:
            return _gathered(connection.execute(_DUCKDB).fetchall())
        except duckdb.Error as error:
            raise Fixable(
                "The database file could not be read.",
                f"DuckDB stopped ({type(error).__name__}).",
                "Check that the file is whole.",
            ) from None


def in_postgres(connection: psycopg.Connection) -> tuple[Table, ...]:
    """Tables and views that the account may read."""
    return _gathered(connection.execute(_POSTGRES).fetchall())


def writable_in_postgres(connection: psycopg.Connection, schema: str, table: str) -> bool:
    """True if the account may change a table."""
    import psycopg

    found = psycopg.RawCursor(connection).execute(_MAY_WRITE, (schema, table)).fetchone()
    return bool(found and found[0])


def _gathered(rows: Iterable[tuple[str, str, int | None, str | None, str, str]]) -> tuple[Table, ...]:
    """Tables from a line for each column."""
    found: dict[tuple[str, str], Table] = {}
    columns: dict[tuple[str, str], list[Seen]] = {}
    for schema, name, about, note, column, kind in rows:
        key = (schema, name)
        if key not in found and len(found) >= MOST_TABLES:
            break
        found.setdefault(key, Table(schema, name, (), about, note or ""))
        columns.setdefault(key, []).append(Seen(column, kind))
    return tuple(Table(t.schema, t.name, tuple(columns[key]), t.about, t.note) for key, t in found.items())


# ------------------------------------------------------------------ files


def in_parquet(root: Path) -> tuple[Table, ...]:
    """The folder's own files as one table if they have the same columns, else each by itself; and each folder in it.

    Raises
    ------
    Fixable
        If nothing there can be read.
    """
    place = root.resolve()
    if place.is_file():
        return _told("", [place])
    parquet_files(place)
    own = [p for p in sorted(place.iterdir()) if p.is_file() and p.suffix.lower() in ENDINGS and p.name[0] not in "._"]
    folders = [p for p in sorted(place.iterdir()) if p.is_dir() and p.name[0] not in "._"]
    if any("=" in folder.name for folder in folders):
        return _told("", list(parquet_files(place)))
    found: list[Table] = []
    if own and len({_columns(path) for path in own}) == 1 and not folders:
        found += _told("", own)
    else:
        found += [table for path in own for table in _told(path.name, [path])]
    found += [table for folder in folders for table in _told(folder.name, list(_inside(folder)))]
    return tuple(found[:MOST_TABLES])


def _inside(folder: Path) -> Iterator[Path]:
    try:
        yield from parquet_files(folder)
    except Fixable:
        return  # a folder without tables is none


def _told(name: str, files: list[Path]) -> tuple[Table, ...]:
    if not files:
        return ()
    try:
        schema = pq.read_schema(files[0])
        few = len(files) <= MOST_SCHEMAS_READ
        about = sum(pq.read_metadata(file).num_rows for file in files) if few else None
    except (pa.ArrowException, OSError):
        return (Table("", name, (), None, "It can't be read."),)
    return (Table("", name, tuple(Seen(field.name, str(field.type)) for field in schema), about),)


def _columns(path: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(pq.read_schema(path).names))
    except (pa.ArrowException, OSError):
        return (str(path),)
