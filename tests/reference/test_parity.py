"""Every number of the references, through the runner that anybody can point at a folder of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.parity.compare import compare, count
from benchmarks.parity.expression import evaluate
from benchmarks.parity.kinds import kinds
from benchmarks.parity.runner import Folder, run
from benchmarks.parity.table import Table, read_table

HERE = Path(__file__).parent
UNSUPPORTED = {"exact ties", "frailty"}


def test_every_number_of_the_references_is_ours():
    lines = list(run(HERE))
    wrong = {line.at: line.tally.faults[:3] or line.note for line in lines if line.tally.failed or line.tally.gaps}
    assert wrong == {}
    assert {line.note for line in lines if line.unsupported} <= UNSUPPORTED
    total = sum(line.tally.passed + line.unsupported for line in lines)
    assert total == Folder(HERE).total() == 161_352


@pytest.fixture
def table(tmp_path):
    (tmp_path / "t.csv").write_text("a,b.c,g\n1,2,x\n,3,y\n4,,\n", encoding="utf-8")
    return tmp_path


def test_rows_are_derived_then_filtered(table):
    told = {"input": "t.csv", "derive": {"d": "log(`b.c`)", "e": "d * 2"}, "where": "a >= 1 or missing(a)"}
    read = read_table(table, told)
    assert len(read) == 3
    assert read.number("e")[0] == pytest.approx(1.3862943611198906)
    assert len(read_table(table, told | {"complete": ["a", "b.c"]})) == 1


def test_missing_is_three_valued(table):
    read = read_table(table, {"input": "t.csv"})
    assert read.flag("a > 0").tolist() == [True, False, True]
    assert read.flag("not (a > 0)").tolist() == [False, False, False]
    assert read.flag("a > 0 or g == 'y'").tolist() == [True, True, True]
    assert read.flag("g in ('x', 'z')").tolist() == [True, False, False]
    codes, labels = read.codes("g")
    assert codes.tolist() == [0, 1, -1] and labels == ("x", "y")
    assert Table(read.frame, {"g": ["y", "x"]}).codes("g")[0].tolist() == [1, 0, -1]


FOREIGN = ("__import__('os')", "a.b", "(lambda: 1)()", "a[0]", "a if b else c", "f'{a}'", "a; b")


@pytest.mark.parametrize("text", FOREIGN)
def test_nothing_but_an_expression_is_run(text):
    with pytest.raises((ValueError, KeyError)):
        evaluate(text, {}, 1)


@pytest.mark.parametrize(
    ("reference", "got", "passed", "failed", "gaps"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-8], 2, 0, 0),
        ([1.0, 2.0], [1.0, 2.0 + 1e-7], 1, 1, 0),
        ([1.0, 2.0], [1.0], 0, 2, 0),
        ({"a": 1, "b": {"c": 2}}, {"a": 1}, 1, 1, 0),
        ({"a": None, "b": "Inf", "c": "a note"}, {"a": 1.0, "b": float("inf")}, 0, 0, 1),
        (0.0, 1e-13, 1, 0, 0),
        (5, [5.0], 1, 0, 0),
        (1.0, float("nan"), 0, 1, 0),
    ],
)
def test_numbers_are_compared_one_by_one(reference, got, passed, failed, gaps):
    tally = compare(reference, got)
    assert (tally.passed, tally.failed, tally.gaps) == (passed, failed, gaps)
    assert count(reference) == passed + failed


def test_text_is_sorted_as_r_does_outside_the_c_locale(tmp_path):
    # R: sort(c("b", "C", ...)) in C.UTF-8, en_US.UTF-8 and the like
    order = [
        "_x",
        "{",
        "+",
        "<=20",
        ">50",
        "10",
        "2",
        "20-50",
        "a",
        "A",
        "a b",
        "a-b",
        "A1",
        "b",
        "C",
        "e",
        "é",
        "f",
        "Z",
    ]
    (tmp_path / "t.csv").write_text("g\n" + "\n".join(reversed(order)) + "\n", encoding="utf-8")
    assert read_table(tmp_path, {"input": "t.csv"}).codes("g")[1] == tuple(order)


def test_a_column_alone_may_stand_in_backticks_or_not(tmp_path):
    (tmp_path / "t.csv").write_text("a b,class\n1,x\n2,y\n", encoding="utf-8")
    read = read_table(tmp_path, {"input": "t.csv", "levels": {"class": ["y", "x"]}})
    for name in ("class", "`class`"):
        assert read.codes(name) == (pytest.approx([1, 0]), ("y", "x"))
    assert read.number("a b").tolist() == read.number("`a b`").tolist() == [1, 2]
    assert Folder(HERE).inputs_given({"`a b`": ["`class`", "`a b` + 1"]}) == {"a b": ["class", "`a b` + 1"]}


def test_identifiers_stay_text_and_new_patients_are_held_as_the_table_is(tmp_path):
    (tmp_path / "t.csv").write_text("id,old,n\n1_12,TRUE,1\n11_2,FALSE,2\n\n", encoding="utf-8")
    read = read_table(tmp_path, {"input": "t.csv"})
    assert read.text("id").tolist() == ["1_12", "11_2"]
    assert not read.is_factor("old") and read.is_factor("id")
    new = read.new_rows({"old": [True, False], "n": ["3", None], "extra": [1, 2]})
    assert new["old"].tolist() == ["TRUE", "FALSE"]
    assert new["n"].tolist()[0] == 3 and new["n"].isna().tolist() == [False, True]


def test_a_column_that_changes_with_time_stands_where_the_block_has_it(tmp_path):
    xs, zs = [5, 3, 8, 1, 9, 2] * 2, [1, 0, 0] * 4
    rows = "".join(f"{i + 1},{(i + 1) % 3 > 0:d},{xs[i]},{zs[i]}\n" for i in range(12))
    (tmp_path / "t.csv").write_text("t,e,x,z\n" + rows, encoding="utf-8")
    table = read_table(tmp_path, {"input": "t.csv"})
    timed = {"tt": "x", "transform": "x * log(t)"}
    coef = {
        terms: kinds()["cox_short"](table, {"time": "t", "event": "e", "terms": order})["coef"]
        for terms, order in {"last": ["x", "z", timed], "between": ["x", timed, "z"]}.items()
    }
    assert coef["between"][[0, 2, 1]] == pytest.approx(coef["last"])
    assert coef["between"][1] != pytest.approx(coef["between"][2])


def test_terms_may_be_written_as_in_r_or_spelled_out(tmp_path):
    rows = "".join(
        f"{(7 * i) % 23 + 1},{i % 4 > 0:d},{(5 * i) % 11},{'a: b' if i % 3 else 'c'},{i % 2}\n" for i in range(40)
    )
    (tmp_path / "t.csv").write_text("t,e,x,g,z\n" + rows, encoding="utf-8")
    table = read_table(tmp_path, {"input": "t.csv"})
    told = {"time": "t", "event": "e", "distribution": "weibull", "strata": ["z"]}
    written = ["x", "g == 'a: b'", "factor(z):x"]
    spelled = ["x", "g == 'a: b'", {"interaction": [{"factor": "z"}, "x"]}]
    for name in ("cox_short", "parametric"):
        one, other = (kinds()[name](table, told | {"terms": terms})["coef"] for terms in (written, spelled))
        assert len(one) == (3 if name == "cox_short" else 4) and one == pytest.approx(other)


def test_one_value_may_stand_for_a_list(tmp_path):
    (tmp_path / "t.csv").write_text("t,e,g,s\n1,1,a,x\n2,1,b,x\n3,0,a,x\n4,1,b,y\n5,1,a,y\n", encoding="utf-8")
    block = {
        "at": "r.json#/a",
        "compute": "log_rank",
        "data": {"input": "t.csv"},
        "time": "t",
        "event": "e",
        "group": "g",
    }
    # By hand, of a: 2/3 and 1/2 in x, 1/2 and 1 in y.
    (tmp_path / "r.json").write_text('{"a": {"expected": [2.6666666666666665, 1.3333333333333333]}}', encoding="utf-8")
    for strata in ("s", ["s"]):
        (tmp_path / "blocks.json").write_text(json.dumps({"blocks": [block | {"strata": strata}]}), encoding="utf-8")
        (line,) = run(tmp_path)
        assert (line.tally.passed, line.tally.failed) == (2, 0), line.tally.faults
