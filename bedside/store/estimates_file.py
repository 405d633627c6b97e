"""The file of estimates: SQLite, private to this user, whole before it has its name, each fault with its way out."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from bedside.errors import Fixable

WAIT = 2.0
"""Seconds to wait for another process that writes."""
VERSION = 1
APPLICATION = 0x42644573  # "BdEs": what tells our file from any other of SQLite's

SCHEMA = """
CREATE TABLE estimate (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reader TEXT NOT NULL,
    cohort TEXT NOT NULL,
    outcome TEXT NOT NULL,
    definition TEXT NOT NULL,
    target TEXT NOT NULL,
    patient TEXT NOT NULL CHECK (length(patient) = 22),
    fingerprint TEXT NOT NULL,
    horizon REAL NOT NULL CHECK (horizon > 0),
    unit TEXT NOT NULL,
    own REAL CHECK (own BETWEEN 0 AND 1),
    low REAL CHECK (low BETWEEN 0 AND own),
    high REAL CHECK (high BETWEEN own AND 1),
    note TEXT NOT NULL,
    aware INTEGER NOT NULL,
    made TEXT NOT NULL,
    shown REAL CHECK (shown BETWEEN 0 AND 1),
    unseen REAL CHECK (unseen BETWEEN 0 AND 1),
    kind TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    UNIQUE (reader, cohort, outcome, definition, target, patient)
) STRICT;
CREATE TABLE setting (
    reader TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (reader, name)
) STRICT;
PRAGMA application_id = 1113867635;
PRAGMA user_version = 1;
"""
"""Its last lines are `APPLICATION` and `VERSION`: SQLite takes no parameters there."""


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, known to be ours and of this version; closed without a word, whatever was not committed is gone."""
    with (
        told(path),
        closing(
            sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=WAIT, isolation_level=None)
        ) as file,
    ):
        file.row_factory = sqlite3.Row
        ours = file.execute("PRAGMA application_id").fetchone()[0]
        version = file.execute("PRAGMA user_version").fetchone()[0]
        if ours != APPLICATION:
            raise _damaged(path)
        if version != VERSION:
            raise Fixable(
                "Your estimates can't be opened.",
                f"{path.name} in the data folder was made by a newer Bedside (version {version} of the file).",
                "Start the newer Bedside again. Nothing in the file was changed.",
            )
        file.execute("PRAGMA synchronous = FULL")
        file.execute("PRAGMA secure_delete = ON")
        yield file


def create(path: Path) -> None:
    """An empty file that is whole before its name exists, so that two processes that start at once agree."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as file:
            file.executescript(SCHEMA)
            file.execute("PRAGMA journal_mode = WAL")
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another process was first: its file is the file
    finally:
        draft.unlink()


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What goes wrong with the file, as a stop with a way out."""
    try:
        yield
    except sqlite3.Error as fault:
        raise _stop(fault, path) from fault
    except OSError as fault:
        raise _refused(path, fault.strerror or "unknown reason") from fault


def _stop(fault: sqlite3.Error, path: Path) -> Fixable:
    name = getattr(fault, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Fixable(
            "Your estimates can't be reached right now.",
            f"Another program holds {path.name} in the data folder.",
            "Try again in a moment. What was kept before is as it was.",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR", "SQLITE_FULL")):
        return _refused(path, name.removeprefix("SQLITE_").lower())
    return _damaged(path)


def _damaged(path: Path) -> Fixable:
    return Fixable(
        "Your estimates can't be read.",
        f"{path.name} in the data folder is damaged, or is no file of Bedside's.",
        "Put a copy from a backup in its place, or move it away: a new one is then begun.",
    )


def _refused(path: Path, why: str) -> Fixable:
    return Fixable(
        "Your estimates can't be kept.",
        f"The disk refused {path.name} in the data folder ({why}); what was kept before is as it was.",
        "Make room, or give this user the right to write the data folder, and try again.",
    )
