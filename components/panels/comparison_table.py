"""Table 1: who is in each group, and how far the groups lie apart."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort
from bedside.report import made_fair_groups as making
from bedside.report import say
from bedside.report.made import Made
from bedside.report.table_export import notes, table_by_csv, table_by_html, table_by_latex, table_by_rows
from components import desk, numbers_comparison
from components.panels import page, save
from components.panels.comparison_choices import Choice

WHY_NOT = (
    "These groups were formed by randomisation: every difference at the start is chance, so a test of it answers no "
    "question. The standardised difference says how large it is."
)


def show(of: Cohort, choice: Choice) -> None:
    """The table, behind a button until it is wanted."""
    panel = st.expander("Table 1: who is in each group", key="comparison_table", on_change="rerun")
    if panel.open:
        with panel, desk.fixable():
            _table(of, choice)


def _table(of: Cohort, choice: Choice) -> None:
    told = of.treatment
    randomised = told is not None and told.column == choice.by.name and told.randomised
    tests = st.toggle("Show tests", value=not randomised, key=f"comparison_tests_{randomised}", persist_state="session")
    if randomised:
        page.caption(WHY_NOT)
    found = numbers_comparison.table(of, choice.groups)
    header, rows = table_by_rows(found, tests=tests)
    # A file keeps the hyphen that programs read; on screen and in a report it is a minus.
    shown = [[*row[:-1], row[-1].replace("-", "−", 1)] for row in rows]
    page.table(header, shown, label="Table 1 by group")
    for line in notes(found, tests=tests):
        page.caption(line)

    def made() -> Made:
        return making.table_made(of, choice.groups, found, tests=tests, filters=numbers_comparison.filters())

    title = f"Characteristics by {say.in_sentence(choice.by.label)}"
    with st.container(horizontal=True, gap="small"):
        save.numbers(
            "comparison_table1", stem="table-1-by-group", rows=lambda: (header, rows), title=title,
            shown=lambda: (header, shown),
            note=" ".join(notes(found, tests=tests)), made=made,
            files=lambda: (
                ("Every number, unrounded (CSV)", "csv", table_by_csv(found)),
                ("To paste into Word (HTML)", "html", _document(table_by_html(found, tests=tests), title)),
                ("LaTeX", "tex", table_by_latex(found, tests=tests).encode()),
            ),
        )  # fmt: skip
        preview = st.popover("Copy for Word", icon=":material/content_copy:", type="tertiary",
                             key="comparison_word", on_change="rerun")  # fmt: skip
    if preview.open:
        with preview:
            page.caption("Select the table, copy it, and paste it into the document.")
            with st.container(key="paper_comparison_word"):
                # Escaped cell by cell where it is made; on white, in black, as it will stand in the document.
                page.put(
                    '<div style="color:#000;overflow:auto">{t}</div>', t=page.Markup(table_by_html(found, tests=tests))
                )


def _document(table: str, title: str) -> bytes:
    head = page.fill(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{t}</title></head><body>', t=title
    )
    return f"{head}{table}</body></html>\n".encode()
