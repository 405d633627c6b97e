"""One estimate of a reader, and how a row of the file becomes one."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass
from typing import get_args

from bedside.cohort import Unit
from bedside.errors import Fixable

LONGEST_NOTE = 500
FURTHEST = 1e7
"""Of a horizon, in any unit: further is no time of a patient."""
TARGETS = ("any", "event")
SEEN = "seen"
"""How the names of settings begin that say: of this patient and outcome the model's number has been seen."""


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

    @property
    def mark(self) -> str:
        """The name under which it is kept that the model's number was seen: nothing of what was said."""
        return f"{SEEN} {self.patient} {self.outcome}"

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


def estimate_of(row: sqlite3.Row) -> Estimate:
    """One row.

    Raises
    ------
    Fixable
        If it holds what no Bedside of this version writes.
    """
    try:
        return _checked(_read(row))
    except (ValueError, TypeError, AttributeError, IndexError) as fault:
        raise Fixable(
            "An estimate of yours can't be read.",
            "Its row holds what this Bedside does not write; the others are as they were.",
            "Delete those that can't be read on the page “You and the model”, or put back a copy of the file.",
        ) from fault


def _checked(one: Estimate) -> Estimate:
    texts = (one.unit, one.fingerprint, one.made, one.kind, one.model, one.about.outcome, one.about.patient)
    shares = [share for share in (one.shown, one.unseen) if share is not None]
    known = one.unit in get_args(Unit) and one.about.target in TARGETS and 0 < one.horizon <= FURTHEST
    if not known or not all(isinstance(t, str) for t in texts) or not all(0 <= share <= 1 for share in shares):
        raise ValueError("no estimate")
    return one


def _read(row: sqlite3.Row) -> Estimate:
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
