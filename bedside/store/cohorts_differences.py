"""What is another in a newer version of a cohort: counts of patients, cells and events, never a value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bedside.cohort import Cohort
from bedside.engine import Level
from bedside.engine.live import LiveCohort
from bedside.errors import Fixable
from bedside.intake.dictionary import FILE as DICTIONARY
from bedside.intake.from_large import open_large
from bedside.intake.large import data_of, is_large
from bedside.intake.live_told import is_live
from bedside.intake.read import read_cohort
from bedside.store.cohorts_differences_large import Cause, compared
from bedside.store.cohorts_kept import open_folder

DEATH = "death"
"""The concept of an outcome that is a death."""
_DEATH = re.compile(r"(?!.* or )(death|died)\b", re.IGNORECASE)


@dataclass(frozen=True)
class OutcomeChange:
    """One kind of event of one outcome in two versions; None where a version does not have it.

    Attributes
    ----------
    key, label : str
        Of the outcome; what the event is called.
    events_before, events_after : int or None
        Patients whose follow-up it ended.
    undone : int or None
        Patients who are in both, had it before and now have no event of this outcome; None where nobody can be found
        again.
    is_death : bool
        Whoever had it can't be alive later.
    """

    key: str
    label: str
    events_before: int | None
    events_after: int | None
    undone: int | None = None
    is_death: bool = False


@dataclass(frozen=True)
class Differences:
    """What differs between two versions.

    Attributes
    ----------
    patients_before, patients_after : int
    added, removed : int or None
        Patients by identifier; None where a version has no identifiers, so that nobody can be found again.
    columns_added, columns_removed : tuple of str
        Labels.
    kinds_changed : tuple of (label, kind before, kind after)
    levels_changed : tuple of (label, levels that came, levels that went)
        Of columns of levels in both; labels.
    cells : tuple of (label, n)
        Of patients in both, cells with another value now; the most first.
    outcomes : tuple of OutcomeChange
    visits_before, visits_after : int
        Rows of repeated measurements.
    same : bool
        True if nothing differs at all, wording and order included.
    """

    patients_before: int
    patients_after: int
    added: int | None
    removed: int | None
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    kinds_changed: tuple[tuple[str, str, str], ...]
    cells: tuple[tuple[str, int], ...]
    outcomes: tuple[OutcomeChange, ...]
    visits_before: int
    visits_after: int
    same: bool
    levels_changed: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = ()


def differences(key: str, old: int, new: int, *, reader: str, folder: Path | None = None) -> Differences:
    """What is another in version ``new`` than in version ``old``.

    Raises
    ------
    Fixable
        If this reader may open no such cohort, or a version can't be opened.
    """
    places = [open_folder(key, version, reader=reader, folder=folder) for version in (old, new)]
    files = [data_of(place) for place in places]
    if any(is_live(place) for place in places):
        raise Fixable(
            "These versions are not compared.", "The rows of one of them stay in their source.",
            "Open each of them, and compare what the overview says.",
        )  # fmt: skip
    if None not in files and any(is_large(place) for place in places):
        return _counted(places, [file for file in files if file is not None], key)
    before, after = (read_cohort(place, key=key) for place in places)
    return compare_cohorts(before, after)


def _counted(places: Sequence[Path], files: Sequence[Path], key: str) -> Differences:
    """As `compare_cohorts`, with everything counted in the files."""
    old, new = (open_large(place, key=key) for place in places)
    try:
        shared = [name for name in new.columns if name in old.columns]
        kinds = {name: (_kind(old, name), _kind(new, name)) for name in shared}
        alike = [name for name, both in kinds.items() if both[0] == both[1]]
        found = None
        if old.identifier is not None and new.identifier is not None:
            names = [n for n in alike if n not in (old.identifier, new.identifier)]
            found = compared(files, (old, new), names, _in_both(old, new))
        cells = [] if found is None else [(_label(new, name), n) for name, n in found.cells.items() if n]
        told = Differences(
            len(old), len(new),
            None if found is None else len(new) - found.again, None if found is None else len(old) - found.again,
            tuple(_label(new, name) for name in new.columns if name not in old.columns),
            tuple(_label(old, name) for name in old.columns if name not in new.columns),
            tuple((_label(new, name), *both) for name, both in kinds.items() if both[0] != both[1]),
            tuple(sorted(cells, key=lambda each: (-each[1], each[0]))),
            _outcomes(old, new, None if found is None else found.undone), 0, 0, False, tuple(_levels(old, new, alike)),
        )  # fmt: skip
    finally:
        old.close()
        new.close()
    nothing = found is not None and not (told.added or told.removed or told.cells)
    return replace(told, same=nothing and _words(places[0]) == _words(places[1]))


def _words(place: Path) -> object:
    """A dictionary but for where its table came from."""
    told = json.loads((place / DICTIONARY).read_text(encoding="utf-8-sig"))
    return {name: said for name, said in told.items() if name != "source"}


def compare_cohorts(old: Cohort, new: Cohort) -> Differences:
    """What is another in one cohort than in an earlier one."""
    found = _found_again(old, new)
    shared = [name for name in new.frame.columns if name in old.frame.columns]
    kinds = {name: (_kind(old, name), _kind(new, name)) for name in shared}
    return Differences(
        len(old), len(new),
        None if found is None else int((found < 0).sum()),
        None if found is None else len(old) - int((found >= 0).sum()),
        tuple(_label(new, name) for name in new.frame.columns if name not in old.frame.columns),
        tuple(_label(old, name) for name in old.frame.columns if name not in new.frame.columns),
        tuple((_label(new, name), *both) for name, both in kinds.items() if both[0] != both[1]),
        () if found is None else _cells(old, new, found, [name for name, both in kinds.items() if both[0] == both[1]]),
        _outcomes(old, new, None if found is None else _undone(old, new, found)),
        _visits(old), _visits(new), old.fingerprint == new.fingerprint,
        tuple(_levels(old, new, [name for name, both in kinds.items() if both[0] == both[1]])),
    )  # fmt: skip


def _found_again(old: Cohort, new: Cohort) -> np.ndarray | None:
    """The old row of each new patient, -1 for one who was not there; None without identifiers."""
    if old.identifier is None or new.identifier is None:
        return None
    return pd.Index(old.identifiers).get_indexer(new.identifiers)


def _cells(old: Cohort, new: Cohort, found: np.ndarray, names: list[str]) -> tuple[tuple[str, int], ...]:
    here = np.flatnonzero(found >= 0)
    there = found[here]
    counted = [
        (_label(new, name), int(_differ(old.frame[name].iloc[there], new.frame[name].iloc[here]).sum()))
        for name in names
        if name not in (old.identifier, new.identifier)
    ]
    return tuple(sorted((each for each in counted if each[1]), key=lambda each: (-each[1], each[0])))


def _differ(before: pd.Series, after: pd.Series) -> np.ndarray:
    """Where two columns hold something else, row by row; two gaps are alike."""
    if before.dtype.kind == "f" and after.dtype.kind == "f":
        a, b = before.to_numpy(), after.to_numpy()
        return ~((a == b) | (np.isnan(a) & np.isnan(b)))
    a, b = _numbered(before, after)
    return a != b


def _numbered(before: pd.Series, after: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Both as numbers of one list of texts, -1 where nothing was recorded."""
    both = []
    for column in (before, after):
        if isinstance(column.dtype, pd.CategoricalDtype):
            both.append((np.array(column.cat.categories.astype(str), dtype=object), column.cat.codes.to_numpy()))
        else:
            codes, texts = pd.factorize(column.astype(str).where(column.notna()))
            both.append((np.asarray(texts, dtype=object), codes))
    place = {text: i for i, text in enumerate(dict.fromkeys([*both[0][0], *both[1][0]]))}
    tables = [np.array([*(place[text] for text in texts), -1], dtype=np.int64) for texts, _ in both]
    return tables[0][both[0][1]], tables[1][both[1][1]]


def _levels(old: Cohort, new: Cohort, names: list[str]) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Variables with other levels than before."""
    for name in names:
        if old.has(name) and new.has(name):
            before, after = ({level.code: level.label for level in of.variable(name).levels} for of in (old, new))
            came, went = (
                tuple(label for code, label in one.items() if code not in other)
                for one, other in ((after, before), (before, after))
            )
            if came or went:
                yield _label(new, name), came, went


def _causes(cohort: Cohort, key: str) -> dict[str, tuple[str, ...]]:
    """Codes of each kind of event of an outcome; its own under no name, as it may be called otherwise later."""
    outcome = next((each for each in cohort.outcomes if each.key == key), None)
    return {} if outcome is None else {"": outcome.event, **outcome.competing}


def _in_both(old: Cohort, new: Cohort) -> list[Cause]:
    """Each kind of event that both versions know."""
    shared = [outcome.key for outcome in old.outcomes if outcome.key in {each.key for each in new.outcomes}]
    return [
        Cause(key, name, old.outcome(key).status, codes, new.outcome(key).status, new.outcome(key).any_event)
        for key in shared for name, codes in _causes(old, key).items() if name in _causes(new, key)
    ]  # fmt: skip


def _undone(old: Cohort, new: Cohort, found: np.ndarray) -> list[int]:
    """Of patients in both, how many had each kind of event and now have none."""
    here = np.flatnonzero(found >= 0)
    return [
        int((old.frame[each.status].iloc[found[here]].isin(each.codes).to_numpy(dtype=bool)
             & ~new.frame[each.later].iloc[here].isin(each.any_event).to_numpy(dtype=bool)).sum())
        for each in _in_both(old, new)
    ]  # fmt: skip


def _outcomes(old: Cohort, new: Cohort, undone: Sequence[int] | None) -> tuple[OutcomeChange, ...]:
    gone = {} if undone is None else dict(zip(((c.key, c.name) for c in _in_both(old, new)), undone, strict=True))
    changes = []
    for outcome in {each.key: each for each in (*old.outcomes, *new.outcomes)}.values():
        before, after = (_events(cohort, outcome.key) for cohort in (old, new))
        own = outcome.cause_labels[0]
        for name in {**before, **after}:
            label = f"{name} (instead of “{own}”)" if name else own
            dead = (not name and outcome.concept == DEATH) or _DEATH.match(label) is not None
            changes.append(OutcomeChange(outcome.key, label, before.get(name), after.get(name),
                                         gone.get((outcome.key, name)), dead))  # fmt: skip
    return tuple(changes)


def _events(cohort: Cohort, key: str) -> dict[str, int]:
    """How often each kind of event of an outcome was seen."""
    causes = _causes(cohort, key)
    if not causes:
        return {}
    outcome = cohort.outcome(key)
    if isinstance(cohort, LiveCohort):
        counted = cohort.engine.counts((Level(outcome.status, outcome.codes),))
        of = {code: 0 for code in counted.labels[0]}
        for place, n in zip(counted.columns[0].tolist(), counted.n.tolist(), strict=True):
            if place >= 0:
                of[counted.labels[0][place]] += n
    else:
        of = cohort.frame[outcome.status].value_counts().to_dict()
    return {name: int(sum(of.get(code, 0) for code in codes)) for name, codes in causes.items()}


def _visits(cohort: Cohort) -> int:
    return 0 if cohort.visits is None else len(cohort.visits.frame)


def _kind(cohort: Cohort, name: str) -> str:
    """What a column is; times and statuses by how they lie in the table."""
    if cohort.has(name):
        return cohort.variable(name).kind
    if isinstance(cohort, LiveCohort):
        return "categorical" if name in {outcome.status for outcome in cohort.outcomes} else "continuous"
    return "categorical" if isinstance(cohort.frame[name].dtype, pd.CategoricalDtype) else "continuous"


def _label(cohort: Cohort, name: str) -> str:
    return cohort.variable(name).label if cohort.has(name) else name
