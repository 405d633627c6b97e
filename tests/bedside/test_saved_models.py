"""Saved models: the same bits after loading, versions, and every kind of damage refused before anything is used."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.risk import save
from bedside.risk.facts import check_extent
from bedside.risk.fitted import Fitted
from bedside.risk.learners import learn
from bedside.risk.save import about_model, pack, read_about, unpack
from bedside.risk.training import training
from bedside.risk.variability import with_variability
from bedside.store import models

ROOT = Path(__file__).resolve().parents[2]
COHORT = read_cohort(ROOT / "sample_data" / "pbc_liver")
SMALL = {"trees": 20, "leaf": 20}
WHEN = "2026-11-22T09:00:00+00:00"
HOSTILE = "../../etc/x\n<script>alert(1)</script> ![x](http://evil/x.png) \u202egnp.exe \ud800"


@cache
def cox() -> Fitted:
    return learn("cox", training(COHORT, COHORT.outcomes[0]))


def packed(model: Fitted | None = None, **told: Any) -> bytes:
    model = model or cox()
    return pack(model, about_model(model, **{"name": "PBC", "saved": WHEN, **told}))


@dataclass
class Open:
    """A file taken apart, to be changed and sealed again as somebody who knows the format would."""

    about: dict[str, Any]
    facts: dict[str, Any]
    block: bytes

    @classmethod
    def of(cls, data: bytes) -> Open:
        line, rest = data.split(b"\n", 1)
        first, second = (int(word) for word in line.split()[-2:])
        return cls(json.loads(rest[:first]), json.loads(rest[first : first + second]), rest[first + second :])

    def sealed(self, *, version: int = save.FORMAT, about: bytes | None = None, facts: bytes | None = None) -> bytes:
        first = json.dumps(self.about).encode() if about is None else about
        second = json.dumps(self.facts).encode() if facts is None else facts
        rest = first + second + self.block
        seals = [hashlib.sha256(block).hexdigest() for block in (rest, first)]
        return f"BEDSIDE-MODEL {version} {seals[0]} {seals[1]} {len(first)} {len(second)}\n".encode() + rest


def refused(data: bytes, why: str) -> None:
    with pytest.raises(Fixable, match=re.escape(why)) as stop:
        unpack(data)
    assert stop.value.what == "This model can't be opened." and stop.value.next_step


# ------------------------------------------------------------------ the file


def test_the_same_bits_come_back():
    model = cox()
    back = unpack(packed(card={"title": "A card", "n": 312})).model
    times = np.linspace(0, model.last, 7)
    rows = COHORT.frame.drop(columns=[model.design.readings[0].variable.name])
    for frame in (COHORT.frame, rows, pd.DataFrame(index=range(2))):
        np.testing.assert_array_equal(back.risk(frame, times), model.risk(frame, times))
        np.testing.assert_array_equal(back.score(frame), model.score(frame))
    here, there = model.limits(COHORT.frame, times), back.limits(COHORT.frame, times)
    np.testing.assert_array_equal(here.lower, there.lower)
    np.testing.assert_array_equal(here.upper, there.upper)
    assert back.fingerprint == model.fingerprint
    assert back.design.readings == model.design.readings and back.cautions == model.cautions
    assert packed(back) == packed(model)


@cache
def forest() -> Fitted:
    return learn("forest", training(COHORT, COHORT.outcomes[0]), SMALL)


def _others() -> dict[str, Callable[[], Fitted]]:
    outcome = next(o for o in COHORT.outcomes if o.has_competing)
    members = {f"forest.{name}": value for name, value in SMALL.items()} | {"cox.knots": 0}
    return {
        "curved Cox": lambda: learn("cox", training(COHORT, COHORT.outcomes[0]), {"knots": 4}),
        "competing Cox": lambda: learn("cox", training(COHORT, outcome, target="event"), {"knots": 0}),
        "penalised": lambda: learn("penalised", training(COHORT, outcome, target="event")),
        "forest": forest,
        "average": lambda: learn("average", training(COHORT, COHORT.outcomes[0]), members),
        "boosted": lambda: learn("boosted", training(COHORT, COHORT.outcomes[0]), {"rounds": 20, "depth": 2}),
        "with refits": lambda: with_variability(cox(), training(COHORT, COHORT.outcomes[0]), refits=3),
    }


@pytest.mark.parametrize("kind", _others())
def test_every_kind_comes_back(kind: str):
    model = _others()[kind]()
    data = packed(model)
    back = unpack(data).model
    times = np.linspace(0, model.last, 5)
    np.testing.assert_array_equal(back.risk(COHORT.frame, times), model.risk(COHORT.frame, times))
    np.testing.assert_array_equal(back.score(COHORT.frame), model.score(COHORT.frame))
    assert (back.fingerprint, dict(back.settings)) == (model.fingerprint, dict(model.settings))
    assert packed(back) == data


def test_a_forest_with_a_way_in_a_circle_is_refused():
    part = Open.of(packed(forest()))
    at = 0
    for told in part.facts["arrays"]:
        size = np.dtype(told["dtype"]).itemsize * int(np.prod(told["shape"]))
        if told["name"] in ("trees.left", "trees.right"):
            nodes = np.frombuffer(part.block[at : at + size], dtype=told["dtype"]).copy()
            nodes[nodes[0]] = 0
            part.block = part.block[:at] + nodes.tobytes() + part.block[at + size :]
        at += size
    refused(part.sealed(), "do not make a model of its kind")


def test_what_it_is_can_be_read_without_the_model():
    about = read_about(packed(note="as of May", cohort_title="PBC", card={"title": "A card"})[:8000])
    assert (about.name, about.kind, about.n, about.n_events) == ("PBC", "cox", cox().n, cox().n_events)
    assert about.cohort_fingerprint == COHORT.fingerprint and about.card == {"title": "A card"}
    assert (about.saved, about.bedside, about.note, about.version) == (WHEN, "0.1.0", "as of May", 1)


@pytest.mark.parametrize("where", np.linspace(0, 1, 41))
def test_one_byte_changed_is_refused(where: float):
    data = bytearray(packed())
    at = int(where * (len(data) - 1))
    data[at] ^= 1
    with pytest.raises(Fixable) as stop:
        unpack(bytes(data))
    assert stop.value.what == "This model can't be opened."


@pytest.mark.parametrize("cut", [0, 1, 14, 60, 200, 1000, -1])
def test_a_file_cut_short_or_grown_is_refused(cut: int):
    with pytest.raises(Fixable, match="can't be opened"):
        unpack(packed()[:cut])
    refused(packed() + b"\0", "do not match the SHA-256")


def test_other_files_are_refused():
    archive = io.BytesIO()
    np.savez(archive, a=np.array([{"a": 1}], dtype=object))
    for data in (b"", b"PK\x03\x04", archive.getvalue(), b"\x80\x04\x95", b"{}" * 1000):
        refused(data, "not a file that Bedside saved a model in")


def test_a_newer_version_is_refused():
    refused(Open.of(packed()).sealed(version=2), "newer version of Bedside (format 2; this one reads up to 1)")


def test_an_unknown_kind_is_refused():
    part = Open.of(packed())
    part.about["kind"] = part.facts["kind"] = "oracle"
    refused(part.sealed(), "a kind that this version of Bedside does not know")


def test_a_card_swapped_between_kinds_is_refused():
    part = Open.of(packed())
    part.about["kind"] = "forest"
    refused(part.sealed(), "a kind that this version")


def _array(which: str, **told: Any) -> Callable[[Open], None]:
    def change(part: Open) -> None:
        next(each for each in part.facts["arrays"] if each["name"] == which).update(told)

    return change


def _fact(*path: Any, value: Any) -> Callable[[Open], None]:
    def change(part: Open) -> None:
        inner = part.facts["facts"]
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


def _without(name: str) -> Callable[[Open], None]:
    def change(part: Open) -> None:
        at = 0
        for told in part.facts["arrays"]:
            size = 8 * int(np.prod(told["shape"]))
            if told["name"] == name:
                part.block = part.block[:at] + part.block[at + size :]
            at += size
        part.facts["arrays"] = [told for told in part.facts["arrays"] if told["name"] != name]

    return change


def _number(value: float) -> Callable[[Open], None]:
    def change(part: Open) -> None:
        part.block = np.float64(value).tobytes() + part.block[8:]

    return change


P = len(cox().design.terms)


@pytest.mark.parametrize(
    "change",
    [
        _array("coef", shape=[1, P]),
        _array("coef", shape=[P + 1]),
        _array("coef", shape=[P - 1]),
        _array("coef", shape=[2**40, 2**40]),
        _array("coef", shape=[-1]),
        _array("coef", shape=[1, 1, 1, 1, P]),
        _array("coef", dtype="|O"),
        _array("coef", dtype="<U8"),
        _array("coef", dtype="<m8[s]"),
        _array("coef", dtype="|V8"),
        _array("coef", dtype=">f8"),
        _array("coef", name="variance"),
        _array("coef", name="../../coef"),
        _array("coef", name="__class__\0"),
        _array("variance", shape=[P * P]),
        _array("design.centre", shape=[1, P]),
        _without("coef"),
        _without("design.scale"),
        _number(np.nan),
        _number(np.inf),
        _fact("last", value=-1.0),
        _fact("last", value="for ever"),
        _fact("design", "terms", 0, "column", value=10**6),
        _fact("design", "terms", 0, "column", value=1),
        _fact("design", "terms", 0, "variable", value="__class__"),
        _fact("design", "readings", 0, "variable", "kind", value="pickle"),
        _fact("design", "readings", value=[]),
        _fact("outcome", "unit", value="fortnights"),
        _fact("n", value=None),
    ],
)
def test_contents_that_are_no_model_are_refused(change: Callable[[Open], None]):
    """Sealed anew, so that only what is in it can tell."""
    part = Open.of(packed())
    change(part)
    with pytest.raises(Fixable, match="This model can't be opened"):
        unpack(part.sealed())


def test_another_coefficient_is_another_model():
    part = Open.of(packed())
    part.about["model_fingerprint"] = "0" * 64
    refused(part.sealed(), "its fingerprint differs")


@pytest.mark.parametrize(
    "facts",
    [
        b"[]", b"{", b"\xff\xfe", b"null", b'{"kind":"cox","kind":"cox","facts":{},"arrays":[]}',
        b'{"kind":"cox","facts":{"a":NaN},"arrays":[]}', b'{"kind":"cox","facts":{"a":1e999},"arrays":[]}',
        b'{"kind":"cox","facts":{"a":' + b"[" * 200 + b"]" * 200 + b'},"arrays":[]}',
        b'{"kind":"cox","facts":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b',"arrays":[]}',
        b'{"kind":"cox","facts":{"a":' + b"9" * 10_000 + b'},"arrays":[]}',
        b'{"kind":"cox","facts":{},"arrays":[],"run":"me"}',
    ],
    ids=range(11),
)  # fmt: skip
def test_hostile_text_is_refused(facts: bytes):
    part = Open.of(packed())
    with pytest.raises(Fixable, match="This model can't be opened"):
        unpack(part.sealed(facts=facts))
    with pytest.raises(Fixable, match="This model can't be opened"):
        unpack(part.sealed(about=facts))


@pytest.mark.parametrize("array", [np.array([{}], dtype=object), np.array(["a"]), np.array([np.nan])])
def test_what_a_file_cannot_hold_is_not_written(array: np.ndarray):
    with pytest.raises(ValueError, match=r"can't be saved|not finite"):
        save._plain("a", array)
    with pytest.raises(ValueError, match="can't be saved"):
        save._plain("../a", np.zeros(1))
    with pytest.raises(ValueError):
        save._json({"a": float("nan")})


# ------------------------------------------------------------------ the store


def test_versions_are_kept_listed_and_deleted(tmp_path: Path):
    first = models.save_model(cox(), "Liver", note="first", folder=tmp_path)
    second = models.save_model(cox(), "  liver ", card={"a": 1}, folder=tmp_path)
    other = models.save_model(cox(), "Another", folder=tmp_path)
    assert (first.version, second.version, other.version) == (1, 2, 1)
    assert first.key == second.key != other.key
    listed = models.list_models(folder=tmp_path)
    assert [(e.about.name, e.version, e.about.note) for e in listed] == [
        ("Another", 1, ""), ("liver", 2, ""), ("Liver", 1, "first"),
    ]  # fmt: skip
    back = models.read_model(first.key, 2, folder=tmp_path)
    assert back.model.fingerprint == cox().fingerprint and back.about.card == {"a": 1}
    models.delete_model(first.key, 2, folder=tmp_path)
    assert [(e.about.name, e.version) for e in models.list_models(folder=tmp_path)] == [("Another", 1), ("Liver", 1)]
    assert models.save_model(cox(), "LIVER", folder=tmp_path).version == 3
    with pytest.raises(Fixable, match="No model of that name and version"):
        models.read_model(first.key, 2, folder=tmp_path)


def test_files_are_private_and_whole(tmp_path: Path):
    entry = models.save_model(cox(), "Liver", folder=tmp_path)
    place = tmp_path / entry.key
    assert place.stat().st_mode & 0o777 == 0o700
    assert [(p.name, p.stat().st_mode & 0o777) for p in place.iterdir()] == [("v1.model", 0o600)]
    assert entry.size == (place / "v1.model").stat().st_size


def test_saving_at_once_loses_nothing(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(lambda _: models.save_model(cox(), "Liver", folder=tmp_path).version, range(16)))
    assert sorted(saved) == list(range(1, 17))
    assert all(entry.trouble is None for entry in models.list_models(folder=tmp_path))


def test_a_hostile_name_is_only_a_name(tmp_path: Path):
    entry = models.save_model(cox(), HOSTILE, note=HOSTILE, folder=tmp_path)
    assert re.fullmatch("[0-9a-f]{24}", entry.key)
    assert [path.name for path in tmp_path.iterdir()] == [entry.key]
    assert models.read_model(entry.key, 1, folder=tmp_path).about.name == HOSTILE.replace("\ud800", "?")


@pytest.mark.parametrize("name", ["", "  \n", "x" * 121])
def test_no_name_and_too_long_a_name_are_refused(name: str, tmp_path: Path):
    with pytest.raises(Fixable, match="1 to 120 letters"):
        models.save_model(cox(), name, folder=tmp_path)


@pytest.mark.parametrize("key", ["..", "../../etc", "/etc/passwd", "", "a" * 24 + "/..", "A" * 24])
def test_a_key_is_never_a_path(key: str, tmp_path: Path):
    for act in (models.read_model, models.model_bytes, models.delete_model):
        with pytest.raises(Fixable, match="No model of that name and version"):
            act(key, 1, folder=tmp_path)


def test_a_damaged_file_is_listed_with_the_reason_and_the_others_live(tmp_path: Path):
    entry = models.save_model(cox(), "Liver", folder=tmp_path)
    models.save_model(cox(), "Liver", folder=tmp_path)
    path = tmp_path / entry.key / "v1.model"
    data = bytearray(path.read_bytes())
    data[300] ^= 1
    path.write_bytes(bytes(data))
    (tmp_path / "notes.txt").write_text("not a model")
    good, bad = models.list_models(folder=tmp_path)
    assert (good.version, bad.version, bad.about) == (2, 1, None)
    assert "do not match the SHA-256" in bad.trouble.why
    assert models.read_model(entry.key, 2, folder=tmp_path).about.version == 2


def test_a_file_from_elsewhere_becomes_a_version_here(tmp_path: Path):
    models.save_model(cox(), "PBC", folder=tmp_path)
    entry = models.keep_file(packed(card={"a": 1}, note="from Oslo"), folder=tmp_path)
    assert (entry.version, entry.about.note, entry.about.card, entry.about.saved) == (2, "from Oslo", {"a": 1}, WHEN)
    with pytest.raises(Fixable, match="can't be opened"):
        models.keep_file(packed()[:-1], folder=tmp_path)


def test_a_full_or_locked_disk_says_so(tmp_path: Path):
    (tmp_path / models.key_of("Liver")).write_text("a file where the folder belongs")
    with pytest.raises(Fixable, match="could not be changed"):
        models.save_model(cox(), "Liver", folder=tmp_path)


def test_the_store_lies_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))
    assert models.list_models() == ()
    models.save_model(cox(), "Liver")
    assert (tmp_path / "data" / "models").stat().st_mode & 0o777 == 0o700
    assert [entry.about.name for entry in models.list_models()] == ["Liver"]


# ------------------------------------------------------------------ files of somebody who knows the format


@pytest.mark.parametrize("shape", [[0, 2**62], [0, 2**70], [10**4000, 0], [2**40, 0]])
def test_sizes_beyond_the_file_are_refused(shape: list[int]):
    file = Open.of(packed())
    file.facts["arrays"].append({"name": "zz", "dtype": "<f8", "shape": shape})
    refused(file.sealed(facts=_huge_numbers(file.facts)), "It lists arrays of a kind that no model has.")


def _huge_numbers(facts: dict[str, Any]) -> bytes:
    """JSON with integers of any length, which Python's own limit would not write."""
    text = json.dumps(facts | {"arrays": []})[:-3]
    told = ",".join(
        "{" + f'"name":"{a["name"]}","dtype":"{a["dtype"]}","shape":[{",".join(map(_digits, a["shape"]))}]' + "}"
        for a in facts["arrays"]
    )
    return (text + "[" + told + "]}").encode()


def _digits(number: int) -> str:
    return "1" + "0" * 4000 if number == 10**4000 else str(number)


def _set(value: Any, *path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(facts: dict[str, Any]) -> None:
        at: Any = facts
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value

    return change


DESIGN = ("design", "readings", 0)
CHANGES = {
    "range without an end": _set(None, *DESIGN, "range", "high"),
    "range of text": _set("1", *DESIGN, "range", "median"),
    "range that falls": _set(-1e300, *DESIGN, "range", "high"),
    "levels of objects": _set([{}, {}], "design", "readings", 1, "present"),
    "another part": _set(None, "design", "terms", 0, "part"),
    "a part that is not there": _set(9, "design", "terms", 0, "part"),
    "target": _set("<script>", "target"),
    "no patients": _set(0, "n"),
    "negative patients": _set(-1, "n"),
    "more events than patients": _set(10**6, "n_events"),
    "patients as text": _set("312", "n"),
    "cohort": _set(0, "cohort_key"),
    "fingerprint": _set([], "cohort_fingerprint"),
    "no end of follow-up": _set(1e308, "last"),
    "cautions": _set("text", "cautions"),
    "cautions of objects": _set([{}], "cautions"),
    "settings": _set({"a": [1]}, "settings"),
    "settings of nothing": _set({"knots": None}, "settings"),
    "ridge": _set("NaN", "penalizer"),
    "tests": _set([{"name": "x", "statistic": "1", "df": 1, "p": 2}], "tests"),
    "one more fact": _set(1, "more"),
    "dropped": _set([{"variable": "a", "why": {}}], "design", "dropped"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_facts_of_another_kind_are_refused(change: str):
    file = Open.of(packed())
    CHANGES[change](file.facts["facts"])
    refused(file.sealed(), "Its contents do not make a model of its kind.")


def test_facts_of_a_model_inside_another_are_checked_as_well():
    outcome = next(o for o in COHORT.outcomes if o.has_competing)
    path = Open.of(packed(learn("penalised", training(COHORT, outcome, target="event"))))
    path.facts["facts"]["hazards"][0]["path"]["alpha"] = "NaN"
    refused(path.sealed(), "Its contents do not make a model of its kind.")
    members = {f"forest.{name}": value for name, value in SMALL.items()} | {"cox.knots": 0}
    file = Open.of(packed(learn("average", training(COHORT, COHORT.outcomes[0]), members)))
    file.facts["facts"]["members"][0]["facts"]["target"] = ""
    refused(file.sealed(), "Its contents do not make a model of its kind.")


def test_what_a_file_says_of_itself_must_hold_for_its_model():
    for name, value in (("n", 10**6), ("n_events", 0), ("cohort_key", "other"), ("outcome_label", "Cure")):
        file = Open.of(packed())
        file.about[name] = value
        refused(file.sealed(), "What it says of itself does not hold for the model in it.")


def test_a_text_that_would_take_the_memory_is_not_parsed():
    wide = b'{"kind":"cox","facts":{"a":[' + b"{}," * 2_000_000 + b'{}]},"arrays":[]}'
    many = b"[" + b"1," * 2_000_001 + b"1]"
    deep = b'{"kind":"cox","facts":' + b'{"a":' * 100_000
    inside, endless = b'{"a":"' + b"{}," * 2_000_000 + b'"}', b'"' + b'\\"' * 5_000_000 + b"\\"
    for text in (b"{}", b"[" * 60 + b"]" * 60, inside, endless):
        check_extent(text)
    for text in (wide, many, deep):
        with pytest.raises(ValueError, match="too"):
            check_extent(text)
    card = b'{"card":[' + b"[]," * 300_000 + b"[]]}"
    refused(Open.of(packed()).sealed(facts=wide), "Its text is not the JSON that it must be.")
    refused(Open.of(packed()).sealed(about=card), "Its text is not the JSON that it must be.")
    refused(Open.of(packed()).sealed(about=b" " * (save.MOST_ABOUT + 1)), "The sizes that it gives are impossible.")
    refused(Open.of(packed()).sealed(facts=b" " * (save.MOST_FACTS + 1)), "The sizes that it gives are impossible.")


def test_a_penalised_model_with_hardly_any_competing_events_is_saved():
    outcome = next(o for o in COHORT.outcomes if o.has_competing)
    rows = training(COHORT, outcome, target="event")
    cause = rows.cause.copy()
    rare = np.flatnonzero(cause > 1)
    cause[rare[2:]] = 0
    model = learn("penalised", replace(rows, cause=cause))
    assert [hazard.path is None for hazard in model.hazards] == [False, True]
    data = packed(model)
    back = unpack(data).model
    np.testing.assert_array_equal(back.risk(COHORT.frame, [1000.0]), model.risk(COHORT.frame, [1000.0]))
    assert packed(back) == data and np.isnan(back.hazards[1].alpha)


def test_the_list_reads_a_file_once_and_never_its_card(tmp_path: Path, monkeypatch):
    models.save_model(cox(), "One", card={"title": "x"}, folder=tmp_path)
    first = models.list_models(folder=tmp_path)
    monkeypatch.setattr(models, "read_about", lambda _: pytest.fail("read again"))
    assert models.list_models(folder=tmp_path) == first and first[0].about and first[0].about.card == {}
    monkeypatch.undo()
    assert models.read_model(first[0].key, 1, folder=tmp_path).about.card == {"title": "x"}
    path = next(tmp_path.glob("*/v1.model"))
    path.write_bytes(path.read_bytes().replace(b"One", b"Two", 1))
    assert models.list_models(folder=tmp_path)[0].trouble is not None


def test_the_disk_is_not_filled(tmp_path: Path, monkeypatch):
    size = models.save_model(cox(), "One", folder=tmp_path).size
    monkeypatch.setattr(models, "MOST_KEPT", int(1.5 * size))
    with pytest.raises(Fixable, match="are the most"):
        models.save_model(cox(), "Two", folder=tmp_path)
    assert len(models.list_models(folder=tmp_path)) == 1
