"""The spread of refits: close to the exact interval where there is one, the same bits twice, and back from disk."""

from __future__ import annotations

import json

import numpy as np
import pytest
from risk_cases import simulated

from bedside.risk.average import average_of
from bedside.risk.fitted import State
from bedside.risk.learners import learn, restore
from bedside.risk.training import training
from bedside.risk.variability import with_variability


@pytest.fixture(scope="module")
def rows():
    return training(simulated(500, seed=6), "death")


@pytest.fixture(scope="module")
def varied(rows):
    return with_variability(learn("cox", rows, {"knots": 0}), rows, refits=60, seed=3)


def test_spread_of_cox_is_that_of_its_interval(rows, varied):
    some, times = rows.frame.iloc[:60], [300.0, 900.0]
    exact, ours = varied.model.limits(some, times), varied.limits(some, times)
    assert ours.name == "model variability"
    wide = (ours.upper - ours.lower) / (exact.upper - exact.lower)
    assert 0.85 < np.median(wide) < 1.15
    risk = varied.risk(some, times)
    assert risk.tobytes() == varied.model.risk(some, times).tobytes()
    assert ((ours.lower < risk) & (risk < ours.upper)).all()


def test_limits_by_hand(rows, varied):
    patient, t = rows.frame.iloc[[4]], 600.0
    scaled = np.array([np.log(-np.log(1 - m.risk(patient, [t])[0, 0])) for m in varied.refits])
    middle = np.log(-np.log(1 - varied.model.risk(patient, [t])[0, 0]))
    reach = 1.6448536269514722 * scaled.std(ddof=1)
    limits = varied.limits(patient, [t], level=0.9)
    by_hand = 1 - np.exp(-np.exp(middle + np.array([-1, 1]) * reach))
    np.testing.assert_allclose([limits.lower[0, 0], limits.upper[0, 0]], by_hand, rtol=1e-10)


def test_same_seed_same_bits_and_back_again(rows, varied):
    again = with_variability(varied.model, rows, refits=60, seed=3)
    assert again.fingerprint == varied.fingerprint
    other = with_variability(varied.model, rows, refits=3, seed=4)
    assert other.fingerprint != varied.fingerprint
    state = other.state()
    back = restore(State(state.kind, json.loads(json.dumps(dict(state.facts))), state.arrays))
    ours, theirs = back.limits(rows.frame, [0.0, 500.0]), other.limits(rows.frame, [0.0, 500.0])
    assert ours.lower.tobytes() == theirs.lower.tobytes()
    assert ours.upper.tobytes() == theirs.upper.tobytes()
    assert (ours.lower[:, 0] == 0).all()
    assert (back.kind, back.fingerprint) == ("cox", other.fingerprint)


def test_any_model_can_be_refitted(rows):
    members = [learn("cox", rows, {"knots": k}) for k in (0, 3)]
    assert average_of(members, rows).limits(rows.frame, [500.0]) is None
    shares = []
    with_variability(members[1], rows, refits=2, progress=lambda share, _: shares.append(share))
    assert shares == [0.0, 0.5, 1.0]


def test_few_events_are_drawn_until_there_are_enough():
    rows = training(simulated(60, seed=2), "death")
    few = rows.take(np.r_[np.flatnonzero(rows.event)[:10], np.flatnonzero(~rows.event)])
    varied = with_variability(learn("cox", few), few, refits=5)
    assert all(refit.n_events >= 10 for refit in varied.refits)
    assert np.isfinite(varied.limits(few.frame, [few.time.max() / 2]).upper).all()


def test_one_refit_has_no_spread(rows):
    with pytest.raises(ValueError, match="at least 2"):
        with_variability(learn("cox", rows), rows, refits=1)
