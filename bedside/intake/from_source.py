"""A folder with a dictionary and ``live.json`` becomes a cohort that is counted where its rows are."""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bedside.cohort.outcome import Outcome
from bedside.cohort.variable import Level as CohortLevel
from bedside.cohort.variable import Variable
from bedside.engine.ask import Level
from bedside.engine.groups import levels_in
from bedside.engine.live import Described, LiveCohort
from bedside.engine.made import followed_in, made_columns
from bedside.engine.sql import SqlEngine
from bedside.engine.tree import DATED
from bedside.errors import Fault, Faults, Fixable
from bedside.intake.columns import Column, clean_name
from bedside.intake.conventions import decimals_of, read_status
from bedside.intake.dictionary import FILE, Draft, read_dictionary
from bedside.intake.live_told import FILE as LIVE
from bedside.intake.live_told import LiveTold, read_live

SAMPLE = 2_000
"""Rows of which the usual size of numbers is seen."""

EngineOfSource = Callable[[str, str, str], AbstractContextManager[SqlEngine]]
"""Given the name of a configured source, a schema and a table, opens it: `bedside.store.sources.Sources.engine`."""


def open_live(
    folder: Path, *, engine_of_source: EngineOfSource, key: str | None = None, now: datetime | None = None
) -> LiveCohort:
    """Open a cohort whose rows stay where they are.

    Parameters
    ----------
    folder : Path
        Holds ``dictionary.json`` and ``live.json``.
    engine_of_source : callable
        Opens a table of a configured source; it is let go of by `LiveCohort.close`, or when nothing of the cohort is
        held any more.
    key : str, optional
        Name for links and caches; the folder's name if not given.
    now : datetime, optional
        The moment of which everything is counted, with a zone.

    Raises
    ------
    Faults
        With everything that is wrong in the two files, or is not so in the source.
    Fixable
        If the source can't be reached, or nobody in it can be followed.
    """
    draft, told = read_dictionary(folder / FILE), read_live(folder)
    faults = [*draft.faults, *(() if isinstance(told, LiveTold) else told)]
    if faults or draft.whole is None or not isinstance(told, LiveTold):
        raise Faults(f"The cohort “{folder.name}” could not be opened.", tuple(faults))
    return opened(draft, told, engine_of_source, key=key or folder.name, moment=now or datetime.now(UTC))


def opened(
    draft: Draft, told: LiveTold, engine_of_source: EngineOfSource, *, key: str, moment: datetime, seal: str = ""
) -> LiveCohort:
    """Open what a dictionary and ``live.json`` say, both without a fault; ``seal`` tells states of the rows apart."""
    with ExitStack() as stack:
        whole = stack.enter_context(engine_of_source(told.source, told.schema_name, told.table))
        described, engine, n = _described(key, draft, told, whole)
        held = stack.pop_all()
    described = replace(described, seal=described.seal + seal)
    live = LiveCohort(described, engine, as_of=moment, n=n, close=held.close)
    # The engine is shared by all that is selected from it: once the last of them is gone, the source is let go.
    weakref.finalize(engine, held.close)
    return live


def _described(key: str, draft: Draft, told: LiveTold, whole: SqlEngine) -> tuple[Described, SqlEngine, int]:
    assert draft.whole is not None  # the caller has looked
    faults = [*_faults(draft, told, whole)]
    if faults:
        raise Faults(f"The cohort “{key}” could not be opened.", tuple(faults))
    engine = whole.refined(lambda question: (made_columns(question, told), None))
    outcomes = [_with_codes(engine, _clean(entry.opened())) for entry in draft.outcomes]
    counted = followed_in(engine, outcomes, draft.identifier, _declared(draft))
    if not counted.n:
        raise Fixable(
            "Nobody in the source can be followed.",
            f"No row has both follow-up and a known status for “{outcomes[0].label}”.",
            "Look at how its columns are named in dictionary.json, and at the codes of its status.",
        )
    if counted.repeated:
        raise Fixable(
            "Patients stand in the source more than once.",
            f"“{draft.identifier}” is empty or repeated in {counted.repeated:,} of {counted.n:,} rows.",
            "Name a column that says each patient once, or a view with one row for each.",
        )
    engine = engine.refined(lambda question: ({}, counted.usable(question)))
    kept = tuple(outcome for outcome, n in zip(outcomes, counted.known, strict=True) if n == counted.n)
    variables, left = _variables(draft, engine, counted.strange)
    readings = (*draft.whole.readings, *_readings(outcomes, kept, left, counted.left_out), *_new(draft, variables))
    words = draft.whole
    described = Described(
        key=key, title=words.title, short_title=words.short_title, summary=words.summary, population=words.population,
        identifier=draft.identifier, variables=variables, outcomes=kept, treatment=draft.treatment,
        source=words.source, readings=readings, source_name=told.source, table=told.table, left_out=counted.left_out,
        seal=_seal(draft, told),
    )  # fmt: skip
    return described, engine, counted.n


def _seal(draft: Draft, told: LiveTold) -> str:
    assert draft.whole is not None
    words = [draft.whole.model_dump(mode="json"), told.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()


def _clean(outcome: Outcome) -> Outcome:
    return outcome.model_copy(update={name: clean_name(getattr(outcome, name)) for name in ("time", "status", "entry")})


# ------------------------------------------------------------------ what is not so in the source


def _faults(draft: Draft, told: LiveTold, engine: SqlEngine) -> Sequence[Fault]:
    fields, made = engine.fields, {*told.times, *told.happened}
    found = [Fault(LIVE, f"times.{name}", "a column of dates of this name in the source", "none or another kind")
             for span in told.times.values() for name in (span.start, *span.ends)
             if name not in fields or fields[name].family not in DATED]  # fmt: skip
    found += [Fault(LIVE, f"happened.{name}", "a column of dates of this name in the source", "none or another kind")
              for name in told.happened.values() if name not in fields or fields[name].family not in DATED]  # fmt: skip
    found += [Fault(LIVE, f"missing.{name}", "a column of this name in the source", "none")
              for name in told.missing if name not in fields]  # fmt: skip
    found += [Fault(LIVE, name, "a name that the source does not have already", "a column of it")
              for name in sorted(made & set(fields))]  # fmt: skip
    for entry in draft.outcomes:
        outcome = _clean(entry.opened())
        found += [Fault(FILE, name, f"a column of this name in the source (“{outcome.label}”)", "none")
                  for name in outcome.columns if name not in fields and name not in made]  # fmt: skip
        if outcome.time in told.times and outcome.unit != "days":
            found.append(Fault(FILE, outcome.time, "days as the unit of a time between dates", outcome.unit))
    of_outcomes = {clean_name(name) for entry in draft.outcomes for name in entry.columns}
    for variable in draft.variables:
        if variable.name in of_outcomes and variable.use != "outcome":
            found.append(Fault(FILE, variable.name, "an outcome's column not listed as a variable as well"))
        elif variable.name not in fields:
            found.append(Fault(FILE, variable.name, "a column of this name in the source", "none"))
        elif (expected := _unfit(variable, fields[variable.name].family)) is not None:
            found.append(Fault(FILE, variable.name, expected, "another kind"))
    if draft.identifier is not None and draft.identifier not in fields:
        found.append(Fault(FILE, draft.identifier, "a column of this name in the source (the identifier)", "none"))
    used = {v.name for v in draft.variables} | of_outcomes | {draft.identifier} | made
    found += [Fault(LIVE, name, "one column of this name in the source, blanks around it not counted", "several")
              for name in sorted(engine.doubled) if name in used]  # fmt: skip
    if draft.visits is not None:
        found.append(Fault(FILE, "visits", "none in a cohort that stays in its source"))
    return found


def _unfit(variable: Variable, family: str) -> str | None:
    if family == "none":
        return "numbers, text or dates"
    dated = family in DATED
    if variable.kind == "date":
        return None if dated else "dates, as the source types them"
    return "numbers or text, as the source types them" if dated and variable.kind not in ("text",) else None


# ------------------------------------------------------------------ what the dictionary leaves open


def _with_codes(engine: SqlEngine, outcome: Outcome) -> Outcome:
    if outcome.codes:
        return outcome
    codes = engine.counts((Level(outcome.status),)).labels[0]
    read = read_status(codes)
    if read is None:
        raise Faults(
            "The cohort could not be opened.",
            [Fault(FILE, outcome.status, "the codes of the status in the dictionary", f"{len(codes)} different codes")],
        )
    return outcome.model_copy(update={"censored": read[0], "event": read[1]})


def _declared(draft: Draft) -> list[Variable]:
    of_outcomes = {name for outcome in draft.outcomes for name in outcome.columns}
    return [v for v in draft.variables if v.name not in of_outcomes and v.use != "outcome"]


def _variables(
    draft: Draft, engine: SqlEngine, strange: frozenset[str]
) -> tuple[tuple[Variable, ...], tuple[str, ...]]:
    """As declared, with the levels and decimals that are not; and the source's columns that nothing is said about."""
    of_outcomes = {name for outcome in draft.outcomes for name in outcome.columns}
    aside = {v.name for v in draft.variables if v.use == "outcome"}
    told = {v.name: v for v in _declared(draft)}
    if draft.identifier is not None and draft.identifier not in of_outcomes:
        own = told.get(draft.identifier) or Variable(name=draft.identifier, kind="identifier")
        told[draft.identifier] = own.model_copy(update={"kind": "identifier"})
    left = tuple(name for name in engine.fields if name not in told and name not in of_outcomes | aside)
    ordered = [told[name] for name in engine.fields if name in told]
    open_ends = [v.name for v in ordered if v.is_numeric and v.decimals is None]
    decimals = _decimals(engine, open_ends)
    return tuple(_filled(engine, v, decimals, strange) for v in ordered), left


def _decimals(engine: SqlEngine, names: Sequence[str]) -> dict[str, int]:
    if not names:
        return {}
    rows = engine.rows(names, most=SAMPLE)
    return {name: decimals_of(Column(rows.column(i))) for i, name in enumerate(names)}


def _filled(engine: SqlEngine, variable: Variable, decimals: dict[str, int], strange: frozenset[str]) -> Variable:
    if variable.name in decimals:
        return variable.model_copy(update={"decimals": decimals[variable.name]})
    if variable.is_grouping and not variable.levels:
        groups = levels_in(engine, variable)
        return variable.model_copy(update={"levels": tuple(CohortLevel(code=c, label=c) for c in groups.codes)})
    if variable.name in strange:
        found = engine.counts((Level(variable.name, variable.codes),)).labels[0]
        new = tuple(CohortLevel(code=code, label=code) for code in found if code not in variable.codes)
        kind = "categorical" if new and variable.kind == "binary" else variable.kind
        return variable.model_copy(update={"levels": (*variable.levels, *new), "kind": kind})
    return variable


def _new(draft: Draft, variables: Sequence[Variable]) -> list[str]:
    """What is said of levels that the dictionary does not name."""
    before = {v.name: len(v.levels) for v in draft.variables if v.levels}
    said = []
    for v in variables:
        n = len(v.levels) - before.get(v.name, len(v.levels))
        if n:
            said.append(f"{v.label}: {n} level{'s' if n != 1 else ''} that the dictionary does not name, put last.")
    return said


def _readings(
    outcomes: Sequence[Outcome], kept: Sequence[Outcome], left: Sequence[str], left_out: Sequence[tuple[str, int]]
) -> list[str]:
    said = [f"{n:,} row{'s' if n != 1 else ''} left out: {reason}." for reason, n in left_out]
    aside = [outcome.label for outcome in outcomes if outcome not in kept]
    if aside:
        said.append(f"Not known of everybody, and so left aside: {', '.join(aside)}.")
    if left:
        said.append(f"In the source but not in the dictionary, and so left out: {', '.join(left)}.")
    return said
