"""The gate as a person meets it, and what an error looks like behind it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.serving import Server, launcher

SCRIPT = """
import streamlit as st
from components.guard import gate
st.set_page_config(page_title="Bedside", page_icon="🧪")
gate.require_pass()
def home():
    st.title("Home")
def survival():
    st.title("Survival")
    if st.button("break"):
        raise ValueError("patient 304 has 9 nodes")
    st.button("callback", on_click=lambda: {}["patient 304"])
pages = [st.Page(home, title="Home", default=True), st.Page(survival, title="Survival", url_path="survival")]
st.navigation(pages).run()
"""


@pytest.fixture(scope="module")
def gated(start, tmp_path_factory: pytest.TempPathFactory) -> Server:
    return start(app=launcher(tmp_path_factory.mktemp("gated"), SCRIPT))


@pytest.mark.parametrize(
    ("width", "scheme", "other"), [(360, "light", "dark"), (820, "dark", "light"), (1440, "light", "dark")]
)
def test_a_first_visitor_on_a_deep_link_passes_by_keyboard(
    gated: Server, open_page, width: int, scheme: str, other: str
):
    size = {"width": width, "height": 900}
    visit = open_page("/survival?by=grade", on=gated, passed=False, color_scheme=scheme, viewport=size)
    expect(visit.page.get_by_role("heading", name="Bedside", exact=True)).to_be_visible()
    grounds = set()
    for shown in (other, scheme):
        visit.page.emulate_media(color_scheme=shown)
        grounds.add(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert visit.axe() == []
        assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert len(grounds) == 2
    visit.page.keyboard.press("Tab")
    expect(visit.page.get_by_role("button", name="I understand: open Bedside")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("heading", name="Survival")).to_be_visible()
    assert visit.page.url == f"{gated.url}/survival?by=grade"
    visit.page.reload()
    expect(visit.page.get_by_role("heading", name="Survival")).to_be_visible()
    visit.assert_calm()


def test_the_start_page_answers_to_its_name(gated: Server, open_page):
    visit = open_page("/overview", on=gated)
    expect(visit.page.get_by_role("heading", name="Home")).to_be_visible()
    assert visit.page.get_by_text("Page not found").count() == 0


@pytest.mark.parametrize("button", ["break", "callback"])
def test_an_error_is_calm_and_says_nothing_about_a_patient(gated: Server, open_page, button: str):
    visit = open_page("/survival", on=gated)
    visit.page.get_by_role("button", name=button).click()
    message = visit.page.get_by_test_id("stAlert")
    expect(message).to_contain_text("Something went wrong here.")
    number = message.locator("code").inner_text()
    log = gated.log.read_text(encoding="utf-8")
    assert f"error {number}: " in log
    for told in (visit.page.content(), log):
        assert "304" not in told and "9 nodes" not in told and "Traceback" not in told


def test_the_theme_and_font_are_ours_in_both_modes(gated: Server, open_page):
    for scheme, paper in (("light", "rgb(251, 250, 247)"), ("dark", "rgb(17, 23, 29)")):
        page = open_page("/", on=gated, color_scheme=scheme).page
        title = page.get_by_role("heading", name="Home")
        expect(title).to_be_visible()
        assert page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor") == paper
        assert title.evaluate("e => getComputedStyle(e).fontFamily").startswith("Inter")
        widths = page.evaluate(
            """() => { const c = document.createElement('canvas').getContext('2d'); c.font = '100px Inter';
                 return [...'0123456789'].map(digit => c.measureText(digit).width) }"""
        )
        assert len(set(widths)) == 1
