"""Numbers in words: never a false zero, a false certainty or a false precision."""

from __future__ import annotations

import doctest
import math

import pytest

from bedside.report import say

NAN = float("nan")


def test_the_examples_in_the_documentation_hold():
    assert doctest.testmod(say).failed == 0
    assert doctest.testmod(say).attempted >= 3


@pytest.mark.parametrize(
    ("share", "decimals", "shown"),
    [
        (0, 0, "0%"),
        (1, 0, "100%"),
        (0.004, 0, "under 1%"),
        (0.9999, 0, "over 99%"),
        (0.004, 1, "0.4%"),
        (0.0004, 1, "under 0.1%"),
        (0.996, 1, "99.6%"),
        (0.625, 1, "62.5%"),
        (NAN, 0, "not known"),
    ],
)
def test_a_share_is_never_a_false_none_or_all(share, decimals, shown):
    assert say.percent(share, decimals=decimals) == shown


def test_a_natural_frequency_has_the_same_edges():
    assert say.of_100(0.002) == "fewer than 1 of 100"
    assert say.of_100(0.9999) == "more than 99 of 100"
    assert say.range_of_100(0.0001, 0.43, decimals=1) == "fewer than 0.1 to 43.0"
    assert say.range_of_100(NAN, 0.4) == say.percent_range(0.4, NAN) == "cannot be given"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, "1 year"),
        (5, "5 years"),
        (4.23, "4.2 years"),
        (0.5, "0.5 years"),
        (0.0192, "0.02 years"),
        (0.003, "0.003 years"),
        (0, "0 years"),
        (123.4, "123 years"),
        (NAN, "not reached"),
    ],
)
def test_a_time_keeps_its_first_digit(value, shown):
    assert say.duration(value, "years") == shown


def test_an_interval_of_times_may_be_open():
    assert say.duration_range(4.2, NAN, "years") == "4.2 to not reached"
    assert say.duration_range(0.02, 1, "years") == "0.02 to 1 year"
    assert say.duration_range(NAN, NAN, "days") == "not reached"


def test_a_time_is_read_in_the_unit_a_person_would_use():
    assert say.readable(1645, "days") == "4.5 years"
    assert say.readable(400, "days") == "13.1 months"
    assert say.readable(7, "days") == "7 days"
    assert say.readable(math.nan, "days") == "not reached"


@pytest.mark.parametrize(
    ("p", "shown"), [(0, "p < 0.001"), (0.0034, "p = 0.003"), (0.049, "p = 0.049"), (0.25, "p = 0.25"), (1, "p > 0.99")]
)
def test_a_p_value_is_never_0_or_1(p, shown):
    assert say.p_value(p) == shown


def test_one_is_not_plural():
    assert [say.patients(n) for n in (0, 1, 2139)] == ["0 patients", "1 patient", "2,139 patients"]
    assert [say.events(n) for n in (0, 1, 2)] == ["no events", "1 event", "2 events"]
