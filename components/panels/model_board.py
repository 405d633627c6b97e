"""The pieces of the model page: what it is, what it weighs, how it does, why it says what it says."""

from __future__ import annotations

import math

import streamlit as st

from bedside import risk
from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.report import say
from components import desk
from components.figures.beeswarm import DRAWN, beeswarm_alt, beeswarm_figure, beeswarm_rows
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
        gaps = [f"{cohort.variable(name).label} {n:,}" for name, n in model.n_missing.items() if n]
        if gaps:
            page.caption("Missing values filled with the median or the commonest group: " + ", ".join(gaps) + ".")


def weighed_and_checked(cohort: Cohort, outcome: Outcome, model: risk.Model, when: float, unit: Unit) -> None:
    """What the model weighs, beside how it does on patients it has not seen."""
    left, right = page.split("model", 1.15, 1)
    with left, st.container(border=True, key="card_forest", height="stretch"):
        _forest(model)
    with right, desk.fixable():
        done = desk.validation(cohort, outcome, float(convert(when, unit, outcome.unit)))
        with st.container(border=True, key="card_c"):
            _ranking(done)
        with st.container(border=True, key="card_calibration"):
            _calibration(done, when, unit)


def _forest(model: risk.Model) -> None:
    told = risk.coefficients(model)
    save.figure(
        forest_figure(told, mode=desk.mode(), room=70),
        key="model_forest",
        title="What goes with more or fewer events",
        aside="hazard ratio, others held equal",
        alt=forest_alt(told),
        note=f"Cox model, {say.patients(model.n)}, {say.events(model.n_events)}, ties after Efron, 95% intervals. "
        "Above 1: goes with more events. An association, not an effect.",
        stem="hazard-ratios",
        rows=lambda: forest_rows(told),
    )


def _ranking(done: risk.Validation) -> None:
    page.heading("Does it rank patients rightly?", f"{done.c_name}, {len(done.c_folds)} folds")
    spread = "" if math.isnan(done.c_sd) else f"± {done.c_sd:.2f} SD"
    page.put(
        '<p class="bs-hero">{c} <small>{spread}</small></p><p class="bs-lead">{reading}</p>'
        '<p class="bs-muted">{how}</p>',
        c=f"{done.c_mean:.2f}",
        spread=spread,
        reading=f"Of two patients, the one with the earlier event had the higher predicted risk in "
        f"{say.of_100(done.c_mean)} pairs; a coin would reach 50.",
        how=f"{say.patients(done.n)}, {say.events(done.n_events)}. Each fold is predicted by a model that has not seen "
        "it; values are filled and scaled inside the fold.",
    )


def _calibration(done: risk.Validation, when: float, unit: Unit) -> None:
    save.figure(
        calibration_figure(done.calibration, mode=desk.mode()),
        key="model_calibration",
        title="Do the predicted risks come true?",
        aside=f"within {say.duration(when, unit)}",
        alt=calibration_alt(done.calibration),
        note=f"{say.patients(done.n)}, {say.events(done.n_events)}, in fifths of predicted risk; observed by "
        "Kaplan-Meier with 95% interval; predictions from the folds that had not seen the patient.",
        stem="calibration",
        rows=lambda: calibration_rows(done.calibration),
    )


def reasons(cohort: Cohort, outcome: Outcome, when: float, unit: Unit) -> None:
    """What the model's risks are made of over the cohort."""
    with desk.fixable():
        told = desk.overall(cohort, outcome, when, unit)
        left, right = page.split("reasons", 1, 1.4)
        error = "" if told.sampling_error is None else f" Sampled; error {100 * told.sampling_error:.2f} points."
        note = (
            f"Shapley values of the risk within {say.duration(when, unit)}: {say.patients(told.n_patients)}, "
            f"against {told.n_background} of them.{error}"
        )
        with left, st.container(border=True, key="card_importance"):
            save.figure(
                importance_figure(told, mode=desk.mode()),
                key="model_importance",
                title="What moves the risk most",
                aside="mean size, in points",
                alt=importance_alt(told),
                note=note,
                stem="importance",
                rows=lambda: importance_rows(told),
            )
        with right, st.container(border=True, key="card_swarm"):
            save.figure(
                beeswarm_figure(told, mode=desk.mode()),
                key="model_swarm",
                title="In which direction",
                aside="one dot per patient" if told.n_patients <= DRAWN else f"one dot for each of {DRAWN} patients",
                alt=beeswarm_alt(told),
                note=note,
                stem="contributions",
                rows=lambda: beeswarm_rows(told),
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
