"""The quality report that is kept with a cohort: what was found in its file, and what became of each finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked
from sqlglot import exp

from bedside.intake.building import Report
from bedside.intake.own_rows import own_rows
from bedside.intake.plan import Plan
from bedside.intake.quality import SHOWN, Finding, findings
from bedside.intake.staging import Progress, Staged
from bedside.intake.steps import Step
from bedside.intake.working import open_working

State = Literal["put right", "partly", "gone", "as it is"]
LONGEST = 16 * 2**20
"""Bytes of a report that is read."""
_READ = ConfigDict(extra="ignore")


@checked(frozen=True, config=_READ)
class Noted:
    """One finding at the import, and what became of it.

    Attributes
    ----------
    kind, severity, said, why, columns, n
        Of the finding; never a patient's value.
    rows : tuple of int
        The first, as the file itself numbers them.
    state : {"put right", "partly", "gone", "as it is"}
        Gone is what no step was taken for, and what is no longer so after the others.
    by : str
        The step that put it right, in words.
    by_rows : int
        Rows that it changed or left out.
    left : int
        Rows of which it is still so.
    """

    kind: str
    severity: Literal["fault", "doubt", "remark"]
    said: str
    why: str = ""
    columns: tuple[str, ...] = ()
    n: int = 0
    rows: tuple[int, ...] = ()
    state: State = "as it is"
    by: str = ""
    by_rows: int = 0
    left: int = 0


@checked(frozen=True, config=_READ)
class Quality:
    """All findings, columns that are known only later, and cells that are not recorded.

    Attributes
    ----------
    findings : tuple of Noted
    later : tuple of str
    missing : tuple of (column, rows)
        Most incomplete first, of the rows after all steps.
    of : int
        These rows.
    """

    findings: tuple[Noted, ...] = ()
    later: tuple[str, ...] = ()
    missing: tuple[tuple[str, int], ...] = ()
    of: int = 0


@checked(frozen=True, config=_READ)
class Some:
    """Rows of a kind."""

    n: int
    first: tuple[int, ...] = ()


@checked(frozen=True, config=_READ)
class Told:
    """What is read of a kept report."""

    rows_read: int
    rows_kept: int
    quality: Quality
    rejected: Some = Some(0)
    left_out: tuple[tuple[str, Some], ...] = ()
    notes: tuple[str, ...] = ()
    file: str = ""


# ------------------------------------------------------------------ what is written


def quality_of(
    staged: Staged, plan: Plan, report: Report, found: Sequence[Finding] | None, *, progress: Progress | None = None
) -> Quality:
    """What was found in a file, before and after the steps of its plan.

    Parameters
    ----------
    found : sequence of Finding, optional
        What `findings` found with this plan, where that is known.
    """
    after = findings(staged, plan, progress=progress) if found is None else tuple(found)
    first = findings(staged, replace(plan, steps=())) if plan.steps else after
    still = {each.key: each for each in reversed(after)}
    noted = [_noted(each, still.get(each.key), report, staged) for each in first]
    known = {each.key for each in first}
    noted += [_noted(each, each, report, staged) for each in after if each.key not in known]
    later = [c.name for c in plan.columns if c.use == "later"]
    later += [each.columns[0] for each in after if each.kind == "known later" and each.columns]
    missing, of = _missing(staged, plan)
    return Quality(tuple(noted), tuple(dict.fromkeys(later)), missing, of)


def _noted(first: Finding, still: Finding | None, report: Report, staged: Staged) -> Noted:
    by, n = _step_for(first, report.steps)
    state: State = "as it is"
    if still is None:
        state = "put right" if by else "gone"
    elif still.n < first.n:
        state = "partly" if by else "as it is"
    settled = by if state in ("put right", "partly") else ""
    return Noted(
        first.kind, first.severity, first.said, first.why, first.columns, first.n,
        own_rows(first.rows[:SHOWN], staged.shifts), state, settled, n if settled else 0,
        still.n if still is not None else 0,
    )  # fmt: skip


def _step_for(found: Finding, steps: Sequence[tuple[Step, int]]) -> tuple[str, int]:
    """The step that was taken for a finding, or another on its columns."""
    offered = {(fix.kind, fix.column, fix.other) for fix in found.fixes}
    taken = [(step, n) for step, n in steps if (step.kind, step.column, step.other) in offered]
    taken += [(step, n) for step, n in steps if step.column in found.columns]
    return (taken[0][0].said or taken[0][0].kind, taken[0][1]) if taken else ("", 0)


def _missing(staged: Staged, plan: Plan) -> tuple[tuple[tuple[str, int], ...], int]:
    dropped = {step.column for step in plan.steps if step.kind == "drop_column"}
    names = [c.name for c in plan.columns if c.use != "drop" and c.name not in dropped]
    with open_working(staged, plan) as working:
        n, *known = working.one(exp.Count(this=exp.Star()), *(exp.Count(this=working.at(name)) for name in names))
    gaps = [(name, n - each) for name, each in zip(names, known, strict=True) if n > each]
    return tuple(sorted(gaps, key=lambda pair: -pair[1])), n


def told_of(report: Report, quality: Quality, staged: Staged) -> dict[str, Any]:
    """All of it as it is written, with rows as the file itself numbers them."""
    told = asdict(report) | {"quality": asdict(quality)}
    whole = ("rejected", "quality")  # these are lines of the file already
    numbered = {key: value if key in whole else _numbered(value, staged) for key, value in told.items()}
    as_told = "as the file itself numbers them" if staged.shifts else "from 1 below the names of the columns"
    return numbered | {"rows_are": as_told}


def _numbered(value: Any, staged: Staged) -> Any:
    if isinstance(value, Mapping):
        return {
            key: own_rows(each[:SHOWN], staged.shifts) if key in ("first", "rows") and isinstance(each, tuple)
            else _numbered(each, staged)
            for key, each in value.items()
        }  # fmt: skip
    return [_numbered(each, staged) for each in value] if isinstance(value, list | tuple) else value


# ------------------------------------------------------------------ what is read


def read_told(data: bytes) -> Told | None:
    """A kept report; None where it holds no findings, as of cohorts of a standard or of an earlier release."""
    if len(data) > LONGEST:
        return None
    try:
        return TypeAdapter(Told).validate_json(data)
    except (ValidationError, RecursionError):
        return None
