"""Follow-up of clinical records once more from the files themselves, by plain loops that share nothing with the import.

Each function gives a row for each patient of one cohort: ``days`` from time zero and whether the patient ``died``. They
follow what docs/importing.md says, are written for being read rather than for speed, and hold everything in memory.
"""

from __future__ import annotations

import gzip
import json
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pyarrow.parquet as pq

GONE = {"entered-in-error", "cancelled", "not-done", "not-taken", "draft", "planned", "preparation", "registered",
        "refuted", "unconfirmed", "provisional", "differential", "specimen-in-process"}  # fmt: skip
NO_DATES = {date(1900, 1, 1), date(1901, 1, 1), date(9999, 12, 31), date(1899, 12, 31), date(1899, 12, 30)}
SHORT = {"http://snomed.info/sct": "SNOMED", "http://loinc.org": "LOINC",
         "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM", "http://hl7.org/fhir/sid/icd-10": "ICD-10",
         "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm"}  # fmt: skip

Interval = tuple[date, date]
"""The first and last day that a date which was written down may mean."""


# ------------------------------------------------------------------ FHIR


class Record:
    """The resources of a folder by patient."""

    def __init__(self, files: Iterable[Path], time_zone: str) -> None:
        self.zone = ZoneInfo(time_zone)
        newest: dict[tuple[str, str], tuple[str, int, dict[str, Any]]] = {}
        urls: dict[str, str] = {}
        for n, (url, told) in enumerate(each for file in files for each in _resources(file)):
            name = told.get("id") or url.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
            server = url.rsplit("/", 2)[0] if url.startswith("http") else ""
            key = (told["resourceType"], f"{server}|{name}" if name else f"nameless {n}")
            changed = str((told.get("meta") or {}).get("lastUpdated", ""))
            if key not in newest or changed > newest[key][0]:
                newest[key] = (changed, n, told)
            if told["resourceType"] == "Patient":
                urls[url] = name
        self.patients = {key[1].split("|", 1)[1]: told for key, (_, _, told) in newest.items() if key[0] == "Patient"}
        self._urls = urls
        self.of: dict[str, list[dict[str, Any]]] = {name: [] for name in self.patients}
        for _, _, told in newest.values():
            who = self._who(told)
            if who in self.of:
                self.of[who].append(told)

    def _who(self, told: Mapping[str, Any]) -> str | None:
        reference = (told.get("subject") or told.get("patient") or {}).get("reference", "")
        reference = reference.split("/_history/")[0]
        if reference in self._urls:
            return self._urls[reference]
        if reference.startswith("urn:"):
            return reference.rsplit(":", 1)[-1]
        return reference.rsplit("/", 1)[-1] if "Patient/" in reference else None

    def day(self, text: object) -> tuple[date, Interval] | None:
        """The day that a text stands for, and the days that it may mean."""
        if not isinstance(text, str):
            return None
        try:
            parts = [int(part) for part in text[:10].split("-")]
            if len(parts) == 1:
                found, may = date(parts[0], 7, 1), (date(parts[0], 1, 1), date(parts[0], 12, 31))
            elif len(parts) == 2:
                found = date(parts[0], parts[1], 15)
                may = found.replace(day=1), found.replace(day=monthrange(*parts)[1])
            else:
                found = date(*parts)
                moment = datetime.fromisoformat(text) if "T" in text else None
                if moment is not None and moment.tzinfo is not None:
                    found = moment.astimezone(self.zone).date()
                may = found, found
        except ValueError:
            return None
        return None if found in NO_DATES or not 1850 < found.year < 2150 else (found, may)


def _resources(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    packed = path.read_bytes()[:2] == b"\x1f\x8b"
    text = (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).decode("utf-8-sig")
    try:
        told = json.loads(text)
    except ValueError:
        told = [json.loads(line) for line in text.splitlines() if line.strip()]
    for each in told if isinstance(told, list) else [told]:
        yield from _inner("", each)


def _inner(url: str, told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if told["resourceType"] != "Bundle":
        yield url, told
        return
    for entry in told.get("entry", ()):
        if "resource" in entry:
            yield from _inner(entry.get("fullUrl", ""), entry["resource"])


def fhir(files: Iterable[Path], start: str, codes: Iterable[str], *, time_zone: str = "UTC",
         undated: str = "leave out") -> pd.DataFrame:  # fmt: skip
    """Follow-up of the patients of FHIR files.

    Parameters
    ----------
    files : iterable of Path
    start : {"condition", "contact", "birth"}
    codes : iterable of str
        ``"SNOMED 53741008"``.
    time_zone : str
    undated : {"leave out", "last contact"}
        What becomes of who is dead without a date.
    """
    record = Record(files, time_zone)
    rows = {}
    for name, patient in record.patients.items():
        seen = [day for told in record.of[name] for day in _contacts(record, told)]
        zero = _zero(record, name, patient, start, set(codes), seen)
        died = record.day(patient.get("deceasedDateTime"))
        dead = patient.get("deceasedBoolean") is True or "deceasedDateTime" in patient
        if zero is None or (dead and died is None and undated == "leave out") or (died is None and not seen):
            continue
        if died is None:
            end = max(seen)
        else:  # of a month or year not before the last contact in it
            end = max([died[0], *(day for day in seen if died[1][0] <= day <= died[1][1] and max(seen) == day)])
        first = end if zero[0] > end >= zero[1][0] else zero[0]
        if end >= first:
            rows[name] = ((end - first).days, dead)
    return _frame(rows)


def _contacts(record: Record, told: Mapping[str, Any]) -> list[date]:
    kind = told["resourceType"]
    status = told.get("status")
    if kind == "Condition":
        coded = (told.get("verificationStatus") or {}).get("coding", ())
        ok = not any(each.get("code") in GONE for each in coded) and _codes(told.get("code"))
        own = [told.get("recordedDate")] if ok else []
    elif status in GONE:
        own = []
    elif kind == "Encounter":
        period = told.get("period") or told.get("actualPeriod") or {}
        own = [period.get("start"), period.get("end")]
    elif kind == "Observation":
        own = [_first(told, "effective") or told.get("issued")] if _is_valued(told) else []
    elif kind == "Procedure":
        own = [_first(told, "performed", "occurrence")] if _codes(told.get("code")) else []
    elif kind.startswith("Medication") and kind != "Medication":
        wrong = told.get("intent") in ("proposal", "plan") or told.get("doNotPerform") is True
        dates = [_first(told, "effective", "occurence"), *(told.get(each) for each in (
            "authoredOn", "whenHandedOver", "whenPrepared", "dateAsserted"))]  # fmt: skip
        own = [] if wrong else [each for each in dates if record.day(each)][:1]
    else:
        own = []
    found = [record.day(each) for each in own]
    return [each[0] for each in found if each is not None]


def _first(told: Mapping[str, Any], *stems: str) -> Any:
    for stem in stems:
        period = told.get(f"{stem}Period") or {}
        for each in (told.get(f"{stem}DateTime"), period.get("start"), period.get("end"), told.get(f"{stem}Instant")):
            if each:
                return each
    return None


def _is_valued(told: Mapping[str, Any]) -> bool:
    for part in (told, *told.get("component", ())):
        number = (part.get("valueQuantity") or {}).get("value", part.get("valueInteger"))
        valued = isinstance(number, int | float) or _codes(part.get("valueCodeableConcept"))
        if (valued or isinstance(part.get("valueBoolean"), bool)) and _codes(part.get("code")):
            return True
    return False


def _codes(concept: Mapping[str, Any] | None) -> list[str]:
    return [f"{SHORT.get(each.get('system', ''), each.get('system', ''))} {each['code']}"
            for each in (concept or {}).get("coding", ()) if each.get("code")]  # fmt: skip


def _zero(record: Record, name: str, patient: Mapping[str, Any], start: str, codes: set[str], seen: list[date],
          ) -> tuple[date, Interval] | None:  # fmt: skip
    if start == "birth":
        return record.day(patient.get("birthDate"))
    if start == "contact":
        return (min(seen), (min(seen), min(seen))) if seen else None
    found = []
    for told in record.of[name]:
        wrong = any(each.get("code") in GONE for each in (told.get("verificationStatus") or {}).get("coding", ()))
        if told["resourceType"] == "Condition" and not wrong and codes & set(_codes(told.get("code"))):
            day = record.day(_first(told, "onset")) or _at_age(record, patient, told) or record.day(
                told.get("recordedDate"))  # fmt: skip
            found += [day] if day else []
    return min(found, key=lambda each: each[0]) if found else None


def _at_age(record: Record, patient: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[date, Interval] | None:
    born, age = record.day(patient.get("birthDate")), (told.get("onsetAge") or {}).get("value")
    if born is None or age is None:
        return None
    when = born[0] + timedelta(days=round(age * 365.25))
    return when, (when, when)


# ------------------------------------------------------------------ MEDS


def meds(files: Iterable[Path], codes: Iterable[str], *, undated: str = "leave out") -> pd.DataFrame:
    """Follow-up of the subjects of MEDS tables, from the first event of a code; from the first event if there is none.

    Parameters
    ----------
    files : iterable of Path
        The tables of events.
    codes : iterable of str
    undated : {"leave out", "last contact"}
    """
    table = pd.concat([pq.read_table(path, columns=["subject_id", "time", "code"]).to_pandas() for path in files])
    table = table.dropna(subset=["subject_id", "code"])
    wanted, rows = set(codes), {}
    for who, own in table.groupby("subject_id"):
        part = own["code"].str.split("//").str[0]
        still = part.isin(["MEDS_BIRTH", "MEDS_DEATH"])
        still |= own["code"].str.lower().str.match(r"(gender|sex)//(f|m|female|male)(//.*)?$")
        seen = own.loc[~still].dropna(subset=["time"])
        starts = seen[seen["code"].isin(wanted)] if wanted else seen
        deaths = own[part == "MEDS_DEATH"]
        died = deaths["time"].dropna().min()
        if starts.empty or (len(deaths) and pd.isna(died) and undated == "leave out"):
            continue
        end = (seen["time"].max() if pd.isna(died) else died).date()
        first = starts["time"].min().date()
        if end >= first:
            rows[str(who)] = ((end - first).days, len(deaths) > 0)
    return _frame(rows)


# ------------------------------------------------------------------ OMOP


def omop_tables(files: Mapping[str, Path]) -> dict[str, pd.DataFrame]:
    """Tables by name, from CSV, Parquet or one DuckDB file (under ``"database"``); names of columns in lower case."""
    found: dict[str, pd.DataFrame] = {}
    for name, path in files.items():
        if name == "database":
            with duckdb.connect(str(path), read_only=True) as connection:
                for schema, table in connection.sql(
                    "SELECT schema_name, table_name FROM duckdb_tables() UNION ALL "
                    "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal"
                ).fetchall():
                    found[table.lower()] = connection.table(f'"{schema}"."{table}"').df()
        elif path.read_bytes()[:4] == b"PAR1":
            found[name] = pd.read_parquet(path)
        else:
            found[name] = pd.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
    for frame in found.values():
        frame.columns = [str(column).lower() for column in frame.columns]
    return found


def omop(tables: Mapping[str, pd.DataFrame], *, cohort: int | None = None, concept: int | None = None,
         deaths_after: bool = False) -> pd.DataFrame:  # fmt: skip
    """Follow-up of the persons of a cohort, or from the first record of a condition and those below it.

    Parameters
    ----------
    tables : mapping
        From `omop_tables`.
    cohort, concept : int
        One of them.
    deaths_after : bool
        Count deaths after the end of observation.
    """
    if cohort is not None:
        told = tables["cohort"]
        told = told[_whole(told["cohort_definition_id"]) == cohort]
        entries = zip(_whole(told["subject_id"]), _days(told["cohort_start_date"]), strict=True)
    else:
        told, wanted = tables["condition_occurrence"], {concept}
        if "concept_ancestor" in tables:
            below = tables["concept_ancestor"]
            wanted |= set(_whole(below.loc[_whole(below["ancestor_concept_id"]) == concept, "descendant_concept_id"]))
        told = told[_whole(told["condition_concept_id"]).isin(wanted)]
        entries = zip(_whole(told["person_id"]), _days(told["condition_start_date"]), strict=True)
    starts: dict[int, date] = {}
    for who, day in entries:
        if day is not None:
            starts[who] = min(day, starts.get(who, day))
    people, spans, deaths = set(_whole(tables["person"]["person_id"])), _spans(tables), {}
    for who, day in zip(*_pair(tables.get("death"), "person_id", "death_date"), strict=True):
        if day is not None:
            deaths[who] = min(day, deaths.get(who, day))
    rows = {}
    for who, start in starts.items():
        end = next((last for first, last in spans.get(who, ()) if first <= start <= last), None)
        died = deaths.get(who)
        if who not in people or end is None or (died is not None and died < start):
            continue
        dead = died is not None and (deaths_after or died <= end)
        rows[str(who)] = (((died if dead else end) - start).days, dead)
    return _frame(rows)


_RECORDS = {"visit_occurrence": ("visit_start_date", "visit_end_date"), "condition_occurrence": (
    "condition_start_date",), "drug_exposure": ("drug_exposure_start_date",), "procedure_occurrence": (
    "procedure_date",), "measurement": ("measurement_date",), "observation": ("observation_date",)}  # fmt: skip


def _spans(tables: Mapping[str, pd.DataFrame]) -> dict[int, list[Interval]]:
    """Days on which each person is observed, in runs without a gap."""
    told = tables.get("observation_period")
    days: dict[int, set[int]] = {}
    if told is not None and len(told):
        first, last = _days(told["observation_period_start_date"]), _days(told["observation_period_end_date"])
        for who, a, b in zip(_whole(told["person_id"]), first, last, strict=True):
            if a is not None and b is not None:
                days.setdefault(who, set()).update(range(a.toordinal(), b.toordinal() + 1))
    else:
        seen: dict[int, list[int]] = {}
        for name, columns in _RECORDS.items():
            for column in columns:
                for who, day in zip(*_pair(tables.get(name), "person_id", column), strict=True):
                    if day is not None:
                        seen.setdefault(who, []).append(day.toordinal())
        days = {who: set(range(min(own), max(own) + 1)) for who, own in seen.items()}
    return {who: list(_runs(sorted(own))) for who, own in days.items()}


def _runs(days: list[int]) -> Iterator[Interval]:
    first = last = None
    for day in days:
        if last is None or day > last + 1:
            if first is not None and last is not None:
                yield date.fromordinal(first), date.fromordinal(last)
            first = day
        last = day
    if first is not None and last is not None:
        yield date.fromordinal(first), date.fromordinal(last)


def _pair(told: pd.DataFrame | None, who: str, day: str) -> tuple[list[int], list[date | None]]:
    if told is None or not {who, day} <= set(told.columns):
        return [], []
    return list(_whole(told[who])), _days(told[day])


def _whole(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").fillna(-1).astype("int64")


def _days(values: pd.Series) -> list[date | None]:
    plain = pd.to_datetime(values.astype(str).str[:10], format="%Y-%m-%d", errors="coerce")
    joined = pd.to_datetime(values.astype(str), format="%Y%m%d", errors="coerce")
    return [None if pd.isna(day) else day.date() for day in plain.fillna(joined)]


def _frame(rows: Mapping[str, tuple[int, bool]]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(dict(rows), orient="index", columns=["days", "died"])
