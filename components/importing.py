"""The file that a reader is bringing: where its bytes lie, how it is read, and all that was answered so far.

One for each session. Streamlit's copy of the bytes is let go as soon as they lie in a folder of this user; the folder
goes when the import ends, another file is brought or the session ends.
"""

from __future__ import annotations

import re
import secrets
import shutil
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from bedside.errors import Fixable
from bedside.intake.opening import Made, Opened
from bedside.intake.opening_sources import Source, SourceRead
from bedside.intake.plan import ColumnPlan, OutcomePlan, Plan
from bedside.intake.staging import Reading, new_staging, remove_staging, sealed, shown_name, sweep_staging
from bedside.store.cohorts_kept import Kept
from bedside.store.folder import data_folder
from components import closing
from components.live_child import Place

MOST_MB = 250
MOST_FILES = 100
PIECE = 2**20
SPARE = 2 * 2**30
"""Bytes of the disk that stay free whatever is brought."""
TROUBLE = "import_trouble"
FILES, HELD = "files", "import_held"
_ODD = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class Brought:
    """One file as it was brought: the name that is shown, and where its bytes lie under a name of ours."""

    name: str
    path: Path
    size: int


@dataclass(eq=False)
class Import:
    """All of it.

    Attributes
    ----------
    mark : str
        Tells one import from another in keys.
    folder : Path or None
    files : tuple of Brought
    chosen : int
        Which of them is read.
    reading : Reading or None
        What the reader said of how it is read.
    turn : int
        How often that was said anew.
    opened : Opened or None
    plan : Plan or None
        The answers so far.
    confirmed : set of str
        Seals of the outcomes whose reading was confirmed.
    others : dict
        By outcome, names of what can come first that no code means yet.
    dated : set of str
        Outcomes whose follow-up is to be made of dates, though none is chosen yet.
    edits : int
        How often the plan was changed elsewhere than in the table of columns.
    replaces : str
        Key of the cohort that a new version is made of; empty for a new cohort.
    last : str
        What became of last time's answers: ``""``, ``"used"`` or ``"undone"``.
    given : mapping or None
        A recipe that was brought for this file.
    made : Made or None
    sources : tuple of Source or None
        Where the files are of a standard: what they are.
    source : int
        Which of these is read.
    plain : bool
        Read as a table whatever the files are.
    chosen_cohorts : set of int
        Which cohorts of a source are imported.
    kept : tuple of Kept
        What a source became.
    live : Place or None
        The table of a database or folder that is to be counted where it is; ``opened`` is a sample of it.
    recipe : mapping or None
        How a source is read, where that was chosen; guessed if not.
    asked : dict
        By question, answers that are not read yet.
    read : SourceRead or None
        What it was read as, the last time that went well.
    titles, versions : dict
        By cohort of the source what it is called, and which cohort it becomes a version of.
    """

    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    folder: Path | None = None
    files: tuple[Brought, ...] = ()
    chosen: int = 0
    reading: Reading | None = None
    turn: int = 0
    opened: Opened | None = None
    plan: Plan | None = None
    confirmed: set[str] = field(default_factory=set)
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dated: set[str] = field(default_factory=set)
    edits: int = 0
    replaces: str = ""
    last: str = ""
    given: Mapping[str, Any] | None = None
    made: Made | None = None
    sources: tuple[Source, ...] | None = None
    source: int = 0
    plain: bool = False
    chosen_cohorts: set[int] = field(default_factory=set)
    kept: tuple[Kept, ...] = ()
    live: Place | None = None
    recipe: Mapping[str, Any] | None = None
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    read: SourceRead | None = None
    titles: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """The folder of the files as they were brought."""
        assert self.folder is not None  # something was brought
        return self.folder / FILES

    # -------------------------------------------------------------- the file

    def take(self, opened: Opened) -> None:
        """What reading it found."""
        self.opened, self.plan = opened, opened.guessed.plan
        self.others, self.dated, self.last, self.given = {}, set(), "", None
        self.edits += 1

    def read_again(self, reading: Reading | None) -> None:
        """Read the file otherwise; what was answered about its columns holds no more."""
        self.reading, self.opened, self.plan, self.sources = reading, None, None, None
        self.turn += 1

    # -------------------------------------------------------------- the answers

    def change(self, plan: Plan, *, elsewhere: bool = True) -> None:
        """Keep an answer."""
        self.plan = plan
        self.edits += elsewhere

    def column(self, changed: ColumnPlan, *, elsewhere: bool = True) -> None:
        """Keep what a column is."""
        if self.plan is not None:
            self.change(self.plan.with_column(changed), elsewhere=elsewhere)

    def outcome(self, key: str, changed: OutcomePlan) -> None:
        """Keep what an outcome is; the columns it reads become part of what happened."""
        if self.plan is not None:
            outcomes = tuple(changed if o.key == key else o for o in self.plan.outcomes)
            self.change(fitted(replace(self.plan, outcomes=outcomes)))

    def end(self) -> None:
        """Remove what was brought."""
        if self.folder is not None:
            remove_staging(self.folder)


def fitted(plan: Plan) -> Plan:
    """The same with the columns of its outcomes read as these need them."""
    timed = {name for o in plan.outcomes for name in ((o.time,) if o.time else ()) if name}
    timed |= {o.entry for o in plan.outcomes if o.entry and not o.of_dates}
    dated = {name for o in plan.outcomes for name in (o.start, *o.end, o.happened) if name}
    dated |= {o.entry for o in plan.outcomes if o.entry and o.of_dates}
    states = {o.status for o in plan.outcomes if o.status}
    columns = []
    for c in plan.columns:
        if c.name in dated:
            c = replace(c, kind="date", use="outcome")
        elif c.name in timed:
            c = replace(c, kind="continuous", use="outcome")
        elif c.name in states:
            c = replace(c, use="outcome", kind="categorical" if c.kind in ("continuous", "date", "text") else c.kind)
        elif c.use == "outcome":
            c = replace(c, use="predictor")
        columns.append(c)
    return replace(plan, columns=tuple(columns))


class _Holder:
    """What a session holds on to: when it is let go, the files that were brought go."""

    def __init__(self) -> None:
        self.now = Import()
        weakref.finalize(self, _ended, found := [self.now])
        self._all = found

    def let_go(self) -> None:
        """The session is over."""
        self.begin()

    def begin(self) -> Import:
        """Let go of the file that is here, if any."""
        self.now.end()
        self.now = self._all[0] = Import()
        return self.now


def _ended(held: list[Import]) -> None:
    held[0].end()


def mine() -> Import:
    """The import of this session."""
    return _holder().now


def _holder() -> _Holder:
    if HELD not in st.session_state:
        st.session_state[HELD] = holder = _Holder()
        context = get_script_run_ctx()
        if context is not None:
            closing.watch(holder, context.session_id)
    return st.session_state[HELD]


def of_source(place: Place) -> None:
    """Look at a table of a source instead of a file."""
    held = _holder().begin()
    st.session_state.pop(TROUBLE, None)
    try:
        sweep_staging()
        held.folder, held.live = new_staging(), place
    except Fixable as stop:
        st.session_state[TROUBLE] = stop


def forget() -> None:
    """Let go of the file, and of all answers about it."""
    _holder().begin()
    st.session_state.pop(TROUBLE, None)


# ------------------------------------------------------------------ bytes


def bring(key: str) -> None:
    """Take the files of an uploader into a folder of our own, and let Streamlit's copy go."""
    files: list[UploadedFile] = st.session_state.get(key) or []
    if not files:
        return
    held = _holder().begin()
    st.session_state.pop(TROUBLE, None)
    try:
        sweep_staging()
        _fits(files)
        held.folder = new_staging()
        held.place.mkdir(mode=0o700)
        held.files = tuple(_written(held.place, i, file) for i, file in enumerate(files))
    except Fixable as stop:
        _holder().begin()
        st.session_state[TROUBLE] = stop
    finally:
        for file in files:
            _let_go(file)
        st.session_state["import_uploads"] = st.session_state.get("import_uploads", 0) + 1


def _fits(files: list[UploadedFile]) -> None:
    size = sum(file.size for file in files)
    if len(files) > MOST_FILES or size > 2 * MOST_MB * 2**20:
        raise Fixable(
            "These files were not taken.", f"At once, {MOST_FILES} files of {2 * MOST_MB} MB together can be brought.",
            "Bring fewer, or leave out what is not needed.",
        )  # fmt: skip
    if not size:
        raise Fixable("There is nothing to import.", "The file is empty.", "Export it again, and bring that.")
    if shutil.disk_usage(data_folder()).free < SPARE + 4 * size:
        raise Fixable(
            "This file was not taken.", "The disk of this machine is nearly full.",
            "Make room, or ask who runs this server, and bring it again.",
        )  # fmt: skip


def _written(folder: Path, number: int, file: UploadedFile) -> Brought:
    # Some standards tell their files apart by name: of it only plain letters are kept, and it is never the whole path.
    plain = _ODD.sub("_", shown_name(file.name)).lstrip(".")[-80:] or "file"
    path = folder / plain
    if path.exists():
        path = folder / f"{number}_{plain}"
    try:
        with path.open("xb") as out:
            sealed(path)
            while piece := file.read(PIECE):
                out.write(piece)
    except OSError as fault:
        raise Fixable(
            "This file was not taken.", f"It could not be written ({fault.strerror or 'unknown reason'}).",
            "Make room on the disk of this machine, and bring it again.",
        ) from fault  # fmt: skip
    return Brought(shown_name(file.name), path, path.stat().st_size)


def _let_go(file: UploadedFile) -> None:
    """Streamlit would hold the bytes in memory as long as the session."""
    file.close()
    context = get_script_run_ctx()
    files = None if context is None else context.uploaded_file_mgr
    if isinstance(files, MemoryUploadedFileManager):
        files.remove_file(context.session_id, file.file_id)  # type: ignore[union-attr]
