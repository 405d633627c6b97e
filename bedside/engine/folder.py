"""Parquet files of one folder as one table: read, never written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from bedside.engine.duck import DuckEngine, engine_over
from bedside.engine.gone import Stamp, changed, stamp_of
from bedside.errors import Fixable
from bedside.intake.duck import literal, open_duck

MOST_FILES = 10_000
ENDINGS = (".parquet", ".pq")


class FilesEngine(DuckEngine):
    """Files that DuckDB reads as one table; it stops once they are not the files that it was opened on."""

    def watched(self, files: tuple[Path, ...]) -> FilesEngine:
        """The same, which looks at these files before each question."""
        self._files, self._stamp = files, stamp_of(files)
        return self

    _files: tuple[Path, ...] = ()
    _stamp: Stamp = ()

    def _ask(self, tree: exp.Expression, values: dict[str, Any]) -> pa.Table:
        if stamp_of(self._files) != self._stamp:
            raise changed()
        return super()._ask(tree, values)


def parquet_files(place: Path) -> tuple[Path, ...]:
    """The Parquet files of a folder and the folders in it, sorted; of a file that file. Links that lead out are none.

    Raises
    ------
    Fixable
        If there is none, or there are more than `MOST_FILES`.
    """
    root = place.resolve()
    if root.is_file():
        return (root,)
    found: list[Path] = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        inside = (Path(folder) / name for name in names if name.lower().endswith(ENDINGS) and name[0] not in "._")
        found += [path for path in inside if path.resolve().is_relative_to(root)]
        if len(found) > MOST_FILES:
            raise Fixable(
                "The folder could not be opened.",
                f"It holds more than {MOST_FILES:,} Parquet files.",
                "Write them together into fewer files.",
            )
    if not found:
        raise Fixable(
            "The folder could not be opened.",
            "There are no Parquet files in it.",
            "Check where the files are, and that this account may read them.",
        )
    return tuple(sorted(found))


@contextmanager
def open_files(place: Path) -> Iterator[FilesEngine]:
    """A Parquet file, or all of a folder as one table; columns go together by name.

    Yields
    ------
    FilesEngine
        Usable until the block ends.

    Raises
    ------
    Fixable
        If a file cannot be read, or the files are not parts of one table.
    """
    files = parquet_files(place)
    folder = place if place.is_dir() else place.parent
    own, mixed = _columns(files)
    with open_duck(folder) as duck:
        parts = any("=" in part for file in files for part in file.relative_to(folder.resolve()).parts[:-1])
        read = exp.Anonymous(
            this="read_parquet",
            expressions=[
                exp.Placeholder(this="files"),
                exp.Kwarg(this=exp.var("union_by_name"), expression=_truth(mixed)),
                exp.Kwarg(this=exp.var("hive_partitioning"), expression=_truth(parts)),
            ],
        )
        told = {"files": [literal(file) for file in files]}
        try:
            schema = duck.query(exp.select("*").from_(read.copy()).limit(0).sql("duckdb"), told).schema
        except duckdb.Error as error:
            raise _apart(f"DuckDB stopped with {type(error).__name__}") from None
        # DuckDB gives another name to the second of two that differ in case only; what stands in folders comes last.
        names = [*own, *schema.names[len(own) :]]
        engine = engine_over(FilesEngine, duck, read, names, list(schema.types), told)
        yield engine.watched(files)


def _columns(files: Sequence[Path]) -> tuple[list[str], bool]:
    """Names of the columns, and whether the files have them in several orders.

    Raises
    ------
    Fixable
        If they have not the same columns, or one can't be read.
    """
    first: list[str] = []
    mixed = False
    for file in files:
        try:
            names = list(pq.read_schema(file).names)
        except (pa.ArrowException, OSError):
            raise Fixable(
                "The folder could not be opened.",
                f"“{file.name}” is not a Parquet file that can be read.",
                "Check the file, or write it again.",
            ) from None
        first = first or names
        if sorted(names) != sorted(first):
            raise _apart(f"“{file.name}” has other columns than “{files[0].name}”")
        mixed = mixed or names != first
    # By name DuckDB takes names that differ in case only for one.
    if mixed and len({name.casefold() for name in first}) < len(first):
        raise _apart("they have columns in several orders, and names that differ in case only")
    return first, mixed


def _apart(why: str) -> Fixable:
    return Fixable(
        "The folder could not be opened.",
        f"Its Parquet files are not parts of one table: {why}.",
        "Name one file, or a folder with the parts of one table only.",
    )


def _truth(value: bool) -> exp.Expression:
    return exp.true() if value else exp.false()
