"""Columns: what is missing in them, levels of few patients or several spellings, and what is known only later."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlglot import exp

from bedside.intake.cells import as_code
from bedside.intake.followed import followed
from bedside.intake.names import words_of, wordset
from bedside.intake.plan import ColumnPlan, OutcomePlan
from bedside.intake.quality import Finding
from bedside.intake.quality_near import GROUPED, kept_columns
from bedside.intake.steps import Step
from bedside.intake.working import Working

MOSTLY_MISSING = 0.5
OTHER = "Other"
SPARSE = 5
"""Patients below which nothing can be said of a level."""
MOSTLY_ONE = 0.8
"""By how much more of those who had the event a column has to be recorded for, to be known only afterwards."""
_LATER = wordset(
    "response remission relapse recurrence progression metastasis death died dead cause autopsy outcome toxicity "
    "complication discharge followup fu last final end ende verlauf todesursache rezidiv reponse cause_of_death"
)


def missing(working: Working) -> list[Finding]:
    """Columns that are mostly empty; and whether what is missing goes with what happened."""
    columns = kept_columns(working)
    if not columns:
        return []
    counts = working.one(exp.Count(this=exp.Star()), *(exp.Count(this=working.at(c.name)) for c in columns))
    n, present = counts[0], counts[1:]
    found = []
    for column, known in zip(columns, present, strict=True):
        if known < (1 - MOSTLY_MISSING) * n:
            said = f"“{column.name}” is recorded in {known:,} of {n:,} rows."
            fix = Step("drop_column", column=column.name, said=f"Leave out the column “{column.name}”")
            found.append(Finding("missing", "doubt", said, "A model would have to fill in most of it.", (column.name,),
                                 n - known, (), (fix,)))  # fmt: skip
    return found


def levels(working: Working) -> list[Finding]:
    """One level in several spellings, and levels of a handful of patients."""
    found = []
    for column in kept_columns(working):
        if column.kind not in GROUPED:
            continue
        at = working.at(column.name)
        query = exp.select(as_code(at).as_("v"), exp.Count(this=exp.Star()).as_("n")).from_(working.table)
        counts = [(str(v), n) for v, n in working.ask(query.group_by("v").limit(500)) if v is not None]
        counts.sort(key=lambda each: (-each[1], each[0]))
        found += _spellings(column, counts)
        few = [code for code, n in counts if n < SPARSE and code != OTHER]
        if few and len(counts) > 2:
            n = sum(n for code, n in counts if code in few)
            said = f"{len(few)} of {len(counts)} levels of “{column.name}” have fewer than {SPARSE} patients."
            merge = Step("merge_levels", column=column.name, codes=tuple((code, OTHER) for code in few),
                         said=f"Take {len(few)} rare levels of “{column.name}” together as “{OTHER}”")  # fmt: skip
            fixes = (merge,) if len(few) > 1 and len(counts) - len(few) > 1 else ()
            found.append(
                Finding("sparse levels", "remark", said, "Nothing can be said of so few.", (column.name,), n, (), fixes)
            )
    return found


def _spellings(column: ColumnPlan, counts: Sequence[tuple[str, int]]) -> list[Finding]:
    groups: dict[str, list[tuple[str, int]]] = {}
    for code, n in counts:
        groups.setdefault(_folded(code), []).append((code, n))
    merged = [
        (code, max(same, key=lambda pair: pair[1])[0]) for same in groups.values() if len(same) > 1 for code, _ in same
    ]
    changed = tuple((code, new) for code, new in merged if code != new)
    if not changed:
        return []
    n = sum(n for code, n in counts if code in dict(changed))
    return [
        Finding(
            "spelling", "fault", f"“{column.name}” has levels that are one and the same in several spellings.",
            "They would stand as different groups.", (column.name,), n, (),
            (Step("merge_levels", column=column.name, codes=changed,
                  said=f"Take spellings of “{column.name}” together"),),
        )
    ]  # fmt: skip


def _folded(code: str) -> str:
    flat = unicodedata.normalize("NFKC", code).casefold()
    return " ".join("".join(letter if letter.isalnum() or letter in "+-<>=." else " " for letter in flat).split())


def later(working: Working) -> list[Finding]:
    """Columns that are known only after time zero: by their dates, by who has them recorded, or by their names."""
    plan = working.plan
    columns = kept_columns(working)
    if not plan.outcomes or not columns:
        return []
    outcome = plan.outcomes[0]
    dated = {c.name for c in columns if c.kind == "date" and outcome.of_dates}
    found = [told for c in columns if c.name in dated and (told := _after_start(working, outcome, c)) is not None]
    others = [c for c in columns if c.name not in dated]
    for column, gap in zip(others, _recorded_gaps(working, outcome, others), strict=True):
        if gap is not None and abs(gap) > MOSTLY_ONE:
            who = "who had the event" if gap > 0 else "who did not have the event"
            found.append(_told(column, f"“{column.name}” is recorded almost only for patients {who}.", 0, True))
        elif set(words_of(column.name)) & _LATER and column.kind != "text":
            found.append(_told(column, f"“{column.name}” sounds as if it were known only later.", 0, False))
    return found


def _after_start(working: Working, outcome: OutcomePlan, column: ColumnPlan) -> Finding | None:
    at = working.at(column.name)
    after = exp.GT(this=at.copy(), expression=working.at(outcome.start))
    n, known = working.one(exp.func("count_if", after), exp.Count(this=at.copy()))
    if not known or n <= 0.5 * known:
        return None
    return _told(column, f"“{column.name}” lies after the start in {n:,} of {known:,} rows.", n, True)


def _recorded_gaps(working: Working, outcome: OutcomePlan, columns: Sequence[ColumnPlan]) -> list[float | None]:
    """By how much more a column is recorded for those who had the event, as shares, all in one going through."""
    if not columns:
        return []
    had = exp.EQ(this=followed(working, outcome).status.copy(), expression=exp.Literal.string("event"))
    table = exp.select(had.as_("had"), *(working.at(c.name) for c in columns)).from_(working.table).subquery("told")
    counts = [exp.Count(this=working.at(c.name)) for c in columns]
    rows = working.ask(exp.select(exp.column("had"), exp.Count(this=exp.Star()), *counts).from_(table).group_by("had"))
    by = {had: (n, known) for had, n, *known in rows}
    if True not in by or False not in by:
        return [None] * len(columns)
    (n_had, with_event), (n_not, without) = by[True], by[False]
    return [one / n_had - other / n_not for one, other in zip(with_event, without, strict=True)]


def _told(column: ColumnPlan, said: str, n: int, sure: bool) -> Finding:
    fix = Step("drop_column", column=column.name, said=f"Leave out the column “{column.name}”")
    why = "What is known only after time zero foretells the past: mark it as known only later, or leave it out."
    return Finding("known later", "fault" if sure else "doubt", said, why, (column.name,), n, (), (fix,))
