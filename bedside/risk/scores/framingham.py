"""Framingham 2008: any cardiovascular disease within 10 years, from laboratory values."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import RiskOf, Score, Source, Values, Worked
from bedside.risk.scores.common import MG_DL_CHOLESTEROL, SEX, SYSTOLIC, age, is_yes, yes_no
from bedside.risk.scores.inputs import Input

WOMEN = (2.32888, 1.20904, -0.70833, 2.76157, 2.82263, 0.52873, 0.69154, 26.1931, 0.95012)
MEN = (3.06117, 1.12370, -0.93263, 1.93303, 1.99881, 0.65451, 0.57367, 23.9802, 0.88936)
"""ln age, ln total cholesterol, ln HDL, ln pressure untreated and treated, smoking, diabetes; mean; S0(10 years)."""


def _work(v: Values) -> Worked:
    female = v["sex"] == "female"
    (b_age, b_total, b_hdl, b_free, b_treated, b_smoker, b_diabetes, mean, s0) = (
        np.where(female, w, m) for w, m in zip(WOMEN, MEN, strict=True)
    )
    index = (
        b_age * np.log(v["age"])
        + b_total * np.log(v["total_cholesterol"])
        + b_hdl * np.log(v["hdl_cholesterol"])
        + np.where(v["bp_treated"] == "yes", b_treated, b_free) * np.log(v["systolic"])
        + b_smoker * is_yes(v["smoker"])
        + b_diabetes * is_yes(v["diabetes"])
    )
    risk = 1 - s0 ** np.exp(index - mean)
    return Worked(risk, (risk,))


FRAMINGHAM = Score(
    key="framingham",
    name="Framingham 2008 (general cardiovascular disease)",
    predicts="A first cardiovascular event within 10 years: coronary disease, stroke, peripheral arterial disease or "
    "heart failure.",
    population="Adults of 30 to 74 years without cardiovascular disease. Made in Framingham, Massachusetts, in people "
    "of mostly European descent: elsewhere and today the risk is often lower.",
    inputs=(
        age(30, 74),
        SEX,
        Input("total_cholesterol", "Total cholesterol", "mg/dL", (("mmol/L", MG_DL_CHOLESTEROL),), range=(80, 450)),
        Input("hdl_cholesterol", "HDL cholesterol", "mg/dL", (("mmol/L", MG_DL_CHOLESTEROL),), range=(10, 150)),
        SYSTOLIC,
        yes_no("bp_treated", "Treatment for high blood pressure"),
        yes_no("smoker", "Current smoker"),
        yes_no("diabetes", "Diabetes"),
    ),
    formula="1 − S0 ^ exp(Σ − mean). Women: 2.32888 × ln age + 1.20904 × ln total cholesterol − 0.70833 × ln HDL + "
    "2.76157 × ln systolic pressure (2.82263 if treated) + 0.52873 if smoking + 0.69154 if diabetic; mean 26.1931, S0 "
    "0.95012. Men: 3.06117, 1.12370, −0.93263, 1.93303 (1.99881), 0.65451, 0.57367; mean 23.9802, S0 0.88936",
    source=Source(
        "D'Agostino RB, Vasan RS, Pencina MJ, et al. General cardiovascular risk profile for use in primary care: the "
        "Framingham Heart Study. Circulation 2008;117:743-753",
        "10.1161/CIRCULATIONAHA.107.699579",
    ),
    work=_work,
    decimals=1,
    percent=True,
    risk_of=(RiskOf("cvd_10", "cardiovascular disease", 10.0),),
)
