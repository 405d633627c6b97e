"""What it goes by in a browser: it fits a tablet, a dot opens its patient by mouse, and a button by keyboard."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.eyes import misfits
from tests.browser.walk import deep, drawn, go

MAIN = '[data-testid="stMain"]'
DOTS = ".st-key-reasons_swarm .scatterlayer .points path.point"
FURTHEST = """() => [...document.querySelectorAll('%s')].map(e => e.getBoundingClientRect())
  .map(r => [r.x + r.width / 2, r.y + r.height / 2]).reduce((a, b) => a[0] > b[0] ? a : b)"""


def test_on_a_tablet_it_fits_and_leads_to_patients(open_page):
    visit = open_page("/", viewport={"width": 820, "height": 1180})
    page = visit.page
    deep(visit, "What it goes by", "cohort=mgus_competing")
    assert misfits(page) == []
    assert visit.axe(include=MAIN) == []
    for choice in page.locator('.st-key-model_target [role="radio"]').all():
        box = choice.bounding_box()
        assert box is not None and box["x"] + box["width"] <= 820
        assert choice.evaluate("e => e.scrollWidth <= e.clientWidth && e.parentElement.scrollWidth <= innerWidth")
    page.locator(".st-key-reasons_swarm").scroll_into_view_if_needed()
    visit.settle()
    page.mouse.click(*page.evaluate(FURTHEST % DOTS))
    drawn(visit, "Patient")
    first = page.locator("h1").inner_text()
    assert first.startswith("Patient ")
    go(visit, "What it goes by")
    expect(page.locator("h1")).to_have_text("What it goes by")
    page.locator(".st-key-reasons_swarm_open button").focus()
    page.keyboard.press("Enter")
    drawn(visit, "Patient")
    expect(page.locator("h1")).to_have_text(first)
    visit.assert_calm()
