"""Resources out of files of FHIR, one after another: bundles of any size, lines of a bulk export, packed or not."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from bedside.errors import Fixable

CHUNK = 8 * 2**20
DIRECT = 24 * 2**20
"""A document up to this size is parsed at once; a longer one entry by entry, so that memory stays flat."""
LONGEST = 64 * 2**20
"""The longest line, or entry of a bundle."""
SURELY_SMALL, MOST_SWELLING = 256 * 2**20, 100
"""A packed file may unpack to the first in any case, beyond it to so many times its size."""
MOST_NESTED = 20
"""Bundles within bundles."""
_MARKS = np.zeros(256, dtype=bool)
_MARKS[list(b'"{}[]')] = True
_SKELETON = 65_536
_TYPE = re.compile(rb'"type"\s*:\s*"([a-z-]{1,40})"')

Entry = tuple[str, dict[str, Any]]


@dataclass
class Tally:
    """What was found in one file, counted while it is read.

    Attributes
    ----------
    name : str
        As it is shown.
    n_read : int
        Resources, and lines or entries that hold none.
    why : Counter
        Reasons for what was dropped.
    kinds : Counter
        Resources by type.
    bundles : Counter
        Bundles by type.
    own, further : set of str
        Addresses of the pages that were read, and of those that the server says follow.
    """

    name: str
    n_read: int = 0
    why: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    bundles: Counter[str] = field(default_factory=Counter)
    own: set[str] = field(default_factory=set)
    further: set[str] = field(default_factory=set)

    def drop(self, reason: str, n: int = 1) -> None:
        """Count what was dropped after it had been counted as read."""
        self.why[reason] += n


def resources(path: Path, tally: Tally) -> Iterator[Entry]:
    """Every resource of a file with its ``fullUrl``, which is empty where there is none.

    Raises
    ------
    Fixable
        If the file is no JSON, breaks off, or swells beyond measure.
    """
    try:
        with _opened(path) as file:
            pieces = _pieces(file, path.stat().st_size)
            yield from _document(pieces, tally)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise _stop("It is packed, and breaks off or is damaged.") from None
    except (OSError, UnicodeDecodeError):
        raise _stop("It can't be read, or holds no text in UTF-8.") from None


def _stop(why: str) -> Fixable:
    return Fixable("This file was not read.", why, "Export it again, or leave it out.")


def _opened(path: Path) -> Any:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")


def _pieces(file: Any, size: int) -> Iterator[bytes]:
    """A file in chunks of UTF-8 without its mark of byte order."""
    first = file.read(CHUNK)
    wide = first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16")() if wide else None
    first = first.removeprefix(codecs.BOM_UTF8)
    total = 0
    while first:
        total += len(first)
        if total > max(SURELY_SMALL, MOST_SWELLING * size):
            raise _stop(f"It unpacks to more than {MOST_SWELLING} times its size.")
        yield decoder.decode(first).encode() if decoder else first
        first = file.read(CHUNK)


def _document(pieces: Iterator[bytes], tally: Tally) -> Iterator[Entry]:
    first = b""
    for piece in pieces:
        first = first + piece
        if first.strip():
            break
    line, end, rest = first.partition(b"\n")
    while end and not line.strip():
        line, end, rest = rest.partition(b"\n")
    if end and rest.strip() and _is_object(line):
        yield from _lines(chain([line + end + rest], pieces), tally)
        return
    held = [first]
    size = len(first)
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > DIRECT:
            yield from _long(chain(held, pieces), tally)
            return
    yield from _whole(b"".join(held), tally)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _lines(pieces: Iterable[bytes], tally: Tally) -> Iterator[Entry]:
    """A bulk export: a resource in each line. A line that is none is counted, and the next one read."""
    held = b""
    for piece in chain(pieces, [b"\n"]):
        *lines, held = (held + piece).split(b"\n")
        if len(held) > LONGEST:
            raise _stop("A line of it is longer than 64 MB.")
        for line in lines:
            if not line.strip():
                continue
            try:
                told = orjson.loads(line)
            except orjson.JSONDecodeError:
                tally.n_read += 1
                tally.drop("a line that is not JSON")
                continue
            yield from _resource("", told, tally)


def _whole(text: bytes, tally: Tally) -> Iterator[Entry]:
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _stop("It is not JSON, or breaks off.") from None
    for each in told if isinstance(told, list) else [told]:
        yield from _resource("", each, tally)


def _resource(url: str, told: Any, tally: Tally, deep: int = 0) -> Iterator[Entry]:
    """A resource; of a bundle those that are in it."""
    if not isinstance(told, dict) or not isinstance(told.get("resourceType"), str):
        tally.n_read += 1
        tally.drop("no resource of FHIR")
    elif told["resourceType"] == "Bundle" and deep == MOST_NESTED:
        tally.n_read += 1
        tally.drop(f"a bundle within {MOST_NESTED} others")
    elif told["resourceType"] == "Bundle":
        tally.bundles[str(told.get("type", "bundle"))[:40]] += 1
        for part in ("link", "entry"):
            parts = told.get(part)
            for each in parts if isinstance(parts, list) else ():
                yield from _entry(each, tally, deep + 1)
    else:
        tally.n_read += 1
        yield url, told


def _entry(told: Any, tally: Tally, deep: int = 1) -> Iterator[Entry]:
    """An entry of a bundle, or one of its links to further pages."""
    if isinstance(told, dict) and "resource" in told:
        url = told.get("fullUrl")
        yield from _resource(url if isinstance(url, str) else "", told["resource"], tally, deep)
    elif isinstance(told, dict) and isinstance(told.get("relation"), str) and isinstance(told.get("url"), str):
        if told["relation"] in ("self", "next"):
            (tally.own if told["relation"] == "self" else tally.further).add(told["url"])
    else:
        tally.n_read += 1
        tally.drop("an entry without a resource")


# ------------------------------------------------------------------ longer than memory should hold


def _long(pieces: Iterable[bytes], tally: Tally) -> Iterator[Entry]:
    """A long bundle or list entry by entry, found by the brackets outside of texts."""
    cut = _Cut()
    for piece in pieces:
        for part in cut.take(piece):
            try:
                told = orjson.loads(part)
            except orjson.JSONDecodeError:
                raise _stop("It is not JSON, or breaks off.") from None
            yield from _entry(told, tally) if cut.of_bundle else _resource("", told, tally)
    cut.finish()
    if cut.of_bundle:
        kind = _TYPE.search(bytes(cut.skeleton))
        tally.bundles[kind[1].decode() if kind else "bundle"] += 1


class _Cut:
    """Cuts a JSON text into the objects of its lists without parsing it.

    Attributes
    ----------
    of_bundle : bool
        The text is one object, whose lists hold what is cut out; else it is a list itself.
    skeleton : bytearray
        What stands around them.
    """

    def __init__(self) -> None:
        self.of_bundle = True
        self.skeleton = bytearray()
        self._started = False
        self._level, self._at_depth = 0, 3
        self._in_text = False
        self._held: list[bytes] = []
        self._odd = b""

    def take(self, piece: bytes) -> Iterator[bytes]:
        """Objects that end in this piece."""
        piece = self._odd + piece
        slashes = len(piece) - len(piece.rstrip(b"\\"))  # what they escape stands in the next piece
        self._odd, piece = (piece[-slashes:], piece[:-slashes]) if slashes else (b"", piece)
        if not self._started and piece.strip():
            self._started = True
            self.of_bundle = piece.lstrip()[:1] == b"{"
            self._at_depth = 3 if self.of_bundle else 2
        opens, closes = self._ends(piece) if piece else ([], [])
        start = 0 if self._held else -1
        done = 0
        for at, is_open in sorted([*((at, True) for at in opens), *((at + 1, False) for at in closes)]):
            if is_open:
                self._around(piece[done:at])
                start = at
                continue
            yield b"".join([*self._held, piece[start:at]])
            self._held, start, done = [], -1, at
        if start >= 0:
            self._held.append(piece[start:])
            if sum(map(len, self._held)) > LONGEST:
                raise _stop("An entry of it is longer than 64 MB, or a text in it never ends.")
        else:
            self._around(piece[done:])

    def _around(self, text: bytes) -> None:
        self.skeleton += text[: max(0, _SKELETON - len(self.skeleton))]

    def _ends(self, piece: bytes) -> tuple[list[int], list[int]]:
        plain = np.frombuffer(piece.replace(b"\\\\", b"__").replace(b'\\"', b"__"), dtype=np.uint8)
        at = np.flatnonzero(_MARKS[plain])
        marks = plain[at]
        quotes = marks == ord('"')
        within = (np.cumsum(quotes) + self._in_text) % 2 == 1
        self._in_text = bool(within[-1]) if len(within) else self._in_text
        outside = ~quotes & ~within
        at, marks = at[outside], marks[outside]
        opening = (marks == ord("{")) | (marks == ord("["))
        level = self._level + np.cumsum(np.where(opening, 1, -1))
        self._level = int(level[-1]) if len(level) else self._level
        if len(level) and level.min() < 0:
            raise _stop("It is not JSON, or breaks off.")
        opens = at[opening & (level == self._at_depth) & (marks == ord("{"))]
        closes = at[~opening & (level == self._at_depth - 1) & (marks == ord("}"))]
        return opens.tolist(), closes.tolist()

    def finish(self) -> None:
        """Check that the text came to its end."""
        if self._level or self._in_text or self._odd:
            raise _stop("It is not JSON, or breaks off.")
