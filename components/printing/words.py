"""Text on paper: from Plotly's small dialect of HTML to what Matplotlib draws, letter for letter."""

from __future__ import annotations

import html
import re
from functools import cache, lru_cache
from typing import NamedTuple

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font, LoadFlags

from components.text import cell

FONT = "DejaVu Sans"
"""Comes with Matplotlib, so that a machine without fonts prints the same."""

PIXEL = 0.75
"""Points in a CSS pixel."""

EM = 100
"""Size at which letters are measured."""

BLANKS = re.compile(r"[ \t]+")
"""Where a line may be broken; not at a no-break space."""

TAG = re.compile(r"<[^>]*>")
COLOUR = re.compile(r'\s*(?:<b>)?\s*<span style="color:\s*(#[0-9A-Fa-f]{6})')
LEAD = re.compile(r'<span style="color:\s*(#[0-9A-Fa-f]{6})">([^<]*)</span>(?=[^<]*[^<\s])')


class Words(NamedTuple):
    """A text as it is drawn; of a text that begins in a colour of its own, `lead` is that part and `colour` None."""

    text: str
    bold: bool
    colour: str | None
    lead: tuple[str, str] | None = None


def words(text: object) -> Words:
    """Read a text of a figure: what is bold, what has a colour, and the letters."""
    raw = str(text)
    bold, first = raw.lstrip().startswith("<b>"), LEAD.match(raw)
    if first is not None:
        return Words(_letters_of(raw), bold, None, (_letters_of(first[2]), first[1]))
    colour = COLOUR.match(raw)
    return Words(_letters_of(raw), bold, colour[1] if colour else None)


def _letters_of(raw: str) -> str:
    lines = re.sub(r"<br\s*/?>", "\n", raw)
    return drawable(html.unescape(TAG.sub("", lines)).replace("\u200b", "").replace("\u2060", ""))


def drawable(text: str) -> str:
    """The text with a mark in the place of each letter that the font lacks, or that hides or reorders others."""
    known = _letters()
    shown = "\n".join(map(cell, text.splitlines()))
    return "".join(c if c == "\n" or ord(c) in known else "\ufffd" for c in shown)


@cache
def _letters() -> frozenset[int]:
    return frozenset(FT2Font(font_manager.findfont(FONT)).get_charmap())


def wrap(text: str, *, width: float, size: float, bold: bool = False) -> list[str]:
    """Lines of a paragraph that fit a width in px at a font size in px; a word longer than a line is broken."""
    return [line for part in drawable(text).splitlines() for line in _lines(part, width, size, bold)]


def _lines(text: str, width: float, size: float, bold: bool) -> list[str]:
    """One paragraph in lines, filled greedily by the letters' own widths."""
    blank, lines, line, used = pixels(" ", size, bold=bold), [], "", 0.0
    for word in (part for long in BLANKS.split(text.strip()) for part in _pieces(long, width, size, bold)):
        needed = pixels(word, size, bold=bold)
        if line and used + blank + needed > width:
            lines.append(line)
            line, used = word, needed
        else:
            used += needed + (blank if line else 0.0)
            line = f"{line} {word}" if line else word
    return [*lines, line]


def _pieces(word: str, width: float, size: float, bold: bool) -> list[str]:
    if pixels(word, size, bold=bold) <= width:
        return [word]
    pieces, start, used = [], 0, 0.0
    for i, letter in enumerate(word):
        more = pixels(letter, size, bold=bold)
        if i > start and used + more > width:
            pieces.append(word[start:i])
            start, used = i, 0.0
        used += more
    return [*pieces, word[start:]]


def pixels(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is, in px at a font size in px; of several lines, the longest."""
    return size * max((sum(_advance(letter, bold) for letter in line) for line in text.split("\n")), default=0.0)


@cache
def _font(bold: bool) -> FT2Font:
    named = font_manager.FontProperties(family=FONT, weight="bold" if bold else "normal")
    font = FT2Font(font_manager.findfont(named))
    font.set_size(EM, 72)
    return font


@lru_cache(maxsize=4096)
def _advance(letter: str, bold: bool) -> float:
    """Width of a letter in parts of the font size; letters that the font lacks count as the mark in their place."""
    known = letter if ord(letter) in _letters() else "\ufffd"
    return _font(bold).load_char(ord(known), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / EM
