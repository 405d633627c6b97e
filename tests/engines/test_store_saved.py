"""What readers save under a name: the same in SQLite and in PostgreSQL, apart for each reader, and never half."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from bedside.errors import Fixable
from bedside.store import saved, tables
from bedside.store.cohorts_taken import Forgotten, forget_mine, pack_mine
from bedside.store.saved import Item, Saved, forget_cohort

ADA, BOB = "a" * 64, "b" * 64
HOSTILE = " x'); DROP TABLE bedside_saved;-- %s $1 ? \x00 \ud800 \u202e<b>![x](http://evil)\n "
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder, and the store that is set."""
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    monkeypatch.delenv(tables.SETTING, raising=False)
    if request.param == "sqlite":
        yield tmp_path
        return
    server = request.getfixturevalue("server")
    host = dict(part.split("=", 1) for part in server.split())["host"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA saved")
        options = quote("-csearch_path=saved", safe="")
        monkeypatch.setenv(
            tables.SETTING, f"postgresql://bedside@/postgres?host={quote(host, safe='')}&options={options}"
        )
        yield tmp_path
        connection.execute("DROP SCHEMA saved CASCADE")


def keep(mine: Saved, name: str = "Mine", *, cohort: str = "c", kind: saved.What = "filter", **more) -> Item:
    return mine.keep(kind, cohort=cohort, name=name, body={"filter": name}, now=NOON, **more)


def test_what_is_saved_comes_back_as_it_was(place: Path):
    mine = Saved(ADA)
    assert mine.all() == () == mine.of("c", "filter") == mine.marks("c", "group")
    assert mine.recall("s") is None and forget_cohort("c") == {} and list(place.iterdir()) == []
    body = {"filter": HOSTILE, "columns": {"é": ["Ä", 1, None, 0.1]}}
    one = mine.keep(
        "filter", cohort="c\udcff", name=HOSTILE, note=HOSTILE, body=body, fingerprint="f", version=3, now=NOON
    )
    assert one.name == "x'); DROP TABLE bedside_saved;-- %s $1 ? \ufffd ? \u202e<b>![x](http://evil)"
    assert json.loads(json.dumps(one.body)) == body and one.cohort == "c\\udcff"
    assert (one.fingerprint, one.version, one.made) == ("f", 3, "2026-03-01T12:00:00.000+00:00")
    assert (one.mine, one.shared) == (True, False)
    assert mine.all() == (one,) == mine.of("c\udcff", "filter") and mine.find(one.id) == one
    assert mine.marks("c\udcff", "filter") == ((one.id, one.name, one.note, True),)
    assert Saved(ADA).all(kind="view") == ()


def test_a_name_is_one_thing_until_it_is_replaced(place: Path):
    mine = Saved(ADA)
    one = keep(mine)
    for taken in ("Mine", " Mine\n"):
        with pytest.raises(Fixable, match="name is taken"):
            keep(mine, taken)
    assert keep(mine, kind="view").id != keep(mine, cohort="d").id != keep(Saved(BOB)).id
    other = keep(mine, "Other")
    with pytest.raises(Fixable, match="name is taken"):
        mine.describe(other.id, name="Mine")
    mine.describe(other.id, name="Mine 2", note="n\nm")
    assert (mine.find(other.id).name, mine.find(other.id).note, mine.find(other.id).body) == (
        "Mine 2",
        "n\nm",
        other.body,
    )
    again = keep(mine, replace=True, note="new")
    assert again.id != one.id and mine.of("c", "filter")[-1].note in ("new", "n\nm")
    with pytest.raises(Fixable, match="no longer here"):
        mine.find(one.id)
    for name in ("", " \n", "x" * 121):
        with pytest.raises(Fixable, match="1 to 120 letters"):
            keep(mine, name)
    with pytest.raises(Fixable, match="more than 16 MB"):
        mine.keep("view", cohort="c", name="Big", body={"x": "y" * saved.MOST_BODY})
    with pytest.raises(ValueError, match="a filter, a group"):
        keep(mine, kind="secret")


def test_readers_are_apart_until_one_shares(place: Path):
    ada, bob = Saved(ADA), Saved(BOB)
    hers = keep(ada)
    assert bob.all(cohorts=["c"]) == () == bob.of("c", "filter")
    for use in (bob.find, lambda item: bob.describe(item, note="mine now")):
        with pytest.raises(Fixable, match="not yours"):
            use(hers.id)
    bob.delete(hers.id)
    ada.describe(hers.id, shared=True)
    assert bob.all() == () == bob.all(cohorts=["d"])
    (seen,) = bob.all(cohorts=["c"])
    assert (seen.mine, seen.shared, seen.name) == (False, True, "Mine") and bob.of("c", "filter") == (seen,)
    assert bob.find(hers.id, cohorts=["c"]) == seen
    with pytest.raises(Fixable, match="not yours"):
        bob.find(hers.id, cohorts=["d"])
    bob.delete(hers.id)
    with pytest.raises(Fixable, match="not yours"):
        bob.describe(hers.id, shared=False)
    ada.delete(hers.id)
    assert ada.all() == () == bob.all(cohorts=["c"])
    for nobody in ("", "ada", "%", "local' OR 1=1", ADA.upper()):
        with pytest.raises(ValueError, match="a reader is"):
            Saved(nobody)


def test_how_a_file_was_read_is_remembered_and_goes_with_its_cohort(place: Path):
    mine = Saved(ADA)
    mine.remember("sig", {"title": "old"}, cohort="d")
    mine.remember("sig", {"title": "new"}, cohort="c")
    assert mine.recall("sig") == {"title": "new"} and Saved(BOB).recall("sig") is None
    keep(mine)
    keep(Saved(BOB), cohort="c", kind="view")
    keep(mine, cohort="cc")
    assert forget_cohort("c") == {"filter": 1, "recipe": 1, "view": 1}
    assert mine.recall("sig") == {"title": "old"} and [item.cohort for item in mine.all(kind="filter")] == ["cc"]


def test_sessions_at_once_lose_nothing(place: Path):
    def one(i: int) -> int:
        keep(Saved(ADA), f"own {i}")
        try:
            keep(Saved(ADA), "shared")
        except Fixable:
            return 0
        return 1

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(one, range(18))) == 1
    assert sorted(item.name for item in Saved(ADA).all()) == sorted([*(f"own {i}" for i in range(18)), "shared"])


def test_of_a_newer_bedside_nothing_is_touched(place: Path):
    mine = Saved(ADA)
    keep(mine)
    with tables.writing() as store:
        if tables.address():
            store.change("UPDATE bedside_about SET version = 2")
        else:
            store.change("PRAGMA user_version = 2")
    for use in (mine.all, lambda: keep(mine, "2"), lambda: forget_cohort("c")):
        with pytest.raises(Fixable, match="newer Bedside"):
            use()


def test_order_is_that_of_making(place: Path):
    mine = Saved(ADA)
    for i in (3, 1, 2):
        mine.keep("group", cohort="c", name=f"{9 - i}", body={}, now=NOON + timedelta(milliseconds=i))
    assert [name for _, name, *_ in mine.marks("c", "group")] == ["8", "7", "6"]
    assert [item.name for item in mine.all()] == ["6", "7", "8"]


@pytest.mark.parametrize(
    ("address", "why"),
    [("mysql://x:secret@host/db", "no address of a PostgreSQL"), ("/tmp/file.db", "no address"),
     ("postgresql://x:secret@/db?host=/nowhere&connect_timeout=1", "refused (OperationalError)"),
     ("postgresql://x:secret@/db?nonsense=1", "refused (ProgrammingError)")],
)  # fmt: skip
def test_a_database_out_of_reach_is_told_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, why: str
):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    monkeypatch.setenv(tables.SETTING, address)
    for use in (Saved(ADA).all, lambda: keep(Saved(ADA))):
        with pytest.raises(Fixable) as stop:
            use()
        assert why in str(stop.value) and "secret" not in str(stop.value) and "nowhere" not in str(stop.value)
    assert list(tmp_path.iterdir()) == []


def test_all_that_is_one_reader_s_of_a_cohort_goes_at_once_and_what_is_taken_along_holds_it(place: Path):
    keep(Saved(ADA), "hers")
    keep(Saved(ADA), "a view", kind="view")
    keep(Saved(ADA), "another cohort's", cohort="d")
    his = keep(Saved(BOB), "his")
    Saved(BOB).describe(his.id, shared=True)
    into = place / "out"
    into.mkdir()
    with zipfile.ZipFile(pack_mine(None, "c", reader=ADA, into=into)) as archive:
        told = json.loads(archive.read("saved.json"))
        assert archive.namelist() == ["about.json", "saved.json", "estimates.json"]
    # What others share is theirs to open, and said to be; what they keep for themselves is not in it.
    assert {(item["name"], item["mine"]) for item in told} == {("hers", True), ("a view", True), ("his", False)}
    assert forget_mine("c", reader=ADA) == Forgotten(2, 0, 0)
    assert [item.name for item in Saved(ADA).all()] == ["another cohort's"]
    assert [item.name for item in Saved(BOB).all()] == ["his"]
    assert forget_mine("c", reader=ADA) == Forgotten(0, 0, 0)
