"""Names and words that are easily taken for their opposite, or for more than they say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess
from bedside.intake.plan import Guessed
from bedside.intake.staging import ROWS, Staged, staged_of

N = 60


def staged(folder: Path, **columns: list) -> Staged:
    path = folder / "study.csv"
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([";".join(columns), *(";".join(map(str, row)) for row in rows)]), encoding="utf-8")
    told = read_any(path, folder, None, lambda share, sentence: None)
    return replace(staged_of(json.loads(json.dumps(told)), folder / ROWS), name=path.name)


def guessed(folder: Path, **columns: list) -> Guessed:
    ids = [f"p{i}" for i in range(N)]
    return guess(staged(folder, id=ids, **columns), this_year=2026)


RNG = np.random.default_rng(7)
DAYS = RNG.integers(400, 2000, N).tolist()
DEAD = [i % 2 for i in range(N)]


@pytest.mark.parametrize(
    ("name", "values", "entry"),
    [
        ("weight_at_entry", RNG.integers(50, 90, N), False),
        ("t0_marker", RNG.integers(1, 30, N), False),
        ("referral_distance_km", RNG.integers(1, 300, N), False),
        ("entry_year", RNG.integers(2000, 2010, N), False),
        ("entry_months", RNG.integers(0, 12, N), False),
        ("entry", RNG.integers(2000, 3000, N), False),
        ("entry", RNG.integers(0, 30, N), True),
        ("study_entry_days", RNG.integers(0, 300, N), True),
    ],
)
def test_an_entry_is_named_as_nothing_else_and_fits(tmp_path, name, values, entry):
    plan = guessed(tmp_path, **{name: values.tolist(), "survival_days": DAYS, "dead": DEAD}).plan
    assert plan.outcomes[0].entry == (name if entry else "")
    assert plan.column(name).use == ("outcome" if entry else "predictor")
