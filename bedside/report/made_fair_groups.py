"""How the subgroup forest and Table 1 were made: methods, the analysed rows, and scripts that recompute them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping, group_by
from bedside.cohort.table_by import TableBy
from bedside.report import made_scripts_fair_groups as scripts
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_words import sentence, software
from bedside.report.table_export import notes
from bedside.survival.columns import columns_of
from bedside.treatment import SubgroupForest

SUBGROUP_DATA, TABLE_DATA = "subgroup-data.csv", "table-1-data.csv"


def subgroups_made(
    cohort: Cohort, outcome: Outcome, grouping: Grouping, found: SubgroupForest, filters: Sequence[str] = ()
) -> Made:
    """How hazard ratios in subgroups and tests of interaction were made.

    Parameters
    ----------
    cohort, outcome, grouping
        As `found` was made with, by `treatment.subgroups`.
    found : SubgroupForest
    filters : sequence of str
        The filter in words.

    Returns
    -------
    Made
        Its scripts print everybody's hazard ratios and those at each level; bedside's the tests of interaction too.
    """
    chosen = f" Patients were chosen by: {'; '.join(filters)}." if filters else ""
    against = found.labels[found.reference]
    titles = [row.title for row in found.rows]
    text = (
        f"{outcome.label} was compared in {say.patients(found.overall.n)} of “{cohort.title}” "
        f"({sentence(cohort.source.citation)}) with {say.events(found.overall.events)}.{chosen} Hazard ratios against "
        f"“{against}” are from Cox models (Efron's ties) in everybody and in each subgroup, with Wald "
        f"{found.level:.0%} confidence intervals; nothing else was adjusted for. Whether the hazard ratio differs "
        "between the levels of a variable was tested by a likelihood ratio test of its interaction with the group"
        + (f" ({', '.join(titles)})" if titles else "")
        + ". The tests are not corrected for their number, and no p-value is given within a subgroup. "
        + software(cohort)
    )
    counted = columns_of(cohort, outcome)
    inside = grouping.codes[counted.kept] >= 0
    rows, kept = counted.rows.take(inside), counted.kept[inside]
    columns: list[tuple[str, list]] = [("time", rows.time.tolist()), ("event", rows.event.astype(int).tolist())]
    columns += [("entry", rows.entry.tolist())] if rows.entry is not None else []
    columns.append(("group", named(grouping.codes[kept], grouping.labels)))
    levels = []
    for place, row in enumerate(found.rows, start=1):
        by = group_by(cohort, row.variable.name)
        levels.append((row.title, by.labels))
        columns.append((f"x{place} {row.title}", named(by.codes[kept], by.labels)))
    late = rows.entry is not None
    held = (
        ("bedside", scripts.subgroups(found, levels, SUBGROUP_DATA, entry=late)),
        ("lifelines", scripts.subgroups_lifelines(found, levels, SUBGROUP_DATA, entry=late)),
    )
    return Made(text, held, _table(columns), SUBGROUP_DATA)


def table_made(cohort: Cohort, grouping: Grouping, found: TableBy, *, tests: bool, filters: Sequence[str] = ()) -> Made:
    """How Table 1 was made.

    Parameters
    ----------
    cohort, grouping
        As `found` was made with, by `table_by`.
    found : TableBy
    tests : bool
        Whether the tests are shown.
    filters : sequence of str
        The filter in words.

    Returns
    -------
    Made
        Its script prints every number of the table.
    """
    chosen = f" Patients were chosen by: {'; '.join(filters)}." if filters else ""
    rule = (
        " Groups were compared by Welch's t test or analysis of variance; by Wilcoxon's or Kruskal-Wallis' rank test "
        "where values were skewed or ordered; and by the chi-squared test, or Fisher's exact test where an expected "
        "count was below 5."
    )
    text = (
        f"Characteristics of “{cohort.title}” ({sentence(cohort.source.citation)}) by “{found.title}”."
        f"{chosen} {' '.join(notes(found, tests=tests))}{rule if tests else ''} {software(cohort)}"
    )
    kept = np.flatnonzero(grouping.codes >= 0)
    columns: list[tuple[str, list]] = [("group", named(grouping.codes[kept], grouping.labels))]
    for place, row in enumerate(found.rows, start=1):
        values = cohort.frame[row.variable.name].iloc[kept]
        if row.numbers:
            cells = values.to_numpy(dtype=float).tolist()
        else:
            cells = named(values.cat.codes.to_numpy(), [level.label for level in row.levels])
        columns.append((f"x{place} {row.variable.label}", cells))
    return Made(text, (("bedside", scripts.table(found, TABLE_DATA, tests=tests)),), _table(columns), TABLE_DATA)


def named(codes: np.ndarray, labels: Sequence[str]) -> list[str | None]:
    """Each patient's level as its number, from 1, and its name: two may look alike, and a name may begin a formula."""
    words = [f"{place} {label}" for place, label in enumerate(labels, start=1)]
    return [words[code] if code >= 0 else None for code in codes.tolist()]


def _table(columns: list[tuple[str, list]]) -> tuple[tuple[str, ...], list[tuple]]:
    return tuple(name for name, _ in columns), list(zip(*(cells for _, cells in columns), strict=True))
