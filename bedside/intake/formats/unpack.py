"""Packed files: one table in a gzip or zip, within bounds that are checked while it is unpacked."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import IO

from bedside.errors import Fixable
from bedside.intake.staging import WHAT, sealed

MOST_BYTES = 500 * 10**6
MOST_RATIO = 100
SURELY_SMALL = 10**7
"""Bytes that are never too many, however well they were packed."""
_PART = 2**20
_WORKBOOKS = {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}


def unpacked(source: Path, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """The table inside a packed file, or the file itself; and what was done, in a sentence.

    Raises
    ------
    Fixable
        If it swells too much, holds several tables or another packed file, or is damaged.
    """
    with source.open("rb") as file:
        start = file.read(4)
    try:
        if start[:2] == b"\x1f\x8b":
            with gzip.open(source) as packed:
                return _kept(packed, source, folder), ("Unpacked (gzip).",)
        if start == b"PK\x03\x04":
            return _of_archive(source, folder)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        raise Fixable(
            WHAT, "It is packed, and damaged or locked with a password.", "Pack it again, or bring it unpacked."
        ) from None
    return source, ()


def _of_archive(source: Path, folder: Path) -> tuple[Path, tuple[str, ...]]:
    with zipfile.ZipFile(source) as archive:
        members = [each for each in archive.infolist() if not each.is_dir() and "__MACOSX" not in each.filename]
        if {each.filename for each in members} & _WORKBOOKS:
            _check(sum(each.file_size for each in members), source)
            return source, ()
        if len(members) != 1:
            raise Fixable(
                WHAT, f"It is an archive of {len(members):,} files.", "Unpack it and bring one table at a time."
            )
        with archive.open(members[0]) as packed:
            return _kept(packed, source, folder), ("Unpacked (zip).",)


def _kept(packed: IO[bytes], source: Path, folder: Path) -> Path:
    file, size = folder / "unpacked", 0
    with file.open("wb") as out:
        sealed(file)
        while part := packed.read(_PART):
            size += len(part)
            _check(size, source)
            out.write(part)
    with file.open("rb") as plain:
        if plain.read(4).startswith((b"\x1f\x8b", b"PK\x03\x04")):
            raise Fixable(WHAT, "It is packed several times over.", "Unpack it and bring the table itself.")
    return file


def _check(size: int, source: Path) -> None:
    if size > MOST_BYTES or (size > SURELY_SMALL and size > MOST_RATIO * source.stat().st_size):
        raise Fixable(
            WHAT,
            f"Unpacked it is more than {MOST_RATIO} times its size, or more than {MOST_BYTES // 10**6} MB.",
            "Bring it unpacked, or leave out what is not needed.",
        )
