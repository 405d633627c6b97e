"""Two or more worked examples for each published score; the arithmetic stands beside each."""

from __future__ import annotations

import math

import pytest

from bedside.risk.scores import SCORES, by_key

WORKED: dict[str, list[tuple[dict, float, float, str]]] = {
    "npi": [
        # 0.2 x 2.5 + 2 (3 nodes) + 3 = 5.5
        ({"tumour_size": 2.5, "nodes": 3, "grade": "3"}, 5.5, 1e-12, "Poor"),
        # 0.2 x 1.2 + 1 (no node) + 1 = 2.24
        ({"tumour_size": 1.2, "nodes": 0, "grade": "1"}, 2.24, 1e-12, "Excellent"),
        # 0.2 x 2.0 + 1 + 2 = 3.4, the bound itself, which belongs to the good group
        ({"tumour_size": 2.0, "nodes": 0, "grade": "2"}, 3.4, 1e-12, "Good"),
        # 0.2 x 2.0 + 3 (4 nodes) + 2 = 5.4
        ({"tumour_size": 2.0, "nodes": 4, "grade": "2"}, 5.4, 1e-12, "Moderate"),
    ],
    "mayo_pbc": [
        # 0.039 x 50 = 1.95; 0.871 x ln 1 = 0; 2.53 x ln 4 = 3.507325; 2.38 x ln 10 = 5.480152; R = 3.922828
        ({"age": 50, "bilirubin": 1, "albumin": 4, "prothrombin_time": 10, "oedema": "none"}, 3.922828, 1e-6, ""),
        # 0.039 x 60 = 2.34; 0.871 x ln 5 = 1.401820; 2.53 x ln 3 = 2.779489; 2.38 x ln 12 = 5.914078; 0.859 x 0.5
        # = 0.4295; R = 2.34 + 1.401820 - 2.779489 + 5.914078 + 0.4295 = 7.305909
        ({"age": 60, "bilirubin": 5, "albumin": 3, "prothrombin_time": 12, "oedema": "controlled"}, 7.305909, 1e-6, ""),
    ],
    "meld": [
        # 9.57 ln 1.2 = 1.744807; 3.78 ln 1.9 = 2.426213; 11.2 ln 1.9 = 7.188769; + 6.43 = 17.789790: 18
        ({"bilirubin": 1.9, "inr": 1.9, "creatinine": 1.2}, 18, 0, ""),
        # 9.57 ln 1.8 = 5.625132; 3.78 ln 12 = 9.393027; 11.2 ln 2.2 = 8.830629; + 6.43 = 30.278788: 30
        ({"bilirubin": 12, "inr": 2.2, "creatinine": 1.8}, 30, 0, ""),
        # all floors: 6.43, so 6
        ({"bilirubin": 0.4, "inr": 0.9, "creatinine": 0.6}, 6, 0, ""),
        # dialysis: creatinine 4; 9.57 ln 4 = 13.266837; + 6.43 = 19.696837: 20
        ({"bilirubin": 1, "inr": 1, "creatinine": 1.5, "dialysis": "yes"}, 20, 0, ""),
        # 13.266837 + 3.78 ln 40 = 13.943873 + 11.2 ln 5 = 18.025705 + 6.43 = 51.7: 40 is the end
        ({"bilirubin": 40, "inr": 5, "creatinine": 9}, 40, 0, ""),
    ],
    "meld_na": [
        # MELD 22 (21.624361); 137 - 131 = 6: 22 + 1.32 x 6 - 0.033 x 22 x 6 = 22 + 7.92 - 4.356 = 25.564: 26
        ({"bilirubin": 6, "inr": 1.5, "creatinine": 1.5, "sodium": 131}, 26, 0, ""),
        # MELD 12 (11.638396), above 11: 12 + 7.92 - 0.033 x 12 x 6 = 12 + 7.92 - 2.376 = 17.544: 18
        ({"bilirubin": 2.5, "inr": 1.0, "creatinine": 1.2, "sodium": 131}, 18, 0, ""),
        # MELD 15 (14.863171), sodium 139 counts as 137: 15, as in the example of MedCalc-Bench
        ({"bilirubin": 2.8, "inr": 1.5, "creatinine": 1.0, "sodium": 139}, 15, 0, ""),
        # MELD 29 (29.089784); sodium 120 counts as 125: 29 + 15.84 - 0.033 x 29 x 12 = 29 + 15.84 - 11.484 = 33.356: 33
        ({"bilirubin": 12, "inr": 0.9, "creatinine": 4.5, "sodium": 120}, 33, 0, ""),
        # MELD 9 (3.78 ln 2 = 2.620096; + 6.43 = 9.050096), 11 or less: sodium does not count
        ({"bilirubin": 2, "inr": 1, "creatinine": 1, "sodium": 125}, 9, 0, ""),
    ],
    "meld_3": [
        # patients of table 4 of Kim 2021, results of an independent implementation of the OPTN policy (clincalc 0.4)
        # 4.56 ln 2.5 = 4.178284; 0.82 x 6 = 4.92; 0.24 x 6 x ln 2.5 = 1.319459; 11.14 ln 1.2 = 2.031065; albumin 3.8
        # counts as 3.5; + 6 = 15.809890: 16, and with 1.33 for a woman 17.139890: 17
        ({"sex": "male", "bilirubin": 2.5, "sodium": 131, "inr": 1.0, "creatinine": 1.2, "albumin": 3.8}, 16, 0, ""),
        ({"sex": "female", "bilirubin": 2.5, "sodium": 131, "inr": 1.0, "creatinine": 1.2, "albumin": 3.8}, 17, 0, ""),
        ({"sex": "male", "bilirubin": 6, "sodium": 131, "inr": 1.5, "creatinine": 1.5, "albumin": 3.5}, 25, 0, ""),
        # 4.56 ln 6 = 8.170423; 4.92; 0.24 x 6 x ln 6 = 2.580134; 9.09 ln 1.5 = 3.685678; 11.14 ln 1.5 = 4.516881;
        # 1.85 x 1.3 = 2.405; 1.83 x 1.3 x ln 1.5 = 0.964602; + 6 = 26.153247: 26
        ({"sex": "male", "bilirubin": 6, "sodium": 131, "inr": 1.5, "creatinine": 1.5, "albumin": 2.2}, 26, 0, ""),
        ({"sex": "female", "bilirubin": 6, "sodium": 131, "inr": 1.5, "creatinine": 1.5, "albumin": 2.2}, 27, 0, ""),
        ({"sex": "male", "bilirubin": 12, "sodium": 128, "inr": 2.2, "creatinine": 1.8, "albumin": 2.0}, 34, 0, ""),
        ({"sex": "male", "bilirubin": 12, "sodium": 128, "inr": 2.2, "creatinine": 2.8, "albumin": 2.0}, 38, 0, ""),
        ({"sex": "female", "bilirubin": 12, "sodium": 128, "inr": 2.2, "creatinine": 2.8, "albumin": 2.0}, 39, 0, ""),
        # creatinine 4.5 counts as 3, sodium 120 as 125, INR 0.9 as 1: 33.583184: 34
        ({"sex": "female", "bilirubin": 12, "sodium": 120, "inr": 0.9, "creatinine": 4.5, "albumin": 3.5}, 34, 0, ""),
    ],
    "child_pugh": [
        # 2 (2.5) + 2 (3.0) + 1 (1.5) + 2 + 1 = 8
        ({"bilirubin": 2.5, "albumin": 3.0, "inr": 1.5, "ascites": "2", "encephalopathy": "1"}, 8, 0, "B"),
        # 3 (4) + 3 (2.5) + 3 (2.5) + 3 + 2 = 14
        ({"bilirubin": 4, "albumin": 2.5, "inr": 2.5, "ascites": "3", "encephalopathy": "2"}, 14, 0, "C"),
        # the bounds: 2 (2.0) + 2 (3.5) + 2 (1.7) + 1 + 1 = 8; and 2 (3.0) + 2 (2.8) + 2 (2.3) + 1 + 1 = 8
        ({"bilirubin": 2, "albumin": 3.5, "inr": 1.7, "ascites": "1", "encephalopathy": "1"}, 8, 0, "B"),
        ({"bilirubin": 3, "albumin": 2.8, "inr": 2.3, "ascites": "1", "encephalopathy": "1"}, 8, 0, "B"),
        ({"bilirubin": 1, "albumin": 4, "inr": 1.1, "ascites": "1", "encephalopathy": "1"}, 5, 0, "A"),
    ],
    "albi": [
        # 0.66 x log10 10 = 0.66; 0.085 x 40 = 3.4: -2.74
        ({"bilirubin": 10, "albumin": 40}, -2.74, 1e-12, "1"),
        # 0.66 x log10 100 = 1.32; 0.085 x 25 = 2.125: -0.805
        ({"bilirubin": 100, "albumin": 25}, -0.805, 1e-12, "3"),
        # 0.66 x 1 - 0.085 x 30 = -1.89
        ({"bilirubin": 10, "albumin": 30}, -1.89, 1e-12, "2"),
    ],
    "fib4": [
        # 50 x 60 / (150 x sqrt 40) = 3000 / 948.683298 = 3.162278
        ({"age": 50, "ast": 60, "alt": 40, "platelets": 150}, 3.162278, 1e-6, "1.45 to 3.25"),
        # 40 x 30 / (250 x 6) = 0.8
        ({"age": 40, "ast": 30, "alt": 36, "platelets": 250}, 0.8, 1e-12, "Below 1.45"),
        # 60 x 90 / (100 x 6) = 9
        ({"age": 60, "ast": 90, "alt": 36, "platelets": 100}, 9.0, 1e-12, "Above 3.25"),
    ],
    "ckd_epi": [
        # man: 1.2 / 0.9 = 1.333333; ^-1.2 = 0.708065; 0.9938^60 = 0.688577; 142 x 0.708065 x 0.688577 = 69.2
        ({"age": 60, "sex": "male", "creatinine": 1.2}, 69.2, 0.05, "G2"),
        # woman: 0.6 / 0.7 = 0.857143; ^-0.241 = 1.037846; 0.9938^50 = 0.732746; 142 x 1.037846 x 0.732746 x 1.012
        # = 109.3
        ({"age": 50, "sex": "female", "creatinine": 0.6}, 109.3, 0.05, "G1"),
        # at the knot only age and sex count: woman, 0.7 mg/dL, 30 years: 142 x 0.9938^30 x 1.012 = 119.25
        ({"age": 30, "sex": "female", "creatinine": 0.7}, 142 * 0.9938**30 * 1.012, 1e-10, "G1"),
    ],
    "kfre": [
        # -0.2201 x (6 - 7.036) = 0.228024; 0.2467 x 0.4358 = 0.107512; -0.5567 x (6 - 7.222) = 0.680287; 0.4510 x
        # (5.703782 - 5.137) = 0.255619; sum 1.271442, exp = 3.565989; 1 - 0.9240^3.565989 = 0.245626
        ({"age": 60, "sex": "male", "egfr": 30, "acr": 300, "region": "north_america"}, 0.245626, 1e-6, ""),
        # 1 - 0.9365^3.565989 = 0.208598
        ({"age": 60, "sex": "male", "egfr": 30, "acr": 300, "region": "elsewhere"}, 0.208598, 1e-6, ""),
        # the example in the documentation of the kfre package: 0.936739 in North America, 0.898856 elsewhere
        ({"age": 57.28, "sex": "female", "egfr": 15, "acr": 1762.00184, "region": "north_america"}, 0.936739, 1e-6, ""),
        ({"age": 57.28, "sex": "female", "egfr": 15, "acr": 1762.00184, "region": "elsewhere"}, 0.898856, 1e-6, ""),
    ],
    "cha2ds2_vasc": [
        # 2 (76 years) + 1 (woman) + 1 (heart failure) + 1 (hypertension) + 2 (stroke) = 7
        (
            {"age": 76, "sex": "female", "heart_failure": "yes", "hypertension": "yes", "diabetes": "no",
             "stroke": "yes", "vascular_disease": "no"},
            7, 0, "High",
        ),
        # 1 (66 years) + 1 (diabetes) + 1 (vascular) = 3
        (
            {"age": 66, "sex": "male", "heart_failure": "no", "hypertension": "no", "diabetes": "yes",
             "stroke": "no", "vascular_disease": "yes"},
            3, 0, "High",
        ),
        (
            {"age": 64, "sex": "male", "heart_failure": "no", "hypertension": "no", "diabetes": "no",
             "stroke": "no", "vascular_disease": "no"},
            0, 0, "Low",
        ),
    ],
    "has_bled": [
        # 1 (above 65) + 1 (stroke) + 1 (labile INR) = 3
        (
            {"age": 70, "uncontrolled_hypertension": "no", "renal_impairment": "no", "liver_impairment": "no",
             "stroke": "yes", "bleeding": "no", "labile_inr": "yes", "bleeding_drugs": "no", "alcohol_excess": "no"},
            3, 0, "3 or more",
        ),
        # 65 is not above 65: 1 (alcohol) = 1
        (
            {"age": 65, "uncontrolled_hypertension": "no", "renal_impairment": "no", "liver_impairment": "no",
             "stroke": "no", "bleeding": "no", "labile_inr": "no", "bleeding_drugs": "no", "alcohol_excess": "yes"},
            1, 0, "Below 3",
        ),
    ],
    "framingham": [
        # the woman of the paper, 61 years: 2.32888 ln 61 = 9.573695; 1.20904 ln 180 = 6.278458; -0.70833 ln 47 =
        # -2.727183; 2.76157 ln 124 = 13.311562; 0.52873; sum - 26.1931 = 0.772162; 1 - 0.95012^2.164441 = 0.1048
        (
            {"age": 61, "sex": "female", "total_cholesterol": 180, "hdl_cholesterol": 47, "systolic": 124,
             "bp_treated": "no", "smoker": "yes", "diabetes": "no"},
            0.1048, 5e-5, "",
        ),
        # the man of the paper, 53 years: 3.06117 ln 53 = 12.153782; 1.12370 ln 161 = 5.709952; -0.93263 ln 55 =
        # -3.737324; 1.99881 ln 125 = 9.650863; 0.57367; sum - 23.9802 = 0.370743; 1 - 0.88936^1.448811 = 0.1562
        (
            {"age": 53, "sex": "male", "total_cholesterol": 161, "hdl_cholesterol": 55, "systolic": 125,
             "bp_treated": "yes", "smoker": "no", "diabetes": "yes"},
            0.1562, 5e-5, "",
        ),
    ],
    "prevent": [
        # the example of the packages preventr and prevent (Stata): 14.7% within 10 years
        (
            {"age": 50, "sex": "female", "total_cholesterol": 200 * 0.02586, "hdl_cholesterol": 45 * 0.02586,
             "systolic": 160, "bmi": 35, "egfr": 90, "bp_treated": "yes", "statin": "no", "smoker": "no",
             "diabetes": "yes"},
            0.147, 5e-4, "",
        ),
        # a man at every centre: 55 years, non-HDL 3.5, HDL 1.3 mmol/L, 130 mmHg, 90 mL/min: the constant alone,
        # 1 / (1 + exp(3.031168)) = 0.046051
        (
            {"age": 55, "sex": "male", "total_cholesterol": 4.8, "hdl_cholesterol": 1.3, "systolic": 130, "bmi": 25,
             "egfr": 90, "bp_treated": "no", "statin": "no", "smoker": "no", "diabetes": "no"},
            1 / (1 + math.exp(3.031168)), 1e-12, "",
        ),
    ],
    "news2": [
        # 22/min 2, 93% on scale 1 2, oxygen 2, 105 mmHg 1, 115/min 2, alert 0, 38.5 1: 10
        (
            {"respiratory_rate": 22, "spo2": 93, "spo2_scale": "1", "oxygen": "yes", "systolic": 105, "pulse": 115,
             "consciousness": "alert", "temperature": 38.5},
            10, 0, "High",
        ),
        # the same on scale 2: 93% with oxygen 1: 9
        (
            {"respiratory_rate": 22, "spo2": 93, "spo2_scale": "2", "oxygen": "yes", "systolic": 105, "pulse": 115,
             "consciousness": "alert", "temperature": 38.5},
            9, 0, "High",
        ),
        # everything in its place
        (
            {"respiratory_rate": 16, "spo2": 98, "spo2_scale": "1", "oxygen": "no", "systolic": 125, "pulse": 70,
             "consciousness": "alert", "temperature": 36.8},
            0, 0, "Low",
        ),
        # new confusion alone: 3 points, but one observation scores 3
        (
            {"respiratory_rate": 16, "spo2": 98, "spo2_scale": "1", "oxygen": "no", "systolic": 125, "pulse": 70,
             "consciousness": "cvpu", "temperature": 36.8},
            3, 0, "Low to medium",
        ),
    ],
}  # fmt: skip

CASES = [pytest.param(key, *case, id=f"{key}-{k}") for key, cases in WORKED.items() for k, case in enumerate(cases, 1)]


def test_every_score_has_two_worked_examples():
    assert set(WORKED) == set(SCORES)
    assert min(map(len, WORKED.values())) >= 2


@pytest.mark.parametrize(("key", "values", "expected", "within", "group"), CASES)
def test_worked_example(key, values, expected, within, group):
    found = by_key(key).compute(values)
    assert found.value == pytest.approx(expected, abs=within or 1e-12)
    assert found.group == group


def risks(key: str, values: dict) -> dict[str, float]:
    return {r.key: r.risk for r in by_key(key).compute(values).risks}


def test_mayo_survival_to_each_year():
    """exp(7.305909 - 5.07) = 9.355: survival 0.970^9.355 = 0.7521, 0.774^9.355 = 0.0910, 0.651^9.355 = 0.0180."""
    found = risks("mayo_pbc", WORKED["mayo_pbc"][1][0])
    assert found["death_1"] == pytest.approx(1 - 0.970**9.35497, abs=1e-5)
    assert found["death_1"] == pytest.approx(0.2479, abs=1e-4)
    assert found["death_5"] == pytest.approx(0.9090, abs=1e-4)
    assert found["death_7"] == pytest.approx(0.9820, abs=1e-4)


def test_kidney_failure_within_two_years():
    """1 - 0.9750^3.565989 = 0.086327 and 1 - 0.9832^3.565989 = 0.058629, as the kfre package has them."""
    american, other = (risks("kfre", WORKED["kfre"][k][0]) for k in (0, 1))
    assert american["kidney_failure_2"] == pytest.approx(0.0863274698, abs=1e-9)
    assert other["kidney_failure_2"] == pytest.approx(0.0586286418, abs=1e-9)
    assert other["kidney_failure_5"] == pytest.approx(0.2085982061, abs=1e-9)


def test_prevent_all_outcomes_of_the_published_example():
    """preventr prints 0.147, 0.092 and 0.081 for 10 years, 0.53, 0.354 and 0.39 for 30 years."""
    found = risks("prevent", WORKED["prevent"][0][0])
    expected = {"cvd_10": 0.147, "ascvd_10": 0.092, "hf_10": 0.081, "cvd_30": 0.530, "ascvd_30": 0.354, "hf_30": 0.390}
    assert {k: round(v, 3) for k, v in found.items()} == expected


def test_prevent_terms_of_a_man_by_hand():
    """A man of 65 years, total cholesterol 6.0, HDL 1.0, 150 mmHg treated, statin, diabetes, smoker, BMI 35, eGFR 45.

    Terms: age 1, non-HDL 6 - 1 - 3.5 = 1.5, HDL (1 - 1.3) / 0.3 = -1, pressure (150 - 130) / 20 = 1, low filtration
    (45 - 60) / -15 = 1, high filtration (60 - 90) / -15 = 2, BMI (30 - 25) / 5 = 1 and (35 - 30) / 5 = 1.
    """
    values = {
        "age": 65, "sex": "male", "total_cholesterol": 6.0, "hdl_cholesterol": 1.0, "systolic": 150, "bmi": 35,
        "egfr": 45, "bp_treated": "yes", "statin": "yes", "smoker": "yes", "diabetes": "yes",
    }  # fmt: skip
    cvd = (
        0.7688528 + 1.5 * 0.0736174 + 0.0954431 + 0.3362658 + 0.7692857 + 0.4386871 + 0.5378979 + 2 * 0.0164827
        + 0.288879 - 0.1337349 - 0.0475924 + 1.5 * 0.150273 - 1.5 * 0.0517874 - 0.0191169 - 0.1049477 - 0.2251948
        - 0.0895067 - 0.1543702 - 3.031168
    )  # fmt: skip
    failure = (
        0.8972642 + 0.3634461 + 0.923776 + 0.5023736 - 0.0485841 + 0.3726929 + 0.6926917 + 2 * 0.0251827 + 0.2980922
        - 0.0497731 - 0.1289201 - 0.3040924 - 0.1401688 + 0.0068126 - 0.1797778 - 3.946391
    )  # fmt: skip
    found = risks("prevent", values)
    assert found["cvd_10"] == pytest.approx(1 / (1 + math.exp(-cvd)), abs=1e-12)
    assert found["hf_10"] == pytest.approx(1 / (1 + math.exp(-failure)), abs=1e-12)
    assert set(found) == {"cvd_10", "ascvd_10", "hf_10"}, "the 30-year risk ends at 59 years"
