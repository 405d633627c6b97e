"""Inputs that several scores share, and small steps of their formulas."""

from __future__ import annotations

import numpy as np

from bedside.risk.scores.inputs import YES_NO, Choice, Input

MG_DL_BILIRUBIN = 17.1
"""µmol/L in one mg/dL of bilirubin."""
MG_DL_CREATININE = 88.42
"""µmol/L in one mg/dL of creatinine."""
MG_DL_CHOLESTEROL = 38.67
"""mg/dL in one mmol/L of cholesterol."""


def age(low: float, high: float, *, published: bool = True) -> Input:
    """Age, with the range for which a score was made."""
    others = (("months", 1 / 12), ("days", 1 / 365.25))
    return Input("age", "Age", "years", others, range=(low, high), published=published, lasting=0.9999)


def yes_no(key: str, label: str, note: str = "", *, default: str | None = None) -> Input:
    """A question with the answers no and yes."""
    return Input(key, label, kind="choice", choices=YES_NO, note=note, default=default)


def choice(key: str, label: str, *answers: tuple[str, str], note: str = "") -> Input:
    """A question with a few answers: code and label."""
    return Input(key, label, kind="choice", choices=tuple(Choice(*a) for a in answers), note=note)


SEX = choice("sex", "Sex", ("female", "Female"), ("male", "Male"))

BILIRUBIN = Input("bilirubin", "Bilirubin (total, serum)", "mg/dL", (("µmol/L", 1 / MG_DL_BILIRUBIN),), range=(0.1, 60))
CREATININE = Input("creatinine", "Creatinine (serum)", "mg/dL", (("µmol/L", 1 / MG_DL_CREATININE),), range=(0.2, 20))
ALBUMIN = Input("albumin", "Albumin (serum)", "g/dL", (("g/L", 0.1),), range=(1, 6))
INR = Input("inr", "INR", range=(0.8, 15), note="International normalised ratio of the prothrombin time.")
SODIUM = Input("sodium", "Sodium (serum)", "mmol/L", (("mEq/L", 1.0),), range=(100, 180))
PLATELETS = Input(
    "platelets", "Platelets", "×10⁹/L", (("10^3/µL", 1.0), ("/µL", 1e-3), ("/mm3", 1e-3)), range=(5, 1500)
)
AST = Input("ast", "AST (aspartate aminotransferase)", "U/L", (("µkat/L", 60.0),), range=(3, 5000))
ALT = Input("alt", "ALT (alanine aminotransferase)", "U/L", (("µkat/L", 60.0),), range=(3, 5000))
SYSTOLIC = Input("systolic", "Systolic blood pressure", "mmHg", (("kPa", 7.50062),), range=(60, 280))
DIALYSIS = yes_no(
    "dialysis",
    "Dialysis in the last week",
    "Two or more times within 7 days before the creatinine was taken, or 24 hours of continuous venovenous "
    "haemodialysis.",
    default="no",
)


def is_yes(answers: np.ndarray) -> np.ndarray:
    """1 where the answer is yes, else 0; shape (n_patients,)."""
    return (answers == "yes").astype(float)


def half_up(values: np.ndarray) -> np.ndarray:
    """Rounded to whole numbers, halves upwards, as at the bedside; the last bits of a sum do not decide."""
    return np.floor(np.round(values, 9) + 0.5)


def points(values: np.ndarray, bounds: tuple[float, ...], scores: tuple[int, ...]) -> np.ndarray:
    """Points by bands: ``scores[i]`` up to and including ``bounds[i]``, the last score above all bounds."""
    return np.asarray(scores, dtype=float)[np.searchsorted(np.asarray(bounds), np.round(values, 9), side="left")]
