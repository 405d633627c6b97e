"""What was put right in a file: rules with names, so that they can be undone, and run again on the next file."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked

StepKind = Literal["drop_duplicates", "keep_one", "drop_rows", "drop_outside", "set_missing", "set_missing_outside",
                   "multiply", "merge_levels", "drop_column", "swap_dates", "drop_empty", "drop_before", "drop_alike",
                   "same_spelling", "drop_footer"]  # fmt: skip

DROPPING = frozenset({"drop_rows", "drop_duplicates", "drop_alike", "keep_one", "drop_outside", "drop_empty",
                      "drop_before", "drop_footer"})  # fmt: skip
"""Kinds that leave out rows."""

MOST_STEPS, MOST_CODES, MOST_ROWS = 500, 500, 1_000_000
"""Of one plan; codes and rows of one step."""
LONGEST_TEXT = 2_000
_OF_THE_TABLE = ("drop_duplicates", "drop_alike", "drop_rows", "drop_footer")
"""Steps that are of no column, or may be."""
_OF_TWO = ("swap_dates", "drop_before")
_LAST_ROW = 2**53


@checked(frozen=True, config=ConfigDict(extra="forbid"))
class Step:
    """One thing that was put right.

    Attributes
    ----------
    kind : str
        ``drop_duplicates``: rows that are wholly alike, but one. ``drop_alike``: rows that are alike in every column
        but this one, but one. ``keep_one``: of rows of one identifier the ``first`` or the ``last``. ``drop_rows``: by
        number. ``drop_empty``: rows in which the column is not recorded. ``drop_before``: rows in which the second of
        two dates is before the first; ``swap_dates``: there they change places. ``drop_outside``,
        ``set_missing_outside``: where a number lies outside of ``low`` and ``high`` (of dates, days since 1970-01-01).
        ``set_missing``: where a cell is one of ``codes``. ``multiply``: numbers between ``low`` and ``high`` by
        ``factor``. ``merge_levels``: codes become others. ``same_spelling``: texts that differ only in blanks, capitals
        or the form of letters become the first of them. ``drop_footer``: lines at the end of the file that fill one
        cell at most, such as a sum. ``drop_column``.
    column, other : str
        As it was staged.
    codes : tuple of (code, new code)
        The new code is not used by ``set_missing``.
    rows : tuple of int
        The first row below the header is 1.
    low, high : float or None
        Ends included in what is inside.
    said : str
        In words, for the record.
    """

    kind: StepKind
    column: str = ""
    other: str = ""
    codes: tuple[tuple[str, str], ...] = ()
    rows: tuple[int, ...] = ()
    low: float | None = None
    high: float | None = None
    factor: float = 1.0
    keep: Literal["first", "last"] = "last"
    said: str = ""

    @property
    def drops_rows(self) -> bool:
        """True if it leaves out rows; the others change cells."""
        return self.kind in DROPPING


def possible(step: Step) -> bool:
    """Whether a step can be taken at all: one that was written by hand may say anything."""
    numbers = [each for each in (step.low, step.high, step.factor) if each is not None]
    named = bool(step.column) or step.kind in _OF_THE_TABLE
    few = len(step.codes) <= MOST_CODES and len(step.rows) <= MOST_ROWS
    texts = [step.column, step.other, step.said, *(text for pair in step.codes for text in pair)]
    return (
        all(map(math.isfinite, numbers)) and named and (bool(step.other) or step.kind not in _OF_TWO) and few
        and all(1 <= row <= _LAST_ROW for row in step.rows)
        and all(len(text) <= LONGEST_TEXT and "\0" not in text for text in texts)
    )  # fmt: skip
