"""A cohort as ATLAS exports it, run in the database's own tables (an extra: duckcdm)."""

from __future__ import annotations

import importlib
import json
from types import ModuleType
from typing import Any

from sqlglot import exp

from bedside.errors import Fixable
from bedside.intake.standards.omop_source import OmopSource
from bedside.intake.standards.omop_tables import COLUMNS

WHAT = "The cohort of ATLAS was not made."
SCHEMA = "cdm"
MOST_BYTES = 10 * 2**20
_TARGET = """
CREATE TABLE atlas_cohort (
    cohort_definition_id BIGINT, subject_id BIGINT, cohort_start_date DATE, cohort_end_date DATE
)
"""


def generated(source: OmopSource, told: str) -> str:
    """Fill the table ``entries`` with the persons and days of a cohort definition; its name.

    Parameters
    ----------
    source : OmopSource
    told : str
        JSON, as ATLAS exports a cohort definition.

    Raises
    ------
    Fixable
        If the extra is not installed, the text is no cohort definition, or nobody fits it.
    """
    definition = _read(told)
    circe, render = _extra()
    _schema(source)
    source.run(_TARGET)
    try:
        text = circe.build_cohort_query(
            json.dumps(definition), cdm_schema=SCHEMA, vocabulary_schema=SCHEMA, target_table="main.atlas_cohort",
            result_schema="main", cohort_id=1, generate_stats=False,
        )  # fmt: skip
        query = render.translate(render.render(text), "duckdb")
    except (circe.CirceError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as fault:
        raise Fixable(
            WHAT, "The definition holds something that is not known here.", "Export it from ATLAS again as JSON."
        ) from fault
    source.run(query)
    source.run("CREATE TABLE entries AS SELECT subject_id AS person_id, cohort_start_date AS start FROM atlas_cohort")
    if not source.ask("SELECT count(*) AS n FROM entries").column(0)[0].as_py():
        raise Fixable(WHAT, "Nobody fits the definition.", "Check its concepts against the database's vocabulary.")
    return str(definition.get("Title") or "") or "Cohort of ATLAS"


def _read(told: str) -> dict[str, Any]:
    definition = _json(told)
    if isinstance(definition, dict) and isinstance(definition.get("expression"), dict | str):
        inner = definition["expression"]
        name = definition.get("name", "")
        definition = _json(inner) if isinstance(inner, str) else inner
        if isinstance(definition, dict):
            definition.setdefault("Title", name)
    if not isinstance(definition, dict) or "PrimaryCriteria" not in definition:
        raise Fixable(
            WHAT, "The text is no cohort definition.", "In ATLAS, open the cohort, and take its JSON from “Export”."
        )
    return definition


def _json(text: str) -> Any:
    """What a text says as JSON; None if it is none."""
    try:
        return json.loads(text) if len(text) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        return None


def _extra() -> tuple[ModuleType, ModuleType]:
    try:
        return importlib.import_module("duckcdm.circe"), importlib.import_module("duckcdm.sqlrender")
    except ModuleNotFoundError:
        raise Fixable(
            WHAT, "The package that reads such definitions is not installed.",
            "Run `pip install -r requirements-omop.txt`, then start Bedside again.",
        ) from None  # fmt: skip


def _schema(source: OmopSource) -> None:
    """Every table of the model under its own name and types: kept if it comes from text, else only looked through."""
    source.run("CREATE SCHEMA cdm")
    for table, columns in COLUMNS.items():
        relation = source.tables.get(table)
        name = exp.to_table(f"{SCHEMA}.{table}")
        if relation is None:
            query = exp.select(*(source.empty(column).as_(column) for column in columns)).where(exp.false())
        else:
            query = source.select(table, columns)
        kind = "VIEW" if relation is not None and not relation.is_text else "TABLE"
        source.run(exp.Create(this=name, kind=kind, expression=query).sql(dialect="duckdb"))
