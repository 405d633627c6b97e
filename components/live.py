"""The sources that an administrator configured, and the live cohorts that this server counts in them.

The only file that knows where sources are configured. What it hands on is shown nowhere as it is.

A live cohort is opened once for all readers, as of one moment, and closed after nobody has used it for a while; a
reader who counts anew opens it as of another moment, and the others keep theirs.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from bedside.engine.live import LiveCohort
from bedside.intake import Entry
from bedside.intake.dictionary import FILE as DICTIONARY
from bedside.intake.from_large import OWN, open_large
from bedside.intake.from_source import open_live
from bedside.intake.large import data_of
from bedside.intake.live_told import FILE as LIVE
from bedside.intake.live_told import LiveTold, read_live
from bedside.store.sources import Source, Sources, configured

IDLE = 600.0
"""Seconds after which a source that nobody asks is let go."""
MOMENTS = 4
"""Moments of one cohort that are counted at the same time; the one longest unused is let go."""
NEW = 0
"""Instead of a moment's number: as of now."""


def sources() -> Sources:
    """What is configured now, in the secrets and in the environment."""
    return configured(_secrets(), os.environ)


def _secrets() -> Mapping[str, Any]:
    try:
        told = st.secrets.get("sources", {})
    except StreamlitSecretNotFoundError:
        return {}
    return told if isinstance(told, Mapping) else {}


def title_of(name: str) -> str:
    """What a source is called on pages."""
    return next((source.title for source in sources().all if source.name == name), name)


def source_of(of: LiveCohort) -> Source | None:
    """The configured source that a cohort is counted in; None where it is the cohort's own file.

    Raises
    ------
    Fixable
        If it is not configured, or not as it should be.
    """
    return None if of.source_name == OWN else sources().named(of.source_name).checked()


def may_write(entry: Entry) -> bool:
    """True if the account that a live cohort is counted with could also change its table."""
    told = read_live(entry.folder)
    if not isinstance(told, LiveTold):
        return False
    return sources().named(told.source).may_write(told.schema_name, told.table)


@dataclass(eq=False)
class _Held:
    """A cohort as of one moment: its number, and when it was last asked for."""

    number: int
    live: LiveCohort
    used: float


@dataclass(eq=False)
class _Place:
    """All moments of one cohort; opened by one thread at a time."""

    moments: dict[int, _Held] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Pool:
    """Live cohorts that are open on this server.

    Parameters
    ----------
    idle : float
        Seconds after which one that nobody asks for is closed.
    """

    def __init__(self, idle: float = IDLE) -> None:
        self._idle, self._lock = idle, threading.Lock()
        self._places: dict[tuple[object, ...], _Place] = {}
        self._next = NEW
        self._timer: threading.Timer | None = None

    def get(self, entry: Entry, number: int | None) -> tuple[int, LiveCohort]:
        """A cohort as of the moment of this number; of the newest one where that is closed, or none is named.

        Parameters
        ----------
        entry : Entry
        number : int or None
            `NEW` opens it as of now.

        Returns
        -------
        number : int
            To ask for the same moment again.
        live : LiveCohort

        Raises
        ------
        Fixable
            If the source can't be reached, or is not what the cohort's dictionary says.
        """
        with self._lock:
            place = self._places.setdefault(_key(entry), _Place())
        with place.lock:
            held = place.moments.get(number) if number is not None else None
            if held is None and number != NEW and place.moments:
                held = place.moments[max(place.moments)]
            if held is None:
                held = self._opened(entry, place)
            held.used = time.monotonic()
        self._watch()
        return held.number, held.live

    def close(self, entry: Entry, number: int) -> None:
        """Let go of one moment: it is asked for no more."""
        with self._lock:
            place = self._places.get(_key(entry))
        if place is not None:
            with place.lock:
                held = place.moments.pop(number, None)
            if held is not None:
                held.live.close()

    def sweep(self, idle: float | None = None) -> int:
        """Close what nobody has asked for that long; how many are left."""
        with self._lock:
            places = list(self._places.values())
        left = 0
        for place in places:
            with place.lock:
                since = time.monotonic() - (self._idle if idle is None else idle)
                old = [held for held in place.moments.values() if held.used <= since]
                for held in old:
                    place.moments.pop(held.number).live.close()
                left += len(place.moments)
        return left

    def end(self) -> None:
        """Close all of them."""
        with self._lock:
            places = list(self._places.values())
        for place in places:
            with place.lock:
                while place.moments:
                    place.moments.popitem()[1].live.close()

    def _opened(self, entry: Entry, place: _Place) -> _Held:
        if entry.large:
            live = open_large(entry.folder, key=entry.key)
        else:
            live = open_live(entry.folder, engine_of_source=sources().engine, key=entry.key)
        with self._lock:
            self._next += 1
            held = _Held(self._next, live, time.monotonic())
        place.moments[held.number] = held
        while len(place.moments) > MOMENTS:
            longest = min(place.moments.values(), key=lambda each: each.used)
            place.moments.pop(longest.number).live.close()
        return held

    def _watch(self) -> None:
        """Look for idle ones from time to time, as long as there are any."""
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(self._idle / 2, self._look)
                self._timer.daemon = True
                self._timer.start()

    def _look(self) -> None:
        with self._lock:
            self._timer = None
        if self.sweep():
            self._watch()


def _key(entry: Entry) -> tuple[object, ...]:
    """A cohort, as its files are now."""
    told, own = [], data_of(entry.folder)
    for path in (entry.folder / DICTIONARY, entry.folder / LIVE, *([] if own is None else [own])):
        try:
            seen = path.stat()
            told.append((seen.st_size, seen.st_mtime_ns))
        except OSError:
            told.append((0, 0))
    return (str(entry.folder), entry.key, *told)


POOL = Pool()
"""The one of this server."""
atexit.register(POOL.end)
