"""Signed-in sessions: idle for 15 minutes, or signed out, and they are over everywhere."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from functools import cache

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from components.guard.identity import ABSOLUTE_SECONDS, Identity

IDLE_SECONDS = 15 * 60
CHECK_SECONDS = 15.0
SIGNED_OUT = 4401


class Sessions:
    """When each signed-in session was last used, and which ones ended.

    Kept in memory: after a restart, a session is alive only if its sign-in is
    younger than the idle limit, so a restart never brings an ended one back
    for longer than that.

    Parameters
    ----------
    idle_seconds : float
        Longest pause between two acts of the reader.
    clock : callable
        Seconds since the epoch.
    """

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS, clock: Callable[[], float] = time.time) -> None:
        self._idle = idle_seconds
        self._clock = clock
        self._seen: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

    @staticmethod
    @cache
    def shared() -> Sessions:
        """The table of this process, for the guard and for the script behind it."""
        return Sessions()

    def alive(self, who: Identity) -> bool:
        """Whether a session is neither ended nor idle nor past its absolute limit."""
        now = self._clock()
        with self._lock:
            if who.session in self._ended or now - who.signed_in_at > ABSOLUTE_SECONDS:
                return False
            return now - self._seen.get(who.session, who.signed_in_at) <= self._idle

    def touch(self, who: Identity) -> None:
        """Note that the reader did something."""
        with self._lock:
            self._seen[who.session] = self._clock()

    def revoke(self, who: Identity) -> None:
        """End a session for every copy of its cookie."""
        now = self._clock()
        with self._lock:
            self._ended[who.session] = now
            self._seen.pop(who.session, None)
            self._ended = {name: at for name, at in self._ended.items() if now - at <= ABSOLUTE_SECONDS}
            self._seen = {name: at for name, at in self._seen.items() if now - at <= ABSOLUTE_SECONDS}

    async def watch(self, who: Identity, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a websocket for as long as its session lives, then close it."""

        async def noted() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and is_act(message.get("bytes")):
                self.touch(who)
            return message

        running = asyncio.create_task(app(scope, noted, send))
        while not running.done():
            await asyncio.wait({running}, timeout=CHECK_SECONDS)
            if not running.done() and not self.alive(who):
                running.cancel()
                await asyncio.wait({running})
                await send({"type": "websocket.close", "code": SIGNED_OUT})
                return
        await running


def is_act(payload: bytes | None) -> bool:
    """Whether a frame from the browser is something a reader did, not a page refreshing itself."""
    if not payload:
        return False
    message = BackMsg()
    try:
        message.ParseFromString(payload)
    except DecodeError:
        return False  # Streamlit answers it; it is no act of a reader
    if message.WhichOneof("type") != "rerun_script":
        return message.WhichOneof("type") not in (None, "app_heartbeat")
    return not message.rerun_script.is_auto_rerun
