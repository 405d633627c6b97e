"""A file is brought with a real browser: through the guard, readable by everybody, on a narrow screen as well."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from bedside.intake.sample import NAME, sample_file
from tests.browser.eyes import faint, misfits, texts
from tests.browser.test_tour import FRAME
from tests.browser.walk import drawn

DROP = """([zone, name, text]) => {
  const moved = new DataTransfer()
  moved.items.add(new File([text], name, {type: 'text/csv'}))
  for (const kind of ['dragenter', 'dragover', 'drop'])
    document.querySelector(zone).dispatchEvent(new DragEvent(kind, {dataTransfer: moved, bubbles: true}))
}"""


def test_a_file_is_dropped_read_confirmed_and_opened(start, open_page, tmp_path: Path):
    server = start(env={"BEDSIDE_DATA": str(tmp_path / "data")})
    visit = open_page("/import", on=server, viewport={"width": 820, "height": 1180})
    page = visit.page
    page.get_by_text("What happens to my file").wait_for()
    visit.settle()
    assert misfits(page) == [] and visit.axe(frame=FRAME) == [] and faint(texts(page)) == []

    zone = '[data-testid="stFileUploaderDropzone"]'
    page.evaluate(DROP, [zone, NAME, sample_file().decode("utf-8-sig")])
    expect(page.locator(".st-key-card_import_finish")).to_be_visible()
    visit.settle()
    assert misfits(page) == [] and visit.axe(frame=FRAME) == [] and faint(texts(page)) == []
    assert list((tmp_path / "data" / "staging").iterdir())

    go = page.get_by_role("button", name="Import", exact=True)
    expect(go).to_be_disabled()
    for i in range(2):
        tick = page.locator(f".st-key-import_o{i}_sure").get_by_role("checkbox")
        tick.focus()
        page.keyboard.press("Space")
        expect(tick).to_be_checked()
        visit.settle()
    go.click()
    expect(page.get_by_text("The file you brought is no longer on this machine", exact=False)).to_be_visible()
    assert list((tmp_path / "data" / "staging").iterdir()) == []
    page.get_by_role("button", name="Open the cohort").click()
    drawn(visit, "Overview")
    assert "patient" not in page.url.split("?")[1] and NAME not in page.url
    visit.assert_calm()
