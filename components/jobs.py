"""Background jobs: what takes over a second is never computed in the request that draws a page.

    found = jobs.wanted(("model", cohort.fingerprint, end.key), "Fitting the model", risk.fit, cohort, end)
    if found is not None:
        draw(found)

Each runs in a process of its own. Until the result is there, its place shows a bar, the time and a button to stop;
the rest of the page lives.
"""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any, Literal

import streamlit as st

from bedside.errors import Fixable
from components import desk
from components.job_child import WARM
from components.text import md

LOG = logging.getLogger("bedside")
AT_ONCE = 2
MOST_OF_A_SESSION = 12
"""Jobs of one session that run or wait; a further one takes the place of the oldest that still waits."""
MOST_ENDED = 3
"""Ended jobs of one session whose results nobody has taken yet; older ones are let go."""
EVERY = 0.5
SPARE_SECONDS = 300.0
"""How long a process is held ready that no job has taken."""
PATIENCE = "BEDSIDE_PATIENCE"
"""Environment variable: seconds that a page waits for a job before it shows the bar; none if it is not set."""
SURE = 0.05
"""Share of the work after which the rest of the time is estimated."""

Key = tuple[str | int | float | bool | None, ...]
Phase = Literal["waiting", "running", "done", "stopped", "failed"]

_TURNS = threading.BoundedSemaphore(AT_ONCE)


@dataclass(eq=False)
class Job:
    """One computation in a process of its own.

    Attributes
    ----------
    title : str
        What is being done, in words.
    phase : {"waiting", "running", "done", "stopped", "failed"}
    share : float
        From 0 to 1.
    sentence : str
        What it does now.
    began : float or None
        When it began, on the monotonic clock.
    result : object
        Once done.
    stop : Fixable or None
        Why it failed.
    ended : threading.Event
        Set once it is done, stopped or failed.
    """

    title: str
    phase: Phase = "waiting"
    share: float = 0.0
    sentence: str = ""
    began: float | None = None
    result: Any = field(default=None, repr=False)
    stop: Fixable | None = None
    ended: threading.Event = field(default_factory=threading.Event, repr=False)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    # One that its own thread may take twice: a session may be collected, and its jobs ended, at any moment.
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)  # type: ignore[valid-type]

    def cancel(self) -> None:
        """Stop it now; what it had is lost."""
        with self._lock:
            self._end("stopped")
            process = self.process
        if process is not None:
            process.kill()

    def seconds(self) -> tuple[float, float | None]:
        """Seconds since it began, and about how many are left, if that can be said."""
        since = 0.0 if self.began is None else time.monotonic() - self.began
        return since, since * (1 - self.share) / self.share if self.share >= SURE and since > 1 else None

    def _end(self, phase: Phase, *, result: Any = None, stop: Fixable | None = None) -> None:
        """The first end counts. Under the lock."""
        if not self.ended.is_set():
            self.phase, self.result, self.stop = phase, result, stop
            self.ended.set()

    def _run(self, work: bytes) -> None:
        """Wait for a turn, start the process and listen to it: in a thread of its own."""
        with _Watched(self), _TURNS:
            try:
                with self._lock:
                    if self.ended.is_set():
                        return
                    ours, self.process = SPARE.take()
                    self.began, self.phase = time.monotonic(), "running"
                with ours:
                    ours.send_bytes(work)
                    self._listen(ours)
            except (EOFError, OSError):
                self._lost()
            finally:
                if self.process is not None:
                    self.process.kill()
                    self.process.wait()

    def _listen(self, pipe: Connection) -> None:
        while not self.ended.is_set():
            match pipe.recv():
                case ("progress", share, sentence):
                    self.share, self.sentence = min(max(share, self.share), 1.0), sentence
                case ("done", result):
                    with self._lock:
                        self._end("done", result=result)
                case ("stop", what, why, next_step):
                    with self._lock:
                        self._end("failed", stop=Fixable(what, why, next_step))
                case ("crash", kind, place):
                    with self._lock:
                        self._end("failed", stop=_crash(kind, place))

    def _lost(self) -> None:
        """The pipe ended without a word: stopped by the reader, or by the system."""
        with self._lock:
            if not self.ended.is_set():
                self._end("failed", stop=_crash("process ended", "outside Bedside"))


class _Spare:
    """A process that has imported already what the next job needs, begun while the reader still chooses a file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: tuple[Connection, subprocess.Popen[bytes]] | None = None
        self._end: threading.Timer | None = None

    def warm(self, *modules: str) -> None:
        """Have one, unless there is one; it ends when nothing has needed it for a while."""
        with self._lock:
            if self._held is not None and self._held[1].poll() is None:
                return
            self._held = _begun()
            self._held[0].send_bytes(bytes(ForkingPickler.dumps((WARM, modules))))
            self._end = threading.Timer(SPARE_SECONDS, self.drop)
            self._end.daemon = True
            self._end.start()

    def take(self) -> tuple[Connection, subprocess.Popen[bytes]]:
        """A process that waits for its work, and the way to it."""
        with self._lock:
            held, self._held = self._held, None
            if self._end is not None:
                self._end.cancel()
        if held is not None and held[1].poll() is None:
            return held
        return _begun()

    def drop(self) -> None:
        """End the one that is here."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            held[0].close()
            held[1].kill()
            held[1].wait()


SPARE = _Spare()
warm = SPARE.warm


def _begun() -> tuple[Connection, subprocess.Popen[bytes]]:
    ours, theirs = Pipe()
    with theirs:
        return ours, _started(theirs)


class _Watched:
    """Whatever stops the thread of a job ends the job, and no message of it, which may quote a value, is written."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, _error: object, _where: object) -> bool:
        if kind is None:
            return False
        # A result that came and can't be read back: too large, or made of what this process does not know.
        with self._job._lock:
            if not self._job.ended.is_set():
                self._job._end("failed", stop=_crash(kind.__name__, "the way back of its result"))
        return issubclass(kind, Exception)


def _started(pipe: Connection) -> subprocess.Popen[bytes]:
    """A new interpreter that imports our own code and nothing of the script that is running."""
    paths = [str(desk.HOME), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "components.job_child", str(pipe.fileno())],
        pass_fds=[pipe.fileno()],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        # What libraries write may quote a value: it goes nowhere.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _crash(kind: str, place: str) -> Fixable:
    number = secrets.token_hex(4)
    LOG.error("error %s: %s at %s, in a job", number, kind, place)
    memory = kind in ("MemoryError", "process ended")
    return Fixable(
        "The computation stopped before it was done.",
        "It needed more memory or time than a computation may take here."
        if memory
        else f"Something in it went wrong; the log names the place under {number}, and no patient.",
        "Choose fewer patients or variables and try again." if memory else "Try again, or choose otherwise.",
    )


def start(title: str, function: Callable[..., Any], *args: Any) -> Job:
    """Begin a job as soon as one of the two places is free.

    Parameters
    ----------
    title : str
        What is being done, for the reader.
    function : callable
        At the top of a module that can be imported without Streamlit. If it takes ``progress``, it is given one: a
        callable of a share from 0 to 1 and a sentence.
    *args
        Sent to the process: plain values, arrays, frames, cohorts, models.
    """
    job = Job(title)
    work = bytes(ForkingPickler.dumps((function, args)))
    threading.Thread(target=job._run, args=(work,), name="job", daemon=True).start()
    return job


# ------------------------------------------------------------------ of a session


class Jobs(dict[Key, Job]):
    """The jobs of one session, oldest first."""

    def begin(self, key: Key, title: str, function: Callable[..., Any], *args: Any) -> Job:
        """The job of this key, started if there is none."""
        if key not in self:
            self._make_room()
            self[key] = start(title, function, *args)
        return self[key]

    def end(self) -> None:
        """Stop all of them."""
        for job in list(self.values()):
            job.cancel()
        self.clear()

    def _make_room(self) -> None:
        ended = [key for key, job in self.items() if job.ended.is_set()]
        for key in ended[: max(len(ended) - MOST_ENDED, 0)]:
            self.pop(key)
        open_ = [key for key, job in self.items() if not job.ended.is_set()]
        if len(open_) >= MOST_OF_A_SESSION:
            oldest = next((key for key in open_ if self[key].phase == "waiting"), open_[0])
            self.pop(oldest).cancel()


class _Holder:
    """What a session holds on to: when it is let go, the session's jobs end."""

    def __init__(self) -> None:
        self.jobs = Jobs()
        weakref.finalize(self, self.jobs.end)


class _NotYet(LookupError):
    """There is no result under this key."""


def mine() -> Jobs:
    """The jobs of this session."""
    return desk.kept(desk.JOBS, _Holder).jobs


def _not_yet() -> Any:
    raise _NotYet


def wanted(
    key: Key, title: str, function: Callable[..., Any], *args: Any, slot: str = "", shown: bool = True
) -> Any | None:
    """The result of a computation, or None while it is being made: its place then shows how far it is.

    Parameters
    ----------
    key : tuple
        Fingerprint and choices, as for `desk.kept`, under which the result is kept as well.
    title, function, *args
        As in `start`. The function never returns None.
    slot : str
        Tells one place from another where a page asks for the same key twice.
    shown : bool, default True
        False draws nothing: the page is drawn again once the job has ended.

    Returns
    -------
    object or None
        None also where the computation failed or was stopped: the place says so, with a way to try again.
    """
    try:
        return desk.kept(key, _not_yet)
    except _NotYet:
        job = mine().begin(key, title, function, *args)
    job.ended.wait(float(os.environ.get(PATIENCE, "0")))
    if job.phase == "done":
        mine().pop(key, None)
        return desk.kept(key, lambda: job.result)
    name = "job_" + sha256(repr((key, slot)).encode()).hexdigest()[:16]
    if not job.ended.is_set():
        st.fragment(_panel if shown else _await, run_every=EVERY)(job, name)
    elif shown:
        _ended(job, key, name)
    return None


def _ended(job: Job, key: Key, name: str) -> None:
    """What became of a job without a result, and the way to begin again."""
    if job.stop is not None:
        desk.show(job.stop)
    else:
        st.caption(md(f"{job.title}: stopped."))
    st.button("Try again" if job.stop is not None else "Start again", key=f"{name}_again", on_click=mine().pop,
              args=(key, None))  # fmt: skip


def _panel(job: Job, name: str) -> None:
    """How far a job is, with the button that stops it; drawn again on its own twice a second."""
    if job.ended.is_set():
        st.rerun(scope="app")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(job.share, text=md(said(job)), width="stretch")
        st.button("Stop", key=f"{name}_stop", on_click=job.cancel, width="content")


def _await(job: Job, _name: str) -> None:
    if job.ended.is_set():
        st.rerun(scope="app")


def said(job: Job) -> str:
    """A job in a line: ``"Fitting the model: inner fold 3 of 5. 12 s, about 20 s left"``."""
    if job.phase == "waiting":
        return f"{job.title}: waiting for another computation to end"
    since, left = job.seconds()
    step = f": {job.sentence[:1].lower()}{job.sentence[1:]}" if job.sentence and job.sentence != job.title else ""
    about = "" if left is None else f", about {_time(left)} left"
    return f"{job.title}{step}. {_time(since)}{about}"


def _time(seconds: float) -> str:
    return f"{max(round(seconds), 1)} s" if seconds < 90 else f"{round(seconds / 60)} min"
