"""Keeping a model: saving it, the list of saved ones, and its card."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.errors import Fixable
from bedside.report.csv import file_name
from bedside.report.model_card import ModelCard, model_card
from bedside.report.model_card_html import card_file, card_html
from bedside.report.model_card_sections import sections
from bedside.risk.fitted import Fitted
from bedside.risk.save import MOST_BYTES
from bedside.store import models
from components import desk, model_choice, numbers_validation
from components.model_choice import Choice
from components.panels import page, saved_groups
from components.printing.model_card import card_pdf
from components.text import md

MOST_SHOWN = 40
DONE = "model_kept_done"
UPLOAD = "model_upload"
LONGEST_NAME, LONGEST_NOTE = 120, 2000


def board(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted | None, when: float, unit: Unit) -> None:
    """Everything that keeps a model, closed until it is asked for; the list stands without a model too."""
    if fitted is not None:
        t = float(convert(when, unit, outcome.unit))
        panel = st.expander("Model card", key="model_card", icon=":material/badge:", on_change="rerun")
        if panel.open:
            with panel, desk.fixable():
                _card(_filled(cohort, outcome, choice, fitted, t))
        panel = st.expander("Save this model", key="model_save", icon=":material/save:", on_change="rerun")
        if panel.open:
            with panel, desk.fixable():
                _save(cohort, outcome, choice, fitted, t)
        saved_groups.by_risk(cohort, outcome, choice, fitted, when, unit, key="model_risk", folded=True)
    panel = st.expander("Saved models", key="model_saved", icon=":material/inventory_2:", on_change="rerun")
    if panel.open:
        with panel, desk.fixable():
            _saved()
    _told()


# ------------------------------------------------------------------ card


def _filled(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, t: float) -> ModelCard:
    """The card of the model on the page, with what has been measured so far."""
    measured = numbers_validation.performance(cohort, outcome, choice)
    fair = numbers_validation.fairness(cohort, outcome, choice)
    key = ("model card", fitted.fingerprint, cohort.fingerprint, t, bool(measured), bool(fair))
    return desk.kept(key, lambda: model_card(fitted, cohort, horizons=(t,), performance=measured, fairness=fair))


def _card(card: ModelCard) -> None:
    made = {"html": card_html, "pdf": card_pdf, "json": card_file}
    mime = {"html": "text/html", "pdf": "application/pdf", "json": "application/json"}
    stem = f"model-card-{card.made.cohort_key}-{card.kind}"
    with st.container(key="screen_model_card_files", horizontal=True, gap="xsmall"):
        for ending, make in made.items():
            seal = (card.made.model_fingerprint, card.made.date, ending, bool(card.performance))
            data = desk.kept(("model card file", *seal), lambda make=make: make(card))
            st.download_button(
                ending.upper(), data, file_name=file_name(stem, data, ending), mime=mime[ending],
                key=f"model_card_{ending}", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
    if not card.performance:
        page.caption("How well it predicts is added once the check at the top of the page is done.")
    for section in sections(card):
        page.heading(section.heading)
        for text in section.text:
            page.put("<p>{t}</p>", t=text)
        if section.table is not None:
            page.table(section.table.header, section.table.rows, label=section.heading, numeric_from=99)


# ------------------------------------------------------------------ saving


def _save(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, t: float) -> None:
    page.caption(
        "Kept on this machine with its card, under the next version of its name. The file holds what the model learnt, "
        "no patient's row; but the lowest and highest value of each number, and times of events, are those of single "
        "patients."
    )
    # Not a key of its own widget's value alone: after saving, the form shows what was typed.
    with st.form("model_save_form", border=False):
        name = st.text_input(
            "Name", value=f"{outcome.label}, {model_choice.named(choice.kind)}"[:LONGEST_NAME],
            max_chars=LONGEST_NAME, key="model_save_name",
        )  # fmt: skip
        note = st.text_area("Note", max_chars=LONGEST_NOTE, key="model_save_note", height=80,
                            placeholder="What it is for, and what was decided")  # fmt: skip
        pressed = st.form_submit_button("Save", type="primary", key="model_save_now")
    if not pressed:
        return
    card = _filled(cohort, outcome, choice, fitted, t).model_copy(update={"note": note})
    entry = models.save_model(
        fitted, name.strip(), note=note, cohort_title=cohort.short_title, card=card.as_json()
    )  # fmt: skip
    st.success(md(f"Saved as “{name.strip()}”, version {entry.version}."), icon=":material/check:")


# ------------------------------------------------------------------ the list


def _saved() -> None:
    found = models.list_models()
    if not found:
        page.caption("None yet.")
    for entry in found[:MOST_SHOWN]:
        with st.container(key=f"model_entry_{entry.key}_{entry.version}"):
            _entry(entry)
    if len(found) > MOST_SHOWN:
        page.caption(f"{len(found) - MOST_SHOWN} more are not shown; delete some to see them.")
    st.file_uploader(
        "Bring a model file", key=UPLOAD, on_change=_upload, max_upload_size=MOST_BYTES // 2**20,
        help="A file that Bedside saved, here or elsewhere. It is checked wholly before it is kept.",
    )  # fmt: skip


def _entry(entry: models.Entry) -> None:
    about = entry.about
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch"):
            if about is None:
                trouble = entry.trouble
                page.put("<p><b>Can’t be read</b>, version {v}</p>", v=entry.version)
                page.caption(f"{trouble.what} {trouble.why}" if trouble else "")
            else:
                page.put(
                    '<p><b>{name}</b> version {v} <span class="bs-muted">{label}, {outcome}; {cohort}; {n} patients, '
                    "{events} events; {when}</span></p>",
                    name=about.name, v=about.version, label=about.label, outcome=about.outcome_label,
                    cohort=about.cohort_title or about.cohort_key, n=f"{about.n:,}", events=f"{about.n_events:,}",
                    when=_date(about.saved),
                )  # fmt: skip
                if about.note:
                    page.caption(about.note)
        mark = f"{entry.key}_{entry.version}"
        file = st.popover("File", icon=":material/download:", type="tertiary", key=f"model_file_{mark}",
                          on_change="rerun")  # fmt: skip
        if file.open:
            with file, desk.fixable():
                data = models.model_bytes(entry.key, entry.version)
                stem = f"{about.name}-v{about.version}" if about else "model"
                st.download_button(
                    f"Download ({_size(entry.size)})", data, file_name=file_name(stem, data, "model"),
                    mime="application/octet-stream", key=f"model_download_{mark}", on_click="ignore",
                )  # fmt: skip
        gone = st.popover("Delete", icon=":material/delete:", type="tertiary", key=f"model_delete_{mark}",
                          on_change="rerun")  # fmt: skip
        if gone.open:
            with gone:
                st.button("Delete this version for good", key=f"model_gone_{mark}", on_click=_delete,
                          args=(entry.key, entry.version))  # fmt: skip


def _date(text: str) -> str:
    try:
        return f"{datetime.fromisoformat(text):%d %b %Y, %H:%M UTC}"
    except ValueError:
        return text


def _size(n: int) -> str:
    return f"{n / 1e6:.1f} MB" if n >= 1e6 else f"{max(n // 1000, 1)} kB"


def _upload() -> None:
    brought = st.session_state.get(UPLOAD)
    if brought is None:
        return
    try:
        entry = models.keep_file(brought.getvalue())
        name = entry.about.name if entry.about else ""
        st.session_state[DONE] = f"Brought in as “{name}”, version {entry.version}."
    except Fixable as stop:
        st.session_state[DONE] = stop


def _delete(key: str, version: int) -> None:
    try:
        models.delete_model(key, version)
        st.session_state[DONE] = "Deleted."
    except Fixable as stop:
        st.session_state[DONE] = stop


def _told() -> None:
    """What came of the last upload or deletion, once."""
    done = st.session_state.pop(DONE, None)
    if isinstance(done, Fixable):
        desk.show(done)
    elif done:
        st.success(md(done), icon=":material/check:")
