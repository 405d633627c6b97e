"""The Kaplan-Meier figure without its picture: in words, and as rows of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bedside.cohort.units import Unit
from bedside.report import say
from bedside.survival import Curve

Cell = str | float | int | None


def km_alt(curves: Sequence[Curve], *, unit: Unit | None = None, y_title: str = "Free of the event") -> str:
    """The figure in a few sentences, for a screen reader and for the report.

    Parameters
    ----------
    curves : sequence of Curve
        As given to `km_figure`.
    unit : {"days", "weeks", "months", "years"}, optional
        Unit in which medians are said; the curves' own by default.
    y_title : str
        What the curves show.

    Returns
    -------
    str
        Plain text with the group names as they are: escape it where it is shown as Markdown.
    """
    said = "; ".join(_said(c.convert(unit or c.unit)) for c in curves)
    noun = "curve" if len(curves) == 1 else f"curves of {len(curves)} groups"
    return f"Kaplan-Meier {noun}, {y_title[:1].lower()}{y_title[1:]}. {said}."


def km_rows(curves: Sequence[Curve], *, unit: Unit | None = None) -> tuple[list[str], list[list[Cell]]]:
    """Every step of every curve, for the CSV: unrounded, nothing thinned, empty where there is no interval.

    Returns
    -------
    header : list of str
    rows : list of lists
        One per group and distinct time, starting at time 0.
    """
    unit = unit or curves[0].unit
    level = _percent(curves[0].level)
    header = ["Group", f"Time ({unit})", "At risk", "Events", "Censored"]
    header += ["Survival", f"Lower {level} limit", f"Upper {level} limit"]
    rows: list[list[Cell]] = []
    for c in (c.convert(unit) for c in curves):
        counts = [a.tolist() for a in (c.at_risk, c.events, c.censored)]
        limits = [[_cell(v) for v in a.tolist()] for a in (c.lower, c.upper)]
        columns = zip(c.time.tolist(), *counts, c.survival.tolist(), *limits, strict=True)
        rows += [[c.group, *values] for values in columns]
    return header, rows


def km_summary_rows(
    curves: Sequence[Curve], times: Sequence[float], *, unit: Unit | None = None
) -> tuple[list[str], list[list[Cell]]]:
    """One row per group: median with its interval, and survival at chosen times with its interval.

    Parameters
    ----------
    curves : sequence of Curve
        As given to `km_figure`.
    times : sequence of float
        Times in ``unit``.
    unit : {"days", "weeks", "months", "years"}, optional
        Unit of the times and medians; the curves' own by default.

    Returns
    -------
    header : list of str
    rows : list of lists
        Unrounded; None where a median is not reached or follow-up ended before the time.
    """
    unit = unit or curves[0].unit
    level = _percent(curves[0].level)
    header = ["Group", "Patients", "Events", f"Median ({unit})", f"Median, lower {level} limit"]
    header += [f"Median, upper {level} limit"]
    for t in times:
        at = f"{t:g} {unit if t != 1 else unit.removesuffix('s')}"
        header += [
            f"At risk at {at}",
            f"Survival at {at}",
            f"Lower {level} limit at {at}",
            f"Upper {level} limit at {at}",
        ]
    rows: list[list[Cell]] = []
    for c in (c.convert(unit) for c in curves):
        p = c.at(np.asarray(times, dtype=float))
        quads = zip(*(a.tolist() for a in (p.at_risk, p.survival, p.lower, p.upper)), strict=True)
        rows.append([c.group, c.n, c.n_events, *map(_cell, c.median), *(_cell(v) for quad in quads for v in quad)])
    return header, rows


def _said(curve: Curve) -> str:
    counts = f"{curve.group}: {curve.n:,} patient{'s' * (curve.n != 1)}"
    if not curve.n_events:
        return f"{counts}, no events, median not reached"
    counts += f", {curve.n_events:,} event{'s' * (curve.n_events != 1)}"
    median = curve.median
    if math.isnan(median.estimate):
        return f"{counts}, median not reached"
    interval = f"{_percent(curve.level)} interval {say.number_of(median.lower)} to {say.number_of(median.upper)}"
    return f"{counts}, median {say.duration(median.estimate, curve.unit)} ({interval})"


def _percent(level: float) -> str:
    return f"{100 * level:g}%"


def _cell(value: float) -> float | None:
    return None if math.isnan(value) else value
