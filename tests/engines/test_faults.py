"""What an engine refuses, in which words, and what it never does."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest
import sqlglot
from psycopg import sql
from sqlglot import exp

from bedside.cohort import Between, OneOf, Outcome, Selection, Variable
from bedside.cohort import Level as CohortLevel
from bedside.engine import Engine, Level, Number, Text, event_tables, groups_by_selection, groups_of
from bedside.engine.duck import open_file
from bedside.engine.postgres import open_postgres
from bedside.engine.tree import Field, Question, Spelled
from bedside.errors import Fixable
from tests.engines import made
from tests.engines.conftest import fill

DEATH = Outcome(
    key="death", label="Death", time="days", unit="days", status="status", censored=("alive",), event=("dead",)
)
ARM = Variable(
    name="arm", kind="categorical", levels=(CohortLevel(code="a", label="A"), CohortLevel(code="b", label="B"))
)


@contextmanager
def over(folder: Path, **columns: object) -> Iterator[Engine]:
    """DuckDB over a few rows."""
    usual = {"days": [1.0, 2.0, 2.0, 5.0], "status": ["dead", "alive", "dead", "dead"], "arm": ["a", "b", "a", "b"]}
    path = folder / "data.parquet"
    pd.DataFrame({**usual, **columns}).to_parquet(path, index=False)
    with open_file(path) as engine:
        yield engine


def refusal(engine: Engine, *, by: Variable | None = None, **told: object) -> Fixable:
    with pytest.raises(Fixable) as caught:
        event_tables(engine, DEATH, None if by is None else groups_of(engine, by), **told)
    return caught.value


@pytest.mark.parametrize(
    ("columns", "told", "why"),
    [
        ({"days": [1.0, None, np.nan, 5.0]}, {}, "2 patients have no follow-up time."),
        ({"days": [1.0, -2.0, 2.0, 5.0]}, {}, "1 patient has a negative follow-up time."),
        ({"days": [1.0, np.inf, 2.0, 5.0]}, {}, "“days” holds something else than finite numbers"),
        ({"days": ["1", "2", "soon", "5"]}, {}, "“days” holds something else than finite numbers"),
        ({"status": ["dead", "lost", None, "alive"]}, {}, "2 patients have no status that the outcome names."),
        ({"entry": [0.0, 2.0, 1.0, 1.0]}, {"entry": "entry"}, "1 patient has a time of entry that is not before"),
        ({"entry": [None] * 4}, {"entry": "entry"}, "missing for all patients"),
        ({"entry": [0.0, 1.0, 2 - 1e-9, 1.0]}, {"entry": "entry"}, "entry that is the end of follow-up"),
        ({"w": [1.0, 0.0, -1.0, 2.0]}, {"weights": "w"}, "2 patients have a weight that is not above 0."),
        ({"w": [np.nan] * 4}, {"weights": "w"}, "missing for all patients"),
        ({}, {"weights": "no such column"}, "called “no such column”"),
        ({}, {"selection": Selection(((Between("days", 90),),))}, "There are no patients in this group."),
        ({"arm": [None] * 4}, {"by": ARM}, "missing for all of them"),
        ({"arm": ["a", "b", "c", "d"]}, {"by": ARM}, "“arm” holds 2 codes that are not among its levels."),
        ({}, {"by": Variable(name="arm", kind="text")}, "differ from patient to patient"),
        ({"arm": pd.to_datetime(["2020-01-01"] * 4)}, {"by": ARM}, "no column of numbers, codes or text called “arm”"),
    ],
)
def test_refused_with_the_reason(tmp_path, columns, told, why):
    with over(tmp_path, **columns) as engine:
        assert why in refusal(engine, **told).why


def test_groups_that_say_little_are_answered(tmp_path):
    """No event, one patient, all times equal, everything at time 0, a group that nobody is in."""
    levels = tuple(CohortLevel(code=c, label=c.upper()) for c in ("empty", "none", "one", "b"))
    columns = {"arm": ["none", "one", "b", "b"], "days": [0.0] * 4, "status": ["alive", "dead", "dead", "alive"]}
    with over(tmp_path, **columns) as engine:
        tables = event_tables(engine, DEATH, groups_of(engine, ARM.model_copy(update={"levels": levels})))
    curves = tables.curves()
    assert [(c.n, c.n_events, c.survival[-1]) for c in curves] == [(1, 0, 1.0), (1, 1, 0.0), (2, 1, 0.5)]
    assert tables.log_rank().observed.tolist() == [0, 1, 1]


def test_five_hundred_levels(tmp_path):
    codes = [f"{i:03d}" for i in range(500)]
    rows = {"arm": codes * 2, "days": np.arange(1000.0), "status": ["dead", "alive"] * 500}
    many = ARM.model_copy(update={"levels": tuple(CohortLevel(code=c, label=c) for c in codes)})
    with over(tmp_path, **rows) as engine:
        tables = event_tables(engine, DEATH, groups_of(engine, many))
    assert [c.n for c in tables.curves()] == [2] * 500
    assert tables.log_rank().df == 499


def test_nobody_against_everyone(tmp_path):
    with over(tmp_path) as engine:
        for low, why in ((0, "Everyone is selected."), (99, "Nobody is selected.")):
            with pytest.raises(Fixable) as caught:
                groups_by_selection(engine, Selection(((Between("days", low),),)))
            assert caught.value.why == why


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "spark"])
def test_no_text_from_data_stands_in_a_query(dialect):
    """Codes and bounds travel as parameters; a column's name is quoted in such a way that it is read as one name."""
    fields = {name: Field(name, "text") for name in (made.ARM, made.SITE)} | {made.DOSE: Field(made.DOSE, "float")}
    question = Question(fields, exp.table_("held"), lambda column, codes: Spelled(codes, ("NA' --",)))
    selection = Selection(((OneOf(made.ARM, made.TEXTS, missing=True),), (Between(made.DOSE, 0.12345, 678.9),)))
    told = question.counted([question.key(Level(made.SITE))], question.holds(selection)).sql(dialect)
    assert list(question.values.values()) == [*made.TEXTS, "NA' --", 0.12345, 678.9]
    assert "12345" not in told and "O'Brien" not in told and "NA'" not in told
    read = sqlglot.parse(told, dialect=dialect)
    assert len(read) == 1
    assert {column.name for column in read[0].find_all(exp.Column)} == {made.ARM, made.SITE, made.DOSE, "k0"}


def test_a_name_that_no_row_has(engines):
    """A row is asked for by a text from outside."""
    for name in ("x' OR '1'='1", "'; DROP TABLE x;--", "\x00", "\ud800", "", "abc"):
        for engine in engines.values():
            assert len(engine.row((Text("id"), Number("Age")), order="id", name=name)[0]) == 0


def test_eight_threads_get_their_own_rows(engines, rows):
    ages = sorted(rows["Age"].unique())[:16]

    def asked(name: str, age: float) -> bool:
        chosen = Selection(((Between("Age", float(age), float(age)),),))
        counted = engines[name].counts((Number("Age"), Number("days")), chosen)
        return set(counted.columns[0]) == {float(age)} and counted.n.sum() == (rows["Age"] == age).sum()

    with ThreadPoolExecutor(8) as pool:
        for name in engines:
            assert all(pool.map(asked, [name] * 64, ages * 4))


def test_a_damaged_or_missing_file(tmp_path):
    (tmp_path / "data.parquet").write_bytes(b"PAR1 and nothing more")
    for path in (tmp_path / "data.parquet", tmp_path / "none.parquet", tmp_path / "none.csv"):
        with pytest.raises(Fixable), open_file(path):
            pass


def test_a_file_that_goes_away(tmp_path):
    with over(tmp_path) as engine:
        (tmp_path / "data.parquet").unlink()
        assert "DuckDB stopped" in refusal(engine).why


def test_postgres_is_only_read(server, table):
    """Whatever was sent through the engine's connection, it could not write."""
    with open_postgres(server, table) as engine:
        for order in ("DELETE FROM {}", "DROP TABLE {}", "SELECT 1 INTO other FROM {}"):
            statement = sql.SQL(order).format(sql.Identifier(table)).as_string()
            with pytest.raises(Fixable) as caught:
                engine._ask(Plain(statement), {})
            assert "ReadOnlySqlTransaction" in caught.value.why
        assert engine.sizes((Selection(),)) == (made.N,)


class Plain(exp.Expression):
    """A statement that no tree of ours would make."""

    def __init__(self, told: str) -> None:
        super().__init__()
        self._told = told

    def transform(self, *_args: object, **_told: object) -> Plain:
        return self

    def sql(self, *_args: object, **_told: object) -> str:
        return self._told


def test_postgres_has_a_limit_on_time_and_goes_on_afterwards(server):
    with psycopg.connect(server) as connection:
        nap = "BEGIN PERFORM pg_sleep(0.05); RETURN n::text; END"
        connection.execute(f"CREATE FUNCTION nap(n int) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ {nap} $$")
        connection.execute("CREATE VIEW slow AS SELECT n AS days, nap(n) AS s FROM generate_series(1, 90) n")
    with open_postgres(server, "slow", most_seconds=0.3) as engine:
        with pytest.raises(Fixable) as caught:
            engine.counts((Level("s"),))
        assert caught.value.why == "It was asked for longer than is allowed."
        assert engine.counts((Number("days"),)).n.sum() == 90


def test_postgres_counts_one_moment(server, rows):
    """Rows that come while the engine is open are not counted in one question and left out in another."""
    with psycopg.connect(server) as connection:
        fill(connection, "growing", rows[["days", "status"]].astype(str), {})
    outcome = DEATH.model_copy(update={"censored": ("0",), "event": ("1", "2")})
    with open_postgres(server, "growing") as engine:
        before = event_tables(engine, outcome).groups[0].table
        with psycopg.connect(server) as connection:
            connection.execute("INSERT INTO growing SELECT * FROM growing")
        again = event_tables(engine, outcome).groups[0].table
        assert before.n == again.n == made.N
    with open_postgres(server, "growing") as engine:
        assert event_tables(engine, outcome).groups[0].table.n == 2 * made.N


def test_postgres_types_with_a_text_of_their_own(server):
    """Enumerations and padded text are codes; a type that is neither number nor text is refused."""
    with psycopg.connect(server) as connection:
        connection.execute("CREATE TYPE stage AS ENUM ('early', 'late')")
        connection.execute("CREATE TABLE typed (s stage, c char(5), d date, n numeric, r real)")
        connection.execute(
            "INSERT INTO typed VALUES ('late', 'x', '2020-01-01', 0.5, 0.1), ('early', 'y', NULL, 'NaN', 'NaN')"
        )
    with open_postgres(server, "typed") as engine:
        counted = engine.counts((Level("s"), Level("c"), Number("n"), Number("r")))
        assert counted.labels[:2] == (("early", "late"), ("x", "y"))
        np.testing.assert_array_equal(counted.columns[2], [np.nan, 0.5])
        np.testing.assert_array_equal(counted.columns[3], [np.nan, float(np.float32(0.1))])
        assert engine.sizes((Selection(((OneOf("s", ("late",)),), (OneOf("c", ("x",)),), (Between("n", 0, 1),))),)) == (
            1,
        )
        with pytest.raises(Fixable):
            engine.counts((Number("d"),))


@pytest.mark.parametrize(
    ("address", "name", "what"),
    [
        ("host=/nowhere user=bedside password=secret", "t", "The database could not be reached."),
        (None, "no such table", "The database has no such table."),
    ],
)
def test_postgres_that_is_not_there(server, address, name, what):
    with pytest.raises(Fixable) as caught, open_postgres(address or server, name):
        pass
    assert caught.value.what == what
    assert "secret" not in str(caught.value)
