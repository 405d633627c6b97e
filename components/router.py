"""What the server runs for every reader: the gate, the frame, then the page."""

from __future__ import annotations

import streamlit as st

from components import basket, desk, live_rows, page_words
from components.guard import gate
from components.panels import cohort_bar, later_start, page, stamp

st.set_page_config(page_title="Bedside", page_icon=str(desk.HOME / "static" / "icon.png"), layout="wide")
gate.require_pass()
page.style(desk.mode())

PAGES = {
    "Cohort": [
        (
            "overview",
            "Overview",
            ":material/groups:",
            "Who is in the cohort, how long they were followed, what is missing.",
        ),
        ("survival", "Survival", ":material/show_chart:", "Do groups of patients do equally well?"),
        (
            "regression",
            "Regression",
            ":material/stacked_line_chart:",
            "Which variables go with more or fewer events?",
        ),
        (
            "comparison",
            "Fair comparison",
            ":material/balance:",
            "Would the groups differ if they had been alike at the start?",
        ),
    ],
    "Data": [
        ("import", "Bring data", ":material/upload:", "How does my own file become a cohort?"),
        ("library", "Saved", ":material/inventory_2:", "Cohorts you brought, and what you saved of them."),
    ],
    "People": [
        ("patients", "Patients", ":material/list:", "Find a patient by identifier, value or risk."),
        ("patient", "Patient", ":material/person:", "One patient's risk, how sure it is, and why."),
        ("judgement", "You and the model", ":material/compare_arrows:", "What you said, what it said, what happened."),
    ],
    "Model": [
        ("model", "Model", ":material/monitoring:", "What the model is and how far to trust it."),
        (
            "reasons",
            "What it goes by",
            ":material/bubble_chart:",
            "Which variables move the risk, in which direction and in whom?",
        ),
        ("validation", "Validation", ":material/fact_check:", "How well does it do on patients it has not seen?"),
        ("audit", "Who does it fail?", ":material/diversity_3:", "How well does it do in each group of patients?"),
        (
            "external",
            "Does it hold elsewhere?",
            ":material/local_hospital:",
            "Does the model hold for patients elsewhere?",
        ),
        ("scores", "Published scores", ":material/calculate:", "What a published score says, and what came true here."),
    ],
    "Report": [("report", "Report", ":material/description:", "What was gathered on the other pages, as one file.")],
}


SCRIPTS = {"import": "import_data"}
"""Where a page's file is not called as its address."""
OF_NO_COHORT = ("import", "library")
"""Pages that are there whichever cohort is open, or cannot be."""


def pages() -> dict[str, list[st.Page]]:
    """Every page with its own address."""
    return {
        section: [
            st.Page(
                desk.page(SCRIPTS.get(name, name)),
                title=_counted(title) if name == "report" else title,
                icon=icon,
                url_path=name,
                help=text,
                default=name == "overview",
            )
            for name, title, icon, text in entries
        ]
        for section, entries in PAGES.items()
    }


def _counted(title: str) -> str:
    n = len(basket.held())
    return f"{title} ({n})" if n else title


st.logo(str(desk.HOME / "static" / f"logo-{desk.mode()}.svg"), size="large")
chosen = st.navigation(pages(), expanded=True)  # every page is seen; Streamlit hides what is beyond a dozen
with st.sidebar:
    page.footer()
    gate.account()
desk.begin()
alone = chosen.url_path in OF_NO_COHORT
if not alone:
    cohort_bar.show(chosen.title, chosen.url_path or "overview")
page_words.begin()
if chosen.url_path not in ("survival", "report", *OF_NO_COHORT):
    later_start.elsewhere()
if alone or live_rows.ready(chosen.url_path, chosen.title):
    chosen.run()
if not alone:
    stamp.show(desk.cohort())
