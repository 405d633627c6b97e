"""Tables of measurements over time in a trial (ADLB, ADVS and the like): visits, and values at the start."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bedside.intake.standards.staged_table import StagedTable, coded, days_of, numbers_of, texts_of

COLUMNS = (
    "USUBJID", "PARAMCD", "PARAM", "AVAL", "AVALU", "ADY", "ADT", "ADTM", "AVISIT", "ABLFL", "DTYPE", "ANL01FL",
    "ANRLO", "ANRHI",
)  # fmt: skip
MOST_PARAMETERS = 200
PATIENT, DAY = "patient", "day"
_WEEK, _DAY = re.compile(r"WEEK\s*(\d+)"), re.compile(r"DAY\s*(\d+)")
_START = re.compile(r"BASELINE|SCREENING|RANDOMI[SZ]ATION")


@dataclass(eq=False)
class Measured:
    """What such tables hold.

    Attributes
    ----------
    visits : pandas.DataFrame
        ``patient``, ``day`` from the start, and a column for each parameter.
    baseline : pandas.DataFrame
        Index USUBJID; a column ``<PARAMCD> at baseline`` for each parameter.
    """

    visits: pd.DataFrame = field(default_factory=pd.DataFrame)
    baseline: pd.DataFrame = field(default_factory=pd.DataFrame)
    entries: list[dict[str, Any]] = field(default_factory=list)
    baseline_entries: list[dict[str, Any]] = field(default_factory=list)
    n_read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def read_measured(table: StagedTable, known: pd.Index, starts: pd.Series | None) -> Measured:
    """The measurements of the subjects that are known.

    Parameters
    ----------
    table : StagedTable
    known : pandas.Index
        Subjects of the cohort.
    starts : pandas.Series or None
        First day by subject, for tables without a study day.
    """
    found = Measured(n_read=table.n_rows)
    frame = table.frame(COLUMNS)
    # Such tables have millions of rows: whatever is text stands here as a number.
    (who, names), (code, codes), (unit, units) = (
        coded(frame[name]) if name in frame else (np.zeros(len(frame), np.int32), [""])
        for name in ("USUBJID", "PARAMCD", "AVALU")
    )
    rows = pd.DataFrame({
        "who": who, "code": code, "unit": unit, "value": numbers_of(frame["AVAL"]),
        "derived": _filled(frame, "DTYPE"), "first": _is_yes(frame, "ABLFL"), "chosen": _is_yes(frame, "ANL01FL"),
        DAY: _study_days(frame, starts, found),
    })  # fmt: skip
    rows = _usable(rows, np.array([*(name in known for name in names), False]), found)
    if rows.empty:
        return found
    words = {number: _words(frame, rows, number, codes, units) for number in rows["code"].unique()}
    del frame
    rows = rows.sort_values("chosen", kind="stable")
    _baseline(rows, words, names, found)
    _visits(rows, words, names, found)
    return found


def _is_yes(frame: pd.DataFrame, name: str) -> np.ndarray:
    return (texts_of(frame[name]) == "Y").to_numpy() if name in frame else np.zeros(len(frame), bool)


def _filled(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].notna().to_numpy() if name in frame else np.zeros(len(frame), bool)


def _leave(rows: pd.DataFrame, where: np.ndarray | pd.Series, found: Measured, why: str) -> pd.DataFrame:
    if where.any():
        found.dropped[why] += int(where.sum())
    return rows[~where]


def _usable(rows: pd.DataFrame, is_known: np.ndarray, found: Measured) -> pd.DataFrame:
    rows = _leave(rows, ~is_known[rows["who"]], found, "a subject who is in no cohort")
    rows = _leave(rows, rows["code"] < 0, found, "no parameter (PARAMCD)")
    rows = _leave(rows, rows["value"].isna(), found, "no number (AVAL)")
    rows = _leave(rows, rows["derived"], found, "derived, not measured (DTYPE)")
    counts = rows.groupby(["code", "unit"]).size().sort_values(kind="stable")
    usual = {code: unit for code, unit in counts.index}  # the most frequent one comes last and stays
    rows = _leave(rows, rows["unit"] != rows["code"].map(usual), found, "in another unit than most of its parameter")
    frequent = rows["code"].value_counts().index[:MOST_PARAMETERS]
    return _leave(rows, ~rows["code"].isin(frequent), found, f"beyond the {MOST_PARAMETERS} most frequent parameters")


def _study_days(frame: pd.DataFrame, starts: pd.Series | None, found: Measured) -> np.ndarray:
    """Days from the start: the first day of treatment is ADY 1 and there is none called 0, so that 1 becomes 0."""
    if "ADY" in frame and frame["ADY"].notna().any():
        days = numbers_of(frame["ADY"])
        if (days == 0).any():
            found.notes.append("ADY holds a day 0, which the standard has not; its days are taken as counted from 0.")
            return days
        return np.where(days > 0, days - 1, days)
    name = next((each for each in ("ADT", "ADTM") if each in frame and frame[each].notna().any()), "")
    if name and starts is not None:
        dates = days_of(frame[name])
        begun = texts_of(frame["USUBJID"]).map(starts).to_numpy(dtype="datetime64[D]")
        days = (dates - begun).astype(float)
        days[np.isnat(dates) | np.isnat(begun)] = np.nan
        return days
    if "AVISIT" in frame:
        found.notes.append("There is no study day (ADY); it is read from the names of the visits.")
        return texts_of(frame["AVISIT"]).fillna("").str.upper().map(_visit_day).to_numpy(dtype=float)
    return np.full(len(frame), np.nan)


def _visit_day(name: str) -> float:
    if _START.search(name):
        return 0.0
    week, day = _WEEK.search(name), _DAY.search(name)
    if day:
        return float(day.group(1)) - 1
    return 7.0 * float(week.group(1)) if week else np.nan


def _baseline(rows: pd.DataFrame, words: dict[int, Words], names: list[str], found: Measured) -> None:
    first = rows[rows["first"]].drop_duplicates(["who", "code"], keep="last")
    if first.empty:
        return
    if late := int((first[DAY] > 0).sum()):
        found.notes.append(f"{late} values that the trial marks as those of the start were measured after it.")
    late_codes = set(first.loc[first[DAY] > 0, "code"])
    wide = first.pivot(index="who", columns="code", values="value")
    kept = {}
    for number in sorted(wide.columns, key=lambda each: words[each].code):
        own = words[number]
        if wide[number].nunique() < 2:
            continue
        use = {"use": "optional"}
        if number in late_codes:
            use = {"use": "later", "why_later": "measured after the start in some, though marked as its value"}
        told = {"name": f"{own.code} at baseline", "kind": "continuous", "label": f"{own.label} at baseline", **use}
        found.baseline_entries.append(told | ({"unit": own.unit} if own.unit else {}))
        kept[f"{own.code} at baseline"] = wide[number]
    found.baseline = pd.DataFrame(kept, index=wide.index)
    found.baseline.index = [names[who] for who in wide.index]


def _visits(rows: pd.DataFrame, words: dict[int, Words], names: list[str], found: Measured) -> None:
    rows = _leave(rows, rows[DAY].isna(), found, "no day from the start")
    before = rows[DAY] < 0
    if kept_first := int((before & rows["first"]).sum()):
        found.notes.append(f"{kept_first} values of the start were measured before it; not among visits.")
    rows = _leave(rows, before & ~rows["first"], found, "before the start")
    rows = rows[rows[DAY] >= 0]
    rows = _leave(rows, rows.duplicated(["who", DAY, "code"], keep="last"), found, "measured again on the same day")
    if rows.empty:
        return
    visit = rows.groupby(["who", DAY], sort=True).ngroup().to_numpy()
    at = rows.drop_duplicates(["who", DAY]).sort_values(["who", DAY])
    columns = {PATIENT: np.array(names, dtype=object)[at["who"]], DAY: at[DAY].to_numpy()}
    for number in sorted(rows["code"].unique(), key=lambda each: words[each].code):
        own = words[number]
        values = np.full(len(at), np.nan)
        mine = (rows["code"] == number).to_numpy()
        values[visit[mine]] = rows["value"].to_numpy()[mine]
        columns[own.code] = values
        entry = {"name": own.code, "kind": "continuous", "label": own.label, "unit": own.unit} | own.range
        found.entries.append({key: value for key, value in entry.items() if value})
    found.visits = pd.DataFrame(columns)


@dataclass(frozen=True)
class Words:
    """What a parameter is called, its unit, and its usual range where the table gives one and the same to everybody."""

    code: str
    label: str
    unit: str
    range: dict[str, Any]


def _words(frame: pd.DataFrame, rows: pd.DataFrame, number: int, codes: list[str], units: list[str]) -> Words:
    own = rows.index[rows["code"] == number]
    labels = texts_of(frame["PARAM"].loc[own[:1]]).dropna() if "PARAM" in frame else pd.Series(dtype=object)
    label = str(labels.iloc[0]) if len(labels) else codes[number]
    label = re.sub(r"\s*\([^()]*\)$", "", label).removesuffix(" Measurement") or codes[number]
    unit = int(rows["unit"].loc[own[0]])
    return Words(codes[number], label, units[unit] if unit >= 0 else "", _range(frame.loc[own]))


def _range(own: pd.DataFrame) -> dict[str, Any]:
    ends: list[float | None] = []
    for name in ("ANRLO", "ANRHI"):
        told = own[name].dropna().unique() if name in own else ()
        ends.append(None if len(told) != 1 else _number(told[0]))
    low, high = ends
    if (low is None and high is None) or (low is not None and high is not None and low >= high):
        return {}
    return {"reference_range": [low, high]}


def _number(told: object) -> float | None:
    found = numbers_of(pd.Series([told]))[0]
    return float(found) if np.isfinite(found) else None
