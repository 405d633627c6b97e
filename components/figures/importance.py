"""Which variables move risk most across a cohort, on average and in either direction."""

from __future__ import annotations

import plotly.graph_objects as go

from bedside.explain import Global
from bedside.report.say import duration, patients
from components.figures.labels import label_lines, room_for, row_height, wrapped
from components.figures.palette import Mode, palette, plain, template, text_width

FONT_SIZE = 12
NARROWEST = 340  # px: values beside the bars fit down to a telephone's width


def importance_figure(explained: Global, *, mode: Mode = "light", most: int = 12) -> go.Figure:
    """Mean absolute contribution of each variable in percentage points, largest on top.

    Parameters
    ----------
    explained : Global
        Contributions of many patients.
    mode : {"light", "dark"}
    most : int
        Variables drawn.
    """
    p = palette(mode)
    shown = explained.labels[:most]
    points = [100 * float(v) for v in explained.mean_abs[:most]]
    labels = [label_lines(label) for label in shown]
    margin = room_for(labels, size=FONT_SIZE) + 14
    said = [f"{v:.1f}" for v in points]
    beyond = text_width(said, size=FONT_SIZE) + 12
    fig = go.Figure(layout={"template": template(mode)})
    fig.add_bar(
        orientation="h", x=points, y=list(range(len(shown))), width=0.62, text=said, textposition="outside",
        cliponaxis=False, textfont={"size": FONT_SIZE, "color": p.ink},
        marker={"color": p.accent, "cornerradius": 3, "line": {"width": 0}},
        customdata=[plain(label) for label in shown],
        hovertemplate="%{customdata}: %{x:.2f} points on average<extra></extra>",
    )  # fmt: skip
    room = max(NARROWEST - margin, 2 * beyond)
    top = max([*points, 0.1])
    fig.update_layout(height=row_height(labels) * len(shown) + 14, margin={"l": margin, "r": 8, "t": 6, "b": 8})
    fig.update_xaxes(visible=False, range=[0, top * (1 + beyond / (room - beyond))], fixedrange=True)
    fig.update_yaxes(
        range=[len(shown) - 0.5, -0.5], tickvals=list(range(len(shown))),
        ticktext=[wrapped(lines) for lines in labels], ticks="", showgrid=False,
        tickfont={"size": FONT_SIZE, "color": p.ink}, automargin=False, fixedrange=True,
        ticklabelstandoff=6,
    )  # fmt: skip
    return fig


def importance_alt(explained: Global, *, most: int = 12) -> str:
    """The bars in words, for a screen reader and for the report."""
    told = "; ".join(
        f"{label} {100 * v:.1f}" for label, v in list(zip(explained.labels, explained.mean_abs, strict=True))[:most]
    )
    return (
        f"Mean absolute contribution to the risk within {duration(explained.t, explained.unit)} over "
        f"{patients(explained.n_patients)}, in percentage points: {told}."
    )


def importance_rows(explained: Global) -> tuple[list[str], list[list]]:
    """Every variable: header and rows for a file."""
    rows = [[label, 100 * float(v)] for label, v in zip(explained.labels, explained.mean_abs, strict=True)]
    return ["variable", "mean absolute contribution (percentage points)"], rows
