"""What is nearly the same: patients under two identifiers, columns that say one thing twice, gaps that go together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sqlglot import exp

from bedside.intake.cells import ROW
from bedside.intake.plan import ColumnPlan
from bedside.intake.quality import SHOWN, Finding
from bedside.intake.stepping import again
from bedside.intake.steps import Step
from bedside.intake.working import Working

MOST_PAIRS = 60
"""Columns up to which all pairs are compared."""
FIRST_ROWS = 20_000
"""Rows by which it is judged whether two columns are worth comparing in all."""
NEARLY = 0.99
"""Correlation from which two columns say nearly the same."""
LEAST_BITS = 12.0
"""By how much, in powers of two, the ways in which a row can be must outnumber the pairs of rows, for two alike rows
to be hardly chance."""
MOST_PATTERNS = 2_000
GROUPED = ("binary", "categorical", "ordinal")


def kept_columns(working: Working) -> list[ColumnPlan]:
    """Columns that describe patients: no outcome, none that is left out."""
    outcomes = {name for outcome in working.plan.outcomes for name in outcome.columns}
    outcomes |= {step.column for step in working.plan.steps if step.kind == "drop_column"}
    return [c for c in working.plan.columns if c.use in ("predictor", "optional") and c.name not in outcomes]


def constant(working: Working) -> list[Finding]:
    """Columns that hold one value for everybody, or none."""
    gone = {step.column for step in working.plan.steps if step.kind == "drop_column"}
    columns = [c for c in working.plan.columns if c.name not in gone and c.use not in ("identifier", "outcome")]
    if not columns:
        return []
    asked = [each for c in columns for each in (exp.Min(this=working.at(c.name)), exp.Max(this=working.at(c.name)),
                                                exp.Count(this=working.at(c.name)))]  # fmt: skip
    n, *found = working.one(exp.Count(this=exp.Star()), *asked)
    told = []
    for i, column in enumerate(columns):
        low, high, known = found[3 * i : 3 * i + 3]
        if n < 2 or low != high or 0 < known < n:
            continue
        what = "holds one value for everybody" if known else "is empty"
        fixes = () if column.use == "drop" else (_leave_out(column.name),)
        why = "It tells nobody apart." + (" It is left out." if column.use == "drop" else "")
        told.append(Finding("constant", "remark", f"“{column.name}” {what}.", why, (column.name,), 0, (), fixes))
    return told


def _leave_out(name: str) -> Step:
    return Step("drop_column", column=name, said=f"Leave out the column “{name}”")


# ------------------------------------------------------------------ rows


def twins(working: Working) -> list[Finding]:
    """Rows alike in every column but the identifier, where so much is recorded that it is hardly chance."""
    name = working.plan.identifier
    others = [c for c in working.staged.columns if c.name != name]
    if not name or len(others) < 3:
        return []
    places = [working.at(c.name) for c in others]
    n, *ways = working.one(exp.Count(this=exp.Star()), *(exp.func("approx_count_distinct", p) for p in places))
    bits = sum(_bits(each) for each in ways)
    if n < 2 or bits < 2 * _bits(n) + LEAST_BITS:
        return []
    found = working.keep(again(working.table, places))
    if not working.count(exp.true(), found):
        return []
    # Rows alike in the identifier as well are named as such already.
    whole = working.keep(again(working.table, [*places, working.at(name)]))
    further = exp.column(ROW).isin(query=exp.select(exp.column(ROW)).from_(whole)).not_()
    n = working.count(further, found)
    if not n:
        return []
    said = f"{n:,} row{'s are' if n > 1 else ' is'} alike to another in every column but the identifier."
    fix = Step("drop_alike", column=name, said=f"Leave out rows alike but for “{name}”")
    return [Finding("twins", "doubt", said, "They may be one patient under two identifiers.", (name,), n,
                    working.rows(further, SHOWN, found), (fix,))]  # fmt: skip


def _bits(ways: int) -> float:
    return math.log2(max(int(ways), 1))


# ------------------------------------------------------------------ columns


def alike(working: Working) -> list[Finding]:
    """Two columns that say the same, or nearly: numbers that run together, groups that are one another's names."""
    columns = kept_columns(working)
    numbers = [c for c in columns if c.kind == "continuous"][:MOST_PAIRS]
    groups = [c for c in columns if c.kind in GROUPED][:MOST_PAIRS]
    return [*_numbers_alike(working, numbers), *_groups_alike(working, groups)]


def _numbers_alike(working: Working, columns: Sequence[ColumnPlan]) -> list[Finding]:
    found = []
    for i, one in enumerate(columns[:-1]):
        asked = [exp.func("corr", working.at(one.name), working.at(c.name)) for c in columns[i + 1 :]]
        for other, value in zip(columns[i + 1 :], working.one(*asked), strict=True):
            if value is not None and value == value and abs(value) > NEARLY:
                same = "the same" if abs(value) > 0.9999 else f"nearly the same (correlation {value:.3f})"
                found.append(_same(one, other, same))
    return found


def _groups_alike(working: Working, columns: Sequence[ColumnPlan]) -> list[Finding]:
    pairs = [(one, other) for i, one in enumerate(columns) for other in columns[i + 1 :]]
    if not pairs:
        return []
    first = working.keep(
        exp.select(exp.column(ROW), *(working.at(c.name) for c in columns)).from_(working.table).limit(FIRST_ROWS)
    )
    near = [pair for pair, is_same in zip(pairs, _renamed(working, pairs, first), strict=True) if is_same]
    told = _renamed(working, near, working.table) if near else []
    return [_same(one, other, "the same") for (one, other), is_same in zip(near, told, strict=True) if is_same]


def _renamed(working: Working, pairs: Sequence[tuple[ColumnPlan, ColumnPlan]], table: str) -> list[bool]:
    """For each pair of columns whether every level of one is one level of the other, and both are missing together."""
    asked: list[exp.Expr] = []
    for one, other in pairs:
        a, b = working.at(one.name), working.at(other.name)
        both = exp.Anonymous(this="hash", expressions=[a.copy(), b.copy()])
        one_gone, other_gone = a.copy().is_(exp.Null()), b.copy().is_(exp.Null())
        asked += [
            exp.Count(this=exp.Distinct(expressions=[exp.Anonymous(this="hash", expressions=[a.copy()])])),
            exp.Count(this=exp.Distinct(expressions=[exp.Anonymous(this="hash", expressions=[b.copy()])])),
            exp.Count(this=exp.Distinct(expressions=[both])),
            exp.func("count_if", exp.NEQ(this=exp.paren(one_gone), expression=exp.paren(other_gone))),
        ]  # fmt: skip
    counts = working.one(*asked, table=table)
    return [counts[i] == counts[i + 1] == counts[i + 2] > 1 and counts[i + 3] == 0 for i in range(0, 4 * len(pairs), 4)]


def _same(one: ColumnPlan, other: ColumnPlan, how: str) -> Finding:
    said, why = f"“{one.name}” and “{other.name}” say {how}.", "A model can't tell which of them counts."
    return Finding("alike", "doubt", said, why, (one.name, other.name), 0, (), (_leave_out(other.name),))


# ------------------------------------------------------------------ what is missing together


def together(working: Working) -> list[Finding]:
    """Columns that are missing in exactly the same rows, as where a form was not filled in."""
    columns = kept_columns(working)[:MOST_PAIRS]
    if len(columns) < 2:
        return []
    known = [exp.Case().when(working.at(c.name).is_(exp.Null()), exp.Literal.string("0")).else_(exp.Literal.string("1"))
             for c in columns]  # fmt: skip
    pattern = exp.Anonymous(this="concat", expressions=known)
    query = exp.select(pattern.as_("pattern"), exp.Count(this=exp.Star()).as_("n")).from_(working.table)
    patterns = working.ask(query.group_by("pattern").limit(MOST_PATTERNS + 1))
    if len(patterns) > MOST_PATTERNS:
        return []
    n = sum(rows for _, rows in patterns)
    by_gaps: dict[str, list[ColumnPlan]] = {}
    for i, column in enumerate(columns):
        by_gaps.setdefault("".join(each[i] for each, _ in patterns), []).append(column)
    found = []
    for gaps, same in by_gaps.items():
        missing = sum(rows for (_, rows), known_there in zip(patterns, gaps, strict=True) if known_there == "0")
        if len(same) < 2 or not 2 <= missing < n:
            continue
        names = ", ".join(f"“{c.name}”" for c in same[:6]) + (f" and {len(same) - 6} more" if len(same) > 6 else "")
        said = f"{names} are missing together, in the same {missing:,} of {n:,} rows."
        gone = exp.and_(*(working.at(c.name).is_(exp.Null()) for c in same))
        why = (
            "Who was not examined may differ from the others: leaving these rows out, or filling them in, is a choice."
        )
        found.append(Finding("missing together", "remark", said, why, tuple(c.name for c in same), missing,
                             working.rows(gone)))  # fmt: skip
    return found
