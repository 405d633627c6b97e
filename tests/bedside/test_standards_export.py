"""A cohort as CSV and dictionary: read again it is the same, to its fingerprint."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.cohort.cohort import Visits
from bedside.cohort.outcome import Outcome, Treatment
from bedside.cohort.variable import Variable
from bedside.errors import Fixable
from bedside.intake.columns import Column, Table
from bedside.intake.frame import cohort_from_frame
from bedside.intake.guarded import guarded, unguarded
from bedside.intake.read import read_cohort
from bedside.intake.standards.export_csv import export_csv
from tests.serving import ROOT

HOSTILE = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "'quoted", "''two", "＝full", "a,b", 'say "x"',
           "line\nend", "-2.5", "ß;\t|", "0012", "+"]  # fmt: skip


@pytest.mark.parametrize("name", sorted(p.parent.name for p in (ROOT / "sample_data").glob("*/dictionary.json")))
def test_every_bundled_cohort_comes_back(name, tmp_path):
    cohort = read_cohort(ROOT / "sample_data" / name)
    files = export_csv(cohort, tmp_path / "out")
    back = read_cohort(tmp_path / "out", key=cohort.key)
    assert back.fingerprint == cohort.fingerprint
    assert back.external == cohort.external and back.made_scores == cohort.made_scores
    assert [file.name for file in files][-1] == "dictionary.json"


def _hostile():
    n = len(HOSTILE)
    frame = pd.DataFrame({
        "=id": [f"{i:04d}" for i in range(n)], "time": np.linspace(0.1, 0.7, n) / 3, "dead": ["0", "1"] * (n // 2),
        "note": HOSTILE, "code": [HOSTILE[i % 3] for i in range(n)], "er": [["+", "-"][i % 2] for i in range(n)],
        "x": [None, np.pi, *range(n - 2)], "seen": pd.Timestamp("2020-02-29 13:14:15.123456"), "'y": [1e-300] * n,
        "both": [True, False] * (n // 2),
    })  # fmt: skip
    visits = Visits(
        pd.DataFrame({"who": ["0000", "0000"], "day": [0.5, 1.0], "=v": [1.5, np.nan]}), "who", "day", "days",
        (Variable(name="=v", kind="continuous", decimals=1),),
    )  # fmt: skip
    outcome = Outcome(key="os", label="Survival", time="time", unit="years", status="dead", note="=note")
    return cohort_from_frame(
        frame, outcomes=[outcome], identifier="=id", key="hostile", title="=title", visits=visits,
        treatment=Treatment(column="both", randomised=True),
        variables=[Variable(name="note", kind="text"), Variable(name="seen", kind="date")],
    )  # fmt: skip


def test_hostile_text_comes_back_and_runs_nowhere(tmp_path):
    cohort = _hostile()
    assert cohort.readings  # what was read by convention is kept as well
    export_csv(cohort, tmp_path)
    back = read_cohort(tmp_path, key="hostile")
    assert back.frame["note"].tolist() == HOSTILE
    assert back.fingerprint == cohort.fingerprint
    assert json.loads((tmp_path / "dictionary.json").read_text())["guarded"] is True
    start = (tmp_path / "data.csv").read_bytes().decode("utf-8-sig")
    assert start.startswith('"\'=id","time"')
    cells = [cell for cell in pd.read_csv(tmp_path / "data.csv", dtype=str)["note"]]
    assert [cell for cell in cells if cell[0] in "=+-@＝" and cell != "-2.5"] == []


def test_what_was_read_by_convention_comes_back(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "data.csv").write_text(
        "patient_id,age,grade,days,dead\nA,61,2,812,0\nB,48,3,305,1\nC,55,1,1460,0\n"
    )
    told = {
        "title": "Small", "short_title": "Small", "source": {"citation": "-", "licence": "-", "origin": "-"},
        "outcomes": [{"key": "death", "label": "Death", "time": "days", "unit": "days", "status": "dead"}],
    }  # fmt: skip
    (tmp_path / "in" / "dictionary.json").write_text(json.dumps(told))
    cohort = read_cohort(tmp_path / "in")
    assert len(cohort.readings) == 2
    export_csv(cohort, tmp_path / "out")
    assert read_cohort(tmp_path / "out", key="in").fingerprint == cohort.fingerprint


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(blacklist_categories=("Cs",)), max_size=8), min_size=1, max_size=20))
def test_a_guard_is_taken_off_again(texts):
    marked = guarded(pa.array(texts, pa.string()))
    back = unguarded(Table("f", ("a",), (Column(marked),), len(texts))).column("a")
    assert back.array.to_pylist() == texts
    for before, after in zip(texts, marked.to_pylist(), strict=True):
        assert after in (before, f"'{before}")
        assert not (before[:1] in ("=", "+", "-", "@") and after == before and not _is_number(before))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(Fixable, match="can't be written"):
        export_csv(read_cohort(ROOT / "sample_data" / "lung_ncctg"), tmp_path / "file")


def test_nothing_but_text_is_written(tmp_path):
    files = export_csv(read_cohort(ROOT / "sample_data" / "pbc_liver"), tmp_path)
    assert [file.name for file in files] == ["data.csv", "visits.csv", "dictionary.json"]
    assert not any(zipfile.is_zipfile(file) for file in files)
    assert {oct(Path(file).stat().st_mode & 0o777) for file in files} == {"0o600"}
