"""MELD: severity of end-stage liver disease."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import Score, Source, Values, Worked
from bedside.risk.scores.common import BILIRUBIN, CREATININE, DIALYSIS, INR, half_up

Notes = list[tuple[str, np.ndarray]]


def floor_of_one(v: Values, notes: Notes, *keys: str) -> list[np.ndarray]:
    """Values below 1.0 as 1.0, so that no logarithm is negative."""
    words = {"bilirubin": "Bilirubin below 1.0 mg/dL", "inr": "INR below 1.0"}
    for key in keys:
        notes.append((f"{words[key]} was read as 1.0, as the score prescribes.", v[key] < 1))
    return [np.maximum(v[key], 1.0) for key in keys]


def creatinine_within(v: Values, notes: Notes, high: float) -> np.ndarray:
    """Creatinine from 1.0 to ``high`` mg/dL; ``high`` after dialysis."""
    creatinine, dialysed = v["creatinine"], v["dialysis"] == "yes"
    said = "as the score prescribes."
    notes.append((f"Creatinine below 1.0 mg/dL was read as 1.0, {said}", ~dialysed & (creatinine < 1)))
    notes.append((f"Creatinine above {high} mg/dL was read as {high}, {said}", ~dialysed & (creatinine > high)))
    notes.append((f"After dialysis creatinine was read as {high} mg/dL, {said}", dialysed))
    return np.where(dialysed, high, np.clip(creatinine, 1.0, high))


def initial(v: Values, notes: Notes) -> np.ndarray:
    """The MELD score before its bounds, a whole number."""
    bilirubin, inr = floor_of_one(v, notes, "bilirubin", "inr")
    creatinine = creatinine_within(v, notes, 4.0)
    return half_up(10 * (0.957 * np.log(creatinine) + 0.378 * np.log(bilirubin) + 1.120 * np.log(inr) + 0.643))


def bounded(value: np.ndarray, notes: Notes) -> np.ndarray:
    """From 6 to 40."""
    notes.append(("The score ends at 6; a smaller result is written as 6.", value < 6))
    notes.append(("The score ends at 40; a larger result is written as 40.", value > 40))
    return np.clip(value, 6, 40)


def _work(v: Values) -> Worked:
    notes: Notes = []
    return Worked(bounded(initial(v, notes), notes), notes=tuple(notes))


MELD = Score(
    key="meld",
    name="MELD",
    predicts="Death within 3 months in end-stage liver disease: the higher, the more likely.",
    population="People of 12 years or more with chronic liver disease, as on a waiting list for a transplant. For "
    "allocation in the United States it was followed by MELD-Na (2016) and MELD 3.0 (2023).",
    inputs=(BILIRUBIN, INR, CREATININE, DIALYSIS),
    formula="9.57 × ln creatinine (mg/dL) + 3.78 × ln bilirubin (mg/dL) + 11.20 × ln INR + 6.43; each value below 1 "
    "counts as 1, creatinine above 4 or after dialysis as 4; rounded to a whole number, from 6 to 40",
    source=Source(
        "Kamath PS, Wiesner RH, Malinchoc M, et al. A model to predict survival in patients with end-stage liver "
        "disease. Hepatology 2001;33:464-470",
        "10.1053/jhep.2001.22172",
        ("Bounds: policy of the Organ Procurement and Transplantation Network (OPTN), section 9.1",
         "Wiesner R, Edwards E, Freeman R, et al. Gastroenterology 2003;124:91-96"),
    ),
    work=_work,
    caution="Of 3,437 adults on the waiting list for a liver, 1.9% of those with a score below 9 died within 3 months, "
    "and 71.3% of those with 40 or more (Wiesner 2003).",
)  # fmt: skip
