"""Gray's test where R's references do not reach: what must not change it, and groups that say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.competing import gray, gray_test
from bedside.errors import Fixable


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    return np.ceil(rng.exponential(12, 240)), rng.integers(0, 3, 240), rng.integers(0, 3, 240)


def test_worked_by_hand():
    """One event of interest, with two patients in each group at risk: 1 - 1/2 and a variance of 1/4.

    At that time h = 2 in each group, so the score is 1 - 2 / 4, and what varies is the first group's share of one
    event: a = 2 (1 - 2/4) = 1, which with t3 = 1 / (4 * 2) in each group gives 2 * (1 / 8).
    """
    test = gray_test([1, 2, 2, 2], [1, 0, 0, 0], [0, 0, 1, 1])[0]
    np.testing.assert_allclose(test.score, [0.5])
    np.testing.assert_allclose(test.variance, [[0.25]])
    np.testing.assert_allclose(test.statistic, 1.0)


def test_names_and_units_do_not_matter(data):
    time, cause, group = data
    first = gray_test(time, cause, group)
    again = gray_test(time * 30.4375, cause, np.array([2, 0, 1])[group])
    for a, b in zip(first, again, strict=True):
        np.testing.assert_allclose([a.statistic, a.p, a.df], [b.statistic, b.p, b.df], rtol=1e-9)


def test_strata_add_up(data):
    """Strata with their own patients: scores and variances are sums over them."""
    time, cause, group = data
    layer = np.arange(len(time)) % 2
    together = gray_test(time, cause, group, strata=layer, rho=1)[0]
    apart = [gray_test(time[layer == k], cause[layer == k], group[layer == k], rho=1)[0] for k in (0, 1)]
    np.testing.assert_allclose(together.score, sum(part.score for part in apart))
    np.testing.assert_allclose(together.variance, sum(part.variance for part in apart))


def test_patients_without_group_or_stratum_are_left_out(data):
    time, cause, group = data
    gone = np.arange(len(time)) % 5 == 0
    whole = gray_test(time[~gone], cause[~gone], group[~gone])[1]
    assert gray_test(time, cause, np.where(gone, -1, group))[1].statistic == whole.statistic
    by_stratum = gray_test(time, cause, group, strata=np.where(gone, -1, 0))[1]
    assert by_stratum.statistic == whole.statistic


def test_a_type_that_never_occurs_has_no_statistic(data):
    time, cause, group = data
    tests = gray_test(time, np.minimum(cause, 1), group, causes=("seen", "never"))
    assert np.isfinite(tests[0].statistic)
    assert np.isnan(tests[1].statistic)
    assert np.isnan(tests[1].p)
    np.testing.assert_array_equal(tests[1].events, 0)


def test_a_group_without_events_takes_part(data):
    time, cause, group = data
    cause = np.where(group == 2, 0, cause)
    test = gray_test(time, cause, group)[0]
    assert test.df == 2
    assert test.events[2] == 0
    assert 0 <= test.p <= 1


@pytest.mark.parametrize(
    ("time", "group"), [([1] * 6, [0, 0, 0, 1, 1, 1]), (range(6), [0, 1, 1, 1, 1, 1]), ([0, 0, 0, 1, 2, 2], [0, 1] * 3)]
)
def test_awkward_times_get_an_answer(time, group):
    for test in gray_test(list(time), [1, 2, 1, 1, 0, 2], group):
        assert test.df <= 1
        assert np.isnan(test.p) or 0 <= test.p <= 1


def test_five_hundred_levels_get_an_answer():
    rng = np.random.default_rng(1)
    tests = gray_test(np.ceil(rng.exponential(40, 900)), rng.integers(0, 2, 900), rng.integers(0, 500, 900))
    assert tests[0].df > 300
    assert tests[0].statistic > 0


def test_one_group_is_no_comparison():
    with pytest.raises(Fixable, match="All patients are in one group"):
        gray_test([1, 2], [1, 2], [0, 0])
    with pytest.raises(Fixable, match="not one group for each patient"):
        gray_test([1, 2], [1, 2], [0])


def test_many_groups_take_another_way_to_the_same_numbers(monkeypatch):
    rng = np.random.default_rng(11)
    time, cause, group = np.ceil(rng.exponential(60, 900)), rng.integers(0, 3, 900), rng.integers(0, 60, 900)
    assert gray.MANY <= 60
    for rho in (0, 1):
        quick = gray_test(time, cause, group, rho=rho)
        with monkeypatch.context() as patch:
            patch.setattr(gray, "MANY", 1000)
            explicit = gray_test(time, cause, group, rho=rho)
        for a, b in zip(quick, explicit, strict=True):
            np.testing.assert_allclose(a.variance, b.variance, rtol=1e-9, atol=1e-11)
            assert a.df == b.df == 59
            assert a.statistic == pytest.approx(b.statistic, rel=1e-9)


def test_groups_beyond_all_measure_are_refused_with_the_way_out():
    n = 6000
    with pytest.raises(Fixable, match=r"3,000 groups .* Merge groups, or choose a grouping with fewer of them\."):
        gray_test(np.arange(1, n + 1), np.ones(n, dtype=int), np.arange(n) % 3000)
