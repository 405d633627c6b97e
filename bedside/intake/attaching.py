"""What a page does with a table to be attached, each step as one call that a background job can make."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bedside.cohort.cohort import Cohort
from bedside.intake.staging import Progress, Staged, preview, stage
from bedside.intake.visits_plan import VisitsPlan, guess_visits, zeros_of
from bedside.intake.visits_read import read_visits
from bedside.intake.visits_table import VisitsReport
from bedside.intake.wide_bring import bring_wide
from bedside.intake.wide_table import WideAbout
from bedside.store.attached import VISITS, Attached, keep

ROWS_SHOWN = 8


@dataclass(frozen=True)
class WideMade:
    """A wide table that was attached."""

    kept: Attached
    about: WideAbout


@dataclass(frozen=True)
class VisitsMade:
    """A table of visits that was attached."""

    kept: Attached
    report: VisitsReport
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class VisitsOpened:
    """A table of visits, read and understood as far as it goes."""

    staged: Staged
    plan: VisitsPlan
    zeros: dict[str, str]
    rows: pd.DataFrame


def attach_wide(
    source: Path, name: str, work: Path, cohort: str, patients: tuple[str, ...], reader: str, *, what: str,
    title: str, unit: str = "", samples: Mapping[str, str] | None = None, instead: str = "",
    progress: Progress | None = None,
) -> WideMade:  # fmt: skip
    """Read a wide table and attach it to a cohort.

    Parameters
    ----------
    source : Path
    name : str
        Of the file, to be shown.
    work : Path
        A folder of this user's alone.
    cohort : str
        Key.
    patients : tuple of str
        Its identifiers.
    reader, what, title, unit, instead
        As in `bedside.store.attached.keep`.
    samples : mapping, optional
        Patient of each sample.
    progress : callable, optional

    Raises
    ------
    Fixable
        As `bring_wide` and `keep` do; then nothing is attached.
    """
    folder = work / "wide"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        found = bring_wide(source, folder, patients, samples=samples, progress=progress)
        kept = keep(
            found.folder, cohort=cohort, reader=reader, kind="wide", what=what, title=title, unit=unit,
            sealed=found.wide.seal, source_name=name, sha256=found.sha256, instead=instead,
        )  # fmt: skip
        return WideMade(kept, found.wide.about)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def attach_wide_job(ask: Mapping[str, object], *, progress: Progress | None = None) -> WideMade:
    """The same with its arguments by name, as a background job takes them."""
    return attach_wide(**ask, progress=progress)  # type: ignore[arg-type]


def open_visits(
    source: Path, name: str, work: Path, cohort: Cohort, *, progress: Progress | None = None
) -> VisitsOpened:
    """Read a table of measurements over time and guess what its columns are.

    Raises
    ------
    Fixable
        As `stage` does, or if nobody of the cohort is in it.
    """
    folder = work / "visits"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    staged = stage(source, name, folder, progress=progress)
    return VisitsOpened(staged, guess_visits(staged, cohort), zeros_of(cohort, staged), preview(staged, ROWS_SHOWN))


def attach_visits(
    opened: VisitsOpened, plan: VisitsPlan, work: Path, cohort: Cohort, reader: str, title: str, *,
    progress: Progress | None = None,
) -> VisitsMade:  # fmt: skip
    """Attach a table of measurements over time to a cohort.

    Raises
    ------
    Fixable
        As `read_visits` and `keep` do; then nothing is attached.
    """
    folder = work / "made"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        about = read_visits(opened.staged, plan, cohort, folder, progress=progress)
        kept = keep(
            folder, cohort=cohort.key, reader=reader, kind="visits", what=VISITS, title=title, sealed=about.sha256,
            source_name=opened.staged.name, sha256=opened.staged.sha256,
        )  # fmt: skip
        return VisitsMade(kept, about.report, tuple(v.label for v in about.variables))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
