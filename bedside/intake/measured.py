"""Which columns hold a usual measurement and nothing else, and the units in their names.

A name counts only if nothing is left of it without its unit and words such as "serum" or "at diagnosis": the creatinine
of urine, its clearance and its change are other quantities, with other units and other limits.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from bedside.intake.names import words_of, wordset

_WRITTEN = {
    "years": r"(in |, ?)?(y|yrs?|years?|jahren?|ans|annees|anos|anni|jaar|lat)",
    "months": r"(mo|mths?|months?|monaten?|mois|meses|mesi|maanden)",
    "days": r"(d|days?|tagen?|jours?|dias|giorni|dagen)",
    "weeks": r"(wks?|weeks?|wochen?|semaines?|semanas|settimane|weken)",
    "kg": r"kg", "lb": r"(lbs?|pounds?)", "g": r"(g|grams?|gramm)", "cm": r"cm", "mm": r"mm", "m": r"m",
    "mg/dl": r"mg[/ _]?dl", "g/dl": r"g[/ _]?dl", "g/l": r"g[/ _]?l", "mg/l": r"mg[/ _]?l",
    "mmol/mol": r"mmol[/ _]?mol", "mmol/l": r"mmol[/ _]?l", "umol/l": r"(u|µ|μ|mikro|micro)mol[/ _]?l",
    "ng/ml": r"ng[/ _]?ml", "U/l": r"i?u[/ _]?l", "kg/m2": r"kg[/ _]?(m2|m²|m\^2)", "mmHg": r"mm ?hg",
    "%": r"(%|percent|prozent|pct)", "/min": r"(1?/ ?min|bpm)", "°C": r"°? ?(c|celsius)", "°F": r"°? ?(f|fahrenheit)",
    "10^9/l": r"(10\^?9|g)[/ _]l", "ml/min": r"ml[/ _]?min",
}  # fmt: skip
_LETTERS = frozenset({"y", "d", "g", "m", "c", "f", "°c", "°f"})
"""Too short to be a unit but in brackets, or behind the name of what is measured in it."""
_BARE = {"umol": "umol/l", "mmol": "mmol/l"}
"""Units that are written in half, where it is known what is measured."""
ANALYTES = {
    "age": wordset("age alter edad eta idade leeftijd wiek"),
    "bmi": wordset("bmi bodymassindex"),
    "creatinine": wordset("creatinine kreatinin crea creat creatinina"),
    "bilirubin": wordset("bilirubin bili bilirubina totalbilirubin bilirubintotal totalbili bilitotal bilitot tbil "
                         "gesamtbilirubin bilirubingesamt"),
    "albumin": wordset("albumin alb albumina"),
    "sodium": wordset("sodium natrium sodio"),
    "weight": wordset("weight gewicht poids peso bodyweight korpergewicht weightbody"),
    "height": wordset("height groesse grosse taille altura altezza bodyheight korpergrosse koerpergroesse heightbody"),
    "haemoglobin": wordset("hemoglobin haemoglobin hb hgb hamoglobin"),
    "hba1c": wordset("hba1c a1c hbalc glycatedhemoglobin glycatedhaemoglobin glycohemoglobin"),
    "platelets": wordset("platelets platelet plt thrombozyten plaquettes plaquetas plateletcount plateletscount"),
    "glucose": wordset("glucose glukose glucosa glykemie fastingglucose glucosefasting"),
    "cholesterol": wordset("cholesterol cholesterin colesterol totalcholesterol cholesteroltotal"),
    "temperature": wordset("temperature temp temperatur bodytemperature bodytemp korpertemperatur"),
}  # fmt: skip
"""What is measured, and its names, each without marks."""
_NAMES = frozenset().union(*ANALYTES.values())
UNITS = {
    "age": ("years", "months", "weeks", "days"), "bmi": ("kg/m2",), "creatinine": ("mg/dl", "umol/l"),
    "bilirubin": ("mg/dl", "umol/l"), "albumin": ("g/dl", "g/l"), "sodium": ("mmol/l",), "weight": ("kg", "g", "lb"),
    "height": ("cm", "m", "mm"), "haemoglobin": ("g/dl", "g/l", "mmol/l"), "hba1c": ("%", "mmol/mol"),
    "platelets": ("10^9/l",), "glucose": ("mg/dl", "mmol/l"), "cholesterol": ("mg/dl", "mmol/l"),
    "temperature": ("°C", "°F"),
}  # fmt: skip
_BESIDE = wordset(
    "serum plasma blood blut sang sangre sangue s p b sr pl baseline base bl basal initial index first screening "
    "at the of in on a an and is to from when start begin beginning day diagnosis diag dx pathologic "
    "primary entry admission enrolment enrollment inclusion randomisation randomization registration recruitment "
    "study trial surgery operation treatment therapy presentation visit value values val level levels lab labs "
    "laboratory result results measurement measured conc concentration patient patients pat pt subject participant "
    "person bei zu beginn zum der des die diagnose erstdiagnose ed aufnahme einschluss studienbeginn wert au a la le "
    "du de al el diagnostic diagnostico diagnosi alla op przy 0 00 t0 d0 v0 day0 visit0"
)
_UNIT_WORDS = wordset(
    "years year yrs yr jahre jahren ans annees anos anni jaar lat months month mo mths mth monate monaten mois meses "
    "mesi maanden days tage tagen jours dias giorni dagen weeks week wks wk wochen semaines semanas kg lb lbs pounds "
    "g grams gramm cm mm m2 mg dl l mgdl gdl gl mmol mol mmoll mmolmol umol umoll \u03bcmol \u03bcmoll mikromol "
    "micromol kgm2 percent pct prozent celsius fahrenheit 10e9 x10e9 e9"
)
_LETTER_OF = {"y": "age", "m": "height", "c": "temperature", "f": "temperature"}
"""Letters that are a unit only of one measurement: those of urine, of a mother or of direct bilirubin are not."""
_BRACKET = re.compile(r"[\[(]\s*([^\])]{1,14}?)\s*[\])]\s*$")


def parts_of(name: str) -> tuple[str, ...]:
    """The words of a name, each once."""
    words = words_of(name)
    return words[:-1] if len(words) > 1 else words


@lru_cache(maxsize=8192)
def measured_in(name: str) -> tuple[str, int]:
    """What a column measures by its whole name, and how many words stand beside it; empty where it is anything else."""
    bracket = _BRACKET.search(name)
    words = parts_of(name[: bracket.start()] if bracket and _units_like(bracket[1]) else name)
    left = [word for word in words if word not in _BESIDE and word not in _UNIT_WORDS]
    last = _LETTER_OF.get(left[-1], "") if len(left) > 1 else ""
    bare = "".join(left[:-1] if last else left)
    what = next((what for what, names in ANALYTES.items() if bare in names), "") if bare in _NAMES else ""
    return ("", 0) if last and what != last else (what, len(words) - len(left))


def _mentions(name: str) -> bool:
    return not _NAMES.isdisjoint(parts_of(name))


@lru_cache(maxsize=8192)
def analyte_of(name: str, label: str = "") -> str:
    """What a column measures: by its name, or by its label where the name says nothing; empty where they disagree."""
    both = {text: measured_in(text)[0] for text in (name, label) if text}
    found = {what for text, what in both.items() if what or _mentions(text)}
    return found.pop() if len(found) == 1 else ""


@lru_cache(maxsize=8192)
def _units_like(part: str) -> tuple[str, ...]:
    """Units that can be written so."""
    flat = unicodedata.normalize("NFC", part)
    return tuple(unit for unit, pattern in _WRITTEN.items() if re.fullmatch(pattern, flat, re.IGNORECASE))


def written_unit(text: str, analyte: str = "") -> str:
    """A unit in brackets, or at the end of a name."""
    bracket = _BRACKET.search(text)
    # The longest end first: "mg_dl" before "dl"; and at most two words.
    ends = [text[match.end() :] for match in re.finditer(r"[_\s.]", text)][-2:]
    known = UNITS.get(analyte, ())
    for part in ([bracket[1]] if bracket else []) + ends:
        half = _BARE.get(re.sub(r"^[\u00b5\u03bc]", "u", part.casefold()), "")
        found = [half] if half in known else list(_units_like(part))
        if part.casefold() in _LETTERS and not (bracket and part == bracket[1]):
            found = [unit for unit in found if unit in known]
        if found:
            # "g/l" of platelets are giga a litre.
            return next((unit for unit in found if unit in known), found[0])
    return ""


@lru_cache(maxsize=8192)
def unit_written(name: str, label: str = "") -> str:
    """The unit that a column's name, or else its label, says."""
    analyte = analyte_of(name, label)
    return written_unit(name, analyte) or written_unit(label, analyte)


@lru_cache(maxsize=8192)
def units_named(name: str, label: str = "") -> tuple[str, ...]:
    """Words of a name, or else of its label, that are of a unit, wherever they stand."""
    found = (
        [word for word in parts_of(text) if word in _UNIT_WORDS - _BESIDE and len(word) > 1] for text in (name, label)
    )
    return tuple(next((words for words in found if words), ()))


def unit_among(words: tuple[str, ...], analyte: str) -> str:
    """The unit of a measurement that one of the words says."""
    return next((unit for word in words for unit in _units_like(word) if unit in UNITS.get(analyte, ())), "")
