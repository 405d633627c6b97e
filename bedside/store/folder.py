"""Where Bedside keeps what outlives a tab."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def drafted(path: Path, data: bytes) -> Iterator[Path]:
    """A file beside ``path`` with all of its bytes on the disk, for the block to put in place; it goes at the end.

    Parameters
    ----------
    path : Path
        Where the file is to stand.
    data : bytes

    Yields
    ------
    Path
        Readable by this user only.

    Raises
    ------
    OSError
        If the disk refuses.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
