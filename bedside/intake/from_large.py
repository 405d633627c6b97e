"""A cohort of very many rows, counted in its own Parquet file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bedside.cohort import Cohort
from bedside.engine.folder import open_files
from bedside.engine.live import LiveCohort
from bedside.engine.rows import cohort_of_rows
from bedside.engine.sql import SqlEngine
from bedside.errors import Fault, Faults
from bedside.intake.columns import Column
from bedside.intake.dictionary import FILE, Draft, read_dictionary
from bedside.intake.from_source import opened
from bedside.intake.large import data_of, is_large
from bedside.intake.live_told import LiveTold
from bedside.intake.read import read_cohort

OWN = "its file on this computer"
"""What the source of such a cohort is called."""
PART = 100_000


def open_large(folder: Path, *, key: str | None = None) -> LiveCohort:
    """Open a cohort that is counted in its own Parquet file.

    Parameters
    ----------
    folder : Path
        Holds ``dictionary.json`` and the Parquet file that it names.
    key : str, optional
        Name for links and caches; the folder's name if not given.

    Returns
    -------
    LiveCohort
        As of when the file was written: as long as it stays the same file, so does the fingerprint.

    Raises
    ------
    Faults
        With everything that is wrong in the dictionary, or is not so in the file.
    Fixable
        If the file can't be read, or nobody in it can be followed.
    """
    draft, file = read_dictionary(folder / FILE), data_of(folder)
    if draft.faults or draft.whole is None or file is None:
        faults = draft.faults or (Fault(FILE, "data", "the name of a Parquet file beside the dictionary"),)
        raise Faults(f"The cohort “{folder.name}” could not be opened.", faults)
    seen = file.stat()
    seal = hashlib.sha256(f"{seen.st_size} {seen.st_mtime_ns}\n".encode() + _end(file)).hexdigest()
    return opened(
        _without_more(draft),
        LiveTold(source=OWN, table=draft.data),
        lambda source, schema, table: _engine(file),
        key=key or folder.name,
        moment=datetime.fromtimestamp(seen.st_mtime, UTC),
        seal=seal,
    )


def looked_at(folder: Path, key: str, live: LiveCohort | None = None) -> tuple[Cohort, int]:
    """A cohort as it will be opened, and how many columns it has: it is read, or counted if it is large.

    Parameters
    ----------
    folder : Path
    key : str
    live : LiveCohort, optional
        Opened from this folder already.
    """
    if live is None and not is_large(folder):
        cohort = read_cohort(folder, key=key)
        return cohort, cohort.frame.shape[1]
    counted = open_large(folder, key=key) if live is None else live
    if live is None:
        counted.close()
    return counted, len(counted.columns)


def parts_of(live: LiveCohort, *, most: int = PART) -> Iterator[Cohort]:
    """All patients with their rows, as ordinary cohorts of so many each, in the order of the file.

    Raises
    ------
    RowsStay
        If they are not in a file of the cohort's own.
    """
    if live.source_name != OWN:
        raise live.stay()
    names = live.columns
    rows = live.engine.rows(names, most=len(live))
    for first in range(0, rows.num_rows, most):
        yield cohort_of_rows(live, rows.slice(first, most), names)


def identifiers_of(cohort: Cohort) -> tuple[str, ...]:
    """The identifier of every patient, also of a cohort that is counted in a file of its own.

    Raises
    ------
    RowsStay
        If they are elsewhere.
    """
    if not isinstance(cohort, LiveCohort) or cohort.source_name != OWN or cohort.identifier is None:
        return tuple(cohort.identifiers)
    (names,) = cohort.engine.rows((cohort.identifier,), most=len(cohort)).columns
    return tuple(Column(names).texts())


@contextmanager
def _engine(file: Path) -> Iterator[SqlEngine]:
    with open_files(file) as engine:
        yield engine


def _end(file: Path, most: int = 2**20) -> bytes:
    """The end of a Parquet file, where it says of each column and part how large it is and what its bounds are."""
    with file.open("rb") as held:
        held.seek(max(file.stat().st_size - most, 0))
        return held.read()


def _without_more(draft: Draft) -> Draft:
    """Without what hangs on rows: said, so that nobody looks for it."""
    assert draft.whole is not None  # the caller has looked
    whole = draft.whole
    more = [name for name, there in (("Repeated measurements", whole.visits), ("external tests", whole.external),
            ("scores to be made", whole.made_scores)) if there]  # fmt: skip
    if not more:
        return draft
    said = f"Not here, since so many rows are counted in their file: {', '.join(more)}."
    return replace(draft, visits=None, whole=whole.model_copy(update={"readings": (*whole.readings, said)}))
