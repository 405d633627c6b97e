"""ADTTE: times to events, one parameter an outcome."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bedside.cohort.units import Unit, convert
from bedside.intake.standards.staged_table import StagedTable, days_of, numbers_of, texts_of

COLUMNS = (
    "USUBJID", "PARAMCD", "PARAM", "AVAL", "AVALU", "CNSR", "STARTDT", "STARTDTM", "ADT", "ADTM", "CNSDTDSC",
    "EVNTDESC", "ANL01FL",
)  # fmt: skip
_UNITS: dict[str, tuple[Unit, float]] = {
    "D": ("days", 1), "DAY": ("days", 1), "W": ("weeks", 1), "WK": ("weeks", 1), "WEEK": ("weeks", 1),
    "M": ("months", 1), "MO": ("months", 1), "MTH": ("months", 1), "MONTH": ("months", 1), "Y": ("years", 1),
    "YR": ("years", 1), "YEAR": ("years", 1), "H": ("days", 1 / 24), "HR": ("days", 1 / 24),
    "HOUR": ("days", 1 / 24), "MIN": ("days", 1 / 1440), "MINUTE": ("days", 1 / 1440),
}  # fmt: skip
"""A unit as ADaM spells it, without a plural's s: ours, and how many of ours one of it is."""
_IN_LABEL = re.compile(r"[(\[]\s*(days?|weeks?|months?|years?)\s*[)\]]", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Parameter:
    """One outcome of a trial.

    Attributes
    ----------
    code, label : str
        PARAMCD and PARAM.
    unit : str
    rows : pandas.DataFrame
        Index USUBJID, each once; columns ``time`` (float), ``status`` (CNSR as text), ``said`` (how it ended).
    said : tuple of (CNSR, description, n)
        What the trial says about each kind of end.
    """

    code: str
    label: str
    unit: Unit
    rows: pd.DataFrame
    said: tuple[tuple[str, str, int], ...] = ()


@dataclass(eq=False)
class Events:
    """What an ADTTE table holds, and what of it could not be used."""

    parameters: list[Parameter] = field(default_factory=list)
    n_read: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def read_events(table: StagedTable) -> Events:
    """Every parameter of an ADTTE table."""
    frame = table.frame(COLUMNS)
    found = Events(n_read=table.n_rows)
    frame["USUBJID"], frame["PARAMCD"] = texts_of(frame["USUBJID"]), texts_of(frame["PARAMCD"])
    unnamed = frame["USUBJID"].isna() | frame["PARAMCD"].isna()
    if unnamed.any():
        found.dropped["no subject or no parameter"] += int(unnamed.sum())
    for code, rows in frame[~unnamed].groupby("PARAMCD", sort=True):
        parameter = _parameter(str(code), rows, found)
        if parameter is not None:
            found.parameters.append(parameter)
    return found


def _parameter(code: str, rows: pd.DataFrame, found: Events) -> Parameter | None:
    label = _first(rows, "PARAM") or code
    factor, unit = _scale(code, label, rows, found)
    if factor is None or unit is None:
        return None
    time, cnsr = numbers_of(rows["AVAL"]) * factor, numbers_of(rows["CNSR"])
    time = _from_dates(code, rows, time, unit, found)
    kept = pd.DataFrame({
        "subject": rows["USUBJID"].to_numpy(), "time": time, "cnsr": cnsr, "chosen": _chosen(rows),
        "said": _descriptions(rows, cnsr),
    })  # fmt: skip
    kept = _leave(kept, kept["cnsr"].isna() | (kept["cnsr"] < 0) | (kept["cnsr"] % 1 != 0), found,
                  f"{code}: CNSR is missing or no whole number")  # fmt: skip
    kept = _leave(kept, kept["time"].isna(), found, f"{code}: no time (AVAL)")
    kept = _leave(kept, kept["time"] < 0, found, f"{code}: a negative time")
    kept = _once(code, kept, found)
    if kept.empty:
        return None
    kept["status"] = kept["cnsr"].astype(int).astype(str)
    said = kept.groupby(["status", "said"]).size()
    told = tuple((str(status), str(text), int(n)) for (status, text), n in said.items() if text)
    return Parameter(code, label, unit, kept.set_index("subject")[["time", "status", "said"]], told)


def _first(rows: pd.DataFrame, name: str) -> str:
    if name not in rows:
        return ""
    texts = texts_of(rows[name]).dropna()
    return "" if texts.empty else str(texts.iloc[0])


def _scale(code: str, label: str, rows: pd.DataFrame, found: Events) -> tuple[np.ndarray | None, Unit | None]:
    """What each AVAL has to be multiplied with, and the unit that it is in then; None if it is no time."""
    if "AVALU" in rows and rows["AVALU"].notna().any():
        written = texts_of(rows["AVALU"]).fillna("").str.upper().str.strip().str.replace(r"S$", "", regex=True)
        known = written.map(_UNITS.get)
        usual = known.dropna()
        if usual.empty:
            found.dropped[f"{code}: no time, its unit is {written[written != ''].iloc[0].lower()}"] += len(rows)
            return None, None
        unit = usual.map(lambda each: each[0]).mode().iloc[0]
        factors = [np.nan if each is None else convert(each[1], each[0], unit) for each in known]
        return np.array(factors, dtype=float), unit
    marked = _IN_LABEL.search(label)
    unit = _UNITS[marked.group(1).upper().rstrip("S")][0] if marked else "days"
    if not marked:
        found.notes.append(f"{code}: no unit is given (AVALU); its times are read as days.")
    return np.ones(len(rows)), unit


def _from_dates(code: str, rows: pd.DataFrame, time: np.ndarray, unit: Unit, found: Events) -> np.ndarray:
    """Where AVAL is missing throughout, days between STARTDT and ADT; day 1 is the day of the start."""
    end = _days(rows, "ADT")
    start = _days(rows, "STARTDT")
    if end is None or start is None or np.isfinite(time).any():
        return time
    days = (end - start).astype("timedelta64[D]").astype(float) + 1
    days[np.isnat(end) | np.isnat(start)] = np.nan
    found.notes.append(f"{code}: AVAL is empty; its times are counted from STARTDT to ADT, the first day as 1.")
    return convert(days, "days", unit)


def _days(rows: pd.DataFrame, name: str) -> np.ndarray | None:
    for each in (name, f"{name}M"):
        if each in rows and rows[each].notna().any():
            return days_of(rows[each])
    return None


def _chosen(rows: pd.DataFrame) -> np.ndarray:
    """Where a record is the one for the analysis, if the table says so."""
    if "ANL01FL" not in rows:
        return np.ones(len(rows), dtype=bool)
    return (texts_of(rows["ANL01FL"]) == "Y").to_numpy(dtype=bool)


def _descriptions(rows: pd.DataFrame, cnsr: np.ndarray) -> list[str]:
    """EVNTDESC of events; of the others CNSDTDSC, or EVNTDESC where that is all there is."""
    empty = pd.Series("", index=rows.index, dtype=object)
    events = texts_of(rows["EVNTDESC"]).fillna("") if "EVNTDESC" in rows else empty
    reasons = texts_of(rows["CNSDTDSC"]).fillna("") if "CNSDTDSC" in rows else empty
    return [e if c == 0 else (r or e) for e, r, c in zip(events, reasons, cnsr, strict=True)]


def _leave(kept: pd.DataFrame, where: pd.Series, found: Events, why: str) -> pd.DataFrame:
    if where.any():
        found.dropped[why] += int(where.sum())
    return kept[~where]


def _once(code: str, kept: pd.DataFrame, found: Events) -> pd.DataFrame:
    """One record for each subject: the one for the analysis, if there is one; nobody whose records disagree."""
    several = kept["subject"].duplicated(keep=False)
    if not several.any():
        return kept
    rest = kept[several]
    preferred = rest[rest["chosen"]]
    rest = pd.concat([preferred, rest[~rest["subject"].isin(preferred["subject"])]])
    distinct = rest.drop_duplicates(["subject", "time", "cnsr"])
    unclear = distinct[distinct["subject"].duplicated(keep=False)]
    single = distinct[~distinct["subject"].isin(unclear["subject"])]
    n_unclear = int(kept["subject"].isin(unclear["subject"]).sum())
    if n_unclear:
        found.dropped[f"{code}: several records of one subject that disagree"] += n_unclear
    if more := int(several.sum()) - n_unclear - len(single):
        found.dropped[f"{code}: a further record of a subject"] += more
    return pd.concat([kept[~several], single])
