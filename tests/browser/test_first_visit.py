"""The first visitor of a fresh server, on a deep link."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.walk import box, drawn, side
from tests.serving import Server

DEEP = "/survival?cohort=colon_trial&survival_by=arm"


def test_a_deep_link_meets_the_gate_first_and_is_kept(start: Callable[..., Server], open_page):
    fresh = start()
    visit = open_page(DEEP, on=fresh, passed=False)
    page = visit.page
    expect(page.get_by_role("heading", name="Intended use")).to_be_visible()
    expect(page.get_by_text("Not a medical device.")).to_be_visible()
    # Nothing of the app has arrived: no script, no socket, no patient.
    assert page.locator("script, .bs, [data-testid]").count() == 0
    assert not any(url.startswith("ws") or "_stcore" in url for url in visit.requests)

    page.get_by_role("button").click()
    drawn(visit, "Survival")
    assert "/survival?" in page.url and "survival_by=arm" in page.url and "cohort=colon_trial" in page.url
    expect(box(page, "Cohort")).to_have_value("Colon cancer trial")
    expect(box(page, "Compare patients by")).to_have_value("Treatment arm")
    expect(page.get_by_text("log-rank p")).to_be_visible()
    expect(side(page, "Survival")).to_have_attribute("aria-current", "page")
    visit.assert_calm()


def test_without_the_answer_no_page_opens_even_after_others_came_in(server: Server, open_page):
    open_page("/").page.locator("h1").first.wait_for()
    for path in ("/", "/overview", "/survival", "/patients", "/patient", "/model"):
        visit = open_page(path, passed=False)
        expect(visit.page.get_by_role("heading", name="Intended use")).to_be_visible()
        assert visit.page.locator(".bs, script").count() == 0, path
        visit.page.context.close()


def test_the_answer_is_kept_for_the_next_visit(server: Server, open_page):
    visit = open_page("/patients", passed=False)
    visit.page.get_by_role("button").click()
    drawn(visit, "Patients")
    again = visit.page.context.new_page()
    again.goto(f"{server.url}/model")
    expect(again.get_by_role("heading", name="Model", exact=True)).to_be_visible()
