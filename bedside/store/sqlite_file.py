"""A file of SQLite that is ours: private to this user, whole before it has its name, each fault with its way out."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bedside.errors import Fixable

WAIT = 2.0
"""Seconds to wait for another process that writes."""


@dataclass(frozen=True)
class Kind:
    """What a file is.

    Attributes
    ----------
    what : str
        What it holds, as a sentence begins: "Your estimates".
    schema : str
        Statements that make it, its number of application and version included: SQLite takes no parameters there.
    application : int
        What tells it from any other file of SQLite's.
    version : int
        A file of a later one is left alone.
    """

    what: str
    schema: str
    application: int
    version: int


@contextmanager
def opened(path: Path, kind: Kind, *, wait: float = WAIT) -> Iterator[sqlite3.Connection]:
    """The file, known to be ours and of this version; closed without a word, whatever was not committed is gone."""
    with (
        told(path, kind),
        closing(
            sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=wait, isolation_level=None)
        ) as file,
    ):
        file.row_factory = sqlite3.Row
        ours = file.execute("PRAGMA application_id").fetchone()[0]
        version = file.execute("PRAGMA user_version").fetchone()[0]
        if ours != kind.application or version < kind.version:
            raise _damaged(path, kind)  # ours never had a lower version
        if version != kind.version:
            raise Fixable(
                f"{kind.what} can't be opened.",
                f"{path.name} in the data folder was made by a newer Bedside (version {version} of the file).",
                "Start the newer Bedside again. Nothing in the file was changed.",
            )
        file.execute("PRAGMA synchronous = FULL")
        file.execute("PRAGMA secure_delete = ON")
        yield file


@contextmanager
def writing(path: Path, kind: Kind, *, wait: float = WAIT, erase: bool = False) -> Iterator[sqlite3.Connection]:
    """One transaction: all of it on the disk when it ends, or nothing; the file is made if there is none."""
    with told(path, kind):
        if not path.exists():
            create(path, kind)
        path.chmod(0o600)
    with opened(path, kind, wait=wait) as file:
        file.execute("BEGIN IMMEDIATE")
        yield file
        file.execute("COMMIT")
        if erase:
            # What was deleted must not go on standing in the log beside the file.
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def create(path: Path, kind: Kind) -> None:
    """An empty file that is whole before its name exists, so that two processes that start at once agree."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as file:
            file.executescript(kind.schema)
            file.execute("PRAGMA journal_mode = WAL")
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another process was first: its file is the file
    finally:
        draft.unlink()


@contextmanager
def told(path: Path, kind: Kind) -> Iterator[None]:
    """What goes wrong with the file, as a stop with a way out."""
    try:
        yield
    except sqlite3.Error as fault:
        raise _stop(fault, path, kind) from fault
    except OSError as fault:
        raise _refused(path, kind, fault.strerror or "unknown reason") from fault


def _stop(fault: sqlite3.Error, path: Path, kind: Kind) -> Fixable:
    name = getattr(fault, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Fixable(
            f"{kind.what} can't be reached right now.",
            f"Another program holds {path.name} in the data folder.",
            "Try again in a moment. What was kept before is as it was.",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR", "SQLITE_FULL")):
        return _refused(path, kind, name.removeprefix("SQLITE_").lower())
    return _damaged(path, kind)


def _damaged(path: Path, kind: Kind) -> Fixable:
    return Fixable(
        f"{kind.what} can't be read.",
        f"{path.name} in the data folder is damaged, or is no file of Bedside's.",
        "Put a copy from a backup in its place, or move it away: a new one is then begun.",
    )


def _refused(path: Path, kind: Kind, why: str) -> Fixable:
    return Fixable(
        f"{kind.what} can't be kept.",
        f"The disk refused {path.name} in the data folder ({why}); what was kept before is as it was.",
        "Make room, or give this user the right to write the data folder, and try again.",
    )
