"""Questions as SQL trees: written once, spoken by each database in its own dialect.

Nothing here is text that is put together. Names of columns are quoted by
sqlglot; every value travels as a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlglot import exp

from bedside.cohort.selection import Between, Clause, OneOf, Selection
from bedside.engine.ask import Chosen, Cut, Delay, Key
from bedside.errors import Fixable

Family = Literal["whole", "float", "decimal", "truth", "text", "other text", "date", "moment", "zoned", "none"]
"""What a column is made of; "other text" becomes text when it is cast, "moment" is a point in time without a zone,
"zoned" one with it, "none" nothing of all this."""

DATED: frozenset[Family] = frozenset({"date", "moment", "zoned"})
FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-30"
"""Days beyond are no days: some databases write "for ever" as infinity or as the last day of all."""

BLANKS = "".join(chr(i) for i in range(0x3001) if chr(i).isspace())
"""What the intake takes off both ends of a cell."""

_NUMBER = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"


@dataclass(frozen=True)
class Field:
    """A column as the database knows it."""

    name: str
    family: Family


@dataclass(frozen=True)
class Spelled:
    """How a set of codes is written in the data, and how "not recorded" is, besides NULL."""

    present: tuple[Any, ...]
    missing: tuple[Any, ...]


Spell = Callable[[str, tuple[str, ...]], Spelled]
"""From a column and codes to what stands in the data for them."""


@dataclass
class Question:
    """A tree under construction, and the values that travel with it.

    Attributes
    ----------
    fields : dict of str to Field
        Columns by their cleaned names.
    relation : sqlglot expression
        What stands after FROM.
    spell : callable
        As `Spell`.
    values : dict of str to object
        Parameters by name, in the order in which they were placed.
    """

    fields: dict[str, Field]
    relation: exp.Expression
    spell: Spell
    values: dict[str, Any] = field(default_factory=dict)

    def value(self, value: object) -> exp.Expression:
        """A place for a value."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return exp.Placeholder(this=name)

    def raw(self, column: str) -> exp.Expression:
        """A column as it is written, its type one that every engine compares alike."""
        known = self._field(column)
        plain = exp.column(exp.to_identifier(known.name, quoted=True))
        if known.family in ("other text", "decimal"):
            return exp.cast(plain, "text" if known.family == "other text" else "double")
        return plain

    def text(self, column: str) -> exp.Expression:
        """A column as text."""
        plain = self.raw(column)
        # What arrives as text need not be text there: DuckDB's UUID is none.
        return plain if self._field(column).family == "other text" else exp.cast(plain, "text")

    def number(self, column: str) -> exp.Expression:
        """A column as a number, NULL where it is none."""
        family, plain = self._field(column).family, self.raw(column)
        if family == "whole":
            return plain
        if family == "truth":
            return exp.cast(plain, "int")
        if family in ("float", "decimal"):
            # NaN is above every number for each of these databases; here it is no number.
            return exp.func("NULLIF", exp.cast(plain, "double"), exp.cast(exp.Literal.string("NaN"), "double"))
        trimmed = exp.Trim(this=plain, expression=self.value(BLANKS), position="BOTH")
        reads = exp.RegexpLike(this=trimmed, expression=exp.Literal.string(_NUMBER))
        return exp.Case().when(reads, exp.cast(trimmed.copy(), "double"))

    def day(self, column: str, zone: str = "UTC") -> exp.Expression:
        """A column of dates, or of points in time, as the day it was in a zone; NULL where it is none."""
        known = self.fields.get(column)
        if known is None or known.family not in DATED:
            raise Fixable(
                "The database cannot be asked this.",
                f"It has no column of dates called “{column}”.",
                "Choose a column of dates, or make one in a view of the database.",
            )
        plain: exp.Expression = exp.column(exp.to_identifier(known.name, quoted=True))
        if known.family == "zoned" and zone != "UTC":
            plain = exp.AtTimeZone(this=plain, zone=exp.Literal.string(zone))
        day = exp.cast(plain, "date")
        return _bounded(day, day.copy())

    def shown(self, column: str) -> exp.Expression:
        """A column for a page of rows: also dates, and points in time."""
        known = self.fields.get(column)
        if known is None or known.family not in DATED:
            return self.raw(column)
        plain = exp.column(exp.to_identifier(known.name, quoted=True))
        # Compared as a day: points in time of some kinds do not reach as far as the bounds.
        return _bounded(exp.cast(plain, "date"), plain.copy())

    def holds(self, selection: Selection) -> exp.Expression | None:
        """True where a row is selected; None for everyone."""
        groups = [exp.or_(*(self._clause(clause) for clause in group)) for group in selection.groups]
        return exp.and_(*groups) if groups else None

    def key(self, key: Key) -> exp.Expression:
        """What rows are counted by: a column as it is written, or the place of an interval."""
        if isinstance(key, Cut):
            number = self.number(key.column)
            branches = exp.Case()
            for i, point in enumerate(key.points):
                branches = branches.when(number.copy() < self.value(float(point)), exp.Literal.number(i))
            last = exp.Literal.number(len(key.points))
            return branches.when(number.copy().is_(exp.null()).not_(), last)
        if isinstance(key, Chosen):
            chosen = self.holds(key.selection)
            return exp.Literal.number(0) if chosen is None else _first_if(chosen, 0, 1)
        if isinstance(key, Delay):
            entry = self.number(key.entry)
            late = exp.Case().when(entry >= self.number(key.time), exp.Literal.number(1))
            return late.when(entry.copy().is_(exp.null()).not_(), exp.Literal.number(0))
        return self.raw(key.column)

    def counted(self, keys: Sequence[exp.Expression], where: exp.Expression | None) -> exp.Select:
        """Rows for each combination of keys, which come back as k0, k1, ... and n."""
        inner = self.select(*(exp.alias_(key, f"k{i}", quoted=True) for i, key in enumerate(keys)), where=where)
        if not keys:
            inner = self.select(exp.alias_(exp.Literal.number(1), "k", quoted=True), where=where)
        names = [exp.column(exp.to_identifier(f"k{i}", quoted=True)) for i in range(len(keys))]
        n = exp.alias_(exp.Count(this=exp.Star()), "n", quoted=True)
        outer = exp.select(*names, n).from_(inner.subquery("asked"))
        return outer.group_by(*(name.copy() for name in names)) if names else outer

    def select(self, *columns: exp.Expression, where: exp.Expression | None) -> exp.Select:
        """Columns of the rows for which a condition holds."""
        query = exp.select(*columns).from_(self.relation.copy())
        return query if where is None else query.where(where)

    def total_if(self, condition: exp.Expression) -> exp.Expression:
        """How many rows a condition holds for; one that is not known does not hold."""
        return exp.func("COALESCE", exp.func("SUM", _first_if(condition, 1, 0)), exp.Literal.number(0))

    def _clause(self, clause: Clause) -> exp.Expression:
        if isinstance(clause, Between):
            return self._between(clause)
        spelled = self.spell(clause.column, clause.codes)
        parts = [self._in(clause, spelled.present)]
        if clause.missing:
            parts += [self.raw(clause.column).is_(exp.null()), self._in(clause, spelled.missing)]
        return exp.or_(*parts)

    def _in(self, clause: OneOf, written: Sequence[object]) -> exp.Expression:
        if not written:
            return exp.false()
        return exp.In(this=self.raw(clause.column), expressions=[self.value(value) for value in written])

    def _between(self, clause: Between) -> exp.Expression:
        number = self.number(clause.column)
        parts = [number.copy().is_(exp.null()).not_()]
        if clause.low is not None:
            parts.append(number.copy() >= self.value(float(clause.low)))
        if clause.high is not None:
            parts.append(number.copy() <= self.value(float(clause.high)))
        inside = exp.and_(*parts)
        return exp.or_(inside, number.copy().is_(exp.null())) if clause.missing else inside

    def _field(self, column: str) -> Field:
        found = self.fields.get(column)
        if found is None or found.family == "none" or found.family in DATED:
            raise Fixable(
                "The database cannot be asked this.",
                f"It has no column of numbers, codes or text called “{column}”.",
                "Choose another column, or correct the name in the dictionary.",
            )
        return found


def _bounded(day: exp.Expression, value: exp.Expression) -> exp.Expression:
    first, last = (exp.cast(exp.Literal.string(bound), "date") for bound in (FIRST_DAY, LAST_DAY))
    return exp.Case().when(exp.Between(this=day, low=first, high=last), value)


def _first_if(condition: exp.Expression, yes: int, no: int) -> exp.Expression:
    return exp.Case().when(condition, exp.Literal.number(yes)).else_(exp.Literal.number(no))
