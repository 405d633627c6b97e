"""MELD-Na: MELD with sodium, as it was used for allocation from 2016 to 2023."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import Score, Source, Values, Worked
from bedside.risk.scores.common import BILIRUBIN, CREATININE, DIALYSIS, INR, SODIUM, half_up
from bedside.risk.scores.meld import Notes, bounded, initial


def sodium_within(v: Values, notes: Notes) -> np.ndarray:
    """Sodium from 125 to 137 mmol/L."""
    sodium = v["sodium"]
    notes.append(("Sodium below 125 mmol/L was read as 125, as the score prescribes.", sodium < 125))
    notes.append(("Sodium above 137 mmol/L was read as 137, as the score prescribes.", sodium > 137))
    return np.clip(sodium, 125.0, 137.0)


def _work(v: Values) -> Worked:
    notes: Notes = []
    meld, short = initial(v, notes), 137 - sodium_within(v, notes)
    with_sodium = half_up(meld + 1.32 * short - 0.033 * meld * short)
    notes.append(("MELD is 11 or less, where sodium does not change the score.", meld <= 11))
    return Worked(bounded(np.where(meld > 11, with_sodium, meld), notes), notes=tuple(notes))


MELD_NA = Score(
    key="meld_na",
    name="MELD-Na",
    predicts="Death within 3 months in end-stage liver disease, with sodium taken into account.",
    population="People of 12 years or more with chronic liver disease, as on a waiting list for a transplant; used for "
    "allocation in the United States from January 2016 until MELD 3.0 in July 2023.",
    inputs=(BILIRUBIN, INR, CREATININE, SODIUM, DIALYSIS),
    formula="MELD as a whole number; where it is above 11, MELD + 1.32 × (137 − sodium) − 0.033 × MELD × (137 − "
    "sodium), with sodium (mmol/L) below 125 as 125 and above 137 as 137; rounded, from 6 to 40",
    source=Source(
        "Organ Procurement and Transplantation Network (OPTN), policy 9.1, in force from January 2016 to July 2023",
        also=(
            "Kim WR, Biggins SW, Kremers WK, et al. Hyponatremia and mortality among patients on the liver-transplant "
            "waiting list. New England Journal of Medicine 2008;359:1018-1026. doi:10.1056/NEJMoa0801209",
        ),
    ),
    work=_work,
    caution="The score gives points, not an absolute risk.",
)
