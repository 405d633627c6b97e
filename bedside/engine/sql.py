"""What every database has in common: a tree goes out, an Arrow table comes back, counts are made of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from sqlglot import exp

from bedside.cohort.selection import Selection
from bedside.engine.ask import (
    EVERYONE,
    Chosen,
    Counted,
    Cut,
    Delay,
    Key,
    Level,
    Number,
    Part,
    Text,
    gather,
    part_of_levels,
    part_of_numbers,
)
from bedside.engine.tree import BLANKS, Family, Field, Question, Spelled
from bedside.errors import Fixable
from bedside.intake.columns import Column, clean_name


class SqlEngine(ABC):
    """A table of a database as an engine.

    The table is taken as it was when the engine was opened: how codes are
    written in it is looked up once for each column.

    Parameters
    ----------
    relation : sqlglot expression
        The table, or a function that reads it.
    fields : sequence of (str, Field)
        Its columns' names as the data have them, and as the database knows them.
    """

    dialect: ClassVar[str]

    def __init__(self, relation: exp.Expression, fields: Sequence[tuple[str, Field]]) -> None:
        self._relation = relation
        self._fields = {clean_name(name): known for name, known in fields}
        self.doubled = {name for name, n in Counter(clean_name(name) for name, _ in fields).items() if n > 1}
        """Names that several of its columns have."""
        self._values: dict[str, Any] = {}
        self._written: dict[str, pa.Array] = {}

    @property
    def fields(self) -> dict[str, Field]:
        """Its columns under their cleaned names."""
        return dict(self._fields)

    def refined(
        self, made: Callable[[Question], tuple[dict[str, tuple[exp.Expression, Family]], exp.Expression | None]]
    ) -> Self:
        """The same table with columns made in it, and without the rows that a condition does not hold for.

        Parameters
        ----------
        made : callable
            Given a question about the table, returns each new column's expression and family under its name (one of
            the table's own names replaces that column), and the condition, if any.
        """
        question = self.question()
        columns, where = made(question)
        other = copy(self)
        taken = {known.name.casefold() for known in self._fields.values()}
        other._fields, added = dict(self._fields), []
        for name, (value, family) in columns.items():
            place = f"made_{len(added)}"
            while place.casefold() in taken:
                place += "_"
            taken.add(place.casefold())
            other._fields[name] = Field(place, family)
            added.append(exp.alias_(value, place, quoted=True))
        inner = question.select(exp.Star(), *added, where=where)
        other._relation = inner.subquery(exp.to_identifier("refined", quoted=True))
        other._values, other._written = question.values, {}
        return other

    @abstractmethod
    def _ask(self, tree: exp.Expression, values: dict[str, Any]) -> pa.Table:
        """The answer to a tree whose placeholders have these values; a refusal is a `Fixable`."""

    def counts(self, keys: Sequence[Key], selection: Selection = EVERYONE) -> Counted:
        """As `Engine.counts`."""
        question = self.question()
        tree = question.counted([question.key(key) for key in keys], question.holds(selection))
        answer = self._ask(tree, question.values)
        n = answer.column("n").to_numpy()
        parts = [_part(key, answer.column(f"k{i}")) for i, key in enumerate(keys)]
        return gather(parts, n, len(n))

    def sizes(self, selections: Sequence[Selection]) -> tuple[int, ...]:
        """As `Engine.sizes`."""
        if not selections:
            return ()
        question = self.question()
        totals = [question.total_if(question.holds(s) or exp.true()) for s in selections]
        named = (exp.alias_(total, f"n{i}", quoted=True) for i, total in enumerate(totals))
        answer = self._ask(question.select(*named, where=None), question.values)
        return tuple(int(column[0].as_py()) for column in answer.columns)

    def page(
        self,
        columns: Sequence[Level | Number | Text],
        *,
        order: str,
        selection: Selection = EVERYONE,
        first: int = 0,
        most: int = 50,
    ) -> tuple[np.ndarray, ...]:
        """As `Engine.page`."""
        question = self.question()
        tree = self._rows(question, columns, question.holds(selection))
        tree = tree.order_by(self.by_bytes(question.text(order))).limit(most).offset(first)
        return self._cells(columns, self._ask(tree, question.values))

    def row(
        self,
        columns: Sequence[Level | Number | Text],
        *,
        order: str,
        name: str,
        selection: Selection = EVERYONE,
    ) -> tuple[np.ndarray, ...]:
        """As `Engine.row`, among the selected."""
        question = self.question()
        named, chosen = _named(question, order, name), question.holds(selection)
        tree = self._rows(question, columns, named if chosen is None else exp.and_(chosen, named))
        return self._cells(columns, self._ask(tree, question.values))

    def rows(
        self,
        columns: Sequence[str],
        *,
        selection: Selection = EVERYONE,
        order: str | None = None,
        first: int = 0,
        most: int,
        name: str | None = None,
        loosely: bool = False,
        holding: str = "",
        progress: Callable[[float, str], None] | None = None,
    ) -> pa.Table:
        """Some of the selected rows as they are written, dates among them.

        Parameters
        ----------
        columns : sequence of str
            Names of the columns of the answer.
        selection : Selection
        order : str, optional
            A column by whose text they are ordered, byte by byte.
        first, most : int
            Rows passed over, and the most that come.
        name : str, optional
            Only the rows whose column ``order`` says this.
        loosely : bool
            Also if it says so with blanks around it, or as another way to write the same number; no index helps then.
        holding : str
            Only the rows whose column ``order`` holds this text, in either case.
        progress : callable, optional
            Told how many have come, as a share of ``most``.
        """
        question = self.question()
        told = (exp.alias_(question.shown(column), f"c{i}", quoted=True) for i, column in enumerate(columns))
        conditions = [question.holds(selection)]
        if order is not None and name is not None:
            conditions.append((_loosely if loosely else _named)(question, order, name))
        if order is not None and holding:
            conditions.append(_holding(question, order, holding))
        kept = [each for each in conditions if each is not None]
        tree = question.select(*told, where=exp.and_(*kept) if kept else None)
        if order is not None:
            tree = tree.order_by(self.by_bytes(question.text(order)))
        tree = tree.limit(most).offset(first) if first else tree.limit(most)
        tell = progress or (lambda share, sentence: None)
        answer = self._ask_rows(tree, question.values, lambda n: tell(n / max(most, 1), f"{n:,} rows have come"))
        return answer.rename_columns(list(columns))

    def one(self, made: Callable[[Question], Sequence[exp.Expression]]) -> tuple[Any, ...]:
        """A single row of aggregates."""
        question = self.question()
        told = [exp.alias_(each, f"a{i}", quoted=True) for i, each in enumerate(made(question))]
        return tuple(
            column[0].as_py() for column in self._ask(question.select(*told, where=None), question.values).columns
        )

    def _ask_rows(self, tree: exp.Expression, values: dict[str, Any], came: Callable[[int], None]) -> pa.Table:
        """As `_ask`, for many rows: ``came`` is told how many there are so far."""
        return self._ask(tree, values)

    def question(self) -> Question:
        """A question about its rows, to be built upon."""
        return Question(self._fields, self._relation, self._spelled, dict(self._values))

    def _rows(
        self, question: Question, columns: Sequence[Level | Number | Text], where: exp.Expression | None
    ) -> exp.Select:
        named = (exp.alias_(question.raw(c.column), f"c{i}", quoted=True) for i, c in enumerate(columns))
        return question.select(*named, where=where)

    def _cells(self, columns: Sequence[Level | Number | Text], answer: pa.Table) -> tuple[np.ndarray, ...]:
        return tuple(_cells(c, Column(answer.column(i))) for i, c in enumerate(columns))

    def by_bytes(self, text: exp.Expression) -> exp.Expression:
        """Text to be ordered or told apart by its bytes, which is much faster than by a language where that differs."""
        return text

    def _spelled(self, column: str, codes: tuple[str, ...]) -> Spelled:
        """How codes are written in a column: ``1``, ``1.0`` and ``" 1"`` are one code."""
        if column not in self._written:
            question = self.question()
            self._written[column] = _whole(
                self._ask(question.counted([question.raw(column)], None), question.values).column("k0")
            )
        written = self._written[column]
        place, found = Column(written).codes(codes)
        wanted = [i for i, code in enumerate(found) if code in codes]
        present, missing = np.isin(place, wanted), (place < 0) & written.is_valid().to_numpy(zero_copy_only=False)
        return Spelled(_listed(written, present), _listed(written, missing))


def _part(key: Key, answer: pa.ChunkedArray) -> Part:
    if isinstance(key, Cut | Chosen | Delay):
        size = len(key.points) + 1 if isinstance(key, Cut) else 2
        return Part(answer.fill_null(-1).to_numpy().astype(np.int64), None, size)
    column = Column(answer)
    if isinstance(key, Level):
        return part_of_levels(*column.codes(key.known))
    return part_of_numbers(_numbers(key.column, column))


def _numbers(name: str, column: Column) -> np.ndarray:
    values, wrong = column.numbers()
    if wrong.any():
        raise Fixable(
            "The database cannot be asked this.",
            f"The column “{name}” holds something else than finite numbers.",
            "Correct it in the source, or choose another column.",
        )
    return values


def _cells(key: Level | Number | Text, column: Column) -> np.ndarray:
    if isinstance(key, Number):
        return _numbers(key.column, column)
    if isinstance(key, Text):
        return column.texts()
    place, codes = column.codes(key.known)
    return np.array([*codes, None], dtype=object)[place]


def _named(question: Question, order: str, name: str) -> exp.Expression:
    return exp.EQ(this=question.text(order), expression=question.value(name)) if _storable(name) else exp.false()


def _loosely(question: Question, order: str, name: str) -> exp.Expression:
    if not _storable(name):
        return exp.false()
    family = question.fields[order].family if order in question.fields else "none"
    if family in ("float", "decimal"):
        try:
            number = float(name)
        except ValueError:
            return exp.false()
        return exp.EQ(this=question.number(order), expression=question.value(number))
    trimmed = exp.Trim(this=question.text(order), expression=question.value(BLANKS), position="BOTH")
    return exp.EQ(this=trimmed, expression=question.value(name))


def _holding(question: Question, order: str, text: str) -> exp.Expression:
    if not _storable(text):
        return exp.false()
    inside = exp.StrPosition(this=exp.Lower(this=question.text(order)), substr=question.value(text.lower()))
    return exp.GT(this=inside, expression=exp.Literal.number(0))


def _storable(text: str) -> bool:
    """Whether a database could hold the text at all; some refuse even to be asked for what they could not."""
    return "\x00" not in text and text == text.encode("utf-8", "ignore").decode("utf-8")


def _whole(answer: pa.ChunkedArray) -> pa.Array:
    return answer.combine_chunks() if answer.num_chunks != 1 else answer.chunk(0)


def _listed(written: pa.Array, mask: np.ndarray) -> tuple[Any, ...]:
    return tuple(written.filter(pa.array(mask)).to_pylist())


def family_of(kind: pa.DataType) -> Family:
    """The family of an Arrow type."""
    checks: dict[Family, tuple[Any, ...]] = {
        "truth": (pa.types.is_boolean,),
        # A column in which nothing was ever recorded has no type; databases take it for whole numbers.
        "whole": (pa.types.is_integer, pa.types.is_null),
        "float": (pa.types.is_floating,),
        "decimal": (pa.types.is_decimal,),
        "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        "other text": (pa.types.is_dictionary,),
        "date": (pa.types.is_date,),
    }
    if pa.types.is_timestamp(kind):
        return "zoned" if kind.tz else "moment"
    return next((name for name, tests in checks.items() if any(test(kind) for test in tests)), "none")
