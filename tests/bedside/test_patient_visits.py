"""Risk from here on, and risk updated at visits: against R, against hand-made histories, and worth its while."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_cases import REFERENCES

from bedside.cohort import Visits
from bedside.errors import Fixable
from bedside.patient.conditional import conditional_risk
from bedside.patient.visits_gain import landmark_gain
from bedside.patient.visits_risk import at_landmark, check_at_risk, landmark_model, landmark_pair
from bedside.patient.visits_update import updated_risk
from bedside.risk import fit
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.risk.variability import with_variability


@pytest.fixture(scope="module")
def mgus(sample):
    return sample("mgus_competing")


def test_conditional_risk_and_interval_of_a_cox_model_equal_r(r, reference_frame, same):
    """survfit(coxph(...), newdata, start.time = s, conf.type = "log-log")."""
    reference = REFERENCES["lung_age_sex_ecog_efron"]
    model = fit(reference.cohort(reference_frame(reference.file)), "death", penalizer=0.0)
    theirs = r("30_conditional")
    new = pd.DataFrame(theirs["new"])
    for block in theirs["conditional"]:
        found = conditional_risk(model, new, block["start"], block["times"])
        same((1 - found.risk.T).ravel(), np.ravel(block["surv"]["matrix"]).tolist())
        same((1 - found.limits.upper.T).ravel(), np.ravel(block["lower"]["matrix"]).tolist())
        same((1 - found.limits.lower.T).ravel(), np.ravel(block["upper"]["matrix"]).tolist())


def test_from_time_zero_it_is_the_risk_itself(gbsg2):
    model = learn("cox", training(gbsg2, gbsg2.outcomes[0]), {"knots": 0})
    patients, times = gbsg2.frame.iloc[:5], [365.0, 1000.0, 2000.0]
    found, limits = conditional_risk(model, patients, 0.0, times), model.limits(patients, times)
    np.testing.assert_allclose(found.risk, model.risk(patients, times), atol=1e-14)
    np.testing.assert_allclose(found.limits.lower, limits.lower, rtol=1e-10)
    np.testing.assert_allclose(found.limits.upper, limits.upper, rtol=1e-10)


def test_competing_risk_from_s_on_is_over_the_chance_of_no_event_of_any_kind(mgus):
    model = learn("cox", training(mgus, mgus.outcomes[0], target="event"), {"knots": 0})
    patients, s, times = mgus.frame.iloc[:8], 60.0, np.array([30.0, 60.0, 120.0, 240.0])
    found = conditional_risk(model, patients, s, times)
    upto = np.searchsorted(model.time, s, side="right")
    x = model.design.encode(patients)
    free = np.exp(-sum(np.exp(x @ c.coef) * c.hazard[:upto].sum() for c in model.causes))
    by = model.risk(patients, np.maximum(times, s))
    np.testing.assert_allclose(found.risk, (by - model.risk(patients, [s])) / free[:, None], rtol=1e-9, atol=1e-15)
    assert (found.risk[:, :2] == 0).all()
    later = slice(2, None)
    assert (found.limits.lower[:, later] < found.risk[:, later]).all()
    assert (found.limits.upper[:, later] > found.risk[:, later]).all()
    np.testing.assert_allclose(found.states.event + found.states.other + found.states.free, 1, atol=1e-12)


def test_refits_give_any_kind_a_band_from_s_on(gbsg2):
    rows = training(gbsg2, gbsg2.outcomes[0])
    model = with_variability(learn("cox", rows, {"knots": 0}), rows, refits=20)
    found = conditional_risk(model, gbsg2.frame.iloc[:6], 700.0, [500.0, 1500.0])
    assert found.limits.name == "model variability"
    exact = conditional_risk(model.model, gbsg2.frame.iloc[:6], 700.0, [1500.0]).limits
    width = (found.limits.upper - found.limits.lower)[:, 1]
    np.testing.assert_allclose(width, (exact.upper - exact.lower)[:, 0], rtol=0.6)
    assert (found.limits.upper[:, 0] == 0).all()


def test_a_risk_from_s_on_is_known_where_hardly_anybody_comes_so_far(gbsg2, mgus):
    wild = gbsg2.frame.iloc[[0]].assign(nodes=1e12)
    rows = training(gbsg2, gbsg2.outcomes[0])
    model = learn("cox", rows, {"knots": 0})
    assert model.risk(wild, [1000.0])[0, 0] == 1
    assert conditional_risk(model, wild, 1000.0, [1500.0]).risk[0, 0] == 1
    extreme = gbsg2.frame.iloc[[0]].assign(age=np.nan, nodes=51.0, pgr_fmol_mg=0.0, tumour_size_mm=900.0)
    base, high = model.baseline, float(np.exp(model.score(extreme)[0]))
    upto = np.searchsorted(base.time, [1000.0, 1100.0], side="right")
    after = base.hazard[upto[0] : upto[1]].sum()
    found = conditional_risk(model, extreme, 1000.0, [1100.0]).risk[0, 0]
    assert found == pytest.approx(1 - np.exp(-high * after), rel=1e-12)
    own = learn("cox", training(mgus, mgus.outcomes[0], target="event"), {"knots": 0})
    with pytest.raises(Fixable, match="nobody with these values"):
        conditional_risk(own, mgus.frame.iloc[[0]].assign(age=1e12), 100.0, [120.0])


def test_times_outside_the_follow_up_are_refused(gbsg2):
    model = learn("cox", training(gbsg2, gbsg2.outcomes[0]), {"knots": 0})
    for s, t in ((-1.0, 100.0), (1e5, 1e5), (100.0, 1e5), (float("nan"), 100.0)):
        with pytest.raises(Fixable, match="No risk at that time"):
            conditional_risk(model, gbsg2.frame.iloc[:1], s, [t])


def test_the_landmark_takes_the_last_value_known_by_then(pbc):
    outcome = pbc.outcomes[0]
    found = at_landmark(pbc, outcome, 1095.0)
    seen = pbc.visits.frame
    ids = pbc.frame[pbc.identifier].astype(str).to_numpy()
    assert (pbc.time(outcome)[found.rows] > 1095).all()
    assert set(ids[found.rows]) <= set(seen[pbc.visits.patient].astype(str))
    assert [v.name for v in found.carried] == [
        "edema", "bilirubin_mg_dl", "albumin_g_dl", "platelets_1e9_l", "prothrombin_s", "stage",
    ]  # fmt: skip
    for place in range(0, len(found.rows), 17):
        own = seen[(seen[pbc.visits.patient].astype(str) == ids[found.rows[place]]) & (seen[pbc.visits.time] <= 1095)]
        own = own.sort_values(pbc.visits.time)
        for name in ("bilirubin_mg_dl", "platelets_1e9_l"):
            last = own[name].dropna()
            expected = last.iloc[-1] if len(last) else pbc.frame[name].iloc[found.rows[place]]
            np.testing.assert_equal(found.updated.frame[name].iloc[place], expected)
    np.testing.assert_array_equal(found.updated.time, pbc.time(outcome)[found.rows] - 1095)
    np.testing.assert_array_equal(found.baseline.frame["bilirubin_mg_dl"], pbc.frame["bilirubin_mg_dl"][found.rows])


def test_a_gap_at_a_visit_takes_the_value_before_and_a_late_visit_none(pbc):
    outcome, visits = pbc.outcomes[0], pbc.visits
    ids = pbc.frame[pbc.identifier].astype(str)
    who = np.flatnonzero(pbc.time(outcome) > 3000)[:3]
    made = pd.DataFrame(
        {visits.patient: ids.iloc[who[[0, 0, 0, 1, 2]]].tolist(), visits.time: [400.0, 200.0, 900.0, 100.0, 600.0],
         "bilirubin_mg_dl": [np.nan, 7.7, 9.9, np.nan, 5.5]}
    )  # fmt: skip
    variable = next(v for v in visits.variables if v.name == "bilirubin_mg_dl")
    changed = replace(pbc, visits=Visits(made, visits.patient, visits.time, "days", (variable,)), fingerprint="")
    found = at_landmark(changed, outcome, 500.0)
    assert found.rows.tolist() == who[:2].tolist()
    assert found.updated.frame["bilirubin_mg_dl"].tolist() == [7.7, pbc.frame["bilirubin_mg_dl"].iloc[who[1]]]


def test_updating_at_three_years_ranks_better_in_every_split(pbc):
    landmark = at_landmark(pbc, pbc.outcomes[0], 1095.0)
    gain = landmark_gain(landmark, repeats=3)
    each = (gain.updated - gain.baseline).reshape(3, 5).mean(axis=1)
    assert (each >= 0.03).all()
    assert gain.difference == pytest.approx((gain.updated - gain.baseline).mean())
    assert gain.lower < gain.difference < gain.upper
    assert 0.70 < gain.baseline.mean() < 0.80 < gain.updated.mean() < 0.88


def test_the_landmark_model_is_the_cox_model_of_the_time_left(pbc):
    landmark = at_landmark(pbc, pbc.outcomes[0], 1095.0)
    model = landmark_model(landmark)
    assert (model.n, model.n_events) == (240, 77)
    assert model.last == landmark.updated.time.max()
    assert landmark_model(landmark, settings={"knots": 3}).design.terms != model.design.terms
    first = landmark_model(landmark, update=False)
    assert {t.variable for t in first.design.terms} == {t.variable for t in model.design.terms}
    assert first.design.readings[3].range != model.design.readings[3].range


def test_each_visit_of_a_patient_has_its_risk_or_a_reason(pbc):
    outcome = pbc.outcomes[0]
    kept: dict = {}
    found = updated_risk(pbc, outcome, 1, 1826.0, kept=kept)
    assert [v.at for v in found] == sorted(v.at for v in found)
    known = [v for v in found if not v.why]
    assert len(known) >= 4
    for v in known:
        assert v.lower < v.risk < v.upper
        assert v.limits == "95% interval"
        landmark, (fitted, _) = kept[v.at]
        assert v.risk == fitted.risk(v.values, [1826.0])[0, 0]
        assert (v.n, v.n_events) == (len(landmark.rows), landmark.updated.event.sum())
        # The same patients and the same time left: between the two nothing differs but what was known.
        start = learn("cox", landmark.baseline, {"knots": 0})
        assert (start.n, start.n_events, start.last) == (fitted.n, fitted.n_events, fitted.last)
        assert v.unchanged == pytest.approx(start.risk(pbc.frame.iloc[[1]], [1826.0])[0, 0], abs=1e-12)
        assert v.each == pytest.approx(v.n_events / len(fitted.coef))
        assert v.weak == (v.each < 10) == any("fewer than 10" in told for told in fitted.cautions)
        assert not any("fewer than 10" in told for told in v.cautions)
    assert {v.weak for v in known} == {True, False}
    assert any("Fewer than 5 events for each coefficient" in v.why for v in found)
    assert all(v.why and np.isnan(v.risk) for v in found if v not in known)
    again = updated_risk(pbc, outcome, 1, 1826.0, kept=kept)
    assert [v.risk for v in again if not v.why] == [v.risk for v in known]


def test_a_patient_who_died_before_the_landmark_has_no_risk_from_there(pbc):
    outcome = pbc.outcomes[0]
    with pytest.raises(Fixable, match="ended with the event before it"):
        check_at_risk(pbc, outcome, 0, 1095.0)
    check_at_risk(pbc, outcome, 1, 1095.0)
    late = replace(pbc, visits=replace(pbc.visits, frame=pbc.visits.frame.assign(
        **{pbc.visits.time: pbc.visits.frame[pbc.visits.time] + 5000.0})), fingerprint="")  # fmt: skip
    found = updated_risk(late, outcome, 0, 365.0)
    assert found
    assert all("ended with the event" in v.why for v in found)


def test_what_can_not_be_updated_says_why(pbc, gbsg2):
    outcome = pbc.outcomes[0]
    with pytest.raises(Fixable, match="no table of visits"):
        at_landmark(gbsg2, gbsg2.outcomes[0], 365.0)
    with pytest.raises(Fixable, match="Nobody is left"):
        at_landmark(pbc, outcome, 1e5)
    with pytest.raises(Fixable, match="0 or later"):
        at_landmark(pbc, outcome, -1.0)
    with pytest.raises(Fixable, match="measured at visits"):
        at_landmark(pbc, outcome, 365.0, variables=["age", "sex"])
    with pytest.raises(Fixable, match="not in this cohort"):
        at_landmark(pbc, outcome, 365.0, variables=["age", "bilirubin_mg_dl", "nothing"])
    with pytest.raises(Fixable, match="needs at least 10 events"):
        landmark_model(at_landmark(pbc, outcome, 4000.0))
    few = at_landmark(pbc, outcome, 5 * 365.25)
    assert landmark_model(few).n_events == 46
    with pytest.raises(Fixable, match="Fewer than 5 events for each coefficient"):
        landmark_pair(few)
    with pytest.raises(Fixable, match="10 events"):
        landmark_gain(at_landmark(pbc, outcome, 4000.0))
    with pytest.raises(Fixable, match="above 0"):
        updated_risk(pbc, outcome, 1, 0.0)
    unseen = int(np.flatnonzero(~pbc.frame[pbc.identifier].astype(str).isin(
        pbc.visits.frame[pbc.visits.patient].astype(str)))[0])  # fmt: skip
    assert updated_risk(pbc, outcome, unseen, 365.0) == ()
