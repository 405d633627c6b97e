"""MELD 3.0: MELD with sodium, albumin and sex."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import Score, Source, Values, Worked
from bedside.risk.scores.common import ALBUMIN, BILIRUBIN, CREATININE, DIALYSIS, INR, SEX, SODIUM, half_up
from bedside.risk.scores.meld import Notes, bounded, creatinine_within, floor_of_one
from bedside.risk.scores.meld_na import sodium_within


def _work(v: Values) -> Worked:
    notes: Notes = []
    bilirubin, inr = floor_of_one(v, notes, "bilirubin", "inr")
    creatinine, short = creatinine_within(v, notes, 3.0), 137 - sodium_within(v, notes)
    albumin = v["albumin"]
    notes.append(("Albumin below 1.5 g/dL was read as 1.5, as the score prescribes.", albumin < 1.5))
    notes.append(("Albumin above 3.5 g/dL was read as 3.5, as the score prescribes.", albumin > 3.5))
    lack = 3.5 - np.clip(albumin, 1.5, 3.5)
    score = (
        1.33 * (v["sex"] == "female")
        + 4.56 * np.log(bilirubin)
        + 0.82 * short
        - 0.24 * short * np.log(bilirubin)
        + 9.09 * np.log(inr)
        + 11.14 * np.log(creatinine)
        + 1.85 * lack
        - 1.83 * lack * np.log(creatinine)
        + 6.0
    )
    return Worked(bounded(half_up(score), notes), notes=tuple(notes))


MELD_3 = Score(
    key="meld_3",
    name="MELD 3.0",
    predicts="Death within 90 days of being put on the waiting list for a liver transplant.",
    population="Adults with end-stage liver disease on a waiting list for a liver transplant. At 12 to 17 years the "
    "points for female sex are given to everybody; that version is not computed here.",
    inputs=(SEX, BILIRUBIN, INR, CREATININE, SODIUM, ALBUMIN, DIALYSIS),
    formula="1.33 (female) + 4.56 × ln bilirubin (mg/dL) + 0.82 × (137 − sodium) − 0.24 × (137 − sodium) × ln "
    "bilirubin + 9.09 × ln INR + 11.14 × ln creatinine (mg/dL) + 1.85 × (3.5 − albumin) − 1.83 × (3.5 − albumin) × ln "
    "creatinine + 6; bilirubin and INR from 1, creatinine from 1 to 3 (3 after dialysis), sodium from 125 to 137 "
    "mmol/L, albumin from 1.5 to 3.5 g/dL; rounded, from 6 to 40",
    source=Source(
        "Kim WR, Mannalithara A, Heimbach JK, et al. MELD 3.0: the Model for End-stage Liver Disease updated for the "
        "modern era. Gastroenterology 2021;161:1887-1895",
        "10.1053/j.gastro.2021.08.050",
    ),
    work=_work,
    caution="The score gives points, not an absolute risk.",
)
