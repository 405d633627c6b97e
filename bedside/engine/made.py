"""What a live cohort makes of the columns of its source, in the source: times between dates, who can be followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from bedside.cohort.outcome import Outcome
from bedside.cohort.variable import Variable
from bedside.engine.sql import SqlEngine
from bedside.engine.tree import Family, Question
from bedside.intake.columns import MISSING
from bedside.intake.ends import parted

if TYPE_CHECKING:
    from bedside.intake.live_told import LiveTold

MOST = 1.7e308
"""Numbers above are none."""


def made_columns(question: Question, told: LiveTold) -> dict[str, tuple[exp.Expression, Family]]:
    """The columns that ``live.json`` says are made, for `SqlEngine.refined`."""
    made: dict[str, tuple[exp.Expression, Family]] = {}
    for name, codes in told.missing.items():
        written = question.spell(name, codes).present
        column = question.raw(name)
        if written:
            gone = exp.In(this=column, expressions=[question.value(value) for value in written])
            made[name] = (exp.Case().when(gone, exp.null()).else_(column.copy()), question.fields[name].family)
    for name, span in told.times.items():
        happened = tuple(told.happened.values())
        made[name] = (days_between(question, span.start, span.ends, told.time_zone, happened), "whole")
    for name, date in told.happened.items():
        there = question.day(date, told.time_zone).is_(exp.null()).not_()
        made[name] = (exp.Case().when(there, exp.Literal.number(1)).else_(exp.Literal.number(0)), "whole")
    return made


def days_between(
    question: Question, start: str, ends: Sequence[str], zone: str = "UTC", happened: Sequence[str] = ()
) -> exp.Expression:
    """Whole days from a date to the first recorded day of an event, else to the latest recorded contact."""
    events, contacts = parted(ends, happened)
    days: list[exp.Expression] = [question.day(name, zone) for name in events]
    if contacts:
        first, *others = (question.day(name, zone) for name in contacts)
        days.append(exp.Greatest(this=first, expressions=others, ignore_nulls=True) if others else first)
    end = exp.Coalesce(this=days[0], expressions=days[1:]) if len(days) > 1 else days[0]
    apart = exp.DateDiff(this=end, expression=question.day(start, zone), unit=exp.var("DAY"))
    return exp.cast(apart, "bigint")


@dataclass(frozen=True)
class FollowedIn:
    """Who can be followed.

    Attributes
    ----------
    n : int
        Rows that can be, for the first outcome.
    left_out : tuple of (reason, rows)
    known : tuple of int
        For each outcome, of these rows, how many can be followed for it too.
    repeated : int
        Of these rows, how many have an identifier that another row has, or none.
    outcome : Outcome
        The first.
    strange : frozenset of str
        Variables that may hold, in these rows, a code which is none of their levels: who asks more closely may find
        that it is only spelled otherwise.
    """

    n: int
    left_out: tuple[tuple[str, int], ...]
    known: tuple[int, ...]
    repeated: int
    outcome: Outcome
    strange: frozenset[str] = frozenset()

    def usable(self, question: Question) -> exp.Expression:
        """True for these rows."""
        return usable(question, self.outcome)


def followed_in(
    engine: SqlEngine, outcomes: Sequence[Outcome], identifier: str | None, variables: Sequence[Variable] = ()
) -> FollowedIn:
    """Count in one pass who can be followed for the first outcome, why others can't, and for whom all else is known.

    Parameters
    ----------
    engine : SqlEngine
    outcomes : sequence of Outcome
    identifier : str or None
    variables : sequence of Variable
        Of those with levels, it is looked whether other codes occur.
    """
    first = outcomes[0]
    levelled = [v for v in variables if v.is_grouping and v.levels]

    def asked(question: Question) -> list[exp.Expression]:
        kept = usable(question, first)
        parts = [question.total_if(kept)]
        parts += [question.total_if(condition) for _, condition in _reasons(question, first)]
        parts += [question.total_if(exp.and_(kept.copy(), usable(question, each))) for each in outcomes]
        parts += [question.total_if(exp.and_(kept.copy(), _strange(question, v))) for v in levelled]
        if identifier is not None:
            named = engine.by_bytes(exp.Case().when(kept.copy(), question.text(identifier)))
            parts.append(exp.Count(this=exp.Distinct(expressions=[named])))
        return parts

    told = iter([int(value) for value in engine.one(asked)])
    n = next(told)
    left = tuple((reason, count) for reason, _ in _reasons(engine.question(), first) if (count := next(told)))
    known = tuple(next(told) for _ in outcomes)
    strange = frozenset(v.name for v in levelled if next(told))
    return FollowedIn(n, left, known, n - next(told, n), first, strange)


def _strange(question: Question, variable: Variable) -> exp.Expression:
    """True where a column holds something else than the codes of its levels as they are usually written."""
    usual = [*variable.codes, *sorted(MISSING)]
    text = question.text(variable.name)
    return exp.not_(exp.In(this=text, expressions=[question.value(code) for code in usual]))


def usable(question: Question, outcome: Outcome) -> exp.Expression:
    """True where follow-up and status are known, and observation began before follow-up ended."""
    known = exp.and_(_timed(question, outcome), _positive(question, outcome), _told(question, outcome))
    return exp.and_(known, exp.not_(_late(question, outcome))) if outcome.entry else known


def _reasons(question: Question, outcome: Outcome) -> list[tuple[str, exp.Expression]]:
    timed, told, positive = (make(question, outcome) for make in (_timed, _told, _positive))
    found: list[tuple[str, exp.Expression]] = [
        ("no follow-up", exp.not_(timed)),
        ("no known status", exp.and_(timed.copy(), exp.not_(told))),
        ("negative follow-up", exp.and_(timed.copy(), told.copy(), exp.not_(positive))),
    ]
    if outcome.entry:
        late = exp.and_(timed.copy(), told.copy(), positive.copy(), _late(question, outcome))
        found.append(("observed only from after the end of follow-up", late))
    return found


def _timed(question: Question, outcome: Outcome) -> exp.Expression:
    time = question.number(outcome.time)
    return exp.and_(time.is_(exp.null()).not_(), exp.Between(
        this=time.copy(), low=question.value(-MOST), high=question.value(MOST)))  # fmt: skip


def _positive(question: Question, outcome: Outcome) -> exp.Expression:
    return exp.GTE(this=question.number(outcome.time), expression=exp.Literal.number(0))


def _told(question: Question, outcome: Outcome) -> exp.Expression:
    written = question.spell(outcome.status, outcome.codes).present
    if not written:
        return exp.false()
    column = question.raw(outcome.status)
    within = exp.In(this=column, expressions=[question.value(value) for value in written])
    return exp.and_(column.copy().is_(exp.null()).not_(), within)


def _late(question: Question, outcome: Outcome) -> exp.Expression:
    """False, not unknown, where no entry is recorded."""
    entry = question.number(outcome.entry)
    late = exp.GTE(this=entry, expression=question.number(outcome.time))
    return exp.and_(entry.copy().is_(exp.null()).not_(), late)
