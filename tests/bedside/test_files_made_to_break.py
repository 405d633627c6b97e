"""Files that are wide, nested, or made to be broken at: read, or refused in a sentence."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.intake.building import build, foresee
from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess
from bedside.intake.quality import findings
from bedside.intake.staging import ROWS, Staged, preview, staged_of
from bedside.intake.standards.fhir_stream import Tally, resources
from bedside.intake.standards.omop_atlas import _read
from bedside.intake.standards.peek import peek
from bedside.intake.standards.unpacked import opened_up


def brought(folder: Path, file: str, data: str | bytes = b"") -> Staged:
    """A file as it is read."""
    path = folder / file
    if data:
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    (folder / "read").mkdir()
    told = read_any(path, folder / "read", None, lambda share, sentence: None)
    return staged_of(json.loads(json.dumps(told)), folder / "read" / ROWS)


def test_many_columns_of_numbers_fit_in_memory(tmp_path):
    n = 80
    frame = pd.DataFrame({"patient": np.arange(n), "days": np.arange(n) + 1, "status": np.arange(n) % 2})
    random = np.random.default_rng(1)
    values = pd.DataFrame(random.integers(1, 900, (n, 44)).astype(str), columns=[f"v{i}" for i in range(44)])
    values.iloc[3, :] = "<5"
    file = brought(tmp_path, "wide.csv", pd.concat([frame, values], axis=1).to_csv(index=False))
    plan = guess(file, this_year=2026).plan
    report = foresee(file, plan)
    assert report.rows_kept == n and report.columns_kept == 47
    assert len(report.unreadable) == 44 and {each.rows.first for each in report.unreadable} == {(4,)}
    assert findings(file, plan) == ()


def test_names_that_differ_in_capitals_only_are_numbered(tmp_path):
    rows = "".join(f"{i},{i + 1},{i % 2},{i},{i + 3},a,b\n" for i in range(40))
    names = "patient,days,status,Crea,CREA,Straße,STRASSE"
    file = brought(tmp_path, "x.csv", f"{names}\n{rows}")
    assert [c.name for c in file.columns] == ["patient", "days", "status", "Crea", "CREA (2)", "Straße", "STRASSE (2)"]
    (tmp_path / "cohort").mkdir()
    assert build(file, guess(file, this_year=2026).plan, tmp_path / "cohort").rows_kept == 40
    assert read_cohort(tmp_path / "cohort").frame["CREA (2)"].tolist()[:2] == [3, 4]


def nested(deep: int, inside: str = "1") -> str:
    return '{"a":' * deep + inside + "}" * deep


def test_nested_json_is_read_or_refused_in_a_sentence(tmp_path):
    for i, text in enumerate((nested(900), nested(5000), f"{nested(300)}\n" * 3, "[" * 5000 + "]" * 5000)):
        (tmp_path / str(i)).mkdir()
        with pytest.raises(Fixable):
            brought(tmp_path / str(i), "x.json", text)
    file = brought(tmp_path, "x.json", '[{"a.b": 1, "a": {"b": 2, "c": 3}}, {"a.b": 3}]')
    assert [c.name for c in file.columns] == ["a.b", "a.b (2)", "a.c"]
    assert pq.read_table(file.file).to_pylist() == [
        {"c0": "1", "c1": "2", "c2": "3"},
        {"c0": "3", "c1": None, "c2": None},
    ]


def test_bundles_in_bundles(tmp_path):
    patient = '{"resourceType": "Patient", "id": "1"}'
    for deep, found in ((10, 1), (100, 0)):
        open_, close = '{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": ', "}]}"
        (tmp_path / "x.json").write_text(open_ * deep + patient + close * deep)
        tally = Tally("x.json")
        assert len(list(resources(tmp_path / "x.json", tally))) == found
        assert tally.why == ({} if found else {"a bundle within 20 others": 1})
    (tmp_path / "x.json").write_text(open_ * 3000 + patient + close * 3000)
    assert peek(tmp_path / "x.json").resource == "Bundle"
    with pytest.raises(Fixable):
        list(resources(tmp_path / "x.json", Tally("x.json")))


def test_a_long_cell_among_the_first_lines(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,days,note\n1,5,a\n2,6," + "x" * 200_000 + "\n")
    assert peek(path).names == ("id", "days", "note")
    path.write_text('"' + "x" * 300_000)
    assert peek(path).form == "text"


def archive(path: Path, *members: tuple[str, str]) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as packed:
        warnings.simplefilter("ignore")  # of names that occur twice
        for name, text in members:
            packed.writestr(name, text)


def test_archives_have_folders_of_their_own(tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    archive(files / "study.2024.zip", *[("a.csv", str(i)) for i in range(3)])
    (files / "files").write_text("loose")
    place = opened_up(files, tmp_path / "unpacked")
    told = {str(path.relative_to(place)): path.read_text() for path in place.rglob("*") if path.is_file()}
    assert told == {"files": "loose", "files (2)/a.csv": "0", "files (2)/2_a.csv": "1", "files (2)/3_a.csv": "2"}
    archive(files / "study.2025.zip", ("b.csv", "4"))
    place = opened_up(files, tmp_path / "unpacked")
    assert {path.name for path in place.iterdir()} == {"files", "study", "study (2)"}


def test_points_in_time_of_a_zone_that_is_not_known(tmp_path):
    moments = pa.array([0, 86_400_000_000], pa.timestamp("us", "Mars/Phobos"))
    fixed = pa.array([0, 86_400_000_000], pa.timestamp("us", "+02:00"))
    pq.write_table(pa.table({"id": [1, 2], "seen": moments, "fixed": fixed}), tmp_path / "x.parquet")
    file = brought(tmp_path, "x.parquet")
    assert file.notes == ("The time zone Mars/Phobos is not known here: its points in time are read as UTC.",)
    assert preview(file)["seen"].tolist() == ["1970-01-01 00:00:00+00:00", "1970-01-02 00:00:00+00:00"]


@pytest.mark.parametrize("inner", ["{broken", nested(5000), "[1]", ""])
def test_a_definition_that_is_broken_inside(inner):
    with pytest.raises(Fixable, match="no cohort definition"):
        _read(json.dumps({"expression": inner}))
