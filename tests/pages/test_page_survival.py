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


def unit_of(reader: Reader) -> str:
    (key,) = [group.key for group in reader.at.button_group if str(group.key).startswith("survival_unit")]
    return key


def test_one_curve_until_a_grouping_is_chosen():
    reader = Reader(cohort="gbsg2_breast").open("survival")
    assert reader.title == "Recurrence or death: Breast cancer, GBSG-2 686 patients, 299 events"
    assert reader.medians == [["All patients", "4.9 years 4.2 to 5.5 years"]]
    assert "Time by which half had had the event (recurrence or death)." in reader.boxes
    assert "log-rank" not in reader.text


def test_groups_are_compared(reader):
    # R: survdiff(Surv(rfs_days, rfs_event) ~ hormone_therapy), 8.56 on 1 df; survfit(..., conf.type = "log-log").
    assert reader.title == "Recurrence or death, by hormone therapy 686 patients, 299 events"
    assert reader.box("Is it more than chance?").endswith("log-rank p = 0.003")
    assert "Chi-squared 8.56 on 1 degree of freedom" in reader.text
    # p = 0.00343.
    assert "a difference at least this large would arise in about 3 of 1,000 such comparisons" in reader.text
    assert reader.medians == [
        ["No hormone therapy", "4.2 years 3.5 to 5.0 years"],
        ["Hormone therapy", "5.5 years 5.3 to not reached"],
    ]
    assert reader.table("Shares at chosen times") == [
        ["1 year", "3 years", "5 years"],
        ["No hormone therapy"],
        ["90% 86% to 92% 379 at risk", "61% 56% to 65% 195 at risk", "44% 38% to 49% 63 at risk"],
        ["Hormone therapy"],
        ["95% 91% to 97% 223 at risk", "71% 64% to 76% 136 at risk", "58% 51% to 65% 58 at risk"],
    ]


@pytest.mark.parametrize(
    ("cohort", "by", "p", "share"),
    [
        ("gse7390_breast_expression", "218914_at", "p > 0.99", "more than 99 of 100"),  # p = 0.9996
        ("gbsg2_breast", "grade", "p < 0.001", "fewer than 1 of 1,000"),  # p = 0.000026
    ],
)
def test_a_chance_is_never_none_and_never_all(cohort, by, p, share):
    reader = Reader(cohort=cohort).open("survival", survival_by=by)
    if by == "218914_at":
        reader.choose("survival_cuts_quantiles:2", "quantiles:3")
    assert reader.box("Is it more than chance?").endswith(f"log-rank {p}")
    assert f"a difference at least this large would arise in {share} such comparisons." in reader.text


def test_a_treatment_that_was_not_randomised_says_so_before_the_curves(reader):
    boxes = reader.boxes
    caution = next(i for i, box in enumerate(boxes) if box.startswith("The groups were not formed by randomisation"))
    assert caution < next(i for i, box in enumerate(boxes) if "log-rank" in box)
    assert "treated and untreated patients may differ in other ways" in boxes[caution]
    assert "randomisation" not in reader.choose("survival_by", "grade").text


@pytest.mark.parametrize(
    ("cohort", "by", "most"),
    [
        # Standardised mean difference .31, the next known before (cigarettes a day in 1971) .20.
        (
            "nhefs_prevention",
            "quit_smoking",
            "age in 1971: median 43 years (Still smoking in 1982) against 47 years (Stopped smoking by 1982).",
        ),
        # Standardised mean difference .57, the next (oestrogen receptor) .29.
        (
            "gbsg2_breast",
            "hormone_therapy",
            "age: median 50 years (No hormone therapy) against 58 years (Hormone therapy).",
        ),
    ],
)
def test_groups_that_were_not_randomised_name_what_they_differ_in_most(cohort, by, most):
    caution = Reader(cohort=cohort).open("survival", survival_by=by).box("not formed by randomisation")
    assert caution.endswith(f"They differ most in {most}")


def test_randomised_groups_say_so_and_other_groups_of_the_trial_do_not():
    reader = Reader(cohort="actg175_hiv_trial").open("survival", survival_by="arm")
    assert reader.box("randomisation").startswith("The groups were formed by randomisation.")
    assert "differ most in" not in reader.text
    assert "formed by randomisation" not in reader.choose("survival_by", "age").text


def test_groups_by_what_is_known_only_later_are_warned_of():
    reader = Reader(cohort="actg175_hiv_trial").open("survival", survival_by="cd4_week20")
    assert "is known only later (measured 20 weeks after randomisation)." in reader.box("alone can part the curves")
    assert "known only later" not in reader.choose("survival_by", "age").text


def test_a_median_that_few_patients_reach_under_observation_is_marked(reader):
    medians = dict(reader.choose("survival_by", "age").medians)
    # R: survfit; at the medians 29, 17, 53, 45 and 7 patients are at risk.
    assert medians["Age 70 years or more"] == "5.0 years (few at risk) 2.3 to not reached"
    assert medians["Age 40 to 49 years"] == "5.7 years 5.5 to not reached"
    assert sum("few at risk" in said for said in medians.values()) == 1


def test_of_many_groups_the_twelve_largest_are_drawn_and_it_is_said():
    reader = Reader(cohort="lung_ncctg").open("survival", survival_by="institution")
    assert reader.box("Only the 12 largest") == (
        "Only the 12 largest of 18 groups are drawn and listed; the test compares all of them."
    )
    # Of the 18 institutions 12 have 7 patients or more, together 200 of the 227 whose institution is known.
    institutions = (1, 3, 5, 6, 7, 11, 12, 13, 16, 21, 22, 32)
    assert [name for name, _ in reader.medians] == [f"Institution {i}" for i in institutions]
    assert reader.title.startswith("Death, by institution 200 patients,")
    assert reader.title.endswith("; 1 patient without a value left out")
    lines = {t["name"] for t in reader.figure("survival_km")["data"] if t.get("name") and t["mode"] == "lines"}
    assert len(lines) == 12
    assert "on 17 degrees of freedom" in reader.text
    assert "Only the 12 largest" not in reader.choose("survival_by", "ecog_physician").text


def test_below_three_years_of_follow_up_times_are_in_months():
    reader = Reader(cohort="lung_ncctg").open("survival")
    # The longest follow-up is 1,022 days; 10 patients are at risk until 765 days, 25.1 months. Median 310 days.
    assert reader.medians == [["All patients", "10.2 months 9.3 to 11.9 months"]]
    assert reader.table("Shares at chosen times")[0] == ["12 months", "18 months", "24 months"]
    assert reader.figure("survival_km")["layout"]["xaxis"]["title"]["text"].startswith("Months since")


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
    assert figure["layout"]["yaxis2"]["ticktext"] == ["At risk", "Censored so far", "Events so far"] * 2
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
    assert f"Band: pointwise 95% interval ({kind})." in reader.text


@pytest.mark.parametrize(
    ("level", "first", "second"),
    [
        (0.80, "4.2 years 3.7 to 4.7 years", "5.5 years 5.4 to not reached"),
        (0.90, "4.2 years 3.6 to 4.9 years", "5.5 years 5.4 to not reached"),
        (0.99, "4.2 years 3.3 to 5.6 years", "5.5 years 4.8 to not reached"),
    ],
)
def test_the_level_changes_the_numbers_and_every_label_of_them(reader, level, first, second):
    reader.choose("survival_level", level)
    assert [said for _, said in reader.medians] == [first, second]
    said = f"{level:.0%}"
    assert f"median time, {said} interval" in reader.text
    assert f"Band: pointwise {said} interval (log-log)." in reader.text
    assert f"alive and free of recurrence, {said} interval" in reader.text
    assert f"{said} interval" in reader.alt("survival_km")
    assert not any("95%" in text for text in words(reader.figure("survival_km")) if "CI" in text)


@pytest.mark.parametrize(
    ("unit", "medians", "heads", "years", "longest"),
    [
        (
            "months",
            ["50.2 months 42.1 to 59.6 months", "66.3 months 63.0 to not reached"],
            ["24 months", "36 months", "60 months"],  # the last three round times with 10 at risk, which is at 80.7
            "12; 36; 60",
            2659 / 30.4375,
        ),
        (
            "days",
            ["1,528 days 1,280 to 1,814 days", "2,018 days 1,918 to not reached"],
            ["365 days", "730 days", "1826 days"],
            "365.25; 1095.75; 1826.25",
            2659,
        ),
    ],
)
def test_the_unit_changes_times_and_leaves_shares(reader, unit, medians, heads, years, longest):
    shares = reader.table("Shares at chosen times")[1:]
    reader.choose(unit_of(reader), unit)
    assert [said for _, said in reader.medians] == medians
    assert reader.table("Shares at chosen times")[0] == heads
    assert reader.choose(times_of(reader), years).table("Shares at chosen times")[1:] == shares
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
    # Two groups, each with a band and the paler end of it, where fewer than 10 remain.
    assert sum(trace.get("fill") == "toself" for trace in reader.figure("survival_km")["data"]) == 4
    reader.choose("survival_band", False)
    assert not any(trace.get("fill") for trace in reader.figure("survival_km")["data"])
    assert "Band:" not in reader.text


def test_a_number_is_cut_at_clinical_points_or_quantiles_or_where_the_reader_says(reader):
    reader.choose("survival_by", "age")
    groups = [name for name, _ in reader.medians]
    assert groups[0] == "Age up to 39 years"
    assert groups[-1] == "Age 70 years or more"
    assert len(groups) == 5
    reader.choose("survival_cuts_clinical", "quantiles:3")
    assert [name for name, _ in reader.medians] == [
        "Age up to 47 years",
        "Age 48 to 58 years",
        "Age 59 years or more",
    ]
    assert "log-rank p = 0.78" in reader.text
    assert "would arise in about 78 of 100 such comparisons. That does not show that the groups are alike." in (
        reader.text
    )
    assert "Cut-points chosen after seeing" not in reader.text
    assert "The test asks whether any group differs from the others." in reader.text
    reader.choose("survival_cuts_clinical", "own").choose("survival_own_age", "65; 50")
    assert reader.medians == [
        ["Age up to 49 years", "5.6 years 5.0 to not reached"],
        ["Age 50 to 64 years", "4.2 years 3.6 to 4.8 years"],
        ["Age 65 years or more", "5.4 years 4.6 to not reached"],
    ]
    assert "Cut-points chosen after seeing the curves make the difference look surer than it is." in reader.boxes
    assert "Chi-squared 4.47 on 2 degrees of freedom" in reader.text


@pytest.mark.parametrize("typed", ["fifty", "50; <script>", "nan", "inf", "1e400"])
def test_cut_points_that_are_none_stop_in_place(reader, typed):
    reader.choose("survival_by", "age").choose("survival_cuts_clinical", "own").choose("survival_own_age", typed)
    (said,) = reader.stops
    assert said.startswith("**These cut-points could not be read.** Each one has to be a number.")
    assert len(reader.medians) == 5  # the clinical ones meanwhile
    assert reader.box("data and filter")  # the page reaches its foot
    reader.choose("survival_own_age", "50")
    assert reader.stops == []
    assert len(reader.medians) == 2


@pytest.mark.parametrize("typed", ["-5", "1000"])
def test_cut_points_beside_all_values_leave_one_group_and_say_so(reader, typed):
    reader.choose("survival_by", "age").choose("survival_cuts_clinical", "own").choose("survival_own_age", typed)
    (said,) = reader.stops
    assert said.startswith("**No comparison.** All patients are in one group.")
    assert len(reader.medians) == 1


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
    assert reader.medians[0][1] == "4.2 years 3.5 to 5.0 years"


def test_selected_against_everyone_else_needs_a_filter():
    reader = Reader(cohort="gbsg2_breast").open("survival")
    assert "Selected patients against everyone else" not in reader.options("survival_by")
    assert not [button for button in reader.at.button if button.key == "survival_against"]
    reader = Reader(cohort="gbsg2_breast", filter=MIDDLE).open("survival")
    assert "Selected patients against everyone else" in reader.options("survival_by")
    assert reader.medians == [["Selected patients", "4.1 years 3.4 to 4.7 years"]]


def test_selected_against_everyone_else_is_one_click_and_counts_everybody():
    reader = Reader(cohort="gbsg2_breast", filter=MIDDLE).open("survival").click("survival_against")
    assert reader.title == "Recurrence or death, by selection 686 patients, 299 events"
    assert reader.medians == [
        ["Selected patients", "4.1 years 3.4 to 4.7 years"],
        ["Everyone else", "5.6 years 5.4 to not reached"],
    ]
    assert "log-rank p = 0.008" in reader.text
    alt = reader.alt("survival_km")
    assert "Selected patients: 312 patients, 154 events" in alt
    assert "Everyone else: 374 patients, 145 events" in alt
    assert reader.link["survival_by"] == " selected"
    reader.click("filter_clear")
    assert reader.stops == []
    assert reader.title.startswith("Recurrence or death: Breast cancer, GBSG-2 686 patients")


def test_the_other_outcome_has_its_own_numbers():
    reader = Reader(cohort="gbsg2_breast", outcome="death").open("survival")
    assert reader.title == "Death: Breast cancer, GBSG-2 686 patients, 171 events"
    assert "Time by which half had had the event (death)." in reader.boxes
    assert reader.link["outcome"] == "death"


def test_patients_without_a_value_are_counted_out_loud():
    reader = Reader(cohort="pbc_liver").open("survival", survival_by="ascites", survival_view="survival")
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
