"""A file becomes a cohort: what is read of it, what is asked, what may be changed, and what is kept."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from bedside.intake.sample import sample_file
from tests.pages.made import HOSTILE, PLANTED
from tests.pages.reader import Reader

N = 60
RNG = np.random.default_rng(11)
DAYS = RNG.choice(np.arange(40, 1500), N, replace=False)
DIED = RNG.random(N) < 0.55
HEAD = "Patientennummer;Alter;Geschlecht;Erstdiagnose;Letzter Kontakt;Status;Größe (cm)"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pages wait for what is read in the background; each test has a data folder of its own."""
    monkeypatch.setenv("BEDSIDE_PATIENCE", "90")
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))


def registry(n: int = N) -> bytes:
    """A German registry in the old encoding of Windows, with two-digit years and decimal commas."""
    lines = [HEAD]
    for i in range(n):
        start = date(2009, 3, 1) + timedelta(days=31 * i)
        end = start + timedelta(days=int(DAYS[i % N]))
        state = "verstorben" if DIED[i % N] else "lebend"
        lines.append(f"{i:05d};{40 + i}" + f",5;{'mw'[i % 2]};{start:%d.%m.%Y};{end:%d.%m.%y};{state};1{60 + i % 30},0")
    return "\n".join(lines).encode("cp1252")


def bring(reader: Reader, *files: tuple[str, bytes]) -> Reader:
    """Drop files on the page."""
    reader.open("import_data")
    reader.at.file_uploader[0].set_value([(name, content, "text/plain") for name, content in files])
    return reader.run()


def codes_of(reader: Reader) -> dict[str, str]:
    """The fields of the first outcome's codes."""
    return {box.label.split()[0]: box.key for box in reader.at.selectbox if box.key.startswith("import_o0_code")}


def staged() -> list[Path]:
    """Folders of files that are being brought."""
    place = Path(os.environ["BEDSIDE_DATA"]) / "staging"
    return list(place.iterdir()) if place.is_dir() else []


def median(days: np.ndarray, died: np.ndarray) -> int:
    """The first day at which the product limit is at or below one half, by hand."""
    alive = 1.0
    for day in np.sort(days):
        if died[days == day][0]:
            alive *= 1 - 1 / np.sum(days >= day)
        if alive <= 0.5:
            return int(day)
    raise AssertionError("half of them are alive at the end")


def test_a_registry_becomes_a_cohort_and_next_months_file_its_second_version():
    reader = bring(Reader(cohort="gbsg2_breast"), ("Register 2024.csv", registry()))
    events = int(DIED.sum())
    sentence = reader.box("Death: verstorben = Death", "events of")
    assert f"{events} events of 60" in sentence and "All 60 rows would become patients." in reader.text
    assert f"follow-up {DAYS.min()} to {DAYS.max():,} days, median {np.median(DAYS):,.0f}" in sentence.replace(".5", "")
    assert "60 rows · 7 columns · Text · Western European (Windows-1252) · parted by semicolon" in reader.text
    assert "Row Patientennummer identifier" in reader.text and "Erstdiagnose date, day first" in reader.text
    go = reader.at.button(key="import_go")
    assert go.disabled and "Still to decide ! Death: read the sentence above , and tick if it is right." in reader.text

    reader.open("survival").open("import_data")  # nothing is lost on the way
    reader.choose("import_o0_sure", True)
    assert not reader.at.button(key="import_go").disabled
    reader.choose(codes_of(reader)["lebend"], "missing")  # what was confirmed is no longer what is read
    assert reader.at.button(key="import_go").disabled and not reader.at.checkbox(key="import_o0_sure").value
    reader.choose(codes_of(reader)["lebend"], "censored").choose("import_title", "Register")
    reader.choose("import_o0_sure", True).click("import_go")
    assert "Imported: Register 60 patients" in reader.text and staged() == []
    report = reader.table("What was read, kept and left out")
    assert ["Rows in the file", "60", ""] in report and ["Patients", "60", ""] in report

    reader.click("import_open").open("survival")
    assert f"60 patients, {events} events" in reader.text
    (cohort,) = [entry for entry in reader.at.session_state["entries"] if entry.title == "Register"]
    assert json.loads((cohort.folder / "recipe.json").read_text())["plan"]["identifier"] == "Patientennummer"
    half = median(DAYS, DIED)
    said = " ".join(reader.medians[0])
    assert f"{half:,} days" in said or f"{half / 365.25:.1f} years" in said or f"{half / 30.4375:.0f}" in said, said

    reader.open("import_data").click("import_next")
    bring(reader, ("Register 2025.csv", registry(N + 1))).click("import_last")
    assert "Last time's answers are used." in reader.text
    assert reader.at.selectbox(key="import_becomes").value == cohort.key  # the next version of what they made
    reader.choose("import_title", "Register").choose("import_o0_sure", True).click("import_go")
    assert "61 patients" in reader.text and "version 2" in reader.text
    assert "Patients: 60 before, 61 now (1 new, 0 no longer there)" in reader.text
    reader.open("library").unfold(f"library_versions_{cohort.key}")
    assert "Version 2" in reader.text and "from Register 2024.csv" in reader.text
    reader.unfold(f"library_delete_{cohort.key}")
    assert "With Register go, for everybody and for good: 2 versions" in reader.text
    reader.click(f"library_delete_yes_{cohort.key}")
    assert "“Register” is deleted: 2 versions" in reader.text and not cohort.folder.exists()


def messy() -> bytes:
    """Names and cells that somebody wrote to break a page, codes that nobody knows, and two rows that stand twice."""
    rows = ["\t".join(["code", HOSTILE[0], "months", "outcome state", "note"])]
    for i in range(40):
        state = "QX" if i % 3 else "ZW"
        rows.append("\t".join([f"P{i}", HOSTILE[i % len(HOSTILE)], str(3 + i), state, f"{PLANTED} {i}"]))
    return "\n".join([*rows, rows[4], rows[5]]).encode()


def test_guesses_are_changed_in_place_steps_are_undone_and_text_stays_text():
    name = f"{HOSTILE[1]}.csv"
    reader = bring(Reader(cohort="gbsg2_breast"), (name, messy()))
    assert "<script>" not in reader.raw.lower() and "<img" not in reader.raw.lower()
    assert all(PLANTED not in value for value in reader.link.values())
    while any(button.key == "import_o0_remove" for button in reader.at.button):
        reader.click("import_o0_remove")
    reader.click("import_add")
    assert "Say below which columns hold the follow-up and what happened." in reader.text
    reader.choose("import_o0_time", "months").choose("import_o0_unit", "months")
    reader.choose("import_o0_status", "outcome state")
    codes = codes_of(reader)
    reader.choose(codes["ZW"], "event").choose(codes["QX"], "censored")
    assert "ZW = Event" in reader.text and "15 events of 42" in reader.text  # 14 of 40 and one that stands twice
    (fix, *_) = [b.key for b in reader.at.button if (b.key or "").startswith("import_fix_0")]
    reader.click(fix)
    assert "14 events of 40" in reader.text
    reader.click("import_undo_0")
    assert "15 events of 42" in reader.text
    reader.unfold("import_closer").choose("import_one", "months").choose("import_one_missing", "3; 4")
    assert "2 without follow-up (rows 2, 3)" in reader.text
    reader.choose("import_one_kind", "text")  # follow-up has to be a number
    assert reader.at.session_state["import_one_kind"] == "continuous"
    assert staged()
    reader.click("import_another")
    assert staged() == [] and reader.at.file_uploader


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.", "This file was not read."), (b"", "The file is empty.")],
)
def test_what_is_no_table_is_refused_with_a_way_out(content: bytes, said: str):
    reader = bring(Reader(cohort="gbsg2_breast"), ("table.csv", content))
    (stop,) = reader.stops
    assert said in stop and "table.csv" not in stop
    if content:
        reader.click("import_another")
    assert reader.at.file_uploader and staged() == []


def bundle(i: int, died: str) -> bytes:
    """A patient with a condition and a contact, as FHIR R4 has it."""
    told = {
        "resourceType": "Bundle", "type": "collection", "entry": [
            {"fullUrl": f"urn:uuid:p{i}", "resource": {
                "resourceType": "Patient", "id": f"p{i}", "gender": "female", "birthDate": "1950-02-01",
                **({"deceasedDateTime": died} if died else {})}},
            {"resource": {
                "resourceType": "Encounter", "id": f"a{i}", "status": "finished", "class": {"code": "AMB"},
                "subject": {"reference": f"urn:uuid:p{i}"}, "period": {"start": "2015-01-10", "end": "2015-01-10"}}},
            {"resource": {
                "resourceType": "Encounter", "id": f"b{i}", "status": "finished", "class": {"code": "AMB"},
                "subject": {"reference": f"urn:uuid:p{i}"}, "period": {"start": "2018-01-10", "end": "2018-01-10"}}},
        ],
    }  # fmt: skip
    return json.dumps(told).encode()


def test_files_of_a_standard_are_recognised_and_kept_only_once_they_were_looked_at():
    files = [(f"{i}.json", bundle(i, "2019-05-01" if i % 2 else "")) for i in range(4)]
    reader = bring(Reader(cohort="gbsg2_breast"), *files)
    assert "FHIR R4 resources : 0.json, 1.json, 2.json, 3.json" in reader.text
    assert "2 events of 4; follow-up 1,096 to 1,572 days" in reader.text
    reader.unfold("import_each_file")
    assert [row[0] for row in reader.table("What was read of each file")[1:]] == [name for name, _ in files]
    assert reader.at.button(key="import_sources_go").disabled
    reader.choose("import_cohort_0", True).click("import_sources_go")
    assert "Imported 1 cohort" in reader.text and staged() == []


def test_the_sample_file_is_read_as_it_is_meant():
    reader = Reader(cohort="gbsg2_breast").open("import_data")
    assert "It stays on this machine." in reader.text
    assert [b.key for b in reader.at.get("download_button")] == ["import_sample"]
    text = sample_file().decode("utf-8-sig")
    assert text.count("\r\n") == 121 and text.startswith("patient_id;sex;age;")
