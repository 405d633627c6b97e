"""Who is followed in an OMOP database, from which day, until when, and how it ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sqlglot import exp

from bedside.errors import Fixable
from bedside.intake.standards.omop_atlas import generated
from bedside.intake.standards.omop_source import WHAT, OmopSource

ALIVE, DEAD = "alive", "dead"
NOBODY = "not in the table of persons"
OLDEST = 120
"""Years; an age beyond is a fault of the year of birth."""

_FIRST_OF_EACH = """
CREATE TABLE entered AS
SELECT person_id, min(start) AS start, count(*) AS n FROM entries WHERE start IS NOT NULL GROUP BY person_id
"""
# Periods that overlap or follow one another without a day between are one.
_PERIODS = """
CREATE TABLE periods AS
WITH sound AS (SELECT person_id, s, e FROM told_periods WHERE s IS NOT NULL AND e >= s),
marked AS (
    SELECT *, max(e) OVER (
        PARTITION BY person_id ORDER BY s, e ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS earlier FROM sound
),
parted AS (
    SELECT *, sum(CASE WHEN earlier IS NULL OR s > earlier + 1 THEN 1 ELSE 0 END) OVER (
        PARTITION BY person_id ORDER BY s, e ROWS UNBOUNDED PRECEDING
    ) AS part FROM marked
)
SELECT person_id, min(s) AS s, max(e) AS e, count(*) AS n FROM parted GROUP BY person_id, part
"""
_DEATHS = "CREATE TABLE deaths AS SELECT person_id, min(died) AS died FROM told_deaths GROUP BY person_id"
_PEOPLE = """
CREATE TABLE people AS
SELECT * FROM told_people WHERE person_id IS NOT NULL QUALIFY row_number() OVER (PARTITION BY person_id) = 1
"""
_FOLLOWED = """
SELECT
    e.person_id, e.start, e.n AS entries, p.e AS until, d.died, q.* EXCLUDE (person_id),
    q.person_id IS NOT NULL AS known
FROM entered e
LEFT JOIN people q USING (person_id)
LEFT JOIN periods p ON p.person_id = e.person_id AND e.start BETWEEN p.s AND p.e
LEFT JOIN deaths d ON d.person_id = e.person_id
ORDER BY e.person_id
"""
_RECORDS: tuple[tuple[str, str], ...] = (
    ("visit_occurrence", "visit_start_date"), ("visit_occurrence", "visit_end_date"),
    ("condition_occurrence", "condition_start_date"), ("drug_exposure", "drug_exposure_start_date"),
    ("procedure_occurrence", "procedure_date"), ("measurement", "measurement_date"),
    ("observation", "observation_date"),
)  # fmt: skip


@dataclass(eq=False)
class Followed:
    """The persons of a cohort.

    Attributes
    ----------
    rows : pandas.DataFrame
        ``person_id``, ``start``, ``time`` in days, ``status``, ``age``, and what the table of persons says.
    since : str
        What time zero is, in words.
    left_out : Counter
        Persons with an entry who are not in the cohort, by why.
    chosen : str
        ``"cohort 5"`` or ``"concept 201826"``: what time zero was taken from.
    """

    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    since: str = ""
    title: str = ""
    chosen: str = ""
    concept: int | None = None
    n_entries: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    n_late: int = 0
    deaths_after: bool = False
    n_before: int = 0


def follow(
    source: OmopSource, *, cohort: int | None, concept: int | None, atlas: str, deaths_after: bool
) -> Followed | None:
    """Time zero, end and event of every person; None if nothing says when time zero is.

    Parameters
    ----------
    source : OmopSource
    cohort : int or None
        Which ``cohort_definition_id``; the one with most subjects if not given.
    concept : int or None
        Time zero is the first record of this condition, or of one below it.
    atlas : str
        A cohort as ATLAS exports it (JSON); decides if it is given.
    deaths_after : bool
        Whether deaths after the end of observation count; else such persons are censored at the end.
    """
    found = Followed(deaths_after=deaths_after)
    if not _entries(source, found, cohort, concept, atlas):
        return None
    source.run(_FIRST_OF_EACH)
    source.keep("told_people", source.select("person", PERSON))
    source.run(_PEOPLE)
    _periods(source, found)
    _deaths(source)
    rows = source.ask(_FOLLOWED).to_pandas()
    _count_people(source, rows, found)
    rows = _leave(rows, ~rows["known"].astype(bool), found, NOBODY)
    rows = _leave(rows, rows["until"].isna(), found, "time zero lies outside every period of observation")
    start, until, died = (rows[name].to_numpy(dtype="datetime64[D]") for name in ("start", "until", "died"))
    found.n_before = int((died < start).sum())
    before = died < start  # NaT compares as False
    rows = _leave(rows, pd.Series(before, index=rows.index), found, "died before time zero")
    start, until, died = start[~before], until[~before], died[~before]
    _outcome(rows, start, until, died, found)
    rows["age"] = _age(rows, start, found)
    found.rows = rows.reset_index(drop=True)
    return found


PERSON = (
    "person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth", "birth_datetime",
    "race_concept_id", "ethnicity_concept_id", "gender_source_value",
)  # fmt: skip


# ------------------------------------------------------------------ time zero


def _entries(source: OmopSource, found: Followed, cohort: int | None, concept: int | None, atlas: str) -> bool:
    """Fill the table ``entries`` with persons and days."""
    if atlas:
        found.title = generated(source, atlas)
        found.since = "entry into the cohort"
    elif concept is None and source.has("cohort"):
        _of_cohort(source, found, cohort)
    elif source.has("condition_occurrence"):
        _of_condition(source, found, concept)
    else:
        found.notes.append("There is neither a table of cohorts nor one of conditions: nothing says when time zero is.")
        return False
    return True


def _of_cohort(source: OmopSource, found: Followed, cohort: int | None) -> None:
    source.keep("cohorts", source.select("cohort", ("cohort_definition_id", "subject_id", "cohort_start_date")))
    sizes = source.ask(
        "SELECT cohort_definition_id AS id, count(DISTINCT subject_id) AS n FROM cohorts GROUP BY 1 ORDER BY n DESC, id"
    ).to_pylist()
    chosen = cohort if cohort is not None else sizes[0]["id"]
    if chosen not in {row["id"] for row in sizes}:
        known = ", ".join(str(row["id"]) for row in sizes[:20])
        raise Fixable(WHAT, f"There is no cohort {cohort}; there are {known}.", "Choose one of these.")
    source.run(
        "CREATE TABLE entries AS SELECT subject_id AS person_id, cohort_start_date AS start FROM cohorts "
        "WHERE cohort_definition_id = $id", {"id": chosen},
    )  # fmt: skip
    found.since, found.title, found.chosen = "entry into the cohort", _cohort_name(source, chosen), f"cohort {chosen}"
    found.n_entries = source.ask("SELECT count(*) AS n FROM entries").column(0)[0].as_py()
    if len(sizes) > 1:
        others = ", ".join(f"{row['id']} ({row['n']:,} subjects)" for row in sizes if row["id"] != chosen)
        found.notes.append(f"The cohort is number {chosen}. There are others: {others}.")


def _cohort_name(source: OmopSource, chosen: int) -> str:
    if source.has("cohort_definition"):
        source.keep("definitions", source.select("cohort_definition", ("cohort_definition_id",
                                                                      "cohort_definition_name")))  # fmt: skip
        named = source.ask("SELECT cohort_definition_name FROM definitions WHERE cohort_definition_id = $id",
                           {"id": chosen}).column(0).to_pylist()  # fmt: skip
        if named and named[0]:
            return str(named[0])
    return f"Cohort {chosen}"


def _of_condition(source: OmopSource, found: Followed, concept: int | None) -> None:
    columns = ("person_id", "condition_concept_id", "condition_start_date")
    source.keep("conditions", source.select("condition_occurrence", columns))
    if concept is None:
        frequent = source.ask(
            "SELECT condition_concept_id AS id FROM conditions WHERE id <> 0 GROUP BY 1 "
            "ORDER BY count(DISTINCT person_id) DESC, id LIMIT 1"
        ).column(0).to_pylist()  # fmt: skip
        if not frequent:
            raise Fixable(WHAT, "No condition has a concept.", "Map the conditions to concepts first.")
        concept = frequent[0]
        found.notes.append(
            "No cohort and no condition was chosen: time zero is the first record of the most frequent one."
        )
    source.run("CREATE TABLE wanted AS SELECT $id AS id", {"id": concept})
    if source.has("concept_ancestor"):
        source.keep("below", source.select("concept_ancestor", ("ancestor_concept_id", "descendant_concept_id")))
        source.run(
            "INSERT INTO wanted SELECT DISTINCT descendant_concept_id FROM below WHERE ancestor_concept_id = $id",
            {"id": concept},
        )
    source.run(
        "CREATE TABLE entries AS SELECT person_id, condition_start_date AS start FROM conditions "
        "WHERE condition_concept_id IN (SELECT id FROM wanted)"
    )
    name = names_of(source, [concept]).get(concept, f"condition {concept}")
    found.since, found.concept, found.title = f"the first record of {name}", concept, name
    found.chosen = f"concept {concept}"
    found.n_entries = source.ask("SELECT count(*) AS n FROM entries").column(0)[0].as_py()
    if not found.n_entries:
        raise Fixable(WHAT, f"Nobody has a record of condition {concept}.", "Choose another concept.")


def names_of(source: OmopSource, concepts: list[int]) -> dict[int, str]:
    """Names of concepts, as far as the vocabulary is there."""
    if not source.has("concept") or not concepts:
        return {}
    query = source.select("concept", ("concept_id", "concept_name")).subquery("c")
    wanted = exp.In(this=exp.column("concept_id"), expressions=[exp.Literal.number(int(c)) for c in concepts])
    rows = source.ask(exp.select("*").from_(query).where(wanted).sql(dialect="duckdb")).to_pylist()
    return {row["concept_id"]: row["concept_name"] for row in rows if row["concept_name"]}


# ------------------------------------------------------------------ observation and death


def _periods(source: OmopSource, found: Followed) -> None:
    if source.has("observation_period"):
        names = ("observation_period_start_date", "observation_period_end_date")
        told = source.select("observation_period", ("person_id", *names)).subquery("p")
        source.keep("told_periods", exp.select("person_id", exp.column(names[0]).as_("s"),
                                               exp.column(names[1]).as_("e")).from_(told))  # fmt: skip
    else:
        found.notes.append(
            "There are no periods of observation: each person is observed from the first to the last record."
        )
        source.run("CREATE TABLE records (person_id BIGINT, day DATE)")
        for table, day in _RECORDS:
            if source.has(table):
                rows = source.select(table, ("person_id", day)).subquery("r")
                query = exp.select("person_id", day).from_(rows)
                source.run(exp.Insert(this=exp.to_table("records"), expression=query).sql(dialect="duckdb"))
        source.run(
            "CREATE TABLE told_periods AS SELECT person_id, min(day) AS s, max(day) AS e FROM records GROUP BY 1"
        )
    source.run(_PERIODS)
    wrong = source.ask("SELECT count(*) AS n FROM told_periods WHERE s IS NULL OR e IS NULL OR e < s").column(0)[0]
    if wrong.as_py():
        found.faults["periods of observation that end before they begin, or have no date"] += wrong.as_py()
    several = source.ask("SELECT count(*) AS n FROM (SELECT person_id FROM periods GROUP BY 1 HAVING count(*) > 1)")
    if n := several.column(0)[0].as_py():
        found.notes.append(
            f"{n:,} persons have several periods of observation: they are followed to the end of that with time zero."
        )


def _deaths(source: OmopSource) -> None:
    if source.has("death"):
        rows = source.select("death", ("person_id", "death_date")).subquery("d")
        source.keep("told_deaths", exp.select("person_id", exp.column("death_date").as_("died")).from_(rows))
    else:
        source.run("CREATE TABLE told_deaths (person_id BIGINT, died DATE)")
    source.run(_DEATHS)


def _count_people(source: OmopSource, rows: pd.DataFrame, found: Followed) -> None:
    twice = source.ask("SELECT (SELECT count(*) FROM told_people) - (SELECT count(*) FROM people) AS n")
    if n := twice.column(0)[0].as_py():
        found.faults["rows of persons without a number, or with one that stands there already"] += n
    undated = source.ask("SELECT count(*) AS n FROM told_deaths WHERE died IS NULL").column(0)[0].as_py()
    if undated:
        found.faults["deaths without a date; such persons count as alive"] += undated
    again = int((rows["entries"] - 1).clip(lower=0).sum())
    if again:
        found.notes.append(f"{again:,} later entries of a person into the cohort are not used; the first is time zero.")


def _leave(rows: pd.DataFrame, where: pd.Series, found: Followed, why: str) -> pd.DataFrame:
    if where.any():
        found.left_out[why] += int(where.sum())
    return rows[~where].copy()


def _outcome(rows: pd.DataFrame, start: np.ndarray, until: np.ndarray, died: np.ndarray, found: Followed) -> None:
    late = died > until
    found.n_late = int(late.sum())
    seen = ~np.isnat(died) & (found.deaths_after | ~late)
    end = np.where(seen, died, until)
    rows["time"] = (end - start).astype(float)
    rows["status"] = np.where(seen, DEAD, ALIVE)
    rows["written"] = np.where(
        late,
        "a date after the end of observation",
        np.where(seen, "a date", "none up to the end of observation"),
    )
    if found.n_late:
        how = "counted" if found.deaths_after else "censored at the end of observation"
        found.notes.append(f"{found.n_late:,} deaths after the end of observation are {how}.")
    if n := int((seen & (end == start)).sum()):
        found.notes.append(f"{n:,} persons died on the day of time zero; their follow-up is 0 days.")
    if n := int((~seen & (end == start)).sum()):
        found.notes.append(f"{n:,} persons are observed on the day of time zero only.")


def _age(rows: pd.DataFrame, start: np.ndarray, found: Followed) -> np.ndarray:
    """Whole years; from the year alone where nothing more is known. Absurd ones are not recorded."""
    year = start.astype("datetime64[Y]").astype(float) + 1970
    born = rows["year_of_birth"].to_numpy(dtype=float)
    month, day = (rows[name].fillna(1).to_numpy(dtype=float) for name in ("month_of_birth", "day_of_birth"))
    whole = pd.DatetimeIndex(start.astype("datetime64[s]"))
    not_yet = (whole.month.to_numpy() < month) | ((whole.month.to_numpy() == month) & (whole.day.to_numpy() < day))
    known = rows["month_of_birth"].notna().to_numpy()
    age = year - born - (not_yet & known)
    absurd = (age < 0) | (age > OLDEST)
    if absurd.any():
        found.faults[f"a year of birth after time zero, or more than {OLDEST} years before; age is not recorded"] += (
            int(absurd.sum())
        )
    return np.where(absurd, np.nan, age)
