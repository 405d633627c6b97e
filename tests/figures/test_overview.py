"""The small pictures of the overview."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Level, Variable
from bedside.cohort.table_one import summarise
from bedside.survival import kaplan_meier
from components.figures.overview import (
    followup_alt,
    followup_figure,
    followup_rows,
    missing_alt,
    missing_figure,
    missing_rows,
    summary_alt,
    summary_figure,
    summary_rows,
)

AGE = Variable(name="age", kind="continuous", label="Age", unit="years")
SEX = Variable(
    name="sex", kind="binary", label="Sex", levels=(Level(code="f", label="female"), Level(code="m", label="male"))
)


@pytest.fixture
def age():
    return summarise(AGE, pd.Series([30.0, 40, 41, 42, 55, np.nan]))


@pytest.fixture
def sex():
    return summarise(SEX, pd.Series(pd.Categorical(["f", "f", "m", "f", None, None], categories=["f", "m"])))


def test_histogram_bars_are_the_counts(age):
    fig = summary_figure(age)
    (bar,) = fig.data
    assert sum(bar.y) == 5
    np.testing.assert_array_equal(bar.y, age.histogram.counts)
    assert [a.text for a in fig.layout.annotations] == ["30", "55 years"]
    assert 90 <= fig.layout.height <= 130
    assert sum(row[2] for row in summary_rows(age)[1]) == 5


def test_levels_are_shares_of_the_recorded(sex):
    (bar,) = summary_figure(sex).data
    assert tuple(bar.x) == (0.75, 0.25)
    assert tuple(bar.text) == ("75%", "25%")
    assert summary_rows(sex)[1] == [["female", 3, 0.75], ["male", 1, 0.25]]


def test_many_levels_show_the_commonest():
    codes = [c for i, c in enumerate("abcdefghij") for _ in range(i + 1)]
    variable = Variable(
        name="c", kind="categorical", label="Centre", levels=tuple(Level(code=c, label=c) for c in "abcdefghij")
    )
    (bar,) = summary_figure(summarise(variable, pd.Series(pd.Categorical(codes, categories=list("abcdefghij"))))).data
    assert list(bar.customdata) == list("jihgfe")


def test_summary_alt_says_missing_and_nobody(age, sex):
    assert summary_alt(age) == (
        "Histogram of Age in 5 patients: median 41 years (40 to 42), range 30 to 55 years. Missing in 1."
    )
    assert summary_alt(sex) == "Sex in 4 patients: female 3 (75%); male 1 (25%). Missing in 2."
    nobody = summarise(AGE, pd.Series([np.nan, np.nan]))
    assert summary_alt(nobody) == "Age: not recorded in anyone."
    assert len(summary_figure(nobody).data) == 0
    assert summary_rows(nobody)[1] == []


def test_follow_up_counts_every_patient_once():
    time = np.array([10.0, 400, 400, 800, 1200, 3000])
    event = np.array([True, True, False, False, True, False])
    curve = kaplan_meier(time, event, unit="days")
    seen, left = followup_figure(curve, unit="years").data
    assert (sum(seen.y), sum(left.y)) == (3, 3)
    assert seen.marker.color != left.marker.color
    header, rows = followup_rows(curve, unit="years")
    assert header[0] == "from (years)"
    assert sum(row[2] + row[3] for row in rows) == 6
    assert rows[-1][1] == pytest.approx(3000 / 365.25)
    assert followup_alt(curve, unit="years") == (
        "When follow-up ended in 6 patients: 3 events, 3 without the event; the longest was 8.2 years."
    )


def test_missing_bars_are_shares_of_all_patients_worst_first(age, sex):
    (bar,) = missing_figure([age, sex]).data
    assert tuple(bar.customdata) == ("Sex", "Age")
    assert bar.x == pytest.approx((2 / 6, 1 / 6))
    assert missing_alt([age, sex]) == "Missing values: Sex 2 (33%); Age 1 (17%)."
    assert missing_rows([age, sex])[1] == [["Age", 5, 1], ["Sex", 4, 2]]
    complete = summarise(AGE, pd.Series([1.0, 2.0]))
    assert missing_alt([complete]) == "No value is missing."
