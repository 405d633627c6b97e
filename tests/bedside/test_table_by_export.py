"""The table by group as CSV, HTML and LaTeX: every text harmless, every number there."""

from __future__ import annotations

import csv
import io
import math
from html.parser import HTMLParser

import numpy as np
import pytest

from bedside.cohort.groups import group_by
from bedside.cohort.table_by import TableBy, row_of_levels, row_of_numbers, table_by
from bedside.cohort.variable import Level, Variable
from bedside.report.table_export import (
    latex_text,
    notes,
    table_by_csv,
    table_by_html,
    table_by_latex,
    table_by_rows,
)

NASTY = "</td><script>alert(1)</script>\\input{/etc/passwd} 100% & $x_1^2$ ~ #{}\n[=1+1]*\u202e"


class Cells(HTMLParser):
    """Text of every cell, and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


@pytest.fixture
def nasty() -> TableBy:
    site = Variable(
        name="s", label=NASTY, kind="categorical", levels=(Level(code="a", label=NASTY), Level(code="b", label="b"))
    )
    age = Variable(name="a", label=NASTY, unit=NASTY, kind="continuous")
    rng = np.random.default_rng(0)
    rows = (
        row_of_levels(site, ["a", "b"], [np.array([0, 1, -1]), np.array([0, 0])]),
        row_of_numbers(age, [rng.normal(50, 5, 30), np.append(rng.normal(50, 5, 30), np.nan)]),
    )
    return TableBy(NASTY, (NASTY, "other"), (3, 2), 1, rows)


def test_rows_hold_what_a_reader_checks_by_hand():
    levels = (Level(code="x", label="ex"), Level(code="y", label="why"))
    site = Variable(name="s", label="Site", kind="categorical", levels=levels)
    table = TableBy("Arm", ("A", "B"), (4, 4), 0, (row_of_levels(site, ["x", "y"], [spread(3, 1), spread(1, 3)]),))
    header, rows = table_by_rows(table)
    assert header == ["Variable", "A (n = 4)", "B (n = 4)", "p", "Test", "SMD"]
    # Shares 0.25 and 0.75: 0.5 / sqrt(0.1875) = 1.15; exact p 34/70 = 0.49.
    assert rows == [
        ["Site, n (%)", "", "", "0.49", "Fisher's exact test", "1.15"],
        ["\u2003ex", "3 (75.0%)", "1 (25.0%)", "", "", ""],
        ["\u2003why", "1 (25.0%)", "3 (75.0%)", "", "", ""],
    ]


def spread(*counts: int) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


def test_html_is_a_plain_table_whatever_the_data_say(nasty):
    read = Cells()
    read.feed(table_by_html(nasty))
    assert set(read.tags) == {"table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
    header, rows = table_by_rows(nasty)
    clean = [cell.replace("\n", " ").replace("\u202e", " ") for row in (header, *rows) for cell in row]
    assert read.cells[: len(clean) - 1] == clean[:-1]


def test_html_loads_nothing_and_styles_itself(gbsg2):
    html = table_by_html(table_by(gbsg2, group_by(gbsg2, "hormone_therapy")))
    assert "http" not in html
    assert "class=" not in html
    assert html.count("<tr>") == 1 + len(table_by_rows(table_by(gbsg2, group_by(gbsg2, "hormone_therapy")))[1])


def test_latex_has_no_command_from_the_data(nasty):
    text = table_by_latex(nasty)
    assert "\\input" not in text
    assert "<" not in text
    assert latex_text("a\\b{c}%&_#$^~") == (r"a\textbackslash{}b\{c\}\%\&\_\#\$\textasciicircum{}\textasciitilde{}")
    # Each row has as many cells as the header, and ends once.
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    lines = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in lines} == {5}
    assert not any(line.startswith(("[", "*")) for line in lines)


def test_csv_keeps_every_digit_and_defuses_formulas(nasty):
    data = table_by_csv(nasty)
    told = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    numbers = [line for line in told if line["Mean"]]
    assert float(numbers[0]["Mean"]) == nasty.rows[1].numbers[0].mean
    assert float(numbers[1]["Missing"]) == 1
    levels = [line for line in told if line["Count"]]
    assert [int(line["Count"]) for line in levels] == [1, 1, 2, 0]
    assert "nan" not in data.decode().lower()
    equals = TableBy("t", ("=cmd()", "b"), (1, 1), 0, nasty.rows[:1])
    assert b'"\'=cmd()"' in table_by_csv(equals)


def test_notes_tell_of_who_is_missing_and_which_test_fell_back(nasty):
    told = " ".join(notes(nasty))
    assert "1 patient without" in told
    three = TableBy("t", ("a", "b", "c"), (1, 1, 1), 0, ())
    assert "largest of all pairs" in " ".join(notes(three))


def test_what_cannot_be_said_is_a_dash():
    age = Variable(name="a", kind="continuous")
    table = TableBy("t", ("a", "b"), (1, 1), 0, (row_of_numbers(age, [np.array([math.nan]), np.array([1.0])]),))
    assert table_by_rows(table)[1][0] == ["a, median (quartiles)", "–", "1 (1 to 1)", "–", "–", "–"]
