"""What a wizard does with a file, each step as one call that a background job can make."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bedside.errors import Faults, Fixable
from bedside.intake.anew import decimal_of, with_new_codes
from bedside.intake.building import Report, build
from bedside.intake.guess import guess
from bedside.intake.noted import quality_of, told_of
from bedside.intake.plan import ColumnPlan, Guessed, OutcomePlan, Plan, from_json, to_json
from bedside.intake.quality import Finding
from bedside.intake.staging import Progress, Reading, Staged, preview, stage
from bedside.intake.unanswered import left_open
from bedside.store.cohorts_folder import making
from bedside.store.cohorts_kept import Kept, keep  # not the whole store, whose models take a second to import

ROWS_SHOWN = 20
LEVELLED = ("binary", "categorical", "ordinal")
_NUMBERED = ("drop_rows",)
"""Steps that name rows by number: they are of one file and of no other."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A file, read and understood as far as it goes.

    Attributes
    ----------
    staged : Staged
    guessed : Guessed
    rows : pandas.DataFrame
        The first rows, as written.
    """

    staged: Staged
    guessed: Guessed
    rows: pd.DataFrame


@dataclass(frozen=True)
class Made:
    """A cohort that was kept, and the report of how it came to be."""

    kept: Kept
    report: Report
    recipe: bytes
    told: bytes


def open_file(
    source: Path, name: str, folder: Path, reading: Reading | None, *, progress: Progress | None = None
) -> Opened:
    """Read a file and guess what is in it.

    Raises
    ------
    Fixable
        As `stage` does, or if there is no row in it.
    """
    tell = progress or (lambda share, sentence: None)
    staged = stage(source, name, folder, reading=reading, progress=lambda share, said: tell(0.8 * share, said))
    if not staged.n_rows or not staged.columns:
        raise Fixable(
            "There is nothing to import.", "The file has a header at most, and no row below it.",
            "Choose another file, sheet or row of the header.",
        )  # fmt: skip
    tell(0.8, "Looking at what is in each column")
    return Opened(staged, left_open(guess(staged), staged), preview(staged, ROWS_SHOWN))


def make(
    staged: Staged, plan: Plan, reader: str, key: str | None, found: Sequence[Finding] | None = None, *,
    progress: Progress | None = None,
) -> Made:  # fmt: skip
    """Build a cohort and keep it with its quality report, as a new one or as the next version of one.

    Parameters
    ----------
    found : sequence of Finding, optional
        What looks wrong in the file with this plan, where that is known already.

    Raises
    ------
    Fixable
        If the plan makes no cohort that opens; then nothing is kept.
    """
    tell = progress or (lambda share, sentence: None)
    with making() as folder:
        report = build(staged, plan, folder, progress=lambda share, said: tell(0.6 * share, said))
        tell(0.6, "Writing down what was found in it")
        quality = quality_of(staged, plan, report, found, progress=lambda share, said: tell(0.6 + 0.2 * share, said))
        told = json.dumps(told_of(report, quality, staged), ensure_ascii=False, indent=1).encode()
        (folder / "report.json").write_bytes(told)
        recipe = (folder / "recipe.json").read_bytes()
        tell(0.85, "Opening it once, to be sure that it opens")
        try:
            kept = keep(folder, reader=reader, title=plan.title, key=key, source_name=staged.name, sha256=staged.sha256)
        except Faults as stop:
            raise _said(stop) from None
    return Made(kept, report, recipe, told)


def _said(stop: Faults) -> Fixable:
    """The faults of a cohort that was built, in the words of whoever imports it."""
    said = "; ".join(
        f"{fault.column}: {fault.expected}" + (f" ({fault.found})" if fault.found else "") for fault in stop.faults[:5]
    )
    more = f"; and {len(stop.faults) - 5} more" if len(stop.faults) > 5 else ""
    return Fixable(
        "No cohort was made.", f"What the columns hold does not fit how they are read. {said}{more}.",
        "Change how the column is read, leave it out, or put the rows right.",
    )  # fmt: skip


# ------------------------------------------------------------------ what is counted


def counted(plan: Plan) -> Plan:
    """A plan without words: two that count the same are equal."""
    columns = tuple(
        ColumnPlan(
            c.name, use="drop" if c.use == "drop" else "optional", kind=c.kind, decimal=c.decimal, missing=c.missing,
            day_first=c.day_first, serials=c.serials,
        )
        for c in plan.columns
    )  # fmt: skip
    outcomes = tuple(
        OutcomePlan(
            o.key, o.key, time=o.time, unit=o.unit, start=o.start, end=o.end, happened=o.happened, status=o.status,
            meaning=o.meaning, entry=o.entry,
        )
        for o in plan.outcomes
    )  # fmt: skip
    return replace(plan, title="", short_title="", summary="", columns=columns, outcomes=outcomes, treatment="",
                   randomised=False)  # fmt: skip


def seal(plan: Plan | OutcomePlan, more: str = "") -> str:
    """What tells one plan, or one outcome of it, from another in a key."""
    told = to_json(plan) if isinstance(plan, Plan) else to_json(Plan(outcomes=(plan,)))
    return hashlib.sha256(f"{more}\x1f{json.dumps(told, sort_keys=True)}".encode()).hexdigest()[:32]


# ------------------------------------------------------------------ last time's answers


def to_remember(plan: Plan, guessed: Plan) -> dict[str, Any]:
    """A plan for the next file of this layout: of levels only what the reader said otherwise than they stand there.

    Identifiers and free text leave nothing behind but the names of their columns.
    """
    old = {c.name: c for c in guessed.columns}
    columns = tuple(
        replace(c, levels=c.levels if c.kind in LEVELLED and _own_levels(c, old.get(c.name)) else ())
        for c in plan.columns
    )
    steps = tuple(step for step in plan.steps if step.kind not in _NUMBERED)
    return to_json(replace(plan, columns=columns, steps=steps))


def _own_levels(now: ColumnPlan, first: ColumnPlan | None) -> bool:
    return first is None or now.levels != first.levels


def remembered(told: Mapping[str, Any], staged: Staged, guessed: Plan) -> Plan:
    """Last time's answers on this file: columns, codes and levels that are new keep what is guessed of them.

    `bedside.intake.anew.differs` names the codes of a status and the decimal marks that are new.

    Raises
    ------
    Fixable
        If what was kept is no plan.
    """
    last, fresh = from_json(told), {c.name: c for c in guessed.columns}
    there = {column.name for column in staged.columns}
    kept = {c.name: c for c in last.columns if c.name in there}
    columns = tuple(_again(kept.get(name), fresh[name], staged) for name in fresh)
    outcomes = tuple(with_new_codes(o, guessed) for o in last.outcomes if set(o.columns) <= there)
    return replace(
        last, columns=columns, outcomes=outcomes or guessed.outcomes,
        identifier=last.identifier if last.identifier in there else guessed.identifier,
        treatment=last.treatment if last.treatment in there else "", this_year=guessed.this_year,
        title=guessed.title, short_title=guessed.short_title,
        steps=tuple(s for s in last.steps if not s.column or s.column in there),
    )  # fmt: skip


def _again(last: ColumnPlan | None, fresh: ColumnPlan, staged: Staged) -> ColumnPlan:
    if last is None:
        return fresh
    if last.kind not in LEVELLED:
        return decimal_of(last, fresh, staged)
    known = {code for code, _ in last.levels}
    found = fresh.levels if fresh.kind in LEVELLED else ()
    levels = (*last.levels, *((code, label) for code, label in found if code not in known))
    kind = "categorical" if last.kind == "binary" and len(levels) > 2 else last.kind
    return replace(last, kind=kind, levels=levels)


def key_of(label: str, taken: tuple[str, ...]) -> str:
    """A key for an outcome that a reader adds, told apart from those that are taken."""
    bare = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:40] or "outcome"
    key, n = bare, 2
    while key in taken:
        key, n = f"{bare}_{n}", n + 1
    return key
