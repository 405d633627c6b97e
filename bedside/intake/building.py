"""From a staged file and its plan to a cohort's folder, and what that reads each outcome as."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from bedside.errors import Fixable
from bedside.intake.cells import ROW, as_code
from bedside.intake.described import DATA, derived_names, dictionary_of, entry_name
from bedside.intake.entry_units import entry_notes, is_made
from bedside.intake.followed import Followed, followed
from bedside.intake.partial_dates import partial_notes
from bedside.intake.plan import CENSORED, EVENT, ColumnPlan, OutcomePlan, Plan, to_json
from bedside.intake.staging import Progress, Staged
from bedside.intake.steps import Step
from bedside.intake.unread_cells import SHOWN, Rows, Unreadable, unreadable
from bedside.intake.working import Working, open_working


@dataclass(frozen=True)
class OutcomeRead:
    """How an outcome is read, in numbers.

    Attributes
    ----------
    key, label, unit : str
    codes : tuple of (code, meaning, rows)
        Of the status column, as it stands in the file; empty where dates say it all.
    n, n_events, n_competing : int
        Rows that can be followed, and how their follow-up ended.
    shortest, median, longest : float
        Follow-up of these.
    no_time, no_status, negative, late : Rows
        Why others can't be: the last are observed only from after the end of their follow-up.
    """

    key: str
    label: str
    unit: str
    codes: tuple[tuple[str, str, int], ...]
    n: int
    n_events: int
    n_competing: int
    shortest: float
    median: float
    longest: float
    no_time: Rows
    no_status: Rows
    negative: Rows
    late: Rows = field(default_factory=lambda: Rows(0, ()))


@dataclass(frozen=True)
class Report:
    """What an import read, kept and left out.

    Attributes
    ----------
    file : str
    sha256 : str
    rows_read, rows_kept : int
    rejected : Rows
        Lines of another width than the header.
    steps : tuple of (step, rows that it changed or left out)
    outcomes : tuple of OutcomeRead
    left_out : tuple of (reason, Rows)
        Patients who can't be followed for the first outcome.
    set_aside : tuple of str
        Keys of further outcomes that are not known of everybody: each needs a cohort of its own.
    unreadable : tuple of Unreadable
        Cells that became "not recorded".
    columns_kept, columns_dropped : int
    notes : tuple of str
    """

    file: str
    sha256: str
    rows_read: int
    rows_kept: int
    rejected: Rows
    steps: tuple[tuple[Step, int], ...] = ()
    outcomes: tuple[OutcomeRead, ...] = ()
    left_out: tuple[tuple[str, Rows], ...] = ()
    set_aside: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    columns_kept: int = 0
    columns_dropped: int = 0
    notes: tuple[str, ...] = field(default=())


# ------------------------------------------------------------------ how it is read


def how_read(staged: Staged, plan: Plan) -> tuple[OutcomeRead, ...]:
    """Every outcome of a plan in numbers, before anything is kept.

    Raises
    ------
    Fixable
        If an outcome names a column that is not there.
    """
    with open_working(staged, plan) as working:
        return tuple(read_outcome(working, outcome) for outcome in plan.outcomes)


def read_outcome(working: Working, outcome: OutcomePlan) -> OutcomeRead:
    """One outcome in numbers, all counted in one going through the file."""
    _check(working, outcome)
    read = followed(working, outcome)
    time = exp.Cast(this=read.time.copy(), to=exp.DataType.build("DOUBLE"))
    event = exp.EQ(this=read.status.copy(), expression=exp.Literal.string(EVENT))
    other = exp.In(
        this=read.status.copy(), expressions=[exp.Literal.string(CENSORED), exp.Literal.string(EVENT)]
    ).not_()
    wrong = _wrong(read)
    followed_for = exp.Case().when(read.usable, time)
    counted = working.one(
        exp.func("count_if", read.usable), exp.func("count_if", exp.and_(read.usable, event)),
        exp.func("count_if", exp.and_(read.usable, other)), exp.Min(this=followed_for.copy()),
        exp.func("median", followed_for.copy()), exp.Max(this=followed_for.copy()),
        *(exp.func("count_if", where.copy()) for where in wrong.values()),
    )  # fmt: skip
    # Of no rows DuckDB counts nothing, not zero.
    n, events, competing = (n_of or 0 for n_of in counted[:3])
    shortest, median, longest = (math.nan if value is None else float(value) for value in counted[3:6])
    rows = {
        name: Rows(n_of, working.rows(where.copy(), SHOWN)) if n_of else Rows(0, ())
        for (name, where), n_of in zip(wrong.items(), counted[6:], strict=True)
    }
    return OutcomeRead(
        outcome.key, outcome.label, "days" if outcome.of_dates else outcome.unit, _codes(working, outcome), n, events,
        competing, shortest, median, longest, **rows,
    )  # fmt: skip


def _wrong(there: Followed) -> dict[str, exp.Expr]:
    """Why a row can't be followed: each reason holds for rows that those before it don't hold for."""
    nothing = there.time.copy().is_(exp.Null())
    unclear = exp.and_(there.status.copy().is_(exp.Null()), nothing.copy().not_())
    below = exp.and_(
        exp.LT(this=there.time.copy(), expression=exp.Literal.number(0)),
        there.status.copy().is_(exp.Null()).not_(),
    )
    late = {} if there.late is None else {"late": _late(there)}
    return {"no_time": nothing, "no_status": unclear, "negative": below, **late}


def _late(there: Followed) -> exp.Expr:
    """Observation that began too late, in rows that nothing else is wrong with."""
    assert there.late is not None  # the caller has looked
    known = exp.and_(there.status.copy().is_(exp.Null()).not_(),
                     exp.GTE(this=there.time.copy(), expression=exp.Literal.number(0)))  # fmt: skip
    return exp.and_(known, there.late)


def _check(working: Working, outcome: OutcomePlan) -> None:
    known_names = {column.name for column in working.staged.columns}
    for name in outcome.columns:
        if name not in known_names:
            raise Fixable(
                "This outcome can't be read.", f"The file has no column “{name}”.",
                "Choose its columns again; last time the file had other ones.",
            )  # fmt: skip
    if not (outcome.time or outcome.start):
        raise Fixable(
            "This outcome can't be read.", f"“{outcome.label}” has no follow-up.",
            "Choose the column with the follow-up, or the dates at which it began and ended.",
        )  # fmt: skip
    if not (outcome.status or outcome.happened):
        raise Fixable(
            "This outcome can't be read.", f"“{outcome.label}” has no status.",
            "Choose the column that says what happened, or the one with the date of the event.",
        )  # fmt: skip


def _codes(working: Working, outcome: OutcomePlan) -> tuple[tuple[str, str, int], ...]:
    if not outcome.status:
        return ()
    meaning = dict(outcome.meaning)
    query = exp.select(as_code(working.at(outcome.status)).as_("code"), exp.Count(this=exp.Star()).as_("n")).from_(
        working.table
    )
    found = working.ask(
        query.group_by("code").order_by(exp.Ordered(this=exp.column("n"), desc=True), exp.column("code")).limit(200)
    )
    return tuple((str(each), meaning.get(str(each), ""), n) for each, n in found if each is not None)


# ------------------------------------------------------------------ what is written


def build(staged: Staged, plan: Plan, into: Path, *, progress: Progress | None = None) -> Report:
    """Write a cohort's folder: the table, its dictionary, the plan as a recipe and the report.

    Parameters
    ----------
    staged : Staged
    plan : Plan
    into : Path
        An empty folder.
    progress : callable, optional

    Returns
    -------
    Report

    Raises
    ------
    Fixable
        If there is no outcome, nobody can be followed, or the plan does not fit the file.
    """
    tell: Callable[[float, str], None] = progress or (lambda share, sentence: None)
    if not plan.outcomes:
        raise Fixable(
            "No cohort was made.", "The plan names no outcome.", "Say which columns hold the follow-up and the status."
        )
    tell(0.05, "Reading the columns")
    with open_working(staged, plan, progress=lambda share, said: tell(0.05 + 0.25 * share, said)) as working:
        steps = tuple(zip(plan.steps, working.dropped, strict=True))
        tell(0.3, "Counting what is left out")
        seen = _seen(working)
        if not seen.reads[0].n:
            raise Fixable(
                "No cohort was made.", f"No row has both follow-up and status for “{plan.outcomes[0].label}”.",
                "Look at how its columns are read.",
            )  # fmt: skip
        tell(0.4, "Writing the table")
        names = _write(working, plan, seen.kept, into / DATA)
    tell(0.8, "Writing what the columns mean")
    _put(into / "dictionary.json", _described(staged, plan, [outcome for outcome, _ in seen.kept], names))
    report = _report(staged, plan, seen, steps, len(names))
    _put(into / "recipe.json", {"plan": to_json(plan), "reading": asdict(staged.reading), "sha256": staged.sha256})
    _put(into / "report.json", asdict(report))
    return report


def _described(staged: Staged, plan: Plan, outcomes: Sequence[OutcomePlan], names: Sequence[str]) -> dict[str, Any]:
    """The dictionary, with entries that were converted in the columns that were made of them."""
    told = dictionary_of(staged, plan, outcomes, names)
    own = [c.name for c in plan.columns if c.name in names]
    for outcome, entry in zip(outcomes, told["outcomes"], strict=True):
        if not outcome.of_dates and is_made(plan, outcome):
            entry["entry"] = entry_name(outcome, own)
    return told


def foresee(staged: Staged, plan: Plan, *, progress: Progress | None = None) -> Report:
    """What `build` would report, with nothing written.

    Raises
    ------
    Fixable
        If an outcome names no columns, or ones that are not there.
    """
    tell: Callable[[float, str], None] = progress or (lambda share, sentence: None)
    tell(0.1, "Reading the columns")
    with open_working(staged, plan, progress=lambda share, said: tell(0.1 + 0.4 * share, said)) as working:
        steps = tuple(zip(plan.steps, working.dropped, strict=True))
        tell(0.5, "Counting what would be left out")
        seen = _seen(working)
    return _report(staged, plan, seen, steps, len(_kept_columns(plan)))


@dataclass(frozen=True, eq=False)
class _Seen:
    """Every outcome in numbers, those that are known of everybody who is kept, and cells that can't be read."""

    reads: tuple[OutcomeRead, ...]
    kept: tuple[tuple[OutcomePlan, Followed], ...]
    aside: tuple[str, ...]
    unreadable: tuple[Unreadable, ...]
    notes: tuple[str, ...]


def _seen(working: Working) -> _Seen:
    reads = tuple(read_outcome(working, outcome) for outcome in working.plan.outcomes)
    kept, aside = _known_of_all(working, working.plan) if reads else ((), [])
    return _Seen(reads, kept, tuple(aside), unreadable(working),
                 (*entry_notes(working.plan), *partial_notes(working)))  # fmt: skip


def _report(staged: Staged, plan: Plan, seen: _Seen, steps: tuple[tuple[Step, int], ...], n_columns: int) -> Report:
    return Report(
        file=staged.name, sha256=staged.sha256, rows_read=staged.n_rows,
        rows_kept=seen.reads[0].n if seen.reads else 0, rejected=Rows(staged.n_rejected, staged.rejected[:SHOWN]),
        steps=steps, outcomes=seen.reads, left_out=_left_out(seen.reads[0]) if seen.reads else (),
        set_aside=seen.aside, unreadable=seen.unreadable, columns_kept=n_columns,
        columns_dropped=len(staged.columns) - len(_kept_columns(plan)), notes=(*staged.notes, *seen.notes),
    )  # fmt: skip


def _kept_columns(plan: Plan) -> list[ColumnPlan]:
    dropped = {step.column for step in plan.steps if step.kind == "drop_column"}
    return [c for c in plan.columns if c.use != "drop" and c.name not in dropped]


def _put(file: Path, told: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


def _left_out(read: OutcomeRead) -> tuple[tuple[str, Rows], ...]:
    reasons = (
        ("no follow-up", read.no_time),
        ("no known status", read.no_status),
        ("negative follow-up", read.negative),
        ("observed only from after the end of follow-up", read.late),
    )
    return tuple((reason, rows) for reason, rows in reasons if rows.n)


def _known_of_all(working: Working, plan: Plan) -> tuple[tuple[tuple[OutcomePlan, Followed], ...], list[str]]:
    """Outcomes that are known of everybody who can be followed for the first, and the keys of the others."""
    kept, aside = [], []
    first = followed(working, plan.outcomes[0])
    for outcome in plan.outcomes:
        read = followed(working, outcome)
        missing = exp.and_(first.usable, exp.func("coalesce", read.usable, exp.false()).not_())
        if outcome is plan.outcomes[0] or not working.count(missing):
            kept.append((outcome, read))
        else:
            aside.append(outcome.key)
    return tuple(kept), aside


def _write(
    working: Working, plan: Plan, outcomes: Sequence[tuple[OutcomePlan, Followed]], file: Path
) -> tuple[str, ...]:
    """Copy the rows that can be followed into Parquet under the columns' own names."""
    columns = _kept_columns(plan)
    names = [column.name for column in columns]
    query = exp.select(*(working.at(c.name).as_(c.name, quoted=True) for c in columns)).from_(working.table)
    for outcome, read in outcomes:
        if outcome.of_dates:
            time, status = derived_names(outcome, names)
            days = exp.Cast(this=read.time.copy(), to=exp.DataType.build("INTEGER"))
            query = query.select(days.as_(time, quoted=True), read.status.copy().as_(status, quoted=True))
            names += [time, status]
        if read.entry is not None and is_made(plan, outcome):
            entry = exp.Cast(this=read.entry.copy(), to=exp.DataType.build("INTEGER" if outcome.of_dates else "DOUBLE"))
            query = query.select(entry.as_(entry_name(outcome, names), quoted=True))
            names.append(entry_name(outcome, names))
    query = query.where(outcomes[0][1].usable).order_by(exp.column(ROW))
    with working.connection.cursor() as cursor:
        cursor.sql(query.sql(dialect="duckdb")).write_parquet(str(file), compression="zstd")
    return tuple(names)
