"""Cancer as mCODE records it: stage, performance status, genes and progression beside what every record has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bedside.intake.standards.fhir_columns import Columns
from bedside.intake.standards.fhir_read import PRIMARY_CANCER, SECONDARY_CANCER
from bedside.intake.standards.fhir_rows import NO_VALUE, Code
from bedside.intake.standards.fhir_source import Source
from bedside.intake.standards.fhir_time import NO_DAY

if TYPE_CHECKING:
    from bedside.intake.standards.fhir_map import Followed

BASELINE = 31
"""Days after the diagnosis within which stage, performance status and genes are still those of the diagnosis."""
MOST_GENES = 30
STAGE_CODES = ("21908-9", "21902-2", "21914-7", "21917-0")
"""Stage group: clinical, pathological, other; and, of lymphomas, by its own classification."""
STATUS_CODES = ("97509-4", "88040-1")
"""Disease status, and response to treatment."""
ECOG_CODES = ("89247-1", "89262-0")
VARIANT, GENE = "69548-6", "48018-6"
PRESENT, ABSENT = "LA9633-4", "LA9634-2"
WORSE = frozenset({"271299001", "419835002", "63161005", "LA28369-9"})
"""Codes of a disease that has become worse."""
NOT_JUDGED = frozenset({"709137006", "261665006"})
_MALIGNANT = re.compile(
    r"malignan|cancer|carcinoma|sarcoma|lymphoma|leuk[a]?emia|melanoma|myeloma|glioblastoma|neuroblastoma", re.I
)
_NOT_PRIMARY = re.compile(r"history|family|suspect|screening|benign|in situ|secondary|metasta|risk|at risk", re.I)
_ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV"}


def cancer_codes(source: Source) -> tuple[str, ...]:
    """Keys of the conditions that are primary cancers; empty if the record does not hold cancer as mCODE has it.

    By profile where the record says it; otherwise by what the codes say, if stage groups, disease status or variants
    are recorded as well.
    """
    rows = source.conditions
    marked = rows.loc[rows["tag"] == PRIMARY_CANCER, "code"].unique()
    if len(marked):
        return tuple(sorted(source.codes[int(code)].key for code in marked))
    recorded = {source.codes[int(code)].code for code in source.observations["code"].unique()}
    if not recorded & {*STAGE_CODES, *STATUS_CODES, VARIANT}:
        return ()
    codes = rows.loc[rows["tag"] != SECONDARY_CANCER, "code"].unique()
    return tuple(sorted(source.codes[int(c)].key for c in codes if _is_primary(source.codes[int(c)])))


def _is_primary(code: Code) -> bool:
    if code.system.startswith("ICD-10"):
        return bool(re.match(r"C(?!7[789])", code.code))
    return bool(_MALIGNANT.search(code.display)) and not _NOT_PRIMARY.search(code.display)


# ------------------------------------------------------------------ columns


def add_cancer(columns: Columns, source: Source, found: Followed) -> list[dict[str, Any]]:
    """Add what mCODE records of the diagnosis, and the outcome "progression" where disease status is recorded."""
    rows = source.observations.assign(place=found.place[source.observations["patient"].to_numpy(np.int64)])
    rows = rows[rows["place"] >= 0]
    rows["since"] = rows["day"].to_numpy() - found.zero[rows["place"].to_numpy()]
    _stage(columns, source, rows, len(found))
    _ecog(columns, source, rows, len(found))
    _genes(columns, source, rows, len(found))
    return _progression(columns, source, found, rows)


def _of(rows: pd.DataFrame, source: Source, codes: tuple[str, ...]) -> pd.DataFrame:
    numbers = [i for i, code in enumerate(source.codes) if code.code in codes]
    return rows[rows["code"].isin(numbers)]


def _nearest(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each patient the value nearest to the diagnosis, not later than a month after it."""
    rows = rows[rows["since"] <= BASELINE]
    near = rows.assign(off=rows["since"].abs()).sort_values("off", kind="stable")
    return near.drop_duplicates("place")


def stage_of(code: Code) -> str:
    """``"IIA"`` from ``"Stage IIA (qualifier value)"``, ``"2A"`` or ``"cT2N0 stage 2A"``; empty if it is none."""
    for text in (code.display, code.code):
        found = re.search(r"(?:stage|group)\s*:?\s*([0-4]|0?IV|I{1,3}|0)\s*([A-D]?\d?)(?![A-Za-z])", text, re.I)
        found = found or re.fullmatch(r"\s*c?p?y?([0-4]|IV|I{1,3})\s*([A-D]?\d?)\s*", text, re.I)
        if found:
            main = found[1].upper()
            return _ROMAN.get(main, main) + found[2].upper()
    return ""


def _stage(columns: Columns, source: Source, rows: pd.DataFrame, n: int) -> None:
    rows = _of(rows, source, STAGE_CODES)
    rows = rows[rows["text"] != NO_VALUE]
    rows = _nearest(rows[[bool(stage_of(source.codes[t])) for t in rows["text"]]])
    stages = np.full(n, None, dtype=object)
    stages[rows["place"].to_numpy()] = [stage_of(source.codes[t]) for t in rows["text"]]
    broad = [re.match(r"IV|I{1,3}|0", s)[0] if s else None for s in stages]  # type: ignore[index]
    levels = [level for level in ("0", "I", "II", "III", "IV") if level in broad]
    if levels:
        columns.put("stage", broad, {
            "label": "Stage group", "kind": "binary" if len(levels) == 2 else "ordinal", "expected": "raises",
            "levels": [{"code": level, "label": level} for level in levels],
            "note": "TNM stage group nearest to the diagnosis, not later than 31 days after it; subgroups (IIA) count "
                    "as their group."})  # fmt: skip


def _ecog(columns: Columns, source: Source, rows: pd.DataFrame, n: int) -> None:
    rows = _nearest(_of(rows, source, ECOG_CODES).query("value >= 0 and value <= 4"))
    values = np.full(n, None, dtype=object)
    values[rows["place"].to_numpy()] = [str(round(value)) for value in rows["value"]]
    levels = sorted({value for value in values if value is not None})
    if levels:
        columns.put("ecog", values, {
            "label": "ECOG performance status", "kind": "binary" if len(levels) == 2 else "ordinal",
            "levels": [{"code": level, "label": level} for level in levels], "expected": "raises",
            "note": "Nearest to the diagnosis, not later than 31 days after it."})  # fmt: skip


def _genes(columns: Columns, source: Source, rows: pd.DataFrame, n: int) -> None:
    """Altered or not, of whoever had any variant reported by a month after the diagnosis."""
    rows = rows[rows["since"] <= BASELINE]
    told = _of(rows, source, (VARIANT,))
    absent = [i for i, code in enumerate(source.codes) if code.code == ABSENT]
    not_there = set(told.loc[told["text"].isin(absent), "resource"])
    named = _of(rows, source, (GENE,))
    named = named[named["text"] != NO_VALUE]
    tested = np.zeros(n, dtype=bool)
    tested[np.unique(np.concatenate([told["place"].to_numpy(np.int64), named["place"].to_numpy(np.int64)]))] = True
    altered = named[~named["resource"].isin(not_there)].drop_duplicates(["place", "text"])
    for text, own in list(altered.groupby("text"))[:500]:
        if len(own) / max(1, int(tested.sum())) < 0.01 or len(columns.entries) > MOST_GENES + 10:
            continue
        gene = source.codes[int(text)].display
        values = np.where(tested, "0", None)
        values[own["place"].to_numpy()] = "1"
        columns.put(f"Gene {gene}", values, {
            "label": f"{gene} altered", "kind": "binary", "use": "optional",
            "levels": [{"code": "0", "label": "no"}, {"code": "1", "label": "yes"}],
            "note": "A variant was reported not later than 31 days after the diagnosis; empty where none was looked "
                    "for."})  # fmt: skip


# ------------------------------------------------------------------ progression


def _progression(columns: Columns, source: Source, found: Followed, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Time to the first disease status that is worse; who never became worse is followed to the last judgement."""
    rows = _of(rows, source, STATUS_CODES)
    rows = rows[(rows["since"] >= 0) & (rows["text"] != NO_VALUE)]
    codes = np.array([source.codes[t].code for t in rows["text"]], dtype=object)
    judged = rows[~np.isin(codes, list(NOT_JUDGED))]
    worse = rows[np.isin(codes, list(WORSE)) & (rows["since"].to_numpy() > 0)]
    if judged.empty:
        return []
    n = len(found)
    first = np.full(n, NO_DAY, dtype=np.int64)
    last = np.zeros(n, dtype=np.int64)
    np.maximum.at(last, judged["place"].to_numpy(), judged["since"].to_numpy(np.int64))
    ordered = worse.sort_values("since", ascending=False, kind="stable")
    first[ordered["place"].to_numpy()] = ordered["since"].to_numpy()
    length = found.end - found.zero
    progressed = (first != NO_DAY) & (first <= length)
    time = np.where(progressed, first, np.where(found.died, length, np.minimum(last, length)))
    status = np.where(progressed, "progression", np.where(found.died, "death", "no progression"))
    columns.put("days to progression", time, None)
    columns.put("progression status", status, None)
    return [{
        "key": "progression", "label": "Progression", "time": "days to progression", "unit": "days",
        "status": "progression status", "censored": ["no progression"], "event": ["progression"],
        "competing": {"Death without progression": ["death"]}, "event_phrase": "have a progression",
        "free_phrase": "free of progression", "since": "the diagnosis of cancer",
        "composite": {"label": "Progression or death", "event_phrase": "have a progression or die",
                      "free_phrase": "alive and free of progression"},
        "note": "By the disease status on record; who was never worse is followed to the last time that it was judged, "
                "and not at all after the diagnosis if it never was.",
    }]  # fmt: skip
