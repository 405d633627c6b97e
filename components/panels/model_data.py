"""Before you trust a model: what looks wrong in the columns it is offered, each with one click to leave it out."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from bedside.cohort import Cohort, Outcome
from bedside.risk.leaks import Suspicion
from components import desk, model_choice, numbers_models
from components.model_choice import Choice
from components.panels import page, save
from components.text import md

FIRST = 4
NAMES = {
    "later": "Known only later", "outcome": "Repeats the outcome", "single": "Too good to be true",
    "missingness": "Recorded because of what happened", "bounded": "Measured during follow-up",
    "immortal": "Immortal time", "identifier": "Names patients", "duplicate": "Said twice", "constant": "Says nothing",
    "sparse": "Too few patients",
}  # fmt: skip


def card(cohort: Cohort, outcome: Outcome, choice: Choice) -> None:
    """The whole card; it stands whether or not there is a model."""
    with st.container(border=True, key="card_model_data", gap="xsmall"), desk.fixable():
        offered = len(model_choice.rows(cohort, outcome, choice).variables) if not _empty(cohort, choice) else 0
        found = numbers_models.suspicions(cohort, outcome, choice) if offered else ()
        page.heading("Before you trust it: the data", _aside(found, offered))
        if offered and not found:
            page.caption(
                f"Nothing suspicious found in {offered:,} variable{'' if offered == 1 else 's'}: none is known only "
                "later, ranks patients too well by itself, repeats another, or names patients."
            )
        _rows(cohort, found[:FIRST])
        if len(found) > FIRST:
            more = st.expander(f"{len(found) - FIRST} more", key="model_data_more", on_change="rerun")
            if more.open:
                with more:
                    _rows(cohort, found[FIRST:])
        _chips(cohort, choice)
        if found:
            save.numbers(
                "model_data", stem="suspicious-variables", rows=lambda: rows_of(found),
                title="Before you trust the model: the data",
                note="A suspicion is a reason to ask, not a verdict.",
            )  # fmt: skip


def _empty(cohort: Cohort, choice: Choice) -> bool:
    return all(v.name in choice.left_out for v in model_choice.eligible(cohort, wide=choice.wide))


def _aside(found: Sequence[Suspicion], offered: int) -> str:
    if not found:
        return f"{offered:,} looked at"
    return f"{len(found):,} to look at in {offered:,} variable{'' if offered == 1 else 's'}"


def _rows(cohort: Cohort, found: Sequence[Suspicion]) -> None:
    for one in found:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"model_row_{_id(one)}"):
            with st.container(width="stretch"):
                grave = one.action == "leave out"
                page.put(
                    '<p class="{k}"><b>{label}. {name}.</b> {text}</p>', k="bs-caution" if grave else "bs-muted",
                    label=one.label, name=NAMES.get(one.kind, "Look at it"), text=one.sentence,
                )  # fmt: skip
            if one.variable:
                with st.container(key=f"screen_model_{_id(one)}", width="content"):
                    st.button(
                        "Leave out", key=f"model_leave_{_id(one)}", on_click=model_choice.leave_out,
                        args=(cohort, (one.variable,)),
                    )  # fmt: skip


def _id(one: Suspicion) -> str:
    """What tells one line from another in keys: a column's name is not safe in a class of the page."""
    return f"{one.kind}_{one.variable.encode().hex()}_{'_'.join(name.encode().hex() for name in one.related)}"


def _chips(cohort: Cohort, choice: Choice) -> None:
    if not choice.left_out:
        return
    page.caption("Left out by you; click to take back:")
    with st.container(horizontal=True, gap="xsmall", key="screen_model_out"):
        for name in choice.left_out:
            st.button(
                md(cohort.variable(name).label), key=f"chip_model_{name.encode().hex()}", icon=":material/close:",
                on_click=model_choice.take_back, args=(cohort, (name,)),
            )  # fmt: skip


def rows_of(found: Sequence[Suspicion]) -> tuple[list[str], list[list[str]]]:
    """All suspicions: header and rows for a file."""
    header = ["variable", "column", "suspicion", "what was seen", "suggested"]
    return header, [[s.label, s.variable, NAMES.get(s.kind, s.kind), s.sentence, s.action] for s in found]
