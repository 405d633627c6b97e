"""Delayed entry and weights as columns of a cohort: read, checked, counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Grouping, Outcome, followup, group_by
from bedside.errors import Faults, Fixable
from bedside.intake import read_cohort
from bedside.intake.frame import cohort_from_frame
from bedside.survival import curves_by, follow_up_by, kaplan_meier, log_rank_by, reverse_kaplan_meier

OUTCOME = {"key": "death", "label": "Death", "time": "days", "unit": "days", "status": "dead", "entry": "joined"}
FRAME = pd.DataFrame({
    "days": [10, 20, 30, 40, 50, 60],
    "dead": [1, 0, 1, 1, 0, 1],
    "joined": [0, 5, 12, np.nan, 0, 35],
    "w": [1, 2, 0.5, 1, np.nan, 3],
    "arm": ["a", "a", "a", "b", "b", "b"],
})  # fmt: skip


@pytest.fixture
def cohort(cohort_folder):
    return read_cohort(cohort_folder(FRAME, outcomes=[OUTCOME]))


def test_column_of_entry_is_read_and_kept_out_of_the_variables(cohort):
    assert [v.name for v in cohort.variables] == ["w", "arm"]
    np.testing.assert_array_equal(cohort.entry("death"), FRAME.joined)
    assert cohort.frame.joined.dtype == float


def test_cohort_without_a_column_of_entry_has_none(gbsg2):
    assert all(gbsg2.entry(outcome) is None for outcome in gbsg2.outcomes)


def test_curves_are_of_those_observed_and_count_the_rest(cohort):
    """At risk at 10 are rows 1, 2 and 5; row 4 has no entry."""
    (curve,) = curves_by(cohort, cohort.outcome("death"))
    known = FRAME.joined.notna()
    theirs = kaplan_meier(FRAME.days[known], FRAME.dead[known], entry=FRAME.joined[known])
    np.testing.assert_array_equal(curve.survival, theirs.survival)
    assert curve.at_risk.tolist() == [2, 3, 3, 2, 2, 1]
    assert (curve.n, curve.dropped) == (5, 1)


def test_missing_weights_are_dropped_from_their_group(cohort):
    outcome = cohort.outcome("death")
    first, second = curves_by(cohort, outcome, group_by(cohort, "arm"), weights="w")
    assert [(c.n, c.dropped, c.robust) for c in (first, second)] == [(3, 0, True), (1, 2, True)]
    assert first.events.tolist() == [0, 1, 0, 0.5]
    given = curves_by(cohort, outcome, weights=FRAME.w.to_numpy())
    np.testing.assert_array_equal(given[0].survival, curves_by(cohort, outcome, weights="w")[0].survival)


def test_follow_up_counts_from_entry(cohort):
    known = FRAME.joined.notna()
    theirs = reverse_kaplan_meier(FRAME.days[known], FRAME.dead[known], entry=FRAME.joined[known])
    assert followup(cohort, "death").median_followup == theirs.median.estimate


def test_follow_up_of_each_group(gbsg2):
    outcome, grouping = gbsg2.outcomes[0], group_by(gbsg2, gbsg2.treatment.column)
    curves = follow_up_by(gbsg2, outcome, grouping, interval="log")
    assert [curve.group for curve in curves] == list(grouping.labels)
    for code, curve in enumerate(curves):
        rows = grouping.codes == code
        alone = reverse_kaplan_meier(gbsg2.time(outcome)[rows], gbsg2.event(outcome)[rows], interval="log")
        assert curve.median == alone.median and not np.isnan(curve.median).any()


def test_filtered_rows_are_named_as_in_the_table(cohort):
    outcome = cohort.outcome("death")
    half = cohort.take(FRAME.days.to_numpy() > 25, seal="late")
    weights = np.array([-1, 1, 2, 0])
    with pytest.raises(Fixable, match="it is not in rows 3, 6") as caught:
        curves_by(half, outcome, weights=weights)
    assert "leave these rows out" in caught.value.next_step
    half.frame["late"] = [1.0, 2.0, 50.0, 3.0]
    with pytest.raises(Fixable, match="it does not in row 5"):
        curves_by(half, outcome, entry="late")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"weights": "arm"}, "holds no numbers"),
        ({"entry": "nowhere"}, "not in this cohort"),
        ({"alive_at": 60}, "Nobody was followed beyond"),
        ({"alive_at": np.nan}, "must be 0 or later"),
        ({"weights": np.full(6, np.nan)}, "missing for all patients"),
        ({"weights": np.ones(3)}, "3 weights"),
    ],
)
def test_curves_that_cannot_be_drawn_say_why(cohort, options, why):
    with pytest.raises(Fixable, match=why):
        curves_by(cohort, cohort.outcome("death"), **options)


@pytest.mark.parametrize(
    ("joined", "expected"),
    [
        ([0, 0, 30, 0, 0, 70], "later or the same in rows 3, 6"),
        ([0, "x", 0, 0, 0, 0], "something else in row 2"),
    ],
)
def test_entry_that_cannot_be_is_a_fault_by_row(cohort_folder, joined, expected):
    with pytest.raises(Faults) as caught:
        read_cohort(cohort_folder(FRAME.assign(joined=joined), outcomes=[OUTCOME]))
    (fault,) = caught.value.faults
    assert (fault.column, fault.found) == ("joined", expected)


def test_entry_may_lie_before_time_zero(cohort_folder):
    cohort = read_cohort(cohort_folder(FRAME.assign(joined=-3), outcomes=[OUTCOME]))
    (curve,) = curves_by(cohort, cohort.outcome("death"))
    np.testing.assert_array_equal(curve.survival, kaplan_meier(FRAME.days, FRAME.dead).survival)
    assert curve.counts(0).at_risk[0] == 6


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("days", "an entry column that is neither the time nor the status column"),
        ("gone", "entry of “Death”"),
    ],
)
def test_entry_in_the_dictionary_is_checked(cohort_folder, entry, expected):
    with pytest.raises(Faults) as caught:
        read_cohort(cohort_folder(FRAME, outcomes=[OUTCOME | {"entry": entry}]))
    assert any(expected in fault.expected for fault in caught.value.faults)


def test_five_hundred_groups_have_a_curve_each():
    """Ten thousand patients; a bound for a busy machine."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"days": rng.integers(1, 3000, 10_000), "dead": rng.integers(0, 2, 10_000)})
    cohort = cohort_from_frame(frame, outcomes=[Outcome(**{**OUTCOME, "entry": ""})])
    codes = rng.integers(-1, 500, 10_000)
    grouping = Grouping(tuple(f"g{i}" for i in range(500)), codes, int((codes < 0).sum()), "Group")
    curves = curves_by(cohort, cohort.outcome("death"), grouping)
    assert sum(curve.n for curve in curves) == (codes >= 0).sum()
    mine = codes == 77
    np.testing.assert_array_equal(curves[77].survival, kaplan_meier(frame.days[mine], frame.dead[mine]).survival)
    (whole,) = curves_by(cohort, cohort.outcome("death"))
    assert log_rank_by(cohort, cohort.outcome("death"), grouping).observed.sum() <= whole.n_events
