"""Cohorts for the tests: the samples, and folders made on the spot."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bedside.cohort import Cohort
from bedside.intake import read_cohort

SAMPLES = Path(__file__).parents[2] / "sample_data"


@cache
def _sample(key: str) -> Cohort:
    return read_cohort(SAMPLES / key)


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Cohort]:
    """``sample("gbsg2_breast")``: a sample cohort, read once."""
    return _sample


@pytest.fixture(scope="session")
def gbsg2() -> Cohort:
    """686 patients with node-positive breast cancer; two outcomes."""
    return _sample("gbsg2_breast")


@pytest.fixture(scope="session")
def pbc() -> Cohort:
    """418 patients with liver disease; transplant competes with death; visits."""
    return _sample("pbc_liver")


@pytest.fixture(scope="session")
def lung() -> Cohort:
    """228 patients with lung cancer; missing values in most variables."""
    return _sample("lung_ncctg")


DEATH: dict[str, Any] = {"key": "death", "label": "Death", "time": "days", "unit": "days", "status": "status"}
SOURCE = {"citation": "none", "licence": "none", "origin": "made up"}


@pytest.fixture
def cohort_folder(tmp_path: Path) -> Callable[..., Path]:
    """``cohort_folder(data, **dictionary)``: a folder with data (frame or CSV text) and dictionary."""

    def write(
        content: pd.DataFrame | str | bytes, /, *, name: str = "made_up", file: str = "data.csv", **told: Any
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        if isinstance(content, pd.DataFrame):
            if file.endswith(".parquet"):
                content.to_parquet(folder / file, index=False)
            else:
                content.to_csv(folder / file, index=False)
        else:
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        words = {"title": "Made up", "short_title": "Made up", "outcomes": [DEATH], "source": SOURCE, "data": file}
        (folder / "dictionary.json").write_text(json.dumps(words | told), encoding="utf-8")
        return folder

    return write
