"""The file ``live.json``: where the rows of a cohort without data of its own are, and what is made of them there."""

from __future__ import annotations

import json
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator

from bedside.cohort.variable import Part
from bedside.errors import Fault
from bedside.intake.columns import clean_name
from bedside.intake.paths import is_text, leads_out

FILE = "live.json"
MAX_BYTES = 2**20


class Span(Part):
    """Whole days from one date to that of an event among others, else to the latest of these that is recorded."""

    start: str = Field(alias="from", min_length=1)
    ends: tuple[str, ...] = Field(alias="to", min_length=1)


class LiveTold(Part):
    """A whole ``live.json``.

    Attributes
    ----------
    source : str
        Name of a configured source.
    schema_name : str
        Of a database; ``"schema"`` in the file.
    table : str
        Table, view, file or folder in it.
    times : dict of str to Span
        Columns made from dates, in days.
    happened : dict of str to str
        Statuses made from a date: 1 where it is recorded, 0 where it is not.
    missing : dict of str to tuple of str
        Codes of a column that mean "not recorded".
    time_zone : str
        In which points in time with a zone become days.
    """

    source: str = Field(min_length=1, max_length=100)
    schema_name: str = Field(default="", alias="schema", max_length=300)
    table: str = Field(default="", max_length=1000)
    times: dict[str, Span] = Field(default_factory=dict)
    happened: dict[str, str] = Field(default_factory=dict)
    missing: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("a time zone such as Europe/Berlin") from None
        return value

    def cleaned(self) -> LiveTold:
        """With names of columns as they are after reading."""
        spans = {
            clean_name(name): span.model_copy(
                update={"start": clean_name(span.start), "ends": tuple(clean_name(end) for end in span.ends)}
            )
            for name, span in self.times.items()
        }
        return self.model_copy(
            update={
                "times": spans,
                "happened": {clean_name(name): clean_name(date) for name, date in self.happened.items()},
                "missing": {clean_name(name): codes for name, codes in self.missing.items()},
            }
        )


def is_live(folder: Path) -> bool:
    """True if the rows of a cohort's folder lie elsewhere."""
    try:
        return (folder / FILE).is_file()
    except OSError:
        return False


def read_live(folder: Path) -> LiveTold | tuple[Fault, ...]:
    """What a folder says of where its rows are, or every fault of it."""
    path = folder / FILE
    try:
        if leads_out(path):
            return (Fault(FILE, "", "a file in the cohort's folder, not a link that leads out of it"),)
        if path.stat().st_size > MAX_BYTES:
            return (Fault(FILE, "", f"at most {MAX_BYTES // 2**20} MB"),)
        text = path.read_text(encoding="utf-8-sig")
        told = json.loads(text)
    except OSError:
        return (Fault(FILE, "", "a readable file of this name in the cohort's folder"),)
    except (ValueError, RecursionError):
        return (Fault(FILE, "", "a JSON object in UTF-8"),)
    if not is_text(json.dumps(told, ensure_ascii=False)):
        return (Fault(FILE, "", "text of whole characters"),)
    try:
        return LiveTold.model_validate(told).cleaned()
    except ValidationError as error:
        return tuple(
            Fault(
                FILE, ".".join(map(str, one["loc"])),
                one["msg"].removeprefix("Value error, ").removeprefix("Input should be "),
            )
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        )  # fmt: skip
