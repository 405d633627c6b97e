"""What a session holds on disk goes when its reader has gone, also on a server that nobody visits any more.

Streamlit forgets a closed session only when another one comes, so a clock looks instead.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

from streamlit import runtime

EVERY_SECONDS = 15.0
GRACE_SECONDS = 75.0
"""Without a connection for so long a session is over: Streamlit keeps it for 60 (.streamlit/config.toml)."""


class Holder(Protocol):
    """Whatever holds files of a session."""

    def let_go(self) -> None:
        """Remove them."""
        ...


_SEEN: weakref.WeakKeyDictionary[Holder, tuple[str, float]] = weakref.WeakKeyDictionary()
"""Of each holder its session, and when that was last connected."""
_LOCK = threading.Lock()


def watch(holder: Holder, session: str) -> None:
    """Have what a session holds removed once nobody is connected to it."""
    with _LOCK:
        _SEEN[holder] = (session, time.monotonic())


def look(connected: Callable[[str], bool], now: float) -> int:
    """Let go of what sessions hold that have been without a connection for too long; how many these are."""
    with _LOCK:
        found = list(_SEEN.items())
    gone = 0
    for holder, (session, seen) in found:
        if connected(session):
            with _LOCK:
                _SEEN[holder] = (session, now)
        elif now - seen > GRACE_SECONDS:
            holder.let_go()
            gone += 1
    return gone


def end() -> None:
    """Let go of everything: the server ends."""
    with _LOCK:
        found = list(_SEEN)
    for holder in found:
        holder.let_go()


def keep_looking(until: threading.Event) -> None:
    """Look every few seconds until the server ends."""
    while not until.wait(EVERY_SECONDS):
        if runtime.exists():
            look(runtime.get_instance().is_active_session, time.monotonic())
