"""Imported cohorts on disk: versions that stay, nobody else's, absent or complete, and gone without a trace."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from bedside.cohort.derived import chosen, cut, drawn, to_body
from bedside.cohort.selection import Between, Selection
from bedside.errors import Faults, Fixable
from bedside.intake import read_cohort
from bedside.intake.staging import new_staging, sweep_staging
from bedside.risk.fitted import Fitted
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.store import cohorts_whole, models
from bedside.store.cohorts import (
    delete,
    describe,
    differences,
    export,
    keep,
    list_kept,
    making,
    open_folder,
    sweep,
    versions,
)
from bedside.store.cohorts_kept import ABOUT, KEPT
from bedside.store.estimates import About, Estimates, Said
from bedside.store.key import patient_tokens
from bedside.store.saved import Saved
from bedside.store.tables import FILE
from bedside.store.views import filter_body, group_body
from benchmarks import kills
from tests.house.kept_cohorts import WHO, keep_one, write

ADA, BOB = "a" * 64, "b" * 64
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = "../../etc/x\n<b> '); DROP TABLE x;-- \x00 \ud800 \u202egnp"


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file in the data folder, whatever this machine is set to."""
    monkeypatch.delenv("BEDSIDE_STORE", raising=False)


def held(data: Path) -> bytes:
    """Every byte below a folder, with the names of what holds it."""
    files = [path for path in data.rglob("*") if path.is_file()]
    return b"\n".join(str(path).encode() + path.read_bytes() for path in files)


# ------------------------------------------------------------------ versions


def test_versions_stay_and_open_as_they_were(tmp_path: Path):
    first = keep_one(tmp_path, title=HOSTILE)
    assert (first.version, first.mine, first.shared, first.trouble) == (1, True, False, None)
    assert first.title == "../../etc/x <b> '); DROP TABLE x;-- \ufffd ? \u202egnp"
    assert (first.n_patients, first.source_name, first.sha256) == (20, "a.csv", "5" * 64)
    before = read_cohort(open_folder(first.key, reader="local", folder=tmp_path), key=first.key)
    assert before.fingerprint == first.fingerprint
    second = keep_one(tmp_path, key=first.key, title="Second", n=25)
    assert (second.key, second.version, second.title) == (first.key, 2, "Second")
    assert [kept.version for kept in versions(first.key, reader="local", folder=tmp_path)] == [2, 1]
    (newest,) = list_kept(reader="local", folder=tmp_path)
    assert newest == second and newest.n_patients == 25
    # A model that learnt from the first version names it, and it is still there under the same fingerprint.
    again = read_cohort(open_folder(first.key, 1, reader="local", folder=tmp_path), key=first.key)
    assert again.fingerprint == first.fingerprint != second.fingerprint
    modes = {oct(path.stat().st_mode & 0o777) for path in tmp_path.rglob("*")}
    assert modes == {"0o700", "0o600"}


def test_a_description_is_of_all_versions_until_a_new_title_comes(tmp_path: Path):
    one = keep_one(tmp_path)
    describe(one.key, reader="local", title=HOSTILE, note="line 1\nline 2", folder=tmp_path)
    (kept,) = list_kept(reader="local", folder=tmp_path)
    assert kept.title.startswith("../../etc/x <b>") and kept.note == "line 1\nline 2"
    keep_one(tmp_path, key=one.key, title="Spring")
    assert [kept.title for kept in versions(one.key, reader="local", folder=tmp_path)] == ["Spring", "Spring"]


def test_what_does_not_open_is_not_kept(tmp_path: Path):
    with making(tmp_path) as made, pytest.raises(Faults):
        write(made)
        (made / "data.csv").write_text("who,age\nx,1\n")
        keep(made, reader="local", title="No", folder=tmp_path)
    with making(tmp_path) as made, pytest.raises(ValueError, match="files and folders"):
        write(made)
        (made / "passwords").symlink_to("/etc/passwd")
        keep(made, reader="local", title="No", folder=tmp_path)
    assert list((tmp_path / "cohorts").iterdir()) == []


def test_differences_are_counts_and_labels(tmp_path: Path):
    one = keep_one(tmp_path)
    keep_one(tmp_path, key=one.key, n=23, extra=True, marker=3.0)
    found = differences(one.key, 1, 2, reader="local", folder=tmp_path)
    assert (found.patients_before, found.patients_after, found.added, found.removed) == (20, 23, 3, 0)
    assert found.columns_added == ("site",) and found.columns_removed == ()
    # Of twenty markers one is missing in both and the first is nothing times anything.
    assert found.cells == (("Marker", 18),)
    (death,) = found.outcomes
    assert (death.label, death.events_before, death.events_after) == ("Death", 10, 12)
    assert death.undone == 0
    back = differences(one.key, 2, 1, reader="local", folder=tmp_path)
    assert (back.added, back.removed, back.columns_removed, back.same) == (0, 3, ("site",), False)
    assert differences(one.key, 1, 1, reader="local", folder=tmp_path).same
    assert "Jane" not in repr(found) and "north" not in repr(found)
    unnamed = keep_one(tmp_path, named=False)
    keep_one(tmp_path, named=False, key=unnamed.key, n=5)
    found = differences(unnamed.key, 1, 2, reader="local", folder=tmp_path)
    # Five rows do not show that a column names patients: nobody can be found again.
    assert (found.added, found.removed, found.cells) == (None, None, ())


# ------------------------------------------------------------------ whose it is


def test_nobody_opens_or_changes_what_is_another_s(tmp_path: Path):
    hers = keep_one(tmp_path, reader=ADA)
    for who in (BOB, "local"):
        assert list_kept(reader=who, folder=tmp_path) == () == versions(hers.key, reader=who, folder=tmp_path)
        for use in (open_folder, delete, lambda key, **who: describe(key, shared=True, **who)):
            with pytest.raises(Fixable, match="deleted, or is not yours"):
                use(hers.key, reader=who, folder=tmp_path)
    describe(hers.key, reader=ADA, shared=True, folder=tmp_path)
    (seen,) = list_kept(reader=BOB, folder=tmp_path)
    assert (seen.mine, seen.shared) == (False, True)
    assert open_folder(hers.key, reader=BOB, folder=tmp_path).is_dir()
    for use in (delete, describe):
        with pytest.raises(Fixable, match="somebody else's"):
            use(hers.key, reader=BOB, folder=tmp_path)
    with pytest.raises(Fixable, match="somebody else's"):
        keep_one(tmp_path, reader=BOB, key=hers.key)
    with pytest.raises(ValueError, match="a reader is"):
        keep_one(tmp_path, reader="ada")
    # Without what says that it is shared, it is not; and whose it is stands beside the table as well.
    (tmp_path / "cohorts" / hers.key / ABOUT).write_text("{")
    assert list_kept(reader=BOB, folder=tmp_path) == ()
    assert list_kept(reader=ADA, folder=tmp_path)[0].mine


@pytest.mark.parametrize("key", ["", ".", "..", "../cohorts", "i" + "0" * 16, "i" + "0" * 15 + "/", "\x00", "i\ud800"])
def test_only_names_of_ours_become_paths(tmp_path: Path, key: str):
    with pytest.raises(Fixable):
        open_folder(key, reader="local", folder=tmp_path)
    assert versions(key, reader="local", folder=tmp_path) == ()


# ------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize(
    ("told", "why"), [("", "can't be read"), ("[]", "can't be read"), ('{"form": 2, "new": 1}', "newer Bedside"),
                      ('{"form": 1, "owner": "local"}', "can't be read"), ("[" * 10**5, "can't be read")],
)  # fmt: skip
def test_a_version_in_trouble_is_listed_and_left_as_it_is(tmp_path: Path, told: str, why: str):
    one = keep_one(tmp_path)
    place = tmp_path / "cohorts" / one.key / "v1" / KEPT
    place.write_text(told)
    (kept,) = list_kept(reader="local", folder=tmp_path)
    assert why in kept.trouble.why and kept.mine
    assert place.read_text() == told
    assert keep_one(tmp_path, key=one.key).version == 2
    assert [bool(kept.trouble) for kept in versions(one.key, reader="local", folder=tmp_path)] == [False, True]


def test_a_place_that_refuses_is_told(tmp_path: Path):
    (tmp_path / "cohorts").write_text("in the way")
    for use in (lambda: list_kept(reader="local", folder=tmp_path), lambda: keep_one(tmp_path)):
        with pytest.raises(Fixable, match="could not be changed"):
            use()


@pytest.mark.parametrize("how", ["bytes", "newer", "another's", "folder"])
def test_a_file_of_saved_things_that_cannot_be_used_is_told_before_anything_is_deleted(tmp_path: Path, how: str):
    one, path = keep_one(tmp_path), tmp_path / FILE
    Saved("local", tmp_path).keep("view", cohort=one.key, name="A", body={})
    if how == "bytes":
        path.write_bytes(b"no database" * 500)
    elif how == "folder":
        path.unlink()
        path.mkdir()
    else:
        with sqlite3.connect(path) as file:
            file.execute({"newer": "PRAGMA user_version = 2", "another's": "PRAGMA application_id = 1"}[how])
        file.close()
    whole = None if how == "folder" else path.read_bytes()
    for use in (Saved("local", tmp_path).all, lambda: delete(one.key, reader="local", folder=tmp_path)):
        with pytest.raises(Fixable, match="What was saved can't be"):
            use()
    assert list_kept(reader="local", folder=tmp_path) and (whole is None or path.read_bytes() == whole)


# ------------------------------------------------------------------ all of it


@cache
def model(folder: Path, key: str) -> Fitted:
    cohort = read_cohort(folder, key=key)
    return learn("cox", training(cohort, cohort.outcomes[0]))


def fill(data: Path, key: str) -> None:
    """Everything that can belong to a cohort, by two readers, each with words that are found nowhere else."""
    cohort = read_cohort(open_folder(key, reader=ADA, folder=data), key=key)
    older = Selection(((Between("age", 50.125),),))
    for reader in (ADA, BOB):
        mine = Saved(reader, data)
        body = filter_body(older, cohort)
        mine.keep("filter", cohort=key, name=f"planted {reader}", note="planted", body=body)
        mine.keep(
            "view", cohort=key, name="planted view", body={"page": "survival", "query": {"filter": body["filter"]}}
        )
        mine.remember("planted signature", {"title": "planted plan"}, cohort=key)
        definitions = (cut(cohort, "age", (50.125,)), chosen(older), drawn(cohort, older.mask(cohort), tokens))
        for i, made in enumerate(definitions):
            mine.keep("group", cohort=key, name=f"planted {i}", body=group_body(to_body(made), cohort))
        about = About(key, "death", "d", "any", tokens(cohort)[0])
        Estimates(reader, data).keep(about, Said(0.5, note="planted"), horizon=1, unit="years", fingerprint="f")
    place = data / "models"
    place.mkdir(exist_ok=True)
    models.save_model(
        model(open_folder(key, reader=ADA, folder=data), key), "planted", note="planted", cohort_title="planted",
        folder=place,
    )  # fmt: skip


def tokens(cohort) -> tuple[str, ...]:
    return patient_tokens(b"k" * 32, cohort.key, cohort.identifiers)


def test_deleting_leaves_nothing_and_touches_nothing_else(tmp_path: Path):
    one = keep_one(tmp_path, reader=ADA, title="planted title")
    keep_one(tmp_path, reader=ADA, key=one.key, title="planted title", n=22)
    fill(tmp_path, one.key)
    other = keep_one(tmp_path, reader=ADA, title="Other", marker=2.0)
    Saved(ADA, tmp_path).keep("filter", cohort=other.key, name="stays", body={"filter": "x"})
    written = held(tmp_path)
    assert all(word in written for word in (b"planted title", b"planted plan", b"planted view", one.key.encode()))
    found = delete(one.key, reader=ADA, folder=tmp_path)
    counts = {
        "versions": 2,
        "filters": 2,
        "groups": 6,
        "views": 2,
        "recipes": 2,
        "estimates": 2,
        "models": 1,
        "attached": 0,
    }
    assert vars(found) == counts
    left = held(tmp_path)
    for word in (b"planted", one.key.encode(), one.fingerprint.encode(), tokens_of(one.key)):
        assert word not in left
    assert b"stays" in left and list_kept(reader=ADA, folder=tmp_path) == (other,)
    with pytest.raises(Fixable, match="not here"):
        delete(one.key, reader=ADA, folder=tmp_path)
    with pytest.raises(Fixable, match="not here"):
        keep_one(tmp_path, reader=ADA, key=one.key)


def tokens_of(key: str) -> bytes:
    return patient_tokens(b"k" * 32, key, [WHO.format(0)])[0].encode()


def test_a_deletion_that_was_cut_short_is_finished_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one = keep_one(tmp_path, reader=ADA, title="planted title")
    fill(tmp_path, one.key)
    with monkeypatch.context() as patch:
        # The disk refuses in the midst of it.
        patch.setattr(cohorts_whole.estimates, "FILE", "cohorts")
        with pytest.raises(Fixable, match="not yet all that belongs to it"):
            delete(one.key, reader=ADA, folder=tmp_path)
    assert list_kept(reader=ADA, folder=tmp_path) == () and b"planted" in held(tmp_path)
    assert sweep(folder=tmp_path) == 1
    assert b"planted" not in held(tmp_path) and one.key.encode() not in held(tmp_path)


def test_taken_along_is_all_that_belongs_to_it_and_is_the_reader_s(tmp_path: Path):
    one = keep_one(tmp_path, reader=ADA, title="Title")
    keep_one(tmp_path, reader=ADA, key=one.key, n=22)
    fill(tmp_path, one.key)
    into = tmp_path / "out"
    into.mkdir()
    path = export(one.key, reader=ADA, into=into, folder=tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        assert {"v1/data.csv", "v1/dictionary.json", "v2/data.csv", "about.json", "saved.json"} <= names
        saved, said = (json.loads(archive.read(name)) for name in ("saved.json", "estimates.json"))
        (kept,) = [name for name in names if name.startswith("models/")]
        assert archive.read(kept).startswith(b"BEDSIDE-MODEL 1")
        archive.extractall(into / "back")
    assert len(saved) == 6 and all(item["mine"] for item in saved) and len(said) == 1
    assert read_cohort(into / "back" / "v1", key=one.key).fingerprint == one.fingerprint
    with pytest.raises(Fixable, match="not here"):
        export(one.key, reader=BOB, into=into, folder=tmp_path)


# ------------------------------------------------------------------ processes


def test_threads_at_once_lose_no_version(tmp_path: Path):
    one = keep_one(tmp_path)
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda i: keep_one(tmp_path, key=one.key, n=10 + i), range(12)))
    assert sorted(kept.version for kept in made) == list(range(2, 14))
    for kept in made:
        cohort = read_cohort(open_folder(one.key, kept.version, reader="local", folder=tmp_path), key=one.key)
        assert cohort.fingerprint == kept.fingerprint


def test_killed_imports_are_absent_or_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # A page test before this one may have left a page as the main module, which a process of its own would run again.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))
    kills.write_patients(tmp_path / "read.csv", 60)
    brought = kills.understood(tmp_path / "read.csv", tmp_path)
    found = kills.run(tmp_path, times=4, rows=60, seed=3, brought=brought)
    assert len(found) == 4 and all(end.there or not end.acknowledged for end in found)
    # Two processes that keep a version of one cohort at the same moment.
    data, one = tmp_path / "data", list_kept(reader="local")[0]
    with kills.importing(data, brought, one.key) as (_, first), kills.importing(data, brought, one.key) as (_, second):
        told = [kills.acknowledged(first), kills.acknowledged(second)]
    before = len(versions(one.key, reader="local")) - 2
    assert {version for _, version, _ in told} == {before + 1, before + 2}


HALF = """
import os, signal, sys
from bedside.intake.staging import new_staging
from bedside.store.cohorts_folder import making
(new_staging() / "rows").write_text("x")
with making() as made:
    (made / "half").write_text("x")
    sys.stdout.write("made")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_made_goes_and_what_a_living_one_makes_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    killed = subprocess.run([sys.executable, "-c", HALF], capture_output=True, text=True)
    assert killed.stdout == "made"
    one, mine = keep_one(tmp_path), new_staging()
    draft = tmp_path / "cohorts" / one.key / ".about.json.0123"
    draft.write_text("x")
    os.utime(draft, (0, 0))
    with making() as made:
        assert (sweep(), sweep_staging()) == (2, 1)
        assert made.is_dir() and mine.is_dir() and not draft.exists()
        assert (sweep(), sweep_staging()) == (0, 0)
    assert [path.name for path in (tmp_path / "cohorts").iterdir()] == [one.key]
