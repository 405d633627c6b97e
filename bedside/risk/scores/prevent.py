"""AHA PREVENT, base model: cardiovascular disease within 10 and 30 years."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import RiskOf, Score, Source, Values, Worked
from bedside.risk.scores.common import SEX, SYSTOLIC, age, is_yes, yes_no
from bedside.risk.scores.inputs import Input
from bedside.risk.scores.prevent_tables import TABLES, TERMS

MG_DL = 0.02586
"""mmol/L of cholesterol in one mg/dL, as the paper converts."""
LAST_AGE_30 = 59
"""The 30-year risk is given from 30 to 59 years of age."""


def _terms(v: Values) -> dict[str, np.ndarray]:
    """Every term of the three models, centred and scaled as published; shape (n_patients,) each."""
    a = (v["age"] - 55) / 10
    non_hdl = v["total_cholesterol"] - v["hdl_cholesterol"] - 3.5
    hdl = (v["hdl_cholesterol"] - 1.3) / 0.3
    low_sbp, high_sbp = (np.minimum(v["systolic"], 110) - 110) / 20, (np.maximum(v["systolic"], 110) - 130) / 20
    low_bmi, high_bmi = (np.minimum(v["bmi"], 30) - 25) / 5, (np.maximum(v["bmi"], 30) - 30) / 5
    low_gfr, high_gfr = (np.minimum(v["egfr"], 60) - 60) / -15, (np.maximum(v["egfr"], 60) - 90) / -15
    diabetes, smoker = is_yes(v["diabetes"]), is_yes(v["smoker"])
    treated, statin = is_yes(v["bp_treated"]), is_yes(v["statin"])
    columns = (
        a, a**2, non_hdl, hdl, low_sbp, high_sbp, diabetes, smoker, low_bmi, high_bmi, low_gfr, high_gfr, treated,
        statin, treated * high_sbp, statin * non_hdl, a * non_hdl, a * hdl, a * high_sbp, a * diabetes, a * smoker,
        a * high_bmi, a * low_gfr, np.ones_like(a),
    )  # fmt: skip
    return dict(zip(TERMS, columns, strict=True))


def _work(v: Values) -> Worked:
    terms, female = _terms(v), v["sex"] == "female"
    too_old = v["age"] >= LAST_AGE_30 + 1
    risks = []
    for of in RISKS:
        index = np.zeros(len(female))
        for sex, here in (("female", female), ("male", ~female)):
            table = TABLES[of.key, sex]
            index = np.where(here, sum(b * terms[name] for name, b in table.items()), index)
        risk = 1 / (1 + np.exp(-index))
        risks.append(np.where(too_old, np.nan, risk) if of.years == 30 else risk)
    note = (f"The 30-year risk is given up to {LAST_AGE_30} years of age only.", too_old)
    return Worked(risks[0], tuple(risks), notes=(note,))


RISKS = tuple(
    RiskOf(f"{key}_{years}", event, float(years))
    for years in (10, 30)
    for key, event in (
        ("cvd", "cardiovascular disease"),
        ("ascvd", "atherosclerotic cardiovascular disease"),
        ("hf", "heart failure"),
    )
)

PREVENT = Score(
    key="prevent",
    name="AHA PREVENT (base model)",
    predicts="A first cardiovascular event within 10 and 30 years: any, atherosclerotic (myocardial infarction, fatal "
    "coronary disease, stroke), or heart failure.",
    population="Adults of 30 to 79 years in the United States without cardiovascular disease. The 30-year risk is for "
    "30 to 59 years.",
    inputs=(
        age(30, 79),
        SEX,
        Input("total_cholesterol", "Total cholesterol", "mmol/L", (("mg/dL", MG_DL),), range=(130 * MG_DL, 320 * MG_DL),
              published=True),
        Input("hdl_cholesterol", "HDL cholesterol", "mmol/L", (("mg/dL", MG_DL),), range=(20 * MG_DL, 100 * MG_DL),
              published=True),
        Input(SYSTOLIC.key, SYSTOLIC.label, SYSTOLIC.unit, SYSTOLIC.others, range=(90, 200), published=True),
        Input("bmi", "Body mass index", "kg/m²", range=(18.5, 40), published=True,
              note="Counts for heart failure only."),
        Input("egfr", "Estimated filtration rate (eGFR)", "mL/min/1.73 m²", range=(15, 150), published=True),
        yes_no("bp_treated", "Treatment for high blood pressure"),
        yes_no("statin", "Treatment with a statin"),
        yes_no("smoker", "Current smoker"),
        yes_no("diabetes", "Diabetes"),
    ),
    formula="logistic model of age, age² (30 years), non-HDL and HDL cholesterol, systolic pressure (bent at 110 "
    "mmHg), diabetes, smoking, body mass index (heart failure; bent at 30 kg/m²), filtration rate (bent at 60), "
    "treatment of pressure and lipids, and products with age; a table for each sex, outcome and horizon",
    source=Source(
        "Khan SS, Matsushita K, Sang Y, et al. Development and validation of the American Heart Association's PREVENT "
        "equations. Circulation 2024;149:430-449",
        "10.1161/CIRCULATIONAHA.123.067626",
    ),
    work=_work,
    decimals=1,
    percent=True,
    risk_of=RISKS,
    caution="The three outcomes have models of their own: the parts may exceed the whole.",
)  # fmt: skip
