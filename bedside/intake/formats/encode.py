"""Any text as UTF-8 with one kind of line end."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import from_bytes

from bedside.errors import Fixable
from bedside.intake.staging import WHAT, sealed

SAMPLE = 256 * 1024
_PART = 4 * 2**20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
CALLED = {
    "utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16",
    "utf-32": "UTF-32", "cp1252": "Windows Western (1252)", "latin-1": "Latin-1", "iso8859-15": "Latin-9",
    "cp1250": "Windows Central European (1250)", "cp1251": "Windows Cyrillic (1251)", "cp1253": "Windows Greek (1253)",
    "cp1254": "Windows Turkish (1254)", "cp932": "Japanese (Shift-JIS)", "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)", "cp949": "Korean (949)", "mac-roman": "Macintosh", "cp850": "DOS (850)",
}  # fmt: skip
"""Encodings that the reader may choose between, and what they are called."""

_CENTRAL = re.compile(
    rb"[a-zA-Z][\x9a\x9d-\x9f\xb9\xbe\xbf]|[a-zA-Z]\xb3[a-zA-Z]|[\x8a\x8d-\x8f][a-zA-Z]|\xf5[^\xe3]*\xfb|\xfb[^\xe3]*\xf5"
)
"""What no Western text has within words, and a Polish, Czech, Croatian or Hungarian one hardly lacks."""
_TURKISH = re.compile(rb"[\xd0\xdd\xde\xf0\xfd\xfe]")


@dataclass(frozen=True)
class Plain:
    """Text in UTF-8 with ``\\n`` or ``\\r\\n`` at the end of all its lines.

    Attributes
    ----------
    file : Path
        The source itself, where it was so already.
    encoding : str
        The source's.
    notes : tuple of str
    """

    file: Path
    encoding: str
    notes: tuple[str, ...]


def plain_text(source: Path, folder: Path, encoding: str = "") -> Plain:
    """A text file as UTF-8; its encoding is found out where none is given.

    Raises
    ------
    Fixable
        If it cannot be read in the encoding that was asked for.
    """
    looked = None if encoding else _plain_ends(source)
    encoding = encoding or ("utf-8" if looked is not None else encoding_of(source))
    ends, fits = (looked, True) if looked is not None else _ends(source, encoding)
    if not fits:
        raise Fixable(
            WHAT,
            f"It is not text in {CALLED.get(encoding, encoding)}.",
            "Choose another encoding, or save it as CSV in UTF-8.",
        )
    notes = [] if encoding in ("utf-8", "utf-8-sig") else [f"Read as {CALLED.get(encoding, encoding)}."]
    if encoding == "utf-8" and ends in ({"\n"}, {"\r\n"}, set()):
        return Plain(source, encoding, ())
    if len(ends) > 1:
        notes.append("Its lines end in several ways: read as one.")
    file = folder / "text"
    with file.open("w", encoding="utf-8", newline="") as out:
        sealed(file)
        for part in _parts(source, encoding):
            out.write(part.replace("\r\n", "\n").replace("\r", "\n"))
    return Plain(file, encoding, tuple(notes))


def _plain_ends(source: Path) -> set[str] | None:
    """Kinds of line end of a file in UTF-8 without a mark, found without making letters of it; None for any other.

    Most exports are so, and of hundreds of megabytes the bytes are looked at ten times as fast as letters are made.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    both = feeds = returns = 0
    last = b""
    with source.open("rb") as file:
        first = file.read(SAMPLE)
        if first.startswith(tuple(mark for mark, _ in _MARKS)) or first.count(0) > len(first) / 8:
            return None
        file.seek(0)
        try:
            while raw := file.read(_PART):
                if not raw.isascii() or decoder.getstate()[0]:
                    decoder.decode(raw)
                both += raw.count(b"\r\n") + (last == b"\r" and raw.startswith(b"\n"))
                feeds += raw.count(b"\n")
                returns += raw.count(b"\r")
                last = raw[-1:]
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
    return _kinds(both, feeds, returns)


def _kinds(both: int, feeds: int, returns: int) -> set[str]:
    found = {"\r\n"} if both else set()
    found |= {"\n"} if feeds > both else set()
    return found | ({"\r"} if returns > both else set())


def encoding_of(source: Path) -> str:
    """The encoding that a text file is most likely in."""
    with source.open("rb") as file:
        start = file.read(SAMPLE)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if start.count(0) > len(start) / 8:
        return "utf-16-le" if start[1::2].count(0) >= start[0::2].count(0) else "utf-16-be"
    if _ends(source, "utf-8")[1]:
        return "utf-8"
    return _single_byte(source)


def _single_byte(source: Path) -> str:
    """Of what is not UTF-8: what its letters beyond the alphabet speak for; Windows Western where they say little."""
    odd = bytearray()
    with source.open("rb") as file:
        while len(odd) < SAMPLE and (part := file.read(_PART)):
            odd += b"\n".join(line for line in part.splitlines() if not line.isascii())
    sample = bytes(odd[:SAMPLE])
    found = from_bytes(sample, cp_isolation=[name for name in CALLED if not name.startswith("utf")]).best()
    name = found.encoding.replace("_", "-") if found is not None else "cp1252"
    western = {"latin-1", "iso8859-15", "cp1252", "cp1250", "cp1254", "mac-roman", "cp850", "big5"}
    if name in western and len(set(sample) & set(range(128, 256))) < 4:
        name = "cp1252"  # a handful of letters tells nothing: take what most exports are in
    if (name == "cp1250" and not _CENTRAL.search(sample)) or (name == "cp1254" and not _TURKISH.search(sample)):
        name = "cp1252"
    try:
        sample.decode(name)
    except UnicodeDecodeError:
        return "latin-1"  # in which every byte is a letter
    return name


def _parts(source: Path, encoding: str) -> Iterator[str]:
    """Decoded pieces that do not end between ``\\r`` and ``\\n``."""
    decoder = codecs.getincrementaldecoder(encoding)()
    held = ""
    with source.open("rb") as file:
        while raw := file.read(_PART):
            text = held + decoder.decode(raw)
            held = "\r" if text.endswith("\r") else ""
            yield text[: len(text) - len(held)]
        yield held + decoder.decode(b"", final=True)


def _ends(source: Path, encoding: str) -> tuple[set[str], bool]:
    """Kinds of line end, and whether all of the file can be decoded."""
    both = feeds = returns = 0
    try:
        for part in _parts(source, encoding):
            both += part.count("\r\n")
            feeds += part.count("\n")
            returns += part.count("\r")
    except (UnicodeError, LookupError):
        return set(), False
    return _kinds(both, feeds, returns), True
