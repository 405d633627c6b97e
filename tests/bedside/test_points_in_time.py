"""A point in time becomes the day it was in the declared zone; one without a zone keeps its own day."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlglot import exp

from bedside.intake import working
from bedside.intake.plan import ColumnPlan, Plan
from bedside.intake.staging import stage
from bedside.intake.working import open_working

CELLS = ("2024-03-01 23:30", "2024-03-01 00:30", "2024-03-01 12:00")
ZONED = {"UTC": ("01", "01", "01"), "Europe/Berlin": ("02", "01", "01"), "America/New_York": ("01", "29", "01")}


def text(place: Path) -> Path:
    file = place / "x.csv"
    lines = [f"{cell},{cell.replace(' ', 'T')}:00Z,{cell}:00.5" for cell in CELLS]
    file.write_text("\n".join(["a,b,c", *lines, ""]))
    return file


def typed(place: Path) -> Path:
    file, moments = place / "x.parquet", [datetime.fromisoformat(cell) for cell in CELLS]
    kinds = {"a": pa.timestamp("us"), "b": pa.timestamp("us", "UTC"), "c": pa.timestamp("ns")}
    pq.write_table(pa.table({name: pa.array(moments, kind) for name, kind in kinds.items()}), file)
    return file


@pytest.mark.parametrize("rows", [0, working.KEPT_CELLS], ids=["many", "few"])
@pytest.mark.parametrize("written", [text, typed])
def test_days_of_points_in_time(tmp_path, monkeypatch, written, rows):
    monkeypatch.setattr(working, "KEPT_CELLS", rows)
    (tmp_path / "staged").mkdir()
    staged = stage(written(tmp_path), f"x.{'csv' if written is text else 'parquet'}", tmp_path / "staged")
    columns = tuple(ColumnPlan(name, "predictor", "date") for name in "abc")
    for zone, days in ZONED.items():
        with open_working(staged, Plan(columns=columns, time_zone=zone)) as read:
            found = read.ask(exp.select("c0", "c1", "c2").from_(read.table))
        assert [(str(a), f"{b:%d}", str(c)) for a, b, c in found] == [("2024-03-01", day, "2024-03-01") for day in days]
