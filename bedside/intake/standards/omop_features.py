"""What was known of the persons of an OMOP cohort at time zero, and what was measured after it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlglot import exp

from bedside.intake.standards.omop_follow import Followed, names_of
from bedside.intake.standards.omop_source import OmopSource

PERSON, DAY = "person", "day"
_SEX = {8507: "male", 8532: "female"}
_RACE = {
    8527: "White", 8515: "Asian", 8516: "Black or African American", 8657: "American Indian or Alaska Native",
    8557: "Native Hawaiian or other Pacific Islander", 38003563: "Hispanic or Latino",
    38003564: "Not Hispanic or Latino",
}  # fmt: skip
MOST_VISITS = 5_000_000
_BEFORE: dict[str, tuple[str, str, str]] = {
    "condition": ("condition_occurrence", "condition_concept_id", "condition_start_date"),
    "drug": ("drug_exposure", "drug_concept_id", "drug_exposure_start_date"),
}
_MEASURED = ("measurement_id", "person_id", "measurement_concept_id", "measurement_date", "value_as_number",
             "unit_concept_id", "unit_source_value")  # fmt: skip
# Of each measurement the unit that most rows have.
_UNITS = """
CREATE TABLE usual AS
SELECT concept, unit, any_value(unit_text) AS unit_text FROM (
    SELECT concept, unit, mode(unit_text) AS unit_text, count(*) AS n FROM measured GROUP BY concept, unit
) GROUP BY concept, unit, n QUALIFY row_number() OVER (PARTITION BY concept ORDER BY n DESC, unit) = 1
"""
_LAST = """
SELECT person_id, concept, value FROM measured JOIN usual USING (concept)
WHERE measured.unit IS NOT DISTINCT FROM usual.unit AND day <= 0 AND concept IN (SELECT unnest($ids))
QUALIFY row_number() OVER (PARTITION BY person_id, concept ORDER BY day DESC, id DESC) = 1
"""
_LATER = """
SELECT person_id, concept, day, value FROM measured JOIN usual USING (concept)
WHERE measured.unit IS NOT DISTINCT FROM usual.unit AND day >= 0 AND concept IN (SELECT unnest($ids))
QUALIFY row_number() OVER (PARTITION BY person_id, concept, day ORDER BY id DESC) = 1
LIMIT 5000000
"""
_FREQUENT = """
SELECT concept, count(DISTINCT person_id) AS n FROM measured JOIN usual USING (concept)
WHERE measured.unit IS NOT DISTINCT FROM usual.unit AND day <= 0
GROUP BY concept HAVING n >= $least ORDER BY n DESC, concept LIMIT $most
"""


@dataclass(eq=False)
class Features:
    """Columns of the cohort, and its visits.

    Attributes
    ----------
    frame : pandas.DataFrame
        Index person_id.
    used : Counter
        Rows of each table that became part of a column.
    """

    frame: pd.DataFrame
    entries: list[dict[str, Any]] = field(default_factory=list)
    visits: pd.DataFrame | None = None
    visit_entries: list[dict[str, Any]] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def features(source: OmopSource, followed: Followed, *, most: dict[str, int]) -> Features:
    """Age, sex, race; what came before time zero, and the last measurements up to it.

    Parameters
    ----------
    source : OmopSource
    followed : Followed
    most : dict
        Columns at most of each kind: ``condition``, ``drug``, ``measurement``.
    """
    rows = followed.rows
    found = Features(pd.DataFrame(index=pd.Index(rows["person_id"], name="person_id")))
    _of_person(source, rows, found)
    with source.connection.cursor() as cursor:
        starts = rows[["person_id", "start", "time"]]
        cursor.from_arrow(pa.Table.from_pandas(starts, preserve_index=False)).create("starts")
    least = max(5, len(rows) // 100)
    for kind, (table, concept, day) in _BEFORE.items():
        if source.has(table) and most.get(kind, 0):
            _before(source, kind, table, (concept, day), found, followed, least=least, most=most[kind])
    if source.has("measurement") and most.get("measurement", 0):
        _measurements(source, found, least=max(5, len(rows) // 20), most=most["measurement"])
    return found


def _of_person(source: OmopSource, rows: pd.DataFrame, found: Features) -> None:
    found.frame["age"] = rows["age"].to_numpy()
    found.entries.append({"name": "age", "label": "Age", "kind": "continuous", "unit": "years", "decimals": 0,
                          "concept": "age", "sensitive": True})  # fmt: skip
    wanted = set(rows["race_concept_id"].dropna()) | set(rows["ethnicity_concept_id"].dropna())
    names = names_of(source, [int(each) for each in wanted if each]) | _RACE
    sex = rows["gender_concept_id"].map(_SEX)
    other = rows["gender_source_value"].astype(str).str.upper().str[:1].map({"M": "male", "F": "female"})
    found.frame["sex"] = sex.where(sex.notna(), other).to_numpy(dtype=object)
    for name, label, column in (
        ("race", "Race", "race_concept_id"),
        ("ethnicity", "Ethnicity", "ethnicity_concept_id"),
    ):
        told = rows[column].map(lambda each: names.get(int(each)) if each == each and each else None)
        found.frame[name] = told.to_numpy(dtype=object)
        if told.nunique() > 1:
            levels = [{"code": each, "label": each} for each in sorted(told.dropna().unique())]
            found.entries.append({"name": name, "label": label, "kind": "categorical", "levels": levels,
                                  "sensitive": True})  # fmt: skip
    if found.frame["sex"].nunique() == 2:
        levels = [{"code": each, "label": each} for each in ("female", "male")]
        found.entries.insert(1, {"name": "sex", "label": "Sex", "kind": "binary", "levels": levels, "concept": "sex",
                                 "sensitive": True})  # fmt: skip
    kept = {entry["name"] for entry in found.entries}
    found.frame = found.frame[[name for name in found.frame if name in kept]]


def _before(
    source: OmopSource, kind: str, table: str, columns: tuple[str, str], found: Features, followed: Followed, *,
    least: int, most: int,
) -> None:  # fmt: skip
    """Whether a condition, or a drug, was recorded on a day before time zero: the most frequent ones."""
    concept, day = columns
    rows = source.select(table, ("person_id", concept, day)).subquery("r")
    query = (
        exp.select(exp.column("person_id", "r").as_("person_id"), exp.column(concept, "r").as_("concept"),
                   exp.Count(this=exp.Star()).as_("n"))
        .from_(rows).join(exp.to_table("starts").as_("s"), on="s.person_id = r.person_id")
        .where(exp.LT(this=exp.column(day, "r"), expression=exp.column("start", "s")))
        .where(exp.NEQ(this=exp.column(concept, "r"), expression=exp.Literal.number(0)))
        .group_by("r.person_id", exp.column(concept, "r"))
    )  # fmt: skip
    source.keep(f"{kind}_before", query)
    name = exp.to_table(f"{kind}_before")
    persons = exp.select("concept", exp.Count(this=exp.Star()).as_("n")).from_(name.copy()).group_by("concept")
    counts = source.ask(persons.order_by("n DESC", "concept").sql(dialect="duckdb")).to_pandas()
    counts = counts[
        (counts["n"] >= least) & (counts["n"] < len(followed.rows)) & (counts["concept"] != followed.concept)
    ]
    chosen = [int(each) for each in counts["concept"][:most]]
    if not chosen:
        return
    found.notes.append(f"{len(chosen)} of {len(counts)} frequent {kind}s have a column: whether one was recorded on a "
                       "day before time zero.")  # fmt: skip
    wanted = exp.In(this=exp.column("concept"), expressions=[exp.Literal.number(each) for each in chosen])
    pairs = source.ask(exp.select("*").from_(name).where(wanted).sql(dialect="duckdb")).to_pandas()
    found.used[table] += int(pairs["n"].sum())
    names = names_of(source, chosen)
    added = {}
    for each in chosen:
        had = found.frame.index.isin(pairs.loc[pairs["concept"] == each, "person_id"])
        added[f"{kind}_{each}"] = pd.Series(had, index=found.frame.index).map({True: "yes", False: "no"})
        found.entries.append({
            "name": f"{kind}_{each}", "label": names.get(each, f"Concept {each}"), "kind": "binary", "use": "optional",
            "levels": [{"code": "no", "label": "not recorded before"}, {"code": "yes", "label": "recorded before"}],
            "note": f"OMOP concept {each}, recorded on a day before time zero.",
        })  # fmt: skip
    found.frame = pd.concat([found.frame, pd.DataFrame(added)], axis=1)


def _measurements(source: OmopSource, found: Features, *, least: int, most: int) -> None:
    rows = source.select("measurement", _MEASURED).subquery("r")
    day = exp.Sub(this=exp.column("measurement_date", "r"), expression=exp.cast(exp.column("start", "s"), "DATE"))
    query = (
        exp.select(
            exp.column("measurement_id", "r").as_("id"), exp.column("person_id", "r").as_("person_id"),
            exp.column("measurement_concept_id", "r").as_("concept"), day.as_("day"),
            exp.column("value_as_number", "r").as_("value"), exp.column("unit_concept_id", "r").as_("unit"),
            exp.column("unit_source_value", "r").as_("unit_text"),
        )
        .from_(rows).join(exp.to_table("starts").as_("s"), on="s.person_id = r.person_id")
        .where("r.value_as_number IS NOT NULL AND r.measurement_concept_id <> 0 AND r.measurement_date IS NOT NULL")
        .where(exp.LTE(this=day.copy(), expression=exp.column("time", "s")))
    )  # fmt: skip
    source.keep("measured", query)
    source.run(_UNITS)
    chosen = source.ask(_FREQUENT, {"least": least, "most": most}).column("concept").to_pylist()
    if not chosen:
        return
    names = names_of(source, chosen)
    units = _units(source, chosen)
    last = source.ask(_LAST, {"ids": chosen}).to_pandas()
    wide = last.pivot(index="person_id", columns="concept", values="value").reindex(found.frame.index)
    found.used["measurement"] += len(last)
    for each in chosen:
        if wide[each].nunique() > 1:
            words = {"label": names.get(each, f"Concept {each}"), "unit": units.get(each, "")}
            note = f"OMOP concept {each}: the last value up to the day of time zero."
            found.frame[f"measurement_{each}"] = wide[each].astype(float)
            found.entries.append({"name": f"measurement_{each}", "kind": "continuous", "use": "optional", "note": note}
                                 | {key: value for key, value in words.items() if value})  # fmt: skip
    _visits(source, found, chosen, names, units)


def _units(source: OmopSource, chosen: list[int]) -> dict[int, str]:
    """The unit of each measurement: its code in the vocabulary (UCUM), else as the source wrote it."""
    rows = source.ask("SELECT * FROM usual WHERE concept IN (SELECT unnest($ids))", {"ids": chosen}).to_pylist()
    codes = {}
    wanted = [int(row["unit"]) for row in rows if row["unit"]]
    if wanted and source.has("concept"):
        query = source.select("concept", ("concept_id", "concept_code", "concept_name", "vocabulary_id")).subquery("c")
        where = exp.In(this=exp.column("concept_id"), expressions=[exp.Literal.number(each) for each in wanted])
        for row in source.ask(exp.select("*").from_(query).where(where).sql(dialect="duckdb")).to_pylist():
            is_ucum = row["vocabulary_id"] == "UCUM" and row["concept_code"]
            codes[row["concept_id"]] = row["concept_code"] if is_ucum else row["concept_name"]
    return {row["concept"]: str(codes.get(row["unit"]) or row["unit_text"] or "") for row in rows}


def _visits(
    source: OmopSource, found: Features, chosen: list[int], names: dict[int, str], units: dict[int, str]
) -> None:
    rows = source.ask(_LATER, {"ids": chosen}).to_pandas()
    if rows.empty:
        return
    if len(rows) == MOST_VISITS:
        found.notes.append(f"Of the measurements from time zero on, the first {MOST_VISITS:,} are kept.")
    found.used["measurement"] += int((rows["day"] > 0).sum())
    wide = rows.pivot(index=["person_id", "day"], columns="concept", values="value").reset_index()
    wide.columns = [PERSON, DAY, *(f"measurement_{each}" for each in wide.columns[2:])]
    wide[PERSON] = wide[PERSON].astype(str)
    found.visits = wide
    for each in chosen:
        if f"measurement_{each}" in wide:
            entry = {"name": f"measurement_{each}", "kind": "continuous", "label": names.get(each, f"Concept {each}")}
            found.visit_entries.append(entry | ({"unit": units[each]} if units.get(each) else {}))
