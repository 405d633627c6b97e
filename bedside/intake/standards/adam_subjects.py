"""ADSL: who was in a trial, and what was known of each at the start."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bedside.intake.standards.describe import MOST_LEVELS, is_constant, one_to_one, variable, with_sex
from bedside.intake.standards.staged_table import StagedTable, days_of, numbers_of, texts_of

PLANNED = ("TRT01P", "ARM", "TRT01A", "ACTARM")
"""Treatment as planned before treatment as given: that is whom randomisation made alike."""
POPULATIONS = ("ITTFL", "FASFL")
_OF_RANDOMISATION = ("RANDDT", "RANDDTM", "RANDNO", "RANDNUM", "RANDFL")
_LABELS = {
    "AGE": "Age", "SEX": "Sex", "RACE": "Race", "ETHNIC": "Ethnicity", "COUNTRY": "Country", "REGION1": "Region",
    "SITEID": "Site", "ARM": "Planned arm", "TRT01P": "Planned treatment", "ACTARM": "Actual arm",
    "TRT01A": "Actual treatment", "BMIBL": "BMI at baseline", "WEIGHTBL": "Weight at baseline",
    "HEIGHTBL": "Height at baseline", "ECOGBL": "ECOG at baseline", "SAFFL": "In the safety population",
    "ITTFL": "In the intention-to-treat population", "PPROTFL": "In the per-protocol population",
    "FASFL": "In the full analysis set", "EOSSTT": "Status at the end of the study",
    "EOTSTT": "Status at the end of treatment", "DCSREAS": "Reason for leaving the study",
    "DCTREAS": "Reason for stopping treatment", "TRTSDT": "Start of treatment", "RANDDT": "Randomisation",
    "AGEGR1": "Age group", "STUDYID": "Study",
}  # fmt: skip
_UNITS = {"BMIBL": "kg/m2", "WEIGHTBL": "kg", "HEIGHTBL": "cm", "AGE": "years"}
_LATER = re.compile(
    r"^(EOS|EOT|DCS|DCT|DTH|LSTALV|LALV|TRTEDT?M?$|TRTE|TRTDUR|TRTD\b|AP\d\dE|TR\d\dE|COMPL|CMPL|LASTDOSE|LVDT|RF(X)?EN|"
    r"RFPEND|PH\d+E|AVGD|CUMD|DISC|WITHD|DEATH|LDO?DT|DURATN|FUP|FUDUR|LFU)"
)
"""What happened after the start, by the names that ADaM gives it."""
_CONTROL = re.compile(r"placebo|control|standard|usual care|sham", re.IGNORECASE)
_DATE = re.compile(r"(DT|DTM|DTC)$")
_TIME_OF_DAY = re.compile(r"[A-Z0-9]{2,}(TM|TMF|DTF)$")
_SENSITIVE = ("SEX", "RACE", "ETHNIC", "AGEGR1", "AGE")
_ALSO = ("COUNTRY", "SITEID", "INVID", "INVNAM")
_KEYS = ("STUDYID", "USUBJID", "SUBJID", "DOMAIN")


@dataclass(eq=False)
class Subjects:
    """The subjects of a trial.

    Attributes
    ----------
    frame : pandas.DataFrame
        Index USUBJID, each once; the columns that are kept, typed.
    entries : list of dict
        Their entries in the dictionary, without the identifier.
    treatment : str
        Column; empty if none is known.
    randomised : bool
    marked, population : str
        The flag that says who belongs to the trial's population, and the same if only these are taken; empty if none.
    starts : pandas.Series or None
        First day of treatment, or of randomisation, by USUBJID.
    """

    frame: pd.DataFrame
    entries: list[dict[str, Any]] = field(default_factory=list)
    treatment: str = ""
    randomised: bool = False
    marked: str = ""
    population: str = ""
    n_outside: int = 0
    starts: pd.Series | None = None
    n_read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    columns: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_subjects(table: StagedTable, *, alone: bool = True, within: bool = True) -> Subjects:
    """The subjects of an ADSL table, or those that an ADTTE table tells about itself.

    Parameters
    ----------
    table : StagedTable
    alone : bool
        True for ADSL; False where each subject stands several times and only what is the same in all rows of a
        subject is one of the subject's own.
    within : bool
        Only who belongs to the population, where the trial marks one.
    """
    names = [name for name in table.names if alone or name not in _OF_EVENTS]
    frame = table.frame(names)
    frame["USUBJID"] = texts_of(frame["USUBJID"])
    found = Subjects(frame=frame, n_read=table.n_rows if alone else 0)
    frame = _each_once(frame, found, alone=alone)
    frame = frame.set_index("USUBJID")
    found.marked = next((name for name in POPULATIONS if name in frame and _flagged(frame[name]).any()), "")
    if within and found.marked:
        found.population = found.marked
        found.n_outside = int((~_flagged(frame[found.marked])).sum())
    found.starts = _starts(frame)
    found.randomised = any(name in frame and frame[name].notna().any() for name in _OF_RANDOMISATION)
    found.treatment = next((name for name in PLANNED if name in frame and frame[name].nunique() > 1), "")
    if found.population:
        frame = frame[_flagged(frame[found.population])]
    found.frame = _typed(frame, table, found)
    return found


_OF_EVENTS = {
    "PARAM", "PARAMCD", "PARAMN", "AVAL", "AVALU", "AVALC", "CNSR", "STARTDT", "STARTDTM", "ADT", "ADTM", "ADY",
    "CNSDTDSC", "EVNTDESC", "SRCDOM", "SRCVAR", "SRCSEQ", "PARCAT1", "ANL01FL", "ASEQ",
}  # fmt: skip


def _each_once(frame: pd.DataFrame, found: Subjects, *, alone: bool) -> pd.DataFrame:
    unnamed = frame["USUBJID"].isna()
    if unnamed.any() and alone:
        found.dropped["no subject (USUBJID)"] += int(unnamed.sum())
    frame = frame[~unnamed]
    first = frame.drop_duplicates("USUBJID")
    if not alone:
        same = [name for name in first.columns if len(frame[["USUBJID", name]].drop_duplicates()) == len(first)]
        return first[same]
    if n := len(frame) - len(first):
        differ = len(frame.drop_duplicates()) - len(first)
        found.dropped["a subject that stands there already"] += n
        if differ:
            found.notes.append(f"{differ} further rows of subjects say something else than the first; that counts.")
    return first


def _flagged(values: pd.Series) -> np.ndarray:
    return texts_of(values).str.upper().isin(["Y", "YES", "1", "TRUE"]).to_numpy(dtype=bool)


def _starts(frame: pd.DataFrame) -> pd.Series | None:
    for name in ("TRTSDT", "TRTSDTM", "RANDDT", "RANDDTM", "RFSTDTC"):
        if name in frame and frame[name].notna().any():
            return pd.Series(days_of(frame[name]).astype("datetime64[s]"), index=frame.index)
    return None


# ------------------------------------------------------------------ columns


def _typed(frame: pd.DataFrame, table: StagedTable, found: Subjects) -> pd.DataFrame:
    """The columns that are kept, and their entries; why each other one is not is noted."""
    said_twice = _said_twice(frame, found.treatment)
    kept: dict[str, pd.Series] = {}
    for name in frame.columns:
        why = _why_not(name, frame[name], said_twice)
        made = None if why else _one(name, frame, table, found)
        if made is None:
            found.columns.append((name, why or "empty, or nothing that can be read"))
            continue
        values, entry = made
        kept[name] = values
        found.entries.append(entry)
        found.columns.append((name, ""))
    return pd.DataFrame(kept, index=frame.index)


def _why_not(name: str, values: pd.Series, said_twice: dict[str, str]) -> str:
    if name in _KEYS and not (name == "STUDYID" and values.nunique() > 1):
        return "a key of the trial's own"
    if _TIME_OF_DAY.search(name) and not _DATE.search(name):
        return "a time of day, or the mark of an imputed date"
    if name in said_twice:
        return f"says the same as {said_twice[name]}"
    if values.isna().all():
        return "empty"
    if is_constant(values):
        return "the same in everybody"
    return ""


def _said_twice(frame: pd.DataFrame, treatment: str) -> dict[str, str]:
    """Columns that say nothing beyond another: numbers and codes of a text, and arms that are the same."""
    found = {}
    pairs = [(f"{name}{end}", name) for name in frame.columns for end in ("N", "CD")]
    if treatment:
        others = [*PLANNED, *(f"{name}{end}" for name in PLANNED for end in ("N", "CD"))]
        pairs += [(other, treatment) for other in others if other != treatment]
    for name, other in pairs:
        if name in frame and other in frame and name not in found and one_to_one(frame[name], frame[other]):
            found[name] = other
    return found


def _one(
    name: str, frame: pd.DataFrame, table: StagedTable, found: Subjects
) -> tuple[pd.Series, dict[str, Any]] | None:
    label = _LABELS.get(name, "") or table.label(name)
    values = frame[name]
    if _DATE.search(name):
        days = days_of(values)
        if np.isnat(days).all():
            return None
        return pd.Series(days.astype("datetime64[us]"), index=frame.index), {
            "name": name, "kind": "date", "label": label or name, "use": "optional",
        }  # fmt: skip
    if name.endswith("FL") and set(texts_of(values).dropna().str.upper()) <= {"Y", "N"}:
        values = texts_of(values).fillna("N").str.upper()
    entry = variable(name, values, label=label, unit=_unit(name, frame), sensitive=name in _SENSITIVE, **_use(name))
    if entry is None or entry["kind"] == "identifier":
        return None
    if entry["kind"] == "text" and (values.nunique() > MOST_LEVELS or values.nunique() == len(values)):
        entry["use"] = "optional"
    _ordered(name, frame, entry)
    if name == "SEX":
        entry = with_sex(entry)
    if name == "AGE" and entry["kind"] == "continuous":
        entry |= {"concept": "age", "decimals": 0}
    if name == found.treatment:
        entry |= {"modifiable": True, "label": label or "Treatment"}
        control = next((each["code"] for each in entry.get("levels", ()) if _CONTROL.search(each["code"])), None)
        entry |= {"reference": control} if control is not None else {}
    if entry["kind"] == "continuous":
        return pd.Series(numbers_of(values), index=frame.index), entry
    return texts_of(values), entry


def _use(name: str) -> dict[str, str]:
    if _LATER.search(name):
        return {"use": "later", "why_later": "known only after the start of the trial"}
    if name in _ALSO or name.endswith("FL") or name in ("ACTARM", "TRT01A", "STUDYID"):
        return {"use": "optional"}
    return {"use": "predictor"}


def _unit(name: str, frame: pd.DataFrame) -> str:
    if name == "AGE" and "AGEU" in frame and frame["AGEU"].notna().any():
        return str(texts_of(frame["AGEU"]).dropna().iloc[0]).lower()
    return _UNITS.get(name, "")


def _ordered(name: str, frame: pd.DataFrame, entry: dict[str, Any]) -> None:
    """Levels in the order of the numbers that go with them, as AGEGR1N with AGEGR1."""
    numbers = f"{name}N"
    if "levels" not in entry or numbers not in frame or not one_to_one(frame[name], frame[numbers]):
        return
    ranks = dict(zip(texts_of(frame[name]), numbers_of(frame[numbers]), strict=True))
    entry["levels"] = sorted(entry["levels"], key=lambda level: ranks.get(level["code"], np.inf))
