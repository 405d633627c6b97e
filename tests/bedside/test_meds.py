"""MEDS to a cohort."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.intake.standards.fhir_map import Start
from bedside.intake.standards.folder import write_made
from bedside.intake.standards.meds import MedsOptions, read_meds
from bedside.intake.standards.recognise import recognise

ROWS = [
    (1, "1950-01-01", "MEDS_BIRTH", None), (1, None, "GENDER//F", None),
    (1, "2010-01-01T08:00", "LAB//NA//mmol/L", 130),
    (1, "2010-02-01T08:00", "LAB//NA//mmol/L", 135), (1, "2010-02-01T23:59", "ICD10CM//I21.0", None),
    (1, "2010-02-11", "LAB//NA//mmol/L", 150), (1, "2010-03-03T10:00", "MEDS_DEATH", None),
    (1, "2010-05-05", "BILL", None), (1, "2009-01-01", "RX//ASPIRIN", None),
    (2, "1960-01-01", "MEDS_BIRTH", None), (2, None, "GENDER//M", None), (2, "2010-02-01", "ICD10CM//I21.0", None),
    (2, "2010-02-01", "RX//ASPIRIN", None), (2, "2011-02-01", "VISIT", None), (2, None, "ETHNICITY//X", None),
    (3, "1970-01-01", "MEDS_BIRTH", None), (3, "2010-02-01", "VISIT", None), (3, None, "MEDS_DEATH", None),
]  # fmt: skip


def data_set(folder, rows=ROWS, parts=2):
    (folder / "data" / "train").mkdir(parents=True)
    schema = pa.schema([("subject_id", pa.int64()), ("time", pa.timestamp("us")), ("code", pa.string()),
                        ("numeric_value", pa.float32()), ("text_value", pa.string())])  # fmt: skip
    for i in range(parts):
        own = rows[i::parts]
        told = [
            {
                "subject_id": who,
                "time": datetime.fromisoformat(when) if when else None,
                "code": code,
                "numeric_value": value,
                "text_value": "a note on Mrs Zebedee",
            }
            for who, when, code, value in own
        ]
        pq.write_table(pa.Table.from_pylist(told, schema), folder / "data" / "train" / f"{i}.parquet")
    (folder / "metadata").mkdir()
    codes = {"code": ["ICD10CM//I21.0"], "description": ["Acute myocardial infarction"]}
    pq.write_table(pa.table(codes), folder / "metadata" / "codes.parquet")
    return recognise(folder)[0]


def opened(folder, told, place=0):
    write_made(told, told.cohorts[place], folder / f"made{place}")
    return read_cohort(folder / f"made{place}")


def test_a_cohort_by_an_index_code(tmp_path):
    told = read_meds(data_set(tmp_path), MedsOptions((Start(codes=("ICD10CM//I21.0",)),)))
    cohort = opened(tmp_path, told)
    frame = cohort.frame
    assert list(frame["patient"]) == ["1", "2"]
    assert list(frame["days"]) == [30, 365]
    assert list(frame["status"]) == ["dead", "alive"]
    assert list(frame["sex"]) == ["female", "male"]
    assert list(frame["age"].round(1)) == [60.1, 50.1]
    assert frame["LAB//NA//mmol/L"].iloc[0] == 135
    assert cohort.variable("LAB//NA//mmol/L").unit == "mmol/L"
    assert list(frame["Event RX//ASPIRIN"]) == ["1", "0"]
    assert cohort.visits.frame[["patient", "day", "LAB//NA//mmol/L"]].values.tolist() == [["1", 0, 135], ["1", 10, 150]]
    assert dict(told.report.cohorts[0].left_out) == {"never had it": 1}


def test_what_is_guessed_and_what_is_counted(tmp_path):
    told = read_meds(data_set(tmp_path))
    assert [(each.title, each.n) for each in told.report.cohorts] == [
        ("All patients from their first contact", 2), ("Acute myocardial infarction, from first entry", 2),
    ]  # fmt: skip
    assert dict(told.report.cohorts[0].left_out) == {"dead, and nobody wrote down when": 1}
    files = {each.what: each for each in told.report.files}
    events = [each for each in told.report.files if each.what == "events"]
    assert sum(each.n_read for each in events) == len(ROWS)
    assert sum(each.n_dropped for each in events) == 1
    assert {reason for each in events for reason, _ in each.why} == {"without a time"}
    assert files["what the codes mean"].n_mapped == 1
    assert ("subjects with events dated after their death", 1) in told.report.faults
    assert "Zebedee" not in repr(opened(tmp_path, told).frame.to_dict())


def test_a_damaged_table_is_named(tmp_path):
    found = data_set(tmp_path)
    path = found.of("data")[0]
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(Fixable, match="damaged"):
        read_meds(found)
