"""Does it hold elsewhere: the example against lifelines, refused and doubtful pairs, mapping, updating, saving."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.utils import concordance_index

from bedside.cohort import OneOf, Selection
from bedside.intake import read_cohort
from bedside.report.model_card import ModelCard
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.store import models
from components import jobs
from tests.pages import made
from tests.pages.reader import ROOT, Reader

PBC = ROOT / "sample_data" / "pbc_liver"
ALL_VARIABLES = "How the variables are read"
FIGURES = ["external_calibration", "external_after"]


def hospital(root: Path, name: str, title: str, *, seed: int, n: int = 300, **change: Any) -> None:
    """A hospital whose patients' risk rises with age and glucose; `change` alters columns or the dictionary."""
    rng = np.random.default_rng(seed)
    age, glucose = rng.integers(30, 85, n), np.round(rng.normal(110, 25, n).clip(60, 260), 1)
    stage = rng.choice(["I", "II", "III"], n)
    hazard = np.exp(0.03 * (age - 55) + 0.012 * (glucose - 110) + 0.5 * (stage == "III"))
    latent, last = rng.exponential(2500 / hazard), rng.integers(400, 3600, n)
    columns: dict[str, Any] = {
        "id": [f"{name}{i}" for i in range(n)], "age": age.tolist(), "glucose": glucose.tolist(),
        "stage": stage.tolist(), "days": np.ceil(np.minimum(latent, last)).astype(int).tolist(),
        "status": (latent <= last).astype(int).tolist(),
    }  # fmt: skip
    columns = change.pop("columns", lambda c: c)(columns)
    told = made.dictionary(title, outcomes=[made.outcome(**change.pop("outcome", {}))], **change)
    made.write(root, name, columns, told)


def in_mmol(columns: dict[str, Any]) -> dict[str, Any]:
    return {**columns, "glucose": [round(value / 18.016, 2) for value in columns["glucose"]]}


def without_glucose(columns: dict[str, Any]) -> dict[str, Any]:
    return {name: values for name, values in columns.items() if name != "glucose"}


def with_stage_four(columns: dict[str, Any]) -> dict[str, Any]:
    return {**columns, "stage": ["IV" if i < 12 else s for i, s in enumerate(columns["stage"])]}


def renamed(columns: dict[str, Any]) -> dict[str, Any]:
    names = {"glucose": "sugar", "stage": "spread"}
    found = {names.get(name, name): values for name, values in columns.items()}
    return {**found, "spread": [{"I": "early", "II": "middle", "III": "late"}[s] for s in found["spread"]]}


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Several hospitals, which an administrator has named; pages wait for background jobs."""
    root = tmp_path_factory.mktemp("hospitals")
    hospital(root, "first", "First hospital", seed=1)
    hospital(root, "second", "Second hospital", seed=2)
    hospital(root, "mmol", "Hospital with mmol", seed=3, columns=in_mmol)
    hospital(root, "lacking", "Hospital without glucose", seed=4, columns=without_glucose)
    hospital(root, "unseen", "Hospital with stage four", seed=5, columns=with_stage_four)
    hospital(root, "other_names", "Hospital with other names", seed=6, columns=renamed)
    hospital(root, "nine", "Hospital with few", seed=7, n=9)
    hospital(root, "elsewhere", "Hospital with relapses", seed=8,
             outcome={"key": "relapse", "label": "Relapse", "event_phrase": "have a relapse"})  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_COHORTS", str(root))
        patch.setenv(jobs.PATIENCE, "100")
        yield


def opened(**link: str) -> Reader:
    reader = Reader(**link)
    reader.at.default_timeout = 120
    return reader.open("external")


def pair(on: str, **link: str) -> Reader:
    return opened(cohort="first", external_on=f"cohort-{on}", **link)


def read_as(reader: Reader, variable: str) -> list[str]:
    (row,) = [row for row in reader.table(ALL_VARIABLES) if row[0].startswith(variable)]
    return row[1:]


def lead(reader: Reader) -> str:
    return reader.box(" were expected to ")


# ------------------------------------------------------------------ the bundled example


@pytest.fixture(scope="module")
def pbc() -> Reader:
    return opened(cohort="pbc_liver")


@pytest.fixture(scope="module")
def example() -> tuple[Any, Any, np.ndarray, np.ndarray, np.ndarray]:
    """The model of the 312, and of the 106 outside the trial: risk by 6 years, follow-up and event from the file."""
    cohort = read_cohort(PBC)
    codes = cohort.variable("treatment").codes
    trial = Selection(((OneOf("treatment", codes),),)).apply(cohort)
    outside = Selection(((OneOf("treatment", (), missing=True),),)).apply(cohort)
    model = learn("cox", training(trial, "death"))
    with (PBC / "data.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["treatment"] in ("", "NA")]
    time = np.array([float(row["followup_days"]) for row in rows])
    event = np.array([row["status"] != "censored" for row in rows])
    return model, outside, model.risk(outside.frame, [6 * 365.25])[:, 0], time, event


def test_the_example_is_there_at_once_with_what_lifelines_finds(pbc, example):
    model, _, risk, time, event = example
    curve = KaplanMeierFitter().fit(time, event)
    lower, upper = (1 - curve.confidence_interval_.loc[: 6 * 365.25].iloc[-1].to_numpy())[::-1]
    came, said = 1 - curve.predict(6 * 365.25), risk.mean()
    c = concordance_index(time, -risk, event)
    assert (len(time), event.sum(), model.n, model.n_events) == (106, 42, 312, 144)
    assert lead(pbc).startswith(
        f"Of 106 patients followed outside the trial, {100 * said:.0f} of 100 were expected to die or have a liver "
        f"transplant within 6 years and {100 * came:.0f} (95% interval {100 * lower:.0f} to {100 * upper:.0f}) did; it "
        f"ranks {100 * c:.0f} of 100 pairs rightly (95% interval 71 to 84)."
    )
    assert [f"{100 * x:.0f}" for x in (said, came, lower, upper, c)] == ["38", "42", "32", "54", "77"]
    assert "On average its risks are not shown to be off. By 2 years they are too low." in lead(pbc)
    # The two slopes disagree: the sentence names both and settles nothing.
    assert lead(pbc).endswith(
        "Its risks may be too far apart (high risks too high, low ones too low); 42 events do not settle it: "
        "calibration slope 0.63 (0.30 to 0.95) by then, 0.87 (0.57 to 1.17) over all follow-up."
    )
    assert (
        "Risks may be too far apart, which is not settled (calibration slope 0.63, 0.30 to 0.95; over all" in pbc.text
    )
    assert pbc.title == "Does it hold elsewhere? Death or transplant, 106 patients it has not seen"
    assert pbc.figures == FIGURES and pbc.stops == []


def test_measures_stand_with_their_intervals(pbc, example):
    _, outside, risk, time, event = example
    shown = {row[0]: row[1] for row in pbc.table("How well it does here")[1:]}
    ratio = (1 - KaplanMeierFitter().fit(time, event).predict(6 * 365.25)) / risk.mean()
    (oe,) = [value for name, value in shown.items() if name.startswith("Observed over expected")]
    assert oe == f"{ratio:.2f} (0.85 to 1.44)" == "1.13 (0.85 to 1.44)"
    # Calibration slope over all follow-up: a Cox model of the new patients on log(-log(1 - risk)).
    frame = outside.frame[[]].assign(t=time, e=event, lp=np.log(-np.log1p(-risk)))
    fit = CoxPHFitter().fit(frame, "t", "e")
    (slope,) = [value for name, value in shown.items() if name.startswith("Calibration slope, all follow-up")]
    assert slope.startswith(f"{fit.params_['lp']:.2f} (") and slope == "0.87 (0.57 to 1.17)"
    by = {row[0]: row[1:] for row in pbc.table("Expected and observed")[1:]}
    assert by["2 years"] == ["9", "17 (11 to 26)", "1.89 (1.23 to 2.85)", "18"]
    assert [by[f"{k} year{'s' * (k > 1)}"][-1] for k in range(1, 7)] == ["8", "18", "25", "28", "34", "37"]
    assert "106 patients of Primary biliary cholangitis, 42 events, 37 of them by then." in pbc.text
    assert "42 events leave the calibration open within wide limits" in pbc.text
    assert "nobody is in both. They met the trial's criteria at the same clinic" in pbc.text


def test_before_and_after_an_update_side_by_side(pbc):
    rows = {row[0]: row[1:] for row in pbc.table("Before and after the update")[1:]}
    name = "Observed over expected (O/E) at 6 years"
    assert rows[name] == ["1.13 (0.85 to 1.44)", "1.01 (0.77 to 1.30)"]
    assert rows["Harrell’s C"][0] == rows["Harrell’s C"][1]
    assert "each patient's risk comes from updates on the others (10-fold cross-validation, 5 times" in pbc.text
    assert "Expected before 38 of 100, after 42 of 100; observed 42 of 100 (32 to 54)." in pbc.text
    assert "The average is put right; the spread may still be off (slope 0.60" in pbc.text
    assert "“Baseline and slope” may help, but 42 events tell little of a slope" in pbc.text
    reader = opened(cohort="pbc_liver").choose("external_how", "slope")
    assert "Risks are drawn together (slope 0.87 (0.57 to 1.17))." in reader.text
    assert "updating the baseline alone may be enough" in reader.text
    assert lead(reader) == lead(pbc)


def test_the_example_is_one_click_from_any_cohort(pbc):
    reader = opened(cohort="gbsg2_breast")
    assert reader.figures == [] and reader.stops == [] and "Whether it holds elsewhere" in reader.text
    reader.click("external_demo_pbc_liver_0")
    assert lead(reader) == lead(pbc)


def test_one_event_among_others_and_another_kind_of_model(pbc):
    reader = opened(cohort="pbc_liver", target="event", model="forest")
    assert "expected to have the event (death) within 6 years" in lead(reader)
    assert "observed by Aalen-Johansen" in reader.text and "Forest, learnt from the trial patients" in reader.text
    assert reader.unfold("how_external_calibration").stops == []


def test_the_updated_model_is_saved_with_its_card_and_tested_in_its_turn(pbc):
    reader = opened(cohort="pbc_liver").unfold("external_save")
    reader.at.text_input(key="external_save_name").set_value("PBC, updated")
    reader.click("external_save_now")
    assert "Saved as “PBC, updated”, version 1." in reader.text
    (entry,) = [e for e in models.list_models() if e.about and e.about.name == "PBC, updated"]
    card = ModelCard.model_validate(models.read_model(entry.key, entry.version).about.card)
    assert (entry.about.kind, card.kind, card.size.n) == ("recalibrated", "recalibrated", 312)
    assert card.specification.coefficients and any("Updated baseline H" in text for text in card.specification.formula)
    assert [p.name for p in card.performance][1] == "After the update, 6.0 years: observed over expected"
    assert card.performance[1].mean == pytest.approx(1.01, abs=0.005)
    again = opened(cohort="pbc_liver", external_model=f"{entry.key}.{entry.version}")
    assert "42 of 100 were expected" in lead(again)
    assert "The model was updated on these patients: this is no test of the update." in again.text
    models.delete_model(entry.key, entry.version)


# ------------------------------------------------------------------ pairs that do not fit


def test_recurrence_against_distant_metastasis_is_refused_with_the_reason():
    reader = opened(cohort="gbsg2_breast", external_on="cohort-gse7390_breast_expression",
                    external_outcome="distant_metastasis")  # fmt: skip
    (stop,) = reader.stops
    assert stop.startswith("**This model can't be tested on these patients.** The model predicts “Recurrence or death”")
    assert "They are different events" in stop and reader.figures == []
    # The page lives: how the variables would be read is there, closed, since nothing in it could help.
    assert not next(e for e in reader.at.expander if "variables are read" in e.label).proto.expanded
    reader.unfold("external_columns")
    assert read_as(reader, "Tumour size (mm)")[:2] == ["Tumour size (cm)", "× 10"]
    assert read_as(reader, "Hormone therapy")[2] == "filled with the commonest in training, no hormone therapy, for all"


def test_a_model_of_another_disease_is_refused_where_most_of_its_variables_are_unknown():
    reader = opened(cohort="gbsg2_breast", external_on="cohort-colon_trial")
    assert reader.figures == []
    assert any("6 of the model's 8 variables have no column here" in stop for stop in reader.stops)
    # Both populations stand there; cohorts that record another event come last and say so.
    assert "It was made for: " in reader.text and "Whether they are of one kind is yours to judge." in reader.text
    (box,) = [w for w in reader.at.selectbox if w.label == "Tested on"]
    unfit = [("cannot" in label) for label in box.options]
    assert unfit == sorted(unfit) and any("TRANSBIG" in o and "another event" in o for o in box.options)


def test_outcomes_that_declare_no_concept_are_asked_about_first():
    reader = pair("elsewhere")
    assert reader.figures == [] and "not both dictionaries declare" in reader.text
    (box,) = reader.at.checkbox
    box.check()
    assert reader.run().figures == FIGURES
    assert "have a relapse within" in lead(reader)


def test_mmol_for_mg_is_an_alarm_until_the_unit_is_given():
    reader = pair("mmol")
    assert reader.figures == []
    assert "Is it recorded in another unit here?" in reader.text
    assert "far below the median" in read_as(reader, "glucose")[2]
    (factor,) = [w for w in reader.at.number_input if w.key.startswith("external_factor_")]
    factor.set_value(18.016)
    reader.run()
    assert read_as(reader, "glucose")[1] == "× 18.016" and "another unit" not in reader.text
    assert reader.figures == FIGURES
    # As it would be with the numbers in the model's unit; and back.
    assert re.search(r"it ranks 6\d of 100 pairs rightly", lead(reader))
    assert reader.click("external_forget").figures == []
    reader.at.checkbox[0].check()
    assert reader.run().figures == FIGURES


def test_a_column_that_is_missing_is_declared_and_filled():
    reader = pair("lacking")
    assert reader.figures == FIGURES
    assert read_as(reader, "glucose")[0] == "no column"
    assert re.fullmatch(r"filled with the training median, 1\d\d(\.\d)?, for all", read_as(reader, "glucose")[2])
    assert "1 without a column" in next(e.label for e in reader.at.expander if "variables are read" in e.label)
    assert "Not recorded here, and filled with what is usual in training, the same for all: glucose." in reader.text


def test_an_unseen_level_works_and_is_flagged_and_can_be_mapped():
    reader = pair("unseen").unfold("external_columns")
    assert reader.figures == FIGURES
    assert "12 patients have a level of stage that nobody had in training (“IV”)" in read_as(reader, "stage")[2]
    before = reader.table("How well it does here")
    reader.choose("external_variable", "stage")
    (level,) = [w for w in reader.at.selectbox if "IV" in w.label]
    level.set_value("I")
    reader.run()
    assert "IV → I" in read_as(reader, "stage")[1] and "nobody had" not in read_as(reader, "stage")[2]
    assert reader.table("How well it does here") != before


def test_columns_under_other_names_are_chosen_by_hand():
    reader = pair("other_names")
    assert read_as(reader, "glucose")[0] == read_as(reader, "stage")[0] == "no column"
    assert "2 of the model's 3 variables have no column here" in reader.text
    assert "It was made for: First hospital. These patients are: Hospital with other names." in reader.text
    reader.at.checkbox[0].check()
    blind = lead(reader.run())
    reader.choose("external_variable", "glucose")
    (column,) = [w for w in reader.at.selectbox if w.key.startswith("external_column_")]
    column.set_value("sugar")
    reader.run()
    assert read_as(reader, "glucose")[0] == "sugar" and lead(reader) != blind


def test_too_few_events_to_update_are_said_and_the_test_stands():
    reader = pair("nine")
    assert reader.figures == ["external_calibration"]
    (stop,) = reader.stops
    assert "an update needs at least 10 events" in stop


def test_a_part_of_the_cohort_is_set_apart_and_not_learnt_from():
    reader = opened(cohort="gbsg2_breast", external_on="part", external_by="grade")
    assert "Nobody is set apart yet." in reader.stops[0]
    (levels,) = [w for w in reader.at.multiselect if w.key == "external_levels_grade"]
    levels.set_value(["3"])
    reader.run()
    cohort = read_cohort(ROOT / "sample_data" / "gbsg2_breast")
    n = int((cohort.frame["grade"] == "3").sum())
    assert lead(reader).startswith(f"Of {n} patients (Grade 3), ")
    assert f"learnt from the other {686 - n} patients of" in reader.text and "nobody is in both" in reader.text
    assert "Tumour grade, by which they are told apart, is not in the model." in reader.text


def test_a_model_file_is_taken_in_or_refused_with_the_reason():
    cohort = read_cohort(ROOT / "sample_data" / "gbsg2_breast")
    entry = models.save_model(learn("cox", training(cohort, cohort.outcomes[0])), "Brought", cohort_title="GBSG-2")
    data = models.model_bytes(entry.key, entry.version)
    models.delete_model(entry.key, entry.version)
    reader = opened(cohort="gbsg2_breast").unfold("external_bring")
    reader.at.file_uploader[0].set_value(("a.model", data[:-1] + b"x", "application/octet-stream"))
    reader.run()
    assert reader.stops and "damaged" in reader.stops[0]
    reader = opened(cohort="gbsg2_breast").unfold("external_bring")
    reader.at.file_uploader[0].set_value(("a.model", data, "application/octet-stream"))
    reader.run()
    assert "Brought in as “Brought”, version 2." in reader.text
    reader.choose("external_on", "here")
    assert "These are the patients that the model learnt from: this is no test of it." in reader.text
    models.delete_model(entry.key, 2)


def test_a_saved_model_that_is_damaged_or_gone_is_said_and_nothing_takes_its_place():
    cohort = read_cohort(ROOT / "sample_data" / "gbsg2_breast")
    entry = models.save_model(learn("cox", training(cohort, cohort.outcomes[0])), "Damaged")
    key = f"{entry.key}.{entry.version}"
    reader = opened(cohort="gbsg2_breast", external_on="here", external_model=key)
    assert reader.stops == [] and reader.figures
    path = models.models_folder() / entry.key / "v1.model"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"kind"', b'"kinD"', 1))
    reader.run()
    (stop,) = reader.stops
    assert "The file is damaged" in stop and reader.figures == []
    path.unlink()
    reader.run()
    (stop,) = reader.stops
    assert "not among the models that are kept here" in stop and reader.figures == []
    reader.choose("external_model", "chosen")
    assert reader.stops == []
    linked = opened(cohort="gbsg2_breast", external_on="here", external_model=key)
    (stop,) = linked.stops
    assert "not among the models that are kept here" in stop and linked.figures == []
