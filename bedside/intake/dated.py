"""Whether a column holds dates, by its cells and by what it is called."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bedside.intake.dates import DateColumn, look_at, of_today, whole_days
from bedside.intake.guess_outcomes import role_of
from bedside.intake.names import words_of, wordset
from bedside.intake.staging import StagedColumn

_DATED = wordset("date datum fecha data dt dat day birthday dob geburtsdatum geboren naissance")
_BESIDE = wordset("of at the in der des de del du la le di da")
_OFTEN = 0.3
"""Share of the cells that are written as dates, from which on no name has to say so."""
_OLDEST, _LATEST = 5_000, 60_000
"""Days since 1899-12-30 between which nearly all of a column named as dates lie: the years 1913 to 2064."""
_FEW = 5


def dates_in(
    column: StagedColumn, cells: Mapping[str, int], *, this_year: int, time_zone: str = "UTC"
) -> DateColumn | None:
    """How the dates of a column are read; None where it holds none.

    Parameters
    ----------
    column : StagedColumn
    cells : mapping of str to int
        Its different cells and how often each occurs.
    this_year : int
    time_zone : str

    Notes
    -----
    A column of numbers alone is one of days only where its name says nothing but a date, and they lie where such days
    do: ``baseline_income`` may be 42,000 too.
    """
    total = sum(cells.values())
    if column.kind not in ("text", "number") or not total:
        return None
    if all(re.fullmatch(r"(1[89]|20)\d{2}", cell) for cell in cells):
        return None
    named = _named(column.name) or _named(column.label)
    serials = True if named and _plausible(cells, "date" in named) else None
    seen = look_at(cells, time_zone=time_zone, this_year=this_year, serials=serials)
    written = sum(seen.counts.get(how, 0) for how in ("read", "either way", "two-digit year", "placeholder"))
    alone = bool(named) and (column.kind == "text" or serials is True)
    return seen if seen.share > 0.8 and (alone or written > _OFTEN * total) else None


def _named(name: str) -> str:
    """``"date"`` where a word of a name says so, ``"role"`` where all say what a date is of, else nothing."""
    words = words_of(name)
    if set(words) & _DATED:
        return "date"
    parts = words[:-1] or words
    return "role" if parts and all(role_of(word) or word in _BESIDE for word in parts) else ""


def _plausible(cells: Mapping[str, int], said: bool) -> bool:
    """True if the numbers among cells lie where days do that spreadsheets count."""
    if not said:
        return len(cells) >= _FEW and of_today(cells)
    days = whole_days(cells)
    return sum(_OLDEST < day < _LATEST for day in days) > 0.9 * len(days)
