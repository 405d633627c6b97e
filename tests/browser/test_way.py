"""The patient's way: cohort, curve, patient, reasons; once by mouse, once by keyboard alone."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.walk import box, choose, drawn, go, side

POINTS = re.compile(r"goes with (\d+) points? (more|less) risk\.")
HEADER, ROW, TICK = 34, 33, 22  # the table of patients in px: its header, a row, the middle of a tick box
STOPS = 60


def _risk(page: Page) -> int:
    """The risk in words, which the bars, the sentence beside them and the figure repeat."""
    found = re.fullmatch(r"(\d+) of 100", page.locator(".bs-hero").inner_text())
    assert found
    risk = int(found[1])
    assert page.locator(".bs-icons > i.bs-event").count() == risk
    why = page.locator(".st-key-patient_why").get_by_role("figure").get_attribute("aria-label") or ""
    assert f"this patient {risk}%." in why
    return risk


def _reasons(page: Page) -> list[str]:
    """The main reasons, each a sentence in points of risk, in the order of the figure."""
    said = page.locator(".bs-reasons li").all_inner_texts()
    found = [POINTS.search(each) for each in said[:3]]
    assert len(found) == 3 and all(found), said
    points = {("+" if each[2] == "more" else "−") + each[1] for each in found if each}
    shown = page.locator(".st-key-patient_why .main-svg text").all_text_contents()
    assert points <= set(shown), (said, shown)
    return said


def _assert_grades(page: Page) -> None:
    expect(page.get_by_role("heading", name=re.compile("Recurrence or death.* by tumour grade"))).to_be_visible()
    figure = page.get_by_role("figure", name=re.compile("Kaplan-Meier"))
    for grade in ("Grade 1", "Grade 2", "Grade 3"):
        expect(figure.locator("text", has_text=grade).first).to_be_visible()
    expect(page.locator(".st-key-card_test")).to_contain_text("log-rank p < 0.001")


def test_by_mouse(open_page):
    visit = open_page("/")
    page = visit.page
    drawn(visit, "Overview")
    choose(visit, "Cohort", "Colon cancer trial")
    expect(page.get_by_text("All 929 patients")).to_be_visible()
    choose(visit, "Cohort", "Breast cancer, GBSG-2")
    expect(page.get_by_text("All 686 patients")).to_be_visible()
    choose(visit, "Outcome", "Recurrence or death")

    go(visit, "Survival")
    choose(visit, "Compare patients by", "Tumour grade")
    _assert_grades(page)

    go(visit, "Patients")
    third = {"x": TICK, "y": HEADER + 2.5 * ROW}
    page.locator(".dvn-scroller").click(position=third)
    drawn(visit, "Patient")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"Patient \d+"))
    assert re.search(r"[?&]patient=[\w-]{16,}", page.url)
    lead = page.locator(".st-key-card_risk .bs-lead")
    expect(lead).to_have_text("patients with these values would have a recurrence or die within 4 years of surgery.")
    risk, said = _risk(page), _reasons(page)

    track = page.locator('.st-key-horizon_years [role="group"]').bounding_box()
    assert track
    page.mouse.click(track["x"] + 8, track["y"] + track["height"] / 2)
    expect(lead).to_contain_text("within 1 year of surgery")
    visit.settle()
    assert _risk(page) < risk
    assert _reasons(page) != said
    visit.assert_calm()


def _tab_to(page: Page, target: Locator, *, back: bool = False) -> None:
    """Press Tab until the target has the focus."""
    for _ in range(STOPS):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if target.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"{STOPS} stops did not lead to {target}")


def _pick(page: Page, label: str, typed: str, option: str) -> None:
    """Choose by typing the start of an option."""
    field = box(page, label)
    _tab_to(page, field)
    page.keyboard.press("Control+A")
    page.keyboard.type(typed)
    expect(page.get_by_role("option", name=option, exact=True)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value(option)


def _shows_focus(page: Page) -> bool:
    """Whether there is a ring around whatever has the focus."""
    return page.evaluate(
        """() => {
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement)
          return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) || boxShadow !== 'none'
        }"""
    )


def _enter(visit: Visit, name: str) -> None:
    _tab_to(visit.page, side(visit.page, name))
    assert _shows_focus(visit.page), name
    visit.page.keyboard.press("Enter")
    drawn(visit, name)


def _down_to(page: Page, table: Locator, *, row: int) -> None:
    """One step down in the table, and wait until it says so."""
    page.keyboard.press("ArrowDown")
    expect(table.locator(f"#glide-cell-1-{row}")).to_have_attribute("aria-selected", "true")


def test_by_keyboard_alone(open_page):
    visit = open_page("/", passed=False)
    page = visit.page
    _tab_to(page, page.get_by_role("button", name="I understand: open Bedside"))
    assert _shows_focus(page)
    page.keyboard.press("Enter")
    drawn(visit, "Overview")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    _pick(page, "Cohort", "colon", "Colon cancer trial")
    expect(page.get_by_text("All 929 patients")).to_be_visible()
    drawn(visit, "Overview")
    page.keyboard.press("Shift+Tab")
    _pick(page, "Cohort", "gbsg", "Breast cancer, GBSG-2")
    expect(page.get_by_text("All 686 patients")).to_be_visible()
    drawn(visit, "Overview")
    _pick(page, "Outcome", "recurr", "Recurrence or death")
    expect(page.get_by_text("recurrence or death (44%)")).to_be_visible()
    drawn(visit, "Overview")

    _enter(visit, "Survival")
    _pick(page, "Compare patients by", "grade", "Tumour grade")
    _assert_grades(page)
    visit.settle()

    _enter(visit, "Patients")
    _tab_to(page, page.get_by_label("Find a patient"))
    page.keyboard.type("17")
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Open patient 17")
    expect(button).to_be_visible()
    visit.settle()
    _tab_to(page, button)
    assert _shows_focus(page)
    page.keyboard.press("Enter")
    drawn(visit, "Patient")
    expect(page.get_by_role("heading", level=1)).to_have_text("Patient 17")
    risk, said = _risk(page), _reasons(page)

    _tab_to(page, page.locator('.st-key-horizon_years input[type="range"]'))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".st-key-card_risk .bs-lead")).to_contain_text("within 2 years of surgery")
    visit.settle()
    assert _risk(page) < risk
    assert _reasons(page) != said

    # A row of the table opens by keyboard too, and the table lets go of the focus again.
    _enter(visit, "Patients")
    table = page.locator('[data-testid="stDataFrame"] canvas').first
    _tab_to(page, table)
    _down_to(page, table, row=1)
    page.keyboard.press("Escape")
    _tab_to(page, page.locator(".st-key-save_patients button"))
    _tab_to(page, table, back=True)
    _down_to(page, table, row=1)
    who, listed = (table.locator(f"#glide-cell-{column}-1").text_content() or "" for column in (1, 2))
    page.keyboard.press("Shift+Space")
    drawn(visit, "Patient")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Patient {who}")
    assert _risk(page) == round(float(listed))
    visit.assert_calm()
