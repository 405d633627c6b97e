"""Measurements over time: which column says when, how numbers are written, and in which unit they are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bedside.cohort.cohort import Cohort
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.intake.building import build
from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess
from bedside.intake.staging import ROWS, Staged, staged_of
from bedside.intake.visits_plan import guess_visits
from bedside.intake.visits_read import read_visits
from bedside.intake.visits_table import VisitsReport
from bedside.intake.wide_read import write_wide
from bedside.intake.wide_table import open_wide


def staged(folder: Path, text: str) -> Staged:
    folder.mkdir()
    path = folder / "x.csv"
    path.write_text(text, encoding="utf-8")
    told = read_any(path, folder, None, lambda share, sentence: None)
    return replace(staged_of(json.loads(json.dumps(told)), folder / ROWS), name=path.name)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Cohort:
    folder = tmp_path_factory.mktemp("cohort")
    rows = [f"P{i:02d},2018-01-10,2021-01-10,{('alive', 'dead')[i % 2]},{0.8 + i / 40},{50 + i}" for i in range(20)]
    file = staged(folder / "file", "\n".join(["pid,date_of_diagnosis,last_contact,vital_status,creatinine,age", *rows]))
    (folder / "made").mkdir()
    build(file, guess(file, this_year=2026).plan, folder / "made")
    return read_cohort(folder / "made")


def read(folder: Path, cohort: Cohort, header: str, rows: list[str]) -> tuple[pd.DataFrame, VisitsReport]:
    file = staged(folder, "\n".join([header, *rows]))
    (folder / "into").mkdir()
    about = read_visits(file, guess_visits(file, cohort), cohort, folder / "into")
    return pd.read_parquet(folder / "into" / "visits.parquet"), about.report


@pytest.mark.parametrize(
    ("header", "cells", "time", "clock"),
    [
        ("pid,visit,month,psa", "{k},{m},3", "month", "months"),
        ("pid,visit_no,visit_date,psa", "{k},2018-{d:02d}-15,3", "visit_date", "date"),
        ("pid,day,date_of_birth,psa", "{m},1950-{d:02d}-15,3", "day", "days"),
        ("pid,month,date_of_diagnosis,psa", "{m},2018-01-10,3", "month", "months"),
        ("pid,time_mo,psa", "{m},3", "time_mo", "months"),
        ("pid,Monat,psa", "{m},3", "Monat", "months"),
        ("pid,followup_years,psa", "{m},3", "followup_years", "years"),
        ("pid,visit,psa", "{k},3", "", "days"),
    ],
)
def test_when_a_visit_was_is_never_which_visit_it_was(tmp_path, cohort, header, cells, time, clock):
    rows = [f"P{i:02d}," + cells.format(k=k + 1, m=m, d=m + 2) for i in range(6) for k, m in enumerate((0, 3, 6))]
    file = staged(tmp_path / "v", "\n".join([header, *rows]))
    plan = guess_visits(file, cohort)
    assert (plan.time, plan.clock) == (time, clock)
    if not time:
        with pytest.raises(Fixable, match="which column holds the times"):
            read_visits(file, plan, cohort, tmp_path)


def test_numbers_are_read_by_one_decision(tmp_path, cohort):
    rows = [f'P{i:02d},2018-02-15,"{100 + i},000","{i},5",{i}.125' for i in range(20)]
    frame, told = read(tmp_path / "quoted", cohort, "pid,visit_date,platelets,ratio,small", rows)
    assert frame["platelets"].tolist() == [1000.0 * (100 + i) for i in range(20)]
    assert "its commas could part thousands or decimals; they are read as marks between thousands" in told.notes[0]
    assert frame["ratio"].tolist() == [i + 0.5 for i in range(20)]
    assert frame["small"].tolist() == [i + 0.125 for i in range(20)]
    rows = [f"P{i:02d};15.02.2018;{100 + i}.000;1.{100 + i},5" for i in range(20)]
    frame, told = read(tmp_path / "german", cohort, "pid;Datum;Thrombozyten;PSA", rows)
    assert frame["Thrombozyten"].tolist() == [1000.0 * (100 + i) for i in range(20)]
    assert frame["PSA"].tolist() == [1100.5 + i for i in range(20)]
    assert "“Thrombozyten”: marks between thousands are left out in 20 cells." in told.notes
    rows = [f"P{i:02d};2018-02-15;{100 + i}.125" for i in range(20)]
    frame, told = read(tmp_path / "either", cohort, "pid;date;marker", rows)
    assert frame["marker"].tolist() == [100.125 + i for i in range(20)]
    assert told.notes == ("“marker”: its points could part thousands or decimals; they are read as decimal marks: "
                          "look at its values.",)  # fmt: skip


def test_values_without_a_unit_are_compared_with_the_cohort_s(tmp_path, cohort):
    header, here = "pid,visit_date,creatinine", cohort.frame["creatinine"].to_numpy(dtype=float)
    like = [f"P{i:02d},2018-02-15,{here[i] * 1.1:.3f}" for i in range(20)]
    frame, told = read(tmp_path / "same", cohort, header, like)
    assert frame["creatinine"].tolist() == pytest.approx(here * 1.1, abs=1e-3)
    assert told.notes == ("“creatinine” says no unit: read in mg/dl, as in the cohort, whose values are alike.",)
    other = [f"P{i:02d},2018-02-15,{here[i] * 88.4:.1f}" for i in range(20)]
    frame, told = read(tmp_path / "other", cohort, header, other)
    assert list(frame.columns[2:]) == ["creatinine (unit not said)"]
    assert "88 times those of the same patients in the cohort (mg/dl): kept apart" in told.notes[0]


def test_a_wide_table_with_marks_between_thousands(tmp_path):
    values = np.arange(12.0).reshape(4, 3) * 1234.5
    lines = ["id;G0;G1;G2"] + [f"P{i};" + ";".join(_german(value) for value in row) for i, row in enumerate(values)]
    (tmp_path / "x.csv").write_text("\n".join(lines), encoding="utf-8")
    names = [f"P{i}" for i in range(4)]
    (tmp_path / "into").mkdir()
    write_wide(tmp_path / "x.csv", tmp_path / "into", names, progress=lambda share, sentence: None)
    table = open_wide(tmp_path / "into" / "table")
    assert [table.values(f"G{k}").tolist() for k in range(3)] == values.T.tolist()
    (tmp_path / "y.csv").write_text("id;A;B\n" + "\n".join(f"P{i};x{i};y{i}" for i in range(4)), encoding="utf-8")
    (tmp_path / "none").mkdir()
    with pytest.raises(Fixable, match="holds numbers"):
        write_wide(tmp_path / "y.csv", tmp_path / "none", names, progress=lambda share, sentence: None)


def _german(value: float) -> str:
    return f"{value:,.1f}".replace(",", " ").replace(".", ",").replace(" ", ".")
