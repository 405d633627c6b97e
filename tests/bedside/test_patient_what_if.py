"""Other values: what may be entered, risks side by side, and the nearest ones beyond a chosen risk."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.errors import Fixable
from bedside.explain import background, explain
from bedside.patient.conditional import conditional_risk
from bedside.patient.scenarios import CAVEAT, compare, differences, editable, scenario
from bedside.patient.what_if import smallest_change, spread
from bedside.risk.learners import learn
from bedside.risk.training import training

T = 1826.25
EFFECT = re.compile(r"if (you|he|she|they|the patient) chang|would (fall|drop|rise|reduce)|lowers|reduces", re.I)


@pytest.fixture(scope="module")
def cox(gbsg2):
    return learn("cox", training(gbsg2, gbsg2.outcomes[0]), {"knots": 0})


@pytest.fixture(scope="module")
def forest(gbsg2):
    rows = training(gbsg2, gbsg2.outcomes[0])
    return learn("forest", rows, {"trees": 25, "leaf": 20, "share": 0.5})


def test_modifiable_values_come_first_with_what_they_may_be(cox, gbsg2):
    found = editable(cox, gbsg2.frame.iloc[[0]])
    assert [e.variable.name for e in found if e.modifiable] == ["hormone_therapy"]
    assert found[0].variable.name == "hormone_therapy"
    assert found[0].codes == ("no", "yes")
    age = next(e for e in found if e.variable.name == "age")
    assert (age.low, age.high) == gbsg2.variable("age").plausible
    assert age.value == gbsg2.frame["age"].iloc[0]


def test_a_scenario_is_the_patient_with_these_values(cox, gbsg2):
    patient = gbsg2.frame.iloc[[7]]
    made = scenario(cox, patient, {"nodes": 12, "hormone_therapy": "yes", "age": patient["age"].iloc[0]}, name="A")
    assert [c.variable.name for c in made.changes if c.variable.name == "nodes"] == ["nodes"]
    assert "age" not in {c.variable.name for c in made.changes}
    by_hand = gbsg2.frame.iloc[[7]].copy()
    by_hand["nodes"], by_hand["hormone_therapy"] = 12.0, "yes"
    times = [500.0, T]
    side = compare(cox, patient, [made, scenario(cox, patient, {})], times)
    np.testing.assert_array_equal(side.risk[0], cox.risk(patient, times)[0])
    np.testing.assert_array_equal(side.risk[1], cox.risk(by_hand, times)[0])
    np.testing.assert_array_equal(side.risk[2], side.risk[0])
    np.testing.assert_allclose(side.lower[1], cox.limits(by_hand, times).lower[0], rtol=1e-12)
    assert side.names == ("This patient", "A", "Scenario 2")
    np.testing.assert_allclose(side.points[1], 100 * (side.risk[1] - side.risk[0]))


def test_a_value_can_be_taken_away(cox, gbsg2):
    made = scenario(cox, gbsg2.frame.iloc[[7]], {"nodes": None})
    assert made.changes[0].after is None
    assert any("nodes was missing" in note for note in made.notes)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"age": 500}, "18 to 100|plausible"),
        ({"age": float("inf")}, "plausible"),
        ({"age": "old"}, "plausible"),
        ({"age": [40.0]}, "plausible"),
        ({"age": 10**400}, "plausible"),
        ({"age": True}, "plausible"),
        ({"grade": ["2"]}, "no level"),
        ({"grade": "IX"}, "no level"),
        ({"patient_id": 3}, "does not read"),
    ],
)
def test_what_has_no_meaning_is_refused(cox, gbsg2, values, match):
    with pytest.raises(Fixable, match=match):
        scenario(cox, gbsg2.frame.iloc[[7]], values)


def test_what_the_patient_has_is_no_change_however_odd(cox, gbsg2):
    odd = gbsg2.frame.iloc[[7]].astype(object).assign(age=500.0, grade="IX")
    made = scenario(cox, odd, {"age": 500, "grade": "IX", "nodes": "12"})
    assert [(c.variable.name, c.after) for c in made.changes] == [("nodes", 12.0)]


def test_contributions_of_both_patients_add_up(cox, forest, gbsg2):
    patient = gbsg2.frame.iloc[[7]]
    for model, exact in ((cox, 1e-9), (forest, 1e-7)):
        made = scenario(model, patient, {"nodes": 14, "hormone_therapy": "yes"})
        by_hand = patient.assign(nodes=14.0).assign(hormone_therapy="yes")
        beside = background(model, gbsg2, size=40)
        own, other = (explain(model, p, beside, [T])[0] for p in (patient, made.patient))
        assert other.risk == model.risk(by_hand, [T])[0, 0]
        assert abs(other.base + sum(c.points for c in other.contributions) - other.risk) < exact
        found = differences(own, other)
        assert sum(d.points for d in found) == pytest.approx(100 * (other.risk - own.risk), abs=100 * exact)
        assert [abs(d.points) for d in found] == sorted((abs(d.points) for d in found), reverse=True)
        nodes = next(d for d in found if d.label == gbsg2.variable("nodes").label)
        assert nodes.after == "14 positive nodes" != nodes.before


def test_patients_who_are_free_of_it_so_far(cox, gbsg2):
    """By the definition: (R(t) - R(s)) / (1 - R(s)) of the row edited by hand; the nearest values by trying all."""
    patient, s = gbsg2.frame.iloc[[7]].assign(nodes=15.0), 730.5
    made = scenario(cox, patient, {"nodes": 3})
    before, after = cox.risk(patient.assign(nodes=3.0), [s, T])[0]
    side = compare(cox, patient, [made], [T], alive_at=s)
    assert side.risk[1, 0] == pytest.approx((after - before) / (1 - before), abs=1e-12)
    assert side.lower[1, 0] < side.risk[1, 0] < side.upper[1, 0]
    now = conditional_risk(cox, patient, s, [T]).risk[0, 0]
    every = pd.concat([patient.assign(nodes=float(n)) for n in range(1, 15)])
    risk = conditional_risk(cox, every, s, [T]).risk[:, 0]
    found = smallest_change(cox, patient, T, now - 0.04, variables=["nodes"], alive_at=s)
    assert found.risk == pytest.approx(now, abs=1e-12)
    assert found.steps[0].changes[0].after == 1.0 + np.flatnonzero(risk <= now - 0.04).max()


def test_four_scenarios_and_no_more(cox, forest, gbsg2):
    patient = gbsg2.frame.iloc[[7]]
    made = [scenario(cox, patient, {"nodes": n}) for n in (1, 2, 3, 4, 5)]
    assert compare(forest, patient, made[:4], [T]).risk.shape == (5, 1)
    assert compare(forest, patient, made[:4], [T]).limits == ""
    with pytest.raises(Fixable, match="Up to 4"):
        compare(cox, patient, made, [T])


def test_the_smallest_change_of_one_number_is_where_the_risk_crosses(cox, gbsg2):
    """By hand: every whole number of nodes in turn."""
    patient = gbsg2.frame.iloc[[7]].assign(nodes=15.0)
    now = cox.risk(patient, [T])[0, 0]
    found = smallest_change(cox, patient, T, now - 0.05, variables=["nodes"])
    risk = {n: cox.risk(patient.assign(nodes=float(n)), [T])[0, 0] for n in range(1, 15)}
    expected = max(n for n in risk if risk[n] <= now - 0.05)
    assert found.lower
    assert [(c.variable.name, c.before, c.after) for c in found.steps[0].changes] == [("nodes", 15.0, float(expected))]
    assert found.steps[0].risk == risk[expected]
    reading = cox.reading("nodes")
    scale = 1.0 if reading.floor is None else None
    if scale is not None:
        assert found.steps[0].cost == pytest.approx((15 - expected) / spread(reading))
    up = smallest_change(cox, gbsg2.frame.iloc[[7]].assign(nodes=2.0), T, 0.9, variables=["nodes"])
    assert not up.lower
    assert all(step.risk >= 0.9 for step in up.steps)


def test_a_modifiable_level_is_found_and_told_without_a_promise(cox, gbsg2):
    patient = gbsg2.frame.loc[gbsg2.frame["hormone_therapy"] == "no"].iloc[[0]]
    now = cox.risk(patient, [T])[0, 0]
    other = cox.risk(patient.assign(hormone_therapy="yes"), [T])[0, 0]
    found = smallest_change(cox, patient, T, (now + other) / 2)
    assert [c.after for c in found.steps[0].changes] == ["yes"]
    assert found.steps[0].cost == 1
    assert found.steps[0].risk == other
    assert "hormone therapy instead of" in found.sentence
    assert not EFFECT.search(found.sentence + found.caveat)
    assert found.caveat == CAVEAT
    none = smallest_change(cox, patient, T, 0.001)
    assert none.steps == ()
    assert "none within plausible values" in none.sentence
    assert [v.name for v in none.tried] == ["hormone_therapy"]


def test_two_together_only_where_one_is_not_enough(cox, gbsg2):
    patient = gbsg2.frame.iloc[[7]].assign(nodes=8.0, hormone_therapy="no", grade="3")
    now = cox.risk(patient, [T])[0, 0]
    names = ["nodes", "hormone_therapy", "grade"]
    alone = min(
        cox.risk(patient.assign(nodes=1.0), [T])[0, 0],
        cox.risk(patient.assign(hormone_therapy="yes"), [T])[0, 0],
        cox.risk(patient.assign(grade="1"), [T])[0, 0],
    )
    one = smallest_change(cox, patient, T, (now + alone) / 2, variables=names)
    assert all(len(step.changes) == 1 for step in one.steps)
    two = smallest_change(cox, patient, T, alone - 0.02, variables=names)
    assert two.steps
    assert all(len(step.changes) == 2 and step.risk <= alone - 0.02 for step in two.steps)
    assert [s.cost for s in two.steps] == sorted(s.cost for s in two.steps)
    # By hand over whole numbers and levels: nothing nearer.
    best = np.inf
    for nodes in range(1, 9):
        for therapy in ("no", "yes"):
            for grade in ("1", "2", "3"):
                trial = patient.assign(nodes=float(nodes), hormone_therapy=therapy, grade=grade)
                far = (nodes != 8) + (therapy != "no") + (grade != "3")
                if far == 2 and cox.risk(trial, [T])[0, 0] <= alone - 0.02:
                    move = abs(_read(cox, "nodes", nodes) - _read(cox, "nodes", 8)) / spread(cox.reading("nodes"))
                    steps = 3 - int(grade)
                    best = min(best, move + (therapy != "no") + steps)
    assert two.steps[0].cost == pytest.approx(best)


def _read(model, name, value):
    reading = model.reading(name)
    return value if reading.floor is None else np.log(max(value, reading.floor))


@settings(max_examples=25)
@given(st.integers(0, 685), st.floats(0.02, 0.98))
def test_every_answer_crosses_within_what_is_plausible(cox, forest, gbsg2, row, threshold):
    for model in (cox, forest):
        names = ["age", "tumour_size_mm", "nodes", "hormone_therapy"]
        patient = gbsg2.frame.iloc[[row]].assign(age=float(row))
        found = smallest_change(model, patient, T, threshold, variables=names)
        assert found.lower == (found.risk > threshold)
        for step in found.steps:
            assert (step.risk <= threshold) if found.lower else (step.risk >= threshold)
            assert step.cost > 0
            values = {c.variable.name: c.after for c in step.changes}
            made = scenario(model, patient, values)
            assert compare(model, patient, [made], [T]).risk[1, 0] == step.risk
            assert all(21 <= c.after <= 80 for c in step.changes if c.variable.name == "age")
            for c in step.changes:
                if c.variable.is_numeric:
                    assert float(c.variable.digits(c.after)) == c.after


def test_a_model_without_modifiable_values_and_wrong_wishes(pbc, cox, gbsg2):
    model = learn("cox", training(pbc, pbc.outcomes[0]), {"knots": 0})
    found = smallest_change(model, pbc.frame.iloc[[0]], 1000.0, 0.2)
    assert found.steps == ()
    assert "modifiable" in found.sentence
    patient = gbsg2.frame.iloc[[0]]
    for threshold in (0.0, 1.0, float("nan")):
        with pytest.raises(Fixable, match="No such risk"):
            smallest_change(cox, patient, T, threshold)
    with pytest.raises(Fixable, match="does not read it"):
        smallest_change(cox, patient, T, 0.3, variables=["nothing"])
    with pytest.raises(Fixable, match="No risk at that time"):
        smallest_change(cox, patient, 1e7, 0.3)


def test_a_patient_of_whom_nothing_is_known_has_answers_too(cox):
    found = smallest_change(cox, pd.DataFrame(index=[0]), T, 0.5, variables=["nodes", "grade"])
    assert found.steps
    assert found.steps[0].changes[0].before is None
    assert "instead of missing" in found.sentence
