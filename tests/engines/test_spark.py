"""Spark counts what the others count: part of the slow suite, `make test-all`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Cohort, Selection
from bedside.engine import Engine, Number, event_tables, groups_of
from bedside.errors import Fixable
from bedside.intake.guess import guess
from bedside.intake.live_plan import live_from
from bedside.store.sources import configured
from benchmarks.spark_session import own_session
from tests.engines import live_places, made
from tests.engines.test_faults import refusal
from tests.engines.test_same_counts import KEYS, assert_same

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def session() -> Iterator[SparkSession]:
    """Spark on this machine, two threads."""
    with own_session() as running:
        yield running


@pytest.fixture(scope="module")
def spark(session: SparkSession, cohort: Cohort, folder: Path) -> Iterator[Engine]:
    """The rows that every engine holds, read by Spark; the cohort is asked for because it writes them."""
    from bedside.engine.spark import open_spark  # not installed for the usual suite

    assert len(cohort) == made.N
    path = str(folder / "data.parquet").replace("[", "\\[").replace("]", "\\]")
    with open_spark(session, lambda own: own.read.parquet(path)) as engine:
        yield engine


@pytest.mark.parametrize("keys", KEYS, ids=lambda keys: "+".join(type(key).__name__ for key in keys) or "none")
def test_counts(spark, engines, keys):
    for selection in made.SELECTIONS:
        assert_same(engines["memory"].counts(keys, selection), spark.counts(keys, selection))


def test_attrition(spark, engines):
    assert spark.sizes(made.SELECTIONS) == engines["memory"].sizes(made.SELECTIONS)


@pytest.mark.parametrize("key", ["death", "close"])
@pytest.mark.parametrize(("variable", "cuts"), [(made.ARM, None), ("age", "quantiles:4"), ("paid", (2.5, 5.0))])
def test_curves(spark, engines, cohort, variable, cuts, key):
    for selection in made.SELECTIONS[:3]:
        curves = [
            event_tables(
                engine,
                cohort.outcome(key),
                groups_of(engine, cohort.variable(variable), cuts=cuts, selection=selection),
                selection=selection,
                entry="entry" if key == "death" else None,
                weights="weight",
            ).curves()
            for engine in (spark, engines["memory"])
        ]
        for ours, theirs in zip(*curves, strict=True):
            assert (ours.group, ours.n, ours.dropped) == (theirs.group, theirs.n, theirs.dropped)
            for name in ("time", "survival", "lower", "upper", "at_risk", "events", "censored"):
                np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_pages_and_single_rows(spark, engines):
    columns = tuple(KEYS[0][:2])
    for ours, theirs in zip(
        (*spark.page(columns, order="id", first=40, most=9), *spark.row(columns, order="id", name="-01267")),
        (
            *engines["memory"].page(columns, order="id", first=40, most=9),
            *engines["memory"].row(columns, order="id", name="-01267"),
        ),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_text_that_holds_numbers(session, engines, folder):
    """A CSV file, of which Spark knows no types."""
    from bedside.engine.spark import open_spark

    path = str(folder / "data.csv").replace("[", "\\[").replace("]", "\\]")
    chosen = made.SELECTIONS[4]
    with open_spark(session, lambda own: own.read.csv(path, header=True, escape='"')) as engine:
        assert_same(engines["csv"].counts((Number("paid"), Number(made.DOSE)), chosen),
                    engine.counts((Number("paid"), Number(made.DOSE)), chosen))  # fmt: skip
        assert engine.sizes((Selection(),)) == (made.N,)


def test_a_file_that_goes_away(session, tmp_path, rows):
    from bedside.engine.spark import open_spark

    path = tmp_path / "data.parquet"
    rows[["days", "status"]].to_parquet(path)
    with open_spark(session, lambda own: own.read.parquet(str(path))) as engine:
        path.unlink()
        assert "It stopped with" in refusal(engine).why
    with pytest.raises(Fixable), open_spark(session, lambda own: own.read.parquet(str(path))):
        pass


def test_a_live_cohort(session, tmp_path):
    """Times between dates made by Spark, the rows that can't be followed left out, the rest as in a Parquet folder."""
    from tests.engines.test_live_making import looked_at, register

    dated = register().astype(dict.fromkeys(("diagnosis_date", "last_contact", "date_of_death"), "datetime64[us]"))
    for name in ("diagnosis_date", "last_contact", "date_of_death"):
        dated[name] = dated[name].astype("date32[pyarrow]")
    parts = live_places.parts(tmp_path / "p", dated)
    files = [str(path).replace("[", "\\[").replace("]", "\\]") for path in parts.iterdir()]
    session.read.parquet(*files).write.saveAsTable("register")
    told = {"spark": {"kind": "spark", "address": "local[2]"}, "files": {"kind": "parquet", "address": str(parts)}}
    sources = configured(told, {})
    (seen,) = [table for table in sources.named("spark").tables() if table.name == "register"]
    assert (seen.schema, seen.columns[0].name, seen.columns[3].type) == ("default", "mrn", "date")
    staged = looked_at(sources, "files", tmp_path / "staged")
    plan = guess(staged, this_year=2026).plan
    lives = []
    for name, table in (("spark", "register"), ("files", "")):
        (tmp_path / name).mkdir()
        lives.append(
            live_from(staged, plan, tmp_path / name, engine_of_source=sources.engine, source=name, table=table)
        )
    there, here = lives
    assert (len(there), there.left_out) == (len(here), here.left_out)
    pd.testing.assert_frame_equal(there.bring().frame, here.bring().frame)
    assert there.page(first=30, most=5).identifiers == here.page(first=30, most=5).identifiers
    assert len(there.row("M0007")) == 1 and there.page(holding="m000").identifiers == here.page(
        holding="m000").identifiers  # fmt: skip
    with pytest.raises(Fixable), sources.engine("spark", "", "no such table"):
        pass
