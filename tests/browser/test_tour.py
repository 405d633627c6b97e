"""The pages in light and in dark: readable, accessible, silent, and talking to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser

from bedside.cohort.selection import OneOf, Selection
from bedside.intake.sample import NAME, sample_file
from tests.browser.conftest import Visit, arrive
from tests.browser.eyes import faint, texts
from tests.browser.walk import choose, choose_level, close_menu, deep, drawn, go, open_menu, open_patient
from tests.serving import Server

# What Streamlit's own frame violates, by rule and selector; everything else is ours and has to be mended.
FRAME = {
    # The sidebar's list groups its entries with <div>s between <ul> and <li>.
    "list": '[data-testid="stSidebarNavItems"]',
    "listitem": '[data-testid="stSidebarNavItems"] li',
}
SEEN = (
    "gate", "overview", "numbers", "filter menu", "filter of levels", "chips", "attrition", "survival", "options",
    "save menu", "how made", "report", "export", "bring", "brought", "saved",
    "patients", "found", "nobody chosen", "patient", "values", "model",
)  # fmt: skip


@dataclass
class Tour:
    """What was seen on the way, by name of the place."""

    scheme: str
    visit: Visit
    texts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    violations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def look(self, place: str, *, at: str | None = None) -> None:
        """Measure what stands there now; `at` limits the accessibility check to a piece that just opened."""
        self.texts[place] = texts(self.visit.page)
        self.violations[place] = self.visit.axe(include=at, frame=FRAME)


@pytest.fixture(scope="module", params=["light", "dark"])
def tour(request: pytest.FixtureRequest, chromium: Browser, server: Server) -> Iterator[Tour]:
    visit = arrive(chromium, server, "/survival", passed=False, color_scheme=request.param)
    found = Tour(request.param, visit)
    found.look("gate")
    visit.page.get_by_role("button").click()
    drawn(visit, "Survival")
    _overview(found)
    _survival(found)
    _data(found)
    _people(found)
    deep(visit, "Model")
    found.look("model")
    go(visit, "Overview")
    yield found
    visit.page.context.close()


def _menu(found: Tour, name: str, place: str) -> None:
    open_menu(found.visit, name)
    found.look(place, at='[data-testid="stPopoverBody"]')
    close_menu(found.visit)


def _overview(found: Tour) -> None:
    visit = found.visit
    deep(visit, "Overview")
    found.look("overview")
    visit.page.get_by_text("The same in numbers").click()
    visit.page.get_by_role("region", name="Who is in the cohort, in numbers").wait_for()
    visit.settle()
    found.look("numbers")
    _menu(found, "Filter", "filter menu")
    open_menu(visit, "Filter")
    choose(visit, "Patients whose", "Menopausal status")
    choose_level(visit, "post-menopausal")
    found.look("filter of levels", at='[data-testid="stPopoverBody"]')


def _survival(found: Tour) -> None:
    visit = found.visit
    chosen = Selection(((OneOf("grade", ("2", "3")),), (OneOf("menopausal_status", ("pre",)),)))
    deep(visit, "Survival", f"survival_by=grade&filter={chosen.to_text()}")
    visit.page.get_by_role("button", name="pre-menopausal").wait_for()
    found.look("survival")
    found.look("chips", at=".st-key-cohort_bar")
    _menu(found, "257 of 686 patients", "attrition")
    _menu(found, "Options", "options")
    _menu(found, "Save", "save menu")
    _menu(found, "How made", "how made")
    open_menu(visit, "Save").get_by_role("button", name="Add to report").click()
    visit.page.get_by_text("Added to the report.").wait_for()
    visit.settle()
    close_menu(visit)
    go(visit, "Report")
    found.look("report")
    _menu(found, "Export", "export")


def _data(found: Tour) -> None:
    visit = found.visit
    deep(visit, "Saved")
    found.look("saved")
    go(visit, "Bring data")
    found.look("bring")
    sample = {"name": NAME, "mimeType": "text/csv", "buffer": sample_file()}
    visit.page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files([sample])
    visit.page.locator(".st-key-card_import_checks").wait_for()
    visit.settle()
    found.look("brought")


def _people(found: Tour) -> None:
    visit = found.visit
    deep(visit, "Patients")
    found.look("patients")
    visit.page.get_by_label("Find a patient").fill("17")
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("button", name="Open patient 17").wait_for()
    visit.settle()
    found.look("found")
    visit.page.goto(f"{visit.server.url}/patient")
    visit.page.get_by_text("No patient is open.").wait_for()
    visit.settle()
    found.look("nobody chosen")
    deep(visit, "Patients")
    open_patient(visit, "17")
    found.look("patient")
    visit.page.get_by_text("All values", exact=True).click()
    visit.page.get_by_role("region", name="All recorded values").wait_for()
    visit.settle()
    found.look("values")


def test_the_tour_saw_everything(tour: Tour):
    assert sorted(tour.texts) == sorted(SEEN)
    for place in ("overview", "survival", "brought", "patients", "patient", "model"):
        assert len([each for each in tour.texts[place] if not each["figure"]]) >= 15, place
    for place, least in {"survival": 30, "patient": 15, "model": 20}.items():
        assert len([each for each in tour.texts[place] if each["figure"]]) >= least, place


def test_every_text_can_be_read(tour: Tour):
    assert {place: faint(found) for place, found in tour.texts.items() if faint(found)} == {}


def test_the_appearance_is_the_readers(tour: Tour):
    filled = {"!", "Apply", "post-menopausal", "last_contact", "Open patient 17", "Export"}
    filled |= {"I understand: open Bedside"}
    for place, found in tour.texts.items():
        # Figures of a report lie on white paper, as they will be printed.
        seen = [each for each in found if not (each["figure"] and place in ("report", "export"))]
        grounds = {each["text"]: sum(each["ground"][:3]) / 765 for each in seen if each["text"] not in filled}
        if tour.scheme == "light":
            assert min(grounds.values()) > 0.8, place
        else:
            assert max(grounds.values()) < 0.3, place


def test_nothing_of_ours_violates_wcag(tour: Tour):
    assert {place: found for place, found in tour.violations.items() if found} == {}


def test_nothing_was_asked_of_anybody_else(tour: Tour):
    assert len(tour.visit.requests) > 50
    assert any(url.startswith("ws://") for url in tour.visit.requests)
    assert tour.visit.outside == []


def test_nothing_failed_under_the_policy(tour: Tour):
    assert tour.visit.console == []
    assert tour.visit.failed == []
