"""Models side by side on patients they have not seen: folds, what is learnt inside them, noise and its words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, number, simulated

from bedside.errors import Fixable
from bedside.risk.cox import fit_cox_rows
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.validation import (
    bootstrap_optimism,
    calibrated,
    compare,
    cross_validate,
    d_calibrated,
    gathered,
    groups_of_risk,
    plan_folds,
    pooled,
    smooth_calibration,
    validate_part,
    weak_calibration,
)
from bedside.validation.compare import Score, Scorecard, corrected, differences_of, limit, reading_of
from bedside.validation.panel import MEASURES, Predicted
from bedside.validation.resample import folds_for, stratified_by_cause

PLAIN = {"cox": {"knots": 0}}
TIMES = [300, 600]


def light(rows, *, settings=None, seed=0, progress=None):
    return fit_cox_rows(rows, settings={"knots": 0}, seed=seed, progress=progress)


def heavy(rows, *, settings=None, seed=0, progress=None):
    """The same with so strong a ridge that all risks are alike."""
    return fit_cox_rows(rows, settings={"knots": 0, "penalizer": 50.0}, seed=seed, progress=progress)


@pytest.fixture(scope="module")
def rows():
    return training(simulated(600, seed=4), "death")


@pytest.fixture(scope="module")
def found(rows):
    return cross_validate({"light": light, "heavy": heavy}, rows, times=TIMES, repeats=2, seed=7)


def test_every_patient_is_asked_of_a_model_that_has_not_seen_them(rows, found):
    plan = plan_folds(rows, times=TIMES, repeats=2, seed=7)
    out = plan.fold[1] == 3
    model = light(rows.take(~out))
    np.testing.assert_array_equal(found.risk["light"][1, out], model.risk(rows.frame[out], found.grid))
    np.testing.assert_array_equal(found.score["light"][1, out], model.score(rows.frame[out]))
    assert np.isfinite(found.risk["light"]).all() and found.repeats == 2
    events = [rows.event[plan.fold[0] == k].sum() for k in range(5)]
    assert max(events) - min(events) <= 1


def test_parts_may_be_done_in_any_order_and_give_the_same_bits(rows, found):
    learners = {"light": light, "heavy": heavy}
    plan = plan_folds(rows, times=TIMES, repeats=2, seed=7)
    parts = [validate_part(learners, rows, plan, repeat, k) for repeat, k in reversed(plan.parts)]
    again = gathered(learners, rows, plan, parts)
    for kind in found.risk:
        np.testing.assert_array_equal(again.risk[kind], found.risk[kind])
    assert compare(again).differences == compare(found).differences


def test_scorecards_and_the_row_without_a_model(found):
    side = compare(found)
    light_card, null = side.card("light"), side.baseline
    assert len(light_card.get("harrell").folds) == 10
    assert light_card.get("harrell").mean == pytest.approx(np.mean(light_card.get("harrell").folds))
    assert light_card.get("brier", 300).sd == pytest.approx(np.std(light_card.get("brier", 300).folds, ddof=1))
    assert null.get("harrell").mean == 0.5 and null.get("ipa", 600).mean == pytest.approx(0, abs=1e-12)
    assert light_card.get("ipa", 600).mean > 0.02
    assert light_card.get("brier", 600).mean < null.get("brier", 600).mean
    with pytest.raises(KeyError):
        null.get("slope")


def test_noise_is_said_to_be_noise_and_what_is_clear_is_clear(found):
    side = compare(found)
    ranks = next(d for d in side.differences if (d.first, d.second, d.key) == ("heavy", "light", "harrell"))
    assert ranks.verdict in ("noise", "alike")
    assert "within noise" in ranks.sentence or "too small to matter" in ranks.sentence
    closer = next(d for d in side.differences if (d.first, d.second, d.key) == ("heavy", "light", "ibs"))
    assert closer.verdict == "worse" and "clearly worse" in closer.sentence
    assert any("clearly worse" in told for told in side.reading)
    assert any(d.verdict == "better" for d in side.differences if d.second == "kaplan-meier")


def test_a_model_against_itself_wins_nothing(rows):
    found = cross_validate({"one": light, "two": light}, rows, times=TIMES)
    side = compare(found)
    assert {d.verdict for d in side.differences if d.second == "one"} == {"noise"}
    assert "No model ranks patients or predicts their risks clearly better" in side.reading[0]


def scored(rng, kind, *, harrell, ibs, brier=None):
    """A card with five folds of each measure around these means."""
    noise = np.array([-0.0004, 0.0002, 0.0, 0.0003, -0.0001]) * rng
    means = {"harrell": (harrell, None), "brier": (ibs if brier is None else brier, 600.0), "ibs": (ibs, None)}
    return Scorecard(kind, kind, tuple(
        Score(key, MEASURES[key].name, t, mean, 0.0, tuple(mean + noise), MEASURES[key].better)
        for key, (mean, t) in means.items()
    ))  # fmt: skip


def judged(*cards):
    """Differences between cards, the last of which is the baseline's, and what they come to."""
    found = differences_of(cards[:-1], cards[-1], 0.25, unit="days")
    return {(d.first, d.second, d.key): d for d in found}, reading_of(cards[:-1], found)


def test_a_model_that_does_not_beat_the_same_risk_for_everybody_wins_nothing():
    """Brier scores .230 and .215 against .214 of the baseline: far apart, surely, and neither of any use."""
    cards = [scored(1, "a", harrell=0.45, ibs=0.230), scored(-1, "b", harrell=0.70, ibs=0.215)]
    by, reading = judged(*cards, scored(0, "kaplan-meier", harrell=0.5, ibs=0.214))
    assert by["b", "a", "ibs"].verdict == by["b", "a", "brier"].verdict == "moot"
    assert by["b", "a", "harrell"].verdict == "better"  # it does rank better than chance
    assert by["a", "kaplan-meier", "ibs"].verdict == "worse" and by["b", "kaplan-meier", "ibs"].verdict == "alike"
    assert "neither clearly beats the same risk for everybody" in by["b", "a", "ibs"].sentence
    assert not any("Integrated Brier score" in told and "clearly better" in told for told in reading)
    cards[1] = scored(-1, "b", harrell=0.70, ibs=0.200)
    by, _ = judged(*cards, scored(0, "kaplan-meier", harrell=0.5, ibs=0.214))
    assert by["b", "a", "ibs"].verdict == "better"


@pytest.mark.parametrize(("lower_by", "verdict"), [(0.002, "alike"), (0.0039, "alike"), (0.0041, "better")])
def test_two_of_a_hundred_of_the_baselines_brier_score_is_what_matters(lower_by, verdict):
    """The baseline's is .2, so .004 is the least that matters, however sure a difference is."""
    cards = [scored(1, "a", harrell=0.6, ibs=0.15), scored(1.01, "b", harrell=0.6, ibs=0.15 - lower_by)]
    by, _ = judged(*cards, scored(0, "kaplan-meier", harrell=0.5, ibs=0.2))
    assert by["b", "a", "ibs"].verdict == by["b", "a", "brier"].verdict == verdict
    assert by["b", "a", "ibs"].folds == 5


def test_a_limit_that_excludes_0_is_not_printed_as_0():
    assert [limit(v, sure=True) for v in (-0.003, -0.00042, -4e-6)] == ["−0.003", "−0.0004", "−0.000004"]
    assert [limit(v, sure=False) for v in (-0.00042, 0.0001, 0.0116)] == ["0.000", "0.000", "0.012"]
    assert limit(-1e-12, sure=True) == "0.000"


def test_slope_and_index_of_all_together_are_those_of_each_repeat(found):
    """Not of risks averaged over the repeats, which belong to no model; and below the noise of single folds."""
    rows, place = found.rows, found.grid.searchsorted(600)
    each = [found.risk["light"][r, :, place] for r in range(2)]
    ici = [smooth_calibration(rows.time, rows.cause, risk, 600.0).ici for risk in each]
    slope = [weak_calibration(rows.time, rows.cause, risk, 600.0).slope.value for risk in each]
    whole = pooled(found, "light", 600)
    assert whole == {"slope_at": pytest.approx(np.mean(slope)), "ici": pytest.approx(np.mean(ici))}
    card = compare(found).card("light")
    assert whole["ici"] < 0.7 * card.get("ici", 600).mean
    assert whole["ici"] != calibrated(found, "light", 600).smooth.ici


def test_the_error_of_a_difference_allows_for_overlap():
    off = np.array([0.01, 0.03, 0.02, 0.00, 0.04])
    mean, std_err, lower, upper, p = corrected(off, 0.25)
    assert (mean, std_err) == (pytest.approx(0.02), pytest.approx(np.sqrt((0.2 + 0.25) * 0.00025)))
    assert lower == pytest.approx(0.02 - 2.7764451051977987 * std_err)  # t with 4 degrees of freedom
    assert p == pytest.approx(0.1321, abs=1e-3) and upper > 0.04
    assert np.isnan(corrected(off[:1], 0.25)[1])


def test_all_patients_together(found):
    one = calibrated(found, "light", 600)
    assert sum(g.n for g in one.groups) == 600 and len(one.groups) == 10
    assert one.overall.ratio == pytest.approx(1, abs=0.1)
    assert one.smooth.ici < 0.05 and one.weak.slope.value == pytest.approx(1, abs=0.3)
    assert one.decision.n == 600
    assert d_calibrated(found, "light").p > 0.001
    assert d_calibrated(found, "light").counts.sum() == pytest.approx(600)
    assert groups_of_risk(found, "light").p < 1e-6


@pytest.mark.parametrize(("events", "folds"), [(200, 5), (16, 4), (14, 4), (12, 6), (11, 11), (10, None)])
def test_folds_that_these_events_allow(events, folds):
    assert folds_for(events, 5) == folds
    if folds:
        assert events - -(-events // folds) >= 10


def few(events: int):
    frame = pd.DataFrame({"age": np.random.default_rng(0).normal(60, 9, 90), "event": np.arange(90) < events})
    frame["time"] = np.random.default_rng(1).permutation(90) * 10.0 + 10
    return training(cohort_of(frame, [number("age")]), "death")


def test_few_events_are_shared_out_and_this_is_told():
    found = cross_validate({"light": light}, few(12), times=[400])
    assert found.folds == 6 and "12 events allow 6 folds instead of 5." in found.notes
    assert compare(found).n_events == 12
    with pytest.raises(Fixable) as stop:
        cross_validate({"light": light}, few(10), times=[400])
    assert "10 events" in stop.value.why
    with pytest.raises(Fixable):
        cross_validate({"light": light}, few(9), times=[400])


def test_folds_hold_every_type_of_event():
    cause = np.repeat([0, 1, 2], [60, 23, 11])
    fold = stratified_by_cause(cause, 5, seed=3)
    for kind in (0, 1, 2):
        counts = np.bincount(fold[cause == kind], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert (fold == stratified_by_cause(cause, 5, seed=3)).all()


def test_a_model_that_fails_is_left_out_with_its_reason(rows):
    def fails(*_args, **_kwargs):
        raise Fixable("No such model.", "It needs more columns.", "Take another.")

    found = cross_validate({"light": light, "other": fails}, rows, times=TIMES)
    assert list(found.labels) == ["light"] and "It needs more columns." in found.notes[-1]
    with pytest.raises(Fixable, match="No model could be checked"):
        cross_validate({"other": fails}, rows, times=TIMES)


def test_progress_may_stop_the_work(rows):
    class Stop(Exception):
        pass

    seen: list[float] = []

    def told(share, _sentence):
        seen.append(share)
        if share > 0.5:
            raise Stop

    with pytest.raises(Stop):
        cross_validate({"light": light}, rows, times=TIMES, progress=told)
    assert seen == sorted(seen) and seen[-1] < 0.7


@pytest.mark.parametrize("times", [[], [0], [-1, 300], [1e9]])
def test_times_outside_follow_up_are_refused(rows, times):
    with pytest.raises(Fixable, match="can't be checked at that time"):
        cross_validate({"light": light}, rows, times=times)


def test_competing_events_and_kinds_by_their_key(pbc):
    outcome = next(o for o in pbc.outcomes if o.has_competing)
    rows = training(pbc, outcome, target="event")
    last = rows.time.max()
    found = cross_validate(["cox"], rows, times=[last / 4, last / 2], settings=PLAIN)
    side = compare(found)
    assert side.baseline.label == "Aalen-Johansen" and side.card("cox").get("harrell").mean > 0.75
    assert d_calibrated(found, "cox") is None
    assert calibrated(found, "cox", last / 2).smooth is not None
    assert groups_of_risk(found, "cox").test == "Gray's test"


def test_optimism_is_what_a_model_loses():
    rows = training(simulated(150, 8, seed=5, effect=0.3), "death")
    found = bootstrap_optimism({"light": light}, rows, times=[600], resamples=25, seed=2)["light"]
    assert found.resamples == 25
    assert 0 < found.optimism["harrell"][0] < 0.1
    assert found.corrected["slope"][0] < 1
    model = light(rows)
    again = bootstrap_optimism({"light": light}, rows, times=[600], resamples=25, seed=2)["light"]
    assert again.corrected["harrell"] == found.corrected["harrell"]
    np.testing.assert_allclose(found.apparent["harrell"] - found.optimism["harrell"], found.corrected["harrell"])
    assert model.n == 150


def test_risk_at_a_patients_own_time_lies_between_the_times_that_are_known():
    said = Predicted(np.array([2.0]), np.array([1.0, 2.0]), np.array([[0.2, 0.6]] * 4), np.zeros(4))
    np.testing.assert_allclose(said.at_own(np.array([0.5, 1.0, 1.5, 9.0])), [0.1, 0.2, 0.4, 0.6])


def test_an_average_is_made_of_models_that_are_there(rows):
    small = rows.take(np.arange(200))
    plan = plan_folds(small, times=[300], folds=2)
    whole = {"forest": {"trees": 20, "leaf": 20}}
    part = validate_part(["cox", "forest", "average"], small, plan, 0, 0, settings=whole)
    mean = (part.said["cox"].risk + part.said["forest"].risk) / 2
    np.testing.assert_allclose(part.said["average"].risk, mean, rtol=1e-12)
    assert learn("cox", small.take(plan.fold[0] != 0)).kind == "cox"
