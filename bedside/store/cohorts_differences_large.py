"""Patients and cells of two versions that are too large to be read, compared in both files at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from bedside.cohort import Cohort
from bedside.engine.duck import DuckEngine, engine_over
from bedside.engine.tree import DATED, Question
from bedside.errors import Fixable
from bedside.intake.cells import as_code, trimmed
from bedside.intake.columns import MISSING
from bedside.intake.duck import Duck, literal, open_duck

AT_ONCE = 12_000_000
"""Cells of each file that are compared in one question: they are held in memory side by side."""
NAME = "name"


@dataclass(frozen=True)
class Compared:
    """What two files have in common.

    Attributes
    ----------
    again : int
        Patients who are in both, by identifier.
    cells : dict of str to int
        Of these, how many have another value in a column.
    undone : list of int
        Of these, how many had each kind of event and now have none.
    """

    again: int
    cells: dict[str, int]
    undone: list[int]


@dataclass(frozen=True)
class Cause:
    """One kind of event of an outcome in two versions: its status and codes, and the later status and every event."""

    key: str
    name: str
    status: str
    codes: tuple[str, ...]
    later: str
    any_event: tuple[str, ...]


def compared(
    files: Sequence[Path], of: Sequence[Cohort], names: Sequence[str], causes: Sequence[Cause] = ()
) -> Compared:
    """Count in two Parquet files below one folder what is another in the second.

    Parameters
    ----------
    files : sequence of Path
        The older one first.
    of : sequence of Cohort
        What their columns are; both have an identifier.
    names : sequence of str
        Columns that are of one kind in both.
    causes : sequence of Cause

    Raises
    ------
    Fixable
        If both together take more memory than there is, or a file can't be read.
    """
    step = max(1, AT_ONCE // max(len(of[1]), 1))
    cells: dict[str, int] = {}
    try:
        with open_duck(files[0].parent.parent) as duck:
            sides = [
                _Side(duck, file, cohort, f"file{i}") for i, (file, cohort) in enumerate(zip(files, of, strict=True))
            ]
            (again,) = _asked(duck, sides, ())
            for start in range(0, len(names), step):
                part = names[start : start + step]
                cells |= dict(zip(part, _asked(duck, sides, part)[1:], strict=True))
            undone = _undone(duck, sides, causes)
    except duckdb.OutOfMemoryException:
        raise Fixable(
            "These versions can't be compared.", "Both together take more memory than there is for it.",
            "Open each of them, and compare what the overview says.",
        ) from None  # fmt: skip
    except duckdb.Error as error:
        raise Fixable(
            "These versions can't be compared.", f"DuckDB stopped ({type(error).__name__}).",
            "Check that both files are whole and still where they were.",
        ) from error  # fmt: skip
    return Compared(again, cells, undone)


class _Side:
    """One of the two files."""

    def __init__(self, duck: Duck, file: Path, cohort: Cohort, place: str) -> None:
        schema = pq.read_schema(file)
        read = exp.Anonymous(this="read_parquet", expressions=[
            exp.Placeholder(this=place),
            exp.Kwarg(this=exp.var("hive_partitioning"), expression=exp.false()),
        ])  # fmt: skip
        kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in schema.types]
        self.cohort, self.told = cohort, {place: literal(file)}
        self.engine = engine_over(DuckEngine, duck, read, list(schema.names), kinds, self.told)

    def rows(self, names: Sequence[str], values: dict[str, Any]) -> exp.Select:
        """The identifier and some columns, each as it is compared; the values that it needs go among ``values``."""
        question = self.engine.question()
        question.values = values
        assert self.cohort.identifier is not None  # the caller has looked
        told = [_text(question, self.cohort.identifier).as_(NAME)]
        told += [_value(question, self.cohort, name).as_(f"x{i}") for i, name in enumerate(names)]
        return question.select(*told, where=None)


def _asked(duck: Duck, sides: Sequence[_Side], names: Sequence[str]) -> tuple[int, ...]:
    """Patients in both, and of each column how many have another value there."""
    other = [
        exp.NullSafeNEQ(this=exp.column(f"x{i}", table="old"), expression=exp.column(f"x{i}", table="new"))
        for i in range(len(names))
    ]
    return _joined(duck, sides, (names, names), other)


def _undone(duck: Duck, sides: Sequence[_Side], causes: Sequence[Cause]) -> list[int]:
    """How many had each kind of event before, and none after."""
    gone = [
        exp.and_(
            exp.column(f"x{i}", table="old").isin(*each.codes),
            exp.func("coalesce", exp.column(f"x{i}", table="new").isin(*each.any_event), exp.false()).not_(),
        )
        for i, each in enumerate(causes)
    ]
    return list(_joined(duck, sides, ([each.status for each in causes], [each.later for each in causes]), gone)[1:])


def _joined(
    duck: Duck, sides: Sequence[_Side], names: Sequence[Sequence[str]], wanted: Sequence[exp.Expression]
) -> tuple[int, ...]:
    """Patients in both, and how many of them meet each condition on the columns ``x0``, ``x1`` and so on."""
    values: dict[str, Any] = {}
    old, new = (
        side.rows(own, values).subquery(alias) for side, own, alias in zip(sides, names, ("old", "new"), strict=True)
    )
    same = exp.EQ(this=exp.column(NAME, table="old"), expression=exp.column(NAME, table="new"))
    counted = [exp.alias_(exp.func("count_if", each), f"n{i}") for i, each in enumerate(wanted)]
    tree = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n"), *counted).from_(old).join(new, on=same)
    told = {**sides[0].told, **sides[1].told, **values}
    return tuple(int(column[0].as_py() or 0) for column in duck.query(tree.sql("duckdb"), told).columns)


def _value(question: Question, cohort: Cohort, name: str) -> exp.Expression:
    """A cell as it would be read: a number, a point in time, or a code."""
    numeric = cohort.variable(name).is_numeric if cohort.has(name) else name not in {o.status for o in cohort.outcomes}
    if numeric:
        return exp.cast(question.number(name), "double")
    return question.shown(name) if question.fields[name].family in DATED else _text(question, name)


def _text(question: Question, name: str) -> exp.Expression:
    bare = trimmed(question.text(name))
    gone = exp.In(this=bare, expressions=[exp.Literal.string(text) for text in sorted(MISSING - {""})])
    return exp.Case().when(gone, exp.null()).else_(as_code(bare))
