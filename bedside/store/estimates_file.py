"""The file of estimates."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bedside.store import sqlite_file
from bedside.store.sqlite_file import Kind

WAIT = sqlite_file.WAIT
"""Seconds to wait for another process that writes."""
VERSION = 1
APPLICATION = 0x42644573  # "BdEs": what tells our file from any other of SQLite's

SETTINGS = """
CREATE TABLE IF NOT EXISTS setting (
    reader TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (reader, name)
) STRICT
"""
SCHEMA = f"""
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
{SETTINGS};
PRAGMA application_id = 1113867635;
PRAGMA user_version = 1;
"""
"""Its last lines are `APPLICATION` and `VERSION`: SQLite takes no parameters there."""

KIND = Kind("Your estimates", SCHEMA, APPLICATION, VERSION)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, known to be ours and of this version; closed without a word, whatever was not committed is gone."""
    with sqlite_file.opened(path, KIND, wait=WAIT) as file:
        file.text_factory = _text
        yield file


@contextmanager
def writing(path: Path, *, erase: bool = False) -> Iterator[sqlite3.Connection]:
    """One transaction: all of it on the disk when it ends, or nothing."""
    with sqlite_file.writing(path, KIND, wait=WAIT, erase=erase) as file:
        file.text_factory = _text
        yield file


def _text(raw: bytes) -> str:
    """Bytes that are no text spoil a word, and not the rows beside it."""
    return raw.decode("utf-8", "replace")
