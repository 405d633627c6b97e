"""Files that must open: every coding, spelling and name that hospitals send."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Outcome, Variable
from bedside.errors import Faults, Fixable
from bedside.intake import cohort_from_frame, list_cohorts, read_cohort
from bedside.intake.columns import Column

OS = Outcome(key="os", label="Death", time="t", unit="days", status="s")

EVIL = [
    "العمر", "😀", "<script>alert(1)</script>", 'x"; DROP TABLE patients; --', "it's", "a:b", "a.b[0]", "line\nbreak",
    "back\\slash", "select", "c0", "**bold**", "$x^2$", "{value}", "%s", "=1+1", "naïve", "名前", "a,b", "x" * 300,
]  # fmt: skip


def status(values: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"t": np.arange(1.0, len(values) + 1), "s": values})


@pytest.mark.parametrize(
    ("values", "event", "reading"),
    [
        ([0, 1, 1], [0, 1, 1], "s: 1 read as event, 0 as censored."),
        ([1, 2, 1], [0, 1, 0], "s: 2 read as event, 1 as censored."),
        ([1.0, 2.0, 2.0], [0, 1, 1], "s: 2 read as event, 1 as censored."),
        ([2, 2, 2], [1, 1, 1], "s: 2 read as event, 1 as censored."),
        (["1", "0", "1.0"], [1, 0, 1], "s: 1 read as event, 0 as censored."),
        ([True, False, False], [1, 0, 0], "s: true read as event, false as censored."),
        (["yes", "no", "no"], [1, 0, 0], "s: yes read as event, no as censored."),
        (["Y", "N", "n"], [1, 0, 0], "s: Y read as event, N or n as censored."),
        (["Dead", " alive", "censored"], [1, 0, 0], "s: Dead read as event, alive or censored as censored."),
        (["1:DECEASED", "0:LIVING", "0:LIVING"], [1, 0, 0], "s: 1:DECEASED read as event, 0:LIVING as censored."),
        ([0, 0, 0], [0, 0, 0], "s: 1 read as event, 0 as censored."),
        ([1, 1, 1], [1, 1, 1], "s: 1 read as event, 0 as censored."),
        (["alive", "alive", "alive"], [0, 0, 0], "s: event read as event, alive as censored."),
    ],
)
def test_usual_codings_are_read_and_said(values, event, reading):
    cohort = cohort_from_frame(status(values), outcomes=[OS])
    np.testing.assert_array_equal(cohort.event("os"), np.array(event, dtype=bool))
    assert reading in cohort.readings


@pytest.mark.parametrize("values", [[0, 1, 2], ["yes", "maybe", "no"], ["a", "b", "b"], [3, 4, 3], ["dead", "2", "1"]])
def test_a_coding_that_could_mean_anything_is_not_guessed(values):
    with pytest.raises(Faults) as caught:
        cohort_from_frame(status(values), outcomes=[OS])
    assert [fault.column for fault in caught.value.faults] == ["s"]


@pytest.mark.parametrize("file", ["data.csv", "data.parquet"])
@pytest.mark.parametrize("values", [["1", "2", "1"], [1, 2, 1], [1.0, 2.0, 1.0]])
def test_declared_codes_are_compared_as_text(cohort_folder, file, values):
    outcome = {
        "key": "os",
        "label": "Death",
        "time": "t",
        "unit": "days",
        "status": "s",
        "censored": [1],
        "event": ["2.0"],
    }
    cohort = read_cohort(cohort_folder(status(values), file=file, outcomes=[outcome]))
    np.testing.assert_array_equal(cohort.event("os"), [False, True, False])
    assert cohort.readings == ()


def test_truth_values_answer_to_zero_and_one(cohort_folder):
    outcome = {
        "key": "os",
        "label": "Death",
        "time": "t",
        "unit": "days",
        "status": "s",
        "censored": ["0"],
        "event": ["1"],
    }
    folder = cohort_folder(status([True, False, True]), file="data.parquet", outcomes=[outcome])
    np.testing.assert_array_equal(read_cohort(folder).event("os"), [True, False, True])


@pytest.mark.parametrize("file", ["data.csv", "data.parquet"])
def test_hostile_names_work(cohort_folder, file):
    rng = np.random.default_rng(1)
    data = pd.DataFrame({name: rng.normal(size=12) for name in EVIL})
    data = data.assign(days=np.arange(12.0), status=[0, 1] * 6)
    cohort = read_cohort(cohort_folder(data, file=file))
    assert [v.name for v in cohort.variables] == EVIL
    np.testing.assert_allclose(cohort.frame[EVIL].to_numpy(), data[EVIL].to_numpy(), rtol=1e-15)


def test_hostile_names_of_outcomes_and_identifiers_work(cohort_folder):
    data = pd.DataFrame({"<b>id</b>": ["a", "b"], 'ti"me': [1, 2], "حالة": ["نعم", "لا"]})
    outcome = {
        "key": "os", "label": "وفاة", "time": 'ti"me', "unit": "days", "status": "حالة",
        "censored": ["لا"], "event": ["نعم"],
    }  # fmt: skip
    cohort = read_cohort(cohort_folder(data, outcomes=[outcome], identifier="<b>id</b>"))
    assert cohort.identifiers == ["a", "b"]
    np.testing.assert_array_equal(cohort.event("os"), [True, False])


def test_names_that_differ_in_case_only_stay_apart(cohort_folder):
    data = pd.DataFrame({"Age": [50, 60], "age": [5.5, 6.5], "days": [1, 2], "status": [0, 1]})
    for file in ("data.csv", "data.parquet"):
        cohort = read_cohort(cohort_folder(data, file=file))
        assert cohort.frame["Age"].tolist() == [50, 60]
        assert cohort.frame["age"].tolist() == [5.5, 6.5]


def test_names_are_trimmed_and_composed(cohort_folder):
    text = "  days ,status,A\u030aland\n1,0,5\n2,1,6\n"  # A and a ring, two characters
    cohort = read_cohort(cohort_folder(text))
    assert [v.name for v in cohort.variables] == ["\u00c5land"]


def test_sixty_columns(cohort_folder):
    rng = np.random.default_rng(2)
    data = pd.DataFrame(rng.normal(size=(40, 58)), columns=[f"x{i}" for i in range(58)])
    cohort = read_cohort(cohort_folder(data.assign(days=np.arange(1.0, 41), status=[0, 1] * 20)))
    assert len(cohort.predictors) == 58


def test_all_censored_and_a_single_patient_are_cohorts():
    assert not cohort_from_frame(status([0, 0, 0]), outcomes=[OS]).event("os").any()
    one = cohort_from_frame(status([1]), outcomes=[OS])
    assert (len(one), one.identifiers) == (1, ["Patient 1"])


def test_a_time_of_zero_is_a_time():
    cohort = cohort_from_frame(pd.DataFrame({"t": [0, 1], "s": [1, 0]}), outcomes=[OS])
    assert cohort.time("os")[0] == 0.0


@pytest.mark.parametrize("file", ["data.csv", "data.parquet"])
def test_leading_zeros_of_identifiers_stay(cohort_folder, file):
    data = pd.DataFrame({"nhs": ["007", "07", "7"], "days": [1, 2, 3], "status": [0, 1, 0]})
    assert read_cohort(cohort_folder(data, file=file, identifier="nhs")).identifiers == ["007", "07", "7"]


def test_identifiers_that_were_floats_lose_their_point():
    data = pd.DataFrame({"id": [10056.0, 10059.0], "t": [1, 2], "s": [0, 1]})
    assert cohort_from_frame(data, outcomes=[OS], identifier="id").identifiers == ["10056", "10059"]


@pytest.mark.parametrize(
    "text",
    [
        "days;status;age\n1;0;50\n2;1;60\n",
        "days\tstatus\tage\n1\t0\t50\n2\t1\t60\n",
        "days|status|age\n1|0|50\n2|1|60\n",
        "\ufeffdays,status,age\r\n1,0,50\r\n2,1,60\r\n",
        '"days","status","age"\n"1","0","50"\n"2","1"," 60 "',
        "days,status,age\n1,0,50\n2,1,60\n\n",
        'days;status;age;"a,b,c,d,e,f"\n1;0;50;x\n2;1;60;y\n',
        'days,status,age,size\n1,0,50,5" wide\n2,1,60,3" wide\n',
    ],
)
def test_forms_of_csv(cohort_folder, text):
    cohort = read_cohort(cohort_folder(text))
    assert cohort.frame["age"].tolist() == [50.0, 60.0]
    assert cohort.time("death").tolist() == [1.0, 2.0]


def test_cells_with_quotes_commas_and_line_breaks(cohort_folder):
    text = 'days,status,said\n1,0,"a ""b"", c\nd"\n2,1,plain\n3,1,"plain"\n'
    variables = [{"name": "said", "kind": "categorical"}]
    cohort = read_cohort(cohort_folder(text, variables=variables))
    assert list(cohort.frame["said"]) == ['a "b", c\nd', "plain", "plain"]


def test_missing_is_written_in_many_ways(cohort_folder):
    text = "days,status,age,sex\n1,0,,f\n2,1,NA,\n3,0,n/a,NA\n4,1,.,m\n5,1,nan,f\n6,0,50,NULL\n"
    cohort = read_cohort(cohort_folder(text))
    assert cohort.frame["age"].isna().sum() == 5
    assert cohort.frame["sex"].isna().sum() == 3
    assert list(cohort.frame["sex"].cat.categories) == ["f", "m"]


def test_kinds_are_read_by_their_values():
    n = 12
    data = pd.DataFrame(
        {
            "record id": np.arange(n) + 100,
            "name": [f"P{i}" for i in range(n)],
            "flag": [0, 1] * 6,
            "dose": [0, 0.5, 1] * 4,
            "stage": ["I", "II", "III"] * 4,
            "sex": ["f", "m"] * 6,
            "born": pd.date_range("1950-01-01", periods=n),
            "code": ["007", "008", "009"] * 4,
            "empty": [None] * n,
            "ordered": pd.Categorical(["low", "high"] * 6, categories=["low", "high"]),
            "whole": np.arange(n) * 3,
            "t": np.arange(n),
            "s": [0, 1] * 6,
        }
    )
    notes = pd.Series([f"note {i}" for i in range(2 * n)] + ["note 0"] * n)
    data = pd.concat([data] * 3, ignore_index=True).assign(notes=notes)
    cohort = cohort_from_frame(data.drop(columns=["record id", "name"]), outcomes=[OS])
    kinds = {v.name: v.kind for v in cohort.variables}
    assert kinds == {
        "flag": "binary", "dose": "continuous", "stage": "categorical", "sex": "binary", "born": "date",
        "code": "categorical", "ordered": "binary", "whole": "continuous", "notes": "text",
    }  # fmt: skip
    assert cohort.variable("ordered").codes == ("low", "high")
    assert "Left out because empty or not readable as a table: empty." in cohort.readings
    assert not {"born", "notes"} & {v.name for v in cohort.filterable}
    alone = cohort_from_frame(data.head(n).drop(columns=["name", "notes"]), outcomes=[OS])
    assert alone.identifier == "record id"


def test_columns_outside_the_dictionary_do_not_enter_the_default_model(cohort_folder):
    data = pd.DataFrame({"age": [50, 60, 70], "relapsed_later": [0, 1, 1], "days": [1, 2, 3], "status": [0, 1, 1]})
    cohort = read_cohort(cohort_folder(data, variables=[{"name": "age", "kind": "continuous"}]))
    assert [v.name for v in cohort.predictors] == ["age"]
    assert cohort.variable("relapsed_later").use == "optional"
    assert cohort.readings[0] == "Not in the dictionary, read by their values: relapsed_later as binary."


def test_parquet_and_csv_of_the_same_data_are_read_alike(cohort_folder):
    data = pd.DataFrame(
        {
            "id": ["01", "02", "03"],
            "age": [50.25, np.nan, 61],
            "sex": ["f", None, "m"],
            "days": [3, 2, 1],
            "status": [0, 1, 1],
        }
    )
    csv = read_cohort(cohort_folder(data, identifier="id"))
    parquet = read_cohort(cohort_folder(data, file="data.parquet", identifier="id"))
    pd.testing.assert_frame_equal(csv.frame, parquet.frame)
    assert csv.fingerprint == parquet.fingerprint


def test_types_that_parquet_adds(cohort_folder):
    data = pd.DataFrame(
        {
            "seen": pd.to_datetime(["2020-01-01", "2021-06-30"]).tz_localize("UTC"),
            "ward": pd.Categorical(["b", "a"], categories=["b", "a"]),
            "many": [[1, 2], [3]],
            "raw": [b"x", b"y"],
            "small": np.array([1, 300], dtype="int16"),
            "days": np.array([1, 2], dtype="uint8"),
            "status": [False, True],
        }
    )
    cohort = read_cohort(cohort_folder(data, file="data.parquet"))
    assert cohort.frame["seen"].tolist() == [pd.Timestamp("2020-01-01"), pd.Timestamp("2021-06-30")]
    assert cohort.frame["small"].tolist() == [1.0, 300.0]
    assert {v.name for v in cohort.variables} == {"seen", "ward", "small"}
    assert "Left out because empty or not readable as a table: many, raw." in cohort.readings


def test_implausible_values_are_kept(cohort_folder):
    variables = [{"name": "age", "kind": "continuous", "plausible": [18, 100]}]
    cohort = read_cohort(cohort_folder("days,status,age\n1,0,430\n2,1,60\n", variables=variables))
    assert cohort.frame["age"].tolist() == [430.0, 60.0]


def test_a_mixed_column_of_a_frame_is_read_as_text():
    data = pd.DataFrame({"x": [1, "high", None, 2.5], "t": [1, 2, 3, 4], "s": [0, 1, 0, 1]})
    cohort = cohort_from_frame(data, outcomes=[OS])
    assert cohort.variable("x").codes == ("1", "2.5", "high")


def test_numbers_are_only_what_a_clinician_would_write():
    values, wrong = Column.of(
        pd.Series(["1", " 2.5 ", "1e3", "True", "0x1A", "1_000", "1,5", "<5", "inf", None])
    ).numbers()
    np.testing.assert_array_equal(values[:3], [1, 2.5, 1000])
    np.testing.assert_array_equal(wrong, [False] * 3 + [True] * 6 + [False])


def test_a_list_of_cohorts_holds_broken_ones_too(cohort_folder, tmp_path):
    cohort_folder("days,status\n1,0\n", name="b_fine", order=5)
    broken = cohort_folder("days,status\n1,0\n", name="a_broken")
    (broken / "dictionary.json").write_text("{not json", encoding="utf-8")
    (tmp_path / "not_a_cohort").mkdir()
    entries = list_cohorts([tmp_path, tmp_path / "absent", tmp_path])
    assert [(e.key, e.title) for e in entries] == [
        ("b_fine", "Made up"),
        ("a_broken", "a_broken"),
    ]
    with pytest.raises(Faults):
        read_cohort(entries[1].folder)


def test_a_folder_that_is_gone(tmp_path):
    with pytest.raises(Fixable, match="There is no folder"):
        read_cohort(tmp_path / "gone")


def test_declared_variables_bring_their_meaning(cohort_folder):
    variables = [
        {
            "name": "stage",
            "label": "Stage",
            "kind": "ordinal",
            "levels": [{"code": 2, "label": "two"}, {"code": 1, "label": "one"}],
        },
        {"name": "crp", "kind": "continuous", "unit": "mg/l"},
    ]
    data = pd.DataFrame(
        {"stage": [1.0, 2.0, np.nan], "crp": [1.234, 2.5, 12.0], "days": [1, 2, 3], "status": [0, 1, 1]}
    )
    cohort = read_cohort(cohort_folder(data, variables=variables))
    assert cohort.frame["stage"].cat.codes.tolist() == [1, 0, -1]
    assert cohort.variable("stage").reference_code == "2"
    assert cohort.variable("crp").say(1.234) == "1.23 mg/l"


def test_a_frame_with_known_variables():
    told = [Variable(name=" s2 ", kind="categorical")]
    cohort = cohort_from_frame(status([0, 1]).assign(s2=["a", "b"]), outcomes=[OS], variables=told, title="T")
    assert (cohort.title, cohort.variable("s2").codes) == ("T", ("a", "b"))
