"""The columns of a file as its plan reads them, worked out once and kept beside it.

Whatever is counted afterwards (how an outcome is read, what looks wrong, what an import would leave out) reads whole
numbers, days and trimmed words instead of going through all cells as they were written again. Every different cell of
a part of the file is understood once, however many rows hold it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlglot import exp

from bedside.errors import Fixable
from bedside.intake.cells import BLANKS, known, trimmed, value_of
from bedside.intake.columns import MISSING
from bedside.intake.dates import DateStyle, read_date
from bedside.intake.plan import ColumnPlan, Plan
from bedside.intake.staging import Progress, Staged, sealed

MOST_WAYS = 1_000_000
"""Different cells of one column of dates."""
MOST_FILES = 3
"""Ways of reading one staged file that are kept: an answer may be taken back."""
PART = 122_880
LOST = "lost"
"""Before the number of a column: whether a cell holds something that it can't be read as."""
_TYPES = {"date": pa.date32(), "continuous": pa.float64()}
_FORM = 1
_PLAIN = {".": r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$", ",": r"^-?[0-9]{1,15}$"}
"""Numbers that need no thought, by decimal mark."""

Reader = Callable[[pa.Array], tuple[pa.Array, pa.Array | None]]


def typed_file(staged: Staged, plan: Plan, connection: duckdb.DuckDBPyConnection, progress: Progress | None) -> Path:
    """Parquet with ``c0``, ``c1`` and so on as the plan reads them, and ``lost0`` and so on where cells can be lost.

    Parameters
    ----------
    staged : Staged
    plan : Plan
    connection : duckdb.DuckDBPyConnection
        Works the expressions out.
    progress : callable or None

    Returns
    -------
    Path
        In the folder of the staged file, and gone with it.
    """
    folder = staged.file.parent
    out = folder / f"typed-{_seal(staged, plan)}.parquet"
    with _alone(folder):
        if not out.exists():
            _write(staged, plan, connection, out, progress or (lambda share, sentence: None))
        os.utime(out)
        _forget(folder)
    return out


def is_lossy(staged: Staged, own: ColumnPlan) -> bool:
    """True if cells of a column may hold something else than the plan says."""
    kind = staged.column(own.name).kind
    return (own.kind in _TYPES and kind == "text") or (own.kind == "date" and kind == "number")


def _seal(staged: Staged, plan: Plan) -> str:
    """What tells one way of reading the file from another."""
    seen = staged.file.stat()
    columns = sorted((c.name, c.kind, c.decimal, sorted(c.missing), c.day_first, c.serials) for c in plan.columns)
    told = [_FORM, seen.st_size, seen.st_mtime_ns, plan.time_zone, plan.this_year, columns]
    return sha256(json.dumps(told).encode("utf-8", "surrogatepass")).hexdigest()[:24]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two jobs about one file do not work the same out twice: the second waits, and finds it."""
    with (folder / "typed.lock").open("wb") as held:
        sealed(folder / "typed.lock")
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _forget(folder: Path) -> None:
    files = sorted(folder.glob("typed-*.parquet"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in files[MOST_FILES:]:
        old.unlink(missing_ok=True)


# ------------------------------------------------------------------ writing


def _write(staged: Staged, plan: Plan, connection: duckdb.DuckDBPyConnection, out: Path, progress: Progress) -> None:
    planned = {column.name: column for column in plan.columns}
    own = [planned.get(column.name) or ColumnPlan(column.name, "drop", "text") for column in staged.columns]
    readers = [_reader(staged, plan, each, connection) for each in own]
    fields = [pa.field(f"c{i}", _TYPES.get(each.kind, pa.string())) for i, each in enumerate(own)]
    fields += [pa.field(f"{LOST}{i}", pa.bool_()) for i, each in enumerate(own) if is_lossy(staged, each)]
    schema = pa.schema(fields)
    texts = [f"c{i}" for i, column in enumerate(staged.columns) if column.kind == "text"]
    draft = out.with_suffix(".draft")
    try:
        with (
            pq.ParquetFile(staged.file, read_dictionary=texts) as source,
            pq.ParquetWriter(draft, schema, compression="snappy") as writer,
        ):
            sealed(draft)
            for i in range(source.num_row_groups):
                writer.write_table(_typed(source.read_row_group(i), readers, schema), row_group_size=PART)
                progress((i + 1) / source.num_row_groups, "Reading the columns")
        draft.rename(out)
    finally:
        draft.unlink(missing_ok=True)


def _typed(part: pa.Table, readers: list[Reader], schema: pa.Schema) -> pa.Table:
    made: dict[str, pa.Array] = {}
    for i, read in enumerate(readers):
        values, lost = read(_whole(part, f"c{i}"))
        made[f"c{i}"] = values
        if lost is not None:
            made[f"{LOST}{i}"] = lost
    return pa.table({name: made[name].cast(schema.field(name).type) for name in schema.names}, schema=schema)


def _reader(staged: Staged, plan: Plan, own: ColumnPlan, connection: duckdb.DuckDBPyConnection) -> Reader:
    column = staged.column(own.name)
    if column.kind == "text" and own.kind == "date":
        style = DateStyle(own.day_first, own.serials, plan.time_zone, plan.this_year)
        return _coded(_Days(own.name, style, frozenset(own.missing)))
    if column.kind == "text" and own.kind != "continuous":
        return _coded(_Words(sorted(MISSING | set(own.missing))))
    asked = _Asked(connection, staged, plan, own)
    return _coded(_Plain(asked, own)) if column.kind == "text" else asked


@dataclass(frozen=True, eq=False)
class _Plain:
    """Numbers that are all written plainly, read at once; others by the expression, which takes its time."""

    otherwise: Reader
    own: ColumnPlan

    def __call__(self, cells: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        odd = pc.invert(pc.match_substring_regex(cells, _PLAIN[self.own.decimal]))
        if self.own.missing:
            odd = pc.or_(odd, pc.is_in(cells, pa.array(self.own.missing, cells.type)))
        if pc.any(odd).as_py():
            return self.otherwise(cells)
        return pc.cast(cells, pa.float64()), pc.and_(pc.is_null(cells), pa.scalar(False))


@dataclass(eq=False)
class _Asked:
    """Cells read by an expression."""

    connection: duckdb.DuckDBPyConnection
    staged: Staged
    plan: Plan
    own: ColumnPlan

    @cached_property
    def query(self) -> str:
        column, cell = self.staged.column(self.own.name), exp.column("cell")
        value = value_of(cell, column, self.own, self.plan.time_zone)
        query = exp.select(value.as_("value")).from_("cells")
        if is_lossy(self.staged, self.own):
            something = known(trimmed(cell), self.own).is_(exp.Null()).not_()
            query = query.select(exp.and_(something, value.copy().is_(exp.Null())).as_(LOST))
        return query.sql(dialect="duckdb")

    def __call__(self, cells: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        with self.connection.cursor() as cursor:
            cursor.register("cells", pa.table({"cell": cells}))
            found = cursor.sql(self.query).to_arrow_table()
            cursor.unregister("cells")
        return _whole(found, "value"), _whole(found, LOST) if LOST in found.column_names else None


@dataclass(frozen=True, eq=False)
class _Words:
    """Cells read as text, as `known` of `trimmed` does."""

    gone: list[str]

    def __call__(self, cells: pa.Array) -> tuple[pa.Array, None]:
        bare = pc.utf8_trim(cells, characters=BLANKS)
        return pc.if_else(pc.is_in(bare, pa.array(self.gone, bare.type)), pa.scalar(None, bare.type), bare), None


def _whole(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)


@dataclass(eq=False)
class _Days:
    """Cells read as days; every way of writing a date is understood once."""

    name: str
    style: DateStyle
    gone: frozenset[str]
    _seen: dict[Any, tuple[date | None, bool]] = field(default_factory=lambda: {None: (None, False)})

    def __call__(self, cells: pa.Array) -> tuple[pa.Array, pa.Array]:
        texts, seen = cells.to_pylist(), self._seen
        for text in texts:
            if text not in seen:
                seen[text] = self._read(text.strip(BLANKS))
        if len(seen) > MOST_WAYS:
            raise Fixable(
                "This file is too large to be worked on.",
                f"The column “{self.name}” holds more than {MOST_WAYS:,} different dates.",
                "Shorten points in time to days where it came from, and bring it again.",
            )
        found = [seen[text] for text in texts]
        return pa.array([day for day, _ in found], pa.date32()), pa.array([lost for _, lost in found], pa.bool_())

    def _read(self, text: str) -> tuple[date | None, bool]:
        if not text or text in self.gone:
            return None, False
        day = read_date(text, self.style).day
        return day, day is None and text not in MISSING


def _coded(read: Reader) -> Reader:
    """Reads every different cell of a part once."""

    def of(cells: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        if not pa.types.is_dictionary(cells.type):
            return read(cells)
        values, lost = read(cells.dictionary)
        return values.take(cells.indices), None if lost is None else lost.take(cells.indices).fill_null(False)

    return of
