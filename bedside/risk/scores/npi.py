"""Nottingham Prognostic Index: size, nodes and grade of an operated breast cancer."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import Group, Score, Source, Values, Worked
from bedside.risk.scores.common import choice
from bedside.risk.scores.inputs import Input


def _work(v: Values) -> Worked:
    stage = 1.0 + (v["nodes"] >= 1) + (v["nodes"] >= 4)
    grade = np.asarray(v["grade"], dtype=float)
    return Worked(0.2 * v["tumour_size"] + stage + grade)


NPI = Score(
    key="npi",
    name="Nottingham Prognostic Index",
    predicts="Outlook after surgery for breast cancer, from the size, the nodes and the grade of the tumour.",
    population="Women with primary, operable, invasive breast cancer, after surgery. Not for metastatic disease, and "
    "not after chemotherapy before surgery, which changes size and nodes.",
    inputs=(
        Input(
            "tumour_size", "Tumour size", "cm", (("mm", 0.1),), range=(0.1, 15),
            note="Largest diameter of the invasive tumour, as measured by the pathologist.",
        ),
        Input("nodes", "Positive lymph nodes", range=(0, 50), zero=True, whole=True,
              note="Axillary nodes with metastases: none is stage 1, 1 to 3 is stage 2, 4 or more is stage 3."),
        choice("grade", "Histological grade", ("1", "Grade 1"), ("2", "Grade 2"), ("3", "Grade 3"),
               note="Nottingham (Elston-Ellis) grade."),
    ),
    formula="0.2 × tumour size (cm) + nodal stage (1 to 3) + grade (1 to 3)",
    source=Source(
        "Galea MH, Blamey RW, Elston CE, Ellis IO. The Nottingham Prognostic Index in primary breast cancer. "
        "Breast Cancer Research and Treatment 1992;22:207-219",
        "10.1007/BF01840834",
    ),
    work=_work,
    decimals=2,
    groups=(
        Group("Excellent", "Excellent prognostic group: 2.4 or less."),
        Group("Good", "Good prognostic group: above 2.4, up to 3.4.", 2.4, strict=True),
        Group("Moderate", "Moderate prognostic group: above 3.4, up to 5.4.", 3.4, strict=True),
        Group("Poor", "Poor prognostic group: above 5.4.", 5.4, strict=True),
    ),
    caution="The index says nothing about receptors, HER2 or treatment.",
)  # fmt: skip
