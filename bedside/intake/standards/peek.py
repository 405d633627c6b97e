"""The beginning of a file, enough to see what it is: never all of it, and nothing that could run."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bedside.errors import Fixable
from bedside.intake.columns import clean_name
from bedside.intake.formats.recognise import recognise as format_of
from bedside.intake.staging import new_staging, remove_staging, stage

START = 256 * 1024
LONGEST_NAME = 12
"""Words in a column's name; more are a sentence."""
_RESOURCE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]{1,64})"')
_BARE = re.compile(r"[\w.#%-]{1,64}")
_PACKAGES = ("sas", "spss", "stata", "excel")


@dataclass(frozen=True)
class Peek:
    """What the beginning of a file shows.

    Attributes
    ----------
    form : str
        ``"csv"``, ``"parquet"``, ``"json"``, ``"ndjson"``, ``"sas"`` and so on, ``"duckdb"``, ``"text"`` for words,
        ``"link"``, or empty if it is nothing that is known here.
    names : tuple of str
        Names of columns; of JSON, of the first object's fields.
    kinds : tuple of str
        Types of the columns of a Parquet file.
    resource : str
        ``resourceType`` of FHIR.
    start : str
        The first lines of text.
    why : str
        Why it is nothing that is known.
    """

    form: str
    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    resource: str = ""
    start: str = ""
    why: str = ""

    @property
    def upper(self) -> frozenset[str]:
        """Names in upper case."""
        return frozenset(name.upper() for name in self.names)

    @property
    def lower(self) -> frozenset[str]:
        """Names in lower case."""
        return frozenset(name.lower() for name in self.names)


def peek(path: Path) -> Peek:
    """What a file is, from its beginning; never raises for what is in it."""
    try:
        start, packed = _start(path)
        if not start:
            return Peek("", why="it is empty")
        if start[8:12] == b"DUCK":
            return Peek("duckdb")
        if packed:
            return _text(start)
        form = format_of(path)
    except Fixable as fault:
        return Peek("", why=fault.why)
    except (OSError, EOFError, zlib.error):
        return Peek("", why="it can't be read")
    if form == "parquet":
        return _parquet(path)
    if form in _PACKAGES:
        return _package(path, form)
    return _text(start)


def _start(path: Path) -> tuple[bytes, bool]:
    """The first bytes, unpacked; and whether they were packed."""
    with path.open("rb") as file:
        start = file.read(START)
    if start[:2] != b"\x1f\x8b":
        return start, False
    with gzip.open(path) as packed:
        return packed.read(START), True


def _parquet(path: Path) -> Peek:
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return Peek("", why="it is a damaged Parquet file")
    return Peek("parquet", tuple(schema.names), tuple(str(kind) for kind in schema.types))


def _package(path: Path, form: str) -> Peek:
    """Files of statistics packages and workbooks are parsed in a process of their own."""
    folder = new_staging()
    try:
        staged = stage(path, path.name, folder)
    except Fixable as fault:
        return Peek("", why=fault.why)
    finally:
        remove_staging(folder)
    return Peek(form, tuple(column.name for column in staged.columns))


def _text(start: bytes) -> Peek:
    found = _RESOURCE.search(start)
    bare = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if bare[:1] in (b"{", b"["):
        return _json(bare, found.group(1).decode() if found else "")
    text = _decoded(start)
    if text is None:
        return Peek("", why="it is neither text nor a table of a kind that is known here")
    return _lines(text)


def _json(start: bytes, resource: str) -> Peek:
    line = start.split(b"\n", 1)[0]
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict):
        return Peek("ndjson" if b"\n" in start.strip() else "json", tuple(map(str, told)), resource=resource)
    keys = re.findall(rb'"([^"\\]{1,80})"\s*:', start[:20_000])
    return Peek("json", tuple(dict.fromkeys(key.decode("utf-8", "replace") for key in keys)), resource=resource)


def _decoded(start: bytes) -> str | None:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return start.decode("utf-16", "replace")
    if b"\0" in start:
        return None
    try:
        return start.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        cut = fault.start > len(start) - 4
        return start.decode("utf-8-sig" if cut else "latin-1", "ignore" if cut else "strict")


def _lines(text: str) -> Peek:
    """A table if its first lines have the same number of cells, else words."""
    lines = [line for line in text.splitlines() if line.strip()]
    rows = [line for line in lines if not line.startswith("#")]
    if not rows:
        return Peek("text", start=text[:4000])
    delimiter = max("\t,;|", key=rows[0].count)
    cells = _cells(rows[:20], delimiter)
    if not cells:
        return Peek("text", start=text[:4000])
    widths = [len(row) for row in cells if row]
    # Rows may all be wider than the header: a damaged table is one still.
    usual = max(widths.count(width) for width in widths[1:] or widths)
    bare = all(_BARE.fullmatch(name) for name in cells[0])
    is_prose = not bare and (len(widths) == 1 or any(len(name.split()) > LONGEST_NAME for name in cells[0]))
    if is_prose or not (1 < widths[0] <= 100_000) or usual < (0.5 if bare else 0.8) * (len(widths) - 1):
        return Peek("text", start=text[:4000])
    return Peek("csv", tuple(clean_name(name) for name in cells[0]), start=text[:4000])


def _cells(rows: Iterable[str], delimiter: str) -> list[list[str]]:
    """The cells of some lines, up to one that is longer than any that is read, or a quotation mark without an end."""
    found: list[list[str]] = []
    with suppress(csv.Error):
        found.extend(csv.reader(io.StringIO("\n".join(rows)), delimiter=delimiter))
    return found
