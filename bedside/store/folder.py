"""Where Bedside keeps what outlives a tab."""

from __future__ import annotations

import os
from pathlib import Path

from bedside.errors import Fixable

ROOT = Path(__file__).resolve().parents[2]


def data_folder() -> Path:
    """The data folder, made if it is not there, readable by its owner only.

    Returns
    -------
    Path
        ``$BEDSIDE_DATA`` if set, otherwise ``.bedside`` beside ``app.py``.

    Raises
    ------
    Fixable
        If the folder cannot be made or is not a folder.
    """
    chosen = os.environ.get("BEDSIDE_DATA", "").strip()
    folder = Path(chosen).expanduser() if chosen else ROOT / ".bedside"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkdir's mode passes through the umask, and an existing folder keeps its own: say it again.
        folder.chmod(0o700)
    except OSError as fault:
        raise Fixable(
            "Bedside cannot use its data folder.",
            f"{folder} could not be made private to this user ({fault.strerror or 'unknown reason'}).",
            "Set BEDSIDE_DATA to a folder that this user may write, then start again.",
        ) from fault
    return folder
