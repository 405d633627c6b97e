"""What a cohort of an OMOP database may be taken from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from bedside.intake.standards.folder import Offer
from bedside.intake.standards.omop_follow import Followed, names_of
from bedside.intake.standards.omop_source import OmopSource

if TYPE_CHECKING:
    from bedside.intake.standards.omop import OmopOptions

MOST_COHORTS, MOST_CONDITIONS = 100, 100


def offers_of(source: OmopSource, options: OmopOptions, followed: Followed | None) -> tuple[Offer, ...]:
    """Cohorts and conditions that time zero can be taken from, and the rest that may be chosen."""
    whom = _cohorts(source) | _conditions(source)
    now = () if followed is None or options.atlas else (followed.chosen,)
    whom |= {each: each for each in now if each and each not in whom}
    numbers = (("conditions", "Conditions"), ("drugs", "Medicines"), ("measurements", "Measurements"))
    return (
        Offer("whom", "Cohort: who is followed, and from when", "one", now, tuple(whom.items())),
        Offer("atlas", "Or a cohort definition as ATLAS exports it (JSON)", "json", (options.atlas,),
              help="Decides if it is given; choosing a cohort above takes it away"),
        Offer("deaths_after", "Count deaths after the end of observation", "yes", ("yes",) * options.deaths_after,
              help="Otherwise such patients are followed to the end of observation, and alive then"),
        *(Offer(key, f"{said}: columns at most", "number", (str(getattr(options, key)),)) for key, said in numbers),
    )  # fmt: skip


def layout_of(source: OmopSource) -> tuple[str, ...]:
    """Names of the tables, and of the cohorts in them: the same next month."""
    return (*sorted(source.tables), *_cohorts(source, sizes=False).values())


def _counted(source: OmopSource, table: str, code: str, person: str) -> list[tuple[int, int]]:
    """Codes of a table by the number of persons who have them, the most frequent ones first."""
    if not source.has(table):
        return []
    rows = source.select(table, (code, person)).subquery("r")
    query = (
        exp.select(exp.column(code).as_("id"),
                   exp.Count(this=exp.Distinct(expressions=[exp.column(person)])).as_("n"))
        .from_(rows).where(exp.column(code).is_(exp.null()).not_()).group_by(exp.column(code))
        .order_by(exp.column("n").desc(), exp.column("id")).limit(MOST_COHORTS)
    )  # fmt: skip
    return [(row["id"], row["n"]) for row in source.ask(query.sql(dialect="duckdb")).to_pylist()]


def _cohorts(source: OmopSource, *, sizes: bool = True) -> dict[str, str]:
    found = _counted(source, "cohort", "cohort_definition_id", "subject_id")
    named: dict[int, str] = {}
    if found and source.has("cohort_definition"):
        names = ("cohort_definition_id", "cohort_definition_name")
        rows = source.ask(source.select("cohort_definition", names).sql(dialect="duckdb")).to_pylist()
        named = {row[names[0]]: row[names[1]] for row in rows if row[names[1]]}
    return {
        f"cohort {code}": f"{named.get(code) or f'cohort {code}'}" + (f" ({n:,} subjects)" if sizes else "")
        for code, n in (found if sizes else sorted(found))
    }


def _conditions(source: OmopSource) -> dict[str, str]:
    found = [(code, n) for code, n in _counted(source, "condition_occurrence", "condition_concept_id", "person_id")
             if code][:MOST_CONDITIONS]  # fmt: skip
    names = names_of(source, [code for code, _ in found])
    return {
        f"concept {code}": f"the first record of {names.get(code) or f'condition {code}'} ({n:,} persons)"
        for code, n in found
    }
