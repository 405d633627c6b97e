"""Tables of a cohort: those that are attached, and a file that is being attached."""

from __future__ import annotations

from functools import partial

import streamlit as st

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.intake.attaching import VisitsMade, attach_wide_job
from bedside.intake.from_large import identifiers_of
from bedside.intake.visits_table import about_visits
from bedside.store.attached import Attached, remove
from components import attached, attaching, desk, jobs, live_counts, whose
from components.attaching import Attaching
from components.importing import MOST_MB
from components.panels import attached_visits, attached_words, page
from components.panels import import_fields as fields
from components.panels.attached_end import after_stop, finish
from components.panels.import_words import size_said

COHORT, CARD = "attached_for", "attached_card"
KINDS = {"wide": "Genes and other wide tables", "visits": "Measurements over time"}
WHAT = {
    "expression": "Gene expression", "copies": "Copy number", "methylation": "Methylation", "protein": "Protein",
    "mutations": "Mutations (yes or no)", "measurements": "Something else",
}  # fmt: skip
LOOKS = {
    "wide": (
        "A number for each patient and each of many features, such as genes: patients in rows or in columns, up to "
        "25,000 columns. Parquet, CSV or TSV, also packed; samples find their patient."
    ),
    "visits": (
        "A row for each patient and time, such as laboratory values: a column for each measurement, or the name, value "
        "and unit in three. Any kind of file that cohorts are made of."
    ),
}


def card() -> None:
    """On the page "Bring data": attach to any cohort that is here."""
    with st.container(border=True, key="card_attached"):
        page.heading("Add a table to a cohort that is here", "genes, or measurements over time")
        titles = {entry.key: entry.short_title for entry in desk.entries()}
        open_now = st.session_state.get("cohort") or st.query_params.get("cohort", "")
        now = st.session_state.get(COHORT) or attaching.mine().cohort or open_now

        def keep(key: str) -> None:
            st.session_state[COHORT] = key

        # What is under way is in sight, also for who comes back from another page.
        busy = attaching.mine().file is not None or attaching.mine().made is not None
        menu = st.container() if busy else st.expander("Choose the cohort and the file", key=CARD, on_change="rerun")
        if busy or menu.open:
            with menu, desk.fixable():
                st.session_state.setdefault(COHORT, now if now in titles else next(iter(titles), ""))
                fields.choose("Cohort", titles, st.session_state[COHORT], keep, key="attached_cohort", width=420)
                show(st.session_state[COHORT])


def menu(key: str, *, mine: bool) -> None:
    """On the page "Saved": the tables of one cohort."""
    if not (mine or attached.tables(key)):
        return
    # Always called the same: a menu with another name is another menu, and closed.
    box = st.popover("Tables", icon=":material/table_chart:", key=f"attached_menu_{key}",
                     on_change="rerun")  # fmt: skip
    if box.open:
        with box, desk.fixable():
            show(key, mine=mine)


def show(key: str, *, mine: bool = True) -> None:
    """What is attached to a cohort, and the way to attach more."""
    trouble = st.session_state.get(attaching.TROUBLE)
    if trouble is not None and trouble[0] == key:
        desk.show(trouble[1])
    for table in attached.tables(key):
        _one(key, table)
    if not mine:
        return
    held = attaching.mine()
    if held.cohort != key or (held.file is None and held.made is None):
        _ask(key)
    elif held.made is not None:
        _done(held)
    elif held.kind == "wide":
        _wide(held, desk.another(key))
    else:
        cohort = desk.another(key)
        live_counts.need_rows(cohort)
        attached_visits.show(held, cohort)


def _one(key: str, table: Attached) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch"):
            said, trouble = "", table.trouble
            if trouble is None:
                try:
                    said = attached_words.table_said(table, _number(table))
                except Fixable as stop:
                    trouble = stop
            page.put('<p><b>{t}</b> <span class="bs-muted">{said}</span></p>', t=table.title, said=said)
            if trouble is not None:
                desk.show(trouble)
        if table.mine:
            st.button("Remove", key=f"attached_remove_{key}_{table.id}", type="tertiary", icon=":material/delete:",
                      on_click=partial(_remove, key, table.id))  # fmt: skip


def _number(table: Attached) -> tuple[int, int]:
    """Features and patients, or visits and measurements."""
    if table.kind == "visits":
        about = about_visits(table.folder)
        return about.n_visits, len(about.variables)
    return table.wide.about.n_features, table.wide.about.n_patients


def _remove(key: str, table: str) -> None:
    try:
        remove(key, table, reader=whose.reader())
    except Fixable as stop:
        st.session_state[attaching.TROUBLE] = (key, stop)
    attached.look_again()


def _ask(key: str) -> None:
    """Which kind, and the file."""
    kind = st.segmented_control(
        "What is in the file", list(KINDS), format_func=KINDS.__getitem__, default="wide", required=True,
        key=f"attached_kind_{key}",
    )  # fmt: skip
    page.caption(LOOKS[kind])
    name = attaching.upload_key(key)
    st.file_uploader(
        "The file", key=name, max_upload_size=MOST_MB, on_change=attaching.bring, args=(key, kind),
        label_visibility="collapsed",
    )  # fmt: skip


def _wide(held: Attaching, cohort: Cohort) -> None:
    """What a wide table holds, and attaching it."""
    assert held.file is not None and held.folder is not None  # the caller has looked

    def keep(part: str):
        return lambda value: setattr(held, part, value)

    page.put("<p><b>{name}</b>, {size}</p>", name=held.file.name, size=size_said(held.file.size))
    if not held.running:
        fields.choose("It holds", WHAT, held.what, keep("what"), key="attached_what", width=320)
        fields.words("Called", held.title, keep("title"), key="attached_title", longest=80, width=320)
        fields.words("Unit or scale, if any", held.unit, keep("unit"), key="attached_unit", longest=40, width=320,
                     placeholder="log2")  # fmt: skip
        with st.container(horizontal=True, gap="small"):
            st.button("Attach", key="attached_go", type="primary", icon=":material/add:", on_click=keep("running"),
                      args=(True,))  # fmt: skip
            st.button("Another file", key="attached_another", on_click=attaching.forget)
        return
    ask = {
        "source": held.file.path, "name": held.file.name, "work": held.folder, "cohort": held.cohort,
        "patients": identifiers_of(cohort) if cohort.identifier is not None else (), "reader": whose.reader(),
        "what": held.what, "title": held.title, "unit": held.unit,
    }  # fmt: skip
    if cohort.identifier is None:
        raise Fixable("Nothing can be attached to this cohort.", "It has no identifiers by which patients are found.",
                      "Import it with the column that names its patients.")  # fmt: skip
    key = ("attaching", held.mark, held.what, held.title, held.unit)
    made = jobs.wanted(key, "Reading the table", attach_wide_job, ask)
    if made is not None:
        held.made = made
        finish(held)
    after_stop(held, key)


def _again() -> None:
    attaching.forget()
    st.session_state[CARD] = True


def _done(held: Attaching) -> None:
    """The report."""
    made = held.made
    assert made is not None  # the caller has looked
    visits = isinstance(made, VisitsMade)
    lead, lines = attached_words.visits_report(made) if visits else attached_words.wide_report(made.about)
    page.put("<p><b>Attached: {title}.</b> {lead}</p>", title=made.kept.title, lead=lead)
    page.put("<ul>{items}</ul>", items=page.join([page.fill("<li>{t}</li>", t=line) for line in lines]))
    with st.container(horizontal=True, gap="small"):
        if st.button("Open the cohort", key="attached_open", type="primary", icon=":material/groups:"):
            st.session_state["cohort"] = key = held.cohort
            attaching.forget()
            st.switch_page(desk.page("overview"), query_params={"cohort": key})
        st.button("Attach another table", key="attached_next", on_click=_again)
    if not visits:
        page.caption("“Measurements” above every page of the cohort finds one by name and makes it a variable.")
