"""Units, ranges, prescriptions and what is missing: how published scores read what they are given."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from bedside.cohort.concepts import CONCEPTS
from bedside.errors import Fixable
from bedside.risk.scores import SCORES, by_key
from bedside.risk.scores.inputs import same_unit

LIVER = {"sex": "male", "bilirubin": 2, "inr": 1.5, "creatinine": 1.5, "sodium": 131, "albumin": 3}
WELL = {
    "respiratory_rate": 16, "spo2": 98, "spo2_scale": "1", "oxygen": "no", "systolic": 125, "pulse": 70,
    "consciousness": "alert", "temperature": 36.8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("µmol/l", "umol/L"),
        ("μmol / L", "µmol/L"),
        ("×10⁹/l", "10^9/L"),
        ("x10^9/L", "×10⁹/L"),
        ("s", "seconds"),
        ("mL/min/1.73 m²", "ml/min/1.73m2"),
        ("mm Hg", "mmHg"),
    ],
)
def test_one_unit_in_two_spellings(one, other):
    assert same_unit(one) == same_unit(other)


@pytest.mark.parametrize(
    ("score", "key", "value", "unit", "expected"),
    [
        ("meld", "bilirubin", 34.2, "µmol/L", 2.0),  # 34.2 / 17.1
        ("meld", "creatinine", 88.42, "umol/l", 1.0),
        ("meld_3", "albumin", 35, "g/L", 3.5),
        ("albi", "albumin", 3.5, "g/dl", 35.0),
        ("albi", "bilirubin", 2, "mg/dL", 34.2),
        ("framingham", "total_cholesterol", 5, "mmol/L", 193.35),  # 5 x 38.67
        ("prevent", "hdl_cholesterol", 50, "mg/dL", 1.293),  # 50 x 0.02586
        ("kfre", "acr", 30, "mg/mmol", 265.2),  # 30 x 8.84
        ("npi", "tumour_size", 25, "mm", 2.5),
        ("fib4", "platelets", 150000, "/µL", 150.0),
        ("mayo_pbc", "age", 18262.5, "days", 50.0),
        ("news2", "systolic", 16, "kPa", 120.00992),
    ],
)
def test_conversion(score, key, value, unit, expected):
    assert by_key(score).input(key).convert(value, unit) == pytest.approx(expected, rel=1e-12)


def test_a_score_is_the_same_in_either_unit():
    si = {**LIVER, "bilirubin": 34.2, "creatinine": 1.5 * 88.42, "albumin": 30}
    units = {"bilirubin": "µmol/L", "creatinine": "µmol/L", "albumin": "g/L"}
    for key in ("meld", "meld_na", "meld_3"):
        assert by_key(key).compute(si, units).value == by_key(key).compute(LIVER).value


def test_an_unknown_unit_is_refused_by_name():
    with pytest.raises(Fixable, match=r"stone.*mg/dL or µmol/L"):
        by_key("meld").compute(LIVER, {"bilirubin": "stone"})


@pytest.mark.parametrize("key", SCORES)
def test_everything_missing_is_named(key):
    score = by_key(key)
    with pytest.raises(Fixable) as stop:
        score.compute({})
    needed = [item.label for item in score.inputs if item.default is None]
    assert all(label in stop.value.why for label in needed)


@pytest.mark.parametrize("blank", [None, float("nan"), "", " ", pd.NA])
def test_one_missing_input_is_named(blank):
    with pytest.raises(Fixable, match=r"filled in: INR\."):
        by_key("meld").compute({**LIVER, "inr": blank})


@pytest.mark.parametrize(("value", "what"), [(0, "above 0"), (-3, "above 0"), (math.inf, "above 0")])
def test_a_logarithm_of_nothing_is_refused(value, what):
    with pytest.raises(Fixable, match=what):
        by_key("albi").compute({"bilirubin": value, "albumin": 40})


def test_what_is_no_number_or_no_answer_is_refused():
    with pytest.raises(Fixable, match="not a number"):
        by_key("meld").compute({**LIVER, "inr": "high"})
    with pytest.raises(Fixable, match="Female or Male"):
        by_key("meld_3").compute({**LIVER, "sex": "2"})
    with pytest.raises(Fixable, match="whole number"):
        by_key("npi").compute({"tumour_size": 2, "nodes": 1.5, "grade": "2"})
    with pytest.raises(Fixable, match="at most 100"):
        by_key("news2").compute({**WELL, "spo2": 101})


def test_a_refusal_never_quotes_the_value():
    with pytest.raises(Fixable) as stop:
        by_key("npi").compute({"tumour_size": 2, "nodes": 17.25, "grade": "2"})
    assert "17.25" not in str(stop.value)


def test_outside_the_range_of_a_score_is_a_caution():
    values = {
        "age": 85, "sex": "male", "total_cholesterol": 161, "hdl_cholesterol": 55, "systolic": 125, "bp_treated": "no",
        "smoker": "no", "diabetes": "no",
    }  # fmt: skip
    found = by_key("framingham").compute(values)
    assert found.cautions == ("Age is outside 30 to 74 years, the range for which the score was made.",)
    assert by_key("framingham").compute({**values, "age": 74.6}).cautions == ()
    assert by_key("framingham").compute({**values, "age": 75.1}).cautions != ()


def test_a_mistaken_unit_is_a_caution():
    found = by_key("meld").compute({**LIVER, "bilirubin": 340})  # µmol/L entered as mg/dL
    assert found.cautions == (
        "Bilirubin (total, serum) is outside the usual 0.1 to 60 mg/dL: check the value and its unit.",
    )
    assert by_key("meld").compute({**LIVER, "bilirubin": 340}, {"bilirubin": "µmol/L"}).cautions == ()


def test_prescriptions_are_said():
    notes = by_key("meld").compute({"bilirubin": 0.5, "inr": 0.9, "creatinine": 0.8}).notes
    assert "Dialysis in the last week is not recorded and was read as no." in notes
    assert "Bilirubin below 1.0 mg/dL was read as 1.0, as the score prescribes." in notes
    assert "INR below 1.0 was read as 1.0, as the score prescribes." in notes
    assert "Creatinine below 1.0 mg/dL was read as 1.0, as the score prescribes." in notes
    assert by_key("meld").compute({**LIVER, "dialysis": "no"}).notes == ()


@pytest.mark.parametrize(("sodium", "read_as"), [(118, 125), (125, 125), (137, 137), (150, 137)])
@pytest.mark.parametrize("key", ["meld_na", "meld_3"])
def test_sodium_stays_within_its_bounds(key, sodium, read_as):
    score = by_key(key)
    found = score.compute({**LIVER, "sodium": sodium})
    assert found.value == score.compute({**LIVER, "sodium": read_as}).value
    assert any("Sodium" in note for note in found.notes) == (sodium != read_as)


@pytest.mark.parametrize(("albumin", "read_as"), [(1.0, 1.5), (1.5, 1.5), (3.5, 3.5), (4.4, 3.5)])
def test_albumin_stays_within_its_bounds(albumin, read_as):
    score = by_key("meld_3")
    found = score.compute({**LIVER, "albumin": albumin})
    assert found.value == score.compute({**LIVER, "albumin": read_as}).value
    assert any("Albumin" in note for note in found.notes) == (albumin != read_as)


def test_creatinine_ends_at_three_in_meld_3_and_at_four_before():
    for key, end in (("meld", 4.0), ("meld_na", 4.0), ("meld_3", 3.0)):
        score = by_key(key)
        at_end = score.compute({**LIVER, "creatinine": end}).value
        assert score.compute({**LIVER, "creatinine": 7}).value == at_end
        assert score.compute({**LIVER, "dialysis": "yes"}).value == at_end
        assert score.compute({**LIVER, "creatinine": end - 0.5}).value < at_end


CHART = [
    ("respiratory_rate", [(8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3)]),
    ("spo2", [(91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0), (100, 0)]),
    ("systolic", [(90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3)]),
    ("pulse", [(40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3)]),
    ("temperature", [(35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (38.0, 0), (38.1, 1), (39.0, 1), (39.1, 2)]),
]


@pytest.mark.parametrize(("key", "value", "expected"), [(k, v, p) for k, table in CHART for v, p in table])
def test_every_bound_of_the_news2_chart(key, value, expected):
    assert by_key("news2").compute({**WELL, key: value}).value == expected


@pytest.mark.parametrize(
    ("oxygen", "spo2", "expected"),
    [
        *[("no", s, p) for s, p in [(83, 3), (84, 2), (85, 2), (86, 1), (87, 1), (88, 0), (92, 0), (93, 0), (99, 0)]],
        *[("yes", s, p + 2) for s, p in [(83, 3), (87, 1), (88, 0), (92, 0), (93, 1), (94, 1), (95, 2), (96, 2)]],
        ("yes", 97, 5),
    ],
)
def test_scale_2_of_news2(oxygen, spo2, expected):
    assert by_key("news2").compute({**WELL, "spo2_scale": "2", "oxygen": oxygen, "spo2": spo2}).value == expected


def test_news2_reads_between_the_lines_of_its_chart():
    found = by_key("news2").compute({**WELL, "respiratory_rate": 20.5, "temperature": 38.04})
    assert found.value == 2  # 21 a minute and 38.0 °C
    assert any("rounded" in note for note in found.notes)
    alone = by_key("news2").compute({**WELL, "systolic": 85})
    assert (alone.value, alone.group) == (3, "Low to medium")


def test_many_patients_at_once():
    n = 4
    values = {
        "bilirubin": [2.0, np.nan, 0.0, 6.0],
        "inr": [1.5] * n,
        "creatinine": [1.5] * n,
        "sodium": [131] * n,
        "dialysis": ["no", "no", "no", None],
    }
    found = by_key("meld_na").compute_many(values)
    assert np.isnan(found.value).tolist() == [False, True, True, False]
    assert found.value[0] == by_key("meld_na").compute({k: v[0] for k, v in values.items()}).value
    assert found.value[3] == 26
    assert found.scored.tolist() == [True, False, False, True]
    as_frame = by_key("meld_na").compute_many(pd.DataFrame(values))
    np.testing.assert_array_equal(as_frame.value, found.value)


@pytest.mark.parametrize("key", SCORES)
def test_many_equal_one_by_one(key):
    score, rng = by_key(key), np.random.default_rng(7)
    n = 40
    columns = {}
    for item in score.inputs:
        if item.kind == "choice":
            columns[item.key] = rng.choice([c.code for c in item.choices], n).astype(object)
        else:
            low, high = item.range
            columns[item.key] = rng.uniform(low, high, n).round(0 if item.whole else 2) + (0 if item.whole else 0.01)
    found = score.compute_many(columns)
    for row in range(n):
        one = score.compute({k: v[row] for k, v in columns.items()})
        assert one.value == found.value[row]
        assert one.group == (score.groups[found.group[row]].label if score.groups else "")
        for risk in one.risks:
            assert risk.risk == found.risks[risk.key][row]
            assert 0 <= risk.risk <= 1


def test_answers_as_numbers_and_truth_values_are_read():
    """A grade of 3.0 and a yes that is True, as tables hold them."""
    found = by_key("npi").compute_many({"tumour_size": [2.0, 2.0], "nodes": [0, 0], "grade": [3.0, np.nan]})
    np.testing.assert_array_equal(found.value, [4.4, np.nan])
    assert by_key("npi").compute({"tumour_size": 2, "nodes": 0, "grade": 3}).value == 4.4
    alone = {**LIVER, "dialysis": True}
    assert by_key("meld").compute(alone).value == by_key("meld").compute({**LIVER, "dialysis": "yes"}).value
    columns = {k: [v] for k, v in alone.items()}
    assert by_key("meld").compute_many(columns).value[0] == by_key("meld").compute(alone).value


def test_columns_that_are_absent_or_too_short_are_refused():
    with pytest.raises(Fixable, match="Not among the columns: INR"):
        by_key("meld").compute_many({"bilirubin": [1.0], "creatinine": [1.0]})
    with pytest.raises(Fixable, match="differ in length"):
        by_key("meld").compute_many({"bilirubin": [1.0], "inr": [1.0, 2.0], "creatinine": [1.0]})


def test_nobody_is_scored_without_patients():
    found = by_key("fib4").compute_many({"age": [], "ast": [], "alt": [], "platelets": []})
    assert found.value.shape == (0,)


def test_kfre_risk_of_a_hundred_thousand_patients_is_arrays_all_the_way():
    n = 100_000
    columns = {"age": np.full(n, 60.0), "sex": np.full(n, "male"), "egfr": np.linspace(10, 60, n)}
    columns |= {"acr": np.full(n, 300.0), "region": np.full(n, "elsewhere")}
    found = by_key("kfre").compute_many(columns)
    assert np.all(np.diff(found.risks["kidney_failure_5"]) < 0)


@pytest.mark.parametrize("key", SCORES)
def test_every_score_says_what_a_reader_must_know(key):
    score = by_key(key)
    assert score.population and score.predicts and score.formula and score.source.citation
    assert len({item.key for item in score.inputs}) == len(score.inputs)
    for item in score.inputs:
        assert item.key in CONCEPTS
        assert (item.kind == "choice") == bool(item.choices)
        assert item.kind == "choice" or item.range is not None
    lows = [g.low for g in score.groups]
    assert lows == sorted(lows)


def test_every_concept_is_an_input_of_a_score():
    assert {item.key for score in SCORES.values() for item in score.inputs} == set(CONCEPTS)


def test_a_score_that_is_not_there():
    with pytest.raises(Fixable):
        by_key("apache")
