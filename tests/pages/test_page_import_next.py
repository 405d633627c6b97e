"""Next month's file: what is the same is answered already, and what is another is said before anything is imported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pages.reader import Reader
from tests.pages.test_page_import import DIED, N, bring, codes_of, registry, staged


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BEDSIDE_PATIENCE", "90")
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))


def changed() -> bytes:
    """The registry with a new column, without another, with a word that nobody knows and a row of a patient twice."""
    head, *rows = registry().decode("cp1252").split("\n")
    kept = [line.rsplit(";", 1)[0] for line in (head, *rows)]
    lines = [f"{kept[0]};Zentrum", *(f"{line};{'AB'[i % 2]}" for i, line in enumerate(kept[1:]))]
    lines[5] = lines[5].replace("verstorben", "xyz").replace("lebend", "xyz")
    lines[6] = lines[6].replace("verstorben", "Verstorben").replace("lebend", "LEBEND")
    return "\n".join([*lines, lines[1].replace(";40,5;", ";41,5;")]).encode("cp1252")


def test_what_is_another_in_next_months_file_is_said_and_nothing_of_it_is_imported_unseen():
    reader = bring(Reader(cohort="gbsg2_breast"), ("Register 2024.csv", registry()))
    reader.choose("import_o0_sure", True).choose("import_title", "Register").click("import_go").click("import_next")
    bring(reader, ("Register 2025.csv", changed()))
    assert "This file looks like the one that “Register” was made of." in reader.text
    assert "New in this file: “Zentrum”. What it is is guessed." in reader.text
    assert "No longer in it: “Größe (cm)”." in reader.text and "can't be read as last time" not in reader.text
    reader.click("import_last")
    new = ("“LEBEND” = alive", "“Verstorben” = Death")[bool(DIED[5])]
    assert f"New in “Status”: {new}." in reader.text
    assert "Death: “xyz” (1 row) has no meaning yet." in reader.text
    reader.choose(codes_of(reader)["xyz"], "missing")
    twice = "1 row has an identifier that another row has."
    assert f"{twice} Choose what to do, under What does not fit ." in reader.text
    reader.choose("import_o0_sure", True)
    assert "has no meaning yet" not in reader.text and reader.at.button(key="import_go").disabled  # one patient twice
    (keep,) = [b.key for b in reader.at.button if b.label == "Keep the first row of each identifier"]
    reader.click(keep).choose("import_o0_sure", True)
    assert twice not in reader.text and not reader.at.button(key="import_go").disabled
    reader.click("import_go")
    assert f"Imported: Register 2025 {N - 1} patients" in reader.text and staged() == []
    died = int(DIED.sum() - DIED[4])
    assert f"Death : {died} events of {N - 1}" in reader.text


def test_a_file_that_cannot_be_read_leaves_the_others_and_what_was_put_right_is_told():
    lines = registry().decode("cp1252").split("\n")
    lines[3] = lines[3].replace(";42,5;", ";999;")
    lines[4] = lines[4].replace(";43,5;", ";999;")
    broken = ("0.csv", b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.")
    reader = bring(Reader(cohort="gbsg2_breast"), broken, ("Register.csv", "\n".join(lines).encode("cp1252")))
    assert [stop.split(".")[0] for stop in reader.stops] == ["**This file was not read"]
    reader.choose("import_which", "1")
    assert reader.stops == [] and "All 60 rows would become patients." in reader.text
    assert "each can be put right with one click" in reader.text
    (fix,) = [b.key for b in reader.at.button if b.label.startswith("Count impossible values of “Alter”")]
    reader.click(fix).choose("import_o0_sure", True).click("import_go")
    report = reader.table("What was read, kept and left out")
    assert ["Count impossible values of “Alter” as not recorded (0 to 120 is possible)", "2 changed", ""] in report
    assert ["Patients", "60", ""] in report
    assert [b.label for b in reader.at.get("download_button")] == ["Report (JSON)", "Recipe (JSON)"]


def test_a_recipe_that_was_downloaded_is_used_on_another_file(tmp_path: Path):
    reader = bring(Reader(cohort="gbsg2_breast"), ("Register 2024.csv", registry()))
    lebend, verstorben = codes_of(reader)["lebend"], codes_of(reader)["verstorben"]
    reader.choose(lebend, "event").choose(verstorben, "censored").choose("import_o0_sure", True)
    reader.choose("import_title", "Turned").click("import_go")
    (file,) = (tmp_path / "data" / "cohorts").rglob("recipe.json")
    told = json.loads(file.read_text())
    told["plan"]["steps"] = [{"kind": "drop_outside", "column": "Alter", "high": 89.0, "said": "Leave out the old"}]

    bring(reader.click("import_next"), ("Other.csv", changed()))
    reader.unfold("import_recipe_menu")
    for data, why in ((b"[" * 100_000, "It is no JSON."), (b"[]", "It is no recipe of a table."),
                      (json.dumps({"plan": {**told["plan"], "time_zone": "../x"}}).encode(), "Its time zone"),
                      (b'{"plan": {"columns": 7}}', "not of the form")):  # fmt: skip
        use(reader, data)
        assert any(why in stop for stop in reader.stops) and "Death: xyz = not known, lebend" not in reader.text
    use(reader, json.dumps(told).encode())
    assert reader.stops == [] and "The recipe of “Turned” is used." in reader.text
    assert "No longer in it: “Größe (cm)”." in reader.text and "New in this file: “Zentrum”." in reader.text
    assert "Leave out the old (11 rows fewer)" in reader.text
    assert "lebend = Death" in reader.box("Death:", "events of")
    reader.click("import_last_undo")
    assert (
        "verstorben or Verstorben = Death" in reader.box("Death:", "events of") and "The recipe of" not in reader.text
    )


def use(reader: Reader, recipe: bytes) -> None:
    """Bring a recipe for the file that is open."""
    (uploader,) = [each for each in reader.at.file_uploader if each.label == "Recipe"]
    uploader.set_value([("recipe.json", recipe, "application/json")])
    reader.run()
