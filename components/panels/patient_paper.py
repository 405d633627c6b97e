"""A patient on paper: which sheet, whose name on it, and the file; made when the menu is open, and kept nowhere."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from bedside.report.csv import file_name
from bedside.report.patient_sheet import board_sheet, own_sheet
from components import desk
from components.panels import page, patient_estimate, patient_paper_facts
from components.panels.patient_view import View
from components.printing.patient_board_sheet import board_pdf
from components.printing.patient_own_sheet import own_pdf
from components.printing.patient_page import Paper

SHEETS = {"board": "Team meeting", "own": "For the patient"}
NAMES = {"line": "A line to write on", "identifier": "The identifier", "own": "My own words"}
PAPERS: dict[Paper, str] = {"A4": "A4", "Letter": "US Letter"}
LONGEST = 120
WIDTH = 380
STEMS = {"board": "team-meeting-sheet", "own": "sheet-for-the-patient"}


def popover(view: View) -> None:
    """The menu in the page's header; closed it costs nothing."""
    _follow(view)
    menu = st.popover("Print", icon=":material/print:", type="tertiary", key="patient_paper", on_change="rerun")
    if not menu.open:
        return
    with menu, st.container(width=WIDTH), desk.fixable():
        if view.beyond:
            page.caption(f"No sheet can be made. {view.beyond}")
        elif patient_estimate.closed(view.cohort, view.outcome, view.row):
            page.caption("A sheet can be made once your own estimate is given.")
        else:
            _menu(view)


def _follow(view: View) -> None:
    """Whenever the page is turned to another reader, so is the sheet."""
    if st.session_state.get("patient_paper_reading") not in (None, view.reading):
        st.session_state.pop("patient_paper_sheet", None)
    st.session_state["patient_paper_reading"] = view.reading


def _menu(view: View) -> None:
    usual = "own" if view.reading == "patient" else "board"
    which = _one("Sheet", SHEETS, "patient_paper_sheet", usual)
    identity = _identity(view)
    estimate = patient_paper_facts.estimate(view) if which == "board" else ""
    if estimate and not st.toggle("Print my own estimate too", key="patient_paper_estimate", persist_state="session"):
        estimate = ""
    paper: Paper = "Letter" if _one("Paper", PAPERS, "patient_paper_size", "A4") == "Letter" else "A4"
    data = pdf(view, which, identity=identity, estimate=estimate, paper=paper)
    st.download_button(
        "Download PDF", data, file_name=file_name(STEMS[which], data, "pdf"), mime="application/pdf",
        key="patient_paper_pdf", on_click="ignore", icon=":material/picture_as_pdf:", type="primary",
    )  # fmt: skip
    page.caption(
        "One page, with the number and the time that the page shows. It is made on this machine; the name you choose "
        "is printed and kept nowhere, and the file's own name and description hold none."
    )


def _one(label: str, options: dict, key: str, usual: str) -> str:
    """A choice of this session that is nobody else's business: it is not in the address."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = usual
    return st.segmented_control(
        label, list(options), format_func=lambda value: options[value], key=key, required=True, persist_state="session"
    )


def _identity(view: View) -> str:
    """What stands behind "Patient" on the sheet."""
    chosen = _one("Name on the sheet", NAMES, "patient_paper_name", "line")
    if chosen == "identifier":
        return view.cohort.identifiers[view.row]
    if chosen == "own":
        # Of this patient alone: what was typed for one must never stand on another's sheet.
        mark = desk.token(view.cohort, view.row)[:16]
        return st.text_input(
            "Words on the sheet", key=f"patient_paper_words_{mark}", max_chars=LONGEST,
            placeholder="Such as name and date of birth",
        ).strip()  # fmt: skip
    return ""


def pdf(view: View, which: str, *, identity: str = "", estimate: str = "", paper: Paper = "A4") -> bytes:
    """One of the sheets as a file.

    Parameters
    ----------
    view : View
        With a number: not `beyond`.
    which : {"board", "own"}
    identity, estimate : str
        As in `Facts`.
    paper : {"A4", "Letter"}
    """
    now = datetime.now().astimezone()
    facts = patient_paper_facts.facts(view, made=now.date(), identity=identity, estimate=estimate)
    if which == "own":
        return own_pdf(own_sheet(facts), made=now, paper=paper)
    return board_pdf(board_sheet(facts), patient_paper_facts.drawn(view), made=now, paper=paper)
