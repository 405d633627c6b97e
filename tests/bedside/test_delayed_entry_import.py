"""Patients who came under observation after time zero: between dates as well, and nobody from after the end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from bedside.intake import read_cohort
from bedside.intake.building import build, foresee
from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess
from bedside.intake.opening import remembered, to_remember
from bedside.intake.staging import ROWS, Staged, staged_of

HEAD = "id;diagnosis_date;referral;last_contact;vital_status;grade"


def staged(folder: Path, rows: list[str]) -> Staged:
    path = folder / "registry.csv"
    path.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    told = read_any(path, folder, None, lambda share, sentence: None)
    return replace(staged_of(json.loads(json.dumps(told)), folder / ROWS), name=path.name)


def rows(grade: str = "low") -> list[str]:
    seen = [f"A{i};01.0{i}.2015;{14 + i}.0{i}.2015;01.0{i}.2017;{('dead', 'alive')[i % 2]};high" for i in range(1, 9)]
    return [*seen, f"A9;01.09.2015;02.01.2020;01.09.2017;alive;{grade}"]


def test_entry_between_dates_is_counted_in_days_and_a_late_one_is_left_out(tmp_path):
    file = staged(tmp_path, rows())
    plan = guess(file, this_year=2026).plan
    plan = replace(plan, outcomes=(replace(plan.outcomes[0], entry="referral"),))
    plan = plan.with_column(replace(plan.column("referral"), kind="date", use="outcome"))
    before = foresee(file, plan)
    (tmp_path / "cohort").mkdir()
    report = build(file, plan, tmp_path / "cohort")
    assert replace(before, columns_kept=0) == replace(report, columns_kept=0)
    ((reason, left),) = report.left_out
    assert (reason, left.first) == ("observed only from after the end of follow-up", (9,))
    cohort = read_cohort(tmp_path / "cohort")
    entry = cohort.frame[cohort.outcomes[0].entry]
    assert entry.tolist() == [13.0 + i for i in range(1, 9)] and len(cohort) == 8


def test_what_is_remembered_holds_no_level_that_nobody_changed(tmp_path):
    file = staged(tmp_path, rows())
    guessed = guess(file, this_year=2026)
    told = json.loads(json.dumps(to_remember(guessed.plan, guessed.plan)))
    assert "A3" not in json.dumps(told) and "high" not in json.dumps(told)
    (tmp_path / "next").mkdir()
    again = staged(tmp_path / "next", rows("middle"))
    fresh = guess(again, this_year=2026).plan
    changed = guessed.plan.with_column(
        replace(guessed.plan.column("grade"), label="Differentiation", levels=(("low", "Low"), ("high", "High")))
    )
    plan = remembered(to_remember(changed, guessed.plan), again, fresh)
    assert plan.column("grade").label == "Differentiation"
    # What the reader called the levels stays, and a level that is new this month is not lost.
    assert plan.column("grade").levels == (("low", "Low"), ("high", "High"), ("middle", "middle"))
    assert plan.column("grade").kind == "categorical" and plan.identifier == "id"
