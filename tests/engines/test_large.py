"""A cohort that is too large to be read is counted in its own file, with the numbers that it would have in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Cohort, Selection, group_by, table_one
from bedside.engine import engine_of, event_tables, groups_of, summary_of
from bedside.engine.gone import SourceGone
from bedside.engine.live import LiveCohort
from bedside.errors import Fixable
from bedside.intake import large, list_cohorts, read_cohort
from bedside.intake.duck import Duck
from bedside.intake.from_large import OWN, identifiers_of, open_large
from bedside.intake.large import is_large
from bedside.intake.standards.export_csv import export_csv
from bedside.store.cohorts import differences, export, keep, making, versions
from bedside.survival import curves_by, log_rank
from components import live_counts
from tests.engines import made

FILTERS = (Selection(), made.SELECTIONS[1], made.SELECTIONS[4], made.SELECTIONS[7])


@pytest.fixture(scope="module")
def told() -> dict:
    """Their dictionary, with an outcome under observation that began late."""
    outcomes = [made.outcome("death", "days"), made.outcome("late", "days", entry="entry")]
    variables = [v for v in made.DICTIONARY["variables"] if v["name"] != "entry"]
    when = {"name": "when", "kind": "date"}
    return {**made.DICTIONARY, "data": "data.parquet", "outcomes": outcomes, "variables": [*variables, when]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, told: dict) -> Path:
    """Their folder."""
    return write(tmp_path_factory.mktemp("large [x]") / "cohort", told, dated(made.frame()))


def dated(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with a column of dates, and all of them in the dictionary."""
    rows = rows.drop(columns="close")
    rows["when"] = pd.Series(pd.date_range("2001-01-01", periods=len(rows))).where(rows.index % 7 > 0).dt.date
    return rows


def write(folder: Path, told: dict, rows: pd.DataFrame) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(folder / "data.parquet", index=False)
    (folder / "dictionary.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def cohort(place: Path) -> Cohort:
    """The patients in memory."""
    return read_cohort(place, key="c")


@pytest.fixture(scope="module")
def counted(place: Path) -> Iterator[LiveCohort]:
    """The same, counted in their file."""
    opened = open_large(place, key="c")
    yield opened
    opened.close()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that reads a thousand rows at most."""
    monkeypatch.setattr(large, "MOST_ROWS", 1000)


def kept(key: object, make: Callable[[], object]) -> object:
    """As `desk.kept`, with nothing kept."""
    return make()


def test_curves_and_tests_are_those_in_memory(counted, cohort):
    for selection in FILTERS:
        ours, theirs = counted.select(selection), selection.apply(cohort)
        assert (len(ours), selection.attrition(counted)) == (len(theirs), selection.attrition(cohort))
        engine = engine_of(ours)
        for key, entry in (("death", None), ("late", "entry")):
            outcome = ours.outcome(key)
            assert outcome == cohort.outcome(key)
            assert live_counts.follow_up(ours, outcome, kept) == live_counts.follow_up(theirs, outcome, kept)
            for variable, cuts in ((made.ARM, None), ("Age", "quantiles:3")):
                grouping = group_by(theirs, variable, cuts=cuts)
                tables = event_tables(
                    engine, outcome, groups_of(engine, ours.variable(variable), cuts=cuts), entry=entry
                )
                for mine, truth in zip(tables.curves(), curves_by(theirs, outcome, grouping, entry=entry), strict=True):
                    assert (mine.group, mine.n, mine.n_events) == (truth.group, truth.n, truth.n_events)
                    for array in ("time", "survival", "lower", "upper", "at_risk", "events"):
                        np.testing.assert_array_equal(getattr(mine, array), getattr(truth, array))
                if entry is None:
                    known = grouping.codes >= 0
                    test = log_rank(theirs.time(outcome)[known], theirs.event(outcome)[known], grouping.codes[known])
                    np.testing.assert_allclose(tables.log_rank().statistic, test.statistic, rtol=1e-12)


def test_table_one_and_rows_are_those_in_memory(counted, cohort, place):
    ours, theirs = counted.select(FILTERS[1]), FILTERS[1].apply(cohort)
    truth = {told.variable.name: told for told in table_one(theirs)}
    assert {v.name for v in ours.filterable} == set(truth)
    for variable in ours.filterable:
        mine, told = summary_of(engine_of(ours), variable), truth[variable.name]
        assert mine.variable.levels == told.variable.levels
        assert (mine.n, mine.missing, mine.levels) == (told.n, told.missing, told.levels)
        np.testing.assert_allclose((mine.mean, mine.median, mine.q3), (told.mean, told.median, told.q3), rtol=1e-12)
    brought = ours.bring().frame.set_index("id").sort_index()
    pd.testing.assert_frame_equal(brought, theirs.frame.set_index("id").sort_index()[list(brought)])
    assert identifiers_of(counted) == identifiers_of(cohort) == tuple(cohort.identifiers)
    # The same file is the same cohort whenever it is opened; as of when it was written.
    again = open_large(place, key="c")
    assert again.fingerprint == counted.fingerprint and again.as_of == counted.as_of and again.source_name == OWN
    again.close()


def test_what_is_large_and_can_be_counted(place, told, tmp_path, small, monkeypatch):
    assert is_large(place)
    (entry,) = list_cohorts([place.parent])
    assert entry.live and entry.large
    assert not is_large(write(tmp_path / "few", told, made.frame(900)))
    texts = dated(made.frame()).astype({"when": str})
    assert not is_large(write(tmp_path / "texts", told, texts))
    assert not is_large(write(tmp_path / "bare", {**told, "variables": []}, made.frame()))
    assert not is_large(tmp_path / "nothing")
    monkeypatch.setattr(large, "MOST_ROWS", 10**6)
    assert not is_large(place)
    monkeypatch.setattr(large, "MOST_CELLS", 13 * made.N - 1)
    assert is_large(place)


def test_a_file_that_changes_is_noticed(told, tmp_path):
    place = write(tmp_path / "c", told, dated(made.frame()))
    opened = open_large(place)
    write(place, told, dated(made.frame(1400)))
    with pytest.raises(SourceGone):
        opened.select(FILTERS[1])
    assert len(open_large(place)) == 1400


def test_csv_and_dictionary_are_the_same_as_from_memory(counted, cohort, tmp_path, monkeypatch):
    monkeypatch.setattr("bedside.intake.from_large.PART", 400)
    export_csv(counted, tmp_path / "counted")
    export_csv(cohort, tmp_path / "read")
    ours, theirs = (pd.read_csv(tmp_path / name / "data.csv", dtype=str) for name in ("counted", "read"))
    pd.testing.assert_frame_equal(ours, theirs[list(ours)])
    pd.testing.assert_frame_equal(read_cohort(tmp_path / "counted").frame, cohort.frame[list(ours)])


def test_versions_are_kept_compared_and_taken_along(told, tmp_path, monkeypatch):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    first, second = dated(made.frame()), dated(made.frame()).iloc[3:].reset_index(drop=True)
    second["Age"] = (second["Age"] + (second.index % 5 == 0)).astype(np.int16)
    second[made.ARM] = second[made.ARM].where(second.index % 9 > 0, made.TEXTS[0])
    second["when"] = second["when"].where(second.index % 100 > 0)
    second["status"] = second["status"].where(second.index > 40, 1).astype(np.int8)
    second["id"] = second["id"].where(second.index > 1, [f"new {i}" for i in second.index])
    other = {**told, "variables": [v for v in told["variables"] if v["name"] != "weight"]}

    def both() -> str:
        key = None
        for rows, words in ((first, told), (second, other), (second, other)):
            with making() as folder:
                write(folder, words, rows.drop(columns=[] if words is told else ["weight"]))
                key = keep(folder, reader="local", title="Kept", key=key).key
        return key

    key = both()
    truth = [differences(key, 1, 2, reader="local"), differences(key, 2, 3, reader="local")]
    monkeypatch.setattr(large, "MOST_ROWS", 1000)
    assert [differences(key, 1, 2, reader="local"), differences(key, 2, 3, reader="local")] == truth
    assert truth[0].added == 2 and truth[0].removed == 5 and len(truth[0].cells) >= 4 and truth[1].same
    again = both()
    told_of = [(each.n_patients, each.n_columns) for each in versions(again, reader="local")]
    assert told_of == [(each.n_patients, each.n_columns) for each in versions(key, reader="local")]
    fingerprint = open_large(tmp_path / "cohorts" / again / "v3", key=again).fingerprint
    assert versions(again, reader="local")[0].fingerprint == fingerprint
    assert export(again, reader="local", into=tmp_path).stat().st_size > 1000


def test_a_question_that_takes_too_much_memory_says_so(counted, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise duckdb.OutOfMemoryException

    monkeypatch.setattr(Duck, "query", full)
    with pytest.raises(Fixable, match="search for a patient"):
        counted.page(first=10**6)
