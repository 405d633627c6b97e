"""HAS-BLED: major bleeding under anticoagulation for atrial fibrillation."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import Group, Score, Source, Values, Worked
from bedside.risk.scores.common import age, is_yes, yes_no

RATES = (1.13, 1.02, 1.88, 3.74, 8.70)
"""Major bleeds per 100 patient-years at 0 to 4 points in the Euro Heart Survey."""
ANSWERS = (
    "uncontrolled_hypertension", "renal_impairment", "liver_impairment", "stroke", "bleeding", "labile_inr",
    "bleeding_drugs", "alcohol_excess",
)  # fmt: skip


def _work(v: Values) -> Worked:
    total = 1.0 * (v["age"] > 65)
    for key in ANSWERS:
        total = total + is_yes(v[key])
    notes = [
        (f"In the Euro Heart Survey {rate:.2f} major bleeds per 100 patient-years were seen at this score.", total == n)
        for n, rate in enumerate(RATES)
    ]
    notes.append(("Too few patients had this score in the Euro Heart Survey to give a rate.", total >= len(RATES)))
    return Worked(np.asarray(total), notes=tuple(notes))


HAS_BLED = Score(
    key="has_bled",
    name="HAS-BLED",
    predicts="Major bleeding within a year in atrial fibrillation under anticoagulation, as points.",
    population="Adults with atrial fibrillation who take, or are to take, an anticoagulant. Made with vitamin K "
    "antagonists.",
    inputs=(
        age(18, 110),
        yes_no("uncontrolled_hypertension", "Uncontrolled hypertension", "Systolic pressure above 160 mmHg."),
        yes_no("renal_impairment", "Abnormal renal function", "Dialysis, kidney transplant, or creatinine of 200 "
               "µmol/L (2.26 mg/dL) or more."),
        yes_no("liver_impairment", "Abnormal liver function", "Chronic liver disease such as cirrhosis, or bilirubin "
               "above twice the upper limit of normal with AST, ALT or alkaline phosphatase above three times."),
        yes_no("stroke", "Earlier stroke"),
        yes_no("bleeding", "Bleeding", "Earlier major bleeding, or a tendency to bleed such as anaemia."),
        yes_no("labile_inr", "Labile INR", "Less than 60% of the time in the therapeutic range. No, if no vitamin K "
               "antagonist is taken."),
        yes_no("bleeding_drugs", "Drugs", "Antiplatelet drugs or non-steroidal anti-inflammatory drugs."),
        yes_no("alcohol_excess", "Alcohol", "8 units or more a week."),
    ),
    formula="1 point each for uncontrolled hypertension, abnormal renal function, abnormal liver function, stroke, "
    "bleeding, labile INR, age above 65, drugs and alcohol; 0 to 9",
    source=Source(
        "Pisters R, Lane DA, Nieuwlaat R, de Vos CB, Crijns HJGM, Lip GYH. A novel user-friendly score (HAS-BLED) to "
        "assess 1-year risk of major bleeding in patients with atrial fibrillation: the Euro Heart Survey. Chest "
        "2010;138:1093-1100",
        "10.1378/chest.10-0134",
    ),
    work=_work,
    unit="points",
    groups=(
        Group("Below 3", "0 to 2 points: not high."),
        Group("3 or more", "3 points or more: high risk of bleeding; caution and regular review.", 3),
    ),
    caution="A high score names causes that can be treated; it is not by itself a reason to withhold anticoagulation.",
)  # fmt: skip
