"""A staged file as its plan reads it: typed columns, and what was put right, as one query over the file."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from bedside.errors import Fixable
from bedside.intake.cells import ROW
from bedside.intake.duck import literal
from bedside.intake.plan import Plan
from bedside.intake.staging import Progress, Staged, gone
from bedside.intake.stepping import Stepped, stepped
from bedside.intake.steps import Step
from bedside.intake.typed import LOST, is_lossy, typed_file

KEPT_CELLS = 3_000_000
"""Cells up to which the rows are held; of more they are looked up where they were written down."""
_MEMORY = "800MB"
_SETTINGS = {
    "autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "threads": "2",
    "allow_community_extensions": "false", "python_enable_replacements": "false", "memory_limit": _MEMORY,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Working:
    """One connection over one staged file.

    Attributes
    ----------
    staged, plan
    connection : duckdb.DuckDBPyConnection
    table : str
        The view with ``row`` (from 1) and ``c0``, ``c1`` and so on as the plan reads them, after all its steps.
    lost : str
        The view with ``row``, and of columns of numbers and dates written as text, under the same names, whether a
        cell holds something else; of all rows.
    dropped : tuple of int
        Rows that each step has left out.
    known : dict
        Names of tables that were worked out once, by what they hold.
    """

    staged: Staged
    plan: Plan
    connection: duckdb.DuckDBPyConnection
    table: str
    lost: str
    dropped: tuple[int, ...] = ()
    known: dict[str, str] = field(default_factory=dict, repr=False)
    _numbers: Iterator[int] = field(default_factory=count, repr=False)

    def ask(self, query: exp.Query) -> list[tuple[Any, ...]]:
        """Rows of a query that was written as a tree."""
        with self.connection.cursor() as cursor:
            return cursor.execute(query.sql(dialect="duckdb")).fetchall()

    def keep(self, query: exp.Query) -> str:
        """Work out a query once; the name of the table that holds what it found."""
        with self.connection.cursor() as cursor:
            name = f"kept_{next(self._numbers)}"
            cursor.sql(query.sql(dialect="duckdb")).create(name)
        return name

    def hold(self, table: pa.Table) -> str:
        """Keep a table that was made here; its name."""
        with self.connection.cursor() as cursor:
            name = f"kept_{next(self._numbers)}"
            cursor.from_arrow(table).create(name)
        return name

    def one(self, *what: exp.Expr, where: exp.Expr | None = None, table: str = "") -> tuple[Any, ...]:
        """A single row of aggregates."""
        query = exp.select(*what).from_(table or self.table)
        return self.ask(query if where is None else query.where(where))[0]

    def rows(self, where: exp.Expr, most: int = 20, table: str = "") -> tuple[int, ...]:
        """Numbers of the first rows that meet a condition."""
        query = (
            exp.select(exp.column(ROW)).from_(table or self.table).where(where).order_by(exp.column(ROW)).limit(most)
        )
        return tuple(row for (row,) in self.ask(query))

    def count(self, where: exp.Expr, table: str = "") -> int:
        """How many rows meet a condition."""
        return self.one(exp.Count(this=exp.Star()), where=where, table=table)[0]

    def at(self, name: str) -> exp.Column:
        """A column by the name it was staged under."""
        return exp.column(self.staged.place(name))

    def written(self, name: str) -> exp.Column:
        """A column as it was written, in the view ``written``."""
        return exp.column(self.staged.place(name))


@contextmanager
def open_working(
    staged: Staged, plan: Plan, *, steps: Sequence[Step] | None = None, progress: Progress | None = None
) -> Iterator[Working]:
    """Open a staged file; what does not fit in memory is put beside it, in the same private folder.

    Parameters
    ----------
    staged : Staged
    plan : Plan
    steps : sequence of Step, optional
        Instead of the plan's.
    progress : callable, optional
        Told while the columns of a large file are read for the first time.
    """
    with _connected(staged) as connection:
        _typed(connection, staged, plan, progress)
        made: Stepped = stepped(connection, staged, plan, plan.steps if steps is None else steps, "typed")
        yield Working(staged, plan, connection, made.table, "lost", made.dropped)


@contextmanager
def open_written(staged: Staged) -> Iterator[Working]:
    """Open a staged file as it was written: its table has every cell as it stands."""
    with _connected(staged) as connection:
        yield Working(staged, Plan(), connection, "written", "")


@contextmanager
def _connected(staged: Staged) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:", config=_SETTINGS)
    try:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET temp_directory = $folder", {"folder": str(staged.file.parent / "spill")})
        _written(connection, staged)
        yield connection
    except duckdb.OutOfMemoryException:
        raise Fixable(
            "This file is too large to be worked on.", "It takes more memory than an import may.",
            "Leave out columns that are not needed, and bring it again.",
        ) from None  # fmt: skip
    except (duckdb.IOException, FileNotFoundError):
        if staged.file.is_file():
            raise
        raise gone() from None
    except duckdb.BinderException:
        # Kinds are the reader's to choose, and a recipe's: a follow-up that is said to be a date is none.
        logging.getLogger("bedside").error("a staged file and its plan do not fit together")
        raise Fixable(
            "The columns can't be read like this together.",
            "One is said to be of a kind that what it is used for can't be, as a follow-up that is a date.",
            "Look at how the columns of the outcomes and the identifier are read.",
        ) from None
    finally:
        connection.close()


def _written(connection: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    rows = connection.sql(
        "SELECT * FROM read_parquet($file, file_row_number = true)", params={"file": literal(staged.file)}
    )
    rows.create_view("file")
    connection.sql(_numbered(staged, "file").sql(dialect="duckdb")).create_view("written")


def _numbered(staged: Staged, table: str) -> exp.Select:
    """The columns of a Parquet file with the number of each row, from 1."""
    number = exp.Add(this=exp.column("file_row_number"), expression=exp.Literal.number(1))
    return exp.select(number.as_(ROW), *(exp.column(f"c{i}") for i in range(len(staged.columns)))).from_(table)


# ------------------------------------------------------------------ typed columns


def _typed(connection: duckdb.DuckDBPyConnection, staged: Staged, plan: Plan, progress: Progress | None) -> None:
    """Make ``typed`` with the columns as they are read, and ``lost``, which says of each cell whether that failed.

    Each column is read by itself: one query over all of them takes memory for every step of every expression, and
    with some forty columns more than there is, however few the rows are.
    """
    file = typed_file(staged, plan, connection, progress)
    connection.sql(
        "SELECT * FROM read_parquet($file, file_row_number = true)", params={"file": literal(file)}
    ).create_view("typed_file")
    small = staged.n_rows * len(staged.columns) <= KEPT_CELLS
    for name, query in (("typed", _numbered(staged, "typed_file")), ("lost", _lost(staged, plan))):
        found = connection.sql(query.sql(dialect="duckdb"))
        # A table is bound in a moment however many columns it has; a view is understood anew for every question.
        (found.create if small else found.create_view)(name)


def _lost(staged: Staged, plan: Plan) -> exp.Select:
    """What could not be read, as it stands in the file of typed columns."""
    number = exp.Add(this=exp.column("file_row_number"), expression=exp.Literal.number(1))
    there = {column.name for column in staged.columns}
    places = [staged.place(c.name) for c in plan.columns if c.name in there and is_lossy(staged, c)]
    return exp.select(number.as_(ROW), *(exp.column(f"{LOST}{p[1:]}").as_(p) for p in places)).from_("typed_file")
