"""A background job in a real browser: the page lives while it runs, the result comes by itself, Stop stops it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.serving import Server, launcher

SCRIPT = """
import numpy as np
import streamlit as st

from components import jobs
from components.guard import gate
from tests.house import job_work

st.set_page_config(page_title="Jobs")
gate.require_pass()
st.number_input("Something else", key="other", value=0)
if st.toggle("Endless"):
    jobs.wanted(("endless",), "Growing the forest", job_work.forever, "/dev/null")
else:
    found = jobs.wanted(("double",), "Doubling", job_work.double, np.arange(3.0))
    if found is not None:
        st.text(f"found {found[0].tolist()}")
"""


@pytest.fixture(scope="module")
def server_with_jobs(start: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    return start(app=launcher(tmp_path_factory.mktemp("jobs"), SCRIPT))


def test_a_result_comes_by_itself_and_a_job_can_be_stopped(server_with_jobs: Server, open_page: Callable):
    visit = open_page("/", on=server_with_jobs)
    page = visit.page
    expect(page.get_by_text("found [0.0, 2.0, 4.0]")).to_be_visible()
    page.get_by_text("Endless").click()
    expect(page.get_by_text(re.compile("inner fold 1 of 4"))).to_be_visible()
    page.get_by_label("Something else").fill("7")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Start again")).to_be_visible()
    expect(page.get_by_text("stopped.")).to_be_visible()
    visit.assert_calm()
