"""Regression in a browser: drawn, readable by everybody, calm; a row opens the patient, a click the mending."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.eyes import misfits
from tests.browser.walk import choose, drawn

MAIN = '[data-testid="stMain"]'


def test_it_is_drawn_answers_clicks_and_keeps_its_choices(open_page):
    visit = open_page("/regression?cohort=mgus_competing")
    drawn(visit, "Regression")
    assert visit.axe(include=MAIN) == []
    assert misfits(visit.page) == []
    choose(visit, "Event", "Progression: share of patients (Fine-Gray)")
    expect(visit.page.get_by_text("The checks below are of the cause-specific Cox model")).to_be_visible()
    assert re.search(r"regression_event=fine-gray(:|%3A)1", visit.page.url)
    forest = visit.page.locator(".st-key-regression_forest .annotation-text")
    expect(forest.filter(has_text="1.58 (1.36 to 1.84)")).to_have_count(1)  # R: cmprsk::crr
    visit.assert_calm()


def test_in_the_dark_on_a_tablet_everything_fits(open_page):
    size = {"width": 820, "height": 1180}
    visit = open_page("/regression?cohort=gbsg2_breast", viewport=size, color_scheme="dark")
    drawn(visit, "Regression")
    for name in ("Parametric models", "Planning and points"):
        visit.page.get_by_text(name, exact=True).click()
        visit.settle()
    assert visit.axe(include=MAIN) == []
    assert misfits(visit.page) == []
    visit.assert_calm()
