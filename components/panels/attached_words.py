"""What is said about attached tables, without Streamlit."""

from __future__ import annotations

from bedside.intake.attaching import VisitsMade
from bedside.intake.wide_table import WideAbout
from bedside.store.attached import Attached
from components.panels.import_words import count

VALUES = {"number": "numbers", "copy number": "copy numbers", "yes or no": "yes or no"}


def table_said(table: Attached, numbers: tuple[int, int]) -> str:
    """A table in a line."""
    first, second = numbers
    what = (
        f"{count(first, 'visit')} with {count(second, 'measurement')}" if table.kind == "visits"
        else f"{count(first, 'feature')} of {count(second, 'patient')}, {VALUES[table.scale]}"
    )  # fmt: skip
    return f"{what}, attached {table.made[:10]}" + (f" from {table.source_name}" if table.source_name else "")


def wide_report(about: WideAbout) -> tuple[str, list[str]]:
    """What became of a wide table: the answer, and what a reader must know."""
    told = about.report
    lead = f"{count(about.n_features, 'feature')} of {count(about.n_patients, 'patient')}, {VALUES[about.scale]}."
    side = "columns" if told.turned == "rows" else "rows"
    lines = [f"Patients stood in {side}: {count(told.n_names, 'identifier')}, known {_how(told.matched)}."]
    for n, said in (
        (told.n_strangers, "of nobody in the cohort, left out"),
        (told.n_further, "of a patient who has another one, left out"),
    ):
        lines += [f"{count(n, 'identifier')} {said}."] if n else []
    facts = (
        (told.n_without, "patient", "of the cohort without values: not recorded there"),
        (told.n_doubled, "feature", "with a name that stood before: numbered"),
        (told.n_unnamed, "feature", "without a name: numbered"),
        (told.n_unread, "cell", "with something else than a number: not recorded"),
        (told.n_missing, "cell", "without a value"),
        (told.n_constant, "feature", "with one value, or none"),
    )
    lines += [f"{count(n, what)} {said}." for n, what, said in facts if n]
    if told.n_left_out:
        more = " and others" if told.n_left_out > len(told.left_out) else ""
        lines.append(f"{count(told.n_left_out, 'column')} without numbers left out: {', '.join(told.left_out)}{more}.")
    return lead, [*lines, *told.notes]


def visits_report(made: VisitsMade) -> tuple[str, list[str]]:
    """What became of a table of visits."""
    told = made.report
    lead = (
        f"{count(told.n_visits, 'visit')} of {count(told.n_patients, 'patient')} with "
        f"{count(len(made.labels), 'measurement')}: {', '.join(made.labels[:12])}"
        + (" and others." if len(made.labels) > 12 else ".")
    )
    lines = [f"{count(told.n_read, 'row')} read; patients known {_how(told.matched)}."]
    facts = (
        (told.n_strangers, "row", f"of {count(told.n_unknown, 'identifier')} who are not in the cohort, left out"),
        (told.n_without_zero, "row", "of patients without a date of time zero, left out"),
        (told.n_untimed, "row", "without a time, left out"),
        (told.n_before, "row", "before time zero, left out"),
        (told.n_after, "row", "after the end of follow-up, left out"),
        (told.n_together, "value", "at a time that the patient has another one of: the later in the file counts"),
        (told.n_empty, "visit", "without any value, left out"),
        (told.n_unread, "cell", "with something else than a number: not recorded"),
        (told.n_limits, "limit", "such as <5 read as the number"),
    )
    lines += [f"{count(n, what)} {said}." for n, what, said in facts if n]
    lines += [f"Left out, {each}." for each in told.left_out]
    return lead, [*lines, *told.notes]


def _how(matched: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{how} ({n:,})" for how, n in matched) or "by nothing"
