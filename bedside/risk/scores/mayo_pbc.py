"""Mayo model of primary biliary cholangitis: survival without transplantation, up to 7 years."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import RiskOf, Score, Source, Values, Worked
from bedside.risk.scores.common import ALBUMIN, BILIRUBIN, age, choice
from bedside.risk.scores.inputs import Input

SURVIVAL = (0.970, 0.941, 0.883, 0.833, 0.774, 0.721, 0.651)
"""Survival to 1, 2, ... 7 years of a patient whose score is ``CENTRE``."""
CENTRE = 5.07
OEDEMA = {"none": 0.0, "controlled": 0.5, "resistant": 1.0}


def _work(v: Values) -> Worked:
    oedema = np.array([OEDEMA[code] for code in v["oedema"]])
    score = (
        0.039 * v["age"]
        + 0.871 * np.log(v["bilirubin"])
        - 2.53 * np.log(v["albumin"])
        + 2.38 * np.log(v["prothrombin_time"])
        + 0.859 * oedema
    )
    hazard = np.exp(score - CENTRE)
    return Worked(score, tuple(1 - s**hazard for s in SURVIVAL))


MAYO_PBC = Score(
    key="mayo_pbc",
    name="Mayo risk score for primary biliary cholangitis",
    predicts="Death within 1 to 7 years in primary biliary cholangitis without liver transplantation, from age, blood "
    "tests and oedema; no biopsy is needed.",
    population="Adults with primary biliary cholangitis (then called cirrhosis). The model was made from 312 patients "
    "of a trial at the Mayo Clinic, 1974 to 1984, before ursodeoxycholic acid: today's patients may do better.",
    inputs=(
        age(18, 100, published=False),
        BILIRUBIN,
        ALBUMIN,
        Input("prothrombin_time", "Prothrombin time", "seconds", range=(8, 40),
              note="In seconds, as measured; not the INR."),
        choice(
            "oedema", "Oedema",
            ("none", "No oedema, and no diuretics for it"),
            ("controlled", "Oedema without diuretics, or resolved by them"),
            ("resistant", "Oedema despite diuretics"),
        ),
    ),
    formula="R = 0.039 × age (years) + 0.871 × ln bilirubin (mg/dL) − 2.53 × ln albumin (g/dL) + 2.38 × ln prothrombin "
    "time (seconds) + 0.859 × oedema (0, 0.5 or 1); survival to year t = S0(t) ^ exp(R − 5.07), with S0 = 0.970, "
    "0.941, 0.883, 0.833, 0.774, 0.721 and 0.651 at 1 to 7 years",
    source=Source(
        "Dickson ER, Grambsch PM, Fleming TR, Fisher LD, Langworthy A. Prognosis in primary biliary cirrhosis: model "
        "for decision making. Hepatology 1989;10:1-7",
        "10.1002/hep.1840100102",
    ),
    work=_work,
    decimals=2,
    risk_of=tuple(RiskOf(f"death_{y}", "death without transplantation", float(y)) for y in range(1, 8)),
    caution="Measured before treatment with ursodeoxycholic acid was usual.",
)  # fmt: skip
