"""Patients and what happened to them as tables of days: what every cohort of a clinical record is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bedside.intake.columns import MISSING, clean_name
from bedside.intake.standards.fhir_read import CONDITION, ENCOUNTER, MEDICATION, OBSERVATION, PROCEDURE, Reader
from bedside.intake.standards.fhir_refs import NOBODY
from bedside.intake.standards.fhir_rows import LOINC, NO_VALUE, Code, plain_id
from bedside.intake.standards.fhir_time import AGE, DAY, NO_DAY
from bedside.intake.standards.fhir_units import conversion, tidy

_SAID = {"mm[Hg]": "mmHg", "Cel": "°C", "[degF]": "°F", "[lb_av]": "lb", "[in_i]": "in", "10*3/uL": "10^9/L",
         "10*6/uL": "10^12/L", "m[Hg]": "mHg"}  # fmt: skip


@dataclass(eq=False)
class Source:
    """A clinical record, read.

    Attributes
    ----------
    people : pandas.DataFrame
        ``id``, ``sex``, ``dead``; ``birth``, ``death``, ``first`` and ``last`` contact as days since 1970-01-01, and
        how exactly they are known (``birth_exactly``, ``death_exactly``).
    conditions, medications, procedures : pandas.DataFrame
        ``patient`` (place in ``people``), ``code``, ``day``, ``known`` (written down), ``exactly``, ``tag``.
    observations : pandas.DataFrame
        Also ``value`` or ``text`` (number of a code), ``resource``; values of one code are in one unit.
    codes : list of Code
    units : dict
        Unit of each observed code, as it is shown.
    faults : list of (what, n)
    notes : list of str
    had : tuple of (kind, table, days)
        What becomes columns of no and yes: how it is called, where it stands, and how many days before time zero it
        must have been at the latest.
    """

    people: pd.DataFrame
    conditions: pd.DataFrame
    medications: pd.DataFrame
    procedures: pd.DataFrame
    observations: pd.DataFrame
    codes: list[Code]
    units: dict[int, str] = field(default_factory=dict)
    faults: list[tuple[str, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    had: tuple[tuple[str, str, int], ...] = (
        ("Condition", "conditions", 0), ("Medicine", "medications", 1), ("Procedure", "procedures", 1),
    )  # fmt: skip

    def __len__(self) -> int:
        return len(self.people)


def source_of(reader: Reader) -> Source:
    """Everything that was read, by patient; what belongs to nobody is counted in its file."""
    people, place = reader.references.resolved()
    known = {one.key for one in people}
    for key, one in reader.references.people.items():
        if key not in known:
            reader.tallies[one.file].drop("Patient: the same person under another id")
    told = pd.DataFrame(
        {
            "id": _told_apart(plain_id(one.key for one in people), [one.key for one in people]),
            "sex": [one.sex for one in people],
            **{
                name: np.array([getattr(one, name) for one in people], dtype=np.int64)
                for name in ("birth", "birth_exactly", "death", "death_exactly")
            },
            "dead": np.array([one.dead for one in people], dtype=bool),
        }
    )
    tables = {kind: _resolved(reader, kind, place, told) for kind in reader.rows}
    source = Source(
        told, tables[CONDITION], tables[MEDICATION], tables[PROCEDURE], tables[OBSERVATION], reader.codes.all
    )
    _contacts(source, tables[ENCOUNTER])  # a value in a unit that is lost was a contact all the same
    _one_unit(reader, source)
    _remarks(source, tables)
    return source


def _told_apart(ids: list[str], keys: list[str]) -> list[str]:
    """Ids; where two servers use one, with the server's address, and none that reads as "not recorded"."""
    ids = [f"id {name}" if (name := clean_name(each)) in MISSING else name for each in ids]
    counts = pd.Series(ids).value_counts() if ids else {}
    return [name if counts[name] == 1 else key for name, key in zip(ids, keys, strict=True)]


# ------------------------------------------------------------------ whose, and when


def _resolved(reader: Reader, kind: str, place: np.ndarray, people: pd.DataFrame) -> pd.DataFrame:
    """Rows of a kind with their patient, in the order in which they were read."""
    rows = reader.rows[kind].frame()
    rows = _keep(reader, kind, rows, rows["live"].to_numpy(bool), "an older version")
    rows["patient"] = place[rows["ref"].to_numpy()]
    rows = _keep(reader, kind, rows, rows["patient"].to_numpy() != NOBODY, "the patient is not among these files")
    if kind == MEDICATION and (rows["code"] < NO_VALUE).any():
        drugs = np.array([reader.drugs.get(key, NO_VALUE) for key in reader.drug_references], dtype=np.int32)
        code = rows["code"].to_numpy()
        rows["code"] = np.where(code < NO_VALUE, drugs[np.maximum(-2 - code, 0)], code)
        rows = _keep(reader, kind, rows, rows["code"].to_numpy() != NO_VALUE, "the medicine is not among these files")
    aged = rows["exactly"].to_numpy() == AGE
    if aged.any():
        birth = people["birth"].to_numpy()[rows["patient"]]
        unborn, known = aged & (birth == NO_DAY), rows["known"].to_numpy(np.int64)
        rows["day"] = np.where(aged, np.where(unborn, known, birth + rows["day"].to_numpy()), rows["day"].to_numpy())
        rows["exactly"] = np.where(unborn, DAY, rows["exactly"].to_numpy())  # when it was written down has to do
        rows = _keep(reader, kind, rows, ~unborn | (known != NO_DAY), "an age, and no date of birth")
    return rows.drop(columns=["live", "ref"])


def _keep(reader: Reader, kind: str, rows: pd.DataFrame, keep: np.ndarray, reason: str) -> pd.DataFrame:
    """Rows that are kept; resources of which no row is left are counted in their files."""
    if keep.all():
        return rows
    kept = rows[keep].reset_index(drop=True)
    lost = rows[~rows["resource"].isin(kept["resource"])].drop_duplicates("resource")
    for file, n in lost["file"].value_counts().items():
        reader.tallies[int(file)].drop(f"{kind}: {reason}", int(n))
    return kept


# ------------------------------------------------------------------ units


def _one_unit(reader: Reader, source: Source) -> None:
    """Bring the numbers of each code into the unit that most of them have."""
    rows = source.observations
    number = rows["text"].to_numpy() == NO_VALUE
    if not number.any():
        return
    spelled = np.array([*(tidy(unit) for unit in reader.units.all), ""], dtype=object)
    pairs = rows[number].groupby(["code", "unit"]).size().reset_index(name="n")
    pairs["same"] = spelled[pairs["unit"].to_numpy()]
    factor, shift = np.ones(len(rows)), np.zeros(len(rows))
    fits = np.ones(len(rows), dtype=bool)
    key = _pair(rows["code"], rows["unit"])
    changed = lost = 0
    for code, own in pairs.groupby("code"):
        most = own.groupby("same", sort=True)["n"].sum().idxmax()
        shown = own[own["same"] == most].sort_values("n", ascending=False)["unit"].iloc[0]
        source.units[int(code)] = _shown(reader.units.all[shown])
        for unit, n, same in zip(own["unit"], own["n"], own["same"], strict=True):
            if same == most:
                continue
            loinc = source.codes[int(code)].code if source.codes[int(code)].system == LOINC else ""
            found = conversion(reader.units.all[unit], reader.units.all[shown], loinc)
            where = number & (key == _pair(code, unit))
            if found is None:
                fits[where] = False
                lost += n
            else:
                factor[where], shift[where] = found
                changed += n
    rows["value"] = rows["value"].to_numpy() * factor + shift
    source.observations = _keep(
        reader, OBSERVATION, rows, fits, "its unit can't be converted to that of the others of this code"
    )
    source.faults += [(what, int(n)) for what, n in (
        ("values converted to the unit that most of their code have", changed),
        ("values in a unit that can't be converted, left out", lost)) if n]  # fmt: skip


def _pair(code: pd.Series | int, unit: pd.Series | int) -> np.ndarray:
    return np.asarray(code, dtype=np.int64) * 2**31 + np.asarray(unit, dtype=np.int64)


def _shown(unit: str) -> str:
    return _SAID.get(unit, "" if not tidy(unit) else _SAID.get(tidy(unit), unit if "{" not in unit else tidy(unit)))


# ------------------------------------------------------------------ contact


def _contacts(source: Source, encounters: pd.DataFrame) -> None:
    """First and last day on which anybody saw a patient."""
    parts = [(each["patient"], each["day"]) for each in
             (encounters, source.observations, source.procedures, source.medications)]  # fmt: skip
    parts += [(each["patient"], each["known"]) for each in (encounters, source.conditions)]
    set_contacts(source, parts)


def set_contacts(source: Source, parts: Sequence[tuple[pd.Series, pd.Series]]) -> None:
    """First and last contact from pairs of patients and days; `NO_DAY` where there is none."""
    patient = np.concatenate([np.asarray(who, dtype=np.int64) for who, _ in parts])
    day = np.concatenate([np.asarray(when, dtype=np.int64) for _, when in parts])
    patient, day = patient[day != NO_DAY], day[day != NO_DAY]
    last = np.full(len(source), NO_DAY, dtype=np.int64)
    first = np.full(len(source), 2**31, dtype=np.int64)
    np.maximum.at(last, patient, day)
    np.minimum.at(first, patient, day)
    source.people["first"] = np.where(last == NO_DAY, NO_DAY, first)
    source.people["last"] = last


def _remarks(source: Source, tables: dict[str, pd.DataFrame]) -> None:
    people = source.people
    rough = sum(int((each["exactly"] > 0).sum()) for each in tables.values())
    dated = (people["death"] != NO_DAY).to_numpy()
    seen_after = int((dated & (people["last"] > people["death"])).sum())
    bounds = int((source.observations["tag"] == 1).sum())
    source.faults += [(what, n) for what, n in (
        ("dates known to the month or year only, or from an age", rough),
        ("values that are bounds, such as below 5, taken as the bound", bounds),
        ("patients with entries dated after their death", seen_after),
        ("patients who are dead without a date", int((people["dead"] & ~dated).sum())),
        ("patients without a date of birth", int((people["birth"] == NO_DAY).sum())),
    ) if n]  # fmt: skip
