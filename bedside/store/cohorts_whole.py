"""All that belongs to an imported cohort, at once: delete it, take it along, and tidy up after a killed server."""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bedside.errors import Fixable
from bedside.store import estimates, saved
from bedside.store.attached import count_below, files_below
from bedside.store.cohorts_folder import GONE, NEW, cohorts_folder, lock, sync, unwritable
from bedside.store.cohorts_kept import KEY, _mine, _place, _versions, versions
from bedside.store.estimates import Estimates
from bedside.store.models import Entry, delete_model, list_models, model_bytes
from bedside.store.saved import Saved
from bedside.store.tables import reading

STALE = 3600.0
"""Seconds after which a draft in a cohort's folder is of nobody who still writes."""


@dataclass(frozen=True)
class Deleted:
    """What went with a cohort, in numbers; of all readers."""

    versions: int
    filters: int
    groups: int
    views: int
    recipes: int
    estimates: int
    models: int
    attached: int = 0


def delete(key: str, *, reader: str, folder: Path | None = None) -> Deleted:
    """Delete a cohort: all versions and attached tables, and all that was saved, estimated and learnt of it.

    It is gone for everybody at once. What a kill or a fault leaves of it goes at the next start (`sweep`).

    Raises
    ------
    Fixable
        If it is not the reader's own, or the store can't be used.
    """
    place = _mine(key, reader, folder)
    with reading(folder):
        pass  # what can't be opened now could not be emptied either: nothing has happened yet
    list_models(folder=_models(folder))
    n, gone = len(_versions(place)), place.with_name(f"{GONE}{key}")
    n_attached = count_below(place)
    try:
        place.rename(gone)
        sync(gone.parent)
    except FileNotFoundError:
        raise Fixable("That cohort is not here.", "It was deleted meanwhile.", "Choose another one.") from None
    except OSError as fault:
        raise unwritable(fault) from fault
    try:
        found = _forget(key, folder)
    except Fixable as stop:
        raise Fixable(
            "The cohort is deleted, but not yet all that belongs to it.", f"{stop.what} {stop.why}",
            "Put that right and start Bedside again: the rest goes then.",
        ) from stop  # fmt: skip
    _remove(gone)
    return Deleted(n, **found, attached=n_attached)


def _forget(key: str, folder: Path | None) -> dict[str, int]:
    """Everything that names a cohort and lies elsewhere; doing it twice does no harm."""
    kinds = saved.forget_cohort(key, folder=folder)
    models = _of(key, folder)
    found = {f"{kind}s": kinds.get(kind, 0) for kind in saved.KINDS}
    found |= {"estimates": estimates.forget_cohort(key, folder=folder), "models": len(models)}
    for entry in models:
        delete_model(entry.key, entry.version, folder=_models(folder))
    return found


def _of(key: str, folder: Path | None) -> list[Entry]:
    """Saved models that learnt from a cohort, whichever version and filter."""
    return [e for e in list_models(folder=_models(folder)) if e.about is not None and e.about.cohort_key == key]


def _models(folder: Path | None) -> Path | None:
    """The folder of models beside a data folder that is not the usual one."""
    if folder is None:
        return None
    place = folder / "models"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def _remove(gone: Path) -> None:
    try:
        shutil.rmtree(gone)
        sync(gone.parent)
    except FileNotFoundError:
        return
    except OSError as fault:
        raise unwritable(fault) from fault


# ------------------------------------------------------------------ taking along


def export(key: str, *, reader: str, into: Path, folder: Path | None = None) -> Path:
    """Everything that belongs to a cohort as one ZIP file: versions, attached tables, what was saved of it, and models.

    Parameters
    ----------
    key, reader
        As in `open_folder`.
    into : Path
        An existing folder of this user's alone, such as a staging folder.

    Returns
    -------
    Path
        ``cohort.zip`` in it, readable by this user only. It holds patients' data.

    Raises
    ------
    Fixable
        If there is no such cohort for this reader, or the disk refuses.
    """
    place = _place(key, reader, folder)
    if place is None:
        raise Fixable("That cohort is not here.", "It was deleted, or is not yours to open.", "Choose another one.")
    about = {"key": key, "versions": [_said(kept) for kept in versions(key, reader=reader, folder=folder)]}
    path = into / "cohort.zip"
    try:
        with packed(path) as archive:
            pack_belongings(archive, key, about, reader=reader, folder=folder)
            for file in files_below(place):
                archive.write(file, file.relative_to(place).as_posix(), compress_type=zipfile.ZIP_STORED)
            for number in reversed(_versions(place)):
                for file in sorted(p for p in (place / f"v{number}").rglob("*") if p.is_file() and not p.is_symlink()):
                    how = zipfile.ZIP_STORED if file.suffix == ".parquet" else zipfile.ZIP_DEFLATED
                    archive.write(file, file.relative_to(place).as_posix(), compress_type=how)
    except OSError as fault:
        path.unlink(missing_ok=True)
        raise unwritable(fault) from fault
    return path


@contextmanager
def packed(path: Path) -> Iterator[zipfile.ZipFile]:
    """A new ZIP file, readable by this user only; it holds patients' data."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        yield archive


def pack_belongings(
    archive: zipfile.ZipFile, key: str, about: object, *, reader: str, folder: Path | None = None
) -> None:
    """Put what the reader saved and estimated of a cohort into a file, and the models that learnt from it."""
    mine = Saved(reader, folder)
    told = {
        "about.json": about,
        "saved.json": [asdict(item) for kind in saved.KINDS for item in mine.of(key, kind)],
        "estimates.json": [asdict(one) for one in Estimates(reader, folder).all() if one.about.cohort == key],
    }
    for name, what in told.items():
        archive.writestr(name, json.dumps(what, ensure_ascii=False, indent=1, default=str))
    for entry in _of(key, folder):
        name = f"models/{entry.key}.{entry.version}.model"
        archive.writestr(name, model_bytes(entry.key, entry.version, folder=_models(folder)))


def _said(kept: object) -> dict[str, object]:
    return {name: value for name, value in vars(kept).items() if name not in ("trouble", "mine", "key")}


# ------------------------------------------------------------------ after a killed server


def sweep(*, folder: Path | None = None) -> int:
    """Remove what killed processes left half made, and finish deleting what was being deleted; how many went.

    What a living process makes is locked by it and stays.

    Raises
    ------
    Fixable
        If what belongs to a cohort that is being deleted can't be reached.
    """
    root, n = cohorts_folder(folder), 0
    for place in sorted(root.iterdir()):
        if place.name.startswith(NEW):
            n += _swept(place)
        elif place.name.startswith(GONE) and KEY.fullmatch(place.name.removeprefix(GONE)):
            _forget(place.name.removeprefix(GONE), folder)
            _remove(place)
            n += 1
        elif KEY.fullmatch(place.name) and place.is_dir():
            n += _drafts(place)
    return n


def _swept(place: Path) -> int:
    held = lock(place)
    if held is None:
        return 0
    try:
        shutil.rmtree(place, ignore_errors=True)
    finally:
        os.close(held)
    return 1


def _drafts(place: Path) -> int:
    """Drafts of a cohort's description that were never given its name."""
    n, now = 0, time.time()
    for path in place.glob(".about.json.*"):
        if path.is_file() and now - path.stat().st_mtime > STALE:
            path.unlink(missing_ok=True)
            n += 1
    return n
