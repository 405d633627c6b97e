"""Exports that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.report.csv import csv_bytes, file_name

STARTERS = "=+-@＝＋－＠\t\r\x00"


def _read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_bytes_are_what_they_should_be():
    data = csv_bytes(["time", "=name"], [[1, "a"], [-2.5, 'say "hi", now'], [None, "two\nlines"]])
    assert data == (b'\xef\xbb\xbf"time","\'=name"\r\n1,"a"\r\n-2.5,"say ""hi"", now"\r\n,"two\nlines"\r\n')


@pytest.mark.parametrize("start", list(STARTERS))
@pytest.mark.parametrize("lead", ["", " ", "\u200b", "\ufeff", "\n", "\u00a0"])
def test_formulas_become_text_in_cells_and_headers(start: str, lead: str):
    text = f"{lead}{start}HYPERLINK(1)"
    header, row = _read(csv_bytes([text], [[text]]))
    assert header[0].startswith("'") and row[0].startswith("'")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-2.5, "-2.5"),
        (np.float64(-2.5), "-2.5"),
        (np.int64(-3), "-3"),
        (1e-300, "1e-300"),
        (0.1 + 0.2, "0.30000000000000004"),
        (float("nan"), ""),
        (np.nan, ""),
        (pd.NA, ""),
        (pd.NaT, ""),
        (None, ""),
        (True, "True"),
        ("-2.5", "-2.5"),
        ("-2.5+1", "'-2.5+1"),
        ("+1e5", "+1e5"),
    ],
)
def test_numbers_stay_numbers(value: object, shown: str):
    assert _read(csv_bytes(["x"], [[value]]))[1] == ([shown] if shown else [])


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2), max_size=8))
def test_text_returns_as_it_was_and_no_cell_starts_a_formula(rows: list[list[str]]):
    back = _read(csv_bytes(["a", "b"], rows))[1:]
    assert len(back) == len(rows)
    for given_row, read_row in zip(rows, back, strict=True):
        for text, cell in zip(given_row, read_row, strict=True):
            assert cell.removeprefix("'") in (text.replace("\x00", "\ufffd"), text.removeprefix("'"))
            if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", cell):
                assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠"))


@given(st.floats(allow_nan=False))
def test_every_float_returns_exactly(value: float):
    assert math.copysign(1, value) == math.copysign(1, float(_read(csv_bytes(["x"], [[value]]))[1][0]))
    assert float(_read(csv_bytes(["x"], [[value]]))[1][0]) == value


def test_ragged_rows_are_a_mistake_of_ours():
    with pytest.raises(ValueError, match="3 cells where the header has 2"):
        csv_bytes(["a", "b"], [[1, 2, 3]])


def test_file_names_tell_different_bytes_apart():
    first, second = file_name("curves", b"a" * 2_000_000, "csv"), file_name("curves", b"a" * 1_999_999 + b"b", "csv")
    assert first != second
    assert re.fullmatch(r"curves-[0-9a-f]{16}\.csv", first)


@given(st.text(), st.text())
def test_file_names_are_safe(stem: str, ext: str):
    name = file_name(stem, b"x", ext)
    assert re.fullmatch(r"[^\W_]+(-[^\W_]+)*-[0-9a-f]{16}\.[a-z0-9]+", name)
    assert len(name) <= 120
