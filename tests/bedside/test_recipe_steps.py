"""Steps that nobody could take, files that went away, and what lies in a staging folder."""

import json
import shutil
import stat

import pytest

from bedside.errors import Fixable
from bedside.intake import opening
from bedside.intake.plan import Plan, from_json, to_json
from bedside.intake.recipes import recipe_of
from bedside.intake.staging import new_staging, preview, remove_staging, stage
from bedside.intake.steps import MOST_CODES, MOST_STEPS
from bedside.intake.working import open_working
from bedside.store.saved import Saved
from bedside.store.sources_open import place_in

INF, NAN = float("inf"), float("nan")
WRONG = [
    {"kind": "nosuch"}, {"kind": "multiply", "factor": 2.0}, {"kind": "multiply", "column": "a", "factor": INF},
    {"kind": "drop_outside", "column": "a", "low": NAN}, {"kind": "keep_one"}, {"kind": "set_missing"},
    {"kind": "drop_empty"}, {"kind": "drop_column"}, {"kind": "swap_dates", "column": "a"},
    {"kind": "drop_before", "column": "a"}, {"kind": "drop_rows", "rows": [0]}, {"kind": "drop_rows", "rows": [2**70]},
    {"kind": "merge_levels", "column": "a", "codes": [[f"{i}", "x"] for i in range(MOST_CODES + 1)]},
    {"kind": "set_missing", "column": "a", "codes": [["\0", ""]]}, {"kind": "multiply", "column": "a" * 5_000},
]  # fmt: skip
RIGHT = [
    {"kind": "drop_duplicates"}, {"kind": "drop_rows", "rows": [1, 7]}, {"kind": "multiply", "column": "a"},
    {"kind": "drop_before", "column": "a", "other": "b"}, {"kind": "drop_outside", "column": "a", "low": 0},
]  # fmt: skip


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))


def test_a_recipe_with_a_step_that_nobody_can_take_is_refused():
    plain = to_json(Plan())
    for step in WRONG:
        with pytest.raises(Fixable, match="can't be used"):
            from_json(plain | {"steps": [step]})
    with pytest.raises(Fixable, match="can't be used"):
        recipe_of(json.dumps(plain | {"steps": [WRONG[2]]}).encode())
    with pytest.raises(Fixable, match="can't be used"):
        from_json(plain | {"steps": RIGHT[:1] * (MOST_STEPS + 1)})
    with pytest.raises(Fixable, match="can't be used"):
        from_json(plain | {"title": "\ud800"})
    assert len(from_json(plain | {"steps": RIGHT}).steps) == len(RIGHT)


def test_a_file_that_is_gone_or_whose_columns_do_not_fit_is_refused(tmp_path):
    folder, source = new_staging(), tmp_path / "a.csv"
    source.write_text("patient,days,dead\n" + "".join(f"P{i},{i + 1},{i % 2}\n" for i in range(30)))
    opened = opening.open_file(source, "a.csv", folder, None)
    assert stat.S_IMODE(opened.staged.file.stat().st_mode) == 0o600
    for kind in ("date", "continuous", "categorical"):
        columns = [{"name": name, "kind": kind} for name in ("patient", "days", "dead")]
        odd = from_json(to_json(opened.guessed.plan) | {"columns": columns})
        with pytest.raises(Fixable):
            opening.make(opened.staged, odd, "local", None)
    shutil.rmtree(folder)
    for work in (
        lambda: preview(opened.staged), lambda: stage(source, "a.csv", folder),
        lambda: opening.make(opened.staged, opened.guessed.plan, "local", None),
    ):  # fmt: skip
        with pytest.raises(Fixable, match="no longer here"):
            work()
    with pytest.raises(Fixable, match="no longer here"), open_working(opened.staged, opened.guessed.plan):
        pass
    remove_staging(folder)


def test_what_cannot_be_written_down_is_not_saved_and_says_so():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for body in ({"x": NAN}, {"x": deep}):
        with pytest.raises(Fixable, match="not saved"):
            Saved("local").keep("view", cohort="c", name="n", body=body)


def test_a_table_of_a_name_that_no_file_can_have(tmp_path):
    for name in ("x" * 5_000, "a/" * 5_000, "\0", "../x"):
        with pytest.raises(Fixable, match="no such table"):
            place_in(tmp_path, name)
