"""A cohort from a data frame, under the same rules as one from a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from bedside.cohort.cohort import Cohort, Visits
from bedside.cohort.outcome import Outcome, Source, Treatment
from bedside.cohort.variable import Variable
from bedside.errors import Fault, Faults
from bedside.intake.build import Built, build
from bedside.intake.columns import Column, Table, clean_name
from bedside.intake.dictionary import cleaned

FILE = "data frame"
UNKNOWN_SOURCE = Source(citation="Not stated.", licence="Not stated.", origin="A data frame in memory.")


def cohort_from_frame(
    frame: pd.DataFrame,
    *,
    outcomes: Sequence[Outcome],
    key: str = "cohort",
    variables: Sequence[Variable] = (),
    identifier: str | None = None,
    title: str = "",
    short_title: str = "",
    summary: str = "",
    population: str = "",
    treatment: Treatment | None = None,
    source: Source = UNKNOWN_SOURCE,
    visits: Visits | None = None,
    undeclared: str = "predictor",
) -> Cohort:
    """A cohort from a data frame, for notebooks and tests.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row for each patient.
    outcomes : sequence of Outcome
        At least one. Without codes the status is read by convention.
    variables : sequence of Variable
        What is known of the columns; the others are understood from their
        values and get the use ``undeclared``.

    Returns
    -------
    Cohort
        ``readings`` says what was read by convention.

    Raises
    ------
    Faults
        With everything that is wrong, by column and row number.
    """
    columns = [Column.of(frame.iloc[:, i]) for i in range(frame.shape[1])]
    table, faults = table_of(FILE, [str(name) for name in frame.columns], columns)
    built = build(
        table,
        variables=[cleaned(v) for v in variables],
        outcomes=outcomes,
        identifier=None if identifier is None else clean_name(identifier),
        treatment=treatment,
        undeclared=undeclared,
        declared_in="declaration",
    )
    if faults or built.faults:
        raise Faults("The data frame is not a cohort yet.", (*faults, *built.faults))
    words = {"title": title or key, "short_title": short_title or title or key, "summary": summary}
    return finished(built, key=key, population=population, treatment=treatment, source=source, visits=visits, **words)


def finished(built: Built, **words: Any) -> Cohort:
    """A cohort from what was built and the words about it."""
    return Cohort(
        identifier=built.identifier,
        variables=built.variables,
        outcomes=built.outcomes,
        frame=built.frame,
        readings=built.readings,
        **words,
    )


def table_of(file: str, names: Sequence[str], columns: Sequence[Column]) -> tuple[Table, tuple[Fault, ...]]:
    """Columns under cleaned names; a fault for every name that is empty or stands twice."""
    cleaned = [clean_name(name) for name in names]
    faults = [
        Fault(file, f"column {i + 1}", "a name in the header", "none") for i, name in enumerate(cleaned) if not name
    ]
    for name, n in Counter(cleaned).items():
        if n > 1 and name:
            faults.append(Fault(file, name, "each column name once, blanks around it not counted", f"{n} columns"))
    kept = {name: column for name, column in reversed(list(zip(cleaned, columns, strict=True))) if name}
    order = [name for name in dict.fromkeys(cleaned) if name]
    n_rows = len(columns[0]) if columns else 0
    return Table(file, tuple(order), tuple(kept[name] for name in order), n_rows), tuple(faults)
