"""What tells that a source is no longer what it was when it was counted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bedside.errors import Fixable

Stamp = tuple[tuple[int, int, int], ...]


class SourceGone(Fixable):
    """A stop because the source is not what it was when it was counted, or can't be reached any more: count anew."""


def stamp_of(files: Iterable[Path]) -> Stamp:
    """Size, time and number of each file; a file that is not there counts as empty."""
    told = []
    for file in files:
        try:
            seen = file.stat()
        except OSError:
            told.append((0, 0, 0))
        else:
            told.append((seen.st_size, seen.st_mtime_ns, seen.st_ino))
    return tuple(told)


def changed() -> SourceGone:
    """Files are not those that were counted."""
    return SourceGone(
        "The source has changed.",
        "Its files are not those that were counted before, so that numbers of both would not go together.",
        "Count anew.",
    )


def let_go() -> SourceGone:
    """Nobody asked for long, and the source was closed."""
    return SourceGone(
        "The source was let go of.",
        "Nobody had asked it for a while, and what was counted was of a moment that is over.",
        "Count anew.",
    )


def too_long() -> Fixable:
    """A question took more time than one may."""
    return Fixable(
        "The source did not answer.",
        "It was asked for longer than is allowed.",
        "Ask for less at once: set a filter, or choose fewer groups.",
    )


def too_large() -> Fixable:
    """A question took more memory than one may."""
    return Fixable(
        "This is too much to be counted at once.",
        "It takes more memory than one question may.",
        "Set a filter, choose fewer groups, or search for a patient instead of turning pages.",
    )
