"""Columns that are the status of another outcome of the same patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bedside.intake import read_cohort
from bedside.risk.leaks import check
from bedside.risk.leaks_columns import read_column
from bedside.risk.training import training

RECUR = {"key": "recur", "label": "Recurrence", "time": "rtime", "status": "recur", "unit": "days",
         "censored": ["0"], "event": ["1"]}  # fmt: skip
DEATH = {"key": "death", "label": "Death", "time": "dtime", "status": "death", "unit": "days",
         "censored": ["0"], "event": ["1"]}  # fmt: skip


def patients(n: int = 1500, seed: int = 3) -> pd.DataFrame:
    """Recurrence, death more often after it, and what comes first of the two."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    recurs, end = rng.exponential(1500 * np.exp(-0.6 * x)), rng.uniform(800, 4000, n)
    dies = np.where(recurs < end, recurs + rng.exponential(500, n), rng.exponential(9000, n))
    last = np.minimum(dies, end)
    recur, death = recurs <= last, dies <= end
    return pd.DataFrame(
        {"x": x.round(3), "grade": np.where(x + rng.normal(size=n) > 1, "high", "low"),
         "rtime": np.ceil(np.minimum(recurs, last)), "recur": recur.astype(int),
         "dtime": np.ceil(last), "death": death.astype(int), "rfs": np.where(recur | death, "yes", "no")}
    )  # fmt: skip


def found(cohort, names=None):
    return {s.variable: s for s in check(cohort, "recur", names)}


def test_the_status_of_a_wider_outcome_and_of_death(cohort_folder):
    d = patients().drop(columns="dtime")
    told = found(read_cohort(cohort_folder(d, outcomes=[RECUR])))
    assert set(told) == {"rfs", "death"}
    wider = told["rfs"]
    without = d[d.rfs == "no"]
    assert (wider.kind, wider.action) == ("outcome", "leave out")
    assert wider.evidence["patients"] == len(without) and wider.evidence["events"] == without.recur.sum() == 0
    assert wider.evidence["others with event"] == pytest.approx(d[d.rfs == "yes"].recur.mean(), rel=1e-12)
    times, many = np.unique(d.rtime[d.recur == 1], return_counts=True)
    steps = many / np.array([(d.rtime >= t).sum() for t in times])
    by_hand = sum(steps[times <= t].sum() for t in without.rtime)
    assert wider.evidence["expected"] == pytest.approx(by_hand, rel=1e-10)
    assert (told["death"].kind, told["death"].action) == ("outcome", "look")
    assert "“death”" in told["death"].sentence


def test_numbers_and_a_few_slips_do_not_hide_it(cohort_folder):
    d = patients().drop(columns=["dtime", "death"])
    d["any"] = (d.pop("rfs") == "yes").astype(int)
    slips = d.index[d["any"] == 1][:2]
    d.loc[slips, "any"] = 0
    assert found(read_cohort(cohort_folder(d, outcomes=[RECUR])))["any"].kind == "outcome"


def test_a_narrower_outcome_all_of_whose_patients_had_the_event(cohort_folder):
    d = patients().drop(columns=["dtime", "death", "rfs"])
    rng = np.random.default_rng(0)
    d["distant"] = np.where((d.recur == 1) & (rng.random(len(d)) < 0.5), "yes", "no")
    told = found(read_cohort(cohort_folder(d, outcomes=[RECUR])))["distant"]
    assert told.evidence["events"] == told.evidence["patients"] == (d.distant == "yes").sum()
    assert "nearly all" in told.sentence


def test_columns_of_every_outcome_are_never_predictors(cohort_folder):
    cohort = read_cohort(cohort_folder(patients(), outcomes=[RECUR, DEATH]))
    assert not {"death", "dtime", "recur", "rtime"} & {v.name for v in training(cohort, "recur").variables}
    assert set(found(cohort)) == {"rfs"}
    known = {v.name for v in cohort.variables}
    asked = found(cohort, [name for name in ("x", "death", "dtime") if name in known])
    assert all(told.kind == "outcome" and "“Death”" in told.sentence for told in asked.values())


def test_honest_columns_of_such_a_cohort_stay_unsuspected(cohort_folder):
    d = patients()[["x", "grade", "rtime", "recur"]]
    rng = np.random.default_rng(1)
    d["prior_recurrence"] = np.where(d.x + rng.normal(size=len(d)) > 1, "yes", "no")
    d["vital"] = rng.choice(["good", "poor"], len(d))
    late = rng.random(len(d)) < 0.05
    d["centre"] = np.where(late, "new", "old")
    d.loc[late, "rtime"], d.loc[late, "recur"] = np.minimum(d.rtime[late], 20.0), 0
    assert found(read_cohort(cohort_folder(d, outcomes=[RECUR]))) == {}


@pytest.mark.parametrize(("slope", "action"), [(2.7, "look"), (6.0, "leave out")])
def test_a_strong_marker_is_looked_at_before_it_is_left_out(cohort_folder, slope, action):
    rng = np.random.default_rng(8)
    marker = rng.normal(size=800)
    time, end = rng.exponential(1000 * np.exp(-slope * marker)), rng.uniform(300, 3000, 800)
    d = pd.DataFrame({"marker": marker.round(4), "rtime": np.ceil(np.minimum(time, end)) + 0.0,
                      "recur": (time <= end).astype(int)})  # fmt: skip
    told = found(read_cohort(cohort_folder(d, outcomes=[RECUR])))["marker"]
    assert (told.kind, told.action) == ("single", action)
    assert (told.evidence["C"] > 0.9) == (action == "leave out")
    assert read_column(d, read_cohort(cohort_folder(d, outcomes=[RECUR])).variable("marker")).distinct > 500
