"""Folders of imported cohorts: made aside, sealed, and put into place whole; a killed process leaves nothing half."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bedside.errors import Fixable
from bedside.store.folder import data_folder, drafted

NEW, GONE = ".new-", ".gone-"
TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)
TRIES = 50


def cohorts_folder(folder: Path | None = None) -> Path:
    """Where imported cohorts lie, readable by this user only.

    Raises
    ------
    Fixable
        If it can't be made.
    """
    root = (folder or data_folder()) / "cohorts"
    try:
        root.mkdir(mode=0o700, exist_ok=True)
    except OSError as fault:
        raise unwritable(fault) from fault
    return root


@contextmanager
def making(folder: Path | None = None) -> Iterator[Path]:
    """An empty folder to build a cohort in, on the disk where cohorts are kept; what was not kept of it goes.

        with making() as made:
            build(staged, plan, made)
            kept = keep(made, reader=reader, title=plan.title)

    Yields
    ------
    Path
        Inside a folder that is locked as long as this process lives, so that `sweep` knows it from one of a process
        that was killed.

    Raises
    ------
    Fixable
        If the disk refuses.
    """
    with locked(cohorts_folder(folder)) as place:
        made = place / "made"
        try:
            made.mkdir(mode=0o700)
        except OSError as fault:
            raise unwritable(fault) from fault
        yield made


@contextmanager
def locked(root: Path) -> Iterator[Path]:
    """A new folder that this process holds; removed at the end, unless it has been given another name."""
    descriptor, place = _held(root)
    try:
        yield place
    finally:
        if _same(descriptor, place):
            shutil.rmtree(place, ignore_errors=True)
        os.close(descriptor)


def _held(root: Path) -> tuple[int, Path]:
    try:
        for _ in range(TRIES):
            place = root / f"{NEW}{secrets.token_hex(16)}"
            place.mkdir(mode=0o700)
            descriptor = lock(place)
            if descriptor is not None:
                return descriptor, place
    except OSError as fault:
        raise unwritable(fault) from fault
    raise unwritable(OSError(errno.EAGAIN, "another process removes what is made"))


def lock(place: Path) -> int | None:
    """Hold a folder until the descriptor is closed or the process ends; None if another does, or it is gone."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    if not _same(descriptor, place):
        os.close(descriptor)
        return None
    return descriptor


def _same(descriptor: int, place: Path) -> bool:
    """True if the name still stands for the folder that is held."""
    try:
        told = place.stat(follow_symlinks=False)
    except OSError:
        return False
    held = os.fstat(descriptor)
    return (told.st_dev, told.st_ino) == (held.st_dev, held.st_ino)


def seal(folder: Path) -> None:
    """Every file and folder readable by this user only, and on the disk.

    Raises
    ------
    ValueError
        If there is anything but plain files and folders.
    """
    for place, folders, files in os.walk(folder):
        here = Path(place)
        for name in (*folders, *files):
            kind = (here / name).lstat().st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                raise ValueError("a cohort is made of files and folders")
        for name in files:
            sync(here / name, mode=0o600)
        sync(here, mode=0o700)


def sync(path: Path, *, mode: int | None = None) -> None:
    """What a file holds, or a folder lists, survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if mode is not None:
            os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, data: bytes) -> None:
    """A file with all of its bytes on the disk, in the place of an earlier one if there is one."""
    with drafted(path, data) as draft:
        draft.replace(path)
    sync(path.parent)


def unwritable(fault: OSError) -> Fixable:
    """The disk refused."""
    return Fixable(
        "The kept cohorts could not be changed.",
        f"The disk refused ({fault.strerror or 'unknown reason'}); what was kept before is as it was.",
        "Make room, or give this user the right to write the data folder, and try again.",
    )
