"""The patient's page in ten seconds: what stands above the fold, and that every view of it can be read."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.eyes import faint, misfits, texts
from tests.browser.walk import open_patient

BOARD = '[data-testid="stMainBlockContainer"]'


def _bottom(place: Locator) -> float:
    box = place.bounding_box()
    assert box is not None and box["height"] > 0
    return box["y"] + box["height"]


def _pressed(visit: Visit, name: str) -> None:
    visit.page.get_by_role("radio", name=name, exact=True).first.click()
    visit.settle()


def test_the_answer_is_above_the_fold_and_every_view_can_be_read(open_page):
    # Three states, each with its name: the longest texts that the page has.
    visit = open_page("/patients?cohort=mgus_competing&target=event&patient_ranges=1")
    open_patient(visit, "21")
    page = visit.page
    why = page.locator(".bs-reasons li")
    said = page.get_by_text("95% interval:").first
    shown = [page.locator(".bs-hero"), said, page.locator(".st-key-patient_curve svg").first, *why.all()[:3]]
    assert all(_bottom(each) <= 900 for each in shown) and why.count() == 3
    found = {}
    _pressed(visit, "Bar")
    found["bar"] = visit.axe(include=".st-key-card_risk")
    # On a tablet nothing is clipped.
    page.set_viewport_size({"width": 820, "height": 1180})
    _pressed(visit, "Table")
    found["table"] = [*misfits(page), *visit.axe(include=".st-key-card_risk")]
    _pressed(visit, "For the patient")
    page.locator(".st-key-card_plain").wait_for()
    found["for the patient"] = [*misfits(page), *visit.axe(include=BOARD)]
    _pressed(visit, "Clinician")
    # The slider is moved by keys, to its end, and all follows.
    page.locator(".st-key-horizon_years input").first.focus()
    page.keyboard.press("End")
    expect(page.locator(".bs-hero")).to_have_text("Not known")
    visit.settle()
    found["beyond"] = [*misfits(page), *faint(texts(page)), *visit.axe(include=BOARD)]
    assert {name: each for name, each in found.items() if each} == {}
    visit.assert_calm()
