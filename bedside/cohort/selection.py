"""Which patients: ranges and levels, joined by "or" within a group and by "and" between groups."""

from __future__ import annotations

import base64
import binascii
import json
import math
from dataclasses import dataclass

import numpy as np

from bedside.cohort.codes import normal_code
from bedside.cohort.cohort import Cohort
from bedside.cohort.variable import UNSHARED, Variable
from bedside.cohort.wording import either, say_range, sentence_case
from bedside.errors import Fixable

FEWEST_SHARED = 10
"""A link to fewer patients than this could point at a person."""

MAX_TEXT = 8000


@dataclass(frozen=True)
class Between:
    """A continuous variable from ``low`` to ``high``, both included; None leaves that end open.

    ``missing=True`` also takes patients in whom it was not recorded.
    """

    column: str
    low: float | None = None
    high: float | None = None
    missing: bool = False


@dataclass(frozen=True)
class OneOf:
    """A grouped variable at one of the levels; ``missing=True`` also takes patients without a record."""

    column: str
    codes: tuple[str, ...] = ()
    missing: bool = False


Clause = Between | OneOf


@dataclass(frozen=True)
class Step:
    """One line of the attrition: who is left after it, and how many it dropped."""

    label: str
    left: int
    dropped: int


@dataclass(frozen=True)
class Selection:
    """A choice of patients: every group must hold, and a group holds if one of its clauses does.

    Parameters
    ----------
    groups : tuple of tuple of Between or OneOf
        Empty groups are forgotten; no group at all means everyone.
    """

    groups: tuple[tuple[Clause, ...], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(tuple(group) for group in self.groups if group))

    @property
    def is_everyone(self) -> bool:
        """True if nothing is asked of the patients."""
        return not self.groups

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the selection looks at, each once."""
        return tuple(dict.fromkeys(clause.column for group in self.groups for clause in group))

    def mask(self, cohort: Cohort) -> np.ndarray:
        """Who is selected, shape (n_patients,), bool.

        Raises
        ------
        Fixable
            If a clause does not fit the cohort.
        """
        kept = np.ones(len(cohort), dtype=bool)
        for group in self.groups:
            kept &= _any_of(group, cohort)
        return kept

    def apply(self, cohort: Cohort) -> Cohort:
        """The selected patients as a cohort of its own; the same cohort if everyone is selected.

        Raises
        ------
        Fixable
            If a clause does not fit the cohort, or nobody is left.
        """
        if self.is_everyone:
            return cohort
        return cohort.kept_by(self)

    def say(self, cohort: Cohort) -> tuple[str, ...]:
        """One text for each group: ``"Age 50 to 65 years"``, ``"Grade 2 or 3"``."""
        return tuple(sentence_case(" or ".join(_say(clause, cohort) for clause in group)) for group in self.groups)

    def attrition(self, cohort: Cohort) -> tuple[Step, ...]:
        """Who is left after each group in turn, starting with "All patients"."""
        steps = [Step("All patients", len(cohort), 0)]
        left_by = cohort.sizes([Selection(self.groups[: i + 1]) for i in range(len(self.groups))])
        for label, left in zip(self.say(cohort), left_by, strict=True):
            steps.append(Step(label, left, steps[-1].left - left))
        return tuple(steps)

    def without(self, i: int) -> Selection:
        """The selection without its ``i``-th group."""
        return Selection(self.groups[:i] + self.groups[i + 1 :])

    def with_group(self, group: tuple[Clause, ...]) -> Selection:
        """The selection with one more group."""
        return Selection((*self.groups, tuple(group)))

    def may_be_shared(self, cohort: Cohort) -> bool:
        """True if a link with this selection points at no person: nothing identifying, and at least ten patients."""
        variables = [cohort.variable(column) for column in self.columns]
        named = any(variable.kind in UNSHARED for variable in variables)
        return not named and cohort.sizes((self,))[0] >= FEWEST_SHARED

    def to_text(self) -> str:
        """The selection as JSON in letters that a link carries unchanged; "" for everyone."""
        if self.is_everyone:
            return ""
        told = [[_told(clause) for clause in group] for group in self.groups]
        packed = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str, cohort: Cohort) -> Selection:
        """Read what ``to_text`` wrote, checked against the cohort.

        Parameters
        ----------
        text : str
            From a link, so it may be anything.
        cohort : Cohort
            Must have every variable the text names.

        Raises
        ------
        Fixable
            If the text is no selection, or names a variable that this cohort
            does not have or that may identify a person.
        """
        if not text:
            return cls()
        if len(text) > MAX_TEXT:
            raise _unreadable("It is longer than a filter can be.")
        try:
            told = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        except (ValueError, binascii.Error, RecursionError):
            raise _unreadable("It is not a filter that this dashboard wrote.") from None
        if not isinstance(told, list) or not all(isinstance(group, list) for group in told):
            raise _unreadable("It is not a filter that this dashboard wrote.")
        return cls(tuple(tuple(_clause(clause, cohort) for clause in group) for group in told))


def check_kinds(selection: Selection, cohort: Cohort) -> None:
    """Stop where a clause does not fit its variable.

    Raises
    ------
    Fixable
        If it does not, or the cohort has no such variable.
    """
    for group in selection.groups:
        for clause in group:
            _check_kind(clause, cohort.variable(clause.column))


def _any_of(group: tuple[Clause, ...], cohort: Cohort) -> np.ndarray:
    kept = np.zeros(len(cohort), dtype=bool)
    for clause in group:
        kept |= _holds(clause, cohort)
    return kept


def _holds(clause: Clause, cohort: Cohort) -> np.ndarray:
    variable = cohort.variable(clause.column)
    _check_kind(clause, variable)
    column = cohort.frame[clause.column]
    gone = column.isna().to_numpy()
    if isinstance(clause, OneOf):
        kept = column.isin([normal_code(code) for code in clause.codes]).to_numpy()
    else:
        values = column.to_numpy(dtype=float)
        kept = ~gone
        if clause.low is not None:
            kept &= values >= clause.low
        if clause.high is not None:
            kept &= values <= clause.high
    return kept | gone if clause.missing else kept & ~gone


def _check_kind(clause: Clause, variable: Variable) -> None:
    if isinstance(clause, Between) and not variable.is_numeric:
        raise _unfit(variable, "A range needs a continuous variable.")
    if isinstance(clause, OneOf) and not variable.is_grouping:
        raise _unfit(variable, "Levels can be chosen of a variable that has levels.")


def _say(clause: Clause, cohort: Cohort) -> str:
    variable = cohort.variable(clause.column)
    if isinstance(clause, Between):
        one = clause.low == clause.high == 1
        said = (
            variable.say_with_label(1) if one else variable.within_phrase(say_range(variable, clause.low, clause.high))
        )
        return f"{said} or not recorded" if clause.missing else said
    if not clause.codes:
        return f"{variable.label} not recorded" if clause.missing else f"{variable.label}: no level"
    said = variable.within_phrase(either([variable.label_of(code) for code in clause.codes]))
    return f"{said} or not recorded" if clause.missing else said


def _told(clause: Clause) -> list[object]:
    if isinstance(clause, Between):
        return ["between", clause.column, clause.low, clause.high, int(clause.missing)]
    return ["one of", clause.column, list(clause.codes), int(clause.missing)]


def _clause(told: object, cohort: Cohort) -> Clause:
    match told:
        case ["between", str(column), low, high, 0 | 1 as missing] if _is_bound(low) and _is_bound(high):
            if low is not None and high is not None and low > high:
                raise _unreadable("One of its ranges ends before it begins.")
            bounds = [None if bound is None else float(bound) for bound in (low, high)]
            clause: Clause = Between(column, bounds[0], bounds[1], bool(missing))
        case ["one of", str(column), [*codes], 0 | 1 as missing] if all(isinstance(code, str) for code in codes):
            clause = OneOf(column, tuple(codes), bool(missing))
        case _:
            raise _unreadable("It is not a filter that this dashboard wrote.")
    if not cohort.has(clause.column) or cohort.variable(clause.column) not in cohort.filterable:
        raise _unreadable("It names a variable that patients of this cohort cannot be chosen by.")
    variable = cohort.variable(clause.column)
    _check_kind(clause, variable)
    if isinstance(clause, OneOf) and not set(clause.codes) <= set(variable.codes):
        raise _unreadable("It names a level that this cohort does not have.")
    return clause


def _is_bound(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number with hundreds of digits
        return False


def _unfit(variable: Variable, why: str) -> Fixable:
    return Fixable(f"“{variable.label}” cannot be filtered this way.", why, "Remove this filter and set it again.")


def _unreadable(why: str) -> Fixable:
    return Fixable("The filter in the link could not be read.", why, "Set the filters again on the overview page.")
