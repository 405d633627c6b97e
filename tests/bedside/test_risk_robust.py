"""Awkward rows: every kind of Cox model answers, or says what to do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, levels, number, simulated

from bedside.cohort import Outcome
from bedside.errors import Fixable
from bedside.risk import fit, notes, validate
from bedside.risk.cause_specific import CompetingModel
from bedside.risk.learners import learn
from bedside.risk.training import Training, training
from bedside.risk.tuning import choose, judged, stratified_folds


def mixed(n=240, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(60, 10, n),
            "marker": rng.lognormal(0, 1, n),
            "stage": rng.choice(["I", "II", "III"], n),
            "time": np.ceil(rng.exponential(500, n)),
            "event": rng.random(n) < 0.6,
        }
    )
    return cohort_of(frame, [number("age"), number("marker", scale="log"), levels("stage", ["I", "II", "III", "IV"])])


def two_causes(rows: Training, seed=1) -> Training:
    """The same rows with half of the events of another kind."""
    rng = np.random.default_rng(seed)
    outcome = rows.outcome.model_copy(update={"competing": {"Other": ("2",)}})
    assert isinstance(outcome, Outcome)
    cause = np.where(rows.event & (rng.random(len(rows)) < 0.5), 2, rows.cause)
    return replace(rows, cause=cause, outcome=outcome, target="event")


@pytest.fixture(params=["straight", "curved", "competing", "fine-gray"])
def learnt(request):
    rows = training(mixed(), "death")
    if request.param in ("competing", "fine-gray"):
        method = "fine-gray" if request.param == "fine-gray" else "cause-specific"
        rows = two_causes(rows)
        model = learn("cox", rows, {"knots": 0, "competing": method})
        assert isinstance(model, CompetingModel)
        return model, rows
    return learn("cox", rows, {"knots": 4 if request.param == "curved" else 0}), rows


def test_odd_patients_are_read_as_declared(learnt):
    model, rows = learnt
    median, commonest = rows.frame["age"].median(), rows.frame["stage"].mode()[0]
    odd = pd.DataFrame(
        {"age": [60.0, np.nan, np.inf, 1e300], "marker": [1.0, 1.0, -5.0, 0.0], "stage": ["V", "IV", None, "I"]}
    )
    plain = pd.DataFrame({"age": [60.0, median], "marker": [1.0, 1.0], "stage": [commonest, commonest]})
    times = [0.0, 200.0, model.last]
    risk = model.risk(odd, times)
    np.testing.assert_array_equal(risk[:2], model.risk(plain, times))
    assert np.isfinite(risk).all()
    assert ((risk >= 0) & (risk <= 1)).all()
    assert (np.diff(risk, axis=1) >= 0).all()
    nobody = model.risk(pd.DataFrame(index=range(2)), times)
    assert nobody[0].tobytes() == nobody[1].tobytes()
    assert model.risk(odd.iloc[:0], times).shape == (0, 3)


def test_unseen_level_is_told():
    model = fit(mixed(), "death")
    said = notes(model, pd.DataFrame({"age": [60.0], "marker": [1.0], "stage": ["V"]}))
    assert any("no patient in the model had" in sentence for sentence in said)


def test_time_beyond_follow_up(learnt):
    model, rows = learnt
    for times in ([model.last + 1], [-1.0], [np.nan]):
        with pytest.raises(Fixable, match="No risk at that time"):
            model.risk(rows.frame, times)


def test_missing_and_constant_predictors_are_left_out_with_the_reason():
    rows = training(mixed(), "death")
    rows = replace(rows, frame=rows.frame.assign(marker=np.nan))
    for some in (rows, two_causes(rows)):
        model = learn("cox", some)
        assert any("is missing for every patient" in dropped.why for dropped in model.design.dropped)
    empty = replace(rows, frame=rows.frame.assign(age=np.nan, stage=None))
    for some in (empty, two_causes(empty)):
        with pytest.raises(Fixable, match="None of the variables can predict here"):
            learn("cox", some)


@pytest.mark.parametrize("column", ["time", "event"])
def test_outcome_as_a_predictor_is_left_out(column):
    cohort = mixed()
    rows = training(cohort, "death")
    copied = rows.time * 2 if column == "time" else rows.event.astype(float)
    rows = replace(rows, frame=rows.frame.assign(age=copied))
    for some in (rows, two_causes(rows)):
        model = learn("cox", some)
        if column == "event" and some.competes:
            continue  # it is not the event alone
        assert "age" not in {term.variable for term in model.design.terms}
        assert any("repeats the outcome" in dropped.why for dropped in model.design.dropped)


def test_nine_events():
    rows = training(mixed(), "death")
    nine = rows.take(np.r_[np.flatnonzero(rows.event)[:9], np.flatnonzero(~rows.event)])
    for some in (nine, replace(two_causes(nine), cause=np.where(nine.event, 1, 0))):
        with pytest.raises(Fixable, match="at least 10 events"):
            learn("cox", some)


def test_other_causes_may_be_rare_or_absent():
    rows = training(mixed(), "death")
    whole = two_causes(rows)
    first = np.flatnonzero(rows.event)[0]
    none = replace(whole, cause=rows.cause)
    once = replace(whole, cause=np.where(np.arange(len(rows)) == first, 2, rows.cause))
    plain = learn("cox", rows, {"knots": 0}).risk(rows.frame, [300.0])
    np.testing.assert_allclose(learn("cox", none, {"knots": 0}).risk(rows.frame, [300.0]), plain, rtol=1e-12)
    model = learn("cox", once, {"knots": 0})
    assert (model.numbers, model.events) == ((1, 2), (int(rows.event.sum()) - 1, 1))
    assert np.isfinite(model.limits(rows.frame, [300.0]).upper).all()


def test_folds_hold_equal_shares_of_few_events():
    event = np.zeros(200, dtype=bool)
    event[:10] = True
    fold = stratified_folds(event, 5, 7)
    assert [int(event[fold == k].sum()) for k in range(5)] == [2] * 5
    assert np.bincount(fold).tolist() == [40] * 5
    assert (stratified_folds(event, 5, 7) == fold).all()


def test_ten_events_are_validated():
    rows = mixed(60, seed=3)
    times = rows.frame["event"].astype(str) == "1"
    keep = (times.cumsum() <= 10) | ~times
    cohort = cohort_of(
        rows.frame[keep].assign(event=times[keep]), [v for v in rows.variables if v.name != "stage"]
    )  # fmt: skip
    found = validate(cohort, "death", t=200)
    assert found.folds == 2
    assert found.n_events == 10


def test_choice_is_made_on_held_out_rows():
    rows = training(simulated(400, seed=5), "death")
    from bedside.risk.cox import fit_cox_rows

    found = choose(fit_cox_rows, [{"knots": 0, "penalizer": p} for p in (1e6, 1e-3)], rows, 4, 1)
    assert found.settings["penalizer"] == 1e-3  # the other one knows next to nothing
    assert found.brier[1] < found.brier[0]
    fold = stratified_folds(rows.event, 4, 1)
    by_hand = []
    for k in range(4):
        model = fit_cox_rows(rows.take(fold != k), settings=found.grid[1])
        by_hand.append(judged(model, rows.take(fold == k))[0])
    np.testing.assert_allclose(found.c[1], np.mean(by_hand), rtol=1e-14)
    same = choose(fit_cox_rows, [found.grid[1], dict(found.grid[1])], rows, 4, 1)
    assert same.settings is same.grid[0]


def test_every_time_alike():
    rows = training(mixed(), "death")
    alike = replace(rows, time=np.full(len(rows), 7.0))
    for some in (alike, two_causes(alike)):
        model = learn("cox", some)
        assert np.isfinite(model.risk(rows.frame, [0.0, 7.0])).all()


def test_separation_has_a_risk():
    rows = training(mixed(), "death")
    apart = replace(rows, frame=rows.frame.assign(age=np.where(rows.event, 1.0, 0.0) + 1e-9 * np.arange(len(rows))))
    model = learn("cox", apart)
    risk = model.risk(apart.frame, [model.last / 2])
    assert np.isfinite(risk).all()
