"""ALBI: liver function from albumin and bilirubin alone."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import Group, Score, Source, Values, Worked
from bedside.risk.scores.common import MG_DL_BILIRUBIN
from bedside.risk.scores.inputs import Input


def _work(v: Values) -> Worked:
    return Worked(0.66 * np.log10(v["bilirubin"]) - 0.085 * v["albumin"])


ALBI = Score(
    key="albi",
    name="ALBI grade",
    predicts="Liver function, and with it survival, in hepatocellular carcinoma: from grade 1 (best) to grade 3.",
    population="Adults with hepatocellular carcinoma, in whom it was made; it is also used in other chronic liver "
    "disease.",
    inputs=(
        Input("bilirubin", "Bilirubin (total, serum)", "µmol/L", (("mg/dL", MG_DL_BILIRUBIN),), range=(1.7, 1000)),
        Input("albumin", "Albumin (serum)", "g/L", (("g/dL", 10.0),), range=(10, 60)),
    ),
    formula="0.66 × log10 bilirubin (µmol/L) − 0.085 × albumin (g/L)",
    source=Source(
        "Johnson PJ, Berhane S, Kagebayashi C, et al. Assessment of liver function in patients with hepatocellular "
        "carcinoma: a new evidence-based approach, the ALBI grade. Journal of Clinical Oncology 2015;33:550-558",
        "10.1200/JCO.2014.57.9151",
    ),
    work=_work,
    decimals=2,
    groups=(
        Group("1", "Grade 1: −2.60 or less."),
        Group("2", "Grade 2: above −2.60, up to −1.39.", -2.60, strict=True),
        Group("3", "Grade 3: above −1.39.", -1.39, strict=True),
    ),
)
