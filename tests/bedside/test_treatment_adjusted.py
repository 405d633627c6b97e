"""Weighted comparisons of a cohort's groups: numbers by hand, and every awkward cohort."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from bedside.cohort.groups import Grouping, group_by
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.survival.events import rows_of
from bedside.treatment import adjusted, differences_at, hazard_ratios, histogram, standardised, subgroups
from bedside.treatment.logistic import logistic, multinomial
from bedside.treatment.propensity import Propensity
from bedside.treatment.weights import effective_size, weights_of

COVARIATES = ["age", "grade", "nodes", "menopausal_status"]


@pytest.fixture
def treated(gbsg2):
    return group_by(gbsg2, "hormone_therapy")


@pytest.fixture
def two_arms(cohort_folder):
    """A cohort of 80 with a treatment, a number and a level; ``two_arms(site=...)`` sets the level by hand."""

    def make(**columns):
        rng = np.random.default_rng(7)
        n = 80
        frame = pd.DataFrame(
            {
                "days": rng.exponential(100, n).round(1),
                "status": rng.integers(0, 2, n),
                "arm": np.where(np.arange(n) % 2, "new", "old"),
                "age": rng.normal(50, 10, n).round(1),
                "site": np.where(np.arange(n) % 3, "north", "south"),
            }
        )
        for name, values in columns.items():
            frame[name] = values
        told = [
            {"name": "arm", "kind": "binary", "levels": [{"code": c, "label": c} for c in ("old", "new")]},
            {"name": "age", "kind": "continuous"},
            {"name": "site", "kind": "categorical"},
        ]
        return read_cohort(cohort_folder(frame, variables=told))

    return make


def test_complete_cases_are_counted_and_compared_both_ways(pbc):
    grouping = group_by(pbc, "treatment")
    found = adjusted(pbc, pbc.outcomes[0], grouping, ["age", "cholesterol_mg_dl"])
    frame = pbc.frame
    whole = (grouping.codes >= 0) & frame["cholesterol_mg_dl"].notna().to_numpy()
    assert sum(found.n) == whole.sum()
    assert found.dropped == (grouping.codes >= 0).sum() - whole.sum() > 0
    assert found.n == tuple(np.bincount(grouping.codes[whole]))
    assert found.randomised is True
    assert [curve.n for curve in found.raw_curves] == list(found.n) == [curve.n for curve in found.curves]


def test_weighting_balances_what_it_was_told_of(gbsg2, treated):
    found = adjusted(gbsg2, gbsg2.outcomes[0], treated, COVARIATES, "overlap")
    assert found.randomised is False
    by_name = {row.column.label: row for row in found.balance}
    age = gbsg2.frame["age"].to_numpy()
    a, b = age[treated.codes == 0], age[treated.codes == 1]
    assert by_name["Age"].before == pytest.approx((b.mean() - a.mean()) / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    # Overlap weights balance the means of the model's own columns exactly.
    assert abs(by_name["Age"].after) < 1e-9
    assert {row.column.level for row in found.balance if row.column.variable.name == "grade"} == {"1", "2", "3"}
    assert all(row.balanced for row in found.balance)


def test_weights_by_hand():
    """Chances 1/4 and 1/2 of treatment, one treated and one not of each."""
    chance = np.array([0.25, 0.25, 0.5, 0.5])
    codes = np.array([0, 1, 0, 1])
    scores = Propensity(("no", "yes"), codes, np.column_stack((1 - chance, chance)), np.zeros((1, 1)), (), 0.0)
    assert weights_of(scores, "ate").value == pytest.approx([4 / 3, 4, 2, 2])
    assert weights_of(scores, "ate_stabilised").value == pytest.approx([2 / 3, 2, 1, 1])
    assert weights_of(scores, "att").value == pytest.approx([1 / 3, 1, 1, 1])
    assert weights_of(scores, "att", target=0).value == pytest.approx([1, 3, 1, 1])
    assert weights_of(scores, "overlap").value == pytest.approx([0.25, 0.75, 0.5, 0.5])
    assert effective_size(np.array([4.0, 2.0])) == pytest.approx(36 / 20)
    cut = weights_of(scores, "ate", truncate=0.25)
    # Quartiles of 4/3, 2, 2, 4 are 11/6 and 2.5 (type 7).
    assert cut.value == pytest.approx([11 / 6, 2.5, 2, 2])
    assert cut.n_truncated == 2
    edges, counts = histogram(scores, bars=4)
    assert edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert [c.tolist() for c in counts] == [[0, 1, 1, 0], [0, 1, 1, 0]]


def test_three_arms_are_one_multinomial_model(lung):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 2))
    codes = rng.integers(0, 3, 300)

    def minus_loglik(beta):
        eta = np.column_stack((np.zeros(300), np.column_stack((np.ones(300), x)) @ beta.reshape(2, 3).T))
        return -(eta[np.arange(300), codes] - np.log(np.exp(eta).sum(axis=1))).sum()

    best = minimize(minus_loglik, np.zeros(6), tol=1e-12)
    found = multinomial(x, codes, 3)
    assert found.loglik == pytest.approx(-best.fun, rel=1e-10)
    np.testing.assert_allclose(found.coef.ravel(), best.x, atol=1e-5)
    np.testing.assert_allclose(found.fitted.sum(axis=1), 1.0)
    two = logistic(x, codes == 1)
    np.testing.assert_allclose(multinomial(x, (codes == 1).astype(int), 2).coef[0], two.coef, rtol=1e-7)
    ages = group_by(lung, "age")
    compared = adjusted(lung, lung.outcomes[0], ages, ["sex", "karnofsky_physician"], "overlap")
    assert len(compared.curves) == len(ages.labels) == len(compared.ratios) + 1


def test_bootstrap_and_robust_intervals_agree_about(gbsg2, treated):
    robust = adjusted(gbsg2, gbsg2.outcomes[0], treated, COVARIATES, "overlap")
    again = [adjusted(gbsg2, gbsg2.outcomes[0], treated, COVARIATES, "overlap", resamples=60) for _ in range(2)]
    np.testing.assert_array_equal(again[0].curves[0].lower, again[1].curves[0].lower)
    assert (again[0].curves[0].survival == robust.curves[0].survival).all()
    middle = len(robust.curves[1].time) // 2
    ratio = again[0].curves[1].std_err[middle] / robust.curves[1].std_err[middle]
    assert 0.7 < ratio < 1.4
    assert again[0].failed == 0


def test_differences_of_curves_by_hand(gbsg2, treated):
    found = adjusted(gbsg2, gbsg2.outcomes[0], treated, COVARIATES)
    one = differences_at(found.curves, [1000.0])[0]
    points = [curve.at([1000.0]) for curve in found.curves]
    errors = [curve.std_err[np.searchsorted(curve.time, 1000.0, side="right") - 1] for curve in found.curves]
    assert one.difference == pytest.approx(points[1].survival[0] - points[0].survival[0])
    assert one.upper - one.lower == pytest.approx(2 * 1.959964 * math.hypot(*errors), rel=1e-6)
    assert math.isnan(differences_at(found.curves, [1e6])[0].difference)


def test_a_level_that_one_arm_lacks_is_named(two_arms):
    cohort = two_arms(site=["clinic" if i in (1, 3, 5) else "north" if i % 3 else "south" for i in range(80)])
    with pytest.raises(Fixable, match="clinic") as stop:
        adjusted(cohort, cohort.outcomes[0], group_by(cohort, "arm"), ["age", "site"])
    assert "“old”" in stop.value.why.lower()
    assert "site" in stop.value.what


def test_a_number_that_tells_the_arms_apart_is_named(two_arms):
    cohort = two_arms(age=[40.0 + i % 2 * 20 + i / 100 for i in range(80)])
    with pytest.raises(Fixable, match="No overlap in “age”"):
        adjusted(cohort, cohort.outcomes[0], group_by(cohort, "arm"), ["age", "site"])


def test_two_variables_that_tell_the_arms_apart_together_are_named(two_arms):
    rng = np.random.default_rng(3)
    base = rng.normal(50, 10, 80)
    arm = np.arange(80) % 2
    cohort = two_arms(age=base, weight=base + np.where(arm, 1.0, -1.0) * rng.uniform(1, 2, 80))
    with pytest.raises(Fixable, match="weight"):
        adjusted(cohort, cohort.outcomes[0], group_by(cohort, "arm"), ["age", "weight"])


def test_groups_too_small_are_named(gbsg2):
    codes = np.zeros(len(gbsg2), dtype=int)
    codes[3] = 1
    with pytest.raises(Fixable, match="“B” is too small"):
        adjusted(gbsg2, gbsg2.outcomes[0], Grouping(("A", "B"), codes, 0, "x"), ["age"])
    codes[:3] = 1
    with pytest.raises(Fixable, match="so many covariates"):
        adjusted(gbsg2, gbsg2.outcomes[0], Grouping(("A", "B"), codes, 0, "x"), COVARIATES)
    with pytest.raises(Fixable, match="one group"):
        adjusted(gbsg2, gbsg2.outcomes[0], Grouping(("A",), codes * 0, 0, "x"), ["age"])


def test_what_cannot_be_a_covariate(gbsg2, treated, two_arms):
    for names, said in (([], "No covariate"), (["hormone_therapy"], "what the groups are made from")):
        with pytest.raises(Fixable, match=said):
            adjusted(gbsg2, gbsg2.outcomes[0], treated, names)
    nobody = two_arms(age=[math.nan] * 79 + [5.0], site=["north"] * 79 + [None])
    with pytest.raises(Fixable, match="complete cases"):
        adjusted(nobody, nobody.outcomes[0], group_by(nobody, "arm"), ["age", "site"])


def test_covariates_that_repeat_or_do_not_vary_are_passed_over(two_arms):
    cohort = two_arms(twice=np.random.default_rng(7).normal(size=80), same=1.5)
    cohort = replace(cohort, frame=cohort.frame.assign(twice=2 * cohort.frame["age"] + 1), fingerprint="")
    grouping = group_by(cohort, "arm")
    found = adjusted(cohort, cohort.outcomes[0], grouping, ["age", "twice", "same"])
    alone = adjusted(cohort, cohort.outcomes[0], grouping, ["age"])
    np.testing.assert_allclose(found.weights.value, alone.weights.value, rtol=1e-10)
    assert len(found.balance) == 3


def test_an_arm_without_events_has_a_reason_and_no_number():
    rows = rows_of([1.0, 4, 3, 5, 5, 6], [1, 1, 1, 0, 0, 0])
    codes = np.array([0, 0, 1, 1, 2, 2])
    first, second = hazard_ratios(rows, codes, ("a", "b", "c"))
    assert not math.isnan(first.hr)
    assert math.isnan(second.hr)
    assert "Nobody in “c”" in second.why
    assert all("reference" in one.why for one in hazard_ratios(rows, codes, ("a", "b", "c"), reference=2))


def test_no_events_at_all_still_have_curves_and_balance(two_arms):
    cohort = two_arms(status=[0] * 79 + [1])
    quiet = cohort.take(np.arange(80) < 79, seal="all but the last")
    found = adjusted(quiet, quiet.outcomes[0], group_by(quiet, "arm"), ["age"])
    assert found.events == (0, 0)
    assert (found.curves[0].survival == 1).all()
    assert math.isnan(found.ratios[0].hr)
    forest = subgroups(quiet, quiet.outcomes[0], group_by(quiet, "arm"), ["site"])
    assert forest.rows[0].interaction is None
    with pytest.raises(Fixable):
        standardised(quiet, quiet.outcomes[0], group_by(quiet, "arm"), ["age"])


def test_weights_that_are_none_are_refused(gbsg2, treated):
    with pytest.raises(Fixable, match="for whom"):
        adjusted(gbsg2, gbsg2.outcomes[0], treated, ["age"], "everyone")
    with pytest.raises(Fixable, match="truncate"):
        adjusted(gbsg2, gbsg2.outcomes[0], treated, ["age"], truncate=0.7)
