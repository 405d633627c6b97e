"""Numbers in words: rounded as a clinician says them, never a false certainty, both halves adding up."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bedside.cohort import label_words
from bedside.report import say


@pytest.mark.parametrize(
    ("share", "decimals", "text"),
    [(0.634, 0, "63%"), (0.634, 1, "63.4%"), (0, 0, "0%"), (1, 0, "100%"), (0.0049, 0, "under 1%"),
     (0.9951, 0, "over 99%"), (0.9951, 1, "99.5%"), (0.99996, 1, "over 99.9%"), (math.nan, 0, "not known")],
)  # fmt: skip
def test_percent(share, decimals, text):
    assert say.percent(share, decimals=decimals) == text


@given(some.floats(0, 1), some.integers(0, 2))
def test_both_halves_of_a_natural_frequency_agree(share, decimals):
    with_event, without = say.split_of_100(share, decimals=decimals)
    assert say.of_100(share, decimals=decimals) == f"{with_event} of 100"
    if with_event[0].isdigit():
        assert float(with_event) + float(without) == pytest.approx(100, abs=1e-9)
        assert abs(float(with_event) - 100 * share) <= 0.5 / 10**decimals + 1e-9
    else:
        edge = 10.0**-decimals
        assert 0 < share < edge or 100 * (1 - share) < edge


@given(some.floats(0, 1))
def test_a_percentage_is_certain_only_when_the_share_is(share):
    assert (say.percent(share) == "100%") == (share == 1)
    assert (say.percent(share) == "0%") == (share == 0)


def test_intervals_say_when_they_cannot_be_given():
    assert say.range_of_100(0.534, 0.756) == "53 to 76"
    assert say.range_of_100(math.nan, 0.7) == "cannot be given"
    assert say.percent_range(0.534, 0.756, decimals=1) == "53.4% to 75.6%"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(5, "years", "5 years"), (1, "years", "1 year"), (4.93, "years", "4.9 years"), (1807, "days", "1,807 days"),
     (math.nan, "months", "not reached"), (1.04, "years", "1.04 years"), (0.849, "years", "0.85 years")],
)  # fmt: skip
def test_durations(value, unit, text):
    assert say.duration(value, unit) == text


def test_an_open_interval_of_times():
    assert say.duration_range(5.3, math.nan, "years") == "5.3 to not reached"
    assert say.duration_range(math.nan, math.nan, "years") == "not reached"
    assert say.duration_range(3.5, 5.0, "years") == "3.5 to 5 years"


@pytest.mark.parametrize(
    ("value", "unit", "text"), [(1645, "days", "4.5 years"), (184, "months", "15.3 years"), (45, "days", "45 days")]
)
def test_a_time_in_the_unit_a_person_would_use(value, unit, text):
    assert say.readable(value, unit) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0034, "p = 0.003"), (0.049999, "p = 0.050"), (0.29, "p = 0.29"), (1e-12, "p < 0.001"), (0.999, "p > 0.99")],
)
def test_p_values(p, text):
    assert say.p_value(p) == text


def test_the_examples_in_the_docstrings_are_true():
    assert doctest.testmod(say).failed == 0
    assert doctest.testmod(label_words).failed == 0


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Recurrence or death", "recurrence or death"), ("A rash", "a rash"), ("CD4 fall", "CD4 fall"),
        ("Karnofsky, by the physician", "Karnofsky, by the physician"), ("Gleason score", "Gleason score"),
        ("Child-Pugh class", "Child-Pugh class"), ("Ki-67", "Ki-67"), ("Cushing's disease", "Cushing's disease"),
        ("Spider naevi", "spider naevi"), ("Chronic bronchitis/emphysema", "chronic bronchitis/emphysema"), ("", ""),
    ],
)  # fmt: skip
def test_a_label_in_a_sentence(label, said):
    assert say.in_sentence(label) == said
