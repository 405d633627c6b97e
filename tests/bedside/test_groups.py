"""Groups for curves: levels, clinical cut-points, quantiles, selected against everyone else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.cohort import Between, OneOf, Outcome, Selection, Variable, group_by, group_by_selection
from bedside.cohort.groups import Grouping, largest, level_labels
from bedside.errors import Fixable
from bedside.intake import cohort_from_frame

OS = Outcome(key="os", label="Death", time="t", unit="days", status="s", censored=("0",), event=("1",))


def cohort(values: list[float], **told: object):
    n = len(values)
    data = pd.DataFrame({"x": pd.Series(values, dtype=float), "t": np.ones(n), "s": np.ones(n)})
    return cohort_from_frame(data, outcomes=[OS], variables=[Variable(name="x", kind="continuous", **told)])


def sizes(grouping) -> list[int]:
    return [int((grouping.codes == i).sum()) for i in range(len(grouping.labels))]


def test_levels_in_dictionary_order(gbsg2):
    grouping = group_by(gbsg2, "grade")
    assert grouping.labels == ("Grade 1", "Grade 2", "Grade 3")
    assert sizes(grouping) == [81, 444, 161]
    assert grouping.title == "Tumour grade"
    assert grouping.dropped_missing == 0


def test_clinical_cut_points_are_the_default(gbsg2):
    grouping = group_by(gbsg2, "nodes")
    assert grouping.labels == ("Up to 3 positive nodes", "4 to 9 positive nodes", "10 or more positive nodes")
    assert sizes(grouping) == [376, 207, 103]


def test_own_cut_points(gbsg2):
    assert sizes(group_by(gbsg2, "age", cuts=(46, 61))) == [
        int((gbsg2.frame["age"] < 46).sum()),
        int(gbsg2.frame["age"].between(46, 60).sum()),
        int((gbsg2.frame["age"] > 60).sum()),
    ]
    assert group_by(gbsg2, "age", cuts=(46.5,)).labels == ("Age under 46.5 years", "Age 46.5 years or more")


def test_numbers_with_decimals(pbc):
    grouping = group_by(pbc, "albumin_g_dl")
    assert grouping.labels == ("Under 2.8 g/dl", "2.8 to under 3.5 g/dl", "3.5 g/dl or more")
    assert sizes(grouping)[0] == int((pbc.frame["albumin_g_dl"] < 2.8).sum())


def test_missing_patients_are_in_no_group(pbc):
    grouping = group_by(pbc, "stage")
    assert grouping.dropped_missing == 6
    assert (grouping.codes == -1).sum() == 6
    assert sizes(grouping) == [21, 92, 155, 144]
    assert group_by(pbc, "platelets_1e9_l", cuts="quantiles:4").dropped_missing == 11


def test_groups_without_patients_are_left_out(gbsg2):
    part = Selection(((OneOf("grade", ("1", "3")),),)).apply(gbsg2)
    grouping = group_by(part, "grade")
    assert grouping.labels == ("Grade 1", "Grade 3")
    assert sizes(grouping) == [81, 161]
    assert group_by(gbsg2, "nodes", cuts=(100, 200)).labels == ("Up to 99 positive nodes",)


def test_a_group_of_one_value_is_said_as_that_value():
    grouping = group_by(cohort([0, 0, 1, 2, 5]), "x", cuts=(1, 5))
    assert grouping.labels == ("0", "1 to 4", "5")


@pytest.mark.parametrize(("k", "title"), [(2, "x, halves"), (3, "x, thirds"), (4, "x, quarters"), (5, "x, fifths")])
def test_quantiles_of_distinct_numbers_are_balanced(k, title):
    grouping = group_by(cohort(list(np.random.default_rng(6).normal(size=120)), decimals=3), "x", cuts=f"quantiles:{k}")
    assert grouping.title == title
    assert len(grouping.labels) == k
    assert max(sizes(grouping)) - min(sizes(grouping)) <= 2


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-20, 20)), min_size=1, max_size=60),
    st.sampled_from([f"quantiles:{k}" for k in (2, 3, 4, 5)]),
)
def test_every_patient_is_in_one_group_and_groups_ascend(values, cuts):
    values = [np.nan if v is None else float(v) for v in values]
    grouping = group_by(cohort(values), "x", cuts=cuts)
    x = np.array(values)
    assert grouping.codes.shape == x.shape
    assert grouping.dropped_missing == np.isnan(x).sum() == (grouping.codes == -1).sum()
    assert all(n > 0 for n in sizes(grouping))
    assert sum(sizes(grouping)) + grouping.dropped_missing == len(x)
    assert len(set(grouping.labels)) == len(grouping.labels)
    for i in range(len(grouping.labels) - 1):
        assert x[grouping.codes == i].max() < x[grouping.codes == i + 1].min()


def test_selected_against_everyone_else(gbsg2):
    grouping = group_by_selection(gbsg2, Selection(((Between("nodes", 4),),)))
    assert grouping.labels == ("Selected patients", "Everyone else")
    assert sizes(grouping) == [310, 376]
    for selection in (Selection(), Selection(((Between("nodes", 1000),),))):
        with pytest.raises(Fixable, match="no two groups"):
            group_by_selection(gbsg2, selection)


@pytest.mark.parametrize("cuts", [(5.0, 4.0), (4.0, 4.0), (float("nan"),), "quantiles:1", "quantiles:x", "thirds", ""])
def test_cut_points_that_are_none(gbsg2, cuts):
    with pytest.raises(Fixable, match="could not be cut"):
        group_by(gbsg2, "age", cuts=cuts)


def test_nobody_is_grouped_by_name(gbsg2):
    with pytest.raises(Fixable, match="cannot be grouped"):
        group_by(gbsg2, "patient_id")


def test_only_the_largest_groups_in_their_order():
    codes = np.repeat([0, 1, 2, 3, -1], [2, 5, 2, 9, 4])
    few = largest(Grouping(("a", "b", "c", "d"), codes, 4, "Letter"), 3)
    assert few.labels == ("a", "b", "d")
    np.testing.assert_array_equal(few.codes, np.repeat([0, 1, -1, 2, -1], [2, 5, 2, 9, 4]))
    assert few.dropped_missing == 4
    assert largest(few, 3) is few


def test_levels_that_look_alike_or_like_nothing_show_their_code():
    levels = [{"code": c, "label": text} for c, text in zip("abcd", ("Same", "Same\u200b", " ", "Other"), strict=True)]
    variable = Variable(name="v", kind="categorical", levels=levels, phrase="{value}")
    assert level_labels(variable, "abcd") == ("Same [a]", "Same\u200b [b]", "C", "Other")
    assert level_labels(variable, ["b"]) == ("Same\u200b [b]",)
