"""Short Python scripts that recompute weighted and standardised curves: with `bedside`, and with lifelines alone.

What comes from data (names of groups) is written as a Python literal of ASCII letters, so that no name can become
code; everything else in a script is our own text, numbers or one of a few known words.
"""

from __future__ import annotations

from dataclasses import dataclass

from bedside.cohort.units import Unit
from bedside.report.made_scripts import PRINT, literal
from bedside.treatment import Adjusted, Standardised

BEDSIDE = '''"""Recomputes curves as if groups had been alike, from the file named below; prints them as JSON."""

import csv
import json
from pathlib import Path

import numpy as np

from bedside import survival, treatment
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.survival.events import rows_of
from bedside.treatment.standardise import designs_of, standard_survival

FILE = {file}
GROUPS = {groups}
AT = {at}  # {unit}

with Path(__file__).with_name(FILE).open(encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file))


def column(name):
    """One column of the file."""
    return np.array([float(row[name]) for row in rows])


def plain(values):
    """Numbers for JSON; what is not known is null."""
    return [None if value != value else value for value in np.asarray(values, dtype=float).tolist()]


time, event, code = column("time"), column("event") == 1, column("group").astype(int) - 1
entry = {entry}
x = np.column_stack([column(name) for name in rows[0] if name.startswith("x")] or [np.zeros((len(rows), 0))])
found = {{}}

'''
WEIGHTS = """covariates = treatment.Covariates(x, (), x, (), np.arange(len(x)), 0, ())
scores = treatment.propensity(covariates, code, GROUPS)
weights = treatment.weights_of(scores, {estimand}, target={target}, truncate={truncate}).value
found["weighted"] = []
for number, label in enumerate(GROUPS):
    here = code == number
    curve = survival.kaplan_meier(
        time[here], event[here], entry=None if entry is None else entry[here], weights=weights[here], robust=True,
        group=label, unit={unit}, level={level}, interval={interval},
    )
    found["weighted"].append({{
        "group": label, "n": curve.n, "events": curve.n_events, "time": plain(curve.time),
        "survival": plain(curve.survival), "lower": plain(curve.lower), "upper": plain(curve.upper),
        "at": plain(curve.at([AT]).survival)[0],
    }})
ratios = treatment.hazard_ratios(
    rows_of(time, event, entry=entry, weights=weights), code, GROUPS, reference={reference}, level={level}
)
found["hazard_ratios"] = [
    {{"group": one.label, "against": one.reference, "hr": plain([one.hr])[0],
     "interval": plain([one.lower, one.upper])}}
    for one in ratios
]
"""
STANDARD = """marks = (code[:, None] == np.arange(1, len(GROUPS))).astype(float)
fit = fit_cox(cox_data(np.column_stack((marks, x)), time, event, entry=entry), ties="breslow")
shares = standard_survival(fit, designs_of(x, len(GROUPS)), np.array([AT]))[0]
found["standardised"] = [{"group": label, "at": plain(share)[0]} for label, share in zip(GROUPS, shares)]
"""
LIFELINES = '''"""Recomputes weighted curves with lifelines from the file named below; prints them as JSON.

The weights are read from the file.
{remarks}"""

import json
import warnings
from pathlib import Path

import pandas as pd
from lifelines import CoxPHFitter, {fitter}
from lifelines.exceptions import StatisticalWarning

# lifelines warns of weights that are no whole numbers: its interval of a weighted curve is not robust, and not used.
warnings.simplefilter("ignore", StatisticalWarning)

FILE = {file}
GROUPS = {groups}
AT = {at}  # {unit}
REFERENCE = {reference}

data = pd.read_csv(Path(__file__).with_name(FILE), encoding="utf-8-sig", float_precision="round_trip")
found = {{"weighted": [], "hazard_ratios": []}}
for number, label in enumerate(GROUPS, start=1):
    part = data[data["group"] == number]
{curve}
    known = AT <= part["time"].max() or survival.iloc[-1] == 0
    found["weighted"].append({{
        "group": label, "n": len(part), "events": int(part["event"].sum()),
        "time": [float(t) for t in survival.index], "survival": [float(s) for s in survival],
        "at": float(survival.asof(AT)) if known else None,
    }})

others = [number for number in range(1, len(GROUPS) + 1) if number != REFERENCE]
frame = data[{columns}].copy()
for number in others:
    frame[f"group {{number}}"] = (data["group"] == number).astype(float)
cox = CoxPHFitter(alpha={alpha})
cox.fit(frame, "time", "event", weights_col="weight", robust=True{entry_col}, fit_options={{"precision": 1e-10}})
for number in others:
    row = cox.summary.loc[f"group {{number}}"]
    low, high = (float(row[name]) for name in row.index if name.startswith("exp(coef) "))
    found["hazard_ratios"].append({{
        "group": GROUPS[number - 1], "against": GROUPS[REFERENCE - 1], "hr": float(row["exp(coef)"]),
        "interval": [low, high],
    }})
'''


KAPLAN_MEIER = """    fitter = KaplanMeierFitter().fit(part["time"], part["event"], weights=part["weight"])
    survival = fitter.survival_function_.iloc[:, 0]"""
WITH_ENTRY = """    # KaplanMeierFitter stops at weights with entry; the Nelson-Aalen estimate has the same steps.
    fitter = NelsonAalenFitter(nelson_aalen_smoothing=False)
    fitter.fit(part["time"], part["event"], weights=part["weight"], entry=part["entry"])
    survival = (1 - fitter.cumulative_hazard_.iloc[:, 0].diff().fillna(0)).cumprod()"""


@dataclass(frozen=True, eq=False)
class Told:
    """What a script needs to know; `at` in the outcome's `unit`."""

    labels: tuple[str, ...]
    unit: Unit
    at: float
    entry: bool
    weighted: Adjusted | None
    standard: Standardised | None


def bedside(told: Told, file: str) -> str:
    """Propensities, weights, weighted curves and hazard ratios, and standardised shares, from the rows on."""
    text = BEDSIDE.format(
        file=literal(file), groups=literal(told.labels), at=repr(told.at), unit=told.unit,
        entry='column("entry")' if told.entry else "None",
    )  # fmt: skip
    found = told.weighted
    if found is not None:
        weights = found.weights
        text += WEIGHTS.format(
            estimand=literal(weights.estimand), target=repr(weights.target), truncate=repr(weights.truncated),
            unit=literal(told.unit), level=repr(found.level), interval=literal(found.curves[0].interval),
            reference=found.reference,
        )  # fmt: skip
    if told.standard is not None:
        text += STANDARD
    return text + PRINT


def lifelines(told: Told, file: str) -> str:
    """Weighted curves and hazard ratios, the weights read from the file."""
    found = told.weighted
    if found is None:
        raise ValueError("lifelines recomputes weighted curves, and there are none")
    remarks = (
        "\nIntervals of the curves are left out: lifelines has no robust ones. Where weighted events are tied,\n"
        "its hazard ratios differ from R's in the sixth digit, and its robust intervals in the fifth.\n"
    )
    if told.standard is not None:
        remarks += "Standardisation is left out: lifelines' Cox model has Efron's ties only.\n"
    columns = ["time", "event", "weight"] + (["entry"] if told.entry else [])
    return LIFELINES.format(
        remarks=remarks, file=literal(file), groups=literal(told.labels), at=repr(told.at), unit=told.unit,
        reference=found.reference + 1, curve=WITH_ENTRY if told.entry else KAPLAN_MEIER, columns=literal(columns),
        fitter="NelsonAalenFitter" if told.entry else "KaplanMeierFitter",
        entry_col=', entry_col="entry"' if told.entry else "", alpha=repr(round(1 - found.level, 10)),
    ) + PRINT  # fmt: skip
