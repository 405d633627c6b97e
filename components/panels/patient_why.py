"""Why this risk and not the average: the headline, the main reasons in words, and the waterfall."""

from __future__ import annotations

from bedside import explain, risk
from bedside.report import made_risk, say
from bedside.report.made import Made
from bedside.report.made_words import versions
from components import model_choice
from components.figures.waterfall import waterfall_alt, waterfall_figure, waterfall_rows
from components.panels import page, save
from components.panels.patient_view import View


def panel(view: View) -> None:
    """The reasons of this risk; nothing where no risk can be given."""
    explanation, decimals = view.explanation, view.decimals
    if explanation is None:
        return
    sentences = page.join(page.fill("<li>{s}</li>", s=s) for s in explain.reasons(explanation, decimals=decimals))
    save.figure(
        lambda mode: waterfall_figure(explanation, mode=mode, decimals=decimals),
        key="patient_why",
        title=explain.headline(explanation),
        lead=page.fill(
            '<p class="bs-muted">Compared with the average of {n} patients here:</p><ol class="bs-reasons">{s}</ol>',
            s=sentences,
            n=explanation.n_background,
        ),
        alt=waterfall_alt(explanation, decimals=decimals),
        note=f"{_additivity(explanation)}{_two_averages(view, explanation)}",
        stem="patient-reasons",
        rows=lambda: waterfall_rows(explanation),
        made=lambda: _reasons_made(view),
    )


def _reasons_made(view: View) -> Made:
    """With scripts for a Cox model of the cohort's own predictors, else in words."""
    model = view.model
    if isinstance(model, risk.Model) and not view.choice.left_out and not view.choice.wide:
        return made_risk.reasons_made(view.cohort, model, view.row, view.when, view.unit)
    return Made(
        f"Contributions to the risk {view.by} are Shapley values of the {model_choice.named(view.choice.kind)} "
        f"({say.patients(model.n)}, {say.events(model.n_events)}): the mean change of the predicted risk when a value "
        "is made known, over all orders of the variables, against patients evenly spaced from the lowest to the "
        f"highest risk. Computed with {versions()}; data and filter {model.cohort_fingerprint[:12]}."
    )


def _two_averages(view: View, explanation: explain.Explanation) -> str:
    """Why the average the reasons start from is not the one of the cohort's curve, where the two differ in words."""
    said, seen = say.percent(explanation.base), say.percent(1 - view.curve.at_horizon[1])
    if said == seen:
        return ""
    return f" The average here, {said}, is the model's of those patients; {seen} of all were observed to have it."


def _additivity(explanation: explain.Explanation) -> str:
    how = "Exact Shapley values" if explanation.sampling_error is None else "Shapley values from sampled orders"
    error = explanation.additivity_error
    checked = "checked to nine decimals" if error < 1e-9 else f"checked, difference {100 * error:.0e} points"
    text = f"{how} of the risk, in percentage points, against {explanation.n_background} patients of this cohort. "
    text += f"They add up to the risk ({checked})."
    if explanation.sampling_error is not None:
        text += f" Standard error of each up to {100 * explanation.sampling_error:.2f} points."
    return text
