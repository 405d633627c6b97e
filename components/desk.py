"""The desk of one session: which cohort lies open, and each number computed once.

The only file that caches. Every key is the cohort's fingerprint (all rows,
types and category order, and the filter) with the choices made; the data itself
is never hashed by Streamlit, which samples large tables. Caches belong to the
session, except the bundled public cohorts, which all sessions read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from bedside import survival
from bedside.cohort import Cohort, Outcome
from bedside.cohort.balance import Imbalance
from bedside.cohort.endpoint import KEY as OWN
from bedside.cohort.endpoint import Endpoint, with_endpoint
from bedside.cohort.groups import Grouping, group_by, group_by_selection
from bedside.cohort.search import find_rows
from bedside.cohort.selection import Selection, Step
from bedside.cohort.table_one import FollowUp, Summary
from bedside.engine.counted import CountedGrouping
from bedside.errors import Faults, Fixable
from bedside.intake import Entry, list_cohorts, read_cohort
from bedside.store import key as keys
from components import imported, live_counts, whose
from components.figures.palette import Mode
from components.panels.page import table
from components.text import md

HOME = Path(__file__).parents[1]
BUNDLED = HOME / "sample_data"
SHELF = 64
JOBS = ("jobs",)  # what runs in the background stays on the shelf as long as the session
OPENING = "Opening the cohort"


class Shelf(dict[tuple[object, ...], Any]):
    """The last results of this session, oldest first; a new one pushes the oldest out."""

    def get_or_make(self, key: tuple[str | int | float | bool | None, ...], make: Callable[[], Any]) -> Any:
        """The result under a key, made now if it is not there."""
        if key in self:
            self[key] = self.pop(key)
        else:
            self[key] = make()
            while len(self) > SHELF:
                self.pop(next(key for key in self if key != JOBS))
        return self[key]


@st.cache_resource(scope="session", show_spinner=False)
def _shelf() -> Shelf:
    return Shelf()


# ------------------------------------------------------------------ cohorts


def roots() -> tuple[Path, ...]:
    """Where cohorts live: the bundled ones, and the folders an administrator names in BEDSIDE_COHORTS."""
    extra = os.environ.get("BEDSIDE_COHORTS", "")
    return (BUNDLED, *(Path(part) for part in extra.split(os.pathsep) if part))


def begin() -> None:
    """Forget what was looked up in the last run: called first in every run."""
    st.session_state.pop("entries", None)
    imported.begin()
    live_counts.begin()


def entries() -> tuple[Entry, ...]:
    """Every cohort that can be chosen, broken ones included; looked for once in a run."""
    found = st.session_state.get("entries")
    if found is None:
        found = st.session_state["entries"] = (*list_cohorts(roots()), *whose.imported())
    return found


@st.cache_resource(show_spinner=OPENING)
def _bundled(folder: str) -> Cohort:
    return read_cohort(Path(folder))


def _open(entry: Entry) -> Cohort:
    if entry.live:
        return live_counts.opened(entry)
    if entry.folder.parent == BUNDLED:
        return _bundled(str(entry.folder))

    def make() -> Cohort:
        with st.spinner(OPENING):
            return read_cohort(entry.folder, key=entry.key)

    return _shelf().get_or_make(("cohort", str(entry.folder), entry.key, _state(entry.folder)), make)


def _state(folder: Path) -> str:
    """What tells one state of a folder from another: names, sizes and times, links not followed.

    What cannot be listed or goes away meanwhile counts as not there; reading says so if it is needed.
    """
    told = []
    for name in _names(folder):
        try:
            seen = (folder / name).lstat()
        except OSError:
            continue
        told.append((name, seen.st_size, seen.st_mtime_ns))
    return repr(told)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def as_read() -> Cohort:
    """The cohort that is open, before any filter and without the reader's own endpoint."""
    choices = {entry.key: entry for entry in entries()}
    key = st.session_state.get("cohort")
    if key not in choices:
        raise Fixable("No cohort is open.", "None of that name is known here.", "Choose one from the list above.")
    found = _open(imported.at_version(choices[key]))
    return imported.waiting(found) if live_counts.stays(found) else imported.grouped(found, kept)


def another(key: str) -> Cohort:
    """A cohort beside the open one, as it was read.

    Raises
    ------
    Fixable
        If there is none of that key, or it can't be opened.
    """
    entry = next((entry for entry in entries() if entry.key == key), None)
    if entry is None:
        raise Fixable("That cohort is not here.", "None of that name is known here.", "Choose one from the list.")
    return _open(entry)


def whole(*, listed: bool = False) -> Cohort:
    """The open cohort before any filter; the reader's own endpoint, and whom it leaves out, only while it is chosen."""
    plain, own = as_read(), endpoint()
    if own is None or not (listed or st.session_state.get("outcome") == OWN):
        return plain
    key = ("endpoint", plain.fingerprint, own.to_text())
    return _shelf().get_or_make(key, lambda: with_endpoint(plain, own))


def endpoint() -> Endpoint | None:
    """The reader's own endpoint for the open cohort."""
    kept_for, chosen = st.session_state.get("endpoint", (None, None))
    return chosen if kept_for == st.session_state.get("cohort") else None


def define(chosen: Endpoint | None) -> None:
    """Set the reader's own endpoint for the open cohort, or take it away."""
    st.session_state["endpoint"] = (st.session_state.get("cohort"), chosen)


def selection() -> Selection:
    """The filter in force on every page."""
    kept_for, chosen = st.session_state.get("filter", (None, Selection()))
    return chosen if kept_for == st.session_state.get("cohort") else Selection()


def select(chosen: Selection) -> None:
    """Put a filter in force for the open cohort."""
    st.session_state["filter"] = (st.session_state.get("cohort"), chosen)


def cohort() -> Cohort:
    """The patients that the filter leaves."""
    everyone, chosen = whole(), selection()
    if chosen.is_everyone:
        return everyone
    key = ("selected", everyone.fingerprint, chosen.to_text())
    return _shelf().get_or_make(key, lambda: chosen.apply(everyone))


def narrowed(everyone: Cohort, chosen: Selection) -> tuple[Step, ...]:
    """Who is left after each part of a filter, also if that is nobody."""
    key = ("narrowed", everyone.fingerprint, chosen.to_text())
    return _shelf().get_or_make(key, lambda: chosen.attrition(everyone))


def outcome(of: Cohort) -> Outcome:
    """The outcome chosen for this cohort, its first one otherwise."""
    known = {o.key for o in of.outcomes}
    chosen = st.session_state.get("outcome")
    return of.outcome(chosen if chosen in known else of.outcomes[0].key)


# ------------------------------------------------------------------ numbers


def kept(key: tuple[str | int | float | bool | None, ...], make: Callable[[], Any]) -> Any:
    """A result of this session, made once under its key: fingerprint and choices, never a value of a patient."""
    return _shelf().get_or_make(key, make)


def held(key: tuple[str | int | float | bool | None, ...]) -> Any | None:
    """What this session has under a key, if anything."""
    return _shelf().get(key)


def let_go(key: tuple[str | int | float | bool | None, ...]) -> None:
    """Forget a result."""
    _shelf().pop(key, None)


def with_columns(of: Cohort, *names: str) -> Cohort:
    """The patients with what is asked of them: of a live cohort these columns, counted where they are."""
    return live_counts.with_columns(of, names, kept)


def grouping(of: Cohort, by: str, cuts: str | tuple[float, ...] | None, *, columns: tuple[str, ...] = ()) -> Grouping:
    """Patients in groups of one variable; those of a live cohort are counted by ``columns`` as well."""
    if live_counts.stays(of):
        return live_counts.grouped(of, (by, cuts), columns, kept)
    key = ("grouping", of.fingerprint, by, repr(cuts))
    return _shelf().get_or_make(key, lambda: group_by(of, by, cuts=cuts))


def against_everyone_else(everyone: Cohort, chosen: Selection, *, columns: tuple[str, ...] = ()) -> Grouping:
    """The selected patients, and all others."""
    if live_counts.stays(everyone):
        return live_counts.grouped(everyone, chosen, columns, kept)
    key = ("against", everyone.fingerprint, chosen.to_text())
    return _shelf().get_or_make(key, lambda: group_by_selection(everyone, chosen))


def curves(
    of: Cohort, end: Outcome, groups: Grouping | None, *, level: float = 0.95, interval: str = "log-log"
) -> tuple[survival.Curve, ...]:
    """Kaplan-Meier curves, one per group."""
    of = with_columns(of, *end.columns) if groups is None else of
    key = ("curves", of.fingerprint, end.key, seal(groups), level, interval)
    return _shelf().get_or_make(key, lambda: live_counts.curves(of, end, groups, level=level, interval=interval))


def log_rank(of: Cohort, end: Outcome, groups: Grouping) -> survival.GroupTest:
    """The log-rank test over the groups."""
    key = ("logrank", of.fingerprint, end.key, seal(groups))
    return _shelf().get_or_make(key, lambda: survival.log_rank_by(of, end, groups))


def imbalance(of: Cohort, end: Outcome, groups: Grouping, alive_at: float) -> Imbalance | None:
    """The continuous predictor in which two groups differ most, among those followed for longer than a time."""
    key = ("imbalance", of.fingerprint, end.key if alive_at else "", seal(groups), alive_at)
    return _shelf().get_or_make(key, lambda: live_counts.imbalance(of, end, groups, alive_at))


def seal(groups: Grouping | None) -> str:
    """What tells one grouping from another in a key."""
    if groups is None:
        return ""
    if isinstance(groups, CountedGrouping):
        return sha256(groups.mark.encode()).hexdigest()
    return sha256(repr(groups.labels).encode() + groups.codes.tobytes()).hexdigest()


def summaries(of: Cohort) -> tuple[Summary, ...]:
    """Table 1: one summary per variable."""
    return _shelf().get_or_make(
        ("table", of.fingerprint), lambda: tuple(live_counts.summary(of, variable.name) for variable in of.filterable)
    )


def summary(of: Cohort, name: str) -> Summary:
    """One variable of Table 1."""
    return _shelf().get_or_make(("summary", of.fingerprint, name), lambda: live_counts.summary(of, name))


def follow_up(of: Cohort, end: Outcome) -> FollowUp:
    """Patients, events and median follow-up."""
    return _shelf().get_or_make(("followup", of.fingerprint, end.key), lambda: live_counts.follow_up(of, end, kept))


def horizon(of: Cohort, end: Outcome) -> survival.Horizon:
    """The time at which risk is stated unless the reader chooses another."""
    key = ("horizon", of.fingerprint, end.key)
    return _shelf().get_or_make(key, lambda: survival.default_horizon(with_columns(of, *end.columns), end))


# ------------------------------------------------------------------ patients


def token(of: Cohort, row: int) -> str:
    """What stands for a patient in a link: keyed, and meaningless elsewhere."""
    return keys.patient_token(keys.server_key(), of.key, of.identifiers[row])


def find(of: Cohort, mark: str) -> int | None:
    """The row a link's token stands for among these patients, if any."""
    key = ("find", of.fingerprint, mark)
    return _shelf().get_or_make(key, lambda: keys.find_patient(keys.server_key(), of.key, of.identifiers, mark))


def search(of: Cohort, names: tuple[str, ...], text: str) -> np.ndarray:
    """Rows whose identifier or shown values hold a text; all rows without one."""
    return _shelf().get_or_make(
        ("search", of.fingerprint, "\x1f".join(names), text), lambda: find_rows(of, names, text)
    )


# ------------------------------------------------------------------ links


def page(name: str) -> str:
    """A page's script, for links and moves between pages."""
    return str(HOME / "pages" / f"{name}.py")


def link(**more: str) -> dict[str, str]:
    """What the address holds now (it identifies nobody), with more added; for a move to another page."""
    return {**st.query_params.to_dict(), **more}


def from_link(name: str) -> str | None:
    """A value the address brings that was not put there by us: a fresh link, or a step back in the browser."""
    value = st.query_params.get(name)
    return value if value is not None and value != _written().get(name) else None


def keep_in_link(name: str, value: str | None) -> None:
    """Put one value into the address, or take it out."""
    if value is None:
        if name in st.query_params:
            del st.query_params[name]
    elif st.query_params.get(name) != value:
        st.query_params[name] = value
    _written()[name] = value


def _written() -> dict[str, str | None]:
    return st.session_state.setdefault("link", {})


def mode() -> Mode:
    """Light or dark, as the reader has it."""
    return "dark" if st.context.theme.type == "dark" else "light"


@contextmanager
def progress(text: str) -> Iterator[Callable[[float, str], None]]:
    """A bar that lives as long as the work; the work reports a share from 0 to 1 and what it does."""
    bar = st.progress(0.0, text=md(text))

    def report(share: float, step: str) -> None:
        bar.progress(min(max(share, 0.0), 1.0), text=md(step or text))

    try:
        yield report
    finally:
        bar.empty()


@contextmanager
def fixable() -> Iterator[None]:
    """Show a stop in place, with its way out; the rest of the page lives."""
    try:
        yield
    except Fixable as stop:
        show(stop)


@contextmanager
def fixable_page() -> Iterator[None]:
    """The same where nothing below can be drawn without it: the page ends here, the frame lives."""
    try:
        yield
    except Fixable as stop:
        show(stop)
        st.stop()


def show(stop: Fixable) -> None:
    """The three sentences of a stop, and every fault it lists."""
    st.warning(f"**{md(stop.what)}** {md(stop.why)} {md(stop.next_step)}", icon=":material/info:")
    if isinstance(stop, Faults):
        faults: Sequence[Sequence[str]] = [(f.file, f.column, f.expected, f.found) for f in stop.faults]
        table(("File", "Column", "Expected", "Found"), faults, label="Faults of this cohort", numeric_from=9)
    way_out = live_counts.way_out(stop)
    if way_out is not None:
        label, key, act = way_out
        st.button(label, key=key, on_click=act)
