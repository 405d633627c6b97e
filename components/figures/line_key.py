"""What each line of a figure is: a piece of it before its words, above the plot, on screen and on paper alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.figures.palette import Palette, plain

ROW = 19
PIECE = 0.055


@dataclass(frozen=True)
class LineKey:
    """The key of a figure.

    Parameters
    ----------
    lines : tuple of (words, colour, dash)
        The colour is a name of the palette's.
    size : int
        Of the type, in px.
    """

    lines: Sequence[tuple[str, str, str]]
    size: int = 12

    @property
    def row(self) -> int:
        """Height of a line, in px."""
        return ROW + max(self.size - 12, 0)

    @property
    def height(self) -> int:
        """Room above the plot, in px."""
        return self.row * len(self.lines) + 12

    def _above(self, i: int) -> float:
        return self.height - self.row / 2 - i * self.row

    def words(self, p: Palette) -> list[dict[str, Any]]:
        """Annotations."""
        look = {
            "xref": "paper", "yref": "paper", "x": PIECE, "y": 1, "xanchor": "left", "yanchor": "middle", "xshift": 8,
            "showarrow": False, "align": "left", "font": {"size": self.size, "color": p.ink},
        }  # fmt: skip
        return [{**look, "text": plain(text), "yshift": self._above(i)} for i, (text, _, _) in enumerate(self.lines)]

    def pieces(self, p: Palette, plot: float) -> list[dict[str, Any]]:
        """Shapes, for a plot of that height in px."""
        look = {"type": "line", "xref": "paper", "yref": "paper", "x0": 0, "x1": PIECE}
        return [
            {**look, "y0": 1 + self._above(i) / plot, "y1": 1 + self._above(i) / plot,
             "line": {"color": getattr(p, colour), "width": 2.25, "dash": dash}}
            for i, (_, colour, dash) in enumerate(self.lines)
        ]  # fmt: skip
