"""What was put right in a file: rules with names, so that they can be undone, and run again on the next file."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked

StepKind = Literal["drop_duplicates", "keep_one", "drop_rows", "drop_outside", "set_missing", "set_missing_outside",
                   "multiply", "merge_levels", "drop_column", "swap_dates"]  # fmt: skip


@checked(frozen=True, config=ConfigDict(extra="forbid"))
class Step:
    """One thing that was put right.

    Attributes
    ----------
    kind : str
        ``drop_duplicates``: rows that are wholly alike, but one. ``keep_one``: of rows of one identifier the ``first``
        or the ``last``. ``drop_rows``: by number. ``drop_outside``, ``set_missing_outside``: where a number lies
        outside of ``low`` and ``high``. ``set_missing``: where a cell is one of ``codes``. ``multiply``: numbers
        between ``low`` and ``high`` by ``factor``. ``merge_levels``: codes become others. ``drop_column``.
        ``swap_dates``: where the second of two dates is before the first, they change places.
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
