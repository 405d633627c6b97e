"""Child-Pugh: how well a cirrhotic liver still works."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import Group, Score, Source, Values, Worked
from bedside.risk.scores.common import ALBUMIN, BILIRUBIN, INR, choice


def _band(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """1 below ``low``, 2 from there to ``high``, 3 above."""
    value = np.round(value, 9)
    return 1.0 + (value >= low) + (value > high)


def _work(v: Values) -> Worked:
    albumin = np.round(v["albumin"], 9)
    total = (
        _band(v["bilirubin"], 2, 3)
        + 1.0 + (albumin <= 3.5) + (albumin < 2.8)
        + _band(v["inr"], 1.7, 2.3)
        + np.asarray(v["ascites"], dtype=float)
        + np.asarray(v["encephalopathy"], dtype=float)
    )  # fmt: skip
    return Worked(total)


CHILD_PUGH = Score(
    key="child_pugh",
    name="Child-Pugh",
    predicts="Severity of cirrhosis, as class A, B or C.",
    population="Adults with cirrhosis. Made for surgery of bleeding varices. In cholestatic disease such as primary "
    "biliary cholangitis Pugh used higher limits for bilirubin, which are not applied here.",
    inputs=(
        BILIRUBIN,
        ALBUMIN,
        INR,
        choice("ascites", "Ascites", ("1", "None"), ("2", "Slight"), ("3", "Moderate or severe")),
        choice("encephalopathy", "Encephalopathy", ("1", "None"), ("2", "Grade 1 or 2"), ("3", "Grade 3 or 4")),
    ),
    formula="1 to 3 points each: bilirubin below 2, 2 to 3, above 3 mg/dL; albumin above 3.5, 2.8 to 3.5, below 2.8 "
    "g/dL; INR below 1.7, 1.7 to 2.3, above 2.3; ascites none, slight, moderate or severe; encephalopathy none, grade "
    "1 or 2, grade 3 or 4",
    source=Source(
        "Pugh RNH, Murray-Lyon IM, Dawson JL, Pietroni MC, Williams R. Transection of the oesophagus for bleeding "
        "oesophageal varices. British Journal of Surgery 1973;60:646-649",
        "10.1002/bjs.1800600817",
        ("The INR in place of seconds of prothrombin time is later usage: below 1.7, 1.7 to 2.3, above 2.3",),
    ),
    work=_work,
    unit="points",
    groups=(
        Group("A", "Class A, 5 or 6 points: well compensated."),
        Group("B", "Class B, 7 to 9 points: function markedly impaired.", 7),
        Group("C", "Class C, 10 to 15 points: decompensated.", 10),
    ),
)
