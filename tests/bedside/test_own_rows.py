"""What a row is called in the file itself, lines below the table, and the report that is kept with a cohort."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bedside.intake.guess import guess
from bedside.intake.noted import read_told
from bedside.intake.noted_words import left_out, short, text
from bedside.intake.opening import make
from bedside.intake.own_names import names_of
from bedside.intake.own_rows import own_rows, shifts_of
from bedside.intake.quality import findings
from bedside.intake.staging import stage
from bedside.store.cohorts import open_folder
from tests.bedside.test_formats import workbook

HEAD = ["Pat.-Nr.", "Alter", "Diagnosedatum", "Letzter Kontakt", "Vitalstatus"]


def sheet(path: Path, n: int = 30) -> Path:
    """A title of two lines, an empty one, names, rows with an empty one among them, and a sum below another."""
    rows: list[list[str | float]] = [["Register of a town"], ["Exported by somebody"], [], list(HEAD)]
    for i in range(n):
        start = date(2012, 1, 1) + timedelta(days=20 * i)
        end = date(2099, 1, 1) if i == 4 else start + timedelta(days=100 + 7 * i)
        rows.append([f"{i:05d}", 40 + i, f"{start:%d.%m.%Y}", f"{end:%d.%m.%Y}", "verstorben" if i % 3 else "lebt"])
        rows += [[]] if i == 9 else []
    return workbook(path, [*rows, [], [f"Summe: {n} cases"]])


def test_rows_have_the_numbers_of_the_sheet_a_sum_is_no_patient_and_the_report_says_what_became_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))
    (tmp_path / "read").mkdir()
    (tmp_path / "data").mkdir()
    staged = stage(sheet(tmp_path / "a.xlsx"), "a.xlsx", tmp_path / "read")
    assert own_rows((1, 10, 11, 31), staged.shifts) == (5, 14, 16, 37)
    plan = replace(guess(staged).plan, title="Register")
    found = {each.kind: each for each in findings(staged, plan)}
    assert found["footer"].rows == (31,) and found["footer"].severity == "fault"
    assert found["future"].rows == (5,)
    assert names_of(staged, "Pat.-Nr.", [5]).of(5) == "9 (00004)"

    plan = plan.with_step(found["footer"].fixes[0])
    assert "footer" not in {each.kind for each in findings(staged, plan)}
    made = make(staged, plan, "local", None)
    kept = (open_folder(made.kept.key, reader="local") / "report.json").read_bytes()
    assert kept == made.told and json.loads(kept)["rows_are"] == "as the file itself numbers them"
    told = read_told(kept)
    assert told is not None and (told.rows_read, told.rows_kept, left_out(told)) == (31, made.report.rows_kept, 31 - 30)
    noted = {each.kind: each for each in told.quality.findings}
    assert (noted["footer"].state, noted["footer"].by_rows, noted["footer"].rows) == ("put right", 1, (37,))
    assert (noted["future"].state, noted["future"].rows) == ("as it is", (9,))
    assert "lies in the future in 1 row; not put right · 1 finding was put right · 1 row was left out" in short(told)
    assert "[put right: Leave out lines below the table" in text(told, "Register")
    assert b"00004" not in kept and b"Summe" not in kept  # never a value

    assert read_told(b'{"rows_read": 3}') is None and read_told(b"[") is None


def test_rows_of_a_text_file_have_the_numbers_of_its_lines(tmp_path: Path) -> None:
    cells = [f"{i};{i * 7 % 50};{'dead' if i % 2 else 'alive'}" for i in range(40)]
    plain = ["id;days;status", *cells]
    blank = ["A title", "", *plain[:6], "", *plain[6:], ""]
    quoted = [*plain[:4], '3;"1\n2";alive', *plain[4:]]
    wide = [*plain[:4], "3;4", *plain[4:]]
    for i, (lines, last) in enumerate(((plain, 41), (blank, 44), (quoted, 42), (wide, 42))):
        place = tmp_path / f"{i}"
        place.mkdir()
        file = tmp_path / f"{i}.csv"
        file.write_text("\n".join(lines), encoding="utf-8")
        staged = stage(file, file.name, place)
        assert own_rows((staged.n_rows,), staged.shifts) == (last,), lines[:7]
    assert shifts_of([2, 3, 5, 6, 9]) == ((1, 1), (3, 2), (5, 4))
