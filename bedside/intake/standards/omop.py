"""OMOP CDM: a cohort from its start to death or the end of observation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bedside.intake.staging import Progress
from bedside.intake.standards.describe import SOURCE, key_of, short, words_for
from bedside.intake.standards.folder import FileRead, Imported, ImportReport, Made, as_table, counted
from bedside.intake.standards.offers import to_recipe
from bedside.intake.standards.omop_features import DAY, PERSON, Features, features
from bedside.intake.standards.omop_follow import ALIVE, DEAD, NOBODY, Followed, follow
from bedside.intake.standards.omop_offers import layout_of, offers_of
from bedside.intake.standards.omop_source import OmopSource, open_omop
from bedside.intake.standards.recognise import Found

MAPPED = (
    ("cohort.cohort_start_date", "time zero; without a table of cohorts, the first record of a condition"),
    ("death.death_date, observation_period_end_date", "the end: whichever is first"),
    ("death.death_date", "the event, up to the end of observation"),
    ("person.year_of_birth (month, day)", "age at time zero, in whole years"),
    ("person.gender_concept_id, race_concept_id, ethnicity_concept_id", "sex, race, ethnicity"),
    ("condition_occurrence, drug_exposure", "whether recorded on a day before time zero, the most frequent concepts"),
    ("measurement", "the last value up to time zero in its most frequent unit; later ones as visits"),
    ("cohort_end_date", "not used: the end of a cohort is not the end of observation"),
    ("visits, procedures, observations, devices, notes, costs", "not used"),
)  # fmt: skip


@dataclass(frozen=True)
class OmopOptions:
    """What may be chosen.

    Attributes
    ----------
    cohort : int, optional
        ``cohort_definition_id``; the one with most subjects if not given.
    concept : int, optional
        A condition whose first record is time zero, with all below it where the vocabulary says what is.
    atlas : str
        A cohort definition of ATLAS (JSON); needs the extra.
    deaths_after : bool
        Whether deaths after the end of observation count.
    conditions, drugs, measurements : int
        Columns at most.
    title : str
    """

    cohort: int | None = None
    concept: int | None = None
    atlas: str = ""
    deaths_after: bool = False
    conditions: int = 20
    drugs: int = 10
    measurements: int = 15
    title: str = ""


def read_omop(found: Found, options: OmopOptions | None = None, *, progress: Progress | None = None) -> Imported:
    """Read a cohort of an OMOP database.

    Parameters
    ----------
    found : Found
        From `recognise`: a folder of CSV or Parquet, or a DuckDB file.
    options : OmopOptions, optional
    progress : callable, optional

    Returns
    -------
    Imported
        One cohort; none if nothing says when time zero is.

    Raises
    ------
    Fixable
        If a table is damaged, what was chosen is not there, or the extra for ATLAS is needed and not installed.
    """
    options = options or OmopOptions()
    tell = progress or (lambda share, sentence: None)
    recipe = to_recipe("omop", options)
    tell(0.1, "Reading persons, observation and deaths")
    with open_omop(found) as source:
        followed = None
        if source.has("person"):
            followed = follow(source, cohort=options.cohort, concept=options.concept, atlas=options.atlas,
                              deaths_after=options.deaths_after)  # fmt: skip
        if followed is None or followed.rows.empty:
            return Imported((), _report(source, found, followed, None), recipe, offers_of(source, options, followed),
                            layout_of(source))  # fmt: skip
        tell(0.4, "Reading what was known at time zero")
        most = {"condition": options.conditions, "drug": options.drugs, "measurement": options.measurements}
        known = features(source, followed, most=most)
        made = _cohort(followed, known, options)
        report = counted(_report(source, found, followed, known), (made,))
        return Imported((made,), report, recipe, offers_of(source, options, followed), layout_of(source))


def _cohort(followed: Followed, known: Features, options: OmopOptions) -> Made:
    rows = pd.DataFrame({PERSON: followed.rows["person_id"].astype(str).to_numpy(dtype=object)})
    rows = pd.concat([rows, known.frame.reset_index(drop=True)], axis=1)
    rows["days"], rows["vital status"] = followed.rows["time"].to_numpy(), followed.rows["status"].to_numpy()
    entries = [entry for entry in known.entries if rows[entry["name"]].notna().any()]
    title = options.title or followed.title
    dictionary: dict[str, Any] = {
        "title": title, "short_title": short(title), "identifier": PERSON,
        "summary": f"Imported from an OMOP database; time zero is {followed.since}.",
        "variables": [{"name": PERSON, "kind": "identifier", "label": "Person"}, *entries],
        "outcomes": [{
            "key": "death", "label": "Overall survival", "time": "days", "unit": "days", "status": "vital status",
            "event": [DEAD], "censored": [ALIVE], "since": followed.since,
            "note": "Deaths after the end of observation "
                    + ("count." if options.deaths_after else "do not count: it is the end of follow-up."),
            **words_for("death", "overall survival"),
        }],
        "source": SOURCE | {"origin": "An OMOP CDM database"},
    }  # fmt: skip
    if known.visits is not None:
        dictionary["visits"] = {"patient": PERSON, "time": DAY, "unit": "days", "variables": known.visit_entries}
    kept = [PERSON, *(entry["name"] for entry in entries), "days", "vital status"]
    visits = None if known.visits is None else as_table(known.visits)
    return Made(key_of(title), as_table(rows[kept]), dictionary, visits, tuple(sorted(followed.left_out.items())),
                {"death": ("DEATH", followed.rows["written"].to_list())})  # fmt: skip


# ------------------------------------------------------------------ the report


def _report(source: OmopSource, found: Found, followed: Followed | None, known: Features | None) -> ImportReport:
    notes = [] if followed is None else [*followed.notes, *(known.notes if known else ())]
    if not source.has("person"):
        notes.append("There is no table of persons, or nobody in it: no cohort.")
    faults = Counter({} if followed is None else followed.faults)
    for table, n in source.n_broken.items():
        if n:
            faults[f"{table}: lines with another number of cells than the header"] += n
    files = tuple(_file(source, table, followed, known) for table in source.tables)
    read = {relation.file for relation in source.tables.values()}
    files += tuple(FileRead(path.name, "a database without tables of the model") for path in found.files
                   if path.name not in read)  # fmt: skip
    return ImportReport("omop", files, mapped=MAPPED, faults=tuple(sorted(faults.items())), notes=tuple(notes))


_LOOKED_UP = ("concept", "concept_ancestor", "cohort_definition")
_OTHERS = {
    "person": "has no entry into the cohort", "death": "of persons who are not in the cohort",
    "observation_period": "without time zero in it",
    "cohort": "of another cohort, a later entry, or a person who is not followed",
}  # fmt: skip
_REST = "of other persons, on other days, not frequent, or in another unit"


def _file(source: OmopSource, table: str, followed: Followed | None, known: Features | None) -> FileRead:
    n, file = source.n_rows[table], source.tables[table].file
    if followed is None or followed.rows.empty or known is None:
        return FileRead(file, table, n, 0, n, (("no cohort was made", n),) if n else ())
    if table in _LOOKED_UP:
        return FileRead(file, f"{table}: looked up", n, n, 0)
    used, why = _used(table, followed, known)
    gone = n - used - sum(count for _, count in why)
    rest = _OTHERS.get(table, _REST if used else "no place in a cohort")
    told = tuple((reason, count) for reason, count in [*why, (rest, gone)] if count > 0)
    return FileRead(file, table, n, used, n - used, told)


def _used(table: str, followed: Followed, known: Features) -> tuple[int, list[tuple[str, int]]]:
    """Rows of a table that became part of the cohort, and why some of the others did not."""
    n = len(followed.rows)
    if table == "person":
        return n, [(why, count) for why, count in followed.left_out.items() if why != NOBODY]
    if table == "death":
        dead = int((followed.rows["status"] == DEAD).sum())
        late = 0 if followed.deaths_after else followed.n_late
        return dead, [("before time zero", followed.n_before), ("after the end of observation", late)]
    return (n if table in ("observation_period", "cohort") else known.used[table]), []
