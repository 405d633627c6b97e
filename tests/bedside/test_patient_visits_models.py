"""Landmark models at round times: each visit's risk against the same model made by hand, and what can't be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bedside.errors import Fixable
from bedside.patient.visits_gain import gain_at
from bedside.patient.visits_models import landmark_models, landmark_times, risk_at_visits
from bedside.patient.visits_risk import at_landmark
from bedside.risk.learners import learn
from bedside.risk.training import training

YEAR = 365.25
AHEAD = 4 * YEAR


@pytest.fixture(scope="module")
def learnt(pbc):
    outcome, steps = pbc.outcomes[0], []
    found = landmark_models(pbc, outcome, progress=lambda share, _: steps.append(share))
    assert steps == [i / len(found.at) for i in range(len(found.at))]
    return outcome, found, learn("cox", training(pbc, outcome), {"knots": 0})


def place(cohort, name: str) -> int:
    return cohort.frame[cohort.identifier].astype(str).tolist().index(name)


def test_landmarks_are_round_times_at_which_most_visits_lie(pbc, learnt):
    outcome, found, _ = learnt
    times, step = landmark_times(pbc, outcome)
    assert step == pytest.approx(YEAR / 2)
    assert times == found.at
    assert times[:3] == pytest.approx([YEAR / 2, YEAR, 2 * YEAR])
    assert len(times) == 12
    assert all(abs(t / step - round(t / step)) < 1e-9 for t in times)
    # 11 coefficients: 58 events at four years are enough for them, 46 at five are not.
    assert [None if m is None else m.n_events for m in found.models] == [135, 122, 110, 91, 77, 69, 58, *[None] * 5]
    assert [m is None for m in found.starts] == [m is None for m in found.models]
    assert all("Fewer than 5 events" in why for why in found.why[7:])
    left = at_landmark(pbc, outcome, 4 * YEAR).updated.time
    assert ((left >= found.reach[6]).sum(), np.isnan(found.reach[7])) == (10, True)
    assert found.nearest(4.9 * YEAR) == 6
    assert found.nearest(6 * YEAR) == 9
    assert found.nearest(20 * YEAR) is None


def test_an_updated_risk_is_that_of_a_landmark_model_made_by_hand(pbc, learnt):
    """Those seen by three years and event-free after it, a Cox model of their last values, and the patient's own."""
    outcome, found, first = learnt
    row = place(pbc, "21")
    risks = risk_at_visits(found, pbc, outcome, row, AHEAD, first)
    seen = pbc.visits.frame[pbc.visits.frame[pbc.visits.patient].astype(str) == "21"].sort_values(pbc.visits.time)
    assert [r.at for r in risks] == seen[pbc.visits.time].tolist()
    (one,) = [r for r in risks if abs(r.at - 3 * YEAR) < 30]
    landmark = at_landmark(pbc, outcome, 3 * YEAR)
    by_hand = learn("cox", landmark.updated, {"knots": 0})
    own = pbc.frame.iloc[[row]].copy()
    for variable in landmark.carried:
        last = seen[seen[pbc.visits.time] <= one.at][variable.name].dropna().iloc[-1]
        own[variable.name] = last if variable.is_numeric else pd.Categorical([last], categories=list(variable.codes))
    assert one.risk == pytest.approx(by_hand.risk(own, [AHEAD])[0, 0], abs=1e-12)
    limits = by_hand.limits(own, [AHEAD])
    assert (one.lower, one.upper) == pytest.approx((limits.lower[0, 0], limits.upper[0, 0]), abs=1e-12)
    assert (one.n, one.n_events) == (240, 77)
    start = pbc.frame.iloc[[row]]
    alone = learn("cox", landmark.baseline, {"knots": 0})
    assert one.unchanged == pytest.approx(alone.risk(start, [AHEAD])[0, 0], abs=1e-12)
    assert one.landmark == 3 * YEAR
    assert one.each == pytest.approx(7)
    assert one.weak
    assert (risks[0].at, risks[0].risk) == (0.0, first.risk(start, [AHEAD])[0, 0])
    assert np.isnan(risks[0].unchanged)
    assert not risks[0].weak


def test_what_looks_like_new_values_is_no_change_of_model(pbc, learnt):
    """Patient 3 at two years: 64 of 100 by the model of the start, 41 by these patients' and the same values."""
    outcome, found, first = learnt
    risk = risk_at_visits(found, pbc, outcome, 2, AHEAD, first)[-1]
    assert (round(100 * risk.risk), round(100 * risk.unchanged)) == (40, 41)


def test_what_is_not_known_gives_its_reason_and_no_number(pbc, learnt):
    outcome, found, first = learnt
    ended = risk_at_visits(found, pbc, outcome, place(pbc, "21"), AHEAD, first)[-1]
    assert np.isnan(ended.risk)
    assert ended.ended
    assert "follow-up ended without the event" in ended.why
    far = risk_at_visits(found, pbc, outcome, place(pbc, "21"), 9 * YEAR, first)
    silent = [r.why for r in far if np.isnan(r.risk) and not r.ended]
    assert silent[0] == "Nobody who came as far was followed for so long after it."
    assert "Fewer than 5 events for each coefficient" in silent[-1]
    assert not np.isnan(far[1].risk)
    assert risk_at_visits(found, pbc, outcome, place(pbc, "313"), AHEAD, first) == ()
    assert [r.at for r in risk_at_visits(found, pbc, outcome, place(pbc, "10"), AHEAD, first)] == [0.0]


def test_a_patient_without_any_value_still_has_a_risk(pbc, learnt):
    outcome, found, first = learnt
    row = place(pbc, "21")
    frame, seen = pbc.frame.copy(), pbc.visits.frame.copy()
    for variable in found.carried:
        frame.loc[row, variable.name] = np.nan
        seen.loc[seen[pbc.visits.patient].astype(str) == "21", variable.name] = np.nan
    empty = replace(pbc, frame=frame, visits=replace(pbc.visits, frame=seen))
    risks = risk_at_visits(found, empty, outcome, row, AHEAD, first)
    assert all(0 < r.risk < 1 for r in risks if not r.why)


def test_cohorts_in_which_nothing_can_be_updated(pbc, gbsg2):
    with pytest.raises(Fixable, match="no table of visits"):
        landmark_models(gbsg2, gbsg2.outcomes[0])
    with pytest.raises(Fixable, match="None of the model's variables"):
        landmark_models(pbc, pbc.outcomes[0], ["age", "sex"])
    start = pbc.visits.frame[pbc.visits.frame[pbc.visits.time] == 0]
    once = replace(pbc, visits=replace(pbc.visits, frame=start))
    with pytest.raises(Fixable, match="No visit after time zero"):
        landmark_models(once, once.outcomes[0])


def test_the_gain_is_checked_five_times_in_a_job(pbc):
    steps: list[float] = []
    found = gain_at(pbc, pbc.outcomes[0], 2 * YEAR, progress=lambda share, _: steps.append(share))
    assert len(found.baseline) == len(found.updated) == len(steps) == 25
    assert found.difference == pytest.approx((found.updated - found.baseline).mean())
    assert 0 < found.difference < 0.15
