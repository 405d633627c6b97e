"""This patient beside others: curves that are told apart without colour, and the reasons in which two differ."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.patient.scenarios import Difference
from components.figures.palette import contrast, palette
from components.figures.what_if import (
    Side,
    Sides,
    reasons_alt,
    reasons_figure,
    reasons_rows,
    sides_alt,
    sides_figure,
    sides_rows,
    told_apart,
)
from components.printing import draw

HOSTILE = "<b>Ann</b> %{x} $y$ ![z](http://evil)"


def side(name: str, at_five: float) -> Side:
    time = np.arange(0.0, 8.0)
    free = 1 - (1 - at_five) * time / 5
    return Side(name, time, free, free - 0.1, np.minimum(free + 0.1, 1), 1 - at_five)


@pytest.fixture(scope="module")
def sides() -> Sides:
    lines = (side("this patient", 0.4), side("these values", 0.6), side(HOSTILE, 0.61), *(side(f"P{i}", 0.7)
             for i in range(3)))  # fmt: skip
    return Sides(lines, 2, 5.0, 6.5, "years", "surgery", "95% interval")


def test_six_curves_have_six_dashes_and_two_bands(sides):
    figure = sides_figure(sides).to_plotly_json()
    styles = {trace["name"]: trace["line"]["dash"] for trace in figure["data"] if trace.get("name")}
    assert len(styles) == len(set(styles.values())) == 6
    assert styles["this patient"] == "solid"
    bands = [trace for trace in figure["data"] if trace.get("fill") == "tonexty"]
    assert sorted(trace["line"]["width"] for trace in bands) == [0, 0, 1, 1]  # each in full and pale
    marks = next(trace for trace in figure["data"] if trace.get("mode") == "markers")
    np.testing.assert_allclose(marks["y"], [0.4, 0.6, 0.61, 0.7, 0.7, 0.7])
    heights = sorted(a["y"] for a in figure["layout"]["annotations"])
    assert min(np.diff(heights)) > 0.05  # names stand clear of each other
    assert not any("<b>" in a["text"] or "%{" in a["text"] or "$" in a["text"]
                   for a in figure["layout"]["annotations"])  # fmt: skip


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_both_colours_can_be_read(mode):
    p = palette(mode)
    assert min(contrast(colour, p.card) for colour in (p.accent, p.groups[1])) >= 4.5


def test_words_and_numbers_of_the_curves(sides):
    said = sides_alt(sides)
    assert (
        "At 5 years: this patient 40% (95% interval 30% to 50%); these values 60% (95% interval 50% to 70%); " in said
    )
    assert "P2 70%. Paler from 6.5 years" in said
    header, rows = sides_rows(sides)
    assert header[:4] == ["time (years)", "this patient", "this patient, lower", "this patient, upper"]
    np.testing.assert_allclose(rows[5][:7], [5.0, 0.4, 0.3, 0.5, 0.6, 0.5, 0.7])


def test_limits_that_are_not_known_are_not_drawn():
    line = side("this patient", 0.4)
    none = np.full(len(line.time), np.nan)
    bare = Sides((Side("this patient", line.time, line.free, none, none, 0.6),), 2, 5.0, 6.5, "years", "surgery", "")
    assert all(trace.fill is None for trace in sides_figure(bare).data)
    assert "this patient 40%. Paler" in sides_alt(bare)


def reasons() -> list[Difference]:
    found = [Difference(f"V{i}", f"V{i} high", f"V{i} high", 0.01, 0.0107) for i in range(4)]
    return [Difference("Nodes", HOSTILE, "3 positive nodes", 0.17, -0.04), *found]


def test_small_differences_share_a_row_and_nothing_is_lost():
    rows = told_apart(reasons())
    assert [row.label for row in rows] == ["Nodes", "4 other values together"]
    assert sum(row.points for row in rows) == pytest.approx(sum(row.points for row in reasons()))
    one = reasons()[:2]
    assert [row.label for row in told_apart(one)] == ["Nodes", "V0"]
    assert [row.label for row in told_apart(reasons()[1:2])] == ["V0"]
    assert len(reasons_rows(reasons())[1]) == 5


def test_reasons_are_marked_by_shape_and_said_in_points():
    figure = reasons_figure(reasons()).to_plotly_json()
    symbols = [trace["marker"]["symbol"] for trace in figure["data"] if trace.get("mode") == "markers"]
    assert symbols == ["circle", "diamond-open"]
    told = [a["text"] for a in figure["layout"]["annotations"]]
    assert {"+17", "−4", "this patient", "these values", "average here"} <= set(told)
    assert "<b>" not in figure["layout"]["yaxis"]["ticktext"][0].replace("<br>", "")
    assert f"{HOSTILE} / 3 positive nodes: +17 and −4" in reasons_alt(reasons())
    assert reasons_figure([]).data is not None


def test_both_can_be_printed(sides):
    for figure in (sides_figure(sides), reasons_figure(reasons())):
        assert draw(figure, width=600).axes
