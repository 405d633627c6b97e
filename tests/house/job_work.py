"""Work for the tests of background jobs: each function runs in a process of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np

from bedside.errors import Fixable

SECRET = "Ada Lovelace 1815"


def double(numbers: np.ndarray, *, progress: Callable[[float, str], None]) -> tuple[np.ndarray, int]:
    """Twice the numbers, and the process that did it."""
    progress(0.5, "Halfway")
    return numbers * 2, os.getpid()


def forever(pid_file: str, *, progress: Callable[[float, str], None]) -> int:
    """Never done."""
    with open(pid_file, "w", encoding="utf-8") as file:
        file.write(str(os.getpid()))
    progress(0.25, "Inner fold 1 of 4")
    while True:
        time.sleep(0.05)


def refused() -> int:
    """A stop with a way out."""
    raise Fixable("No model.", "Too few events.", "Include more patients.")


def broken() -> int:
    """A bug whose message quotes a patient."""
    raise ValueError(f"could not convert {SECRET}")


def killed() -> int:
    """Ended from outside, as by the system when memory runs out."""
    os.kill(os.getpid(), 9)
    return 0


def greedy() -> int:
    """More memory than a job may have."""
    return int(np.ones(2**41, dtype=np.uint8).sum())


def unsendable() -> Callable[[], int]:
    """A result that no pipe carries."""
    return lambda: 1


class _Odd:
    """Read back, it fails with a message that quotes a patient."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return int, (SECRET,)


def unreadable() -> object:
    """A result that travels and can't be read back."""
    return _Odd()
