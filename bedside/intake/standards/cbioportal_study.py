"""Patients, samples and outcomes of a cBioPortal study."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from bedside.intake.conventions import read_status
from bedside.intake.standards.cbioportal_files import Clinical, numbers, read_clinical
from bedside.intake.standards.recognise import Found

PATIENT, SAMPLE = "PATIENT_ID", "SAMPLE_ID"
_LABELS = {
    "OS": "Overall survival", "DFS": "Disease-free survival", "PFS": "Progression-free survival",
    "DSS": "Disease-specific survival", "RFS": "Relapse-free survival", "EFS": "Event-free survival",
    "PFI": "Progression-free interval", "DFI": "Disease-free interval", "DMFS": "Distant metastasis-free survival",
    "TTP": "Time to progression", "MFS": "Metastasis-free survival",
}  # fmt: skip
_CENSORED = frozenset({"living", "alive", "diseasefree", "censored", "no", "progression free", "not progressed"})
_EVENT = frozenset(
    {"deceased", "dead", "recurred/progressed", "recurred", "progressed", "progression", "relapsed", "yes"}
)


@dataclass(frozen=True, eq=False)
class Pair:
    """One outcome; ``rows`` by patient: ``time`` in months, ``status`` 0 or 1, and what is ``written`` of it."""

    prefix: str
    label: str
    rows: pd.DataFrame


@dataclass(eq=False)
class Study:
    """What is known of a study's patients.

    Attributes
    ----------
    frame : pandas.DataFrame
        Index PATIENT_ID; text.
    of_sample : pandas.Series
        Patient of each sample.
    """

    frame: pd.DataFrame
    of_sample: pd.Series
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    dropped: dict[Path, Counter[str]] = field(default_factory=dict)
    n_read: dict[Path, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    mapped: list[tuple[str, str]] = field(default_factory=list)


def read_study(found: Found) -> Study:
    """The patients of a study, with the attributes of the sample that stands for each."""
    patients = [(path, read_clinical(path)) for path in found.of("patient")]
    samples = [(path, read_clinical(path)) for path in found.of("sample")]
    study = Study(pd.DataFrame(), pd.Series(dtype=object))
    parts = [_patient_part(path, told, study) for path, told in patients]
    for path, told in samples:
        parts.append(_sample_part(path, told, study))
    frame = parts[0] if parts else pd.DataFrame()
    for part in parts[1:]:
        new = [name for name in part.columns if name not in frame.columns]
        frame = frame.join(part[new])
    study.frame = frame
    without = ~study.of_sample.isin(frame.index)
    if without.any():
        study.faults["samples of patients who are not in the patient file"] += int(without.sum())
        study.of_sample = study.of_sample[~without]
    return study


def _patient_part(path: Path, told: Clinical, study: Study) -> pd.DataFrame:
    study.n_read[path] = told.n_read
    dropped = study.dropped.setdefault(path, Counter())
    return _each_once(told, PATIENT, "a patient who stands there already", dropped, study)


def _each_once(told: Clinical, key: str, twice: str, dropped: Counter[str], study: Study) -> pd.DataFrame:
    """Rows by their key, each once: the first counts."""
    study.words |= {name: words for name, words in told.words.items() if name not in study.words}
    if told.n_ragged:
        study.faults["lines with more or fewer cells than the header"] += told.n_ragged
    frame = told.frame[told.frame[key].notna()]
    if n := told.n_read - len(frame):
        dropped[f"no {key}"] += n
    first = frame.drop_duplicates(key)
    if n := len(frame) - len(first):
        dropped[twice] += n
        if differ := len(frame.drop_duplicates()) - len(first):
            study.faults[f"{key}: further rows that say something else than the first"] += differ
    return first.set_index(key)


def _sample_part(path: Path, told: Clinical, study: Study) -> pd.DataFrame:
    """Attributes of the one sample that stands for each patient; every sample is kept for its mutations."""
    study.n_read[path] = told.n_read
    dropped = study.dropped.setdefault(path, Counter())
    frame = _each_once(told, SAMPLE, "a sample that stands there already", dropped, study)
    nobody = frame[PATIENT].isna()
    if nobody.any():
        dropped["no patient"] += int(nobody.sum())
    frame = frame[~nobody]
    study.of_sample = pd.concat([study.of_sample, frame[PATIENT]])
    kind = frame.get("SAMPLE_TYPE", pd.Series(None, index=frame.index, dtype=object))
    primary = kind.astype(str).str.lower().str.contains("primary").to_numpy(dtype=bool)
    order = np.argsort(~primary, kind="stable")
    chosen = frame.iloc[order].drop_duplicates(PATIENT)
    if n := len(frame) - len(chosen):
        dropped["a further sample of a patient: its mutations count, its attributes do not"] += n
        study.notes.append("Of patients with several samples the primary one tells its attributes, else the first.")
    return chosen.set_index(PATIENT)


# ------------------------------------------------------------------ outcomes


def read_pairs(study: Study) -> list[Pair]:
    """Every outcome: a status and months under one prefix."""
    found = []
    for name in [name for name in study.frame.columns if name.endswith("_STATUS")]:
        prefix = name.removesuffix("_STATUS")
        if f"{prefix}_MONTHS" in study.frame:
            pair = _pair(prefix, study)
            if pair is not None:
                found.append(pair)
    return found


def _pair(prefix: str, study: Study) -> Pair | None:
    status = study.frame[f"{prefix}_STATUS"].map(_status(study.frame[f"{prefix}_STATUS"]))
    months, _ = numbers(study.frame[f"{prefix}_MONTHS"])
    time = pd.Series(months, index=study.frame.index)
    unclear = status.isna() & study.frame[f"{prefix}_STATUS"].notna()
    for why, where in (
        ("a status that is neither 0 nor 1", unclear), ("a negative time", time < 0),
        ("a status without a time", status.notna() & time.isna()), ("a time without a status", status.isna() & ~unclear
                                                                    & time.notna()),
    ):  # fmt: skip
        if where.any():
            study.faults[f"{prefix}: {why}"] += int(where.sum())
    rows = pd.DataFrame({"time": time, "status": status, "written": study.frame[f"{prefix}_STATUS"]})
    rows = rows[rows["status"].notna() & rows["time"].notna() & (rows["time"] >= 0)]
    if rows.empty:
        return None
    own = study.words.get(f"{prefix}_STATUS", {}).get("label", "")
    label = _LABELS.get(prefix) or re.sub(r"\s*\(?status\)?$", "", own, flags=re.IGNORECASE).strip() or prefix
    return Pair(prefix, label, rows)


def _status(values: pd.Series) -> dict[str, str]:
    """What each status means: the number before the colon, or the words of older studies."""
    found = {}
    codes = tuple(dict.fromkeys(values.dropna()))
    usual = read_status(codes)
    for code in codes:
        number, colon, _ = code.partition(":")
        word = code.lower()
        if colon and number.strip() in ("0", "1"):
            found[code] = number.strip()
        elif word in _CENSORED or (usual is not None and code in usual[0]):
            found[code] = "0"
        elif word in _EVENT or (usual is not None and code in usual[1]):
            found[code] = "1"
    return found
