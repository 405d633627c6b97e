"""The regression page says what R says, in words; choices change it, and what cannot be fitted has a way out."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.intake import read_cohort
from bedside.regression.bootstrap import bootstrap_optimism
from bedside.regression.data import cox_data
from tests.pages.reader import ROOT, Reader, checked, words

FORM = "regression_form_gbsg2_breast_"


@pytest.fixture
def reader() -> Reader:
    return Reader(cohort="gbsg2_breast").open("regression")


def model(reader: Reader) -> Reader:
    return reader.unfold("regression_model")


def ratios(reader: Reader) -> dict[str, str]:
    """What the forest plot says of each line, by its label."""
    told = reader.alt("regression_forest").split("of all together. ", 1)[1].removesuffix(".")
    return dict(
        line.split(": ", 1) if ": alone" not in line else _parted(line) for line in told.split("; ") if ":" in line
    )


def _parted(line: str) -> tuple[str, str]:
    label, numbers = line.split(": alone ", 1)
    return label, numbers


def test_alone_and_together_as_r_has_them(reader):
    # R: coxph(Surv(rfs_days, rfs_event) ~ ...) of one variable, and of all; Wald intervals.
    said = ratios(reader)
    assert said["Age, per 10 years"] == "0.96 (0.85 to 1.07), together 0.92 (0.77 to 1.10)"
    assert said["Menopausal status: post-menopausal against pre-menopausal"] == (
        "1.06 (0.84 to 1.34), together 1.24 (0.87 to 1.77)"
    )
    assert said["Grade 2"] == "2.39 (1.48 to 3.87), together 1.86 (1.15 to 3.04)"
    assert said["Grade 3"] == "3.17 (1.90 to 5.29), together 2.10 (1.24 to 3.55)"
    assert said["Grade 1"] == "reference"
    assert said["Positive lymph nodes, per doubling"] == "1.46 (1.34 to 1.59), together 1.41 (1.29 to 1.54)"
    assert said["Oestrogen receptor, per 100 fmol/mg"].endswith("together 1.04 (0.95 to 1.14)")
    assert "Cox model, 686 patients, 299 events; ties after Efron. Concordance 0.69" in reader.text
    shown = words(reader.figure("regression_forest"))
    assert "81 patients, 18 events" in " ".join(shown)
    assert {"p = 0.45", "p = 0.38", "p = 0.012", "p = 0.006"} <= set(shown)  # R: 0.446, 0.377, 0.0123, 0.0057


def test_the_answer_stands_in_words_above_the_figure(reader):
    lead = next(i for i, box in enumerate(reader.boxes) if "go most clearly with recurrence or death" in box)
    assert lead < next(i for i, box in enumerate(reader.boxes) if box.startswith("Alone and together"))
    said = reader.boxes[lead]
    # The three smallest p: 1e-13, 4e-5, 0.0026.
    assert said.index("positive lymph nodes, per doubling") < said.index("progesterone receptor")
    assert "hormone therapy against no hormone therapy , with 0.68 times the rate (0.53 to 0.87)" in said
    assert said.endswith("Associations, not effects.")


def test_a_reference_is_chosen_in_place(reader):
    reader.unfold("regression_forms").choose(f"{FORM}grade", "3")
    said = ratios(reader)
    # R: relevel(grade, "3").
    assert said["Grade 1"].endswith("together 0.48 (0.28 to 0.81)")
    assert said["Grade 2"].endswith("together 0.89 (0.68 to 1.16)")
    assert said["Grade 3"] == "reference"


def test_ties_strata_and_robust_errors(reader):
    model(reader).choose("regression_ties", "breslow")
    # R: ties = "breslow": 1.4066 (1.2853 to 1.5394).
    assert "ties after Breslow" in reader.text
    reader.choose("regression_ties", "efron").choose("regression_robust", True)
    assert "Robust standard errors." in reader.text
    reader.choose("regression_robust", False)
    reader.choose(
        "regression_variables_gbsg2_breast",
        ["age", "menopausal_status", "hormone_therapy", "tumour_size_mm", "nodes", "pgr_fmol_mg", "er_fmol_mg"],
    ).choose("regression_strata_gbsg2_breast", ["grade"])
    # R: strata(grade): 1.3954 (1.2753 to 1.5267).
    assert ratios(reader)["Positive lymph nodes, per doubling"].endswith("together 1.40 (1.28 to 1.53)")
    assert "Compared within 3 strata." in reader.text


def test_an_interaction_stands_only_in_the_model_of_all(reader):
    reader.choose("regression_variables_gbsg2_breast", ["age", "hormone_therapy"])
    model(reader).choose("regression_pairs_gbsg2_breast", ['["age", "hormone_therapy"]'])
    # R: I(age/10) * hormone_therapy: 1.045 (0.809 to 1.351).
    (line,) = [part for part in reader.alt("regression_forest").split("; ") if "×" in part]
    assert line.rstrip(".").endswith("together 1.05 (0.81 to 1.35)")
    assert "alone" not in line


def test_the_test_of_proportional_hazards_is_that_of_r(reader):
    # R: cox.zph(fit), survival 3.5-3.
    reader.unfold("regression_zph_numbers")
    assert reader.table("Tests of proportional hazards")[1:] == [
        ["Age", "9.58", "1", "p = 0.002"],
        ["Menopausal status", "4.85", "1", "p = 0.028"],
        ["Hormone therapy", "0.27", "1", "p = 0.60"],
        ["Tumour size", "0.74", "1", "p = 0.39"],
        ["Tumour grade", "10.41", "2", "p = 0.005"],
        ["Positive lymph nodes", "1.53", "1", "p = 0.22"],
        ["Progesterone receptor", "3.94", "1", "p = 0.047"],
        ["Oestrogen receptor", "5.82", "1", "p = 0.016"],
        ["All together", "23.14", "9", "p = 0.006"],
    ]
    # All five below 0.05 are named, with a direction in place of numbers that the ends of a smooth do not have.
    said = reader.box("The ratio seems to change over time for")
    for name in ("age (p = 0.002, ",
                 "menopausal status (p = 0.028", "tumour grade (p = 0.005", "progesterone receptor (p = 0.047",
                 "oestrogen receptor (p = 0.016"):  # fmt: skip
        assert name in said
    assert said.count("early") == said.count("late") == 5
    assert " more." not in said and "about 0" not in said
    assert reader.at.get_by_key("regression_zph_term").value == "Age"
    reader.choose("regression_scale", "rank")
    assert reader.table("Tests of proportional hazards")[-1] == ["All together", "20.09", "9", "p = 0.017"]


def test_what_to_do_next_is_a_click(reader):
    reader.choose("regression_halves", True)
    # R: survSplit at 646 days, the median time of events; the ratio of age before and after.
    assert reader.table("Early and late hazard ratios") == [
        ["Hazard ratio", "Up to 1.77 years", "Later"],
        ["Age, per 10 years", "0.81 (0.65 to 1.00)", "1.06 (0.85 to 1.31)"],
    ]
    reader.unfold("regression_zph_numbers").choose("regression_halves", False)
    reader.choose("regression_zph_term", "Tumour grade")
    reader.click("regression_stratify")
    assert "Compared within 3 strata." in reader.text
    assert "Tumour grade" not in [row[0] for row in reader.table("Tests of proportional hazards")]


def test_a_number_is_tried_as_a_curve_and_kept(reader):
    # R: rms-like spline with knots at Harrell's quantiles, anova: chi-squared 18.3 on 2 df (Wald).
    assert "The relation with age bends (p < 0.001)" in reader.text
    assert "Wald's test of the curved part: 18.32 on 2 df. Likelihood ratio: 17.77, p < 0.001." in reader.text
    assert "against 53 years" in reader.text
    reader.choose("regression_reference_gbsg2_breast_age", 40.0)
    assert "against 40 years" in reader.text
    reader.choose("regression_reference_gbsg2_breast_age", 400.0)
    assert any("outside the range" in stop for stop in reader.stops)
    assert "Does the hazard ratio stay the same over time?" in reader.text  # the other cards live
    reader.unfold("regression_zph_numbers")
    reader.choose("regression_reference_gbsg2_breast_age", None).click("regression_bend")
    assert ratios(reader)["Age, 61 years against 46 years"].endswith("together 1.78 (1.07 to 2.96)")
    assert [row[2] for row in reader.table("Tests of proportional hazards") if row[0] == "Age"] == ["3"]


def test_the_patients_who_weigh_most_are_named_and_opened(reader):
    (shown,) = reader.at.dataframe
    # R: order(-apply(abs(residuals(fit, "dfbetas")), 1, max)): 280, 117, 363 with 0.430, 0.367, 0.364.
    assert shown.value["c0"].tolist()[:3] == ["280", "117", "363"]
    assert list(shown.value.columns) == ["c0", "c1", "c2", "c3"]
    assert "they are part of the evidence and stay in" in reader.text
    reader.at.session_state["regression_patients"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    reader.run().open("patient")
    assert "280" in reader.title
    assert "280" not in reader.link["patient"]


def test_parametric_models_by_aic(reader):
    reader.unfold("regression_parametric")
    aic = {row[0]: row[2] for row in reader.table("Parametric models")[1:]}
    # R: AIC(survreg(Surv(rfs_days, rfs_event) ~ 1, dist = )).
    assert aic["Log-normal"] == "5241.8"
    assert aic["Log-logistic"] == "5259.9"
    assert aic["Weibull"] == "5278.6"
    assert aic["Exponential"] == "5297.6"
    assert "nobody was followed: what a curve says there is an assumption" in reader.text
    reader.choose("regression_ahead", 1.0)
    assert "nobody was followed" not in reader.text
    reader.choose("regression_curves_by", "hormone_therapy").choose("regression_separate", True)
    assert "regression_overlay" in reader.figures
    assert reader.stops == []


def test_planning_and_points(reader):
    reader.unfold("regression_planning")
    # Schoenfeld: (1.95996 + 0.84162)^2 / (0.25 log(0.7)^2) = 246.8.
    assert "247 events are needed" in reader.text
    reader.choose("regression_plan_power", 0.9)
    assert "331 events are needed" in reader.text  # (1.95996 + 1.28155)^2 / (0.25 log(0.7)^2) = 330.4
    assert "regression_nomogram" in reader.figures
    points = reader.alt("regression_nomogram")
    assert "Tumour grade: 1 0, 2 " in points
    model(reader).choose("regression_pairs_gbsg2_breast", ['["age", "grade"]'])
    assert any("No points for this model." in stop for stop in reader.stops)


def test_types_of_event_have_models_of_their_own():
    reader = Reader(cohort="mgus_competing").open("regression")
    assert reader.title.startswith("What goes with progression or death")
    reader.choose("regression_event", "cause:1")
    # R: coxph(Surv(time_months, status == "plasma cell malignancy") ~ ...).
    assert reader.title.startswith("What goes with progression MGUS")
    assert ratios(reader)["Age, per 10 years"].endswith("together 1.13 (0.95 to 1.33)")
    assert "Other types of event end observation" in reader.text
    reader.choose("regression_event", "fine-gray:1")
    # R: cmprsk::crr(time_months, ..., failcode = 1).
    said = ratios(reader)
    assert said["Age, per 10 years"].endswith("together 0.84 (0.74 to 0.95)")
    assert said["Monoclonal spike, per 0.5 g/dl"].endswith("together 1.58 (1.36 to 1.84)")
    assert "the share of patients with progression: monoclonal spike, per 0.5 g/dl (ratio 1.58, 1.36 to 1.84)" in (
        reader.text.replace(" (ratio", " (ratio")
    )
    assert "The checks below are of the cause-specific Cox model" in reader.text
    assert reader.link["regression_event"] == "fine-gray:1"


def test_missing_values_are_counted_and_imputed_by_a_click():
    reader = Reader(cohort="pbc_liver").open("regression")
    assert (
        "Left out because a value is missing: 19 patients (Platelets 11, Histological stage 6, Prothrombin time 2"
        in (reader.text)
    )
    reader.click("regression_impute")
    assert "Cox model, 418 patients, 186 events" in reader.text
    assert "imputed 20 times by chained equations" in reader.text
    assert "Filling in values makes very strong associations look somewhat weaker than they are." in reader.text
    low, high = (float(v) for v in ratios(reader)["Bilirubin, per doubling"].split("together ")[1][6:-1].split(" to "))
    assert 1.5 < low < 1.71 < high < 2  # complete cases: 1.71 (1.53 to 1.92)


def test_values_that_change_at_visits():
    reader = model(Reader(cohort="pbc_liver").open("regression")).choose("regression_visits", True)
    assert "312 patients in 1,803 intervals between visits, 144 events" in reader.text
    assert "By the value at the latest visit (312 of 418 patients, 144 events), others held equal" in reader.text
    assert "Bars: how many intervals have each value." in reader.text
    assert "106 patients have no visit during follow-up" in reader.text
    assert reader.stops == []


def test_a_logarithm_in_the_model_is_what_its_curve_is_tested_against():
    link = '["bilirubin_mg_dl", "age"]'
    reader = Reader(cohort="pbc_liver").open("regression", regression_variables=link)
    # R: the curved part of rcs(log2(bili), 4) has p = 0.049; of rcs(bili, 4) it has p < 1e-13.
    assert "The model takes bilirubin per doubling. That is not enough (p = 0.049)" in reader.text
    assert "one number does not describe the whole relation" in reader.text
    assert "Dashed: the model's own line." in reader.text
    reader.choose("regression_reference_pbc_liver_bilirubin_mg_dl", 2.0)
    assert "against 2.0 mg/dl" in reader.text or "against 2 mg/dl" in reader.text
    reader.choose("regression_reference_pbc_liver_bilirubin_mg_dl", -1.0)
    assert "outside the range" in reader.text


def test_points_of_one_type_of_event_are_no_shares_of_patients():
    reader = Reader(cohort="pbc_liver").open("regression", regression_event="cause:1").unfold("regression_planning")
    said = reader.box("The chances are as if liver transplant never happened.")
    assert "They are not the share of patients who will be free of death." in said


def test_a_link_brings_variables():
    reader = Reader(cohort="gbsg2_breast").open("regression", regression_variables='["nodes", "nobody", "age"]')
    assert list(ratios(reader)) == ["Positive lymph nodes, per doubling", "Age, per 10 years"]
    assert reader.link["regression_variables"] == '["nodes", "age"]'
    reader = Reader(cohort="gbsg2_breast").open("regression", regression_variables="no list")
    assert len(ratios(reader)) == 10


@pytest.mark.parametrize("cohort", ["actg175_hiv_trial", "colon_trial", "gse7390_breast_expression", "lung_ncctg",
                                    "nhefs_prevention"])  # fmt: skip
def test_every_cohort_has_an_answer(cohort):
    reader = Reader(cohort=cohort).open("regression")
    assert reader.figures == ["regression_forest", "regression_beta", "regression_spline"]
    assert reader.stops == []


def test_everything_says_how_it_was_made(reader):
    reader.unfold("regression_zph_numbers")
    for name in ("forest", "zph", "beta", "spline", "influence"):
        before = reader.text
        reader.unfold(f"how_regression_{name}")
        assert len(reader.text) > len(before)
        assert "data and filter" in reader.text
    assert "Hazard ratios of recurrence or death were estimated with Cox regression (686 patients" in reader.text
    names = [button.label for button in reader.at.get("download_button")]
    assert any("bedside" in name for name in names) and any("lifelines" in name for name in names)
    assert any(name.startswith("The data they read (regression-data") for name in names)


def test_findings_are_added_to_the_report(reader):
    reader.unfold("save_regression_forest").click("report_regression_forest")
    (card,) = reader.at.session_state["basket"].cards
    assert card.title.startswith("Alone and together")
    assert "Positive lymph nodes, per doubling: alone 1.46 (1.34 to 1.59)" in card.said
    assert card.methods.startswith("Hazard ratios of recurrence or death")


def test_no_single_ratio_of_an_interaction_is_told_as_that_of_a_variable():
    reader = model(Reader(cohort="colon_trial").open("regression"))
    reader.choose("regression_variables_colon_trial", ["nodes", "sex"])
    assert "positive lymph nodes, per 2" in reader.box("go most clearly with death")
    reader.choose("regression_pairs_colon_trial", ['["nodes", "sex"]'])
    # R: the ratio of 1.27 per 2 nodes is that of women, the one of men is 1.27 x 0.92.
    assert not [box for box in reader.boxes if "go most clearly" in box or "no variable goes" in box]
    assert "The ratio with × says how many times larger it is" in reader.text


def test_robust_errors_are_named_for_pooled_models_and_stand_beside_no_likelihood_ratio(reader):
    model(reader).choose("regression_cluster_gbsg2_breast", "nodes")
    assert "Likelihood ratio" not in reader.box("Wald's test of the curved part")
    reader.choose("regression_cluster_gbsg2_breast", "grade")
    assert "With 3 clusters robust standard errors are usually too small" in reader.text
    assert "not corrected for few clusters: read them as a lower limit of the uncertainty." in reader.text
    lung = model(Reader(cohort="lung_ncctg").open("regression")).choose("regression_cluster_lung_ncctg", "institution")
    assert "Robust standard errors by cluster." in lung.choose("regression_missing", "imputed").text


def test_a_sum_of_points_has_no_chance_where_values_change_at_visits():
    reader = model(Reader(cohort="pbc_liver").open("regression")).unfold("regression_planning")
    assert "read the lowest line below the sum" in reader.text
    reader.choose("regression_visits", True)
    assert "read the lowest line below the sum" not in reader.text and "No chances: values change" in reader.text


def test_concordance_is_corrected_for_optimism_when_asked(reader):
    assert "expected in new ones" not in reader.text
    cohort = read_cohort(ROOT / "sample_data" / "gbsg2_breast")
    numbers = ("age", "nodes", "pgr_fmol_mg")
    reader.choose("regression_variables_gbsg2_breast", list(numbers)).choose("regression_optimism", True)
    frame, (end, *_) = cohort.frame, cohort.outcomes
    x = np.column_stack((frame["age"] / 10, np.log2(frame["nodes"]), frame["pgr_fmol_mg"] / 100))
    data = cox_data(x, cohort.time(end), cohort.event(end))
    found = bootstrap_optimism(data, count=100, seed=0)
    assert found.c_corrected < found.c_apparent
    assert (
        f"Concordance {found.c_apparent:.2f} in these patients; about {found.c_corrected:.2f} expected in new ones of "
        f"the same kind (slope {found.shrinkage:.2f})."
    ) in reader.text
    reader.unfold("save_regression_forest").click("report_regression_forest")
    (card,) = reader.at.session_state["basket"].cards
    assert f"about {found.c_corrected:.2f} expected in new ones" in card.reading
    model(reader).choose("regression_strata_gbsg2_breast", ["grade"])
    (stop,) = reader.stops
    assert "It has strata, weights or delayed entry" in stop
    assert "Does the hazard ratio stay the same over time?" in reader.text
    reader.choose("regression_optimism", False)
    assert reader.stops == []


def test_planning_counts_the_events_of_the_model_on_the_page():
    reader = Reader(cohort="mgus_competing").open("regression").unfold("regression_planning")
    assert "With the 950 events seen here" in reader.text  # 975 patients had one, 25 of them lack a value
    reader.choose("regression_event", "cause:1")
    # 115 patients progressed, 3 of them lack a value. Power: Phi(|log 0.7| sqrt(112 / 4) - 1.95996) = 0.471.
    assert "With the 112 events seen here the power is 47%." in reader.text
    assert reader.at.get_by_key("regression_plan_event_mgus_competing_progression_1").value == 0.08  # 112 of 1,338
    reader.choose("regression_event", "fine-gray:1")
    assert "With the 112 events seen here the power is 47%." in reader.text


def test_what_values_at_visits_cannot_say_is_said():
    course = "Values shortly before the event can already be part of it"
    reader = model(Reader(cohort="pbc_liver").open("regression"))
    assert course not in reader.text and "Both columns are of the same patients." in reader.text
    reader.choose("regression_visits", True)
    assert f"{course}; such ratios describe the course and do not predict from time zero." in reader.text
    reader.choose("regression_optimism", True)
    assert "Its values change at visits" in reader.stops[0]
    reader.choose("regression_optimism", False).choose("regression_event", "fine-gray:1")
    (stop,) = reader.stops
    assert "No Fine-Gray model of values that change at visits." in stop
    assert "Does the hazard ratio stay the same over time?" in reader.text
    reader.click("regression_use_cause")
    assert reader.stops == [] and reader.at.get_by_key("regression_event").value == "cause:1"
    assert course in reader.text
    reader.choose("regression_event", "fine-gray:1").click("regression_use_start")
    assert reader.stops == [] and "Fine-Gray model (cmprsk's definition)" in reader.text
    assert course not in reader.text


def test_every_property_of_every_figure_is_one_that_plotly_knows(reader):
    for part in ("regression_parametric", "regression_planning"):
        reader.unfold(part)
    assert "regression_forest" in checked(reader)
    assert "regression_spline" in checked(reader.choose("regression_knots", 5))
