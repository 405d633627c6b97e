"""Similar patients: the model's own distances, what happened to them, and what is kept back."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from risk_cases import cohort_of, levels, number

from bedside.errors import Fixable
from bedside.patient.metric import mean_difference, metric
from bedside.patient.similar import nearest, similar, tally
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.risk.variability import with_variability

FOREST = {"trees": 30, "leaf": 20, "share": 0.5}


@pytest.fixture(scope="module")
def cox(gbsg2):
    rows = training(gbsg2, gbsg2.outcomes[0])
    model = learn("cox", rows, {"knots": 4})
    return rows, model, metric(model, rows)


@pytest.fixture(scope="module")
def forest(gbsg2):
    rows = training(gbsg2, gbsg2.outcomes[0])
    model = learn("forest", rows, FOREST)
    return rows, model, metric(model, rows, t=1826.25)


def test_the_distance_in_a_cox_model_is_what_each_difference_does_to_the_log_hazard(cox, gbsg2):
    """By hand: one variable of the other patient at a time, its change of the linear predictor, added up."""
    _, model, found = cox
    first, other = gbsg2.frame.iloc[[10]], gbsg2.frame.iloc[[200]]
    by_hand = 0.0
    for variable in model.variables:
        mixed = first.assign(**{variable.name: other[variable.name].array})
        by_hand += abs(float(model.score(mixed)[0] - model.score(first)[0]))
    assert found.distances(first)[200] == pytest.approx(by_hand, abs=1e-9)
    assert found.distances(first)[10] == 0
    np.testing.assert_allclose(found.parts(first, np.array([200])).sum(), by_hand, rtol=1e-9)
    assert found.unit == "log hazard"


def test_weights_are_mean_contributions_the_heaviest_first(cox, gbsg2):
    rows, model, _ = cox
    found = metric(model, rows.take(np.arange(120)))
    assert (np.diff(found.weight) <= 0).all()
    some = [found.parts(gbsg2.frame.iloc[[i]], np.arange(120)).sum(axis=0) / 119 for i in range(120)]
    np.testing.assert_allclose(np.mean(some, axis=0), found.weight, rtol=1e-9)
    assert found.share.sum() == pytest.approx(1)


def test_the_mean_difference_is_that_of_all_pairs():
    x = np.random.default_rng(1).normal(size=40)
    pairs = np.abs(x[:, None] - x)[~np.eye(40, dtype=bool)]
    assert mean_difference(x) == pytest.approx(pairs.mean())
    assert mean_difference(np.ones(5)) == mean_difference(np.ones(1)) == 0


def test_weights_of_a_forest_are_changes_of_risk(forest, gbsg2):
    _, _, found = forest
    assert found.unit == "risk"
    assert {v.name for v in found.variables[:2]} == {"nodes", "pgr_fmol_mg"}
    grade = [v.name for v in found.variables].index("hormone_therapy")
    parts = found.parts(gbsg2.frame.iloc[[0]], np.arange(686))[:, grade]
    own = gbsg2.frame["hormone_therapy"] == gbsg2.frame["hormone_therapy"].iloc[0]
    assert (parts[own] == 0).all()
    assert (parts[~own] == parts[~own][0]).all()
    assert parts[~own][0] > 0
    some = [found.parts(gbsg2.frame.iloc[[i]], np.arange(686)).mean(axis=0) for i in range(0, 686, 7)]
    np.testing.assert_allclose(np.mean(some, axis=0), found.weight, rtol=0.15)


def test_every_kind_has_a_metric_and_refits_change_nothing(gbsg2, sample):
    rows = training(gbsg2, gbsg2.outcomes[0]).take(np.arange(0, 686, 2))
    plain = learn("cox", rows, {"knots": 0})
    varied = with_variability(plain, rows, refits=2)
    np.testing.assert_array_equal(metric(varied, rows).places, metric(plain, rows).places)
    for kind in ("penalised", "boosted"):
        model = learn(kind, rows, {"boosted": {"rounds": 20}}.get(kind))
        found = metric(model, rows)
        near, distance = nearest(found, rows.frame.iloc[[3]], k=10, leave_out=3)
        assert len(near) == 10
        assert (np.diff(distance) >= 0).all()


def test_the_nearest_leave_the_patient_out_and_break_ties_by_place():
    n = 400
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": np.repeat(np.arange(20.0), 20), "time": rng.exponential(1, n), "event": 1})
    cohort = cohort_of(frame.sample(frac=1, random_state=3).reset_index(drop=True), [number("x")])
    rows = training(cohort, "death")
    found = metric(learn("cox", rows, {"knots": 0}), rows)
    for place in (0, 123, 399):
        near, distance = nearest(found, cohort.frame.iloc[[place]], k=30, leave_out=place)
        twins = np.flatnonzero(cohort.frame["x"] == cohort.frame["x"].iloc[place])
        assert near[:19].tolist() == [i for i in twins if i != place]
        assert place not in near
        assert (distance[:19] == 0).all()
        gap = (cohort.frame["x"] - cohort.frame["x"].iloc[place]).abs().to_numpy()
        beside = np.flatnonzero(gap == 1)[:11]
        assert near[19:].tolist() == beside.tolist()
    everyone, _ = nearest(found, cohort.frame.iloc[[5]], k=10_000, leave_out=5)
    assert sorted(everyone) == [i for i in range(n) if i != 5]


def test_what_happened_to_them_is_their_kaplan_meier_curve(cox, gbsg2):
    rows, model, found = cox
    near = similar(found, model, rows, gbsg2.frame.iloc[[7]], 1000.0, k=80, leave_out=7)
    theirs = KaplanMeierFitter().fit(rows.time[near.rows], rows.event[near.rows])
    np.testing.assert_allclose(near.observed.risk, 1 - theirs.predict(near.observed.time).to_numpy(), atol=1e-12)
    assert near.observed_at == pytest.approx(1 - theirs.predict(1000.0))
    assert near.lower_at < near.observed_at < near.upper_at
    assert (rows.time[near.rows] >= near.observed.last).sum() >= 10
    assert near.predicted_at == model.risk(gbsg2.frame.iloc[[7]], [1000.0])[0, 0]
    np.testing.assert_allclose(near.expected, model.risk(gbsg2.frame.iloc[near.rows], near.observed.time).mean(axis=0))
    beyond = similar(found, model, rows, gbsg2.frame.iloc[[7]], 2600.0, k=20, leave_out=7)
    assert np.isnan(beyond.observed_at)


def test_with_competing_events_it_is_their_cumulative_incidence(sample):
    mgus = sample("mgus_competing")
    rows = training(mgus, mgus.outcomes[0], target="event")
    model = learn("cox", rows, {"knots": 0})
    found = metric(model, rows)
    near = similar(found, model, rows, mgus.frame.iloc[[3]], 120.0, k=200, leave_out=3)
    time, cause = rows.time[near.rows], rows.cause[near.rows]
    theirs = AalenJohansenFitter(jitter_level=1e-7, calculate_variance=False, seed=1)
    with pytest.warns(Warning, match="Tied"):
        theirs.fit(time, cause, event_of_interest=1)
    expected = theirs.cumulative_density_.loc[:120.0].iloc[-1, 0]
    assert near.observed_at == pytest.approx(expected, abs=2e-3)
    # By hand: the change of either log hazard; 115 events against 860 of the other kind.
    first, other, by_hand = mgus.frame.iloc[[3]], mgus.frame.iloc[[900]], 0.0
    assert model.events == (115, 860)
    for variable in found.variables:
        mixed = pd.concat([first, first.assign(**{variable.name: other[variable.name].array})])
        change = np.diff(model.design.encode(mixed), axis=0)[0]
        by_hand += sum(abs(float(change @ cause.coef)) for cause in model.causes)
    assert found.distances(first)[900] == pytest.approx(by_hand, abs=1e-9)
    np.testing.assert_allclose(found.parts(first, np.array([900])).sum(), by_hand, rtol=1e-9)
    # Death comes first to the old: nobody of 84 is like somebody of 65, and their risks are this patient's.
    old = np.flatnonzero(mgus.frame["age"] >= 84)[:5]
    for place in old:
        near = similar(found, model, rows, mgus.frame.iloc[[place]], 120.0, leave_out=place)
        assert np.median(mgus.frame["age"].iloc[near.rows]) > 80
        assert near.expected_at == pytest.approx(near.predicted_at, abs=0.025)
    # Three deaths do not blur it.
    rare = replace(model, events=(115, 3))
    assert metric(rare, rows).share.tolist() != found.share.tolist()
    alone = replace(model, causes=model.causes[:1], numbers=(1,), events=(115,))
    np.testing.assert_allclose(metric(rare, rows).weight.sum(), metric(alone, rows).weight.sum(), rtol=0.05)


def test_what_they_share_and_where_they_differ(cox, gbsg2):
    """By hand, of several patients: within the quartiles of the nearest, or the level of half of them."""
    rows, model, found = cox
    told = set()
    for place in (7, 40, 303, 524):
        near = similar(found, model, rows, gbsg2.frame.iloc[[place]], 1000.0, k=40, leave_out=place)
        assert len(near.matches) == len(found.variables)
        assert near.close == (found.distances(gbsg2.frame.iloc[[place]])[near.rows] <= np.log(2)).sum()
        for match in near.matches:
            values = gbsg2.frame[match.variable.name]
            theirs, own = values.iloc[near.rows], values.iloc[place]
            if match.variable.is_numeric:
                inside = theirs.quantile(0.25) <= own <= theirs.quantile(0.75)
                by_hand = "alike" if inside else "differs"
            else:
                share = (theirs == own).mean()
                by_hand = "alike" if share >= 0.5 else "differs" if share < 0.25 else "mixed"
                if match.same.value is not None:
                    assert match.same.value == (theirs == own).sum()
            assert match.verdict == by_hand
            assert (match in near.shared, match in near.differing) == (by_hand == "alike", by_hand == "differs")
            told.add((by_hand, match.variable.is_numeric))
    assert told >= {("alike", True), ("differs", True), ("alike", False), ("mixed", False)}


def test_a_level_that_is_read_as_another_one_is_never_alike(gbsg2):
    third = np.flatnonzero(gbsg2.frame["grade"].astype(str) == "3")
    rows = training(gbsg2, gbsg2.outcomes[0]).take(np.setdiff1d(np.arange(686), third[3:]))
    model = learn("cox", rows, {"knots": 0})
    place = int(np.flatnonzero(rows.frame["grade"].astype(str) == "3")[0])
    near = similar(metric(model, rows), model, rows, rows.frame.iloc[[place]], 1000.0, leave_out=place)
    (grade,) = [match for match in near.matches if match.variable.name == "grade"]
    assert (grade.verdict, grade.own, grade.like) == ("read as", "3", "2")
    assert grade not in near.shared


@pytest.mark.parametrize(
    ("value", "of", "shown"), [(0, 50, 0), (1, 50, None), (9, 50, None), (10, 50, 10), (41, 50, None), (50, 50, 50)]
)
def test_small_counts_and_those_that_would_give_them_away_are_kept_back(value, of, shown):
    assert tally(value, of).value == shown


def test_fewer_than_ten_others_are_not_shown(gbsg2, cox):
    rows, model, found = cox
    few = rows.take(np.arange(8))
    with pytest.raises(Fixable, match="fewer than 10 others"):
        similar(metric(model, few), model, few, gbsg2.frame.iloc[[0]], 1000.0, leave_out=0)
    other = learn("cox", rows, {"knots": 0})
    with pytest.raises(Fixable, match="another model"):
        similar(found, other, rows, gbsg2.frame.iloc[[0]], 1000.0)


def test_missing_unseen_and_wild_values_still_have_neighbours(cox, gbsg2):
    rows, model, found = cox
    nothing = pd.DataFrame(index=[0])
    near = similar(found, model, rows, nothing, 1000.0)
    assert {(match.own, match.verdict) for match in near.matches} == {("missing", "not recorded")}
    wild = gbsg2.frame.iloc[[0]].assign(age=1e9, nodes=-5.0, grade="no such grade")
    assert len(similar(found, model, rows, wild, 1000.0).rows) == 50


def test_one_hundred_thousand_patients():
    rng = np.random.default_rng(5)
    n = 100_000
    x = rng.normal(size=(n, 3))
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "g": rng.integers(0, 3, n).astype(str)})
    frame["time"] = np.round(rng.exponential(np.exp(-x[:, 0])), 2) + 0.01
    frame["event"] = rng.integers(0, 2, n)
    cohort = cohort_of(frame, [number("a"), number("b"), number("c"), levels("g", ["0", "1", "2"])])
    rows = training(cohort, "death")
    model = learn("cox", rows, {"knots": 0})
    found = metric(model, rows)
    near, distance = nearest(found, cohort.frame.iloc[[77]], k=50, leave_out=77)
    every = found.distances(cohort.frame.iloc[[77]])
    every[77] = np.inf
    assert near.tolist() == np.argsort(every, kind="stable")[:50].tolist()
    assert (distance == every[near]).all()
    assert found.variables[0].name == "a"


def test_from_a_time_on_they_are_sought_among_those_who_came_so_far(cox, gbsg2):
    """By hand: nobody with an earlier end, their Kaplan-Meier curve of the time that is left, conditional risks."""
    rows, model, found = cox
    patient, s, t = gbsg2.frame.iloc[[7]], 700.0, 1500.0
    near = similar(found, model, rows, patient, t, k=60, leave_out=7, alive_at=s)
    distance = found.distances(patient)
    distance[(rows.time <= s) | (np.arange(686) == 7)] = np.inf
    assert near.rows.tolist() == np.argsort(distance, kind="stable")[:60].tolist()
    theirs = KaplanMeierFitter().fit(rows.time[near.rows] - s, rows.event[near.rows])
    assert near.observed_at == pytest.approx(1 - theirs.predict(t - s))
    np.testing.assert_allclose(near.observed.risk, 1 - theirs.predict(near.observed.time - s).to_numpy(), atol=1e-12)
    by, at = model.risk(gbsg2.frame.iloc[near.rows], [t])[:, 0], model.risk(gbsg2.frame.iloc[near.rows], [s])[:, 0]
    np.testing.assert_allclose(near.risks, (by - at) / (1 - at), rtol=1e-9)
    assert near.expected_at == pytest.approx(near.risks.mean())
    with pytest.raises(Fixable, match="not after the time"):
        similar(found, model, rows, patient, s, leave_out=7, alive_at=s)
    with pytest.raises(Fixable, match="fewer than 10 others who came so far"):
        similar(found, model, rows, patient, 2640.0, leave_out=7, alive_at=2600.0)


def test_numbers_at_risk_tell_of_no_small_group_by_subtraction(cox, gbsg2):
    rows, model, found = cox
    near = similar(found, model, rows, gbsg2.frame.iloc[[7]], 1000.0, k=50, leave_out=7)
    times = np.arange(0.0, 2600.0, 120.0)
    told = near.observed.remaining(times)
    left = [int((rows.time[near.rows] >= t).sum()) for t in times]
    assert told[0] == 50
    assert all(shown is None or shown == true for shown, true in zip(told, left, strict=True))
    shown = [each for each in told if each is not None]
    assert all(a - b == 0 or a - b >= 10 for a, b in itertools.pairwise(shown))
    assert min(shown) >= 10
    assert None in told
