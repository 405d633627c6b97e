"""A staged table of measurements over time becomes visits of a cohort, every row accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bedside.cohort.codes import normal_code
from bedside.cohort.cohort import Cohort
from bedside.cohort.units import convert
from bedside.cohort.variable import Level, Variable
from bedside.errors import Fixable
from bedside.intake.columns import clean_name
from bedside.intake.dates import DateStyle, look_at, read_date
from bedside.intake.names import spoken
from bedside.intake.staging import Progress, Staged
from bedside.intake.visits_plan import OF_COHORT, OF_FILE, THIS_YEAR, VisitsPlan
from bedside.intake.visits_table import DAY, PATIENT, VisitsAbout, VisitsReport, write_visits
from bedside.intake.visits_values import APART, decimal_of, numbers_of, texts_of, times_of_own
from bedside.intake.wide_match import Known

MOST_ROWS = 5_000_000
MOST_MEASURED = 200
MOST_LEVELS = 20
MOSTLY = 0.5
"""Share of its cells that are numbers in a measurement of numbers."""
SLACK = 0.5
"""Days by which a visit may lie after the end of follow-up: that was rounded too."""
NOTHING = "Nothing was attached."


@dataclass(eq=False)
class _Rows:
    """Rows that are still there, and why others are not.

    Attributes
    ----------
    kept : array of int
        Places in the file.
    patient : array of int
        Place of each row's patient in the cohort.
    day : array of float
    """

    kept: np.ndarray
    patient: np.ndarray
    day: np.ndarray
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def leave(self, where: np.ndarray, why: str) -> None:
        """Take rows out, counted."""
        self.counts[why] += int(where.sum())
        self.kept, self.patient, self.day = self.kept[~where], self.patient[~where], self.day[~where]


@dataclass(frozen=True, eq=False)
class _Measured:
    """Values of one measurement: where they stand, and what they are."""

    name: str
    unit: str
    row: np.ndarray
    cells: pa.Array


def read_visits(
    staged: Staged, plan: VisitsPlan, cohort: Cohort, into: Path, *, progress: Progress | None = None
) -> VisitsAbout:
    """Write the visits of a cohort's patients into a folder.

    Parameters
    ----------
    staged : Staged
    plan : VisitsPlan
    cohort : Cohort
        With an identifier.
    into : Path
        Empty.
    progress : callable, optional

    Raises
    ------
    Fixable
        If columns are not said, nobody of the cohort has a visit, or nothing that was measured can be read.
    """
    tell = progress or (lambda share, sentence: None)
    _check(staged, plan, cohort)
    tell(0.1, "Finding the patients")
    rows, known = _patients(staged, plan, cohort)
    tell(0.3, "Reading the times")
    _timed(staged, plan, cohort, rows)
    if not len(rows.kept):
        raise Fixable(
            NOTHING, f"No row is left: {_why(rows.counts)}.", "Look at which columns hold patients and times."
        )
    tell(0.5, "Reading the values")
    visit, places = _visits(rows)
    measured = list(_measurements(staged, plan, rows))
    frame, variables, left = _table(measured, staged, cohort, rows, visit, len(places))
    if not variables:
        raise Fixable(NOTHING, "No column holds a measurement that can be read.", "Choose other columns.")
    names = np.array(cohort.identifiers, dtype=object)
    frame = pd.DataFrame({PATIENT: names[rows.patient[places]], DAY: rows.day[places], **frame})
    empty = frame[[v.name for v in variables]].isna().all(axis=1)
    rows.counts["empty"] += int(empty.sum())
    frame = frame[~empty.to_numpy()].sort_values([PATIENT, DAY], kind="stable").reset_index(drop=True)
    report = _report(staged, rows, known, frame, left)
    tell(0.9, "Writing them")
    return write_visits(into, frame, variables, report)


def _check(staged: Staged, plan: VisitsPlan, cohort: Cohort) -> None:
    needed = [("patients", plan.patient), ("times", plan.time)]
    needed += [("names", plan.name), ("values", plan.value)] if plan.form == "long" else []
    lost = [what for what, name in needed if name not in {column.name for column in staged.columns}]
    if lost or (plan.form == "columns" and not plan.measured):
        lost = lost or ["measurements"]
        raise Fixable(NOTHING, f"It is not said which column holds the {lost[0]}.", "Choose it.")
    if cohort.identifier is None:
        raise Fixable(NOTHING, "The cohort has no identifiers by which patients are found.",
                      "Import the cohort with the column that names its patients.")  # fmt: skip
    if staged.n_rows > MOST_ROWS:
        raise Fixable(NOTHING, f"It has {staged.n_rows:,} rows; at most {MOST_ROWS:,} are read.",
                      "Leave out what is not needed.")  # fmt: skip
    if plan.clock == "date" and not plan.zero:
        raise Fixable(
            NOTHING, "Visits have dates, and it is not said which date is time zero.",
            "Choose a column of dates, or bring the time since time zero as a number.",
        )  # fmt: skip


def _why(counts: Counter[str]) -> str:
    said = {
        "strangers": "of nobody in the cohort", "untimed": "without a time", "before": "before time zero",
        "after": "after the end of follow-up", "without zero": "of patients without a date of time zero",
    }  # fmt: skip
    return ", ".join(f"{n:,} {said[why]}" for why, n in counts.items() if n and why in said) or "it has none"


def _column(staged: Staged, name: str) -> pa.Array:
    column = pq.read_table(staged.file, columns=[staged.place(name)]).column(0)
    array = column.combine_chunks()
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array


# ------------------------------------------------------------------ who and when


def _patients(staged: Staged, plan: VisitsPlan, cohort: Cohort) -> tuple[_Rows, Counter[str]]:
    array = _column(staged, plan.patient)
    if pa.types.is_floating(array.type):  # 17.0 is patient 17
        array = pa.array([None if cell is None else normal_code(cell) for cell in array.to_pylist()], pa.string())
    coded = texts_of(array).dictionary_encode()
    known, place = Known(cohort.identifiers), {name: i for i, name in enumerate(cohort.identifiers)}
    found = [known.patient(name) for name in coded.dictionary.to_pylist()]
    of_code = np.array([-1 if each is None else place[each[0]] for each in found] or [-1], dtype=np.int64)
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    patient = np.where(codes < 0, -1, of_code[codes])
    how = Counter("as written" if each[1] == 0 else "apart from capitals and marks" for each in found if each)
    rows = _Rows(np.arange(len(patient)), patient, np.zeros(len(patient)))
    rows.counts["unknown"] = sum(each is None for each in found)
    rows.leave(patient < 0, "strangers")
    return rows, how


def _timed(staged: Staged, plan: VisitsPlan, cohort: Cohort, rows: _Rows) -> None:
    array = _column(staged, plan.time)
    if plan.clock == "date":
        rows.day = _days(array, rows.kept, rows) - _zero(staged, plan, cohort, rows)
    else:
        values, _, said = numbers_of(array.take(pa.array(rows.kept)), _usual(staged))
        rows.notes += [f"“{clean_name(plan.time)[:80]}”: {said}."] if said else []
        rows.day = convert(values, plan.clock, "days")
    rows.leave(np.isnan(rows.day), "untimed")
    rows.leave(rows.day < -SLACK, "before")
    rows.day = np.maximum(rows.day, 0.0)
    ends = [convert(cohort.time(outcome), outcome.unit, "days") for outcome in cohort.outcomes]
    last = np.max(np.stack(ends), axis=0)
    rows.leave(rows.day > last[rows.patient] + SLACK, "after")


def _zero(staged: Staged, plan: VisitsPlan, cohort: Cohort, rows: _Rows) -> np.ndarray:
    """Time zero of each row's patient in days since 1970; rows without one are left out."""
    if plan.zero.startswith(OF_COHORT):
        dates = cohort.frame[plan.zero.removeprefix(OF_COHORT)].to_numpy(dtype="datetime64[D]")
        zero = np.where(np.isnat(dates), np.nan, dates.astype(np.int64))[rows.patient]
    else:
        zero = _days(_column(staged, plan.zero.removeprefix(OF_FILE)), rows.kept, rows)
    gone = np.isnan(zero)
    # The time of these rows is not known for want of time zero, which is another fault than a visit without a date.
    rows.counts["without zero"] += int(gone.sum())
    rows.counts["untimed"] -= int(gone.sum())
    return zero


def _days(array: pa.Array, kept: np.ndarray, rows: _Rows) -> np.ndarray:
    """Days since 1970, NaN where there is no date."""
    array = array.take(pa.array(kept))
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        moments = pc.cast(array, pa.timestamp("us"), safe=False)
        days = moments.to_numpy(zero_copy_only=False).astype("datetime64[D]")
        return np.where(np.isnat(days), np.nan, days.astype(np.int64))
    coded = texts_of(array).dictionary_encode()
    cells = coded.dictionary.to_pylist()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    n = np.bincount(codes[codes >= 0], minlength=max(len(cells), 1))
    looks = look_at({cell: int(n[i]) for i, cell in enumerate(cells)}, this_year=THIS_YEAR)
    if not looks.sure:
        rows.notes.append("Every date could be read with day and month exchanged: read day first.")
    style: DateStyle = looks.style
    read = [read_date(cell, style).day for cell in cells]
    of_code = np.array([np.nan if day is None else (day - date(1970, 1, 1)).days for day in read] or [np.nan])
    return np.where(codes < 0, np.nan, of_code[codes])


def _visits(rows: _Rows) -> tuple[np.ndarray, np.ndarray]:
    """Which visit each row belongs to, and a row of each visit: one patient, one time."""
    pairs = np.stack([rows.patient.astype(float), np.round(rows.day, 6)], axis=1)
    _, places, visit = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
    return visit.reshape(-1), places


# ------------------------------------------------------------------ what was measured


def _measurements(staged: Staged, plan: VisitsPlan, rows: _Rows) -> list[_Measured]:
    here = pa.array(rows.kept)
    everyone = np.arange(len(rows.kept))
    if plan.form == "columns":
        measured = plan.measured[:MOST_MEASURED]
        if len(plan.measured) > len(measured):
            rows.notes.append(f"Of {len(plan.measured):,} measurements the first {MOST_MEASURED} are kept.")
        return [_Measured(name, "", everyone, _column(staged, name).take(here)) for name in measured]
    names = texts_of(_column(staged, plan.name).take(here)).dictionary_encode()
    codes = pc.fill_null(names.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    values = _column(staged, plan.value).take(here)
    units = texts_of(_column(staged, plan.unit).take(here)).dictionary_encode() if plan.unit else None
    of_unit = np.full(len(codes), -1) if units is None else \
        pc.fill_null(units.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)  # fmt: skip
    counted = Counter(zip(codes.tolist(), of_unit.tolist(), strict=True))
    often = [pair for pair, _ in counted.most_common() if pair[0] >= 0]
    if len(often) > MOST_MEASURED:
        rows.notes.append(f"Of {len(often):,} measurements the {MOST_MEASURED} most frequent are kept.")
    rows.counts["unnamed"] += int((codes < 0).sum())
    found = []
    for code, unit in often[:MOST_MEASURED]:
        row = np.flatnonzero((codes == code) & (of_unit == unit))
        said = "" if units is None or unit < 0 else units.dictionary[unit].as_py()
        found.append(_Measured(names.dictionary[code].as_py(), said, row, values.take(pa.array(row))))
    return found


def _table(
    measured: Sequence[_Measured], staged: Staged, cohort: Cohort, rows: _Rows, visit: np.ndarray, n_visits: int
) -> tuple[dict[str, np.ndarray], list[Variable], list[str]]:
    frame: dict[str, np.ndarray] = {}
    variables: list[Variable] = []
    left: list[str] = []
    taken = {PATIENT, DAY}
    decimal = decimal_of([each.cells for each in measured], _usual(staged))
    for each in measured:
        understood = _understood(each, decimal, rows)
        if isinstance(understood, str):
            left.append(f"{clean_name(each.name)[:80]}: {understood}")
            continue
        values, levels = understood
        variable = _variable(each, understood, cohort, rows, taken)
        there = ~pd.isna(values)
        places = visit[each.row[there]]
        rows.counts["together"] += len(places) - len(np.unique(places))
        column = np.full(n_visits, np.nan) if not levels else np.full(n_visits, None, dtype=object)
        column[places] = values[there]  # in the order of the file, so that the later one counts
        taken.add(variable.name)
        frame[variable.name] = column
        variables.append(variable)
    return frame, variables, left


def _usual(staged: Staged) -> str:
    """The decimal mark if no cell says so: where commas part cells, those within a cell part thousands."""
    return "." if staged.reading.delimiter == "," else staged.reading.decimal


def _understood(each: _Measured, decimal: tuple[str, bool], rows: _Rows) -> tuple[np.ndarray, tuple[str, ...]] | str:
    """Numbers, or codes with their levels; or why it is no measurement."""
    if pa.types.is_date(each.cells.type) or pa.types.is_timestamp(each.cells.type):
        return "dates"
    texts = texts_of(each.cells)
    n = len(texts) - texts.null_count
    if not n:
        return "empty"
    values, n_limits, said = numbers_of(each.cells, decimal[0], sure=decimal[1])
    read = int((~np.isnan(values)).sum())
    if read >= MOSTLY * n:
        rows.counts["unread"] += n - read
        rows.counts["limits"] += n_limits
        rows.notes += [f"“{clean_name(each.name)[:80]}”: {said}."] if said else []
        return values, ()
    codes = [None if cell is None else normal_code(cell) for cell in texts.to_pylist()]
    levels = tuple(sorted({code for code in codes if code is not None}))
    if len(levels) > MOST_LEVELS:
        return "text that differs too often to be a measurement"
    return np.array(codes, dtype=object), levels


def _variable(
    each: _Measured, understood: tuple[np.ndarray, tuple[str, ...]], cohort: Cohort, rows: _Rows, taken: set[str]
) -> Variable:
    """The cohort's own variable where it has one of that name and unit, so that its value is carried forward."""
    values, levels = understood
    own = _own(each, levels, cohort)
    if own is not None and own.name not in taken and _alike(each, values, own, cohort, rows):
        return own
    name = base = clean_name(each.name) or "measurement"
    label = spoken(base)
    if own is not None and own.is_numeric and not each.unit:
        name, label = f"{base} (unit not said)", f"{label} (unit not said)"
    if name in taken or (each.unit and any(v.name == name for v in cohort.variables)):
        name, label = f"{base} ({each.unit})", f"{label} ({each.unit})"
    n = 1
    while name in taken or cohort.has(name):
        n += 1
        name = f"{base} ({n})"
    if levels:
        told = tuple(Level(code=code, label=code) for code in levels)
        return Variable(name=name, label=label, kind="categorical", levels=told)
    return Variable(name=name, label=label, kind="continuous", unit=each.unit)


def _alike(each: _Measured, values: np.ndarray, own: Variable, cohort: Cohort, rows: _Rows) -> bool:
    """Whether measurements without a unit are as large as those of the cohort, which is said."""
    if not own.is_numeric or each.unit:
        return True
    column = cohort.frame[own.name].to_numpy(dtype=float)
    times, unit = times_of_own(values, rows.patient[each.row], column), f" ({own.unit})" if own.unit else ""
    name = clean_name(each.name)[:80]
    if 1 / APART < times < APART or np.isnan(times):
        if own.unit:
            rows.notes.append(f"“{name}” says no unit: read in {own.unit}, as in the cohort, whose values are alike.")
        return True
    size = f"{times:,.0f} times" if times > 1 else f"1/{1 / times:,.0f} of"
    rows.notes.append(
        f"“{name}” says no unit, and its values are {size} those of the same patients in the cohort{unit}: kept apart. "
        "Bring it in the cohort's unit for it to be carried forward."
    )
    return False


def _own(each: _Measured, levels: tuple[str, ...], cohort: Cohort) -> Variable | None:
    wanted = clean_name(each.name).casefold()
    for v in cohort.filterable:
        if wanted not in (v.name.casefold(), v.label.casefold()):
            continue
        if v.is_numeric and not levels and (not each.unit or each.unit.casefold() == v.unit.casefold()):
            return v
        if v.is_grouping and levels and set(levels) <= set(v.codes):
            return v
    return None


# ------------------------------------------------------------------ the report


def _report(staged: Staged, rows: _Rows, known: Counter[str], frame: pd.DataFrame, left: list[str]) -> VisitsReport:
    n = rows.counts
    report = VisitsReport(
        n_read=staged.n_rows, n_visits=len(frame), n_patients=int(frame[PATIENT].nunique()),
        matched=tuple(known.items()), n_strangers=n["strangers"], n_unknown=n["unknown"], n_untimed=n["untimed"],
        n_before=n["before"], n_after=n["after"], n_without_zero=n["without zero"], n_together=n["together"],
        n_empty=n["empty"], n_unread=n["unread"], n_limits=n["limits"], left_out=tuple(left), notes=tuple(rows.notes),
    )  # fmt: skip
    if n["unnamed"]:
        report = replace(report, notes=(*report.notes, f"{n['unnamed']:,} rows do not say what was measured."))
    return report
