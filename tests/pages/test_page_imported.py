"""An imported cohort on the pages: in the list, at its newest version or the link's, with the groups made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bedside.cohort.derived import cut, to_body
from bedside.intake import read_cohort
from bedside.store import cohorts
from bedside.store.cohorts import Kept, open_folder
from bedside.store.saved import Saved
from bedside.store.views import group_body
from tests.house.kept_cohorts import keep_one
from tests.pages.reader import Reader


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """Two versions of a cohort of 20 and 25 patients, in a data folder of their own."""
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path))
    monkeypatch.delenv("BEDSIDE_STORE", raising=False)
    one = keep_one(tmp_path, title="Our <b>clinic</b>")
    yield keep_one(tmp_path, key=one.key, title="Our <b>clinic</b>", n=25)


def chosen(reader: Reader) -> list[str]:
    """What the list of cohorts offers."""
    return list(reader.at.selectbox(key="cohort").options)


def test_the_newest_version_opens_and_a_link_keeps_to_its_own(kept: Kept):
    reader = Reader(cohort=kept.key)
    assert any("clinic" in option for option in chosen(reader))
    assert "All 25 patients" in reader.text and "version" not in reader.text
    assert reader.link["version"] == "2"
    old = Reader(cohort=kept.key, version="1")
    assert "All 20 patients" in old.text and "This is version 1 of this cohort. Version 2 is the newest." in old.text
    assert old.open("survival").link["version"] == "1"
    old.click("version_newest")
    assert "All 25 patients" in old.text and old.link["version"] == "2"
    gone = Reader(cohort=kept.key, version="7")
    assert "Version 7, which the link asks for, is not here. This is version 2" in gone.text
    for nonsense in ("x", "-1", "²", "9" * 400):
        assert "All 25 patients" in Reader(cohort=kept.key, version=nonsense).text
    # Another cohort has no version, and coming back opens the newest.
    reader.choose("cohort", "gbsg2_breast")
    assert "version" not in reader.link
    assert Reader(cohort="gbsg2_breast", version="1").link.get("version") is None


def test_a_group_is_a_variable_of_the_cohort_until_it_is_deleted(kept: Kept):
    cohort = read_cohort(open_folder(kept.key, reader="local"), key=kept.key)
    mine = Saved("local")
    body = group_body(to_body(cut(cohort, "age", (52.0,))), cohort)
    item = mine.keep("group", cohort=kept.key, name="Older **half**", body=body)
    lost = {**body, "definition": {**body["definition"], "column": "no longer"}}
    mine.keep("group", cohort=kept.key, name="Lost", body=lost)
    mine.keep("group", cohort=kept.key, name="Unread", body={"definition": {"kind": "?"}})
    reader = Reader(cohort=kept.key, survival_by=f"group:{item.id}").open("survival")
    assert "Older **half** · your group" in reader.at.selectbox(key="survival_by").options
    assert "older **half**" in reader.text and "25 patients" in reader.text
    assert "The group “Lost” can't be made." in reader.text and "This group can't be read." in reader.text
    mine.delete(item.id)
    again = Reader(cohort=kept.key, survival_by=f"group:{item.id}").open("survival")
    assert "This link asks for something that is not here" in again.text


def test_what_is_another_reader_s_is_not_in_the_list(kept: Kept, tmp_path: Path):
    hers = keep_one(tmp_path, reader="a" * 64, title="Hers")
    assert not any("Hers" in option for option in chosen(Reader()))
    assert "This link asks for something that is not here" in Reader(cohort=hers.key).text
    cohorts.describe(hers.key, reader="a" * 64, shared=True)
    assert "All 20 patients" in Reader(cohort=hers.key).text


def test_the_pages_live_where_the_store_of_groups_can_t_be_used(kept: Kept, tmp_path: Path):
    (tmp_path / "saved.db").write_bytes(b"no database" * 99)
    reader = Reader(cohort=kept.key)
    assert "All 25 patients" in reader.text and "What was saved can't be read." in reader.text
