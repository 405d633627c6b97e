"""The embedded engine: DuckDB over a Parquet or CSV file, with its doors closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from bedside.engine.gone import let_go, too_large, too_long
from bedside.engine.sql import SqlEngine, family_of
from bedside.engine.tree import Field
from bedside.errors import Faults, Fixable
from bedside.intake.duck import Duck, literal, open_duck
from bedside.intake.files import read_table

_TABLE = "patients"
MOST_SECONDS = 60.0
"""Longest that one question may take."""


class DuckEngine(SqlEngine):
    """A file or a table that DuckDB reads; every question has a cursor of its own."""

    dialect: ClassVar[str] = "duckdb"

    def __init__(
        self, duck: Duck, relation: exp.Expression, fields: list[tuple[str, Field]], told: dict[str, Any]
    ) -> None:
        super().__init__(relation, fields)
        self._duck, self._told = duck, told

    def _ask(self, tree: exp.Expression, values: dict[str, Any]) -> pa.Table:
        try:
            return self._duck.query(tree.sql(self.dialect), {**self._told, **values}, most_seconds=MOST_SECONDS)
        except duckdb.InterruptException:
            raise too_long() from None
        except duckdb.OutOfMemoryException:
            raise too_large() from None
        except duckdb.ConnectionException:
            raise let_go() from None
        except duckdb.Error as error:
            raise Fixable(
                "The file could not be counted.",
                f"DuckDB stopped ({type(error).__name__}).",
                "Check that the file is whole and still where it was.",
            ) from error


EngineT = TypeVar("EngineT", bound=DuckEngine)


@contextmanager
def open_file(path: Path) -> Iterator[DuckEngine]:
    """A Parquet file, read in place, or a CSV file, read once.

    Parameters
    ----------
    path : Path
        Its ending is ``.parquet``, ``.pq`` or that of text.

    Yields
    ------
    DuckEngine
        Usable until the block ends.

    Raises
    ------
    Fixable
        If the file cannot be read.
    """
    with open_duck(path.parent) as duck:
        yield _parquet(duck, path) if path.suffix.lower() in (".parquet", ".pq") else _csv(duck, path)


def _parquet(duck: Duck, path: Path) -> DuckEngine:
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise Fixable(
            "The file could not be opened.",
            f"“{path.name}” is not a Parquet file that can be read.",
            "Check the file, or export it again.",
        ) from error
    read = exp.Anonymous(
        this="read_parquet",
        expressions=[
            exp.Placeholder(this="file"),
            exp.Kwarg(this=exp.var("hive_partitioning"), expression=exp.false()),
        ],
    )
    kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in schema.types]
    return engine_over(DuckEngine, duck, read, list(schema.names), kinds, {"file": literal(path)})


def _csv(duck: Duck, path: Path) -> DuckEngine:
    table, faults = read_table(duck, path)
    if table is None or faults:
        raise Faults(f"The file “{path.name}” could not be read.", faults)
    rows = pa.table({f"c{i}": pa.array(column.texts(), pa.string()) for i, column in enumerate(table.columns)})
    duck.keep(_TABLE, rows)
    return engine_over(
        DuckEngine, duck, exp.to_identifier(_TABLE, quoted=True), list(table.names), rows.schema.types, {}
    )


def engine_over(
    made: type[EngineT],
    duck: Duck,
    source: exp.Expression,
    names: list[str],
    kinds: list[pa.DataType],
    told: dict[str, Any],
) -> EngineT:
    """Columns go by their place: DuckDB takes names that differ in case only for one."""
    places = [exp.to_identifier(f"c{i}", quoted=True) for i in range(len(names))]
    relation = exp.Table(this=source, alias=exp.TableAlias(this=exp.to_identifier("held", quoted=True), columns=places))
    fields = [(name, Field(f"c{i}", family_of(kinds[i]))) for i, name in enumerate(names)]
    return made(duck, relation, fields, told)
