"""What was taken along comes back: the same table, all versions, attached tables, saved items and models."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bedside.cohort.derived import chosen, to_body
from bedside.cohort.selection import Between, OneOf, Selection
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.intake.opening_sources import SourceRead, bring, read_source
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.store import models
from bedside.store.attached import list_attached
from bedside.store.cohorts import Kept, export, list_kept, open_folder, versions
from bedside.store.cohorts_back import keep_back
from bedside.store.cohorts_taken import pack_csv
from bedside.store.saved import Saved
from bedside.store.views import filter_body, group_body
from tests.house.kept_cohorts import keep_one
from tests.house.kept_tables import attach_genes, attach_labs


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file in the data folder, whatever this machine is set to."""
    monkeypatch.delenv("BEDSIDE_STORE", raising=False)


def read_of(folder: Path, files: dict[str, bytes]) -> SourceRead:
    """What is brought as files of these names, looked at."""
    place = folder / "files"
    place.mkdir(parents=True)
    for name, data in files.items():
        (place / name).write_bytes(data)
    first = place / next(iter(files))
    (source,) = bring(place, first, first.name, folder, None, False)
    assert source.kind == "cohort"
    return read_source(place, 0, folder / "read")


def opened(kept: Kept, data: Path, version: int | None = None):
    return read_cohort(open_folder(kept.key, version, reader="local", folder=data), key=kept.key)


def emptied(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_everything_comes_back_on_another_machine(tmp_path):
    here, there = emptied(tmp_path / "here"), emptied(tmp_path / "there")
    one = keep_one(here, title="Spring")
    keep_one(here, key=one.key, title="Autumn", n=25)
    attach_genes(here, one.key)
    attach_labs(here, one.key)
    cohort, mine = opened(one, here), Saved("local", here)
    fitted = learn("cox", training(cohort, cohort.outcomes[0]))
    emptied(here / "models")
    models.save_model(fitted, "Mine", folder=here / "models")
    old = Selection(((Between("age", 50.0),),))
    group = mine.keep("group", cohort=one.key, name="Old", body=group_body(to_body(chosen(old)), cohort), version=2)
    named = f"group:{group.id}"
    mine.keep(
        "filter",
        cohort=one.key,
        name="Of it",
        version=1,
        body=filter_body(old, cohort) | {"filter": Selection(((OneOf(named, ("yes",)),),)).to_text()},
    )
    packed = export(one.key, reader="local", into=emptied(tmp_path / "out"), folder=here)

    read = read_of(tmp_path / "brought", {"cohort.zip": packed.read_bytes()})
    (told,) = read.report.cohorts
    assert (told.title, told.n, [(o.label, o.n_events) for o in told.outcomes]) == ("Autumn", 25, [("Death", 13)])
    assert "the same to the last value" in " ".join(read.report.notes)
    assert "2 versions come along" in " ".join(read.report.notes)
    back = keep_back(read.folders[0], reader="local", folder=there)
    before, after = (versions(one.key, reader="local", folder=data) for data in (here, there))
    assert [each.fingerprint for each in after] == [each.fingerprint for each in before]
    assert after == before and back == after[0]
    assert [opened(back, there, n).fingerprint for n in (2, 1)] == [each.fingerprint for each in before]
    tables, own = (list_attached(one.key, reader="local", folder=data) for data in (there, here))
    assert [(t.id, t.seal, t.title, t.trouble) for t in tables] == [(t.id, t.seal, t.title, None) for t in own]
    assert list(tables[0].values("MYC")) == list(own[0].values("MYC"))
    (saved,) = models.list_models(folder=there / "models")
    assert saved.about.model_fingerprint == fitted.fingerprint
    (again,), (wanted,) = (Saved("local", there).of(one.key, kind) for kind in ("group", "filter"))
    assert (again.name, again.version, again.body["definition"]) == ("Old", 2, group.body["definition"])
    assert wanted.body["filter"] == Selection(((OneOf(f"group:{again.id}", ("yes",)),),)).to_text()

    # Where it still is, it comes back beside itself.
    twice = keep_back(read.folders[0], reader="local", folder=here)
    assert twice.key != one.key and len(list_kept(reader="local", folder=here)) == 2


def test_a_table_and_its_dictionary_come_back(tmp_path):
    here, there = emptied(tmp_path / "here"), emptied(tmp_path / "there")
    one = keep_one(here)
    packed = pack_csv(opened(one, here), emptied(tmp_path / "out")).read_bytes()
    read = read_of(tmp_path / "a", {"twenty.zip": packed})
    assert "the same to the last value" in " ".join(read.report.notes)
    back = keep_back(read.folders[0], reader="local", folder=there)
    assert (back.key, back.fingerprint) == (one.key, one.fingerprint)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        both = {name: archive.read(name) for name in ("data.csv", "dictionary.json")}
    read = read_of(tmp_path / "b", both)
    assert (read.report.cohorts[0].n, read.report.cohorts[0].outcomes[0].n_events) == (20, 10)
    kept = keep_back(read.folders[0], reader="local", replaces=one.key, folder=there)
    assert (kept.key, kept.version, kept.fingerprint) == (one.key, 2, one.fingerprint)


def test_what_is_hostile_or_incomplete_is_refused_or_passed_over(tmp_path):
    there = emptied(tmp_path / "there")
    one = keep_one(emptied(tmp_path / "here"))
    place = open_folder(one.key, reader="local", folder=tmp_path / "here")
    dictionary, data = (place / "dictionary.json").read_bytes(), (place / "data.csv").read_bytes()
    with pytest.raises(Fixable, match="not among these files"):
        read_of(tmp_path / "alone", {"dictionary.json": dictionary})
    pq.write_table(pa.table({f"c{i}": pa.nulls(2**20, pa.int8()) for i in range(600)}), bomb := io.BytesIO())
    with pytest.raises(Fixable, match="unpacks to more"):
        told = json.loads(dictionary) | {"data": "data.parquet"}
        read_of(tmp_path / "bomb", {"dictionary.json": json.dumps(told).encode(), "data.parquet": bomb.getvalue()})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("about.json", json.dumps({"key": "../../../tmp/x", "versions": []}))
        archive.writestr("v1/dictionary.json", dictionary)
        archive.writestr("v1/data.csv", data)
        archive.writestr("v1/../../../evil", b"x")
        archive.writestr("v1/kept.json", json.dumps({"title": ["x"], "made": "never", "owner": "somebody"}))
        archive.writestr("models/a.model", b"\x80\x04\x95pickle")
        archive.writestr("attached/expression/attached.json", b"{}")
        archive.writestr("attached/../expression/attached.json", b"{}")
        bodies = [{}, {"filter": 3}, {"definition": {"kind": "x"}}, {"page": "<b>", "query": {}}]
        archive.writestr(
            "saved.json",
            json.dumps(
                [
                    {"kind": kind, "name": "x", "body": body}
                    for kind in ("filter", "group", "view", "y")
                    for body in bodies
                ]
            ),
        )
    read = read_of(tmp_path / "hostile", {"x.zip": packed.getvalue()})
    kept = keep_back(read.folders[0], reader="local", folder=there)
    assert kept.mine and kept.n_patients == 20 and kept.key.startswith("i") and len(kept.key) == 17
    assert list_attached(kept.key, reader="local", folder=there) == ()
    assert Saved("local", there).all() == () and not list((there / "models").rglob("*.model"))
    assert not list(tmp_path.rglob("evil")) or all("unpacked" in str(path) for path in tmp_path.rglob("evil"))
