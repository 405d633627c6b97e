"""Data that no model can take as they are: the regression page says why, offers the way out as a click, and lives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.pages import made
from tests.pages.reader import Reader

OUTCOME = made.outcome(censored=["0"], event=["1"])


def few_events(root: Path) -> None:
    """Twenty variables and three events."""
    base, rng = made.patients(80), np.random.default_rng(3)
    wide = {f"probe_{i}": np.round(rng.normal(size=80), 2).tolist() for i in range(20)}
    data = {"id": base["id"], **wide, "days": base["days"], "status": [1, 1, 1] + [0] * 77}
    made.write(root, "few_events", data, made.dictionary("Three events", outcomes=[OUTCOME]))


def three_arms(root: Path) -> None:
    """Nobody in the third of three arms had the event."""
    base = made.patients()
    arm = ["abc"[i % 3] for i in range(90)]
    status = [0 if a == "c" else s for a, s in zip(arm, base["status"], strict=True)]
    made.write(root, "three_arms", base | {"arm": arm, "status": status}, made.dictionary("A quiet third arm"))


def twice(root: Path) -> None:
    """One variable is another in a different unit, and one is the same for everyone."""
    base = made.patients()
    data = base | {"age_months": [12 * a for a in base["age"]], "constant": [1.5] * 90}
    told = made.dictionary("One variable twice", variables=[{"name": "constant", "kind": "continuous"}])
    made.write(root, "twice", data, told)


def many_levels(root: Path) -> None:
    """Five hundred levels, and a level of one patient."""
    base = made.patients(600)
    rare = ["rare", *["usual"] * 599]
    data = base | {"ward": [f"w{i % 500}" for i in range(600)], "kind": rare}
    told = made.dictionary("Many levels", variables=[{"name": "ward", "kind": "categorical"}])
    made.write(root, "many_levels", data, told)


def weighted(root: Path) -> None:
    """Weights of which one is 0 and one negative; entries of which one is after the end."""
    base = made.patients()
    weight = [1.0] * 90
    weight[4], weight[7] = 0.0, -2.0
    data = base | {"weight": weight, "entered": [0] * 89 + [9999]}
    told = [{"name": name, "kind": "continuous", "use": "optional"} for name in ("weight", "entered")]
    made.write(root, "weighted", data, made.dictionary("Wrong weights", variables=told))


def one_time(root: Path) -> None:
    """All times are equal, some of them zero in another cohort."""
    base = made.patients()
    made.write(root, "one_time", base | {"days": [100] * 90}, made.dictionary("All at one time"))
    made.write(root, "zero", base | {"days": [0] * 20 + base["days"][20:]}, made.dictionary("Times of zero"))


def late(root: Path) -> None:
    """Two types of event, and patients who came under observation later."""
    made.write(root, "late", made.workbench(300), made.workbench_told("Late"))


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All of them in one folder, which an administrator has named."""
    root = tmp_path_factory.mktemp("regression")
    for make in (few_events, three_arms, twice, many_levels, weighted, one_time, late, made.hostile, made.quiet_group,
                 made.all_censored, made.one_patient):  # fmt: skip
        make(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_COHORTS", os.pathsep.join(["", str(root)]))
        yield root


def opened(key: str) -> Reader:
    return Reader(cohort=key).open("regression")


def lives(reader: Reader) -> bool:
    """The rest of the page can still be used."""
    reader.unfold("regression_planning")
    return "events are needed" in reader.text and "data and filter" in reader.text


def test_three_events_and_twenty_variables():
    reader = opened("few_events")
    assert reader.stops == []  # the default has as many variables as events allow: one
    assert len(reader.at.get_by_key("regression_variables_few_events").value) == 1
    reader.choose("regression_variables_few_events", [f"probe_{i}" for i in range(20)])
    (stop,) = reader.stops
    assert "3 events can't support 20 coefficients" in stop
    assert reader.alt("regression_forest").count(": alone ") == 20  # each alone is still shown
    assert "together" not in reader.alt("regression_forest").split("of all together. ")[1]
    assert lives(reader)
    reader.click("regression_use_ridge")
    assert reader.stops == []
    assert reader.alt("regression_forest").count("together ") == 20
    assert "Held back by a ridge" in reader.text


def test_three_events_the_first_variables_are_kept_by_a_click():
    reader = opened("few_events").choose("regression_variables_few_events", [f"probe_{i}" for i in range(20)])
    reader.click("regression_keep")
    assert reader.stops == []
    assert reader.at.get_by_key("regression_variables_few_events").value == ["probe_0"]


def test_separation_names_the_level_and_merging_is_a_click():
    reader = opened("three_arms")
    (stop,) = reader.stops
    assert "no finite value (separation)" in stop
    assert "None of the 30 with “arm: c against a” had the event" in stop
    assert "probe" not in stop
    assert lives(reader)
    reader.click("regression_merge_0")
    assert reader.stops == []
    assert "a or c" in reader.alt("regression_forest") or "against a or c" in reader.alt("regression_forest")
    reader.unfold("regression_forms").click("regression_part_arm")
    assert len(reader.stops) == 1
    reader.click("regression_use_ridge")
    assert reader.stops == []


def test_separation_of_two_levels_can_only_leave_out_or_hold_back():
    reader = opened("quiet_group")
    (stop,) = reader.stops
    assert "separation" in stop
    assert "regression_merge_0" not in [button.key for button in reader.at.button]
    reader.click("regression_out_arm")
    assert reader.stops == []
    assert "arm" not in reader.at.get_by_key("regression_variables_quiet_group").value


def test_a_variable_that_others_determine_has_no_ratio_and_says_why():
    reader = opened("twice")
    reader.choose("regression_variables_twice", ["age", "age_months", "marker"])
    assert reader.stops == []
    assert "It can be worked out from “age, per 20”" in reader.text
    assert "together no ratio" in reader.alt("regression_forest")


def test_a_variable_that_is_the_same_for_everyone_is_said():
    reader = opened("twice").choose("regression_variables_twice", ["age", "constant"])
    assert "regression_forest" in reader.figures
    assert "constant" in reader.text
    reader.choose("regression_variables_twice", ["constant"])
    assert len(reader.stops) == 1
    assert lives(reader)


def test_no_variable_at_all():
    reader = opened("twice").choose("regression_variables_twice", [])
    assert len(reader.stops) == 1
    assert "Choose" in reader.stops[0]
    assert lives(reader)


def test_five_hundred_levels_are_refused_with_the_reason_and_serve_as_strata():
    reader = opened("many_levels").choose("regression_variables_many_levels", ["age", "ward"])
    (stop,) = reader.stops
    assert "separation" in stop or "can't support" in stop
    assert lives(reader)
    reader.choose("regression_variables_many_levels", ["age"])
    reader.unfold("regression_model").choose("regression_strata_many_levels", ["ward"])
    assert reader.stops == []
    assert "Compared within 500 strata." in reader.text


def test_a_level_of_one_patient():
    reader = opened("many_levels").choose("regression_variables_many_levels", ["age", "kind"])
    assert "regression_forest" in reader.figures
    assert lives(reader)


def test_weights_that_are_no_weights_name_their_rows():
    reader = opened("weighted")
    reader.unfold("regression_model").choose("regression_weights_weighted", "weight")
    (stop,) = reader.stops
    assert "2 rows have a weight that is not above 0 (row 5, 8)" in stop
    assert lives(reader)
    reader.choose("regression_weights_weighted", " none").choose("regression_entry_weighted", "entered")
    (stop,) = reader.stops
    assert "Row 90 has an entry at or after the end of follow-up." in stop


@pytest.mark.parametrize("key", ["one_time", "zero", "hostile"])
def test_awkward_times_and_names_have_an_answer(key):
    reader = opened(key)
    assert "regression_forest" in reader.figures
    assert lives(reader)
    reader.unfold("regression_parametric", "regression_forms", "regression_model")
    assert "data and filter" in reader.text


@pytest.mark.parametrize("key", ["all_censored", "one_patient"])
def test_without_events_or_patients_the_reason_is_said(key):
    reader = opened(key)
    assert reader.stops
    assert "data and filter" in reader.text
    reader.unfold("regression_parametric", "regression_planning")
    assert "events are needed" in reader.text


def test_shares_with_delayed_entry_say_what_their_errors_rest_on():
    reader = Reader(cohort="late", outcome="cause").open("regression").choose("regression_variables_late", ["age"])
    pieces = "Fine-Gray with delayed entry: standard errors take the pieces of a patient's follow-up as independent."
    reader.choose("regression_event", "fine-gray:1")
    assert "cmprsk's definition" in reader.text and pieces not in reader.text
    reader.unfold("regression_model").choose("regression_entry_late", "entry")
    assert reader.stops == []
    assert pieces in reader.text
    assert pieces not in reader.choose("regression_event", "cause:1").text


def test_no_bootstrap_of_a_ridge_and_the_rest_lives():
    reader = opened("twice").choose("regression_variables_twice", ["age", "marker"]).unfold("regression_model")
    reader.choose("regression_ridge", True).choose("regression_optimism", True)
    (stop,) = reader.stops
    assert "held back by a ridge" in stop
    assert "regression_forest" in reader.figures and lives(reader)
