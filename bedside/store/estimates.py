"""A reader's own estimates of risk, given before the model's number was shown: one file for this server.

    mine = Estimates(reader_key(server_key(), issuer, subject))
    kept = mine.keep(About("gbsg2", "rfs", definition, "any", token), Said(own=0.4), asked)
    mine.show(kept.id, shown=0.62, kind="cox", model=fitted.fingerprint)

Every question is asked for one reader, and a patient is a token of this server: the file holds no identifier and no
value of anybody, except what a reader wrote into a note.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bedside.errors import Fixable
from bedside.store.estimates_file import SETTINGS, opened, writing
from bedside.store.estimates_row import FURTHEST, LONGEST_NOTE, SEEN, TARGETS, About, Estimate, Said, estimate_of
from bedside.store.folder import data_folder
from bedside.store.key import TOKEN_LENGTH, subkey

__all__ = ["LOCAL", "LONGEST_NOTE", "About", "Estimate", "Estimates", "Read", "Said", "forget_cohort", "reader_key"]

FILE = "estimates.db"
LOCAL = "local"
"""The reader of a server without sign-in: it answers this machine alone, so there is one."""
TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")
READER = re.compile(rf"{LOCAL}|[0-9a-f]{{64}}")


def reader_key(key: bytes, issuer: str, subject: str) -> str:
    """What stands for somebody who signed in: keyed, so that the file names nobody.

    Parameters
    ----------
    key : bytes
        The server key.
    issuer, subject : str
        Of the identity provider.
    """
    who = json.dumps([issuer, subject]).encode("utf-8", "replace")
    return hmac.new(subkey(key, "reader"), who, hashlib.sha256).hexdigest()


class Read(NamedTuple):
    """What a reader's rows say, and the numbers of the rows that can't be read."""

    estimates: tuple[Estimate, ...] = ()
    unread: tuple[int, ...] = ()


@dataclass(frozen=True)
class Estimates:
    """The estimates of one reader; those of others can't be asked for.

    Parameters
    ----------
    reader : str
        ``"local"``, or from `reader_key`.
    folder : Path, optional
        By default the data folder.

    Notes
    -----
    Every method raises `Fixable` where the file can't be used: damaged, held by another process, made by a newer
    Bedside, or on a disk that refuses. What a method returned from is on the disk. Of a patient and outcome whose
    estimate was deleted, it stays known that the model's number was seen: no more than that.
    """

    reader: str
    folder: Path | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not READER.fullmatch(self.reader):
            raise ValueError("a reader is local or a key of this server")

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return (self.folder or data_folder()) / FILE

    # ------------------------------------------------------------------ estimates

    def find(self, about: About) -> Estimate | None:
        """The estimate of this patient and outcome, if there is one."""
        with self._reading() as file:
            if file is None:
                return None
            row = file.execute(
                "SELECT * FROM estimate WHERE reader = ? AND cohort = ? AND outcome = ? AND definition = ? "
                "AND target = ? AND patient = ?",
                (self.reader, *_columns(about)),
            ).fetchone()
            return None if row is None else estimate_of(row)

    def all(self) -> tuple[Estimate, ...]:
        """Every estimate of this reader that can be read, oldest first."""
        return self.read().estimates

    def read(self) -> Read:
        """Every estimate, row by row: one that can't be read takes no other along."""
        with self._reading() as file:
            if file is None:
                return Read()
            rows = file.execute("SELECT * FROM estimate WHERE reader = ? ORDER BY id", (self.reader,)).fetchall()
        found, unread = [], []
        for row in rows:
            try:
                found.append(estimate_of(row))
            except Fixable:
                unread.append(row["id"])
        return Read(tuple(found), tuple(unread))

    def met(self, about: About) -> bool:
        """True if the model's number of this patient and outcome was seen beside another estimate, or a deleted one."""
        with self._reading() as file:
            if file is None:
                return False
            beside = file.execute(
                "SELECT 1 FROM estimate WHERE reader = ? AND cohort = ? AND outcome = ? AND patient = ? "
                "AND NOT (target = ? AND definition = ?)",
                (self.reader, about.cohort, about.outcome, about.patient, about.target, about.definition),
            ).fetchone()
        return beside is not None or self.setting(about.mark) is not None

    def keep(
        self, about: About, said: Said, *, horizon: float, unit: str, fingerprint: str, now: datetime | None = None
    ) -> Estimate:
        """Keep what the reader said. The first word stands: what is there already is returned as it is."""
        if not TOKEN.fullmatch(about.patient) or about.target not in TARGETS:
            raise ValueError("an estimate is of a patient's token and a known target")
        if not 0 < horizon <= FURTHEST:
            raise ValueError("an estimate is of a time after the start")
        made = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
        with self._writing() as file:
            file.execute(
                "INSERT INTO estimate (reader, cohort, outcome, definition, target, patient, fingerprint, horizon, "
                "unit, own, low, high, note, aware, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (
                    self.reader, *_columns(about), fingerprint, float(horizon), unit, said.own, said.low, said.high,
                    said.note, int(said.aware), made,
                ),
            )  # fmt: skip
            row = file.execute(
                "SELECT * FROM estimate WHERE reader = ? AND cohort = ? AND outcome = ? AND definition = ? "
                "AND target = ? AND patient = ?",
                (self.reader, *_columns(about)),
            ).fetchone()
        return estimate_of(row)

    def show(self, number: int, *, shown: float, kind: str, model: str) -> None:
        """Keep the model's number that was shown; the first one stands."""
        with self._writing() as file:
            file.execute(
                "UPDATE estimate SET shown = ?, kind = ?, model = ? WHERE id = ? AND reader = ? AND shown IS NULL",
                (float(shown), kind, model, number, self.reader),
            )

    def check(self, number: int, *, unseen: float, model: str) -> None:
        """Keep what that same model says when it had not seen the patient; the first one stands."""
        with self._writing() as file:
            file.execute(
                "UPDATE estimate SET unseen = ? WHERE id = ? AND reader = ? AND model = ? AND unseen IS NULL",
                (float(unseen), number, self.reader, model),
            )

    def delete(self, number: int) -> None:
        """Take one away, wholly."""
        with self._writing(erase=True) as file:
            _remember(file, file.execute(
                "SELECT reader, cohort, outcome, patient FROM estimate WHERE id = ? AND reader = ?",
                (number, self.reader),
            ).fetchall())  # fmt: skip
            file.execute("DELETE FROM estimate WHERE id = ? AND reader = ?", (number, self.reader))

    def delete_all(self) -> None:
        """Take all of this reader away, wholly."""
        with self._writing(erase=True) as file:
            mine = "SELECT reader, cohort, outcome, patient FROM estimate WHERE reader = ?"
            _remember(file, file.execute(mine, (self.reader,)).fetchall())
            file.execute("DELETE FROM estimate WHERE reader = ?", (self.reader,))

    # ------------------------------------------------------------------ settings

    def setting(self, name: str) -> str | None:
        """What this reader chose under a name."""
        with self._reading() as file:
            if file is None:
                return None
            try:
                row = file.execute(
                    "SELECT value FROM setting WHERE reader = ? AND name = ?", (self.reader, name)
                ).fetchone()
            except sqlite3.DatabaseError as fault:
                if getattr(fault, "sqlite_errorname", "") not in ("SQLITE_ERROR", "SQLITE_CORRUPT"):
                    raise
                file.execute("SELECT * FROM estimate WHERE reader = ?", (self.reader,)).fetchall()
                raise _settings_lost() from fault  # the estimates are there: nothing is to be thrown away
            return None if row is None else row["value"]

    def choose(self, name: str, value: str) -> None:
        """Keep a choice of this reader."""
        with self._writing() as file:
            file.execute(SETTINGS)
            file.execute("INSERT OR REPLACE INTO setting VALUES (?, ?, ?)", (self.reader, name, value))

    # ------------------------------------------------------------------ the file

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """The file, or None while there is none: reading makes nothing."""
        path = self.path
        if not path.exists():
            yield None
            return
        with opened(path) as file:
            yield file

    @contextmanager
    def _writing(self, *, erase: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it on the disk when it ends, or nothing."""
        with writing(self.path, erase=erase) as file:
            yield file


def forget_cohort(cohort: str, *, folder: Path | None = None) -> int:
    """Take away, wholly, what any reader estimated of the patients of a cohort; how many estimates went."""
    path = (folder or data_folder()) / FILE
    if not path.exists():
        return 0
    with writing(path, erase=True) as file:
        file.execute(SETTINGS)
        file.execute("DELETE FROM setting WHERE value = ? AND name LIKE ?", (cohort, f"{SEEN} %"))
        return file.execute("DELETE FROM estimate WHERE cohort = ?", (cohort,)).rowcount


def _columns(about: About) -> tuple[str, ...]:
    return about.cohort, about.outcome, about.definition, about.target, about.patient


def _remember(file: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> None:
    """Before estimates are deleted: of whom the model's number was seen, without a word of what was said."""
    file.execute(SETTINGS)
    for row in rows:
        mark = About(str(row["cohort"]), str(row["outcome"]), "", "", str(row["patient"])).mark
        file.execute("INSERT OR REPLACE INTO setting VALUES (?, ?, ?)", (row["reader"], mark, row["cohort"]))


def _settings_lost() -> Fixable:
    return Fixable(
        "Whether your estimates come first can't be read.",
        f"The settings in {FILE} are damaged or gone; your estimates in it are still there.",
        "Take them along first, on the page “You and the model”; then set “My estimate first” again.",
    )
