"""The page on which a file becomes a cohort: its steps one below the other, the answer first."""

from __future__ import annotations

import streamlit as st

from components import desk, importing
from components.importing import Import
from components.panels import (
    import_answer,
    import_checks,
    import_columns,
    import_counts,
    import_database,
    import_file,
    import_finish,
    import_last,
    import_outcomes,
    import_sources,
    page,
)


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
    """A table: the answer first, then each part of it to be looked at and changed."""
    if not import_file.opened(held):
        return
    stop = st.session_state.pop(importing.TROUBLE, None)
    if stop is not None:
        desk.show(stop)
    import_last.offer(held)
    with st.container(border=True, key="card_import_finish"):
        import_file.head(held)
        report = import_counts.counted(held)
        import_answer.show(held, report)
        left, foot = st.container(), st.container()
    import_columns.show(held)
    import_outcomes.show(held, report, asked=False)
    found = import_checks.show(held, report)
    with left:
        import_answer.left(held, report, found)
    with foot:
        import_finish.show(held, report, found)
