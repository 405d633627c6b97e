"""What was found in a file stays with its cohort: on the page after the import, on Overview and on Saved."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.pages.reader import Reader
from tests.pages.test_page_import import bring, bundle, codes_of


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pages wait for what is read in the background; each test has a data folder of its own."""
    monkeypatch.setenv("BEDSIDE_PATIENCE", "90")
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))


def export(n: int = 60) -> bytes:
    """A title above the names, a status that nobody knows, contacts to come, and a sum below."""
    lines = ["Register of a town", "", "Patientennummer;Alter;Erstdiagnose;Letzter Kontakt;Status"]
    for i in range(n):
        start = date(2010, 1, 1) + timedelta(days=20 * i)
        end = date(2099, 1, 1) if i in (7, 8) else start + timedelta(days=100 + 11 * i)
        state = "verwunschen" if i in (3, 5) else "verstorben" if i % 3 else "lebend"
        lines.append(f"PN{i:04d};{40 + i % 30};{start:%d.%m.%Y};{end:%d.%m.%Y};{state}")
    return "\n".join([*lines, f"Summe: {n};;;;"]).encode()


def test_what_was_found_is_told_in_the_files_own_rows_answered_and_kept_with_the_cohort():
    reader = bring(Reader(cohort="gbsg2_breast"), ("Register.csv", export()))
    assert "2 rows say “verwunschen”: what does it mean?" in reader.text
    assert "“verwunschen” (2 rows) has no meaning yet." in reader.text
    assert "2 without a known status (rows 7 (PN0003), 9 (PN0005))" in reader.text
    reader.choose("import_o0_sure", True)
    assert reader.at.button(key="import_go").disabled  # a tick is no answer
    assert "lies in the future in 2 rows. (rows 11 (PN0007), 12 (PN0008))" in reader.text
    reader.choose(codes_of(reader)["verwunschen"], "missing")  # an answer as good as any
    assert "what does it mean?" not in reader.text and "has no meaning yet" not in reader.text
    assert "fills one cell at most" in reader.text and "(row 64 (Summe: 60))" in reader.text
    (fix,) = [b.key for b in reader.at.button if b.label.startswith("Leave out lines below the table")]
    reader.click(fix).choose("import_title", "Register").choose("import_o0_sure", True).click("import_go")
    line = "lies in the future in 2 rows; not put right · 1 finding was put right · 3 rows were left out"
    assert "Imported: Register 58 patients" in reader.text and line in reader.text
    assert "No known status" in reader.text or "no known status" in reader.text

    reader.click("import_open").open("overview")
    where = reader.text.index("Where it comes from")
    assert line in reader.text[where:] and "Imported from Register.csv" in reader.text[where:]
    assert reader.text[where:].index("Imported from") < reader.text[where:].index("Not published.")
    reader.unfold("overview_quality")
    found = reader.table("What was found in the file")
    assert any(row[2] == "11, 12" and row[3] == "not put right" for row in found)
    assert any(row[2] == "64" and row[3].startswith("put right: Leave out lines below") for row in found)
    assert ["No known status", "2", "7, 9"] in reader.table("Rows that were left out")
    (cohort,) = [entry for entry in reader.at.session_state["entries"] if entry.title == "Register"]
    told = (cohort.folder / "report.json").read_text()
    assert "PN00" not in told and json.loads(told)["quality"]["of"] == 60

    reader.open("library").unfold(f"library_versions_{cohort.key}")
    assert line in reader.text
    reader.unfold(f"library_quality_{cohort.key}_1")
    assert ["No known status", "2", "7, 9"] in reader.table("Rows that were left out")


def test_what_was_read_of_files_of_a_standard_stays_with_their_cohort():
    files = [(f"{i}.json", bundle(i, "2019-05-01" if i % 2 else "")) for i in range(4)]
    reader = bring(Reader(cohort="gbsg2_breast"), *files).choose("import_cohort_0", True).click("import_sources_go")
    reader.click("import_open_0").open("overview")
    assert "Quality at import: 12 records were read, 0 not used" in reader.text
    reader.unfold("overview_quality")
    assert reader.stops == []
