"""What is wrong, or looks wrong, in a file: each finding with its columns, its rows and what would put it right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bedside.intake.plan import Plan
from bedside.intake.staging import Progress, Staged
from bedside.intake.steps import Step
from bedside.intake.working import Working, open_working

Severity = Literal["fault", "doubt", "remark"]
SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or looks so.

    Attributes
    ----------
    kind : str
        What sort of thing, for a key.
    severity : {"fault", "doubt", "remark"}
        A fault makes numbers wrong; a doubt has to be looked at; a remark is good to know.
    said : str
        What it is, in a sentence; never a patient's value.
    why : str
        What it does to the numbers.
    columns : tuple of str
    n : int
        Rows.
    rows : tuple of int
        The first of them; the first below the header is 1.
    fixes : tuple of Step
        What would put it right: one of them is to be chosen.
    """

    kind: str
    severity: Severity
    said: str
    why: str = ""
    columns: tuple[str, ...] = ()
    n: int = 0
    rows: tuple[int, ...] = ()
    fixes: tuple[Step, ...] = field(default=())

    @property
    def key(self) -> str:
        """Tells it from the others of a file."""
        return "|".join((self.kind, *self.columns))


_ORDER = {"fault": 0, "doubt": 1, "remark": 2}


def findings(staged: Staged, plan: Plan, *, progress: Progress | None = None) -> tuple[Finding, ...]:
    """Everything that is wrong, or looks so, after the steps that the plan has taken already.

    Parameters
    ----------
    staged : Staged
    plan : Plan
    progress : callable, optional

    Returns
    -------
    tuple of Finding
        Faults first.
    """
    from bedside.intake.quality_columns import later, levels, missing
    from bedside.intake.quality_near import alike, constant, together, twins
    from bedside.intake.quality_rows import ends, footers, identifiers, repeated
    from bedside.intake.quality_time import immortal, late, order
    from bedside.intake.quality_units import mixed_units
    from bedside.intake.quality_values import impossible, placeholders

    checks: tuple[tuple[str, Callable[[Working], list[Finding]]], ...] = (
        ("The end of the file", footers), ("Rows that stand twice", repeated), ("Identifiers", identifiers),
        ("Rows that stand twice", twins),
        ("Follow-up", ends), ("Follow-up", late), ("The order of dates", order), ("The order of dates", immortal),
        ("Impossible values", impossible), ("Units", mixed_units), ("Numbers for unknown", placeholders),
        ("What is missing", missing), ("What is missing", together), ("Columns with one value", constant),
        ("Levels", levels), ("Columns that say the same", alike), ("What is known only later", later),
    )  # fmt: skip
    tell = progress or (lambda share, said: None)
    found: list[Finding] = []
    with open_working(staged, plan, progress=lambda share, said: tell(0.5 * share, said)) as working:
        for i, (said, check) in enumerate(checks):
            tell(0.5 + 0.5 * i / len(checks), said)
            found += check(working)
    return tuple(sorted(found, key=lambda each: _ORDER[each.severity]))
