"""What a file is, by its first bytes: its name may say anything."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

from bedside.errors import Fixable
from bedside.intake.staging import WHAT, Format

START = 64 * 1024
_STARTS: tuple[tuple[bytes, Format], ...] = (
    (b"PAR1", "parquet"),
    (b"$FL2", "spss"),
    (b"$FL3", "spss"),
    (b"\xd0\xcf\x11\xe0", "excel"),  # the older binary workbook
    (b"<stata_dta>", "stata"),
    (bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf", "sas"),
    (b"HEADER RECORD*******", "sas"),  # transport file
)
_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"\x80\x02", "a Python pickle"), (b"\x80\x03", "a Python pickle"), (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"), (b"\x89HDF", "an HDF5 file"), (b"RDX", "an R data file"),
    (b"X\n\x00\x00\x00", "an R data file"), (b"RDA", "an R data file"), (b"%PDF", "a PDF"), (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"), (b"\x7fELF", "a program"), (b"MZ", "a program"), (b"SQLite format 3", "a database"),
    (b"7z\xbc\xaf", "a 7z archive"), (b"Rar!", "a RAR archive"), (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"), (b"\x28\xb5\x2f\xfd", "a zstd archive"),
)  # fmt: skip
_OLD_STATA = re.compile(rb"[\x69\x71-\x73][\x01\x02]\x01\x00")
"""Releases before 117 begin with their number and the order of bytes."""
_CAN_RUN = ("a Python pickle", "an R data file", "a program")


def recognise(path: Path) -> Format:
    """The kind of a file.

    Raises
    ------
    Fixable
        If it is of a kind that holds no table, or that could run as a program.
    """
    with path.open("rb") as file:
        start = file.read(START)
    for mark, kind in _REFUSED:
        if start.startswith(mark):
            raise _refused(kind)
    for mark, found in _STARTS:
        if start.startswith(mark):
            return found
    if start.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if (
        start[:1] in (b"\x69", b"\x71", b"\x72", b"\x73")
        and start[1:2] in (b"\x01", b"\x02")
        and start[2:4] == b"\x01\x00"
    ):
        return "stata"  # releases before 117 begin with their number and the order of bytes
    if _holds_json(start):
        return "json"
    if _is_binary(start):
        raise _refused("neither text nor a table of a kind that is known here")
    return "csv"


def _zipped(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        raise _refused("a damaged archive") from None
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names or "content.xml" in names:
        return "excel"
    raise _refused("an archive of something else")


def _holds_json(start: bytes) -> bool:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"[":
        return text[1:].lstrip(b" \t\r\n")[:1] in (b"{", b"]", b"[")
    if text[:1] != b"{":
        return False
    line = text.split(b"\n", 1)[0].strip()
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return text[1:].lstrip(b" \t\r\n")[:1] in (b'"', b"}")


def _is_binary(start: bytes) -> bool:
    """True for bytes that no text is made of; UTF-16 and UTF-32 have many zeros, but in a pattern."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return False
    odd = sum(1 for byte in start[:4096] if byte < 9 or 13 < byte < 32 or byte == 127)
    zeros = start[:4096].count(0)
    even, uneven = start[0:4096:2].count(0), start[1:4096:2].count(0)
    if zeros and max(even, uneven) > 0.9 * zeros and zeros > 0.3 * len(start[:4096]) / 2:
        odd -= zeros  # UTF-16 without a mark
    return odd > 0.01 * len(start[:4096])


def _refused(kind: str) -> Fixable:
    why = f"It is {kind}."
    if kind in _CAN_RUN:
        why += " Such files can run as programs when they are opened, so none is."
    return Fixable(WHAT, why, "Save the table as CSV, Excel or Parquet where it came from, and bring that.")
