"""A cohort of Bedside that was taken along and is brought back: a table with its dictionary, or everything of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bedside.cohort import Cohort
from bedside.cohort.attached import TABLE
from bedside.cohort.outcome import Outcome
from bedside.engine.live import LiveCohort
from bedside.errors import Fixable
from bedside.intake.files import _too_much
from bedside.intake.from_large import looked_at
from bedside.intake.standards.folder import CohortMade, FileRead, ImportReport, OutcomeMade, outcome_made
from bedside.intake.standards.recognise import Found, Part

KIND = "cohort"
VERSION = re.compile(r"v([1-9]\d{0,5})")
ABOUT, KEPT, SAVED = "about.json", "kept.json", "saved.json"
ATTACHED, MODELS = "attached", "models"
OF_A_TABLE = ("attached.json", "features.json", "patients.json", "table.json", "values.parquet", "visits.parquet")
MOST_VERSIONS, MOST_TABLES, MOST_MODELS = 500, 50, 200
MOST_JSON = 64 * 2**20
MOST_VALUES = 2**29
"""Values of a Parquet file, whatever few bytes they are packed into."""


def whole(found: Iterable[Found]) -> tuple[Found, ...]:
    """Sources, with all that belongs to one cohort as one of them: its versions, tables, saved items and models."""
    sources = list(found)
    files = [part.path for each in sources for part in each.parts]
    tops = {path.parent for path in files if path.name == ABOUT}
    tops = {top for top in tops if any(each.kind == KIND and _within(each.root, top) for each in sources)}
    made = []
    for top in sorted(tops):
        parts = tuple(Part(path) for path in sorted(files) if path.is_relative_to(top))
        sources = [each for each in sources if not each.root.is_relative_to(top)]
        files = [path for path in files if not path.is_relative_to(top)]
        made += [Found(KIND, top, parts)] if parts else []
    return (*made, *sources)


def _within(root: Path, top: Path) -> bool:
    """Whether a folder of a table and its dictionary is of what was taken along from there."""
    return root == top or (root.parent == top and (root.name == "data" or VERSION.fullmatch(root.name) is not None))


def read_back(found: Found, into: Path) -> tuple[ImportReport, str, Path]:
    """Look at a cohort that was taken along, and put what may be kept of it in order under names of ours.

    Parameters
    ----------
    found : Found
        Of `whole`.
    into : Path
        An existing folder.

    Returns
    -------
    report : ImportReport
    title : str
    folder : Path
        For `bedside.store.cohorts_back.keep_back`.

    Raises
    ------
    Fixable
        If its table is not among the files, or it does not open.
    """
    made = into / "cohort_0"
    made.mkdir(mode=0o700)
    places = _places(found.root)
    for number, place in places:
        _take(place, made / f"v{number}")
    newest = made / f"v{places[-1][0]}"
    about = told_in(found.root / ABOUT)
    kept = told_in(newest / KEPT)
    key = str(about.get("key") or "")
    cohort, _ = looked_at(newest, key or "brought")
    (made / ABOUT).write_text(json.dumps({"key": key}))
    title = str(kept.get("title") or cohort.title)
    counts = _along(found.root, made)
    notes = [f"{n:,} {one if n == 1 else one + 's'} come{'s' * (n == 1)} along." for n, one in counts if n]
    if len(places) > 1:
        notes.insert(0, f"{len(places):,} versions come along, in their order; the newest is shown here.")
    if _json(found.root / "estimates.json"):
        notes.append("Estimates of single patients do not come along.")
    seal = str(kept.get("fingerprint") or about.get("fingerprint") or "")
    if seal and seal == cohort.fingerprint:
        notes.append(f"It is the same to the last value as when it was taken along (fingerprint {seal[:12]}).")
    elif kept.get("fingerprint") and not isinstance(cohort, LiveCohort):
        notes.append("It is not the same as when it was taken along: its files were changed since.")
    files = tuple(
        FileRead(str(part.path.relative_to(found.root)), part.what or "of the cohort") for part in found.parts
    )
    counted = CohortMade(title, len(cohort), _outcomes(cohort, newest), n_visits=_visits(cohort))
    return ImportReport(KIND, files, (counted,), notes=tuple(notes)), title, made


def _places(root: Path) -> list[tuple[int, Path]]:
    """Folders of versions in their order; the folder itself where there are none."""
    named = [
        (VERSION.fullmatch(place.name), place) for place in root.iterdir() if (place / "dictionary.json").is_file()
    ]
    places = sorted((int(form[1]), place) for form, place in named if form is not None)
    if len(places) > MOST_VERSIONS:
        raise _stop(f"It has more than {MOST_VERSIONS} versions.", "Take fewer along.")
    return places or [(1, root / "data" if (root / "data" / "dictionary.json").is_file() else root)]


def _take(place: Path, into: Path) -> None:
    """The files of one version: those that its dictionary names, and what says how it came to be."""
    told = told_in(place / "dictionary.json")
    data = str(told.get("data") or "data.csv")
    visits = told.get("visits")
    there = {path.name: path for path in place.iterdir() if path.is_file() and not path.is_symlink()}
    if data not in there:
        raise _stop(
            "Its table is not among these files.",
            "Bring the table and dictionary.json together; what stays in a database is opened from there.",
        )
    names = {"dictionary.json", data, "recipe.json", "report.json", "quality.json", KEPT}
    names |= {str(visits.get("file") or "")} if isinstance(visits, dict) else set()
    into.mkdir(mode=0o700)
    for name in sorted(names & set(there)):
        bounded(there[name])
        shutil.copyfile(there[name], into / name)


def _along(root: Path, made: Path) -> list[tuple[int, str]]:
    """Take attached tables, saved items and models along; how many there are of each."""
    tables = 0
    for place in sorted((root / ATTACHED).iterdir() if (root / ATTACHED).is_dir() else ()):
        if TABLE.fullmatch(place.name) and (place / OF_A_TABLE[0]).is_file() and tables < MOST_TABLES:
            (made / ATTACHED / place.name).mkdir(mode=0o700, parents=True)
            for name in OF_A_TABLE:
                if (place / name).is_file():
                    bounded(place / name)
                    shutil.copyfile(place / name, made / ATTACHED / place.name / name)
            tables += 1
    models = sorted((root / MODELS).glob("*.model"))[:MOST_MODELS] if (root / MODELS).is_dir() else []
    if models:
        (made / MODELS).mkdir(mode=0o700)
    for i, path in enumerate(models):
        shutil.copyfile(path, made / MODELS / f"{i}.model")
    items = saved_in(root / SAVED)
    (made / SAVED).write_text(json.dumps(items))
    return [(tables, "attached table"), (len(items), "saved item"), (len(models), "saved model")]


def saved_in(path: Path) -> list[dict[str, Any]]:
    """Filters, groups and views of a file; what is none of these is passed over."""
    told = _json(path)
    kinds = ("group", "filter", "view")
    return [each for each in (told if isinstance(told, list) else ()) if isinstance(each, dict)
            and each.get("kind") in kinds and isinstance(each.get("body"), dict)]  # fmt: skip


def told_in(path: Path) -> Mapping[str, Any]:
    """A JSON object; empty if there is none."""
    told = _json(path)
    return told if isinstance(told, dict) else {}


def _json(path: Path) -> object:
    try:
        if path.is_symlink() or path.stat().st_size > MOST_JSON:
            return None
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None


def bounded(path: Path) -> None:
    """Refuse a Parquet file that holds more values than can be opened, however few bytes they take."""
    if not path.name.lower().endswith((".parquet", ".pq")):
        return
    try:
        held = pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        raise _stop(f"“{path.name[:80]}” is damaged.", "Take the cohort along again.") from None
    read_whole = path.name == OF_A_TABLE[-1]
    too_much = read_whole and _too_much(held, held.num_columns, path.stat().st_size) is not None
    if too_much or held.num_rows * held.num_columns > MOST_VALUES:
        raise _stop("A table in it unpacks to more than can be opened.", "Take the cohort along again.")


# ------------------------------------------------------------------ in numbers


def _outcomes(cohort: Cohort, folder: Path) -> tuple[OutcomeMade, ...]:
    large = isinstance(cohort, LiveCohort)
    names = sorted({name for outcome in cohort.outcomes for name in (outcome.time, outcome.status)})
    if large:
        file = folder / str(told_in(folder / "dictionary.json").get("data"))
        rows: pd.DataFrame = pq.read_table(file, columns=names).to_pandas()
    else:
        rows = cohort.frame[names]
    found = []
    for outcome in cohort.outcomes:
        told = {"event": outcome.event, "competing": dict(outcome.competing), "key": outcome.key,
                "concept": outcome.concept or _named(outcome), "free_phrase": outcome.free_phrase, "unit": outcome.unit,
                "label": outcome.label, "status": outcome.status}  # fmt: skip
        found.append(outcome_made(rows[outcome.time].astype(float), rows[outcome.status].astype(str), told))
    return tuple(found)


def _named(outcome: Outcome) -> str:
    """What happened, in a few words."""
    label = outcome.cause_label or outcome.label
    return label[:1].lower() + label[1:]


def _visits(cohort: Cohort) -> int:
    return 0 if isinstance(cohort, LiveCohort) or cohort.visits is None else len(cohort.visits.frame)


def _stop(why: str, next_step: str) -> Fixable:
    return Fixable("This cohort can't be brought back.", why, next_step)
