"""Counts are the same integers from every engine, for every filter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedside.cohort import Between, OneOf, Selection, group_by, group_by_selection, table_one
from bedside.engine import (
    Chosen,
    Counted,
    Cut,
    Delay,
    Level,
    Number,
    Text,
    event_tables,
    groups_by_selection,
    groups_of,
    summary_of,
)
from bedside.survival import curves_by, log_rank
from tests.engines import made

KEYS = (
    (Level(made.ARM), Number("days"), Level("status", ("0", "1", "2"))),
    (Level(made.SITE), Number(made.DOSE)),
    (Cut("age", (45.5, 60.0, 75.25)), Level(made.FLAG, ("0", "1"))),
    (Cut(made.DOSE, (0.0, 0.1, 2.5)), Number("paid"), Number("weight")),
    (Delay("entry", "days"), Chosen(made.SELECTIONS[2])),
    (Number("close"), Number("age")),
    (),
)
OTHERS = ("parquet", "csv", "postgres")


def assert_same(ours: Counted, theirs: Counted) -> None:
    assert ours.labels == theirs.labels
    np.testing.assert_array_equal(ours.n, theirs.n)
    assert ours.n.dtype == theirs.n.dtype == np.int64
    for a, b in zip(ours.columns, theirs.columns, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
        if a.dtype == float:
            np.testing.assert_array_equal(np.signbit(a), np.signbit(b))


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("keys", KEYS, ids=lambda keys: "+".join(type(key).__name__ for key in keys) or "none")
def test_counts_of_every_kind_of_key(engines, rows, keys, name):
    for selection in made.SELECTIONS:
        assert_same(engines["memory"].counts(keys, selection), engines[name].counts(keys, selection))
    assert engines[name].counts(keys).n.sum() == len(rows)


def test_counts_are_those_of_the_rows(engines, rows):
    """Counted by pandas, from the rows as they were made."""
    theirs = rows.groupby(["days", "status"]).size()
    for engine in engines.values():
        ours = engine.counts((Number("days"), Level("status")))
        told = {(d, ours.labels[1][s]): n for d, s, n in zip(*ours.columns, ours.n, strict=True)}
        assert told == {(float(d), str(s)): n for (d, s), n in theirs.items()}


def clauses() -> st.SearchStrategy:
    bounds = st.none() | st.sampled_from([-1.0, 0.0, 0.1, 0.25, 2.5, 7.0, 18.0, 59.99, 60, 1e100])
    ranges = st.builds(
        Between, st.sampled_from([made.DOSE, "Age", "age", "paid", "weight", "entry"]), bounds, bounds, st.booleans()
    )
    codes = {made.ARM: [*made.TEXTS, "none"], made.SITE: ["1", "2", "03", "3", "true", ""], made.FLAG: ["0", "1"]}
    levels = [
        st.builds(OneOf, st.just(name), st.lists(st.sampled_from(known), max_size=4).map(tuple), st.booleans())
        for name, known in codes.items()
    ]
    return ranges | st.one_of(levels)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=st.lists(st.lists(clauses(), max_size=3), max_size=3))
def test_any_filter(engines, cohort, groups):
    selection = Selection(tuple(tuple(group) for group in groups))
    truth = engines["memory"].counts(KEYS[0], selection)
    assert truth.n.sum() == selection.mask(cohort).sum()
    for name in OTHERS:
        assert_same(truth, engines[name].counts(KEYS[0], selection))


def test_attrition(engines, cohort):
    whole = Selection(tuple(group for selection in made.SELECTIONS[1:5] for group in selection.groups))
    steps = [Selection(whole.groups[:i]) for i in range(len(whole.groups) + 1)]
    for engine in engines.values():
        assert engine.sizes(steps) == tuple(step.left for step in whole.attrition(cohort))


@pytest.mark.parametrize("key", ["death", "close"])
@pytest.mark.parametrize(
    ("variable", "cuts"),
    [
        (made.ARM, None),
        (made.SITE, None),
        (made.FLAG, None),
        ("Age", None),
        ("Age", "quantiles:5"),
        ("age", "quantiles:4"),
        ("paid", (2.5, 5.0)),
    ],
)
def test_curves_and_test_are_those_of_the_rows(engines, cohort, variable, cuts, key):
    """Bit by bit the curves that are made of the rows in memory."""
    outcome = cohort.outcome(key)
    for selection in made.SELECTIONS[:4]:
        few = selection.apply(cohort)
        grouping = group_by(few, variable, cuts=cuts)
        truth = curves_by(few, outcome, grouping)
        known = grouping.codes >= 0
        pair = len(grouping.labels) > 1
        test = log_rank(few.time(outcome)[known], few.event(outcome)[known], grouping.codes[known]) if pair else None
        for engine in engines.values():
            groups = groups_of(engine, cohort.variable(variable), cuts=cuts, selection=selection)
            tables = event_tables(engine, outcome, groups, selection=selection)
            assert tables.dropped_missing == grouping.dropped_missing
            for ours, theirs in zip(tables.curves(), truth, strict=True):
                assert (ours.group, ours.n, ours.n_events) == (theirs.group, theirs.n, theirs.n_events)
                for name in ("time", "survival", "lower", "upper", "at_risk", "events", "censored"):
                    np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
            if test is not None:
                np.testing.assert_allclose(tables.log_rank().statistic, test.statistic, rtol=1e-12)


def test_kinds_of_event_are_counted_apart(engines, cohort, rows):
    outcome = cohort.outcome("death")
    groups = groups_of(engines["memory"], cohort.variable(made.FLAG))
    for engine in engines.values():
        for group, flag in zip(event_tables(engine, outcome, groups).groups, (False, True), strict=True):
            members = rows[rows[made.FLAG] == flag]
            assert group.causes.sum(axis=0).tolist() == [(members.status == 1).sum(), (members.status == 2).sum()]
            np.testing.assert_array_equal(group.causes.sum(axis=1), group.table.events)
            day = group.table.time[7]
            assert group.causes[7].tolist() == [((members.days == day) & (members.status == k)).sum() for k in (1, 2)]


def test_late_entry_and_weights(engines, cohort):
    """Counts as from the rows; sums of weights the same from every engine, and those of the rows but for rounding."""
    outcome = cohort.outcome("death")
    told = {"entry": "entry", "weights": "weight"}
    for selection in made.SELECTIONS[:3]:
        few = selection.apply(cohort)
        grouping = group_by(few, made.FLAG)
        groups = groups_of(engines["memory"], cohort.variable(made.FLAG))
        for used in ({"entry": "entry"}, {"weights": "weight"}, told):
            truth = curves_by(few, outcome, grouping, robust=False, **used)
            first = event_tables(engines["memory"], outcome, groups, selection=selection, **used).curves()
            for name in OTHERS:
                curves = event_tables(engines[name], outcome, groups, selection=selection, **used).curves()
                for ours, same, rows in zip(curves, first, truth, strict=True):
                    assert (ours.n, ours.n_events, ours.dropped) == (rows.n, rows.n_events, rows.dropped)
                    for array in ("time", "survival", "lower", "upper", "at_risk", "events", "censored", "entered"):
                        if getattr(rows, array) is not None:
                            np.testing.assert_array_equal(getattr(ours, array), getattr(same, array))
                            np.testing.assert_allclose(getattr(ours, array), getattr(rows, array), rtol=1e-9, atol=1e-9)
                    if "weights" not in used:
                        np.testing.assert_array_equal(ours.survival, rows.survival)
                        assert ours.at_risk.dtype == rows.at_risk.dtype


def test_selected_against_everyone_else(engines, cohort):
    chosen = made.SELECTIONS[6]
    truth = curves_by(cohort, cohort.outcome("death"), group_by_selection(cohort, chosen))
    for engine in engines.values():
        tables = event_tables(engine, cohort.outcome("death"), groups_by_selection(engine, chosen))
        for ours, theirs in zip(tables.curves(), truth, strict=True):
            assert ours.group == theirs.group
            np.testing.assert_array_equal(ours.survival, theirs.survival)


def test_pages_and_single_rows(engines, rows):
    """In the order of the identifier's bytes, wherever the database sorts by language."""
    columns = (Text("id"), Level(made.ARM), Number("paid"), Level(made.SITE), Number(made.DOSE))
    order = rows["id"].sort_values(key=lambda ids: ids.map(str.encode)).tolist()
    truth = engines["memory"].page(columns, order="id", first=700, most=20)
    assert truth[0].tolist() == order[700:720]
    one = engines["memory"].row(columns, order="id", name=order[3])
    assert one[0].tolist() == [order[3]]
    for name in OTHERS:
        page = engines[name].page(columns, order="id", first=700, most=20)
        row = engines[name].row(columns, order="id", name=order[3])
        for ours, theirs in zip((*page, *row), (*truth, *one), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        few = engines[name].page(columns, order="id", selection=made.SELECTIONS[7], most=5)
        for ours, theirs in zip(
            few, engines["memory"].page(columns, order="id", selection=made.SELECTIONS[7], most=5), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("selection", made.SELECTIONS[:3], ids=("everyone", "range", "either"))
def test_summaries(engines, cohort, selection):
    """Table 1 of the rows; the mean is the same number from every engine, whatever the order of its sum."""
    for told in table_one(selection.apply(cohort)):
        first = summary_of(engines["memory"], told.variable, selection=selection)
        assert (first.n, first.missing, first.levels) == (told.n, told.missing, told.levels)
        for name in OTHERS:
            ours = summary_of(engines[name], told.variable, selection=selection)
            assert (ours.n, ours.missing, ours.levels) == (told.n, told.missing, told.levels)
            for number in ("mean", "sd", "median", "q1", "q3", "min", "max"):
                np.testing.assert_equal(getattr(ours, number), getattr(first, number))
                np.testing.assert_allclose(getattr(ours, number), getattr(told, number), rtol=1e-12)
            if told.histogram is not None:
                np.testing.assert_array_equal(ours.histogram.counts, told.histogram.counts)
                np.testing.assert_array_equal(ours.histogram.edges, told.histogram.edges)
