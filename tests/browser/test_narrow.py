"""On 820 px, a tablet held upright, every page has room for everything it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator

from bedside.cohort.selection import Between, OneOf, Selection
from tests.browser.conftest import Visit, arrive
from tests.browser.eyes import misfits
from tests.browser.walk import close_menu, deep, go, open_menu, open_patient
from tests.serving import Server

SIZE = {"width": 820, "height": 1180}
# The first cohort, one with long names of levels, one with genes, each with a patient.
COHORTS = {"gbsg2_breast": "17", "actg175_hiv_trial": "10056", "gse7390_breast_expression": "GSE7390_001"}


@pytest.fixture(scope="module")
def narrow(chromium: Browser, server: Server) -> Iterator[Visit]:
    visit = arrive(chromium, server, "/", viewport=SIZE)
    yield visit
    visit.page.context.close()


@pytest.mark.parametrize("cohort", COHORTS)
def test_everything_fits_on_every_page(narrow: Visit, cohort: str):
    found = {}
    deep(narrow, "Patients", f"cohort={cohort}")
    found["Patients"] = misfits(narrow.page)
    open_patient(narrow, COHORTS[cohort])
    found["Patient"] = misfits(narrow.page)
    for name in ("Survival", "Model", "Overview", "Bring data", "Saved"):
        go(narrow, name)
        found[name] = misfits(narrow.page)
    assert {name: each for name, each in found.items() if each} == {}


def test_a_long_filter_and_the_menus_fit(narrow: Visit):
    chosen = Selection(
        (
            (Between("age", 40, 75), OneOf("grade", ("1", "2", "3"), True)),
            (OneOf("menopausal_status", ("pre", "post")), OneOf("hormone_therapy", ("yes", "no"))),
            (Between("nodes", 1, 40, True),),
        )
    )
    deep(narrow, "Survival", f"cohort=gbsg2_breast&survival_by=grade&filter={chosen.to_text()}")
    assert narrow.page.locator('[class*="st-key-chip_"] button:visible').count() == 3
    assert misfits(narrow.page) == []
    for name in ("Filter", "Options", "Save"):
        _assert_inside(open_menu(narrow, name))
        close_menu(narrow)


def _assert_inside(menu: Locator) -> None:
    box = menu.bounding_box()
    assert box is not None
    assert box["x"] >= 0 and box["x"] + box["width"] <= SIZE["width"]
    assert box["y"] >= 0 and box["y"] + box["height"] <= SIZE["height"]


@pytest.mark.parametrize(("width", "height"), [(820, 1180), (1440, 900)])
def test_the_answer_is_on_the_first_screen(open_page, width: int, height: int):
    visit = open_page("/patients", viewport={"width": width, "height": height})
    open_patient(visit, "17")
    beside = [] if width == 820 else [".bs-reasons", ".st-key-patient_curve"]
    for selector in [".bs-hero", ".bs-icons", *beside]:
        box = visit.page.locator(selector).first.bounding_box()
        assert box is not None and box["width"] > 100, selector
        assert box["y"] >= 0 and box["y"] + box["height"] <= height, (selector, box)
