"""The pages over a real PostgreSQL: what they say is what the rows say, and a connection that ends is made again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from components import live
from tests.engines.conftest import fill
from tests.engines.live_places import folder
from tests.pages import made
from tests.pages.reader import Reader

N = 120
OTHERS = "SELECT array_agg(pid) FROM pg_stat_activity"
ENDED = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND pid <> ALL (%s) AND backend_type = 'client backend'"""


@pytest.fixture(scope="module", autouse=True)
def registry(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same patients in a table and in memory."""
    root = tmp_path_factory.mktemp("pages")
    columns, told = made.workbench(N), made.workbench_told("Registry")
    with psycopg.connect(server) as connection:
        fill(connection, "workbench", pd.DataFrame(columns), {"days": "integer", "status": "smallint"})
    made.write(root / "cohorts", "here", columns, told)
    told["variables"].append({"name": "id", "kind": "identifier"})
    folder(root / "cohorts" / "there", told, source="clinic", schema="public", table="workbench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_DATA", str(root / "data"))
        patch.setenv("BEDSIDE_COHORTS", str(root / "cohorts"))
        clinic = {"kind": "postgresql", "title": "Clinic registry", "address": server}
        patch.setenv("BEDSIDE_SOURCE_CLINIC", json.dumps(clinic))
        yield root
    live.POOL.end()


def said(reader: Reader) -> list[str]:
    named = ("Counted in", "data and filter", "could also change the table")
    return [box for box in reader.boxes if not any(words in box for words in named)]


def test_pages_over_postgres(server: str) -> None:
    with psycopg.connect(server) as connection:
        others = connection.execute(OTHERS).fetchone()
    there, here = Reader(cohort="there"), Reader(cohort="here")
    assert "Counted in Clinic registry , as of" in there.text and server not in there.text
    assert "could also change the table" in there.text  # this account owns it
    assert said(there) == said(here)
    for reader in (there, here):
        reader.open("survival").choose("survival_by", "site").choose("survival_test", "peto-peto")
    assert said(there) == said(here) and there.figures == here.figures == ["survival_km"]
    assert there.figure("survival_km") == here.figure("survival_km")
    for reader in (there, here):
        reader.choose("survival_by", "marker")
    assert said(there) == said(here)

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DELETE FROM workbench WHERE id > 'P0099'")
        there.choose("survival_by", "age")  # of the moment that the page counts at
        assert "120 patients" in there.title and not there.stops
        connection.execute(ENDED, others)
        there.choose("survival_by", "arm")
        (stop,) = there.stops
        assert "can't be reached any more" in stop and server not in there.text
        there.click("live_again_1")
        assert not there.stops and "100 patients" in there.title and "All 100 patients" in there.text
    there.open("patients")
    assert there.at.dataframe[0].value["patient"].tolist() == [f"P{i:04d}" for i in range(50)]
