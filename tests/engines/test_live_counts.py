"""A live cohort is the cohort of the same rows in memory, and reads none of them before it is asked to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Between, Cohort, OneOf, Selection, group_by, table_one
from bedside.engine import engine_of, event_tables, groups_of, summary_of
from bedside.engine import live as lives
from bedside.engine.gone import SourceGone
from bedside.engine.live import LiveCohort, RowsStay
from bedside.errors import Fixable
from bedside.intake import list_cohorts, read_cohort
from bedside.intake.from_source import open_live
from bedside.store.sources import Sources, configured
from bedside.survival import curves_by, log_rank
from tests.engines import live_places, made

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("files", "file", "postgres")
FILTERS = (made.SELECTIONS[1], made.SELECTIONS[4], made.SELECTIONS[7])


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, rows: pd.DataFrame, server: str, table: str) -> Sources:
    """The awkward rows in a Parquet folder, a DuckDB file and PostgreSQL."""
    place = tmp_path_factory.mktemp("it's [a] source")
    files = live_places.parts(place / "parts", rows)
    # DuckDB knows no two columns whose names differ in case only.
    file = live_places.database(place / "x.duckdb", rows.drop(columns="age"), table)
    told = {
        "files": {"kind": "parquet", "address": str(files)},
        "file": {"kind": "duckdb", "address": str(file)},
        "postgres": {"kind": "postgresql", "address": server},
    }
    return configured(told, {})


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, table: str) -> dict[str, Path]:
    """A folder of a live cohort for each source."""
    root = tmp_path_factory.mktemp("live")
    return {
        "files": live_places.folder(root / "files", made.DICTIONARY, source="files"),
        "file": live_places.folder(root / "file", live_places.without("age"), source="file", table=table),
        "postgres": live_places.folder(root / "postgres", made.DICTIONARY, source="postgres", table=table),
    }


@pytest.fixture(scope="module")
def live(sources: Sources, places: dict[str, Path]) -> Iterator[dict[str, LiveCohort]]:
    """The same patients, live in each source."""
    opened = {name: open_live(places[name], engine_of_source=sources.engine, key="c", now=NOON) for name in NAMES}
    yield opened
    for each in opened.values():
        each.close()


def in_order(cohort: Cohort) -> pd.DataFrame:
    """The rows by the bytes of their identifiers."""
    return cohort.frame.sort_values("id", key=lambda ids: ids.map(str.encode)).reset_index(drop=True)


@pytest.mark.parametrize("name", NAMES)
def test_counts_and_curves_are_those_in_memory(live, cohort, name):
    whole = live[name]
    assert len(whole) == len(cohort) == made.N
    assert [o.codes for o in whole.outcomes] == [o.codes for o in cohort.outcomes]
    for selection in (Selection(), *FILTERS):
        ours, theirs = whole.select(selection), selection.apply(cohort)
        assert (len(ours), selection.attrition(whole)) == (len(theirs), selection.attrition(cohort))
        assert selection.may_be_shared(whole) == selection.may_be_shared(cohort)
        engine, outcome = engine_of(ours), ours.outcome("death")
        for variable, cuts in ((made.ARM, None), ("Age", "quantiles:3")):
            grouping = group_by(theirs, variable, cuts=cuts)
            tables = event_tables(engine, outcome, groups_of(engine, ours.variable(variable), cuts=cuts))
            assert tables.dropped_missing == grouping.dropped_missing
            for mine, truth in zip(tables.curves(), curves_by(theirs, outcome, grouping), strict=True):
                assert (mine.group, mine.n, mine.n_events) == (truth.group, truth.n, truth.n_events)
                for array in ("time", "survival", "lower", "upper", "at_risk", "events"):
                    np.testing.assert_array_equal(getattr(mine, array), getattr(truth, array))
            known = grouping.codes >= 0
            test = log_rank(theirs.time(outcome)[known], theirs.event(outcome)[known], grouping.codes[known])
            np.testing.assert_allclose(tables.log_rank().statistic, test.statistic, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_table_one_is_that_in_memory(live, cohort, name):
    ours, theirs = live[name].select(FILTERS[0]), FILTERS[0].apply(cohort)
    truth = {told.variable.name: told for told in table_one(theirs)}
    assert {v.name for v in ours.filterable} >= set(truth) - {"age"}
    for variable in ours.filterable:
        mine, told = summary_of(engine_of(ours), variable), truth[variable.name]
        assert (mine.n, mine.missing, mine.levels) == (told.n, told.missing, told.levels)
        np.testing.assert_allclose((mine.mean, mine.median, mine.q3), (told.mean, told.median, told.q3), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_brought_rows_are_those_of_the_file(live, cohort, name):
    ours, told = live[name].select(FILTERS[0]), []
    brought = ours.bring(progress=lambda share, said: told.append(share))
    truth = in_order(FILTERS[0].apply(cohort))
    pd.testing.assert_frame_equal(brought.frame, truth[list(brought.frame)])
    assert type(brought) is Cohort and brought.key == "c"
    assert brought.outcomes == cohort.outcomes and told == sorted(told) and told[-1] <= 1
    few = ours.bring(columns=["Age"])
    assert set(few.frame) == {"id", "Age", "days", "close", "status"}


@pytest.mark.parametrize("name", NAMES)
def test_pages_and_single_patients(live, cohort, name):
    few = FILTERS[0]
    ours, truth = live[name].select(few), in_order(few.apply(cohort))
    page = ours.page(first=40)
    assert page.identifiers == truth["id"].tolist()[40:90]
    pd.testing.assert_frame_equal(page.frame, truth[list(page.frame)].iloc[40:90].reset_index(drop=True))
    assert page.rows.tolist() == list(range(40, 90))
    wanted = truth["id"][truth["id"].str.contains("a0", case=False)].tolist()
    assert ours.page(holding="A0", most=500).identifiers == wanted[:500]
    assert ours.page(first=made.N) is None and ours.page(holding="no\x00body") is None
    inside = truth["id"][3]
    outside = sorted(set(cohort.identifiers) - set(truth["id"]))[0]
    assert ours.row(inside).frame["Age"].tolist() == [truth["Age"][3]]
    assert ours.row(outside) is None and len(live[name].row(outside)) == 1
    assert ours.row("'; DROP TABLE patients;--") is None


def test_rows_stay_until_they_are_brought(live, monkeypatch):
    ours = live["files"]
    for asked in (
        lambda: ours.frame, lambda: ours.rows, lambda: ours.identifiers, lambda: ours.time("death"),
        lambda: ours.event("death"), lambda: Selection(((Between("Age", 1, 2),),)).mask(ours),
    ):  # fmt: skip
        with pytest.raises(RowsStay) as caught:
            asked()
        assert (caught.value.n, caught.value.can_come, caught.value.next_step) == (made.N, True, "Bring the rows.")
    monkeypatch.setattr(lives, "MOST_ROWS", 700)
    with pytest.raises(RowsStay) as caught:
        ours.bring()
    assert not caught.value.can_come and "Set a filter" in caught.value.next_step
    assert len(ours.select(FILTERS[0]).bring()) == 660


def test_what_a_filter_must_be(live):
    ours = live["postgres"]
    for selection, what in (
        (Selection(((OneOf("Age", ("1",)),),)), "cannot be filtered this way"),
        (Selection(((Between("no such column"),),)), "not in this cohort"),
        (Selection(((Between("Age", 500),),)), "No patient is left."),
    ):
        with pytest.raises(Fixable) as caught:
            selection.apply(ours)
        assert what in caught.value.what
    text = FILTERS[1].to_text()
    assert Selection.from_text(text, ours) == FILTERS[1]
    assert len(ours.select(FILTERS[0]).select(FILTERS[1])) == len(ours.select(
        Selection((*FILTERS[0].groups, *FILTERS[1].groups))))  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_many_ask_at_once(live, cohort, name):
    whole = live[name]
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(whole.select, FILTERS[i % 3]) for i in range(24)]
        assert [len(each.result()) for each in asked] == [len(FILTERS[i % 3].apply(cohort)) for i in range(24)]


def test_fingerprints_are_of_source_moment_and_filter(live, sources, places):
    ours = live["files"]
    again = open_live(places["files"], engine_of_source=sources.engine, key="c", now=NOON)
    later = open_live(places["files"], engine_of_source=sources.engine, key="c", now=NOON + timedelta(seconds=1))
    filtered = ours.select(FILTERS[0])
    assert ours == again and hash(ours) == hash(again)
    assert len({c.fingerprint for c in (ours, later, filtered, live["file"], live["postgres"])}) == 5
    assert filtered.select(Selection()) is filtered and filtered.as_of == NOON
    again.close(), later.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_source_that_was_let_go(sources, places, name):
    """By the server, while a page was still open; or because nothing of the cohort is held any more."""
    opened = open_live(places[name], engine_of_source=sources.engine, key="c")
    few = opened.select(FILTERS[0])
    del opened
    assert engine_of(few).sizes((Selection(),)) == (660,)
    few.close()
    for _ in range(2):
        with pytest.raises(SourceGone) as caught:
            engine_of(few).sizes((Selection(),))
        assert caught.value.next_step == "Count anew."


def test_live_folders_are_listed_and_not_read_as_others(places, sources):
    entries = {entry.key: entry for entry in list_cohorts([places["files"].parent])}
    assert set(entries) == set(NAMES) and entries["files"].live and entries["files"].title == "Made up"
    with pytest.raises(Fixable) as caught:
        read_cohort(places["files"])
    assert caught.value.what == "This cohort has no rows of its own."
