"""Saved models on disk: a folder for each name, a file for each version, nothing overwritten."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from bedside.errors import Fixable
from bedside.risk.fitted import Fitted
from bedside.risk.save import LONGEST_HEAD, MOST_ABOUT, MOST_BYTES, About, Saved, about_model, pack, read_about, unpack
from bedside.store.folder import data_folder, drafted

SUFFIX = ".model"
FOLDER = re.compile(r"[0-9a-f]{24}")
FILE = re.compile(r"v([1-9]\d{0,6})\.(model|gone)")
TRIES = 20
MOST_KEPT = 4 * 2**30
"""Bytes of all saved models together: none may fill the disk."""


@dataclass(frozen=True)
class Entry:
    """One saved version.

    Attributes
    ----------
    key : str
        What the store calls all versions of its name: safe in a link, and says nothing.
    version : int
    about : About or None
        None where the file can't be read.
    trouble : Fixable or None
        Why it can't.
    size : int
        Bytes.
    """

    key: str
    version: int
    about: About | None
    trouble: Fixable | None
    size: int


def models_folder() -> Path:
    """Where saved models lie, readable by this user only.

    Raises
    ------
    Fixable
        If the folder can't be made.
    """
    folder = data_folder() / "models"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as fault:
        raise _unwritable(fault) from fault
    return folder


def key_of(name: str) -> str:
    """The store's own name for a reader's name, which may hold anything."""
    return hashlib.sha256(" ".join(name.casefold().split()).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def save_model(
    model: Fitted,
    name: str,
    *,
    note: str = "",
    cohort_title: str = "",
    card: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    now: datetime | None = None,
) -> Entry:
    """Keep a model as the next version of its name.

    Parameters
    ----------
    model : Fitted
    name, note : str
        The reader's words. Names that differ in capitals or blanks alone are one name.
    cohort_title : str
    card : mapping, optional
        The model card as JSON.
    folder : Path, optional
        By default the store's own.
    now : datetime, optional
        With a zone.

    Returns
    -------
    Entry
        Written to the last byte before its name exists: a crash leaves the old versions and nothing else.

    Raises
    ------
    Fixable
        If there is no name, it could not be read back, all models together would take more than `MOST_KEPT`, or the
        disk refuses.
    """
    saved = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
    key = key_of(name)
    place = (folder or models_folder()) / key
    first = max(_versions(place, gone=True), default=0) + 1
    for version in range(first, first + TRIES):
        about = about_model(
            model, name=name, note=note, saved=saved, version=version, cohort_title=cohort_title, card=card
        )
        data = pack(model, about)
        if version == first:
            unpack(data)  # what is kept can be opened again
            _check_room(place.parent, len(data))
        try:
            place.mkdir(mode=0o700, exist_ok=True)
            _write(place / f"v{version}{SUFFIX}", data)
        except FileExistsError:
            continue  # another session saved that version meanwhile
        except OSError as fault:
            raise _unwritable(fault) from fault
        return Entry(key, version, about, None, len(data))
    raise _unwritable(OSError("another session saves without end"))


def keep_file(data: bytes, *, folder: Path | None = None) -> Entry:
    """Take in a file that was saved elsewhere: checked wholly, then kept as the next version of its name here.

    Raises
    ------
    Fixable
        If it is no model that can be opened here.
    """
    brought = unpack(data)
    about = brought.about
    return save_model(
        brought.model, about.name, note=about.note, cohort_title=about.cohort_title, card=about.card, folder=folder,
        now=_when(about.saved),
    )  # fmt: skip


def _when(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC)


def list_models(*, folder: Path | None = None) -> tuple[Entry, ...]:
    """Every saved version, by name and newest first; one that can't be read is listed with the reason."""
    root = folder or models_folder()
    found = [
        _entry(place, version)
        for place in sorted(root.iterdir())
        if FOLDER.fullmatch(place.name) and place.is_dir() and not place.is_symlink()
        for version in _versions(place)
    ]
    return tuple(sorted(found, key=lambda e: (e.about is None, e.about.name.casefold() if e.about else "", e.key,
                                              -e.version)))  # fmt: skip


def read_model(key: str, version: int, *, folder: Path | None = None) -> Saved:
    """A saved model, checked before anything of it is used.

    Raises
    ------
    Fixable
        If there is none, or it can't be opened (`unpack`).
    """
    return unpack(model_bytes(key, version, folder=folder))


def model_bytes(key: str, version: int, *, folder: Path | None = None) -> bytes:
    """The file itself, to be taken elsewhere.

    Raises
    ------
    Fixable
        If there is none.
    """
    path = _path(key, version, folder)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _refusal("The file is larger than any model that Bedside saves.")
        return path.read_bytes()
    except OSError as fault:
        raise _refusal(f"Its file could not be read ({fault.strerror or 'unknown reason'}).") from fault


def delete_model(key: str, version: int, *, folder: Path | None = None) -> None:
    """Take one version away; its number is not given again.

    Raises
    ------
    Fixable
        If there is none, or the disk refuses.
    """
    path = _path(key, version, folder)
    try:
        path.with_suffix(".gone").touch(mode=0o600)
        path.unlink()
        _sync(path.parent)
    except OSError as fault:
        raise _unwritable(fault) from fault


def _check_room(root: Path, more: int) -> None:
    kept = sum(_size(path) for path in root.glob(f"*/v*{SUFFIX}"))
    if kept + more > MOST_KEPT:
        raise Fixable(
            "The model can't be saved.",
            f"The saved models take {kept / 2**20:,.0f} MB already; {MOST_KEPT / 2**20:,.0f} MB are the most.",
            "Delete versions that nobody needs, then save it again.",
        )


def _path(key: str, version: int, folder: Path | None) -> Path:
    """Where a version lies; nothing but our own names ever becomes a path."""
    root = folder or models_folder()
    if not FOLDER.fullmatch(key) or version not in _versions(root / key):
        raise _refusal("No model of that name and version is kept here.")
    return root / key / f"v{version}{SUFFIX}"


def _versions(place: Path, *, gone: bool = False) -> list[int]:
    """Versions in a folder, newest first; with `gone`, also those that were deleted."""
    try:
        names = os.listdir(place)
    except OSError:
        return []
    matched = [match for match in map(FILE.fullmatch, names) if match and (gone or match[2] == "model")]
    return sorted({int(match[1]) for match in matched}, reverse=True)


def _entry(place: Path, version: int) -> Entry:
    path = place / f"v{version}{SUFFIX}"
    try:
        told = path.stat()
        about = _head(path, (told.st_ino, told.st_mtime_ns, told.st_ctime_ns, told.st_size))
    except OSError as fault:
        why = f"Its file could not be read ({fault.strerror or 'unknown reason'})."
        return Entry(place.name, version, None, _refusal(why), 0)
    if isinstance(about, Fixable):
        return Entry(place.name, version, None, about, told.st_size)
    return Entry(place.name, version, about, None, told.st_size)


@lru_cache(maxsize=500)
def _head(path: Path, _as_it_is: tuple[int, ...]) -> About | Fixable:
    """What a file says of itself without its card, or why it says nothing; read once as long as the file is the same.

    Lists need no card, and five hundred of them would be half a gigabyte.
    """
    with path.open("rb") as file:
        start = file.read(LONGEST_HEAD + MOST_ABOUT)
    try:
        return read_about(start).model_copy(update={"card": {}})
    except Fixable as stop:
        return stop


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing, under a name that did not exist."""
    with drafted(path, data) as draft:
        os.link(draft, path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """What a folder lists survives a power cut as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refusal(why: str) -> Fixable:
    return Fixable("This model can't be opened.", why, "Choose another one from the list.")


def _unwritable(fault: OSError) -> Fixable:
    return Fixable(
        "The saved models could not be changed.",
        f"The disk refused ({fault.strerror or 'unknown reason'}); what was saved before is as it was.",
        "Make room, or give this user the right to write the data folder, and try again.",
    )
