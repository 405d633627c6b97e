"""A file that a reader brings, read once into a plain table: every cell as it was written, nothing understood yet.

The reading happens in a process of its own with bounds on memory and time, since a few hundred bytes can unpack to
gigabytes and a crafted file may crash its parser. What it leaves is one Parquet file in a folder of this user.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal

import pandas as pd
import pyarrow.parquet as pq

from bedside.errors import Fixable
from bedside.intake.own_rows import Shifts
from bedside.store.cohorts_folder import lock
from bedside.store.folder import data_folder

Format = Literal["csv", "excel", "parquet", "json", "sas", "spss", "stata"]
Kind = Literal["text", "number", "date", "datetime", "bool"]
Progress = Callable[[float, str], None]

LOG = logging.getLogger("bedside")

HOME = Path(__file__).resolve().parents[2]
LONGEST_NAME = 200
"""Letters of a file's name that are shown."""
MOST_WALL = 180.0
"""Seconds after which a file that is still being read is given up."""
ROWS = "rows.parquet"
STAGING = "staging"
OLD = 12 * 3600.0
"""Seconds after which a staging folder belongs to nobody: no session lives longer."""
WHAT = "This file was not read."
_HELD: dict[Path, int | None] = {}
"""Folders that this process made, each held as long as it lives."""


@dataclass(frozen=True)
class Reading:
    """How a file was read; the reader of the page may say otherwise.

    Attributes
    ----------
    format : str
    encoding : str
        Of text, as Python calls it; empty where the format has none.
    delimiter : str
        Of text.
    decimal : {".", ","}
        How numbers are written in text.
    header_row : int
        Which line of text or of a sheet holds the names, counted from 0; -1 if none does.
    sheet : str
        Of a workbook.
    quote : str
        Around cells with a delimiter in them; empty where quotation marks stand for themselves.
    """

    format: Format
    encoding: str = ""
    delimiter: str = ""
    decimal: Literal[".", ","] = "."
    header_row: int = 0
    sheet: str = ""
    quote: str = '"'


@dataclass(frozen=True)
class StagedColumn:
    """One column.

    Attributes
    ----------
    name : str
        Unique, without blanks around it: what a plan names.
    original : str
        As the file has it.
    kind : str
        What the file itself says; of text formats always ``"text"``.
    label : str
        What a statistics package calls the column.
    labels : tuple of (code, label)
        Its value labels.
    """

    name: str
    original: str
    kind: Kind
    label: str = ""
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Staged:
    """A file as a plain table.

    Attributes
    ----------
    file : Path
        Parquet with the columns ``c0``, ``c1`` and so on, in the file's order.
    columns : tuple of StagedColumn
    n_rows : int
    reading : Reading
    sheets : tuple of str
        Of a workbook, all of them.
    rejected : tuple of int
        Lines of a text file that have more or fewer cells than the header, at most the first 1,000; they are not
        among the rows.
    n_rejected : int
    sha256 : str
        Of the file as it was brought.
    size : int
        Bytes of it.
    name : str
        The file's name, to be shown.
    notes : tuple of str
        What was done to read it.
    shifts : tuple of (row, shift)
        What a row is called in the file itself: see `bedside.intake.own_rows`.
    """

    file: Path
    columns: tuple[StagedColumn, ...]
    n_rows: int
    reading: Reading
    sheets: tuple[str, ...] = ()
    rejected: tuple[int, ...] = ()
    n_rejected: int = 0
    sha256: str = ""
    size: int = 0
    name: str = ""
    notes: tuple[str, ...] = ()
    shifts: Shifts = ()

    def place(self, name: str) -> str:
        """The column's name in the Parquet file."""
        return f"c{[column.name for column in self.columns].index(name)}"

    def column(self, name: str) -> StagedColumn:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


# ------------------------------------------------------------------ folders


@contextmanager
def staging_folder() -> Iterator[Path]:
    """A folder for one file, readable by this user only; it goes when the block ends."""
    folder = new_staging()
    try:
        yield folder
    finally:
        remove_staging(folder)


def new_staging() -> Path:
    """A folder that stays until `remove_staging`, or `sweep_staging` long after.

    Raises
    ------
    Fixable
        If none can be made.
    """
    root = data_folder() / STAGING
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        folder = root / secrets.token_hex(16)
        folder.mkdir(mode=0o700)
        _HELD[folder] = lock(folder)
    except OSError as fault:
        raise Fixable(
            WHAT,
            f"The folder for files being read could not be made ({fault.strerror or 'unknown reason'}).",
            "Make room on the disk and give this user the right to write the data folder.",
        ) from fault
    return folder


def remove_staging(folder: Path) -> None:
    """Take a file's folder away with all that is in it; one that is gone already is no fault."""
    shutil.rmtree(folder, ignore_errors=True)
    held = _HELD.pop(folder, None)
    if held is not None:
        os.close(held)


def sweep_staging(*, older_than: float = OLD) -> int:
    """Remove what a process that was killed left behind, and what is old; how many folders went."""
    root, now, gone = data_folder() / STAGING, time.time(), 0
    for folder in list(root.iterdir()) if root.is_dir() else ():
        if not folder.is_dir() or folder.is_symlink():
            continue
        # A living process holds the folders it made; what nobody holds belongs to nobody.
        free = lock(folder)
        if free is not None or now - folder.stat().st_mtime > older_than:
            remove_staging(folder)
            gone += 1
        if free is not None:
            os.close(free)
    return gone


# ------------------------------------------------------------------ reading


def shown_name(name: str) -> str:
    """A file's name as it is shown: without a path, control characters and marks that turn the direction of text."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(letter for letter in last if letter.isprintable())
    return kept[:LONGEST_NAME] or "file"


def stage(
    source: Path,
    name: str,
    folder: Path,
    *,
    reading: Reading | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Staged:
    """Read a file into a plain table.

    Parameters
    ----------
    source : Path
        The file as it was brought.
    name : str
        What its owner called it; shown, and never used as a path.
    folder : Path
        From `new_staging`; an earlier table of the same file in it is replaced.
    reading : Reading, optional
        How; by default it is found out.
    progress : callable, optional
    stop : threading.Event, optional
        Set by another thread to give up.

    Returns
    -------
    Staged

    Raises
    ------
    Fixable
        If it is no table, is damaged, takes more memory or time than a file may, or the reading was stopped.
    """
    ask = {
        "source": str(source.resolve()),
        "folder": str(folder.resolve()),
        "reading": None if reading is None else asdict(reading),
    }
    told = in_process(ask, progress, stop)
    return replace(staged_of(told, folder / ROWS), name=shown_name(name))


def staged_of(told: Mapping[str, Any], file: Path) -> Staged:
    """A staged table from its description, as plain lists and mappings."""
    columns = tuple(
        StagedColumn(each["name"], each["original"], each["kind"], each["label"],
                     tuple((code, label) for code, label in each["labels"]))
        for each in told["columns"]
    )  # fmt: skip
    return Staged(
        file=file, columns=columns, n_rows=told["n_rows"], reading=Reading(**told["reading"]),
        sheets=tuple(told["sheets"]), rejected=tuple(told["rejected"]), n_rejected=told["n_rejected"],
        sha256=told["sha256"], size=told["size"], notes=tuple(told["notes"]), name=told.get("name", ""),
        shifts=tuple((row, shift) for row, shift in told.get("shifts", ())),
    )  # fmt: skip


def preview(staged: Staged, rows: int = 20) -> pd.DataFrame:
    """The first rows under the columns' names, as written; None where a cell is empty."""
    if not staged.file.is_file():
        raise gone()
    with pq.ParquetFile(staged.file) as file:
        first = next(file.iter_batches(batch_size=rows), None)
    if first is None:
        return pd.DataFrame({column.name: pd.Series(dtype=object) for column in staged.columns})
    cells = [[None if cell is None else _written(cell) for cell in column.to_pylist()] for column in first.columns]
    return pd.DataFrame(dict(zip([c.name for c in staged.columns], cells, strict=True)), dtype=object)


def _written(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)


# ------------------------------------------------------------------ the process


def in_process(
    ask: Mapping[str, Any], progress: Progress | None = None, stop: threading.Event | None = None
) -> Mapping[str, Any]:
    """Let the process that reads files do what is asked for, within its limits; what it says at the end.

    Raises
    ------
    Fixable
        Its own stop, that it was ended, or that what it is to read is no longer there.
    """
    if not (Path(ask["source"]).exists() and Path(ask["folder"]).is_dir()):
        raise gone()
    process = _started(ask)
    timer = threading.Timer(MOST_WALL, process.kill)
    timer.start()
    watcher = threading.Thread(target=_watch, args=(process, stop), daemon=True)
    watcher.start()
    try:
        told = _listen(process, progress)
    finally:
        timer.cancel()
        process.kill()
        process.wait()
    if stop is not None and stop.is_set():
        raise Fixable(WHAT, "It was stopped.", "Start again whenever you like.")
    if told is None:
        raise _ended(process.returncode)
    return told


def _started(ask: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    """A process that inherits nothing of this one: no environment, no open files, no secret."""
    command = [
        sys.executable, "-I", "-c",
        "import sys; sys.path.insert(0, sys.argv[1]); from bedside.intake.formats.child import main; main()", str(HOME),
    ]  # fmt: skip
    environment = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "HOME": str(ask["folder"]), "TMPDIR": str(ask["folder"])}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        cwd=str(ask["folder"]), close_fds=True,
    )  # fmt: skip
    with process.stdin as pipe:  # type: ignore[union-attr]
        pipe.write(json.dumps(ask).encode())
    return process


def _watch(process: subprocess.Popen[bytes], stop: threading.Event | None) -> None:
    while stop is not None and process.poll() is None:
        if stop.wait(0.1):
            process.kill()
            return


def _listen(process: subprocess.Popen[bytes], progress: Progress | None) -> Mapping[str, Any] | None:
    """What the process says, line by line; None if it ended without a result."""
    lines: IO[bytes] = process.stdout  # type: ignore[assignment]
    with lines:
        for line in lines:
            try:
                told = json.loads(line)
            except json.JSONDecodeError:
                return None  # it was ended within a line
            if "progress" in told and progress is not None:
                progress(*told["progress"])
            if "stop" in told:
                raise Fixable(*told["stop"])
            if "crash" in told:
                LOG.error("reading a file ended with %s at %s", *told["crash"])
                return None
            if "done" in told:
                return told["done"]
    return None


def _ended(code: int) -> Fixable:
    """Why a process ended that said nothing more: out of memory, out of time, or a crash of a parser."""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        why = "It took more time or memory to unpack than a table of its size may."
    else:
        why = "It made the program that reads such files break down, as damaged files do."
    return Fixable(WHAT, why, "Open it where it came from, save it as CSV, and bring that.")


def gone() -> Fixable:
    """A folder that was swept while somebody was at work in it."""
    why = "What is brought is held for as long as it is worked on, and then removed."
    return Fixable("The file is no longer here.", why, "Bring it again.")


def sealed(path: Path) -> None:
    """Readable by this user only."""
    os.chmod(path, 0o600)
