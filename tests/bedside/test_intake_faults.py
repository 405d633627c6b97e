"""Files that must not open: every fault at once, by file, column and row, and never a patient's value."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Outcome
from bedside.errors import Fault, Faults
from bedside.intake import cohort_from_frame, read_cohort
from bedside.intake.rows import say_rows

OS = Outcome(key="os", label="Death", time="days", unit="days", status="status", censored=("0",), event=("1",))
SECRET = "Zebediah-93"


def faults_of(folder: Path) -> tuple[Fault, ...]:
    with pytest.raises(Faults) as caught:
        read_cohort(folder)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value.faults


def base(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"id": ["a", "b", "c"], "age": [50, 60, 70], "days": [1, 2, 3], "status": [0, 1, 1]} | columns)


def test_rows_are_named_ten_at_most():
    assert say_rows(np.array([False, True])) == "row 2"
    assert say_rows(np.arange(12) % 2 == 0) == "rows 1, 3, 5, 7, 9, 11"
    assert say_rows(np.ones(13, bool)) == "rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 3 more"


@pytest.mark.parametrize(
    ("columns", "column", "expected", "found"),
    [
        ({"days": [1, -2, 3]}, "days", "times of 0 or more", "negative ones in row 2"),
        ({"days": [1, None, 3]}, "days", "a time in every row", "none in row 2"),
        ({"days": ["1", "soon", "later"]}, "days", "finite numbers", "something else in rows 2, 3"),
        ({"days": [1.0, np.inf, 3.0]}, "days", "finite numbers", "something else in row 2"),
        ({"status": [0, 1, None]}, "status", "a status in every row", "none in row 3"),
        ({"status": [0, 1, 7]}, "status", "one of the declared codes of “Death”", "another in row 3"),
        ({"id": ["a", "b", "a"]}, "id", "each identifier once", "repeated in rows 1, 3"),
        ({"id": ["a", " ", "c"]}, "id", "an identifier in every row", "none in row 2"),
        ({"age": [50, "sixty", 70]}, "age", "finite numbers", "something else in row 2"),
        ({"sex": ["f", "m", "x"]}, "sex", "one of the 2 declared levels", "another code in row 3"),
        ({"born": ["1950-01-01", "31/12/1950", ""]}, "born", "dates such as 2020-05-31", "something else in row 2"),
        ({"flag": ["a", "b", "c"]}, "flag", "two different values in a binary variable", "3 different values"),
    ],
)
@pytest.mark.parametrize("file", ["data.csv", "data.parquet"])
def test_each_fault_of_the_data(cohort_folder, columns, column, expected, found, file):
    data = base(**columns)
    if file.endswith("parquet"):
        data = data.astype({name: "string" for name in data.columns if data[name].dtype == object})
    sex = [{"code": "f", "label": "female"}, {"code": "m", "label": "male"}]
    told = {"age": {"kind": "continuous"}, "sex": {"kind": "binary", "levels": sex}, "born": {"kind": "date"}}
    told["flag"] = {"kind": "binary"}
    variables = [{"name": name} | kind for name, kind in told.items() if name in data]
    outcome = OS.model_dump(mode="json")
    folder = cohort_folder(data, file=file, variables=variables, identifier="id", outcomes=[outcome])
    assert faults_of(folder) == (Fault(file, column, expected, found),)


def test_a_cohort_without_patients(cohort_folder):
    assert Fault("data.csv", "", "at least one patient", "no rows") in faults_of(cohort_folder("days,status\n"))
    with pytest.raises(Faults):
        cohort_from_frame(base().head(0), outcomes=[OS])


def test_everything_wrong_is_said_at_once(cohort_folder):
    data = base(days=[-1, 2, 3], status=[0, 9, 1], id=["a", "a", "c"], age=["x", 60, 70])
    variables = [
        {"name": "age", "kind": "continuous"},
        {"name": "absent", "kind": "continuous"},
        {"name": "odd", "kind": "number"},
    ]
    outcome = OS.model_dump(mode="json")
    folder = cohort_folder(data, variables=variables, outcomes=[outcome], identifier="id", surprise=1)
    found = {(fault.file, fault.column) for fault in faults_of(folder)}
    assert found == {
        ("dictionary.json", "variables[2].kind (odd)"),
        ("dictionary.json", "surprise"),
        ("data.csv", "absent"),
        ("data.csv", "age"),
        ("data.csv", "id"),
        ("data.csv", "days"),
        ("data.csv", "status"),
    }


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({"title": None}, "title"),
        ({"outcomes": []}, "outcomes"),
        ({"source": {"citation": "c", "origin": "o"}}, "source.licence"),
        ({"data": "../data.csv"}, "data"),
        ({"outcomes": [OS.model_dump(mode="json") | {"unit": "decades"}]}, "outcomes[0].unit (os)"),
        ({"outcomes": [OS.model_dump(mode="json") | {"event": []}]}, "outcomes[0] (os)"),
        ({"outcomes": [OS.model_dump(mode="json") | {"competing": {"x": ["2"]}}]}, "outcomes[0] (os)"),
        ({"outcomes": [OS.model_dump(mode="json") | {"event": ["0"]}]}, "outcomes[0] (os)"),
        ({"outcomes": [OS.model_dump(mode="json"), OS.model_dump(mode="json")]}, "outcomes (os)"),
        ({"variables": [{"name": "age", "kind": "continuous"}] * 2}, "age"),
        ({"variables": [{"name": "days", "kind": "continuous"}]}, "days"),
        ({"identifier": "days"}, "identifier"),
        ({"treatment": {"column": "age", "randomised": True}}, "age"),
    ],
)
def test_each_fault_of_the_dictionary(cohort_folder, told, where):
    folder = cohort_folder(base(), **({"outcomes": [OS.model_dump(mode="json")]} | told))
    if told.get("title", "") is None:
        path = folder / "dictionary.json"
        path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "title"}))
    faults = faults_of(folder)
    assert [(fault.file, fault.column) for fault in faults] == [("dictionary.json", where)]
    assert all(fault.expected for fault in faults)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{", "valid JSON"),
        (b"[]", "a JSON object"),
        (b"\xff\xfe{", "text in UTF-8"),
        (b'{"title": NaN}', ""),
        (b"[" * 100_000, "nested"),
    ],
)
def test_a_dictionary_that_is_none(cohort_folder, content, expected):
    folder = cohort_folder(base())
    (folder / "dictionary.json").write_bytes(content)
    assert any(expected in fault.expected for fault in faults_of(folder) if fault.file == "dictionary.json")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", Fault("data.csv", "", "a header line with column names", "none")),
        (b"days,status\n1,0\n2,\xe9\n", Fault("data.csv", "", "text in UTF-8", "another encoding")),
        (f"days,status\n1,0\n2,1,{SECRET}\n3\n", Fault("data.csv", "", "2 cells in every row, as in the header",
                                                     "more or fewer in rows 2, 3")),
        (f'days,status\n1,0\n2,"{SECRET}\n', Fault("data.csv", "", "2 cells in every row, as in the header",
                                                "a quotation mark that is never closed, or a cell that is too long")),
        ("days,status,days \n1,0,2\n", Fault("data.csv", "days", "each column name once, blanks around it not counted",
                                            "2 columns")),
        ("days,status,\n1,0,2\n", Fault("data.csv", "column 3", "a name in the header", "none")),
        (b"PAR1\0\0\0", Fault("data.csv", "", "a file that is what its ending says", "Parquet")),
    ],
)  # fmt: skip
def test_each_fault_of_a_file(cohort_folder, content, fault):
    assert faults_of(cohort_folder(content)) == (fault,)


def test_parquet_that_is_none(cohort_folder):
    assert faults_of(cohort_folder("days,status\n1,0\n", file="data.parquet"))[0].expected.startswith("a file that is")
    damaged = faults_of(cohort_folder(b"PAR1" + SECRET.encode() + b"PAR1", file="data.parquet"))
    assert damaged == (Fault("data.parquet", "", "a readable Parquet file", "a damaged one"),)


def test_a_file_that_is_not_there(cohort_folder):
    folder = cohort_folder(base())
    (folder / "data.csv").unlink()
    assert faults_of(folder) == (Fault("data.csv", "", "a file of this name in the cohort's folder", "none"),)


def test_a_link_out_of_the_folder_is_not_followed(cohort_folder, tmp_path):
    folder = cohort_folder(base())
    outside = tmp_path / "outside.csv"
    (folder / "data.csv").rename(outside)
    (folder / "data.csv").symlink_to(outside)
    assert "not a link" in faults_of(folder)[0].expected


def test_cells_that_are_no_cells(cohort_folder):
    data = base(age=[[1], [2], [3]])
    folder = cohort_folder(data, file="data.parquet", variables=[{"name": "age", "kind": "continuous"}])
    assert faults_of(folder)[0].column == "age"


VISITS = {
    "file": "visits.csv",
    "patient": "id",
    "time": "day",
    "unit": "days",
    "variables": [{"name": "crp", "kind": "continuous"}],
}


def test_visits_are_read_and_tied_to_patients(cohort_folder):
    folder = cohort_folder(base(id=["01", "02", "03"]), identifier="id", visits=VISITS)
    (folder / "visits.csv").write_text("id,day,crp,ignored\n01,0,5\n".replace(",ignored", "") + "01,30,\n03,0,7\n")
    visits = read_cohort(folder).visits
    assert visits.frame["id"].tolist() == ["01", "01", "03"]
    np.testing.assert_array_equal(visits.frame["crp"], [5.0, np.nan, 7.0])


def test_each_fault_of_visits(cohort_folder):
    folder = cohort_folder(base(), identifier="id", visits=VISITS)
    (folder / "visits.csv").write_text("id,day,crp\na,0,5\nz,,6\nb,1,high\n")
    found = {(fault.file, fault.column, fault.found) for fault in faults_of(folder)}
    assert found == {
        ("visits.csv", "id", "none or another in row 2"),
        ("visits.csv", "day", "none in row 2"),
        ("visits.csv", "crp", "something else in row 3"),
    }
    (folder / "visits.csv").write_text("id,crp\na,5\n")
    assert [fault.column for fault in faults_of(folder)] == ["day"]
    (folder / "visits.csv").unlink()
    assert faults_of(folder)[0].file == "visits.csv"


@pytest.mark.parametrize("file", ["data.csv", "data.parquet"])
@pytest.mark.parametrize("column", ["id", "age", "days", "status", "sex", "born"])
def test_no_message_holds_a_patients_value(cohort_folder, file, column):
    """A secret planted twice in each column in turn; two of the same make an identifier a fault as well."""
    data = base(sex=["f", "m", "f"], born=["1950-01-01"] * 3).astype("string")
    data.loc[[0, 2], column] = SECRET
    levels = [{"code": "f", "label": "female"}, {"code": "m", "label": "male"}]
    variables = [
        {"name": "age", "kind": "continuous"},
        {"name": "sex", "kind": "binary", "levels": levels},
        {"name": "born", "kind": "date"},
    ]
    for outcomes in ([OS.model_dump(mode="json")], [OS.model_dump(mode="json", exclude={"censored", "event"})]):
        folder = cohort_folder(data, file=file, identifier="id", variables=variables, outcomes=outcomes)
        with pytest.raises(Faults) as caught:
            read_cohort(folder)
        assert [fault.column for fault in caught.value.faults] == [column]
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.faults) + repr(caught.value.args)
        assert SECRET not in told


def test_a_status_that_is_nowhere_recorded_is_one_fault(cohort_folder):
    told = {"outcomes": [{"key": "os", "label": "Death", "time": "days", "unit": "days", "status": "status"}]}
    found = faults_of(cohort_folder(base(status=[None, None, None]), **told))
    assert [(fault.column, fault.found) for fault in found] == [("status", "none in rows 1, 2, 3")]


@pytest.mark.parametrize(
    ("variable", "treated", "expected"),
    [
        ({"after_treatment": True}, False, "after_treatment only beside a treatment, and not at its own column"),
        ({"earlier": "arm"}, True, "earlier only where after_treatment is true"),
        (
            {"after_treatment": True, "earlier": "age"},
            True,
            "as earlier, another of the variables without after_treatment",
        ),
        (
            {"after_treatment": True, "earlier": "gone"},
            True,
            "as earlier, another of the variables without after_treatment",
        ),
    ],
)
def test_what_is_known_after_the_treatment_needs_one(cohort_folder, variable, treated, expected):
    told = [
        {"name": "age", "kind": "continuous"} | variable,
        {"name": "arm", "kind": "binary"},
    ]
    treatment = {"treatment": {"column": "arm", "randomised": False}} if treated else {}
    folder = cohort_folder(base(arm=[0, 1, 1]), variables=told, **treatment)
    assert expected in [fault.expected for fault in faults_of(folder)]


def test_the_treatment_is_not_after_itself(cohort_folder):
    told = [{"name": "arm", "kind": "binary", "after_treatment": True}]
    folder = cohort_folder(base(arm=[0, 1, 1]), variables=told, treatment={"column": "arm", "randomised": False})
    (fault,) = faults_of(folder)
    assert fault.expected == "after_treatment only beside a treatment, and not at its own column"
