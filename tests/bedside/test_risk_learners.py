"""Every kind of model answers alike: risk, score, limits and state of what can be learnt here."""

from __future__ import annotations

import json

import numpy as np
import pytest
from risk_cases import simulated

from bedside.errors import Fixable
from bedside.risk import fit, linear_predictor, predict, risks
from bedside.risk.average import average_of, restore_average
from bedside.risk.fitted import State
from bedside.risk.learners import KINDS, LEARNERS, learn, restore
from bedside.risk.training import training


@pytest.fixture(scope="module")
def cohort():
    return simulated(300, seed=3)


def carried(state: State) -> State:
    """A state after a way through text."""
    return State(state.kind, json.loads(json.dumps(dict(state.facts))), {k: v.copy() for k, v in state.arrays.items()})


def test_labels():
    assert list(KINDS.values()) == [
        "Cox model",
        "Penalised Cox",
        "Forest",
        "Boosted trees",
        "Average of Cox and forest",
    ]
    assert all(learner.kind == kind for kind, learner in LEARNERS.items())


def test_cox_answers_as_its_own_functions(cohort):
    model = learn("cox", training(cohort, "death"), {"knots": 0})
    plain = fit(cohort, "death")
    times = [0.0, 200.0, 400.0, model.last]

    assert model.coef.tobytes() == plain.coef.tobytes()
    risk = model.risk(cohort.frame, times)
    np.testing.assert_array_equal(risk, np.column_stack([risks(plain, cohort, t) for t in times]))
    assert model.score(cohort.frame).tobytes() == linear_predictor(plain, cohort.frame).tobytes()
    limits = model.limits(cohort.frame.head(5), times, level=0.9)
    drawn = predict(plain, cohort.frame.head(5), level=0.9)
    for i, t in enumerate(times):
        _, lower, upper = drawn.risk_at(t)
        np.testing.assert_allclose(limits.lower[:, i], lower, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(limits.upper[:, i], upper, rtol=1e-12, atol=1e-15)
    assert limits.name == "90% interval"
    with pytest.raises(Fixable, match="No risk at that time"):
        model.risk(cohort.frame, [model.last * 1.01])


def test_cox_state_gives_the_same_bits(cohort):
    model = learn("cox", training(cohort, "death"))
    back = restore(carried(model.state()))
    times = np.linspace(0, model.last, 7)
    assert back.fingerprint == model.fingerprint
    assert back.risk(cohort.frame, times).tobytes() == model.risk(cohort.frame, times).tobytes()
    assert back.limits(cohort.frame, times).lower.tobytes() == model.limits(cohort.frame, times).lower.tobytes()
    assert (back.settings, back.cautions, back.design.readings) == (
        model.settings,
        model.cautions,
        model.design.readings,
    )


def test_average_is_the_mean_of_the_risks(cohort):
    rows = training(cohort, "death")
    members = [learn("cox", rows, {"knots": 0, "penalizer": p}) for p in (0.001, 0.5)]
    model = average_of(members, rows)
    times = [100.0, 300.0]
    by_hand = (members[0].risk(cohort.frame, times) + members[1].risk(cohort.frame, times)) / 2
    np.testing.assert_allclose(model.risk(cohort.frame, times), by_hand, rtol=1e-15)
    np.testing.assert_allclose(
        model.score(cohort.frame), model.risk(cohort.frame, model.ranking).mean(axis=1), rtol=1e-14
    )
    back = restore_average(carried(model.state()))
    assert back.score(cohort.frame).tobytes() == model.score(cohort.frame).tobytes()
    assert back.fingerprint == model.fingerprint


def test_unknown_kind_of_saved_model():
    with pytest.raises(Fixable, match="kind that this version does not know"):
        restore(State("oracle", {}, {}))
