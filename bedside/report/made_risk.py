"""How the figures of the risk model were made: a paragraph, and scripts that compute them again.

Hazard ratios and a patient's curve are computed again from the model's columns, by the regression's own code and by
lifelines; calibration and contributions from the patients' values, by the steps that the page took.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from bedside import risk
from bedside.cohort import Cohort, Unit
from bedside.report import say
from bedside.report.made import Made, Table
from bedside.report.made_scripts_risk import CALIBRATION, GLOBAL, ONE_PATIENT, bedside_design, bedside_values, lifelines
from bedside.report.made_words import versions

DESIGN_DATA, VALUES_DATA = "model-columns.csv", "model-values.csv"
POINTS_OF_CURVE = 9


def ratios_made(cohort: Cohort, model: risk.Model) -> Made:
    """The forest of hazard ratios.

    Parameters
    ----------
    cohort : Cohort
        The patients that the model was fitted on.
    model : Model
    """
    shown = [(told.label, _weights(model, told).tolist()) for told in risk.coefficients(model)]
    top = _of_model(model) + f"SHOWN = {_listed(shown)}\n"
    text = f"{_fitted(model)} Hazard ratios are those of the steps named, with 95% Wald intervals. {_stamp(model)}"
    scripts = (("bedside", bedside_design(top, DESIGN_DATA, curve=False)),
               ("lifelines", lifelines(top, DESIGN_DATA, curve=False)))  # fmt: skip
    return Made(text, scripts, _design(cohort, model), DESIGN_DATA)


def curve_made(cohort: Cohort, model: risk.Model, row: int) -> Made:
    """One patient's curve.

    Parameters
    ----------
    cohort, model
        As in `ratios_made`.
    row : int
        The patient's place in the cohort.
    """
    x = model.design.encode(cohort.frame.iloc[[row]])[0]
    top = _of_model(model) + f"PATIENT = {x.tolist()!r}\nTIMES = {_times(model)!r}\n"
    text = (
        f"{_fitted(model)} The patient's curve is exp(−H(t)) with Efron's estimate of the cumulative baseline hazard "
        f"times the exponential of the linear predictor, with a pointwise 95% log-log interval. {_stamp(model)} "
        "(lifelines has Breslow's estimate of the baseline, which differs a little where events are tied, and no "
        "interval.)"
    )
    scripts = (("bedside", bedside_design(top, DESIGN_DATA, curve=True)),
               ("lifelines", lifelines(top, DESIGN_DATA, curve=True)))  # fmt: skip
    return Made(text, scripts, _design(cohort, model), DESIGN_DATA)


def calibration_made(cohort: Cohort, model: risk.Model, done: risk.Validation) -> Made:
    """Predicted against observed risks."""
    text = (
        f"{_fitted(model)} Calibration within {say.duration(done.t, done.unit)} is that of {done.folds}-fold "
        "cross-validation: each patient's risk was predicted by a model fitted without the patient's fold, in which "
        "variables were chosen, filled and scaled anew; groups of similar predicted risk were compared with 1 − "
        f"Kaplan-Meier, with pointwise 95% intervals. {_stamp(model)}"
    )
    script = bedside_values(_of_cohort(cohort, model) + f"WHEN = {float(done.t)!r}\n", VALUES_DATA, CALIBRATION)
    return Made(text, (("bedside", script),), _values(cohort, model), VALUES_DATA)


def reasons_made(cohort: Cohort, model: risk.Model, row: int | None, when: float, unit: Unit) -> Made:
    """Contributions to the risk: of one patient, or with no row of many.

    Parameters
    ----------
    cohort, model, row
        As in `curve_made`.
    when : float
        In `unit`.
    unit : {"days", "weeks", "months", "years"}
    """
    whose = "many patients" if row is None else "one patient"
    text = (
        f"{_fitted(model)} Contributions to the risk within {say.duration(when, unit)} of {whose} are Shapley values: "
        "the mean change of the predicted risk when a value is made known, over all orders of the variables, against "
        f"patients evenly spaced from the lowest to the highest risk. {_stamp(model)}"
    )
    top = _of_cohort(cohort, model) + f"WHEN = {float(when)!r}\nUNIT = {unit!r}\n"
    top += "" if row is None else f"PATIENT = {int(row)}\n"
    script = bedside_values(top, VALUES_DATA, GLOBAL if row is None else ONE_PATIENT)
    return Made(text, (("bedside", script),), _values(cohort, model), VALUES_DATA)


def _weights(model: risk.Model, told: risk.Coefficient) -> np.ndarray:
    """How many of each column a hazard ratio of the figure is."""
    columns = model.columns(told.variable)
    if told.level is None and model.reading(told.variable).knots:
        seen = model.ranges[told.variable]
        low, high = (seen.q1, seen.q3) if seen.q1 < seen.q3 else (seen.low, seen.high)
        below, above = model.contrast(told.variable, (low, high))
        return above - below
    weights = np.zeros(len(model.coef))
    weights[next(j for j in columns if model.terms[j].level == told.level)] = told.step
    return weights


def _times(model: risk.Model) -> list[float]:
    """A few times of events, from the first to the last."""
    time = model.baseline.time
    return [float(t) for t in time[np.unique(np.linspace(0, len(time) - 1, POINTS_OF_CURVE).astype(int))]]


def _of_model(model: risk.Model) -> str:
    return f"PENALIZER = {float(model.penalizer)!r}  # the ridge, in lifelines' unit\n"


def _of_cohort(cohort: Cohort, model: risk.Model) -> str:
    """Outcome and variables as the dictionary has them, as ASCII literals of Python."""
    outcome = model.outcome.model_dump_json(exclude_defaults=True)
    variables = json.dumps([v.model_dump(mode="json", exclude_defaults=True) for v in cohort.predictors])
    texts = [v.name for v in cohort.predictors if not v.is_numeric]
    return (
        f"KEY = {cohort.key!a}\nOUTCOME = {outcome!a}\nVARIABLES = {variables!a}\n"
        f"TEXTS = {[*texts, model.outcome.status]!a}\n"
        f"KNOTS = {int(model.settings.get('knots', 0))}  # of the curves of numbers; 0 for straight lines\n"
    )


def _listed(shown: Sequence[tuple[str, list[float]]]) -> str:
    return "[\n" + "".join(f"    ({label!a}, {weights!r}),\n" for label, weights in shown) + "]"


def _design(cohort: Cohort, model: risk.Model) -> Table:
    x, entry = model.design.encode(cohort.frame), cohort.entry(model.outcome)
    columns = [("time", cohort.time(model.outcome)), ("event", cohort.event(model.outcome).astype(int))]
    columns += [] if entry is None else [("entry", entry)]
    columns += [(f"x{j + 1}", x[:, j]) for j in range(x.shape[1])]
    keep = np.ones(len(x), dtype=bool) if entry is None else ~np.isnan(entry)
    rows = zip(*(values[keep].tolist() for _, values in columns), strict=True)
    return [name for name, _ in columns], [list(row) for row in rows]


def _values(cohort: Cohort, model: risk.Model) -> Table:
    end = model.outcome
    of_end = [name for name in (end.time, end.status, end.entry) if name]
    names = dict.fromkeys([*(v.name for v in cohort.predictors), *of_end])
    part = cohort.frame[list(names)]
    rows = part.astype(object).where(part.notna(), None).to_numpy().tolist()
    return list(names), rows


def _fitted(model: risk.Model) -> str:
    knots = int(model.settings.get("knots", 0))
    curved = f" Numbers were read as restricted cubic splines with {knots} knots." if knots else ""
    return (
        f"The time to {say.in_sentence(model.outcome.label)} was modelled by Cox regression with a light ridge "
        f"({say.patients(model.n)}, {say.events(model.n_events)}, {len(model.variables)} variables in "
        f"{len(model.coef)} columns; ties after Efron; ridge {model.penalizer:.4g} in lifelines' unit). Missing values "
        f"were filled with the median or the commonest group.{curved}"
    )


def _stamp(model: risk.Model) -> str:
    return f"Computed with {versions()}; data and filter {model.cohort_fingerprint[:12]}."
