"""Reasons over time: lines are grey where they may be nothing, and the sentence is told from the numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bedside.explain import Contribution, Explanation
from components.figures.palette import palette
from components.figures.reasons_ribbon import Ribbon, ribbon_alt, ribbon_figure, ribbon_rows, ribbon_sentence
from components.figures.waterfall import waterfall_alt, waterfall_figure, waterfall_rows

TIMES = np.array([1.0, 2.0, 3.0, 4.0, 5.0])


def ribbon(reach: float | None = 0.02) -> Ribbon:
    points = np.array([[0.10, 0.12, 0.12, 0.10, 0.08], [0.01, 0.05, 0.10, 0.15, 0.2], [-0.01, 0.0, 0.01, 0.0, 0.01]])
    ends = np.full_like(points, np.nan if reach is None else reach)
    return Ribbon(
        ("Nodes", "Age", "PgR"), ("9 nodes", "<b>Age</b> 55 $x$", "PgR 3"), TIMES, points, points - ends,
        points + ends, np.full(5, 0.3), 0.3 + points.sum(axis=0), 4.0, "years", "surgery",
    )  # fmt: skip


def test_lines_are_grey_where_they_may_be_nothing():
    fig = ribbon_figure(ribbon())
    grey = [trace for trace in fig.data if trace.line.color == palette().neutral]
    # Age at 1 year, with the piece that leads on; PgR at all times.
    assert len(grey) == 2
    np.testing.assert_array_equal(np.isfinite(grey[0].y), [True, True, False, False, False])
    assert np.isfinite(grey[1].y).all()
    lines = [trace for trace in fig.data if trace.fill is None and trace not in grey]
    np.testing.assert_allclose(lines[0].y[3], np.nan if np.isnan(lines[0].y[3]) else 15.0)
    bands = [trace for trace in fig.data if trace.fill == "toself"]
    assert len(bands) == 2 and max(bands[0].y) == pytest.approx(22)
    assert len(ribbon_figure(ribbon(None)).data) == 3
    assert not any("<b>" in note.text or "$" in note.text for note in fig.layout.annotations)
    assert fig.layout.shapes[1].x0 == 4.0


def test_the_sentence_comes_from_the_numbers():
    told = ribbon()
    assert ribbon_sentence(told) == "The largest reason is nodes in the first 4 years, then age."
    same = replace(told, points=told.points[[0, 2]], lower=told.lower[[0, 2]], upper=told.upper[[0, 2]])
    assert ribbon_sentence(same) == "The largest reason is nodes at all times."
    assert ribbon_sentence(ribbon(0.5)) == "No single value makes a difference that is sure at any time."
    late = replace(told, points=told.points[[1]], lower=told.points[[1]] - 0.06, upper=told.points[[1]] + 0.06)
    late = replace(late, names=("Age",))
    assert ribbon_sentence(late) == "The largest reason is age, and only later on is it sure."


def test_alt_and_rows():
    alt = ribbon_alt(ribbon())
    assert alt.startswith("Percentage points that each value goes with, within 1 year, 4 years, 5 years of surgery:")
    assert "9 nodes +10, +10, +8;" in alt and "PgR 3 −1, +0, +1 (may be nothing at the chosen time)" in alt
    header, rows = ribbon_rows(ribbon())
    assert header[-2:] == ["lower", "upper"] and len(rows) == 15
    assert rows[5] == ["Age", "<b>Age</b> 55 $x$", 1.0, pytest.approx(1.0), pytest.approx(-1.0), pytest.approx(3.0)]
    assert len(ribbon_rows(ribbon(None))[0]) == 4


def test_the_waterfall_shows_intervals_and_partners():
    parts = (
        Contribution("nodes", "Nodes", "9 nodes", 0.1, True, "higher goes with more risk", 0.05, 0.15, "A<b>ge", 0.021),
        Contribution("age", "Age", "Age 55", -0.02, None, "", -0.06, 0.02),
    )
    told = Explanation(5, "years", 0.3, 0.38, parts, 0.0, "exact", None, 100)
    fig = waterfall_figure(told)
    bars = [trace for trace in fig.data if trace.type == "bar"]
    assert [trace.marker.color for trace in bars if len(trace.x)] == [palette().up, palette().neutral]
    assert bars[0].customdata[0][0] == (
        "9 nodes: +10.0 points<br>95% interval 5.0 to 15.0<br>depends most on A&lt;b&gt;ge: +2.1 points when both "
        "values are there"
    )
    whiskers = next(trace for trace in fig.data if trace.type == "scatter" and trace.line.width == 1.4)
    assert [x for x in whiskers.x if x is not None][:6] == pytest.approx([0.35, 0.35, 0.35, 0.45, 0.45, 0.45])
    assert fig.layout.xaxis.range[0] < 0.3 and fig.layout.xaxis.range[1] > 0.45
    assert "9 nodes +10 (5 to 15; depends most on A<b>ge); Age 55 −2 (−6 to 2, may be nothing)" in waterfall_alt(told)
    header, rows = waterfall_rows(told)
    assert header[3:] == ["lower", "upper", "depends most on", "interaction, points"]
    assert rows[1][3:] == [pytest.approx(5), pytest.approx(15), "A<b>ge", pytest.approx(2.1)]
    assert rows[2][5:] == ["", ""] and rows[0][3:] == [""] * 4
