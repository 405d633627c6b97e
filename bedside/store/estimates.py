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
import math
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bedside.store.estimates_file import opened, writing
from bedside.store.folder import data_folder
from bedside.store.key import TOKEN_LENGTH, subkey

FILE = "estimates.db"
LOCAL = "local"
"""The reader of a server without sign-in: it answers this machine alone, so there is one."""
LONGEST_NOTE = 500
TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")
READER = re.compile(rf"{LOCAL}|[0-9a-f]{{64}}")


@dataclass(frozen=True)
class About:
    """What an estimate is of. A reader has one for each, or none.

    Attributes
    ----------
    cohort : str
        Its key.
    outcome : str
        Its key.
    definition : str
        SHA-256 of what the outcome is made of, so that a redefined endpoint is another one.
    target : {"any", "event"}
        Where events compete: any of them, or the event itself.
    patient : str
        Token of this server for the patient.
    """

    cohort: str
    outcome: str
    definition: str
    target: str
    patient: str

    def __post_init__(self) -> None:
        # A cohort is named by its folder, and a folder's name may hold bytes that are no text.
        object.__setattr__(self, "cohort", self.cohort.encode("utf-8", "backslashreplace").decode())


@dataclass(frozen=True)
class Said:
    """What the reader said.

    Attributes
    ----------
    own : float or None
        Risk from 0 to 1; None where the reader passed on.
    low, high : float or None
        How low and how high it may be: both or neither.
    note : str
        The reader's words, cut at 500 characters.
    aware : bool
        True if the model's number had been on this reader's screen before.
    """

    own: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    aware: bool = False

    def __post_init__(self) -> None:
        given = [v for v in (self.low, self.own, self.high) if v is not None]
        inside = all(math.isfinite(v) and 0 <= v <= 1 for v in given)
        lonely = (self.low is None) != (self.high is None) or (self.own is None and self.low is not None)
        if not inside or given != sorted(given) or lonely:
            raise ValueError("an estimate is a share from 0 to 1, within its own limits")
        readable = self.note.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
        object.__setattr__(self, "note", readable[:LONGEST_NOTE])


@dataclass(frozen=True)
class Estimate:
    """One estimate as it is kept.

    Attributes
    ----------
    id : int
    about : About
    said : Said
    horizon, unit
        By when, as it was asked.
    fingerprint : str
        Of the patients whom the model on the screen had learnt from.
    made : str
        When, UTC, ISO 8601.
    shown : float or None
        The model's number as it was then shown; None until it was.
    unseen : float or None
        What models said that had not seen the patient, where that is known.
    kind, model : str
        Which model: its kind and fingerprint.
    """

    id: int
    about: About
    said: Said
    horizon: float
    unit: str
    fingerprint: str
    made: str
    shown: float | None
    unseen: float | None
    kind: str
    model: str

    @property
    def skipped(self) -> bool:
        """True if the reader passed on."""
        return self.said.own is None

    @property
    def fair(self) -> float | None:
        """The model's number to compare with: from folds that had not seen the patient, where that is known."""
        return self.shown if self.unseen is None else self.unseen


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
    Bedside, or on a disk that refuses. What a method returned from is on the disk.
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
            return None if row is None else _estimate(row)

    def all(self) -> tuple[Estimate, ...]:
        """Every estimate of this reader, oldest first."""
        with self._reading() as file:
            if file is None:
                return ()
            rows = file.execute("SELECT * FROM estimate WHERE reader = ? ORDER BY id", (self.reader,)).fetchall()
            return tuple(_estimate(row) for row in rows)

    def keep(
        self, about: About, said: Said, *, horizon: float, unit: str, fingerprint: str, now: datetime | None = None
    ) -> Estimate:
        """Keep what the reader said. The first word stands: what is there already is returned as it is."""
        if not TOKEN.fullmatch(about.patient) or about.target not in ("any", "event"):
            raise ValueError("an estimate is of a patient's token and a known target")
        if not (math.isfinite(horizon) and horizon > 0):
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
        return _estimate(row)

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
            file.execute("DELETE FROM estimate WHERE id = ? AND reader = ?", (number, self.reader))

    def delete_all(self) -> None:
        """Take all of this reader away, wholly."""
        with self._writing(erase=True) as file:
            file.execute("DELETE FROM estimate WHERE reader = ?", (self.reader,))

    # ------------------------------------------------------------------ settings

    def setting(self, name: str) -> str | None:
        """What this reader chose under a name."""
        with self._reading() as file:
            if file is None:
                return None
            row = file.execute(
                "SELECT value FROM setting WHERE reader = ? AND name = ?", (self.reader, name)
            ).fetchone()
            return None if row is None else row["value"]

    def choose(self, name: str, value: str) -> None:
        """Keep a choice of this reader."""
        with self._writing() as file:
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
        return file.execute("DELETE FROM estimate WHERE cohort = ?", (cohort,)).rowcount


def _columns(about: About) -> tuple[str, ...]:
    return about.cohort, about.outcome, about.definition, about.target, about.patient


def _estimate(row: sqlite3.Row) -> Estimate:
    return Estimate(
        id=row["id"],
        about=About(row["cohort"], row["outcome"], row["definition"], row["target"], row["patient"]),
        said=Said(row["own"], row["low"], row["high"], row["note"], bool(row["aware"])),
        horizon=row["horizon"],
        unit=row["unit"],
        fingerprint=row["fingerprint"],
        made=row["made"],
        shown=row["shown"],
        unseen=row["unseen"],
        kind=row["kind"],
        model=row["model"],
    )
