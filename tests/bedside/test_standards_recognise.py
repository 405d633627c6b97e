"""What lies in a folder, by content; the folder every import ends in; the benchmark that reads them all."""

from __future__ import annotations

import gzip
import json
import pickle
from dataclasses import asdict
from datetime import datetime

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from bedside.errors import Fixable
from bedside.intake.read import read_cohort
from bedside.intake.standards.any_source import read_source
from bedside.intake.standards.export_cbioportal import export_cbioportal
from bedside.intake.standards.export_csv import export_csv
from bedside.intake.standards.folder import FileRead, ImportReport, Made, counted, report_of, write_folder
from bedside.intake.standards.recognise import recognise
from benchmarks.imports import by_hand, main
from tests.serving import ROOT

PERSON = "person_id,gender_concept_id,year_of_birth\n1,8507,1950\n"


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """A folder with something of every kind; names say nothing."""
    root = tmp_path_factory.mktemp("everything")
    texts = {
        "a/1.dat": PERSON, "a/2.dat": "person_id,death_date\n1,2020-01-01\n",
        "b/x.csv": "USUBJID,PARAMCD,AVAL,CNSR\na,OS,1,0\n", "b/y.csv": "USUBJID;ARM;AGE\na;x;3\n",
        "b/z.csv": "USUBJID,DOMAIN,AGE\na,DM,3\n", "b/w.csv": "USUBJID\tPARAMCD\tAVAL\na\tALT\t3\n",
        "c/one.json": '{\n "resourceType": "Bundle", "type": "collection", "entry": []}',
        "c/two": '{"resourceType":"Patient","id":"1"}\n{"resourceType":"Patient","id":"2"}\n',
        "d/meta_study.txt": "type_of_cancer: brca\ncancer_study_identifier: s\nname: n\ndescription: d\n",
        "d/p.txt": "PATIENT_ID\tAGE\na\t3\n", "d/m.txt": "Hugo_Symbol\tTumor_Sample_Barcode\nTP53\ta1\n",
        "d/case_lists/cases_all.txt": "cancer_study_identifier: s\nstable_id: s_all\ncase_list_name: All\n"
                                      "case_list_description: All\ncase_list_ids: a1\n",
        "f/plain.csv": "age;days;dead\n61;812;0\n70;95;1\n", "f/records.json": '[{"age": 3}, {"age": 4}]',
        "f/README.md": "# Words\n\nJust words, and more of them.\n", "f/LICENSE": "Do as you like.\n",
        ".hidden": "passed over",
    }  # fmt: skip
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "f" / "packed.csv.gz").write_bytes(gzip.compress(b"age,days,dead\n61,812,0\n70,95,1\n"))
    (root / "e" / "data").mkdir(parents=True)
    (root / "e" / "metadata").mkdir()
    moment = datetime(2020, 1, 1)
    pd.DataFrame({"subject_id": [1], "time": [moment], "code": ["A"]}).to_parquet(root / "e" / "data" / "0.parquet")
    pd.DataFrame({"code": ["A"], "description": ["a"]}).to_parquet(root / "e" / "metadata" / "codes.parquet")
    duckdb.connect(str(root / "g.db")).close()
    export_csv(read_cohort(ROOT / "sample_data" / "lung_ncctg"), root / "h")
    (root / "i").mkdir()
    (root / "i" / "evil.csv").write_bytes(pickle.dumps([1, 2]))
    (root / "i" / "empty.csv").write_bytes(b"")
    (root / "i" / "noise").write_bytes(bytes(range(256)) * 40)
    (root / "i" / "half.parquet").write_bytes(b"PAR1" + b"\0" * 40)
    (root / "i" / "out").symlink_to("/etc/passwd")
    return root


def test_everything_is_recognised_by_content(everything):
    found = {
        (f.root.name, f.kind): [part.what for part in f.parts] for f in recognise(everything) if f.root.name != "f"
    }
    assert found[("a", "omop")] == ["person", "death"]
    assert sorted(found[("b", "adam")]) == ["ADSL", "ADTTE", "BDS", "SDTM"]
    assert found[("c", "fhir")] == ["Bundle", "Patient"]
    assert sorted(found[("d", "cbioportal")]) == ["case_list", "meta_study", "mutations", "patient"]
    assert sorted(found[("e", "meds")]) == ["codes", "data"]
    assert found[(everything.name, "omop")] == ["database"]
    assert sorted(found[("h", "cohort")]) == ["data", "dictionary"]
    plain = [(f.kind, f.files[0].name) for f in recognise(everything / "f")]
    assert plain == [("table", "packed.csv.gz"), ("table", "plain.csv"), ("table", "records.json"),
                     ("words", "LICENSE"), ("words", "README.md")]  # fmt: skip


def test_every_file_is_in_exactly_one_place(everything):
    named = [path for found in recognise(everything) for path in found.files]
    there = [path for path in everything.rglob("*") if path.is_file() and not path.name.startswith(".")]
    assert sorted(named) == sorted(there)


def test_what_is_not_understood_says_why(everything):
    whys = {f.files[0].name: f.parts[0].what for f in recognise(everything / "i")}
    assert {f.kind for f in recognise(everything / "i")} == {"unknown"}
    assert "a Python pickle" in whys["evil.csv"] and whys["empty.csv"] == "it is empty"
    assert whys["out"] == "it is a link that leads elsewhere" and "damaged Parquet" in whys["half.parquet"]
    assert set(whys) == {"evil.csv", "empty.csv", "noise", "half.parquet", "out"}


def test_a_single_file_and_no_folder(everything, tmp_path):
    (found,) = recognise(everything / "c" / "two")
    assert (found.kind, found.files[0].name) == ("fhir", "two")
    with pytest.raises(Fixable, match="not there"):
        recognise(tmp_path / "missing")
    assert recognise(tmp_path) == ()


def test_a_plain_table_is_no_standard(everything):
    with pytest.raises(Fixable, match="It is a table"):
        read_source(next(found for found in recognise(everything / "f") if found.kind == "table"))


# ------------------------------------------------------------------ the folder


DICTIONARY = {
    "title": "Made", "short_title": "Made", "identifier": "id",
    "variables": [{"name": "id", "kind": "identifier"}, {"name": "arm", "kind": "categorical"}],
    "outcomes": [{"key": "os", "label": "Survival", "time": "t", "unit": "days", "status": "s", "event": ["dead"],
                  "censored": ["alive"], "competing": {"Other": ["other"]},
                  "composite": {"label": "Any", "event_phrase": "have it", "free_phrase": "free"}}],
    "source": {"citation": "-", "licence": "-", "origin": "-"},
    "visits": {"patient": "id", "time": "day", "unit": "days", "variables": [{"name": "v", "kind": "continuous"}]},
}  # fmt: skip
ROWS = pa.table({
    "id": ["a", "b", "c", "d"], " arm ": pa.array(["x", "y", "x", None]).dictionary_encode(), "t": [1.5, 2.0, 3.0, 9.0],
    "s": ["dead", "alive", "other", "dead"], "empty": pa.nulls(4),
})  # fmt: skip


def test_what_is_written_opens_and_its_report_comes_back(tmp_path):
    made = Made("made", ROWS, DICTIONARY, left_out=(("no time", 2),))
    report = ImportReport("adam", (FileRead("a.csv", "ADTTE", 6, 4, 2, (("no time", 2),)),), notes=("A note.",))
    report = counted(report, (made,))
    assert asdict(report.cohorts[0].outcomes[0]) == {
        "key": "os", "label": "Survival", "unit": "days", "n_events": 2, "n_competing": 1, "shortest": 1.5,
        "median": 2.5, "longest": 9.0, "column": "s", "ends": (
            {"written": "dead", "means": "the event", "n": 2},
            {"written": "other", "means": "other (another event first)", "n": 1},
            {"written": "alive", "means": "no event", "n": 1},
        ),
    }  # fmt: skip
    visits = pd.DataFrame({"id": ["a", "a"], "day": [0.0, 5.0], "v": [1.0, 2.0]})
    write_folder(
        tmp_path / "x", rows=ROWS, dictionary=DICTIONARY, report=report, visits=visits, recipe={"kind": "adam"}
    )
    cohort = read_cohort(tmp_path / "x")
    assert len(cohort) == 4 and len(cohort.visits.frame) == 2
    assert cohort.cause("os").tolist() == [1, 0, 2, 1]
    assert report_of(json.loads((tmp_path / "x" / "report.json").read_text())) == report
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "x").iterdir()} == {0o600}
    assert {file.name for file in (tmp_path / "x").iterdir()} == {
        "data.parquet", "visits.parquet", "dictionary.json", "report.json", "recipe.json",
    }  # fmt: skip


def test_a_folder_without_visits_or_patients(tmp_path):
    write_folder(tmp_path / "x", rows=ROWS, dictionary=DICTIONARY, report=ImportReport("omop"))
    assert read_cohort(tmp_path / "x").visits is None
    with pytest.raises(Fixable, match="Nobody in these files can be followed"):
        write_folder(tmp_path / "y", rows=ROWS.slice(0, 0), dictionary=DICTIONARY, report=ImportReport("omop"))
    with pytest.raises(Fixable, match="can't be shown"):
        report_of({"kind": 3})


# ------------------------------------------------------------------ the benchmark


def test_the_benchmark_reads_all_and_fails_on_what_it_does_not_know(tmp_path, capsys):
    lung = read_cohort(ROOT / "sample_data" / "lung_ncctg")
    export_csv(lung, tmp_path / "own")
    export_cbioportal(lung, tmp_path / "study")
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "person.csv").write_text(PERSON)
    (tmp_path / "db" / "condition_occurrence.csv").write_text(
        "person_id,condition_concept_id,condition_start_date\n1,5,2019-01-01\n1,6,2019-02-01\n"
    )
    (tmp_path / "words.txt").write_text("Only words.\n")
    assert main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.count("COHORT") == 3 and "0 faults" in said
    assert "228 patients" in said and "165 events" in said and "follow-up 31.0 to 31.0 days" in said
    (tmp_path / "strange.bin").write_bytes(bytes(range(256)) * 40)
    assert main([str(tmp_path)]) == 1
    assert "FAILED" in capsys.readouterr().out
    assert main([str(tmp_path / "missing")]) == 1


def test_survival_by_hand():
    times, survival = by_hand(pd.Series([1.0, 2, 2, 3, 4]).to_numpy(), pd.Series([1, 1, 0, 1, 0]).to_numpy() == 1)
    assert times.tolist() == [1, 2, 3] and survival.tolist() == pytest.approx([0.8, 0.6, 0.3])
