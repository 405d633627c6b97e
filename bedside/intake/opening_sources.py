"""Files of a standard as a wizard brings them: what they are, and the cohorts that they make."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bedside.errors import Fixable
from bedside.intake.opening import Opened, open_file
from bedside.intake.staging import Progress, Reading
from bedside.intake.standards.folder import ImportReport, write_made
from bedside.intake.standards.recognise import SAID, Found, recognise
from bedside.store.cohorts_folder import making
from bedside.store.cohorts_kept import Kept, keep

READ = ("fhir", "adam", "cbioportal", "meds", "omop")
TABLE = "table"


@dataclass(frozen=True)
class Source:
    """Files that belong together.

    Attributes
    ----------
    kind : str
        As `recognise` names it; ``"table"`` for a file that the steps of a table are for.
    said : str
    names : tuple of str
        Of the files as they lie in the folder.
    """

    kind: str
    said: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class SourceRead:
    """What a source was read as: a folder for each cohort, and the report of all."""

    report: ImportReport
    folders: tuple[Path, ...]
    titles: tuple[str, ...]
    told: bytes


def look_at(folder: Path) -> tuple[Source, ...]:
    """What the files of a folder are, every one of them in one source."""
    return tuple(
        Source(each.kind, SAID[each.kind], tuple(str(path.relative_to(folder)) for path in each.files))
        for each in recognise(folder)
    )


def bring(
    files: Path, source: Path, name: str, folder: Path, reading: Reading | None, plain: bool, *,
    progress: Progress | None = None,
) -> Opened | tuple[Source, ...]:  # fmt: skip
    """What was brought: sources of a standard if there is any among the files, otherwise one of them as a table.

    Parameters
    ----------
    files : Path
        The folder that holds all that was brought.
    source, name, folder, reading
        As in `open_file`.
    plain : bool
        Read the file as a table whatever it is.
    """
    if not plain:
        found = look_at(files)
        if any(each.kind in READ for each in found):
            return found
    return open_file(source, name, folder, reading, progress=progress)


def read_source(folder: Path, number: int, into: Path, *, progress: Progress | None = None) -> SourceRead:
    """Read one source of a folder into a folder for each of its cohorts.

    Parameters
    ----------
    folder : Path
    number : int
        Which of `look_at`.
    into : Path
        Made anew.
    progress : callable, optional

    Raises
    ------
    Fixable
        If the files can't be read, or nobody in them can be followed.
    """
    found = recognise(folder)[number]
    imported = _reader(found)(found, progress=progress)
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(mode=0o700)
    folders = []
    for i, made in enumerate(imported.cohorts):
        folders.append(into / f"cohort_{i}")
        write_made(imported, made, folders[-1])
    titles = tuple(str(made.dictionary.get("title", made.name)) for made in imported.cohorts)
    told = (folders[0] / "report.json").read_bytes() if folders else b""
    return SourceRead(imported.report, tuple(folders), titles, told)


def _reader(found: Found) -> Callable[..., Any]:
    """Imported when it is needed: each standard has much of its own."""
    if found.kind == "fhir":
        from bedside.intake.standards.fhir import read_fhir as reader
    elif found.kind == "adam":
        from bedside.intake.standards.adam import read_adam as reader
    elif found.kind == "cbioportal":
        from bedside.intake.standards.cbioportal import read_cbioportal as reader
    elif found.kind == "meds":
        from bedside.intake.standards.meds import read_meds as reader
    elif found.kind == "omop":
        from bedside.intake.standards.omop import read_omop as reader
    else:
        raise Fixable(
            "These files are no source that is read as a whole.", f"They are {SAID[found.kind]}.",
            "Bring the table alone.",
        )  # fmt: skip
    return reader


def keep_source(read: SourceRead, chosen: tuple[int, ...], name: str, reader: str) -> tuple[Kept, ...]:
    """Keep some of the cohorts that were read, each as a new one."""
    kept = []
    for i in chosen:
        with making() as made:
            shutil.copytree(read.folders[i], made, dirs_exist_ok=True)
            title = json.loads((made / "dictionary.json").read_text(encoding="utf-8"))["title"]
            kept.append(keep(made, reader=reader, title=title, source_name=name))
    return tuple(kept)
