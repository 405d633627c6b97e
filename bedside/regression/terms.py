"""The terms of a regression, and the columns each becomes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bedside.regression.splines import spline_basis, spline_knots


@dataclass(frozen=True)
class Linear:
    """A number as it stands, divided by `per`, so that its hazard ratio is for that much more."""

    column: str
    per: float = 1.0


@dataclass(frozen=True)
class Log:
    """The logarithm of a number: the hazard ratio is for `base` times as much. Base 2 is a doubling."""

    column: str
    base: float = math.e


@dataclass(frozen=True)
class Factor:
    """Levels against a reference level (the source's own if None).

    With `full` every level has its own column; levels that are `merged` count as the reference.
    """

    column: str
    reference: str | None = None
    full: bool = False
    merged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spline:
    """A restricted cubic spline with given knots, or with so many at Harrell's quantiles."""

    column: str
    knots: int | tuple[float, ...] = 4


@dataclass(frozen=True)
class Interaction:
    """The products of the columns of two terms, which do not include those terms themselves."""

    a: Term
    b: Term


Term = Linear | Log | Factor | Spline | Interaction


class Source(Protocol):
    """Where columns come from: a cohort, its visits, or a table of the parity runner."""

    def number(self, column: str, /) -> np.ndarray:
        """Numbers, NaN where missing."""
        ...

    def codes(self, column: str, /) -> tuple[np.ndarray, tuple[str, ...]]:
        """Positions in the labels of the levels, -1 where missing."""
        ...


class Words(Protocol):
    """How columns are called."""

    def name(self, column: str) -> str:
        """A variable's name."""
        ...

    def step(self, column: str, per: float) -> str:
        """So much of a variable, with its unit."""
        ...

    def level(self, column: str, level: str) -> str:
        """A level's name."""
        ...

    def reference(self, column: str) -> str | None:
        """The level that others are compared with; None for the first."""
        ...


class Plain:
    """Words of a source that has none of its own."""

    def name(self, column: str) -> str:
        return column

    def step(self, column: str, per: float) -> str:
        return f"{per:g}"

    def level(self, column: str, level: str) -> str:
        return level

    def reference(self, column: str) -> str | None:
        return None


@dataclass(frozen=True)
class Column:
    """What one column of a design matrix stands for.

    Attributes
    ----------
    name : str
        For people: ``"Age, per 10 years"``, ``"Size: 20-50 against <=20"``.
    variables : tuple of str
        Columns of the source that it is made of.
    level, reference : str or None
        Of a factor: what is compared with what, in the source's codes.
    """

    name: str
    variables: tuple[str, ...]
    level: str | None = None
    reference: str | None = None


@dataclass(frozen=True, eq=False)
class Expanded:
    """A term as columns.

    Attributes
    ----------
    name : str
        The term's name for people.
    columns : tuple of Column
    values : array, shape (n, k)
    missing : array of bool, shape (n,)
    notes : tuple of str
        What a reader must know of how the term was read.
    """

    name: str
    columns: tuple[Column, ...]
    values: np.ndarray
    missing: np.ndarray
    notes: tuple[str, ...] = ()


def variables_of(term: Term) -> tuple[str, ...]:
    """Columns of the source that a term is made of, each once."""
    if isinstance(term, Interaction):
        return tuple(dict.fromkeys(variables_of(term.a) + variables_of(term.b)))
    return (term.column,)


def expand(term: Term, source: Source, words: Words | None = None) -> Expanded:
    """The columns of a term.

    Parameters
    ----------
    term : Term
    source : Source
    words : Words, optional

    Returns
    -------
    Expanded
        Rows that are `missing` hold NaN. Levels without any row have no column.
    """
    words = Plain() if words is None else words
    match term:
        case Linear():
            return _line(term, source, words)
        case Log():
            return _log(term, source, words)
        case Factor():
            return _factor(term, source, words)
        case Spline():
            return _spline(term, source, words)
        case Interaction():
            return _products(expand(term.a, source, words), expand(term.b, source, words))


def _one(name: str, column: Column, values: np.ndarray, *notes: str) -> Expanded:
    return Expanded(name, (column,), values[:, None], ~np.isfinite(values), notes)


def _line(term: Linear, source: Source, words: Words) -> Expanded:
    name, step = words.name(term.column), words.step(term.column, term.per)
    shown = name if step == "1" else f"{name}, per {step}"
    return _one(name, Column(shown, (term.column,)), source.number(term.column) / term.per)


def _log(term: Log, source: Source, words: Words) -> Expanded:
    values, name = source.number(term.column), words.name(term.column)
    low = np.isfinite(values) & (values <= 0)
    notes: tuple[str, ...] = ()
    if low.any():
        # As in the risk model: a value of 0 is below what could be measured, not without a logarithm.
        positive = values[values > 0]
        floor = float(positive.min()) / 2 if len(positive) else 1.0
        values = np.where(low, floor, values)
        notes = (f"{int(low.sum())} values of {name} of 0 or less were read as half the smallest positive one.",)
    step = {2.0: "doubling", math.e: "unit of its logarithm"}.get(term.base, f"{term.base:g} times as much")
    return _one(name, Column(f"{name}, per {step}", (term.column,)), np.log(values) / math.log(term.base), *notes)


def _factor(term: Factor, source: Source, words: Words) -> Expanded:
    codes, labels = source.codes(term.column)
    name = words.name(term.column)
    present = [i for i in range(len(labels)) if (codes == i).any()]
    wanted = term.reference if term.reference is not None else words.reference(term.column)
    reference = next((i for i in present if labels[i] == wanted), present[0] if present else -1)
    notes = ()
    if wanted is not None and present and labels[reference] != wanted:
        usual, now = words.level(term.column, wanted), words.level(term.column, labels[reference])
        notes = (f"No patient here has the reference of {name}, “{usual}”; “{now}” takes its place.",)
    if term.merged and reference >= 0:
        taken = [i for i in present if labels[i] in term.merged]
        codes = np.where(np.isin(codes, taken), reference, codes)
        present = [i for i in present if i == reference or i not in taken]
    shown = [i for i in present if term.full or i != reference]
    against = None if term.full or reference < 0 else labels[reference]
    values = (codes[:, None] == np.array(shown, dtype=int)[None, :]).astype(float)
    values[codes < 0] = np.nan
    columns = tuple(
        Column(_against(name, words, term, labels[i], against), (term.column,), labels[i], against) for i in shown
    )
    return Expanded(name, columns, values, codes < 0, notes)


def _against(name: str, words: Words, term: Factor, level: str, reference: str | None) -> str:
    said = words.level(term.column, level)
    shown = said if said.casefold().startswith(name.casefold()) else f"{name}: {said}"
    if reference is None:
        return shown
    together = dict.fromkeys((reference, *term.merged))
    return f"{shown} against {' or '.join(words.level(term.column, code) for code in together)}"


def _spline(term: Spline, source: Source, words: Words) -> Expanded:
    values, name = source.number(term.column), words.name(term.column)
    knots = spline_knots(values, term.knots) if isinstance(term.knots, int) else tuple(term.knots)
    if len(knots) < 3:
        line = _line(Linear(term.column), source, words)
        note = f"{name} has too few different values for a curve and is read as a straight line."
        return Expanded(line.name, line.columns, line.values, line.missing, (note,))
    basis = spline_basis(values, knots)
    total = basis.shape[1]
    columns = tuple(Column(f"{name}, part {i + 1} of {total} of its curve", (term.column,)) for i in range(total))
    return Expanded(name, columns, basis, ~np.isfinite(values))


def _products(a: Expanded, b: Expanded) -> Expanded:
    """R's order: the first term's columns vary fastest."""
    pairs = [(i, j) for j in range(len(b.columns)) for i in range(len(a.columns))]
    columns = tuple(
        Column(
            f"{a.columns[i].name} × {b.columns[j].name}",
            tuple(dict.fromkeys(a.columns[i].variables + b.columns[j].variables)),
        )
        for i, j in pairs
    )
    values = a.values[:, [i for i, _ in pairs]] * b.values[:, [j for _, j in pairs]]
    notes = tuple(dict.fromkeys(a.notes + b.notes))
    return Expanded(f"{a.name} × {b.name}", columns, values, a.missing | b.missing, notes)
