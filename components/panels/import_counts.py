"""What an import would make of the file, counted again after every answer that changes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bedside.intake import opening, own_names
from bedside.intake.building import OutcomeRead, Report, foresee
from bedside.intake.own_names import Names
from bedside.intake.plan import OutcomePlan, Plan
from bedside.intake.quality import Finding, findings
from bedside.intake.staging import Staged
from components import desk, jobs
from components.importing import Import

AT_ONCE = 400_000
"""Cells that are counted while the page is drawn; more in the background."""
MOST_AT_ONCE = 200
"""And columns: each is a question of its own, however few rows there are."""


def complete(outcome: OutcomePlan) -> bool:
    """True if an outcome says both when and what."""
    return bool(outcome.time or outcome.start) and bool(outcome.status or outcome.happened)


def counted(held: Import) -> Report | None:
    """The report that the import would have; None while it is counted, or if that failed, which its place says."""
    assert held.opened is not None and held.plan is not None
    staged = held.opened.staged
    plan = opening.counted(replace(held.plan, outcomes=tuple(o for o in held.plan.outcomes if complete(o))))
    key = ("import_counted", held.mark, held.turn, opening.seal(plan))
    found: Report | None = None
    if _at_once(staged):
        with desk.fixable():
            found = desk.kept(key, lambda: foresee(staged, plan))
    else:
        only(key)
        found = jobs.wanted(key, "Counting how it would be read", foresee, staged, plan)
    return found


def _at_once(staged: Staged) -> bool:
    return len(staged.columns) <= MOST_AT_ONCE and staged.n_rows * len(staged.columns) <= AT_ONCE


def only(key: jobs.Key, *kinds: str) -> None:
    """Stop what is still worked out about answers that are no longer given."""
    for other in [each for each in jobs.mine() if each[0] in (key[0], *kinds) and each != key]:
        jobs.mine().pop(other).cancel()


def findings_of(held: Import) -> tuple[Finding, ...] | None:
    """What looks wrong; None while it is looked for, or if that failed, which its place says."""
    assert held.opened is not None and held.plan is not None
    staged = held.opened.staged
    plan = replace(held.plan, outcomes=tuple(o for o in held.plan.outcomes if complete(o)))
    uses = repr([(c.use, c.unit) for c in plan.columns])
    key = ("import_findings", held.mark, held.turn, opening.seal(opening.counted(plan), uses))
    found: tuple[Finding, ...] | None = None
    if _at_once(staged):
        with desk.fixable():
            found = desk.kept(key, lambda: findings(staged, plan))
    else:
        only(key)
        found = jobs.wanted(key, "Looking for what is wrong", findings, staged, plan)
    return found


def names_of(held: Import, rows: Iterable[int]) -> Names:
    """What rows are called in the file, with their identifiers: on this page alone."""
    assert held.opened is not None and held.plan is not None
    staged, identifier, wanted = held.opened.staged, held.plan.identifier, tuple(sorted(set(rows)))
    key = ("import_names", held.mark, held.turn, identifier, hash(wanted))
    return desk.kept(key, lambda: own_names.names_of(staged, identifier, wanted))


def read_of(report: Report | None, outcome: OutcomePlan) -> OutcomeRead | None:
    """One outcome in numbers."""
    return None if report is None else next((read for read in report.outcomes if read.key == outcome.key), None)


def seal_of(held: Import, outcome: OutcomePlan) -> str:
    """What a reader confirms: the outcome, the columns that it reads and the steps before it."""
    assert held.plan is not None
    whole = opening.counted(held.plan)
    mine = next(o for o in whole.outcomes if o.key == outcome.key)
    columns = tuple(c for c in whole.columns if c.name in mine.columns)
    return opening.seal(Plan(outcomes=(mine,), columns=columns, steps=whole.steps, time_zone=whole.time_zone),
                        f"{held.mark} {held.turn}")  # fmt: skip


def is_confirmed(held: Import, outcome: OutcomePlan) -> bool:
    """True once the reading of an outcome was confirmed as it is now."""
    return seal_of(held, outcome) in held.confirmed


def confirmed(held: Import) -> bool:
    """True once the reading of every outcome was confirmed as it is now."""
    assert held.plan is not None
    outcomes = held.plan.outcomes
    return bool(outcomes) and all(complete(o) and is_confirmed(held, o) for o in outcomes)
