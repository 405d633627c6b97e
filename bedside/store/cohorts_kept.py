"""Imported cohorts on disk: a folder for each, a folder in it for each version, nothing overwritten.

What lies there is the truth, and no list stands beside it: a version is there once its folder has its name.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bedside.engine.live import LiveCohort
from bedside.errors import Fixable
from bedside.intake.from_large import looked_at
from bedside.store.cohorts_folder import TAKEN, TRIES, cohorts_folder, locked, seal, sync, unwritable, write_new
from bedside.store.estimates import READER

KEY = re.compile(r"i[0-9a-f]{16}")
VERSION = re.compile(r"v([1-9]\d{0,5})")
KEPT, ABOUT = "kept.json", "about.json"
LONGEST_TITLE, LONGEST_NOTE, LONGEST_SOURCE = 120, 4000, 200
MOST_TOLD = 2**20
"""Bytes of a file that says what a version is."""
FORM = 1


class _Told(BaseModel):
    """What a version says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    form: int
    owner: str = Field(pattern=f"^({READER.pattern})$")
    title: str
    note: str = ""
    made: str
    fingerprint: str
    source_name: str = ""
    sha256: str = ""
    n_patients: int
    n_columns: int


class _About(BaseModel):
    """What holds for all versions, and may be changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    owner: str = Field(pattern=f"^({READER.pattern})$")
    shared: bool = False
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Kept:
    """One version of an imported cohort.

    Attributes
    ----------
    key : str
        The same for all versions: safe in a link, and says nothing.
    version : int
        1 for the first.
    title, note : str
        The reader's words.
    made : str
        When it was kept, UTC, ISO 8601.
    fingerprint : str
        Of the cohort as it opens: what models that learnt from it name.
    source_name, sha256 : str
        Of the file that it was made of.
    n_patients, n_columns : int
    mine : bool
        True if it is the reader's own; only then can it be changed, shared or deleted.
    shared : bool
        True if everybody who signs in to this server may open it.
    trouble : Fixable or None
        Why it can't be opened; then only ``key``, ``version``, ``mine`` and ``shared`` are sure.
    """

    key: str
    version: int
    title: str
    note: str = ""
    made: str = ""
    fingerprint: str = ""
    source_name: str = ""
    sha256: str = ""
    n_patients: int = 0
    n_columns: int = 0
    mine: bool = True
    shared: bool = False
    trouble: Fixable | None = None


# ------------------------------------------------------------------ keeping


def keep(
    folder_made: Path,
    *,
    reader: str,
    title: str,
    key: str | None = None,
    note: str = "",
    source_name: str = "",
    sha256: str = "",
    now: datetime | None = None,
    folder: Path | None = None,
    live: LiveCohort | None = None,
    anew: str = "",
) -> Kept:
    """Keep a cohort's folder as a new cohort, or as the next version of one.

    Parameters
    ----------
    folder_made : Path
        From `making`: it is moved, and no longer there afterwards.
    reader : str
        Whose it is: ``"local"``, or from `bedside.store.estimates.reader_key`.
    title, note, source_name, sha256 : str
        What it is called, and the file that it was made of; any text.
    key : str, optional
        Of the cohort that this is a new version of; only its owner may add one.
    now : datetime, optional
        With a zone.
    folder : Path, optional
        By default the data folder.
    live, anew : LiveCohort and str, optional
        Opened from ``folder_made``, where the rows stay in their source; a key, free here, that a new one is given.

    Returns
    -------
    Kept
        What is returned is on the disk. A kill at any moment before leaves what was there, and no half of this.

    Raises
    ------
    Faults
        If the folder is no cohort that opens: then it is not kept.
    Fixable
        If there is no cohort of that key that is the reader's own, or the disk refuses.

    Notes
    -----
    Opens the cohort once, which takes the memory of its table, or counts it: call it in a background job.
    """
    if not READER.fullmatch(reader):
        raise ValueError("a reader is local or a key of this server")
    if key is not None:
        _mine(key, reader, folder)
    new = key or anew or f"i{secrets.token_hex(8)}"
    cohort, n_columns = looked_at(folder_made, new, live)
    told = _Told(
        form=FORM, owner=reader, title=clean(title, LONGEST_TITLE) or cohort.short_title,
        note=clean(note, LONGEST_NOTE), made=(now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        fingerprint=cohort.fingerprint, source_name=clean(source_name, LONGEST_SOURCE), sha256=clean(sha256, 64),
        n_patients=len(cohort), n_columns=n_columns,
    )  # fmt: skip
    root = cohorts_folder(folder)
    try:
        write_new(folder_made / KEPT, told.model_dump_json().encode())
        seal(folder_made)
        version = _first(root, folder_made, new, reader) if key is None else _next(root / new, folder_made)
    except OSError as fault:
        raise unwritable(fault) from fault
    about = _about(root / new)
    if about is not None and about.title not in ("", told.title):
        describe(new, reader=reader, title=told.title, folder=folder)
    return _kept(root / new, version, reader)


def _first(root: Path, made: Path, key: str, reader: str) -> int:
    """A new cohort, complete before it has its name."""
    with locked(root) as place:
        write_new(place / ABOUT, _About(owner=reader).model_dump_json().encode())
        made.rename(place / "v1")
        sync(place)
        place.rename(root / key)
    sync(root)
    return 1


def _next(place: Path, made: Path) -> int:
    """The next version: another process that keeps one at the same moment takes another number."""
    for _ in range(TRIES):
        version = max(_versions(place), default=0) + 1
        try:
            made.rename(place / f"v{version}")
        except FileNotFoundError:
            raise _absent() from None
        except OSError as fault:
            if fault.errno in TAKEN and place.is_dir():
                continue
            raise
        sync(place)
        return version
    raise OSError("another process keeps versions without end")


def describe(
    key: str, *, reader: str, title: str | None = None, note: str | None = None, shared: bool | None = None,
    folder: Path | None = None,
) -> None:  # fmt: skip
    """Change what a cohort is called, its note, or whether everybody who signs in here may open it.

    Raises
    ------
    Fixable
        If it is not the reader's own, or the disk refuses.
    """
    place = _mine(key, reader, folder)
    old = _about(place) or _About(owner=reader)
    new = old.model_copy(
        update={
            "title": old.title if title is None else clean(title, LONGEST_TITLE),
            "note": old.note if note is None else clean(note, LONGEST_NOTE),
            "shared": old.shared if shared is None else shared,
        }
    )
    try:
        write_new(place / ABOUT, new.model_dump_json().encode())
    except FileNotFoundError:
        raise _absent() from None
    except OSError as fault:
        raise unwritable(fault) from fault


# ------------------------------------------------------------------ finding


def is_imported(key: str) -> bool:
    """True if a cohort of that key can only be one that was imported."""
    return KEY.fullmatch(key) is not None


def list_kept(*, reader: str, folder: Path | None = None) -> tuple[Kept, ...]:
    """The newest version of each cohort that a reader may open, newest first; one in trouble says so."""
    found = []
    for place in _places(folder):
        numbers = _versions(place) if _may_open(place, reader) else []
        if numbers:
            found.append(_kept(place, numbers[0], reader))
    return tuple(sorted(found, key=lambda kept: (kept.made, kept.key), reverse=True))


def versions(key: str, *, reader: str, folder: Path | None = None) -> tuple[Kept, ...]:
    """Every version of a cohort, newest first; none if there is no such cohort for this reader."""
    place = _place(key, reader, folder)
    return () if place is None else tuple(_kept(place, number, reader) for number in _versions(place))


def open_folder(key: str, version: int | None = None, *, reader: str, folder: Path | None = None) -> Path:
    """Where a version lies, for `read_cohort`; the newest one without a number.

    Raises
    ------
    Fixable
        If there is none that this reader may open.
    """
    place = _place(key, reader, folder)
    numbers = [] if place is None else _versions(place)
    wanted = version if version is not None else next(iter(numbers), 0)
    if place is None or wanted not in numbers:
        raise _absent(version if numbers else None)
    return place / f"v{wanted}"


def _mine(key: str, reader: str, folder: Path | None) -> Path:
    """Where a cohort lies that is the reader's own."""
    place = _place(key, reader, folder)
    if place is None:
        raise _absent()
    if _owner(place) != reader:
        raise Fixable(
            "This cohort can't be changed.",
            "It is somebody else's, who lets you open it.",
            "Ask whoever brought it, or bring the file yourself.",
        )
    return place


def _place(key: str, reader: str, folder: Path | None) -> Path | None:
    """Where a cohort lies that a reader may open; nothing but our own names ever becomes a path."""
    if not KEY.fullmatch(key):
        return None
    place = cohorts_folder(folder) / key
    return place if place.is_dir() and not place.is_symlink() and _may_open(place, reader) else None


def _places(folder: Path | None) -> list[Path]:
    root = cohorts_folder(folder)
    try:
        return [p for p in sorted(root.iterdir()) if KEY.fullmatch(p.name) and p.is_dir() and not p.is_symlink()]
    except OSError as fault:
        raise unwritable(fault) from fault


def _may_open(place: Path, reader: str) -> bool:
    about = _about(place)
    return _owner(place) == reader or (about is not None and about.shared)


def _owner(place: Path) -> str | None:
    """Whose it is; None, and so nobody's, if nothing there says it."""
    about = _about(place)
    if about is not None:
        return about.owner
    told = (_told(place / f"v{number}") for number in _versions(place))
    return next((one.owner for one in told if isinstance(one, _Told)), None)


def _versions(place: Path) -> list[int]:
    """Numbers in a cohort's folder, newest first."""
    try:
        matched = [match for match in map(VERSION.fullmatch, os.listdir(place)) if match]
    except OSError:
        return []
    return sorted((int(match[1]) for match in matched), reverse=True)


def _kept(place: Path, version: int, reader: str) -> Kept:
    told, about = _told(place / f"v{version}"), _about(place)
    shared = {"mine": _owner(place) == reader, "shared": about is not None and about.shared}
    if isinstance(told, Fixable):
        title = about.title if about is not None and about.title else place.name
        return Kept(place.name, version, title, trouble=told, **shared)
    words = told.model_dump(exclude={"form", "owner"})
    if about is not None:
        words |= {name: text for name in ("title", "note") if (text := getattr(about, name))}
    return Kept(place.name, version, **words, **shared)


def _told(place: Path) -> _Told | Fixable:
    data = _read(place / KEPT)
    try:
        return _broken("What says which version it is can't be read.") if data is None else _checked(data)
    except (ValidationError, ValueError, RecursionError):
        return _broken("What says which version it is can't be read.")


def _checked(data: bytes) -> _Told | Fixable:
    told = json.loads(data)
    form = told.get("form") if isinstance(told, dict) else None
    return (
        _broken("It was kept by a newer Bedside.")
        if isinstance(form, int) and form > FORM
        else _Told.model_validate(told)
    )


def _about(place: Path) -> _About | None:
    data = _read(place / ABOUT)
    try:
        return None if data is None else _About.model_validate_json(data)
    except ValidationError:
        return None


def _read(path: Path) -> bytes | None:
    try:
        told = path.stat(follow_symlinks=False)
        return _bytes(path, (told.st_ino, told.st_mtime_ns, told.st_ctime_ns, told.st_size))
    except OSError:
        return None


@lru_cache(maxsize=1024)
def _bytes(path: Path, as_it_is: tuple[int, ...]) -> bytes | None:
    """A small file, read once as long as it is the same: pages ask for the list in every run."""
    return path.read_bytes() if as_it_is[-1] <= MOST_TOLD else None


def clean(text: str, longest: int) -> str:
    """A reader's words as they are kept: what no file and no database can hold is replaced, and they end somewhere."""
    readable = " ".join(text.split()) if longest <= LONGEST_SOURCE else text.strip()
    return readable.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()[:longest]


def _absent(version: int | None = None) -> Fixable:
    return Fixable(
        "That cohort is not here.",
        "It was deleted, or is not yours to open." if version is None else f"It has no version {version}.",
        "Choose another cohort from the list." if version is None else "Open its newest version.",
    )


def _broken(why: str) -> Fixable:
    return Fixable(
        "This version can't be opened.", why,
        "Open another version, update Bedside, or put the folder back from a backup.",
    )  # fmt: skip
