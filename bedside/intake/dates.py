"""Dates as people write them, read once for each different way of writing, into whole days of one time zone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

Precision = Literal["day", "month", "year", "none"]
How = Literal["read", "two-digit year", "serial", "placeholder", "unreadable", "either way", "partial"]

PLACEHOLDERS = frozenset(
    [date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1901, 1, 1), date(1800, 1, 1), date(1753, 1, 1),
     date(1, 1, 1), date(2999, 12, 31), date(9999, 12, 31), date(2099, 12, 31), date(3000, 1, 1), date(9999, 1, 1)]
)  # fmt: skip
"""Days that registers write for "unknown" or "not yet"."""
EARLIEST, LATEST = date(1850, 1, 1), date(2100, 1, 1)
SERIALS = (1, 73_050)
"""Days since 1899-12-30, as spreadsheets count them, up to the year 2099."""
SERIAL_ZERO = date(1899, 12, 30)

_MONTHS = {
    1: "jan january januar jänner janvier enero ene gennaio gen januari janeiro styczen sty",
    2: "feb february februar fevrier fev febrero febbraio februari fevereiro luty lut",
    3: "mar march marz maerz mrz mars marzo maart mrt marco marzec",
    4: "apr april avril avr abril abr aprile kwiecien kwi",
    5: "may mai mayo maggio mag mei maio maj",
    6: "jun june juni juin junio giugno giu junho czerwiec cze",
    7: "jul july juli juillet juil julio luglio lug julho lipiec lip",
    8: "aug august aout agosto ago augustus augusti sierpien sie",
    9: "sep sept september septembre septiembre settembre set setembro wrzesien wrz",
    10: "oct october oktober okt octobre octubre ottobre ott outubro out pazdziernik paz",
    11: "nov november novembre noviembre novembro listopad lis",
    12: "dec december dezember dez decembre diciembre dic dicembre dezembro grudzien gru",
}
MONTHS = {word: month for month, words in _MONTHS.items() for word in words.split()}

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](.+))?")
_YEAR_FIRST = re.compile(r"(\d{4})[./\s-](\d{1,2})[./\s-](\d{1,2})(?:[T ].*)?")
_TOGETHER = re.compile(r"(19|20)(\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])")
_PARTS = re.compile(r"(\d{1,2})\s*[./\s-]\s*(\d{1,2})\s*[./\s-]\s*(\d{4}|\d{2})\.?(?:[T ,](.*))?")
_ZONED = re.compile(
    r"\s*(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([ap]\.?m\.?)?\s*(Z|UTC|GMT|([+-])(\d{2}):?(\d{2})?)",
    re.IGNORECASE,
)
"""A time of day with its distance from Greenwich: without that, a day is the one that is written."""
_WORDS = re.compile(
    r"(?:[^\W\d]+,?\s+)?(\d{1,2})\.?(?:st|nd|rd|th|er|o)?[\s./-]*(?:de\s+)?"
    r"([^\W\d]+)\.?[\s,./-]*(?:del?\s+)?(\d{4}|\d{2})(?:[T ,].*)?"
)
_WORD_FIRST = re.compile(r"([^\W\d]+)\.?\s*(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?:[T ,].*)?")
_MONTH_YEAR = re.compile(r"(?:(\d{1,2})|([^\W\d]+))\.?[\s./-]+(\d{4})")
_MONTH_SHORT = re.compile(r"([^\W\d]+)[\s./'-]+(\d{2})")
_YEAR_MONTH = re.compile(r"(\d{4})[./-](\d{1,2})")
_YEAR = re.compile(r"(1[89]|20)\d{2}")
_SERIAL = re.compile(r"(\d{1,5})(?:[.,]\d+)?")


@dataclass(frozen=True)
class DateStyle:
    """How the dates of a column are to be read where they could be read in two ways.

    Attributes
    ----------
    day_first : bool
        ``03/04/2020`` is the 3rd of April.
    serials : bool
        Whole numbers are days as spreadsheets count them.
    time_zone : str
        In which a point in time becomes a day.
    this_year : int
        Two digits beyond it belong to the last century.
    """

    day_first: bool = True
    serials: bool = False
    time_zone: str = "UTC"
    this_year: int = 2026


@dataclass(frozen=True)
class ReadDate:
    """One way of writing, read.

    Attributes
    ----------
    day : date or None
        Of a month its 15th, of a year the 1st of July; None if there is none.
    precision : {"day", "month", "year", "none"}
    how : str
        What it took; ``"either way"`` where day and month could be exchanged.
    """

    day: date | None
    precision: Precision
    how: How


def read_date(text: str, style: DateStyle) -> ReadDate:
    """One date; never an error: what can't be read says so.

    Parameters
    ----------
    text : str
    style : DateStyle
    """
    cell = " ".join(text.split())
    found = _plain(cell, style) or _worded(cell, style) or _partial(cell, style) or _serial(cell, style)
    if found is None:
        return ReadDate(None, "none", "unreadable")
    if found.day in PLACEHOLDERS:
        return ReadDate(None, "none", "placeholder")
    if found.day is not None and not EARLIEST <= found.day < LATEST:
        return ReadDate(None, "none", "unreadable")
    return found


def _plain(cell: str, style: DateStyle) -> ReadDate | None:
    if iso := _ISO.fullmatch(cell):
        return _moment(cell, style) if iso[4] else _day(int(iso[1]), int(iso[2]), int(iso[3]))
    if first := _YEAR_FIRST.fullmatch(cell):
        return _day(int(first[1]), int(first[2]), int(first[3]))
    if together := _TOGETHER.fullmatch(cell):
        return _day(int(together[1] + together[2]), int(together[3]), int(together[4]))
    if parts := _PARTS.fullmatch(cell):
        return _in_zone(_of_parts(int(parts[1]), int(parts[2]), parts[3], style), parts[4], style)
    return None


def _of_parts(first: int, second: int, year: str, style: DateStyle) -> ReadDate | None:
    """Day and month in the order that is possible; in the style's where both are."""
    day, month = (first, second) if style.day_first else (second, first)
    if month > 12:
        day, month = month, day
    found = _day(_year(year, style), month, day)
    if found is None:
        return None
    if first <= 12 and second <= 12 and first != second:
        return ReadDate(found.day, "day", "either way")
    return ReadDate(found.day, "day", "two-digit year" if len(year) == 2 else "read")


def _in_zone(found: ReadDate | None, rest: str | None, style: DateStyle) -> ReadDate | None:
    """The day in the style's zone of a day with a time of day that says how far from Greenwich it was."""
    told = _ZONED.fullmatch(rest) if rest and found is not None else None
    if told is None or found is None or found.day is None:
        return found
    hour = int(told[1]) % 12 + (12 if told[4][0] in "pP" else 0) if told[4] else int(told[1])
    away = timedelta(hours=int(told[7] or 0), minutes=int(told[8] or 0)) * (-1 if told[6] == "-" else 1)
    try:
        when = datetime(found.day.year, found.day.month, found.day.day, hour, int(told[2]), tzinfo=timezone(away))
        return replace(found, day=when.astimezone(ZoneInfo(style.time_zone)).date())
    except (ValueError, OverflowError):
        return found


def _moment(cell: str, style: DateStyle) -> ReadDate | None:
    """A point in time as the day it is on in one zone; without a zone of its own it is taken as written."""
    try:
        when = datetime.fromisoformat(cell.replace(" ", "T", 1) if cell.count(" ") == 1 else cell)
    except ValueError:
        iso = _ISO.fullmatch(cell)
        return _day(int(iso[1]), int(iso[2]), int(iso[3])) if iso else None
    if when.tzinfo is None:
        return ReadDate(when.date(), "day", "read")
    try:
        return ReadDate(when.astimezone(ZoneInfo(style.time_zone)).date(), "day", "read")
    except OverflowError:
        return ReadDate(when.astimezone(UTC).date(), "day", "read")


def _worded(cell: str, style: DateStyle) -> ReadDate | None:
    if words := _WORDS.fullmatch(cell):
        month = _month(words[2])
        if month:
            found = _day(_year(words[3], style), month, int(words[1]))
            return found and ReadDate(found.day, "day", "two-digit year" if len(words[3]) == 2 else "read")
    if first := _WORD_FIRST.fullmatch(cell):
        month = _month(first[1])
        return _day(int(first[3]), month, int(first[2])) if month else None
    return None


def _partial(cell: str, style: DateStyle) -> ReadDate | None:
    year, month = 0, 0
    if both := _YEAR_MONTH.fullmatch(cell):
        year, month = int(both[1]), int(both[2])
    elif both := _MONTH_YEAR.fullmatch(cell):
        year, month = int(both[3]), int(both[1]) if both[1] else _month(both[2]) or 0
    elif both := _MONTH_SHORT.fullmatch(cell):
        year, month = _year(both[2], style), _month(both[1]) or 0
    elif _YEAR.fullmatch(cell):
        return ReadDate(date(int(cell), 7, 1), "year", "partial")
    if 1 <= month <= 12 and year > 0:
        return ReadDate(date(year, month, 15), "month", "partial")
    return None


def _serial(cell: str, style: DateStyle) -> ReadDate | None:
    whole = _SERIAL.fullmatch(cell)
    if not style.serials or not whole or not SERIALS[0] <= int(whole[1]) <= SERIALS[1]:
        return None
    return ReadDate(SERIAL_ZERO + timedelta(days=int(whole[1])), "day", "serial")


def _day(year: int, month: int, day: int) -> ReadDate | None:
    try:
        return ReadDate(date(year, month, day), "day", "read")
    except ValueError:
        return None


def _year(text: str, style: DateStyle) -> int:
    if len(text) > 2:
        return int(text)
    return 2000 + int(text) if 2000 + int(text) <= style.this_year else 1900 + int(text)


def _month(word: str) -> int | None:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return MONTHS.get("".join(letter for letter in plain if letter.isalpha() and letter.isascii()))


# ------------------------------------------------------------------ a column


@dataclass(frozen=True)
class DateColumn:
    """What the dates of a column look like.

    Attributes
    ----------
    share : float
        Of the different cells that could be read as a date, weighed by how often they occur.
    style : DateStyle
        How they are best read.
    sure : bool
        False where every date could be read with day and month exchanged.
    mixed : bool
        True where some can only be read day first and others only month first.
    counts : mapping of str to int
        Rows by how they were read.
    """

    share: float
    style: DateStyle
    sure: bool
    mixed: bool
    counts: Mapping[str, int]


def look_at(
    cells: Mapping[str, int],
    *,
    time_zone: str = "UTC",
    this_year: int,
    day_first: bool | None = None,
    serials: bool | None = None,
) -> DateColumn:
    """How a column of dates is to be read, from its different cells and how often each occurs.

    Parameters
    ----------
    cells : mapping of str to int
    time_zone : str
    this_year : int
    day_first : bool, optional
        If it is known from elsewhere; it decides only where the column itself doesn't.
    serials : bool, optional
        By default whole numbers are days where other cells are dates and nearly all numbers lie where recent days do;
        of a column of numbers alone, who calls has to know by its name that it holds dates.
    """
    orders = [_order(text) for text in cells]
    day, month = sum(o == "day" for o in orders), sum(o == "month" for o in orders)
    unsure = sum(o == "either" for o in orders)
    dotted = sum(1 for text in cells if re.match(r"\s*\d{1,2}\.\s*\d{1,2}\.", text))
    known = day_first if day_first is not None else dotted > 0 or not month
    first = day >= month if day or month else known
    style = DateStyle(first, bool(serials), time_zone, this_year)
    counts = count_ways(cells, style)
    total = sum(cells.values())
    numbers = sum(n for text, n in cells.items() if _is_serial(text))
    if serials is None and numbers and _days_of_today(cells, counts, numbers, total):
        style = DateStyle(first, True, time_zone, this_year)
        counts = count_ways(cells, style)
    readable = total - counts.get("unreadable", 0)
    sure = bool(day or month or dotted) or not unsure or day_first is not None
    return DateColumn(readable / max(total, 1), style, sure, bool(day and month), counts)


def _days_of_today(cells: Mapping[str, int], counts: Mapping[str, int], numbers: int, total: int) -> bool:
    """True if the whole numbers among dates, or all of a column of them, lie where days since 1960 do."""
    others = total - numbers - counts.get("unreadable", 0)
    return of_today(cells) and (others > 0.2 * total or numbers < total)


def of_today(cells: Iterable[str]) -> bool:
    """True if nearly all whole numbers among cells, years aside, lie where days since 1960 do."""
    days = whole_days(cells)
    return bool(days) and sum(21_900 < day < 60_000 for day in days) > 0.9 * len(days)


def whole_days(cells: Iterable[str]) -> list[int]:
    """The numbers among cells that may count days; a year is none."""
    return [int(text.strip().replace(",", ".").split(".")[0]) for text in cells if _is_serial(text)]


def _is_serial(text: str) -> bool:
    """True for what may be a number of days; a year is none, and neither are a month and a year."""
    bare = text.strip()
    return bool(_SERIAL.fullmatch(bare)) and not _YEAR.fullmatch(bare) and not _MONTH_YEAR.fullmatch(bare)


def count_ways(cells: Mapping[str, int], style: DateStyle) -> dict[str, int]:
    """Rows by how they were read."""
    counts: dict[str, int] = {}
    for text, n in cells.items():
        how = read_date(text, style).how
        counts[how] = counts.get(how, 0) + n
    return counts


def _order(text: str) -> str:
    """Whether a date can only be read day first, only month first, or either way; empty where it has no such order."""
    parts = _PARTS.fullmatch(" ".join(text.split()))
    if not parts:
        return ""
    first, second = int(parts[1]), int(parts[2])
    if first > 12 >= second:
        return "day"
    if second > 12 >= first:
        return "month"
    return "either" if first != second else ""
