"""The forest plot and the calibration plot."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bedside.risk import CalibrationPoint, Coefficient
from components.figures.calibration import calibration_alt, calibration_figure, calibration_rows
from components.figures.forest import forest_alt, forest_figure, forest_rows

NODES = Coefficient("Nodes, per doubling", "nodes", None, 1.404, 1.28, 1.535, 1e-9, "per doubling", math.log(2))
GRADE = Coefficient("Grade: III (against I)", "grade", "3", 1.74, 1.02, 2.96, 0.04, "against I", 1.0)
WILD = Coefficient("<b>$x$</b>", "x", None, math.inf, 0.0001, math.inf, 0.9, "per 1", 1.0)


def test_intervals_are_drawn_where_they_are_on_a_logarithmic_axis():
    fig = forest_figure([NODES, GRADE])
    line, marks = fig.data
    assert tuple(line.x) == (1.28, 1.535, None, 1.02, 2.96, None)
    assert tuple(line.y) == (0.22, 0.22, None, 1.22, 1.22, None)
    assert fig.layout.xaxis.type == "log"
    assert list(marks.x) == [1.404, 1.74]
    assert marks.text[0] == "Nodes, per doubling: 1.40 (1.28 to 1.53)"
    assert fig.layout.shapes[0].x0 == fig.layout.shapes[0].x1 == 1


def test_numbers_stand_on_the_right_and_words_with_reference_on_the_left():
    notes = forest_figure([NODES, GRADE]).layout.annotations
    assert [a.text for a in notes if a.xanchor == "right"] == ["1.40 (1.28 to 1.53)", "1.74 (1.02 to 2.96)"]
    assert [a.text for a in notes if a.xanchor == "left"] == ["Nodes, per doubling", "Grade: III (against I)"]


def test_a_ratio_without_end_becomes_an_arrow_and_never_a_false_number():
    fig = forest_figure([NODES, WILD])
    low, high = (10**v for v in fig.layout.xaxis.range)
    marks = fig.data[1]
    assert list(marks.marker.symbol) == ["square", "triangle-left", "triangle-right", "square"]
    assert all(low * (1 - 1e-9) <= x <= high * (1 + 1e-9) for x in marks.x)
    assert "&gt; 1000 (&lt; 0.01 to &gt; 1000)" in [a.text for a in fig.layout.annotations]
    assert "&lt;b&gt;&#36;x&#36;&lt;/b&gt;" in [a.text for a in fig.layout.annotations]


def test_forest_alt_and_rows():
    assert "Grade: III (against I): 1.74 (1.02 to 2.96)" in forest_alt([NODES, GRADE])
    header, rows = forest_rows([NODES, GRADE])
    assert header == ["coefficient", "hazard ratio", "lower", "upper", "p (Wald, under the ridge)"]
    assert rows[0] == ["Nodes, per doubling", 1.404, 1.28, 1.535, 1e-9]


FIFTHS = [
    CalibrationPoint(0.2, 0.25, 0.18, 0.33, 137, 33),
    CalibrationPoint(0.62, 0.58, 0.49, 0.66, 137, 77),
    CalibrationPoint(0.9, 1.0, math.nan, math.nan, 12, 12),
]


def test_calibration_points_stand_at_predicted_and_observed_with_their_interval():
    line, dots = calibration_figure(FIFTHS).data
    assert tuple(line.x) == tuple(line.y) == (0, 1)
    assert (tuple(dots.x), tuple(dots.y)) == ((0.2, 0.62, 0.9), (0.25, 0.58, 1.0))
    assert dots.error_y.array == pytest.approx((0.08, 0.08, 0))
    assert dots.error_y.arrayminus == pytest.approx((0.07, 0.09, 0))


def test_both_axes_of_a_calibration_plot_are_the_same():
    layout = calibration_figure(FIFTHS[:1]).layout
    assert layout.xaxis.range == layout.yaxis.range
    assert 0.33 < layout.xaxis.range[1] < 0.5


@pytest.mark.parametrize(("observed", "step"), [(0.06, 0.02), (0.15, 0.05), (0.55, 0.1), (0.7, 0.25), (1.0, 0.25)])
def test_ticks_of_a_calibration_plot_are_equally_far_apart_on_both_axes(observed, step):
    layout = calibration_figure([CalibrationPoint(0.05, observed, math.nan, math.nan, 20, 3)]).layout
    assert layout.xaxis.dtick == layout.yaxis.dtick == step
    assert layout.xaxis.tick0 == layout.yaxis.tick0 == 0


def test_hover_of_a_calibration_point_counts_its_patients_and_events():
    dots = calibration_figure([*FIFTHS, CalibrationPoint(0.5, 0.0, 0.0, 0.3, 1, 1)]).data[1]
    assert [tuple(row[:2]) for row in dots.customdata[:2]] == [
        ("137 patients", "33 events"),
        ("137 patients", "77 events"),
    ]
    assert tuple(dots.customdata[3][:2]) == ("1 patient", "1 event")


def test_calibration_alt_and_rows():
    text = calibration_alt(FIFTHS)
    assert text.startswith("Calibration in 3 groups")
    assert "137 patients, 33 events by then: predicted 20%, observed 25% (95% interval 18% to 33%)" in text
    assert "12 patients, 12 events by then: predicted 90%, observed 100% (no interval)" in text
    early = CalibrationPoint(0.2, math.nan, math.nan, math.nan, 9, 1)
    assert "9 patients, 1 event by then: predicted 20%, observed not known, follow-up is too short" in calibration_alt(
        [early]
    )
    assert calibration_rows(FIFTHS)[1][1] == [2, 137, 77, 0.62, 0.58, 0.49, 0.66]


def test_a_long_label_says_what_it_is_compared_with_on_a_second_line():
    long = replace(GRADE, label="Menopausal status: post-menopausal (against pre-menopausal)")
    figure = forest_figure([long, GRADE], room=72)
    left = [a.text for a in figure.layout.annotations if a.xanchor == "left"]
    assert left == ["Menopausal status: post-menopausal<br>(against pre-menopausal)", "Grade: III (against I)"]
    assert "post-menopausal (against pre-menopausal): 1.74" in forest_alt([long])
