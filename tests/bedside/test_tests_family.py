"""The log-rank family by its definition, and at its edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.statistics import multivariate_logrank_test

from bedside.errors import Fixable
from bedside.survival import EventTable, log_rank, log_rank_of, pairwise_tests, trend_test, weighted_test
from bedside.survival import event_table as table_of
from bedside.survival.tally import strata_of, tally
from bedside.survival.weighted import weigh_by

ROWS = st.lists(
    st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 3), st.integers(0, 2), st.integers(0, 3)),
    min_size=2, max_size=60,
)  # fmt: skip
WEIGHTS = [
    ("log-rank", 0, 0), ("gehan-breslow", 0, 0), ("tarone-ware", 0, 0), ("peto-peto", 0, 0),
    ("modified-peto-peto", 0, 0), ("fleming-harrington", 1, 0), ("fleming-harrington", 0, 1),
    ("fleming-harrington", 0.5, 2),
]  # fmt: skip


def by_definition(time, event, group, strata, entry, weighting, p, q):
    """Sums over strata and times, one table of two rows after another, as a textbook writes them."""
    k = 4
    observed, expected, variance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for layer in set(strata):
        inside = strata == layer
        survival = peto = 1.0
        for t in sorted(set(time[inside & event])):
            at_risk = inside & (time >= t) & (entry < t)
            dying = at_risk & event & (time == t)
            r = np.array([(at_risk & (group == g)).sum() for g in range(k)], float)
            d = np.array([(dying & (group == g)).sum() for g in range(k)], float)
            n, total = r.sum(), d.sum()
            peto *= 1 - total / (n + 1)
            w = {
                "log-rank": 1, "gehan-breslow": n, "tarone-ware": n**0.5, "peto-peto": peto,
                "modified-peto-peto": peto * n / (n + 1), "fleming-harrington": survival**p * (1 - survival) ** q,
            }[weighting]  # fmt: skip
            observed += w * d
            expected += w * total * r / n
            if n > 1:
                spread = w * w * total * (n - total) / (n - 1)
                variance += spread * (np.diag(r / n) - np.outer(r / n, r / n))
            survival *= 1 - total / n
    return observed, expected, variance


@settings(max_examples=150)
@given(ROWS, st.sampled_from(WEIGHTS))
def test_sums_are_those_of_the_definition(rows, weight):
    time, event, group, strata, entry = (np.array(column) for column in zip(*rows, strict=True))
    entry = np.where(entry < time, entry, 0).astype(float)
    time = time.astype(float)
    weighting, p, q = weight
    ours = tally(strata_of(time, event, group, strata, entry), 4, weigh_by(weighting, p=p, q=q))
    observed, expected, variance = by_definition(time, event, group, strata, entry, weighting, p, q)
    np.testing.assert_allclose(ours.observed, observed, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ours.expected, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ours.variance, variance, rtol=1e-11, atol=1e-11)


@settings(max_examples=100)
@given(ROWS)
def test_statistic_is_the_generalised_quadratic_form(rows):
    """Whatever groups were never at risk together: U' V^+ U with the rank of V, by another decomposition."""
    time, event, group, strata, entry = (np.array(column) for column in zip(*rows, strict=True))
    entry = np.where(entry < time, entry, 0)
    try:
        test = log_rank(time, event, group, strata=strata, entry=entry)
    except Fixable:
        return
    inverse = np.linalg.pinv(test.variance, rcond=1e-9, hermitian=True)
    assert test.df == np.linalg.matrix_rank(test.variance, tol=1e-9, hermitian=True)
    np.testing.assert_allclose(test.statistic, test.excess @ inverse @ test.excess, rtol=1e-8, atol=1e-10)
    assert abs(test.excess.sum()) < 1e-9


@pytest.mark.parametrize(
    ("weighting", "theirs"),
    [
        ({"weighting": "gehan-breslow"}, {"weightings": "wilcoxon"}),
        ({"weighting": "tarone-ware"}, {"weightings": "tarone-ware"}),
        (
            {"weighting": "fleming-harrington", "p": 0.5, "q": 1.5},
            {"weightings": "fleming-harrington", "p": 0.5, "q": 1.5},
        ),
    ],
    ids=["gehan", "tarone", "fleming"],
)
def test_weighted_tests_equal_lifelines(reference_frame, weighting, theirs):
    d = reference_frame("colon_death")
    codes = d.rx.astype("category").cat.codes
    ours = weighted_test(d.time, d.status, codes, **weighting)
    other = multivariate_logrank_test(d.time, codes, d.status, **theirs)
    np.testing.assert_allclose(ours.statistic, other.test_statistic, rtol=1e-9)


def test_sparse_groups_are_marked():
    """500 patients, each a group: p is 0 and means nothing. Two groups of 50 with 20 events each are fine."""
    alone = log_rank(np.arange(1, 501), np.ones(500), np.arange(500))
    assert alone.p < 1e-12 and alone.sparse
    time, group = np.arange(100), np.arange(100) % 2
    assert not log_rank(time, time % 5 < 2, group).sparse
    # Weighted sums of events are no events: the rule looks at the events themselves.
    assert not weighted_test(time, time % 5 < 2, group, weighting="fleming-harrington", p=0, q=9).sparse
    assert log_rank(time, time % 25 == 0, group).sparse


def test_groups_are_numbers():
    time, event = [1, 2, 3, 4, 5], [1, 1, 1, 1, 0]
    told = log_rank(time, event, [1, 0, 1, 0, -1]).p
    assert log_rank(time, event, [1.0, 0.0, 1.0, 0.0, np.nan]).p == told
    assert log_rank(time[:4], event[:4], [True, False, True, False]).p == told
    with pytest.raises(Fixable, match="not given by its number"):
        log_rank(time, event, ["b", "a", "b", "a", "a"])


def test_events_without_weight_are_no_comparison():
    """Fleming and Harrington's late weight of the first event is 0."""
    with pytest.raises(Fixable, match="events that count in this test"):
        weighted_test([1, 2, 3, 4], [1, 0, 0, 0], [0, 0, 1, 1], weighting="fleming-harrington", p=0, q=1)


def test_names_say_which_test_it_was():
    time, event, group = [1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 0], [0, 1, 0, 1, 0, 1]
    strata = [0, 0, 0, 1, 1, 1]
    assert log_rank(time, event, group).name == "Log-rank test"
    assert log_rank(time, event, group, strata=strata).name == "Stratified log-rank test"
    late = weighted_test(time, event, group, weighting="fleming-harrington", p=0, q=1)
    assert late.name == "Fleming-Harrington test (0, 1)"
    assert trend_test(time, event, group).name == "Log-rank test for trend"


def test_strata_with_one_group_say_nothing():
    """Three sites, of which the last has patients of one group only: their events count, and inform nobody."""
    time = [1, 2, 3, 4, 1, 2, 3, 4, 1, 2]
    group, site = [0, 1, 0, 1, 0, 1, 1, 0, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    test = log_rank(time, np.ones(10), group, strata=site)
    assert (test.strata, test.informative) == (3, 2)
    assert test.observed.tolist() == [4, 6]
    without = log_rank(time[:8], np.ones(8), group[:8], strata=site[:8])
    assert test.statistic == pytest.approx(without.statistic, rel=1e-14)


def test_strata_that_are_the_groups_leave_nothing_to_compare():
    with pytest.raises(Fixable, match="at risk beside each other"):
        log_rank([1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 1, 1], strata=[0, 0, 1, 1])


def test_groups_never_at_risk_together_are_compared_as_far_as_they_were():
    """A and B in the first weeks, C and D later: two comparisons, two degrees of freedom, the sum of both."""
    early = ([1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 1, 1], [0, 1, 0, 1, 0, 0])
    late = ([11, 12, 13, 14, 15], [1, 1, 1, 0, 1], [2, 3, 2, 3, 3])
    together = log_rank(early[0] + late[0], early[1] + late[1], early[2] + late[2], entry=[0] * 6 + [10] * 5)
    first, second = log_rank(*early), log_rank(*late)
    assert together.df == 2
    assert together.statistic == pytest.approx(first.statistic + second.statistic, rel=1e-12)


def test_missing_groups_and_strata_are_left_out():
    time, event = np.arange(1, 9), np.ones(8)
    group, site = [0, 1, 0, 1, -1, 1, 0, 1], [0, 0, 1, 1, 1, -1, 0, 1]
    test = log_rank(time, event, group, strata=site)
    kept = [0, 1, 2, 3, 6, 7]
    same = log_rank(time[kept], event[kept], np.array(group)[kept], strata=np.array(site)[kept])
    assert test.n.tolist() == [3, 3]
    assert test.statistic == same.statistic


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"weighting": "wilcoxon"}, "not known"),
        ({"weighting": "fleming-harrington", "p": np.nan}, "must be numbers"),
        ({"weighting": "fleming-harrington", "q": -1}, "must be numbers"),
        ({"weighting": "log-rank", "strata": [0, 0]}, "one stratum for each patient"),
        ({"weighting": "log-rank", "entry": [0, 5, 0, 0]}, "before"),
    ],
    ids=["weighting", "p", "q", "strata", "entry"],
)
def test_unusable_choices_are_refused(told, why):
    with pytest.raises(Fixable) as caught:
        weighted_test([1, 2, 3, 4], [1, 1, 1, 1], [0, 1, 0, 1], **told)
    assert why in str(caught.value)


def test_a_negative_power_after_the_curve_has_reached_zero_is_refused():
    """All who were there have died; others come later."""
    with pytest.raises(Fixable, match="infinite weight"):
        weighted_test(
            [1, 1, 5, 6, 7], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0], entry=[0, 0, 2, 2, 2],
            weighting="fleming-harrington", p=-1,
        )  # fmt: skip


def test_thousands_of_groups_are_refused_and_2000_are_not():
    time = np.arange(1, 4003)
    with pytest.raises(Fixable, match="4,002 groups"):
        log_rank(time, np.ones(4002), np.arange(4002))


def test_500_groups_have_an_answer():
    chance = np.random.default_rng(4)
    time, event = np.ceil(chance.exponential(1000, 10_000)), chance.random(10_000) < 0.5
    group, site = chance.integers(0, 500, 10_000), chance.integers(0, 500, 10_000)
    for strata in (None, site):
        assert log_rank(time, event, group, strata=strata).df == 499


def test_ties_are_merged_between_tables():
    """0.1 + 0.2 days in one table is 0.3 in the other, as it is among patients."""
    time, event, group = np.array([0.1 + 0.2, 0.3, 0.5, 0.7]), np.ones(4), np.array([0, 1, 0, 1])
    tables = [table_of(time[group == g], event[group == g]) for g in (0, 1)]
    assert log_rank_of(tables).statistic == log_rank(time, event, group).statistic


def test_tables_that_cannot_be_compared_are_refused():
    weighted = table_of([1, 2], [1, 1], weights=[0.5, 2])
    plain = table_of([1, 2], [1, 1])
    with pytest.raises(Fixable, match="sums of weights"):
        log_rank_of([weighted, plain])
    with pytest.raises(Fixable, match="one group"):
        log_rank_of([plain])
    uncounted = EventTable(*(np.array(x) for x in ([1, 2], [2, 1], [1, 1], [0, 0], [0, 0])), n=2)
    with pytest.raises(Fixable, match="has not been counted"):
        log_rank_of([uncounted, plain])


def test_trend_by_hand():
    """Scores 1, 2, 3 on a test's own sums: c'U / root of c'Vc; a score's origin and scale do not matter."""
    time, event, group = np.arange(1, 13), [1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1], [2, 2, 1, 2, 0, 1, 2, 0, 1, 0, 0, 0]
    trend = trend_test(time, event, group)
    c = np.array([1, 2, 3])
    test = log_rank(time, event, group)
    by_hand = c @ (test.observed - test.expected) / np.sqrt(c @ test.variance @ c)
    assert trend.z == pytest.approx(by_hand, rel=1e-12)
    assert trend.z > 0
    assert trend_test(time, event, group, scores=[105, 112, 119]).z == pytest.approx(by_hand, rel=1e-12)
    assert trend_test(time, event, group, scores=[3, 2, 1]).z == pytest.approx(-by_hand, rel=1e-12)


@pytest.mark.parametrize("scores", [[1, 1, 1], [1, 2], [1, 2, np.nan], ["a", "b", "c"]])
def test_scores_that_order_nothing_are_refused(scores):
    with pytest.raises(Fixable, match="No test for trend"):
        trend_test([1, 2, 3, 4, 5, 6], np.ones(6), [0, 1, 2, 0, 1, 2], scores=scores)


def test_pairs_of_twelve_groups_and_no_more():
    chance = np.random.default_rng(0)
    time, event = chance.integers(1, 400, 10_000), chance.random(10_000) < 0.7
    group = chance.integers(0, 12, 10_000)
    pairs = pairwise_tests(time, event, group, adjustment="bonferroni")
    assert len(pairs.p) == 66
    i = 17
    rows = (group == pairs.first[i]) | (group == pairs.second[i])
    alone = log_rank(time[rows], event[rows], group[rows])
    assert pairs.statistic[i] == pytest.approx(alone.statistic, rel=1e-12)
    np.testing.assert_allclose(pairs.adjusted, np.minimum(1, 66 * pairs.p))
    with pytest.raises(Fixable, match="78 pairs"):
        pairwise_tests(time, event, time % 13)
    assert len(pairwise_tests(time, event, time % 13, against=4).p) == 12


def test_a_pair_that_never_met_has_no_p_and_does_not_count():
    time, event = [1, 2, 3, 4, 11, 12, 13], np.ones(7)
    group, entry = [0, 1, 0, 1, 2, 2, 2], [0, 0, 0, 0, 10, 10, 10]
    pairs = pairwise_tests(time, event, group, entry=entry, adjustment="bonferroni")
    assert list(zip(pairs.first, pairs.second, strict=True)) == [(0, 1), (0, 2), (1, 2)]
    assert np.isnan(pairs.p).tolist() == [False, True, True]
    assert pairs.adjusted[0] == pairs.p[0]


def test_pairs_within_strata_weigh_their_own_patients():
    chance = np.random.default_rng(3)
    time, event = chance.integers(1, 60, 300), chance.random(300) < 0.6
    group, site = chance.integers(0, 3, 300), chance.integers(0, 4, 300)
    pairs = pairwise_tests(time, event, group, strata=site, weighting="peto-peto")
    rows = group != 1
    alone = weighted_test(time[rows], event[rows], group[rows], strata=site[rows], weighting="peto-peto")
    assert pairs.statistic[1] == pytest.approx(alone.statistic, rel=1e-12)


def test_pairs_against_nobody_are_refused():
    with pytest.raises(Fixable, match="no patients"):
        pairwise_tests([1, 2, 3], [1, 1, 1], [0, 1, 1], against=7)
