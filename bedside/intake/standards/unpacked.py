"""Archives of a folder, such as a study comes in: unpacked within bounds, under plain names, never outside."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from bedside.errors import Fixable
from bedside.intake.staging import sealed
from bedside.intake.standards.recognise import MOST_DEEP, MOST_FILES

MOST_BYTES = 4 * 2**30
SURELY_SMALL, MOST_SWELLING = 256 * 2**20, 100
"""An archive may unpack to the first in any case, beyond it to so many times its size."""
PIECE = 2**20
_DOCUMENTS = ("[Content_Types].xml", "mimetype")
"""What stands in the packed documents of office programs, which are tables of their own."""
_ODD = re.compile(r"[^\w.()+ #%@,=-]")
_DAMAGED = (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError, NotImplementedError, RuntimeError)

Member = tuple[str, int, IO[bytes]]


def is_archive(path: Path) -> bool:
    """True for a ZIP or TAR archive that is no document of an office program."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return not any(name in _DOCUMENTS for name in archive.namelist()[:50])
        return tarfile.is_tarfile(path)
    except _DAMAGED:
        return False


def unpack(path: Path, into: Path) -> int:
    """Unpack an archive; how many files there were.

    Parameters
    ----------
    path : Path
    into : Path
        A folder, made anew.

    Raises
    ------
    Fixable
        If it is damaged, locked by a password, swells beyond measure, or holds too many files.
    """
    most = min(MOST_BYTES, max(SURELY_SMALL, MOST_SWELLING * path.stat().st_size))
    into.mkdir(mode=0o700)
    n = total = 0
    turns: Counter[Path] = Counter()
    try:
        for name, size, file in _members(path):
            place = _place(name, into, turns)
            if place is None:
                continue
            n, total = n + 1, total + max(size, 0)
            if n > MOST_FILES:
                raise _stop(f"It holds more than {MOST_FILES:,} files.")
            if total > most:
                raise _too_large(path)
            total += _copied(file, place, most - total + max(size, 0)) - max(size, 0)
    except _DAMAGED as fault:
        raise _stop("It is damaged, locked by a password, or packed in a way that is not known here.") from fault
    return n


def _members(path: Path) -> Iterator[Member]:
    """Plain files of an archive; links and devices are passed over."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for told in archive.infolist():
                if not told.is_dir() and not _is_link(told):
                    with archive.open(told) as file:
                        yield told.filename, told.file_size, file
        return
    with tarfile.open(path) as tar:
        for each in tar:
            if each.isfile() and (inner := tar.extractfile(each)) is not None:
                yield each.name, each.size, inner
            elif each.size > MOST_BYTES:
                raise _too_large(path)


def _is_link(told: zipfile.ZipInfo) -> bool:
    return (told.external_attr >> 16) & 0o170000 == 0o120000


def _place(name: str, into: Path, turns: Counter[Path]) -> Path | None:
    """Where a file goes; None for what computers put there themselves. Files of one name are numbered."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", ".", "..")]
    if not parts or len(parts) > MOST_DEEP or any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return None
    plain = [_ODD.sub("_", part)[:80].strip() or "_" for part in parts[:-1]] + [_ODD.sub("_", parts[-1])[-80:].strip()]
    place = into.joinpath(*plain)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = place
    while place.exists():
        turns[own] += 1
        place = own.with_name(f"{turns[own] + 1}_{plain[-1]}")
    return place


def _copied(file: IO[bytes], place: Path, most: int) -> int:
    """Copy a file, not more than so many bytes whatever its header says."""
    size = 0
    with place.open("xb") as out:
        sealed(place)
        while piece := file.read(PIECE):
            size += len(piece)
            if size > most:
                raise _stop("It unpacks to more than it says.")
            out.write(piece)
    return size


def opened_up(files: Path, into: Path) -> Path:
    """The folder in which files lie that were brought, archives among them unpacked.

    Parameters
    ----------
    files : Path
        What was brought.
    into : Path
        Made anew if there is an archive among them: then it is what is returned.
    """
    brought = sorted(files.iterdir())
    packed = [path for path in brought if is_archive(path)]
    if not packed:
        return files
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(mode=0o700)
    for path in brought:
        if path not in packed:
            os.link(path, into / path.name)
    for path in packed:
        unpack(path, _folder(into, path.name.split(".")[0] or "archive" if len(packed) > 1 else "files"))
    return into


def _folder(into: Path, name: str) -> Path:
    """A place of that name, numbered if something of that name is there."""
    place, n = into / name, 1
    while place.exists():
        n += 1
        place = into / f"{name} ({n})"
    return place


def _stop(why: str) -> Fixable:
    return Fixable("This archive was not unpacked.", why, "Unpack it yourself, and bring the files that are needed.")


def _too_large(path: Path) -> Fixable:
    return _stop(f"It unpacks to more than {MOST_SWELLING} times its size, or more than {MOST_BYTES // 2**30} GB.")
