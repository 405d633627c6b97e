"""Tables as CSV that a spreadsheet opens as text and numbers, never as formulas."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from numbers import Integral, Real

BOM = "\ufeff"
# A spreadsheet takes these as the start of a formula, the full-width ones included.
# An apostrophe in front makes the cell text; leading blanks do not protect, so they are looked through.
BLANK = r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]"
FORMULA = re.compile(rf"{BLANK}*[\x00-\x1f=+\-@＝＋－＠﹢﹣﹦﹫]")
PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
MISSING = ("NAType", "NaTType")  # pandas' own words for missing, known by name so that pandas need not be imported
HASH_LENGTH = 16


def csv_bytes(header: Sequence[object], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as the bytes of a CSV file.

    Parameters
    ----------
    header : sequence
        Column names; hostile text is made harmless as in any text cell.
    rows : iterable of sequences
        Cells. Numbers are written as they are (``-2.5`` stays a number, NaN
        and None become empty); everything else is text.

    Returns
    -------
    bytes
        UTF-8 with a byte order mark, RFC 4180 (CRLF, quotes doubled).

    Raises
    ------
    ValueError
        If a row is longer or shorter than the header.
    """
    width = len(header)
    lines = [",".join(_text(str(name)) for name in header)]
    for row in rows:
        if len(row) != width:
            raise ValueError(f"a row has {len(row)} cells where the header has {width}")
        lines.append(",".join(_cell(value) for value in row))
    return (BOM + "".join(f"{line}\r\n" for line in lines)).encode("utf-8", "replace")


def _cell(value: object) -> str:
    if value is None or type(value).__name__ in MISSING:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return "" if math.isnan(value) else repr(float(value))
    return _text(str(value))


def _text(text: str) -> str:
    # NUL ends a string for some readers, and hides what follows from the eye in all of them.
    clean = text.replace("\x00", "\ufffd")
    if FORMULA.match(text) and not PLAIN_NUMBER.fullmatch(text):
        clean = "'" + clean
    # Every text is quoted: a spreadsheet that splits at semicolons must not find a formula inside a cell.
    return '"' + clean.replace('"', '""') + '"'


def file_name(stem: str, data: bytes, ext: str) -> str:
    """A name for a download, different for different bytes.

    The hash is a safeguard before it is a convenience: the server tells two
    large downloads apart by their name, length and a sample of their bytes, so
    without it one reader could be handed the file made for another.

    Parameters
    ----------
    stem : str
        What the file is about; may come from data. Letters and digits of any
        script stay, the rest becomes hyphens.
    data : bytes
        The file itself.
    ext : str
        Extension, with or without its dot.

    Returns
    -------
    str
        ``stem-<16 hex digits of SHA-256>.ext``, at most 120 characters.
    """
    plain = unicodedata.normalize("NFC", stem)
    safe = re.sub(r"[\W_]+", "-", plain).strip("-")[:80].strip("-").lower() or "bedside"
    extension = re.sub(r"[^a-z0-9]", "", ext.lower())[:10] or "bin"
    return f"{safe}-{hashlib.sha256(data).hexdigest()[:HASH_LENGTH]}.{extension}"
