"""Table 1 and follow-up, against numbers counted another way and against R."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Outcome, Variable, followup, table_one
from bedside.intake import cohort_from_frame

OS = Outcome(key="os", label="Death", time="t", unit="days", status="s", censored=("0",), event=("1",))


def one(values: list[object], **told: object):
    n = len(values)
    data = pd.DataFrame({"x": values, "t": np.ones(n), "s": np.ones(n)})
    cohort = cohort_from_frame(data, outcomes=[OS], variables=[Variable(name="x", **told)])
    return table_one(cohort)[0]


@pytest.mark.parametrize(
    ("name", "time", "status", "event"),
    [
        ("lung", "time", "status", ("1",)),
        ("pbc", "time", "death", ("1",)),
        ("gbsg", "rfstime", "status", ("1",)),
        ("colon_death", "time", "status", ("1",)),
    ],
)
def test_median_followup_equals_r(r, reference_frame, same, name, time, status, event):
    """quantile(survfit(Surv(time, 1 - status) ~ 1), .5), survival 3.5-3."""
    told = Outcome(key="d", label="D", time=time, unit="days", status=status, censored=("0",), event=event)
    ours = followup(cohort_from_frame(reference_frame(name), outcomes=[told]), "d")
    same(ours.median_followup, r("01_km_logrank")["reverse_km_median_followup"][name]["quantile"]["50"])


def test_followup_counts(gbsg2, pbc, sample):
    told = followup(gbsg2, "recurrence_or_death")
    assert (told.n, told.events, told.censored, told.unit, told.longest) == (686, 299, 387, "days", 2659.0)
    assert told.causes == ()
    assert followup(pbc, pbc.outcomes[0]).causes == (("Death", 161), ("Liver transplant", 25))
    mgus = followup(sample("mgus_competing"), "progression")
    assert (mgus.events, mgus.unit) == (975, "months")
    assert mgus.causes == (("Progression", 115), ("Death without progression", 860))


def test_followup_where_nobody_was_censored():
    data = pd.DataFrame({"t": [1, 2, 3], "s": [1, 1, 1]})
    assert math.isnan(followup(cohort_from_frame(data, outcomes=[OS]), "os").median_followup)


def test_a_continuous_variable():
    """R: x <- c(3, 9, 4, 1, 8); mean, sd, quantile(x, c(.25, .5, .75)) give 5, 3.391165, 3, 4, 8."""
    s = one([3, 9, None, 4, 1, 8], kind="continuous", plausible=(2, 8.5))
    assert (s.n, s.missing, s.mean, s.q1, s.median, s.q3, s.min, s.max) == (5, 1, 5, 3, 4, 8, 1, 9)
    assert s.sd == pytest.approx(3.3911649915626341, rel=1e-14)
    assert s.out_of_range == 2
    assert s.levels == ()
    assert s.say() == "4 (3 to 8)"


def test_every_continuous_variable_of_a_cohort(pbc):
    for s in table_one(pbc):
        if not s.variable.is_numeric:
            continue
        known = [v for v in pbc.frame[s.variable.name] if v == v]
        assert s.n + s.missing == 418
        assert s.n == len(known)
        assert s.mean == pytest.approx(statistics.fmean(known), rel=1e-12)
        assert s.sd == pytest.approx(statistics.stdev(known), rel=1e-12)
        quarters = statistics.quantiles(known, n=4, method="inclusive")
        assert [s.q1, s.median, s.q3] == pytest.approx(quarters, rel=1e-12)
        assert s.histogram.counts.sum() == s.n
        assert len(s.histogram.edges) == len(s.histogram.counts) + 1


def test_levels_with_their_shares(pbc, lung):
    ascites = next(s for s in table_one(pbc) if s.variable.name == "ascites")
    assert [(v.label, v.n) for v in ascites.levels] == [("no ascites", 288), ("ascites", 24)]
    assert ascites.missing == 106
    assert sum(v.share for v in ascites.levels) == pytest.approx(1)
    assert ascites.levels[1].share == 24 / 312  # of those in whom it was recorded
    ecog = next(s for s in table_one(lung) if s.variable.name == "ecog_physician")
    assert [v.n for v in ecog.levels] == [63, 113, 50, 1]
    assert ecog.say() == "1 (symptoms, fully ambulatory) 50%"


def test_nearly_all_is_not_all(sample):
    failure = next(s for s in table_one(sample("nhefs_prevention")) if s.variable.name == "hf")
    assert failure.say() == "no heart failure in 1971 over 99%"


@pytest.mark.parametrize("values", [[None, None, None], ["", None, "NA"]])
def test_a_variable_nobody_has(values):
    s = one(values, kind="continuous")
    assert (s.n, s.missing, s.histogram, s.say()) == (0, 3, None, "not recorded in anyone")
    assert math.isnan(s.mean)
    s = one(values, kind="categorical")
    assert (s.n, s.missing, s.levels, s.say()) == (0, 3, (), "not recorded in anyone")


@pytest.mark.parametrize(
    ("values", "counts"),
    [([5], [1]), ([5.5], [1]), ([5.5, 5.5], [2]), ([1, 2, 2, 4], [1, 2, 0, 1]), ([0.5, 100.0], [1] + [0] * 18 + [1])],
)
def test_histograms_at_the_edges(values, counts):
    s = one(values, kind="continuous")
    np.testing.assert_array_equal(s.histogram.counts, counts)
    assert (np.diff(s.histogram.edges) > 0).all()


def test_one_patient_has_no_spread():
    s = one([7.25], kind="continuous")
    assert math.isnan(s.sd)
    assert (s.median, s.q1, s.q3) == (7.25, 7.25, 7.25)


def test_identifiers_are_not_in_table_one(gbsg2):
    assert "patient_id" not in {s.variable.name for s in table_one(gbsg2)}


@pytest.mark.parametrize("values", [[1e308, -1e308], [1e308, -1e308, 1.5], [1.7e308, 0.0, 1.0], [1e300, 0.5, 1.0]])
def test_values_further_apart_than_a_number_can_be(values: list[float]):
    found = one(values, kind="continuous")
    assert (found.min, found.max) == (min(values), max(values))
    assert found.histogram is not None and found.histogram.counts.sum() == len(values)
    ordered = sorted(values)
    middle = ordered[1] if len(ordered) == 3 else ordered[0] / 2 + ordered[1] / 2
    assert found.median == middle and math.isfinite(found.q1) and math.isfinite(found.q3)
