"""Colours, type and the Plotly template that every figure shares.

Every colour is named for what it means. Pairs that carry text meet WCAG AA
(4.5:1) on their ground, marks that carry meaning meet 3:1; `tests/figures`
recomputes both.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from components.text import cell

Mode = Literal["light", "dark"]
FONT = "Inter, system-ui, sans-serif"


@dataclass(frozen=True)
class Palette:
    """The colours of one appearance, as #RRGGBB."""

    ink: str
    muted: str
    paper: str
    card: str
    line: str
    grid: str
    accent: str
    event: str
    event_free: str
    up: str
    down: str
    neutral: str
    caution: str
    groups: tuple[str, ...]


# Okabe & Ito's colour-blind-safe hues, darkened (light ground) or lightened (dark ground) until a 2 px
# line reaches 3:1 against the card; the order keeps neighbours apart for every common colour deficiency.
LIGHT = Palette(
    ink="#17212B", muted="#55626E", paper="#FBFAF7", card="#FFFFFF", line="#E4E2DC", grid="#ECEAE4",
    accent="#0B5F73", event="#AF536E", event_free="#BFD8D2", up="#AF536E", down="#2F7F73", neutral="#7B8790",
    caution="#8F5A00",
    groups=("#0072B2", "#C24E00", "#00805C", "#A9518A", "#8A6D00", "#2A86B8", "#4A4A4A", "#7A4FB5"),
)  # fmt: skip
DARK = Palette(
    ink="#E8EDF1", muted="#A3AFB9", paper="#11171D", card="#182028", line="#2C3741", grid="#26303A",
    accent="#6CC5D6", event="#DE8BA1", event_free="#2F5A50", up="#DE8BA1", down="#6FC7B8", neutral="#8E9AA4",
    caution="#E2A94B",
    groups=("#56B4E9", "#F0883A", "#2BC19A", "#DB93BF", "#E3CF45", "#8AC6EC", "#C9CED3", "#B79CEB"),
)  # fmt: skip
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px,2px,1px,2px", "10px,3px")


def palette(mode: Mode = "light") -> Palette:
    """The colours for light or dark ground."""
    return DARK if mode == "dark" else LIGHT


def shades(n: int, mode: Mode = "light") -> tuple[str, ...]:
    """Colours for n groups; beyond eight they repeat, and `dashes` tells the repeats apart."""
    colours = palette(mode).groups
    return tuple(colours[i % len(colours)] for i in range(n))


def dashes(n: int) -> tuple[str, ...]:
    """Line styles for n groups: colour is never the only sign."""
    return tuple(DASHES[(i + i // len(DASHES)) % len(DASHES)] for i in range(n))


def rgba(colour: str, alpha: float) -> str:
    """A #RRGGBB colour with an opacity from 0 to 1."""
    r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({r},{g},{b},{alpha:g})"


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two #RRGGBB colours, 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def plain(text: object, *, limit: int | None = None) -> str:
    """Text from data as Plotly shows it: literal, on one line, at most `limit` characters.

    Plotly reads a small HTML dialect in every text and `%{...}` in templates, and
    treats `$...$` as mathematics.
    """
    line = " ".join(cell(text).split())
    if limit is not None and len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return html.escape(line, quote=False).replace("%{", "%\u200b{").replace("$", "&#36;")


def text_width(lines: Sequence[str], *, size: float = 12) -> float:
    """Roughly how many pixels the longest of some lines needs in Inter at a font size in px."""
    return max((math.ceil(len(line) * size * 0.54) for line in lines), default=0)


def template(mode: Mode = "light") -> go.layout.Template:
    """The house template: transparent ground, light grid, quiet axes, Inter."""
    p = palette(mode)
    axis = {
        "gridcolor": p.grid, "linecolor": p.line, "zeroline": False, "ticks": "outside", "ticklen": 4,
        "tickcolor": p.line, "tickfont": {"color": p.muted, "size": 12},
        "title": {"font": {"color": p.muted, "size": 12}, "standoff": 8}, "automargin": True,
    }  # fmt: skip
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "color": p.ink, "size": 13},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": list(p.groups),
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": p.card,
                "bordercolor": p.line,
                "font": {"family": FONT, "color": p.ink, "size": 12},
            },
            "showlegend": False,
            "dragmode": False,
        }
    )
