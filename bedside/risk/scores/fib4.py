"""FIB-4: fibrosis of the liver from age and routine blood tests."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.base import Group, Score, Source, Values, Worked
from bedside.risk.scores.common import ALT, AST, PLATELETS, age


def _work(v: Values) -> Worked:
    return Worked(v["age"] * v["ast"] / (v["platelets"] * np.sqrt(v["alt"])))


FIB4 = Score(
    key="fib4",
    name="FIB-4",
    predicts="Advanced fibrosis of the liver now, without a biopsy; it is not a forecast.",
    population="Adults with chronic liver disease. Made in people with hepatitis C and HIV; below 35 years it is less "
    "reliable, and above 65 years it is often high without fibrosis.",
    inputs=(age(18, 100, published=False), AST, ALT, PLATELETS),
    formula="age (years) × AST (U/L) / (platelets (×10⁹/L) × √ALT (U/L))",
    source=Source(
        "Sterling RK, Lissen E, Clumeck N, et al. Development of a simple noninvasive index to predict significant "
        "fibrosis in patients with HIV/HCV coinfection. Hepatology 2006;43:1317-1325",
        "10.1002/hep.21178",
    ),
    work=_work,
    decimals=2,
    groups=(
        Group("Below 1.45", "Advanced fibrosis (Ishak 4 to 6) is unlikely."),
        Group("1.45 to 3.25", "Indeterminate: another test is needed.", 1.45),
        Group("Above 3.25", "Advanced fibrosis (Ishak 4 to 6) is likely.", 3.25, strict=True),
    ),
)
