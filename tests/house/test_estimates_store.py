"""A reader's estimates on disk: nobody else's, never half, never lost once kept."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bedside.errors import Fixable
from bedside.store.estimates import FILE, LOCAL, About, Estimate, Estimates, Said, forget_cohort, reader_key
from bedside.store.key import patient_token

KEY = b"k" * 32
ADA = reader_key(KEY, "https://id.example", "ada")
BOB = reader_key(KEY, "https://id.example", "bob")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def about(name: str = "304", **changed: str) -> About:
    start = About("gbsg2", "rfs", "d" * 64, "any", patient_token(KEY, "gbsg2", name))
    return replace(start, **changed)


def keep(book: Estimates, of: About, said: Said) -> Estimate:
    return book.keep(of, said, horizon=4.0, unit="years", fingerprint="f" * 64, now=NOON)


def test_what_is_kept_comes_back_as_it_was_and_the_first_word_stands(tmp_path: Path):
    book = Estimates(ADA, tmp_path)
    assert book.all() == () and book.find(about()) is None and not (tmp_path / FILE).exists()
    said = Said(0.4, 0.3, 0.55, "=1+1 <b>frail</b>\x00\ud800 '); DROP TABLE estimate;--", aware=True)
    kept = keep(book, about(), said)
    assert (kept.said.own, kept.said.low, kept.said.high, kept.said.aware) == (0.4, 0.3, 0.55, True)
    assert kept.said.note == "=1+1 <b>frail</b>\ufffd? '); DROP TABLE estimate;--"
    assert (kept.horizon, kept.unit, kept.made, kept.shown) == (4.0, "years", "2026-03-01T12:00:00+00:00", None)
    assert keep(book, about(), Said(0.9)) == kept == book.find(about())
    # Another outcome, definition, target, patient or cohort is another question.
    for other in (about("305"), *(about(**{f: v}) for f, v in CHANGES.items())):
        assert book.find(other) is None
        assert keep(book, other, Said(None)).skipped
    assert len(book.all()) == 6


CHANGES = {"cohort": "pbc\udcff", "outcome": "os", "definition": "e" * 64, "target": "event"}


def test_the_model_s_number_is_kept_once_and_the_fair_one_only_of_the_same_model(tmp_path: Path):
    book = Estimates(LOCAL, tmp_path)
    kept = keep(book, about(), Said(0.4))
    book.check(kept.id, unseen=0.5, model="m1")  # no model yet
    book.show(kept.id, shown=0.62, kind="cox", model="m1")
    book.show(kept.id, shown=0.1, kind="forest", model="m2")
    book.check(kept.id, unseen=0.5, model="m2")
    assert book.find(about()).fair == 0.62
    book.check(kept.id, unseen=0.58, model="m1")
    book.check(kept.id, unseen=0.99, model="m1")
    found = book.find(about())
    assert (found.shown, found.unseen, found.fair, found.kind, found.model) == (0.62, 0.58, 0.58, "cox", "m1")


def test_readers_are_apart(tmp_path: Path):
    ada, bob = Estimates(ADA, tmp_path), Estimates(BOB, tmp_path)
    hers, his = keep(ada, about(), Said(0.2, note="mine alone")), keep(bob, about(), Said(0.7))
    ada.choose("first", "on")
    assert ada.all() == (hers,) and bob.all() == (his,) and bob.setting("first") is None
    bob.show(hers.id, shown=0.9, kind="cox", model="m")
    bob.delete(hers.id)
    bob.delete_all()
    assert bob.all() == () and ada.all() == (hers,) and ada.setting("first") == "on"
    assert len({ADA, BOB, reader_key(KEY, 'https://id.example", "ada', ""), reader_key(b"j" * 32, "", "ada")}) == 4
    for nobody in ("", "ada", "%", "local' OR 1=1", ADA.upper()):
        with pytest.raises(ValueError, match="a reader is"):
            Estimates(nobody, tmp_path)


def test_the_file_is_private_names_nobody_and_forgets_what_is_deleted(tmp_path: Path):
    book = Estimates(ADA, tmp_path)
    kept = keep(book, about("Jane-Doe-1961"), Said(0.2, note="unforgettable words"))
    with pytest.raises(ValueError, match="token"):
        keep(book, about(patient="Jane-Doe-1961"), Said(0.2))
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [FILE] and (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    held = sqlite3.connect(tmp_path / FILE)  # a second reader keeps the log beside the file
    held.execute("SELECT count(*) FROM estimate").fetchone()
    again = keep(book, about("2"), Said(0.3, note="unforgettable twice"))
    assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o600}
    text = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"unforgettable words" in text and b"Jane" not in text and b"ada" not in text and b"id.example" not in text
    held.close()
    book.delete(kept.id)
    book.delete(again.id)
    assert b"unforgettable" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    # A number is not given again: a button drawn before can't take another estimate away.
    assert keep(book, about("3"), Said(0.1)).id > again.id


@pytest.mark.parametrize(
    "wrong",
    [{"own": 1.2}, {"own": -0.1}, {"own": float("nan")}, {"own": 0.4, "low": 0.5, "high": 0.6},
     {"own": 0.4, "low": 0.1}, {"own": None, "low": 0.1, "high": 0.2}],
)  # fmt: skip
def test_what_is_no_estimate_is_refused(wrong):
    with pytest.raises(ValueError, match="share from 0 to 1"):
        Said(**wrong)
    assert len(Said(0.5, note="x" * 9999).note) == 500


ODD = {
    "unit = 'fortnights'": 1, "horizon = 9e999": 1, "horizon = -1": 1, "own = 7": 1, "low = 0.9, high = 0.95": 1,
    "target = 'zz'": 1, "shown = 9e999": 1,
    "kind = 'of a later release', made = 'x'": 0, "note = CAST(x'ff' AS TEXT)": 0,
}  # fmt: skip


def test_a_row_that_cannot_be_read_takes_no_other_along(tmp_path: Path):
    book = Estimates(ADA, tmp_path)
    for i in range(3):
        keep(book, about(str(i)), Said(0.4))
    whole = book.path.read_bytes()
    for change, lost in ODD.items():
        book.path.write_bytes(whole)
        with sqlite3.connect(book.path) as file:
            file.execute("PRAGMA ignore_check_constraints = ON")
            file.execute(f"UPDATE estimate SET {change} WHERE id = 2")
        file.close()
        found = book.read()
        assert (len(found.estimates), found.unread) == (3 - lost, (2,) * lost), change
        if lost and "target" not in change:
            with pytest.raises(Fixable, match="An estimate of yours can't be read"):
                book.find(about("1"))
    with sqlite3.connect(book.path) as file:
        file.execute("ALTER TABLE estimate DROP COLUMN note")
    file.close()
    assert book.read() == ((), (1, 2, 3))
    book.delete(2)
    assert book.read().unread == (1, 3)


def test_lost_settings_are_told_apart_and_begun_anew(tmp_path: Path):
    book = Estimates(ADA, tmp_path)
    kept = keep(book, about(), Said(0.4))
    book.choose("first", "on")
    with sqlite3.connect(book.path) as file:
        file.execute("DROP TABLE setting")
    file.close()
    with pytest.raises(Fixable, match="your estimates in it are still there"):
        book.setting("first")
    assert book.all() == (kept,)
    book.choose("first", "off")
    assert book.setting("first") == "off"


def test_that_the_model_s_number_was_seen_outlives_deletion(tmp_path: Path):
    book, bob = Estimates(ADA, tmp_path), Estimates(BOB, tmp_path)
    kept = keep(book, about(), Said(0.4, note="gone"))
    assert not book.met(about()) and book.met(about(target="event"))
    assert not book.met(about("305")) and not book.met(about(outcome="os")) and not bob.met(about(target="event"))
    book.delete(kept.id)
    keep(book, about("305"), Said(0.4))
    book.delete_all()
    assert book.met(about()) and book.met(about("305", target="event")) and not book.met(about(outcome="os"))
    assert not bob.met(about()) and book.all() == () and b"gone" not in book.path.read_bytes()
    assert forget_cohort("gbsg2", folder=tmp_path) == 0 and not book.met(about())


def damage(path: Path, how: str) -> None:
    whole = path.read_bytes()
    if how == "bytes":
        path.write_bytes(b"not a database at all " * 99)
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "middle":
        path.write_bytes(whole[:5000] + b"\xa5" * (len(whole) - 5000))
    elif how == "folder":
        path.unlink()
        path.mkdir()
    else:
        with sqlite3.connect(path) as file:
            file.execute(
                {
                    "newer": "PRAGMA user_version = 2",
                    "older": "PRAGMA user_version = 0",
                    "another's": "PRAGMA application_id = 1",
                }[how]
            )
        file.close()


@pytest.mark.parametrize(
    ("how", "why"),
    [("bytes", "is damaged"), ("empty", "is damaged"), ("middle", "is damaged"), ("another's", "is damaged"),
     ("older", "is damaged"), ("newer", "made by a newer Bedside"), ("folder", "refused")],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_told_and_left_as_it_is(tmp_path: Path, how: str, why: str):
    book = Estimates(ADA, tmp_path)
    for i in range(40):
        keep(book, about(str(i)), Said(0.4, note="x" * 200))
    damage(book.path, how)
    before = book.path.read_bytes() if book.path.is_file() else None
    for use in (book.all, lambda: book.find(about("7")), lambda: keep(book, about("new"), Said(0.1)), book.delete_all):
        with pytest.raises(Fixable, match=why):
            use()
    assert before is None or book.path.read_bytes() == before
    if how == "newer":
        with sqlite3.connect(book.path) as file:
            file.execute("PRAGMA user_version = 1")
        file.close()
        assert len(book.all()) == 40


def test_a_file_that_another_holds_is_told_and_free_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bedside.store.estimates_file.WAIT", 0.05)
    book = Estimates(ADA, tmp_path)
    first = keep(book, about(), Said(0.4))
    held = sqlite3.connect(book.path, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    with pytest.raises(Fixable, match="Another program holds"):
        keep(book, about("2"), Said(0.5))
    assert book.all() == (first,)  # reading goes on
    held.execute("ROLLBACK")
    held.close()
    assert keep(book, about("2"), Said(0.5)).said.own == 0.5


def test_sessions_at_once_lose_nothing_and_agree_on_the_first_word(tmp_path: Path):
    def one(i: int) -> Estimate:
        keep(Estimates(ADA, tmp_path), about(f"own {i}"), Said(i / 100))
        return keep(Estimates(ADA, tmp_path), about("shared"), Said(i / 100))

    with ThreadPoolExecutor(8) as pool:
        words = set(pool.map(one, range(24)))
    assert len(words) == 1
    found = Estimates(ADA, tmp_path).all()
    assert sorted(round(100 * e.said.own) for e in found if e not in words) == list(range(24))


WRITER = """
import sys
from pathlib import Path
from bedside.store.estimates import About, Estimates, Said
from bedside.store.key import patient_token
book = Estimates("local", Path(sys.argv[1]))
for i in range(int(sys.argv[2]), 10**6):
    of = About("c", "o", "d", "any", patient_token(b"k" * 32, "c", str(i)))
    kept = book.keep(of, Said(0.5, note="n" * 300), horizon=1.0, unit="years", fingerprint="f")
    book.show(kept.id, shown=0.25, kind="cox", model="m")
    print(i, flush=True)
"""


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path):
    said, last = 0, 0
    for _ in range(3):
        run = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(last)], stdout=subprocess.PIPE, text=True
        )
        told = [run.stdout.readline() for _ in range(15)]  # it is in the midst of writing
        run.send_signal(signal.SIGKILL)
        told += run.stdout.readlines()
        run.stdout.close()
        assert run.wait() == -signal.SIGKILL
        numbers = [int(line) for line in told if re.fullmatch(r"\d+\n", line)]
        said, last = said + len(numbers), numbers[-1] + 2
        found = {e.about.patient: e for e in Estimates(LOCAL, tmp_path).all()}
        for i in numbers:
            assert found[patient_token(KEY, "c", str(i))].shown == 0.25
    assert said >= 45
    file = sqlite3.connect(tmp_path / FILE)
    assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()
