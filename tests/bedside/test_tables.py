"""Table 1 as rows of text."""

from __future__ import annotations

from dataclasses import replace

from bedside.cohort.table_one import table_one
from bedside.report.tables import table_one_rows


def test_table_one_of_gbsg2(gbsg2):
    header, rows = table_one_rows(table_one(gbsg2))
    told = {row[0].strip(): row[1:] for row in rows}
    assert header[0] == "Variable" and {len(row) for row in rows} == {4}
    # summary(age), sd(age) in R: median 53, quartiles 46 and 61, mean 53.05, sd 10.12.
    assert told["Age (years)"] == ["53 (46 to 61)", "53 (10)", "0"]
    assert told["post-menopausal"][0] == "396 (57.7%)"
    assert told["hormone therapy"][0] == "246 (35.9%)"


def test_what_nobody_has_is_said(gbsg2):
    empty = gbsg2.frame.assign(age=float("nan"))
    rows = table_one_rows(table_one(replace(gbsg2, frame=empty, fingerprint="")))[1]
    assert rows[0] == ["Age (years)", "not recorded", "", "686"]
