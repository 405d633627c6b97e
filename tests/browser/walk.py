"""How a reader moves through Bedside in a browser: the steps that several tests share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

COHORT = "gbsg2_breast"


class Place(NamedTuple):
    """A page: its path, what stands at its end, and how many figures it has at least."""

    path: str
    end: str
    figures: int


PAGES = {
    "Overview": Place("/", ".st-key-overview_table", 0),
    "Survival": Place("/survival", ".st-key-card_times table", 1),
    "Regression": Place("/regression", ".st-key-card_regression_influence canvas", 3),
    "Fair comparison": Place("/comparison", ".st-key-comparison_table", 3),
    "Bring data": Place("/import", ".st-key-import_sample", 0),
    "Saved": Place("/library", '[class*="st-key-card_library"]', 0),
    "Patients": Place("/patients", ".st-key-save_patients", 0),
    "Patient": Place("/patient", ".st-key-patient_section", 2),
    "You and the model": Place("/judgement", '[class*="st-key-card_judgement"]', 0),
    "Model": Place("/model", ".st-key-model_saved", 1),
    "What it goes by": Place("/reasons", ".st-key-reasons_dependence .js-plotly-plot", 2),
    "Validation": Place("/validation", ".st-key-card_validation_groups .js-plotly-plot", 5),
    "Who does it fail?": Place("/audit", ".st-key-audit_all", 1),
    "Does it hold elsewhere?": Place("/external", '[class*="st-key-external_demo_"] button', 0),
    "Published scores": Place("/scores", ".st-key-scores_lacking", 1),
    "Report": Place("/report", '[class*="st-key-card_report_"] textarea', 1),
}


def drawn(visit: Visit, name: str) -> None:
    """Wait until a page stands there whole: its last piece, its figures, and Streamlit at rest."""
    visit.page.locator(PAGES[name].end).first.wait_for()
    visit.settle()
    for plots in (".js-plotly-plot", ".js-plotly-plot:has(.main-svg text)"):
        if PAGES[name].figures:
            expect(visit.page.locator(plots).nth(PAGES[name].figures - 1)).to_be_attached()


def deep(visit: Visit, name: str, query: str = "") -> None:
    """Type a page's address."""
    visit.page.goto(f"{visit.server.url}{PAGES[name].path}{query and '?' + query}")
    drawn(visit, name)


def side(page: Page, name: str) -> Locator:
    """A page's entry in the sidebar."""
    return page.locator('[data-testid="stSidebarNav"]').get_by_role(
        "link", name=re.compile(rf"^{re.escape(name)}( \(\d+\))?$")
    )


def go(visit: Visit, name: str) -> None:
    """Click a page in the sidebar."""
    side(visit.page, name).click()
    visit.page.wait_for_url(re.compile(re.escape(PAGES[name].path) + r"(\?|$)"))
    drawn(visit, name)


def open_patient(visit: Visit, who: str) -> None:
    """From the list of patients to one of them, by the search box."""
    box = visit.page.get_by_label("Find a patient")
    box.fill(who)
    box.press("Enter")
    visit.page.get_by_role("button", name=f"Open patient {who}", exact=True).click()
    drawn(visit, "Patient")


def open_menu(visit: Visit, name: str) -> Locator:
    """Open a button's menu, whose inside the server makes when it opens."""
    visit.page.get_by_role("button", name=name, exact=True).first.click()
    body = visit.page.get_by_test_id("stPopoverBody")
    body.locator("button, input, table").first.wait_for()
    visit.settle()
    return body


def close_menu(visit: Visit) -> None:
    """Close the menu that is open."""
    visit.page.keyboard.press("Escape")
    visit.page.get_by_test_id("stPopoverBody").wait_for(state="hidden")
    visit.settle()  # a menu that opens while the server still hears that it closed stays empty


def choose(visit: Visit, label: str, option: str) -> None:
    """Pick one option of a select box by mouse."""
    box(visit.page, label).wait_for()
    visit.settle()
    box(visit.page, label).click()
    visit.page.get_by_role("option", name=option, exact=True).click()
    expect(box(visit.page, label)).to_have_value(option)
    visit.settle()


def box(page: Page, label: str) -> Locator:
    """A select box by the start of its label."""
    return page.get_by_role("combobox", name=re.compile(rf"(^|\. ){re.escape(label)}"))


def choose_level(visit: Visit, level: str) -> None:
    """Add one level to the filter that is being built."""
    body = visit.page.get_by_test_id("stPopoverBody")
    body.get_by_role("combobox", name="is one of").click()
    visit.page.get_by_role("option", name=level, exact=True).click()
    body.get_by_role("button", name="Apply").and_(visit.page.locator(":enabled")).wait_for()
    visit.settle()
