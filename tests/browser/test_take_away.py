"""What a reader takes along: pictures, numbers, a printed sheet; and times written the reader's way."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import Visit, arrive
from tests.browser.walk import close_menu, deep, drawn, open_menu, open_patient
from tests.serving import Server

SVG = "{http://www.w3.org/2000/svg}"
REFERENCE = re.compile(r"""url\(["']?#?([^"')]+)""")
COLOURS = """async data => {
  const image = new Image()
  image.src = 'data:image/png;base64,' + data
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = image.width
  canvas.height = image.height
  const pen = canvas.getContext('2d')
  pen.drawImage(image, 0, 0)
  const pixels = new Uint32Array(pen.getImageData(0, 0, image.width, image.height).data.buffer)
  return [image.width, image.height, new Set(pixels).size]
}"""


@pytest.fixture(scope="module")
def survival(chromium: Browser, server: Server) -> Iterator[Visit]:
    visit = arrive(chromium, server, "/survival?cohort=gbsg2_breast&survival_by=grade")
    drawn(visit, "Survival")
    yield visit
    visit.page.context.close()


@pytest.fixture
def grades(survival: Visit) -> Iterator[Visit]:
    yield survival
    close_menu(survival)


def _saved(visit: Visit, button: Locator) -> tuple[str, bytes]:
    with visit.page.expect_download() as download:
        button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def _texts(root: ElementTree.Element) -> list[str]:
    return [text for each in root.iter(f"{SVG}text") if (text := "".join(each.itertext()).strip())]


def test_a_figure_as_svg_stands_alone(grades: Visit):
    shown = [text for text in grades.page.locator(".js-plotly-plot .main-svg text").all_text_contents() if text.strip()]
    name, data = _saved(grades, open_menu(grades, "Save").get_by_role("button", name="SVG"))
    assert re.fullmatch(r"survival[\w-]*\.svg", name)
    root = ElementTree.fromstring(data)
    assert root.tag == f"{SVG}svg"
    said = _texts(root)
    assert sorted(set(shown) - set(said)) == []
    assert said[0] == "Alive and free of recurrence"
    note = " ".join(said)
    assert "Kaplan-Meier estimate, 686 patients, 299 events." in note
    assert len(root.findall(f".//{SVG}path")) > 10
    # Nothing runs or is fetched when it is opened, and every piece it refers to is inside.
    attributes = [(name, value) for each in root.iter() for name, value in each.attrib.items()]
    assert root.find(f".//{SVG}script") is None
    assert not any(name.startswith("on") or name.endswith(("href", "src")) for name, _ in attributes)
    inside = {value for name, value in attributes if name == "id"}
    asked = {found for _, value in attributes for found in REFERENCE.findall(value)}
    assert asked <= inside


def test_a_figure_as_png_is_twice_as_fine_and_not_blank(grades: Visit):
    box = grades.page.locator(".js-plotly-plot").bounding_box()
    assert box
    name, data = _saved(grades, open_menu(grades, "Save").get_by_role("button", name="PNG"))
    assert re.fullmatch(r"survival[\w-]*\.png", name)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, colours = grades.page.evaluate(COLOURS, base64.b64encode(data).decode())
    assert width == 2 * round(box["width"])
    assert height > 2 * box["height"]
    assert colours > 100
    grades.assert_calm()


def test_a_picture_by_keyboard(grades: Visit):
    page = grades.page
    page.get_by_role("button", name="Save", exact=True).first.focus()
    page.keyboard.press("Enter")
    body = page.get_by_test_id("stPopoverBody")
    # The keyboard is led into the menu, not through the rest of the page.
    expect(body.locator(":focus")).to_have_count(1)
    button = body.get_by_role("button", name="SVG")
    for _ in range(10):
        if button.evaluate("each => each === document.activeElement"):
            break
        page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert Path(download.value.path()).stat().st_size > 10_000


def test_the_numbers_as_csv(grades: Visit):
    name, data = _saved(grades, open_menu(grades, "Save").get_by_role("button", name="Numbers (CSV)"))
    found = re.fullmatch(r"survival[\w-]*?-([0-9a-f]{6,64})\.csv", name)
    assert found and hashlib.sha256(data).hexdigest().startswith(found[1])
    assert data.startswith(b"\xef\xbb\xbf")
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert len(header) > 5 and all(len(row) == len(header) for row in rows)
    first = {group: next(row for row in rows if group in row) for group in ("Grade 1", "Grade 2", "Grade 3")}
    assert [row[header.index("At risk")] for row in first.values()] == ["81", "444", "161"]


def test_every_figure_of_the_patient_can_be_saved(open_page):
    visit = open_page("/patients?cohort=gbsg2_breast")
    open_patient(visit, "17")
    for key in ("patient_curve", "patient_why"):
        visit.page.locator(f".st-key-save_{key} button").click()
        body = visit.page.get_by_test_id("stPopoverBody")
        body.get_by_role("button", name="SVG").wait_for()
        visit.settle()
        _, data = _saved(visit, body.get_by_role("button", name="SVG"))
        assert len(_texts(ElementTree.fromstring(data))) > 8
        # What is handed out identifies nobody.
        assert b"Patient 17" not in data
        visit.page.keyboard.press("Escape")
        body.wait_for(state="hidden")


def test_the_patients_page_prints_on_a_sheet_or_two(open_page):
    visit = open_page("/patients?cohort=gbsg2_breast")
    open_patient(visit, "17")
    page = visit.page
    for scheme in ("light", "dark"):
        page.emulate_media(media="screen", color_scheme=scheme)
        visit.settle()
        sheet = page.pdf(format="A4")
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", sheet)) <= 2
        page.emulate_media(media="print")
        expect(page.locator('[data-testid="stSidebar"]')).to_be_hidden()
        expect(page.locator('[data-testid="stHeader"]')).to_be_hidden()
        for each in page.locator('[class*="st-key-screen_"]').all():
            expect(each).to_be_hidden()
        for selector in (
            ".bs-hero",
            ".bs-icons",
            ".bs-reasons",
            ".st-key-patient_curve svg",
            ".st-key-patient_why svg",
        ):
            expect(page.locator(selector).first).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        foot = page.locator(".bs-foot:visible")
        expect(foot.last).to_contain_text("Not a medical device")
        expect(foot.last).to_contain_text("Shown")


def test_on_paper_nothing_lies_over_what_a_page_break_pushed_down(open_page):
    """Chromium does not let rows of flex boxes grow by a break: every box that a sheet is cut through is a block."""
    visit = open_page("/survival?cohort=gbsg2_breast&survival_by=hormone_therapy")
    drawn(visit, "Survival")
    page = visit.page
    page.emulate_media(media="print")
    shown = page.locator('[data-testid="stMainBlockContainer"] [data-testid="stVerticalBlock"]:visible')
    assert set(shown.evaluate_all("all => all.map(each => getComputedStyle(each).display)")) == {"block"}
    rows = page.locator('[class*="st-key-split_"] [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"])')
    assert set(rows.evaluate_all("all => all.map(each => getComputedStyle(each).display)")) == {"table"}
    for widget in ("stSlider", "stSelectbox", "stTooltipIcon"):
        expect(page.get_by_test_id(widget).locator("visible=true")).to_have_count(0)


def test_times_are_written_the_readers_way(open_page):
    visit = open_page("/", locale="de-DE", timezone_id="Asia/Tokyo")
    deep(visit, "Overview")
    when = visit.page.locator("time[data-bs-seconds]")
    expect(when).to_have_text(re.compile(r"^\d{1,2}\. \w+ \d{4} um \d{2}:\d{2}$"))
    seconds = int(when.get_attribute("data-bs-seconds") or 0)
    there = datetime.fromtimestamp(seconds, UTC) + timedelta(hours=9)
    text = when.inner_text()
    assert text.startswith(f"{there.day}. ") and text.endswith(f"{there.year} um {there:%H:%M}")
    assert datetime.fromisoformat(when.get_attribute("datetime") or "").timestamp() == seconds
