"""One sheet of paper, measured in px from its upper left corner: text that fits, rules, boxes, icons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import plotly.graph_objects as go
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.transforms import Affine2D, Transform

from bedside.report.patient_sheet import BETWEEN, MORE, Said
from components.printing.booklet import INK, LINE, MUTED
from components.printing.paper import Box, blank, height_of, place
from components.printing.words import FONT, PIXEL, drawable, pixels, words, wrap

Paper = Literal["A4", "Letter"]
SIZES: dict[Paper, tuple[float, float]] = {"A4": (210 / 25.4 * 96, 297 / 25.4 * 96), "Letter": (8.5 * 96, 11 * 96)}
"""In CSS px."""

LEADING = 1.38
NARROW = 0.2
"""Every letter is wider than this part of the font size."""
ELLIPSIS = "…"
BESIDE = 14
"""Px between a name and its axis."""
LETTERS = 12
"""Size in px of a figure's letters that does not say so."""


def fit(text: Said | str, *, width: float, size: float, most: int, bold: bool = False) -> list[str]:
    """A paragraph in at most so many lines; three dots stand for what there is no room for."""
    said = text if isinstance(text, Said) else Said(text)
    # What is far too long is not measured letter by letter.
    said = said._replace(start=said.start[: most * int(width / (NARROW * size)) + 1])

    def set_(start: str, end: str) -> list[str]:
        return wrap(f"{start}{end}", width=width, size=size, bold=bold)

    lines = set_(said.start, said.end)
    if len(lines) <= most:
        return lines
    if most >= len(set_(ELLIPSIS, said.end)):
        return set_(_longest(said.start, lambda part: len(set_(part, said.end)) <= most), said.end)
    return set_(_longest(said.text, lambda part: len(set_(part, "")) <= most), "")[:most]


def _longest(text: str, fits: Callable[[str], bool]) -> str:
    """As much of a text as fits, with three dots."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(_cut(text, middle)):
            low = middle
        else:
            high = middle - 1
    return _cut(text, low)


def _cut(text: str, length: int) -> str:
    return text[:length].rstrip(" ,;:(") + ELLIPSIS


def shrunk(text: str, *, width: float, size: float, bold: bool = False) -> float:
    """The size at which a text fits in one line, no larger than `size`."""
    return min(size, size * width / max(pixels(text, size, bold=bold), 1.0))


def smaller(fig: go.Figure, share: float, *, rows: float | None = None) -> go.Figure:
    """The same figure with all its letters, margins and rows at a share of their size, as wide as its names need.

    Rows may have a share of their own, for letters that stay legible in little room.
    """
    told = go.Figure(fig)
    margin = {side: share * (told.layout.margin[side] or 0) for side in "lrtb"}
    size = share * (told.layout.yaxis.tickfont.size or LETTERS)
    named = [words(text) for text in told.layout.yaxis.ticktext or ()]
    needed = [pixels(name.text, size, bold=name.bold) + BESIDE for name in named]
    told.update_layout(height=(rows or share) * height_of(fig), margin={**margin, "l": max([margin["l"], *needed])})
    for each in (*told.select_xaxes(), *told.select_yaxes()):
        each.tickfont.size = share * (each.tickfont.size or LETTERS)
    for trace in told.select_traces(lambda trace: trace.type == "bar"):
        trace.textfont.size = share * (trace.textfont.size or LETTERS)
    for note in told.layout.annotations:
        note.font.size = share * (note.font.size or LETTERS)
    return told


def fit_list(
    items: Sequence[Said | str], *, width: float, size: float, most: int, each: int = 3, least: int = 2
) -> list[list[str]]:
    """As many items as there are lines for; a last line says how many are left out.

    Parameters
    ----------
    items
    width, size : float
    most : int
        Lines of all.
    each, least : int
        Lines that one may have, and to which all are shortened before any is left out.
    """
    kept = fit_some(items, width=width, size=size, most=most, each=each, least=least)
    if len(kept) == len(items) or most <= 0:
        return kept
    kept = fit_some(items, width=width, size=size, most=most - 1, each=each, least=least)
    return [*kept, [MORE.format(n=len(items) - len(kept))]]


def fit_some(
    items: Sequence[Said | str], *, width: float, size: float, most: int, each: int, least: int
) -> list[list[str]]:
    """The same without a word about those that are left out."""
    kept: list[list[str]] = []
    for cap in range(each, least - 1, -1):
        kept, used = [], 0
        for item in items:
            lines = fit(item, width=width, size=size, most=cap)
            used += len(lines)
            if used > most:
                break
            kept.append(lines)
        if len(kept) == len(items):
            return kept
    if not kept and items and most > 0:
        kept = [fit(items[0], width=width, size=size, most=most)]
    return kept


def joined(items: Sequence[str], *, width: float, size: float, most: int) -> list[str]:
    """Items in one paragraph of at most so many lines; those that do not fit are counted."""

    def laid(n: int) -> list[str]:
        more = () if n == len(items) else (MORE.format(n=len(items) - n),)
        return wrap(BETWEEN.join((*items[:n], *more)), width=width, size=size)

    found: list[str] = []
    for n in range(1, len(items) + 1):
        lines = laid(n)
        if len(lines) <= most:
            found = lines
        elif len(wrap(BETWEEN.join(items[:n]), width=width, size=size)) > most:
            break
    return found or (fit(items[0], width=width, size=size, most=most) if items else [])


@dataclass
class Page:
    """A sheet being drawn; what is drawn later is read later, also by a machine."""

    paper: Paper = "A4"
    sheet: Figure = field(init=False)
    layer: int = 0

    def __post_init__(self) -> None:
        self.width, self.height = SIZES[self.paper]
        self.sheet = blank(self.width, self.height)

    @property
    def px(self) -> Transform:
        """From px to the sheet."""
        return Affine2D().scale(1 / self.width, -1 / self.height).translate(0, 1) + self.sheet.transFigure

    def _add(self, artist: Artist, *, above: float = 0.0) -> None:
        self.layer += 10
        artist.set_zorder(self.layer + above)
        self.sheet.add_artist(artist)

    def write(
        self, text: str, x: float, y: float, *, size: float, colour: str = INK, bold: bool = False, right: bool = False
    ) -> None:
        """One line, its top at `y`; `right` sets it flush right at `x`."""
        self.layer += 10
        self.sheet.text(
            x, y, drawable(text), transform=self.px, fontsize=size * PIXEL, color=colour, fontfamily=FONT, va="top",
            fontweight="bold" if bold else "normal", ha="right" if right else "left", parse_math=False,
            zorder=self.layer,
        )  # fmt: skip

    def lines(
        self, lines: Sequence[str], x: float, y: float, *, size: float, colour: str = INK, bold: bool = False,
        leading: float = LEADING,
    ) -> float:  # fmt: skip
        """Lines below one another; where the next would begin."""
        for line in lines:
            self.write(line, x, y, size=size, colour=colour, bold=bold)
            y += size * leading
        return y

    def rule(self, x: float, y: float, width: float, *, colour: str = LINE, thick: float = 0.8) -> None:
        """A line across."""
        self._add(Line2D((x, x + width), (y, y), transform=self.px, color=colour, linewidth=thick))

    def frame(self, x: float, y: float, width: float, height: float, *, colour: str = MUTED) -> None:
        """An empty box to write in."""
        look = {"facecolor": "none", "edgecolor": colour, "linewidth": 1.0}
        self._add(Rectangle((x, y), width, height, transform=self.px, **look))

    def numbered(
        self, laid: Sequence[Sequence[str]], x: float, y: float, *, signs: Sequence[str], size: float, inset: float
    ) -> float:
        """Items below one another, each behind its sign; a line more than there are signs has none."""
        for k, lines in enumerate(laid):
            if k < len(signs):
                self.write(signs[k], x, y, size=size)
            y = self.lines(lines, x + inset, y, size=size)
        return y

    def figure(self, fig: go.Figure, box: Box) -> None:
        """A figure of the screen, in its own place in the order of reading."""
        before = set(map(id, self.sheet.get_children()))
        place(fig, self.sheet, box)
        self.layer += 20
        for artist in self.sheet.get_children():
            if id(artist) not in before:
                artist.set_zorder(artist.get_zorder() + self.layer)

    def icon(self, key: str, x: float, y: float, width: float, height: float, colour: str) -> None:
        """One of a hundred: filled, hatched or an outline, so that it can be told without colour."""
        look = {
            "facecolor": colour if key == "event" else "white",
            "edgecolor": colour if key == "event" else INK if key == "other" else MUTED,
            "linewidth": 0.75 if key == "free" else 0.6, "transform": self.px,
        }  # fmt: skip
        corner = min(2.2, width / 4)
        shape = FancyBboxPatch((x, y), width, height, boxstyle=f"round,pad=0,rounding_size={corner}", **look)
        self._add(shape)
        if key == "other":
            self._hatch(x, y, width, height)

    def _hatch(self, x: float, y: float, width: float, height: float) -> None:
        """Slanting lines within a rectangle, drawn one by one: no viewer reads patterns the same."""
        step, xs, ys = 3.4, [], []
        at = step
        while at < width + height - 1:
            (x0, y0), (x1, y1) = (max(0.0, at - height), min(at, height)), (min(at, width), max(0.0, at - width))
            xs += [x + x0, x + x1, None]
            ys += [y + y0, y + y1, None]
            at += step
        gaps = [float("nan") if v is None else v for v in xs], [float("nan") if v is None else v for v in ys]
        self._add(Line2D(*gaps, transform=self.px, color=INK, linewidth=0.7))
