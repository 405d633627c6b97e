"""Does it hold elsewhere in a browser: the example is one click away, can be read by everybody, and fits a tablet."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.eyes import misfits
from tests.browser.walk import choose, drawn

MAIN = '[data-testid="stMain"]'
FIGURES = ".js-plotly-plot:has(.main-svg text)"


def test_the_example_is_one_click_and_an_update_answers(open_page):
    visit = open_page("/external?cohort=gbsg2_breast")
    drawn(visit, "Does it hold elsewhere?")
    visit.page.locator('[class*="st-key-external_demo_"] button').click()
    expect(visit.page.locator(FIGURES)).to_have_count(2)
    visit.settle()
    assert "cohort=pbc_liver" in visit.page.url
    assert visit.axe(include=MAIN) == []
    assert misfits(visit.page) == []
    visit.page.get_by_role("radio", name="Baseline and slope", exact=True).click()
    expect(visit.page.get_by_text("Risks are drawn together")).to_be_visible()
    visit.assert_calm()


def test_in_the_dark_on_a_tablet_a_refused_pair_says_why(open_page):
    size = {"width": 820, "height": 1180}
    visit = open_page("/external?cohort=gbsg2_breast", viewport=size, color_scheme="dark")
    drawn(visit, "Does it hold elsewhere?")
    choose(visit, "Tested on", "Breast cancer, TRANSBIG (cannot: another event)")
    expect(visit.page.get_by_text("They are different events", exact=False)).to_be_visible()
    assert visit.axe(include=MAIN) == []
    assert misfits(visit.page) == []
    visit.assert_calm()
