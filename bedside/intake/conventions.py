"""Reading what no dictionary has said: which kind a column is, which status is the event."""

from __future__ import annotations

import re

import numpy as np

from bedside.cohort.variable import Level, Variable
from bedside.intake.columns import Column

MAX_LEVELS = 20
"""More distinct texts than this are free text unless the dictionary says otherwise."""
SURELY_DISTINCT = 10
"""From so many rows on, texts that all differ are taken for a name of each patient."""
SURELY_NUMBERED = 20
"""From so many rows on, whole numbers that all differ are taken for the number of each patient."""
SAMPLE = 100_000
"""Rows that are enough to see how many decimals a value is said with."""

_EVENT = {"1", "yes", "y", "true", "t", "dead", "died", "death", "deceased", "event", "failure"} | {
    "progression", "progressed", "relapse", "relapsed", "recurrence", "recurred",
}  # fmt: skip
_CENSORED = {"0", "no", "n", "false", "f", "alive", "living", "censored", "censor", "censoring"} | {
    "no event", "event-free", "event free", "disease-free", "disease free", "lost to follow-up",
}  # fmt: skip
_NAMES_A_PATIENT = re.compile(r"(^|[^a-z])(id|pid|mrn|identifier|subject|patient|patientid|subjid|usubjid)([^a-z]|$)")


def read_status(codes: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Censored and event codes, where a usual coding leaves no doubt.

    Usual codings are 0/1, 1/2 (R's older one, 2 is the event), yes/no,
    true/false, words such as dead and alive, and cBioPortal's ``1:DECEASED``. A column of only 1 is read as
    all events, as R's ``Surv`` does.

    Parameters
    ----------
    codes : tuple of str
        The codes that occur.

    Returns
    -------
    (tuple of str, tuple of str) or None
        Codes read as censored and codes read as events; None if a code has no
        usual meaning.
    """
    present = frozenset(codes)
    if "2" in present and present <= {"1", "2"}:
        return ("1",), ("2",)
    censored = tuple(sorted(c for c in present if _word(c) in _CENSORED))
    event = tuple(sorted(c for c in present if _word(c) in _EVENT))
    if not present or len(censored) + len(event) < len(present):
        return None
    return censored or _partner(event, "1", "0"), event or _partner(censored, "0", "1")


def _word(code: str) -> str:
    """A code in lower case; of ``1:DECEASED``, as cBioPortal writes it, the number."""
    number, colon, _ = code.partition(":")
    return number if colon and number in ("0", "1") else code.casefold()


def _partner(seen: tuple[str, ...], mine: str, other: str) -> tuple[str, ...]:
    """A code for the side that does not occur, so that both sides are always named."""
    if seen == (mine,):
        return (other,)
    return ("no event",) if other == "0" else ("event",)


def infer(name: str, column: Column, *, use: str = "predictor") -> Variable | None:
    """A variable for a column that the dictionary does not name; None if it holds nothing readable."""
    present = column.present()
    if not column.is_plain or not present.any():
        return None
    if column.is_date:
        return Variable(name=name, kind="date", use=use)
    named_so = _NAMES_A_PATIENT.search(name.casefold()) is not None
    if _reads_as_number(column):
        return _number(name, column, named_so=named_so, use=use)
    n_distinct = column.n_distinct
    if n_distinct == len(column) > 1 and (named_so or len(column) >= SURELY_DISTINCT):
        return Variable(name=name, kind="identifier", use=use)
    if n_distinct > MAX_LEVELS:
        return Variable(name=name, kind="text", use=use)
    kind = "binary" if n_distinct == 2 else "categorical"
    return Variable(name=name, kind=kind, levels=levels_of(column), use=use)


def _number(name: str, column: Column, *, named_so: bool, use: str) -> Variable:
    values = column.numbers()[0]
    whole = bool(np.all(values == np.round(values)))  # False where any is missing, as it is for an identifier
    may_name = len(column) > 1 if named_so else len(column) >= SURELY_NUMBERED
    if whole and may_name and column.n_distinct == len(column):
        return Variable(name=name, kind="identifier", use=use)
    low, high = np.nanmin(values), np.nanmax(values)
    if (low, high) in ((0, 1), (1, 2)) and len(column.codes()[1]) == 2:
        return Variable(name=name, kind="binary", levels=levels_of(column), use=use)
    return Variable(name=name, kind="continuous", decimals=decimals_of(column), use=use)


def levels_of(column: Column) -> tuple[Level, ...]:
    """The codes that occur, each its own label: in the file's own order of categories,
    else numbers by size and texts by alphabet.
    """
    codes = column.codes()[1]
    try:
        ordered = codes if column.is_ordered else sorted(codes, key=float)
    except ValueError:
        ordered = sorted(codes)
    return tuple(Level(code=code, label=code) for code in ordered)


def decimals_of(column: Column) -> int:
    """Decimals for three significant figures of a usual value; none where all values are whole."""
    values = column.numbers()[0]
    values = np.abs(values[np.isfinite(values)][:SAMPLE])
    if not values.size or np.all(values == np.round(values)):
        return 0
    usual = float(np.median(values[values > 0]))
    return int(np.clip(2 - np.floor(np.log10(usual)), 0, 4))


def _reads_as_number(column: Column) -> bool:
    if not column.is_text:
        return True
    if column.keeps_zeros:
        return False
    return not column.numbers()[1].any()
