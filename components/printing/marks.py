"""Lines, markers, bars and shapes: each kind of mark that a figure of the house is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from components.printing.words import FONT, PIXEL, words

NO_TICKS = NullLocator()
DASHES: dict[str, Any] = {
    "solid": "-", "dash": (0, (5, 3)), "dot": (0, (1.2, 2)), "dashdot": (0, (5, 2.5, 1.2, 2.5)),
    "longdash": (0, (8, 3)), "longdashdot": (0, (8, 2.5, 1.2, 2.5)),
}  # fmt: skip
SYMBOLS = {
    "circle": "o", "square": "s", "diamond": "D", "triangle-left": "<", "triangle-right": ">", "triangle-up": "^",
    "triangle-down": "v", "x": "x", "cross": "P", "line-ns": "|", "line-ew": "_", "circle-open": "o",
    "square-open": "s", "diamond-open": "D",
}  # fmt: skip
RGBA = re.compile(r"rgba?\(([\d.]+),\s*([\d.]+),\s*([\d.]+)(?:,\s*([\d.]+))?\)")
PLACES = {"left": "right", "right": "left"}


def colour(told: object) -> Any:
    """A colour as Matplotlib takes it."""
    found = RGBA.fullmatch(str(told))
    if found is None:
        return told
    r, g, b, a = found.groups(default="1")
    return (float(r) / 255, float(g) / 255, float(b) / 255, float(a))


def dash(told: object, width: float) -> Any:
    """A line style; lengths in px become parts of the line's width, as Matplotlib counts them."""
    text = str(told or "solid")
    if text in DASHES:
        return DASHES[text]
    return (0, tuple(float(part.strip().removesuffix("px")) / max(width, 0.5) for part in text.split(",")))


def categories(data: Sequence[Mapping[str, Any]], axes: Mapping[str, Any]) -> dict[str, list[str]]:
    """Names along the axes whose values are texts, in the order they come."""
    found: dict[str, list[str]] = {}
    for trace in data:
        for which in "xy":
            values = trace.get(which)
            if values is not None and len(values) and isinstance(np.asarray(values, dtype=object).flat[0], str):
                names = found.setdefault(trace.get(f"{which}axis", which), [])
                names += [str(v) for v in values if str(v) not in names]
    return found


def _values(trace: Mapping[str, Any], which: str, names: Mapping[str, list[str]]) -> np.ndarray:
    values = trace.get(which)
    if values is None:
        return np.array([])
    known = names.get(trace.get(f"{which}axis", which))
    if known is not None:
        return np.array([known.index(str(v)) for v in values], dtype=float)
    return np.array([np.nan if v is None else v for v in values], dtype=float)


def reach(data: Sequence[Mapping[str, Any]], name: str, *, log: bool, zero: bool) -> tuple[float, float]:
    """From where to where an axis goes that does not say so."""
    parts = [_values(t, name[0], {}) for t in data if t.get(f"{name[0]}axis", name[0]) == name]
    values = np.concatenate(parts) if parts else np.array([0.0, 1.0])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not len(values):
        return (0.1, 10.0) if log else (0.0, 1.0)
    low, high = (np.log10(values.min()), np.log10(values.max())) if log else (values.min(), values.max())
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    room = 0.05 * (high - low) or 0.5
    low, high = low - room * (not zero or low < 0), high + room
    return (10.0**low, 10.0**high) if log else (float(low), float(high))


def trace(ax: Axes, told: Mapping[str, Any], data: Sequence[Mapping[str, Any]], names: Mapping[str, list[str]]) -> None:
    """Draw one trace."""
    if told.get("visible") is False:
        return
    x, y = _values(told, "x", names), _values(told, "y", names)
    if not len(x) and len(y):
        x = np.arange(len(y), dtype=float)
    if told.get("type") == "bar":
        _bars(ax, told, x, y)
        return
    mode = told.get("mode", "lines")
    if told.get("fill") not in (None, "none"):
        _fill(ax, told, x, y, data, names)
    if "lines" in mode and told.get("line", {}).get("width", 2) > 0:
        line = told.get("line", {})
        width = line.get("width", 2) * PIXEL
        style = {"hv": "steps-post", "vh": "steps-pre"}.get(line.get("shape", ""), "default")
        ax.plot(
            x, y, color=colour(line.get("color", "black")), linewidth=width, linestyle=dash(line.get("dash"), width),
            drawstyle=style, clip_on=told.get("cliponaxis", True), alpha=told.get("opacity"), solid_capstyle="butt",
        )  # fmt: skip
    _errors(ax, told, x, y)
    if "markers" in mode:
        _markers(ax, told, x, y)
    if "text" in mode:
        _texts(ax, told, x, y)


def _fill(
    ax: Axes, told: Mapping[str, Any], x: np.ndarray, y: np.ndarray, data: Sequence[Mapping[str, Any]],
    names: Mapping[str, list[str]],
) -> None:  # fmt: skip
    shade = colour(told.get("fillcolor", "grey"))
    if told["fill"] == "toself":
        for part in np.split(np.arange(len(x)), np.flatnonzero(np.isnan(x) | np.isnan(y))):
            known = part[~np.isnan(x[part]) & ~np.isnan(y[part])]
            ax.fill(x[known], y[known], facecolor=shade, linewidth=0)
        return
    step = {"hv": "post", "vh": "pre"}.get(told.get("line", {}).get("shape", ""))
    under: Any = 0.0
    if told["fill"] == "tonexty":
        before = data[next(i for i, t in enumerate(data) if t is told) - 1]
        under = np.interp(x, _values(before, "x", names), _values(before, "y", names))
        if len(before.get("x", ())) == len(x):
            under = _values(before, "y", names)
    ax.fill_between(x, under, y, facecolor=shade, linewidth=0, step=step)


def _markers(ax: Axes, told: Mapping[str, Any], x: np.ndarray, y: np.ndarray) -> None:
    marker = told.get("marker", {})
    if marker.get("showscale"):
        _scale(ax.figure, ax, marker)
    symbols = np.broadcast_to(np.asarray(marker.get("symbol", "circle"), dtype=object), x.shape)
    sizes = np.broadcast_to(np.asarray(marker.get("size", 6), dtype=float), x.shape)
    shades = _shades(marker, len(x))
    edge = marker.get("line", {})
    edges = _shades({"color": "none"} | edge, len(x))
    widths = np.broadcast_to(np.asarray(edge.get("width", 0), dtype=float), x.shape) * PIXEL
    known = np.isfinite(x) & np.isfinite(y)
    for symbol in dict.fromkeys(symbols[known].tolist()):
        here = np.flatnonzero(known & (symbols == symbol))
        inside = [shades[i] for i in here]
        if str(symbol).endswith("-open"):
            look: dict[str, Any] = {"facecolors": "none", "edgecolors": inside}
        elif SYMBOLS.get(str(symbol)) in ("|", "_", "x"):
            look = {"c": inside}
        else:
            look = {"c": inside, "edgecolors": [edges[i] for i in here], "linewidths": widths[here]}
        ax.scatter(
            x[here], y[here], s=(sizes[here] * PIXEL) ** 2, marker=SYMBOLS.get(str(symbol), "o"),
            clip_on=told.get("cliponaxis", True), alpha=marker.get("opacity"), zorder=3, **look,
        )  # fmt: skip


def _scale(sheet: Any, ax: Axes, marker: Mapping[str, Any]) -> None:
    """A bar of the marker's colours above the plot's right end, with words at its ends."""
    told, size = marker["colorbar"], sheet.get_size_inches() * sheet.dpi
    box, length, thick = ax.get_position(), told.get("len", 120) / size[0], told.get("thickness", 10) / size[1]
    room = (told.get("ypad", 4) + 16) / size[1]
    bar = sheet.add_axes((box.x1 - length, box.y1 + room, length, thick))
    shares = [{"color": list(np.linspace(0, 1, 64)), "colorscale": marker["colorscale"], "cmin": 0, "cmax": 1}]
    # Bars that overlap a little: a picture would be one more file inside an HTML page, and gaps would show.
    bar.bar(np.arange(64) / 64, 1, width=1.3 / 64, align="edge", color=[_rgb_of(c) for c in _shades(shares[0], 64)])
    bar.set_xlim(0, 1)
    bar.set_ylim(0, 1)
    for spine in bar.spines.values():
        spine.set_visible(False)
    bar.yaxis.set_visible(False)
    font = told.get("tickfont", {})
    bar.set_xticks([float(v) for v in told.get("tickvals", ())], [words(t).text for t in told.get("ticktext", ())])
    bar.tick_params(length=0, pad=1, labelsize=font.get("size", 11) * PIXEL, labelcolor=font.get("color", "black"),
                    labelfontfamily=FONT)  # fmt: skip


def _rgb_of(shade: Any) -> tuple[float, float, float]:
    return tuple(float(v) for v in shade[:3])  # type: ignore[return-value]


def _shades(marker: Mapping[str, Any], n: int) -> list[Any]:
    """A colour for each of n marks; numbers are read on the marker's own scale."""
    told = marker.get("color", "black")
    if isinstance(told, str):
        return [colour(told)] * n
    values = list(told)
    scale = marker.get("colorscale")
    if scale is None or isinstance(values[0] if values else "", str):
        return [colour(str(v)) for v in values]
    low, high = marker.get("cmin", np.nanmin(values)), marker.get("cmax", np.nanmax(values))
    places = np.array([float(stop[0]) for stop in scale])
    stops = np.array([_rgb(stop[1]) for stop in scale])
    shares = np.clip((np.asarray(values, dtype=float) - low) / ((high - low) or 1), 0, 1)
    return [tuple(np.interp(s, places, stops[:, k]) for k in range(3)) for s in shares]


def _rgb(told: str) -> tuple[float, float, float]:
    if told.startswith("#"):
        r, g, b = (int(told[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return r, g, b
    return colour(told)[:3]


def _texts(
    ax: Axes, told: Mapping[str, Any], x: np.ndarray, y: np.ndarray, *, gap: tuple[float, float] = (0, 0)
) -> None:
    font = told.get("textfont", {})
    texts = told.get("text")
    texts = [texts] * len(x) if isinstance(texts, str) else list(texts if texts is not None else ())
    at = str(told.get("textposition", "middle center"))
    for i, text in enumerate(texts):
        if np.isnan(x[i]) or np.isnan(y[i]):
            continue
        said = words(text)
        look = {"fontsize": font.get("size", 12) * PIXEL, "fontfamily": FONT, "parse_math": False}
        ax.annotate(
            said.text, (x[i], y[i]), gap, textcoords="offset points", annotation_clip=False, **look,
            ha=PLACES.get(at.split()[-1], "center"),
            va={"top": "bottom", "bottom": "top"}.get(at.split()[0], "center"),
            color=said.colour or colour(_one(font.get("color", "black"), i)),
        )  # fmt: skip


def _one(told: object, i: int) -> Any:
    return told if isinstance(told, str) else told[i]  # type: ignore[index]


def _errors(ax: Axes, told: Mapping[str, Any], x: np.ndarray, y: np.ndarray) -> None:
    for which, error in (("x", told.get("error_x")), ("y", told.get("error_y"))):
        if error and error.get("array") is not None:
            over = np.asarray(error["array"], dtype=float)
            under = np.asarray(error.get("arrayminus") if error.get("arrayminus") is not None else over, dtype=float)
            look = {"ecolor": colour(error.get("color", "black")), "elinewidth": error.get("thickness", 2) * PIXEL}
            reach_ = {f"{which}err": np.vstack((under, over))}
            ax.errorbar(x, y, fmt="none", capsize=error.get("width", 4) * PIXEL / 2, **reach_, **look)


def _bars(ax: Axes, told: Mapping[str, Any], x: np.ndarray, y: np.ndarray) -> None:
    marker = told.get("marker", {})
    shades = _shades(marker, len(x))
    base = np.broadcast_to(np.asarray(told.get("base", 0), dtype=float), x.shape)
    width = told.get("width")
    thick = 0.8 if width is None else width
    lying = told.get("orientation") == "h"
    if lying:
        ax.barh(y, x, left=base, height=thick, color=shades)
    else:
        ax.bar(x, y, bottom=base, width=thick, color=shades)
    if told.get("text") is not None and len(x):
        ends = {"x": base + x, "y": y} if lying else {"x": x, "y": base + y}
        at = "middle right" if lying else "top center"
        # A few pixels of room between a bar and its number, as on the screen.
        _texts(ax, {**told, "textposition": at}, ends["x"], ends["y"], gap=(3, 0) if lying else (0, 2))


def shape(sheet: Figure, told: Mapping[str, Any], points: Sequence[tuple[float, float]], *, under: bool) -> None:
    """A line or rectangle between two corners, in shares of the sheet."""
    (x0, y0), (x1, y1) = points
    line = told.get("line", {})
    width = line.get("width", 2) * PIXEL
    look = {"transform": sheet.transFigure, "zorder": -1 if under else 2, "linewidth": width,
            "linestyle": dash(line.get("dash"), width)}  # fmt: skip
    if told.get("type") == "rect":
        fill = colour(told.get("fillcolor", "none"))
        sheet.add_artist(
            Rectangle((x0, y0), x1 - x0, y1 - y0, facecolor=fill, edgecolor=colour(line.get("color", "none")), **look)
        )
    else:
        sheet.add_artist(Line2D((x0, x1), (y0, y1), color=colour(line.get("color", "black")), **look))
