"""How a validation was made: a paragraph, and scripts that compute its numbers again from out-of-fold predictions."""

from __future__ import annotations

from bedside.cohort import Outcome
from bedside.report import say
from bedside.report.made import Made, Table
from bedside.report.made_words import versions
from bedside.validation import Resampled

DATA = "out-of-fold.csv"


def validation_made(of: Resampled, outcome: Outcome, t: float, kind: str, fingerprint: str) -> Made:
    """Ranking of all models, calibration and net benefit of one of them.

    Parameters
    ----------
    of : Resampled
    outcome : Outcome
    t : float
        Time of the risks, one of ``of.times``.
    kind : str
        The model whose calibration it is.
    fingerprint : str
        Of the cohort with its filter.
    """
    top = f"MODELS = {list(of.labels)!a}\nMODEL = {kind!a}\nWHEN = {float(t)!r}\nREPEATS = {of.repeats}\n"
    scripts = [("bedside", _READ.format(top=top, name=DATA) + _BEDSIDE)]
    if not of.rows.competes and of.rows.entry is None:
        scripts.append(("lifelines", _READ_LIFELINES.format(top=top, name=DATA) + _LIFELINES))
    return Made(_methods(of, outcome, t, fingerprint), tuple(scripts), _table(of, t), DATA)


def _methods(of: Resampled, outcome: Outcome, t: float, fingerprint: str) -> str:
    models = ", ".join(label[:1].lower() + label[1:] if label[1:2].islower() and label != "Cox model" else label
                       for label in of.labels.values())  # fmt: skip
    if of.folds == 1:
        held = "Models were judged on the patients they were fitted on (apparent performance)."
    else:
        held = (
            f"Models were judged by {of.folds}-fold cross-validation ({of.repeats} "
            f"repeat{'s' * (of.repeats != 1)}, folds stratified by type of event, seed {of.seed}): each patient's risk "
            "came from models fitted without the patient's fold, in which variables were chosen, filled and scaled, "
            "and settings chosen, anew. Measures are means over folds with their standard deviation; differences "
            "between models were tested with the correction of Nadeau and Bengio for overlapping training parts."
        )
    competing = " and Aalen-Johansen estimates, with the other events competing" if of.rows.competes else ""
    return (
        f"The risk of {say.in_sentence(outcome.label)} by {say.readable(t, outcome.unit)} was predicted by: {models} "
        f"({say.patients(len(of.rows.time))}, {say.events(int((of.rows.cause == 1).sum()))}). {held} Ranking was "
        "measured by Harrell's and Uno's concordance and the time-dependent AUC, accuracy by the Brier score weighted "
        "for censoring and its integral, against the Kaplan-Meier estimate of the training part; calibration by "
        "observed over expected risk, a smooth curve (restricted cubic spline of the complementary log-log of risk) "
        f"with its integrated calibration index, and groups{competing}; usefulness by net benefit. Computed with "
        f"{versions()}; data and filter {fingerprint[:12]}."
    )


def _table(of: Resampled, t: float) -> Table:
    place = int(of.grid.searchsorted(t * (1 - 1e-12)))
    fold = {(part.repeat, row): part.fold for part in of.parts for row in part.rows.tolist()}
    n = len(of.rows.time)
    columns: list[tuple[str, list[float]]] = [("time", of.rows.time.tolist()), ("cause", of.rows.cause.tolist())]
    columns += [] if of.rows.entry is None else [("entry", of.rows.entry.tolist())]
    for r in range(of.repeats):
        columns.append((f"fold_{r + 1}", [fold[r, i] for i in range(n)]))
        for kind in of.labels:
            columns.append((f"{kind}_score_{r + 1}", of.score[kind][r].tolist()))
            columns.append((f"{kind}_risk_{r + 1}", of.risk[kind][r, :, place].tolist()))
    return [name for name, _ in columns], [list(row) for row in zip(*(values for _, values in columns), strict=True)]


_READ = '''"""Computes the validation again with bedside from {name}, in the same folder."""

import csv
from pathlib import Path

import numpy as np

from bedside.validation import calibration_groups, concordance, decision_curve, overall_calibration

{top}
with (Path(__file__).parent / "{name}").open(encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file))


def column(name):
    return np.array([float(row[name]) for row in rows]) if name in rows[0] else None


time, cause, entry = column("time"), column("cause").astype(int), column("entry")
'''

_BEDSIDE = """
for model in MODELS:
    found = []
    for r in range(REPEATS):
        fold, score = column(f"fold_{r + 1}"), column(f"{model}_score_{r + 1}")
        for k in np.unique(fold):
            here = fold == k
            began = None if entry is None else entry[here]
            found.append(concordance(time[here], cause[here], score[here], entry=began).c)
    spread = float(np.nanstd(found, ddof=1)) if len(found) > 1 else float("nan")
    print("concordance", model, repr(float(np.nanmean(found))), repr(spread), sep="\\t")
risk = np.mean([column(f"{MODEL}_risk_{r + 1}") for r in range(REPEATS)], axis=0)
whole = overall_calibration(time, cause, risk, WHEN, entry=entry)
print("all", repr(whole.expected), repr(whole.observed.risk), repr(whole.observed.lower), repr(whole.observed.upper),
      sep="\\t")
for g in calibration_groups(time, cause, risk, WHEN, groups=max(1, min(10, len(time) // 10)), entry=entry):
    print("group", *(repr(float(v)) for v in (g.predicted, g.observed, g.lower, g.upper)), sep="\\t")
benefit = decision_curve(time, cause, risk, WHEN, entry=entry, thresholds=(0.1, 0.2, 0.5))
for at, model, everybody in zip(benefit.thresholds, benefit.model, benefit.everybody):
    print("net benefit", *(repr(float(v)) for v in (at, model, everybody)), sep="\\t")
"""

_READ_LIFELINES = '''"""Computes ranking and calibration again with lifelines alone from {name}, in the same folder."""

from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.utils import concordance_index

{top}
frame = pd.read_csv(Path(__file__).parent / "{name}", float_precision="round_trip")
'''

_LIFELINES = """
for model in MODELS:
    found = []
    for r in range(REPEATS):
        for _, part in frame.groupby(f"fold_{r + 1}"):
            found.append(concordance_index(part["time"], -part[f"{model}_score_{r + 1}"], part["cause"]))
    spread = float(np.std(found, ddof=1)) if len(found) > 1 else float("nan")
    print("concordance", model, repr(float(np.mean(found))), repr(spread), sep="\\t")
risk = frame[[f"{MODEL}_risk_{r + 1}" for r in range(REPEATS)]].mean(axis=1)
whole = KaplanMeierFitter().fit(frame["time"], frame["cause"])
print("all", repr(float(risk.mean())), repr(1 - float(whole.predict(WHEN))), sep="\\t")
number = max(1, min(10, len(frame) // 10))
edges = np.unique(np.quantile(risk, np.arange(1, number) / number))
for _, part in frame.groupby(np.searchsorted(edges, risk)):
    curve = KaplanMeierFitter().fit(part["time"], part["cause"])
    print("group", repr(float(risk[part.index].mean())), repr(1 - float(curve.predict(WHEN))), sep="\\t")
"""
