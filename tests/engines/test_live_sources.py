"""Sources: how they are configured, what they hold, and what they say when something is wrong."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import duckdb
import pandas as pd
import psycopg
import pytest

from bedside.cohort import Selection
from bedside.engine import Level, Number, duck, engine_of, summary_of
from bedside.engine.gone import SourceGone
from bedside.engine.postgres_moment import MOST
from bedside.errors import Faults, Fixable
from bedside.intake.duck import open_duck
from bedside.intake.from_source import open_live
from bedside.intake.live_sample import sample_of
from bedside.store.sources import Source, Sources, configured
from tests.engines import live_places, made

ROWS = pd.DataFrame({"id": ["a", "b", "c", "d"], "days": [5, 3, 9, 1], "dead": [1, 0, 1, 0], "age": [50, 60, 70, 80]})
PLAIN = {
    "title": "Four", "short_title": "Four", "identifier": "id",
    "outcomes": [{"key": "death", "label": "Death", "time": "days", "unit": "days", "status": "dead"}],
    "variables": [{"name": "age", "kind": "continuous"}],
    "source": {"citation": "none", "licence": "none", "origin": "made up"},
}  # fmt: skip
SECRET = "Geheim-4711"


@pytest.fixture(scope="module")
def patients(server: str) -> str:
    """Name of a small table in PostgreSQL that another account may only read."""
    with psycopg.connect(server) as connection:
        connection.execute("CREATE SCHEMA clinic")
        connection.execute("CREATE TABLE clinic.few AS SELECT 'p' || n AS id, n AS days, n % 2 AS dead, 40 + n AS age "
                           "FROM generate_series(1, 20) n")  # fmt: skip
        connection.execute("COMMENT ON TABLE clinic.few IS 'Twenty people'")
        connection.execute("CREATE TABLE clinic.hidden AS SELECT 1 AS secret")
        connection.execute("CREATE VIEW clinic.older AS SELECT * FROM clinic.few WHERE age > 50")
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA clinic TO reader")
        connection.execute("GRANT SELECT ON clinic.few, clinic.older TO reader")
        connection.execute("ANALYZE clinic.few")
    return "few"


@pytest.fixture
def as_reader(server: str) -> str:
    """The address of an account that may only read."""
    return server.replace("user=bedside", "user=reader")


def one(kind: str, address: str) -> Sources:
    return configured({"clinic": {"kind": kind, "address": address}}, {})


def refusal(asked: object) -> Fixable:
    with pytest.raises(Fixable) as caught:
        asked()
    told = "".join(traceback.format_exception(caught.value)) + str(caught.value) + repr(caught.value)
    assert SECRET not in told
    return caught.value


# ------------------------------------------------------------------ configuration


def test_sources_are_named_in_secrets_or_in_the_environment(tmp_path):
    environment = {
        "BEDSIDE_SOURCE_REGISTRY": f"postgresql://reader:{SECRET}@db.example/registry",
        "BEDSIDE_SOURCE_Lab": json.dumps({"kind": "parquet", "address": str(tmp_path), "title": "Laboratory"}),
        "BEDSIDE_SOURCE_file": f"duckdb:{tmp_path}/x.duckdb",
        "BEDSIDE_SOURCE_EMPTY": " ", "PATH": "/bin",
    }  # fmt: skip
    found = configured({"lab": {"kind": "duckdb", "address": "/elsewhere"}, "Heap": {"kind": "spark"}}, environment)
    told = {source.name: (source.kind, source.title) for source in found.all}
    assert told == {
        "registry": ("postgresql", "registry"), "lab": ("parquet", "Laboratory"), "file": ("duckdb", "file"),
        "heap": ("spark", "heap"),
    }  # fmt: skip
    assert SECRET not in repr(found) and found.named(" LAB ").address == str(tmp_path)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"kind": "oracle", "address": SECRET}, "none of postgresql, duckdb, parquet, spark"),
        ({"kind": "postgresql"}, "no address"),
        ({"kind": "parquet", "address": "some/" + SECRET}, "not the whole path"),
        ("mysql://u:" + SECRET, "none of postgresql"),
        ('{"kind": "' + SECRET, "neither an address nor a table"),
        (17, "neither an address nor a table"),
    ],
)
def test_a_source_that_is_configured_wrongly_says_so_when_it_is_used(entry, why):
    environment = {"BEDSIDE_SOURCE_X": entry} if isinstance(entry, str) else {}
    source = configured({} if environment else {"x": entry}, environment).named("x")
    assert why in refusal(source.tables).why
    assert why in refusal(lambda: source.engine("", "t").__enter__()).why


def test_a_source_that_nobody_named():
    stop = refusal(lambda: Sources().engine("clinic", "", "t").__enter__())
    assert stop.why == "No source is named “clinic” on this server."


# ------------------------------------------------------------------ what they hold


def test_tables_of_a_database(server, as_reader, patients):
    mine = {table.name: table for table in Source("clinic", "postgresql", "c", as_reader).tables()}
    assert set(mine) == {"few", "older"}
    few = mine["few"]
    assert (few.schema, few.about, few.note) == ("clinic", 20, "Twenty people")
    assert [(c.name, c.type) for c in few.columns][:2] == [("id", "text"), ("days", "integer")]
    assert mine["older"].about is None
    owners, readers = one("postgresql", server).named("clinic"), one("postgresql", as_reader).named("clinic")
    assert owners.may_write("clinic", patients) and not readers.may_write("clinic", patients)
    stop = refusal(lambda: readers.engine("clinic", "hidden").__enter__())
    assert "this account may not read it" in stop.why


def test_tables_of_files(tmp_path, rows):
    file = live_places.database(tmp_path / "x.duckdb", ROWS, 'a "b" c', schema="clinic")
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE VIEW leak AS SELECT * FROM read_text('/etc/hostname')")
    source = one("duckdb", str(file)).named("clinic")
    found = {table.name: table for table in source.tables()}
    told = found['a "b" c']
    assert (told.schema, told.about, [c.name for c in told.columns]) == ("clinic", 4, list(ROWS))
    assert not source.may_write("clinic", 'a "b" c')
    assert "no such table" in refusal(lambda: source.engine("main", "leak").__enter__()).what

    parquet = live_places.parts(tmp_path / "p", rows[["id", "days"]])
    (place,) = one("parquet", str(parquet)).named("clinic").tables()
    assert (place.name, place.about, [c.name for c in place.columns]) == ("", made.N, ["id", "days"])
    live_places.parts(parquet / "labs", ROWS, n=2)
    ROWS.to_parquet(parquet / "other.parquet")
    several = {t.name: t.about for t in one("parquet", str(parquet)).named("clinic").tables()}
    assert several == {"labs": 4, "other.parquet": 4, **{f"part {i} [x].parquet": made.N // 3 for i in range(3)}}
    with one("parquet", str(parquet)).engine("clinic", "", "labs") as engine:
        assert engine.sizes((Selection(),)) == (4,)


def test_folders_of_parquet(tmp_path):
    """Columns in any order, what stands in the folders' names, and what does not belong together."""
    for site, order in (("A", list(ROWS)), ("B", list(ROWS)[::-1])):
        (tmp_path / f"site={site}").mkdir()
        ROWS[order].to_parquet(tmp_path / f"site={site}" / "x.parquet", index=False)
    sources = one("parquet", str(tmp_path))
    with sources.engine("clinic", "", "") as engine:
        counted = engine.counts((Level("site"), Number("age")))
        assert counted.labels[0] == ("A", "B") and counted.n.tolist() == [1] * 8
    ROWS.rename(columns={"age": "years"}).to_parquet(tmp_path / "site=A" / "y.parquet")
    assert "has other columns than" in refusal(lambda: sources.engine("clinic", "", "").__enter__()).why
    (tmp_path / "site=A" / "y.parquet").write_bytes(b"PAR1 no")
    assert "not a Parquet file" in refusal(lambda: sources.engine("clinic", "", "").__enter__()).why
    for name in ("../x", "site=C", "/etc", "a\x00b"):
        assert "no such table" in refusal(lambda name=name: sources.engine("clinic", "", name).__enter__()).what


def test_links_do_not_lead_out_of_a_folder(tmp_path):
    (tmp_path / "in").mkdir()
    ROWS.to_parquet(tmp_path / "secret.parquet")
    (tmp_path / "in" / "a.parquet").symlink_to(tmp_path / "secret.parquet")
    sources = one("parquet", str(tmp_path / "in"))
    assert "no Parquet files" in refusal(lambda: sources.engine("clinic", "", "").__enter__()).why
    assert "no such table" in refusal(lambda: sources.engine("clinic", "", "a.parquet").__enter__()).what


# ------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("postgresql", f"host=/nowhere user=bedside password={SECRET}"),
        ("postgresql", f"{SECRET} is no address"),
        ("postgresql", f"postgresql://u:{SECRET}@localhost:1/x"),
        ("duckdb", f"/nowhere/{SECRET}.duckdb"),
        ("parquet", f"/nowhere/{SECRET}"),
    ],
)
def test_sources_that_are_not_there(kind, address):
    source = one(kind, address).named("clinic")
    for asked in (source.tables, lambda: source.engine("", "t").__enter__()):
        refusal(asked)


def test_a_role_that_does_not_exist(server):
    stop = refusal(one("postgresql", server.replace("user=bedside", f"user=nobody password={SECRET}")).all[0].tables)
    assert stop.what == "The database could not be reached."


@pytest.fixture
def four(tmp_path: Path) -> Iterator[tuple[Sources, Path]]:
    file = live_places.database(tmp_path / "x.duckdb", ROWS, "t")
    yield one("duckdb", str(file)), tmp_path


def test_a_database_that_stops_midway(server, patients, tmp_path):
    place = live_places.folder(tmp_path / "live", PLAIN, source="clinic", schema="clinic", table=patients)
    live = open_live(place, engine_of_source=one("postgresql", server).engine)
    assert engine_of(live).counts(()).n.tolist() == [20]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", [live.base._moment.first.info.backend_pid])
    for _ in range(2):
        with pytest.raises(SourceGone) as caught:
            engine_of(live).counts(())
        assert caught.value.next_step == "Count anew."
    live.close()
    assert len(open_live(place, engine_of_source=one("postgresql", server).engine)) == 20


def test_one_moment_outlives_a_question_that_fails(server, patients):
    with one("postgresql", server).engine("clinic", "clinic", patients) as engine:
        assert engine.sizes((Selection(),)) == (20,)
        with psycopg.connect(server) as connection:
            connection.execute("CREATE VIEW clinic.broken AS SELECT id, 1 / (days - 3) AS days FROM clinic.few")
            connection.execute("INSERT INTO clinic.few SELECT 'new', 1, 1, 1")
        with (
            pytest.raises(Fixable),
            one("postgresql", server).engine("clinic", "clinic", "broken") as broken,
        ):
            broken.counts((Number("days"),))
        with pytest.raises(Fixable):
            engine.rows(["no such column"], most=1)
        assert engine.sizes((Selection(),)) == (20,)
        with psycopg.connect(server) as connection:
            connection.execute("DELETE FROM clinic.few WHERE id = 'new'")


def test_several_ask_at_once_and_see_one_moment(server):
    """A question that takes long keeps nobody waiting, and all count the rows that were there at first."""
    with psycopg.connect(server) as connection:
        connection.execute("CREATE TABLE clinic.crowd AS SELECT n AS days FROM generate_series(1, 50) n")
        slow = "SELECT days, (SELECT pg_sleep(0.4)) IS NULL AS slept FROM clinic.crowd"
        connection.execute("CREATE VIEW clinic.sleepy AS " + slow)
    sources = one("postgresql", server)
    with sources.engine("clinic", "clinic", "sleepy") as engine, ThreadPoolExecutor(6) as pool:
        with psycopg.connect(server) as connection:
            connection.execute("INSERT INTO clinic.crowd SELECT 99 FROM generate_series(1, 7)")
        asked = [pool.submit(engine.counts, (Level("slept"), Number("days"))) for _ in range(6)]
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%sleepy%'"
        with psycopg.connect(server, autocommit=True) as connection:
            most = 0
            while not all(each.done() for each in asked):
                most = max(most, connection.execute(sleeping).fetchone()[0] - 1)
                sleep(0.03)
        assert [int(each.result().n.sum()) for each in asked] == [50] * 6
        assert 1 < most <= MOST


def test_files_that_change_are_not_counted_on(four, tmp_path):
    sources, folder = four
    place = live_places.folder(tmp_path / "live", PLAIN, source="clinic", table="t")
    live = open_live(place, engine_of_source=sources.engine)
    assert len(live) == 4
    # Nothing holds the file meanwhile: whoever writes it can.
    with duckdb.connect(str(folder / "x.duckdb")) as connection:
        connection.execute("INSERT INTO t VALUES ('e', 2, 1, 90)")
        connection.execute("CHECKPOINT")
    with pytest.raises(SourceGone) as caught:
        live.row("a")
    assert caught.value.what == "The source has changed."
    assert len(open_live(place, engine_of_source=sources.engine)) == 5
    (folder / "x.duckdb").write_bytes(b"no database")
    assert "could not be opened" in refusal(lambda: open_live(place, engine_of_source=sources.engine)).what


def test_what_is_wrong_in_a_folder_is_told_at_once(four, tmp_path):
    sources, _ = four
    told = {
        **PLAIN, "variables": [{"name": "age", "kind": "date"}, {"name": "gone", "kind": "continuous"}],
        "outcomes": [*PLAIN["outcomes"], {**PLAIN["outcomes"][0], "key": "b", "time": "span", "unit": "years"}],
    }  # fmt: skip
    live = {"times": {"span": {"from": "days", "to": ["nothing"]}}, "happened": {"dead": "age"}, "missing": {"x": []}}
    place = live_places.folder(tmp_path / "live", told, source="clinic", table="t", **live)
    with pytest.raises(Faults) as caught:
        open_live(place, engine_of_source=sources.engine)
    places = {fault.column for fault in caught.value.faults}
    assert places == {"age", "gone", "span", "dead", "times.days", "times.nothing", "happened.age", "missing.x"}
    for wrong in (
        '{"source": 3}',
        "[]",
        "{",
        '{"source": "clinic", "time_zone": "Nowhere/X"}',
        '{"source": "\\ud800"}',
    ):
        (place / "live.json").write_text(wrong)
        with pytest.raises(Faults) as caught:
            open_live(place, engine_of_source=sources.engine)
        assert {fault.file for fault in caught.value.faults} == {"live.json"}


def test_patients_must_be_told_apart(tmp_path):
    rows = pd.concat([ROWS, ROWS[:1], pd.DataFrame({"id": [None], "days": [4], "dead": [1], "age": [1]})])
    sources = one("parquet", str(live_places.parts(tmp_path / "p", rows)))
    place = live_places.folder(tmp_path / "live", PLAIN, source="clinic")
    assert "in 2 of 6 rows" in refusal(lambda: open_live(place, engine_of_source=sources.engine)).why
    nobody = {**PLAIN, "identifier": None}
    live = open_live(live_places.folder(tmp_path / "live2", nobody, source="clinic"), engine_of_source=sources.engine)
    assert len(live) == 6 and refusal(live.page).what == "Patients can't be told apart."
    assert len(live.bring()) == 6
    live.close()


@pytest.mark.parametrize("names", [["  a", "b ", "c", "d"], [1.0, 2.5, 3.0, 1e6], [7, 8, 9, 10]])
def test_patients_are_found_by_the_names_that_pages_show(tmp_path, names):
    sources = one("parquet", str(live_places.parts(tmp_path / "p", ROWS.assign(id=names), n=1)))
    live = open_live(live_places.folder(tmp_path / "live", PLAIN, source="clinic"), engine_of_source=sources.engine)
    shown = live.page().identifiers
    assert len(shown) == 4 == len(set(shown))
    assert [live.row(name).identifiers for name in shown] == [[name] for name in shown]
    assert live.row("nobody") is None
    live.close()


def test_types_that_databases_have_and_files_have_not(server, tmp_path):
    """Identifiers of a type of their own are found; what fits in no cell is left out, and never asked for."""
    common = "n % 2 = 0 AS dead, TIMESTAMPTZ '2020-01-01 10:00+02' AS came, n + 1 AS days, NULL AS nothing"
    few = "(SELECT unnest(ARRAY[1, 2, 3, 4]) AS n) AS few"
    with psycopg.connect(server) as connection:
        connection.execute("CREATE TYPE clinic.stage AS ENUM ('I', 'II')")
        connection.execute(
            "CREATE TABLE clinic.typed AS SELECT gen_random_uuid() AS id, 'II'::clinic.stage AS stage, ARRAY[1, 2] AS "
            f"several, '{{}}'::jsonb AS js, n::money AS paid, now()::time AS clock, {common} FROM {few}"
        )
    with duckdb.connect(str(tmp_path / "x.duckdb")) as connection:
        connection.execute("CREATE TYPE stage AS ENUM ('I', 'II')")
        connection.execute(
            "CREATE TABLE typed AS SELECT uuid() AS id, 'II'::stage AS stage, [1, 2] AS several, {'a': 1} AS js, "
            f"'x'::BLOB AS paid, TIME '10:00' AS clock, TIMESTAMP_NS '2020-01-01' AS exact, {common} FROM {few}"
        )
    variables = [{"name": "stage", "kind": "ordinal"}, {"name": "came", "kind": "date"}]
    told = {**PLAIN, "variables": variables}
    for kind, address, schema in (("postgresql", server, "clinic"), ("duckdb", str(tmp_path / "x.duckdb"), "main")):
        sources = one(kind, address)
        place = live_places.folder(tmp_path / kind, told, source="clinic", schema=schema, table="typed")
        live = open_live(place, engine_of_source=sources.engine)
        brought = live.bring()
        assert [live.row(name).identifiers for name in brought.identifiers] == [[n] for n in brought.identifiers]
        assert brought.frame["stage"].tolist() == ["II"] * 4
        assert brought.frame["came"].tolist() == [pd.Timestamp("2020-01-01 08:00")] * 4
        (tmp_path / f"{kind} sample").mkdir()
        staged = sample_of(live.base, tmp_path / f"{kind} sample", name="typed")
        assert staged.notes[1] == "Left out, being neither numbers, text nor dates: several, js, paid, clock."
        live.close()


def test_levels_that_came_since_the_dictionary_was_written(tmp_path):
    """They stand last, and are told; codes that are only spelled otherwise are none."""
    rows = ROWS.assign(arm=["a", "b", "c", None], sex=[1.0, 2.0, 1.0, 2.0], site=[" x", "y", "NA", "x"])
    sources = one("parquet", str(live_places.parts(tmp_path / "p", rows, n=1)))
    levels = {"arm": ("binary", "a", "b"), "sex": ("binary", "1", "2"), "site": ("categorical", "x", "y")}
    variables = [
        {"name": name, "kind": kind, "label": name.title(), "levels": [{"code": c, "label": c} for c in codes]}
        for name, (kind, *codes) in levels.items()
    ]
    place = live_places.folder(tmp_path / "live", {**PLAIN, "variables": variables}, source="clinic")
    live = open_live(place, engine_of_source=sources.engine)
    told = {v.name: (v.kind, v.codes) for v in live.variables}
    assert told["arm"] == ("categorical", ("a", "b", "c")) and told["sex"] == ("binary", ("1", "2"))
    assert told["site"] == ("categorical", ("x", "y"))
    assert live.readings[-1] == "Arm: 1 level that the dictionary does not name, put last."
    assert summary_of(engine_of(live), live.variable("arm")).n == 3
    assert live.bring().frame["site"].tolist()[:2] == ["x", "y"]
    live.close()


def test_a_question_has_a_limit_on_time_and_the_next_is_answered(tmp_path, monkeypatch):
    long = "SELECT a.range AS a, b.range AS b FROM range(4000000) a, range(9000) b"
    with duckdb.connect(str(tmp_path / "x.duckdb")) as connection:
        connection.execute("CREATE VIEW t AS " + long)
    with one("duckdb", str(tmp_path / "x.duckdb")).engine("clinic", "", "t") as engine:
        with monkeypatch.context() as patched:
            patched.setattr(duck, "MOST_SECONDS", 0.2)
            assert refusal(lambda: engine.counts((Number("a"),))).why == "It was asked for longer than is allowed."
        assert engine.rows(["a"], most=3).num_rows == 3
    with open_duck(tmp_path) as files, pytest.raises(duckdb.InterruptException):
        files.query("SELECT sum(a * b) FROM (" + long + ")", {}, most_seconds=0.2)


def test_names_that_are_one_without_blanks(tmp_path):
    sources = one("parquet", str(live_places.parts(tmp_path / "p", ROWS.assign(**{" age ": 1, "x": 2, "x ": 3}), n=1)))
    place = live_places.folder(tmp_path / "live", PLAIN, source="clinic")
    with pytest.raises(Faults) as caught:
        open_live(place, engine_of_source=sources.engine)
    assert [fault.column for fault in caught.value.faults] == ["age"]
