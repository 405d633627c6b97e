"""Who would be left out, what looks wrong, and what was put right."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from bedside.intake.building import Report, Rows
from bedside.intake.own_names import Names
from bedside.intake.quality import Finding
from bedside.intake.staging import Staged
from bedside.intake.steps import Step
from components.importing import Import
from components.panels import import_counts, page
from components.panels.import_words import count, rows_said, unread_said
from components.text import md

SEVERITY = {"fault": ("Wrong", "caution"), "doubt": ("Look at it", "muted"), "remark": ("Good to know", "muted")}
MOST = 40
"""Findings that are shown; a file with more has one cause for most of them."""


def show(held: Import, report: Report | None) -> tuple[Finding, ...] | None:
    """The card; what looks wrong, once that is known."""
    plan = held.plan
    assert plan is not None and held.opened is not None  # the file is read
    with st.container(border=True, key="card_import_checks"):
        page.heading("What does not fit", "nothing of this is changed without you", place="import-checks")
        if report is not None:
            named = [rows for _, rows in report.left_out] + [each.rows for each in report.unreadable[:50]]
            names = import_counts.names_of(held, [row for rows in named for row in rows.first])
            _left_out(report, held.opened.staged, names)
            _unreadable(report, names)
        found = _findings(held)
        _steps(held, report)
    return found


def _left_out(report: Report, staged: Staged, names: Names) -> None:
    """Rows that would be no patients, and why."""
    if not report.outcomes:
        page.caption("Who would be left out is known once an outcome is.")
        return
    left = sum(rows.n for _, rows in report.left_out)
    dropped = staged.n_rows - report.rows_kept - left
    if not left and not dropped:
        page.put("<p>Every row becomes a patient.</p>")
        return
    page.put("<p><b>{kept}</b> of {rows} become patients.</p>", kept=f"{report.rows_kept:,}",
             rows=count(staged.n_rows, "row"))  # fmt: skip
    rows = [
        (reason[:1].upper() + reason[1:], f"{rows.n:,}", rows_said(rows, names)) for reason, rows in report.left_out
    ]
    if dropped > 0:
        rows.append(("Left out by a step below", f"{dropped:,}", ""))
    page.table(("Left out", "Rows", "Which"), rows, label="Rows that are left out")


def _unreadable(report: Report, names: Names) -> None:
    """Cells that are something and would count as nothing."""
    if not report.unreadable:
        page.caption("Every cell can be read as what its column is.")
        return
    page.put(
        "<p>These cells would count as not recorded.{more}</p>",
        more="" if all(each.placeholder for each in report.unreadable)
        else " If a column holds words, say so under “What each column is”.",
    )  # fmt: skip
    rows = [(each.column, unread_said(each), f"{each.rows.n:,}", rows_said(each.rows, names))
            for each in report.unreadable[:50]]  # fmt: skip
    page.table(("Column", "", "Cells", "Which"), rows, label="Cells that can't be read", numeric_from=2)


# ------------------------------------------------------------------ what looks wrong


def _findings(held: Import) -> tuple[Finding, ...] | None:
    """What looks wrong in the file, with what would put it right."""
    found = import_counts.findings_of(held)
    if found is None:
        return None
    page.heading("What looks wrong", "" if found else "nothing that Bedside knows to look for")
    names = import_counts.names_of(held, [row for each in found for row in each.rows[:10]])
    serious = [each for each in found if each.severity != "remark"]
    for i, finding in enumerate(serious[:MOST]):
        _finding(held, finding, f"import_fix_{i}", names)
    if len(serious) > MOST:
        page.caption(f"{len(serious) - MOST:,} more are shown once some of these are put right.")
    remarks = [each for each in found if each.severity == "remark"]
    if remarks:
        with st.expander(f"Good to know ({len(remarks):,})", key="import_remarks", on_change="rerun") as box:
            if box.open:
                for i, finding in enumerate(remarks[:MOST]):
                    _finding(held, finding, f"import_remark_{i}", names)
    return found


def _finding(held: Import, finding: Finding, key: str, names: Names) -> None:
    word, colour = SEVERITY[finding.severity]
    which = f" ({rows_said(Rows(finding.n, finding.rows), names)})" if finding.rows else ""
    page.put(
        '<p class="bs-import-finding"><b class="bs-{colour}">{word}.</b> {said}{which} '
        '<span class="bs-muted">{why}</span></p>',
        colour=colour, word=word, said=finding.said, which=which, why=finding.why,
    )  # fmt: skip
    if not finding.fixes:
        return
    with st.container(horizontal=True, gap="small"):
        for j, step in enumerate(finding.fixes):
            st.button(md(step.said), key=f"{key}_{j}", icon=":material/build:", on_click=_take, args=(held, step))


# ------------------------------------------------------------------ what was put right


def _steps(held: Import, report: Report | None) -> None:
    """What was put right, each step to be undone."""
    plan = held.plan
    assert plan is not None
    if not plan.steps:
        return
    counts = {} if report is None else {i: n for i, (_, n) in enumerate(report.steps)}
    page.heading("Put right", "in this order; the recipe does it again on next month's file")
    for i, step in enumerate(plan.steps):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(width="stretch"):
                how = "fewer" if step.drops_rows else "changed"
                left = f" ({count(counts[i], 'row')} {how})" if counts.get(i) else ""
                page.put("<p>{n}. {said}{left}</p>", n=i + 1, said=step.said, left=left)
            st.button("Undo", key=f"import_undo_{i}", type="tertiary", icon=":material/undo:", on_click=_undo,
                      args=(held, i))  # fmt: skip


def _take(held: Import, step: Step) -> None:
    """Put something right."""
    if held.plan is not None:
        held.change(held.plan.with_step(step))


def _undo(held: Import, number: int) -> None:
    if held.plan is not None:
        steps = tuple(step for i, step in enumerate(held.plan.steps) if i != number)
        held.change(replace(held.plan, steps=steps))
