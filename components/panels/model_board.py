"""The pieces of the model page: what it is, what it weighs, how it does, why it says what it says."""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

from bedside import explain, risk
from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.report import made_risk, say
from bedside.report.made import Made
from components import desk
from components.figures.beeswarm import beeswarm_alt, beeswarm_figure, beeswarm_rows, dots_text
from components.figures.calibration import calibration_alt, calibration_figure, calibration_rows
from components.figures.forest import forest_alt, forest_figure, forest_rows
from components.figures.importance import importance_alt, importance_figure, importance_rows
from components.panels import horizon, page, save


def header(cohort: Cohort, outcome: Outcome) -> tuple[float, Unit]:
    """The page's heading and the time at which the model is judged."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            page.title("The model", f"{outcome.label}, {say.patients(len(cohort))}")
        with st.container(key="screen_model_horizon", width="content"):
            return horizon.choose(cohort, outcome)


def what(cohort: Cohort, model: risk.Model) -> None:
    """The model in a paragraph, and what it left out."""
    page.put(
        '<p class="bs-lead">{text}</p><p class="bs-muted">{more}</p>',
        text=risk.describe(model),
        more=risk.ridge_sentence(model),
    )
    facts = [
        (f"{model.n:,}", "patients"),
        (f"{model.n_events:,}", "events"),
        (f"{len(model.variables)}", f"variables in {len(model.coef)} terms"),
        (f"{model.n_events / max(len(model.coef), 1):.0f}", "events per term"),
    ]
    with st.container(border=True, key="card_model"):
        page.strip(facts, large=True)
        for dropped in model.dropped:
            page.caption(dropped.why)
        for caution in model.cautions:
            page.put('<p class="bs-caution">{t}</p>', t=caution)
        unused = len([v for v in cohort.filterable if v.use == "optional"])
        if unused:
            page.caption(f"{unused} further variable{'s are' if unused > 1 else ' is'} recorded and not used here.")
        gaps = [f"{cohort.variable(name).label} {n:,}" for name, n in model.n_missing.items() if n]
        if gaps:
            page.caption("Missing values filled with the median or the commonest group: " + ", ".join(gaps) + ".")


def board(cohort: Cohort, outcome: Outcome, model: risk.Model, when: float, unit: Unit) -> None:
    """What the model weighs and what its risks are made of, beside how it does on patients it has not seen."""
    left, right = page.split("model", 1.05, 1)
    with left, st.container(border=True, key="card_forest"):
        _forest(cohort, model)
    with right, desk.fixable():
        done = desk.validation(cohort, outcome, float(convert(when, unit, outcome.unit)))
        with st.container(border=True, key="card_c"):
            _ranking(done)
        with st.container(border=True, key="card_calibration"):
            _calibration(done, when, unit, lambda: made_risk.calibration_made(cohort, model, done))
    with desk.fixable():
        told = desk.overall(cohort, outcome, when, unit)

        def made() -> Made:
            return made_risk.reasons_made(cohort, model, None, when, unit)

        with left, st.container(border=True, key="card_importance"):
            _importance(told, made)
        with right, st.container(border=True, key="card_swarm"):
            _swarm(told, made)


def _forest(cohort: Cohort, model: risk.Model) -> None:
    told = risk.coefficients(model)
    save.figure(
        lambda mode: forest_figure(told, mode=mode, room=72),
        key="model_forest",
        title="What goes with more or fewer events",
        aside="hazard ratio, others held equal",
        alt=forest_alt(told),
        note=f"Cox model, {say.patients(model.n)}, {say.events(model.n_events)}, ties after Efron, 95% intervals. "
        "Above 1: goes with more events. An association, not an effect.",
        stem="hazard-ratios",
        rows=lambda: forest_rows(told),
        made=lambda: made_risk.ratios_made(cohort, model),
    )


def _ranking(done: risk.Validation) -> None:
    page.heading("How well does it do?", f"{done.c_name}, {len(done.c_folds)} folds")
    spread = "" if math.isnan(done.c_sd) else f"single folds vary with an SD of {done.c_sd:.2f}"
    page.put(
        '<p class="bs-hero">{c} <small>{spread}</small></p><p>{reading}</p><p class="bs-muted">{how}</p>',
        c=f"{done.c_mean:.2f}",
        spread=spread,
        reading=" ".join((done.reading, *done.notes)),
        how=f"{say.patients(done.n)}, {say.events(done.n_events)}. Each fold is predicted by a model that has not seen "
        "it; values are filled and scaled inside the fold.",
    )


def _calibration(done: risk.Validation, when: float, unit: Unit, made: Callable[[], Made]) -> None:
    groups = len(done.calibration)
    events = sum(point.events for point in done.calibration)
    save.figure(
        lambda mode: calibration_figure(done.calibration, mode=mode),
        key="model_calibration",
        title="Do the predicted risks come true?",
        aside=f"within {say.duration(when, unit)}",
        alt=calibration_alt(done.calibration),
        note=f"{say.patients(done.n)}, {say.events(events)} by then, in {groups} group{'s' if groups != 1 else ''} of "
        "predicted risk; observed by Kaplan-Meier with pointwise 95% interval; predictions from the folds that had not "
        "seen the patient.",
        stem="calibration",
        rows=lambda: calibration_rows(done.calibration),
        made=made,
    )


def _importance(told: explain.Global, made: Callable[[], Made]) -> None:
    save.figure(
        lambda mode: importance_figure(told, mode=mode),
        key="model_importance",
        title="What the predicted risk depends on most",
        aside="mean size, in points",
        alt=importance_alt(told),
        note=_basis(told),
        stem="importance",
        rows=lambda: importance_rows(told),
        made=made,
    )


def _swarm(told: explain.Global, made: Callable[[], Made]) -> None:
    save.figure(
        lambda mode: beeswarm_figure(told, mode=mode),
        key="model_swarm",
        title="In which direction",
        aside=dots_text(told),
        alt=beeswarm_alt(told),
        note=_basis(told),
        stem="contributions",
        rows=lambda: beeswarm_rows(told),
        made=made,
    )


def _basis(told: explain.Global) -> str:
    error = "" if told.sampling_error is None else f" Sampled, standard error {100 * told.sampling_error:.2f} points."
    return (
        f"Shapley values of the risk within {say.duration(told.t, told.unit)}: {say.patients(told.n_patients)}, "
        f"against {told.n_background} of them.{error}"
    )


def recomputed(cohort: Cohort, outcome: Outcome, when: float, unit: Unit) -> None:
    """The same model and reasons by independent software, on these very patients, when the reader asks."""
    panel = st.expander("Recompute with independent software", key="model_recomputed", on_change="rerun")
    if not panel.open:
        return
    with panel, desk.fixable():
        fit, reasons_ = desk.recomputed(cohort, outcome, float(convert(when, unit, outcome.unit)))
        rows = [("Coefficients of the Cox model", "lifelines", f"{fit:.0e} standard units")]
        if reasons_ is not None:
            rows.append(("Reasons of the first three patients", "shap, exact", f"{100 * reasons_:.0e} points"))
        page.table(("What", "Recomputed by", "Largest difference"), rows, label="Independent recomputation")
        page.caption("lifelines stops a little before the exact maximum; agreement to about 1e-05 is what it can give.")
