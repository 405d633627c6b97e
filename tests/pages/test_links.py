"""Filters and links: they hold on every page, identify nobody, and nonsense stops nothing."""

from __future__ import annotations

import base64
import json

import pytest

from bedside.cohort.selection import Between, OneOf, Selection
from bedside.intake import read_cohort
from tests.pages.reader import ALONE, PAGES, ROOT, Reader

MIDDLE = Selection(((Between("age", 50.0, 65.0),), (OneOf("grade", ("2", "3")),))).to_text()
THREE = Selection(((Between("age", 21, 25),),)).to_text()
NOBODY = Selection(((Between("age", 21, 25),), (OneOf("menopausal_status", ("post",)),))).to_text()


def packed(told: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


def chips(reader: Reader) -> list[str]:
    return [button.label for button in reader.at.button if str(button.key).startswith("chip_")]


def counted(reader: Reader) -> list[str]:
    (last,) = reader.table("How the filter narrows the cohort")[-1:]
    return last


@pytest.mark.parametrize("page", PAGES)
def test_a_filter_from_a_link_holds_on_every_page(page):
    reader = Reader(cohort="gbsg2_breast", filter=MIDDLE).open(page)
    assert chips(reader) == ["Age 50 to 65 years", "Grade 2 or 3"]
    assert reader.table("How the filter narrows the cohort")[1:] == [
        ["All patients", "686", ""],
        ["Age 50 to 65 years", "352", "−334"],
        ["Grade 2 or 3", "312", "−40"],
    ]
    assert b"312 of 686 patients" in reader.sent
    assert reader.link["filter"] == MIDDLE


def test_a_filter_stays_over_pages_without_its_link():
    reader = Reader(cohort="gbsg2_breast", filter=MIDDLE)
    for page in PAGES:
        del reader.at.query_params["filter"]  # Streamlit's own navigation starts with an empty address
        reader.open(page)
        assert len(chips(reader)) == 2
        assert reader.link["filter"] == MIDDLE


def test_a_filter_is_set_joined_and_removed_by_hand():
    reader = Reader(cohort="gbsg2_breast").unfold("filter_add")
    assert "Patient" not in reader.options("filter_variable")
    reader.choose("filter_From_age", 60.0).click("filter_apply")
    assert chips(reader) == ["Age 60 years or more"]
    assert counted(reader)[1] == "211"
    assert not [box for box in reader.at.selectbox if box.key == "filter_variable"]  # closed
    reader.unfold("filter_add")
    reader.choose("filter_variable", "grade").choose("filter_levels_grade", ["3"]).choose("filter_join", 0)
    reader.click("filter_apply")
    assert chips(reader) == ["Age 60 years or more or Grade 3"]
    assert counted(reader)[1] == "331"
    assert Selection.from_text(reader.link["filter"], read_cohort(ROOT / "sample_data" / "gbsg2_breast")) == Selection(
        ((Between("age", 60.0, None), OneOf("grade", ("3",))),)
    )
    reader.click("chip_0")
    assert chips(reader) == []
    assert "filter" not in reader.link
    assert "**All 686 patients**" in reader.text


def test_a_range_starts_empty_with_the_edges_beside_it_and_may_stay_open():
    reader = Reader(cohort="gbsg2_breast").unfold("filter_add")
    edges = [(box.label, box.value, box.placeholder) for box in reader.at.number_input]
    assert edges == [("From (years)", None, "21"), ("To (years)", None, "80")]
    assert reader.at.button(key="filter_apply").disabled
    reader.choose("filter_To_age", 40.0).click("filter_apply")
    assert chips(reader) == ["Age up to 40 years"]
    assert counted(reader)[1] == "73"


def test_a_range_the_wrong_way_round_cannot_be_applied():
    reader = Reader(cohort="gbsg2_breast").unfold("filter_add")
    reader.choose("filter_From_age", 70.0).choose("filter_To_age", 60.0)
    assert reader.at.button(key="filter_apply").disabled
    assert "The first number is above the second" in reader.text


def test_missing_values_are_kept_only_when_asked():
    kept = Selection(((Between("platelets_1e9_l", 100, 1000, missing=True),),)).to_text()
    without = Selection(((Between("platelets_1e9_l", 100, 1000),),)).to_text()
    more, fewer = (int(counted(Reader(cohort="pbc_liver", filter=text))[1]) for text in (kept, without))
    assert more - fewer == 11


@pytest.mark.parametrize("page", PAGES)
def test_a_filter_that_could_name_somebody_leaves_the_address(page):
    reader = Reader(cohort="gbsg2_breast", filter=THREE).open(page)
    assert counted(reader)[1] == "3"
    assert "filter" not in reader.link
    assert "This filter is not in the link: it leaves fewer than 10 patients." in reader.text


@pytest.mark.parametrize("page", PAGES)
def test_a_filter_that_leaves_nobody_says_so_and_can_be_taken_back(page):
    reader = Reader(cohort="gbsg2_breast", filter=NOBODY).open(page)
    (stop,) = reader.stops
    assert stop == (
        "**No patient is left.** The filters together describe nobody in this cohort. "
        "Remove one of the filters, or widen it."
    )
    assert "filter" not in reader.link
    assert len(chips(reader)) == 2
    reader.click("chip_1")
    assert not any("No patient is left" in stop for stop in reader.stops)
    reader.click("filter_clear")
    assert "**All 686 patients**" in reader.text


@pytest.mark.parametrize(
    "text",
    [
        packed([[["one of", "patient_id", ["1"], 0]]]),
        packed([[["between", "patient_id", 1, 2, 0]]]),
        packed([[["between", "rfs_days", 0, 100, 0]]]),
        packed([[["one of", "rfs_event", ["1"], 0]]]),
        packed([[["one of", "grade", ["<script>"], 0]]]),
        packed([[["between", "nowhere", 0, 1, 0]]]),
        packed([[["between", "age", 60, 50, 0]]]),
        packed({"age": 50}),
        "%%%",
        "é",
        "A" * 9000,
    ],
    ids=["identifier", "identifier-range", "time", "status", "level", "column", "backwards", "shape", "%", "é", "long"],
)
@pytest.mark.parametrize("page", ["overview", "model"])
def test_a_filter_in_a_link_that_cannot_be_read_is_refused_and_everyone_shown(page, text):
    reader = Reader(cohort="gbsg2_breast", filter=text)
    (stop,) = reader.stops
    assert stop.startswith("**The filter in the link could not be read.**")
    assert reader.open(page).stops == []
    assert chips(reader) == []
    assert "**All 686 patients**" in reader.text
    assert "filter" not in reader.link


def test_a_link_to_the_filter_of_a_date_or_identifier_in_any_cohort_is_refused():
    reader = Reader(cohort="gse7390_breast_expression")
    offered = reader.unfold("filter_add").options("filter_variable")
    assert "Patient" not in offered and len(offered) > 5


@pytest.mark.parametrize("page", PAGES)
def test_an_unknown_cohort_or_outcome_in_a_link_is_said_and_replaced(page):
    reader = Reader(cohort="no_such_place", outcome="no_such_end")
    assert [stop.split(". ")[0] for stop in reader.stops] == [
        "This link asks for something that is not here (cohort)",
        "This link asks for something that is not here (outcome)",
    ]
    assert all("no_such" not in stop for stop in reader.stops)
    reader.open(page)
    assert reader.link["cohort"] == "gbsg2_breast"
    assert reader.link["outcome"] == "recurrence_or_death"
    assert not any("not here" in stop for stop in reader.stops)


def test_an_unknown_grouping_in_a_link_is_said_and_replaced():
    reader = Reader(cohort="gbsg2_breast").open("survival", survival_by="<script>alert(1)</script>")
    assert reader.stops[0].startswith("This link asks for something that is not here (compare patients by).")
    assert b"alert(1)" not in reader.sent
    assert reader.figures == ["survival_km"]


@pytest.mark.parametrize("years", ["-5", "0", "abc", "nan", "1e9", "4.0001", ""])
def test_a_horizon_in_a_link_that_is_none_is_passed_over(years):
    reader = Reader(cohort="gbsg2_breast").open("patients", horizon_years=years)
    assert reader.stops == []
    assert "within 4 years of surgery" in reader.text


def test_a_horizon_in_a_link_holds():
    assert "within 2 years" in Reader(cohort="gbsg2_breast").open("patients", horizon_years="2").text
    assert "within 2 years" in Reader(cohort="gbsg2_breast").open("model", horizon_years="2").text


def test_a_horizon_beyond_a_filters_follow_up_is_drawn_back():
    reader = Reader(cohort="gbsg2_breast").open("patients").choose("horizon_years", 6.0)
    assert "within 6 years of surgery" in reader.text
    reader.choose("cohort", "lung_ncctg")
    assert reader.stops == []
    slider = [s for s in reader.at.slider if str(s.key).startswith("horizon_")]
    assert all(s.min <= s.value <= s.max for s in slider)


def test_another_cohort_takes_its_own_outcome_and_drops_the_filter():
    reader = Reader(cohort="gbsg2_breast", outcome="death", filter=MIDDLE).choose("cohort", "pbc_liver")
    assert reader.stops == []
    assert reader.link == {"cohort": "pbc_liver", "outcome": "death"}
    assert "**All 418 patients**" in reader.text
    reader.choose("cohort", "actg175_hiv_trial")
    assert reader.stops == []
    assert reader.options("outcome")[0] in reader.box("median follow-up").capitalize() or reader.link["outcome"]


def test_a_grouping_of_one_cohort_is_not_asked_of_another():
    reader = (
        Reader(cohort="gbsg2_breast").open("survival", survival_by="hormone_therapy").choose("cohort", "lung_ncctg")
    )
    assert reader.stops == []
    assert reader.title.startswith("Death: ")
    assert "survival_by" not in reader.link


@pytest.mark.parametrize(
    "name", ["cohort", "outcome", "filter", "patient", "survival_by", "horizon_years", "unheard_of"]
)
def test_markup_in_any_part_of_a_link_reaches_no_page(name):
    reader = Reader(**{"cohort": "gbsg2_breast", name: "<img src=x onerror=alert(1)>"})
    for page in (*PAGES, *ALONE):
        assert b"<img" not in reader.open(page).sent


def later(reader: Reader) -> float:
    (value,) = [each.value for each in reader.at.slider if each.key.startswith("survival_alive")]
    return value


def test_a_later_start_is_in_the_link_and_told_on_the_other_pages():
    said = "The 3-year start on Survival is not used here."
    reader = Reader(cohort="gbsg2_breast").open("survival")
    assert "survival_since" not in reader.link
    (key,) = [each.key for each in reader.at.slider if each.key.startswith("survival_alive")]
    reader.choose(key, 3.0).choose("survival_restart", True)
    assert reader.link["survival_since"] == "3-years"
    assert reader.link["survival_restart"] == "yes"
    assert said not in reader.text
    for page in set(PAGES) - {"survival", "report"}:
        assert said in reader.open(page).text, page
    assert later(reader.open("survival")) == 3.0
    shown = Reader(cohort="gbsg2_breast", survival_since="3-years", survival_restart="yes").open("survival")
    assert shown.table("Shares at chosen times") == reader.table("Shares at chosen times")
    assert (later(shown), shown.at.get_by_key("survival_restart").value) == (3.0, True)
    months = Reader(cohort="gbsg2_breast", survival_since="36-months").open("survival")
    assert (later(months), months.link["survival_since"]) == (3.0, "36-months")
    (key,) = [each.key for each in months.at.slider if each.key.startswith("survival_alive")]
    months.choose(key, 0.0)
    assert "survival_since" not in months.link
    assert said not in months.open("regression").text


@pytest.mark.parametrize("nonsense", ["soon", "1e9-years", "-3-years", "nan-years", "3-decades"])
def test_a_later_start_that_makes_no_sense_is_said_and_left_out(nonsense):
    reader = Reader(cohort="gbsg2_breast", survival_since=nonsense).open("survival")
    assert later(reader) == 0.0
    assert any("later start that could not be read" in stop for stop in reader.stops)
    beyond = Reader(cohort="gbsg2_breast", survival_since="80-years").open("survival")
    assert 6.5 < later(beyond) < 7.5  # as far as ten patients are observed


def test_an_endpoint_that_leaves_few_is_not_in_the_link():
    """Lung: 13 patients are followed for more days than calories they ate; PBC: 4 for more months than platelets."""
    said = "Your endpoint is not in the link: it leaves fewer than 10 patients, or names them."
    late = {"label": "Death", "first_of": ["death"], "start_unit": "days", "start": "meal_kcal"}
    reader = Reader(cohort="lung_ncctg", endpoint=json.dumps(late), outcome="own").open("survival")
    assert "13 patients" in reader.title and "endpoint" in reader.link and said not in reader.text
    # Of those 13 fewer than ten are women: a link with both would point at them, whichever outcome is on.
    women = Selection(((OneOf("sex", ("female",)),),)).to_text()
    for outcome in ("own", "death"):
        both = Reader(cohort="lung_ncctg", endpoint=json.dumps(late), outcome=outcome, filter=women).open("survival")
        assert chips(both) == ["Female"]
        assert "filter" not in both.link and "endpoint" in both.link
    plain = Reader(cohort="lung_ncctg", filter=women).open("survival")
    assert plain.link["filter"] == women
    late |= {"start": "platelets_1e9_l", "start_unit": "months"}
    reader = Reader(cohort="pbc_liver", endpoint=json.dumps(late), outcome="own").open("survival")
    assert "4 patients" in reader.title and said in reader.text
    assert "endpoint" not in reader.link


WISHES = [{"model": "nonsense"}, {"target": "x"}, {"shape": "9"}, {"pool": "x"}, {"without": "nosuch"}]


@pytest.mark.parametrize("wish", WISHES)
def test_a_model_that_a_link_asks_for_and_is_not_there_is_said(wish):
    told = "This link asks for something that is not here"
    reader = Reader(cohort="gbsg2_breast", **wish).open("model")
    assert any(told in warning.value for warning in reader.at.warning)
    assert not any(told in warning.value for warning in reader.run().at.warning)
    known = Reader(cohort="gbsg2_breast", without="age").open("model")
    assert not any(told in warning.value for warning in known.at.warning)
