"""Every estimate of the reader: opened, deleted, taken along."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import streamlit as st

from bedside.errors import Fixable
from bedside.report.csv import csv_bytes, file_name
from bedside.store.estimates import Estimate
from components import desk, my_estimates
from components.panels import page, patient_list
from components.panels.judgement_data import Item
from components.text import cell

TROUBLE = "judgement_trouble"
HEADER = (
    "cohort", "outcome", "target", "patient (code of this server)", "by", "unit", "you", "at least", "at most",
    "passed on", "the model", "model had not seen the patient", "model shown then", "model kind", "model fingerprint",
    "number on screen before", "what happened", "when (UTC)", "note",
)  # fmt: skip


def show(items: list[Item], everything: tuple[Estimate, ...], unread: tuple[int, ...] = ()) -> None:
    """The table of this cohort's, and what can be done with all of them."""
    stop = st.session_state.pop(TROUBLE, None)
    if stop is not None:
        desk.show(stop)
    if items:
        with st.container(border=True, key="card_judgement_mine"):
            page.heading("Your estimates", "Tick one to open its patient or to delete it")
            newest = items[::-1]
            event = st.dataframe(
                _table(newest), key="judgement_table", hide_index=True, on_select="rerun",
                selection_mode="single-row", column_config=_columns(), placeholder="–",
                alt=f"{len(newest)} estimates, newest first: patient, outcome, time, your number, the model's and what "
                "happened.",
            )  # fmt: skip
            chosen = event.selection.rows
            if chosen and chosen[0] < len(newest):
                _chosen(newest[chosen[0]])
    if unread:
        _odd(unread)
    if everything:
        _all(items, everything)


def _odd(unread: tuple[int, ...]) -> None:
    """Rows that hold what this Bedside does not write: counted, and to be deleted by themselves."""
    n = len(unread)
    with st.container(key="screen_judgement_odd", horizontal=True, vertical_alignment="center", gap="small"):
        page.caption(
            f"{n:,} estimate{'s' * (n != 1)} of yours can't be read and {'is' if n == 1 else 'are'} left out: damaged, "
            "or kept by another version of Bedside."
        )
        st.button(
            f"Delete {'it' if n == 1 else f'these {n:,}'} for good", key="judgement_delete_odd", type="tertiary",
            icon=":material/delete:", on_click=_delete, args=unread,
        )  # fmt: skip


def _table(items: list[Item]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient": [cell(_name(i)) for i in items],
            "of": [cell(i.of) for i in items],
            "by": [i.by for i in items],
            "own": [_hundred(i.estimate.said.own) for i in items],
            "model": [_hundred(i.estimate.fair) for i in items],
            "from": [_whence(i.estimate) for i in items],
            "came": [i.came for i in items],
            "made": [_day(i.estimate.made) for i in items],
            "note": [cell(i.estimate.said.note) for i in items],
        }
    )


def _columns() -> dict[str, object]:
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    return {
        "patient": text("Patient", pinned=True), "of": text("Of what"), "by": text("Within"),
        "own": number("You, of 100", format="%.0f"), "model": number("The model, of 100", format="%.0f"),
        "from": text("The model's"), "came": text("What happened"), "made": text("When (UTC)"), "note": text("Note"),
    }  # fmt: skip


def _name(item: Item) -> str:
    return "not here" if item.row is None else item.cohort.identifiers[item.row]


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _whence(one: Estimate) -> str:
    if one.skipped:
        return "you passed on"
    if one.fair is None:
        return "none"
    aware = "; its number had been on the screen" if one.said.aware else ""
    how = "had not seen the patient" if one.unseen is not None else "had learnt from the patient"
    return f"{my_estimates.named(one.kind)}, {how}{aware}"


def _day(made: str) -> str:
    try:
        return f"{datetime.fromisoformat(made):%Y-%m-%d %H:%M}"
    except ValueError:
        return made


def _chosen(item: Item) -> None:
    """What can be done with the one that is ticked."""
    note = item.estimate.said.note
    if note:
        page.put('<p class="bs-muted">Your note: {t}</p>', t=note)
    with st.container(horizontal=True, key="screen_judgement_chosen", gap="small"):
        row = desk.find(desk.cohort(), item.estimate.about.patient)
        if row is None:
            page.caption("This patient is not among those selected.")
        elif st.button("Open this patient", key="judgement_open", icon=":material/person:"):
            patient_list.open_patient(desk.cohort(), row)
        st.button(
            "Delete this estimate", key="judgement_delete", type="tertiary", icon=":material/delete:",
            on_click=_delete, args=(item.estimate.id,),
            help="It can be given again, but is not compared then: the model's number has been seen.",
        )  # fmt: skip


def _delete(*numbers: int) -> None:
    try:
        for number in numbers:
            my_estimates.book().delete(number)
        st.session_state.pop("judgement_table", None)
    except Fixable as stop:
        st.session_state[TROUBLE] = stop


def _delete_all() -> None:
    try:
        my_estimates.book().delete_all()
    except Fixable as stop:
        st.session_state[TROUBLE] = stop


def _all(items: list[Item], everything: tuple[Estimate, ...]) -> None:
    """Export and deletion of everything this reader has, in every cohort."""
    elsewhere = len(everything) - len(items)
    with st.container(key="screen_judgement_all", horizontal=True, vertical_alignment="center", gap="small"):
        take = st.popover("Take mine along", icon=":material/download:", type="tertiary", key="judgement_take",
                          on_change="rerun")  # fmt: skip
        if take.open:
            with take:
                data = export(items, everything)
                st.download_button(
                    f"All {len(everything):,} as CSV", data, file_name=file_name("my-estimates", data, "csv"),
                    mime="text/csv", key="judgement_csv", on_click="ignore", icon=":material/table:",
                )  # fmt: skip
        gone = st.popover("Delete all of mine", icon=":material/delete:", type="tertiary", key="judgement_gone",
                          on_change="rerun")  # fmt: skip
        if gone.open:
            with gone:
                st.button(
                    f"Delete all {len(everything):,} for good", key="judgement_delete_all", on_click=_delete_all,
                    help="In every cohort. Patients you estimated are then asked for again; that you have "
                    "seen what the model says of them stays known, and such answers are not compared.",
                )  # fmt: skip
        if elsewhere:
            page.caption(f"{elsewhere:,} more of yours {'is' if elsewhere == 1 else 'are'} of other cohorts.")


def export(items: list[Item], everything: tuple[Estimate, ...]) -> bytes:
    """All of them as CSV; what happened is told for the cohort that is open."""
    came = {i.estimate.id: i for i in items}
    return csv_bytes(HEADER, [_row(raw, came.get(raw.id)) for raw in everything])


def _row(raw: Estimate, item: Item | None) -> tuple[object, ...]:
    one = raw if item is None else item.estimate
    of, said = one.about, one.said
    unseen = "" if one.fair is None else _yes(one.unseen is not None)
    return (
        of.cohort, of.outcome, of.target, of.patient, one.horizon, one.unit, said.own, said.low, said.high,
        _yes(one.skipped), one.fair, unseen, one.shown, one.kind, one.model, _yes(said.aware),
        "" if item is None else item.came, one.made, said.note,
    )  # fmt: skip


def _yes(true: bool) -> str:
    return "yes" if true else "no"
