"""A figure of the screen drawn on paper, mark for mark, from the same description."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from components.printing import marks
from components.printing.words import FONT, PIXEL, pixels, words

DPI = 96
"""A CSS pixel is 1/96 inch, so that sizes mean the same as on the screen."""

WIDTH = 680.0
DEFAULT_HEIGHT = 360.0


@dataclass(frozen=True)
class Box:
    """Where on a sheet a figure is drawn: in px from the sheet's upper left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class Ground:
    """A figure's own surroundings: the sheet, its place, and the plot's margins."""

    sheet: Figure
    box: Box
    margin: Mapping[str, float]

    @property
    def inner(self) -> Box:
        """The plot area."""
        b, m = self.box, self.margin
        return Box(b.left + m["l"], b.top + m["t"], b.width - m["l"] - m["r"], b.height - m["t"] - m["b"])

    def share(self, x: float, y: float) -> tuple[float, float]:
        """A place in px from the upper left as Matplotlib's share of the sheet, from the lower left."""
        width, height = self.sheet.get_size_inches() * DPI
        return x / width, 1 - y / height


def blank(width: float, height: float) -> Figure:
    """An empty sheet in px, never of pyplot's: that keeps every figure of every reader alive."""
    sheet = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(sheet)
    return sheet


def height_of(fig: go.Figure) -> float:
    """Height of a figure in px."""
    return float(fig.layout.height or DEFAULT_HEIGHT)


def draw(fig: go.Figure, *, width: float = WIDTH) -> Figure:
    """A figure on a sheet of its own.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
        In the light house template; made of lines, markers, bars, texts, shapes and annotations.
    width : float
        Width in px.

    Returns
    -------
    matplotlib.figure.Figure
        Of the figure's own height.
    """
    height = height_of(fig)
    sheet = blank(width, height)
    place(fig, sheet, Box(0, 0, width, height))
    return sheet


def place(fig: go.Figure, sheet: Figure, box: Box) -> None:
    """Draw a figure in a part of a sheet."""
    told = _plain_values(fig.to_plotly_json())
    layout = _merged(told["layout"].get("template", {}).get("layout", {}), told["layout"])
    data = [dict(trace) for trace in told["data"]]
    axes = {name: _axis(layout, name) for name in _axis_names(layout, data)}
    categories = marks.categories(data, axes)
    ground = Ground(sheet, box, _margin(layout, axes, categories))
    pairs = dict.fromkeys((t.get("xaxis", "x"), t.get("yaxis", "y")) for t in data) or {("x", "y"): None}
    drawn = {pair: _axes(ground, axes, pair, categories) for pair in pairs}
    for trace in data:
        marks.trace(drawn[(trace.get("xaxis", "x"), trace.get("yaxis", "y"))], trace, data, categories)
    for pair, ax in drawn.items():
        _limits(ax, axes[pair[0]], axes[pair[1]], data, pair, categories)
    for shape in layout.get("shapes", ()):
        _shape(ground, drawn, _placed(shape, categories, ("x0", "x1", "y0", "y1")))
    for note in layout.get("annotations", ()):
        _note(ground, drawn, _placed(note, categories, ("x", "y")), layout)


def _placed(told: Mapping[str, Any], categories: Mapping[str, list[str]], where: tuple[str, ...]) -> Mapping[str, Any]:
    """The same with names along an axis turned into their places."""
    named = {k: categories.get(_ref(told, k[0]), []) for k in where if isinstance(told.get(k), str)}
    return {**told, **{k: names.index(told[k]) if told[k] in names else 0 for k, names in named.items()}}


def _plain_values(told: Any) -> Any:
    """Plotly hands arrays over packed: unpack them."""
    if isinstance(told, Mapping):
        if "bdata" in told:
            values = np.frombuffer(base64.b64decode(told["bdata"]), dtype=told["dtype"])
            return values.reshape([int(n) for n in str(told.get("shape", values.size)).split(",")])
        return {key: _plain_values(value) for key, value in told.items()}
    return [_plain_values(value) for value in told] if isinstance(told, list | tuple) else told


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(under)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
        out[key] = _merged(out[key], value) if both else value
    return out


def _axis_names(layout: Mapping[str, Any], data: list[dict[str, Any]]) -> list[str]:
    used = {t.get("xaxis", "x") for t in data} | {t.get("yaxis", "y") for t in data}
    return sorted(used | {"x", "y"})


def _axis(layout: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A merged axis: the template describes only the first of each kind."""
    base = layout.get("template", {}).get("layout", {}).get(f"{name[0]}axis", {})
    return _merged(base, layout.get(f"{name[0]}axis{name[1:]}", {}))


def _margin(
    layout: Mapping[str, Any], axes: Mapping[str, Any], categories: Mapping[str, list[str]]
) -> dict[str, float]:
    told = layout.get("margin", {})
    margin = {side: float(told.get(side, 8)) for side in "lrtb"}
    for name, axis in axes.items():
        if not axis.get("automargin", True) or axis.get("visible") is False:
            continue
        size = axis.get("tickfont", {}).get("size", 12)
        labels = axis.get("ticktext") if axis.get("ticktext") is not None else categories.get(name, ["0000"])
        title = words(axis.get("title", {}).get("text") or "").text
        if name[0] == "y" and axis.get("showticklabels", True):
            margin["l"] = max(margin["l"], max((pixels(words(t).text, size) for t in labels), default=0) + 14)
        if name[0] == "x":
            margin["b"] = max(margin["b"], 24 + (20 if title else 0))
    return margin


def _axes(ground: Ground, axes: Mapping[str, Any], pair: tuple[str, str], categories: Mapping[str, list[str]]) -> Axes:
    x, y = axes[pair[0]], axes[pair[1]]
    inner = ground.inner
    (x0, x1), (y0, y1) = x.get("domain", (0, 1)), y.get("domain", (0, 1))
    left, bottom = ground.share(inner.left + x0 * inner.width, inner.top + (1 - y0) * inner.height)
    right, top = ground.share(inner.left + x1 * inner.width, inner.top + (1 - y1) * inner.height)
    ax = ground.sheet.add_axes((left, bottom, max(right - left, 1e-6), max(top - bottom, 1e-6)))
    ax.patch.set_visible(False)
    ax.set_axisbelow(True)
    for spine in ax.spines.values():
        spine.set_visible(False)
    if x.get("type") == "log":
        ax.set_xscale("log")
    if y.get("type") == "log":
        ax.set_yscale("log")
    owner = x.get("anchor", "y") == pair[1]
    _ticks(ax, "x", x, categories.get(pair[0]), shown=owner)
    _ticks(ax, "y", y, categories.get(pair[1]), shown=True)
    return ax


def _ticks(ax: Axes, which: str, axis: Mapping[str, Any], names: list[str] | None, *, shown: bool) -> None:
    part = ax.xaxis if which == "x" else ax.yaxis
    font = axis.get("tickfont", {})
    if axis.get("visible") is False or not shown:
        part.set_visible(False)
        return
    if axis.get("tickvals") is not None:
        values = [float(v) for v in axis["tickvals"]]
        labels = axis.get("ticktext")
        texts = [words(t) for t in (labels if labels is not None else map(_number(axis), values))]
        part.set_ticks(values, [t.text for t in texts])
        for label, told in zip(part.get_ticklabels(), texts, strict=True):
            label.set_color(told.colour or font.get("color", "black"))
    elif names is not None:
        part.set_ticks(range(len(names)), [words(n).text for n in names])
    else:
        _numbered(part, axis)
    part.set_minor_locator(marks.NO_TICKS)
    inside = axis.get("ticks", "outside") != "outside"
    part.set_tick_params(
        which="major", length=0 if inside else 3, color=axis.get("tickcolor", "#999999"),
        labelsize=font.get("size", 12) * PIXEL, labelfontfamily=FONT,
        pad=3 + axis.get("ticklabelstandoff", 0) * PIXEL,
        labelleft=axis.get("showticklabels", True), labelbottom=axis.get("showticklabels", True),
    )  # fmt: skip
    for label in part.get_ticklabels():
        label.set_parse_math(False)
        if axis.get("tickvals") is None:
            label.set_color(font.get("color", "black"))
    if axis.get("showgrid", True):
        ax.grid(axis=which, color=axis.get("gridcolor", "#eeeeee"), linewidth=0.75)
    if axis.get("showline"):
        side = ax.spines["bottom" if which == "x" else "left"]
        side.set_visible(True)
        side.set_color(axis.get("linecolor", "#999999"))
    title = axis.get("title", {}).get("text")
    if title:
        look = axis["title"].get("font", {})
        font = {"fontsize": look.get("size", 12) * PIXEL, "color": look.get("color", "black"), "fontfamily": FONT}
        part.set_label_text(words(title).text, parse_math=False, **font)


def _numbered(part: Axis, axis: Mapping[str, Any]) -> None:
    """Ticks at the steps that the axis names, else where they fall best."""
    form = _number(axis)
    if isinstance(axis.get("dtick"), int | float) and axis.get("type") != "log":
        part.set_major_locator(MultipleLocator(axis["dtick"]))
    part.set_major_formatter(lambda value, _: form(value))


def _number(axis: Mapping[str, Any]) -> Any:
    """How an axis writes a number: as its own d3 format says, where it has one."""
    form = axis.get("tickformat") or ""
    suffix = axis.get("ticksuffix") or ""
    if form.endswith("%"):
        digits = form.strip(".%+") or "0"
        return lambda v: f"{v:{'+' if '+' in form else ''}.{digits}%}"
    if form.endswith("f"):
        return lambda v: f"{v:{form}}{suffix}"
    return lambda v: f"{v:g}{suffix}".replace("-", "−")


def _limits(
    ax: Axes, x: Mapping[str, Any], y: Mapping[str, Any], data: list[dict[str, Any]], pair: tuple[str, str],
    categories: Mapping[str, list[str]],
) -> None:  # fmt: skip
    for axis, name, put in ((x, pair[0], ax.set_xlim), (y, pair[1], ax.set_ylim)):
        told = axis.get("range")
        if told is not None:
            low, high = (10.0**v for v in told) if axis.get("type") == "log" else told
        elif name in categories:
            low, high = -0.5, len(categories[name]) - 0.5
        else:
            low, high = marks.reach(data, name, log=axis.get("type") == "log", zero=axis.get("rangemode") == "tozero")
        put((high, low) if axis.get("autorange") == "reversed" else (low, high))


def _position(ground: Ground, drawn: Mapping[tuple[str, str], Axes], ref: str, value: float) -> float:
    """A coordinate in px from the sheet's left or upper edge."""
    inner, across = ground.inner, ref.startswith("x")
    if ref.endswith("domain") or ref in ("xpaper", "ypaper"):
        low, high = 0.0, 1.0
        if ref.endswith("domain"):
            ax = _owner(drawn, ref.split(" ")[0])
            box = ax.get_position()
            width, height = ground.sheet.get_size_inches() * DPI
            start, size = (
                (box.x0 * width, box.width * width) if across else ((1 - box.y0) * height, -box.height * height)
            )
            return start + size * value
        start = inner.left if across else inner.top + inner.height
        return start + (inner.width if across else -inner.height) * (value - low) / (high - low)
    ax = _owner(drawn, ref)
    scale = ax.get_xscale() if across else ax.get_yscale()
    number = 10.0**value if scale == "log" else value
    point = ax.transData.transform((number, ax.get_ylim()[0]) if across else (ax.get_xlim()[0], number))
    height = ground.sheet.get_size_inches()[1] * DPI
    return float(point[0]) if across else height - float(point[1])


def _owner(drawn: Mapping[tuple[str, str], Axes], name: str) -> Axes:
    return next(ax for pair, ax in drawn.items() if name in pair)


def _ref(told: Mapping[str, Any], which: str) -> str:
    ref = told.get(f"{which}ref", which)
    return f"{which}paper" if ref == "paper" else ref


def _shape(ground: Ground, drawn: Mapping[tuple[str, str], Axes], shape: Mapping[str, Any]) -> None:
    x = [_position(ground, drawn, _ref(shape, "x"), _plain(drawn, shape, "x", shape[k])) for k in ("x0", "x1")]
    y = [_position(ground, drawn, _ref(shape, "y"), _plain(drawn, shape, "y", shape[k])) for k in ("y0", "y1")]
    points = [ground.share(a, b) for a, b in zip(x, y, strict=True)]
    marks.shape(ground.sheet, shape, points, under=shape.get("layer") == "below")


def _plain(drawn: Mapping[tuple[str, str], Axes], told: Mapping[str, Any], which: str, value: float) -> float:
    """Shapes give plain numbers on a logarithmic axis where annotations give their logarithm."""
    ref = _ref(told, which)
    if ref.endswith(("paper", "domain")):
        return value
    ax = _owner(drawn, ref)
    scale = ax.get_xscale() if which == "x" else ax.get_yscale()
    return float(np.log10(value)) if scale == "log" else value


def _note(
    ground: Ground, drawn: Mapping[tuple[str, str], Axes], note: Mapping[str, Any], layout: Mapping[str, Any]
) -> None:
    x = _position(ground, drawn, _ref(note, "x"), note.get("x", 0)) + note.get("xshift", 0)
    y = _position(ground, drawn, _ref(note, "y"), note.get("y", 0)) - note.get("yshift", 0)
    if note.get("showarrow", True):
        x, y = x + note.get("ax", 0), y + note.get("ay", 0)
    said = words(note.get("text", ""))
    font = _merged(layout.get("font", {}), note.get("font", {}))
    ink = said.colour or font.get("color", "black")
    look = {
        "fontsize": font.get("size", 12) * PIXEL, "fontweight": "bold" if said.bold else "normal", "fontfamily": FONT,
        "ha": {"left": "left", "right": "right"}.get(note.get("xanchor", ""), "center"),
        "va": {"top": "top", "bottom": "bottom"}.get(note.get("yanchor", ""), "center"),
        "rotation": -note.get("textangle", 0), "parse_math": False,
    }  # fmt: skip
    place = ground.share(x, y)
    behind = {"facecolor": marks.colour(note["bgcolor"]), "edgecolor": "none", "pad": 1} if "bgcolor" in note else None
    ground.sheet.text(*place, said.text, color=ink, bbox=behind, **look)
    if said.lead is not None and look["ha"] == "left":
        # The part in its own colour once more, over itself: both begin at the same place.
        ground.sheet.text(*place, said.lead[0], color=said.lead[1], **look)
