"""MEDS: a table of events by subject, time and code becomes cohorts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bedside.errors import Fixable
from bedside.intake.staging import Progress
from bedside.intake.standards.fhir import FEW, cohorts_of, is_serious
from bedside.intake.standards.fhir_map import Start, followed
from bedside.intake.standards.fhir_rows import NO_VALUE, Code, Codes, distinct, runs
from bedside.intake.standards.fhir_source import Source, set_contacts
from bedside.intake.standards.fhir_time import DAY, NO_DAY
from bedside.intake.standards.fhir_units import measured, tidy
from bedside.intake.standards.folder import FileRead, Imported, ImportReport, counted
from bedside.intake.standards.offers import of_starts, to_recipe
from bedside.intake.standards.recognise import Found

BIRTH, DEATH = "MEDS_BIRTH", "MEDS_DEATH"
MOST_ROWS = 50_000_000
BATCH = 1_000_000
MAPPED = (
    ("subject_id", "the patient's identifier"), ("MEDS_BIRTH", "age at time zero"), ("MEDS_DEATH", "death"),
    ("GENDER//… or SEX//…", "sex"), ("time, of any code", "first and last contact"),
    ("numeric_value", "the last value before time zero; visits"), ("other codes", "whether it came before time zero"),
)  # fmt: skip
_SEX = re.compile(r"(?:gender|sex)//(f|m|female|male)(?://.*)?", re.I)


@dataclass(frozen=True)
class MedsOptions:
    """What may be chosen.

    Attributes
    ----------
    cohorts : tuple of Start
        What is made; guessed if it is empty. Codes as they stand in the column ``code``.
    """

    cohorts: tuple[Start, ...] = ()


def read_meds(found: Found, options: MedsOptions | None = None, *, progress: Progress | None = None) -> Imported:
    """Read the tables of a data set.

    Parameters
    ----------
    found : Found
        From `recognise`.
    options : MedsOptions, optional
    progress : callable, optional

    Returns
    -------
    Imported
        No cohort if nobody can be followed; the report then says why.

    Raises
    ------
    Fixable
        If a table can't be read or is too long, or nothing of a time zero that was asked for is there.

    References
    ----------
    Medical Event Data Standard 0.4, https://github.com/Medical-Event-Data-Standard/meds.
    """
    options = options or MedsOptions()
    tell = progress or (lambda share, sentence: None)
    reader = _Reader(_descriptions(found))
    files = []
    for i, part in enumerate(found.parts):
        tell(0.8 * i / len(found.parts), f"Reading file {i + 1:,} of {len(found.parts):,}")
        name = str(part.path.relative_to(found.root)) if part.path.is_relative_to(found.root) else part.path.name
        files.append(reader.file(part.path, name) if part.what == "data" else _metadata(part.path, name, part.what))
    source = reader.source()
    plans = tuple(_of_events(plan) for plan in options.cohorts) or guessed(source)
    tell(0.85, "Making cohorts")
    origin = f"Imported from {len(found.of('data'))} MEDS tables"
    made, failed = cohorts_of(source, plans, origin=origin, kind="MEDS")
    notes = ["Times have no time zone: days are those that stand in the file.", *source.notes, *failed]
    report = ImportReport("meds", tuple(files), mapped=MAPPED, faults=tuple(source.faults), notes=tuple(notes))
    used = MedsOptions(plans)
    offers = of_starts(plans, _known(source), first="entry")
    return Imported(made, counted(report, made), to_recipe("meds", used), offers, _names(found))


def _known(source: Source) -> list[tuple[str, str, int]]:
    """Codes that time zero can be taken from, those that are named as diagnoses first."""
    coded = [(source.codes[code], n) for code, n in _subjects_with(source).items()]
    coded.sort(key=lambda each: (not is_serious(_diagnosis(each[0])), -each[1], each[0].key))
    return [(code.key, code.label, n) for code, n in coded]


def _subjects_with(source: Source) -> dict[int, int]:
    """How many subjects have each code."""
    pairs = [distinct(each["code"].to_numpy().astype(np.int64) * 2**32 + each["patient"].to_numpy())
             for each in (source.conditions, source.observations)]  # fmt: skip
    codes, _, n = runs(distinct(np.concatenate(pairs)) >> 32)
    return dict(zip(codes.tolist(), n.tolist(), strict=True))


def _names(found: Found) -> tuple[str, ...]:
    """What the data set calls itself."""
    for path in found.of("dataset"):
        try:
            told = json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(told, dict) and isinstance(told.get("dataset_name"), str):
            return (told["dataset_name"],)
    return ()


def _of_events(plan: Start) -> Start:
    return replace(plan, start="event") if plan.start == "condition" else plan


# ------------------------------------------------------------------ the tables


class _Reader:
    """Takes the rows of every table."""

    def __init__(self, descriptions: dict[str, str]) -> None:
        self._said = descriptions
        self.codes = Codes()
        self._parts: list[pd.DataFrame] = []
        self._static: list[pd.DataFrame] = []
        self._n = 0

    def file(self, path: Path, name: str) -> FileRead:
        """Read one table, and account for its rows."""
        why: Counter[str] = Counter()
        n = 0
        for batch in _batches(path, name):
            n += len(batch)
            self._n += len(batch)
            if self._n > MOST_ROWS:
                raise Fixable(
                    "These files were not read.", f"They hold more than {MOST_ROWS:,} events.",
                    "Choose part of the subjects, or of the codes.",
                )  # fmt: skip
            self._take(batch, why)
        dropped = sum(why.values())
        return FileRead(name, "events", n, n - dropped, dropped, tuple(why.most_common()))

    def _take(self, batch: pd.DataFrame, why: Counter[str]) -> None:
        nobody = batch["subject"].isna() | batch["code"].isna()
        if nobody.any():
            why["without a subject or a code"] += int(nobody.sum())
            batch = batch[~nobody]
        names = batch["code"].cat.categories
        # What MEDS_DEATH//… is called after its first part is a remark on it.
        numbers = np.array([self.codes.of("", name, self._said.get(name)) for name in names], dtype=np.int32)
        batch = batch.assign(code=numbers[batch["code"].cat.codes.to_numpy()] if len(numbers) else [])
        kept = np.array([_stands_alone(self.codes.all[code].code) for code in numbers], dtype=bool)
        standing = np.isin(batch["code"].to_numpy(), numbers[kept]) if len(numbers) else np.zeros(0, dtype=bool)
        timeless = (batch["day"] == NO_DAY).to_numpy()
        if (timeless & ~standing).any():
            why["without a time"] += int((timeless & ~standing).sum())
        self._static.append(batch[standing])
        self._parts.append(batch[~standing & ~timeless])

    def source(self) -> Source:
        """Everything that was read, by subject."""
        rows = pd.concat(self._parts or [_EMPTY], ignore_index=True)
        static = pd.concat(self._static or [_EMPTY], ignore_index=True)
        ids = distinct(np.concatenate([rows["subject"].to_numpy(np.int64), static["subject"].to_numpy(np.int64)]))
        for each in (rows, static):
            each["patient"] = np.searchsorted(ids, each.pop("subject").to_numpy(np.int64)).astype(np.int32)
        people = _people(ids, static, self.codes.all)
        # There may be tens of millions: no column is wider than it has to be.
        rows["exactly"], rows["tag"] = np.int8(DAY), np.int8(0)
        rows["known"], rows["text"] = np.int32(NO_DAY), np.int32(NO_VALUE)
        number = np.isfinite(rows["value"].to_numpy())
        contacts = (rows["patient"].to_numpy(), rows["day"].to_numpy())
        values = rows[number].reset_index(drop=True)
        events = rows.loc[~number].reset_index(drop=True)
        del rows
        source = Source(
            people, events, events.iloc[:0], events.iloc[:0], values, self.codes.all, had=(("Event", "conditions", 1),),
        )  # fmt: skip
        source.units = {int(code): _unit(self.codes.all[code].code) for code in values["code"].unique()}
        set_contacts(source, [contacts])
        dated = (people["death"] != NO_DAY).to_numpy()
        told = (
            ("subjects with events dated after their death", int((dated & (people["last"] > people["death"])).sum())),
            ("subjects who are dead without a date", int((people["dead"] & ~dated).sum())),
            ("subjects without a date of birth", int((people["birth"] == NO_DAY).sum())),
        )
        source.faults += [(what, n) for what, n in told if n]
        return source


_EMPTY = pd.DataFrame(
    {"subject": np.empty(0, np.int64), "code": np.empty(0, np.int32), "day": np.empty(0, np.int32),
     "value": np.empty(0)}
)  # fmt: skip


def _stands_alone(code: str) -> bool:
    return code.split("//")[0] in (BIRTH, DEATH) or _SEX.fullmatch(code) is not None


def _batches(path: Path, name: str) -> Iterator[pd.DataFrame]:
    """Subject, code, day and value of a table, a million rows at a time."""
    try:
        with pq.ParquetFile(path) as file:
            there = set(file.schema_arrow.names)
            subject = "subject_id" if "subject_id" in there else "patient_id"
            wanted = [each for each in (subject, "time", "code", "numeric_value") if each in there]
            for batch in file.iter_batches(BATCH, columns=wanted):
                yield _plain(pa.Table.from_batches([batch]), subject)
    except (pa.ArrowException, OSError, KeyError):
        raise Fixable(
            "These files were not read.", f"“{name[:200]}” is damaged, or its columns are not those of MEDS.",
            "It needs subject_id, time and code; numeric_value is optional.",
        ) from None  # fmt: skip


def _plain(rows: pa.Table, subject: str) -> pd.DataFrame:
    day = pc.fill_null(
        pc.cast(pc.cast(rows["time"], pa.timestamp("us")), pa.date32(), safe=False).cast(pa.int32()), NO_DAY
    )
    value = rows["numeric_value"] if "numeric_value" in rows.column_names else pa.nulls(len(rows))
    code = rows["code"].cast(pa.string()).dictionary_encode().to_pandas()
    return pd.DataFrame(
        {
            "subject": pd.array(rows[subject].cast(pa.int64()).to_pandas(types_mapper=pd.ArrowDtype), dtype="Int64"),
            "code": code.cat.remove_unused_categories(),
            "day": day.to_numpy().astype(np.int32),
            "value": value.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float),
        }
    )


def _people(ids: np.ndarray, static: pd.DataFrame, codes: list[Code]) -> pd.DataFrame:
    names = np.array([codes[code].code for code in static["code"]], dtype=object)
    first = np.array([name.split("//")[0] for name in names], dtype=object)
    n = len(ids)
    birth, death = np.full(n, NO_DAY, dtype=np.int64), np.full(n, 2**31, dtype=np.int64)
    day, who = static["day"].to_numpy(np.int64), static["patient"].to_numpy(np.int64)
    np.maximum.at(birth, who[first == BIRTH], day[first == BIRTH])
    dated = (first == DEATH) & (day != NO_DAY)
    np.minimum.at(death, who[dated], day[dated])
    dead = np.zeros(n, dtype=bool)
    dead[who[first == DEATH]] = True
    sex = np.full(n, "", dtype=object)
    for name in {str(each) for each in names}:
        if told := _SEX.fullmatch(name):
            sex[who[names == name]] = "female" if told[1].lower().startswith("f") else "male"
    return pd.DataFrame(
        {"id": [str(one) for one in ids], "sex": sex, "birth": birth, "birth_exactly": DAY,
         "death": np.where(death == 2**31, NO_DAY, death), "death_exactly": DAY, "dead": dead}
    )  # fmt: skip


def _unit(code: str) -> str:
    """The unit in the last part of a code, as in ``LAB//50912//mg/dL``."""
    last = code.split("//")[-1]
    return last if "//" in code and not last.isdigit() and measured(tidy(last)) is not None else ""


# ------------------------------------------------------------------ beside the events


def _descriptions(found: Found) -> dict[str, str]:
    said: dict[str, str] = {}
    for path in found.of("codes"):
        rows = _table(path, ["code", "description"])
        said |= {code: text for code, text in zip(*rows.to_pydict().values(), strict=True) if code and text}
    return said


def _table(path: Path, columns: list[str]) -> pa.Table:
    try:
        return pq.ParquetFile(path).read(columns=columns)
    except (pa.ArrowException, OSError):
        raise Fixable(
            "These files were not read.", f"“{path.name[:200]}” is damaged.", "Copy the data set again."
        ) from None


def _metadata(path: Path, name: str, what: str) -> FileRead:
    if what == "codes":
        n = _table(path, ["code"]).num_rows
        return FileRead(name, "what the codes mean", n, n)
    said = {"splits": "subjects for training and testing", "dataset": "where the data set comes from"}
    return FileRead(name, said.get(what, what), 1, 0, 1, (("not needed for a cohort", 1),))


# ------------------------------------------------------------------ what is guessed


def guessed(source: Source) -> tuple[Start, ...]:
    """The most frequent serious condition, and everybody from the first event."""
    counts = _subjects_with(source)
    known = [code for code in counts if is_serious(_diagnosis(source.codes[code]))]
    ranked = sorted(known, key=lambda code: (-counts[code], source.codes[code].key))
    plans = [Start("event", (source.codes[code].key,)) for code in ranked[:1]]
    plans = [plan for plan in plans if len(followed(source, plan))]
    everybody = [plan for plan in (Start("contact"),) if len(followed(source, plan))]
    if plans and len(followed(source, plans[0])) < FEW:
        return (*everybody, *plans)
    return (*plans, *everybody)


def _diagnosis(code: Code) -> Code:
    """A code with its terminology, where its parts name it."""
    parts = code.code.upper().split("//")
    ten = any(part.startswith(("ICD10", "ICD-10")) for part in parts) or {"ICD", "10"} <= set(parts)
    last = parts[-1].replace(".", "")
    return Code("ICD-10", last, code.display) if ten else code
