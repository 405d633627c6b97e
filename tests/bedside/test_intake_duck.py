"""DuckDB with the doors closed, and many readers at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from bedside.intake import read_cohort
from bedside.intake.duck import open_duck

SAMPLES = Path(__file__).parents[2] / "sample_data"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/bedside_escape.csv'",
        "ATTACH '/tmp/bedside_escape.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_csv('https://example.org/x.csv')",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET memory_limit = '100GB'",
        "SELECT * FROM outside",
    ],
)
def test_doors_are_closed(tmp_path, sql):
    outside = pd.DataFrame({"x": [1]})
    with open_duck(tmp_path) as duck, pytest.raises(duckdb.Error):
        duck.query(sql, {})
    assert len(outside) == 1  # a variable of that name was in reach, and was not read


def test_other_folders_are_out_of_reach(tmp_path):
    inside, beside = tmp_path / "cohort", tmp_path / "cohort_2"
    for folder in (inside, beside):
        folder.mkdir()
        pd.DataFrame({"x": [1]}).to_parquet(folder / "data.parquet")
    with open_duck(inside) as duck:
        assert duck.parquet(inside / "data.parquet").num_rows == 1
        for path in (beside / "data.parquet", inside / ".." / "cohort_2" / "data.parquet"):
            with pytest.raises(duckdb.Error):
                duck.parquet(path)


def test_eight_threads_never_see_each_others_patients(tmp_path):
    groups = 8
    n = 4000
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": rng.integers(0, groups, n), "x": np.arange(n)})
    data.to_parquet(tmp_path / "data.parquet")
    truth = data.groupby("g")["x"].sum().to_dict()

    def ask(i: int) -> bool:
        g = i % groups
        told = {"file": str(tmp_path / "data.parquet"), "g": g}
        rows = duck.query("SELECT g, x FROM read_parquet($file) WHERE g = $g", told)
        return set(rows["g"].to_pylist()) == {g} and sum(rows["x"].to_pylist()) == truth[g]

    with open_duck(tmp_path) as duck, ThreadPoolExecutor(groups) as pool:
        assert all(pool.map(ask, range(groups * 40)))


def test_eight_cohorts_read_at_once_are_the_ones_read_alone(sample):
    keys = sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir())
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda key: read_cohort(SAMPLES / key), keys * 2))
    assert [c.fingerprint for c in together] == [sample(key).fingerprint for key in keys * 2]


def test_a_name_is_never_part_of_a_query(tmp_path):
    path = tmp_path / 'it\'s "quoted"; COPY.csv'
    path.write_text("a,b\n1,2\n")
    with open_duck(tmp_path) as duck:
        assert duck.csv(path, delimiter=",", n_columns=2).to_pydict() == {"c0": ["a", "1"], "c1": ["b", "2"]}
