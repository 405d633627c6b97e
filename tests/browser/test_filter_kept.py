"""A filter made by clicking holds on every page and after a reload, and is taken away by a click."""

from __future__ import annotations

import csv
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, expect

from bedside.cohort.selection import Selection
from bedside.intake import read_cohort
from tests.browser.conftest import Visit
from tests.browser.walk import box, choose, choose_level, close_menu, drawn, go, open_menu
from tests.serving import ROOT

FOLDER = ROOT / "sample_data" / "gbsg2_breast"
with (FOLDER / "data.csv").open(encoding="utf-8") as lines:
    ROWS = list(csv.DictReader(lines))
POST = [row for row in ROWS if row["menopausal_status"] == "post"]
OLDER = [row for row in POST if float(row["age"]) >= 65]


def _chips(visit: Visit) -> Locator:
    return visit.page.locator('[class*="st-key-chip_"] button:visible')


def _count(visit: Visit, n: int) -> None:
    expect(visit.page.locator(".st-key-attrition")).to_contain_text(f"{n} of {len(ROWS)} patients")


def _add(visit: Visit, variable: str) -> None:
    open_menu(visit, "Filter")
    choose(visit, "Patients whose", variable)


def _apply(visit: Visit, n: int) -> None:
    visit.page.get_by_role("button", name="Apply", exact=True).click()
    _count(visit, n)
    visit.settle()
    if visit.page.get_by_test_id("stPopoverBody").is_visible():
        close_menu(visit)


def test_a_filter_survives_page_change_and_reload(open_page):
    visit = open_page("/")
    page = visit.page
    drawn(visit, "Overview")
    _add(visit, "Menopausal status")
    choose_level(visit, "post-menopausal")
    _apply(visit, len(POST))
    expect(_chips(visit).locator("p")).to_have_text(["Post-menopausal"])

    _add(visit, "Age")
    page.get_by_role("spinbutton", name="From").fill("65")
    page.get_by_role("spinbutton", name="From").press("Tab")
    _apply(visit, len(OLDER))
    expect(_chips(visit)).to_have_count(2)
    said = _chips(visit).all_inner_texts()

    # Saved by its name and Enter, without a click into the field.
    open_menu(visit, "Keep")
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.type("Old <b>ones</b>")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stToast")).to_contain_text("Saved: the filter “Old <b>ones")
    visit.settle()

    for name in ("Survival", "Patients", "Model", "Overview"):
        go(visit, name)
        _count(visit, len(OLDER))
        assert _chips(visit).all_inner_texts() == said, name
    go(visit, "Survival")
    expect(page.locator(".bs-title").first).to_contain_text(f"{len(OLDER)} patients")

    # The address holds the whole filter, as anybody else would open it.
    (kept,) = parse_qs(urlsplit(page.url).query)["filter"]
    cohort = read_cohort(FOLDER)
    assert len(Selection.from_text(kept, cohort).apply(cohort)) == len(OLDER)
    page.reload()
    drawn(visit, "Survival")
    _count(visit, len(OLDER))
    assert _chips(visit).all_inner_texts() == said

    _chips(visit).nth(1).click()
    _count(visit, len(POST))
    expect(_chips(visit).locator("p")).to_have_text(["Post-menopausal"])
    visit.settle()
    page.reload()
    drawn(visit, "Survival")
    _count(visit, len(POST))
    _chips(visit).first.click()
    expect(page.get_by_text(f"All {len(ROWS)} patients")).to_be_visible()
    expect(_chips(visit)).to_have_count(0)
    visit.settle()
    assert "filter=" not in page.url
    open_menu(visit, "Filter")
    box(page, "Saved filters").click()
    page.get_by_role("option", name="Old <b>ones</b>", exact=True).click()
    _count(visit, len(OLDER))
    visit.assert_calm()


def test_a_filter_of_few_patients_is_not_in_the_address(open_page):
    visit = open_page("/")
    drawn(visit, "Overview")
    few = [row for row in ROWS if float(row["age"]) >= 78]
    assert 0 < len(few) < 10
    _add(visit, "Age")
    visit.page.get_by_role("spinbutton", name="From").fill("78")
    visit.page.get_by_role("spinbutton", name="From").press("Tab")
    _apply(visit, len(few))
    expect(visit.page.get_by_text("This filter is not in the link")).to_be_visible()
    assert "filter=" not in visit.page.url
    go(visit, "Patients")
    _count(visit, len(few))
    assert "filter=" not in visit.page.url
