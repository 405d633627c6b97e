"""Stops with a way out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class Fixable(Exception):
    """A stop with a way out: what happened, why, what to do next.

    The three sentences never quote a patient's value, so they are safe in a
    log and on a screenshot. Anything raised that is not `Fixable` is a bug.

    Parameters
    ----------
    what : str
        What could not be done, e.g. ``"No model for this selection."``
    why : str
        The reason, naming file, row or column where that helps.
    next_step : str
        What the reader can do about it.
    """

    def __init__(self, what: str, why: str, next_step: str) -> None:
        super().__init__(f"{what} {why} {next_step}")
        self.what, self.why, self.next_step = what, why, next_step


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a cohort: where it is and what was expected there.

    Parameters
    ----------
    file : str
        Name of the file inside the cohort's folder.
    column : str
        Column, or path inside the dictionary such as ``outcomes[0].time``.
    expected : str
        What should have stood there.
    found : str, optional
        What stood there instead: a count, a type or row numbers, never a
        patient's value.
    """

    file: str
    column: str
    expected: str
    found: str = ""


class Faults(Fixable):
    """Every fault of a cohort at once, so that one reading repairs them all."""

    def __init__(self, what: str, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        n = len(self.faults)
        super().__init__(
            what,
            f"{n} fault{'s were' if n != 1 else ' was'} found.",
            "Correct each one where it is named below, then open the cohort again.",
        )
