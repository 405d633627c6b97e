"""What the model goes by over the whole cohort: each view closed until it is asked for, whatever kind of model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from bedside import explain, risk
from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.explain.overtime import OverTime, dependence
from bedside.explain.whole import at_one_time
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_risk import reasons_made
from bedside.risk.fitted import Fitted
from bedside.risk.parts import parts
from components import desk, numbers_models
from components.figures.beeswarm import beeswarm_alt, beeswarm_figure, beeswarm_rows, dots_text
from components.figures.dependence import dependence_alt, dependence_figure, dependence_rows
from components.figures.importance import importance_alt, importance_figure, importance_rows
from components.figures.reasons_over_time import (
    importance_over_time_alt,
    importance_over_time_figure,
    importance_over_time_rows,
    stability_alt,
    stability_figure,
    stability_rows,
)
from components.model_choice import Choice
from components.panels import page, save
from components.panels.pick import told_apart

SHARES = (0.25, 0.5, 0.75, 1.0)
"""Of the longest time that the slider offers: when importance is worked out besides the time asked for."""


def board(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, when: float, unit: Unit) -> None:
    """Four views under a heading; the first is open where the model has no ratios to show."""
    page.heading("What it goes by", f"contributions to the risk within {say.duration(when, unit)}")
    t = float(convert(when, unit, outcome.unit))
    times = _times(cohort, outcome, fitted, t)
    first = st.expander(
        "Which variables move the predicted risk most, and in which direction",
        key=f"model_goes_{choice.kind}", expanded=not parts(fitted), on_change="rerun",
    )  # fmt: skip
    if first.open:
        with first, desk.fixable():
            told = numbers_models.explained(cohort, outcome, choice, fitted, times)
            if told is not None:
                made = _made(cohort, choice, fitted, when, unit)
                _most(at_one_time(told, _at(told, t), when, unit), made)
    views = (("time", "Does that change over time?", _over_time), ("one", "One variable at a time", _one))
    for key, label, draw in views:
        panel = st.expander(label, key=f"model_goes_{key}", on_change="rerun")
        if panel.open:
            with panel, desk.fixable():
                told = numbers_models.explained(cohort, outcome, choice, fitted, times, slot=key)
                if told is not None:
                    draw(cohort, outcome, fitted, told, when, unit)
    panel = st.expander("Is it the same in other patients?", key="model_goes_steady", on_change="rerun")
    if panel.open:
        with panel, desk.fixable():
            _steady(cohort, outcome, choice, t, when, unit)
    recomputed(cohort, outcome, choice, fitted, when, unit)


def recomputed(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, when: float, unit: Unit) -> None:
    """A Cox model and its reasons by independent software, on these very patients, when the reader asks."""
    if not isinstance(fitted, risk.Model) or outcome.entry:
        return
    panel = st.expander("Recompute with independent software", key="model_recomputed", on_change="rerun")
    if not panel.open:
        return
    with panel, desk.fixable():
        t = float(convert(when, unit, outcome.unit))
        fit, reasons = numbers_models.recomputed(cohort, outcome, choice, fitted, t)
        rows = [("Coefficients of the Cox model", "lifelines", f"{fit:.0e} standard units")]
        if reasons is not None:
            rows.append(("Reasons of the first three patients", "shap, exact", f"{100 * reasons:.0e} points"))
        page.table(("What", "Recomputed by", "Largest difference"), rows, label="Independent recomputation")
        page.caption("lifelines stops a little before the exact maximum; agreement to about 1e-05 is what it can give.")


def _made(cohort: Cohort, choice: Choice, fitted: Fitted, when: float, unit: Unit) -> Callable[[], Made] | None:
    """Scripts know the plain model of the usual predictors."""
    plain = isinstance(fitted, risk.Model) and not fitted.settings.get("knots")
    if not plain or choice.left_out or choice.wide:
        return None
    return lambda: reasons_made(cohort, fitted, None, when, unit)


def _times(cohort: Cohort, outcome: Outcome, fitted: Fitted, t: float) -> tuple[float, ...]:
    """The time asked for, and a few that do not depend on it."""
    last = min(float(desk.curves(cohort, outcome, None)[0].reliable_until(10)), fitted.last)
    return tuple(sorted({t, *(share * last for share in SHARES if share * last > 0)}))


def _at(told: OverTime, t: float) -> int:
    return int(np.argmin(np.abs(told.times - t)))


def _basis(told: explain.Global | OverTime, n: int, when: float, unit: Unit) -> str:
    how = told.method if isinstance(told, explain.Global) else told.how
    error = "" if told.sampling_error is None else f" Sampled, standard error {100 * told.sampling_error:.2f} points."
    exact = " Exact." if how == "exact" else ""
    return (
        f"Shapley values of the risk within {say.duration(when, unit)}: {say.patients(n)}, against "
        f"{told.n_background} of them.{exact}{error} What goes with the model’s risk, not what causes it."
    )


def _most(told: explain.Global, made: Callable[[], Made] | None) -> None:
    left, right = page.split("model_goes", 1, 1)
    note = _basis(told, told.n_patients, told.t, told.unit)
    with left:
        save.figure(
            lambda mode: importance_figure(told, mode=mode),
            key="model_importance",
            title="What the predicted risk depends on most",
            aside="mean size, in points",
            alt=importance_alt(told),
            note=note,
            stem="importance",
            rows=lambda: importance_rows(told),
            made=made,
        )
    with right:
        save.figure(
            lambda mode: beeswarm_figure(told, mode=mode),
            key="model_swarm",
            title="In which direction",
            aside=dots_text(told),
            alt=beeswarm_alt(told),
            note=note,
            stem="contributions",
            rows=lambda: beeswarm_rows(told),
            made=made,
        )


def _over_time(cohort: Cohort, outcome: Outcome, fitted: Fitted, told: OverTime, when: float, unit: Unit) -> None:
    shown = np.array([float(convert(float(t), outcome.unit, unit)) for t in told.times])
    save.figure(
        lambda mode: importance_over_time_figure(told, shown, x_title=f"within how many {unit}", mode=mode),
        key="model_over_time",
        title="What the risk depends on, by how far one looks ahead",
        aside="mean size, in points",
        alt=importance_over_time_alt(told, shown, unit),
        note=_basis(told, len(told.rows), float(shown[-1]), unit)
        + " Contributions grow with the risk itself; compare the order, not the heights.",
        stem="importance-over-time",
        rows=lambda: importance_over_time_rows(told, shown, unit),
    )


def _one(cohort: Cohort, outcome: Outcome, fitted: Fitted, told: OverTime, when: float, unit: Unit) -> None:
    at = _at(told, float(convert(when, unit, outcome.unit)))
    order = np.argsort(-told.mean_abs[:, at], kind="stable")
    names = {told.variables[j].name: told.variables[j].label for j in order}
    shown = told_apart(names)
    if st.session_state.get("model_one") not in names:
        st.session_state["model_one"] = next(iter(names), None)
    name = st.selectbox("Variable", list(names), format_func=shown.__getitem__, key="model_one",
                        persist_state="session")  # fmt: skip
    if name is None:
        page.caption("The model reads no variable.")
        return
    found = dependence(fitted, cohort, told, name, at)
    levels = () if found.variable.is_numeric else _levels(fitted, name)
    partner = (
        f" Its contribution goes together most with {found.partner.label} ({100 * found.strength:.0f}% of what is left "
        "among patients alike in it), whose values colour the dots from low to high."
        if found.partner is not None
        else " It goes together with no other variable beyond chance."
    )
    save.figure(
        lambda mode: dependence_figure(found, levels, mode=mode),
        key="model_dependence",
        title=found.variable.label,
        aside="each dot a patient: the value, and what it adds to the risk",
        alt=dependence_alt(found, levels),
        note=_basis(told, len(told.rows), when, unit) + partner,
        stem="dependence",
        rows=lambda: dependence_rows(found),
    )


def _levels(fitted: Fitted, name: str) -> tuple[str, ...]:
    for part in (fitted, *getattr(fitted, "members", ())):
        for reading in part.design.readings:
            if reading.variable.name == name:
                return tuple(reading.variable.label_of(code) for code in reading.codes)
    return ()


def _steady(cohort: Cohort, outcome: Outcome, choice: Choice, t: float, when: float, unit: Unit) -> None:
    told = numbers_models.steady(cohort, outcome, choice, t)
    if told is None:
        return
    folds = told.importance.shape[0]
    first = told.variables[0].label if told.variables else ""
    always = bool(told.variables) and told.worst[0] == 1
    lead = (
        f"{first} comes first in each of {folds} parts of the patients."
        if always
        else f"{first} comes first on average, but only from place {told.best[0]} to {told.worst[0]} in single parts: "
        "which variable matters most is not settled by these patients."
    )
    save.figure(
        lambda mode: stability_figure(told, mode=mode),
        key="model_steady",
        title="Importance in parts of the patients",
        aside=f"{folds} models, each without one part",
        lead=page.fill("<p>{t}</p>", t=lead),
        alt=stability_alt(told),
        note=f"Mean size of the contributions to the risk within {say.duration(when, unit)} among up to 200 patients "
        f"of the part that the model had not seen; a dot for each of {folds} parts, the bar their mean.",
        stem="importance-in-parts",
        rows=lambda: stability_rows(told),
    )
