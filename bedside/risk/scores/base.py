"""A published score: whom it is for, what it needs, how it is computed, and what the number means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bedside.errors import Fixable
from bedside.risk.scores.inputs import Input, unit_of

Values = dict[str, np.ndarray]
"""One array for each input, every entry known and in the formula's unit."""


@dataclass(frozen=True)
class Group:
    """A published group of patients, from a lower bound on.

    ``low`` is where it begins; ``strict`` says that the bound itself belongs to the group below.
    """

    label: str
    meaning: str
    low: float = -np.inf
    strict: bool = False


@dataclass(frozen=True)
class RiskOf:
    """An absolute risk that the score publishes: of what, and within how many years."""

    key: str
    event: str
    years: float


@dataclass(frozen=True)
class Risk:
    """One patient's risk, from 0 to 1, within so many years."""

    key: str
    event: str
    years: float
    risk: float


@dataclass(frozen=True)
class Source:
    """Where the formula stands."""

    citation: str
    doi: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Worked:
    """What a formula gives for many patients.

    ``risks`` has one array for each of the score's `RiskOf`, NaN where none is published for that patient.
    ``notes`` are sentences with the patients to whom each applies. ``group`` overrides the bounds of the groups.
    """

    value: np.ndarray
    risks: tuple[np.ndarray, ...] = ()
    notes: tuple[tuple[str, np.ndarray], ...] = ()
    group: np.ndarray | None = None


@dataclass(frozen=True)
class Result:
    """One patient's score.

    Attributes
    ----------
    value : float
        As the score prescribes it, rounded only where the score says so.
    said : str
        ``value`` as it is usually written, with its unit.
    group, meaning : str
        Published group and what it says; empty where none is published.
    risks : tuple of Risk
        Absolute risks that the score publishes.
    notes : tuple of str
        What the score prescribed on the way, e.g. a floor that was applied.
    cautions : tuple of str
        Why to be careful, e.g. an age for which the score was not made.
    """

    score: str
    value: float
    said: str
    group: str
    meaning: str
    risks: tuple[Risk, ...]
    notes: tuple[str, ...]
    cautions: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Results:
    """A score of many patients; arrays of shape (n_patients,).

    ``value`` is NaN and ``group`` -1 where an input is missing or has no meaning. ``group`` counts in the score's
    ``groups``. ``outside`` is True where an input lies outside its range. ``risks`` are keyed by `RiskOf.key`.
    """

    value: np.ndarray
    group: np.ndarray
    outside: np.ndarray
    risks: dict[str, np.ndarray]

    @property
    def scored(self) -> np.ndarray:
        """True where there is a value."""
        return np.isfinite(self.value)


@dataclass(frozen=True, eq=False)
class Score:
    """A published score.

    Attributes
    ----------
    key, name : str
    predicts : str
        One clinical sentence.
    population : str
        Whom it is for; to be read before any input is filled in.
    inputs : tuple of Input
    formula : str
        As text.
    source : Source
    unit : str
    decimals : int
        With which ``value`` is written.
    groups : tuple of Group
        Ascending; empty where none is published.
    groups_source : str
        Where the bounds of the groups come from, if not from ``source``.
    risk_of : tuple of RiskOf
        Absolute risks that it publishes, with their horizons.
    percent : bool
        True if ``value`` is a share, written as a percentage.
    caution : str
        What every reader must know beside the number.
    work : callable
        The formula over arrays.
    """

    key: str
    name: str
    predicts: str
    population: str
    inputs: tuple[Input, ...]
    formula: str
    source: Source
    work: Callable[[Values], Worked]
    unit: str = ""
    decimals: int = 0
    groups: tuple[Group, ...] = ()
    groups_source: str = ""
    risk_of: tuple[RiskOf, ...] = ()
    percent: bool = False
    caution: str = ""

    def input(self, key: str) -> Input:
        """The input of that key."""
        return next(item for item in self.inputs if item.key == key)

    def compute(self, values: Mapping[str, Any], units: Mapping[str, str] | None = None) -> Result:
        """The score of one patient.

        Parameters
        ----------
        values : mapping of str to float or str
            A number, or the code of a choice, for each input. Keys that the score does not know are ignored.
        units : mapping of str to str, optional
            Units of numbers that are not in the formula's unit.

        Returns
        -------
        Result

        Raises
        ------
        Fixable
            If an input is missing, unreadable, in an unknown unit, or has no meaning (0 under a logarithm).
        """
        given = {item.key: item.one(values.get(item.key)) for item in self.inputs}
        missing = [item.label for item in self.inputs if given[item.key] is None and item.default is None]
        if missing:
            raise Fixable(
                f"No {self.name} yet.",
                f"Still to be filled in: {', '.join(missing)}.",
                "Fill in what is missing; the score is not defined without it.",
            )
        notes, arrays = [], {}
        for item in self.inputs:
            value = given[item.key]
            if value is None:
                notes.append(f"{item.label} is not recorded and was read as {_say_default(item)}.")
                arrays[item.key] = np.array([item.default])
            else:
                arrays[item.key] = np.array([_in_unit(item, value, unit_of(units, item))])
        known, good = self._read(arrays)
        bad = [item for item in self.inputs if not good[item.key][0]]
        if bad:
            raise Fixable(
                f"No {self.name}.",
                f"{bad[0].label} must be {bad[0].demand()}: with another value the formula has no meaning.",
                "Check the number and its unit.",
            )
        worked = self.work(known)
        notes += [text for text, applies in worked.notes if applies[0]]
        cautions = [item.caution(unit_of(units, item)) for item in self.inputs if item.outside(known[item.key])[0]]
        return self._result(worked, tuple(notes), tuple(cautions))

    def compute_many(self, values: Mapping[str, Any], units: Mapping[str, str] | None = None) -> Results:
        """The score of many patients.

        Parameters
        ----------
        values : mapping of str to array-like, shape (n_patients,) each
            Numbers or codes of choices; missing ones are NaN, None or empty. An input with a default may be left out.
        units : mapping of str to str, optional
            Units of numbers that are not in the formula's unit.

        Returns
        -------
        Results
            NaN where an input is missing or has no meaning.

        Raises
        ------
        Fixable
            If an input is not among the columns, the columns differ in length, or a unit is unknown.
        """
        absent = [item.label for item in self.inputs if item.key not in values and item.default is None]
        if absent:
            raise Fixable(
                f"No {self.name} for these patients.",
                f"Not among the columns: {', '.join(absent)}.",
                "Name the columns in the dictionary, or choose another score.",
            )
        columns = {item.key: np.asarray(values[item.key]) for item in self.inputs if item.key in values}
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            raise Fixable(
                f"No {self.name} for these patients.",
                "The columns differ in length.",
                "Give one value for each patient in every column.",
            )
        n = lengths.pop()
        arrays = {}
        for item in self.inputs:
            column = columns.get(item.key)
            if column is None:
                column = np.full(n, item.default, dtype=object if item.kind == "choice" else float)
            elif item.kind == "number":
                column = item.convert(np.asarray(column, dtype=float), unit_of(units, item))
            arrays[item.key] = self._with_default(item, column)
        known, good = self._read(arrays)
        return self._scatter(known, np.logical_and.reduce(list(good.values())))

    def _with_default(self, item: Input, column: np.ndarray) -> np.ndarray:
        if item.default is None:
            return column
        blank = np.array([v is None or v != v or v == "" for v in column], dtype=bool)
        return np.where(blank, item.default, column) if blank.any() else column

    def _read(self, arrays: Values) -> tuple[Values, Values]:
        read = {item.key: item.read(arrays[item.key]) for item in self.inputs}
        return {k: v for k, (v, _) in read.items()}, {k: g for k, (_, g) in read.items()}

    def _scatter(self, known: Values, rows: np.ndarray) -> Results:
        n = len(rows)
        value, group = np.full(n, np.nan), np.full(n, -1, dtype=np.int64)
        risks = {of.key: np.full(n, np.nan) for of in self.risk_of}
        outside = np.zeros(n, dtype=bool)
        if rows.any():
            part = {key: column[rows] for key, column in known.items()}
            worked = self.work(part)
            value[rows], group[rows] = worked.value, self._groups(worked)
            for of, risk in zip(self.risk_of, worked.risks, strict=True):
                risks[of.key][rows] = risk
            outside[rows] = np.logical_or.reduce([item.outside(part[item.key]) for item in self.inputs])
        return Results(value, group, outside, risks)

    def _groups(self, worked: Worked) -> np.ndarray:
        if not self.groups:
            return np.full(len(worked.value), -1, dtype=np.int64)
        if worked.group is not None:
            return worked.group
        # 0.2 x 2 + 1 + 2 is 3.4000000000000004 in binary: a bound is a decimal number.
        value = np.round(worked.value, 9)
        passed = [value > g.low if g.strict else value >= g.low for g in self.groups[1:]]
        return np.sum(passed, axis=0, dtype=np.int64) if passed else np.zeros(len(value), dtype=np.int64)

    def _result(self, worked: Worked, notes: tuple[str, ...], cautions: tuple[str, ...]) -> Result:
        value, place = float(worked.value[0]), int(self._groups(worked)[0])
        group = self.groups[place] if place >= 0 else None
        risks = tuple(
            Risk(of.key, of.event, of.years, float(risk[0]))
            for of, risk in zip(self.risk_of, worked.risks, strict=True)
            if np.isfinite(risk[0])
        )
        return Result(
            score=self.key,
            value=value,
            said=self.say(value),
            group=group.label if group else "",
            meaning=group.meaning if group else "",
            risks=risks,
            notes=notes,
            cautions=cautions,
        )

    def say(self, value: float) -> str:
        """A value as it is usually written."""
        if self.percent:
            return f"{100 * value:.{self.decimals}f}%"
        shown = f"{value:.{self.decimals}f}"
        shown = shown.removeprefix("-") if float(shown) == 0 else shown
        return f"{shown} {self.unit}".strip()


def _in_unit(item: Input, value: float | str, unit: str) -> float | str:
    return value if isinstance(value, str) else float(item.convert(value, unit))


def _say_default(item: Input) -> str:
    labels = {choice.code: choice.label.lower() for choice in item.choices}
    return labels.get(str(item.default), str(item.default))
