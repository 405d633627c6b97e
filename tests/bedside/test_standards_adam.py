"""Trials in CDISC ADaM: small tables written here, read as a user's would be."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from bedside.intake.read import read_cohort
from bedside.intake.staging import Reading, Staged, StagedColumn
from bedside.intake.standards.adam import AdamOptions, read_adam
from bedside.intake.standards.adam_events import read_events
from bedside.intake.standards.adam_subjects import read_subjects
from bedside.intake.standards.adam_visits import read_measured
from bedside.intake.standards.folder import write_made
from bedside.intake.standards.recognise import recognise
from bedside.intake.standards.staged_table import StagedTable, days_of

N = 24
SUBJECTS = [f"T1-{i:03d}" for i in range(N)]
rng = np.random.default_rng(5)
OS_DAYS = np.round(rng.exponential(400, N), 1) + 1
OS_CNSR = (rng.random(N) < 0.4).astype(int) * rng.integers(1, 3, N)


def _adsl() -> list[dict]:
    return [
        {
            "STUDYID": "T1", "USUBJID": who, "SUBJID": who[-3:], "AGE": 40 + i, "AGEU": "YEARS", "SEX": "FM"[i % 2],
            "RACE": ["ASIAN", "WHITE"][i % 3 == 0], "ARM": ["Drug", "Placebo"][i % 2], "ARMCD": ["D", "P"][i % 2],
            "TRT01P": ["Drug", "Placebo"][i % 2], "TRT01PN": [1, 2][i % 2], "TRTSDT": f"2020-01-{i + 1:02d}",
            "ITTFL": "" if i == 3 else "Y", "SAFFL": "Y" if i % 4 else "", "RANDDT": "2019-12-30",
            "DTHFL": "Y" if OS_CNSR[i] == 0 else "", "BMRKR2": ["LOW", "MEDIUM", "HIGH"][i % 3],
            "BMRKR2N": [1, 2, 3][i % 3], "EOSSTT": ["COMPLETED", "DISCONTINUED"][i % 2],
        }
        for i, who in enumerate(SUBJECTS)
    ]  # fmt: skip


def _adtte() -> list[dict]:
    rows = []
    for i, who in enumerate(SUBJECTS):
        common = {"STUDYID": "T1", "USUBJID": who, "AVALU": "DAYS"}
        rows.append({**common, "PARAMCD": "OS", "PARAM": "Overall survival", "AVAL": OS_DAYS[i], "CNSR": OS_CNSR[i],
                     "EVNTDESC": "" if OS_CNSR[i] else "Death", "CNSDTDSC": "Lost" if OS_CNSR[i] else ""})  # fmt: skip
        rows.append({**common, "PARAMCD": "PFS", "PARAM": "Progression-free survival", "AVAL": OS_DAYS[i] / 2 / 7,
                     "AVALU": "WEEKS", "CNSR": i % 2})  # fmt: skip
        if i < 12:
            rows.append({**common, "PARAMCD": "DOR", "PARAM": "Duration of response", "AVAL": 10 + i, "CNSR": 0})
        if i < 4:
            rows.append({**common, "PARAMCD": "TTR", "PARAM": "Time to response", "AVAL": 5 + i, "CNSR": 0})
        rows.append({**common, "PARAMCD": "NEX", "PARAM": "Exacerbations", "AVAL": i, "AVALU": "COUNT", "CNSR": 0})
    return rows


def _adlb() -> list[dict]:
    return [
        {"USUBJID": who, "PARAMCD": "ALT", "PARAM": "Alanine aminotransferase (U/L)", "AVAL": 20 + i + day / 10,
         "AVALU": "U/L", "ADY": day, "ABLFL": "Y" if day == 1 else "", "DTYPE": "LOCF" if day == 60 else "",
         "ANRLO": 7, "ANRHI": 55}
        for i, who in enumerate([*SUBJECTS, "STRANGER"])
        for day in (-7, 1, 30, 60)
    ]  # fmt: skip


def _write(file: Path, rows: list[dict]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with gzip.open(file, "wt", newline="") if file.suffix == ".gz" else file.open("w", newline="") as out:
        writer = csv.DictWriter(out, names, restval="")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def trial(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trial")
    _write(folder / "a.csv.gz", _adsl())
    _write(folder / "b.csv", _adtte())
    frame = pd.DataFrame(_adlb())
    pyreadstat.write_xport(frame, folder / "adlb.xpt", table_name="ADLB", column_labels={"AVAL": "Analysis value"})
    _write(folder / "adae.csv", [{"USUBJID": who, "AETERM": "NAUSEA", "AESEV": "MILD"} for who in SUBJECTS])
    return folder


@pytest.fixture(scope="module")
def imported(trial):
    (found,) = recognise(trial)
    assert (found.kind, sorted(part.what for part in found.parts)) == ("adam", ["ADSL", "ADTTE", "BDS", "OCCDS"])
    return read_adam(found)


@pytest.fixture(scope="module")
def cohorts(imported, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohorts")
    for made in imported.cohorts:
        write_made(imported, made, folder / made.name)
    return [read_cohort(folder / made.name) for made in imported.cohorts]


def test_overall_survival_equals_its_own_columns(cohorts):
    first = cohorts[0]
    stays = [i for i in range(N) if i != 3]  # one is not in the intention-to-treat population
    assert first.identifiers == [SUBJECTS[i] for i in stays]
    assert first.time("os") == pytest.approx(OS_DAYS[stays])
    assert first.event("os").tolist() == [OS_CNSR[i] == 0 for i in stays]


def test_a_unit_of_its_own_is_kept(cohorts):
    pfs = cohorts[0].outcome("pfs")
    assert pfs.unit == "weeks" and pfs.concept == "progression or death"
    assert cohorts[0].time("pfs")[0] == pytest.approx(OS_DAYS[0] / 14)


def test_what_is_known_of_some_only_is_a_cohort_of_its_own(cohorts, imported):
    assert [[o.key for o in cohort.outcomes] for cohort in cohorts] == [["os", "pfs"], ["dor", "os", "pfs"]]
    assert len(cohorts[1]) == 11 and cohorts[1].title == "Trial T1: duration of response"
    assert "Time to response: known of 3 subjects only; left out." in imported.report.notes


def test_subjects_become_variables(cohorts):
    cohort = cohorts[0]
    names = {v.name: v for v in cohort.variables}
    assert cohort.treatment.column == "TRT01P" and cohort.treatment.randomised
    assert names["TRT01P"].reference == "Placebo"
    assert not {"ARM", "ARMCD", "TRT01PN", "BMRKR2N", "SUBJID", "STUDYID", "ITTFL"} & set(names)
    assert (names["AGE"].concept, names["AGE"].unit, names["SEX"].concept) == ("age", "years", "sex")
    assert [level.label for level in names["BMRKR2"].levels] == ["Low", "Medium", "High"]
    assert names["SAFFL"].use == "optional" and [level.code for level in names["SAFFL"].levels] == ["N", "Y"]
    assert names["DTHFL"].use == names["EOSSTT"].use == "later"
    assert names["TRTSDT"].kind == "date" and "RANDDT" not in names
    assert {"SEX", "RACE"} <= {v.name for v in cohort.sensitive}


def test_measurements_become_visits_and_values_at_the_start(cohorts):
    cohort = cohorts[0]
    assert cohort.visits.frame["day"].unique().tolist() == [0, 29]  # ADY 1 is the day of the start
    assert cohort.visits.variables[0].reference_range == (7, 55)
    assert cohort.frame["ALT at baseline"][0] == pytest.approx(20.1)
    assert cohort.variable("ALT at baseline").label == "Alanine aminotransferase at baseline"


def test_every_row_is_accounted_for(imported):
    reads = {file.name: file for file in imported.report.files}
    assert set(reads) == {"a.csv.gz", "b.csv", "adlb.xpt", "adae.csv"}
    for file in reads.values():
        assert file.n_read == file.n_mapped + file.n_dropped and sum(n for _, n in file.why) == file.n_dropped
    assert dict(reads["a.csv.gz"].why) == {"not in the population (ITTFL)": 1}
    why = dict(reads["b.csv"].why)
    assert why["TTR: known of too few subjects"] == 3
    assert why["NEX: no time, its unit is count"] == N
    assert why["OS: a subject who is not in the population, or not in ADSL"] == 1
    labs = dict(reads["adlb.xpt"].why)
    assert labs == {"a subject who is in no cohort": 8, "derived, not measured (DTYPE)": 23, "before the start": 23}
    assert any("CNSR 0 (event) “Death”" in note for note in imported.report.notes)
    assert imported.report.cohorts[0].left_out == (("not in the population (ITTFL)", 1),)


def test_the_main_outcome_can_be_chosen_and_adsl_may_be_missing(tmp_path):
    _write(tmp_path / "adtte.csv", _adtte())
    (found,) = recognise(tmp_path)
    imported = read_adam(found, AdamOptions(main="dor", title="Responders"))
    first = imported.cohorts[0]
    assert first.dictionary["title"] == "Responders" and first.dictionary["outcomes"][0]["key"] == "dor"
    assert first.rows.num_rows == 12 and imported.recipe["options"]["main"] == "dor"
    assert any("There is no ADSL" in note for note in imported.report.notes)


# ------------------------------------------------------------------ hard cases, without a process


def _table(tmp_path: Path, rows: list[dict]) -> StagedTable:
    frame = pd.DataFrame(rows).astype(object).where(lambda cells: cells.notna(), None)
    columns = [pa.array([None if c is None else str(c) for c in frame[name]], pa.string()) for name in frame]
    places = [f"c{i}" for i in range(len(columns))]
    pq.write_table(pa.Table.from_arrays(columns, names=places), tmp_path / "rows.parquet")
    told = tuple(StagedColumn(str(name), str(name), "text") for name in frame)
    return StagedTable(Staged(tmp_path / "rows.parquet", told, len(frame), Reading("csv")))


def _rows(*cells: tuple, names: str = "USUBJID PARAMCD AVAL CNSR AVALU") -> list[dict]:
    return [dict(zip(names.split(), row, strict=True)) for row in cells]


def test_bad_records_are_counted(tmp_path):
    found = read_events(_table(tmp_path, _rows(
        ("a", "OS", 5, 0, "DAYS"), ("b", "OS", -1, 0, "DAYS"), ("c", "OS", None, 0, "DAYS"),
        ("d", "OS", 3, "x", "DAYS"),
        ("e", "OS", 3, 0.5, "DAYS"), (None, "OS", 3, 0, "DAYS"), ("f", "OS", 9, 1, "DAYS"), ("f", "OS", 9, 1, "DAYS"),
        ("g", "OS", 9, 1, "DAYS"), ("g", "OS", 10, 1, "DAYS"), ("h", "OS", 2, 0, "MONTHS"),
    )))  # fmt: skip
    (os,) = found.parameters
    assert os.rows["time"].to_dict() == {"a": 5, "f": 9, "h": 2 * 30.4375}
    assert dict(found.dropped) == {
        "no subject or no parameter": 1, "OS: a negative time": 1, "OS: no time (AVAL)": 1,
        "OS: CNSR is missing or no whole number": 2, "OS: a further record of a subject": 1,
        "OS: several records of one subject that disagree": 2,
    }  # fmt: skip
    assert found.n_read == 11 == len(os.rows) + sum(found.dropped.values())


def test_of_several_records_the_one_for_the_analysis_counts(tmp_path):
    names = "USUBJID PARAMCD AVAL CNSR ANL01FL"
    found = read_events(_table(tmp_path, _rows(("a", "OS", 5, 0, "Y"), ("a", "OS", 7, 1, ""), names=names)))
    assert found.parameters[0].rows["time"].tolist() == [5]
    assert dict(found.dropped) == {"OS: a further record of a subject": 1}


def test_times_are_counted_from_dates_where_there_is_no_value(tmp_path):
    names = "USUBJID PARAMCD AVAL CNSR STARTDT ADT"
    found = read_events(_table(tmp_path, _rows(("a", "OS", None, 0, "2020-01-01", "2020-01-10"), names=names)))
    assert found.parameters[0].rows["time"].tolist() == [10]
    assert any("AVAL is empty" in note for note in found.notes)


def test_the_unit_may_stand_in_the_label(tmp_path):
    names = "USUBJID PARAMCD AVAL CNSR PARAM"
    found = read_events(_table(tmp_path, _rows(("a", "OS", 5, 0, "Overall survival (months)"), names=names)))
    assert found.parameters[0].unit == "months"


def test_subjects_without_adsl_and_twice(tmp_path):
    rows = _rows(("a", "OS", 5, "F"), ("a", "PFS", 3, "F"), ("b", "OS", 4, "M"), names="USUBJID PARAMCD AVAL SEX")
    alone = read_subjects(_table(tmp_path, rows), alone=False)
    assert alone.frame.index.tolist() == ["a", "b"] and [entry["name"] for entry in alone.entries] == ["SEX"]
    twice = read_subjects(_table(tmp_path, _rows(("a", "F"), ("a", "M"), ("b", "M"), names="USUBJID SEX")))
    assert twice.frame["SEX"].tolist() == ["F", "M"] and twice.dropped["a subject that stands there already"] == 1
    assert "1 further rows of subjects say something else" in twice.notes[0]


def test_visits_without_a_study_day(tmp_path):
    names = "USUBJID PARAMCD AVAL AVISIT"
    rows = _rows(("a", "ALT", 1, "BASELINE"), ("a", "ALT", 2, "WEEK 3 DAY 22"), ("a", "ALT", 3, "WEEK 4"),
                 ("a", "ALT", 4, "UNSCHEDULED"), names=names)  # fmt: skip
    found = read_measured(_table(tmp_path, rows), pd.Index(["a"]), None)
    assert found.visits["day"].tolist() == [0, 21, 28] and found.dropped == {"no day from the start": 1}


def test_dates_as_trials_write_them():
    days = days_of(pd.Series(["2020-05-04", "04MAY2020", "2020-05-04T08:00", None, "soon"], dtype=object))
    assert [str(day) for day in days] == ["2020-05-04", "2020-05-04", "2020-05-04", "NaT", "NaT"]
    assert str(days_of(pd.Series([22039.0, np.nan]))[0]) == "2020-05-04"  # days since 1960
    assert str(days_of(pd.Series([22039.0 * 86400]))[0]) == "2020-05-04"  # seconds since 1960


def test_no_times_to_events_is_no_cohort(tmp_path):
    _write(tmp_path / "adsl.csv", _adsl())
    (found,) = recognise(tmp_path)
    imported = read_adam(found)
    assert imported.cohorts == () and "no cohort" in imported.report.notes[0]
    assert imported.report.files[0].n_dropped == N
