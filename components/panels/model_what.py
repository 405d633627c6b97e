"""What the model is: its ratios and curves, its path, or its structure; and how its settings came about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from bedside import risk
from bedside.cohort import Cohort, Outcome
from bedside.report import say
from bedside.report.made_risk import ratios_made
from bedside.risk.design import build
from bedside.risk.fitted import Fitted
from bedside.risk.parts import Part, curved, parts, ratios, recorded, shape
from bedside.risk.penalised_model import Penalised
from bedside.risk.penalised_path import Path
from components import desk, model_choice
from components.figures.forest import forest_alt, forest_figure, forest_rows
from components.figures.path import path_alt, path_figure, path_rows
from components.figures.spline_hr import spline_alt, spline_figure, spline_rows
from components.model_choice import Choice
from components.panels import page, save
from components.panels.pick import told_apart

MOST_ROWS, MOST_KEPT = 25, 14
ALONG = " (along a curve)"
HOW = {
    "cox": "Straight lines or curves: whichever ranks held-out patients better in three inner parts of these patients; "
    "curves are tried only with at least 12 events for each coefficient.",
    "penalised": "Mix and strength of the penalty: the lowest deviance of held-out patients in five inner parts.",
    "forest": "Size of the leaves and share of the variables: those under which trees rank the patients that they had "
    "not drawn best; among those alike, those whose risks come nearest.",
    "boosted": "Depth and number of trees: the lowest deviance of held-out patients in four inner parts.",
    "average": "Both models choose their own settings, each as it would alone; their risks count alike.",
}
SETTINGS = {
    "penalizer": "Ridge", "knots": "Knots of the curves", "competing": "Competing events",
    "alpha": "Mix of the penalty (1 keeps few variables, 0 all)", "lambda": "Strength of the penalty",
    "rule": "Rule for the strength", "trees": "Trees", "rounds": "Trees", "leaf": "Patients in a leaf, at least",
    "share": "Share of the variables looked at in each split", "depth": "Levels of a tree",
    "rows": "Patients drawn for a tree, at most", "eta": "Learning rate", "child": "Least weight of a leaf",
    "drawn": "Share of the patients drawn for a tree", "ridge": "Ridge on the leaves",
}  # fmt: skip
VALUES = {
    ("knots", 0): "none: straight lines", ("depth", 0): "no limit", ("share", 0): "one variable",
    ("competing", "fine-gray"): "Fine-Gray",
    ("competing", "cause-specific"): "a model of each kind of event", ("rule", "min"): "lowest deviance",
    ("rule", "1se"): "within one standard error of the lowest",
}  # fmt: skip
MEMBERS = {"cox": "Cox model: ", "forest": "Forest: "}


def board(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted) -> None:
    """Ratios beside settings and what was left out; causes of competing events side by side; trees have settings."""
    shown = parts(fitted)
    if len(shown) > 1:
        columns = page.split("model_causes", *[1.0] * len(shown[:2]))
        for i, part in enumerate(shown[:2]):
            with columns[i], desk.fixable():
                _ratios(cohort, choice, fitted, part, i)
        for i, part in enumerate(shown[2:], start=2):
            with desk.fixable():
                _ratios(cohort, choice, fitted, part, i)
        _path(cohort, outcome, choice, fitted)
        _about(cohort, choice, fitted)
        return
    if not shown:
        _about(cohort, choice, fitted)
        return
    left, right = page.split("model_what", 1.25, 1)
    with left, desk.fixable():
        _ratios(cohort, choice, fitted, shown[0], 0)
    with right, desk.fixable():
        _path(cohort, outcome, choice, fitted)
        _about(cohort, choice, fitted)


# ------------------------------------------------------------------ ratios and curves


def _ratios(cohort: Cohort, choice: Choice, fitted: Fitted, part: Part, i: int) -> None:
    told = ratios(part)
    key = "model_forest" if i == 0 else f"model_forest_{i}"
    with st.container(border=True, key="card_forest" if i == 0 else f"card_forest_{i}"):
        if not told:
            page.heading(part.label, "no variable is kept")
            page.caption("The penalty left no variable: everybody has the same risk of this event.")
            return
        drawn = tuple(replace(c, label=c.label.removesuffix(ALONG)) for c in told[: _most(part)])
        several = choice.target == model_choice.EVENT and fitted.outcome.has_competing
        title = part.label if several else "What goes with more or fewer events"
        aside = "hazard ratio, others held equal"
        if getattr(fitted, "method", "") == "fine-gray":
            aside = "subdistribution hazard ratio, others held equal"
        save.figure(
            lambda mode: forest_figure(drawn, mode=mode, room=60 if several else 72),
            key=key,
            title=title,
            aside=aside,
            alt=forest_alt(drawn),
            note=_note(fitted, part, len(told)),
            stem="hazard-ratios",
            rows=lambda: forest_rows(told),
            made=(lambda: ratios_made(cohort, fitted)) if isinstance(fitted, risk.Model) else None,
        )
        _curves(cohort, choice, fitted, part, i)


def _most(part: Part) -> int:
    return MOST_ROWS if part.variance is not None else MOST_KEPT


def _note(fitted: Fitted, part: Part, many: int) -> str:
    kind = "Cox model, " if part.variance is not None else "Penalised Cox model, "
    order = "first" if part.variance is not None else "furthest from 1"
    more = f" The {_most(part)} {order} of {many}; all in the file." if many > _most(part) else ""
    if curved(part):
        more += " Variables read along a curve: the upper against the lower quartile."
    limits = (
        "ties after Efron, 95% intervals." if part.variance is not None
        else "no intervals: a penalty pulls ratios towards 1 on purpose."
    )  # fmt: skip
    return (
        f"{kind}{say.patients(part.n)}, {say.events(part.n_events)}, {limits} Above 1: goes with more events. An "
        f"association, not an effect.{more}"
    )


def _curves(cohort: Cohort, choice: Choice, fitted: Fitted, part: Part, i: int) -> None:
    """Variables that are read along a curve, one at a time, when asked for."""
    names = curved(part)
    if not names:
        return
    panel = st.expander(
        f"{len(names)} variable{'s are' if len(names) > 1 else ' is'} read along a curve: see it",
        key=f"model_curves_{i}", on_change="rerun",
    )  # fmt: skip
    if not panel.open:
        return
    with panel:
        labels = told_apart({name: cohort.variable(name).label for name in names})
        name = st.selectbox(
            "Variable", list(names), format_func=labels.__getitem__, key=f"model_curve_{i}", persist_state="session"
        )
        variable = cohort.variable(name)
        found = shape(part, name)
        values = recorded(cohort.frame, name)
        at = [(variable.say(v), float(v)) for v in (found.low, found.high)]
        log = variable.scale == "log" and found.low > 0
        title = f"{variable.label}{f' ({variable.unit})' if variable.unit else ''}"
        save.figure(
            lambda mode: spline_figure(found, values, log=log, x_title=title, mode=mode),
            key=f"model_spline_{i}",
            title=variable.label,
            aside=f"against {variable.say(found.curve.reference)}, the median",
            alt=spline_alt(found, said_at=at),
            note=f"{say.patients(part.n)}, {say.events(part.n_events)}; restricted cubic spline with {found.knots} "
            "knots, pointwise 95% band, from the 1st to the 99th percentile. Bars: how many patients have each value.",
            stem="hazard-ratio-curve",
            rows=lambda: spline_rows(found),
        )


# ------------------------------------------------------------------ the path of a penalised model


def _path(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted) -> None:
    if not isinstance(fitted, Penalised) or fitted.path is None:
        return
    path = fitted.path
    with st.container(border=True, key="card_model_path"):
        kept = ", ".join(cohort.variable(name).label for name in fitted.kept[:12])
        more = f" and {len(fitted.kept) - 12} more" if len(fitted.kept) > 12 else ""
        save.figure(
            lambda mode: path_figure(path, scale=_scale(cohort, outcome, choice, path), mode=mode),
            key="model_path",
            title=f"{len(fitted.kept)} of {fitted.offered} variables are kept",
            aside="as the penalty weakens",
            lead=page.fill("<p>{kept}.</p>", kept=f"{kept}{more}" if kept else "None"),
            alt=path_alt(path),
            note=f"{say.patients(fitted.n)}, {say.events(fitted.hazards[0].n_events)}; elastic net with mix "
            f"{path.alpha:g}. Which variables are kept depends on chance where several say the same.",
            stem="penalised-path",
            rows=lambda: path_rows(path),
        )


def _scale(cohort: Cohort, outcome: Outcome, choice: Choice, path: Path) -> np.ndarray | None:
    """Standard deviations of the path's columns, read off the columns it was fitted to."""

    def make() -> dict[str, float]:
        rows = model_choice.rows(cohort, outcome, choice)
        design, _ = build(rows.frame, rows.time, rows.cause > 0, rows.variables, combinations=True)
        return {term.label: float(s) for term, s in zip(design.terms, design.scale, strict=True)}

    known = desk.kept(("path scale", *model_choice.key(cohort, outcome, choice)), make)
    found = [known.get(name, 0.0) for name in path.names]
    return np.array(found) if all(found) else None


# ------------------------------------------------------------------ structure and settings


def _about(cohort: Cohort, choice: Choice, fitted: Fitted) -> None:
    with st.container(border=True, key="card_model"):
        page.heading("What it is made of", "structure and settings")
        page.strip(_facts(fitted))
        if isinstance(fitted, risk.Model):
            page.put("<p>{t}</p>", t=risk.describe(fitted))
            with st.container(key="screen_model_checks", width="content"):
                st.page_link(desk.page("regression"), label="Do its ratios hold at all times? Checks on Regression",
                             query_params=desk.link(), icon=":material/monitoring:")  # fmt: skip
        gaps = [f"{r.variable.label} {r.missing:,}" for r in fitted.design.readings if r.missing]
        if gaps:
            page.caption("Missing values filled with the median or the commonest group: " + ", ".join(gaps) + ".")
        panel = st.expander("How it was fitted: settings and what was left out", key="model_settings",
                            on_change="rerun")  # fmt: skip
        if panel.open:
            with panel:
                _fitting(cohort, choice, fitted)


def _fitting(cohort: Cohort, choice: Choice, fitted: Fitted) -> None:
    page.table(("Setting", "In use"), _settings(choice, fitted), label="Settings of the model")
    page.caption(HOW.get(fitted.kind, ""))
    if isinstance(fitted, risk.Model):
        page.caption(risk.ridge_sentence(fitted))
    for dropped in fitted.design.dropped:
        page.caption(dropped.why)
    unused = len(model_choice.eligible(cohort)) - len(model_choice.eligible(cohort, wide=choice.wide))
    if unused > 0:
        page.caption(
            f"{unused:,} further variable{'s are' if unused > 1 else ' is'} recorded and not offered to it (Options)."
        )


def _facts(fitted: Fitted) -> list[tuple[str, str]]:
    n_terms = len(fitted.design.terms)
    variables = len(fitted.design.readings)
    facts = [(f"{fitted.n:,}", "patients"), (f"{fitted.n_events:,}", "events")]
    if isinstance(fitted, Penalised):
        facts.append((f"{variables} of {fitted.offered}", "variables kept"))
    elif parts(fitted):
        each = f"{fitted.n_events / max(n_terms, 1):.0f}"
        facts.append((f"{variables}", f"variables in {n_terms} terms, {each} events each"))
    else:
        facts.append((f"{variables}", "variables"))
    return facts


def _settings(choice: Choice, fitted: Fitted) -> list[tuple[str, str]]:
    fixed = {name for name, _ in choice.settings}
    return [
        (_setting(name), f"{_value(name, value)}{', fixed by you' if name in fixed else ''}")
        for name, value in fitted.settings.items()
    ]


def _setting(name: str) -> str:
    member, _, own = name.rpartition(".")
    return f"{MEMBERS.get(member, '')}{SETTINGS.get(own, own)}"


def _value(name: str, value: float | int | str) -> str:
    own = name.rpartition(".")[2]
    if (own, value) in VALUES:
        return VALUES[(own, value)]
    return value if isinstance(value, str) else f"{value:.3g}" if isinstance(value, float) else f"{value:,}"
