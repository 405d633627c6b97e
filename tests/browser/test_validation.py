"""Validation in a browser: the quick model at once, the others when their job is done; both pages fit a tablet."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.eyes import misfits
from tests.browser.walk import deep, drawn

MAIN = '[data-testid="stMain"]'


def test_the_quick_model_stands_at_once_and_the_others_come_by_themselves(open_page):
    visit = open_page("/validation?cohort=lung_ncctg")
    drawn(visit, "Validation")
    expect(visit.page.get_by_text("Of 100 pairs of patients it had not seen, the Cox model ranks")).to_be_visible()
    expect(visit.page.get_by_label("Differences")).to_be_visible(timeout=90_000)
    visit.settle()
    assert visit.axe(include=MAIN) == []
    assert misfits(visit.page) == []
    visit.assert_calm()


def test_in_the_dark_on_a_tablet_the_audit_fits(open_page):
    visit = open_page("/", viewport={"width": 820, "height": 1180}, color_scheme="dark")
    deep(visit, "Who does it fail?", "cohort=nhefs_prevention")
    visit.page.get_by_text("Everything that was looked at").click()
    visit.settle()
    assert visit.axe(include=MAIN) == []
    assert misfits(visit.page) == []
    visit.assert_calm()
