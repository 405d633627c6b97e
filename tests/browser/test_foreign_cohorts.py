"""Cohorts from elsewhere: a broken one shows its faults, a hostile one is shown letter for letter; the app lives."""

from __future__ import annotations

import csv
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import WAIT_MS, Visit
from tests.browser.walk import box, choose, deep, drawn, go, open_menu, open_patient
from tests.serving import Server

PICTURE = "![t](http://evil.example/x.png)"
TAG = "<img src=x onerror=fetch('http://evil.example')>"
COLOUR = ":red[low risk]"
LINK = "[click](https://evil.example)"
SCRIPT = "<script>document.title='owned'</script>"
MATHS = "$x^2$ %{x} <b>bold</b>"
ARABIC = "العمر 🧬"
TITLE = "Hostile & odd"
HOSTILE = (PICTURE, TAG, COLOUR, LINK, SCRIPT, MATHS)
PATIENT = "=HYPERLINK(1)"


def _hostile(folder: Path) -> None:
    """80 patients whose columns, levels, texts and names want to be more than text."""
    draw = random.Random(7)
    names = ["id", SCRIPT, ARABIC, "arm", "time", "died"]
    rows = []
    for i in range(80):
        age, arm = draw.gauss(60, 9), draw.choice(["a", "b"])
        time = draw.expovariate(0.1 if arm == "a" else 0.2)
        name = PATIENT if i == 0 else f"{i} {PICTURE}"
        rows.append([name, f"{age:.1f}", f"{draw.gauss(1, 0.2):.3f}", arm, f"{time:.3f}", draw.choice("0111")])
    folder.mkdir()
    with (folder / "data.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([names, *rows])
    words = {"event_phrase": f"die {COLOUR}", "free_phrase": f"alive {TAG}", "since": f"entry {LINK}"}
    dictionary = {
        "title": f"{TITLE} {PICTURE}",
        "short_title": TITLE,
        "summary": TAG,
        "population": LINK,
        "data": "data.csv",
        "identifier": "id",
        "variables": [
            {"name": "id", "label": "Patient", "kind": "identifier"},
            {"name": SCRIPT, "label": PICTURE, "unit": MATHS, "kind": "continuous"},
            {"name": ARABIC, "label": ARABIC, "unit": COLOUR, "kind": "continuous"},
            {
                "name": "arm",
                "label": COLOUR,
                "kind": "binary",
                "levels": [{"code": "a", "label": TAG}, {"code": "b", "label": MATHS}],
            },
        ],
        "outcomes": [
            {"key": "death", "label": f"Death {PICTURE}", "time": "time", "unit": "years", "status": "died",
             "censored": ["0"], "event": ["1"], **words},
        ],
        "source": {"citation": SCRIPT, "licence": PICTURE, "origin": LINK, "note": TAG},
    }  # fmt: skip
    (folder / "dictionary.json").write_text(json.dumps(dictionary), encoding="utf-8")


def _broken(folder: Path) -> None:
    """A negative time, an unknown code, a missing column and a patient twice, all in one."""
    folder.mkdir()
    lines = ["id,age,time,died", "Ada Lovelace,40,-3,1", "Ada Lovelace,50,4,1", "Bob,sixty,5,perhaps"]
    (folder / "data.csv").write_text("\n".join(lines), encoding="utf-8")
    dictionary = {
        "title": "Broken",
        "short_title": "Broken cohort",
        "data": "data.csv",
        "identifier": "id",
        "variables": [
            {"name": "id", "label": "Patient", "kind": "identifier"},
            {"name": "age", "label": "Age", "kind": "continuous"},
            {"name": "stage", "label": "Stage", "kind": "categorical", "levels": [{"code": "1", "label": "I"}]},
        ],
        "outcomes": [
            {"key": "death", "label": "Death", "time": "time", "unit": "years", "status": "died", "censored": ["0"],
             "event": ["1"], "event_phrase": "die", "free_phrase": "alive", "since": "entry"},
        ],
        "source": {"citation": "None", "licence": "None", "origin": "None"},
    }  # fmt: skip
    (folder / "dictionary.json").write_text(json.dumps(dictionary), encoding="utf-8")


@pytest.fixture(scope="module")
def foreign(start: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    root = tmp_path_factory.mktemp("cohorts")
    _hostile(root / "hostile")
    _broken(root / "broken")
    (root / "unreadable").mkdir()
    (root / "unreadable" / "dictionary.json").write_text("{not json", encoding="utf-8")
    return start(env={"BEDSIDE_COHORTS": str(root)})


def test_a_broken_cohort_shows_its_faults_and_the_app_lives(foreign: Server, open_page):
    visit = open_page("/", on=foreign)
    page = visit.page
    drawn(visit, "Overview")
    choose(visit, "Cohort", "Broken cohort")
    faults = page.get_by_role("region", name="Faults of this cohort")
    expect(faults).to_be_visible()
    rows = ("negative ones in row 1", "something else in row 3", "another in row 3", "repeated in rows 1, 2")
    for words in ("data.csv", "stage", "time", "died", "age", *rows):
        expect(faults).to_contain_text(words)
    # Rows are named by number; what stands in them is not repeated.
    for value in ("Ada", "perhaps", "sixty"):
        expect(page.locator("body")).not_to_contain_text(value)
    assert page.get_by_text("Traceback").count() == 0
    for path in ("/survival", "/patients", "/model"):
        page.goto(f"{foreign.url}{path}?cohort=broken")
        expect(faults).to_be_visible()

    page.goto(f"{foreign.url}/?cohort=unreadable")
    expect(faults).to_contain_text("valid JSON")
    visit.settle()
    box(page, "Cohort").click()
    page.get_by_role("option", name="Breast cancer, GBSG-2", exact=True).click()
    expect(page.get_by_text("All 686 patients")).to_be_visible()
    drawn(visit, "Overview")
    go(visit, "Survival")
    visit.assert_calm()


def _lacking(page: Page, texts: tuple[str, ...]) -> list[str]:
    """Which texts do not stand on the page."""
    shown = page.locator("body").inner_text().replace("\u2060", "").replace("\u00a0", " ").casefold()
    return [text for text in texts if text.casefold() not in shown]


def _assert_literal(visit: Visit, *texts: str) -> None:
    """Each text stands there letter for letter, and none of them became more than text."""
    page = visit.page
    end = time.monotonic() + WAIT_MS / 1000
    # Parts of a page are drawn one after the other: what is not there yet may come.
    while (lacking := _lacking(page, texts)) and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert not lacking
    main = page.locator('[data-testid="stMain"]')
    assert main.locator("img, a[href*='evil'], .katex, .stMarkdownColoredText, script").count() == 0
    assert main.locator("b:text-is('bold')").count() == 0
    assert page.title() != "owned"


def test_hostile_names_are_shown_letter_for_letter_everywhere(foreign: Server, open_page):
    visit = open_page("/?cohort=hostile", on=foreign)
    page = visit.page
    drawn(visit, "Overview")
    _assert_literal(visit, *HOSTILE, ARABIC, TITLE)
    menu = open_menu(visit, "Filter")
    choose(visit, "Patients whose", COLOUR)
    menu.get_by_role("combobox", name="is one of").click()
    page.get_by_role("option", name=TAG, exact=True).click()
    menu.get_by_role("button", name="Apply", exact=True).click()
    expect(page.locator(".st-key-attrition")).to_contain_text("of 80 patients")
    visit.settle()
    _assert_literal(visit, TAG)
    page.locator('[class*="st-key-chip_"] button:visible').first.click()
    expect(page.get_by_text("All 80 patients")).to_be_visible()

    deep(visit, "Survival", "cohort=hostile&survival_by=arm")
    _assert_literal(visit, TAG, MATHS, PICTURE)
    figure = page.locator(".js-plotly-plot .main-svg text").all_text_contents()
    assert any(TAG[:20] in text for text in figure) and any("$x^2$" in text for text in figure)

    deep(visit, "Patients", "cohort=hostile")
    open_patient(visit, PATIENT)
    expect(page.get_by_role("heading", level=1)).to_contain_text(PATIENT)
    _assert_literal(visit, COLOUR, LINK, TAG)
    page.get_by_text("All values", exact=True).click()
    page.get_by_role("region", name="All recorded values").wait_for()
    _assert_literal(visit, PICTURE, MATHS, ARABIC)
    deep(visit, "Model", "cohort=hostile")
    _assert_literal(visit, PICTURE)
    assert not any("evil.example" in url for url in visit.requests)
    visit.assert_calm()
