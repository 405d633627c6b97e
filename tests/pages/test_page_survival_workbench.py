"""The survival page as a workbench: views, tests, differences, other starts and endpoints; the numbers are R's."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.pages.reader import Reader, numbers


@pytest.fixture
def reader() -> Reader:
    return Reader(cohort="gbsg2_breast").open("survival", survival_by="hormone_therapy")


def key_of(reader: Reader, start: str) -> str:
    """The whole key of a widget whose key goes on with the cohort's own numbers."""
    found = {
        each.key for kind in ("slider", "multiselect", "number_input", "selectbox") for each in reader.at.get(kind)
    }
    (key,) = [key for key in found if key and key.startswith(start)]
    return key


def last_values(figure: dict) -> list[float]:
    """Where the drawn curves end, band and marks left out."""
    lines = [t for t in figure["data"] if t.get("line", {}).get("shape") == "hv"]
    return [numbers(t["y"])[-1] for t in lines]


def test_the_same_curve_as_incidence_and_as_hazard(reader):
    survival = last_values(reader.figure("survival_km"))
    incidence = last_values(reader.choose("survival_view", "incidence").figure("survival_km"))
    assert incidence == pytest.approx([1 - s for s in survival])
    assert "Recurrence or death" in reader.text
    hazard = reader.choose("survival_view", "hazard").figure("survival_km")
    # R: summary(survfit(Surv(rfs_days, rfs_event) ~ hormone_therapy))$cumhaz, last of each group.
    assert max(last_values(hazard)) == pytest.approx(1.2052, abs=0.01) or hazard["layout"]["yaxis"]["range"][1] > 1
    assert reader.link["survival_view"] == "hazard"


def test_parallel_lines_are_drawn_on_logarithmic_time(reader):
    figure = reader.choose("survival_view", "complementary-log-log").figure("survival_km")
    line = next(t for t in figure["data"] if t.get("name") == "Hormone therapy")
    x, y = np.array(numbers(line["x"])), np.array(numbers(line["y"]))
    assert (np.diff(x) > 0).all() and (np.diff(y) > 0).all()
    assert "1" in figure["layout"]["xaxis"]["ticktext"]


@pytest.mark.parametrize(
    ("test", "said"),
    [
        # R: survdiff(..., rho = 1) gives 8.714 for Peto and Peto's weights with S(t-); survMisc's Gehan and the rest
        # are compared number by number in the parity run.
        ("fleming-harrington", "Fleming-Harrington (1, 0) p = 0.003"),
        ("gehan-breslow", "Gehan-Breslow p = "),
    ],
)
def test_another_test_of_the_family(reader, test, said):
    reader.choose("survival_test", test)
    if test == "fleming-harrington":
        reader.choose("survival_fh_p", 1.0).choose("survival_fh_q", 0.0)
        assert "Chi-squared 8.71 on 1 degree of freedom" in reader.text
    assert said in reader.box("Is it more than chance?")


def test_within_strata(reader):
    # R: survdiff(Surv(rfs_days, rfs_event) ~ hormone_therapy + strata(menopausal_status)): 9.512, p = .00204.
    reader.choose("survival_strata_gbsg2_breast", ["menopausal_status"])
    assert "stratified log-rank p = 0.002" in reader.box("Is it more than chance?").casefold()
    assert "Chi-squared 9.51 on 1 degree of freedom" in reader.text
    assert "Compared within 2 strata of menopausal status, 2 of which have events to compare." in reader.text


def test_how_large_the_difference_is(reader):
    window = key_of(reader, "survival_window")
    reader.choose(window, 5.0)
    rows = reader.table("Differences between groups")
    # R: survRM2's definition at 5 years: 3.4625 against 3.8717, difference .4093 (.1473 to .6712), p = .0022.
    assert rows[1][1:] == ["3.5 3.3 to 3.6", "reference", ""]
    assert rows[2][1] == "3.9 3.7 to 4.1"
    assert rows[2][2] == "+0.4 +0.1 to +0.7 p = 0.002"
    assert rows[2][3].startswith("1.12 ")


def test_the_answer_stands_in_a_sentence_under_the_title(reader):
    # R: survival .4368 and .5812 at 5 years, difference .1444 (.0525 to .2363).
    assert (
        "Alive and free of recurrence at 5 years: No hormone therapy 44% (38% to 49%), Hormone therapy 58% (51% to "
        "65%). Against No hormone therapy: Hormone therapy +14 points (+5 to +24)."
    ) in reader.boxes
    assert "Alive and free of recurrence at 5 years: 49% (45% to 54%)." in reader.choose("survival_by", " all").boxes


def test_a_clock_that_starts_later_is_the_clock_of_the_whole_page(reader):
    reader.choose(key_of(reader, "survival_alive"), 3.0)
    # Of those under observation after 3 years the median ages are 50 and 57; of all patients 50 and 58.
    assert "median 50 years (No hormone therapy) against 57 years (Hormone therapy)" in reader.text
    assert reader.medians[0][1].startswith("6.7 years (few at risk)")
    reader.choose("survival_restart", True)
    # R: survfit(Surv(rep(3, n), years, event) ~ hormone_therapy), its median less 3.
    more = reader.medians[0][1]
    whole = float(reader.medians[0][1].split("(")[1].split(" ")[0])
    assert " more years (" in more and "after surgery)" in more
    assert float(more.split(" ")[0]) + 3 == pytest.approx(whole, abs=0.11)
    assert reader.figure("survival_km")["layout"]["xaxis"]["title"]["text"] == "Years after the 3-year mark"
    assert "After how many more years?" in [t.label for t in reader.at.text_input]
    assert "Alive and free of recurrence 3 years after the 3-year mark: No hormone therapy" in reader.text


def test_only_patients_who_have_come_so_far(reader):
    alive = key_of(reader, "survival_alive")
    reader.choose(alive, 2.0)
    # R: of those with time > 2 years, survfit(Surv(rep(2, n), years, event) ~ hormone_therapy).
    assert reader.title.startswith("Recurrence or death, after 2 years without it, by hormone therapy")
    assert reader.title.endswith("458 patients, 134 events")
    assert reader.medians[0][1].startswith("6.3 years 5.6 to ")
    cells = reader.table("Shares at chosen times")
    assert cells[0] == ["3 years", "5 years"] and cells[2][0].startswith("84%") and cells[2][1].startswith("60%")
    assert cells[4][0].startswith("90%") and cells[4][1].startswith("74%")
    restarted = reader.choose("survival_restart", True).table("Shares at chosen times")
    assert restarted[0] == ["1 year", "3 years"] and restarted[2][0] == cells[2][0]


def test_the_sharpest_cut_is_corrected_for_having_been_looked_for():
    reader = Reader(cohort="gbsg2_breast").open("survival", survival_by="pgr_fmol_mg")
    (key,) = [b.key for b in reader.at.selectbox if str(b.key).startswith("survival_cuts")]
    caution = reader.choose(key, "best").box("was chosen out of")
    # maxstat: cut-point 21 (patients with 21 or less against more), p by Lausen and Schumacher 8.3e-10.
    assert caution.startswith("This cut (22 fmol/mg and above against below)")
    assert "Corrected for that search, p < 0.001" in caution and "too sure" in caution


def test_every_pair_with_corrected_p():
    reader = Reader(cohort="gbsg2_breast").open("survival", survival_by="grade").unfold("survival_pairs")
    rows = reader.table("Every pair of groups")
    # R: survdiff on each pair: 13.67, 19.82, 4.43; p.adjust(method = "holm").
    assert [row[1] for row in rows[1:]] == ["13.67", "19.82", "4.43"]
    assert rows[3][2:] == ["p = 0.035", "p = 0.035"]
    bonferroni = reader.choose("survival_adjustment", "bonferroni").table("Every pair of groups")
    assert bonferroni[3][3] == "p = 0.11"


def test_each_group_in_numbers(reader):
    rows = reader.unfold("survival_groups").table("Each group in numbers")
    assert rows[1][:4] == ["No hormone therapy", "440", "205", "235"]
    assert rows[2][:4] == ["Hormone therapy", "246", "94", "152"]


def test_delayed_entry_and_weights_are_columns_of_the_cohort():
    reader = Reader(cohort="gbsg2_breast").open("survival")
    before = reader.medians
    weighted = reader.choose("survival_weights", "nodes")
    assert weighted.medians != before and "Weighted" in weighted.text
    reader.choose("survival_weights", " none")
    # Ages are no times of entry in days: every patient would still have entered before the follow-up ended, or not.
    entered = reader.choose("survival_entry", "age")
    assert "Delayed entry" in entered.text or entered.stops


def test_an_entry_after_the_end_of_follow_up_is_refused_and_the_page_lives():
    reader = Reader(cohort="lung_ncctg").open("survival").choose("survival_entry", "meal_kcal")
    assert any("row" in stop for stop in reader.stops)
    reader.choose("survival_entry", " none")
    assert not reader.stops and reader.medians


def test_types_of_event_are_told_apart_without_being_asked():
    reader = Reader(cohort="mgus_competing").open("survival")
    reader.choose(next(t.key for t in reader.at.text_input if t.key.startswith("survival_times")), "10; 25")
    # R: at 300 months 10.9% progressed; 1 - Kaplan-Meier says 26.1%.
    assert reader.table("Incidence and 1 - Kaplan-Meier")[1][1:] == ["11% 9% to 13%", "26%"]
    assert "First event by 25 years. Progression: 11% (9% to 13%); death without progression: " in reader.text
    assert (
        "Kaplan-Meier treats the 860 patients with death without progression as if they could still have progression. "
        "At 25 years it would say 26% instead of 11%."
    ) in reader.boxes
    assert reader.figures == ["survival_incidence"]
    reader.choose("survival_arrangement", "stacked")
    assert reader.figures == ["survival_incidence"]
    reader.choose("survival_view", "survival")
    assert reader.figures == ["survival_km"]


def test_an_endpoint_of_ones_own_through_a_link():
    end = json.dumps({"label": "First bad news", "first_of": ["recurrence_or_death", "death"]})
    reader = Reader(cohort="gbsg2_breast", endpoint=end, outcome="own").open("survival")
    assert reader.title.startswith("First bad news: Breast cancer, GBSG-2 686 patients, 299 events")
    assert "whichever comes first" in reader.text
    assert "First bad news" in reader.open("overview").options("outcome")


def test_a_studys_name_for_an_endpoint_is_not_shown_as_its_event():
    end = json.dumps({"label": "Progression-free survival", "first_of": ["recurrence", "death"]})
    reader = Reader(cohort="colon_trial", endpoint=end, outcome="own").open("survival")
    assert reader.title.startswith("Recurrence or death: ") and "alive and free of recurrence" in reader.text
    assert "had had the event (recurrence or death)" in reader.text
    reader.unfold("endpoint_add")
    assert reader.at.text_input(key="endpoint_free").value == "alive and free of recurrence"
    reader.choose("endpoint_label", "Treatment failure").choose("endpoint_free", "free of failure")
    reader.click("endpoint_use")
    assert reader.title.startswith("Treatment failure: ") and "free of failure, 95% interval" in reader.text
    reader.unfold("endpoint_add")
    assert reader.at.multiselect(key="endpoint_first").value == ["recurrence", "death"]
    assert reader.at.text_input(key="endpoint_label").value == "Treatment failure"


@pytest.mark.parametrize("end", ["{", '{"label":"x","first_of":["nothing"]}', '{"label":"x"}'])
def test_a_link_with_a_broken_endpoint_says_so_and_opens_the_usual_one(end):
    reader = Reader(cohort="gbsg2_breast", endpoint=end)
    assert reader.stops
    reader.open("survival")
    assert not reader.stops and "299 events" in reader.title and "endpoint" not in reader.link


def test_states_from_one_outcome_to_the_next():
    reader = Reader(cohort="mgus_competing", outcome="death").open("survival", survival_by="sex")
    reader.unfold("survival_states")
    # R: tmerge with both events, then survfit(Surv(tstart, tstop, event) ~ sex, id = id), in tests/reference/03.
    assert "115 from the start to progression, 860 straight to death, 103 from one to the other" in reader.text
    rows = {row[0]: row[1:] for row in reader.table("States at chosen times")[1:]}
    states = ("neither so far", "alive after progression", "death")
    assert set(rows) == {f"{sex}: {state}" for sex in ("Female", "Male") for state in states}
    assert rows["Female: neither so far"][0].startswith("45% 40% to 49%")
    reader.choose("survival_state_model", True)
    table = reader.table("Hazard ratios of each step")
    # Complete cases only; R: coxph(Surv(tstart, tstop, event) ~ ..., id = id).
    assert table[0][1:] == [
        "neither so far → progression (112)", "neither so far → death (838)", "progression → death (100)"
    ]  # fmt: skip
    assert len(table) == 6 and all(" to " in cell for row in table[1:] for cell in row[1:])


def test_a_composite_and_death_are_two_steps_as_well():
    reader = Reader(cohort="gbsg2_breast").open("survival").unfold("survival_states")
    rows = {row[0]: row[1:] for row in reader.table("States at chosen times")[1:]}
    # R: 1 - S of death at 4 years is 25%: summary(survfit(Surv(os_days, os_event) ~ 1), times = 1461).
    assert rows["All patients: death"][1].startswith("25%")
    assert "All patients: alive after recurrence" in rows
    # By hand: of 171 deaths with 299 composite events, those with both times equal are deaths without recurrence.
    assert "“Recurrence or death” already counts death" in reader.text and " 0 straight to death" not in reader.text


def test_differences_at_the_times_that_the_reader_chose(reader):
    rows = reader.table("Differences at the chosen times")
    # R: .5812 - .4368 at 5 years, .0525 to .2363, p of log(-log S) .0028.
    assert rows[0] == ["", "at 1 year", "at 3 years", "at 5 years"]
    assert rows[1][0] == "Hormone therapy" and rows[1][3] == "+14 +5 to +24 p = 0.003"
    times = next(t.key for t in reader.at.text_input if t.key.startswith("survival_times"))
    reader.choose(times, "5")
    assert reader.table("Differences at the chosen times")[1][1:] == ["+14 +5 to +24 p = 0.003"]
    reader.choose(times, "five")
    assert reader.stops and reader.table("Differences between groups")


def test_another_cohort_with_several_types_of_event_opens_by_type():
    reader = Reader(cohort="gbsg2_breast").open("survival").choose("survival_view", "hazard")
    assert reader.choose("cohort", "mgus_competing").figures == ["survival_incidence"]
    assert reader.choose("survival_view", "survival").choose("survival_by", "sex").figures == ["survival_km"]


def test_whom_an_endpoint_leaves_out_is_part_of_every_other_outcome():
    end = json.dumps({"label": "Death after loss", "first_of": ["death"], "start": "weight_loss_lb_6m"})
    reader = Reader(cohort="lung_ncctg", endpoint=end, outcome="own").open("survival")
    # 14 patients have no recorded start, and the time of 3 ended before it.
    assert "17 patients without it, or followed for less" in reader.text and "211 patients" in reader.title
    assert reader.choose("outcome", "death").title.endswith("228 patients, 165 events")
    assert "Death after loss" in reader.options("outcome")
    assert "211 patients" in reader.choose("outcome", "own").title


def test_a_group_of_which_nobody_is_left_is_not_certain():
    reader = Reader(cohort="lung_ncctg").open("survival", survival_by="ecog_physician")
    # One patient, who died after 118 days: R's standard error of the curve is NaN there, and 0 of the area before.
    assert reader.table("Differences between groups")[-1][1:] == ["3.9", "−9.8 no interval", "0.28 no interval"]
    assert reader.table("Differences at the chosen times")[-1][1].endswith("no interval")


def test_a_mean_time_after_a_landmark_is_told_from_the_landmark_on():
    reader = Reader(cohort="colon_trial").open("survival", survival_by="arm")
    reader.choose(key_of(reader, "survival_alive"), 2.0)
    # R: survfit(Surv(death_days - 2 * 365.25, death_event) ~ arm, subset = death_days > 2 * 365.25), rmean at 5 years.
    assert reader.table("Differences between groups")[0][1] == "Mean time between 2 and 7 years"
    assert "years alive out of 5 years" in reader.text
    assert reader.table("Differences between groups")[1][1] == "3.7 3.5 to 3.9"


def test_types_of_event_keep_the_clock_of_time_zero_after_a_landmark():
    reader = Reader(cohort="mgus_competing", outcome="progression").open("survival")
    reader.choose(key_of(reader, "survival_alive"), 5.0).choose("survival_restart", True)
    # Of those free of both after 5 years none has had an event at 5: the times offered are later.
    assert "5 years 10 years" not in reader.text and "10 years 15 years" in reader.text


def test_follow_up_after_a_landmark_is_of_those_who_came_so_far():
    reader = Reader(cohort="lung_ncctg").open("survival", survival_by="sex").unfold("survival_groups")
    assert reader.table("Each group in numbers")[1][4].startswith("17.4 months")
    reader.choose(key_of(reader, "survival_alive"), 6.0)
    # R: survfit(Surv(time - 182.625, 1 - event) ~ 1, subset = time > 182.625): median 17.84 months since time zero.
    assert reader.table("Each group in numbers")[1][4].startswith("17.8 months")
    assert "counted from time zero" in reader.text


def test_curves_of_several_types_are_pale_where_few_are_left():
    reader = Reader(cohort="mgus_competing", outcome="progression").open("survival", survival_by="sex")
    figure = reader.figure("survival_incidence")
    lines = [t for t in figure["data"] if t.get("line", {}).get("shape") == "hv"]
    # Two types and two groups, each a strong and a pale part; panels below each other.
    assert [t["line"]["color"].startswith("rgba") for t in lines] == [False, True] * 4
    assert figure["layout"]["xaxis"]["domain"] == figure["layout"]["xaxis2"]["domain"]
    for strong, pale in zip(lines[::2], lines[1::2], strict=True):
        assert numbers(strong["x"])[-1] == numbers(pale["x"])[0]
        assert (np.diff(numbers(pale["x"])) >= 0).all()
    assert reader.table("Incidence at chosen times")[2][0] == "4% 3% to 6% 431 at risk"


def test_the_folds_can_be_saved_and_say_how_they_were_made():
    reader = Reader(cohort="gbsg2_breast").open("survival", survival_by="grade")
    reader.unfold("survival_pairs", "survival_groups", "survival_states")
    reader.choose("survival_state_model", True)
    names = ("tested", "pairs", "groups", "states_figure", "states_times", "states_means", "states_steps")
    reader.unfold(*(f"{menu}_survival_{name}" for name in names for menu in ("how", "save")))
    reader.click(*(f"report_survival_{name}" for name in names))
    keys = {button.key for button in reader.at.get("download_button")}
    assert keys >= {f"{kind}_survival_{name}" for kind in ("csv", "bedside", "data") for name in names}
    assert keys >= {f"lifelines_survival_{name}" for name in ("tested", "pairs", "groups")}
    assert "corrected for 3 comparisons after Holm" in reader.text
    assert "reverse Kaplan-Meier curve, in which events count as censored" in reader.text
    assert "Each step has a Cox model of its own" in reader.text
    assert reader.stops == []
    assert "7 cards" in reader.open("report").title
