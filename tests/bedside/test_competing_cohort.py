"""Competing risks of the sample cohorts, as a page asks for them."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.cohort import group_by
from bedside.competing import (
    cause_specific_by,
    fine_gray_by,
    gray_by,
    illness_death,
    illness_death_model,
    incidence_by,
)
from bedside.errors import Fixable

TERMS = ("age", "sex", "haemoglobin_g_dl", "m_spike_g_dl")


@pytest.fixture(scope="module")
def mgus(sample):
    return sample("mgus_competing")


@pytest.fixture(scope="module")
def progression(mgus):
    return mgus.outcome("progression")


def test_types_of_event_are_numbered_in_dictionary_order(mgus, progression):
    assert progression.cause_labels == ("Progression", "Death without progression")
    codes = mgus.cause(progression)
    np.testing.assert_array_equal(np.bincount(codes), [409, 115, 860])
    np.testing.assert_array_equal(codes > 0, mgus.event("progression"))
    np.testing.assert_array_equal(codes == 2, mgus.frame["status"] == "death")
    assert mgus.outcome("death").cause_labels == ("Death",)


def test_how_wrong_one_minus_kaplan_meier_is(mgus, progression):
    """Progression by 25 years: 26.1% were it not for death, 10.9% in fact."""
    everyone = incidence_by(mgus, progression)[0].at([300])
    assert round(100 * everyone.naive[0, 0], 1) == 26.1
    assert round(100 * everyone.incidence[0, 0], 1) == 10.9
    assert everyone.lower[0, 0] < everyone.incidence[0, 0] < everyone.upper[0, 0]


def test_groups_equal_r(r, same, mgus, progression):
    theirs = r("03_competing_multistate")["aalen_johansen"]["mgus2_sex"]
    found = incidence_by(mgus, progression, group_by(mgus, "sex"), interval="log")
    assert [curve.group for curve in found] == ["Female", "Male"]
    for curve, sex in zip(found, "FM", strict=True):
        same(curve.incidence[1:, 0], theirs[sex]["full"]["cif_cause1"])
        points = curve.at(theirs[sex]["times"], extend=True)
        same(points.std_err[:, 1], theirs[sex]["se_cause2"])
        same(points.lower[:, 0], theirs[sex]["ci"]["log"]["cause1_lower"])


def test_gray_equals_r(r, same, mgus, progression):
    theirs = r("03_competing_multistate")["gray_test"]["mgus2_sex"]
    tests = gray_by(mgus, progression, group_by(mgus, "sex"))
    assert [test.cause for test in tests] == list(progression.cause_labels)
    same([test.statistic for test in tests], theirs["chisq"])
    same([test.p for test in tests], theirs["p"])


@pytest.mark.parametrize(("of", "block"), [(1, "mgus2_pcm"), (2, "mgus2_death")])
def test_fine_gray_equals_r_in_the_units_of_the_page(r, mgus, progression, of, block):
    theirs = r("03_competing_multistate")["fine_gray"][block]
    table = fine_gray_by(mgus, progression, TERMS, of=of)
    rows = {row.term: row for row in table.rows if not row.is_reference}
    per = {"Age": 10, "Sex": 1, "Haemoglobin": 2, "Monoclonal spike": 0.5}
    assert set(rows) == set(per)
    for (name, step), coef, p in zip(per.items(), theirs["coef"], theirs["p"], strict=True):
        np.testing.assert_allclose(rows[name].hr, np.exp(step * coef), rtol=1e-5)
        np.testing.assert_allclose(np.log(rows[name].p), np.log(p), rtol=1e-4)
    assert (table.fit.n, table.fit.n_events) == (1360, {1: 114, 2: 849}[of])
    assert table.design.n_dropped == 24
    assert table.cause == progression.cause_labels[of - 1]


def test_few_events_are_cautioned_of(sample):
    pbc = sample("pbc_liver")
    table = fine_gray_by(pbc, pbc.outcome("death"), ("age", "sex", "albumin_g_dl"), of=2)
    assert table.fit.n_events < 10 * len(table.fit.coef)
    assert "events for" in table.cautions[-1]


def test_cause_specific_models_and_risks(mgus, progression):
    found = cause_specific_by(mgus, progression, TERMS)
    assert found.reasons == ("", "")
    assert [forest.fit.n_events for forest in found.forests] == [114, 849]
    rows = found.design.data.rows[[0, 7]]
    risk = found.absolute_risk(rows, [60, 120])
    x = found.design.data.x[[0, 7]]
    np.testing.assert_allclose(risk.risk, found.models.absolute_risk(x, [60, 120]).risk)
    lacking = np.setdiff1d(np.arange(len(mgus)), found.design.data.rows)[0]
    with pytest.raises(Fixable, match="1 of 2 patients lack a value"):
        found.absolute_risk([rows[0], lacking], [60])


def test_a_type_that_never_occurs_gets_an_answer_everywhere(mgus, progression):
    """Among those who did not progress, death still has its curve, its test and its models."""
    without = mgus.take(mgus.cause(progression) != 1, seal="no progression")
    by = group_by(without, "sex")
    for curve in incidence_by(without, progression, by):
        np.testing.assert_array_equal(curve.incidence[:, 0], 0)
        assert curve.incidence[-1, 1] > 0.5
    tests = gray_by(without, progression, by)
    assert np.isnan(tests[0].p)
    assert 0 < tests[1].p < 1
    found = cause_specific_by(without, progression, TERMS)
    assert found.forests[0] is None
    assert "No event of the type “Progression”" in found.reasons[0]
    risk = found.absolute_risk(found.design.data.rows[:1], [60])
    np.testing.assert_array_equal(risk.risk, 0)
    with pytest.raises(Fixable, match="No Fine-Gray model"):
        fine_gray_by(without, progression, TERMS)


def test_curves_of_those_still_free_of_events(mgus, progression):
    """Ten years on: those at risk then begin anew, and chances add up to 1 again."""
    later = incidence_by(mgus, progression, alive_at=120)[0]
    assert later.time[0] == 120
    np.testing.assert_array_equal(later.incidence[0], 0)
    assert later.n == int((mgus.time(progression) > 120).sum())
    whole = incidence_by(mgus, progression)[0]
    before, after = whole.at([120]), whole.at([240])
    expected = (after.incidence - before.incidence) / before.event_free
    np.testing.assert_allclose(later.at([240]).incidence, expected, rtol=1e-10)


def test_patients_without_group_are_in_no_curve(mgus, progression):
    by = group_by(mgus, "m_spike_g_dl")
    found = incidence_by(mgus, progression, by)
    assert by.dropped_missing == 11
    assert sum(curve.n for curve in found) == len(mgus) - 11


def test_illness_and_death_from_two_outcomes(mgus, progression):
    """Nine patients progressed in the very month of their death: they progressed first."""
    found = illness_death(mgus, progression, mgus.outcome("death"), group_by(mgus, "sex"), tau=240)
    onset, dead = mgus.cause(progression) == 1, mgus.event("death")
    together = onset & dead & (mgus.time(progression) == mgus.time("death"))
    assert (found.n_same_time, found.n_after, found.n_cut) == (int(together.sum()), 0, 0)
    expected = [
        [0, onset.sum(), (dead & ~onset).sum(), (~dead & ~onset).sum()],
        [0, 0, (dead & onset).sum(), (~dead & onset).sum()],
        [0, 0, 0, 0],
    ]
    np.testing.assert_array_equal(found.transitions, expected)
    for group in found.occupations:
        np.testing.assert_allclose(group.chance.sum(axis=1), 1)
        np.testing.assert_allclose(group.within.mean.sum(), 240)
        # Nobody leaves the first state but by one of the events.
        free = incidence_by(mgus, progression, group_by(mgus, "sex"))
        curve = next(c for c in free if c.group == group.group)
        np.testing.assert_allclose(group.at([120, 240]).chance[:, 0], curve.at([120, 240]).event_free, rtol=1e-10)


def test_models_of_illness_and_death_equal_those_of_each_transition(mgus, progression):
    death = mgus.outcome("death")
    together = (mgus.cause(progression) == 1) & mgus.event(death) & (mgus.time(progression) == mgus.time(death))
    apart = mgus.take(~together, seal="no two events at one time")
    found = illness_death_model(apart, progression, death, ("age", "sex"))
    assert found.fit.labels == ("1:2", "1:3", "2:3")
    assert found.fit.n_events == (106, 860, 94)
    alone = cause_specific_by(apart, progression, ("age", "sex"))
    np.testing.assert_allclose(found.fit.coef[:2], alone.forests[0].fit.coef, rtol=1e-6)
    np.testing.assert_allclose(found.fit.naive_se[2:4], alone.forests[1].fit.se, rtol=1e-6)
    lower, upper = found.fit.interval()
    assert ((lower < found.fit.ratio) & (found.fit.ratio < upper)).all()


def test_a_first_event_after_the_end_and_follow_up_that_ends_early(sample):
    colon = sample("colon_trial")
    recurrence, death = colon.outcome("recurrence"), colon.outcome("death")
    time = colon.frame[recurrence.time].to_numpy().copy()
    ill = np.flatnonzero(colon.cause(recurrence) == 1)[:3]
    free = np.flatnonzero(colon.cause(recurrence) == 0)[:2]
    frame = colon.frame.copy()
    time[ill], time[free] = frame[death.time].to_numpy()[ill] + 10, time[free] / 2
    frame[recurrence.time] = time
    changed = type(colon)(**{name: getattr(colon, name) for name in colon.__dataclass_fields__} | {"frame": frame})
    found = illness_death(changed, recurrence, death)
    assert (found.n_after, found.n_cut) == (3, 2)
    assert found.transitions[0, 1] == (colon.cause(recurrence) == 1).sum() - 3


def test_grays_test_of_those_who_came_so_far_is_that_of_their_rows(mgus, progression):
    groups = group_by(mgus, "sex")
    stay = mgus.time(progression) > 60
    later = gray_by(mgus, progression, groups, alive_at=60)
    alone = gray_by(mgus.take(stay, seal="later"), progression, group_by(mgus.take(stay, seal="later"), "sex"))
    assert [test.statistic for test in later] == [test.statistic for test in alone]
    assert later[0].n.sum() == stay.sum() < len(mgus)
    with pytest.raises(Fixable, match="no form for that"):
        gray_by(mgus, progression, groups, entry="age")


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1.0, 1e9])
def test_steps_that_differ_by_rounding_only_are_one_time(sample, scale):
    """Times are tied before they are compared, so that nobody is in a state for no time; then nothing divides by 0."""
    colon = sample("colon_trial")
    recurrence, death = colon.outcome("recurrence"), colon.outcome("death")
    frame = colon.frame.copy()
    for outcome in (recurrence, death):
        frame[outcome.time] = frame[outcome.time].to_numpy() * scale
    changed = type(colon)(**{name: getattr(colon, name) for name in colon.__dataclass_fields__} | {"frame": frame})
    for group in illness_death(changed, recurrence, death, tau=1000 * scale).occupations:
        np.testing.assert_allclose(group.chance.sum(axis=1), 1)
        assert np.isfinite(group.std_err).all()


def test_the_same_outcome_twice_is_refused(mgus, progression):
    with pytest.raises(Fixable, match="Both outcomes are the same one"):
        illness_death(mgus, progression, progression)
