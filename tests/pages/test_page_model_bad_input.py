"""What no model can be made of, columns that know the outcome, files that are no models: said, and the page lives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bedside.intake import read_cohort
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.store import models
from components import jobs
from tests.pages import made
from tests.pages.reader import ROOT, Reader, unescaped

OUTCOME = made.outcome(censored=["0"], event=["1"])


def nine_events(root: Path) -> None:
    """One event fewer than any model needs."""
    told = made.dictionary("Nine events", outcomes=[OUTCOME])
    made.write(root, "nine_events", made.patients(80) | {"status": [1] * 9 + [0] * 71}, told)


def nothing_known(root: Path) -> None:
    """Every predictor is missing for everybody."""
    base = made.patients()
    told = made.dictionary(
        "Nothing known", outcomes=[OUTCOME],
        variables=[{"name": "age", "kind": "continuous"}, {"name": "arm", "kind": "categorical"},
                   {"name": "marker", "kind": "continuous"}],
    )  # fmt: skip
    made.write(root, "nothing_known", base | {name: [""] * 90 for name in ("age", "arm", "marker")}, told)


def knows(root: Path) -> None:
    """A column repeats the outcome, and one is another in a different unit."""
    base = made.patients(200)
    data = base | {
        "verdict": [("alive", "dead")[s] for s in base["status"]],
        "age_months": [12 * age + i % 3 for i, age in enumerate(base["age"])],
    }
    told = made.dictionary(
        "Knows the outcome", outcomes=[OUTCOME],
        variables=[
            {"name": "verdict", "kind": "categorical", "label": "Verdict"}, {"name": "arm", "kind": "categorical"},
            *({"name": name, "kind": "continuous"} for name in ("age", "age_months", "marker")),
        ],
    )  # fmt: skip
    made.write(root, "knows", data, told)


def large(root: Path) -> None:
    """So many that even a Cox model is fitted in the background."""
    rng = np.random.default_rng(5)
    base = made.patients(4000)
    wide = {f"probe_{i}": np.round(rng.normal(size=4000), 2).tolist() for i in range(20)}
    made.write(root, "large", {**base, **wide}, made.dictionary("Four thousand", outcomes=[OUTCOME]))


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All of them in one folder, which an administrator has named; pages wait for background jobs."""
    root = tmp_path_factory.mktemp("models")
    for make in (nine_events, nothing_known, knows, large):
        make(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_COHORTS", str(root))
        patch.setenv(jobs.PATIENCE, "100")
        yield root


def opened(**link: str) -> Reader:
    reader = Reader(**link)
    reader.at.default_timeout = 120
    return reader.open("model")


def lives(reader: Reader) -> bool:
    """The data check, the saved models and the foot are there whatever became of the model."""
    reader.unfold("model_saved")
    uploads = [u.label for u in reader.at.file_uploader]
    checked = any(box.startswith("Before you trust it: the data") for box in reader.boxes)
    return checked and uploads == ["Bring a model file"] and "data and filter" in reader.text


@pytest.mark.parametrize("kind", ["cox", "penalised", "forest", "boosted", "average"])
def test_nine_events_are_too_few_for_every_kind(kind):
    reader = opened(cohort="nine_events", model=kind)
    (stop,) = reader.stops
    assert stop.startswith("**No model for this selection.** “Death” occurred in 9 patients here;")
    assert reader.figures == []
    assert lives(reader)


@pytest.mark.parametrize("kind", ["cox", "forest"])
def test_predictors_that_are_all_missing_are_named(kind):
    reader = opened(cohort="nothing_known", model=kind)
    (stop,) = reader.stops
    assert stop.startswith("**No model for this selection.**")
    for label in ("age", "arm", "marker"):
        assert re.search(rf"{label}\b.* missing for every patient here", reader.text, re.I), label
    assert lives(reader)


def test_a_column_that_repeats_the_outcome_is_shown_and_left_out_by_a_click():
    reader = opened(cohort="knows")
    said = reader.box("Repeats the outcome")
    assert said.startswith("Verdict. Repeats the outcome. Verdict tells for 100.0 of 100 patients whether follow-up")
    twice = reader.box("Said twice")
    assert "says almost the same as" in twice
    key = next(b.key for b in reader.at.button if str(b.key).startswith("model_leave_outcome_"))
    reader.click(str(key))
    assert reader.link["without"] == "verdict"
    assert "Repeats the outcome" not in reader.text
    assert "Verdict" not in reader.alt("model_forest")
    chip = f"chip_model_{b'verdict'.hex()}"
    assert reader.at.button(key=chip).label == "Verdict"
    reader.click(chip)
    assert "Repeats the outcome" in reader.text and "without" not in reader.link


def test_with_every_variable_left_out_there_is_no_model_and_a_way_back():
    reader = opened(cohort="lung_ncctg")
    reader.choose("model_out", _names("lung_ncctg"))
    (stop,) = reader.stops
    assert stop.startswith("**No model for this selection.**")
    assert lives(reader)
    reader.click(f"chip_model_{b'age'.hex()}")
    assert reader.stops == []
    assert "and 1 variable." in reader.box("learnt from")


def _names(key: str) -> list[str]:
    return [v.name for v in read_cohort(ROOT / "sample_data" / key).predictors]


def test_without_xgboost_the_page_says_how_to_get_it(tmp_path, monkeypatch):
    package = tmp_path / "xgboost"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    reader = opened(cohort="lung_ncctg", model="boosted")
    (stop,) = reader.stops
    assert "requirements-boost.txt" in stop
    assert lives(reader)
    reader.choose("model_model", "cox")
    assert reader.stops == []
    assert "A Cox model for the risk of death" in reader.text


def test_a_fit_in_the_background_can_be_stopped_and_begun_again(monkeypatch):
    monkeypatch.delenv(jobs.PATIENCE)
    reader = opened(cohort="large", model="forest")
    (stop,) = [b for b in reader.at.button if b.label == "Stop"]
    assert reader.figures == []
    assert lives(reader)
    reader.click(str(stop.key))
    assert "Fitting the forest on 4,000 patients: stopped." in reader.text
    (again,) = [b for b in reader.at.button if b.label == "Start again"]
    reader.click(str(again.key))
    (stop,) = [b for b in reader.at.button if b.label == "Stop"]
    reader.click(str(stop.key))
    assert lives(reader)


def test_a_damaged_model_file_is_refused_and_a_sound_one_kept(tmp_path):
    cohort = read_cohort(ROOT / "sample_data" / "lung_ncctg")
    kept = models.save_model(learn("cox", training(cohort, "death")), "Brought along", folder=tmp_path)
    data = models.model_bytes(kept.key, 1, folder=tmp_path)
    reader = opened(cohort="nine_events").unfold("model_saved")
    before = len(models.list_models())
    at = len(data) - 40
    damaged = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    for content in (damaged, b"not a model", data[:200]):
        reader.at.file_uploader[0].set_value(("a.model", content, "application/octet-stream"))
        reader.run()
        assert any(stop.startswith("**This model can't be opened.**") for stop in reader.stops), reader.stops
        assert len(models.list_models()) == before
    reader.at.file_uploader[0].set_value(("a.model", data, "application/octet-stream"))
    reader.run()
    assert [unescaped(s.value) for s in reader.at.success] == ["Brought in as “Brought along”, version 1."]
    (mine,) = [entry for entry in models.list_models() if entry.about and entry.about.name == "Brought along"]
    reader.unfold(f"model_delete_{mine.key}_1").click(f"model_gone_{mine.key}_1")
    assert len(models.list_models()) == before
    assert "Deleted." in [unescaped(s.value) for s in reader.at.success]
