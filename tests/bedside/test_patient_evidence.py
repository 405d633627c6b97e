"""The evidence strip: counts, distances and calibration against what can be counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from scipy.spatial.distance import mahalanobis

from bedside.cohort.values import Range
from bedside.errors import Fixable
from bedside.explain.contributions import readings_of
from bedside.patient.evidence import evidence, ground
from bedside.patient.held_out import held_out
from bedside.patient.inputs import outside
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.validation.resample import cross_validate

T = 1000.0


@pytest.fixture(scope="module")
def made(gbsg2):
    rows = training(gbsg2, gbsg2.outcomes[0])
    model = learn("cox", rows, {"knots": 0})
    found = cross_validate(["cox"], rows, times=[800.0, T, 1500.0], folds=4, settings={"cox": {"knots": 0}})
    return rows, model, ground(model, rows), found


def test_patients_alike_are_those_within_the_close_distance(made, gbsg2):
    rows, _, on, _ = made
    strip = evidence(on, gbsg2.frame.iloc[[7]], T, leave_out=7)
    near = on.metric.distances(gbsg2.frame.iloc[[7]]) <= np.log(2)
    near[7] = False
    assert strip.alike.value == near.sum() >= 10
    assert strip.alike_events.value == (near & rows.event & (rows.time <= T)).sum() >= 10
    assert strip.alike.of == 685
    # None of them has more than twice, or less than half, this patient's hazard.
    apart = on.model.score(gbsg2.frame)[near] - on.model.score(gbsg2.frame)[7]
    assert np.abs(apart).max() <= np.log(2) + 1e-9


def test_the_distance_is_mahalanobis_and_its_share_counts_the_others(made, gbsg2):
    _, model, on, _ = made
    x = model.design.encode(gbsg2.frame)
    inverse = np.linalg.inv(np.cov(x, rowvar=False))
    by_hand = np.array([mahalanobis(row, np.zeros(x.shape[1]), inverse) for row in x])
    np.testing.assert_allclose(on.from_centre(gbsg2.frame), by_hand, rtol=1e-6)
    assert on.covariance
    for place in (0, int(by_hand.argmax()), int(by_hand.argmin())):
        strip = evidence(on, gbsg2.frame.iloc[[place]], T, leave_out=place)
        assert strip.further == pytest.approx((by_hand > by_hand[place] * (1 + 1e-9)).sum() / 685)
        assert strip.nearer == pytest.approx((by_hand < by_hand[place] * (1 - 1e-9)).sum() / 685)
    assert evidence(on, gbsg2.frame.iloc[[int(by_hand.argmax())]], T).outlying
    assert not evidence(on, gbsg2.frame.iloc[[int(by_hand.argmin())]], T).outlying


def test_with_few_patients_for_many_columns_the_columns_are_only_standardised(gbsg2):
    rows = training(gbsg2, gbsg2.outcomes[0]).take(np.arange(40))
    on = ground(learn("cox", rows, {"knots": 3}), rows)
    assert not on.covariance
    assert 0 <= evidence(on, gbsg2.frame.iloc[[3]], 500.0, leave_out=3).further <= 1


def test_the_band_is_observed_against_predicted_in_those_of_similar_risk(made, gbsg2):
    rows, model, on, found = made
    strip = evidence(on, gbsg2.frame.iloc[[7]], T, leave_out=7, found=found)
    out_of_fold = found.mean("cox").at(T)
    away = np.abs(out_of_fold - model.risk(gbsg2.frame.iloc[[7]], [T])[0, 0])
    away[7] = np.inf
    near = np.argsort(away, kind="stable")[:68]
    assert strip.band.n == 68
    assert strip.band.predicted == pytest.approx(out_of_fold[near].mean())
    seen = 1 - KaplanMeierFitter().fit(rows.time[near], rows.event[near]).predict(T)
    assert strip.band.observed == pytest.approx(seen)
    assert strip.band.low <= strip.risk <= strip.band.high
    inside = strip.band.lower <= strip.band.predicted <= strip.band.upper
    assert (strip.band.verdict == "as predicted") == inside
    assert evidence(on, gbsg2.frame.iloc[[7]], T).band is None
    assert evidence(on, gbsg2.frame.iloc[[7]], T, found=found, kind="forest").band is None


def test_a_model_whose_risks_are_wrong_is_told_so(made, gbsg2):
    _, _, on, found = made
    low = replace(found, risk={kind: 0.1 * risk for kind, risk in found.risk.items()})
    risk = float(low.mean("cox").at(T).mean())
    dull = _Fixed(on.model, risk)
    strip = evidence(replace(on, model=dull), gbsg2.frame.iloc[[7]], T, found=low)
    assert strip.band.verdict == "too low"
    assert not strip.sound


class _Fixed:
    """A model with one risk for everybody."""

    def __init__(self, model, risk):
        self._model, self._risk = model, risk

    def __getattr__(self, name):
        return getattr(self._model, name)

    def risk(self, patients, times):
        return np.full((len(patients), len(np.atleast_1d(times))), self._risk)


def test_models_more_than_ten_points_apart_disagree(made, gbsg2, pbc):
    _, model, on, _ = made
    own = model.risk(gbsg2.frame.iloc[[7]], [T])[0, 0]
    near, far = _Fixed(model, own - 0.10), _Fixed(model, own + 0.101)
    strip = evidence(on, gbsg2.frame.iloc[[7]], T, others=[near])
    assert [(s.far, round(s.points, 6)) for s in strip.others] == [(False, -10.0)]
    assert not strip.disagree
    strip = evidence(on, gbsg2.frame.iloc[[7]], T, others=[far], published={"Score": own, "None": float("nan")})
    assert [s.far for s in strip.others] == [True, False]
    assert strip.disagree
    assert strip.apart == pytest.approx(10.1)
    # Two others on either side of the model are further apart than either is from it.
    both = evidence(on, gbsg2.frame.iloc[[7]], T, published={"a": own - 0.06, "b": own + 0.06})
    assert both.disagree
    assert not any(s.far for s in both.others)
    other = learn("cox", training(pbc, pbc.outcomes[0]), {"knots": 0})
    assert evidence(on, gbsg2.frame.iloc[[7]], T, others=[other]).others == ()


def test_missing_unseen_and_wild_values_are_named(made, gbsg2):
    _, model, on, _ = made
    strip = evidence(on, pd.DataFrame(index=[0]), T)
    assert {v.name for v in strip.filled} == {v.name for v in model.variables}
    assert strip.bare
    assert 0 < strip.risk < 1
    wild = gbsg2.frame.iloc[[7]].assign(age=250.0, nodes=np.nan, grade="no such grade")
    strip = evidence(on, wild, T, leave_out=7)
    assert [(o.variable.name, o.plausible) for o in strip.outside] == [("age", False)]
    assert strip.outside[0].low == "21"
    assert [v.name for v in strip.filled] == ["nodes"]
    assert strip.outside[0].why == "seen 21 to 80; plausible 18 to 100"
    assert [(p.said, p.like) for p in strip.pooled] == [("no such grade", "2")]
    assert not strip.bare and strip.odd
    assert strip.outlying
    assert strip.further == 0
    assert strip.alike.value == 0
    assert not strip.sound
    with pytest.raises(Fixable, match="No risk at that time"):
        evidence(on, wild, 1e7)


def test_an_outlier_is_compared_with_the_others(made, gbsg2):
    """It is in the training data itself: the oldest by a year is no outlier, somebody of 100,000 is."""
    _, _, on, _ = made
    far = gbsg2.frame["age"].to_numpy(dtype=float).copy()
    far[7] = 100_000.0
    frame = gbsg2.frame.assign(age=far)
    reading = replace(readings_of(on.model)["age"], range=Range(21, 25, 46, 53, 61, 75, 100_000))
    (age,) = [outside(reading, frame.iloc[[7]], frame, 7)]
    assert (age.said, age.why) == ("100,000 years", "seen 21 to 80; plausible 18 to 100")
    oldest = int(np.argmax(np.where(far < 1000, far, 0)))
    assert outside(reading, frame.iloc[[oldest]], frame, oldest) is None
    here = gbsg2.frame
    top = int(here["age"].argmax())
    assert outside(readings_of(on.model)["age"], here.iloc[[top]], here, top) is None
    # Known to others, and still not plausible.
    narrow = replace(reading, variable=reading.variable.model_copy(update={"plausible": (18.0, 60.0)}))
    (seen,) = [outside(narrow, frame.iloc[[oldest]], frame, oldest)]
    assert (seen.beyond, seen.why) == (False, "plausible 18 to 60")


def test_a_few_alike_are_not_counted_out(made, gbsg2):
    _, _, on, _ = made
    few = [i for i in range(0, 686, 9) if evidence(on, gbsg2.frame.iloc[[i]], T, leave_out=i).alike.value is None]
    assert few
    strip = evidence(on, gbsg2.frame.iloc[[few[0]]], T, leave_out=few[0])
    assert (strip.alike_events.value, strip.alike_events.of) == (None, 0)
    assert 0 < (on.metric.distances(gbsg2.frame.iloc[[few[0]]]) <= on.metric.close).sum() - 1 < 10


def test_every_kind_has_its_evidence(gbsg2):
    rows = training(gbsg2, gbsg2.outcomes[0]).take(np.arange(0, 686, 2))
    model = learn("forest", rows, {"trees": 20, "leaf": 20, "share": 0.5})
    strip = evidence(ground(model, rows), rows.frame.iloc[[3]], T, leave_out=3)
    assert strip.metric_unit == "risk"
    assert strip.close == 0.10
    assert 0 <= strip.further <= 1


def test_of_a_patient_who_came_so_far_only_those_who_did_count(made, gbsg2):
    rows, model, on, found = made
    since, row = 500.0, gbsg2.frame.iloc[[7]]
    now = 1 - (1 - model.risk(row, [T])[0, 0]) / (1 - model.risk(row, [since])[0, 0])
    strip = evidence(on, row, T, leave_out=7, found=found, since=since, risk=now)
    there = rows.time > since
    there[7] = False
    near = (on.metric.distances(row) <= np.log(2)) & there
    assert strip.alike.of == there.sum()
    assert strip.alike.value == near.sum() >= 10
    events = int((near & rows.event & (rows.time <= T)).sum())
    assert strip.alike_events.value in (events, None)
    grid = found.mean("cox")
    first, last = (grid.at_own(np.full(len(rows), t)) for t in (since, T))
    said = 1 - (1 - last) / (1 - first)
    nearest = np.argsort(np.where(there, np.abs(said - now), np.inf), kind="stable")[:68]
    assert strip.band.predicted == pytest.approx(said[nearest].mean())
    seen = KaplanMeierFitter().fit(rows.time[nearest], rows.event[nearest], entry=np.full(68, since)).predict(T)
    assert strip.band.observed == pytest.approx(1 - seen)
    assert (strip.risk, strip.since) == (now, since)
    rivalled = replace(found, rows=replace(found.rows, cause=2 * found.rows.cause))
    assert held_out(rivalled, "cox", T) is not None
    assert held_out(rivalled, "cox", T, since=since) is None
    assert held_out(found, "forest", T) is None
    assert strip.band.observed != evidence(on, row, T, leave_out=7, found=found).band.observed
