"""The comparison page: what must be known first, and the curves with and without adjustment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside.cohort import Cohort, Outcome, convert
from bedside.cohort.derived_words import caution
from bedside.cohort.groups import Grouping
from bedside.cohort.table_by import RowBy
from bedside.errors import Fixable
from bedside.report import made_comparison as making
from bedside.report import say
from bedside.survival import Curve
from bedside.treatment import Adjusted, Standardised
from bedside.treatment.weights import LARGE
from components import desk, numbers, numbers_comparison
from components.figures.adjusted import (
    Line,
    Panel,
    adjusted_alt,
    adjusted_figure,
    adjusted_rows,
    line_of,
    line_of_standard,
)
from components.panels import page, save
from components.panels.comparison_choices import METHODS, Choice, adjust_key
from components.text import md

APART = 0.1
"""A standardised difference from which groups are said to differ."""
MOST_LEVELS = 12
"""A variable with more levels differs between any groups."""


@dataclass(frozen=True, eq=False)
class Found:
    """What there is to show: where one way of adjusting has no answer, its reason instead.

    Attributes
    ----------
    groups : Grouping
        Who is compared without adjustment: the complete cases, or everybody where neither way has an answer.
    raw : tuple of Curve
        Of those patients.
    weighted : Adjusted or None
    standard : Standardised or None
    no_weights, no_standard : Fixable or None
    """

    groups: Grouping
    raw: tuple[Curve, ...]
    weighted: Adjusted | None
    standard: Standardised | None
    no_weights: Fixable | None
    no_standard: Fixable | None


def noun(of: Cohort, choice: Choice) -> str:
    """What the groups are: treatments, or just groups."""
    return "treatment" if of.treatment is not None and of.treatment.column == choice.by.name else "group"


def randomised(of: Cohort, choice: Choice) -> bool:
    """Whether the groups were formed by randomisation."""
    return of.treatment is not None and noun(of, choice) == "treatment" and bool(of.treatment.randomised)


def subject(outcome: Outcome, choice: Choice) -> str:
    """The page's heading."""
    return f"{outcome.label}, {grouped(choice)}: a fair comparison"


def grouped(choice: Choice) -> str:
    """By what patients are grouped."""
    return f"by {say.in_sentence(choice.by.label)}"


def aside(of: Cohort, outcome: Outcome, choice: Choice) -> str:
    """Who is compared, and who is left out."""
    inside = choice.groups.codes >= 0
    text = f"{say.patients(int(inside.sum()))}, {say.events(int(of.event(outcome)[inside].sum()))}"
    if choice.groups.dropped_missing:
        text += f"; {say.patients(choice.groups.dropped_missing)} without a value left out"
    return text


def find(of: Cohort, outcome: Outcome, choice: Choice) -> Found:
    """Both ways of adjusting, or the reason why one has no answer."""
    weighted, standard, no_weights, no_standard = None, None, None, None
    try:
        weighted = numbers_comparison.adjusted(of, outcome, choice.groups, choice.plan)
    except Fixable as stop:
        no_weights = stop
    try:
        standard = numbers_comparison.standardised(of, outcome, choice.groups, choice.plan, choice.times)
    except Fixable as stop:
        no_standard = stop
    groups = choice.groups
    if weighted is not None or standard is not None:
        groups = numbers_comparison.complete(of, outcome, choice.groups, choice.plan)
    raw = numbers.curves(of, outcome, groups, numbers.Plan(level=choice.plan.level)) if weighted is None else None
    return Found(groups, raw or weighted.raw_curves, weighted, standard, no_weights, no_standard)


# ------------------------------------------------------------------ what must be known first


def unsure(found: Found) -> bool:
    """Whether the weighted numbers hang on a few patients."""
    return found.weighted is not None and found.weighted.weights.poor_overlap


def cautions(of: Cohort, outcome: Outcome, choice: Choice, found: Found) -> None:
    """Can the weights be relied on? Was it randomised? If not, in what the groups differed."""
    if unsure(found):
        warn(_few(found.weighted))
    if choice.narrowed:
        warn("There are more groups than one figure can hold apart: two are compared, at first the largest.")
    if outcome.note:
        page.remark(outcome.note)
    if choice.by.use == "later":
        warn(
            caution(choice.by)
            or f"{choice.by.label} is known only later ({choice.by.why_later}): patients who did badly early may be "
            "missing, or already show it. No adjustment for the start can mend that."
        )
    _formed_before(choice)
    is_treatment = noun(of, choice) == "treatment"
    told = of.treatment.note if is_treatment and of.treatment is not None else ""
    apart = _apart(of, choice)
    if randomised(of, choice):
        text = f"The groups were formed by randomisation. {told}".strip()
        text += " Differences at the start are chance; adjusting for them can sharpen the comparison."
        page.put("<p>{t}</p>", t=f"{text} {apart}".strip())
        return
    how = "Not randomised, so the groups differed before treatment."
    if not is_treatment:
        how = (
            "Nobody was assigned to these groups: the raw comparison is unadjusted, and even the adjusted one says who "
            "does better, not why."
        )
    page.warn(f"{how} {apart}".strip())
    page.remark(
        f"{told} Weighting balances only what was recorded: a difference that nobody wrote down stays in every "
        "number here.".strip()
    )
    if choice.unused:
        page.caption(f"Not adjusted for, since nobody has a recorded value: {', '.join(choice.unused)}.")


def _formed_before(choice: Choice) -> None:
    """What was recorded only after the groups had been formed: left out, or adjusted for all the same."""
    if choice.after:
        warn(
            f"Recorded only after the groups were formed: {'; '.join(choice.after)}. The group may have changed "
            "it, and adjusting for it then takes away part of what is asked about. Take it out under “Alike in”."
        )
    if choice.skipped:
        page.caption(
            f"Not adjusted for, since recorded only after the groups were formed: {'; '.join(choice.skipped)}."
        )


def _few(found: Adjusted) -> str:
    """What makes the weighted numbers unreliable."""
    groups = found.weights.groups
    worst = max(groups, key=lambda g: g.largest / g.mean)
    counts, unlikely = round(worst.largest / worst.mean), sum(g.unlikely for g in groups)
    why = f"one patient in “{worst.label}” counts for {counts}"
    if counts < LARGE:
        n = sum(g.n for g in groups)
        why = f"{say.patients(unlikely)} of {n:,} had hardly a chance to be in the group that they were in"
    return f"Do not rely on the weighted numbers: {why}. More under “Can the weights be trusted?”."


def _apart(of: Cohort, choice: Choice) -> str:
    """In what the groups differed most at the start."""
    try:
        found = numbers_comparison.table(of, choice.groups)
    except Fixable:
        return ""
    rows = [r for r in found.rows if not math.isnan(r.difference.value) and len(r.levels) <= MOST_LEVELS]
    rows.sort(key=lambda row: -abs(row.difference.value))
    top = [row for row in rows[:3] if abs(row.difference.value) >= APART]
    if not top:
        return "At the start they were much alike in everything recorded (no standardised difference of 0.1 or more)."
    told = "; ".join(_difference(row, found.labels) for row in top)
    return f"At the start they differed most in: {told}."


def _difference(row: RowBy, labels: tuple[str, ...]) -> str:
    """One variable, with what stands in the two groups that lie furthest apart."""
    pair = (row.difference.first, row.difference.second)
    name = row.variable.label
    if row.numbers:
        values = [row.numbers[i].median if row.skewed else row.numbers[i].mean for i in pair]
        said = [row.variable.say(value) for value in values]
    else:
        level = max(row.levels, key=lambda level: _gap(level.shares, pair))
        said = [say.percent(level.shares[i]) for i in pair]
        said[0] = f"{level.label}: {said[0]}"
    size = "no overlap" if math.isinf(row.difference.value) else f"{abs(row.difference.value):.2f}"
    where = f" ({labels[pair[0]]}, {labels[pair[1]]})" if len(labels) > 2 else ""
    return f"{name} ({said[0]} against {said[1]}{where}; standardised difference {size})"


def _gap(shares: tuple[float, ...], pair: tuple[int, int]) -> float:
    gap = abs(shares[pair[0]] - shares[pair[1]])
    return -1.0 if math.isnan(gap) else gap


def warn(text: str) -> None:
    """A caution in the house's own colour."""
    page.warn(text)


def method() -> str:
    """Which way of adjusting is drawn."""
    with st.container(key="screen_comparison_method", width="content"):
        return st.segmented_control(
            "Adjusted by", list(METHODS), default="weighting", required=True, format_func=METHODS.__getitem__,
            key="comparison_method", persist_state="session", label_visibility="collapsed",
            help="Weighting models who got which group; standardisation models who had the event.",
        ) or "weighting"  # fmt: skip


# ------------------------------------------------------------------ the figure


def stops(of: Cohort, choice: Choice, found: Found, kind: str) -> str:
    """Why a way of adjusting that was asked for has no answer, and what is drawn then."""
    asked = {"weighting": [found.no_weights], "standardisation": [found.no_standard]}
    told = [stop for stop in asked.get(kind, [found.no_weights, found.no_standard]) if stop is not None]
    for stop in {(stop.what, stop.why): stop for stop in told}.values():
        desk.show(stop)
    if found.no_weights is not None and kind != "standardisation":
        _way_out(of, choice)
    if kind == "weighting" and found.weighted is None and found.standard is not None:
        page.caption(
            "Standardisation is drawn instead. Where groups do not overlap it carries what was seen in one group over "
            "to patients of whom the other has none."
        )
        return "standardisation"
    return kind


def _way_out(of: Cohort, choice: Choice) -> None:
    """A button that leaves out what only one group has."""
    names = numbers_comparison.one_sided(of, choice.groups, choice.plan.covariates)
    if not names or len(names) == len(choice.plan.covariates):
        return
    key = adjust_key(of, choice.by)
    labels = ", ".join(md(of.variable(name).label) for name in names)
    st.button(
        f"Adjust without {labels}", key="screen_comparison_without", icon=":material/remove_circle:",
        on_click=lambda: st.session_state.__setitem__(
            key, [name for name in choice.plan.covariates if name not in names]
        ),
    )  # fmt: skip


def figure(of: Cohort, outcome: Outcome, choice: Choice, found: Found, kind: str, place: DeltaGenerator) -> None:
    """Raw and adjusted curves."""
    raw = [line_of(curve, choice.unit) for curve in found.raw]
    panels = _panels(outcome, choice, found, kind, raw)
    free = outcome.free_phrase[:1].upper() + outcome.free_phrase[1:]
    weighted = found.weighted.curves if found.weighted is not None and kind != "standardisation" else ()
    standard = found.standard.curves if found.standard is not None and kind != "weighting" else ()
    x_title = f"{choice.unit.capitalize()} since {outcome.since}"
    with place:
        save.figure(
            lambda mode: adjusted_figure(
                raw, panels, unit=choice.unit, at=choice.at, mode=mode, x_title=x_title,
            ),
            key="comparison_curves",
            title=free,
            aside=_like(choice, panels),
            alt=adjusted_alt(raw, panels, choice.at, choice.unit),
            note=note(of, outcome, choice, found, kind),
            stem="fair-comparison",
            rows=lambda: adjusted_rows(found.raw, weighted, standard, outcome.unit, choice.unit),
            made=lambda: making.curves_made(
                of, outcome, choice.groups, choice.plan.covariates, weighted=found.weighted, standard=found.standard,
                at=float(convert(choice.at, choice.unit, outcome.unit)), filters=numbers_comparison.filters(),
            ),
        )  # fmt: skip


def _panels(outcome: Outcome, choice: Choice, found: Found, kind: str, raw: list[Line]) -> list[Panel]:
    panels = []
    if found.weighted is not None and kind != "standardisation":
        sure = [curve.reliable_until(10) for curve in found.raw]
        lines = tuple(line_of(c, choice.unit, sure=s) for c, s in zip(found.weighted.curves, sure, strict=True))
        panels.append(Panel("Weighted", lines))
    if found.standard is not None and kind != "weighting":
        lines = tuple(
            line_of_standard(c, outcome.unit, choice.unit, end=own.last, sure=own.reliable_until(10))
            for c, own in zip(found.standard.curves, found.raw, strict=True)
        )
        panels.append(Panel("Standardised", lines))
    return panels


def _like(choice: Choice, panels: list[Panel]) -> str:
    if not panels:
        return "as observed"
    if panels[0].title == "Standardised":
        return "as observed, and if all patients had been in each group"
    return f"as observed, and as if the groups had been like {choice.whom}"


def who(of: Cohort, choice: Choice, found: Found) -> str:
    """Patients, events, who is left out, and what the groups are made alike in."""
    told = found.weighted or found.standard
    whole = f"{say.patients(sum(c.n for c in found.raw))}, {say.events(sum(c.n_events for c in found.raw))}"
    if told is None:
        return f"{whole}."
    text = whole
    text += f" (complete cases; {say.patients(told.dropped)} with a missing value left out)." if told.dropped else "."
    # Labels keep their capitals: whether one begins with a name, such as Karnofsky's, nobody here can know.
    return f"{text} Made alike in: {', '.join(of.variable(name).label for name in choice.plan.covariates)}."


def note(of: Cohort, outcome: Outcome, choice: Choice, found: Found, kind: str) -> str:
    """What stands under each figure of the page: patients, events, who is left out, method."""
    text = who(of, choice, found)
    if found.weighted is None and found.standard is None:
        return f"{text} Kaplan-Meier, not adjusted."
    level = f"{choice.plan.level:.0%}"
    if kind != "standardisation" and found.weighted is not None:
        resamples = found.weighted.resamples - found.weighted.failed
        error = f"from {resamples} bootstrap samples" if resamples else "robust, the weights taken as known"
        text += f" Weighted Kaplan-Meier; band: pointwise {level} interval, {error}."
    if kind != "weighting" and found.standard is not None:
        resamples = found.standard.resamples - found.standard.failed
        error = f"from {resamples} bootstrap samples" if resamples else "by the delta method"
        text += f" Standardised over a Cox model (g-formula); {level} interval {error}."
    if outcome.entry:
        text += " Delayed entry: each patient counts from the time at which observation began."
    if outcome.has_competing:
        text += " The event is the first of any type."
    return f"{text} Pale where fewer than 10 patients of a group remain under observation."


def share_at(curve: Curve, when: float) -> tuple[float, float, float]:
    """Share free of the event with its interval; NaN beyond follow-up."""
    point = curve.at([when])
    return tuple(float(np.asarray(v)[0]) for v in (point.survival, point.lower, point.upper))  # type: ignore[return-value]
