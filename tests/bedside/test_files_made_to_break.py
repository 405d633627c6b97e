"""Files that are wide, nested, or made to be broken at: read, or refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from bedside.intake.building import foresee
from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess
from bedside.intake.quality import findings
from bedside.intake.staging import ROWS, Staged, staged_of


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
