"""Units in the names of columns, and the usual unit of a usual measurement where its values leave no doubt."""

from __future__ import annotations

import re

import numpy as np

from bedside.intake.names import words_of

_WRITTEN = {
    "years": r"(in |, ?)?(yrs?|years?|jahre?|ans|annees|anos|anni|jaar|lat)",
    "months": r"(mo|mths?|months?|monate?|mois|meses|mesi|maanden)",
    "days": r"(d|days?|tage?|jours?|dias|giorni|dagen)",
    "weeks": r"(wks?|weeks?|wochen?|semaines?|semanas|settimane|weken)",
    "kg": r"kg", "cm": r"cm", "mm": r"mm", "m": r"m", "mg/dl": r"mg[/ _]?dl", "g/dl": r"g[/ _]?dl", "g/l": r"g[/ _]?l",
    "mmol/l": r"mmol[/ _]?l", "umol/l": r"(u|µ|μ|mikro)mol[/ _]?l", "ng/ml": r"ng[/ _]?ml", "U/l": r"i?u[/ _]?l",
    "kg/m2": r"kg[/ _]?(m2|m²|m\^2)", "mmHg": r"mm ?hg", "%": r"(%|percent|prozent|pct)", "/min": r"(1?/ ?min|bpm)",
    "10^9/l": r"(10\^?9|g)[/ _]l", "ml/min": r"ml[/ _]?min",
}  # fmt: skip
_TYPICAL: tuple[tuple[frozenset[str], str, tuple[tuple[str, float, float], ...]], ...] = (
    (frozenset({"age", "alter", "edad", "eta", "idade", "leeftijd", "wiek"}), "age", (("years", 10, 100),)),
    (frozenset({"bmi"}), "bmi", (("kg/m2", 14, 60),)),
    (frozenset({"creatinine", "kreatinin", "crea", "creat", "creatinina"}), "creatinine",
     (("mg/dl", 0.3, 8), ("umol/l", 25, 900))),
    (frozenset({"bilirubin", "bili", "bilirubina"}), "bilirubin", (("mg/dl", 0.1, 4), ("umol/l", 4, 600))),
    (frozenset({"albumin", "alb", "albumina"}), "albumin", (("g/dl", 1.5, 6), ("g/l", 15, 60))),
    (frozenset({"sodium", "natrium", "sodio"}), "sodium", (("mmol/l", 110, 170),)),
    (frozenset({"weight", "gewicht", "poids", "peso"}), "", (("kg", 35, 180),)),
    (frozenset({"height", "groesse", "grosse", "taille", "altura", "altezza"}), "",
     (("cm", 130, 210), ("m", 1.3, 2.1))),
    (frozenset({"hemoglobin", "haemoglobin", "hb", "hgb", "hamoglobin"}), "",
     (("g/dl", 5, 20), ("g/l", 50, 200), ("mmol/l", 3.5, 12))),
    (frozenset({"platelets", "plt", "thrombozyten", "plaquettes", "plaquetas"}), "platelets", (("10^9/l", 20, 900),)),
)  # fmt: skip
"""Names, concept, and where the middle of such values lies, by unit; ranges that overlap decide nothing."""


def unit_of(name: str, label: str, values: np.ndarray) -> tuple[str, str]:
    """The unit of a column of numbers and what it is to published scores; empty where nothing is sure."""
    concept, likely = "", ""
    middle = float(np.median(values)) if len(values) else float("nan")
    words = set(words_of(name)) | set(words_of(label))
    for names, what, ranges in _TYPICAL:
        if words & names:
            fits = [unit for unit, low, high in ranges if low <= middle <= high]
            concept, likely = what, fits[0] if len(fits) == 1 else ""
            break
    written = _written(name) or _written(label)
    unit = written or likely
    return unit, concept if unit else ""


def _written(text: str) -> str:
    """A unit in brackets, or as the last word of a name."""
    bracket = re.search(r"[\[(]\s*([^\])]{1,14}?)\s*[\])]\s*$", text)
    last = re.search(r"[_\s.](\w{1,10}(?:[_/ ]\w{1,4})?)$", text)
    for part in (bracket[1] if bracket else "", last[1] if last else ""):
        for unit, pattern in _WRITTEN.items():
            if (
                part
                and re.fullmatch(pattern, part, re.IGNORECASE)
                and not (unit in ("m", "days") and len(part) == 1 and not bracket)
            ):
                return unit
    return ""
