"""A table of a database or folder becomes a cohort that is counted where it is."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from bedside.errors import Fixable
from bedside.intake import opening
from bedside.intake.building import Report
from bedside.intake.live_plan import fit_of
from bedside.intake.live_sample import SAMPLE
from bedside.store.cohorts_kept import Kept
from bedside.store.sources import Source
from bedside.store.sources_open import Table
from components import desk, importing, jobs, live, live_child, whose
from components.importing import Import
from components.live_child import Place
from components.panels import import_columns, import_counts, import_outcomes, live_bar, page
from components.panels import import_fields as fields
from components.panels.import_words import count
from components.panels.pick import told_apart

LOOKED, RUNNING = "import_live_looked", "import_live_running"
KINDS = {"postgresql": "PostgreSQL", "duckdb": "DuckDB file", "parquet": "Parquet files", "spark": "Spark"}
HOW = (
    "Data in PostgreSQL, a DuckDB file, a folder of Parquet files or Spark can be counted where they are. Whoever runs "
    "this server names the source in [sources.NAME] of .streamlit/secrets.toml, with its kind and address."
)
HAPPENS = (
    "The rows stay where they are: filters, tables and curves are counted there, and only counts come back. A sample "
    "is looked at now for the guesses, and removed when you are done. Rows come only for a patient who is opened, and "
    "for pages that fit a model, once you go there."
)


# ------------------------------------------------------------------ which table


def card() -> None:
    """The door beside the one for files; one quiet sentence where no source is configured."""
    known = live.sources().all
    if not known:
        page.caption(HOW)
        return
    with st.container(border=True, key="card_import_database"), desk.fixable():
        page.heading("From a database or folder", "counted where it is, not copied")
        named = {source.name: source for source in known}
        labels = {name: f"{s.title} ({KINDS[s.kind]})" if s.kind else s.title for name, s in named.items()}
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            named_apart = told_apart(labels)
            name = st.selectbox("Source", list(labels), format_func=named_apart.__getitem__, key="import_live_source",
                                persist_state="session", width=230)  # fmt: skip
            source = named[name]
            tables = {f"{t.schema}\x1f{t.name}": t for t in _tables(source)}
            if not tables:
                page.caption("There is no table in it that its account may read.")
                return
            shown = told_apart({key: _said(table, source) for key, table in tables.items()})
            chosen = st.selectbox("Table", list(shown), format_func=shown.__getitem__,
                                  key=f"import_live_table_{name}", persist_state="session", width=230)  # fmt: skip
            table = tables[chosen]
            place = Place(source.checked(), table.schema, table.name)
            st.button("Look at it", key="import_live_look", type="primary", icon=":material/search:",
                      on_click=importing.of_source, args=(place,))  # fmt: skip
        about = "" if table.about is None else f", about {count(table.about, 'row')}"
        page.caption(f"{count(len(table.columns), 'column')}{about}. {table.note}".strip())


def _tables(source: Source) -> tuple[Table, ...]:
    """What is in a source; asked once, until the reader asks again."""
    turn = st.session_state.get(LOOKED, 0)
    return desk.kept(("live tables", source.name, turn), lambda: source.checked().tables())


def _said(table: Table, source: Source) -> str:
    name = table.name or source.title
    return f"{table.schema}.{name}" if table.schema not in ("", "public", "main") else name


# ------------------------------------------------------------------ the steps


def show(held: Import, place: Place) -> None:
    """The answer first: what the table would become, and keeping it; then each part to be looked at and changed."""
    if held.kept:
        _done(held.kept[0], place)
        return
    with st.container(border=True, key="card_import_finish"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(width="stretch"):
                page.heading(place.name, f"in {place.source.title}")
            st.button("Another table or file", key="import_another", icon=":material/upload_file:",
                      on_click=importing.forget)  # fmt: skip
        page.caption(HAPPENS)
        if not _looked(held, place):
            return
        assert held.opened is not None and held.plan is not None
        page.caption(" ".join(held.opened.staged.notes))
        if _may_write(held, place):
            page.caution(live_bar.WRITES)
        report = _counted(held, place)
        _answer(held, place, report)
        _finish(held, place, report)
    import_columns.show(held)
    import_outcomes.show(held, report, asked=False)


def _looked(held: Import, place: Place) -> bool:
    """Look at a sample, or show how far that is; whether it was looked at."""
    if held.opened is not None:
        return True
    assert held.folder is not None  # made when the table was chosen
    found = jobs.wanted(("import_live", held.mark), "Looking at a sample", live_child.look, place, held.folder)
    if found is not None:
        held.take(found)
        st.rerun()
    return False


def _may_write(held: Import, place: Place) -> bool:
    def asked() -> bool:
        try:
            return place.source.may_write(place.schema, place.table)
        except Fixable:
            return False  # what is wrong with the source is said where it is counted

    return desk.kept(("import_live_writes", held.mark), asked)


def _counted(held: Import, place: Place) -> Report | None:
    """How the outcomes would be read, counted in the source; None while that runs, or where it can't be done there."""
    assert held.opened is not None and held.plan is not None
    staged = held.opened.staged
    plan = replace(held.plan, outcomes=tuple(o for o in held.plan.outcomes if import_counts.complete(o)))
    if not plan.outcomes:
        return None
    fit = fit_of(staged, plan)
    if fit.in_the_way:
        desk.show(
            Fixable(
                "This can't be counted where it is.", " ".join(fit.in_the_way[:4]),
                "Change the answers below, ask for a view in which it is as it should be, or bring it as a file.",
            )
        )  # fmt: skip
        return None
    for name, why in fit.left_out:
        page.caption(f"“{name}” stays out of the cohort: it holds {why}.")
    key = ("import_live_counted", held.mark, opening.seal(opening.counted(plan)))
    if _is_small(held):
        with desk.fixable():
            return desk.kept(key, lambda: live_child.read(place, staged, opening.counted(plan)))
        return None
    import_counts.only(key)
    return jobs.wanted(key, f"Counting in {place.source.title}", live_child.read, place, staged, opening.counted(plan))


def _is_small(held: Import) -> bool:
    """True if the sample is the whole table, and is counted while the page is drawn."""
    assert held.opened is not None
    staged = held.opened.staged
    return staged.n_rows < SAMPLE and staged.n_rows * len(staged.columns) <= import_counts.AT_ONCE


def _answer(held: Import, place: Place, report: Report | None) -> None:
    """What would come of it as things stand, and each outcome with the tick that says that it is read right."""
    assert held.plan is not None
    if not held.plan.outcomes:
        page.caution("Still to say: what happened, and when. Add an outcome below.")
    if report is None:
        return
    left = report.rows_read - report.rows_kept
    page.put(
        '<p class="bs-lead"><b>{name}</b> would become a cohort of <b>{n}</b>{left}, counted in {source}.</p>',
        name=place.name, n=count(report.rows_kept, "patient"), source=place.source.title,
        left=f", {count(left, 'row')} left out" if left else "",
    )  # fmt: skip
    for i, outcome in enumerate(held.plan.outcomes):
        import_outcomes.answer(held, outcome, i, report)


# ------------------------------------------------------------------ keeping


def _finish(held: Import, place: Place, report: Report | None) -> None:
    plan = held.plan
    assert plan is not None
    lacking = _lacking(held, report)
    running = st.session_state.get(RUNNING) == _run_key(held)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        fields.words("Title", plan.title, lambda text: _title(held, text), key="import_live_title", width=420)
        st.button("Keep it", key="import_live_go", type="primary", icon=":material/check:",
                  disabled=bool(lacking) or running, on_click=_begin, args=(held,))  # fmt: skip
    if running:
        _run(held, place)
    elif lacking:
        page.caption(lacking)


def _lacking(held: Import, report: Report | None) -> str:
    """Why it can't be kept yet; empty if it can."""
    if report is None:
        return "Once it is counted over all rows how the outcomes are read, and you have confirmed it, it can be kept."
    if not report.rows_kept:
        return "Nobody can be followed: look at how the first outcome is read."
    if not import_counts.confirmed(held):
        return "First confirm how each outcome is read."
    return ""


def _title(held: Import, text: str) -> None:
    if held.plan is not None and text.strip():
        held.change(replace(held.plan, title=text.strip(), short_title=text.strip()[:40]))


def _run_key(held: Import) -> str:
    assert held.plan is not None
    return opening.seal(held.plan, held.mark)


def _begin(held: Import) -> None:
    st.session_state[RUNNING] = _run_key(held)


def _run(held: Import, place: Place) -> None:
    assert held.opened is not None and held.plan is not None
    with desk.fixable():
        key, work = ("import_live_keep", _run_key(held)), (place, held.opened.staged, held.plan, whose.reader())
        if _is_small(held):
            st.session_state.pop(RUNNING)
            kept = live_child.keep_live(*work)
        else:
            kept = jobs.wanted(key, "Counting it once more, and keeping it", live_child.keep_live, *work)
        if kept is not None:
            st.session_state.pop(RUNNING, None)
            held.kept = (kept,)
            held.end()
            st.rerun()


def _done(kept: Kept, place: Place) -> None:
    """What became of it, and where to go from here."""
    with st.container(border=True, key="card_import_done"):
        page.heading(f"Kept: {kept.title}", f"{count(kept.n_patients, 'patient')}, counted in {place.source.title}")
        with st.container(horizontal=True, gap="small"):
            if st.button("Open the cohort", key="import_open", type="primary", icon=":material/groups:"):
                st.session_state["cohort"] = kept.key
                st.switch_page(desk.page("overview"), query_params={"cohort": kept.key})
            st.button("Bring something else", key="import_next", icon=":material/upload_file:",
                      on_click=importing.forget)  # fmt: skip
        page.caption(
            "The rows stayed where they are, and the sample is removed. Every page says as of when it counts; “Count "
            "anew” takes the source as it is then."
        )
