"""When follow-up began and ended: several contacts, parts of dates, dates in numbers, and entries in another unit."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from bedside.cohort.cohort import Cohort
from bedside.intake import read_cohort
from bedside.intake.building import Report, build, how_read
from bedside.intake.dated import dates_in
from bedside.intake.ends import parted
from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess
from bedside.intake.plan import Plan
from bedside.intake.staging import ROWS, Staged, StagedColumn, staged_of


def brought(folder: Path, file: str, text: str | None = None) -> Staged:
    folder.mkdir(exist_ok=True)
    path = folder / file
    if text is not None:
        path.write_text(text, encoding="utf-8")
    told = read_any(path, folder, None, lambda share, sentence: None)
    return replace(staged_of(json.loads(json.dumps(told)), folder / ROWS), name=path.name)


def made(folder: Path, file: Staged, plan: Plan) -> tuple[Cohort, Report]:
    (folder / "cohort").mkdir()
    report = build(file, plan, folder / "cohort")
    return read_cohort(folder / "cohort"), report


def test_the_latest_contact_ends_follow_up_and_a_death_does_before(tmp_path):
    rows = ["id,date_of_diagnosis,last_visit,last_contact,date_of_death,vital_status"]
    rows += ["a,2015-01-01,2015-01-11,2015-02-10,,Alive", "b,2015-01-01,2015-03-02,2015-01-31,,Alive",
             "c,2015-01-01,,2015-01-06,,Alive", "d,2015-01-01,2015-03-02,2015-01-31,2015-02-10,Dead",
             "e,2015-01-01,2015-01-21,,,Dead"]  # fmt: skip
    file = brought(tmp_path, "x.csv", "\n".join(rows))
    cohort, _ = made(tmp_path, file, guess(file, this_year=2026).plan)
    assert dict(zip(cohort.identifiers, cohort.time("death"), strict=True)) == {
        "a": 40, "b": 60, "c": 5, "d": 40, "e": 20
    }  # fmt: skip
    names = ("last_visit", "progression_date", "x1", "date_of_death")
    assert parted(names) == (("progression_date", "date_of_death"), ("last_visit", "x1"))
    assert parted(names, ["x1"])[1] == ("last_visit",)


def test_a_part_of_a_date_that_spans_the_start_is_not_before_it_and_is_told(tmp_path):
    rows = ["id,diagnosis_date,last_contact,date_of_death,vital_status"]
    rows += ["a,2018-05-20,,2018-05,Dead", "b,2018-09-20,,2018,Dead", "c,2018-05,2018-05-03,,Alive",
             "d,2018-05-20,,2018-04,Dead", "e,2018-05-20,2018-05-15,,Alive", "f,2018-05-20,,2018-06,Dead"]  # fmt: skip
    rows += [f"g{i},2018-05-01,2018-05-{11 + i},,Alive" for i in range(9)]
    file = brought(tmp_path, "x.csv", "\n".join(rows))
    cohort, report = made(tmp_path, file, guess(file, this_year=2026).plan)
    times = dict(zip(cohort.identifiers, cohort.time("death"), strict=True))
    assert {who: times.get(who) for who in "abcdef"} == {"a": 0, "b": 0, "c": 0, "d": None, "e": None, "f": 26}
    assert [(reason, rows.first) for reason, rows in report.left_out] == [("negative follow-up", (4, 5))]
    assert int(cohort.event("death").sum()) == 3
    assert "“diagnosis_date” says only the month in 1 rows (put on its 15th)." in report.notes
    assert any("the month in 3 rows" in note and "the year in 1 rows (put on the 1st of July)" in note
               for note in report.notes)  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "parquet", "dta"])
@pytest.mark.parametrize("written", ["serials", "together"])
def test_dates_in_columns_of_numbers(tmp_path, ending, written):
    starts = [date(2015, 1, 1) + timedelta(days=7 * i) for i in range(40)]
    ends = [day + timedelta(days=100 + 9 * i) for i, day in enumerate(starts)]

    def numbers(days: list[date]) -> list[float]:
        if written == "serials":
            return [float((day - date(1899, 12, 30)).days) for day in days]
        return [float(f"{day:%Y%m%d}") for day in days[:-1]] + [19000101.0]

    table = pd.DataFrame({"diagnosis": numbers(starts), "last_contact": numbers(ends), "status": ["alive", "dead"] * 20,
                          "baseline_income": [25000.0 + 100 * i for i in range(40)]})  # fmt: skip
    path = tmp_path / f"x.{ending}"
    if ending == "csv":
        table.astype({"diagnosis": int, "last_contact": int}).to_csv(path, index=False)
    elif ending == "parquet":
        table.to_parquet(path)
    else:
        table.to_stata(path, write_index=False)
    file = brought(tmp_path, path.name)
    plan = guess(file, this_year=2026).plan
    assert [plan.column(name).kind for name in table.columns] == ["date", "date", "binary", "continuous"]
    n = 40 if written == "serials" else 39
    (read,) = how_read(file, plan)
    assert (read.n, read.shortest, read.longest) == (n, 100, 100 + 9 * (n - 1))


def test_a_year_beside_numbers_of_days_and_names_that_say_no_date():
    def read(name: str, cells: list[str], label: str = "") -> tuple[bool, bool]:
        column = StagedColumn(name, "x", "text", label=label)
        found = dates_in(column, dict.fromkeys(cells, 1), this_year=2026)
        return found is not None, found is not None and found.style.serials

    assert read("seen", ["01.02.2015", "2015-03-05", "42370", "2016", "12.2019"]) == (True, True)
    assert read("last_contact", [str(42_000 + i) for i in range(20)]) == (True, True)
    assert read("lc", [str(42_000 + i) for i in range(20)], "Date of last contact") == (True, True)
    assert read("baseline_income", [str(42_000 + i) for i in range(20)]) == (False, False)
    assert read("day", [str(i) for i in range(20)]) == (False, False)
    assert read("diagnosis_year", [str(2000 + i) for i in range(20)]) == (False, False)


def test_labels_say_what_dates_are_of(tmp_path):
    days = pd.date_range("2015-01-01", periods=30)
    table = pd.DataFrame({"d1": days, "d2": days + pd.Timedelta(50, "D"), "vital": ["alive", "dead", "dead"] * 10})
    table.to_stata(tmp_path / "x.dta", write_index=False, convert_dates={"d1": "td", "d2": "td"},
                   variable_labels={"d1": "Date of diagnosis", "d2": "Date of last contact"})  # fmt: skip
    (outcome,) = guess(brought(tmp_path, "x.dta"), this_year=2026).plan.outcomes
    assert (outcome.start, outcome.end) == ("d1", ("d2",))


def test_an_entry_in_another_unit_is_converted(tmp_path):
    rows = ["id,entry_months,survival_days,dead"] + [f"p{i},{i % 12},{400 + i},{i % 2}" for i in range(40)]
    file = brought(tmp_path, "x.csv", "\n".join(rows))
    guessed = guess(file, this_year=2026)
    assert guessed.plan.outcomes[0].entry == "entry_months"
    told = guessed.guesses["outcome.death.entry"]
    assert told.confidence == 0.5 and told.why.endswith("It is in months: converted to days.")
    cohort, report = made(tmp_path, file, guessed.plan)
    assert cohort.entry("death").tolist() == pytest.approx([30.4375 * (i % 12) for i in range(40)])
    assert report.notes == ("“entry_months” is in months and the follow-up of “Death” in days: it was converted.",)
