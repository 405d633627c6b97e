"""A cohort to take along in forms that others read: CSV with its dictionary, a cBioPortal study; and what is one's own.

What an imported cohort is, with all versions, is in `bedside.store.cohorts.export`.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from bedside.cohort import Cohort
from bedside.intake.standards.export_cbioportal import export_cbioportal
from bedside.intake.standards.export_csv import export_csv
from bedside.store.attached import list_attached, remove
from bedside.store.cohorts_folder import unwritable
from bedside.store.cohorts_whole import pack_belongings, packed
from bedside.store.estimates import Estimates
from bedside.store.saved import Saved

CSV, STUDY, MINE = "csv.zip", "study.zip", "cohort.zip"


@dataclass(frozen=True)
class Forgotten:
    """What of one reader went, in numbers."""

    saved: int
    estimates: int
    attached: int


def pack_csv(cohort: Cohort, into: Path) -> Path:
    """One ZIP file with ``data.csv``, its visits, and ``dictionary.json``: read again it is the same cohort.

    Parameters
    ----------
    cohort : Cohort
    into : Path
        An existing empty folder of this user's alone, such as a staging folder.

    Returns
    -------
    Path
        The file in it, readable by this user only. It holds patients' data.

    Raises
    ------
    Fixable
        If the disk refuses.
    """
    made = into / "cohort"
    export_csv(cohort, made)
    about = {"key": cohort.key, "fingerprint": cohort.fingerprint}
    (made / "about.json").write_text(json.dumps(about), encoding="utf-8")
    return _packed(made, into / CSV)


def pack_cbioportal(cohort: Cohort, into: Path) -> Path:
    """One ZIP file with a study folder as cBioPortal reads it, and ``notes.txt`` on what could not go along.

    Parameters, returns and raises as `pack_csv`.
    """
    made = into / "cohort"
    found = export_cbioportal(cohort, made / "study")
    if found.notes:
        (made / "notes.txt").write_text("\n".join(found.notes) + "\n", encoding="utf-8")
    return _packed(made, into / STUDY)


def pack_mine(cohort: Cohort | None, key: str, *, reader: str, into: Path, folder: Path | None = None) -> Path:
    """A cohort that was not imported: its table as CSV, and what the reader saved, estimated and attached.

    Parameters
    ----------
    cohort : Cohort or None
        As it was read; None leaves the table out, for instance where it lies in a database.
    key : str
        The cohort's.
    reader, into, folder
        As in `bedside.store.cohorts.export`; returns and raises as there.
    """
    made, path = into / "cohort", into / MINE
    if cohort is not None:
        export_csv(cohort, made)
    try:
        with packed(path) as archive:
            pack_belongings(archive, key, {"key": key, "versions": []}, reader=reader, folder=folder)
            if cohort is not None:
                _add(archive, made, "data")
            for table in list_attached(key, reader=reader, folder=folder):
                _add(archive, table.folder, f"attached/{table.folder.name}")
    except OSError as fault:
        path.unlink(missing_ok=True)
        raise unwritable(fault) from fault
    return path


def forget_mine(key: str, *, reader: str, folder: Path | None = None) -> Forgotten:
    """Delete all that one reader saved, estimated and attached of a cohort; the cohort and what is others' stay.

    Raises
    ------
    Fixable
        If a store can't be used, or the disk refuses.
    """
    mine, said = Saved(reader, folder), Estimates(reader, folder)
    items = [item.id for item in mine.all() if item.mine and item.cohort == key]
    numbers = [one.id for one in said.all() if one.about.cohort == key]
    tables = [table.id for table in list_attached(key, reader=reader, folder=folder) if table.mine]
    for item in items:
        mine.delete(item)
    for number in numbers:
        said.delete(number)
    for table in tables:
        remove(key, table, reader=reader, folder=folder)
    return Forgotten(len(items), len(numbers), len(tables))


def _packed(made: Path, path: Path) -> Path:
    try:
        with packed(path) as archive:
            _add(archive, made)
    except OSError as fault:
        path.unlink(missing_ok=True)
        raise unwritable(fault) from fault
    return path


def _add(archive: zipfile.ZipFile, folder: Path, under: str = "") -> None:
    """All files below a folder; links are not followed."""
    for file in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        how = zipfile.ZIP_STORED if file.suffix == ".parquet" else zipfile.ZIP_DEFLATED
        archive.write(file, "/".join(filter(None, (under, file.relative_to(folder).as_posix()))), compress_type=how)
