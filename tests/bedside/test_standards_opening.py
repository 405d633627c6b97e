"""Sources as the page brings them: archives unpacked, answers taken into a recipe, the recipe run again next month."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.intake.opening_sources import SourceRead, answer, bring, keep_source, look_at, read_source
from bedside.intake.standards.unpacked import is_archive, opened_up, unpack
from bedside.store.cohorts_kept import list_kept, open_folder

HEART, STROKE = "SNOMED 53741008", "SNOMED 230690007"
DISEASES = {HEART: "Coronary heart disease", STROKE: "Stroke"}


def zipped(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def tarred(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            told = tarfile.TarInfo(name)
            told.size = len(text.encode())
            archive.addfile(told, io.BytesIO(text.encode()))
    return path


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


def fhir(n: int = 12) -> dict[str, str]:
    """Patients with a heart disease, every third with a stroke a year later; every second one dies."""
    files = {}
    for i in range(n):
        who = {"reference": f"Patient/p{i}"}
        end = "2014-01-01"

        def ill(code: str, when: str, who: dict = who) -> dict:
            coding = {"system": "http://snomed.info/sct", "code": code.split()[1], "display": DISEASES[code]}
            return {"resourceType": "Condition", "subject": who, "code": {"coding": [coding]}, "onsetDateTime": when}

        told = [{"resourceType": "Patient", "id": f"p{i}", "gender": "female", "birthDate": "1950-01-01",
                 **({"deceasedDateTime": end} if i % 2 else {})},
                ill(HEART, "2010-01-01"), *([ill(STROKE, "2011-01-01")] if i % 3 == 0 else []),
                {"resourceType": "Encounter", "subject": who, "period": {"end": end}}]  # fmt: skip
        files[f"export/{i}.ndjson"] = lines(*map(json.dumps, told))
    return files


def omop() -> dict[str, str]:
    people = [f"{i},8507,1950" for i in range(1, 13)]
    return {
        "cdm/person.csv": lines("person_id,gender_concept_id,year_of_birth", *people),
        "cdm/death.csv": lines("person_id,death_date", *(f"{i},2012-01-01" for i in range(1, 5))),
        "cdm/observation_period.csv": lines(
            "person_id,observation_period_start_date,observation_period_end_date",
            *(f"{i},2000-01-01,{2011 if i == 1 else 2015}-01-01" for i in range(1, 13))),
        "cdm/cohort.csv": lines(
            "cohort_definition_id,subject_id,cohort_start_date,cohort_end_date",
            *(f"1,{i},2010-01-01,2010-02-01" for i in range(1, 13)),
            *(f"2,{i},2011-06-01,2011-07-01" for i in range(1, 7))),
    }  # fmt: skip


def study() -> dict[str, str]:
    rows = [f"P{i}\t{i % 2}:{'DECEASED' if i % 2 else 'LIVING'}\t{10 + i}\t{i % 3 > 0:d}:x\t{5 + i}" for i in range(12)]
    mutations = [f"TP53\tS{i}\tMissense_Mutation" for i in range(4)]
    return {
        "brca/meta_study.txt": lines("type_of_cancer: brca", "cancer_study_identifier: brca_x", "name: A study",
                                     "description: x"),
        "brca/data_clinical_patient.txt": lines("PATIENT_ID\tOS_STATUS\tOS_MONTHS\tPFS_STATUS\tPFS_MONTHS", *rows),
        "brca/data_clinical_sample.txt": lines("PATIENT_ID\tSAMPLE_ID", *(f"P{i}\tS{i}" for i in range(12))),
        "brca/data_mutations.txt": lines("Hugo_Symbol\tTumor_Sample_Barcode\tVariant_Classification", *mutations),
    }  # fmt: skip


def trial() -> dict[str, str]:
    ends = [f"T1,{i},{code},{label},{value + i},DAYS,{i % 2}" for i in range(12)
            for code, label, value in (("OS", "Overall survival", 100), ("PFS", "Progression", 50))]  # fmt: skip
    return {
        "adsl.csv": lines("STUDYID,USUBJID,ARM,AGE,ITTFL",
                          *(f"T1,{i},{'AB'[i % 2]},{50 + i},{'N' if i == 11 else 'Y'}" for i in range(12))),
        "adtte.csv": lines("STUDYID,USUBJID,PARAMCD,PARAM,AVAL,AVALU,CNSR", *ends),
    }  # fmt: skip


def meds() -> dict[str, bytes]:
    rows = [(i, t, code) for i in range(12) for t, code in (
        ("2010-01-01", "ICD10CM//I21.0"), ("2010-06-01", "RX//A"), ("2012-01-01", "VISIT"))]  # fmt: skip
    rows += [(i, "2013-01-01", "MEDS_DEATH") for i in range(4)]
    who, when, code = zip(*rows, strict=True)
    table = pa.table({"subject_id": pa.array(who, pa.int64()), "code": list(code),
                      "time": pa.array(when).cast(pa.timestamp("us"))})  # fmt: skip
    pq.write_table(table, made := io.BytesIO())
    named = json.dumps({"dataset_name": "MIMIC", "meds_version": "0.4"})
    return {"data/train/0.parquet": made.getvalue(), "metadata/dataset.json": named.encode()}


def brought(folder: Path, files: dict[str, str | bytes]) -> Path:
    """A folder as an upload leaves it: one archive."""
    (folder / "files").mkdir(parents=True)
    zipped(folder / "files" / "export.zip", files)
    found = bring(folder / "files", folder / "files" / "export.zip", "export.zip", folder, None, False)
    assert isinstance(found, tuple)
    return folder / "files"


def now(read: SourceRead, key: str) -> tuple[str, ...]:
    return next(each.now for each in read.offers if each.key == key)


def sizes(read: SourceRead) -> list[tuple[int, str, int]]:
    """Patients and first outcome of each cohort, as it opens."""
    cohorts = [read_cohort(folder) for folder in read.folders]
    return [(len(each), each.outcomes[0].label, int(each.event(each.outcomes[0]).sum())) for each in cohorts]


KINDS = [
    (fhir, "follow", (STROKE, "contact"), [(4, "Death", 2), (12, "Death", 6)]),
    (omop, "whom", ("cohort 2",), [(5, "Overall survival", 3)]),
    (study, "main", ("PFS",), [(12, "Progression-free survival", 8)]),
    (trial, "population", (), [(12, "Overall survival", 6)]),
    (meds, "follow", ("RX//A",), [(12, "Death", 4)]),
]


@pytest.mark.parametrize(("make", "key", "values", "then"), KINDS)
def test_an_answer_changes_what_is_read_and_holds_next_month(tmp_path, make, key, values, then):
    place = brought(tmp_path / "now", make())
    first = read_source(place, 0, tmp_path / "first")
    recipe = json.loads(json.dumps(answer(first.recipe, key, values)))
    second = read_source(place, 0, tmp_path / "second", recipe)
    assert sizes(second) == then != sizes(first)
    assert set(now(second, key)) == set(values)

    later = brought(tmp_path / "later", make() | {"export/notes.txt": "Words of the new month, which nobody reads."})
    again = read_source(later, 0, tmp_path / "again", json.loads(json.dumps(second.recipe)))
    assert sizes(again) == then
    assert again.signature == first.signature
    assert again.names == second.names


def test_further_answers(tmp_path, monkeypatch):
    monkeypatch.setenv("BEDSIDE_DATA", str(tmp_path / "data"))
    place = brought(tmp_path / "in", fhir())
    read = read_source(place, 0, tmp_path / "read")
    assert sizes(read) == [(12, "Death", 6), (12, "Death", 6)]
    assert [code for code, _ in next(each.options for each in read.offers if each.key == "follow")] == [
        "contact", HEART, STROKE, "birth"]  # fmt: skip
    one = answer(answer(read.recipe, "follow", (HEART, STROKE)), "together", ("yes",))
    assert [each["codes"] for each in one["options"]["cohorts"]] == [(HEART, STROKE)]
    told = answer(answer(one, "pseudonyms", ("yes",)), "time_zone", ("Europe/Berlin",))
    named = read_source(place, 0, tmp_path / "named", told)
    assert not set(read_cohort(named.folders[0]).identifiers) & {f"p{i}" for i in range(12)}
    (kept,) = keep_source(named, (0,), "export.zip", "local", {0: "Heart or brain"}, {})
    (newer,) = keep_source(named, (0,), "export.zip", "local", {}, {0: kept.key})
    assert (kept.title, newer.key, newer.version) == ("Heart or brain", kept.key, 2)
    assert [each.version for each in list_kept(reader="local") if each.key == kept.key]
    for wrong in ({"kind": "omop", "options": {}}, {"kind": "fhir", "options": {"cohort": 1}}, {}, {"kind": "x"}):
        with pytest.raises(Fixable, match="can't be followed"):
            read_source(place, 0, tmp_path / "wrong", wrong)
    with pytest.raises(Fixable):
        answer(read.recipe, "nothing", ("x",))
    gone = answer(read.recipe, "follow", ("SNOMED 1",))
    with pytest.raises(Fixable, match="Nobody can be followed"):
        read_source(place, 0, tmp_path / "gone", gone)


# ------------------------------------------------------------------ archives


def test_a_packed_study_is_read_as_it_is_published(tmp_path):
    (tmp_path / "files").mkdir()
    tarred(tmp_path / "files" / "brca_x.tar.gz", study())
    place = opened_up(tmp_path / "files", tmp_path / "unpacked")
    assert [each.kind for each in look_at(place)] == ["cbioportal"]
    zipped(tmp_path / "files" / "two.zip", {"a/b.csv": "x,y\n1,2\n"})
    place = opened_up(tmp_path / "files", tmp_path / "unpacked")
    assert sorted(each.kind for each in look_at(place)) == ["cbioportal", "table"]


def test_an_archive_writes_nothing_outside_and_swells_within_bounds(tmp_path):
    names = {"../../evil.csv": "a", "/etc/evil.csv": "b", "..\\evil.csv": "c", "__MACOSX/x": "d", ".hidden": "e",
             "a/\x1bb\n.csv": "f"}  # fmt: skip
    unpack(zipped(tmp_path / "odd.zip", names), tmp_path / "odd")
    assert [p for p in tmp_path.iterdir() if p.name not in ("odd", "odd.zip")] == []
    found = sorted(str(p.relative_to(tmp_path / "odd")) for p in (tmp_path / "odd").rglob("*") if p.is_file())
    assert found == ["2_evil.csv", "a/_b_.csv", "etc/evil.csv", "evil.csv"]
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        told = tarfile.TarInfo("link.csv")
        told.type, told.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(told)
    assert unpack(tmp_path / "links.tar", tmp_path / "links") == 0
    zipped(tmp_path / "bomb.zip", {"a.csv": bytes(300 * 2**20)})
    with pytest.raises(Fixable, match="unpacks to more than 100 times"):
        unpack(tmp_path / "bomb.zip", tmp_path / "bomb")
    short = (tmp_path / "odd.zip").read_bytes()
    (tmp_path / "short.zip").write_bytes(short[: len(short) // 2])
    assert not is_archive(tmp_path / "short.zip")
    zipped(tmp_path / "book.xlsx", {"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"})
    assert not is_archive(tmp_path / "book.xlsx")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    assert not is_archive(tmp_path / "table.csv")


def test_names_of_files_stay_on_the_readers_screen(tmp_path):
    """Some exports call a file by its patient: neither the report that is kept nor the cohort says so."""
    files = {name.replace("export/", "export/Andy_Schaden_"): text for name, text in fhir().items()}
    place = brought(tmp_path, files)
    read = read_source(place, 0, tmp_path / "read")
    assert "Andy_Schaden" in read.report.files[0].name
    (kept,) = keep_source(read, (0,), "12 files of FHIR R4 resources", "local")
    assert b"Schaden" not in read.told
    folder = open_folder(kept.key, reader="local")
    assert not [file for file in folder.iterdir() if b"Schaden" in file.read_bytes()]
    assert json.loads((folder / "report.json").read_bytes())["files"][1]["name"] == "file 2"


@pytest.mark.parametrize(
    ("files", "column", "ends"),
    [
        (study, "OS_STATUS", [("1:DECEASED", "dead", 6), ("0:LIVING", "alive", 6)]),
        (trial, "CNSR of OS", [("0", "dead", 6), ("1", "alive", 5)]),
        (fhir, "deceased[x]", [("a date", "dead", 6), ("none, followed to the last contact", "alive", 6)]),
        (meds, "MEDS_DEATH", [("a date", "dead", 4), ("none, followed to the last contact", "alive", 8)]),
        (omop, "DEATH", [("a date", "dead", 3), ("none up to the end of observation", "alive", 8),
                         ("a date after the end of observation", "alive", 1)]),
    ],
)  # fmt: skip
def test_how_the_events_are_read_is_told_of_every_standard(files, column, ends, tmp_path):
    read = read_source(brought(tmp_path, files()), 0, tmp_path / "read")
    told = read.report.cohorts[0].outcomes[0]
    assert (told.column, [(end.written, end.means, end.n) for end in told.ends]) == (column, ends)
