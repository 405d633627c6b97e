"""Published scores: by hand for one patient, and over a cohort."""

from __future__ import annotations

import pytest

from bedside.risk.scores import SCORES
from components.numbers_scores import FIELDS
from components.panels.scores_typed import Unreadable, number
from tests.pages.reader import Reader, words

NPI = {"scores_tumour_size": "2.5", "scores_nodes": "3", "scores_npi_grade": "3"}
MELD = {"scores_bilirubin": "12", "scores_inr": "2.2", "scores_creatinine": "1.8"}


def opened(cohort: str = "gbsg2_breast", **link: str) -> Reader:
    return Reader(cohort=cohort, **link).open("scores")


def filled(reader: Reader, values: dict[str, str]) -> Reader:
    for key, value in values.items():
        reader.choose(key, value)
    return reader


def test_every_score_is_in_one_field():
    placed = [key for keys in FIELDS.values() for key in keys]
    assert sorted(placed) == sorted(SCORES)


@pytest.mark.parametrize("key", list(SCORES))
def test_whom_a_score_is_for_stands_before_its_inputs_and_all_that_is_missing_is_named(key):
    reader = opened("lung_ncctg", score=key)
    score = SCORES[key]
    assert any(f"For: {' '.join(score.population.split())}" in box for box in reader.boxes)
    missing = reader.box("Still to be filled in").lower()
    for item in score.inputs:
        assert (item.label.lower() in missing) == (item.default is None)
    assert reader.stops == []


def test_the_index_by_hand_with_its_group():
    # 0.2 x 2.5 + 2 (3 nodes) + 3 = 5.5, above 5.4
    reader = filled(opened(), NPI)
    assert "5.50" in reader.boxes
    assert "Poor Poor prognostic group: above 5.4." in reader.boxes
    assert "The index says nothing about receptors, HER2 or treatment." in reader.boxes
    # The bound itself, 0.2 x 2 + 1 + 2 = 3.4, belongs to the good group.
    filled(reader, {"scores_tumour_size": "2", "scores_nodes": "0", "scores_npi_grade": "2"})
    assert "3.40" in reader.boxes
    assert "Good Good prognostic group: above 2.4, up to 3.4." in reader.boxes


def test_another_unit_keeps_the_number_and_shows_it_converted():
    reader = filled(opened(), NPI | {"scores_tumour_size": "25"})
    assert (
        "Tumour size is outside the usual 0.1 to 15 cm: check the value and its unit. In mm it would be within it: is "
        "the unit right?"
    ) in reader.boxes
    # 0.2 x 25 + 2 + 3 = 10 is not said before the unit is settled: with the right one it is 5.5.
    assert "10.00" not in reader.text and "No score yet." in reader.boxes
    assert "save_scores_by_hand" not in str([e.key for e in reader.at.get("popover")])
    reader.click("scores_confirm_tumour_size")
    assert "10.00" in reader.boxes
    # Another number is asked about anew.
    reader.choose("scores_tumour_size", "26")
    assert "10.20" not in reader.text and "No score yet." in reader.boxes
    reader.choose("scores_tumour_size", "25")
    reader.choose("scores_unit_tumour_size", "mm")
    assert reader.at.text_input(key="scores_tumour_size").value == "25"
    assert "= 2.5 cm · Usual 1 to 150 mm" in reader.boxes
    assert "5.50" in reader.boxes
    assert "Choosing another unit keeps the number as it was typed and reads it in that unit." in reader.text


def test_one_click_reads_the_number_in_the_other_unit():
    reader = filled(opened(), NPI | {"scores_tumour_size": "23"}).click("scores_reread_tumour_size")
    # 0.2 x 2.3 + 2 + 3 = 5.46, not 0.2 x 23 + 5 = 9.6
    assert "5.46" in reader.boxes and "9.60" not in reader.text


def test_the_group_of_what_was_typed_is_marked_with_what_came_true_here():
    reader = filled(opened(), NPI)
    said = "59 of 100 (53 to 65) of this group had recurrence or death within 4 years of "
    assert f"In this cohort, {said}" in reader.box("In this cohort, ")
    assert reader.box("In this cohort, ").endswith(": 301 patients, 155 events.")
    assert "Poor, the values above (301 patients" in reader.alt("scores_groups")
    assert "Good, the values above" not in reader.alt("scores_groups")


def test_absolute_risks_with_their_horizons():
    # 1 - 0.9240 ** 3.565989 = 24.6% within 5 years (tests/bedside/test_score_worked.py)
    values = {"scores_age": "60", "scores_sex": "male", "scores_egfr": "30", "scores_acr": "300"}
    reader = filled(opened("lung_ncctg", score="kfre"), values | {"scores_kfre_region": "north_america"})
    rows = reader.table("Published absolute risk")
    assert rows[0] == ["Within", "Of what", "Risk"]
    assert rows[2] == ["5 years", "kidney failure", "24.6%"]
    assert "24.6%" in reader.text
    assert "Death before kidney failure is not accounted for." in reader.text


def test_a_mistaken_unit_is_named_before_the_number_and_no_risk_is_said_to_be_none():
    # 200 mg/dL of cholesterol typed as mmol/L
    values = {"scores_age": "50", "scores_sex": "female", "scores_total_cholesterol": "200", "scores_bmi": "35"}
    values |= {"scores_hdl_cholesterol": "45", "scores_systolic": "160", "scores_egfr": "90"}
    answers = {"bp_treated": "yes", "statin": "no", "smoker": "no", "diabetes": "yes"}
    reader = filled(opened(score="prevent"), values | {f"scores_prevent_{key}": v for key, v in answers.items()})
    said = reader.boxes
    caution = "Total cholesterol is outside 3.36 to 8.28 mmol/L, the range for which the score was made."
    assert "under 0.1%" not in said and "No score yet." in said
    assert f"{caution} In mg/dL it would be within it: is the unit right?" in said
    # In the right unit 14.7%, as the example of the packages preventr and prevent has it.
    reader.choose("scores_unit_total_cholesterol", "mg/dL").choose("scores_unit_hdl_cholesterol", "mg/dL")
    assert "14.7%" in reader.boxes


def test_what_two_scores_ask_for_alike_is_typed_once():
    # 9.57 ln 1.8 + 3.78 ln 12 + 11.2 ln 2.2 + 6.43 = 30.3
    reader = filled(opened("pbc_liver", score="meld"), MELD)
    assert "30" in reader.boxes
    assert "Dialysis in the last week is not recorded and was read as no." in reader.text
    reader.choose("score", "meld_na")
    assert "Still to be filled in: sodium (serum)." in reader.boxes
    # Answers that two scores define differently are not carried over.
    reader.choose("score", "cha2ds2_vasc").choose("scores_cha2ds2_vasc_stroke", "yes").choose("score", "has_bled")
    assert "stroke" in reader.box("Still to be filled in")


def test_no_value_of_a_patient_is_in_the_address():
    reader = filled(opened("pbc_liver", score="meld"), {"scores_bilirubin": "12.345", "scores_inr": "2.2"})
    assert set(reader.link) <= {"cohort", "score", "outcome"}
    assert "12.345" not in str(reader.link)
    assert reader.choose("score", "albi").link["score"] == "albi"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("large", "This is not a number. Write it in digits, such as 1.5."),
        ("<script>alert(1)</script>", "This is not a number. Write it in digits, such as 1.5."),
        ("inf", "This is not a number. Write it in digits, such as 1.5."),
        ("1,234", "Is this 1.234 or 1234? Write it without the comma."),
        ("-3", "Must be a whole number, 0 or more."),
        ("2.5", "Must be a whole number, 0 or more."),
    ],
)
def test_what_has_no_meaning_is_said_beside_its_field_and_gives_no_score(typed, said):
    reader = filled(opened(), NPI | {"scores_nodes": typed[:20]})
    assert said in reader.boxes
    assert "5.50" not in reader.boxes
    assert "scores_groups" in reader.figures  # the rest of the page lives
    assert "5.50" in reader.choose("scores_nodes", "3").boxes


def test_numbers_as_they_are_written():
    assert [number(text) for text in ("1.5", "1,5", " 1 500 ", ".5", "0,123", "1,234,567", "−2", "３", "")] == [
        1.5, 1.5, 1500, 0.5, 0.123, 1234567, -2, 3, None,
    ]  # fmt: skip
    for text in ("1e400", "nan", "0x10", "1.2.3", "<5", "12 mg", "1,234"):
        with pytest.raises(Unreadable):
            number(text)


def test_clear_empties_every_field():
    reader = filled(opened(), NPI).click("scores_clear")
    assert "Still to be filled in: tumour size, positive lymph nodes, histological grade." in reader.boxes


def test_a_link_to_a_score_that_is_not_known_says_so():
    reader = opened(score="apgar")
    assert "This link asks for something that is not here (score)." in reader.stops[0]


def test_formula_groups_and_source_are_readable():
    reader = opened().unfold("scores_about")
    assert "0.2 × tumour size (cm) + nodal stage (1 to 3) + grade (1 to 3)." in reader.boxes
    assert ["Moderate", "Moderate prognostic group: above 3.4, up to 5.4."] in reader.table("Published groups")
    assert "doi 10.1007/BF01840834" in reader.text


def test_groups_of_the_cohort_with_what_came_true():
    # R: 1 - survfit(Surv(time, cens) ~ group, conf.type = "log-log") at 1461 days: as tests/bedside/test_score_cohort.
    reader = opened()
    said = reader.alt("scores_groups")
    assert "Good (22 patients, 4 events): 27% (11% to 57%)" in said
    assert "Moderate (363 patients, 104 events): 33% (28% to 39%)" in said
    assert "Poor (301 patients, 155 events): 59% (53% to 65%)" in said
    assert "Excellent" not in said
    assert "All 686 patients have a score." in reader.text
    assert "The score publishes no absolute risk: what stands here is this cohort's own." in reader.boxes
    assert reader.figure("scores_groups")["layout"]["xaxis"]["title"]["text"].startswith("Recurrence or death within 4")


def test_observed_beside_published_where_there_is_one():
    reader = opened("pbc_liver").choose("horizon_years", 5.0)
    assert ", published " in reader.alt("scores_groups")
    assert any("published" in text for text in words(reader.figure("scores_groups")))
    assert (
        "The published risks are of death without transplantation; counted here: death or transplant. Where these "
        "differ, so may the numbers."
    ) in reader.boxes
    assert "416 patients scored; 2 without one, for want of an input." in reader.text
    assert "these are the cohort's own fourths" in reader.text
    # For 8 years none is published.
    reader.choose("horizon_years", 8.0)
    assert ", published " not in reader.alt("scores_groups")
    assert "The score publishes risks within 1 to 7 years; none for this time." in reader.boxes


def test_a_score_on_patients_it_was_made_from_is_said_to_be_no_test():
    # 312 of the 418 were in the trial that the Mayo score was made from; of ALBI none.
    assert "The score was made from 312 of these 418 patients: this is no test of it." in opened("pbc_liver").boxes
    assert "no test of it" not in opened("pbc_liver", score="albi").text


def test_grades_of_another_cohort():
    assert "G5 (28 patients, 25 events)" in opened("mgus_competing").alt("scores_groups")
    assert "3 (57 patients, " in opened("pbc_liver", score="albi").alt("scores_groups")


def test_what_a_cohort_lacks_is_named():
    reader = opened("lung_ncctg")
    assert reader.figures == [] and "None of the published scores can be computed" in reader.text
    assert "Nottingham" not in reader.text
    reader.choose("score", "npi")
    assert (
        "It cannot be computed here. Not recorded: tumour size, positive lymph nodes, histological grade."
        in reader.boxes
    )
    reader.unfold("scores_lacking")
    rows = reader.table("What is missing")
    assert len(rows) == 1 + len(SCORES)
    assert ["CKD-EPI 2021 (creatinine)", "Not recorded: creatinine (serum)."] in rows
    pbc = opened("pbc_liver", score="fib4")
    assert "It cannot be computed here. Not recorded: ALT (alanine aminotransferase)." in pbc.boxes
    assert "It has what is needed for: Mayo risk score for primary biliary cholangitis, ALBI grade." in pbc.boxes


def test_the_figure_and_the_score_by_hand_can_be_taken_along():
    reader = filled(opened(), NPI).unfold("how_scores_groups", "save_scores_groups")
    labels = [button.label for button in reader.at.get("download_button")]
    assert "Python script with bedside alone" in labels
    assert "Numbers (CSV)" in labels
    reader.unfold("save_scores_by_hand").click("report_scores_by_hand")
    reader.open("report")
    assert "Nottingham Prognostic Index of one patient, by hand" in reader.text + str(
        [area.value for area in reader.at.text_input]
    )


@pytest.mark.parametrize("text", ["5²", "10⁹", "㊿", "²", "½", "9" * 400])
def test_signs_that_only_look_like_digits_are_no_number(text: str):
    with pytest.raises(Unreadable):
        number(text)


def test_digits_of_any_script_are_a_number():
    assert (number("١٢"), number("５.５"), number("-0"), str(number("-0"))) == (12.0, 5.5, 0.0, "0.0")
