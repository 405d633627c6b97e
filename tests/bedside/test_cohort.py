"""Cohorts as values: units, words, fingerprints, who is left after a filter."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bedside.cohort import DAYS, Level, Outcome, Treatment, Variable, convert, normal_code
from bedside.cohort.groups import group_by
from bedside.cohort.selection import OneOf, Selection
from bedside.cohort.table_one import table_one
from bedside.errors import Faults, Fixable
from bedside.intake import cohort_from_frame

OS = Outcome(key="os", label="Death", time="t", unit="days", status="s", censored=("0",), event=("1",))
GRADE = Variable(
    name="grade",
    label="Grade",
    kind="ordinal",
    levels=(Level(code="2", label="2"), Level(code="1", label="1")),
    phrase="Grade {value}",
)


def frame() -> pd.DataFrame:
    return pd.DataFrame({"age": [50.0, 61.5, np.nan], "grade": [1, 2, 1], "t": [10, 0, 5], "s": [1, 0, 1]})


def test_units():
    assert convert(730.5, "days", "years") == 2.0
    assert convert(2.0, "years", "months") == pytest.approx(24.0, rel=1e-15)
    assert convert(0.1, "months", "months") == 0.1
    assert DAYS["months"] * 12 == DAYS["years"]
    np.testing.assert_array_equal(convert(np.array([7.0, 14.0]), "days", "weeks"), [1.0, 2.0])


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1, "1"), (1.0, "1"), ("1.0", "1"), (" 1 ", "1"), ("1.50", "1.5"), ("01", "01"), ("-0.0", "0"), ("-1", "-1"),
        ("+2", "2"), (True, "true"), ("TRUE", "true"), ("Dead", "Dead"), ("1e3", "1e3"), ("", ""), ("0.5", "0.5"),
    ],
)  # fmt: skip
def test_codes_have_one_spelling(value, code):
    assert normal_code(value) == code


@given(st.one_of(st.text(max_size=20), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_normal_code_is_a_projection(value):
    assert normal_code(normal_code(value)) == normal_code(value)


@pytest.mark.parametrize(
    ("variable", "value", "said", "with_label"),
    [
        (Variable(name="pgr", label="Progesterone receptor", unit="fmol/mg", kind="continuous", decimals=0), 116.0,
         "116 fmol/mg", "Progesterone receptor 116 fmol/mg"),
        (Variable(name="a", label="Age", unit="years", kind="continuous", decimals=0, phrase="Age {value}"), 1.0,
         "1 year", "Age 1 year"),
        (Variable(name="n", kind="continuous", phrase="{value} positive nodes", phrase_one="{value} positive node"), 1,
         "1", "1 positive node"),
        (Variable(name="n", kind="continuous", phrase="{value} positive nodes", phrase_one="{value} positive node"), 9,
         "9", "9 positive nodes"),
        (Variable(name="ef", label="Ejection", unit="%", kind="continuous"), 45, "45%", "Ejection 45%"),
        (Variable(name="crp", label="CRP", unit="mg/l", kind="continuous"), 0.01234, "0.0123 mg/l", "CRP 0.0123 mg/l"),
        (Variable(name="d", label="Change", kind="continuous", decimals=0), -0.4, "0", "Change 0"),
        (Variable(name="d", label="Change", kind="continuous", decimals=1), -1.25, "−1.2", "Change −1.2"),
        (Variable(name="y", label="Year", kind="continuous"), 1984, "1984", "Year 1984"),
        (Variable(name="p", label="Platelets", unit="/µl", kind="continuous"), 250000, "250,000 /µl",
         "Platelets 250,000 /µl"),
        (Variable(name="a", label="Age", unit="years", kind="continuous", decimals=0), 1e308, "1 × 10³⁰⁸ years",
         "Age 1 × 10³⁰⁸ years"),
        (Variable(name="b", label="Bilirubin", kind="continuous"), float("nan"), "missing", "Bilirubin missing"),
        (GRADE, "2", "2", "Grade 2"),
        (GRADE, 2.0, "2", "Grade 2"),
        (GRADE, None, "missing", "Grade missing"),
        (GRADE, pd.NA, "missing", "Grade missing"),
        (Variable(name="sex", label="Sex", kind="binary"), "f", "f", "Sex: f"),
    ],
)  # fmt: skip
def test_values_are_said_as_a_clinician_would(variable, value, said, with_label):
    assert variable.say(value) == said
    assert variable.say_with_label(value) == with_label


def test_a_phrase_only_replaces_its_own_place():
    variable = Variable(name="x", kind="categorical", phrase="{value} {other} {0}")
    assert variable.say_with_label("{value}") == "{value} {other} {0}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "continuous", "levels": [{"code": "1", "label": "1"}]},
        {"kind": "binary", "levels": [{"code": "1", "label": "one"}]},
        {"kind": "ordinal", "levels": [{"code": "1", "label": "a"}, {"code": "1.0", "label": "b"}]},
        {"kind": "ordinal", "levels": [{"code": "1", "label": "a"}], "reference": "2"},
        {"kind": "continuous", "use": "later"},
        {"kind": "continuous", "plausible": [5, 1]},
        {"kind": "continuous", "cutpoints": [4, 4]},
        {"kind": "categorical", "scale": "log"},
        {"kind": "continuous", "phrase": "nodes"},
        {"kind": "continuous", "surprise": 1},
        {"kind": "number"},
    ],
)
def test_a_variable_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValidationError):
        Variable.model_validate({"name": "x"} | wrong)


def test_types_of_the_frame():
    c = cohort_from_frame(frame(), outcomes=[OS], variables=[GRADE])
    assert list(c.frame.columns) == ["age", "grade", "t", "s"]
    assert c.frame["age"].dtype == np.float64
    assert c.frame["t"].dtype == np.float64
    assert list(c.frame["grade"].cat.categories) == ["2", "1"]  # the dictionary's order, not the alphabet's
    assert list(c.frame["s"].cat.categories) == ["0", "1"]
    assert isinstance(c.frame.index, pd.RangeIndex)
    np.testing.assert_array_equal(c.event("os"), [True, False, True])
    np.testing.assert_array_equal(c.time(c.outcomes[0]), [10.0, 0.0, 5.0])
    assert c.identifiers == ["Patient 1", "Patient 2", "Patient 3"]
    assert len(c) == 3


def test_the_composite_counts_competing_events():
    status = pd.Series(["dead", "transplant", "censored"])
    pbc = Outcome(
        key="d", label="Death or transplant", time="t", unit="days", status="s",
        censored=("censored",), event=("dead",), competing={"Transplant": ("transplant",)},
    )  # fmt: skip
    c = cohort_from_frame(frame().assign(s=status), outcomes=[pbc])
    np.testing.assert_array_equal(c.event("d"), [True, True, False])
    assert c.outcomes[0].has_competing


def test_a_fingerprint_sees_every_change():
    base = cohort_from_frame(frame(), outcomes=[OS], variables=[GRADE])
    again = cohort_from_frame(frame(), outcomes=[OS], variables=[GRADE])
    assert base == again
    assert hash(base) == hash(again)
    assert len(base.fingerprint) == 64
    turned = GRADE.model_copy(update={"levels": GRADE.levels[::-1]})
    others = [
        cohort_from_frame(frame().assign(age=[50.0, 61.5, 0.0]), outcomes=[OS], variables=[GRADE]),
        cohort_from_frame(frame().assign(age=[50.0, 61.5000000001, np.nan]), outcomes=[OS], variables=[GRADE]),
        cohort_from_frame(frame().iloc[::-1], outcomes=[OS], variables=[GRADE]),
        cohort_from_frame(frame().assign(s=[1, 1, 1]), outcomes=[OS], variables=[GRADE]),
        cohort_from_frame(frame(), outcomes=[OS], variables=[turned]),
        cohort_from_frame(frame(), outcomes=[OS.model_copy(update={"unit": "months"})], variables=[GRADE]),
        cohort_from_frame(frame(), outcomes=[OS], variables=[GRADE], key="another"),
        cohort_from_frame(frame().rename(columns={"age": "years"}), outcomes=[OS], variables=[GRADE]),
    ]
    assert len({c.fingerprint for c in (base, *others)}) == 1 + len(others)


def test_a_fingerprint_sees_one_cell_in_a_hundred_thousand():
    n = 100_000
    rng = np.random.default_rng(0)
    big = pd.DataFrame({"x": rng.normal(size=n), "t": rng.integers(1, 9, n), "s": rng.integers(0, 2, n)})
    changed = big.copy()
    changed.loc[77_777, "x"] += 1e-9
    one, other = (cohort_from_frame(f, outcomes=[OS]) for f in (big, changed))
    assert one.fingerprint != other.fingerprint


def test_a_fingerprint_keeps_texts_apart():
    """ "ab" + "c" is not "a" + "bc"."""
    ids = [["ab", "c", "d"], ["a", "bc", "d"]]
    one, other = (cohort_from_frame(frame().assign(id=names), outcomes=[OS], identifier="id") for names in ids)
    assert one.fingerprint != other.fingerprint


def test_one_content_has_one_fingerprint_whatever_its_bits():
    odd_nan = np.array([0x7FF8000000000001], dtype=np.uint64).view(float)[0]
    plain = cohort_from_frame(frame().assign(age=[0.0, 1.0, np.nan]), outcomes=[OS])
    odd = cohort_from_frame(frame().assign(age=[-0.0, 1.0, odd_nan]), outcomes=[OS])
    assert plain.fingerprint == odd.fingerprint


def test_take_keeps_levels_names_and_places():
    c = cohort_from_frame(frame().assign(id=["x", "y", "z"]), outcomes=[OS], variables=[GRADE], identifier="id")
    part = c.take(np.array([False, True, True]), seal="age over 50")
    assert part.identifiers == ["y", "z"]
    np.testing.assert_array_equal(part.rows, [1, 2])
    np.testing.assert_array_equal(part.take(np.array([False, True]), seal="again").rows, [2])
    assert list(part.frame["grade"].cat.categories) == ["2", "1"]
    assert list(part.frame.index) == [0, 1]
    assert len(c) == 3  # the cohort itself is untouched
    assert part.fingerprint != c.fingerprint
    assert part.fingerprint == c.take(np.array([False, True, True]), seal="age over 50").fingerprint
    assert part.fingerprint != c.take(np.array([False, True, True]), seal="grade").fingerprint
    with pytest.raises(ValueError, match="one entry for each patient"):
        c.take(np.array([True]), seal="short")


def test_patients_without_an_identifier_keep_their_number_when_filtered():
    c = cohort_from_frame(frame(), outcomes=[OS])
    assert c.take(np.array([False, False, True]), seal="s").identifiers == ["Patient 3"]


def test_what_may_predict(gbsg2, sample):
    names = {v.name for v in gbsg2.predictors}
    assert {"age", "nodes", "grade"} <= names
    assert not names & {"patient_id", "rfs_days", "rfs_event", "os_days", "os_event"}
    hiv = {v.name for v in sample("actg175_hiv_trial").predictors}
    assert not hiv & {"cd4_week20", "cd8_week20", "cd4_week96", "off_treatment_before_96w"}
    genes = sample("gse7390_breast_expression")
    assert len(genes.predictors) == 4
    assert sum(v.use == "optional" for v in genes.variables) == 76
    assert {v.name for v in sample("actg175_hiv_trial").sensitive} == {"age", "sex", "race"}


def marked(name: str, kind: str = "binary") -> Variable:
    return Variable(name=name, label=name, kind=kind, use="outcome")


def test_what_is_marked_as_part_of_an_outcome_is_no_variable():
    rows = frame().assign(relapse=[1, 0, 1], relapse_time=[4.0, 0.0, 5.0])
    told = [GRADE, marked("relapse"), marked("relapse_time", "continuous"), marked("t", "continuous")]
    c = cohort_from_frame(rows, outcomes=[OS], variables=told)
    assert [v.name for v in c.variables] == ["age", "grade"]
    assert c.predictors == c.groupings == c.filterable == c.variables
    assert [s.variable.name for s in table_one(c)] == ["age", "grade"]
    assert c.frame["relapse"].tolist() == ["1", "0", "1"]
    with pytest.raises(Fixable, match="not in this cohort"):
        group_by(c, "relapse")
    with pytest.raises(Fixable):
        Selection.from_text(Selection(((OneOf("relapse", ("1",)),),)).to_text(), c)


def test_a_cohort_made_by_hand_keeps_its_outcome_to_itself_too():
    c = cohort_from_frame(frame().assign(relapse=[1, 0, 1]), outcomes=[OS])
    c = dataclasses.replace(c, variables=(*c.variables[:-1], marked("relapse")), fingerprint="")
    assert [v.name for v in c.groupings] == [v.name for v in c.filterable] == ["age", "grade"]
    assert [v.name for v in c.predictors] == ["age", "grade"]


def test_a_part_of_an_outcome_is_checked_like_any_column():
    rows = frame().assign(relapse=["x", "y", "z"], arm=["a", "b", "a"])
    arm = Treatment(column="arm", randomised=True)
    with pytest.raises(Faults) as caught:
        cohort_from_frame(rows, outcomes=[OS], variables=[marked("relapse"), marked("arm")], treatment=arm)
    assert {f.column for f in caught.value.faults} == {"relapse", "arm"}
    with pytest.raises(Faults, match="not a cohort yet"):
        cohort_from_frame(rows, outcomes=[OS], variables=[marked("relapse", "categorical")], identifier="relapse")


def test_an_unknown_name_is_fixable(gbsg2):
    with pytest.raises(Fixable):
        gbsg2.variable("no such column")
    with pytest.raises(Fixable):
        gbsg2.variable("rfs_event")
    with pytest.raises(Fixable, match="Recurrence or death"):
        gbsg2.outcome("nonsense")


def test_a_cohort_cannot_be_changed(gbsg2):
    with pytest.raises(dataclasses.FrozenInstanceError):
        gbsg2.title = "another"
    with pytest.raises(ValidationError):
        gbsg2.variables[0].label = "another"


def test_visits_follow_their_patients(pbc):
    assert len(pbc.visits.frame) == 1945
    first = pbc.take(np.arange(len(pbc)) < 2, seal="two")
    assert set(first.visits.frame["patient_id"]) == {"1", "2"}
    assert len(first.visits.frame) == int(pbc.visits.frame["patient_id"].isin(["1", "2"]).sum())
