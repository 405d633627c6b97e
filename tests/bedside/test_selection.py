"""Filters: who is in, what is said, what a link may carry."""

from __future__ import annotations

import base64
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.cohort import Between, Level, OneOf, Outcome, Selection, Variable
from bedside.errors import Fixable
from bedside.intake import cohort_from_frame

OS = Outcome(key="os", label="Death", time="t", unit="days", status="s", censored=("0",), event=("1",))
GRADE = Variable(
    name="grade",
    label="Grade",
    kind="ordinal",
    levels=tuple(Level(code=c, label=c) for c in "123"),
    phrase="Grade {value}",
)
AGE = Variable(name="العمر", label="Age", unit="years", kind="continuous", decimals=0, phrase="Age {value}")
N = 60


def make():
    rng = np.random.default_rng(5)
    data = pd.DataFrame(
        {
            "العمر": np.where(rng.random(N) < 0.2, np.nan, rng.integers(30, 80, N)),
            "grade": pd.Series(rng.integers(1, 4, N)).where(rng.random(N) > 0.2),
            "id": [f"P{i}" for i in range(N)],
            "born": pd.date_range("1950-01-01", periods=N),
            "said": [f"words {i % 30}" for i in range(N)],
            "t": rng.integers(0, 100, N),
            "s": rng.integers(0, 2, N),
        }
    )
    return cohort_from_frame(data, outcomes=[OS], variables=[GRADE, AGE], identifier="id")


COHORT = make()

bounds = st.one_of(st.none(), st.integers(20, 90), st.floats(20, 90, allow_nan=False))
between = st.builds(Between, st.just("العمر"), bounds, bounds, st.booleans()).filter(
    lambda c: c.low is None or c.high is None or c.low <= c.high
)
levels = st.lists(st.sampled_from("123"), unique=True).map(tuple)
one_of = st.builds(OneOf, st.just("grade"), levels, st.booleans())
selections = st.lists(st.lists(st.one_of(between, one_of), max_size=3).map(tuple), max_size=4).map(
    lambda groups: Selection(tuple(groups))
)


def holds(clause, row) -> bool:
    """The meaning of a clause, patient by patient and in plain Python."""
    value = row[clause.column]
    if pd.isna(value):
        return clause.missing
    if isinstance(clause, OneOf):
        return value in clause.codes
    return (clause.low is None or value >= clause.low) and (clause.high is None or value <= clause.high)


@given(selections)
def test_groups_are_joined_by_and_clauses_by_or(selection):
    rows = COHORT.frame.to_dict("records")
    expected = [all(any(holds(clause, row) for clause in group) for group in selection.groups) for row in rows]
    np.testing.assert_array_equal(selection.mask(COHORT), expected)


@given(selections)
def test_text_round_trips(selection):
    text = selection.to_text()
    assert Selection.from_text(text, COHORT) == selection
    assert all(c.isalnum() or c in "-_" for c in text)
    assert (text == "") == selection.is_everyone


@given(selections)
def test_attrition_adds_up(selection):
    steps = selection.attrition(COHORT)
    assert (steps[0].label, steps[0].left, steps[0].dropped) == ("All patients", N, 0)
    assert steps[-1].left == selection.mask(COHORT).sum()
    assert sum(step.dropped for step in steps) == N - steps[-1].left
    assert all(step.dropped >= 0 for step in steps)
    assert tuple(step.label for step in steps[1:]) == selection.say(COHORT)


@given(selections, selections)
def test_more_groups_never_bring_anyone_back(one, other):
    both = Selection(one.groups + other.groups)
    np.testing.assert_array_equal(both.mask(COHORT), one.mask(COHORT) & other.mask(COHORT))


@given(selections, st.integers(0, 3))
def test_a_group_can_be_taken_away_again(selection, i):
    group = (OneOf("grade", ("1",)),)
    longer = selection.with_group(group)
    assert longer.without(len(longer.groups) - 1) == selection
    if i < len(selection.groups):
        assert selection.without(i).groups == tuple(g for j, g in enumerate(selection.groups) if j != i)


@settings(max_examples=30)
@given(selections)
def test_a_selected_cohort_is_sealed_by_its_selection(selection):
    if not selection.mask(COHORT).any():
        with pytest.raises(Fixable, match="No patient is left"):
            selection.apply(COHORT)
        return
    part = selection.apply(COHORT)
    assert len(part) == selection.mask(COHORT).sum()
    assert part.identifiers == list(np.array(COHORT.identifiers)[selection.mask(COHORT)])
    assert part == selection.apply(COHORT)
    assert (part == COHORT) == selection.is_everyone


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda b: base64.urlsafe_b64encode(b).decode())))
def test_nonsense_in_a_link_is_fixable_and_not_echoed(text):
    try:
        Selection.from_text(text, COHORT)
    except Fixable as stop:
        assert len(text) < 12 or text not in str(stop)


def packed(told: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "told",
    [
        {},
        [1],
        [[1]],
        [[["between", "العمر", 1, 2]]],
        [[["between", "العمر", "1", 2, 0]]],
        [[["between", "العمر", True, 2, 0]]],
        [[["between", "العمر", 3, 2, 0]]],
        [[["between", "العمر", float("nan"), 2, 0]]],
        [[["between", "العمر", 1, float("inf"), 0]]],
        [[["between", "العمر", 1, 2, 5]]],
        [[["between", "العمر", 10**310, None, 0]]],
        [[["between", "العمر", None, -(10**4000), 0]]],
        [[["between", "grade", 1, 2, 0]]],
        [[["between", "no such column", 1, 2, 0]]],
        [[["between", "t", 1, 2, 0]]],
        [[["one of", "s", ["1"], 0]]],
        [[["one of", "id", ["P1"], 0]]],
        [[["one of", "said", ["words 1"], 0]]],
        [[["between", "born", 1, 2, 0]]],
        [[["one of", "grade", ["9"], 0]]],
        [[["one of", "grade", [1], 0]]],
        [[["one of", "grade", "1", 0]]],
        [[["none of", "grade", ["1"], 0]]],
    ],
)
def test_a_link_that_asks_for_more_than_it_may(told):
    with pytest.raises(Fixable):
        Selection.from_text(packed(told), COHORT)


def test_a_link_that_is_too_long_or_too_deep():
    with pytest.raises(Fixable, match="longer"):
        Selection.from_text("A" * 9000, COHORT)
    with pytest.raises(Fixable):
        Selection.from_text(base64.urlsafe_b64encode(b"[" * 5000).decode(), COHORT)


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ((Between("age", 50, 65),), "Age 50 to 65 years"),
        ((Between("age", 50),), "Age 50 years or more"),
        ((Between("age", None, 49.5),), "Age up to 49.5 years"),
        ((Between("age", 50, 50),), "Age 50 years"),
        ((OneOf("grade", ("2", "3")),), "Grade 2 or 3"),
        ((OneOf("grade", ("1", "2", "3")),), "Grade 1, 2 or 3"),
        ((OneOf("menopausal_status", ("post",)),), "Post-menopausal"),
        ((Between("nodes", 1, 1),), "1 positive node"),
        ((Between("nodes", 4), OneOf("grade", ("3",))), "4 or more positive nodes or Grade 3"),
        ((Between("pgr_fmol_mg", 20, None, True),), "Progesterone receptor 20 fmol/mg or more or not recorded"),
        ((OneOf("grade", (), True),), "Tumour grade not recorded"),
        ((OneOf("grade", ()),), "Tumour grade: no level"),
    ],
)
def test_filters_are_said(gbsg2, group, said):
    assert Selection((group,)).say(gbsg2) == (said,)


def test_counts_of_a_known_cohort(gbsg2):
    """Counted with awk in data.csv: 352 patients aged 50 to 65, of whom 312 have grade 2 or 3."""
    selection = Selection(((Between("age", 50, 65),), (OneOf("grade", ("2", "3")),)))
    assert [step.left for step in selection.attrition(gbsg2)] == [686, 352, 312]


def test_what_may_be_shared(gbsg2):
    assert Selection().may_be_shared(gbsg2)
    assert Selection(((Between("nodes", 10),),)).may_be_shared(gbsg2)
    nine = int(np.sort(gbsg2.frame["nodes"].to_numpy())[-9])
    few = Selection(((Between("nodes", nine),),))
    assert few.mask(gbsg2).sum() == 9
    assert not few.may_be_shared(gbsg2)
    for column in ("id", "said", "born"):
        assert not Selection(((OneOf(column, ("P1",), True),),)).may_be_shared(COHORT)


def test_a_clause_that_does_not_fit():
    with pytest.raises(Fixable, match="range needs a continuous"):
        Selection(((Between("grade", 1, 2),),)).mask(COHORT)
    with pytest.raises(Fixable, match="variable that has levels"):
        Selection(((OneOf("العمر", ("50",)),),)).mask(COHORT)
    with pytest.raises(Fixable, match="not in this cohort"):
        Selection(((OneOf("gone", ("50",)),),)).mask(COHORT)
