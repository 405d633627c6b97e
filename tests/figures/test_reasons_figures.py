"""What a model goes by: one variable against its value, pairs of variables, importance over time and in parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bedside.cohort import Variable
from bedside.explain import Interactions, OverTime, Stability
from components.figures.dependence import (
    DRAWN,
    Groups,
    Spread,
    dependence_alt,
    dependence_figure,
    dependence_rows,
    dots_text,
)
from components.figures.interactions import interactions_alt, interactions_figure, interactions_rows
from components.figures.palette import contrast
from components.figures.reasons_over_time import (
    importance_over_time_alt,
    importance_over_time_figure,
    stability_alt,
    stability_figure,
    stability_rows,
)
from components.printing.paper import draw

HOSTILE = "<script>alert(1)</script>"
AGE = Variable(name="age", label="Age", unit="years", kind="continuous")
STAGE = Variable(name="stage", label=HOSTILE, kind="ordinal", levels=[{"code": c, "label": c} for c in "abc"])


@pytest.fixture(scope="module")
def spread() -> Spread:
    """Risk rises by a point a year from 50 on, twice as fast in the second group; every tenth value is missing."""
    age = np.linspace(40, 80, 1000)
    age[::10] = np.nan
    group = np.arange(1000) % 2
    points = np.nan_to_num(0.01 * (age - 50) * (1 + group), nan=0.0)
    return Spread(AGE, (), age, points, np.arange(1000) * 3, Groups(HOSTILE, ("slow", "fast"), group))


def dots(fig):
    return [t for t in fig.data if t.customdata is not None]


def test_each_group_has_its_own_colour_sign_and_mean(spread):
    fig = dependence_figure(spread, named=[f"Patient {i} {HOSTILE}" for i in range(1000)])
    slow, fast = dots(fig)
    assert slow.marker.color != fast.marker.color and slow.marker.symbol != fast.marker.symbol
    known = {int(k): (x, y) for t in (slow, fast) for k, x, y in zip(t.customdata, t.x, t.y, strict=True)}
    assert all(known[k] == (spread.value[k // 3], 100 * spread.points[k // 3]) for k in known)
    lines = [t for t in fig.data if t.mode == "lines"]
    assert [np.polyfit(line.x, line.y, 1)[0] for line in lines] == [
        pytest.approx(1, abs=0.01),
        pytest.approx(2, abs=0.02),
    ]
    assert lines[0].line.dash != lines[1].line.dash
    assert not any("<" in text for t in dots(fig) for text in t.text)
    key = [a.text for a in fig.layout.annotations]
    assert key[1:] == ["● slow", "◆ fast"] and "<" not in key[0]
    assert draw(fig).get_axes()


def test_at_most_500_dots_are_drawn_and_it_is_said(spread):
    fig = dependence_figure(spread)
    assert sum(len(t.x) for t in dots(fig)) == DRAWN
    ends = [int(np.nanargmax(spread.points)) * 3, int(np.nanargmin(spread.points)) * 3]
    assert all(any(end in t.customdata for t in dots(fig)) for end in ends)
    assert dots_text(spread) == f"each dot a patient, {DRAWN} of 900"
    header, rows = dependence_rows(spread)
    assert header == ["patient", "Age", "points", HOSTILE] and len(rows) == 1000
    assert rows[0][1] == "" and rows[1] == [4, spread.value[1], 100 * spread.points[1], "fast"]
    assert f"Mean contribution of Age in percentage points, by {HOSTILE}: lowest third " in dependence_alt(spread)


def test_levels_have_their_places_and_gaps_in_the_other_variable_are_hollow():
    value, codes = np.repeat([0.0, 1.0, 2.0], 20), np.tile([0, -1], 30)
    told = Spread(STAGE, ("a", "b", HOSTILE), value, value / 100, np.arange(60), Groups("Sex", ("male",), codes))
    fig = dependence_figure(told)
    male, missing = dots(fig)
    assert missing.marker.symbol == "circle-open" and max(male.x) < 2.5
    assert all(np.round(x) == y for t in (male, missing) for x, y in zip(t.x, t.y, strict=True))
    strokes = [t for t in fig.data if t.customdata is None]
    assert [list(np.sign(np.array(t.x) - [0, 1, 2])) for t in strokes] == [[-1] * 3, [1] * 3]
    assert all(list(t.y) == [0, 1, 2] for t in strokes)
    assert list(fig.layout.xaxis.tickvals) == [0, 1, 2] and "<" not in fig.layout.xaxis.ticktext[2]
    assert "a +0.0; b +1.0" in dependence_alt(told)
    alone = dependence_figure(replace(told, groups=None))
    assert len(dots(alone)) == 1 and not alone.layout.annotations


def test_a_variable_nobody_has_a_value_of_is_an_empty_figure():
    nobody = Spread(AGE, (), np.full(5, np.nan), np.zeros(5), np.arange(5))
    assert sum(len(t.x) for t in dots(dependence_figure(nobody))) == 0
    assert draw(dependence_figure(nobody)).get_axes()


def pairs(p: int) -> Interactions:
    values = np.zeros((2, p, p))
    for i in range(p):
        for j in range(i):
            values[:, i, j] = values[:, j, i] = np.array([1, -1]) * (i + j) / 1000
    variables = tuple(Variable(name=f"v{i}", label=f"Variable {i}", kind="continuous") for i in range(p))
    return Interactions(variables, 1.0, values, "exact", None, 100)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_pair_has_a_cell_whose_number_can_be_read(mode):
    fig = interactions_figure(pairs(10), mode=mode)
    cells = [shape for shape in fig.layout.shapes if shape.type == "rect"]
    assert len(cells) == 8 * 7 / 2
    numbers = [a for a in fig.layout.annotations if a.text.replace(".", "").isdigit()]
    assert len(numbers) == len(cells) and numbers[0].text == "1.7"
    for cell, number in zip(cells, numbers, strict=True):
        assert contrast(cell.fillcolor, number.font.color) >= 4.5
    names = [a.text for a in fig.layout.annotations if a.text.startswith("Variable")]
    assert names[:2] == ["Variable 9", "Variable 8"] and len(names) == 8
    assert interactions_rows(pairs(10))[1][0] == ["Variable 8", "Variable 9", pytest.approx(1.7)]
    assert "Variable 8 and Variable 9 1.7; " in interactions_alt(pairs(10))
    assert "2 variables with less of it are not shown." in interactions_alt(pairs(10))
    assert draw(fig).get_axes()


def test_two_variables_that_never_meet_have_one_pale_cell():
    told = replace(pairs(2), values=np.zeros((3, 2, 2)))
    assert [a.text for a in interactions_figure(told).layout.annotations][-1] == "0"


def test_lines_over_time_are_those_of_the_most_important_variables():
    variables = pairs(8).variables
    size = np.outer(np.arange(1, 9), [1.0, 2.0]) / 100
    told = OverTime(variables, np.array([1.0, 2.0]), np.zeros((3, 8, 2)), np.zeros((3, 8)), size, np.arange(3),
                    np.zeros(2), "exact", None, 100)  # fmt: skip
    fig = importance_over_time_figure(told, told.times, x_title="years")
    assert len(fig.data) == 6
    assert list(fig.data[0].y) == pytest.approx([8, 16]) and list(fig.data[1].y) == pytest.approx([7, 14])
    assert "Variable 7 8.0 to 16.0; " in importance_over_time_alt(told, told.times, "years")


def test_every_part_of_the_patients_has_its_dot():
    importance = np.array([[0.1, 0.05], [0.08, 0.09], [0.12, 0.01]])
    told = Stability(pairs(2).variables, 1.0, importance, importance.mean(axis=0), importance.std(axis=0, ddof=1),
                     np.array([1, 1]), np.array([2, 2]))  # fmt: skip
    bars, points = stability_figure(told).data
    assert list(bars.x) == pytest.approx([10, 5])
    assert sorted(points.x) == pytest.approx(sorted(100 * importance.ravel()))
    assert "Variable 0 10.0 points, place 1 to 2" in stability_alt(told)
    assert stability_rows(told)[1][1][:2] == ["Variable 1", pytest.approx(5)]
