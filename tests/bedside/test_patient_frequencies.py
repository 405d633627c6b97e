"""Natural frequencies: counts that add up, agree with the text, and never turn back over the horizon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.errors import Fixable
from bedside.patient.frequencies import frequencies, whole_counts
from bedside.patient.states import state_risks
from bedside.report import say
from bedside.risk.learners import learn
from bedside.risk.training import training

SHARE = st.floats(0, 1, allow_nan=False)


def shares(pairs):
    """Two risks over time that rise and stay below 1 together."""
    steps = np.array(pairs).reshape(-1, 2)
    left, event, other = 1.0, [0.0], [0.0]
    for a, b in steps:
        event.append(event[-1] + left * a * b)
        other.append(other[-1] + left * a * (1 - b))
        left -= left * a
    return np.array(event), np.array(other)


@given(st.lists(st.tuples(SHARE, SHARE), min_size=1, max_size=25), st.sampled_from([10, 100, 1000]))
def test_counts_add_up_stay_next_to_the_share_and_never_turn_back(pairs, of):
    event, other = shares(pairs)
    count = whole_counts(event, other, of=of)
    assert (count.sum(axis=1) == of).all()
    assert (count >= 0).all()
    exact = of * np.stack([event, other, 1 - event - other], axis=1)
    assert (np.abs(count - exact) < 1 + 1e-9).all()
    assert (np.abs(count[:, :2] - exact[:, :2]) <= 0.5 + 1e-9).all()
    step = np.diff(count, axis=0)
    assert (step[:, :2] >= 0).all()
    assert (step[:, 2] <= 0).all()


@given(SHARE)
def test_the_count_is_the_number_that_the_text_rounds_to(risk):
    said = say.of_100(risk).removesuffix(" of 100")
    count = int(whole_counts(np.array([risk]), np.array([0.0]))[0, 0])
    assert said in (f"{count}", "fewer than 1", "more than 99")
    assert (said == "fewer than 1") <= (count == 0)
    assert (said == "more than 99") <= (count == 100)


def test_halves_that_meet_leave_nobody_over():
    for first in range(100):
        event = (first + 0.5) / 100
        assert whole_counts(np.array([event]), np.array([1 - event]))[0].sum() == 100
    np.testing.assert_array_equal(whole_counts(np.array([0.505]), np.array([0.495]))[0], [50, 50, 0])


def test_a_count_does_not_fall_where_the_largest_remainder_would():
    """30.6 event, 30.0 then 30.7 other: the largest remainder takes a patient with the event away."""
    before, after = whole_counts(np.array([0.306, 0.306]), np.array([0.300, 0.307]))
    np.testing.assert_array_equal(before, [31, 30, 39])
    np.testing.assert_array_equal(after, [31, 31, 38])


@pytest.fixture(scope="module")
def mgus(sample):
    return sample("mgus_competing")


def rows_of(cohort, target, every=1):
    rows = training(cohort, cohort.outcomes[0], target=target)
    return rows.take(np.arange(0, len(rows), every))


@pytest.mark.parametrize("kind", ["cox", "penalised", "boosted"])
def test_states_of_one_model_are_the_event_its_rivals_and_nobody_twice(mgus, kind):
    rows = rows_of(mgus, "event", 2)
    settings = {"cox": {"knots": 0}, "boosted": {"rounds": 20}}.get(kind)
    model = learn(kind, rows, settings)
    patients, times = mgus.frame.iloc[:30], [0.0, 60.0, 120.0, 240.0]
    found = state_risks(model, patients, times)
    assert found.basis == "one model"
    np.testing.assert_array_equal(found.event, model.risk(patients, times))
    np.testing.assert_allclose(found.event + found.other + found.free, 1, atol=1e-12)
    assert (np.diff(found.other, axis=1) >= -1e-12).all()
    assert 0.1 < found.other[:, 2].mean() < 0.8


def test_the_chance_of_neither_is_exp_of_all_hazards(mgus):
    rows = rows_of(mgus, "event")
    model = learn("cox", rows, {"knots": 0, "penalizer": 0.0})
    found = state_risks(model, mgus.frame, [120.0])
    upto = np.searchsorted(model.time, 120.0, side="right")
    x = model.design.encode(mgus.frame)
    hazard = sum(np.exp(x @ c.coef) * c.hazard[:upto].sum() for c in model.causes)
    np.testing.assert_allclose(found.free[:, 0], np.exp(-hazard), rtol=1e-9)


def test_a_forest_needs_a_model_of_any_event_beside_it(mgus):
    settings = {"trees": 20, "leaf": 30, "share": 0.5}
    own = learn("forest", rows_of(mgus, "event", 2), settings)
    whole = learn("forest", rows_of(mgus, "any", 2), settings)
    patients, times = mgus.frame.iloc[:20], np.linspace(0, min(own.last, whole.last), 40)
    assert state_risks(own, patients, times).basis == "event only"
    found = state_risks(own, patients, times, whole=whole)
    assert found.basis == "two models"
    assert (np.diff(found.other, axis=1) >= 0).all()
    np.testing.assert_allclose(found.event + found.other + found.free, 1, atol=1e-12)
    alone = np.hstack([state_risks(own, patients, [t], whole=whole).other for t in times])
    np.testing.assert_array_equal(alone, found.other)
    with pytest.raises(Fixable, match="any event of the same outcome"):
        state_risks(own, patients, times, whole=own)


def test_sentence_icons_and_table_tell_the_same(mgus):
    model = learn("cox", rows_of(mgus, "event"), {"knots": 0})
    found = frequencies(model, mgus.frame.iloc[[3]], [60.0, 240.0])
    assert [state.key for state in found.states] == ["event", "other", "free"]
    for i in range(2):
        icons = found.icons(i)
        assert len(icons) == 100
        counts = [icons.count(state.key) for state in found.states]
        assert counts == found.count[i].tolist()
        assert [row.count for row in found.rows() if row.time == found.times[i]] == counts
        sentence = found.sentence("within 5 years", i)
        assert all(f"{found.said(i, k)} would" in sentence for k in range(3))
    assert frequencies(model, mgus.frame.iloc[[3]], [60.0], of=10).count.sum() == 10


def test_one_event_has_two_states_in_the_outcomes_own_words(gbsg2):
    outcome = gbsg2.outcomes[0]
    model = learn("cox", training(gbsg2, outcome), {"knots": 0})
    found = frequencies(model, gbsg2.frame.iloc[[0]], [0.0, 1826.25])
    assert found.count[0].tolist() == [0, 100]
    assert found.sentence("within 5 years", 0).startswith("Of 100 patients with these values, 0 would ")
    risk = model.risk(gbsg2.frame.iloc[[0]], [1826.25])[0, 0]
    assert found.sentence("within 5 years of surgery", 1) == (
        f"Of 100 patients with these values, {100 * risk:.0f} would {outcome.event_phrase} within 5 years of surgery "
        f"and {100 - round(100 * risk)} would be {outcome.free_phrase}."
    )
    with pytest.raises(Fixable, match="No risk at that time"):
        frequencies(model, gbsg2.frame.iloc[[0]], [1e6])


def test_a_small_risk_is_never_said_to_be_none(gbsg2):
    outcome = gbsg2.outcomes[0]
    model = learn("cox", training(gbsg2, outcome), {"knots": 0})
    lowest = gbsg2.frame.iloc[[int(model.score(gbsg2.frame).argmin())]]
    first = float(model.baseline.time[0])
    found = frequencies(model, lowest, [first])
    assert found.count[0].tolist() == [0, 100]
    assert "fewer than 1 would" in found.sentence("by then")
    assert "more than 99 would" in found.sentence("by then")
