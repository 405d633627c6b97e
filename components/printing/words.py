"""Text on paper: from Plotly's small dialect of HTML to what Matplotlib draws, letter for letter."""

from __future__ import annotations

import html
import re
import textwrap
from functools import cache
from typing import NamedTuple

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

FONT = "DejaVu Sans"
"""Comes with Matplotlib, so that a machine without fonts prints the same."""

PIXEL = 0.75
"""Points in a CSS pixel."""

WIDTH = {"normal": 0.58, "bold": 0.66}
"""Mean width of a letter in parts of the font size."""

TAG = re.compile(r"<[^>]*>")
COLOUR = re.compile(r"color:\s*(#[0-9A-Fa-f]{6})")


class Words(NamedTuple):
    """A text as it is drawn."""

    text: str
    bold: bool
    colour: str | None


def words(text: object) -> Words:
    """Read a text of a figure: what is bold, what has a colour, and the letters."""
    raw = str(text)
    colour = COLOUR.search(raw)
    lines = re.sub(r"<br\s*/?>", "\n", raw)
    letters = html.unescape(TAG.sub("", lines)).replace("\u200b", "").replace("\u2060", "")
    return Words(drawable(letters), raw.lstrip().startswith("<b>"), colour[1] if colour else None)


def drawable(text: str) -> str:
    """The text with a mark in the place of each letter that the font does not have."""
    known = _letters()
    return "".join(c if c == "\n" or ord(c) in known else "\ufffd" for c in text)


@cache
def _letters() -> frozenset[int]:
    return frozenset(FT2Font(font_manager.findfont(FONT)).get_charmap())


def wrap(text: str, *, width: float, size: float, bold: bool = False) -> list[str]:
    """Lines of a paragraph that fit a width in px at a font size in px."""
    most = max(8, int(width / (size * WIDTH["bold" if bold else "normal"])))
    return [line for part in drawable(text).splitlines() for line in textwrap.wrap(part, most) or [""]]


def pixels(text: str, size: float) -> float:
    """Roughly how wide a text is."""
    return max((len(line) for line in text.split("\n")), default=0) * size * WIDTH["normal"]
