"""What was known of patients at time zero as columns, and what was measured after it as visits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bedside.cohort.codes import normal_code
from bedside.intake.columns import MISSING, clean_name
from bedside.intake.standards.fhir_rows import NO_VALUE, distinct, runs
from bedside.intake.standards.fhir_source import Source
from bedside.intake.standards.fhir_time import NO_DAY

if TYPE_CHECKING:
    from bedside.intake.standards.fhir_map import Followed

YEAR_DAYS = 365.25
OLDEST = 120.0
MOST_LEVELS = 12
_PLACES = 2**32
DEFAULT_NUMBERS, DEFAULT_KINDS = 12, 8
"""So many measurements, and entries of each kind, are in the default model if enough patients have them."""
ENOUGH = 0.5
RARE = 0.01
TELLS_THE_END = frozenset({"LOINC 69453-9", "LOINC 79378-6", "LOINC 81954-0", "LOINC 81956-5", "SNOMED 419620001"})
"""Cause and date of death: never known before."""
CONCEPTS = {
    "8480-6": "systolic", "39156-5": "bmi", "8867-4": "pulse", "9279-1": "respiratory_rate", "8310-5": "temperature",
    "59408-5": "spo2", "2708-6": "spo2", "2093-3": "total_cholesterol", "2085-9": "hdl_cholesterol",
    "2947-0": "sodium", "2951-2": "sodium", "2160-0": "creatinine", "38483-4": "creatinine", "1751-7": "albumin",
    "1742-6": "alt", "1920-8": "ast", "1975-2": "bilirubin", "777-3": "platelets", "6301-6": "inr", "33914-3": "egfr",
    "62238-1": "egfr", "9318-7": "acr",
}  # fmt: skip
"""LOINC codes that published scores ask for."""


class Columns:
    """Columns of a cohort and what the dictionary says of them, in order.

    Parameters
    ----------
    n : int
        Patients.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.entries: list[dict[str, Any]] = []
        self._values: dict[str, pa.Array] = {}
        self._labels: set[str] = set()
        self._concepts: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return clean_name(name) in self._values

    def put(self, name: str, values: Any, entry: dict[str, Any] | None) -> None:
        """A column; ``entry`` is None for those of an outcome. Of two with one name, the first stands."""
        name = clean_name(name) or "unnamed"
        if name in self._values:
            return
        self._values[name] = pa.array(values, from_pandas=True)
        if entry is None:
            return
        told = {"name": name, "label": name, **entry}
        if told["label"] in self._labels:
            told["label"] = f"{told['label']} ({name})"
        self._labels.add(told["label"])
        if told.get("concept") in self._concepts:
            told.pop("concept")
        self._concepts.add(told.get("concept", ""))
        self.entries.append({key: value for key, value in told.items() if value not in ("", None)})

    def table(self) -> pa.Table:
        """As a table."""
        return pa.table(self._values)


def of_person(columns: Columns, source: Source, found: Followed, *, with_age: bool) -> None:
    """Age at time zero and sex."""
    people = source.people.iloc[found.who]
    birth = people["birth"].to_numpy(np.int64)
    if with_age and (birth != NO_DAY).any():
        age = np.where(birth == NO_DAY, np.nan, (found.zero - birth) / YEAR_DAYS)
        wrong = (age < 0) | (age > OLDEST)
        if wrong.any():
            source.faults.append(("ages at time zero below 0 or above 120, left empty", int(wrong.sum())))
        columns.put("age", np.where(wrong, np.nan, np.round(age, 2)), {
            "label": "Age", "unit": "years", "kind": "continuous", "decimals": 0, "concept": "age",
            "expected": "raises"})  # fmt: skip
    sex = people["sex"].to_numpy()
    levels = [code for code in ("female", "male", "other") if code != "other" or (sex == code).any()]
    if (sex != "").any():
        columns.put("sex", np.where(sex == "", None, sex), {
            "label": "Sex", "kind": "binary" if len(levels) <= 2 else "categorical", "sensitive": True,
            "concept": "sex", "levels": [{"code": code, "label": code} for code in levels]})  # fmt: skip


def of_record(columns: Columns, source: Source, found: Followed, *, own: set[str], most: int) -> None:
    """The last values before time zero, and which conditions, medicines and procedures came before."""
    hidden = own | TELLS_THE_END
    _measured(columns, source, found, hidden, most)
    for kind, table, days in source.had:
        _had(columns, source, found, kind, getattr(source, table), found.zero - days, hidden, most)


# ------------------------------------------------------------------ measurements


def _measured(columns: Columns, source: Source, found: Followed, hidden: set[str], most: int) -> None:
    rows = _own(source.observations, found, last=found.zero)
    rows = rows.sort_values(["day"], kind="stable").drop_duplicates(["place", "code"], keep="last")
    share = rows["code"].value_counts(sort=False) / len(found)
    chosen = _most(share, source, hidden, most)
    for rank, code in enumerate(chosen):
        values, entry = _column(rows[rows["code"] == code], source, int(code), len(found), "place")
        name = source.codes[int(code)].key
        if entry is None or name in columns:
            continue
        default = rank < DEFAULT_NUMBERS and share[code] >= ENOUGH
        columns.put(name, values, {**entry, "use": "predictor" if default else "optional"})


def _most(share: pd.Series, source: Source, hidden: set[str], most: int) -> list[int]:
    """Codes by how many patients have them, then by name; not those that are rare, or that tell the end."""
    kept = [int(code) for code, part in share.items() if part >= RARE and source.codes[int(code)].key not in hidden]
    return sorted(kept, key=lambda code: (-share[code], source.codes[code].key))[:most]


def _column(
    rows: pd.DataFrame, source: Source, code: int, n: int, index: str
) -> tuple[np.ndarray, dict[str, Any] | None]:
    """Values of one code at their places, as numbers or as levels, whichever most of them are."""
    told = source.codes[code]
    text = rows["text"].to_numpy()
    number = text == NO_VALUE
    entry: dict[str, Any] = {"label": told.label, "kind": "continuous", "unit": source.units.get(code, "")}
    if number.sum() * 2 >= len(rows):
        values = np.full(n, np.nan)
        values[rows[index].to_numpy()[number]] = rows["value"].to_numpy()[number]
        if told.system == "LOINC" and told.code in CONCEPTS:
            entry["concept"] = CONCEPTS[told.code]
        return values, entry
    said = {int(t): normal_code(source.codes[t].display) for t in np.unique(text[~number])}
    levels = sorted(set(said.values()) - MISSING)
    coded = np.full(n, None, dtype=object)
    if not 2 <= len(levels) <= MOST_LEVELS:
        return coded, None
    coded[rows[index].to_numpy()[~number]] = [said[int(t)] for t in text[~number]]
    entry |= {"kind": "binary" if len(levels) == 2 else "categorical", "unit": "",
              "levels": [{"code": level, "label": level} for level in levels]}  # fmt: skip
    return coded, entry


def _own(
    rows: pd.DataFrame, found: Followed, *, first: np.ndarray | None = None, last: np.ndarray | None = None
) -> pd.DataFrame:
    """Measurements of patients who are followed, with their place, from their ``first`` to their ``last`` day."""
    place = found.place[rows["patient"].to_numpy()]
    keep, day = place >= 0, rows["day"].to_numpy()
    for bound, is_last in ((first, False), (last, True)):
        if bound is not None:
            own = bound[place]  # of who is not followed, anybody's: they are gone already
            keep &= (day <= own) if is_last else (day >= own)
    return rows.loc[keep, ["code", "day", "value", "text"]].assign(place=place[keep])


# ------------------------------------------------------------------ what they had before


def _had(
    columns: Columns, source: Source, found: Followed, kind: str, rows: pd.DataFrame, before: np.ndarray,
    hidden: set[str], most: int,
) -> None:  # fmt: skip
    """One column of no and yes for each code that some had, and not all.

    What had begun earlier and was written down only later was not known at time zero.
    """
    place = found.place[rows["patient"].to_numpy()]
    latest = before[place]
    keep = (place >= 0) & (rows["day"].to_numpy() <= latest) & (rows["known"].to_numpy() <= latest)
    # Each code and patient once: one number for both, since there may be tens of millions.
    pairs = distinct(rows["code"].to_numpy()[keep].astype(np.int64) * _PLACES + place[keep])
    codes, starts, n = runs(pairs // _PLACES)
    share = pd.Series(n / len(found), index=codes)
    share = share[share < 1]
    at = {int(code): pairs[start : start + k] % _PLACES for code, start, k in zip(codes, starts, n, strict=True)}
    for rank, code in enumerate(_most(share, source, hidden, most)):
        told = source.codes[code]
        values = np.zeros(len(found), dtype=np.int8)
        values[at[code]] = 1
        default = rank < DEFAULT_KINDS and 0.05 <= share[code] <= 0.95
        columns.put(f"{kind} {told.key}", values, {
            "label": told.label, "kind": "binary", "use": "predictor" if default else "optional",
            "levels": [{"code": "0", "label": "no"}, {"code": "1", "label": "yes"}],
            "note": f"{kind} on record before time zero."})  # fmt: skip


# ------------------------------------------------------------------ visits


def visits_of(source: Source, found: Followed, *, most: int) -> tuple[pa.Table | None, list[dict[str, Any]]]:
    """Measurements from time zero to the end of follow-up: a row for each patient and day, a column for each code."""
    rows = _own(source.observations, found, first=found.zero, last=found.end)
    share = rows.drop_duplicates(["place", "code"])["code"].value_counts(sort=False) / len(found)
    chosen = _most(share, source, set(TELLS_THE_END), most)
    rows = rows[rows["code"].isin(chosen)].sort_values("day", kind="stable")
    if rows.empty:
        return None, []
    place, day = rows["place"].to_numpy(), rows["day"].to_numpy(np.int64)
    cells, at = np.unique(place * 2**20 + (day - found.zero[place]), return_inverse=True)
    rows = rows.assign(cell=at)
    ids = source.people["id"].to_numpy()[found.who]
    columns = Columns(len(cells))
    columns.put("patient", ids[cells // 2**20], None)
    columns.put("day", cells % 2**20, None)
    for code, own in rows.groupby("code", sort=False):
        values, entry = _column(own, source, int(code), len(cells), "cell")
        if entry is not None:
            columns.put(source.codes[int(code)].key, values, {k: v for k, v in entry.items() if k != "concept"})
    return (columns.table(), columns.entries) if columns.entries else (None, [])
