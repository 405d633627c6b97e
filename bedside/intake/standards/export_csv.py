"""A cohort as CSV with its dictionary: what is read again is the same cohort, to the last bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from bedside.cohort.cohort import Cohort
from bedside.cohort.outcome import Outcome
from bedside.cohort.variable import Part
from bedside.engine.live import LiveCohort
from bedside.errors import Fixable
from bedside.intake.from_large import parts_of
from bedside.intake.guarded import guarded
from bedside.intake.staging import sealed

DATA, VISITS, DICTIONARY = "data.csv", "visits.csv", "dictionary.json"
BOM = "\ufeff"
_BATCH = 100_000


def export_csv(cohort: Cohort, into: Path) -> tuple[Path, ...]:
    """Write a cohort as ``data.csv``, ``visits.csv`` if it has visits, and ``dictionary.json``.

    Text that a spreadsheet would take for a formula gets an apostrophe in front; the dictionary says so, and reading
    takes it off again.

    Parameters
    ----------
    cohort : Cohort
        One that is counted in a file of its own is written part by part.
    into : Path
        A folder, made if it is not there.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    Fixable
        If the folder can't be written.
    """
    try:
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = [into / DATA, into / DICTIONARY]
        if isinstance(cohort, LiveCohort):
            cohort = _in_parts(cohort, into / DATA)
        else:
            _write(cohort.frame, into / DATA)
        if cohort.visits is not None:
            visits = cohort.visits
            _write(visits.frame[[visits.patient, visits.time, *(v.name for v in visits.variables)]], into / VISITS)
            files.insert(1, into / VISITS)
        text = json.dumps(dictionary_for(cohort), ensure_ascii=False, indent=1)
        (into / DICTIONARY).write_text(text, encoding="utf-8")
    except OSError as fault:
        raise Fixable(
            "The cohort was not exported.", f"The folder can't be written ({fault.strerror or 'unknown reason'}).",
            "Choose another folder, or make room on the disk.",
        ) from fault  # fmt: skip
    for file in files:
        sealed(file)
    return tuple(files)


def dictionary_for(cohort: Cohort) -> dict[str, Any]:
    """The dictionary of a cohort, with everything declared that was understood from values before."""
    told: dict[str, Any] = {
        "title": cohort.title, "short_title": cohort.short_title, "summary": cohort.summary,
        "population": cohort.population, "data": DATA, "identifier": cohort.identifier,
        "variables": [*(_told(v) for v in cohort.variables), *_of_outcomes(cohort)],
        "outcomes": [_outcome(outcome) for outcome in cohort.outcomes], "source": _told(cohort.source),
        "external": [_told(test) for test in cohort.external],
        "made_scores": [_told(made) for made in cohort.made_scores],
        "readings": list(cohort.readings), "guarded": True,
    }  # fmt: skip
    if cohort.treatment is not None:
        told["treatment"] = _told(cohort.treatment)
    if cohort.visits is not None:
        v = cohort.visits
        told["visits"] = {
            "file": VISITS, "patient": v.patient, "time": v.time, "unit": v.unit,
            "variables": [_told(each) for each in v.variables],
        }  # fmt: skip
    return told


def _told(part: Part) -> dict[str, Any]:
    """What differs from a default."""
    told = part.model_dump(exclude_defaults=True)
    if "concept_levels" in told:
        told["concept_levels"] = dict(told["concept_levels"])
    return told


def _outcome(outcome: Outcome) -> dict[str, Any]:
    told = _told(outcome)
    if outcome.has_competing:
        whole = ("label", "event_phrase", "free_phrase")
        told["composite"] = {key: getattr(outcome, key) for key in whole}
        told |= {"label": told.pop("cause_label", outcome.label), "event_phrase": outcome.event_phrase}
    return told


def _of_outcomes(cohort: Cohort) -> list[dict[str, Any]]:
    """Columns that are part of what happened and in no outcome: read and checked, and nowhere shown."""
    known = {v.name for v in cohort.variables} | {name for outcome in cohort.outcomes for name in outcome.columns}
    return [
        {"name": str(name), "use": "outcome", **_kind(cohort.frame[name])}
        for name in cohort.frame.columns if name not in known
    ]  # fmt: skip


def _kind(values: pd.Series) -> dict[str, Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        levels = [{"code": str(code), "label": str(code)} for code in values.cat.categories]
        return {"kind": "categorical", "levels": levels}
    return {"kind": {"f": "continuous", "M": "date"}.get(values.dtype.kind, "text")}


def _in_parts(live: LiveCohort, file: Path) -> Cohort:
    """Write what is too large to be held at once; the first of its parts, whose dictionary is that of all."""
    first = None
    for part in parts_of(live):
        _write(part.frame, file, goes_on=first is not None)
        first = first or part
    assert first is not None  # a cohort has patients
    return first


def _write(frame: pd.DataFrame, file: Path, *, goes_on: bool = False) -> None:
    names = guarded(pa.array([str(name) for name in frame.columns], pa.string())).to_pylist()
    with file.open("ab" if goes_on else "wb") as out:
        if not goes_on:
            out.write((BOM + ",".join('"' + name.replace('"', '""') + '"' for name in names) + "\n").encode())
        options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
        for start in range(0, len(frame), _BATCH):
            part = frame.iloc[start : start + _BATCH]
            columns = [_cells(part.iloc[:, i]) for i in range(part.shape[1])]
            places = [f"c{i}" for i in range(len(columns))]
            pa_csv.write_csv(pa.Table.from_arrays(columns, names=places), out, options)


def _cells(values: pd.Series) -> pa.Array:
    """Numbers as they are, everything else as guarded text; nothing where there is none."""
    if values.dtype.kind == "f":
        return pa.array(values.to_numpy(), from_pandas=True)
    if values.dtype.kind == "M":
        moments = values.to_numpy(dtype="datetime64[us]")
        texts = np.where(np.isnat(moments), None, np.datetime_as_string(moments, unit="us").astype(object))
        return pa.array(texts, pa.string())
    return guarded(pa.array(values.astype(object).where(values.notna(), None), pa.string()))
