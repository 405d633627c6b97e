"""Fair comparison: the numbers are R's, bad input stops in its own place, and nothing claims more than it can."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bedside.cohort.selection import OneOf, Selection
from components.panels.comparison_answers import apart
from tests.pages import made
from tests.pages.reader import ROOT, Reader, checked, numbers, words

REFERENCE = json.loads((ROOT / "tests" / "reference" / "09_cohort_tools.json").read_text())
ARMS = Selection(((OneOf("arm", ("observation", "levamisole + 5-FU")),),)).to_text()


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Cohorts made for these tests, which an administrator has named."""
    root = tmp_path_factory.mktemp("cohorts")
    _as_in_r(root)
    _awkward(root)
    made.hostile(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_COHORTS", os.pathsep.join(["", str(root)]))
        yield root


def _as_in_r(root: Path) -> None:
    """GBSG-2 with every covariate read as it stands, as R's script reads it."""
    source = ROOT / "sample_data" / "gbsg2_breast"
    (root / "gbsg_linear").mkdir()
    shutil.copy(source / "data.csv", root / "gbsg_linear" / "data.csv")
    told = json.loads((source / "dictionary.json").read_text())
    for variable in told["variables"]:
        variable.pop("scale", None)
    (root / "gbsg_linear" / "dictionary.json").write_text(json.dumps(told))


def _awkward(root: Path) -> None:
    """Groups that cannot be made alike, each for a reason of its own."""
    base = made.patients(120)
    n, arm, status = len(base["id"]), np.array(base["arm"]), base["status"]
    numbers_only = [{"name": name, "kind": "continuous"} for name in ("age", "marker")]
    wards = [{"name": "ward", "kind": "categorical"}, {"name": "arm", "kind": "binary"}, *numbers_only]
    wide = {f"p{i}": column for i, column in enumerate(np.random.default_rng(3).normal(size=(20, n)).round(2).tolist())}
    three = made.outcome(censored=["0"], event=["1"])

    def cohort(key: str, columns: made.Columns, **more: object) -> None:
        told = made.dictionary(key, treatment={"column": "arm", "randomised": False}, **more)
        made.write(root, key, base | columns, told)

    cohort("separated", {"site": np.where(arm == "a", "north", "south").tolist()})
    cohort("one_alone", {"arm": ["c", *arm.tolist()[1:]]})
    cohort("unrecorded", {"marker": [""] * n, "age": [""] * n}, variables=numbers_only)
    cohort("many", {"ward": [f"w{i:03d}" for i in range(n)]}, variables=wards)
    cohort("three_events", wide | {"status": [int(i in (3, 40, 77)) for i in range(n)]}, outcomes=[three])
    cohort("quiet", {"status": [0 if a == "b" else s for a, s in zip(arm, status, strict=True)]})
    cohort("same_day", {"days": [100] * n})
    cohort("day_zero", {"days": [0] * n})


def comparison(key: str, **link: str) -> Reader:
    return Reader(cohort=key, **link).open("comparison")


def shares(reader: Reader) -> dict[str, list[str]]:
    """Each row of the table of shares without its header."""
    return {row[0]: row[1:] for row in reader.table("Shares at the chosen time")[1:]}


# ------------------------------------------------------------------ the numbers are R's


def test_groups_that_were_not_randomised_say_in_what_they_differed():
    reader = comparison("gbsg2_breast")
    assert reader.title == "Recurrence or death, by hormone therapy: a fair comparison 686 patients, 299 events"
    caution = reader.box("Not randomised, so the groups differed before treatment.")
    # R: standardised differences 0.614 (menopausal status), 0.574 (age), 0.286 (oestrogen receptor).
    assert "in: Menopausal status (pre-menopausal: 52% against 24%; standardised difference 0.61)" in caution
    assert "Age (51 years against 57 years; standardised difference 0.57)" in caution
    assert "standardised difference 0.29)" in caution
    assert "Weighting balances only what was recorded" in reader.text


def test_the_answer_stands_under_the_title():
    # The weighted numbers of the first test, as R has them, at 5 years; and their difference.
    linear = comparison("gbsg_linear", horizon_years="5")
    told = shares(linear)
    answer = linear.box("Made alike in 7 variables, alive and free of recurrence at 5 years:")
    for group, name in (("Hormone therapy", "hormone therapy"), ("No hormone therapy", "no hormone therapy")):
        share, between = told[group][1].split(" ", 1)
        assert f"{share} ({between}) with {name}" in answer
    assert answer.endswith("It may still be due to what nobody recorded.")
    trial = comparison("actg175_hiv_trial")
    three = trial.box("Made alike in 11 variables")
    assert three.count(" points more (") == 3 and "may still be due" not in three
    # Where one patient counts for 11 the weights give no answer, but standardisation does.
    reader = comparison("gse7390_breast_expression")
    assert "Made alike in 3 variables, " not in reader.text
    assert "in “Oestrogen receptor negative”" in reader.choose("comparison_method", "standardisation").text


@pytest.mark.parametrize(
    ("whom", "estimand"),
    [("ate_stabilised", "ate_stabilised"), ("ate", "ate"), ("att1", "att"), ("overlap", "overlap")],
)
def test_weighted_numbers_are_those_of_r(whom, estimand):
    reader = comparison("gbsg_linear", comparison_whom=whom, horizon_years="5")
    r = REFERENCE["iptw_gbsg_hormon"]["estimands"][estimand]
    hr = np.exp(r["loghr"] + np.array([0, -1.959963985, 1.959963985]) * r["robust_se"])
    cells = reader.table("Hazard ratios")[1]
    assert cells[0] == "Hormone therapy"
    assert cells[1].startswith("0.69 0.54 to 0.89")
    assert cells[2].startswith(f"{hr[0]:.2f} {hr[1]:.2f} to {hr[2]:.2f}")
    five = {
        name: s
        for name, t, s in zip(*(r["weighted_km"][k] for k in ("strata", "time", "surv")), strict=True)
        if t > 1800
    }
    table = shares(reader)
    assert table["No hormone therapy"][1].startswith(f"{100 * five['hormon=0']:.0f}%")
    assert table["Hormone therapy"][1].startswith(f"{100 * five['hormon=1']:.0f}%")
    counted = {row[0]: row[2] for row in reader.table("Weights")[1:]}
    assert counted["Hormone therapy"] == f"{r['ess']['treated']:.0f}"
    assert counted["No hormone therapy"] == f"{r['ess']['control']:.0f}"
    love = reader.figure("comparison_love")
    ages = [text for text in love["data"][2]["text"] if text.startswith("Age:")]
    assert ages == [f"Age: {abs(r['weighted_smd']['age']):.2f} after weighting"] or ages[0].startswith("Age: −0.0")


def test_standardised_shares_are_those_of_r():
    r = REFERENCE["g_formula_gbsg"]
    table = shares(comparison("gbsg_linear", horizon_years="5"))
    assert table["Hormone therapy"][2].startswith(f"{100 * r['surv_treated'][2]:.0f}%")
    assert table["No hormone therapy"][2].startswith(f"{100 * r['surv_control'][2]:.0f}%")
    assert table["Difference"][2].startswith(f"+{100 * (r['surv_treated'][2] - r['surv_control'][2]):.0f}")


def test_table_one_is_that_of_r():
    reader = comparison("gbsg2_breast").unfold("comparison_table")
    rows = {row[0]: row[1:] for row in reader.table("Table 1 by group")}
    # R: means 51.06 (SD 9.96) and 56.62 (9.41), Welch p = 1.3e-12; post-menopausal 231/440 less 209, chi-squared.
    assert rows["Age (years), mean (SD)"] == ["51 (10)", "57 (9)", "< 0.001", "Welch's t test", "0.57"]
    assert rows["Menopausal status, n (%)"][-1] == "0.61"
    assert rows["post-menopausal"][:2] == ["209 (47.5%)", "187 (76.0%)"]
    # Tumours are smaller in the second group: a real minus sign.
    assert rows["Tumour size (mm), median (quartiles)"][-1] == "−0.06"
    hidden = reader.choose("comparison_tests_False", False).table("Table 1 by group")
    assert hidden[0] == ["Variable", "No hormone therapy (n = 440)", "Hormone therapy (n = 246)", "SMD"]


def test_table_one_goes_into_word_and_latex():
    reader = comparison("gbsg2_breast").unfold("comparison_table", "save_comparison_table1")
    files = {b.label for b in reader.at.get("download_button")}
    assert {"Numbers (CSV)", "Every number, unrounded (CSV)", "To paste into Word (HTML)", "LaTeX"} <= files
    reader.unfold("comparison_word")
    assert any("border-collapse:collapse" in body.proto.body for body in reader.at.get("html"))


def test_randomised_groups_have_no_tests_until_they_are_asked_for():
    reader = comparison("actg175_hiv_trial").unfold("comparison_table")
    assert reader.box("The groups were formed by randomisation.")
    assert reader.table("Table 1 by group")[0][-1] == "SMD" and "p" not in reader.table("Table 1 by group")[0]
    assert "a test of it answers no question" in reader.text
    assert "p" in reader.choose("comparison_tests_True", True).table("Table 1 by group")[0]


def test_subgroups_and_their_interactions_are_those_of_r():
    reader = comparison("colon_trial", filter=ARMS).unfold("comparison_subgroups")
    said = reader.alt("comparison_forest")
    # R's coxph within each level, and its likelihood ratio tests.
    assert "Sex (interaction p = 0.042): Female: 0.86 (0.63 to 1.19), 152 events in 312 patients" in said
    assert "Male: 0.52 (0.37 to 0.74), 139 events in 307 patients" in said
    assert "interaction p = 0.96" in said and "0.71 (0.42 to 1.19), 60 events in 117 patients" in said
    text = reader.box("tests of interaction")
    assert "1 of 8 tests of interaction is below 0.05: Sex (p = 0.042)." in text
    # 1 - 0.95^8.
    assert "the chance of at least one below 0.05 by luck alone is about 34%" in text
    shown = words(reader.figure("comparison_forest"))
    assert sum(word.startswith("interaction p") for word in shown) == 8
    assert not any(word.startswith("p ") for word in shown)


# ------------------------------------------------------------------ choices


def test_both_ways_stand_side_by_side_with_the_raw_curves_in_each():
    reader = comparison("gbsg2_breast").choose("comparison_method", "both")
    figure = reader.figure("comparison_curves")
    lines = [t for t in figure["data"] if t["line"]["width"]]
    for axis in ("x", "x2"):
        here = [t for t in lines if t["xaxis"] == axis]
        assert {t["line"]["dash"] for t in here} == {"solid", "4px,3px"}
        assert len({t["name"] for t in here}) == 2
    assert "Do the two ways agree?" in reader.text


def test_of_several_arms_each_is_compared_or_one_is_chosen():
    reader = comparison("actg175_hiv_trial")
    assert len(reader.table("Hazard ratios")) == 4
    reader.choose("comparison_against", "2")
    assert [row[0] for row in reader.table("Hazard ratios")[1:]] == ["Zidovudine + zalcitabine"]
    assert "1,056 patients" in reader.title


def test_a_change_of_grouping_forgets_the_groups_of_the_old_one():
    reader = comparison("actg175_hiv_trial").choose("comparison_reference", "3").choose("comparison_whom", "att0")
    assert reader.link["comparison_reference"] == "3"
    reader.choose("comparison_by", "sex")
    assert not reader.stops and "comparison_reference" not in reader.link
    assert "as if the groups had been like all patients" in reader.text


def test_a_cohort_without_a_treatment_speaks_of_groups():
    reader = comparison("mgus_competing")
    assert reader.title.startswith("Progression or death, by sex: a fair comparison")
    assert "Nobody was assigned to these groups" in reader.text
    assert "46 patients with a missing value left out" in reader.text
    # Creatinine of 22 lets one woman count for 28: said, with what to do.
    assert reader.box("The groups overlap poorly", "overlap weights")
    sound = reader.choose("comparison_whom", "overlap")
    assert "overlap poorly" not in sound.text


def test_weights_that_hang_on_one_patient_are_said_first_and_shown_grey_at_a_time_that_is_known_better():
    reader = comparison("gse7390_breast_expression")
    caution = reader.box("Do not rely on the weighted numbers: one patient in “Oestrogen receptor negative” counts for")
    assert "counts for 11." in caution and "After weighting" not in reader.text
    assert "Grey: hangs on a few patients" in reader.text
    # By hand: 10.4 effective patients without the receptor are observed at 8 years, under 10 at 9, 13.6 at 13 again.
    assert "At 8 years" in reader.text and "horizon_years" not in reader.link
    assert "At 15 years" in reader.choose("horizon_years", 15.0).text
    sure = comparison("gbsg2_breast")
    assert "Do not rely" not in sure.text and "Grey:" not in sure.text


def test_truncated_weights_are_counted():
    reader = comparison("mgus_competing").choose("comparison_truncate", 0.05)
    # 5% at either end of 1,338 weights.
    assert "134 weights were truncated." in reader.text


def test_bootstrap_intervals_say_so():
    reader = comparison("gse7390_breast_expression").choose("comparison_bootstrap", 100)
    assert "bootstrap samples" in reader.text and "the weights taken as known" not in reader.text


def test_a_continuous_variable_groups_by_its_cut_points():
    reader = comparison("gbsg2_breast", comparison_by="age")
    assert reader.figures[:1] == ["comparison_curves"] and "by age" in reader.title
    assert reader.choose("comparison_cuts", "quantiles:2").table("Weights")[1:]


# ------------------------------------------------------------------ bad input


def alive(reader: Reader) -> None:
    """The curves stand there, and both tables below open."""
    assert "comparison_curves" in reader.figures
    reader.unfold("comparison_table")
    assert reader.table("Table 1 by group")
    reader.unfold("comparison_subgroups")


def test_a_level_of_one_group_alone_is_named_and_can_be_left_out():
    reader = comparison("separated")
    (stop,) = reader.stops
    assert stop.startswith("**No overlap in “site”.**") and "leave the variable out" in stop
    alive(reader)
    reader.click("screen_comparison_without")
    assert reader.stops == [] and "comparison_love" in reader.figures
    assert "Made alike in: age, marker." in reader.text


def test_where_weights_have_no_answer_standardisation_may_have_one():
    reader = comparison("lung_ncctg")
    assert "The only patient with “3 (in bed more than half the day)” is not in “Female”." in reader.stops[0]
    assert "Standardisation is drawn instead." in reader.text
    # R: coxph(Surv(time, status) ~ sex) of the 210 complete cases, 0.587 (0.415 to 0.828); of all 228, 0.424 to 0.816.
    assert reader.table("Hazard ratios")[1][1].startswith("0.59 0.42 to 0.83")
    assert "210 patients, 148 events (complete cases; 18 patients with a missing value left out)" in reader.text


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("one_alone", "“C” is too small to be adjusted."),
        ("unrecorded", "Nothing to adjust for."),
        ("many", "too small for so many covariates"),
        ("three_events", "3 events can't support 23 coefficients"),
    ],
)
def test_what_cannot_be_adjusted_says_why_and_the_page_lives(key, why):
    reader = comparison(key).choose("comparison_method", "both")
    assert any(why in stop for stop in reader.stops), reader.stops
    alive(reader)


def test_a_group_without_events_has_curves_and_no_hazard_ratio():
    reader = comparison("quiet")
    alive(reader)
    assert "cannot be given" in reader.table("Hazard ratios")[1]
    assert "Nobody in “B” had the event." in reader.text


def test_all_on_one_day_and_hundreds_of_groups():
    alive(comparison("same_day"))
    reader = comparison("many", comparison_by="ward")
    assert "two are compared" in reader.text
    assert any("too small" in stop for stop in reader.stops)
    alive(reader)


def test_a_table_is_left_where_nobody_was_followed():
    reader = comparison("day_zero").unfold("comparison_table")
    assert reader.table("Table 1 by group")
    assert "not followed so long" in reader.text


def test_every_figure_and_table_says_how_it_was_made_and_goes_into_the_report():
    reader = comparison("gbsg2_breast").unfold("comparison_table", "comparison_subgroups")
    kept = ("curves", "shares", "ratios", "love", "overlap", "weights", "forest", "table1")
    reader.unfold(*(f"{menu}_comparison_{name}" for name in kept for menu in ("how", "save")))
    files = [button.label for button in reader.at.get("download_button")]
    # lifelines has no Table 1.
    assert sum("bedside" in name for name in files) == 8 and sum("lifelines" in name for name in files) == 7
    for part in ("stabilised inverse probability weights", "g-formula", "likelihood ratio test", "Welch's t test"):
        assert part in reader.text
    reader.click(*(f"report_comparison_{name}" for name in kept))
    basket = reader.at.session_state["basket"]
    assert len(basket) == len(kept)
    tables = {card.title.split(",")[0]: str(card.table) for card in basket.cards if card.table is not None}
    # R: coxph and survfit without weights, 0.686 (0.538 to 0.885) and 65% (58% to 71%) at 4 years.
    assert "0.69 (0.54 to 0.89), p = 0.004" in tables["Hazard ratio against No hormone therapy"]
    assert "65% (58% to 71%)" in tables["At 4 years: alive and free of recurrence"]


def test_hostile_names_are_shown_letter_for_letter():
    reader = comparison("hostile").choose("comparison_method", "both")
    reader.unfold("comparison_table", "comparison_subgroups", "comparison_word")
    assert "<script>" not in reader.raw
    assert reader.figures[:1] == ["comparison_curves"]


def test_numbers_of_the_overlap_add_up_to_the_patients():
    figure = comparison("gbsg2_breast").figure("comparison_overlap")
    up, down = (sum(abs(v) for v in numbers(trace["y"])) for trace in figure["data"])
    assert (up, down) == (246, 440)


def test_words_keep_apart_whose_ratio_and_whose_test_it_is():
    reader = Reader(cohort="colon_trial").open("comparison").unfold("comparison_subgroups")
    # R: anova of arm + sex against arm * sex has 2 df, p = .021; of the two arms that are drawn alone, p = .46.
    assert "Sex (p = 0.021)" in reader.text
    assert "It is one test of all groups, not only of the two that are drawn." in reader.text
    assert "Such a ratio usually lies further from 1 than one of whole groups" in reader.text


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        ((0.14, 0.05, 0.23), "14 points more (5 to 23)"),
        ((-0.14, -0.23, -0.05), "14 points fewer (5 to 23)"),
        ((0.02, -0.03, 0.07), "2 points more (3 fewer to 7 more)"),
        ((-0.01, -0.03, 0.0), "1 point fewer (0 to 3)"),
        ((0.0004, -0.02, 0.02), "no difference (2 fewer to 2 more)"),
        ((0.1, float("nan"), float("nan")), "10 points more"),
    ],
)
def test_a_difference_in_words_has_no_sign_to_misread(gap, words):
    assert apart(gap) == words


def test_what_came_after_the_groups_is_not_adjusted_for_unless_asked():
    """NHEFS: the standard set of Hernán & Robins is of 1971; what was measured in 1982 came after people stopped."""
    skipped = "Not adjusted for, since recorded only after the groups were formed: "
    reader = Reader(cohort="nhefs_prevention").open("comparison")
    key = "comparison_adjust_nhefs_prevention_quit_smoking"
    first = reader.at.get_by_key(key).value
    assert not [name for name in first if "1982" in name]
    assert {"weight_1971_kg", "age", "sex", "race", "education_1971", "cigarettes_per_day", "years_smoking",
            "exercise_1971", "activity_1971"} <= set(first)  # fmt: skip
    assert f"{skipped}Weight in 1982; Systolic pressure in 1982; Diastolic pressure in 1982." in reader.text
    assert "Recorded only after the groups were formed" not in reader.text
    reader.choose(key, [*first, "weight_1982_kg"])
    assert "Recorded only after the groups were formed: Weight in 1982. The group may have changed it" in reader.text
    assert f"{skipped}Systolic pressure in 1982; Diastolic pressure in 1982." in reader.text
    other = Reader(cohort="nhefs_prevention", comparison_by="sex").open("comparison")
    assert "weight_1982_kg" in other.at.get_by_key("comparison_adjust_nhefs_prevention_sex").value
    assert "weight_1971_kg" not in other.at.get_by_key("comparison_adjust_nhefs_prevention_sex").value
    assert skipped not in other.text


def test_every_property_of_every_figure_is_one_that_plotly_knows():
    reader = Reader(cohort="gbsg2_breast").open("comparison")
    assert len(checked(reader.choose("comparison_method", "both"))) >= 3
