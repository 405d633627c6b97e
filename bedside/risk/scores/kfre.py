"""Kidney Failure Risk Equation with four variables: dialysis or transplantation within 2 and 5 years."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import RiskOf, Score, Source, Values, Worked
from bedside.risk.scores.common import SEX, age, choice
from bedside.risk.scores.inputs import Input

SURVIVAL = {"north_america": (0.9750, 0.9240), "elsewhere": (0.9832, 0.9365)}
"""Chance of remaining free of kidney failure for 2 and 5 years at the centre of the equation."""


def _work(v: Values) -> Worked:
    index = (
        -0.2201 * (v["age"] / 10 - 7.036)
        + 0.2467 * ((v["sex"] == "male") - 0.5642)
        - 0.5567 * (v["egfr"] / 5 - 7.222)
        + 0.4510 * (np.log(v["acr"]) - 5.137)
    )
    american = v["region"] == "north_america"
    hazard = np.exp(index)
    two, five = (
        1 - np.where(american, ours, theirs) ** hazard
        for ours, theirs in zip(SURVIVAL["north_america"], SURVIVAL["elsewhere"], strict=True)
    )
    return Worked(five, (two, five))


KFRE = Score(
    key="kfre",
    name="Kidney Failure Risk Equation (4 variables)",
    predicts="Kidney failure treated with dialysis or a transplant, within 2 and within 5 years.",
    population="Adults with chronic kidney disease of stage G3a to G5 (filtration rate below 60), not on dialysis and "
    "without a transplant.",
    inputs=(
        age(18, 110),
        SEX,
        Input("egfr", "Estimated filtration rate (eGFR)", "mL/min/1.73 m²", range=(10, 60), published=True),
        Input("acr", "Urine albumin-to-creatinine ratio", "mg/g", (("mg/mmol", 8.84),), range=(1, 20000)),
        choice("region", "Where the patient lives", ("north_america", "North America"),
               ("elsewhere", "Anywhere else"), note="The equation was recalibrated outside North America."),
    ),
    formula="1 − S0(t) ^ exp(−0.2201 × (age/10 − 7.036) + 0.2467 × (male − 0.5642) − 0.5567 × (eGFR/5 − 7.222) + "
    "0.4510 × (ln ACR (mg/g) − 5.137)), with S0 0.9750 (2 years) and 0.9240 (5 years) in North America, 0.9832 and "
    "0.9365 elsewhere",
    source=Source(
        "Tangri N, Grams ME, Levey AS, et al. Multinational assessment of accuracy of equations for predicting risk of "
        "kidney failure: a meta-analysis. JAMA 2016;315:164-174",
        "10.1001/jama.2015.18202",
        ("Tangri N, Stevens LA, Griffith J, et al. A predictive model for progression of chronic kidney disease to "
         "kidney failure. JAMA 2011;305:1553-1559. doi:10.1001/jama.2011.451",),
    ),
    work=_work,
    decimals=1,
    percent=True,
    risk_of=(RiskOf("kidney_failure_2", "kidney failure", 2.0), RiskOf("kidney_failure_5", "kidney failure", 5.0)),
    caution="Death before kidney failure is not accounted for. NICE guideline NG203 (2021) names a 5-year risk above "
    "5% as a reason for referral.",
)  # fmt: skip
