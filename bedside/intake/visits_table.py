"""Measurements over time as they are kept: a Parquet file of them, what they are, and what became of the file."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from bedside.cohort.cohort import Visits
from bedside.cohort.units import convert
from bedside.cohort.variable import Variable
from bedside.intake.wide_table import damaged

ROWS, ABOUT = "visits.parquet", "table.json"
PATIENT, DAY = "visit patient", "visit day"
FORM = 1
MOST_BYTES = 500 * 10**6


@dataclass(frozen=True)
class VisitsReport:
    """What became of a table of visits, in numbers of rows unless it says otherwise.

    Attributes
    ----------
    n_read : int
    n_visits, n_patients : int
        Visits that are kept, of so many patients.
    matched : tuple of (how, n)
        How patients were known.
    n_strangers, n_unknown : int
        Rows of nobody in the cohort, and how many identifiers they have.
    n_untimed, n_before, n_after : int
        Rows without a time, before time zero, and after the end of follow-up; left out.
    n_without_zero : int
        Rows of patients without a date of time zero; left out.
    n_together : int
        Cells for which a patient has another value at the same time: the later one in the file counts.
    n_empty : int
        Rows without any value that is read; left out.
    n_unread, n_limits : int
        Cells that are no number, and limits such as ``<5`` that are read as the number.
    left_out : tuple of str
        Columns or names that are no measurements, with the reason.
    notes : tuple of str
    """

    n_read: int = 0
    n_visits: int = 0
    n_patients: int = 0
    matched: tuple[tuple[str, int], ...] = ()
    n_strangers: int = 0
    n_unknown: int = 0
    n_untimed: int = 0
    n_before: int = 0
    n_after: int = 0
    n_without_zero: int = 0
    n_together: int = 0
    n_empty: int = 0
    n_unread: int = 0
    n_limits: int = 0
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class VisitsAbout(BaseModel):
    """What a table of visits is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: int
    variables: tuple[Variable, ...]
    n_visits: int
    sha256: str
    report: VisitsReport


def write_visits(into: Path, frame: pd.DataFrame, variables: Sequence[Variable], report: VisitsReport) -> VisitsAbout:
    """Write a table of visits: `PATIENT`, `DAY` and the variables' columns."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, into / ROWS, compression="zstd")
    with (into / ROWS).open("rb") as file:
        seal = hashlib.file_digest(file, "sha256").hexdigest()
    about = VisitsAbout(form=FORM, variables=tuple(variables), n_visits=len(frame), sha256=seal, report=report)
    told = about.model_dump(mode="json", exclude={"report"}) | {"report": asdict(report)}
    (into / ABOUT).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return about


def about_visits(folder: Path) -> VisitsAbout:
    """What a table of visits is, without reading it.

    Raises
    ------
    Fixable
        If it is damaged, or of a newer form.
    """
    try:
        about = VisitsAbout.model_validate_json((folder / ABOUT).read_bytes())
        n_bytes = (folder / ROWS).stat().st_size
    except (OSError, ValidationError) as fault:
        raise damaged() from fault
    if about.form > FORM:
        raise damaged("It was attached by a newer Bedside.")
    if not n_bytes or n_bytes > MOST_BYTES:
        raise damaged()
    return about


# ------------------------------------------------------------------ as visits of a cohort


@dataclass(frozen=True)
class VisitsFile:
    """A kept table of visits, to be read when somebody asks for it."""

    folder: Path
    about: VisitsAbout

    def read(self) -> pd.DataFrame:
        """Its rows; raises `Fixable` where the file is not what was written."""
        try:
            data = (self.folder / ROWS).read_bytes()
        except OSError as fault:
            raise damaged() from fault
        if hashlib.sha256(data).hexdigest() != self.about.sha256:
            raise damaged()
        frame = pq.read_table(io.BytesIO(data)).to_pandas()
        for variable in self.about.variables:
            if variable.is_grouping:
                frame[variable.name] = pd.Categorical(frame[variable.name], categories=list(variable.codes))
        return frame


class LazyVisits(Visits):
    """Visits of attached tables beside those of the cohort's own, read when their rows are asked for.

    Parameters
    ----------
    files : sequence of VisitsFile
    own : Visits, optional
        Of the cohort itself; where both have a value for one time, its own counts.
    above : LazyVisits, optional
        What these are a part of.
    among : frozenset of str, optional
        Patients that this part is of.
    """

    def __init__(
        self, files: Sequence[VisitsFile], own: Visits | None = None, *, above: LazyVisits | None = None,
        among: frozenset[str] | None = None,
    ) -> None:  # fmt: skip
        told: dict[str, Variable] = {v.name: v for v in own.variables} if own is not None else {}
        for file in files:
            told = {**{v.name: v for v in file.about.variables}, **told}
        parts = {
            "patient": PATIENT if own is None else own.patient, "time": DAY if own is None else own.time,
            "unit": "days" if own is None else own.unit, "variables": tuple(told.values()), "_files": tuple(files),
            "_own": own, "_above": above, "_among": among,
        }  # fmt: skip
        # The class it stands in for is frozen.
        self.__dict__.update(parts)

    @property
    def frame(self) -> pd.DataFrame:  # type: ignore[override]
        """Every row, read once."""
        found = self.__dict__.get("_frame")
        if found is None:
            found = self.__dict__["_frame"] = self._read()
        return found

    def only(self, patients: frozenset[str]) -> LazyVisits:
        """Those of some patients, still not read."""
        return LazyVisits(self.__dict__["_files"], self.__dict__["_own"], above=self, among=patients)

    def __getstate__(self) -> dict[str, object]:
        # Another process reads the files itself: what was read here need not travel.
        return {name: value for name, value in self.__dict__.items() if name != "_frame"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"LazyVisits({len(self.variables)} variables)"

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]

    def _read(self) -> pd.DataFrame:
        above, among = self.__dict__["_above"], self.__dict__["_among"]
        if above is not None:
            rows = above.frame
            return rows[rows[self.patient].isin(among)].reset_index(drop=True)
        parts = [] if self.__dict__["_own"] is None else [self.__dict__["_own"].frame]
        for file in self.__dict__["_files"]:
            rows = file.read().rename(columns={PATIENT: self.patient, DAY: self.time})
            rows[self.time] = convert(rows[self.time].to_numpy(dtype=float), "days", self.unit)
            parts.append(rows)
        if len(parts) == 1:
            return parts[0]
        return _together(parts, self.patient, self.time)


def _together(parts: list[pd.DataFrame], patient: str, time: str) -> pd.DataFrame:
    """Rows of several tables, one for each patient and time: the first value that any has, in their order."""
    plain = [part.astype({n: object for n, kind in part.dtypes.items() if kind == "category"}) for part in parts]
    rows = pd.concat(plain, ignore_index=True)
    return rows.groupby([patient, time], sort=False, dropna=False).first().reset_index()
