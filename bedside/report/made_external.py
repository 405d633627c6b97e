"""How a test on patients from elsewhere was made: a paragraph, and scripts that compute its numbers from the risks."""

from __future__ import annotations

from bedside.cohort import Outcome
from bedside.report import say
from bedside.report.made import Made, Table
from bedside.report.made_words import versions
from bedside.risk.fitted import Fitted
from bedside.validation.external import External

DATA = "elsewhere.csv"


def external_made(model: Fitted, found: External, outcome: Outcome, fingerprint: str, *, updated: str = "") -> Made:
    """O/E, ranking, accuracy and groups of one model on another cohort.

    Parameters
    ----------
    model : Fitted
    found : External
        The last of its times is the one the scripts are about.
    outcome : Outcome
        Of these patients.
    fingerprint : str
        Of these patients.
    updated : str, optional
        How a recalibration was judged, for the paragraph.
    """
    t = float(found.times[-1])
    top = f"WHEN = {t!r}\n"
    scripts = [("bedside", _READ.format(top=top, name=DATA) + _BEDSIDE)]
    if not found.rows.competes and found.rows.entry is None:
        scripts.append(("lifelines", _READ_LIFELINES.format(top=top, name=DATA) + _LIFELINES))
    return Made(_methods(model, found, outcome, t, fingerprint, updated), tuple(scripts), _table(found), DATA)


def _methods(model: Fitted, found: External, outcome: Outcome, t: float, fingerprint: str, updated: str) -> str:
    absent = [item.variable for item in found.mapping if item.column is None]
    filled = f" {len(absent)} without a column here were filled with the values of the model's own patients." * bool(
        absent
    )
    competing = " (Aalen-Johansen, other events competing)" if found.rows.competes else " (Kaplan-Meier)"
    return (
        f"A {say.in_sentence(model.label)} of {say.in_sentence(model.outcome.label)}, fitted to "
        f"{say.patients(model.n)} with {say.events(model.n_events)} (model {model.fingerprint[:12]}), was applied "
        f"unchanged to {say.patients(found.performance.n)} of {found.cohort_title} with "
        f"{say.events(found.performance.n_events)} of “{outcome.label}”; its {len(found.mapping)} variables were read "
        f"from their columns.{filled} Risks by {say.readable(t, outcome.unit)} were compared with the observed "
        f"risk{competing} by the ratio of observed to expected, calibration intercept and slope on the log(-log) scale "
        "from pseudo-values, a smooth calibration curve and fifths of predicted risk; ranking by Harrell's "
        "concordance, accuracy by the Brier score weighted for censoring and the index of prediction accuracy against "
        f"these patients' own curve. Intervals are at 95%.{' ' * bool(updated)}{updated} Computed with {versions()}; "
        f"patients {fingerprint[:12]}."
    )


def _table(found: External) -> Table:
    rows = found.rows
    columns = [("time", rows.time.tolist()), ("cause", rows.cause.tolist())]
    columns += [] if rows.entry is None else [("entry", rows.entry.tolist())]
    columns += [("risk", found.risk[:, -1].tolist()), ("score", found.score.tolist())]
    return [name for name, _ in columns], [list(row) for row in zip(*(values for _, values in columns), strict=True)]


_READ = '''"""Computes the test on patients from elsewhere again with bedside from {name}, in the same folder."""

import csv
from pathlib import Path

import numpy as np

from bedside.validation.external import performance
from bedside.validation.measure import rows_of

{top}
with (Path(__file__).parent / "{name}").open(encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file))


def column(name):
    return np.array([float(row[name]) for row in rows]) if name in rows[0] else None


time, cause, entry = column("time"), column("cause").astype(int), column("entry")
risk, score = column("risk"), column("score")
'''

_BEDSIDE = """
found = performance(rows_of(time, cause, entry), risk[:, None], score, np.array([WHEN]))
at = found.at[0]
print("all", *(repr(float(v)) for v in (at.overall.expected, at.overall.observed.risk, at.overall.ratio)), sep="\\t")
for name, value in (("concordance", found.c), ("slope", at.slope), ("brier", at.brier), ("accuracy", at.ipa)):
    print(name, *(repr(float(v)) for v in (value.value, value.lower, value.upper)), sep="\\t")
for g in at.groups:
    print("group", *(repr(float(v)) for v in (g.predicted, g.observed, g.lower, g.upper)), sep="\\t")
"""

_READ_LIFELINES = '''"""Computes the same test with lifelines alone from {name}, in the same folder."""

from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.utils import concordance_index

{top}
frame = pd.read_csv(Path(__file__).parent / "{name}", float_precision="round_trip")
'''

_LIFELINES = """
whole = KaplanMeierFitter().fit(frame["time"], frame["cause"])
expected, observed = float(frame["risk"].mean()), 1 - float(whole.predict(WHEN))
print("all", repr(expected), repr(observed), repr(observed / expected), sep="\\t")
print("concordance", repr(float(concordance_index(frame["time"], -frame["score"], frame["cause"]))), sep="\\t")
edges = np.unique(np.quantile(frame["risk"], np.arange(1, 5) / 5))
for _, part in frame.groupby(np.searchsorted(edges, frame["risk"])):
    curve = KaplanMeierFitter().fit(part["time"], part["cause"])
    print("group", repr(float(part["risk"].mean())), repr(1 - float(curve.predict(WHEN))), sep="\\t")
"""
