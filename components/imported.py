"""Which version of an imported cohort is open, and the groups that readers made of a cohort as variables of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from bedside.cohort import Cohort
from bedside.cohort.derived import Derived, with_groups
from bedside.cohort.derived_words import COLUMN
from bedside.engine.live import LiveCohort
from bedside.errors import Fixable
from bedside.intake import Entry
from bedside.store import key as keys
from bedside.store.cohorts import is_imported, open_folder, versions
from bedside.store.saved import Saved
from bedside.store.views import derived_of, predicted
from components import attached, whose

VERSION, SEEN = "version", "version_seen"
GROUPS, TROUBLES, BROUGHT = "groups_marks", "groups_troubles", "groups_brought"
MOST = 10**6


@dataclass(frozen=True)
class Shown:
    """The version that is open.

    Attributes
    ----------
    version, newest : int
    asked : int
        Of the link or the last choice; another one than ``version`` if it is not there.
    """

    version: int
    newest: int
    asked: int


def begin() -> None:
    """Forget what was looked up in the last run, and take the version that a fresh link brings."""
    for name in (SEEN, GROUPS, TROUBLES):
        st.session_state.pop(name, None)
    asked = st.query_params.get(VERSION, "")
    written = st.session_state.get("link", {}).get(VERSION)
    if asked != written and asked.isascii() and asked.isdigit() and 0 < int(asked) < MOST:
        choose(st.query_params.get("cohort") or st.session_state.get("cohort") or "", int(asked))
    attached.begin()


def choose(key: str, version: int | None) -> None:
    """Open a version of a cohort from now on, or whichever is the newest."""
    st.session_state[VERSION] = (key, version or 0)


def look_again() -> None:
    """After `choose` in the midst of a run: which version is open is no longer what it was."""
    st.session_state.pop(SEEN, None)


def at_version(entry: Entry) -> Entry:
    """The entry of a cohort with the folder of the version that is to be open; others as they are."""
    shown = version_of(entry.key)
    if shown is None:
        return entry
    return replace(entry, folder=open_folder(entry.key, shown.version, reader=whose.reader()))


def version_of(key: str) -> Shown | None:
    """Which version of a cohort is open; None for one that was not imported, or is not there for this reader."""
    if not is_imported(key):
        return None
    looked = st.session_state.setdefault(SEEN, {})
    if key not in looked:
        numbers = [kept.version for kept in versions(key, reader=whose.reader())]
        kept_for, asked = st.session_state.get(VERSION, ("", 0))
        asked = asked if kept_for == key else 0
        newest = max(numbers, default=0)
        looked[key] = Shown(asked if asked in numbers else newest, newest, asked or newest) if numbers else None
    return looked[key]


# ------------------------------------------------------------------ groups


def grouped(plain: Cohort, kept: Callable[[tuple[Any, ...], Callable[[], Any]], Any]) -> Cohort:
    """The cohort with the groups that this reader, or another who shares them, made of it.

    Parameters
    ----------
    plain : Cohort
        As it was read.
    kept : callable
        `desk.kept`: groups are worked out once in a session.
    """
    st.session_state[BROUGHT] = (plain.key, plain.fingerprint)
    made, st.session_state[TROUBLES] = with_all(plain, kept)
    return made


def waiting(plain: Cohort) -> Cohort:
    """A cohort that is counted in its source, as it is; that its groups wait for the rows is said."""
    try:
        n = len(_marks(plain.key))
    except Fixable as stop:
        st.session_state[TROUBLES] = (stop,)
        return plain
    said = "A group that was" if n == 1 else f"{n} groups that were"
    stop = Fixable(
        f"{said} made of this cohort {'is' if n == 1 else 'are'} not here.",
        "Groups are worked out of the rows, which stay in their source.",
        "They come with the rows.",
    )
    st.session_state[TROUBLES] = (stop,) if n else ()
    return plain


def brought(of: Cohort) -> str:
    """Fingerprint of the open cohort as it was read, without groups."""
    key, fingerprint = st.session_state.get(BROUGHT, ("", ""))
    return fingerprint if key == of.key else of.fingerprint


def with_all(
    plain: Cohort, kept: Callable[[tuple[Any, ...], Callable[[], Any]], Any]
) -> tuple[Cohort, tuple[Fixable, ...]]:
    """The cohort with all its groups, and why some are not there; arguments as in `grouped`.

    What was chosen of attached tables comes first: groups may be cut of it.
    """
    if isinstance(plain, LiveCohort):
        return plain, ()
    plain = attached.widened(plain, kept, _marks)
    try:
        mine, marks = Saved(whose.reader()), _marks(plain.key)
        if not marks:
            return plain, ()
        made, troubles = kept(("groups", plain.fingerprint, repr(marks)), lambda: _made(plain, mine))
    except Fixable as stop:
        # The store can't be reached: the cohort opens without its groups, and that is said.
        return plain, (stop,)
    return made, tuple(stop for _, stop in troubles)


def mark_of(name: str) -> str:
    """What stands behind a variable in a list: whose group it is; "" for a variable of the data."""
    if not name.startswith(COLUMN):
        return ""
    for marks in st.session_state.get(GROUPS, {}).values():
        for item, _, _, mine in marks:
            if name == f"{COLUMN}{item}":
                return " · your group" if mine else " · shared group"
    return " · group"


def group_columns(key: str) -> frozenset[str]:
    """Columns of the groups made of a cohort, whether or not they are worked out now."""
    return frozenset(f"{COLUMN}{item}" for item, *_ in _marks(key))


def troubles() -> tuple[Fixable, ...]:
    """Why groups of the open cohort are not there."""
    return st.session_state.get(TROUBLES, ())


def tokens(of: Cohort) -> tuple[str, ...]:
    """What stands for each patient, in row order."""
    return keys.patient_tokens(keys.server_key(), of.key, of.identifiers)


def _marks(key: str) -> tuple[tuple[str, str, str, bool], ...]:
    """Which groups there are; asked once in a run."""
    looked = st.session_state.setdefault(GROUPS, {})
    if key not in looked:
        looked[key] = Saved(whose.reader()).marks(key, "group")
    return looked[key]


def _made(plain: Cohort, mine: Saved) -> tuple[Cohort, tuple[tuple[Derived | None, Fixable], ...]]:
    groups: list[Derived] = []
    unread: list[tuple[Derived | None, Fixable]] = []
    for item in mine.of(plain.key, "group"):
        try:
            groups.append(derived_of(item))
        except Fixable as stop:
            unread.append((None, stop))
    made, troubles = with_groups(plain, groups, tokens=tokens, risks=predicted)
    return made, (*unread, *troubles)
