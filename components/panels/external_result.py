"""What a model said of patients from elsewhere, and what came: the sentence, the figure, the measures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from bedside.cohort import Unit
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_external import external_made
from bedside.validation.calibration import Estimate
from bedside.validation.external import External, PerformanceAt
from components import numbers_external
from components.figures.calibration_curve import (
    calibration_curve_alt,
    calibration_curve_figure,
    calibration_curve_rows,
)
from components.figures.palette import shades
from components.numbers_external import Pair
from components.panels import external_check, page, save
from components.panels import external_words as words


def show(pair: Pair, found: External, when: float, unit: Unit) -> None:
    """The answer and two cards."""
    at = say.duration(when, unit)
    page.lead(words.lead(found, pair.model, pair.outcome, pair.label, when, unit), of="external_calibration")
    page.caption(external_check.about(pair))
    for caution in (*found.cautions, *words.lacking(pair.model, found)):
        page.warn(caution)
    left, right = page.split("external", 1, 1)
    with left, st.container(border=True, key="card_external_calibration"):
        calibration(
            pair, found.performance.at[-1], found.risk[:, -1], key="external_calibration",
            title="Do its risks come true here?", aside=f"within {at}, the model as it is", note=_note(found),
            made=_made(pair, found), stem="calibration-elsewhere", over_all=found.performance.slope,
        )  # fmt: skip
    with right, st.container(border=True, key="card_external_measures"):
        _measures(pair, found, at)
    with st.container(border=True, key="card_external_by_time"):
        _by_time(pair, found, unit)


def calibration(
    pair: Pair, at: PerformanceAt, risk: np.ndarray, *, key: str, title: str, aside: str, note: str,
    made: Callable[[], Made], stem: str, later: bool = False, over_all: Estimate | None = None,
) -> None:  # fmt: skip
    """Predicted against observed risk; `later` marks the figure of an update."""
    drawn = numbers_external.judged(f"{pair.model.label}, recalibrated" if later else pair.model.label, at)
    save.figure(
        lambda mode: calibration_curve_figure(drawn, risk, colour=shades(2, mode)[int(later)], mode=mode),
        key=key, title=title, aside=aside, lead=page.fill("<p>{t}</p>", t=words.spread(at.slope, over_all)),
        alt=calibration_curve_alt(drawn), note=note, stem=stem, rows=lambda: calibration_curve_rows(drawn), made=made,
    )  # fmt: skip


def _note(found: External) -> str:
    at = found.performance.at[-1]
    curve = "Line: smooth curve with its 95% band. " if at.smooth is not None else "Too few events for a curve. "
    km = "Aalen-Johansen" if found.rows.competes else "Kaplan-Meier"
    return (
        f"{words.basis(found)} {curve}Points: {len(at.groups)} groups of predicted risk, observed by {km} with "
        "pointwise 95% interval."
    )


def _made(pair: Pair, found: External) -> Callable[[], Made]:
    return lambda: external_made(pair.model, found, pair.outcome, pair.patients.fingerprint)


def _by_time(pair: Pair, found: External, unit: Unit) -> None:
    header = ("Within", "Expected", "Observed (95%)", "O/E (95%)", "Events")
    rows = words.by_time(found, unit)
    page.heading("Expected and observed", "of 100 patients")
    page.table(header, rows, label="Expected and observed")
    note = f"{words.basis(found)} O/E: observed over expected; above 1 risks are too low."
    page.caption(note)
    save.numbers(
        "external_by_time", stem="expected-and-observed", title="Expected and observed elsewhere", note=note,
        rows=lambda: _unrounded(found), shown=lambda: (header, rows), made=_made(pair, found),
    )  # fmt: skip


def _unrounded(found: External) -> save.Rows:
    header = [f"time ({found.unit})", "expected", "observed", "lower", "upper", "O/E", "lower", "upper", "events",
              "followed beyond"]  # fmt: skip
    return header, [
        [a.t, a.overall.expected, a.overall.observed.risk, a.overall.observed.lower, a.overall.observed.upper,
         a.overall.ratio, a.overall.lower, a.overall.upper, a.n_events, a.n_followed]
        for a in found.performance.at
    ]  # fmt: skip


def _measures(pair: Pair, found: External, at: str) -> None:
    km = "Aalen-Johansen" if found.rows.competes else "Kaplan-Meier"
    told = words.measures(found.performance, at, km)
    header = ("Measure", "Here (95%)")
    page.heading("How well it does here")
    page.table(
        header,
        [(page.fill('{n}<br><span class="bs-muted">{r}</span>', n=name, r=read), words.estimate(value))
         for name, read, value in told],
        label="How well it does here",
    )  # fmt: skip
    page.caption(words.basis(found))
    save.numbers(
        "external_measures", stem="performance-elsewhere", title="Performance elsewhere", note=words.basis(found),
        rows=lambda: (["measure", "value", "standard error", "lower", "upper"],
                      [[n, v.value, v.std_err, v.lower, v.upper] for n, _, v in told]),
        shown=lambda: (header, [[n, words.estimate(v)] for n, _, v in told]), made=_made(pair, found),
    )  # fmt: skip
