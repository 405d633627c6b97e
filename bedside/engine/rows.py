"""Rows that came from a source become an ordinary cohort, under the same rules as those of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bedside.cohort.cohort import Cohort
from bedside.errors import Faults
from bedside.intake.build import build
from bedside.intake.columns import Column, Table
from bedside.intake.frame import finished

if TYPE_CHECKING:
    from bedside.engine.live import LiveCohort


def in_order(rows: pa.Table, identifier: str | None) -> pa.Table:
    """Rows in the order of their identifiers' bytes, as pages have them; as they came if there is none."""
    if identifier is None:
        return rows
    names = pa.array(Column(rows.column(identifier)).texts(), pa.string())
    return rows.take(pc.sort_indices(names))


def cohort_of_rows(live: LiveCohort, rows: pa.Table, names: Sequence[str], *, first: int = 0) -> Cohort:
    """An ordinary cohort of rows of a live one.

    Parameters
    ----------
    live : LiveCohort
    rows : pyarrow.Table
        Its columns in the order of ``names``.
    first : int
        Place of the first row among all patients.

    Raises
    ------
    Faults
        If the rows are not what the dictionary says.
    """
    table = Table(live.described.table, tuple(names), tuple(Column(c) for c in rows.columns), rows.num_rows)
    built = build(
        table,
        variables=[v for v in live.variables if v.name in names],
        outcomes=live.outcomes,
        identifier=live.identifier,
        treatment=live.treatment if live.treatment is not None and live.treatment.column in names else None,
    )
    if built.faults:
        raise Faults("The rows are not what the dictionary says.", built.faults)
    cohort = finished(
        replace(built, readings=live.readings), key=live.key, title=live.title, short_title=live.short_title,
        summary=live.summary, population=live.population, source=live.source,
        treatment=live.treatment if live.treatment is not None and live.treatment.column in names else None,
    )  # fmt: skip
    return cohort if not first else replace(cohort, rows=np.arange(first, first + rows.num_rows), fingerprint="")
