"""Pages of a kept cohort that is too large to be read: counted in its file, compared and taken along."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from bedside.intake import large
from bedside.store.cohorts import Kept, keep, making
from components import live
from tests.pages import made
from tests.pages.reader import Reader
from tests.pages.test_live_pages import gaps, told

N = 160


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """Two versions in a data folder of their own, of a server that reads a hundred rows at most."""
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    monkeypatch.setenv("BEDSIDE_PATIENCE", "60")
    monkeypatch.delenv("BEDSIDE_STORE", raising=False)
    monkeypatch.setattr(large, "MOST_ROWS", 100)
    rows, found = pd.DataFrame(made.workbench(N, marker=gaps)), None
    for part in (rows, rows.iloc[10:]):
        with making() as folder:
            part.to_parquet(folder / "data.parquet", index=False)
            (folder / "dictionary.json").write_text(json.dumps({**told(), "data": "data.parquet"}), encoding="utf-8")
            found = keep(folder, reader="local", title="Our registry", key=None if found is None else found.key)
    assert found is not None
    yield found
    live.POOL.end()


def test_a_large_cohort_is_counted_in_its_file(kept: Kept) -> None:
    reader = Reader(cohort=kept.key)
    assert f"All {N - 10} patients" in reader.text and "Counted in its file on this computer" in reader.text
    assert not reader.stops
    reader.open("survival").choose("survival_by", "site")
    assert "Is it more than chance?" in reader.text and not reader.stops
    old = Reader(cohort=kept.key, version="1").open("patients")
    assert f"1 to 50 of {N}" in old.text and "Read from its file on this computer" in old.text
    # A page that needs rows brings them, and another version does not take them for its own.
    old.open("scores")
    assert f"Rows of {N} patients, brought from its file on this computer" in old.text and not old.stops
    old.open("overview").click("version_newest")
    assert f"All {N - 10} patients" in old.text and "Counted in its file on this computer" in old.text


def test_its_versions_are_compared_and_it_is_taken_along(kept: Kept) -> None:
    reader = Reader().open("library").unfold(f"library_versions_{kept.key}")
    assert f"Patients: {N} before, {N - 10} now (0 new, 10 no longer there)" in reader.text
    reader.unfold(f"library_take_{kept.key}")
    assert reader.options(f"library_form_of_{kept.key}") == ["Everything", "CSV and dictionary"]
    reader.choose(f"library_form_of_{kept.key}", "csv").click(f"library_make_{kept.key}")
    held = reader.at.session_state["library_made"][1]
    with zipfile.ZipFile(io.BytesIO(held)) as archive:
        table = pd.read_csv(archive.open("data.csv"))
    assert len(table) == N - 10 and not reader.stops
