"""Is a model worth using? Net benefit by threshold of risk, against treating everybody and nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from bedside.validation import DecisionCurve
from components.figures.palette import Mode, palette, template

NAMES = ("Treat by the model", "Treat everybody", "Treat nobody")


def decision_figure(
    found: DecisionCurve, *, threshold: float | None, shown: tuple[float, float], colour: str, mode: Mode = "light",
    height: int = 400,
) -> go.Figure:  # fmt: skip
    """Net benefit per 1,000 patients.

    Parameters
    ----------
    found : DecisionCurve
    threshold : float or None
        Marked by a line.
    shown : (float, float)
        Thresholds from which to which the axis goes.
    colour : str
        Of the model.
    mode : {"light", "dark"}
    height : int
        Pixels.
    """
    p = palette(mode)
    here = (found.thresholds >= shown[0] - 1e-9) & (found.thresholds <= shown[1] + 1e-9)
    x = found.thresholds[here]
    lines = [
        (1000 * found.everybody[here], p.muted, "dash", NAMES[1]),
        (1000 * found.nobody[here], p.neutral, "dot", NAMES[2]),
        (1000 * found.model[here], colour, "solid", NAMES[0]),
    ]
    top = max(float(np.max(lines[2][0], initial=1.0)), float(np.max(lines[0][0], initial=1.0)))
    low = -0.2 * top
    data: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "lines", "x": x, "y": np.where(y >= low, y, np.nan), "name": name,
            "line": {"color": shade, "width": 2.25 if dash == "solid" else 1.5, "dash": dash},
            "hovertemplate": f"<b>{name}</b><br>threshold %{{x:.0%}}: %{{y:.0f}} per 1,000<extra></extra>",
        }
        for y, shade, dash, name in lines
    ]  # fmt: skip
    return go.Figure(
        data=data,
        layout={
            "template": template(mode), "height": height, "margin": {"l": 52, "r": 14, "t": 50, "b": 44},
            "hovermode": "closest",
            "xaxis": {"range": list(shown), "tickformat": ".0%", "fixedrange": True,
                      "title": {"text": "Threshold: risk from which on one would treat"}},
            "yaxis": {"range": [low, 1.08 * top], "fixedrange": True},
            "shapes": [{"type": "line", "x0": at, "x1": at, "y0": low, "y1": 1.08 * top, "layer": "below",
                        "line": {"color": p.line, "width": 2}} for at in [threshold] if at is not None],
            "annotations": [_above("Net benefit per 1,000 patients", p.muted, 26), *_legend(lines)],
        },
    )  # fmt: skip


def decision_alt(found: DecisionCurve, threshold: float | None) -> str:
    """Net benefit at a few thresholds in words."""
    asked = sorted({0.05, 0.1, 0.2, 0.3, 0.5, *(round(at, 2) for at in [threshold] if at is not None)})
    told = []
    for at in asked:
        i = int(np.argmin(np.abs(found.thresholds - at)))
        model, everybody = 1000 * found.model[i], 1000 * found.everybody[i]
        told.append(f"at {at:.0%}: by the model {model:.0f}, everybody {everybody:.0f}, nobody 0")
    return f"Net benefit per 1,000 patients, by threshold of risk. {'; '.join(told)}."


def decision_rows(found: DecisionCurve) -> tuple[list[str], list[list[object]]]:
    """Each threshold: header and rows for a file."""
    header = ["threshold", "net benefit of the model", "of treating everybody", "of treating nobody",
              "true positives", "false positives", "patients at or above"]  # fmt: skip
    columns = (found.thresholds, found.model, found.everybody, found.nobody, found.true_positive,
               found.false_positive, found.n_above)  # fmt: skip
    return header, [[*map(float, row[:-1]), int(row[-1])] for row in zip(*columns, strict=True)]


def _above(text: str, colour: str, shift: int) -> dict[str, Any]:
    return {
        "text": text, "x": 0, "xref": "paper", "xanchor": "left", "xshift": -40, "y": 1, "yref": "paper",
        "yanchor": "bottom", "yshift": shift, "showarrow": False, "font": {"size": 12, "color": colour},
    }  # fmt: skip


def _legend(lines: list[tuple[np.ndarray, str, str, str]]) -> list[dict[str, Any]]:
    """Names in the colours of their lines, in a row above the plot."""
    signs = {"solid": "━", "dash": "╍", "dot": "┄"}
    places = {NAMES[0]: 0.0, NAMES[1]: 0.4, NAMES[2]: 0.74}
    return [
        {"text": f"{signs[dash]} {name}", "x": places[name], "xref": "paper", "xanchor": "left", "y": 1,
         "yref": "paper", "yanchor": "bottom", "yshift": 6, "showarrow": False, "font": {"size": 12, "color": shade}}
        for _, shade, dash, name in lines
    ]  # fmt: skip
