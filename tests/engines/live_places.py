"""Sources for the tests of live cohorts: a folder of Parquet files, a DuckDB file and a PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from tests.engines import made


def parts(folder: Path, rows: pd.DataFrame, n: int = 3) -> Path:
    """The rows as several Parquet files, every n-th in one."""
    folder.mkdir(parents=True)
    for i in range(n):
        rows.iloc[i::n].to_parquet(folder / f"part {i} [x].parquet", index=False)
    return folder


def database(file: Path, rows: pd.DataFrame, table: str, schema: str = "main") -> Path:
    """The rows as a table of a DuckDB file."""
    with duckdb.connect(str(file)) as connection:
        relation = connection.from_df(rows)
        if schema != "main":
            connection.execute("CREATE SCHEMA clinic")
        relation.create(f"{schema}.{quoted(table)}")
    return file


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def folder(place: Path, dictionary: dict[str, Any], **told: Any) -> Path:
    """The folder of a live cohort."""
    place.mkdir(parents=True)
    (place / "dictionary.json").write_text(json.dumps(dictionary), encoding="utf-8")
    (place / "live.json").write_text(json.dumps(told), encoding="utf-8")
    return place


def without(*names: str) -> dict[str, Any]:
    """The dictionary of the awkward rows without some variables."""
    return {**made.DICTIONARY, "variables": [v for v in made.DICTIONARY["variables"] if v["name"] not in names]}
