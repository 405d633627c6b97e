"""A report on its way: two findings added, put in order, and taken along as files that need nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.walk import close_menu, drawn, go, open_menu


def _add(visit: Visit, key: str) -> None:
    visit.page.locator(f".st-key-save_{key} button").first.click()
    visit.page.get_by_test_id("stPopoverBody").get_by_role("button", name="Add to report").click()
    visit.page.get_by_text("Added to the report.").last.wait_for()
    visit.settle()
    close_menu(visit)


def test_two_findings_leave_as_pdf_and_html(open_page, chromium: Browser, tmp_path: Path):
    visit = open_page("/survival?cohort=gbsg2_breast&survival_by=grade")
    drawn(visit, "Survival")
    _add(visit, "survival_km")
    _add(visit, "survival_differences")
    go(visit, "Report")
    page = visit.page
    expect(page.get_by_test_id("stSidebarNav")).to_contain_text("Report (2)")
    words = page.get_by_label("Your words").first
    words.fill("Grade 1 does best.")
    words.press("Tab")
    visit.settle()
    page.get_by_role("button", name="Down").first.click()
    expect(page.locator('[class*="st-key-card_report_"] h2').first).to_contain_text("How large is the difference?")
    visit.settle()
    body = open_menu(visit, "Export")
    files = {}
    for name, kind in (("PDF", "pdf"), ("HTML, one file", "html")):
        with page.expect_download() as download:
            body.get_by_role("button", name=name).click()
        assert re.fullmatch(
            rf"breast-cancer-gbsg-2-[\d-]{{10}}-[0-9a-f]{{16}}\.{kind}", download.value.suggested_filename
        )
        files[kind] = tmp_path / f"report.{kind}"
        download.value.save_as(files[kind])
    data = files["pdf"].read_bytes()
    assert data.startswith(b"%PDF-") and 1 <= len(re.findall(rb"/Type /Page\b", data)) <= 3
    visit.assert_calm()
    _reads_offline(chromium, files["html"])


def _reads_offline(chromium: Browser, file: Path) -> None:
    """The HTML file shows both findings without a network, without a script and without a complaint."""
    context = chromium.new_context(offline=True, java_script_enabled=False)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    expect(page.locator("h2")).to_have_text(
        [
            re.compile("How large is the difference"),
            re.compile("Alive and free of recurrence, by tumour grade"),
            "Methods and sources",
        ]
    )
    expect(page.get_by_text("Grade 1 does best.")).to_be_visible()
    expect(page.locator("figure")).to_have_accessible_name(re.compile("Kaplan-Meier"))
    expect(page.locator("svg").get_by_text("Grade 3").first).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(4)
    assert (said, asked) == ([], [file.as_uri()])
    context.close()
