"""CHA2DS2-VASc: stroke in atrial fibrillation."""

from __future__ import annotations

from bedside.risk.scores.base import Group, Score, Source, Values, Worked
from bedside.risk.scores.common import SEX, age, is_yes, yes_no


def _work(v: Values) -> Worked:
    total = 1.0 * (v["age"] >= 65) + (v["age"] >= 75) + (v["sex"] == "female") + 2 * is_yes(v["stroke"])
    for key in ("heart_failure", "hypertension", "diabetes", "vascular_disease"):
        total = total + is_yes(v[key])
    return Worked(total)


CHA2DS2_VASC = Score(
    key="cha2ds2_vasc",
    name="CHA₂DS₂-VASc",
    predicts="Stroke and other thromboembolism in atrial fibrillation without anticoagulation, as points.",
    population="Adults with atrial fibrillation that is not caused by a mechanical valve or by moderate or severe "
    "mitral stenosis.",
    inputs=(
        age(18, 110),
        SEX,
        yes_no("heart_failure", "Heart failure", "Or moderately to severely reduced left ventricular function."),
        yes_no("hypertension", "Hypertension", "Known or treated."),
        yes_no("diabetes", "Diabetes"),
        yes_no("stroke", "Earlier stroke", "Stroke, transient ischaemic attack or systemic embolism."),
        yes_no("vascular_disease", "Vascular disease", "Earlier myocardial infarction, peripheral arterial disease or "
               "aortic plaque."),
    ),
    formula="1 point each for heart failure, hypertension, diabetes, vascular disease, age 65 to 74 and female sex; 2 "
    "each for age 75 or more and earlier stroke; 0 to 9",
    source=Source(
        "Lip GYH, Nieuwlaat R, Pisters R, Lane DA, Crijns HJGM. Refining clinical risk stratification for predicting "
        "stroke and thromboembolism in atrial fibrillation using a novel risk factor-based approach: the Euro Heart "
        "Survey on atrial fibrillation. Chest 2010;137:263-272",
        "10.1378/chest.09-1584",
    ),
    work=_work,
    unit="points",
    groups=(
        Group("Low", "0 points: low risk."),
        Group("Intermediate", "1 point: intermediate risk.", 1),
        Group("High", "2 points or more: high risk.", 2),
    ),
    caution="Published rates of stroke by points differ several-fold between cohorts, so none is given here. Female "
    "sex alone is not a reason to treat in present guidelines.",
)  # fmt: skip
