"""Where what readers saved is kept: a file of SQLite in the data folder, or PostgreSQL where several processes share.

    with writing() as tables:
        tables.change("UPDATE bedside_saved SET note = $1 WHERE id = $2", note, item)

Statements are constants that both understand, with ``$1``, ``$2`` and so on for their values. One setting chooses:
``BEDSIDE_STORE=postgresql://account@host/database`` in the environment, where Streamlit also puts what stands at the
top of its secrets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from bedside.errors import Fixable
from bedside.store import sqlite_file
from bedside.store.folder import data_folder
from bedside.store.sqlite_file import Kind

SETTING = "BEDSIDE_STORE"
SCHEMES = ("postgresql://", "postgres://")
FILE = "saved.db"
WHAT = "What was saved"
VERSION = 1
APPLICATION = 0x42645361  # "BdSa": what tells our file from any other of SQLite's

SAVED = """
CREATE TABLE IF NOT EXISTS bedside_saved (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    cohort TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    shared INTEGER NOT NULL CHECK (shared IN (0, 1)),
    made TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (owner, cohort, kind, name)
);
CREATE INDEX IF NOT EXISTS bedside_saved_cohort ON bedside_saved (cohort);
"""
"""What both understand; a new form of it needs a new `VERSION` and the way there."""

KIND = Kind(WHAT, SAVED + "PRAGMA application_id = 1113871201;\nPRAGMA user_version = 1;\n", APPLICATION, VERSION)
"""Its last lines are `APPLICATION` and `VERSION`."""


class Tables(Protocol):
    """One transaction."""

    def ask(self, statement: str, *values: str | int | float | None) -> list[Mapping[str, Any]]:
        """Rows of a question."""
        ...

    def change(self, statement: str, *values: str | int | float | None) -> int:
        """How many rows a statement changed."""
        ...


def address() -> str:
    """Where the database is; "" for the file in the data folder.

    Raises
    ------
    Fixable
        If it is something else than the address of a PostgreSQL.
    """
    said = os.environ.get(SETTING, "").strip()
    if said and not said.startswith(SCHEMES):
        raise Fixable(
            f"{WHAT} can't be reached.",
            f"{SETTING} is set to something that is no address of a PostgreSQL.",
            "Set it to postgresql://account@host/database, or take it away: a file in the data folder is used then.",
        )
    return said


@contextmanager
def reading(folder: Path | None = None) -> Iterator[Tables | None]:
    """What is there, or None while nothing was saved: reading makes nothing.

    Raises
    ------
    Fixable
        If it can't be used: damaged, held by another process, made by a newer Bedside, or out of reach.
    """
    if where := address():
        from bedside.store.tables_postgres import opened

        with opened(where, make=False) as tables:
            yield tables
        return
    path = (folder or data_folder()) / FILE
    if not path.exists():
        yield None
        return
    with sqlite_file.opened(path, KIND) as file:
        yield _Lite(file)


@contextmanager
def writing(folder: Path | None = None, *, erase: bool = False) -> Iterator[Tables]:
    """One transaction: all of it on the disk when it ends, or nothing.

    Raises
    ------
    Fixable
        As `reading`, or if the disk or the database refuses.
    """
    if where := address():
        from bedside.store.tables_postgres import opened

        with opened(where, make=True) as tables:
            yield tables
        return
    with sqlite_file.writing((folder or data_folder()) / FILE, KIND, erase=erase) as file:
        yield _Lite(file)


class _Lite:
    """The file of SQLite."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def ask(self, statement: str, *values: str | int | float | None) -> list[Mapping[str, Any]]:
        return self._file.execute(statement, _numbered(values)).fetchall()

    def change(self, statement: str, *values: str | int | float | None) -> int:
        return self._file.execute(statement, _numbered(values)).rowcount


def _numbered(values: tuple[str | int | float | None, ...]) -> dict[str, str | int | float | None]:
    return {str(i): value for i, value in enumerate(values, start=1)}
