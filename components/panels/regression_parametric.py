"""Smooth curves that could have made the Kaplan-Meier curve, and what they say beyond follow-up."""

from __future__ import annotations

import math
from dataclasses import replace

import streamlit as st

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.regression.parametric_compare import ALIKE, FittedModel, ParametricComparison
from bedside.report import made_regression, say
from components import desk
from components import numbers_checks as numbers
from components.figures.parametric_overlay import overlay_alt, overlay_figure, overlay_rows
from components.panels import page, save
from components.panels.pick import pick
from components.panels.regression_choices import Choice

EVERYONE = " all"
MOST_GROUPS = 6
DRAWN = 2


def show(of: Cohort, outcome: Outcome, choice: Choice) -> None:
    """The models by AIC, and the best of them over the curve."""
    panel = st.expander("Parametric models", key="regression_parametric", on_change="rerun", icon=":material/timeline:")
    if not panel.open:
        return
    with panel, desk.fixable():
        if choice.ask.cause:
            page.caption("These curves are of the time to any type of event: a single type has no curve of its own.")
        groups, separate, times = _asked(of, choice)
        until = times * _followed(of, outcome)
        found = numbers.parametric(of, outcome, groups, separate=separate, until=until, level=choice.ask.level)
        left, right = page.split("parametric", 1.4, 1)
        with right:
            _table(of, outcome, choice, found, groups)
        with left:
            _figure(of, outcome, choice, found, groups)


def _followed(of: Cohort, outcome: Outcome) -> float:
    return float(max(of.time(outcome), default=0.0)) or 1.0


def _asked(of: Cohort, choice: Choice) -> tuple[Grouping | None, bool, float]:
    with st.container(key="screen_regression_parametric", horizontal=True, vertical_alignment="bottom", gap="small"):
        few = {v.name: v.label for v in of.groupings if v.is_grouping and of.frame[v.name].nunique() <= MOST_GROUPS}
        by = pick("Curves by", {EVERYONE: "All patients together", **few}, key="regression_curves_by",
                  default=EVERYONE, width=240)  # fmt: skip
        groups = None if by in (None, EVERYONE) else desk.grouping(of, by, None)
        separate = groups is not None and st.toggle(
            "Each group its own shape", key="regression_separate", persist_state="session",
            help="Otherwise groups differ by a ratio of times (of hazards, for Royston-Parmar) that stays the same.",
        )  # fmt: skip
        times = st.select_slider(
            "Look ahead", [1.0, 1.25, 1.5, 2.0, 3.0], value=1.25, key="regression_ahead", persist_state="session",
            format_func=lambda v: "follow-up only" if v == 1 else f"{v:g} × follow-up", width=200,
        )  # fmt: skip
    return groups, bool(separate), float(times)


def _table(of: Cohort, outcome: Outcome, choice: Choice, found: ParametricComparison, groups: Grouping | None) -> None:
    page.heading("Which lies closest?", "by AIC, smaller is better")
    order = sorted(found.models, key=lambda m: m.aic if not math.isnan(m.aic) else math.inf)
    best = next(m for m in found.models if m.key == found.best)
    if len(found.alike) > 1:
        others = [m.label for m in order if m.key in found.alike and m.key != found.best]
        text = f"{best.label} has the smallest AIC; {' and '.join(others)} within {ALIKE:g} of it cannot be told apart."
    else:
        text = f"{best.label} has the smallest AIC, and none of the others is within {ALIKE:g} of it."
    page.put("<p>{t}</p>", t=text)
    rows = [
        (m.label, "no fit", "", "", "") if m.why_not else
        (m.label, m.n_parameters, f"{m.aic:.1f}", f"{m.behind:.1f}", _points(m))
        for m in order
    ]  # fmt: skip
    page.table(("Model", "Parameters", "AIC", "Behind", "Largest gap"), rows, label="Parametric models")
    for model in order:
        if model.why_not:
            page.caption(f"{model.label}: {model.why_not}")
        elif not model.monotone:
            page.caption(f"{model.label}: its curve rises somewhere, which survival cannot do; choose fewer degrees.")
    page.caption(
        "Largest gap: how far the curve is from the Kaplan-Meier curve at most, within follow-up. A Weibull model is a "
        "Royston-Parmar model with 1 degree of freedom."
    )
    if found.without_events:
        page.caption(f"Left out, since nobody in them had the event: {', '.join(found.without_events)}.")
    if found.moved_from_zero:
        page.caption(f"{say.events(found.moved_from_zero)} at time 0 counted at half the smallest time above 0.")
    exact = [[m.label, m.n_parameters, m.loglik, m.aic, m.bic, m.largest_gap, m.why_not] for m in order]
    save.numbers(
        "regression_aic",
        stem="parametric-models",
        rows=lambda: (["model", "parameters", "log likelihood", "AIC", "BIC", "largest gap", "why no fit"], exact),
        title="Parametric models compared",
        note=_note(found),
        made=lambda: _made(of, outcome, choice, found, groups),
    )


def _points(model: FittedModel) -> str:
    return "" if math.isnan(model.largest_gap) else f"{100 * model.largest_gap:.1f} points"


def _note(found: ParametricComparison) -> str:
    text = f"{say.patients(found.n)}, {say.events(found.n_events)}."
    if found.n_dropped:
        text += f" {say.patients(found.n_dropped)} without a group or an entry left out."
    return text


def _figure(of: Cohort, outcome: Outcome, choice: Choice, found: ParametricComparison, groups: Grouping | None) -> None:
    fitted = sorted((m for m in found.models if not m.why_not), key=lambda m: m.aic)
    labels = {m.key: m.label for m in fitted}
    first = [m.key for m in fitted[:DRAWN]]
    key = f"regression_drawn_{'_'.join(first)}"
    with st.container(key="screen_regression_drawn"):
        drawn = st.multiselect("Models drawn", list(labels), default=first, format_func=labels.__getitem__, key=key,
                               persist_state="session")  # fmt: skip
    chosen = [m for m in fitted if m.key in drawn]
    curves = [curve.convert(choice.unit) for curve in desk.curves(of, outcome, groups, level=choice.ask.level)]
    names = {curve.group for m in chosen for curve in m.curves}
    shown = [c for c in curves if c.group in names] if groups is not None else [
        replace(c, group=next(iter(names), c.group)) for c in curves
    ]  # fmt: skip
    until = float(fitted[0].curves[0].time[-1]) * choice.per_unit
    followed = found.followed_until * choice.per_unit
    cautions = () if until <= followed * 1.001 else (
        f"Beyond {say.duration(followed, choice.unit)} nobody was followed: what a curve says there is an "
        "assumption of its model, and models that agree before can part after.",
    )  # fmt: skip
    for text in cautions:
        page.caution(text)
    save.figure(
        lambda mode: overlay_figure(
            shown, chosen, per_unit=choice.per_unit, until=until, followed=followed, mode=mode,
            x_title=f"{choice.unit.capitalize()} since {outcome.since}",
        ),
        key="regression_overlay",
        title=outcome.free_phrase[:1].upper() + outcome.free_phrase[1:],
        aside="steps: as seen; dashes: " + (", ".join(m.label for m in chosen) or "none chosen"),
        alt=overlay_alt(chosen, groups=len(curves)),
        note=_note(found),
        stem="parametric",
        rows=lambda: overlay_rows(chosen, per_unit=choice.per_unit, unit=choice.unit),
        cautions=cautions,
        made=lambda: _made(of, outcome, choice, found, groups),
    )  # fmt: skip


def _made(
    of: Cohort, outcome: Outcome, choice: Choice, found: ParametricComparison, groups: Grouping | None
) -> made_regression.Made:
    return made_regression.made_parametric(
        of.time(outcome), of.event(outcome), of.entry(outcome), None if groups is None else groups.codes, found,
        event_name=outcome.label, fingerprint=of.fingerprint[:12],
    )  # fmt: skip
