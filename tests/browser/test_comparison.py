"""Fair comparison in a browser: it is drawn, keeps calm, can be read by everybody, and answers a click at once."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.eyes import misfits
from tests.browser.walk import choose, drawn, open_menu

MAIN = '[data-testid="stMain"]'


def test_it_is_drawn_and_answers_clicks(open_page):
    visit = open_page("/comparison?cohort=gbsg2_breast")
    drawn(visit, "Fair comparison")
    assert visit.axe(include=MAIN) == []
    assert misfits(visit.page) == []
    heads = visit.page.locator(".st-key-comparison_curves .annotation-text")
    for name, panels in [("Both", 2), ("Weighting", 1)]:
        visit.page.get_by_role("radio", name=name, exact=True).click()
        expect(heads.filter(has_text="As observed: dashed")).to_have_count(panels)
    choose(visit, "As if all were like", "Those who might have had either")
    assert "comparison_whom=overlap" in visit.page.url
    visit.assert_calm()


def test_in_the_dark_on_a_tablet_everything_fits_and_the_table_is_black_on_white(open_page):
    size = {"width": 820, "height": 1180}
    visit = open_page("/comparison?cohort=actg175_hiv_trial", viewport=size, color_scheme="dark")
    drawn(visit, "Fair comparison")
    for name in ("Table 1: who is in each group", "Is it the same in everybody? Subgroups"):
        visit.page.get_by_text(name).click()
        visit.settle()
    assert visit.axe(include=MAIN) == []
    assert misfits(visit.page) == []
    cell = open_menu(visit, "Copy for Word").locator("table td").first
    assert cell.inner_text() == "Age (years), mean (SD)"
    assert cell.evaluate("cell => getComputedStyle(cell).color") == "rgb(0, 0, 0)"
    visit.assert_calm()
