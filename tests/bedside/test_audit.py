"""Whom a model fails: groups against R, decisions at a threshold, words that fit the numbers."""

from __future__ import annotations

import numpy as np
import pytest
from risk_cases import simulated

from bedside.cohort import Grouping
from bedside.errors import Fixable
from bedside.risk.training import training
from bedside.validation import cross_validate
from bedside.validation.audit import audit, audit_cohort, cochran, together
from bedside.validation.audit_threshold import at_threshold, difference
from bedside.validation.audit_words import holm
from bedside.validation.measure import rows_of
from bedside.validation.observed import observed_risk

T = 1826.25


@pytest.fixture(scope="module")
def pbc_rows(reference_frame):
    d = reference_frame("pbc")
    d = d[d.protime.notna()]
    risk = 1 - np.exp(-0.22 * np.exp(0.7 * (np.log(d.bili) - 0.05 * d.edema - 1)))
    rows = rows_of(d.time.to_numpy(), (d.status > 0).to_numpy())
    sex = Grouping(("Male", "Female"), (d.sex == "f").to_numpy().astype(int), 0, "Sex")
    return rows, risk.to_numpy(), sex


def test_groups_against_r(pbc_rows, r, same):
    rows, risk, sex = pbc_rows
    theirs = r("27_audit")["audit"]
    found = audit(rows, risk, sex, T, threshold=0.3)
    for group, key in zip(found.groups, "mf", strict=True):
        want = theirs["groups"][key]
        same(group.n, want["n"])
        same(group.predicted, want["predicted"])
        same([group.observed.risk, group.observed.lower, group.observed.upper],
             [want["observed"][k] for k in ("risk", "lower", "upper")])  # fmt: skip
        same(group.ratio.value, want["observed"]["risk"] / want["predicted"])
        same(group.ratio.std_err, want["log_ratio_se"])
        same([group.c.value, group.c.std_err], [want["c"], want["c_se"]])
        made = group.decision
        for rate in ("flagged", "sensitivity", "specificity", "ppv", "npv"):
            same(getattr(made, rate).value, want[rate])
        assert made.false_positive.value == pytest.approx(1 - want["specificity"])
    assert [group.greyed for group in found.groups] == [True, False]
    both = np.array([[np.log(g.ratio.value), g.ratio.std_err] for g in found.groups])
    same(cochran("x", "x", both).statistic, theirs["q_ratio"])
    same(cochran("x", "x", np.array([[g.c.value, g.c.std_err] for g in found.groups])).statistic, theirs["q_c"])
    same(holm(theirs["holm_of"]), theirs["holm"])


def test_errors_of_rates_against_the_bootstrap(pbc_rows, r):
    rows, risk, sex = pbc_rows
    here = sex.codes == 1
    made = at_threshold(rows_of(rows.time[here], rows.cause[here]), risk[here], T, 0.3)
    theirs = r("27_audit")["audit"]["bootstrap_se"]
    for rate in ("sensitivity", "specificity"):
        value = getattr(made, rate)
        on_logit = value.std_err / (value.value * (1 - value.value))
        assert on_logit == pytest.approx(theirs[rate], rel=0.12)
        assert value.lower < value.value < value.upper


def test_without_censoring_rates_are_plain_counts():
    rng = np.random.default_rng(1)
    risk = rng.random(400)
    event = rng.random(400) < risk
    rows = rows_of(np.where(event, 1.0, 3.0), event)
    made = at_threshold(rows, risk, 2.0, 0.4)
    flagged = risk >= 0.4
    assert made.sensitivity.value == pytest.approx(flagged[event].mean())
    assert made.false_positive.value == pytest.approx(flagged[~event].mean())
    assert made.ppv.value == pytest.approx(event[flagged].mean())
    assert made.npv.value == pytest.approx(1 - event[~flagged].mean())
    n = event.sum()
    plain = np.sqrt(made.sensitivity.value * (1 - made.sensitivity.value) / n)
    assert made.sensitivity.std_err == pytest.approx(plain, rel=0.02)


def made_up(seed=3, *, wrong=1.6, n=1500):
    """Risks that are right in one group and too low in the other."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, n)
    rate = np.exp(rng.normal(-1.2, 0.6, n))
    time = rng.exponential(1 / (rate * np.where(group == 1, wrong, 1.0)))
    censored = rng.uniform(0.5, 3, n)
    rows = rows_of(np.minimum(time, censored), time <= censored)
    return rows, 1 - np.exp(-rate), Grouping(("Men", "Women"), group, 0, "Sex")


def test_a_group_it_fails_and_the_words_for_it():
    rows, risk, sex = made_up()
    found = audit(rows, risk, sex, 1.0, threshold=0.3, reference="Men", unit="years")
    women = found.groups[1]
    seen = observed_risk(rows_of(rows.time[sex.codes == 1], rows.cause[sex.codes == 1]), 1.0)
    (said,) = [f for f in found.findings if f.group == "Women" and f.about == "calibration"]
    numbers = [100 * x for x in (women.predicted, seen.risk, seen.lower, seen.upper)]
    assert said.sentence == (
        "Women: it said {:.0f} of 100 by 1 year and {:.0f} of 100 had the event ({:.0f} to {:.0f}): too low.".format(
            *numbers
        )
    )
    assert said.verdict == "too low" and said.p < 0.001
    (right,) = [f for f in found.findings if f.group == "Men" and f.about == "calibration"]
    assert right.verdict == "no finding" and right.sentence.endswith("no finding.")
    tests = {test.key: test for test in found.tests}
    assert tests["observed_expected"].p < 0.01 and tests["intercept"].p < 0.001 and tests["c"].df == 1
    assert any(f.about == "observed_expected" and f.verdict == "differs" for f in found.findings)
    fair = audit(*made_up(7, wrong=1.0, n=4000), 1.0, threshold=0.3)
    assert not [f for f in fair.findings if f.found and f.about == "calibration"]


def test_differences_to_the_reference():
    rows, risk, sex = made_up()
    found = audit(rows, risk, sex, 1.0, threshold=0.3, reference="Men")
    men, women = found.groups
    assert men.to_reference == {} and found.reference == "Men"
    for rate, apart in women.to_reference.items():
        one, other = getattr(women.decision, rate), getattr(men.decision, rate)
        assert apart.value == pytest.approx(one.value - other.value)
        assert apart.std_err == pytest.approx(np.hypot(one.std_err, other.std_err))
    assert np.isnan(difference(women.decision.ppv, at_threshold(rows, risk, 1.0, 0.999).ppv).lower)


def test_small_groups_are_greyed_and_the_missing_are_a_group():
    rows, risk, sex = made_up()
    codes = np.where(np.arange(len(risk)) < 90, 2, sex.codes)
    codes = np.where(np.arange(len(risk)) > 1400, -1, codes)
    found = audit(rows, risk, Grouping(("Men", "Women", "Other"), codes, 99, "Sex"), 1.0, threshold=0.3)
    assert [g.label for g in found.groups] == ["Men", "Women", "Other", "Not recorded"]
    assert [g.greyed for g in found.groups] == [False, False, True, True]
    few = [f for f in found.findings if f.group == "Other"]
    assert [f.verdict for f in few] == ["too few"] and "90 patients" in few[0].sentence and np.isnan(few[0].p)
    assert found.tests[0].groups == 2


@pytest.mark.parametrize("what", ["no events", "one patient", "short", "all flagged", "same risk"])
def test_odd_groups_have_an_answer(what):
    rows, risk, sex = made_up(n=300)
    codes, threshold = sex.codes.copy(), 0.3
    time, cause = rows.time.copy(), rows.cause.copy()
    if what == "no events":
        cause[codes == 1] = 0
    elif what == "one patient":
        codes = np.where(np.arange(300) == 4, 1, 0)
    elif what == "short":
        time = np.where(codes == 1, np.minimum(time, 0.5), time)
    elif what == "all flagged":
        threshold = 1e-6
    else:
        risk = np.full(300, 0.25)
    found = audit(rows_of(time, cause), risk, Grouping(("a", "b"), codes, 0, "G"), 1.0, threshold=threshold)
    assert len(found.groups) == 2 and all(f.sentence for f in found.findings)
    if what == "short":
        assert found.findings[1].sentence == "b: nobody was followed to 1 day."


def test_competing_events():
    rng = np.random.default_rng(4)
    n = 1200
    group = rng.integers(0, 2, n)
    first, other, censored = rng.exponential(2, n), rng.exponential(np.where(group, 1.0, 4.0)), rng.uniform(1, 4, n)
    time = np.minimum.reduce([first, other, censored])
    cause = np.where(time == first, 1, np.where(time == other, 2, 0))
    risk = np.full(n, 0.33) + 0.001 * rng.random(n)
    found = audit(rows_of(time, cause), risk, Grouping(("few", "many"), group, 0, "Rivals"), 1.0, threshold=0.3305)
    few, many = found.groups
    # The exact risks: rate / (sum of rates) * (1 - exp(-sum of rates)).
    assert few.observed.risk == pytest.approx(0.5 / 0.75 * (1 - np.exp(-0.75)), abs=0.04)
    assert many.observed.risk == pytest.approx(0.5 / 1.5 * (1 - np.exp(-1.5)), abs=0.04)
    assert [f.verdict for f in found.findings if f.about == "calibration"][1] == "too high"
    assert found.tests[0].p < 0.05 and 0.4 < many.decision.sensitivity.value < 0.6


def test_a_cohort_by_its_sensitive_attributes(sample):
    cohort = sample("pbc_liver")
    rows = training(cohort, "death", target="event")
    checked = cross_validate(["cox"], rows, times=[T], settings={"cox": {"knots": 0}})
    found = audit_cohort(checked, "cox", cohort, threshold=0.2)
    assert {a.variable for a in found.audits} == {v.name for v in cohort.sensitive}
    more = audit_cohort(checked, "cox", cohort, variables=["bilirubin_mg_dl", "stage", "sex"])
    assert [a.variable for a in more.audits] == ["sex", "bilirubin_mg_dl", "stage"]
    assert [a.sensitive for a in more.audits] == [True, False, False]
    assert "by chance alone" in found.caution and found.comparisons > 3
    sex = found.audits[[a.variable for a in found.audits].index("sex")]
    assert sum(g.n for g in sex.groups) == 418
    with pytest.raises(Fixable, match="by that time"):
        audit_cohort(checked, "cox", cohort, t=1000.0)
    with pytest.raises(Fixable, match="can't be looked at"):
        audit_cohort(checked, "cox", cohort.take(np.arange(418) < 300, seal="x"))


def test_multiplicity_is_said():
    rows, risk, sex = made_up()
    both = together([audit(rows, risk, sex, 1.0), audit(rows, risk, sex, 1.0, threshold=0.3)])
    tested = [f for a in both.audits for f in a.findings if np.isfinite(f.p)]
    assert both.caution.startswith(f"{len(tested)} comparisons were made: about {0.05 * len(tested):.1f} findings")
    plain = simulated(30)
    none = together([audit(rows_of(plain.time("death"), plain.event("death")), np.full(30, 0.2),
                           Grouping(("a",), np.zeros(30, int), 0, "A"), 300.0)])  # fmt: skip
    assert none.caution == "No group has enough patients and events to be compared."
