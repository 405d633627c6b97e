"""Files of a standard on the page: what may be chosen, what is counted before anything is kept, and next month's."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.pages.reader import Reader
from tests.pages.test_page_import import bring

HEART = {"system": "http://snomed.info/sct", "code": "53741008", "display": "Coronary heart disease (disorder)"}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pages wait for what is read in the background; each test has a data folder of its own."""
    monkeypatch.setenv("BEDSIDE_PATIENCE", "90")
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))


def export(n: int) -> bytes:
    """Patients seen in 2005, ill from 2010 on; every second one died in 2014, every third without a date."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(n):
            dead = {1: {"deceasedDateTime": "2014-01-01"}, 2: {"deceasedBoolean": True}}.get(i % 3, {})
            about = {"subject": {"reference": f"Patient/p{i}"}}
            told = [
                {"resourceType": "Patient", "id": f"p{i}", "birthDate": "1950-02-01", **dead},
                {"resourceType": "Condition", "onsetDateTime": "2010-01-01", "code": {"coding": [HEART]}, **about},
                {"resourceType": "Encounter", "period": {"start": "2005-01-01", "end": "2013-01-01"}, **about},
            ]
            archive.writestr(f"export/{i}.ndjson", "\n".join(map(json.dumps, told)))
    return packed.getvalue()


def test_an_archive_of_fhir_is_chosen_from_kept_and_read_the_same_next_month():
    reader = bring(Reader(cohort="gbsg2_breast"), ("export.zip", export(15)))
    assert "FHIR R4 resources : 0.ndjson, 1.ndjson" in reader.text
    assert "15 files : 45 read, 45 used." in reader.text
    assert (
        "Death. deceased[x] : a date (5) = dead, none, followed to the last contact (5) = alive: "
        "5 events of 10; follow-up 1,096 to 1,461 days"
    ) in reader.text
    assert "5 left out: dead, and nobody wrote down when." in reader.text
    reader.unfold("import_choices_more").choose("import_choice_undated", "last contact")
    assert "no date, taken as of the last contact (5) = dead" in reader.text
    assert "10 events of 15; follow-up 1,096 to 1,461 days" in reader.text
    assert reader.at.button(key="import_sources_go").disabled
    reader.choose("import_cohort_0", True).choose("import_cohort_title_0", "Heart clinic").click("import_sources_go")
    assert "Imported 1 cohort" in reader.text
    reader.click("import_open_0")
    (cohort,) = [entry for entry in reader.at.session_state["entries"] if entry.title == "Heart clinic"]
    assert "15 patients" in reader.text
    assert "10 death" in " ".join(reader.text.split())

    reader.open("import_data").click("import_next")
    bring(reader, ("export.zip", export(18)))
    assert "6 events of 12" in reader.text
    reader.click("import_source_last")
    assert "12 events of 18" in reader.text
    reader.choose("import_cohort_0", True)
    assert reader.at.text_input(key="import_cohort_title_0").value == "Heart clinic"
    assert reader.at.selectbox(key="import_cohort_becomes_0").value == cohort.key


def test_a_table_with_its_dictionary_comes_back_in_one_click():
    """Dropped together as they lie in what is taken along, they are a cohort and no plain table."""
    place = Path("sample_data/lung_ncctg")
    files = [(name, (place / name).read_bytes()) for name in ("data.csv", "dictionary.json")]
    reader = bring(Reader(cohort="gbsg2_breast"), *files)
    assert "A cohort of Bedside : data.csv, dictionary.json" in reader.text
    assert "165 events of 228" in reader.text
    reader.click("import_sources_go")
    assert "Imported 1 cohort" in reader.text and "Your choices are remembered" not in reader.text
    reader.click("import_open_0")
    assert "228 patients" in reader.text
