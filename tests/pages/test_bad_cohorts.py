"""Cohorts as they come: the awkward ones work on every page, the broken ones are refused and name their faults."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.text import JOINER
from tests.pages import made
from tests.pages.reader import ALONE, PAGES, Reader, numbers, words

AS_PLAIN_TEXT = {"html", "plotly_chart", "arrow_data_frame", "dataframe", "selectbox", "multiselect"}
"""Elements that show text letter for letter; everything else reads Markdown."""


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All made cohorts in one folder, which an administrator has named."""
    root = tmp_path_factory.mktemp("cohorts")
    for make in (*made.WORKING, made.refused):
        make(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_COHORTS", os.pathsep.join(["", str(root), str(root / "is_not_there")]))
        yield root


def opened(key: str, page: str) -> Reader:
    """A page of a cohort; the patient page with its first patient."""
    reader = Reader(cohort=key)
    return reader.open("patients").row(0) if page == "patient" else reader.open(page)


# ------------------------------------------------------------------ these work


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("key", ["hostile", "sixty", *made.CODINGS, "quiet_group"])
def test_an_awkward_cohort_works_on_every_page(key, page):
    reader = opened(key, page)
    assert not reader.at.error
    # Without any event in a group there is no hazard ratio to give; what else the page has is there.
    declined = key == "quiet_group" and page in ("regression", "comparison")
    assert bool(reader.stops) <= declined
    figures = {"overview": 0, "survival": 1, "patients": 0, "patient": 3, "model": 1, "report": 0}
    assert len(reader.figures) == figures.get(page, len(reader.figures))
    assert reader.figures or page not in ("regression", "comparison") or declined
    assert reader.box("data and filter")


@pytest.mark.parametrize("key", ["hostile", "sixty", *made.CODINGS, "all_censored", "quiet_group", "one_patient"])
def test_every_grouping_of_an_awkward_cohort_can_be_looked_at(key):
    reader = Reader(cohort=key).open("survival")
    names = {"hostile": [made.ARABIC, made.SCRIPT, made.EMOJI, made.IMAGE], "sixty": ["age", "probe_0", "probe_58"]}
    for name in names.get(key, ["age", "arm", "marker"]):
        reader.choose("survival_by", name)
        assert reader.figures == ["survival_km"]
        # Only a comparison of one group, or of groups without any event, may be declined.
        assert all(stop.startswith("**No comparison.**") for stop in reader.stops), (name, reader.stops)
        assert (key in ("all_censored", "one_patient")) == bool(reader.stops)


@pytest.mark.parametrize("page", PAGES)
def test_hostile_text_is_shown_letter_for_letter_and_runs_nowhere(page):
    reader = opened("hostile", page)
    if page == "survival":
        reader.choose("survival_by", made.SCRIPT)
    _unfold_all(reader, page)
    assert made.SCRIPT in reader.text
    assert "<script" not in reader.raw.lower()
    assert "<img" not in reader.raw.lower()
    for key in reader.figures:
        assert not any("<script" in text.lower() for text in words(reader.figure(key)))
    for element in reader.elements:
        if element.type in AS_PLAIN_TEXT:
            continue
        sent = element.proto.SerializeToString().decode("utf-8", "replace")
        assert made.IMAGE not in sent, element.type
        assert made.RED not in sent, element.type
        assert made.SCRIPT not in sent, element.type


def _unfold_all(reader: Reader, page: str) -> None:
    for key in {"overview": ["overview_table"], "patient": ["patient_values"]}.get(page, []):
        reader.unfold(key)
    reader.unfold("filter_add")


def test_hostile_names_can_be_filtered_by_searched_and_linked():
    reader = Reader(cohort="hostile").unfold("filter_add")
    reader.choose("filter_variable", made.SCRIPT)
    reader.choose(f"filter_levels_{made.SCRIPT}", [made.IMAGE, made.RED]).click("filter_apply")
    assert "**36 of 90 patients**" in reader.sent.decode("utf-8", "replace")
    (chip,) = [button.label for button in reader.at.button if button.key == "chip_0"]
    assert made.IMAGE not in chip and JOINER in chip
    assert re.fullmatch(r"[A-Za-z0-9_-]+", reader.link["filter"])
    again = Reader(cohort="hostile", filter=reader.link["filter"]).open("patients")
    assert len(again.at.dataframe[0].value) == 36
    again.choose("patients_search", f"{made.RED} 4")
    names = again.at.dataframe[0].value["patient"].tolist()
    assert f"{made.RED} 4" in names
    (button,) = [button.label for button in again.at.button if button.key == "patients_open"]
    assert made.RED not in button
    again.click("patients_open")
    assert "red" not in str(again.link["patient"]).lower() or len(again.link["patient"]) == 22
    assert made.RED not in str(again.link) and "script" not in str(again.link)


def test_hostile_identifiers_and_levels_stand_in_the_table_as_they_are():
    shown = Reader(cohort="hostile").open("patients").at.dataframe[0].value
    assert set(shown["patient"]) == {f"{made.HOSTILE[i % 5]} {i}" for i in range(90)}
    levels = shown.set_index("patient")["v1"]
    for i, text in enumerate(made.HOSTILE):
        assert levels[f"{text} {i}"] == f"{text} level"


def test_sixty_predictors_are_all_in_the_model_and_explained():
    reader = Reader(cohort="sixty").open("model")
    assert "variables in 60 terms, 3 events each" in reader.text
    assert re.search(r"fewer than 10, hazard ratios and risks vary much", reader.text)
    reader.open("patients").row(0)
    assert "They add up to the risk (checked to nine decimals)." in reader.text
    assert "No input is missing" in reader.text


@pytest.mark.parametrize("key", made.CODINGS)
def test_a_usual_coding_is_read_and_the_reading_is_said(key):
    reader = Reader(cohort=key)
    # 0 and 1 turned into 1/2, no/yes and alive/Dead: the same 62 deaths among the same 90 patients.
    assert reader.box("median follow-up").startswith("90 patients 62 death (69%)")
    censored, event = made.CODINGS[key]
    assert f"status: {event} read as event, {censored} as censored." in reader.boxes


def test_codings_give_the_same_curve_and_model():
    seen = set()
    for key in made.CODINGS:
        reader = Reader(cohort=key).open("survival")
        curve = str(reader.table("Shares at chosen times"))
        seen.add((curve, reader.open("model").alt("model_forest")))
    assert len(seen) == 1


def test_all_censored_shows_a_flat_curve_and_explains_why_there_is_no_model():
    reader = Reader(cohort="all_censored").open("survival")
    assert reader.medians == [["All patients", "no events; not reached"]]
    lines = [t for t in reader.figure("survival_km")["data"] if t.get("name")]
    assert {share for line in lines for share in numbers(line["y"])} == {1.0}
    assert all(cell.startswith("100% ") for cell in reader.table("Shares at chosen times")[2])
    (stop,) = reader.open("model").stops
    assert stop == (
        "**No model for this selection.** “Death” occurred in no patient here; a model of risk needs at least "
        "10 events. Include more patients, or choose an outcome that occurred more often."
    )
    assert "0 death (0%)" in Reader(cohort="all_censored").text


def test_a_group_without_events_has_a_flat_line_beside_the_other():
    reader = Reader(cohort="quiet_group").open("survival", survival_by="arm")
    (_, events), (_, quiet) = reader.medians
    assert quiet == "no events; not reached"
    assert events == "1.33 years 0.72 to 2.5 years"
    assert "log-rank p < 0.001" in reader.text
    cells = reader.table("Shares at chosen times")[4]
    assert all("100%" in cell for cell in cells)
    assert "No patient with “arm: b” had the event" in reader.open("model").text


def test_one_patient_has_a_curve_and_no_model():
    reader = Reader(cohort="one_patient")
    assert "**The only patient**" in reader.text
    assert reader.box("median follow-up").startswith("1 patient 1 death (100%)")
    reader.open("survival")
    assert reader.stops == []
    assert "1 patient, 1 event" in reader.title
    # Dead on day 7; with one patient there is no interval, and below three months of follow-up times are in days.
    assert reader.medians == [["All patients", "7 days (few at risk) cannot be given"]]
    for page in ("patients", "model"):
        (stop,) = reader.open(page).stops
        assert stop.startswith("**No model for this selection.** A model compares patients, and there is only one.")
    reader.open("patients").row(0)
    assert reader.title.startswith("Patient P0000 age 81")
    assert reader.figures == []


def test_a_value_outside_the_plausible_range_is_counted_and_kept(folder):
    base = made.patients()
    told = made.dictionary(
        "Implausible", variables=[{"name": "age", "kind": "continuous", "label": "Age", "plausible": [30, 80]}]
    )
    made.write(folder, "implausible", base | {"age": [999, *base["age"][1:]]}, told)
    beyond = 1 + sum(age > 80 for age in base["age"][1:])
    reader = Reader(cohort="implausible")
    assert f"{beyond} outside the plausible range" in reader.box("Age 5")
    assert reader.box("median follow-up").startswith("90 patients")


# ------------------------------------------------------------------ these are refused

REFUSED = {
    "negative": [("data.csv", "days", "times of 0 or more", "negative ones in rows 3, 9")],
    "missing": [("data.csv", "days", "a time in every row", "none in rows 5, 40")],
    "duplicated": [("data.csv", "id", "each identifier once", "repeated in rows 2, 7")],
    "words": [("data.csv", "days", "finite numbers", "something else in row 4")],
    "several": [
        (
            "dictionary.json",
            "variables[0].kind (age)",
            "'continuous', 'categorical', 'ordinal', 'binary', 'identifier', 'date' or 'text'",
            "str",
        ),
        ("dictionary.json", "outcomes[0].unit (death)", "'days', 'weeks', 'months' or 'years'", "str"),
        ("data.csv", "gone", "a column of this name (declared as a variable)", "none"),
        ("data.csv", "id", "each identifier once", "repeated in rows 2, 7"),
        ("data.csv", "later", "a column of this name (time of “Other”)", "none"),
    ],
    "no_data": [("data.csv", "", "a file of this name in the cohort's folder", "none")],
    "not_json": [("dictionary.json", "line 1", "valid JSON", None)],
    "empty_file": [("data.csv", "", "a header line with column names", "none")],
    "no_rows": [("data.csv", "", "at least one patient", "no rows")],
}


@pytest.mark.parametrize("key", REFUSED)
def test_a_broken_cohort_names_every_fault_and_no_patients_value(key, caplog, capfd):
    reader = Reader(cohort=key)
    (stop,) = reader.stops
    n = len(REFUSED[key])
    counted = f"{n} faults were found." if n > 1 else "1 fault was found."
    assert stop.startswith(f"**The cohort “{key}” could not be opened.** {counted}")
    assert stop.endswith("Correct each one where it is named below, then open the cohort again.")
    table = reader.table("Faults of this cohort")
    assert table[0] == ["File", "Column", "Expected", "Found"]
    assert len(table) - 1 == n
    for row, wanted in zip(table[1:], REFUSED[key], strict=True):
        assert all(want is None or cell == want for cell, want in zip(row, wanted, strict=True)), row
    for page in ALONE:  # they need no cohort, and live
        assert reader.open(page).stops == [] and made.PLANTED.encode() not in reader.sent
    for page in PAGES:
        reader.open(page)
        assert len(reader.stops) == 1 and reader.figures == [] and reader.at.get("dataframe") == []
        for planted in (made.PLANTED, "931.17", "93117"):
            assert planted.encode() not in reader.sent
            assert planted not in str(reader.at.session_state.to_dict())
            assert planted not in str(reader.link)
    output = capfd.readouterr()
    assert made.PLANTED not in caplog.text + output.out + output.err
    assert "931.17" not in caplog.text + output.out + output.err


@pytest.mark.parametrize("key", REFUSED)
def test_the_app_lives_and_another_cohort_can_be_chosen(key):
    reader = Reader(cohort=key)
    assert "Breast cancer, GBSG-2" in reader.options("cohort")
    reader.choose("cohort", "gbsg2_breast")
    assert reader.stops == []
    assert "**All 686 patients**" in reader.text
    reader.choose("cohort", key)
    assert len(reader.stops) == 1


def test_a_cohort_that_is_repaired_opens_without_a_restart(folder):
    made.write(folder, "mended", made.patients() | {"days": [-1] * 90}, made.dictionary("Mended"))
    reader = Reader(cohort="mended")
    (stop,) = reader.stops
    assert "1 fault was found." in stop
    assert "and 80 more" in reader.table("Faults of this cohort")[1][3]
    (folder / "mended" / "data.csv").unlink()
    (folder / "mended" / "dictionary.json").unlink()
    (folder / "mended").rmdir()
    made.write(folder, "mended", made.patients(), made.dictionary("Mended"))
    assert reader.run().stops == []
    assert reader.box("median follow-up").startswith("90 patients 62 death (69%)")


def test_broken_and_sound_cohorts_are_all_on_the_list():
    offered = Reader(cohort="one_two").options("cohort")
    for title in ("Negative times", "Several faults", "not_json", "Sixty columns", "One patient"):
        assert title in offered
    assert len(offered) == len(set(offered))


def test_a_folder_that_goes_away_while_it_is_open_stops_in_place(folder):
    made.write(folder, "leaving", made.patients(), made.dictionary("Leaving"))
    reader = Reader(cohort="leaving")
    assert reader.stops == []
    (folder / "leaving" / "data.csv").unlink()
    (stop,) = reader.run().stops
    assert stop.startswith("**The cohort “leaving” could not be opened.**")
    (folder / "leaving" / "dictionary.json").unlink()
    reader.run()
    assert reader.at.selectbox(key="cohort").value == "gbsg2_breast"
