"""Survival: the numbers are R's (bedside.survival is tested against it), the choices reach them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bedside.cohort.selection import Between, OneOf, Selection
from tests.pages.reader import Reader, numbers, words

MIDDLE = Selection(((Between("age", 50, 65),), (OneOf("grade", ("2", "3")),))).to_text()


@pytest.fixture
def reader() -> Reader:
    return Reader(cohort="gbsg2_breast").open("survival", survival_by="hormone_therapy")


def times_of(reader: Reader) -> str:
    (key,) = [box.key for box in reader.at.text_input if box.key.startswith("survival_times")]
    return key


def test_one_curve_until_a_grouping_is_chosen():
    reader = Reader(cohort="gbsg2_breast").open("survival")
    assert reader.title == "Recurrence or death in Breast cancer, GBSG-2 686 patients, 299 events"
    assert reader.table("Median times")[1:] == [["All patients", "4.9 years", "4.2 to 5.5 years"]]
    assert "log-rank" not in reader.text


def test_groups_are_compared(reader):
    # R: survdiff(Surv(rfs_days, rfs_event) ~ hormone_therapy), 8.56 on 1 df; survfit(..., conf.type = "log-log").
    assert reader.title == "Recurrence or death by hormone therapy 686 patients, 299 events"
    assert reader.box("Is it more than chance?").endswith("log-rank p = 0.003")
    assert "Chi-squared 8.56 on 1 degree of freedom" in reader.text
    assert reader.table("Median times")[1:] == [
        ["No hormone therapy", "4.2 years", "3.5 to 5.0 years"],
        ["Hormone therapy", "5.5 years", "5.3 to not reached"],
    ]
    assert reader.table("Shares at chosen times") == [
        ["1 year", "3 years", "5 years"],
        ["No hormone therapy"],
        ["90% 86% to 92% 379 at risk", "61% 56% to 65% 195 at risk", "44% 38% to 49% 63 at risk"],
        ["Hormone therapy"],
        ["95% 91% to 97% 223 at risk", "71% 64% to 76% 136 at risk", "58% 51% to 65% 58 at risk"],
    ]


def test_a_treatment_that_was_not_randomised_says_so_before_the_curves(reader):
    boxes = reader.boxes
    caution = next(i for i, box in enumerate(boxes) if box.startswith("Hormone therapy was not randomised"))
    assert caution < next(i for i, box in enumerate(boxes) if "log-rank" in box)
    assert "was not randomised" not in reader.choose("survival_by", "grade").text


def test_the_figure_holds_the_table_below_its_axis(reader):
    figure = reader.figure("survival_km")
    (table,) = [trace for trace in figure["data"] if trace.get("mode") == "text" and trace.get("yaxis") == "y2"]
    # At risk at 0 to 7 years, then censored and events up to then; group after group.
    assert table["text"][:24] == [
        *("440", "379", "281", "195", "124", "63", "18", "1"),
        *("0", "17", "44", "87", "130", "178", "219", "234"),
        *("0", "44", "115", "158", "186", "199", "203", "205"),
    ]
    assert [table["text"][i] for i in (24, 31, 39, 47)] == ["246", "2", "150", "94"]
    assert figure["layout"]["yaxis2"]["ticktext"] == ["At risk", "Censored", "Events"] * 2
    assert figure["layout"]["xaxis"]["title"]["text"] == "Years since surgery"
    alt = reader.alt("survival_km")
    assert "No hormone therapy: 440 patients, 205 events, median 4.2 years (95% interval 3.5 to 5.0)" in alt
    assert "Hormone therapy: 246 patients, 94 events, median 5.5 years (95% interval 5.3 to not reached)" in alt
    styles = {(line["line"]["color"], line["line"]["dash"]) for line in figure["data"] if line.get("name")}
    assert len({dash for _, dash in styles}) == 2  # colour is not the only sign


@pytest.mark.parametrize(
    ("kind", "one_year", "five_years"),
    [
        ("plain", "87% to 93%", "38% to 50%"),
        ("log", "87% to 93%", "38% to 50%"),
        ("log-log", "86% to 92%", "38% to 49%"),
        ("logit", "86% to 92%", "38% to 50%"),
        ("arcsin", "87% to 92%", "38% to 50%"),
    ],
)
def test_the_kind_of_interval_changes_the_numbers(reader, kind, one_year, five_years):
    cells = reader.choose("survival_interval", kind).table("Shares at chosen times")[2]
    assert (one_year in cells[0], five_years in cells[2]) == (True, True)
    assert f"Band: 95% interval ({kind})." in reader.text


@pytest.mark.parametrize(
    ("level", "first", "second"),
    [
        (0.80, "3.7 to 4.7 years", "5.4 to not reached"),
        (0.90, "3.6 to 4.9 years", "5.4 to not reached"),
        (0.99, "3.3 to 5.6 years", "4.8 to not reached"),
    ],
)
def test_the_level_changes_the_numbers_and_every_label_of_them(reader, level, first, second):
    reader.choose("survival_level", level)
    assert [row[2] for row in reader.table("Median times")[1:]] == [first, second]
    said = f"{level:.0%}"
    assert f"median time, {said} interval" in reader.text
    assert f"Band: {said} interval (log-log)." in reader.text
    assert f"alive and free of recurrence, {said} interval" in reader.text
    assert f"{said} interval" in reader.alt("survival_km")
    assert not any("95%" in text for text in words(reader.figure("survival_km")) if "CI" in text)


@pytest.mark.parametrize(
    ("unit", "medians", "heads", "longest"),
    [
        ("months", ["50.2 months", "66.3 months"], ["12 months", "36 months", "60 months"], 2659 / 30.4375),
        ("days", ["1,528 days", "2,018 days"], ["365 days", "1,096 days", "1,826 days"], 2659),
    ],
)
def test_the_unit_changes_times_and_leaves_shares(reader, unit, medians, heads, longest):
    shares = reader.table("Shares at chosen times")[2:]
    reader.choose("survival_unit", unit)
    assert [row[1] for row in reader.table("Median times")[1:]] == medians
    assert reader.table("Shares at chosen times")[0] == heads
    assert reader.table("Shares at chosen times")[2:] == shares
    axis = reader.figure("survival_km")["layout"]["xaxis"]
    assert axis["title"]["text"] == f"{unit.capitalize()} since surgery"
    assert axis["range"][1] == pytest.approx(longest)


def test_the_window_ends_the_axis_and_nothing_else(reader):
    medians = reader.table("Median times")
    (window,) = [box for box in reader.at.slider if box.key.startswith("survival_until")]
    reader.choose(window.key, 3.0)
    assert reader.figure("survival_km")["layout"]["xaxis"]["range"] == [0, 3.0]
    assert reader.table("Median times") == medians


def test_the_band_can_be_hidden_and_its_note_goes_with_it(reader):
    assert sum(trace.get("fill") == "toself" for trace in reader.figure("survival_km")["data"]) == 2
    reader.choose("survival_band", False)
    assert not any(trace.get("fill") for trace in reader.figure("survival_km")["data"])
    assert "Band:" not in reader.text


def test_a_number_is_cut_at_clinical_points_or_quantiles_or_where_the_reader_says(reader):
    reader.choose("survival_by", "age")
    groups = [row[0] for row in reader.table("Median times")[1:]]
    assert groups[0] == "Age up to 39 years"
    assert groups[-1] == "Age 70 years or more"
    assert len(groups) == 5
    reader.choose("survival_cuts_clinical", "quantiles:3")
    assert [row[0] for row in reader.table("Median times")[1:]] == [
        "Age up to 47 years",
        "Age 48 to 58 years",
        "Age 59 years or more",
    ]
    assert "log-rank p = 0.78" in reader.text
    assert "The test asks whether any group differs from the others." in reader.text
    reader.choose("survival_cuts_clinical", "own").choose("survival_own_age", "65; 50")
    assert [row[:2] for row in reader.table("Median times")[1:]] == [
        ["Age up to 49 years", "5.6 years"],
        ["Age 50 to 64 years", "4.2 years"],
        ["Age 65 years or more", "5.4 years"],
    ]
    assert "Chi-squared 4.47 on 2 degrees of freedom" in reader.text


@pytest.mark.parametrize(
    ("typed", "stop"),
    [
        ("fifty", "These cut-points could not be read."),
        ("50; <script>", "These cut-points could not be read."),
        ("nan", "“Age” could not be cut."),
        ("inf", "“Age” could not be cut."),
        ("1e400", "“Age” could not be cut."),
    ],
)
def test_cut_points_that_are_none_stop_in_place(reader, typed, stop):
    reader.choose("survival_by", "age").choose("survival_cuts_clinical", "own").choose("survival_own_age", typed)
    (said,) = reader.stops
    assert said.startswith(f"**{stop}**")
    assert reader.box("data and filter")  # the page reaches its foot
    reader.choose("survival_own_age", "50")
    assert reader.stops == []
    assert len(reader.table("Median times")) == 3


@pytest.mark.parametrize("typed", ["-5", "1000"])
def test_cut_points_beside_all_values_leave_one_group_and_say_so(reader, typed):
    reader.choose("survival_by", "age").choose("survival_cuts_clinical", "own").choose("survival_own_age", typed)
    (said,) = reader.stops
    assert said.startswith("**No comparison.** All patients are in one group.")
    assert len(reader.table("Median times")) == 2


def test_times_are_chosen_by_the_reader(reader):
    reader.choose(times_of(reader), "2 0,5; 7")
    table = reader.table("Shares at chosen times")
    assert table[0] == ["0.5 years", "2 years", "7 years"]
    # Of 440 patients without hormone therapy one is observed beyond 7 years, of 246 with it two.
    assert table[2][1].startswith("73% ")
    assert table[2][2].endswith("1 at risk") and table[4][2].endswith("2 at risk")
    assert reader.choose(times_of(reader), "20").table("Shares at chosen times")[2] == ["beyond follow-up"]


@pytest.mark.parametrize("typed", ["soon", "-1", "nan", "inf", "", "1e9"])
def test_times_that_are_none_stop_in_their_card_and_the_figure_stays(reader, typed):
    reader.choose(times_of(reader), typed)
    (said,) = reader.stops
    assert said.startswith(("**These times could not be read.**", "**No times to look at.**"))
    assert reader.figures == ["survival_km"]
    assert reader.table("Median times")[1][1] == "4.2 years"


def test_selected_against_everyone_else_needs_a_filter():
    reader = Reader(cohort="gbsg2_breast").open("survival")
    assert "Selected patients against everyone else" not in reader.options("survival_by")
    assert not [button for button in reader.at.button if button.key == "survival_against"]
    reader = Reader(cohort="gbsg2_breast", filter=MIDDLE).open("survival")
    assert "Selected patients against everyone else" in reader.options("survival_by")
    assert reader.table("Median times")[1][0] == "Selected patients"


def test_selected_against_everyone_else_is_one_click_and_counts_everybody():
    reader = Reader(cohort="gbsg2_breast", filter=MIDDLE).open("survival").click("survival_against")
    assert reader.title == "Recurrence or death by selection 686 patients, 299 events"
    assert reader.table("Median times")[1:] == [
        ["Selected patients", "4.1 years", "3.4 to 4.7 years"],
        ["Everyone else", "5.6 years", "5.4 to not reached"],
    ]
    assert "log-rank p = 0.008" in reader.text
    alt = reader.alt("survival_km")
    assert "Selected patients: 312 patients, 154 events" in alt
    assert "Everyone else: 374 patients, 145 events" in alt
    assert reader.link["survival_by"] == " selected"
    reader.click("filter_clear")
    assert reader.stops == []
    assert reader.title.startswith("Recurrence or death in Breast cancer, GBSG-2 686 patients")


def test_the_other_outcome_has_its_own_numbers():
    reader = Reader(cohort="gbsg2_breast", outcome="death").open("survival")
    assert reader.title == "Death in Breast cancer, GBSG-2 686 patients, 171 events"
    assert reader.link["outcome"] == "death"


def test_patients_without_a_value_are_counted_out_loud():
    reader = Reader(cohort="pbc_liver").open("survival", survival_by="ascites")
    assert "106 patients without a value left out" in reader.title
    assert sum(int(part.split(" patients")[0].split(": ")[-1]) for part in reader.alt("survival_km").split("; ")) == 312


def test_the_numbers_can_be_taken_along(reader):
    assert reader.at.get("download_button") == []
    reader.unfold("save_survival_km")
    (button,) = reader.at.get("download_button")
    assert button.proto.label == "Numbers (CSV)"
    assert 'data-bs-save="svg"' in reader.raw
    assert 'data-bs-save="png"' in reader.raw


def test_curves_start_at_all_patients_and_never_rise(reader):
    for line in [t for t in reader.figure("survival_km")["data"] if t.get("name") and t["mode"] == "lines"]:
        shares = numbers(line["y"])
        assert all(later <= earlier for earlier, later in pairwise(shares))
        assert numbers(line["x"])[0] > 0 or shares[0] == 1
