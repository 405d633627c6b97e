"""A wide table that a reader brings: read in a process of its own, within limits of memory and time."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bedside.errors import Fixable
from bedside.intake.staging import Progress, in_process
from bedside.intake.wide_table import Scale, Wide, open_wide

TABLE = "table"


@dataclass(frozen=True)
class Brought:
    """A wide table before it is kept.

    Attributes
    ----------
    folder : Path
        Holds it and nothing else.
    wide : Wide
    sha256 : str
        Of the file as it was brought.
    size : int
        Bytes of it.
    """

    folder: Path
    wide: Wide
    sha256: str
    size: int


def bring_wide(
    source: Path, folder: Path, patients: Sequence[str], *, samples: Mapping[str, str] | None = None,
    turned: str = "", scale: Scale | None = None, progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Brought:  # fmt: skip
    """Read a wide table for a cohort.

    Parameters
    ----------
    source : Path
        Parquet with up to 25,000 columns, CSV or TSV; patients in rows or in columns.
    folder : Path
        Empty, of this user's alone; what is written lies in it.
    patients : sequence of str
        Identifiers of the cohort.
    samples : mapping of str to str, optional
        Patient of each sample, the one that counts first.
    turned : str
        Where the features are, ``"rows"`` or ``"columns"``; by default found out by whose identifiers stand where.
    scale : str, optional
        What the values are; by default found out.
    progress, stop
        As in `stage`.

    Raises
    ------
    Fixable
        If nobody of the cohort is in it, it is damaged or larger than is read, or was stopped.
    """
    if not patients:
        raise Fixable("Nothing was attached.", "The cohort has nobody in it.", "Open another cohort.")
    told_to = folder / "patients.json"
    told_to.write_text(json.dumps({"patients": list(patients), "samples": dict(samples or {})}), encoding="utf-8")
    ask = {
        "work": "wide", "source": str(source.resolve()), "folder": str(folder.resolve()),
        "patients": str(told_to.resolve()), "turned": turned, "scale": scale,
    }  # fmt: skip
    told = in_process(ask, progress, stop)
    told_to.unlink(missing_ok=True)
    return Brought(folder / TABLE, open_wide(folder / TABLE), told["sha256"], told["size"])
