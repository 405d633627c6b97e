"""The tables of genes of a cBioPortal study, attached to the cohorts that the study made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bedside.errors import Fixable
from bedside.intake.attaching import WideMade, attach_wide
from bedside.intake.read import read_cohort
from bedside.intake.staging import Progress, staging_folder
from bedside.intake.standards.cbioportal_files import read_clinical, read_meta
from bedside.intake.standards.cbioportal_study import PATIENT, SAMPLE
from bedside.intake.standards.recognise import Found, recognise
from bedside.store.attached import list_attached
from bedside.store.cohorts_kept import open_folder

KINDS = {
    "MRNA_EXPRESSION": "expression", "COPY_NUMBER_ALTERATION": "copies", "METHYLATION": "methylation",
    "PROTEIN_LEVEL": "protein",
}  # fmt: skip
_BY_NAME = (
    ("expression", re.compile(r"mrna|expression|rna_?seq", re.IGNORECASE)),
    ("copies", re.compile(r"cna|gistic|copy", re.IGNORECASE)), ("methylation", re.compile(r"methyl", re.IGNORECASE)),
    ("protein", re.compile(r"rppa|protein", re.IGNORECASE)),
)  # fmt: skip
_UNITS = {"Z-SCORE": "z-score", "LOG2-VALUE": "log2"}


@dataclass(frozen=True)
class Matrix:
    """A table of genes of a study: where it lies and what it holds."""

    path: Path
    what: str
    title: str
    unit: str = ""


@dataclass(frozen=True)
class StudyAttached:
    """What became of one table for one cohort: attached, or why not."""

    title: str
    cohort: str
    made: WideMade | None = None
    stop: tuple[str, str, str] | None = None


def matrices(found: Found) -> tuple[Matrix, ...]:
    """The tables of genes of a study, told by their meta files, or by their names where there is none."""
    told = {}
    for path in found.of("meta"):
        meta = read_meta(path)
        if meta.get("data_filename"):
            told[meta["data_filename"]] = meta
    return tuple(_matrix(path, told.get(path.name, {})) for path in found.of("matrix"))


def _matrix(path: Path, meta: dict[str, str]) -> Matrix:
    what = KINDS.get(meta.get("genetic_alteration_type", ""))
    if what is None:
        what = next((kind for kind, words in _BY_NAME if words.search(path.name)), "measurements")
    plain = re.sub(r"^data_|\.(txt|tsv|csv|parquet)(\.gz)?$", "", path.name).replace("_", " ")
    return Matrix(path, what, meta.get("profile_name") or plain, _UNITS.get(meta.get("datatype", ""), ""))


def samples_of(found: Found) -> dict[str, str]:
    """Patient of each sample, primary tumours first: of several samples of one patient the first counts."""
    order: list[tuple[bool, str, str]] = []
    for path in found.of("sample"):
        frame = read_clinical(path).frame
        if SAMPLE not in frame or PATIENT not in frame:
            continue
        frame = frame[frame[SAMPLE].notna() & frame[PATIENT].notna()]
        kind = frame["SAMPLE_TYPE"].astype(str) if "SAMPLE_TYPE" in frame else np.full(len(frame), "")
        order += [
            ("primary" not in str(each).lower(), sample, patient)
            for sample, patient, each in zip(frame[SAMPLE], frame[PATIENT], kind, strict=True)
        ]
    order.sort(key=lambda each: each[0])
    return {sample: patient for _, sample, patient in order}


def attach_study(
    folder: Path, number: int, cohorts: Sequence[str], reader: str, *, progress: Progress | None = None
) -> tuple[StudyAttached, ...]:
    """Attach every table of genes of a study to each of the cohorts that were kept of it.

    Parameters
    ----------
    folder : Path
        That the study lies in.
    number : int
        Which source of the folder it is.
    cohorts : sequence of str
        Keys.
    reader : str
    progress : callable, optional

    Returns
    -------
    tuple of StudyAttached
        A table that can't be attached says why; the cohorts and the other tables are there.
    """
    tell = progress or (lambda share, sentence: None)
    found = recognise(folder)[number]
    tables = matrices(found) if found.kind == "cbioportal" else ()
    if not tables:
        return ()
    samples, done = samples_of(found), []
    for i, key in enumerate(cohorts):
        patients = tuple(read_cohort(open_folder(key, reader=reader), key=key).identifiers)
        for j, table in enumerate(tables):
            start, whole = i * len(tables) + j, len(tables) * len(cohorts)

            def part(share: float, said: str, start: int = start, whole: int = whole) -> None:
                tell((start + share) / whole, said)

            done.append(_one(table, key, patients, reader, samples, part))
    return tuple(done)


def _one(
    table: Matrix, key: str, patients: tuple[str, ...], reader: str, samples: dict[str, str], progress: Progress
) -> StudyAttached:
    # The file of next month takes the place of the last one's, so that links and groups find their genes.
    before = [t for t in list_attached(key, reader=reader) if t.source_name == table.path.name and t.mine]
    instead = before[0].id if before and before[0].id.partition("-")[0] == table.what else ""
    with staging_folder() as work:
        try:
            made = attach_wide(
                table.path, table.path.name, work, key, patients, reader, what=table.what, title=table.title,
                unit=table.unit, samples=samples, instead=instead, progress=progress,
            )  # fmt: skip
        except Fixable as stop:
            return StudyAttached(table.title, key, stop=(stop.what, stop.why, stop.next_step))
    return StudyAttached(table.title, key, made)
