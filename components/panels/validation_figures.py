"""The figures of validation: calibration, net benefit, and measures over time."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from bedside.cohort import Cohort, Outcome, convert
from bedside.report import say
from bedside.risk.learners import KINDS
from bedside.validation import Comparison, DecisionCurve, Resampled, Scorecard
from components import model_choice
from components import numbers_validation as numbers
from components.figures.calibration_curve import (
    calibration_curve_alt,
    calibration_curve_figure,
    calibration_curve_rows,
)
from components.figures.decision_curve import decision_alt, decision_figure, decision_rows
from components.figures.palette import Mode, shades
from components.figures.scores_over_time import Course, over_time_alt, over_time_figure, over_time_rows
from components.panels import page, save, threshold
from components.panels import validation_words as words
from components.panels.validation_board import basis, made
from components.panels.validation_choices import Shown


def calibration(cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled) -> None:
    """Predicted against observed risk, with D-calibration beside it."""
    found = numbers.judged(cohort, outcome, shown.ask, of, shown.kind)
    risk = numbers.risk(of, shown.kind, shown.ask.t)
    estimate = "Aalen-Johansen" if of.rows.competes else "Kaplan-Meier"
    by_then = sum(group.n_events for group in found.groups)
    curve = "Line: smooth curve with its 95% band." if found.smooth is not None else "Too few events for a curve."
    save.figure(
        lambda mode: calibration_curve_figure(found, risk, colour=_colour(shown.kind, mode), mode=mode),
        key="validation_calibration",
        title="Do the predicted risks come true?",
        aside=f"{shown.label}, {shown.within}",
        lead=page.fill("<p>{t}</p>", t=_off(found.smooth)),
        alt=calibration_curve_alt(found),
        note=f"{basis(of, outcome, averaged=True)} {say.events(by_then).capitalize()} by then. {curve} Points: "
        f"{len(found.groups)} groups, observed by {estimate} with pointwise 95% interval.",
        stem="calibration",
        rows=lambda: calibration_curve_rows(found),
        made=made(cohort, outcome, shown, of),
    )
    page.caption(words.evenly(numbers.spread_evenly(cohort, outcome, shown.ask, of, shown.kind)))


def _off(smooth: object) -> str:
    ici = getattr(smooth, "ici", math.nan)
    if math.isnan(ici):
        return "How far risks are off cannot be drawn as a curve: too few events, or all risks alike."
    return (
        f"On average a predicted risk is {100 * ici:.1f} points away from what happened to patients with that risk; "
        f"nine of ten are within {100 * smooth.e90:.1f}."
    )


def decision(cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled) -> None:
    """Net benefit, with the threshold that the reader is asked for."""
    found = numbers.judged(cohort, outcome, shown.ask, of, shown.kind)
    place = st.container()
    with st.container(key="screen_validation_thresholds", horizontal=True, gap="medium"):
        percent = threshold.choose()
        ends = _drawn(found.decision)
    with place:
        _decision(cohort, outcome, shown, of, ends, None if percent is None else percent / 100)


def _decision(
    cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled, ends: tuple[float, float], at: float | None
) -> None:  # fmt: skip
    found = numbers.judged(cohort, outcome, shown.ask, of, shown.kind)
    save.figure(
        lambda mode: decision_figure(
            found.decision, threshold=at, shown=ends, colour=_colour(shown.kind, mode), mode=mode
        ),
        key="validation_decision",
        title="Is it worth going by?",
        aside=f"{shown.label}, {shown.within}",
        lead=page.fill("<p>{t}</p>", t=_worth(cohort, outcome, shown, of, at)),
        alt=decision_alt(found.decision, at),
        note=f"{basis(of, outcome, averaged=True)} Treating stands for whatever the risk decides on. Net benefit: "
        "events rightly treated, less needless treatments weighed by the odds of the threshold; 95% intervals.",
        stem="decision-curve",
        rows=lambda: decision_rows(found.decision),
        made=made(cohort, outcome, shown, of),
    )  # fmt: skip


def _worth(cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled, at: float | None) -> str:
    if at is None:
        return "Set below the risk from which on you would treat, to be told what going by the model is worth there."
    better = numbers.better_than_average(cohort, outcome, shown.ask, of, shown.kind)
    found = numbers.net_benefit_at(cohort, outcome, shown.ask, of, shown.kind, at)
    return words.decision(found, model_choice.named(shown.kind), better=better)


def _drawn(curve: DecisionCurve) -> tuple[float, float]:
    """Which thresholds are drawn."""
    used = curve.thresholds[curve.n_above > 0]
    last = 100 * float(used[-1]) if len(used) else 50.0
    end = min(99, max(10, 10 * math.ceil(last / 10)))
    low, high = st.slider(
        "Thresholds drawn", 0, 100, (0, end), step=5, key="validation_thresholds", persist_state="session", width=220,
    )  # fmt: skip
    return low / 100, max(high, low + 5) / 100


# ------------------------------------------------------------------ over time


def over_time(cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled) -> None:
    """Time-dependent AUC and Brier score of all models, beside each other."""
    table = numbers.comparison(cohort, outcome, shown.ask, of)
    left, right = page.split("validation_time", 1, 1)
    with left, st.container(border=True, key="card_validation_auc"):
        _course(cohort, outcome, shown, of, table, "auc")
    with right, st.container(border=True, key="card_validation_brier"):
        _course(cohort, outcome, shown, of, table, "brier")


TITLES = {
    "auc": ("Does it rank as well later on?", "time-dependent AUC; 0.5 is chance"),
    "brier": ("How far are risks from what happened?", "Brier score; lower is better"),
}
ABOVE = {"auc": "AUC", "brier": "Brier score"}


def _course(
    cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled, table: Comparison, key: str
) -> None:  # fmt: skip
    chosen = table.card(shown.kind)
    # Chance needs no line of its own in AUC: it is where the axis says 0.5.
    cards = [chosen, *(card for card in table.cards if card.kind != shown.kind)]
    cards += [table.baseline] if key == "brier" else []
    courses = [_of(card, key, shown, outcome, i if card is not table.baseline else -1) for i, card in enumerate(cards)]
    title, aside = TITLES[key]
    spread = f" Band: ± 1 SD over folds, {shown.label}." if of.folds > 1 else ""
    none = f" {table.baseline.label}: the same risk for everybody." if key == "brier" else ""
    save.figure(
        lambda mode: over_time_figure(courses, unit=shown.unit, y_title=ABOVE[key], when=shown.when, mode=mode),
        key=f"validation_{key}",
        title=title,
        aside=aside,
        alt=over_time_alt(courses, unit=shown.unit, what=ABOVE[key]),
        note=f"{basis(of, outcome)} Means over folds.{spread}{none}",
        stem=f"{key}-over-time",
        rows=lambda: over_time_rows(courses, shown.unit),
    )


def _of(card: Scorecard, key: str, shown: Shown, outcome: Outcome, place: int) -> Course:
    scores = [score for score in card.scores if score.key == key]
    at = np.array([float(convert(score.t or 0.0, outcome.unit, shown.unit)) for score in scores])
    return Course(
        card.label, at, np.array([score.mean for score in scores]), np.array([score.sd for score in scores]), place
    )


def _colour(kind: str, mode: Mode) -> str:
    return shades(len(KINDS), mode)[0]
