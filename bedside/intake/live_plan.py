"""From a plan to the folder of a cohort that is counted where its rows are, and what it reads each outcome as there."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from bedside.cohort.codes import normal_code
from bedside.cohort.outcome import Outcome
from bedside.engine.ask import Counted, Level, Number
from bedside.engine.live import LiveCohort
from bedside.engine.made import followed_in, made_columns, usable
from bedside.engine.sql import SqlEngine
from bedside.errors import Fixable
from bedside.intake.building import OutcomeRead, Rows
from bedside.intake.described import derived_names, dictionary_of, entry_name, entry_of
from bedside.intake.dictionary import FILE, OutcomeEntry
from bedside.intake.entry_units import is_made
from bedside.intake.from_source import EngineOfSource, open_live
from bedside.intake.live_told import FILE as LIVE
from bedside.intake.live_told import LiveTold, Span
from bedside.intake.plan import CENSORED, EVENT, ColumnPlan, Guessed, OutcomePlan, Plan
from bedside.intake.staging import Staged

MOST_LEVELS = 500
"""Codes of one column; with more it is no grouping."""
_WHAT = "This can't be counted in the source."
_NEXT = "Import the table, or let whoever looks after the source make a view in which it is as it should be."


@dataclass(frozen=True)
class Fit:
    """What of a plan can be done where the rows are.

    Attributes
    ----------
    in_the_way : tuple of str
        Why the cohort can't be counted there, in sentences; empty if it can.
    left_out : tuple of (column, reason)
        Columns that stay out of it.
    """

    in_the_way: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def fit_of(staged: Staged, plan: Plan) -> Fit:
    """Whether what a plan asks can be done in the source; nothing is asked of the source.

    Notes
    -----
    There, columns are taken as they are typed. Numbers and dates that are written as text, rows that a step would put
    right and statuses that depend on two columns at once are for an import, or for a view.
    """
    stops, left = [], []
    steps = [step for step in plan.steps if step.kind != "drop_column"]
    if steps:
        stops.append(f"The plan puts rows right in {len(steps)} step{'s' if len(steps) != 1 else ''}.")
    needed = {name for outcome in plan.outcomes for name in outcome.columns} | {plan.identifier, plan.treatment}
    for column in _kept(plan):
        what = _wrong_type(column, staged.column(column.name).kind)
        if what and column.name in needed:
            stops.append(f"“{column.name}” holds {what}.")
        elif what:
            left.append((column.name, what))
    stops += [why for outcome in plan.outcomes for why in _outcome_stops(staged, outcome)]
    stops += [f"“{o.entry}” is in another unit than the follow-up of “{o.label}”."
              for o in plan.outcomes if not o.of_dates and is_made(plan, o)]  # fmt: skip
    if not plan.outcomes:
        stops.append("The plan names no outcome.")
    return Fit(tuple(dict.fromkeys(stops)), tuple(left))


def countable(staged: Staged, guessed: Guessed) -> Guessed:
    """A guess with those of its outcomes that can be counted in the source; with all of them where none can.

    Where a status says who had the event, its date only says when follow-up ended.
    """
    plan = guessed.plan
    outcomes = [_by_status(outcome) for outcome in plan.outcomes]
    alone = replace(plan, identifier="", treatment="", steps=())
    counted = tuple(o for o in outcomes if not fit_of(staged, replace(alone, outcomes=(o,))).in_the_way)
    return replace(guessed, plan=replace(plan, outcomes=counted or plan.outcomes))


def _by_status(outcome: OutcomePlan) -> OutcomePlan:
    if not (outcome.status and outcome.happened and outcome.of_dates):
        return outcome
    return replace(outcome, happened="", end=tuple(dict.fromkeys((outcome.happened, *outcome.end))))


def _wrong_type(column: ColumnPlan, kind: str) -> str:
    """What a column holds that can't be read there as the plan reads it; empty if it can."""
    dated = kind in ("date", "datetime")
    if column.kind == "date":
        return "" if dated else f"dates that are written as {'text' if kind == 'text' else 'numbers'}"
    if column.kind == "continuous":
        return "numbers that are written as text" if kind == "text" else "dates" if dated else ""
    return "dates" if dated and column.kind != "text" else ""


def _outcome_stops(staged: Staged, outcome: OutcomePlan) -> list[str]:
    names = {column.name: column.kind for column in staged.columns}
    gone = [name for name in outcome.columns if name not in names]
    if gone:
        return [f"“{outcome.label}” reads a column “{gone[0]}” that the table does not have."]
    stops = []
    dates = [*outcome.end, outcome.start, outcome.happened, outcome.entry] if outcome.of_dates else [outcome.happened]
    for name in dates:
        if name and names[name] not in ("date", "datetime"):
            stops.append(f"“{outcome.label}” reads “{name}” as a date, and it is not one there.")
    if outcome.happened and outcome.status:
        stops.append(f"“{outcome.label}” has both a status and a date of the event.")
    if not outcome.of_dates and names.get(outcome.time, "number") != "number":
        stops.append(f"The follow-up of “{outcome.label}” is not a number there.")
    if not (outcome.time or (outcome.start and (outcome.end or outcome.happened))):
        stops.append(f"“{outcome.label}” has no follow-up.")
    if not (outcome.status or outcome.happened):
        stops.append(f"“{outcome.label}” has no status.")
    return stops


def _check(staged: Staged, plan: Plan) -> Fit:
    fit = fit_of(staged, plan)
    if fit.in_the_way:
        raise Fixable(_WHAT, " ".join(fit.in_the_way[:4]), _NEXT)
    return fit


# ------------------------------------------------------------------ what is written


def live_from(
    staged: Staged,
    plan: Plan,
    into: Path,
    *,
    engine_of_source: EngineOfSource,
    source: str,
    schema: str = "",
    table: str = "",
    now: datetime | None = None,
) -> LiveCohort:
    """Write ``dictionary.json`` and ``live.json`` of a plan, and open the cohort that they describe.

    Parameters
    ----------
    staged : Staged
        From `bedside.intake.live_sample.sample_of`.
    plan : Plan
    into : Path
        An empty folder.
    engine_of_source : callable
        As in `open_live`.
    source, schema, table : str
        Of a configured source.
    now : datetime, optional
        As in `open_live`.

    Raises
    ------
    Fixable
        If the plan asks what can't be done in the source, nobody there can be followed, or it does not answer.
    """
    fit = _check(staged, plan)
    told = told_of(plan, source, schema, table, staged)
    with engine_of_source(source, schema, table) as engine:
        dictionary, aside = _dictionary(staged, plan, told, engine, {name for name, _ in fit.left_out})
    if aside:
        dictionary["readings"] = [f"Left out, having more than {MOST_LEVELS} levels: {', '.join(aside)}."]
    _put(into / FILE, dictionary)
    _put(into / LIVE, told.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    return open_live(into, engine_of_source=engine_of_source, now=now)


def told_of(plan: Plan, source: str, schema: str, table: str, staged: Staged) -> LiveTold:
    """The ``live.json`` of a plan."""
    taken = [column.name for column in staged.columns]
    times: dict[str, Span] = {}
    happened: dict[str, str] = {}
    for outcome in plan.outcomes:
        time, status = derived_names(outcome, taken)
        if outcome.of_dates:
            ends = tuple(dict.fromkeys(name for name in (outcome.happened, *outcome.end) if name))
            times[time] = Span(**{"from": outcome.start, "to": ends})
            if outcome.entry:
                times[entry_name(outcome, taken)] = Span(**{"from": outcome.start, "to": (outcome.entry,)})
        if not outcome.status:
            happened[status] = outcome.happened
    dates = {name for span in times.values() for name in (span.start, *span.ends)} | set(happened.values())
    missing = {
        c.name: c.missing for c in _kept(plan)
        if c.missing and c.name not in dates and c.kind in ("continuous", "binary", "categorical", "ordinal")
    }  # fmt: skip
    return LiveTold(
        source=source, schema=schema, table=table, times=times, happened=happened, missing=missing,
        time_zone=plan.time_zone,
    ).cleaned()  # fmt: skip


def _in_source(outcome: OutcomePlan, taken: Sequence[str]) -> OutcomePlan:
    """The outcome over the columns that are made of its dates."""
    time, status = derived_names(outcome, taken)
    if outcome.of_dates:
        entry = entry_name(outcome, taken) if outcome.entry else ""
        outcome = replace(outcome, time=time, unit="days", start="", end=(), entry=entry)
    if not outcome.status:
        outcome = replace(outcome, status=status, meaning=(("0", CENSORED), ("1", EVENT)))
    return replace(outcome, happened="")


def _dictionary(
    staged: Staged, plan: Plan, told: LiveTold, engine: SqlEngine, without: set[str]
) -> tuple[dict[str, object], list[str]]:
    """The dictionary of a plan with all levels that the source has, and columns that have too many."""
    taken = [column.name for column in staged.columns]
    of_outcomes = {name for outcome in plan.outcomes for name in outcome.columns}
    engine = engine.refined(lambda question: (made_columns(question, told), None))
    aside, columns = [], []
    for column in _kept(plan):
        if column.name in without:
            continue
        if column.kind in ("binary", "categorical", "ordinal") and column.name not in of_outcomes:
            levels = _levels(engine, column)
            if len(levels) > MOST_LEVELS:
                aside.append(column.name)
                continue
            kind = "categorical" if column.kind == "binary" and len(levels) != 2 else column.kind
            column = replace(column, levels=levels, kind=kind)
        columns.append(column)
    whole = replace(plan, columns=tuple(columns))
    outcomes = [_in_source(outcome, taken) for outcome in plan.outcomes]
    dictionary = dictionary_of(staged, whole, outcomes, [column.name for column in columns])
    del dictionary["data"]
    dictionary["source"] = {
        "citation": "Not published.", "licence": "Stays with whoever keeps it.",
        "origin": f"Counted in {told.source}", "note": "",
    }  # fmt: skip
    return dictionary, aside


def _levels(engine: SqlEngine, column: ColumnPlan) -> tuple[tuple[str, str], ...]:
    """The levels of the plan, and behind them those that only other rows than the sample's have."""
    known = tuple(normal_code(code) for code, _ in column.levels)
    found = engine.counts((Level(column.name, known),)).labels[0]
    return (*column.levels, *((code, code) for code in found if code not in known))


def _kept(plan: Plan) -> list[ColumnPlan]:
    dropped = {step.column for step in plan.steps if step.kind == "drop_column"}
    return [column for column in plan.columns if column.use != "drop" and column.name not in dropped]


def _put(file: Path, told: object) -> None:
    file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


# ------------------------------------------------------------------ how it is read


def how_read_live(staged: Staged, plan: Plan, engine: SqlEngine) -> tuple[OutcomeRead, ...]:
    """Every outcome of a plan in numbers, counted over all rows of the source before anything is kept.

    Parameters
    ----------
    staged : Staged
        From `bedside.intake.live_sample.sample_of`.
    plan : Plan
    engine : SqlEngine
        The table.

    Raises
    ------
    Fixable
        If the plan asks what can't be done in the source, or it does not answer.
    """
    _check(staged, plan)
    told = told_of(plan, "source", "", "", staged)
    made = engine.refined(lambda question: (made_columns(question, told), None))
    taken = [column.name for column in staged.columns]
    reads = [_read(made, _in_source(outcome, taken)) for outcome in plan.outcomes]
    # Where a date says it all there are no codes to be confirmed.
    return tuple(
        read if outcome.status else replace(read, codes=()) for read, outcome in zip(reads, plan.outcomes, strict=True)
    )


def _read(engine: SqlEngine, plan: OutcomePlan) -> OutcomeRead:
    outcome = opened(plan)
    followed = followed_in(engine, [outcome], None)
    reasons = dict(followed.left_out)
    kept = engine.refined(lambda question: ({}, usable(question, outcome)))
    counted = kept.counts((Number(outcome.time), Level(outcome.status, outcome.codes)))
    events, competing = _ended(outcome, counted)
    shortest, median, longest = _spread(counted)
    return OutcomeRead(
        plan.key, plan.label, plan.unit, _codes(engine, plan, outcome), followed.n, events, competing,
        shortest, median, longest, *(Rows(reasons.get(why, 0), ()) for why in _REASONS),
    )  # fmt: skip


_REASONS = (
    "no follow-up", "no known status", "negative follow-up", "observed only from after the end of follow-up",
)  # fmt: skip


def opened(plan: OutcomePlan) -> Outcome:
    """An outcome of a plan without dates, as a dictionary would open it."""
    return OutcomeEntry.model_validate(entry_of(plan, ())).opened()


def _ended(outcome: Outcome, counted: Counted) -> tuple[int, int]:
    by_code = dict.fromkeys(counted.labels[1], 0)
    for place, n in zip(counted.columns[1].tolist(), counted.n.tolist(), strict=True):
        by_code[counted.labels[1][place]] += n
    events = sum(n for code, n in by_code.items() if code in outcome.event)
    return events, sum(n for code, n in by_code.items() if code in outcome.any_event) - events


def _spread(counted: Counted) -> tuple[float, float, float]:
    times = np.repeat(counted.columns[0], counted.n)
    return (float(times.min()), float(np.median(times)), float(times.max())) if len(times) else (math.nan,) * 3


def _codes(engine: SqlEngine, plan: OutcomePlan, outcome: Outcome) -> tuple[tuple[str, str, int], ...]:
    """Codes of the status as they stand in all rows, the most frequent first."""
    meaning = {normal_code(code): what for code, what in plan.meaning}
    counted = engine.counts((Level(plan.status, outcome.codes),))
    found = [
        (counted.labels[0][place], meaning.get(counted.labels[0][place], ""), n)
        for place, n in zip(counted.columns[0].tolist(), counted.n.tolist(), strict=True) if place >= 0
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda each: -each[2])[:200])
