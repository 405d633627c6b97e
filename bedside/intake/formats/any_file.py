"""Whatever a file is called, it is read as what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from bedside.errors import Fixable
from bedside.intake.formats.excel import read_excel
from bedside.intake.formats.packages import read_statistics
from bedside.intake.formats.parquet import read_parquet
from bedside.intake.formats.recognise import recognise
from bedside.intake.formats.records import read_records
from bedside.intake.formats.text import read_text
from bedside.intake.formats.unpack import unpacked
from bedside.intake.formats.written import Written
from bedside.intake.staging import WHAT, Progress, Reading, Staged

MOST_PACKED = 250 * 2**20
READERS: dict[str, Callable[[Path, Path, Reading, Progress], Written]] = {
    "csv": read_text, "excel": read_excel, "parquet": read_parquet, "json": read_records,
    "sas": read_statistics, "spss": read_statistics, "stata": read_statistics,
}  # fmt: skip


def read_any(source: Path, folder: Path, reading: Reading | None, progress: Progress) -> dict[str, Any]:
    """Read a file into ``folder``; its description as plain lists and mappings.

    Raises
    ------
    Fixable
        If it holds no table, or more than a table may.
    """
    size = source.stat().st_size
    if size == 0:
        raise Fixable(WHAT, "It is empty.", "Save it again where it came from, and bring it then.")
    if size > MOST_PACKED:
        raise Fixable(
            WHAT, f"It has {size / 2**20:,.0f} MB; at most {MOST_PACKED // 2**20} MB are read.",
            "Leave out columns or rows that are not needed, or save it as Parquet, which is smaller.",
        )  # fmt: skip
    progress(0.0, "Looking at the file")
    plain, notes = unpacked(source, folder)
    found = recognise(plain)
    if reading is None or reading.format != found:
        reading = Reading(found)
    written = READERS[found](plain, folder, reading, progress)
    if plain != source:
        plain.unlink()
    done = Staged(
        file=written.file, columns=written.columns, n_rows=written.n_rows, reading=written.reading,
        sheets=written.sheets, rejected=written.rejected, n_rejected=written.n_rejected, sha256=_digest(source),
        size=size, notes=(*notes, *written.notes), shifts=written.shifts,
    )  # fmt: skip
    if not done.columns or not done.n_rows:
        raise Fixable(WHAT, "It holds no rows.", "Bring a table with names in its first line and a row for a patient.")
    return asdict(replace(done, file=Path("rows"))) | {"file": ""}


def _digest(path: Path) -> str:
    found = sha256()
    with path.open("rb") as file:
        while part := file.read(2**20):
            found.update(part)
    return found.hexdigest()
