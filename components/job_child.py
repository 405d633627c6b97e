"""What runs inside the process of a background job: one function, once, with nothing said but over the pipe."""

from __future__ import annotations

import importlib
import inspect
import os
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from bedside.errors import Fixable

HOME = Path(__file__).resolve().parents[1]
MOST_SECONDS = 3600
"""Computing time after which the system ends a job, whatever it does."""
MOST_BYTES = 12 * 2**30
"""Address space of a job: libraries reserve several times what they use."""
PAUSE = 0.1
"""Seconds between two reports; more often is not seen."""
NICE = 5
WARM = "import"
"""In place of a function: what comes with it are names of modules, and the work follows later."""
"""A job yields to the server, which draws pages meanwhile."""
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""The algebra of our sizes gains nothing by threads, which only wait for each other on a busy machine; and the order
of a sum, and so its last bits, must not depend on how many cores there are."""


def main(descriptor: int) -> None:
    """Take ``(function, arguments)`` from the pipe, work, and send what came of it.

    Messages are tuples: ``("progress", share, sentence)``, then one of ``("done", result)``,
    ``("stop", what, why, next_step)`` and ``("crash", type, place)``.
    """
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # read by numpy when the work below imports it
    pipe = Connection(descriptor)
    sys.excepthook = _teller(pipe)
    os.nice(NICE)
    _bound(resource.RLIMIT_AS, MOST_BYTES)
    _bound(resource.RLIMIT_CPU, MOST_SECONDS)
    _bound(resource.RLIMIT_CORE, 0)
    function, arguments = _work(pipe)
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    try:
        pipe.send(("done", _called(function, arguments, pipe)))
    except Fixable as stop:
        pipe.send(("stop", stop.what, stop.why, stop.next_step))


def _work(pipe: Connection) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """What is to be done; until that is known, what it will need is imported."""
    first, arguments = pipe.recv()
    if first != WARM:
        return first, arguments
    for name in arguments:
        importlib.import_module(name)
    try:
        return pipe.recv()
    except EOFError:
        os._exit(0)  # nobody needed it


def _called(function: Callable[..., Any], arguments: tuple[Any, ...], pipe: Connection) -> Any:
    if "progress" not in inspect.signature(function).parameters:
        return function(*arguments)
    told = -PAUSE

    def progress(share: float, sentence: str) -> None:
        nonlocal told
        if time.monotonic() - told >= PAUSE:
            told = time.monotonic()
            pipe.send(("progress", float(share), str(sentence)))

    return function(*arguments, progress=progress)


def _bound(what: int, most: int) -> None:
    """A limit of this process, or the stricter one that it was born with."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most, hard) if hard == resource.RLIM_INFINITY else (min(most, hard), hard))


def _end_with(pipe: Connection) -> None:
    """End when the other side is gone: nobody waits for the result any more."""
    pipe.poll(None)
    os._exit(0)


def _teller(pipe: Connection) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Instead of a traceback, which would end with a message that may quote a patient: its type and place."""

    def tell(kind: type[BaseException], _error: BaseException, where: TracebackType | None) -> None:
        ours = [
            f
            for f in traceback.extract_tb(where)
            if Path(f.filename).is_relative_to(HOME) and ".venv" not in f.filename
        ]
        place = f"{Path(ours[-1].filename).relative_to(HOME)}:{ours[-1].lineno}" if ours else "outside Bedside"
        pipe.send(("crash", kind.__name__, place))

    return tell


if __name__ == "__main__":
    main(int(sys.argv[1]))
