"""A model file is brought in with a real browser: the guard lets it through, and a damaged one says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from bedside.intake import read_cohort
from bedside.risk.learners import learn
from bedside.risk.save import about_model, pack
from bedside.risk.training import training
from tests.browser.walk import drawn
from tests.serving import ROOT


@pytest.fixture(scope="module")
def file() -> bytes:
    cohort = read_cohort(ROOT / "sample_data" / "pbc_liver")
    model = learn("cox", training(cohort, cohort.outcomes[0]), {"knots": 0})
    return pack(model, about_model(model, name="From elsewhere", saved="2026-11-22T09:00:00+00:00"))


def test_a_model_file_is_taken_in_and_a_damaged_one_says_why(start, open_page, file: bytes, tmp_path: Path):
    good, bad = tmp_path / "good.model", tmp_path / "bad.model"
    good.write_bytes(file)
    bad.write_bytes(file[:-1] + bytes([file[-1] ^ 1]))
    visit = open_page("/model?cohort=pbc_liver", on=start())
    drawn(visit, "Model")
    visit.page.get_by_text("Saved models", exact=True).click()
    field = visit.page.locator('[class*="st-key-model_upload"] input[type="file"]')
    field.set_input_files(bad)
    expect(visit.page.get_by_text("The file is damaged", exact=False)).to_be_visible()
    field.set_input_files(good)
    expect(visit.page.get_by_text("Brought in as “From elsewhere”, version 1.")).to_be_visible()
    visit.assert_calm()
