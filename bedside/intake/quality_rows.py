"""Rows that stand twice, patients who can't be told apart, and follow-up that ends before it begins."""

from __future__ import annotations

from sqlglot import exp

from bedside.intake.cells import ROW
from bedside.intake.followed import followed
from bedside.intake.footer import footer_of, last_rows
from bedside.intake.plan import OutcomePlan
from bedside.intake.quality import SHOWN, Finding
from bedside.intake.stepping import again, spelling
from bedside.intake.steps import Step
from bedside.intake.working import Working

MOST_LISTED = 100_000
"""Rows that a step names by number, where no rule can."""


def repeated(working: Working) -> list[Finding]:
    """Rows that are alike in every column."""
    places = [f"c{i}" for i in range(len(working.staged.columns))]
    rows, n = _later_of(working, [exp.column(place) for place in places])
    if not n:
        return []
    return [
        Finding(
            "duplicates", "fault", f"{n:,} row{'s are' if n > 1 else ' is'} in the file more than once, alike in every "
            "column.", "Patients who stand twice count twice: intervals become too narrow.", (), n, rows,
            (Step("drop_duplicates", said="Leave out repeated rows"),),
        )
    ]  # fmt: skip


def identifiers(working: Working) -> list[Finding]:
    """One identifier for several rows; identifiers that differ only in blanks, capitals or the form of letters."""
    name = working.plan.identifier
    if not name:
        return []
    found = []
    own = working.at(name)
    rows, n = _later_of(working, [own])
    if n:
        found.append(
            Finding(
                "identifier", "fault", f"{n:,} row{'s have' if n > 1 else ' has'} an identifier that another row has.",
                "Are they visits of one patient, or two patients? A cohort has one row for each.", (name,), n, rows,
                (
                    Step("keep_one", column=name, keep="last", said="Keep the last row of each identifier"),
                    Step("keep_one", column=name, keep="first", said="Keep the first row of each identifier"),
                ),
            )
        )  # fmt: skip
    rows, alike = _later_of(working, [spelling(own)])
    if alike > n:
        found.append(
            Finding(
                "identifier spelling", "doubt",
                f"{alike - n:,} further identifiers are the same but for blanks, capitals or the form of letters.",
                "They may be one patient twice.", (name,), alike - n, rows,
                (Step("same_spelling", column=name, said=f"Write alike identifiers of “{name}” as the first of them"),),
            )
        )  # fmt: skip
    empty = own.copy().is_(exp.Null())
    if lacking := working.count(empty):
        rows = working.rows(empty)
        drop = Step("drop_empty", column=name, said="Leave out rows without identifier")
        found.append(
            Finding("no identifier", "fault", f"{lacking:,} row{'s have' if lacking > 1 else ' has'} no identifier.",
                    "Every patient needs one, or none has any.", (name,), lacking, rows, (drop,))
        )  # fmt: skip
    return found


def footers(working: Working) -> list[Finding]:
    """Lines below the table that are no rows: a sum, a remark."""
    below = footer_of(working.ask(last_rows(working.staged)))
    there = exp.In(this=exp.column(ROW), expressions=[exp.Literal.number(row) for row in below])
    rows = working.rows(there) if below else ()
    if not rows:
        return []
    n = len(rows)
    said = "The last row fills" if n == 1 else f"The last {n} rows fill"
    drop = Step("drop_footer", said="Leave out lines below the table that fill one cell at most")
    return [
        Finding("footer", "fault", f"{said} one cell at most, as a sum or a remark below the table does.",
                "It is no patient.", (), n, rows, (drop,))
    ]  # fmt: skip


def _later_of(working: Working, by: list[exp.Expr]) -> tuple[tuple[int, ...], int]:
    """Rows that are not the first of those that are alike; those without any value are none."""
    found = working.keep(again(working.table, by))
    n = working.count(exp.true(), found)
    return (working.rows(exp.true(), SHOWN, found) if n else ()), n


def ends(working: Working) -> list[Finding]:
    """Follow-up that is negative, none at all, or begins after it ended."""
    found = []
    # Outcomes of the same columns are followed for the same time.
    for outcome in {o.columns: o for o in reversed(working.plan.outcomes)}.values():
        read = followed(working, outcome)
        below = exp.LT(this=read.time.copy(), expression=exp.Literal.number(0))
        if n := working.count(below):
            found.append(
                Finding(
                    "negative follow-up", "fault", f"“{outcome.label}” ends before it begins in {n:,} "
                    f"row{'s' if n > 1 else ''}.", "They can't be followed, and are left out.", outcome.columns, n,
                    working.rows(below), _fixes(working, outcome, below),
                )
            )  # fmt: skip
        nothing = exp.EQ(this=read.time.copy(), expression=exp.Literal.number(0))
        if n := working.count(nothing):
            found.append(
                Finding(
                    "no follow-up", "remark", f"“{outcome.label}” has no follow-up at all (0) in {n:,} "
                    f"row{'s' if n > 1 else ''}.", "They are at risk for no time: only an event at the start counts.",
                    outcome.columns, n, working.rows(nothing),
                )
            )  # fmt: skip
    return found


def _fixes(working: Working, outcome: OutcomePlan, where: exp.Expr) -> tuple[Step, ...]:
    said = "Leave out rows with negative follow-up"
    if not outcome.of_dates:
        return (Step("drop_outside", column=outcome.time, low=0, said=said),)
    if len(outcome.end) != 1 or outcome.happened:
        return (Step("drop_rows", rows=working.rows(where, MOST_LISTED), said=said),)
    end = outcome.end[0]
    swap = f"Exchange “{outcome.start}” and “{end}” where the second is earlier"
    return (
        Step("drop_before", column=outcome.start, other=end, said=said),
        Step("swap_dates", column=outcome.start, other=end, said=swap),
    )
