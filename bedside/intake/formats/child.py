"""What runs inside the process that reads a file: one file, once, within bounds; it speaks in lines of JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from bedside.errors import Fixable

MOST_BYTES = 3 * 2**30
"""Address space."""
MOST_SECONDS = 150
"""Of computing."""
MOST_WRITTEN = 4 * 10**9
"""Bytes of any one file it writes."""
PAUSE = 0.2

_OUT = 1


def main() -> None:
    """Read what is asked for on standard input and say what came of it on standard output."""
    _bounded()
    _alone()
    sys.excepthook = _tell_crash
    ask = json.loads(sys.stdin.buffer.read())
    try:
        _say({"done": _wide(ask) if ask.get("work") == "wide" else _staged(ask)})
    except Fixable as stop:
        _say({"stop": [stop.what, stop.why, stop.next_step]})
    except MemoryError:
        _say({"stop": list(too_large())})


def _tell_crash(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """Instead of a traceback, whose words may quote a cell: what it is and where it came from."""
    _say({"crash": [kind.__name__, _place(where)]})


def _place(where: TracebackType | None) -> str:
    ours = [each for each in traceback.extract_tb(where) if "intake" in each.filename]
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "outside Bedside"


def _staged(ask: dict[str, Any]) -> dict[str, Any]:
    # Imported under the bounds, and not by the server.
    from bedside.intake.formats.any_file import read_any
    from bedside.intake.staging import Reading

    reading = None if ask["reading"] is None else Reading(**ask["reading"])
    return read_any(Path(ask["source"]), Path(ask["folder"]), reading, _teller())


def _wide(ask: dict[str, Any]) -> dict[str, Any]:
    from bedside.intake.wide_read import write_wide

    told = json.loads(Path(ask["patients"]).read_text(encoding="utf-8"))
    return write_wide(
        Path(ask["source"]), Path(ask["folder"]), told["patients"], samples=told["samples"], turned=ask["turned"],
        scale=ask["scale"], progress=_teller(),
    )  # fmt: skip


def too_large() -> tuple[str, str, str]:
    """The three sentences for a file that does not fit."""
    return (
        "This file was not read.",
        "It takes more memory to unpack than a table of its size may.",
        "Leave out columns or rows that are not needed, save it as CSV or Parquet, and bring that.",
    )


def _teller() -> Callable[[float, str], None]:
    told = -PAUSE

    def progress(share: float, sentence: str) -> None:
        nonlocal told
        if time.monotonic() - told >= PAUSE:
            told = time.monotonic()
            _say({"progress": [round(float(share), 3), sentence]})

    return progress


def _alone() -> None:
    """Keep the way out for our own lines: what a library prints, such as a progress bar, goes nowhere."""
    global _OUT
    _OUT = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)


def _say(message: dict[str, Any]) -> None:
    line = json.dumps(message).encode() + b"\n"
    while line:
        line = line[os.write(_OUT, line) :]


def _bounded() -> None:
    os.umask(0o077)  # what it writes is for this user only
    for what, most in (
        (resource.RLIMIT_AS, MOST_BYTES),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_FSIZE, MOST_WRITTEN),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most, hard) if hard == resource.RLIM_INFINITY else (min(most, hard), hard))
