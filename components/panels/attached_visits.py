"""A table of measurements over time on its way to a cohort: what its columns are, each open to change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from bedside.cohort import Cohort
from bedside.intake.attaching import attach_visits, open_visits
from bedside.intake.visits_plan import VisitsPlan
from components import attaching, jobs, whose
from components.attaching import Attaching
from components.panels import import_fields as fields
from components.panels import page
from components.panels.attached_end import after_stop, finish
from components.panels.import_words import count, file_said
from components.text import cell

CLOCKS = {
    "days": "days since time zero", "weeks": "weeks since time zero", "months": "months since time zero",
    "years": "years since time zero", "date": "dates",
}  # fmt: skip
FORMS = {"columns": "A column for each measurement", "long": "Names and values in two columns"}
NONE = ""


def show(held: Attaching, cohort: Cohort) -> None:
    """Read the file, then ask what its columns are, then attach it."""
    assert held.file is not None and held.folder is not None  # the caller has looked
    if held.opened is None:
        key: jobs.Key = ("attaching_open", held.mark)
        found = jobs.wanted(key, "Reading the file", open_visits, held.file.path, held.file.name, held.folder, cohort)
        after_stop(held, key)
        if found is None:
            return
        held.opened, held.plan = found, found.plan
    assert held.plan is not None  # both together
    if held.running:
        key = ("attaching_visits", held.mark, repr(held.plan), held.title)
        made = jobs.wanted(key, "Reading the visits", attach_visits, held.opened, held.plan, held.folder, cohort,
                           whose.reader(), held.title)  # fmt: skip
        if made is not None:
            held.made = made
            finish(held)
        after_stop(held, key)
        return
    _questions(held, held.plan)


def _questions(held: Attaching, plan: VisitsPlan) -> None:
    assert held.opened is not None  # the caller has looked
    staged = held.opened.staged
    page.put("<p><b>{name}</b>, {said}</p>", name=staged.name, said=file_said(staged))
    shown = held.opened.rows
    st.dataframe(shown.rename(columns={name: cell(name) for name in shown.columns}), hide_index=True, height=180,
                 key="attached_preview")  # fmt: skip

    def keep(part: str) -> Callable[[Any], None]:
        def kept(value: Any) -> None:
            held.plan = replace(plan, **{part: tuple(value) if part == "measured" else value})

        return kept

    names = {column.name: column.name for column in staged.columns}
    either = {NONE: "none", **names}
    with st.container(horizontal=True, gap="small"):
        fields.choose("Patients", names, plan.patient, keep("patient"), key="attached_patient", width=200)
        fields.choose("Times", names, plan.time, keep("time"), key="attached_time", width=200)
        fields.choose("These are", CLOCKS, plan.clock, keep("clock"), key="attached_clock", width=240)
    if plan.clock == "date":
        zeros = held.opened.zeros
        if zeros:
            fields.choose("Time zero", {NONE: "not said", **zeros}, plan.zero, keep("zero"), key="attached_zero",
                          width=320)  # fmt: skip
        else:
            page.caution("Neither the cohort nor the file has a date of time zero: bring the time since it instead.")
    fields.segments("The table has", FORMS, plan.form, keep("form"), key="attached_form")
    if plan.form == "long":
        with st.container(horizontal=True, gap="small"):
            fields.choose("Names of measurements", either, plan.name, keep("name"), key="attached_name", width=200)
            fields.choose("Values", either, plan.value, keep("value"), key="attached_value", width=200)
            fields.choose("Units", either, plan.unit, keep("unit"), key="attached_units", width=200)
    else:
        rest = {name: name for name in names if name not in (plan.patient, plan.time)}
        fields.several("Measurements", rest, plan.measured, keep("measured"), key="attached_measured")
        page.caption(f"{count(len(plan.measured), 'column')} chosen.")

    def go() -> None:
        held.running = True

    with st.container(horizontal=True, gap="small"):
        st.button("Attach", key="attached_go", type="primary", icon=":material/add:", on_click=go)
        st.button("Another file", key="attached_another", on_click=attaching.forget)
