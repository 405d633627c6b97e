"""What can't have happened in that order: births after time zero, days to come, the living with a date of death, and
groups that are only known because somebody lived long enough to join them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlglot import exp

from bedside.intake.followed import followed
from bedside.intake.guess_outcomes import role_of
from bedside.intake.names import words_of, wordset
from bedside.intake.plan import CENSORED, EVENT, ColumnPlan, OutcomePlan
from bedside.intake.quality import Finding
from bedside.intake.quality_near import GROUPED, kept_columns
from bedside.intake.quality_rows import MOST_LISTED
from bedside.intake.steps import Step
from bedside.intake.working import Working

FITS = 0.95
"""Share of the rows in which a date is there exactly for those of one group, for the group to be made by the date."""
LATE_SHARE = 0.1
"""Share of the dates that lie after time zero, for a group that they make to be immortal time."""
EPOCH = date(1970, 1, 1)
_GIVEN = wordset(
    "treatment therapy treated trt rx chemo chemotherapy radiotherapy transplant transplantation drug dose therapie "
    "behandlung traitement tratamiento terapia trattamento tratamento behandeling "
)


def _dated(working: Working) -> list[ColumnPlan]:
    gone = {step.column for step in working.plan.steps if step.kind == "drop_column"}
    return [c for c in working.plan.columns if c.kind == "date" and c.use != "drop" and c.name not in gone]


def order(working: Working) -> list[Finding]:
    """Births after time zero, days that are still to come, and who lives with a date of death."""
    found = []
    for column in _dated(working):
        found += _to_come(working, column)
        if role_of(column.name) == "birth":
            found += _births(working, column)
    for outcome in working.plan.outcomes[:1]:
        found += _contradictions(working, outcome)
    return found


def _to_come(working: Working, column: ColumnPlan) -> list[Finding]:
    last = datetime.now(UTC).date() + timedelta(days=1)
    ahead = exp.GT(this=working.at(column.name), expression=_day(last))
    n = working.count(ahead)
    if not n:
        return []
    fix = Step("set_missing_outside", column=column.name, high=float((last - EPOCH).days),
               said=f"Count days to come in “{column.name}” as not recorded")  # fmt: skip
    said = f"“{column.name}” lies in the future in {n:,} row{'s' if n > 1 else ''}."
    return [Finding("future", "fault", said, "Follow-up becomes too long.", (column.name,), n, working.rows(ahead),
                    (fix,))]  # fmt: skip


def _day(day: date) -> exp.Expr:
    return exp.Cast(this=exp.Literal.string(day.isoformat()), to=exp.DataType.build("DATE"))


def _births(working: Working, column: ColumnPlan) -> list[Finding]:
    start = next((o.start for o in working.plan.outcomes if o.of_dates), "")
    if not start or start == column.name:
        return []
    after = exp.GT(this=working.at(column.name), expression=working.at(start))
    n = working.count(after)
    if not n:
        return []
    fix = Step("drop_before", column=column.name, other=start,
               said=f"Leave out rows in which “{start}” is before “{column.name}”")  # fmt: skip
    said = f"“{column.name}” is later than “{start}” in {n:,} row{'s' if n > 1 else ''}."
    return [Finding("born later", "fault", said, "One of the two dates is wrong.", (column.name, start), n,
                    working.rows(after), (fix,))]  # fmt: skip


def _contradictions(working: Working, outcome: OutcomePlan) -> list[Finding]:
    """Where a status and the date of the event both stand, and don't agree."""
    if not outcome.status or not outcome.happened:
        return []
    status = followed(working, outcome).status
    day = working.at(outcome.happened).is_(exp.Null())
    found = []
    for kind, meaning, has, what in (
        ("event without status", CENSORED, True, f"have a date in “{outcome.happened}”, though “{outcome.status}” says "
         "that nothing happened"),
        ("event without date", EVENT, False, f"have no date in “{outcome.happened}”, though “{outcome.status}” says "
         "that it happened"),
    ):  # fmt: skip
        says = exp.EQ(this=status.copy(), expression=exp.Literal.string(meaning))
        where = exp.and_(says, day.copy().not_() if has else day.copy())
        n = working.count(where)
        if not n or (not has and not outcome.end):
            continue
        fix = Step("drop_rows", rows=working.rows(where, MOST_LISTED), said=f"Leave out these {n:,} rows")
        found.append(
            Finding(kind, "doubt", f"{n:,} row{'s' if n > 1 else ''} {what}.", "One of the two is wrong.",
                    (outcome.status, outcome.happened), n, working.rows(where), (fix,))
        )  # fmt: skip
    return found


def late(working: Working) -> list[Finding]:
    """Patients observed only from when their follow-up had ended."""
    found = []
    for outcome in {o.columns: o for o in reversed(working.plan.outcomes)}.values():
        read = followed(working, outcome)
        if read.late is None:
            continue
        where = exp.func("coalesce", read.late, exp.false())
        if n := working.count(where):
            fix = Step("drop_rows", rows=working.rows(where, MOST_LISTED), said=f"Leave out these {n:,} rows")
            said = f"Observation for “{outcome.label}” begins only after follow-up ended in {n:,} rows."
            found.append(Finding("late entry", "fault", said, "They are at risk for no time.",
                                 (outcome.entry,), n, working.rows(where), (fix,)))  # fmt: skip
    return found


# ------------------------------------------------------------------ immortal time


def immortal(working: Working) -> list[Finding]:
    """Groups that a patient joins after time zero, which only who lives until then can do."""
    outcome = next((o for o in working.plan.outcomes if o.of_dates), None)
    if outcome is None:
        return []
    dates = [c for c in _dated(working) if c.name not in outcome.columns and role_of(c.name) in ("", "start")]
    groups = [c for c in kept_columns(working) if c.kind in GROUPED]
    found = []
    for column in dates:
        after, known = _after(working, outcome, column)
        if not known or after < LATE_SHARE * known:
            continue
        made = [(group, codes) for group in groups if (codes := _made_by(working, group, column))]
        found += [_immortal(working, outcome, column, group, codes, after, known) for group, codes in made]
        if not made and set(words_of(column.name)) & _GIVEN:
            found.append(_treated_later(outcome, column, after, known))
    return found


def _after(working: Working, outcome: OutcomePlan, column: ColumnPlan) -> tuple[int, int]:
    at = working.at(column.name)
    later = exp.func("count_if", exp.GT(this=at.copy(), expression=working.at(outcome.start)))
    after, known = working.one(later, exp.Count(this=at.copy()))
    return after or 0, known


def _made_by(working: Working, group: ColumnPlan, column: ColumnPlan) -> tuple[str, ...]:
    """Levels of a group that are those with a date; none if the group has nothing to do with it."""
    known = exp.func("count_if", working.at(column.name).is_(exp.Null()).not_())
    at = exp.Cast(this=working.at(group.name), to=exp.DataType.build("VARCHAR"))
    query = exp.select(at.as_("code"), exp.Count(this=exp.Star()).as_("n"), known.as_("known")).from_(working.table)
    rows = [(code, n, dated) for code, n, dated in working.ask(query.group_by("code").limit(50)) if code is not None]
    with_date = tuple(code for code, n, dated in rows if dated >= FITS * n)
    without = [code for code, n, dated in rows if dated <= (1 - FITS) * n]
    return with_date if with_date and without and len(with_date) + len(without) == len(rows) else ()


def _immortal(
    working: Working, outcome: OutcomePlan, column: ColumnPlan, group: ColumnPlan, codes: Sequence[str], after: int,
    known: int,
) -> Finding:  # fmt: skip
    days = exp.Sub(this=working.at(column.name), expression=working.at(outcome.start))
    later = exp.GT(this=working.at(column.name), expression=working.at(outcome.start))
    (median,) = working.one(exp.func("median", days), where=later)
    which = ", ".join(f"“{code[:40]}”" for code in codes[:3])
    said = (
        f"“{group.name}” is {which} for those with a date in “{column.name}”, which lies after time zero for {after:,} "
        f"of {known:,}, by {float(median):,.0f} days in the middle."
    )
    why = (
        "Who died before that day could never join the group: until then its patients are immortal, and it looks "
        "better than it is. Count from that day on, use a landmark, or leave the group out."
    )
    fix = Step("drop_column", column=group.name, said=f"Leave out the column “{group.name}”")
    return Finding("immortal time", "fault", said, why, (group.name, column.name), after, working.rows(later), (fix,))


def _treated_later(outcome: OutcomePlan, column: ColumnPlan, after: int, known: int) -> Finding:
    said = f"“{column.name}” lies after time zero (“{outcome.start}”) for {after:,} of {known:,} patients."
    why = (
        "Groups by what was given then compare who lived long enough to get it with who did not. Choose this date as "
        "time zero, or as the day at which observation began."
    )
    return Finding("immortal time", "doubt", said, why, (column.name,), after)
