"""What every import of a standard ends in: the folder of a cohort, and a report that accounts for every row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from bedside.errors import Fixable
from bedside.intake.columns import clean_name
from bedside.intake.described import DATA
from bedside.intake.staging import sealed

VISITS = "visits.parquet"
DICTIONARY, REPORT, RECIPE = "dictionary.json", "report.json", "recipe.json"

Reasons = tuple[tuple[str, int], ...]
Written = tuple[str, Sequence[str]]
Form = Literal["one", "several", "yes", "number", "words", "json"]


@dataclass(frozen=True)
class FileRead:
    """One file of an import, every row of it accounted for.

    Attributes
    ----------
    name : str
        As it is shown; below the folder that was brought.
    what : str
        What it was read as: ``"ADTTE: times to events"``.
    n_read : int
        Rows, resources or records in it.
    n_mapped : int
        Of these, how many became part of a cohort.
    n_dropped : int
        The others.
    why : tuple of (reason, n)
        Why they were dropped; adds up to ``n_dropped``.
    """

    name: str
    what: str
    n_read: int = 0
    n_mapped: int = 0
    n_dropped: int = 0
    why: Reasons = ()


@dataclass(frozen=True)
class EndRead:
    """One way in which follow-up ends: what stands in the source, what it is read as, and in how many patients."""

    written: str
    means: str
    n: int


@dataclass(frozen=True)
class OutcomeMade:
    """One outcome of a cohort that was made, in numbers; follow-up in ``unit``.

    ``column`` is where its events stand in the source, ``ends`` how each of them is read: events first.
    """

    key: str
    label: str
    unit: str
    n_events: int
    n_competing: int
    shortest: float
    median: float
    longest: float
    column: str = ""
    ends: tuple[EndRead, ...] = ()


@dataclass(frozen=True)
class CohortMade:
    """A cohort that was made.

    Attributes
    ----------
    title : str
    n : int
        Patients.
    outcomes : tuple of OutcomeMade
    n_visits : int
        Rows of repeated measurements.
    left_out : tuple of (reason, n)
        Patients of the source who are not in it.
    """

    title: str
    n: int
    outcomes: tuple[OutcomeMade, ...] = ()
    n_visits: int = 0
    left_out: Reasons = ()


@dataclass(frozen=True)
class ImportReport:
    """What an import read, mapped and dropped, and why.

    Attributes
    ----------
    kind : str
        As `bedside.intake.standards.recognise` names it.
    files : tuple of FileRead
    cohorts : tuple of CohortMade
    mapped : tuple of (from, to)
        Which field of the source became what: in words, for a reader.
    faults : tuple of (what, n)
        What was wrong in the source, and how often.
    notes : tuple of str
        What was decided on the way, each a sentence.
    """

    kind: str
    files: tuple[FileRead, ...] = ()
    cohorts: tuple[CohortMade, ...] = ()
    mapped: tuple[tuple[str, str], ...] = ()
    faults: Reasons = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Made:
    """A cohort before it is written.

    Attributes
    ----------
    name : str
        For its folder: lower-case letters, digits and hyphens.
    rows : pyarrow.Table
        A row for each patient.
    dictionary : dict
        As in docs/dictionary.md.
    visits : pyarrow.Table or None
        Repeated measurements, declared under ``visits`` in the dictionary.
    left_out : tuple of (reason, n)
        Patients of the source who are not in it.
    written : mapping of str to (str, sequence of str)
        By key of an outcome, where its events stand in the source, and for each row what stands there.
    """

    name: str
    rows: pa.Table
    dictionary: dict[str, Any]
    visits: pa.Table | None = None
    left_out: Reasons = ()
    written: Mapping[str, Written] = field(default_factory=dict)


@dataclass(frozen=True)
class Offer:
    """One question about a source.

    Attributes
    ----------
    key : str
        The same for all sources of a kind.
    label : str
    form : {"one", "several", "yes", "number", "words", "json"}
    now : tuple of str
        What holds: a code of ``options`` (or several), ``("yes",)`` or nothing, a number, or a text.
    options : tuple of (code, label)
        Labels come from the data.
    help : str
    """

    key: str
    label: str
    form: Form
    now: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    help: str = ""


@dataclass(frozen=True, eq=False)
class Imported:
    """All cohorts that one source makes, and the report of them.

    Attributes
    ----------
    cohorts : tuple of Made
    report : ImportReport
    recipe : dict
        Kind and options: enough to do the same with next month's export.
    offers : tuple of Offer
        What may be chosen otherwise; see `bedside.intake.standards.offers`.
    layout : tuple of str
        What tells this source from others of its kind and stays the same next month: the name of the study, the
        server. No patient's value.
    """

    cohorts: tuple[Made, ...]
    report: ImportReport
    recipe: Mapping[str, Any] = field(default_factory=dict)
    offers: tuple[Offer, ...] = ()
    layout: tuple[str, ...] = ()


def unnamed(report: ImportReport) -> ImportReport:
    """A report as it is kept: files by number, since some exports call them by the patient."""
    files = tuple(replace(each, name=f"file {i}") for i, each in enumerate(report.files, start=1))
    return replace(report, files=files)


def write_made(imported: Imported, made: Made, into: Path) -> None:
    """Write one cohort of an import, with the report of the whole import beside it, which names no file."""
    report = unnamed(imported.report)
    write_folder(into, rows=made.rows, dictionary=made.dictionary, report=report, visits=made.visits,
                 recipe=imported.recipe)  # fmt: skip


def write_folder(
    into: Path,
    *,
    rows: pa.Table | pd.DataFrame,
    dictionary: Mapping[str, Any],
    report: ImportReport,
    visits: pa.Table | pd.DataFrame | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> None:
    """Write a cohort's folder: ``data.parquet``, ``visits.parquet``, ``dictionary.json``, ``report.json``.

    Parameters
    ----------
    into : Path
        A folder, made if it is not there; what it holds under these names is replaced.
    rows : table
        A row for each patient. Categories become text.
    dictionary : mapping
        As in docs/dictionary.md; the names of the files are filled in.
    report : ImportReport
    visits : table, optional
        Repeated measurements; the dictionary then says under ``visits`` what its columns mean.
    recipe : mapping, optional
        What was done, so that it can be done again.

    Raises
    ------
    Fixable
        If there is nobody in it.
    """
    table = as_table(rows)
    if not table.num_rows:
        raise Fixable(
            "No cohort was made.", "Nobody in these files can be followed.",
            "The report says how many were left out, and why.",
        )  # fmt: skip
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {**dictionary, "data": DATA}
    _write(table, into / DATA)
    if visits is not None and len(visits):
        _write(as_table(visits), into / VISITS)
        told["visits"] = {**told["visits"], "file": VISITS}
    else:
        told.pop("visits", None)
    _put(into / DICTIONARY, told)
    _put(into / REPORT, asdict(report))
    if recipe is not None:
        _put(into / RECIPE, recipe)


def as_table(rows: pa.Table | pd.DataFrame) -> pa.Table:
    """Plain columns under clean names: text for categories, days for dates without a time."""
    if isinstance(rows, pd.DataFrame):
        rows = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
    columns = [_plain(rows.column(i)) for i in range(rows.num_columns)]
    return pa.Table.from_arrays(columns, names=[clean_name(name) for name in rows.column_names])


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return column.cast(pa.string())
    return column


def _write(table: pa.Table, file: Path) -> None:
    pq.write_table(table, file, compression="zstd")
    sealed(file)


def _put(file: Path, told: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    sealed(file)


_REPORTS: TypeAdapter[ImportReport] = TypeAdapter(ImportReport)


def report_of(told: object) -> ImportReport:
    """A report that was kept, from its JSON.

    Raises
    ------
    Fixable
        If it is none.
    """
    try:
        return _REPORTS.validate_python(told)
    except ValidationError:
        raise Fixable(
            "The report of this import can't be shown.", "It is not of the form that this release knows.",
            "Import the files again; the cohort itself is not touched.",
        ) from None  # fmt: skip


def counted(report: ImportReport, made: tuple[Made, ...]) -> ImportReport:
    """The report with the cohorts that were made, counted from their own tables."""
    return replace(report, cohorts=tuple(_cohort(each) for each in made))


def _cohort(made: Made) -> CohortMade:
    outcomes = tuple(_outcome(made.rows, each, made.written.get(each["key"])) for each in made.dictionary["outcomes"])
    n_visits = made.visits.num_rows if made.visits is not None else 0
    return CohortMade(made.dictionary["title"], made.rows.num_rows, outcomes, n_visits, made.left_out)


def _outcome(rows: pa.Table, told: Mapping[str, Any], written: Written | None) -> OutcomeMade:
    time = rows.column(clean_name(told["time"])).to_pandas().astype(float)
    status = rows.column(clean_name(told["status"])).to_pandas().astype(str)
    return outcome_made(time, status, told, written)


def outcome_made(
    time: pd.Series, status: pd.Series, told: Mapping[str, Any], written: Written | None = None
) -> OutcomeMade:
    """An outcome in numbers, from follow-up and status of each patient and what the dictionary says of them."""
    competing = [code for codes in told.get("competing", {}).values() for code in codes]
    return OutcomeMade(
        told["key"], told["label"], told["unit"], int(status.isin([str(c) for c in told["event"]]).sum()),
        int(status.isin([str(c) for c in competing]).sum()), float(time.min()), float(time.median()),
        float(time.max()), *_ends(status, told, written),
    )  # fmt: skip


def _ends(status: pd.Series, told: Mapping[str, Any], written: Written | None) -> tuple[str, tuple[EndRead, ...]]:
    """Where the events of an outcome stand, and how each thing that stands there is read."""
    column, values = written or (str(told["status"]), status.to_numpy())
    concept = told.get("concept", "")
    event = "dead" if concept == "death" else concept or "the event"
    means = {str(code): event for code in told["event"]}
    for name, codes in told.get("competing", {}).items():
        means |= {str(code): f"{name[:1].lower()}{name[1:]} (another event first)" for code in codes}
    free = str((concept and told.get("free_phrase")) or "no event")
    order = list(means.values())
    found = pd.DataFrame(
        {"what": [means.get(code, free) for code in status], "written": np.asarray(values, dtype=object)}
    )
    counts = [EndRead(str(text), str(what), int(n)) for (what, text), n in found.value_counts(sort=False).items()]
    rank = {what: i for i, what in enumerate(order)}
    return column, tuple(sorted(counts, key=lambda each: (rank.get(each.means, len(rank)), -each.n, each.written)))
