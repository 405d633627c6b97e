"""A folder with data and dictionary becomes a cohort."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from bedside.cohort.cohort import Cohort, Visits
from bedside.cohort.declared import faults_of
from bedside.cohort.variable import Variable
from bedside.errors import Fault, Faults, Fixable
from bedside.intake.build import Built, build
from bedside.intake.columns import Table, clean_name
from bedside.intake.dictionary import (
    FILE,
    MAX_BYTES,
    Dictionary,
    Draft,
    cleaned_made,
    cleaned_test,
    read_dictionary,
)
from bedside.intake.duck import Duck, open_duck
from bedside.intake.files import Read, read_table
from bedside.intake.frame import finished
from bedside.intake.guarded import unguarded
from bedside.intake.large import is_large
from bedside.intake.live_told import is_live
from bedside.intake.paths import is_text, leads_out
from bedside.intake.rows import say_rows

TITLES = ("title", "short_title")


@dataclass(frozen=True)
class Entry:
    """A cohort that could be opened: its key for links, what to call it, where it is, and tests that it declares."""

    key: str
    title: str
    short_title: str
    folder: Path
    order: int = 100
    external: tuple[str, ...] = ()
    events: tuple[str, ...] | None = None
    """What its outcomes count, in lower case; None where one of them does not declare it."""

    @property
    def live(self) -> bool:
        """True if its rows are counted where they are, and not read: `bedside.intake.from_source.open_live` opens it,
        or, if it is large, `bedside.intake.from_large.open_large`.
        """
        return is_live(self.folder) or self.large

    @property
    def large(self) -> bool:
        """True if its own table holds more rows than a server reads."""
        return not is_live(self.folder) and is_large(self.folder)


def list_cohorts(roots: Iterable[Path]) -> tuple[Entry, ...]:
    """Every folder with a dictionary below the given roots, without reading a row.

    A folder whose dictionary is broken is listed under its own name, so that
    opening it can say what is wrong.

    Parameters
    ----------
    roots : iterable of Path
        Folders that hold cohort folders; missing ones are passed over.

    Returns
    -------
    tuple of Entry
        By ``order``, then by title. A key is the folder's name. Where several
        folders have one name, the one in the first root keeps it; the others'
        keys end in letters made from where they lie, so that a link never
        opens another cohort because roots were added or came in another order.
    """
    first, *others = [_folders(root) for root in roots] or [[]]
    known = {folder.resolve() for folder in first}
    # A folder that is reached by two roots is one cohort.
    rest = list({place: f for folders in others for f in folders if (place := f.resolve()) not in known}.values())
    shared = Counter(_spelled(folder.name) for folder in rest)
    shared.update(_spelled(folder.name) for folder in first)
    found = [_entry(_spelled(folder.name), folder) for folder in first]
    found += [_entry(_key(folder, alone=shared[_spelled(folder.name)] == 1), folder) for folder in rest]
    return tuple(sorted(found, key=lambda entry: (entry.order, entry.title.casefold(), entry.key)))


def _folders(root: Path) -> list[Path]:
    """Folders with a dictionary; what this account may not look into is passed over."""
    try:
        return sorted(path for path in root.iterdir() if _is_file(path / FILE))
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _spelled(name: str) -> str:
    """A folder's name as text, even if it is not in UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def _key(folder: Path, *, alone: bool) -> str:
    name = _spelled(folder.name)
    return name if alone else f"{name}-{sha256(os.fsencode(folder.resolve())).hexdigest()[:8]}"


def entry_of(key: str, folder: Path, *, title: str = "") -> Entry:
    """A single folder under a key that it need not be named like; what its owner calls it goes before its own title."""
    found = _entry(key, folder)
    return replace(found, title=title, short_title=title[:40]) if title else found


def _entry(key: str, folder: Path) -> Entry:
    name = _spelled(folder.name)
    try:
        seen = (folder / FILE).stat()
        title, short, order, tests, events = _heading(folder / FILE, seen.st_mtime_ns, seen.st_size)
    except OSError:
        return Entry(key, name, name, folder)
    return Entry(key, title or name, short or title or name, folder, order, tests, events)


@lru_cache(maxsize=1024)
def _heading(path: Path, _changed: int, size: int) -> tuple[str, str, int, tuple[str, ...], tuple[str, ...] | None]:
    """Title, short title, order and tests of a dictionary as it is now: pages ask for the list several times each."""
    try:
        may_be_read = size <= MAX_BYTES and not leads_out(path)
        told = json.loads(path.read_text(encoding="utf-8-sig")) if may_be_read else {}
    except (OSError, ValueError, RecursionError):
        told = {}
    told = told if isinstance(told, dict) else {}
    title, short = (
        text if isinstance(text := told.get(name), str) and text.strip() and is_text(text) else "" for name in TITLES
    )
    order = told.get("order")
    place = order if isinstance(order, int) else 100
    return title, short, place, _tests(told.get("external")), _events(told.get("outcomes"))


def _events(told: object) -> tuple[str, ...] | None:
    """What the outcomes count, as far as the dictionary declares it: concepts, and names of events taken together."""
    outcomes = [entry for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []
    found = []
    for entry in outcomes:
        concept, whole = entry.get("concept"), entry.get("composite")
        if not isinstance(concept, str) or not concept.strip():
            return None
        found.append(concept)
        if isinstance(whole, dict) and isinstance(whole.get("label"), str):
            found.append(whole["label"])
    return tuple(" ".join(text.casefold().split()) for text in found) if found else None


def _tests(told: object) -> tuple[str, ...]:
    """Titles of the external tests that a dictionary declares, as far as they can be read."""
    entries = [entry for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []
    titles = [title for entry in entries if isinstance(title := entry.get("title"), str)]
    return tuple(title for title in titles if title.strip() and is_text(title))


def read_cohort(folder: Path, *, key: str | None = None) -> Cohort:
    """Read a cohort folder.

    Parameters
    ----------
    folder : Path
        Holds ``dictionary.json`` and the CSV or Parquet file it names.
    key : str, optional
        Name for links and caches; the folder's name if not given.

    Returns
    -------
    Cohort
        With a fingerprint of every row and of the dictionary.

    Raises
    ------
    Faults
        With everything that is wrong in dictionary and data, each naming
        file, column and what was expected; rows by number, never a value.
    Fixable
        If there is no such folder.
    """
    name = _spelled(folder.name)
    if not _is_folder(folder):
        raise Fixable(
            "The cohort is not there.",
            f"There is no folder named “{name}” where cohorts are kept.",
            "Choose another cohort, or put the folder back.",
        )
    if not is_text(str(folder.resolve())):
        raise Fixable(
            "The cohort could not be opened.",
            f"The name of the folder “{name}”, or of one above it, is not in UTF-8.",
            "Give the folder another name.",
        )
    if is_live(folder):
        raise Fixable(
            "This cohort has no rows of its own.",
            f"“{name}” is counted in the source that its live.json names.",
            "Open it as a live cohort.",
        )
    draft = read_dictionary(folder / FILE)
    with open_duck(folder) as duck:
        table, faults = _table(duck, folder / draft.data, draft)
        built = None if table is None else _build(table, draft)
        found = [*draft.faults, *faults, *(() if built is None else built.faults)]
        visits, faults = _visits(duck, folder, draft, table, built)
    found += faults
    if found or draft.whole is None or built is None:
        raise Faults(f"The cohort “{name}” could not be opened.", tuple(dict.fromkeys(found)))
    cohort = _cohort(key or name, draft, draft.whole, built, visits)
    if declared := faults_of(cohort, FILE):
        raise Faults(f"The cohort “{name}” could not be opened.", declared)
    return cohort


def _table(duck: Duck, path: Path, draft: Draft) -> Read:
    """A file of the cohort, its texts without the apostrophes that an export put before what a spreadsheet runs."""
    table, faults = read_table(duck, path)
    is_text = path.suffix.lower() not in (".parquet", ".pq")
    return (unguarded(table) if table is not None and draft.guarded and is_text else table), faults


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _build(table: Table, draft: Draft) -> Built:
    return build(
        table,
        variables=draft.variables,
        outcomes=[entry.opened() for entry in draft.outcomes],
        identifier=draft.identifier,
        treatment=draft.treatment,
        undeclared="optional" if draft.variables else "predictor",
        # What a broken dictionary could not say about its outcomes is named as its own fault.
        needs_outcome=draft.whole is not None,
    )


def _cohort(key: str, draft: Draft, told: Dictionary, built: Built, visits: Visits | None) -> Cohort:
    words = {"title": told.title, "short_title": told.short_title, "summary": told.summary}
    return finished(
        replace(built, readings=(*told.readings, *built.readings)),
        key=key,
        population=told.population,
        treatment=draft.treatment,
        source=told.source,
        visits=visits,
        external=tuple(cleaned_test(test) for test in told.external),
        made_scores=tuple(cleaned_made(made) for made in told.made_scores),
        **words,
    )


def _visits(
    duck: Duck, folder: Path, draft: Draft, patients: Table | None, built: Built | None
) -> tuple[Visits | None, list[Fault]]:
    """The file of repeated measurements, its rows tied to the patients by identifier."""
    entry = draft.visits
    if entry is None:
        return None, []
    table, noted = _table(duck, folder / entry.file, draft)
    faults = list(noted)
    if table is None:
        return None, faults
    if built is None or built.identifier is None or patients is None or built.identifier not in patients.names:
        return None, [*faults, Fault(FILE, "visits", "an identifier column, so that visits find their patient", "none")]
    patient, time = clean_name(entry.patient), clean_name(entry.time)
    variables = [v.model_copy(update={"name": clean_name(v.name)}) for v in entry.variables]
    wanted = [patient, time, *(v.name for v in variables)]
    absent = [name for name in wanted if name not in table.names]
    faults += [Fault(table.file, name, "a column of this name (declared for visits)", "none") for name in absent]
    if absent:
        return None, faults
    chosen = Table(table.file, tuple(wanted), tuple(table.column(name) for name in wanted), table.n_rows)
    frame, more = _visit_frame(chosen, patient, time, variables, set(patients.column(built.identifier).texts()))
    faults += more
    return (None if faults else Visits(frame, patient, time, entry.unit, tuple(variables))), faults


def _visit_frame(
    table: Table, patient: str, time: str, variables: list[Variable], known: set[str]
) -> tuple[pd.DataFrame, list[Fault]]:
    told = [Variable(name=patient, kind="text"), Variable(name=time, kind="continuous"), *variables]
    built = build(table, variables=told, outcomes=(), identifier=None, declared_in=FILE, needs_outcome=False)
    faults = list(built.faults)
    names = table.column(patient).texts()
    stranger = np.array([name not in known for name in names], dtype=bool)
    if stranger.any():
        faults.append(Fault(table.file, patient, "a patient of the cohort", f"none or another in {say_rows(stranger)}"))
    unset = np.isnan(table.column(time).numbers()[0])
    if unset.any():
        faults.append(Fault(table.file, time, "a time in every row", f"none in {say_rows(unset)}"))
    return built.frame, faults
