"""Dates and points in time as FHIR writes them, in whole days of one time zone."""

from __future__ import annotations

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bedside.errors import Fixable
from bedside.intake.dates import EARLIEST, LATEST, PLACEHOLDERS

NO_DAY = -(2**31)
"""Stands where there is no date."""
DAY, MONTH, YEAR, AGE = 0, 1, 2, 3
"""How exactly a day is known; an age is still to be added to the date of birth."""
EPOCH = date(1970, 1, 1).toordinal()
_MOST_KNOWN = 300_000
_FORM = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(.+))?)?)?")

Read = tuple[int, int]
NONE: Read = (NO_DAY, DAY)


class Days:
    """Reads each different text once.

    Parameters
    ----------
    time_zone : str
        In which a point in time becomes a day; a date without a time stays what it is.

    Raises
    ------
    Fixable
        If there is no such time zone.
    """

    def __init__(self, time_zone: str) -> None:
        try:
            self._zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Fixable(
                "These files were not read.", "The time zone is not known by this name.",
                "Choose one such as Europe/Berlin or UTC.",
            ) from None  # fmt: skip
        self.name = time_zone
        self._known: dict[str, Read] = {}

    def read(self, text: str | None) -> Read:
        """Days since 1970-01-01, and how exactly; of a month its 15th, of a year the 1st of July."""
        if text is None:
            return NONE
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[text] = self._read(text)
        return found

    def _read(self, text: str) -> Read:
        form = _FORM.fullmatch(text.strip())
        if form is None:
            return NONE
        year, month, day, time = form.groups()
        try:
            if day is None:
                found, exactly = date(int(year), int(month or 7), 15 if month else 1), MONTH if month else YEAR
            else:
                found, exactly = date(int(year), int(month), int(day)), DAY
        except ValueError:
            return NONE
        if time:
            found = self._moment(text.strip(), found)
        if found in PLACEHOLDERS or not EARLIEST <= found < LATEST:
            return NONE
        return found.toordinal() - EPOCH, exactly

    def _moment(self, text: str, written: date) -> date:
        try:
            moment = datetime.fromisoformat(text)
            return moment.date() if moment.tzinfo is None else moment.astimezone(self._zone).date()
        except (ValueError, OverflowError):
            return written  # such as a leap second: the day stands all the same


def day_of(text: str) -> int:
    """A plain date as days since 1970-01-01."""
    return date.fromisoformat(text).toordinal() - EPOCH
