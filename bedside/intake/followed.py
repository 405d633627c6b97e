"""What an outcome makes of each row: how long it was followed, how that ended, and from when on it was observed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from bedside.intake.cells import ROW, as_code
from bedside.intake.ends import parted
from bedside.intake.entry_units import entry_factor
from bedside.intake.partial_dates import spanning
from bedside.intake.plan import OutcomePlan
from bedside.intake.working import Working


@dataclass(frozen=True, eq=False)
class Followed:
    """An outcome's follow-up and status as expressions over a working table."""

    time: exp.Expr
    status: exp.Expr
    entry: exp.Expr | None = None

    @property
    def usable(self) -> exp.Expr:
        """True where both are known, the follow-up is not negative, and observation began before it ended."""
        return exp.and_(
            self.time.copy().is_(exp.Null()).not_(), self.status.copy().is_(exp.Null()).not_(),
            exp.GTE(this=self.time.copy(), expression=exp.Literal.number(0)), *([] if self.late is None else
            [exp.func("coalesce", self.late, exp.false()).not_()]),
        )  # fmt: skip

    @property
    def late(self) -> exp.Expr | None:
        """True where observation began only when follow-up had ended; None if everybody is observed from time zero."""
        if self.entry is None:
            return None
        return exp.GTE(this=self.entry.copy(), expression=self.time.copy())


def followed(working: Working, outcome: OutcomePlan) -> Followed:
    """How long each row was followed (in days between dates, else in the outcome's unit) and how that ended.

    The status is the meaning of its code; NULL where that is unknown. A date of death or of another event ends
    follow-up; of dates of contact the latest that is recorded does. An end of which only the month or the year is
    known, and that may lie on or after the beginning, is not before it.
    """
    happened = working.at(outcome.happened) if outcome.happened else None
    if outcome.status:
        status = exp.Case()
        for code, meaning in outcome.meaning:
            is_code = exp.EQ(this=as_code(working.at(outcome.status)), expression=exp.Literal.string(code))
            status = status.when(is_code, exp.Null() if meaning == "missing" else exp.Literal.string(meaning))
        status = status if outcome.meaning else exp.Null()
    else:
        had = (happened or exp.Null()).copy().is_(exp.Null()).not_()
        status = exp.Case().when(had, exp.Literal.string("event")).else_(exp.Literal.string("censored"))
    if not outcome.of_dates:
        return Followed(working.at(outcome.time), status, _entry(working, outcome))
    events, contacts = parted(outcome.end)
    days: list[exp.Expr] = [working.at(name) for name in events]
    if contacts:
        days.append(_greatest([working.at(name) for name in contacts]))
    end = exp.func("coalesce", *days) if days else exp.Null()
    if happened is not None:
        had = exp.and_(
            happened.copy().is_(exp.Null()).not_(),
            exp.NEQ(this=status.copy(), expression=exp.Literal.string("censored")),
        )
        end = exp.Case().when(had, happened.copy()).else_(end)
    start = working.at(outcome.start)
    entry = exp.Sub(this=working.at(outcome.entry), expression=start.copy()) if outcome.entry else None
    time = exp.Sub(this=end.copy(), expression=start.copy())
    rows = spanning(working, outcome, end)
    if rows:
        inside = exp.In(this=exp.column(ROW), query=exp.select(exp.column(ROW)).from_(rows).subquery())
        time = exp.Case().when(inside, exp.Literal.number(0)).else_(time)
    return Followed(time, status, entry)


def _entry(working: Working, outcome: OutcomePlan) -> exp.Expr | None:
    """When observation began, in the unit of the follow-up."""
    factor = entry_factor(working.plan, outcome)
    entry = working.at(outcome.entry) if outcome.entry else None
    return entry if entry is None or factor == 1.0 else exp.Mul(this=entry, expression=exp.Literal.number(factor))


def _greatest(days: list[exp.Expr]) -> exp.Expr:
    """The latest of those that are recorded."""
    return exp.Greatest(this=days[0], expressions=days[1:], ignore_nulls=True) if len(days) > 1 else days[0]
