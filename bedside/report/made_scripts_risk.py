"""Scripts that compute the figures of the risk model again, as text: settings, the data, the computation.

Text from data stands in them only as ASCII literals of Python, so that no name can end a line or a string.
"""

from __future__ import annotations


def bedside_design(top: str, data: str, *, curve: bool) -> str:
    """From the model's columns, with bedside."""
    return _READ_DESIGN.format(top=top, name=data) + (_BEDSIDE_CURVE if curve else _BEDSIDE_RATIOS)


def lifelines(top: str, data: str, *, curve: bool) -> str:
    """From the model's columns, with lifelines alone."""
    return _READ_LIFELINES.format(top=top, name=data) + (_LIFELINES_CURVE if curve else _LIFELINES_RATIOS)


def bedside_values(top: str, data: str, what: str) -> str:
    """From the patients' values, with bedside."""
    return _READ_VALUES.format(top=top, name=data) + what


_READ_DESIGN = '''"""Computes the model again with bedside from {name}, in the same folder."""

import csv
from pathlib import Path

import numpy as np

from bedside.regression import Ridge, cox_data, fit_cox

{top}
with (Path(__file__).parent / "{name}").open(encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file))


def column(name):
    return np.array([float(row[name]) for row in rows]) if name in rows[0] else None


places = sum(name.startswith("x") for name in rows[0])
x = np.column_stack([column(f"x{{j + 1}}") for j in range(places)])
data = cox_data(x, column("time"), column("event") == 1, entry=column("entry"))
# R's and lifelines' ridge differ by the number of patients.
fit = fit_cox(data, ridge=Ridge(PENALIZER * len(x)) if PENALIZER else None)
'''

_BEDSIDE_RATIOS = """
for label, weights in SHOWN:
    log, error = np.dot(weights, fit.coef), np.sqrt(weights @ fit.naive_variance @ np.array(weights))
    # 97.5th percentile of the normal distribution
    ends = sorted(log + side * 1.959963984540054 * error for side in (-1, 1))
    print(ascii(label), *(repr(float(v)) for v in np.exp([log, *ends])), sep="\\t")
"""

_BEDSIDE_CURVE = """
from bedside.regression.curves import Patients, predicted_curves

(curve,) = predicted_curves(fit, Patients(np.array([PATIENT])), interval="log-log")
at = curve.at(TIMES)
for values in zip(at.time, at.survival, at.lower, at.upper):
    print(*(repr(float(v)) for v in values), sep="\\t")
"""

_READ_LIFELINES = '''"""Computes the model again with lifelines alone from {name}, in the same folder."""

from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

{top}
frame = pd.read_csv(Path(__file__).parent / "{name}")
columns = [name for name in frame if name.startswith("x")]
entry = "entry" if "entry" in frame else None
model = CoxPHFitter(penalizer=PENALIZER, l1_ratio=0.0).fit(
    frame, "time", "event", entry_col=entry, fit_options={{"precision": 1e-10}}
)
'''

_LIFELINES_RATIOS = """
coef, variance = model.params_[columns].to_numpy(), model.variance_matrix_.loc[columns, columns].to_numpy()
for label, weights in SHOWN:
    log, error = np.dot(weights, coef), np.sqrt(weights @ variance @ np.array(weights))
    ends = sorted(log + side * 1.959963984540054 * error for side in (-1, 1))
    print(ascii(label), *(repr(float(v)) for v in np.exp([log, *ends])), sep="\\t")
"""

_LIFELINES_CURVE = """
patient = pd.DataFrame([PATIENT], columns=columns)
for time, share in zip(TIMES, model.predict_survival_function(patient, times=TIMES).iloc[:, 0]):
    print(repr(float(time)), repr(float(share)), sep="\\t")
"""

_READ_VALUES = '''"""Computes the model's figure again with bedside from {name}, in the same folder."""

import json
from pathlib import Path

import pandas as pd

from bedside import explain, risk
from bedside.cohort import Outcome, Variable
from bedside.intake import cohort_from_frame

{top}
frame = pd.read_csv(
    Path(__file__).parent / "{name}", dtype=dict.fromkeys(TEXTS, str), keep_default_na=False,
    na_values=[""], encoding="utf-8-sig", float_precision="round_trip",
)
outcome = Outcome.model_validate_json(OUTCOME)
variables = [Variable.model_validate(told) for told in json.loads(VARIABLES)]
cohort = cohort_from_frame(frame, key=KEY, outcomes=[outcome], variables=variables)
'''

CALIBRATION = """
for point in risk.validate(cohort, outcome, t=WHEN).calibration:
    print(*(repr(float(v)) for v in (point.predicted, point.observed, point.lower, point.upper)), sep="\\t")
"""

_EXPLAINED = """
model = risk.fit(cohort, outcome, knots=KNOTS)
background = explain.background(model, cohort)
"""

ONE_PATIENT = (
    _EXPLAINED
    + """found = explain.explain(model, cohort.frame.iloc[[PATIENT]], background, [WHEN], unit=UNIT)[0]
for part in found.contributions:
    print(ascii(part.label), repr(float(part.points)), sep="\\t")
"""
)

GLOBAL = (
    _EXPLAINED
    + """found = explain.global_explanation(model, cohort, background, WHEN, unit=UNIT)
for label, size in zip(found.labels, found.mean_abs):
    print(ascii(label), repr(float(size)), sep="\\t")
"""
)
