"""The groups of a cohort compared as a page asks for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bedside.cohort.groups import Grouping, group_by
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.survival import compare_by, log_rank, log_rank_by, pairs_by, weighted_test


@pytest.fixture
def awkward(cohort_folder):
    """40 patients in four groups at nine sites; one group leaves at once, some values are missing, entry is delayed."""
    chance = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "days": [1, 1, 2, *chance.integers(20, 90, 37)],
            "status": [0, 0, 0, *(chance.random(37) < 0.6).astype(int)],
            "arm": ["none"] * 3 + list(chance.choice(["A", "B", "C"], 37)),
            "site": chance.integers(1, 4, 40),
            "joined": [0.0] * 20 + [10.0] * 19 + [None],
        }
    )
    frame.loc[[5, 17], "arm"] = None
    frame["site"] = frame["site"].astype("Int64").astype(object)
    frame.loc[8, "site"] = None
    level = [{"code": str(i), "label": f"Site {i}"} for i in (1, 2, 3)]
    return read_cohort(
        cohort_folder(
            frame,
            outcomes=[{"key": "death", "label": "Death", "time": "days", "unit": "days", "status": "status"}],
            variables=[{"name": "site", "kind": "categorical", "levels": level}],
        )
    )


def test_everything_a_page_shows(gbsg2):
    outcome, grouping = gbsg2.outcomes[0], group_by(gbsg2, "grade")
    shown = compare_by(gbsg2, outcome, grouping)
    time, event = gbsg2.time(outcome), gbsg2.event(outcome)
    direct = log_rank(time, event, grouping.codes)
    assert (shown.test.name, shown.test.statistic, shown.test.p) == ("Log-rank test", direct.statistic, direct.p)
    assert shown.labels == grouping.labels
    assert shown.n_events.tolist() == [event[grouping.codes == g].sum() for g in range(3)]
    assert shown.trend.p < 1e-4 and shown.trend.z > 0
    assert (shown.strata, shown.delayed_entry, shown.alive_at) == ((), False, 0)
    assert log_rank_by(gbsg2, outcome, grouping).p == direct.p


def test_stratified_and_weighted(gbsg2):
    outcome, grouping = gbsg2.outcomes[0], group_by(gbsg2, "hormone_therapy")
    grade, menopause = group_by(gbsg2, "grade"), group_by(gbsg2, "menopausal_status")
    shown = compare_by(gbsg2, outcome, grouping, rho=1, strata=("grade", "menopausal_status"))
    direct = weighted_test(
        gbsg2.time(outcome), gbsg2.event(outcome), grouping.codes, weighting="fleming-harrington", p=1,
        strata=grade.codes * 2 + menopause.codes,
    )  # fmt: skip
    assert shown.test.name == "Stratified Fleming-Harrington test (1, 0)"
    assert shown.test.statistic == pytest.approx(direct.statistic, rel=1e-12)
    assert shown.strata == (grade.title, menopause.title)
    assert (shown.test.strata, shown.test.informative) == (6, 6)
    assert shown.trend is None


def test_patients_already_alive(gbsg2):
    outcome, grouping = gbsg2.outcomes[0], group_by(gbsg2, "grade")
    time, event = gbsg2.time(outcome), gbsg2.event(outcome)
    origin = float(np.median(time))
    shown = compare_by(gbsg2, outcome, grouping, alive_at=origin)
    later = time > origin
    assert shown.test.statistic == log_rank(time[later], event[later], grouping.codes[later]).statistic
    assert shown.left_out.alive_at == (~later).sum()
    with pytest.raises(Fixable, match="Nobody was followed"):
        compare_by(gbsg2, outcome, grouping, alive_at=1e6)


def test_who_is_left_out_and_why(awkward):
    outcome, grouping = awkward.outcomes[0], group_by(awkward, "arm")
    shown = compare_by(awkward, outcome, grouping, strata=("site",), entry="joined", alive_at=0)
    left = shown.left_out
    assert (left.entry, left.alive_at, left.group, left.strata) == (1, 0, 2, 1)
    assert shown.test.n.sum() == 40 - 4
    assert shown.delayed_entry
    empty = shown.labels.index("none" if "none" in shown.labels else "None")
    assert shown.test.expected[empty] == 0
    assert shown.test.df == 2


def test_pairs_are_named(awkward):
    outcome, grouping = awkward.outcomes[0], group_by(awkward, "arm")
    every = pairs_by(awkward, outcome, grouping, adjustment="bonferroni")
    assert len(every.labels) == 6
    nobody = ["none" in (a.lower(), b.lower()) for a, b in every.labels]
    assert np.isnan(every.pairs.p).tolist() == nobody
    known = ~np.isnan(every.pairs.p)
    np.testing.assert_allclose(every.pairs.adjusted[known], np.minimum(1, 3 * every.pairs.p[known]))
    against = pairs_by(awkward, outcome, grouping, against=grouping.labels[0])
    assert all(grouping.labels[0] in pair for pair in against.labels)
    with pytest.raises(Fixable, match="no such group"):
        pairs_by(awkward, outcome, grouping, against="D")


def test_a_group_that_nobody_is_left_in_keeps_no_place(gbsg2):
    outcome = gbsg2.outcomes[0]
    time = gbsg2.time(outcome)
    codes = np.where(time < 100, 0, 1 + np.arange(len(time)) % 2)
    grouping = Grouping(("Early", "Odd", "Even"), codes, 0, "Made up")
    shown = compare_by(gbsg2, outcome, grouping, alive_at=100)
    assert shown.labels == ("Odd", "Even")
    assert len(shown.n_events) == 2


def test_a_stratum_cannot_be_a_name_or_unknown(gbsg2):
    outcome, grouping = gbsg2.outcomes[0], group_by(gbsg2, "grade")
    with pytest.raises(Fixable, match="not in this cohort"):
        compare_by(gbsg2, outcome, grouping, strata=("shoe size",))


def test_competing_outcomes_are_compared_as_composites(pbc):
    outcome = pbc.outcomes[0]
    grouping = group_by(pbc, "stage")
    shown = compare_by(pbc, outcome, grouping, test="gehan-breslow")
    assert shown.n_events.sum() == pbc.event(outcome)[grouping.codes >= 0].sum()
    assert shown.left_out.group == grouping.dropped_missing
    assert shown.test.p < 1e-6
