"""Tables of measurements over time in a trial (ADLB, ADVS and the like): visits, and values at the start."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bedside.intake.standards.describe import variable
from bedside.intake.standards.staged_table import StagedTable, days_of, numbers_of, texts_of

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
    rows = pd.DataFrame({
        PATIENT: texts_of(frame["USUBJID"]), "code": texts_of(frame["PARAMCD"]), "value": numbers_of(frame["AVAL"]),
        "unit": texts_of(frame["AVALU"]).fillna("") if "AVALU" in frame else "",
        "label": texts_of(frame["PARAM"]) if "PARAM" in frame else None,
        "derived": frame["DTYPE"].notna() if "DTYPE" in frame else False,
        "first": (texts_of(frame["ABLFL"]) == "Y") if "ABLFL" in frame else False,
        "chosen": (texts_of(frame["ANL01FL"]) == "Y") if "ANL01FL" in frame else False,
        "low": numbers_of(frame["ANRLO"]) if "ANRLO" in frame else np.nan,
        "high": numbers_of(frame["ANRHI"]) if "ANRHI" in frame else np.nan,
        DAY: _study_days(frame, starts, found),
    })  # fmt: skip
    rows = _usable(rows, known, found)
    if rows.empty:
        return found
    rows = rows.sort_values("chosen", kind="stable")
    _baseline(rows, found)
    _visits(rows, found)
    return found


def _leave(rows: pd.DataFrame, where: pd.Series, found: Measured, why: str) -> pd.DataFrame:
    if where.any():
        found.dropped[why] += int(where.sum())
    return rows[~where]


def _usable(rows: pd.DataFrame, known: pd.Index, found: Measured) -> pd.DataFrame:
    rows = _leave(rows, ~rows[PATIENT].isin(known), found, "a subject who is in no cohort")
    rows = _leave(rows, rows["value"].isna(), found, "no number (AVAL)")
    rows = _leave(rows, rows["derived"].astype(bool), found, "derived, not measured (DTYPE)")
    usual = rows.groupby("code")["unit"].transform(lambda units: units.mode().iloc[0] if len(units) else "")
    rows = _leave(rows, rows["unit"] != usual, found, "in another unit than most of its parameter")
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


def _baseline(rows: pd.DataFrame, found: Measured) -> None:
    first = rows[rows["first"].astype(bool)].drop_duplicates([PATIENT, "code"], keep="last")
    if first.empty:
        return
    if late := int((first[DAY] > 0).sum()):
        found.notes.append(f"{late} values that the trial marks as those of the start were measured after it.")
    wide = first.pivot(index=PATIENT, columns="code", values="value")
    late_codes = set(first.loc[first[DAY] > 0, "code"])
    for code in wide.columns:
        use = {"use": "optional"}
        if code in late_codes:
            use = {"use": "later", "why_later": "measured after the start in some, though marked as its value"}
        entry = variable(f"{code} at baseline", wide[code], **_words(rows, str(code), "{} at baseline"), **use)
        if entry is not None and wide[code].nunique() > 1:
            entry["kind"] = "continuous"
            entry.pop("levels", None)
            found.baseline_entries.append(entry)
    wide.columns = [f"{code} at baseline" for code in wide.columns]
    found.baseline = wide[[entry["name"] for entry in found.baseline_entries]]


def _visits(rows: pd.DataFrame, found: Measured) -> None:
    rows = _leave(rows, rows[DAY].isna(), found, "no day from the start")
    before = rows[DAY] < 0
    kept_first = before & rows["first"].astype(bool)
    if kept_first.any():
        found.notes.append(f"{int(kept_first.sum())} values of the start were measured before it; not among visits.")
    rows = _leave(rows, before & ~rows["first"].astype(bool), found, "before the start")
    rows = rows[rows[DAY] >= 0]
    twice = rows.duplicated([PATIENT, DAY, "code"], keep="last")
    rows = _leave(rows, twice, found, "measured again on the same day")
    if rows.empty:
        return
    wide = rows.pivot(index=[PATIENT, DAY], columns="code", values="value").reset_index()
    wide.columns.name = None
    found.visits = wide.sort_values([PATIENT, DAY], kind="stable", ignore_index=True)
    for code in [name for name in wide.columns if name not in (PATIENT, DAY)]:
        words = _words(rows, str(code), "{}")
        entry = {"name": str(code), "kind": "continuous", **{key: value for key, value in words.items() if value}}
        found.entries.append(entry | _range(rows[rows["code"] == code]))


def _words(rows: pd.DataFrame, code: str, form: str) -> dict[str, str]:
    own = rows[rows["code"] == code]
    labels = own["label"].dropna()
    label = str(labels.iloc[0]) if len(labels) else code
    label = re.sub(r"\s*\([^()]*\)$", "", label).removesuffix(" Measurement") or code
    return {"label": form.format(label), "unit": str(own["unit"].iloc[0])}


def _range(own: pd.DataFrame) -> dict[str, Any]:
    """The usual range, where the table gives one and the same to everybody."""
    ends = [values.iloc[0] if values.nunique() == 1 else None for values in (own["low"].dropna(), own["high"].dropna())]
    low, high = (None if end is None else float(end) for end in ends)
    if (low is None and high is None) or (low is not None and high is not None and low >= high):
        return {}
    return {"reference_range": [low, high]}
