"""From a table of a source to a live cohort: dates counted there, a plan carried out there, an import beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bedside.cohort import Cohort
from bedside.engine import engine_of, event_tables
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.intake.building import OutcomeRead, build, how_read
from bedside.intake.from_source import open_live
from bedside.intake.guess import guess
from bedside.intake.live_plan import countable, fit_of, how_read_live, live_from
from bedside.intake.live_sample import sample_of
from bedside.intake.plan import ColumnPlan, OutcomePlan, Plan
from bedside.intake.staging import Reading, Staged, StagedColumn
from bedside.intake.steps import Step
from bedside.store.cohorts import keep, making, open_folder, versions
from bedside.store.sources import Sources, configured
from bedside.survival import curves_by
from tests.engines import live_places
from tests.engines.conftest import fill

N = 400
TABLE = 'register "2026"'


def register() -> pd.DataFrame:
    """A register of dates; some are missing, a few end before they begin."""
    rng = np.random.default_rng(5)
    start = pd.Timestamp("2015-02-20") + pd.to_timedelta(rng.integers(0, 900, N), unit="D")
    last = start + pd.to_timedelta(rng.integers(-4, 1500, N), unit="D")
    dead = rng.random(N) < 0.3
    grades = np.array(["2"] * (N - 1) + ["rare"], dtype=object)
    grades[: N // 2] = "1"
    return pd.DataFrame(
        {
            "mrn": [f"M{i:04d}" for i in range(N)],
            "age": rng.integers(30, 90, N),
            "grade": grades,
            "diagnosis_date": [d.date() for d in start],
            "last_contact": [None if rng.random() < 0.03 else d.date() for d in last],
            "date_of_death": [d.date() if e else None for d, e in zip(last, dead, strict=True)],
            "note": [f"{i},5" for i in range(N)],
        }
    )


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return register()


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, rows: pd.DataFrame, server: str) -> Sources:
    """The register in a Parquet folder, a DuckDB file and PostgreSQL."""
    place = tmp_path_factory.mktemp("register")
    dates = ("diagnosis_date", "last_contact", "date_of_death")
    with psycopg.connect(server) as connection:
        fill(connection, TABLE, rows, {**dict.fromkeys(dates, "date"), "age": "integer"})
    typed = rows.astype(dict.fromkeys(dates, "datetime64[s]"))
    for name in dates:
        typed[name] = typed[name].astype("date32[pyarrow]")
    told = {
        "parquet": {"kind": "parquet", "address": str(live_places.parts(place / "p", typed))},
        "duckdb": {"kind": "duckdb", "address": str(live_places.database(place / "x.duckdb", rows, TABLE))},
        "postgresql": {"kind": "postgresql", "address": server},
    }
    return configured(told, {})


def table_in(kind: str) -> str:
    return "" if kind in ("parquet", "files") else TABLE


def looked_at(sources: Sources, kind: str, folder: Path, n: int = 20_000) -> Staged:
    """A sample, as the wizard would have it."""
    folder.mkdir(mode=0o700)
    with sources.engine(kind, "", table_in(kind)) as engine:
        return sample_of(engine, folder, name="Register", n=n)


@dataclass(frozen=True)
class Imported:
    """The register brought as a file: what was guessed of it, how it was read, and the cohort."""

    plan: Plan
    read: OutcomeRead
    cohort: Cohort


@pytest.fixture(scope="module")
def imported(sources: Sources, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    place = tmp_path_factory.mktemp("imported")
    staged = looked_at(sources, "parquet", place / "staged")
    plan = guess(staged, this_year=2026).plan
    (read,) = how_read(staged, plan)
    (place / "made").mkdir()
    build(staged, plan, place / "made")
    return Imported(plan, read, read_cohort(place / "made"))


@pytest.mark.parametrize("kind", ["parquet", "duckdb", "postgresql"])
def test_a_plan_is_carried_out_in_the_source_as_an_import_would(sources, imported, tmp_path, kind):
    plan, here, truth = imported.plan, imported.read, imported.cohort
    staged = looked_at(sources, kind, tmp_path / "staged")
    assert staged.notes[0] == "All 400 rows were looked at." and (staged.file.stat().st_mode & 0o077) == 0
    assert {c.name: c.kind for c in staged.columns}["last_contact"] == "date"
    assert [outcome.of_dates for outcome in plan.outcomes] == [True]
    with sources.engine(kind, "", table_in(kind)) as engine:
        (there,) = how_read_live(staged, plan, engine)
    assert (there.n, there.n_events, there.no_time.n, there.negative.n) == (
        here.n, here.n_events, here.no_time.n, here.negative.n)  # fmt: skip
    assert (there.shortest, there.median, there.longest) == (here.shortest, here.median, here.longest)

    made = tmp_path / "made"
    made.mkdir()
    live = live_from(staged, plan, made, engine_of_source=sources.engine, source=kind, table=table_in(kind))
    assert len(live) == len(truth) == here.n < N
    ours, theirs = live.outcomes[0], truth.outcomes[0]
    (mine,), (curve,) = event_tables(engine_of(live), ours).curves(), curves_by(truth, theirs, None)
    for array in ("time", "survival", "lower", "at_risk", "events"):
        np.testing.assert_array_equal(getattr(mine, array), getattr(curve, array))
    assert live.left_out == (("no follow-up", here.no_time.n), ("negative follow-up", here.negative.n))
    assert set(live.variable("grade").codes) == set(truth.variable("grade").codes)
    brought = live.bring().frame.set_index("mrn")
    days = truth.frame.set_index("mrn").loc[brought.index, theirs.time]
    np.testing.assert_array_equal(brought[ours.time], days)
    live.close()


def test_levels_beyond_the_sample_and_columns_that_cannot_be_read(sources, imported, tmp_path):
    staged = looked_at(sources, "duckdb", tmp_path / "staged", n=390)
    assert staged.notes[0] == "390 of 400 rows were looked at."
    plan = imported.plan
    plan = plan.with_column(replace(plan.column("note"), kind="continuous", use="predictor", decimal=","))
    plan = plan.with_column(replace(plan.column("grade"), kind="binary", levels=(("1", "low"), ("2", "high"))))
    assert fit_of(staged, plan).left_out == (("note", "numbers that are written as text"),)
    (tmp_path / "made").mkdir()
    live = live_from(staged, plan, tmp_path / "made", engine_of_source=sources.engine, source="duckdb", table=TABLE)
    grade = live.variable("grade")
    assert [(level.code, level.label) for level in grade.levels] == [("1", "low"), ("2", "high"), ("rare", "rare")]
    assert grade.kind == "categorical" and not live.has("note") and "note" in live.readings[-1]
    live.close()


def test_what_cannot_be_done_there_is_told(tmp_path, sources, imported):
    """Dates and numbers that are text, steps, two columns that say how it ended."""
    texts = pd.DataFrame({"from": ["01.03.2015"] * 4, "last": ["01.05.2017"] * 4, "days": ["1,5"] * 4, "id": [*"abcd"]})
    own = configured({"t": {"kind": "parquet", "address": str(live_places.parts(tmp_path / "p", texts, n=1))}}, {})
    (tmp_path / "texts").mkdir()
    with own.engine("t", "", "") as engine:
        staged = sample_of(engine, tmp_path / "texts", name="t")
    columns = (ColumnPlan("from", kind="date"), ColumnPlan("last", kind="date"), ColumnPlan("days"))
    plan = Plan(columns=columns, outcomes=(OutcomePlan("d", "D", start="from", end=("last",), status="id"),))
    assert fit_of(staged, plan).in_the_way == (
        "“from” holds dates that are written as text.", "“last” holds dates that are written as text.",
        "“D” reads “last” as a date, and it is not one there.", "“D” reads “from” as a date, and it is not one there.",
    )  # fmt: skip
    numbers = replace(plan, outcomes=(OutcomePlan("d", "D", time="days", status="id"),))
    assert fit_of(staged, numbers).in_the_way[0] == "“days” holds numbers that are written as text."

    staged, plan = looked_at(sources, "duckdb", tmp_path / "other"), imported.plan
    (outcome,) = plan.outcomes
    for changed, why in (
        (plan.with_step(Step("drop_duplicates", said="Copies left out")), "in 1 step."),
        (replace(plan, outcomes=(replace(outcome, status="grade"),)), "both a status and a date of the event"),
        (replace(plan, outcomes=(replace(outcome, start="gone"),)), "“gone” that the table does not have"),
        (replace(plan, outcomes=(replace(outcome, start="age"),)), "reads “age” as a date"),
        (replace(plan, outcomes=(replace(outcome, start="", time="grade"),)), "is not a number there"),
        (replace(plan, outcomes=()), "names no outcome"),
    ):
        with pytest.raises(Fixable) as caught:
            live_from(staged, changed, tmp_path, engine_of_source=sources.engine, source="duckdb", table=TABLE)
        assert why in caught.value.why and "make a view" in caught.value.next_step
    assert not (tmp_path / "live.json").exists()


def test_one_death_that_is_told_twice_is_one_outcome_that_the_source_can_count(tmp_path):
    rng = np.random.default_rng(3)
    start = pd.Timestamp("2015-02-20") + pd.to_timedelta(rng.integers(0, 900, 300), unit="D")
    days, dead = rng.integers(10, 1500, 300), rng.integers(0, 2, 300)
    seen = start + pd.to_timedelta(days, unit="D")
    table = pa.table({
        "c0": pa.array(days, pa.int64()), "c1": pa.array(dead, pa.int64()), "c2": pa.array(start.date, pa.date32()),
        "c3": pa.array(seen.date, pa.date32()),
        "c4": pa.array([d if e else None for d, e in zip(seen.date, dead, strict=True)], pa.date32()),
    })  # fmt: skip
    names = [("follow_up_days", "number"), ("dead", "number"), ("diagnosed_on", "date"), ("last_seen_on", "date"),
             ("died_on", "date")]  # fmt: skip
    file = tmp_path / "rows.parquet"
    pq.write_table(table, file)
    staged = Staged(file, tuple(StagedColumn(n, n, k) for n, k in names), 300, Reading("parquet"))
    (outcome,) = guess(staged).plan.outcomes
    assert (outcome.label, outcome.time, outcome.status) == ("Death", "follow_up_days", "dead")
    # Without the days there are a status and a date of the event: the status says who, the date when it ended.
    pq.write_table(table.drop_columns(["c0"]).rename_columns([f"c{i}" for i in range(4)]), file)
    staged = Staged(file, staged.columns[1:], 300, Reading("parquet"))
    guessed = guess(staged)
    assert fit_of(staged, guessed.plan).in_the_way and not fit_of(staged, countable(staged, guessed).plan).in_the_way
    (outcome,) = countable(staged, guessed).plan.outcomes
    assert outcome.status == "dead" and set(outcome.end) == {"died_on", "last_seen_on"} and not outcome.happened


def test_codes_that_mean_unknown_and_steps_that_leave_out_a_column(sources, imported, tmp_path):
    staged, plan = looked_at(sources, "postgresql", tmp_path / "staged"), imported.plan
    plan = plan.with_column(replace(plan.column("grade"), missing=("2",), levels=()))
    plan = plan.with_step(Step("drop_column", column="note", said="Left out"))
    (tmp_path / "made").mkdir()
    live = live_from(staged, plan, tmp_path / "made", engine_of_source=sources.engine, source="postgresql", table=TABLE)
    told = json.loads((tmp_path / "made" / "live.json").read_text())
    assert told["missing"] == {"grade": ["2"]} and live.variable("grade").codes == ("1", "rare")
    known = live.bring().frame["grade"]
    assert 0 < known.isna().sum() < len(live) and not live.has("note")
    live.close()


# ------------------------------------------------------------------ dates


def test_points_in_time_become_days_of_one_zone(server, tmp_path):
    """Half past eleven at night in London is the next day in Berlin; what is for ever is no date."""
    with psycopg.connect(server) as connection:
        connection.execute(
            "CREATE TABLE moments (id text, born timestamp, came timestamptz, gone timestamptz, till date)"
        )
        connection.execute(
            "INSERT INTO moments VALUES "
            "('a', '2020-01-01 23:59', '2020-01-01 22:30Z', '2020-01-03 23:30Z', 'infinity'), "
            "('b', '2020-02-28 00:00', '2020-02-28 12:00Z', NULL, '2020-03-01'), "
            "('c', '2020-02-28 00:00', '2020-02-28 12:00Z', NULL, 'infinity'), "
            "('d', NULL, '2020-06-01 12:00Z', '0044-03-15 BC', '2020-06-30'), "
            "('e', NULL, '2020-06-01 12:00Z', '2020-06-06 12:00Z', '2020-06-30')"
        )
    sources = configured({"p": {"kind": "postgresql", "address": server}}, {})
    outcome = {"key": "death", "label": "Death", "time": "span", "unit": "days", "status": "ended"}
    told = {
        "title": "M", "short_title": "M", "identifier": "id", "outcomes": [outcome],
        "variables": [{"name": "till", "kind": "date"}, {"name": "born", "kind": "date"}],
        "source": {"citation": "none", "licence": "none", "origin": "made up"},
    }  # fmt: skip
    spans = {"times": {"span": {"from": "came", "to": ["gone", "till"]}}, "happened": {"ended": "gone"}}
    for zone, days in (("UTC", [2.0, 2.0, 29.0, 5.0]), ("Europe/Berlin", [3.0, 2.0, 29.0, 5.0])):
        place = live_places.folder(tmp_path / zone, told, source="p", table="moments", time_zone=zone, **spans)
        live = open_live(place, engine_of_source=sources.engine)
        brought = live.bring()
        assert brought.frame["span"].tolist() == days and live.left_out == (("no follow-up", 1),)
        assert brought.event("death").tolist() == [True, False, False, True]
        assert brought.frame["till"].isna().tolist() == [True, False, False, False]
        assert brought.frame["born"][1] == pd.Timestamp("2020-02-28")
        live.close()


@pytest.mark.parametrize("kind", ["parquet", "duckdb", "postgresql"])
def test_leap_years_and_long_spans(kind, server, tmp_path):
    """Days between dates, counted by Python as well."""
    pairs = [
        (date(2000, 2, 28), date(2000, 3, 1)), (date(1900, 2, 28), date(1900, 3, 1)),
        (date(1850, 1, 1), date(2026, 7, 1)),
        (date(2024, 3, 30), date(2024, 4, 1)), (date(2020, 12, 31), date(2020, 12, 31)),
    ]  # fmt: skip
    rows = pd.DataFrame({"id": [f"p{i}" for i in range(5)], "a": [p[0] for p in pairs], "b": [p[1] for p in pairs]})
    gone = date(1849, 1, 1) if kind == "parquet" else None  # a file of nothing else has no dates
    rows["seen"] = [gone, date(1900, 2, 1), date(1850, 1, 1), gone, date(2019, 1, 1)]  # the latest contact counts
    rows["dead"] = 1
    if kind == "postgresql":
        with psycopg.connect(server) as connection:
            fill(connection, "spans", rows, {"a": "date", "b": "date", "seen": "date", "dead": "integer"})
        address, table = server, "spans"
    elif kind == "parquet":
        address, table = str(live_places.parts(tmp_path / "p", rows)), ""
    else:
        address, table = str(live_places.database(tmp_path / "x.duckdb", rows, "spans")), "spans"
    outcome = {"key": "death", "label": "Death", "time": "t", "unit": "days", "status": "dead", "entry": "zero"}
    told = {
        "title": "S", "short_title": "S", "outcomes": [{**outcome, "entry": ""}], "identifier": "id",
        "source": {"citation": "none", "licence": "none", "origin": "made up"},
    }  # fmt: skip
    place = live_places.folder(
        tmp_path / "live", told, source="s", table=table, times={"t": {"from": "a", "to": ["seen", "b"]}}
    )
    live = open_live(place, engine_of_source=configured({"s": {"kind": kind, "address": address}}, {}).engine)
    assert live.bring().frame["t"].tolist() == [float((b - a).days) for a, b in pairs]
    live.close()


# ------------------------------------------------------------------ kept


def test_a_live_cohort_is_kept_like_an_imported_one(sources, imported, tmp_path, monkeypatch):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))
    staged, plan = looked_at(sources, "duckdb", tmp_path / "staged"), imported.plan
    now = datetime(2026, 4, 1, tzinfo=UTC)
    with making() as made:
        told = {"engine_of_source": sources.engine, "source": "duckdb", "table": TABLE, "now": now}
        live = live_from(staged, plan, made, **told)
        kept = keep(made, reader="local", title="Register", live=live, now=now + timedelta(hours=1))
    assert (kept.n_patients, kept.title, [v.version for v in versions(kept.key, reader="local")]) == (
        len(live), "Register", [1])  # fmt: skip
    folder = open_folder(kept.key, reader="local")
    assert sorted(path.name for path in folder.iterdir()) == ["dictionary.json", "kept.json", "live.json"]
    again = open_live(folder, engine_of_source=sources.engine, key=kept.key)
    assert len(again) == len(live)
    live.close(), again.close()
