"""Coefficients of a penalised model while its penalty weakens: what comes in first, and where it stopped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from components.figures.palette import Mode, palette, plain, template

if TYPE_CHECKING:
    from bedside.risk.penalised_path import Path

NAMED = 6
LONGEST = 22
MOST_LINES = 60
HEIGHT = 320


def order_of(path: Path, scale: np.ndarray | None = None) -> np.ndarray:
    """Columns of the path that are ever kept, the largest at the penalty in use first."""
    coef = np.abs(path.coef if scale is None else path.coef * scale)
    size, last = coef[chosen_row(path)], coef.max(axis=0)
    return np.array([j for j in np.lexsort((-last, -size)) if last[j] > 0], dtype=int)


def chosen_row(path: Path) -> int:
    """Which step of the path is in use."""
    if path.chosen is None:
        return len(path.lambdas) - 1
    return int(np.argmin(np.abs(np.log(path.lambdas / path.chosen))))


def path_figure(path: Path, *, scale: np.ndarray | None = None, mode: Mode = "light") -> go.Figure:
    """A line for each column; the largest have their names, the penalty in use a vertical line.

    Parameters
    ----------
    path : Path
    scale : array, shape (p,), optional
        Standard deviation of each column, so that lines compare.
    mode : {"light", "dark"}
    """
    p = palette(mode)
    coef = path.coef if scale is None else path.coef * scale
    x = -np.log10(path.lambdas)
    shown = order_of(path, scale)[:MOST_LINES]
    named = shown[:NAMED]
    lines: list[dict[str, Any]] = []
    for j in shown[::-1]:
        own = j in named
        lines.append({
            "type": "scatter", "mode": "lines", "x": x, "y": coef[:, j],
            "line": {"color": p.accent if own else p.neutral, "width": 1.8 if own else 1},
            "hovertemplate": f"{plain(_name(path, int(j)))}: %{{y:.2f}}<extra></extra>",
        })  # fmt: skip
    top, bottom = float(coef[:, shown].max(initial=0.1)), float(coef[:, shown].min(initial=-0.1))
    room = 0.06 * (top - bottom)
    notes = [_at_use(path, x, top + room, p.muted), *_names(path, coef, named, (bottom, top), p.ink)]
    use = float(x[chosen_row(path)])
    rule = {"type": "line", "xref": "x", "yref": "paper", "x0": use, "x1": use, "y0": 0, "y1": 1, "layer": "below",
            "line": {"color": p.caution, "width": 1.4, "dash": "dot"}}  # fmt: skip
    zero = {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "layer": "below",
            "line": {"color": p.neutral, "width": 1}}  # fmt: skip
    layout = {
        "template": template(mode), "height": HEIGHT, "showlegend": False, "annotations": notes,
        "shapes": [rule, zero], "margin": {"l": 52, "r": 150, "t": 22, "b": 44},
        "xaxis": {"title": {"text": "strong penalty  →  weak penalty"}, "fixedrange": True, "showticklabels": False,
                  "range": [float(x.min()), float(x.max())]},
        "yaxis": {"title": {"text": "log hazard ratio" + ("" if scale is None else " per SD")}, "fixedrange": True,
                  "range": [bottom - room, top + 2 * room]},
    }  # fmt: skip
    return go.Figure(data=lines, layout=layout)


def _name(path: Path, j: int) -> str:
    return path.names[j] if j < len(path.names) else f"column {j + 1}"


def _at_use(path: Path, x: np.ndarray, y: float, colour: str) -> dict[str, Any]:
    row = chosen_row(path)
    left = x[row] > (x.min() + x.max()) / 2
    return {
        "x": float(x[row]), "y": y, "text": f"in use: {int(path.kept[row])} coefficients", "showarrow": False,
        "xanchor": "right" if left else "left", "yanchor": "bottom", "font": {"size": 11, "color": colour},
    }  # fmt: skip


def _names(
    path: Path, coef: np.ndarray, named: Sequence[int], ends: tuple[float, float], colour: str
) -> list[dict[str, Any]]:
    """Names at the right end of their lines, moved apart where they would lie over one another."""
    gap = (ends[1] - ends[0]) / 17
    placed: list[dict[str, Any]] = []
    above = math.inf
    for j in sorted(named, key=lambda j: -coef[-1, j]):
        y = min(float(coef[-1, j]), above - gap)
        above = y
        placed.append({
            "x": 1.01, "xref": "paper", "y": y, "text": plain(_name(path, int(j)), limit=LONGEST), "showarrow": False,
            "xanchor": "left", "yanchor": "middle", "font": {"size": 11, "color": colour},
        })  # fmt: skip
    return placed


def path_alt(path: Path) -> str:
    """What is kept at the penalty in use, largest first."""
    row = chosen_row(path)
    order = order_of(path)
    kept = [int(j) for j in order if path.coef[row, j]]
    told = "; ".join(f"{_name(path, j)} {path.coef[row, j]:+.2f}" for j in kept[:12])
    more = f"; and {len(kept) - 12} more" if len(kept) > 12 else ""
    return (
        f"Coefficients while the penalty weakens. Of {path.coef.shape[1]} columns {len(kept)} are kept at the penalty "
        f"in use, as log hazard ratios: {told}{more}."
    )


def path_rows(path: Path) -> tuple[list[str], list[list[float]]]:
    """The path: header and rows for a file."""
    header = ["lambda", "kept", "share of deviance explained", *(_name(path, j) for j in range(path.coef.shape[1]))]
    return header, [
        [float(a), int(k), float(r), *map(float, c)]
        for a, k, r, c in zip(path.lambdas, path.kept, path.dev_ratio, path.coef, strict=True)
    ]
