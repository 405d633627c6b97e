"""From a clinical record to a cohort: time zero, end of follow-up, what was known before, what was measured after."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd

from bedside.errors import Fixable
from bedside.intake.standards import fhir_columns
from bedside.intake.standards.describe import SOURCE, key_of, short
from bedside.intake.standards.fhir_source import Source
from bedside.intake.standards.fhir_time import DAY, EPOCH, MONTH, NO_DAY, YEAR
from bedside.intake.standards.folder import Made, Written
from bedside.intake.standards.mcode import add_cancer

ID, DAYS, STATUS = "patient", "days", "status"
DEAD, ALIVE = "dead", "alive"
UNDATED = "dead, and nobody wrote down when"


@dataclass(frozen=True)
class Start:
    """Whom a cohort follows, and from when.

    Attributes
    ----------
    start : {"condition", "event", "contact", "birth"}
        The first condition, or the first entry of any kind, with one of ``codes``; the first contact; or birth.
    codes : tuple of str
        ``"SNOMED 53741008"``; several where one disease has several.
    undated_deaths : {"leave out", "last contact"}
        What to do with who is dead without a date: known to be dead, they are never alive at the end.
    most_columns : int
        Of each kind, those recorded of most patients first.
    cancer : bool
        With stage, performance status, genes and progression, as mCODE records them.
    title : str
    """

    start: Literal["condition", "event", "contact", "birth"] = "condition"
    codes: tuple[str, ...] = ()
    undated_deaths: Literal["leave out", "last contact"] = "leave out"
    most_columns: int = 60
    cancer: bool = False
    title: str = ""


@dataclass(eq=False)
class Followed:
    """Who is followed, in the order of the record.

    Attributes
    ----------
    who : array of int
        Places in ``source.people``.
    zero, end : array of int
        Days since 1970-01-01.
    died : array of bool
    left_out : list of (reason, n)
    place : array of int
        For each patient of the record the place in ``who``; -1 for the others.
    notes : list of str
    """

    who: np.ndarray
    zero: np.ndarray
    end: np.ndarray
    died: np.ndarray
    left_out: list[tuple[str, int]] = field(default_factory=list)
    place: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.who)


# ------------------------------------------------------------------ time zero and end


def followed(source: Source, plan: Start) -> Followed:
    """Time zero and end of follow-up of everybody who has both."""
    people = source.people
    zero, exactly = _zero(source, plan)
    dated = people["death"].to_numpy() != NO_DAY
    dead, last = people["dead"].to_numpy(bool), people["last"].to_numpy()
    end = np.where(dated, _death(people), last)
    zero = _within(zero, exactly, end)
    undated = dead & ~dated
    missing = {"condition": "never had it", "event": "never had it", "birth": "no date of birth"}
    out: list[tuple[str, np.ndarray]] = [
        (missing.get(plan.start, "nobody ever saw them"), zero == NO_DAY),
        (UNDATED, undated & (plan.undated_deaths == "leave out")),
        ("no contact", end == NO_DAY),
        ("dead before time zero", dated & (end < zero)),
        ("no contact after time zero", end < zero),
    ]
    keep = np.ones(len(source), dtype=bool)
    left_out = []
    for reason, gone in out:
        if n := int((keep & gone).sum()):
            left_out.append((reason, n))
        keep &= ~gone
    who = np.flatnonzero(keep)
    place = np.full(len(source), -1, dtype=np.int64)
    place[who] = np.arange(len(who))
    found = Followed(who, zero[who], end[who], dead[who], left_out, place)
    found.notes += _remarks(source, plan, found, exactly[who])
    return found


def _zero(source: Source, plan: Start) -> tuple[np.ndarray, np.ndarray]:
    people = source.people
    day = np.full(len(people), NO_DAY, dtype=np.int64)
    exactly = np.zeros(len(people), dtype=np.int64)
    if plan.start == "contact":
        return people["first"].to_numpy(np.int64), exactly
    if plan.start == "birth":
        return people["birth"].to_numpy(np.int64), people["birth_exactly"].to_numpy(np.int64)
    rows = index_rows(source, plan).sort_values("day", kind="stable").drop_duplicates("patient")
    day[rows["patient"]] = rows["day"]
    exactly[rows["patient"]] = rows["exactly"]
    return day, exactly


def index_rows(source: Source, plan: Start) -> pd.DataFrame:
    """Conditions, or entries of any kind, that time zero is taken from."""
    chosen = [i for i, code in enumerate(source.codes) if code.key in set(plan.codes)]
    kinds = [source.conditions]
    if plan.start == "event":
        kinds += [source.procedures, source.medications, source.observations]
    names = ["patient", "day", "known", "exactly"]
    return pd.concat([each.loc[each["code"].isin(chosen), names] for each in kinds], ignore_index=True)


def _death(people: pd.DataFrame) -> np.ndarray:
    """Day of death; of a month or a year not before the last contact in it."""
    death, exactly = people["death"].to_numpy(np.int64), people["death_exactly"].to_numpy()
    last = people["last"].to_numpy()
    close = np.array([last_day(d, e) if e != DAY and d != NO_DAY else d for d, e in zip(death, exactly, strict=True)])
    return np.where((last > death) & (last <= close), last, death) if len(death) else death


def _within(zero: np.ndarray, exactly: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A time zero known to the month or year does not lie behind an end within that month or year."""
    rough = np.flatnonzero((exactly != DAY) & (zero != NO_DAY) & (end < zero))
    zero = zero.copy()
    for i in rough:
        if exactly[i] in (MONTH, YEAR) and end[i] >= first_day(int(zero[i]), int(exactly[i])):
            zero[i] = end[i]
    return zero


def last_day(day: int, exactly: int) -> int:
    """The last day of the month, or year, that a day stands for."""
    one = date.fromordinal(int(day) + EPOCH)
    month = one.month if exactly == MONTH else 12
    return date(one.year, month, calendar.monthrange(one.year, month)[1]).toordinal() - EPOCH


def first_day(day: int, exactly: int) -> int:
    """The first day of the month, or year, that a day stands for."""
    one = date.fromordinal(int(day) + EPOCH)
    return date(one.year, one.month if exactly == MONTH else 1, 1).toordinal() - EPOCH


def _remarks(source: Source, plan: Start, found: Followed, exactly: np.ndarray) -> list[str]:
    told = []
    if n := int((exactly != DAY).sum()):
        told.append(f"Time zero of {n} of {len(found)} patients is known to the month or year only, or from an age.")
    if plan.start in ("condition", "event") and len(found):
        rows = index_rows(source, plan)
        rows = rows[rows["known"] != NO_DAY].sort_values("day", kind="stable").drop_duplicates("patient")
        own = rows[found.place[rows["patient"]] >= 0]
        if n := int((own["known"] - own["day"] > 30).sum()):
            told.append(
                f"In {n} patients the diagnosis was written down more than 30 days after time zero: they could not "
                "die before it was, and so early risk is told too low."
            )
    return told


# ------------------------------------------------------------------ the cohort


def cohort_of(source: Source, plan: Start, *, origin: str, kind: str, taken: Sequence[str] = ()) -> Made:
    """One cohort of a record.

    Parameters
    ----------
    source : Source
    plan : Start
    origin : str
        What was read, for the dictionary.
    kind : str
        ``"FHIR"`` or ``"MEDS"``.
    taken : sequence of str
        Folder names that are given away.

    Raises
    ------
    Fixable
        If nobody can be followed.
    """
    found = followed(source, plan)
    said = ", ".join(f"{n} {reason}" for reason, n in found.left_out)
    if not len(found):
        raise Fixable(
            "No cohort was made.", f"Nobody can be followed from this time zero: {said or 'there are no patients'}.",
            "Choose another time zero.",
        )  # fmt: skip
    columns = fhir_columns.Columns(len(found))
    columns.put(ID, source.people["id"].to_numpy()[found.who], {"kind": "identifier"})
    fhir_columns.of_person(columns, source, found, with_age=plan.start != "birth")
    outcomes = [_outcome(columns, found, plan, source)]
    if plan.cancer:
        outcomes += add_cancer(columns, source, found)
    fhir_columns.of_record(columns, source, found, own=set(plan.codes), most=plan.most_columns)
    visits, declared = fhir_columns.visits_of(source, found, most=plan.most_columns)
    title = plan.title or title_of(source, plan)
    dictionary: dict[str, Any] = {
        "title": title, "short_title": short(title),
        "summary": f"Patients of a {kind} record, followed from {since(source, plan)} to death or last contact.",
        "identifier": ID, "variables": columns.entries, "outcomes": outcomes,
        "source": {**SOURCE, "origin": origin[:200], "note": " ".join(found.notes)[:2000]},
    }  # fmt: skip
    if declared:
        dictionary["visits"] = {"file": "visits.parquet", "patient": ID, "time": "day", "unit": "days",
                                "variables": declared}  # fmt: skip
    name = key_of(title, taken)
    written = {"death": _written(found, source, kind)}
    return Made(name, columns.table(), dictionary, visits if declared else None, tuple(found.left_out), written)


def _written(found: Followed, source: Source, kind: str) -> Written:
    """What a record says of each patient's death."""
    what = "MEDS_DEATH" if kind == "MEDS" else "deceased[x]"
    dated = source.people["death"].to_numpy()[found.who] != NO_DAY
    said = np.where(found.died, "no date, taken as of the last contact", "none, followed to the last contact")
    return what, np.where(found.died & dated, "a date", said).tolist()


def _outcome(columns: fhir_columns.Columns, found: Followed, plan: Start, source: Source) -> dict[str, Any]:
    columns.put(DAYS, (found.end - found.zero).astype(np.int64), None)
    columns.put(STATUS, np.where(found.died, DEAD, ALIVE), None)
    return {
        "key": "death", "label": "Death", "time": DAYS, "unit": "days", "status": STATUS, "censored": [ALIVE],
        "event": [DEAD], "event_phrase": "die", "free_phrase": "alive", "concept": "death",
        "since": since(source, plan),
        "note": "Death as the record has it; who is not known to be dead is followed to the last contact.",
    }  # fmt: skip


def _index(source: Source, plan: Start) -> str:
    names = [code.label for code in source.codes if code.key in set(plan.codes)]
    return "primary cancer" if plan.cancer and len(names) > 1 else (names[0] if names else "")


def title_of(source: Source, plan: Start) -> str:
    """A title from what time zero is."""
    titles = {"contact": "All patients from their first contact", "birth": "All patients from birth"}
    name = _index(source, plan)
    after = "first diagnosis" if plan.start == "condition" else "first entry"
    return titles.get(plan.start) or f"{name[:1].upper()}{name[1:]}, from {after}"


def since(source: Source, plan: Start) -> str:
    """Time zero in a few words."""
    words = {"contact": "the first contact", "birth": "birth"}
    if plan.start in words:
        return words[plan.start]
    name = _index(source, plan)
    plain = name[:1].lower() + name[1:] if name[1:2].islower() else name
    return f"the first {'diagnosis' if plan.start == 'condition' else 'entry'} of {plain}"
