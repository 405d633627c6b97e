"""Labels beside a plot: text from data on one or two lines, and the room that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width

from components.figures.palette import plain, text_width

LINE = 26
"""Width of a line, in Latin characters; Chinese, Japanese, Korean and emoji count twice."""

LINES = 2

ROW, TALL_ROW = 26, 34
"""Height of a row in px at 12 px type: of labels on one line, and of labels on two."""


def label_lines(text: object, *, width: int = LINE, lines: int = LINES) -> tuple[str, ...]:
    """A label broken between words, or within a word that is too long; what is still left over becomes "…".

    Parameters
    ----------
    text : object
        As it comes from data; white space is put in order.
    width : int
        Of a line, in Latin characters.
    lines : int
        Most lines.

    Returns
    -------
    tuple of str
        At least one line, unescaped.
    """
    words, done, line = " ".join(str(text).split()).split(" "), [], ""
    while words:
        word = words.pop(0)
        tried = f"{line} {word}" if line else word
        if _cells(tried) <= width:
            line = tried
        elif line:
            done.append(line)
            line = ""
            words.insert(0, word)
        else:
            head = _fitting(word, width)
            done.append(head)
            words.insert(0, word[len(head) :])
    told = [*done, line] if line or not done else done
    if len(told) <= lines:
        return tuple(told)
    last = _fitting(told[lines - 1], width - 1).rstrip()
    return (*told[: lines - 1], f"{last}…")


def wrapped(lines: Sequence[str]) -> str:
    """Lines of a label as Plotly shows them, each of them literal."""
    return "<br>".join(plain(line) for line in lines)


def room_for(labels: Sequence[Sequence[str]], *, size: float = 12) -> float:
    """Pixels of the widest line of some labels."""
    return pixels([line for lines in labels for line in lines], size=size)


def row_height(labels: Sequence[Sequence[str]]) -> int:
    """Height of every row in px: taller as soon as one label has two lines."""
    return TALL_ROW if any(len(lines) > 1 for lines in labels) else ROW


def pixels(lines: Sequence[str], *, size: float = 12) -> float:
    """Pixels of the widest line, with wide characters counted at their double width."""
    return text_width(["n" * _cells(line) for line in lines], size=size)


def _cells(text: str) -> int:
    return len(text) + sum(east_asian_width(c) in "WF" for c in text)


def _fitting(text: str, width: int) -> str:
    """The beginning of a text that fits; at least one character."""
    end = 1
    while end < len(text) and _cells(text[: end + 1]) <= width:
        end += 1
    return text[:end]
