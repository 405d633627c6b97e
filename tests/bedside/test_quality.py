"""A file with all that is wrong in registries: each fault is found in its rows, and put right by a recorded step."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from bedside.intake import read_cohort
from bedside.intake.building import build
from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess
from bedside.intake.plan import Plan
from bedside.intake.quality import Finding, findings
from bedside.intake.staging import ROWS, Staged, staged_of

N = 200


def lines() -> list[list[str]]:
    rows = []
    for i in range(N):
        dead = i % 3 == 0
        rows.append(
            [
                f"P{i:04d}", str(40 + i % 40), "male" if i % 2 else "female", f"{170 + i % 20}",
                f"{0.8 + i % 7 / 10:.1f}", f"{35 + i % 9}", str(100 + 7 * i), "dead" if dead else "alive",
                f"{i % 11}", "sepsis" if dead else "", f"{35 + i % 9}",
            ]
        )  # fmt: skip
    return rows


NAMES = ["patient_id", "age", "sex", "height", "creatinine", "crp", "os_days", "status", "nodes", "cause", "crp_again"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Staged, Plan, dict[str, Finding]]:
    folder: Path = tmp_path_factory.mktemp("quality")
    rows = lines()
    rows[3][1] = "-5"  # age
    rows[4][1] = "430"
    for i in (10, 11, 12, 13):
        rows[i][3] = f"{1.6 + i / 100:.2f}"  # metres among centimetres
        rows[i][4] = f"{80 + i}"  # umol/l among mg/dl
    for i in (20, 21, 22):
        rows[i][8] = "999"
    rows[30][2], rows[31][2] = "Male ", "FEMALE"
    rows[40][6] = "-3"
    rows.append(list(rows[50]))
    rows.append(["P0060", *rows[61][1:]])
    rows.append(["p0070 ", *rows[71][1:]])
    path = folder / "registry.csv"
    path.write_text("\n".join(",".join(row) for row in [NAMES, *rows]) + "\n")
    described = read_any(path, folder, None, lambda share, sentence: None)
    staged = staged_of(json.loads(json.dumps(described)), folder / ROWS)
    plan = replace(guess(staged).plan, identifier="patient_id")
    plan = replace(plan, columns=tuple(
        replace(c, use="identifier", kind="identifier") if c.name == "patient_id" else
        replace(c, use="predictor", kind="continuous", levels=()) if c.name in ("nodes", "crp", "crp_again") else c
        for c in plan.columns))  # fmt: skip
    return staged, plan, {found.key: found for found in findings(staged, plan)}


@pytest.mark.parametrize(
    ("key", "severity", "n", "rows"),
    [
        ("duplicates", "fault", 1, (201,)),
        ("identifier|patient_id", "fault", 2, (201, 202)),
        ("identifier spelling|patient_id", "doubt", 1, (201, 202, 203)),
        ("twins|patient_id", "doubt", 2, (202, 203)),
        ("negative follow-up|os_days|status", "fault", 1, (41,)),
        ("impossible|age", "fault", 2, (4, 5)),
        ("two units|height", "fault", 4, (11, 12, 13, 14)),
        ("two units|creatinine", "fault", 4, (11, 12, 13, 14)),
        ("placeholder|nodes", "fault", 3, (21, 22, 23)),
        ("spelling|sex", "fault", 2, ()),
        ("missing|cause", "doubt", 136, ()),
        ("alike|crp|crp_again", "doubt", 0, ()),
        ("sparse levels|sex", "remark", 2, ()),
        ("known later|cause", "fault", 0, ()),
    ],
)
def test_each_fault_is_found_in_its_rows(told, key, severity, n, rows):
    found = told[2][key]
    assert (found.severity, found.n, found.rows) == (severity, n, rows)


def test_nothing_else_is_found(told):
    assert len(told[2]) == 14


def test_steps_put_it_right_and_are_counted(told, tmp_path):
    staged, plan, found = told
    for key in ("duplicates", "identifier|patient_id", "negative follow-up|os_days|status", "impossible|age",
                "two units|height", "two units|creatinine", "placeholder|nodes", "spelling|sex",
                "known later|cause"):  # fmt: skip
        plan = plan.with_step(found[key].fixes[0])
    left = {each.key for each in findings(staged, plan)}
    assert left == {"identifier spelling|patient_id", "alike|crp|crp_again", "twins|patient_id"}
    into = tmp_path / "registry"
    into.mkdir()
    report = build(staged, plan, into)
    assert [n for _, n in report.steps][:3] == [1, 1, 1]
    cohort = read_cohort(into)
    assert len(cohort) == N
    table = pd.read_parquet(into / "data.parquet")
    assert table["height"].between(160, 190).all()
    assert table["creatinine"].max() < 1.6
    assert table["age"].isna().sum() == 2
    assert table["nodes"].max() == 10
    assert set(table["sex"]) == {"male", "female"}
    assert "cause" not in table.columns
    # The last row of an identifier stays: P0060 has what the row at the end says of it.
    assert table.set_index("patient_id").loc["P0060", "os_days"] == 100 + 7 * 61


def test_a_clean_file_has_no_fault(tmp_path):
    path = tmp_path / "clean.csv"
    kept = [i for i, name in enumerate(NAMES) if name not in ("cause", "crp_again")]
    path.write_text("\n".join(",".join(row[i] for i in kept) for row in [NAMES, *lines()]) + "\n")
    described = read_any(path, tmp_path, None, lambda share, sentence: None)
    staged = staged_of(json.loads(json.dumps(described)), tmp_path / ROWS)
    assert findings(staged, guess(staged).plan) == ()
