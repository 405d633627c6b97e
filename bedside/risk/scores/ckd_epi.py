"""CKD-EPI 2021: glomerular filtration rate from creatinine, without race."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import Group, Score, Source, Values, Worked
from bedside.risk.scores.common import CREATININE, SEX, age, half_up


def _work(v: Values) -> Worked:
    female = v["sex"] == "female"
    ratio = v["creatinine"] / np.where(female, 0.7, 0.9)
    low, high = np.minimum(ratio, 1.0), np.maximum(ratio, 1.0)
    rate = 142 * low ** np.where(female, -0.241, -0.302) * high**-1.200 * 0.9938 ** v["age"]
    rate = rate * np.where(female, 1.012, 1.0)
    # The stages are of whole numbers, as laboratories report them: 59.6 is written as 60, and is G2.
    group = np.sum([half_up(rate) >= bound for bound in (15, 30, 45, 60, 90)], axis=0)
    return Worked(rate, group=group)


CKD_EPI = Score(
    key="ckd_epi",
    name="CKD-EPI 2021 (creatinine)",
    predicts="How well the kidneys filter now (estimated glomerular filtration rate); it is not a forecast.",
    population="Adults with stable kidney function. Not in acute kidney injury or pregnancy, nor with very much or "
    "very little muscle.",
    inputs=(age(18, 110), SEX, CREATININE),
    formula="142 × min(creatinine/κ, 1)^α × max(creatinine/κ, 1)^−1.200 × 0.9938^age × 1.012 if female, with κ 0.7 and "
    "α −0.241 in women, κ 0.9 and α −0.302 in men; creatinine in mg/dL",
    source=Source(
        "Inker LA, Eneanya ND, Coresh J, et al. New creatinine- and cystatin C-based equations to estimate GFR without "
        "race. New England Journal of Medicine 2021;385:1737-1749",
        "10.1056/NEJMoa2102953",
    ),
    work=_work,
    unit="mL/min/1.73 m²",
    groups=(
        Group("G5", "Below 15: kidney failure."),
        Group("G4", "15 to 29: severely decreased.", 15),
        Group("G3b", "30 to 44: moderately to severely decreased.", 30),
        Group("G3a", "45 to 59: mildly to moderately decreased.", 45),
        Group("G2", "60 to 89: mildly decreased.", 60),
        Group("G1", "90 or more: normal or high.", 90),
    ),
    groups_source="KDIGO 2012 guideline for chronic kidney disease. Kidney disease needs more than 3 months, and "
    "albumin in the urine to be staged in full.",
)
