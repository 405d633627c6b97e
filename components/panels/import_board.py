"""The page on which a file becomes a cohort: its steps one below the other, the answer first."""

from __future__ import annotations

import streamlit as st

from bedside.intake.building import Report
from components import desk, importing
from components.importing import Import
from components.panels import (
    import_checks,
    import_columns,
    import_counts,
    import_database,
    import_file,
    import_finish,
    import_outcomes,
    import_sources,
    page,
)
from components.panels.import_words import count, outcome_said


def show() -> None:
    """The whole page."""
    held = importing.mine()
    page.title("Bring data", "a table becomes a cohort that can be trusted, or you are told why not")
    if held.live is not None:
        import_database.show(held, held.live)
    elif held.made is not None:
        import_finish.done(held)
    elif held.kept:
        import_sources.done(held)
    elif not held.files:
        import_file.ask()
    elif held.sources is not None:
        import_sources.show(held)
    else:
        _table(held)


def _table(held: Import) -> None:
    """The steps of a table."""
    answer = st.container()
    if not import_file.opened(held):
        return
    stop = st.session_state.pop(importing.TROUBLE, None)
    if stop is not None:
        desk.show(stop)
    import_finish.offer_last_time(held)
    import_columns.show(held)
    counting = st.container()
    report = None
    with counting:
        report = import_counts.counted(held)
    import_outcomes.show(held, report)
    import_checks.show(held, report)
    import_finish.show(held, report)
    with answer:
        _answer(held, report)


def _answer(held: Import, report: Report | None) -> None:
    """What would come of it as things stand, before any detail."""
    assert held.plan is not None and held.opened is not None
    name, plan = held.opened.staged.name, held.plan
    if report is None or not report.outcomes:
        page.put('<p class="bs-lead"><b>{name}</b> is read. What happened, and when, is still to be said.</p>',
                 name=name)  # fmt: skip
        return
    first = next(o for o in plan.outcomes if o.key == report.outcomes[0].key)
    left = held.opened.staged.n_rows - report.rows_kept
    page.put(
        '<p class="bs-lead"><b>{name}</b> would become a cohort of <b>{n}</b>{left}. {said}</p>',
        name=name, n=count(report.rows_kept, "patient"), said=outcome_said(report.outcomes[0], first),
        left=f", {count(left, 'row')} left out" if left else "",
    )  # fmt: skip
    if not import_counts.confirmed(held):
        page.caption("Nothing is imported before you have confirmed, in step 3, how it is read.")
