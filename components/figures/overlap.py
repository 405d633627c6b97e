"""Whether the groups could have been exchanged: how likely each patient was to be in one of them, mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from components.figures.labels import label_lines, wrapped
from components.figures.palette import Mode, palette, plain, rgba, template
from components.figures.steps import short

TITLE = 52
"""Latin characters of the axis' title that stand on a line where the figure is at its narrowest."""
ROOM = 1.4
"""Height of a half, over that of its tallest bar: the group's name stands above it."""


def overlap_figure(
    edges: np.ndarray, up: np.ndarray, down: np.ndarray, *, names: tuple[str, str], colours: tuple[str, str],
    mode: Mode = "light", x_title: str = "",
) -> go.Figure:  # fmt: skip
    """Patients of one group above the line, those of another below it, by their chance of the first.

    Parameters
    ----------
    edges : array, shape (n_bars + 1,)
        From 0 to 1.
    up, down : int arrays, shape (n_bars,)
        Patients.
    names, colours : (str, str)
        Of the group above and of the one below.
    mode : {"light", "dark"}
    x_title : str
    """
    p = palette(mode)
    middle, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0]) * 0.92
    most = max(int(up.max(initial=0)), int(down.max(initial=0)), 1)
    step = _step(most / 2)
    ticks = [k * step for k in range(-(most // step) - 1, most // step + 2)]
    bars = [
        {
            "type": "bar", "x": middle, "y": sign * counts, "width": width, "marker": {"color": rgba(colour, 0.75)},
            "customdata": counts, "name": plain(short(name)),
            "hovertemplate": f"<b>{plain(name, limit=60)}</b><br>chance about %{{x:.0%}}: %{{customdata}} patients"
            "<extra></extra>",
        }
        for sign, counts, name, colour in zip((1, -1), (up, down), names, colours, strict=True)
    ]  # fmt: skip
    title = label_lines(x_title, width=TITLE)
    note = {"showarrow": False, "x": 1, "xref": "paper", "xanchor": "right", "yref": "paper"}
    # Checking every property takes longer than the rest; the tests check them.
    return go.Figure(
        _validate=False,
        data=bars,
        layout={
            "template": template(mode), "height": 248 + 16 * len(title), "barmode": "overlay", "hovermode": "closest",
            "margin": {"l": 46, "r": 18, "t": 26, "b": 34 + 16 * len(title)},
            "xaxis": {
                "range": [0, 1], "tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1], "fixedrange": True,
                "automargin": False, "title": {"text": wrapped(title)},
            },
            "yaxis": {
                "range": [-most * ROOM, most * ROOM], "tickvals": ticks, "ticktext": [f"{abs(t):,}" for t in ticks],
                "fixedrange": True, "automargin": False, "ticks": "",
            },
            "shapes": [{"type": "line", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "line": {"color": p.muted, "width": 1}}],
            "annotations": [
                {**note, "text": plain(short(names[0], 40)), "y": 1, "yanchor": "top",
                 "font": {"size": 12, "color": colours[0]}},
                {**note, "text": plain(short(names[1], 40)), "y": 0, "yanchor": "bottom",
                 "font": {"size": 12, "color": colours[1]}},
                {**note, "text": "patients", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "xshift": -34,
                 "yshift": 5, "font": {"size": 12, "color": p.muted}},
            ],
        },
    )  # fmt: skip


def overlap_alt(edges: np.ndarray, up: np.ndarray, down: np.ndarray, names: tuple[str, str]) -> str:
    """Where the two groups lie, in words."""
    told = [
        f"{name} from {_low(edges, counts)} to {_high(edges, counts)}"
        for name, counts in zip(names, (up, down), strict=True)
    ]
    return f"Mirrored histogram of the chance of {names[0]}: {'; '.join(told)}."


def overlap_rows(
    edges: np.ndarray, counts: Sequence[np.ndarray], labels: Sequence[str]
) -> tuple[list[str], list[list[object]]]:
    """Patients of each group in each interval of the chance."""
    rows = [
        [float(low), float(high), *(int(each[i]) for each in counts)] for i, (low, high) in enumerate(pairwise(edges))
    ]
    return ["Chance from", "to", *labels], rows


def _low(edges: np.ndarray, counts: np.ndarray) -> str:
    return f"{edges[int(np.flatnonzero(counts)[0])]:.0%}" if counts.any() else "nowhere"


def _high(edges: np.ndarray, counts: np.ndarray) -> str:
    return f"{edges[int(np.flatnonzero(counts)[-1]) + 1]:.0%}" if counts.any() else "nowhere"


def _step(target: float) -> int:
    """The next 1, 2 or 5 times a power of ten, at least 1."""
    power = 10 ** int(np.floor(np.log10(max(target, 1))))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= target)
