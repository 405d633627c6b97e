"""One patient's predicted curve over what happened in the cohort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from bedside.cohort import Unit, convert
from bedside.report.say import duration, events, of_100, patients, percent, percent_range
from components.figures.palette import Mode, palette, plain, rgba, template, text_width

if TYPE_CHECKING:
    from bedside.risk import Prediction
    from bedside.survival import Curve

FONT_SIZE = 12
NARROWEST = 300  # px between the axes on a telephone: labels are placed so that they fit there
USUAL = 420  # px between them elsewhere: for labels that find no place on a telephone
PLACES = 40  # heights that are tried for such a label
PALE = 0.38
MOST_STEPS = 500  # drawn in one line: more are finer than a pixel and weigh on the browser


@dataclass(frozen=True)
class PatientCurve:
    """What the figure shows, in the unit it is read in.

    Attributes
    ----------
    time, survival, lower, upper : ndarray, shape (n_times,)
        The patient's predicted steps, from time 0, with their band.
    cohort_time, cohort_survival : ndarray
        The cohort's Kaplan-Meier steps.
    n, n_events : int
        Patients and events in the cohort.
    horizon : float
        Time at which both are read.
    unit : str
        Unit of every time here.
    since : str
        Time zero in a word, e.g. "surgery".
    reliable_until : float
        Last time at which enough patients are still under observation; paler from there on.
    level : float
        Coverage of the band.
    band : str
        What the band is where it is no interval; empty where there is none; None for an interval.
    start : float
        Time from which both are shown: of patients who are event-free by then.
    said : bool
        False where nothing can be said at the horizon, which is then not marked.
    """

    time: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    cohort_time: np.ndarray
    cohort_survival: np.ndarray
    n: int
    n_events: int
    horizon: float
    unit: Unit
    since: str
    reliable_until: float
    level: float = 0.95
    band: str | None = None
    start: float = 0.0
    said: bool = True

    @property
    def last(self) -> float:
        """Where the longer of the two curves ends."""
        return max(float(self.time.max()), float(self.cohort_time.max()))

    @property
    def at_horizon(self) -> tuple[float, float]:
        """Event-free share at the horizon: this patient, the cohort."""
        return (
            _step_at(self.time, self.survival, self.horizon),
            _step_at(self.cohort_time, self.cohort_survival, self.horizon),
        )


def patient_curve(
    prediction: Prediction, cohort: Curve, *, horizon: float, unit: Unit, since: str, row: int = 0, minimum: int = 10
) -> PatientCurve:
    """One patient's prediction beside the cohort's curve, both turned from the outcome's unit into `unit`.

    Parameters
    ----------
    prediction : Prediction
        Times in the unit of `cohort`.
    cohort : Curve
        Kaplan-Meier curve of the patients the model was fitted to.
    horizon : float
        In `unit`.
    unit : str
        Unit of the figure.
    since : str
        The outcome's time zero in a word.
    row : int
        Which patient of the prediction.
    minimum : int
        Patients under observation below which the curves turn pale.
    """
    return PatientCurve(
        time=convert(prediction.time, cohort.unit, unit), survival=prediction.survival[row],
        lower=prediction.lower[row], upper=prediction.upper[row],
        cohort_time=convert(cohort.time, cohort.unit, unit), cohort_survival=cohort.survival,
        n=cohort.n, n_events=cohort.n_events, horizon=horizon, unit=unit, since=since,
        reliable_until=convert(cohort.reliable_until(minimum), cohort.unit, unit), level=cohort.level,
    )  # fmt: skip


def patient_figure(
    curve: PatientCurve, *, mode: Mode = "light", height: int = 280, decimals: int = 0, plain_words: bool = False
) -> go.Figure:
    """The predicted curve with its band over the cohort's dashed curve, read off at the horizon.

    Parameters
    ----------
    curve : PatientCurve
    mode : {"light", "dark"}
    height : int
        In px.
    decimals : int
        Of the shares in words.
    plain_words : bool
        For a patient: so many people of 100 instead of per cent.
    """
    p = palette(mode)
    end, mine = max(curve.last, curve.horizon), p.accent if curve.said else p.neutral
    names = _names(curve, plain_words=plain_words)
    data = [*_bands(curve, end, mine), *_lines(curve, end, names, (mine, p.neutral), plain_words=plain_words)]
    shapes, annotations = _edges(curve, end, p.muted)
    if curve.said:
        data += _marks(curve, p.ink, p.accent, p.card)
        said = [f"{name}{sep}{share}" for name, sep, share in _said(curve, names, decimals, plain_words=plain_words)]
        labels = _labels(curve, end, height - 48, (said[0], said[1]), (p.muted, p.accent, p.card))
        annotations = [*(word for word in annotations if not _covered(word, labels, end, height - 48)), *labels]
    shares = {"tickformat": ".0%", "dtick": 0.25}
    if plain_words:
        shares = {"tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": ["0", "25", "50", "75", "100"]}
    layout = {
        "template": template(mode), "height": height, "margin": {"l": 44, "r": 8, "t": 8, "b": 40},
        "hovermode": "closest", "shapes": shapes, "annotations": annotations,
        "xaxis": {
            "range": [0, end * 1.01], "title": {"text": plain(f"{curve.unit} since {curve.since}")}, "fixedrange": True
        },
        "yaxis": {"range": [0, 1.03], "fixedrange": True, **shares},
    }  # fmt: skip
    return go.Figure(data=data, layout=layout, _validate=False)


def _bands(curve: PatientCurve, end: float, colour: str) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = []
    for part, alpha in _parts(curve.time, curve.start, curve.reliable_until, end):
        x, (lower, upper, _) = _piece(curve.time, (curve.lower, curve.upper, curve.survival), part)
        edge = {
            "type": "scatter", "x": x, "mode": "lines", "line": {"shape": "hv", "width": 0}, "hoverinfo": "skip"
        }  # fmt: skip
        data += [edge | {"y": upper}, edge | {"y": lower, "fill": "tonexty", "fillcolor": rgba(colour, 0.18 * alpha)}]
    return data


def _lines(
    curve: PatientCurve, end: float, names: tuple[str, str], colours: tuple[str, str], *, plain_words: bool
) -> list[dict[str, Any]]:
    """The cohort's curve dashed, the patient's over it; both paler from where few remain."""
    hover = "%{customdata} of 100" if plain_words else "%{y:.0%}"
    lines = (
        (curve.cohort_time, curve.cohort_survival, colours[1], 1.5, "dash", names[1]),
        (curve.time, curve.survival, colours[0], 2.5, "solid", names[0]),
    )
    data: list[dict[str, Any]] = []
    for time, share, colour, width, dash, name in lines:
        for part, alpha in _parts(time, curve.start, curve.reliable_until, end):
            x, (y,) = _piece(time, (share,), part)
            data.append({
                "type": "scatter", "x": x, "y": y, "mode": "lines", "opacity": alpha, "name": name,
                "line": {"shape": "hv", "color": colour, "width": width, "dash": dash},
                "hovertemplate": f"%{{x:.1f}} {curve.unit}: {hover} {name}<extra></extra>",
                **({"customdata": np.rint(100 * y)} if plain_words else {}),
            })  # fmt: skip
    return data


def _names(curve: PatientCurve, *, plain_words: bool) -> tuple[str, str]:
    """The patient's curve and the cohort's."""
    return ("people like you", "everyone") if plain_words else ("this patient", f"all {curve.n:,}")


def _said(
    curve: PatientCurve, names: tuple[str, str], decimals: int, *, plain_words: bool
) -> list[tuple[str, str, str]]:
    """Name, what parts it from its number, and the number at the horizon: of the patient, and of all."""
    shares = [of_100(s) if plain_words else percent(s, decimals=decimals) for s in curve.at_horizon]
    return [(names[0], ": " if plain_words else " ", shares[0]), (names[1], ": ", shares[1])]


def _edges(curve: PatientCurve, end: float, muted: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What lies before the curves and behind them: shaded, with a word."""
    shapes, words = [], []
    for x0, x1, text in [(0.0, curve.start, "so far"), (curve.last, end, "not known")]:
        if x1 - x0 <= 1e-9 * end:
            continue
        shapes.append({
            "type": "rect", "x0": x0, "x1": x1, "y0": 0, "y1": 1, "fillcolor": rgba(muted, 0.1), "line": {"width": 0},
            "layer": "below",
        })  # fmt: skip
        if (x1 - x0) / end * NARROWEST > text_width([text], size=FONT_SIZE) + 6:
            font = {"size": FONT_SIZE, "color": muted}
            words.append({"x": (x0 + x1) / 2, "y": 0.04, "text": text, "showarrow": False, "font": font})
    return shapes, words


def patient_alt(curve: PatientCurve, *, decimals: int = 0, plain_words: bool = False) -> str:
    """The figure in words, for a screen reader and for the report."""
    since = f"Event-free share over {curve.unit} since {curve.since}"
    if curve.start:
        since += f", of patients event-free at {duration(curve.start, curve.unit)}"
    paler = f"Paler from {duration(curve.reliable_until, curve.unit)}, where few remain under observation."
    if not curve.said:
        last = duration(curve.last, curve.unit)
        return f"{since}. It ends at {last}: nothing is known at {duration(curve.horizon, curve.unit)}. {paler}"
    mine, all_ = curve.at_horizon
    if plain_words:
        told = f"people like you {of_100(mine)}, everyone {of_100(all_)}"
        return f"{since}. At {duration(curve.horizon, curve.unit)}: {told}. {paler}"
    low = _step_at(curve.time, curve.lower, curve.horizon)
    high = _step_at(curve.time, curve.upper, curve.horizon)
    name = f"{curve.level:.0%} band" if curve.band is None else curve.band
    band = f" ({name} {percent_range(low, high, decimals=decimals)})" if name else ""
    return (
        f"{since}. At {duration(curve.horizon, curve.unit)}: "
        f"this patient {percent(mine, decimals=decimals)}{band}, all {patients(curve.n)} "
        f"{percent(all_, decimals=decimals)}, with {events(curve.n_events)}. {paler}"
    )


def patient_rows(curve: PatientCurve) -> tuple[list[str], list[list]]:
    """Both curves at every time at which one of them steps: header and rows for a file."""
    times = np.union1d(curve.time, curve.cohort_time)
    columns = [_steps_at(curve.time, y, times) for y in (curve.survival, curve.lower, curve.upper)]
    columns.append(_steps_at(curve.cohort_time, curve.cohort_survival, times))
    header = [f"time ({curve.unit})", "this patient", "lower", "upper", f"all {curve.n} patients"]
    return header, [list(row) for row in zip(times.tolist(), *(c.tolist() for c in columns), strict=True)]


def _steps_at(time: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    # 1461 days turned into years may be a rounding error short of 4
    return values[np.maximum(np.searchsorted(time, at * (1 + 1e-9), side="right") - 1, 0)]


def _step_at(time: np.ndarray, values: np.ndarray, at: float) -> float:
    return float(_steps_at(time, values, np.array([at]))[0])


def _parts(time: np.ndarray, start: float, turn: float, end: float) -> list[tuple[tuple[float, float], float]]:
    """Spans to draw and their opacity: full up to `turn`, pale from there to the last step."""
    last = min(float(time.max()), end)
    parts = [((start, min(turn, last)), 1.0), ((max(turn, start), last), PALE)]
    return [(span, alpha) for span, alpha in parts if span[1] > span[0]]


def _piece(
    time: np.ndarray, series: tuple[np.ndarray, ...], span: tuple[float, float]
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The steps inside a span, with a point at each of its ends."""
    inside = time[(time > span[0]) & (time < span[1])]
    if len(inside) > MOST_STEPS:
        inside = inside[np.linspace(0, len(inside) - 1, MOST_STEPS).round().astype(int)]
    x = np.concatenate([[span[0]], inside, [span[1]]])
    return x, tuple(_steps_at(time, y, x) for y in series)


def _marks(curve: PatientCurve, ink: str, accent: str, card: str) -> list[dict[str, Any]]:
    """The horizon, and where it meets both curves."""
    mine, all_ = curve.at_horizon
    at = {"type": "scatter", "x": [curve.horizon] * 2, "hoverinfo": "skip"}
    line = {"color": rgba(ink, 0.55), "width": 1.2}
    dots = {
        "color": [card, accent], "size": [6, 9], "opacity": 1, "line": {"color": [line["color"], card], "width": 1.2}
    }  # fmt: skip
    return [
        at | {"y": [0, 1], "mode": "lines", "line": line | {"dash": "dot"}},
        at | {"y": [all_, mine], "mode": "markers", "marker": dots},
    ]


def _labels(
    curve: PatientCurve, end: float, pixels: int, texts: tuple[str, str], colours: tuple[str, str, str]
) -> list[dict[str, Any]]:
    """Two labels at the horizon, one above the other in the order of the curves, clear of both."""
    mine, all_ = curve.at_horizon
    muted, accent, card = colours
    said = [(all_, texts[1], muted), (mine, texts[0], accent)]
    said.sort(key=lambda item: item[0])
    line = 16 / pixels
    widths = [(text_width([text], size=FONT_SIZE) + 14) / NARROWEST * end for _, text, _ in said]
    return [
        {
            "x": curve.horizon, "y": bottom + 0.5 * line, "showarrow": False, "yanchor": "middle",
            "bgcolor": rgba(card, 0.75), "xanchor": anchor, "xshift": 8 if anchor == "left" else -8, "borderpad": 0,
            "align": anchor, "text": f"<b>{text}</b>" if colour == accent else text,
            "font": {"size": FONT_SIZE, "color": colour},
        }
        for (_, text, colour), (anchor, bottom) in zip(said, _places(curve, end, widths, line), strict=True)
    ]  # fmt: skip


def _covered(word: dict[str, Any], labels: list[dict[str, Any]], end: float, pixels: int) -> bool:
    """True if a label stands on a word behind the curves, which is then left out."""
    half = text_width([word["text"]], size=FONT_SIZE) / 2 / NARROWEST * end
    for label in labels:
        said = label["text"].removeprefix("<b>").removesuffix("</b>")
        wide = (text_width([said], size=FONT_SIZE) + 14) / NARROWEST * end
        left = label["x"] if label["xanchor"] == "left" else label["x"] - wide
        across = min(left + wide, word["x"] + half) - max(left, word["x"] - half)
        if across > 0 and abs(label["y"] - word["y"]) < 18 / pixels:
            return True
    return False


def _places(curve: PatientCurve, end: float, widths: list[float], line: float) -> list[tuple[str, float]]:
    """Side and foot of each label, the lower one first: together if both are clear, else each beside its own dot."""
    anchor, bottom, clear = _place(curve, end, max(widths), line)
    together = [(anchor, bottom), (anchor, bottom + line)]
    if clear:
        return together
    shares = sorted(curve.at_horizon)
    alone = [_beside(curve, end, wide, line, share) for wide, share in zip(widths, shares, strict=True)]
    for i, (wide, share) in enumerate(zip(widths, shares, strict=True)):
        taken = [found[1] for found in alone if found]
        alone[i] = alone[i] or _anywhere(curve, end, wide * NARROWEST / USUAL, line, share, taken)
    low, high = (found or old for found, old in zip(alone, together, strict=True))
    return [low, high] if high[1] - low[1] >= line else together


def _anywhere(
    curve: PatientCurve, end: float, wide: float, line: float, share: float, taken: list[float]
) -> tuple[str, float] | None:
    """Side and foot of one label as near to its dot as it is clear of curves, band and other labels."""
    h = curve.horizon
    both = ("left", h, h + wide), ("right", h - wide, h)
    sides = [side for side in both if side[1] >= curve.start and side[2] <= end]
    for bottom in sorted(np.linspace(0.02, 1.02 - line, PLACES).tolist(), key=lambda y: abs(y + line / 2 - share)):
        for anchor, start, stop in sides if all(abs(bottom - other) >= line for other in taken) else ():
            if _is_free(curve, (start, stop), (bottom, bottom + line)):
                return anchor, bottom
    return None


def _is_free(curve: PatientCurve, x: tuple[float, float], y: tuple[float, float]) -> bool:
    """True if neither the cohort's curve nor the patient's band passes through a box; all of them only fall."""
    pairs = (
        (curve.time, np.fmin(curve.lower, curve.survival), np.fmax(curve.upper, curve.survival)),
        (curve.cohort_time, curve.cohort_survival, curve.cohort_survival),
    )
    return all(_step_at(time, low, x[1]) > y[1] or _step_at(time, high, x[0]) < y[0] for time, low, high in pairs)


def _beside(curve: PatientCurve, end: float, wide: float, line: float, share: float) -> tuple[str, float] | None:
    """Side and foot of one label beside its dot, clear of the curves and the band; None if there is no such place."""
    h, gap = curve.horizon, 0.3 * line
    for anchor, start, stop in (("left", h, h + wide), ("right", h - wide, h)):
        if start < curve.start or stop > end:
            continue
        for bottom in (share + gap, share - gap - line):
            if _is_free(curve, (start, stop), (bottom, bottom + line)) and bottom >= 0.01 and bottom + line <= 1.03:
                return anchor, bottom
    return None


def _place(curve: PatientCurve, end: float, wide: float, line: float) -> tuple[str, float, bool]:
    """Side of the horizon ("left" anchors the text's left edge to it), lower label's foot, if both are clear."""
    h, gap, tall = curve.horizon, 0.6 * line, 2 * line

    def shares(at: float) -> tuple[float, float]:
        at = float(np.clip(at, 0, end))
        mine = [_step_at(curve.time, y, at) for y in (curve.survival, curve.lower, curve.upper)]
        here = [*mine, _step_at(curve.cohort_time, curve.cohort_survival, at)]
        return float(np.nanmin(here)), float(np.nanmax(here))

    right, left = h + wide <= end, h - wide >= curve.start
    tries = (
        (right, "left", shares(h)[1] + gap),
        (left, "right", shares(h)[0] - gap - tall),
        (left, "right", shares(h - wide)[1] + gap),
        (right, "left", shares(h + wide)[0] - gap - tall),
    )
    for fits, anchor, bottom in tries:
        if fits and bottom >= 0.01 and bottom + tall <= 1.03:
            return anchor, bottom, True
    return ("left" if h < end / 2 else "right"), 0.02, False
