"""Pages of cohorts whose rows stay where they are: the same words and numbers, and no row until one is asked for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bedside.cohort.derived import cut, to_body
from bedside.engine.sql import SqlEngine
from bedside.errors import Fixable
from bedside.intake.read import entry_of, read_cohort
from bedside.store.saved import Saved
from bedside.store.views import group_body
from components import live
from components.live import NEW, Pool
from tests.engines.live_places import database, folder
from tests.pages import made
from tests.pages.reader import Reader

N = 160
ROWLESS = {"one", "counts", "sizes"}
"""What an engine is asked without handing out a row."""


def told() -> dict[str, Any]:
    """Their dictionary; it leaves nothing open that would have to be seen in the rows."""
    whole = made.workbench_told("Registry")
    numbers = {"age": 0, "marker": 1, "entry": 0, "weight": 2}
    levels = {"arm": "ab", "site": "nsw"}
    whole["variables"] = [
        *({"name": name, "kind": "continuous", "decimals": n,
           "use": "optional" if name in ("entry", "weight") else "predictor"} for name, n in numbers.items()),
        *({"name": name, "kind": "categorical", "levels": [{"code": c, "label": f"{name} {c}"} for c in codes]}
          for name, codes in levels.items()),
        {"name": "id", "kind": "identifier"},
    ]  # fmt: skip
    return whole


def gaps(columns: dict[str, Any]) -> list[Any]:
    return [None if i % 11 == 0 else value for i, value in enumerate(columns["marker"])]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows as a DuckDB file, as Parquet files and as an ordinary cohort; cohorts that are counted in the first."""
    root = tmp_path_factory.mktemp("live")
    columns = made.workbench(N, marker=gaps)
    rows = pd.DataFrame(columns)
    database(root / "registry.duckdb", rows, "patients")
    (root / "lake").mkdir()
    rows.to_parquet(root / "lake" / "rows.parquet")
    made.write(root / "cohorts", "here", columns, told())
    folder(root / "cohorts" / "there", told(), source="registry", schema="main", table="patients")
    folder(root / "cohorts" / "lost", told(), source="elsewhere", schema="main", table="patients")
    return root


@pytest.fixture(scope="module", autouse=True)
def configured(place: Path) -> Iterator[None]:
    """What an administrator has set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_COHORTS", str(place / "cohorts"))
        patch.setenv("BEDSIDE_SOURCE_REGISTRY", f"duckdb:{place / 'registry.duckdb'}")
        patch.setenv("BEDSIDE_PATIENCE", "60")
        yield
    live.POOL.end()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often engines were asked what."""
    found: Counter[str] = Counter()

    def counting(name: str) -> None:
        ask = getattr(SqlEngine, name)

        def noted(self: SqlEngine, *args: Any, **more: Any) -> Any:
            found[name] += 1
            return ask(self, *args, **more)

        monkeypatch.setattr(SqlEngine, name, noted)

    for name in (*ROWLESS, "page", "row", "rows"):
        counting(name)
    return found


def said(reader: Reader) -> list[str]:
    """What a page says, but for the lines that name the source or the moment."""
    return [box for box in reader.boxes if "Counted in" not in box and "data and filter" not in box]


def both(there: Reader, here: Reader, *acts: tuple[str, Any]) -> None:
    """Do the same on the pages of both cohorts, and find the same there."""
    for kind, value in acts:
        for reader in (there, here):
            act = getattr(reader, kind)
            act(*value) if isinstance(value, tuple) else act(value)
    assert said(there) == said(here), acts
    assert there.stops == here.stops
    assert there.figures == here.figures


def narrow(variable: str, clause: tuple[str, Any]) -> list[tuple[str, Any]]:
    return [("unfold", "filter_add"), ("choose", ("filter_variable", variable)), ("choose", clause),
            ("click", "filter_apply")]  # fmt: skip


def test_overview_and_survival_are_counted_and_say_what_the_rows_say(asked: Counter[str]) -> None:
    there, here = Reader(cohort="there"), Reader(cohort="here")
    assert "Counted in registry , as of" in there.text
    both(there, here, ("unfold", "overview_table"))
    both(there, here, *narrow("site", ("filter_levels_site", ["n", "s"])))
    both(there, here, *narrow("age", ("filter_From_age", 40.0)))
    assert "filter" in there.link and there.link["filter"] == here.link["filter"]
    both(there, here, ("open", "survival"))
    both(there, here, ("choose", ("survival_by", "site")))
    assert "Is it more than chance?" in there.text
    both(there, here, ("unfold", ("survival_groups", "survival_pairs")))
    both(there, here, ("choose", ("survival_by", "marker")))
    both(there, here, ("choose", ("survival_cuts_quantiles:2", "best")))
    there.unfold("survival_keep")  # a group is of patients
    assert "This needs the rows themselves." in there.stops[-1]
    there.at.session_state["survival_keep"] = False
    both(there, here, ("click", "survival_against"), ("choose", ("survival_entry", "entry")))
    for reader, key in ((there, "there"), (here, "here")):
        reader.choose("survival_by", "arm").choose(f"survival_strata_{key}", ["site"])
    both(there, here, ("choose", ("survival_weights", "weight")))
    both(there, here, ("choose", ("survival_entry", " none")), ("choose", ("survival_weights", " none")),
         ("choose", (next(w.key for w in there.at.slider if "alive" in str(w.key)), 1.0)))  # fmt: skip
    both(there, here, ("choose", ("outcome", "cause")), ("unfold", "survival_states"))
    assert "Gray's test" in there.text
    both(there, here, ("choose", ("survival_state_first", "worse")))
    assert len(there.figures) == 2
    there.choose("survival_state_model", True)
    assert "This needs the rows themselves." in there.stops[-1]
    assert set(asked) == ROWLESS


def test_a_card_that_needs_rows_brings_them_and_counting_anew_lets_them_go(asked: Counter[str]) -> None:
    reader = Reader(cohort="there").unfold("endpoint_add")
    (stop,) = reader.stops
    assert "This needs the rows themselves." in stop and "registry" in stop
    reader.click("live_bring_1").open("regression")
    assert f"Rows of {N} patients, brought from registry" in reader.text
    here = Reader(cohort="here").open("regression")
    assert (reader.title, reader.stops) == (here.title, here.stops)
    assert set(asked) <= ROWLESS  # the rows came into a process of their own
    reader.open("overview").click("live_anew")
    assert "Counted in registry" in reader.text and "brought" not in reader.text


def test_a_link_to_a_group_offers_the_rows_that_it_is_worked_out_of(place: Path) -> None:
    here = read_cohort(place / "cohorts" / "here")
    body = group_body(to_body(cut(here, "age", (55.0,))), here)
    group = Saved("local").keep("group", cohort="there", name="Older", body=body)
    by = f"group:{group.id}"
    reader = Reader(cohort="there").open("survival", survival_by=by)
    assert "This goes by a group that was made of the cohort." in reader.text
    assert not reader.figures and reader.link["survival_by"] == by
    reader.click("live_group_bring")
    assert len(reader.figures) >= 1 and reader.link["survival_by"] == by
    assert "by older" in reader.text.lower() and "not here" not in reader.text
    other = Reader(cohort="there").open("survival", survival_by=by).click("live_group_without")
    assert other.figures and "survival_by" not in other.link
    Saved("local").delete(group.id)


def test_patients_come_fifty_at_a_time_and_the_one_who_is_opened(
    asked: Counter[str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(cohort="there").open("patients")
    (shown,) = reader.at.dataframe
    assert shown.value["patient"].tolist() == [f"P{i:04d}" for i in range(50)]
    assert asked["rows"] == 1 and f"1 to 50 of {N}" in reader.text
    reader.click("live_patients_next")
    assert reader.at.dataframe[0].value["patient"].tolist()[0] == "P0050"
    reader.choose("live_patients_search", "p000")
    assert reader.at.dataframe[0].value["patient"].tolist() == [f"P{i:04d}" for i in range(10)]
    assert asked["rows"] == 3
    monkeypatch.setattr("bedside.engine.live.MOST_ROWS", 100)
    reader.at.session_state["live_patients_table_0"] = {"selection": {"rows": [3], "columns": [], "cells": []}}
    reader.run().open("patient")
    assert reader.title.startswith("Patient P0003") and asked["rows"] == 4
    age = pd.read_parquet(place / "lake" / "rows.parquet").set_index("id").age["P0003"]
    assert ["age", str(age)] in reader.table("What is known of this patient")
    assert "P0003" not in str(reader.link)
    (stop,) = reader.stops
    assert f"{N} patients in registry are more than are brought at once (100)." in stop
    for kind, value in narrow("site", ("filter_levels_site", ["n"])):
        getattr(reader, kind)(*value) if isinstance(value, tuple) else getattr(reader, kind)(value)
    reader.open("scores")
    n = int((pd.read_parquet(place / "lake" / "rows.parquet").site == "n").sum())
    assert f"From the rows of the {n} patients whom the filter keeps" in reader.text and not reader.stops


def test_a_source_that_is_not_configured_or_changes_is_said_and_tried_again(place: Path) -> None:
    reader = Reader(cohort="lost")
    assert any("not configured" in stop and "elsewhere" in stop for stop in reader.stops)
    reader = Reader(cohort="there").open("survival")
    rows = pd.read_parquet(place / "lake" / "rows.parquet")
    (place / "registry.duckdb").unlink()
    reader.choose("survival_by", "arm")
    assert any("not there" in stop for stop in reader.stops) and reader.figures == ["survival_km"]
    reader.click("live_again_1")  # as long as it is gone there is nothing to draw but the way out
    (stop,) = reader.stops
    assert "not there" in stop and str(place) not in reader.text and reader.options("cohort")
    database(place / "registry.duckdb", rows.iloc[:100], "patients")
    reader.click("live_again_1")
    assert not reader.stops and "All 100 patients" in reader.text
    (place / "registry.duckdb").unlink()
    database(place / "registry.duckdb", rows, "patients")


def test_what_nobody_asks_is_closed_and_opened_again(place: Path) -> None:
    entry = entry_of("there", place / "cohorts" / "there")
    pool = Pool()
    first, cohort = pool.get(entry, None)
    assert len(cohort) == N and pool.sweep() == 1 and pool.sweep(idle=0.0) == 0
    again, other = pool.get(entry, first)
    assert again != first and other.fingerprint != cohort.fingerprint
    assert pool.get(entry, again) == (again, other) and pool.get(entry, None)[0] == again
    anew, third = pool.get(entry, NEW)
    assert anew > again and third.as_of > other.as_of
    assert pool.get(entry, again)[1] is other  # others keep their moment
    pool.end()
    with pytest.raises(Fixable):
        pool.get(entry_of("lost", place / "cohorts" / "lost"), None)


def test_a_table_becomes_a_live_cohort_once_its_reading_is_confirmed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BEDSIDE_SOURCE_REGISTRY")
    reader = Reader().open("import_data")
    assert "[sources.NAME]" in reader.text and not [w for w in reader.at.selectbox if "live" in str(w.key)]
    monkeypatch.setenv(
        "BEDSIDE_SOURCE_LAKE",
        json.dumps({"kind": "parquet", "title": "The lake", "address": str(place / "lake")}),
    )
    reader.run()
    assert reader.options("import_live_source") == ["The lake (Parquet files)"]
    reader.click("import_live_look")
    assert reader.at.button(key="import_live_go").disabled
    assert f"cohort of {N} patients" in reader.box("would become a cohort of", "counted in The lake")
    assert "events of" in reader.text
    for each in [w.key for w in reader.at.checkbox if str(w.key).endswith("_sure")]:
        reader.choose(each, True)
    reader.click("import_live_go")
    reader.box("Kept:", f"{N} patients, counted in The lake")
    reader.click("import_open").open("survival", cohort=reader.at.session_state["cohort"])
    assert f"{N} patients" in reader.title and "Counted in The lake" in reader.text
    assert str(place) not in reader.text
