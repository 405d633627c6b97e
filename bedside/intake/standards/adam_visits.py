"""Tables of measurements over time in a trial (ADLB, ADVS and the like): visits, and values at the start."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bedside.intake.standards.staged_table import Coded, StagedTable, numbers_of

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
    # Such tables have millions of rows: whatever is text stands here as a number, a column at a time.
    who, code, unit = (table.coded(name) or _nothing(table) for name in ("USUBJID", "PARAMCD", "AVALU"))
    value = table.coded("AVAL")
    rows = pd.DataFrame({
        "who": who.codes, "code": code.codes, "unit": unit.codes,
        "value": np.full(len(who), np.nan) if value is None else value.numbers(),
        "derived": (table.coded("DTYPE") or _nothing(table)).filled, "first": _is_yes(table, "ABLFL"),
        "chosen": _is_yes(table, "ANL01FL"), DAY: _study_days(table, who, starts, found),
    })  # fmt: skip
    del value
    rows = _usable(rows, np.array([*(name in known for name in who.names), False]), found)
    if rows.empty:
        return found
    words = _words(table, rows, code.names, unit.names)
    rows = rows.sort_values("chosen", kind="stable")
    _baseline(rows, words, who.names, found)
    _visits(rows, words, who.names, found)
    return found


def _nothing(table: StagedTable) -> Coded:
    return Coded(np.full(table.n_rows, -1, dtype=np.int32), [])


def _is_yes(table: StagedTable, name: str) -> np.ndarray:
    return (table.coded(name) or _nothing(table)).equals("Y")


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


def _study_days(table: StagedTable, who: Coded, starts: pd.Series | None, found: Measured) -> np.ndarray:
    """Days from the start: the first day of treatment is ADY 1 and there is none called 0, so that 1 becomes 0."""
    told = table.coded("ADY")
    if told is not None and told.filled.any():
        days = told.numbers()
        if (days == 0).any():
            found.notes.append("ADY holds a day 0, which the standard has not; its days are taken as counted from 0.")
            return days
        return np.where(days > 0, days - 1, days)
    for name in ("ADT", "ADTM"):
        dated = table.coded(name) if starts is not None else None
        if dated is not None and starts is not None and dated.filled.any():
            begun = pd.Series(who.names, dtype=object).map(starts).to_numpy(dtype="datetime64[D]")
            dates, begun = dated.days(), who.of(np.append(begun, np.datetime64("NaT", "D")))
            days = (dates - begun).astype(float)
            days[np.isnat(dates) | np.isnat(begun)] = np.nan
            return days
    visit = table.coded("AVISIT")
    if visit is not None:
        found.notes.append("There is no study day (ADY); it is read from the names of the visits.")
        return visit.of(np.array([*(_visit_day(name.upper()) for name in visit.names), np.nan], dtype=float))
    return np.full(len(who), np.nan)


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


def _words(table: StagedTable, rows: pd.DataFrame, codes: list[str], units: list[str]) -> dict[int, Words]:
    """What each parameter is called, by its number."""
    named, ends = table.coded("PARAM"), [table.coded(name) for name in ("ANRLO", "ANRHI")]
    told = {}
    for number, own in rows.groupby("code").groups.items():
        label = "" if named is None or named.codes[own[0]] < 0 else named.names[named.codes[own[0]]]
        label = re.sub(r"\s*\([^()]*\)$", "", label).removesuffix(" Measurement") or codes[number]
        unit = int(rows["unit"].loc[own[0]])
        told[number] = Words(codes[number], label, units[unit] if unit >= 0 else "", _range(ends, own.to_numpy()))
    return told


def _range(ends: list[Coded | None], own: np.ndarray) -> dict[str, Any]:
    """The usual range, where all rows have one and the same."""
    found: list[float | None] = []
    for end in ends:
        cells = np.unique(end.codes[own]) if end is not None else np.empty(0, dtype=np.int32)
        cells = cells[cells >= 0]
        found.append(_number(end.names[cells[0]]) if end is not None and len(cells) == 1 else None)
    low, high = found
    if (low is None and high is None) or (low is not None and high is not None and low >= high):
        return {}
    return {"reference_range": [low, high]}


def _number(told: object) -> float | None:
    found = numbers_of(pd.Series([told]))[0]
    return float(found) if np.isfinite(found) else None
