"""Tables attached to cohorts: beside the versions of one that was imported, for each reader beside one that was not.

A table is there once its folder has its name: absent or complete, whenever a process is killed.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from bedside.cohort.attached import TABLE, WORDS
from bedside.cohort.cohort import Cohort
from bedside.errors import Fixable
from bedside.intake.visits_table import LazyVisits, VisitsFile, about_visits
from bedside.intake.wide_table import Wide, damaged, open_wide
from bedside.store.cohorts_folder import TAKEN, cohorts_folder, locked, making, seal, sync, unwritable, write_new
from bedside.store.cohorts_kept import LONGEST_SOURCE, LONGEST_TITLE, _mine, _place, clean, is_imported
from bedside.store.estimates import READER
from bedside.store.folder import data_folder

Kind = Literal["wide", "visits"]
FOLDER, TOLD = "attached", "attached.json"
VISITS = "visits"
FORM = 1
MOST = 50
"""Tables of one cohort."""
MOST_TOLD = 2**20
OPEN = 6
"""Tables whose names are held in memory, for all sessions."""


class _Told(BaseModel):
    """What a table says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    form: int
    kind: Kind
    title: str
    unit: str = ""
    made: str
    source_name: str = ""
    sha256: str = ""
    seal: str


@dataclass(frozen=True)
class Attached:
    """A table that is attached to a cohort.

    Attributes
    ----------
    id : str
        What it holds in a word, numbered from the second on: ``"expression"``, ``"expression-2"``, ``"visits"``.
    kind : {"wide", "visits"}
    title, unit, made, source_name, sha256
        The reader's words, and where it is from.
    seal : str
        What tells its content from another's.
    folder : Path
    mine : bool
        True if the reader may remove it.
    trouble : Fixable or None
        Why it can't be used; then only ``id`` and ``mine`` are sure.
    """

    id: str
    kind: Kind
    title: str
    unit: str = ""
    made: str = ""
    source_name: str = ""
    sha256: str = ""
    seal: str = ""
    folder: Path = field(default=Path(), repr=False)
    mine: bool = True
    trouble: Fixable | None = None

    @property
    def wide(self) -> Wide:
        """Its names, patients and values; raises `Fixable` if it is damaged."""
        return _wide(self.folder, self.seal)

    # What `bedside.cohort.attached.Table` asks for.

    @property
    def scale(self) -> str:
        """What its values are."""
        return self.wide.about.scale

    @property
    def patients(self) -> tuple[str, ...]:
        """Identifiers in the order of the values."""
        return self.wide.patients

    def values(self, name: str) -> np.ndarray:
        """All values of one measurement."""
        return self.wide.values(name)


@lru_cache(maxsize=OPEN)
def _wide(folder: Path, _seal: str) -> Wide:
    """Names of 25,000 features take some megabytes: held once for all sessions."""
    return open_wide(folder)


# ------------------------------------------------------------------ keeping


def keep(
    made_of: Path, *, cohort: str, reader: str, kind: Kind, what: str, title: str, sealed: str, unit: str = "",
    source_name: str = "", sha256: str = "", instead: str = "", now: datetime | None = None,
    folder: Path | None = None,
) -> Attached:  # fmt: skip
    """Attach a table to a cohort.

    Parameters
    ----------
    made_of : Path
        A folder with the table's files and nothing else, from `bring_wide` or `write_visits`: it is moved.
    cohort : str
        Key of the cohort. To one that was imported only its owner attaches; every reader who may open it sees it.
        What is attached to another cohort is this reader's alone.
    reader : str
    kind : {"wide", "visits"}
    what : str
        One of `bedside.cohort.attached.WORDS`, or ``"visits"``.
    title, unit, source_name, sha256 : str
    sealed : str
        What tells its content from another's.
    instead : str
        Id of a table whose place it takes, so that links find the new one.

    Raises
    ------
    Fixable
        If the cohort is not the reader's own, has too many tables, or the disk refuses.
    """
    if what not in WORDS and what != VISITS:
        raise ValueError("a word for what the table holds")
    place = _for(cohort, reader, folder)
    told = _Told(
        form=FORM, kind=kind, title=clean(title, LONGEST_TITLE) or what.capitalize(), unit=clean(unit, 40),
        made=(now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        source_name=clean(source_name, LONGEST_SOURCE), sha256=clean(sha256, 64), seal=sealed,
    )  # fmt: skip
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if len(_ids(place)) >= MOST and not instead:
            raise Fixable("The table was not attached.", f"The cohort has {MOST} tables.", "Remove one of them first.")
        with making(folder) as made:
            for file in sorted(made_of.iterdir()):
                shutil.move(file, made / file.name)
            write_new(made / TOLD, told.model_dump_json().encode())
            seal(made)
            if instead in _ids(place):
                with locked(cohorts_folder(folder)) as aside:
                    (place / instead).rename(aside / "gone")
            name = _named(place, made, what, instead)
        sync(place)
    except FileNotFoundError:
        raise Fixable("The table was not attached.", "The cohort was deleted meanwhile.", "Choose another one.") \
            from None  # fmt: skip
    except OSError as fault:
        raise unwritable(fault) from fault
    return _attached(place / name, mine=True)


def _named(place: Path, made: Path, what: str, instead: str = "") -> str:
    """Give a table the first name that is free: another process may take one at the same moment."""
    for n in range(0 if TABLE.fullmatch(instead) else 1, 10 * MOST):
        name = instead if n == 0 else what if n == 1 else f"{what}-{n}"
        try:
            made.rename(place / name)
        except OSError as fault:
            if fault.errno in TAKEN and place.is_dir():
                continue
            raise
        return name
    raise Fixable("The table was not attached.", "Every name for it is taken.", "Remove another table first.")


def remove(cohort: str, table: str, *, reader: str, folder: Path | None = None) -> None:
    """Remove a table from a cohort, at once and for everybody.

    Raises
    ------
    Fixable
        If it is not the reader's own, or the disk refuses.
    """
    place = _for(cohort, reader, folder)
    if not TABLE.fullmatch(table) or table not in _ids(place):
        raise Fixable("That table is not here.", "It was removed meanwhile.", "Nothing has to be done.")
    try:
        with locked(cohorts_folder(folder)) as aside:
            (place / table).rename(aside / "gone")
            sync(place)
    except FileNotFoundError:
        return
    except OSError as fault:
        raise unwritable(fault) from fault


# ------------------------------------------------------------------ finding


def list_attached(cohort: str, *, reader: str, folder: Path | None = None) -> tuple[Attached, ...]:
    """The tables of a cohort for this reader, by name; one that can't be used says so."""
    place, mine = _seen(cohort, reader, folder)
    if place is None:
        return ()
    return tuple(_attached(place / name, mine=mine) for name in _ids(place))


def _for(cohort: str, reader: str, folder: Path | None) -> Path:
    """Where a reader attaches tables to a cohort."""
    if is_imported(cohort):
        return _mine(cohort, reader, folder) / FOLDER
    return _beside(cohort, reader, folder)


def _seen(cohort: str, reader: str, folder: Path | None) -> tuple[Path | None, bool]:
    """Where the tables of a cohort lie that a reader may open, and whether these are the reader's own."""
    if not is_imported(cohort):
        return _beside(cohort, reader, folder), True
    place = _place(cohort, reader, folder)
    if place is None:
        return None, False
    try:
        return _mine(cohort, reader, folder) / FOLDER, True
    except Fixable:
        return place / FOLDER, False


def _beside(cohort: str, reader: str, folder: Path | None) -> Path:
    """For a cohort that lies elsewhere: nothing but hashes and our own names becomes a path."""
    if not READER.fullmatch(reader):
        raise ValueError("a reader is local or a key of this server")
    name = hashlib.sha256(cohort.encode("utf-8", "replace")).hexdigest()[:32]
    return (folder or data_folder()) / FOLDER / reader / name


def _ids(place: Path) -> list[str]:
    try:
        found = [p.name for p in place.iterdir() if TABLE.fullmatch(p.name) and p.is_dir() and not p.is_symlink()]
    except OSError:
        return []
    return sorted(found, key=lambda name: (re.sub(r"-\d+$", "", name), len(name), name))


def _attached(place: Path, *, mine: bool) -> Attached:
    path = place / TOLD
    try:
        seen = path.stat(follow_symlinks=False)
        told = _read(path, (seen.st_ino, seen.st_mtime_ns, seen.st_size))
        if told.form > FORM:
            raise damaged("It was attached by a newer Bedside.")
    except (OSError, ValidationError, ValueError):
        return Attached(place.name, "wide", place.name, folder=place, mine=mine, trouble=damaged())
    except Fixable as stop:
        return Attached(place.name, "wide", place.name, folder=place, mine=mine, trouble=stop)
    return Attached(place.name, folder=place, mine=mine, **told.model_dump(exclude={"form"}))


@lru_cache(maxsize=512)
def _read(path: Path, as_it_is: tuple[int, ...]) -> _Told:
    """What a table says of itself, read once as long as it is the same: pages ask in every run."""
    if as_it_is[-1] > MOST_TOLD:
        raise ValueError("too long for what a table says of itself")
    return _Told.model_validate_json(path.read_bytes())


# ------------------------------------------------------------------ with the cohort


def with_visits(cohort: Cohort, tables: Sequence[Attached]) -> tuple[Cohort, tuple[Fixable, ...]]:
    """The cohort with the visits of attached tables beside its own; their rows are read when they are asked for.

    Returns
    -------
    cohort : Cohort
        With another fingerprint, unless there is no such table.
    troubles : tuple of Fixable
        Why a table is not among them.
    """
    files: list[VisitsFile] = []
    troubles: list[Fixable] = []
    for table in tables:
        try:
            files.append(VisitsFile(table.folder, about_visits(table.folder)))
        except Fixable as stop:
            troubles.append(stop)
    if not files or cohort.identifier is None:
        return cohort, tuple(troubles)
    told = "\x1f".join((cohort.fingerprint, "visits", *(file.about.sha256 for file in files)))
    visits = LazyVisits(files, cohort.visits)
    return replace(cohort, visits=visits, fingerprint=hashlib.sha256(told.encode()).hexdigest()), tuple(troubles)


def count_below(place: Path) -> int:
    """How many tables lie in the folder of an imported cohort."""
    return len(_ids(place / FOLDER))


def files_below(place: Path) -> Iterator[Path]:
    """All files of the tables in the folder of an imported cohort."""
    for name in _ids(place / FOLDER):
        yield from sorted(p for p in (place / FOLDER / name).iterdir() if p.is_file() and not p.is_symlink())
