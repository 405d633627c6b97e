"""Cross-validation: honest, stratified, and in one piece for small cohorts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from risk_cases import REFERENCES, cohort_of, levels, number, simulated

from bedside.errors import Fixable
from bedside.risk import concordance, fit, linear_predictor, validate
from bedside.risk.tuning import stratified_folds
from bedside.risk.validation import calibration_by_risk


def test_folds_share_events_and_patients_equally():
    event = np.random.default_rng(0).random(503) < 0.1
    fold = stratified_folds(event, 5, seed=0)
    assert np.ptp(np.bincount(fold)) <= 1
    assert np.ptp(np.bincount(fold[event], minlength=5)) <= 1
    np.testing.assert_array_equal(fold, stratified_folds(event, 5, seed=0))
    assert (fold != stratified_folds(event, 5, seed=1)).any()


def test_breast_cancer_cohort_reaches_its_known_concordance(reference_frame):
    """GBSG2 with Cox: .67 to .69 over folds in the literature; apparent .688."""
    cohort = REFERENCES["gbsg_full"].cohort(reference_frame("gbsg"))
    found = validate(cohort, "death", t=1826.25, repeats=4)
    assert 0.66 < found.c_mean < 0.69
    assert len(found.c_folds) == 20
    assert 0.01 < found.c_sd < 0.06
    assert found.c_name == "Harrell's C"
    assert (found.n, found.n_events) == (686, 299)
    assert sum(point.n for point in found.calibration) == 686
    assert 0.7 < found.slope < 1.1
    assert found.notes == ()
    assert found.reading.startswith(
        "Of 100 pairs of patients it had not seen, and of whom it is known who had the event first, the model put "
        f"{100 * found.c_mean:.0f} in the right order (Harrell's C {found.c_mean:.2f}; 50 would be chance)."
    )
    time, event = cohort.time("death"), cohort.event("death")
    assert found.n_events_by_t == (event & (time <= 1826.25)).sum() < 299
    assert sum(point.events for point in found.calibration) == found.n_events_by_t


def test_each_fold_is_scored_by_a_model_of_the_others():
    cohort = simulated(200, seed=11)
    found = validate(cohort, "death", t=365, folds=5, seed=3)
    fold = stratified_folds(cohort.event("death"), 5, seed=3)
    by_hand = []
    for k in range(5):
        model = fit(cohort.take(fold != k, seal=f"without {k}"), "death")
        held = fold == k
        lp = linear_predictor(model, cohort.frame[held])
        by_hand.append(concordance(cohort.time("death")[held], cohort.event("death")[held], lp).c)
    np.testing.assert_allclose(found.c_folds, by_hand, rtol=1e-12)
    assert found.c_mean == pytest.approx(np.mean(by_hand))
    assert found.c_sd == pytest.approx(np.std(by_hand, ddof=1))


def test_noise_is_not_mistaken_for_knowledge():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.normal(size=(300, 40)), columns=[f"x{j}" for j in range(40)])
    frame["time"], frame["event"] = rng.exponential(500, 300) + 1, rng.random(300) < 0.3
    cohort = cohort_of(frame, [number(f"x{j}") for j in range(40)])
    model = fit(cohort, "death", penalizer=0)
    apparent = concordance(cohort.time("death"), cohort.event("death"), linear_predictor(model, cohort.frame)).c
    found = validate(cohort, "death", t=365, repeats=3)
    assert apparent > 0.7
    assert abs(found.c_mean - 0.5) < 0.06
    assert found.slope < 0.5
    assert "Its risks are too far apart" in found.reading


def test_a_model_worse_than_chance_is_said_to_be():
    """Noise, with a seed for which each part of the cohort misleads about the others."""
    n = 40
    frame = pd.DataFrame({"age": np.random.default_rng(3).normal(60, 9, n), "event": True})
    frame["time"] = np.random.default_rng(4).permutation(n) * 10.0 + 10
    found = validate(cohort_of(frame, [number("age")]), "death", t=200)
    assert found.c_mean < 0.495 and found.slope < 0
    assert "50 would be chance, so this is worse than chance)" in found.reading
    assert "Its ranking is reversed over all patients together" in found.reading
    assert "too far apart" not in found.reading


def test_calibration_is_exact_where_it_can_be_counted():
    """Without censoring before t, 1 - Kaplan-Meier is the share with the event."""
    risk = np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], 20)
    died = np.concatenate([np.arange(20) < k for k in (2, 6, 10, 14, 18)])
    time = np.where(died, 5.0, 20.0)
    points = calibration_by_risk(time, died, risk, t=10)
    assert [p.n for p in points] == [20] * 5
    assert [p.events for p in points] == [2, 6, 10, 14, 18]
    np.testing.assert_allclose([p.observed for p in points], [0.1, 0.3, 0.5, 0.7, 0.9], rtol=1e-12)
    np.testing.assert_allclose([p.predicted for p in points], [0.1, 0.3, 0.5, 0.7, 0.9], rtol=1e-12)
    assert all(p.lower < p.observed < p.upper for p in points)


def test_calibration_of_a_right_model_is_right():
    found = validate(simulated(3000, seed=2), "death", t=365)
    for point in found.calibration:
        assert abs(point.predicted - point.observed) < 0.06
    assert found.mean_predicted == pytest.approx(found.observed, abs=0.02)
    assert found.slope == pytest.approx(1, abs=0.1)


def test_group_whose_follow_up_ends_early_has_no_observed_risk():
    risk = np.repeat([0.2, 0.8], 10)
    time = np.r_[np.full(10, 3.0), np.full(10, 30.0)]
    event = np.r_[np.zeros(10, bool), np.arange(10) < 5]
    early, late = calibration_by_risk(time, event, risk, t=20, groups=2)
    assert np.isnan(early.observed) and np.isnan(early.lower)
    assert late.observed == 0


def test_equal_risks_stay_in_one_group():
    risk = np.r_[np.full(60, 0.2), np.full(40, 0.4)]
    points = calibration_by_risk(np.arange(1.0, 101.0), np.ones(100, bool), risk, t=50)
    assert [p.n for p in points] == [60, 40]


@pytest.mark.parametrize(("events", "folds"), [(10, 2), (15, 3), (19, 4), (20, 5)])
def test_few_events_mean_fewer_folds(events, folds):
    cohort = few_events(events)
    found = validate(cohort, "death", t=300)
    assert found.folds == folds
    assert len(found.c_folds) <= folds
    assert (f"{events} events allow {folds} folds instead of 5." in found.notes) == (folds < 5)


def few_events(events, n=60):
    rng = np.random.default_rng(events)
    frame = pd.DataFrame({"age": rng.normal(60, 9, n), "time": np.arange(1.0, n + 1) * 10, "event": False})
    frame.loc[rng.choice(n, events, replace=False), "event"] = True
    return cohort_of(frame, [number("age")])


def test_nine_events_are_refused():
    with pytest.raises(Fixable, match="at least 10 events"):
        validate(few_events(9), "death", t=300)


@pytest.mark.parametrize("t", [0.0, -5.0, 1e6, np.nan])
def test_time_outside_follow_up_is_refused(t):
    with pytest.raises(Fixable, match="longest follow-up"):
        validate(simulated(100), "death", t=t)


def test_fold_in_which_nobody_can_be_compared_is_left_out():
    """All events come last, so that in a fold the only pairs are of events, at the same time."""
    n = 50
    frame = pd.DataFrame({"age": np.random.default_rng(0).normal(60, 9, n), "time": 100.0, "event": np.arange(n) < 20})
    frame.loc[20:, "time"] = np.arange(n - 20) + 1.0
    found = validate(cohort_of(frame, [number("age")]), "death", t=100)
    assert np.isnan(found.c_mean) and found.c_folds == ()
    assert "In 5 of 5 folds no two patients could be compared." in found.notes
    assert found.reading.startswith("No two patients could be compared")


def test_filling_dropping_and_levels_happen_inside_the_fold():
    """A level with one patient and a column with one value are in some folds only."""
    cohort = simulated(120, seed=8)
    rare = ["b" if i == 7 else "a" if i % 2 else "c" for i in range(120)]
    frame = cohort.frame.assign(rare=rare, once=[np.nan if i > 1 else float(i) for i in range(120)])
    variables = [*cohort.variables, levels("rare", ["a", "b", "c"]), number("once")]
    made = cohort_of(frame.assign(event=cohort.event("death")), variables)
    found = validate(made, "death", t=365)
    assert len(found.c_folds) == 5
    assert np.isfinite(found.c_mean)


def test_validation_is_deterministic_and_tells_progress():
    seen = []
    cohort = simulated(150)
    first = validate(cohort, "death", t=365, progress=lambda share, sentence: seen.append(share))
    assert dataclasses.astuple(first) == dataclasses.astuple(validate(cohort, "death", t=365))
    assert seen == sorted(seen) and seen[-1] == 1.0
