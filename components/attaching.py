"""The file that a reader is attaching to a cohort: one for each session, gone when it is attached or let go."""

from __future__ import annotations

import secrets
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import streamlit as st

from bedside.errors import Fixable
from bedside.intake.attaching import VisitsMade, VisitsOpened, WideMade
from bedside.intake.staging import new_staging, remove_staging, sweep_staging
from bedside.intake.visits_plan import VisitsPlan
from components import importing
from components.importing import Brought

HELD, TROUBLE, UPLOADS = "attaching_held", "attaching_trouble", "attaching_uploads"
Kind = Literal["wide", "visits"]


@dataclass(eq=False)
class Attaching:
    """All of it.

    Attributes
    ----------
    mark : str
        Tells one file from another in keys.
    cohort : str
        Key of the cohort that it is attached to.
    kind : {"wide", "visits"}
    folder : Path or None
    file : Brought or None
    what, title, unit : str
        Of a wide table.
    opened : VisitsOpened or None
    plan : VisitsPlan or None
        The answers about a table of visits.
    running : bool
        It is being attached.
    made : WideMade, VisitsMade or None
    """

    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    cohort: str = ""
    kind: Kind = "wide"
    folder: Path | None = None
    file: Brought | None = None
    what: str = "expression"
    title: str = ""
    unit: str = ""
    opened: VisitsOpened | None = None
    plan: VisitsPlan | None = None
    running: bool = False
    made: WideMade | VisitsMade | None = None

    def end(self) -> None:
        """Remove what was brought."""
        if self.folder is not None:
            remove_staging(self.folder)
            self.folder = None


class _Holder:
    """What a session holds on to: when it is let go, the file goes."""

    def __init__(self) -> None:
        self._all = [Attaching()]
        weakref.finalize(self, _ended, self._all)

    @property
    def now(self) -> Attaching:
        """The one of this session."""
        return self._all[0]

    def begin(self) -> Attaching:
        """Let go of what is here, if anything."""
        self._all[0].end()
        self._all[0] = Attaching()
        return self._all[0]


def _ended(held: list[Attaching]) -> None:
    held[0].end()


def mine() -> Attaching:
    """What this session is attaching."""
    return _holder().now


def _holder() -> _Holder:
    if HELD not in st.session_state:
        st.session_state[HELD] = _Holder()
    return st.session_state[HELD]


def forget() -> None:
    """Let go of the file, and of all answers about it."""
    _holder().begin()
    st.session_state.pop(TROUBLE, None)


def upload_key(cohort: str) -> str:
    """Of the uploader, another one after each file."""
    return f"attaching_upload_{cohort}_{st.session_state.get(UPLOADS, 0)}"


def bring(cohort: str, kind: Kind) -> None:
    """Take the file of an uploader into a folder of our own, and let Streamlit's copy go."""
    file = st.session_state.get(upload_key(cohort))
    if file is None:
        return
    held = _holder().begin()
    st.session_state.pop(TROUBLE, None)
    try:
        sweep_staging()
        importing._fits([file])
        held.folder = new_staging()
        held.file = importing._written(held.folder, 0, file)
        held.cohort, held.kind = cohort, kind
        held.title = held.file.name.split(".")[0].replace("_", " ")[:80]
    except Fixable as stop:
        _holder().begin()
        st.session_state[TROUBLE] = (cohort, stop)
    finally:
        importing._let_go(file)
        st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1
