"""Every number of the references, through the runner that anybody can point at a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.parity.compare import compare, count
from benchmarks.parity.expression import evaluate
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
    assert total == Folder(HERE).total() == 149_430


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
