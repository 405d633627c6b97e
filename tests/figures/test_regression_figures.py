"""The figures of a regression: two columns of intervals, ratios over time and along a variable, curves, points."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from bedside.intake import read_cohort
from bedside.regression import Spline, design, fit_cox, multivariable, spec_of, univariable
from bedside.regression.diagnose import spline_curve
from bedside.regression.forest import ForestRow
from bedside.regression.forest_curve import curves_as_quartiles
from bedside.regression.nomogram import nomogram
from bedside.regression.parametric_compare import compare_parametric
from bedside.regression.points import points_of
from bedside.regression.terms import Factor, Log
from bedside.regression.zph import check_proportional
from bedside.survival import curves_by
from components import numbers_checks
from components.figures.beta_over_time import beta_alt, beta_figure, beta_rows
from components.figures.forest_pair import forest_pair_alt, forest_pair_figure, forest_pair_rows, lines_of
from components.figures.labels import pixels
from components.figures.nomogram import nomogram_alt, nomogram_figure, nomogram_rows
from components.figures.parametric_overlay import overlay_alt, overlay_figure, overlay_rows
from components.figures.spline_hr import spline_alt, spline_figure, spline_rows
from components.printing.paper import draw

NAN = math.nan
WILD = ForestRow("<b>$x$</b>", "<b>$x$</b>", None, ("x",), 20, 5, 900.0, 0.0001, math.inf, 0.9, 0.9)
NONE = ForestRow("y", "y", None, ("y",), 20, 5, NAN, NAN, NAN, NAN, NAN, note="It adds nothing.")


@pytest.fixture(scope="module")
def cohort():
    return read_cohort(Path(__file__).parents[2] / "sample_data" / "gbsg2_breast")


@pytest.fixture(scope="module")
def models(cohort):
    spec = spec_of(cohort, ["age", "grade", "hormone_therapy"])
    return univariable(cohort, cohort.outcomes[0], spec), multivariable(cohort, cohort.outcomes[0], spec)


def test_a_variable_of_several_levels_has_a_heading_and_its_reference(models):
    lines = lines_of(models[0], models[1].rows)
    assert [(x.label, x.is_head, x.is_reference) for x in lines] == [
        ("Age, per 10 years", False, False),
        ("Tumour grade", True, False),
        ("Grade 1", False, True),
        ("Grade 2", False, False),
        ("Grade 3", False, False),
        ("Hormone therapy against no hormone therapy", False, False),
    ]
    assert lines[2].detail == "81 patients, 18 events"
    assert lines[3].alone.hr == pytest.approx(2.3912, rel=1e-4)  # R: coxph(~ grade)
    assert lines[3].together.hr != lines[3].alone.hr


def test_both_models_share_an_axis_and_their_numbers_have_room_of_their_own(models):
    lines = lines_of(models[0], models[1].rows)
    fig = forest_pair_figure(lines)
    alone, _, together, marks = fig.data
    row = lines[0].together
    assert list(together.x[:3]) == [row.lower, row.upper, None]
    assert alone.y[0] < together.y[0]
    assert list(marks.marker.symbol) == ["square", "square-open", "square", "square", "square"]
    texts = [a.text for a in fig.layout.annotations]
    assert texts.count("reference") == 1
    assert "<b>● Each alone</b>" in texts and "<b>■ All together</b>" in texts
    # Every word stands in a margin: labels left of the axis, numbers right of it, however wide the page is.
    sides = {(a.x, a.xshift < 0) for a in fig.layout.annotations}
    assert sides == {(0, True), (1, False)}
    left, right = fig.layout.margin.l, fig.layout.margin.r
    widest = max(pixels([line], size=12) for each in lines if not each.is_head for line in each.words)
    assert left > widest and right > pixels(["1.25 (1.08 to 1.45)p = 0.002"], size=10.5)
    assert left + right < 400  # a tablet held upright leaves 480 px


def test_rows_of_visits_are_intervals(models):
    lines = lines_of(models[0], models[1].rows, intervals=True)
    assert lines[2].detail == "81 intervals, 18 events"
    assert forest_pair_rows(models[0], [], intervals=True)[0][4] == "intervals"


def test_no_ratio_and_wild_ratios_are_never_a_false_number():
    fig = forest_pair_figure(lines_of([WILD, NONE], []))
    low, high = (10**v for v in fig.layout.xaxis.range)
    marks = fig.data[1]
    assert list(marks.marker.symbol) == ["triangle-left", "triangle-right", "circle"]
    assert all(low * (1 - 1e-9) <= x <= high * (1 + 1e-9) for x in marks.x)
    texts = [a.text for a in fig.layout.annotations]
    assert "900 (&lt; 0.01 to &gt; 1000)" in texts
    assert "no ratio" in texts
    assert "&lt;b&gt;&#36;x&#36;&lt;/b&gt;" in texts
    assert len(fig.data) == 2  # nothing of all together
    assert forest_pair_alt(lines_of([WILD, NONE], [])).endswith("Y: alone no ratio.")
    assert forest_pair_rows([NONE], [])[1][0][-1] == "It adds nothing."


def test_a_curve_is_one_row_between_quartiles(cohort):
    spec = spec_of(cohort, [Spline("age", 4), "nodes"])
    made = design(cohort, cohort.outcomes[0], spec)
    fit = fit_cox(made.data)
    rows = multivariable(cohort, cohort.outcomes[0], spec).rows
    (row, nodes) = curves_as_quartiles(cohort, made, fit, rows)
    low, high = np.quantile(cohort.frame["age"], (0.25, 0.75))
    curve = spline_curve(made, fit, "age", reference=float(low), points=5000).curve
    at = int(np.argmin(np.abs(curve.value - high)))
    wanted = [curve.hazard_ratio[at], curve.lower[at], curve.upper[at]]
    np.testing.assert_allclose([row.hr, row.lower, row.upper], wanted, rtol=2e-3)
    assert row.label == f"Age, {high:g} years against {low:g} years"
    assert row.term_p == rows[0].term_p
    assert nodes == rows[-1]


def test_a_reference_stays_in_the_order_of_levels(cohort):
    spec = spec_of(cohort, [Factor("grade", "2"), "age"])
    rows = multivariable(cohort, cohort.outcomes[0], spec).rows
    assert [(row.level, row.is_reference) for row in rows[:3]] == [("1", False), ("2", True), ("3", False)]
    last = multivariable(cohort, cohort.outcomes[0], spec_of(cohort, [Factor("grade", "3")])).rows
    assert [row.level for row in last] == ["1", "2", "3"] and last[2].is_reference


def test_a_doubling_that_hardly_anybody_spans_is_told_between_quartiles():
    pbc = read_cohort(Path(__file__).parents[2] / "sample_data" / "pbc_liver")
    model = multivariable(pbc, pbc.outcomes[0], spec_of(pbc, ["prothrombin_s", "bilirubin_mg_dl"]))
    rows = curves_as_quartiles(pbc, model.design, model.fit, model.rows)
    assert rows[0].label == "Prothrombin time, 11.1 seconds against 10.0 seconds"
    beta = model.fit.coef[0] * math.log2(11.1 / 10.0)
    assert rows[0].hr == pytest.approx(math.exp(beta), rel=1e-9)
    half = model.fit.variance[0, 0] ** 0.5 * math.log2(1.11) * 1.959963984540054
    assert (rows[0].lower, rows[0].upper) == pytest.approx((math.exp(beta - half), math.exp(beta + half)), rel=1e-9)
    assert rows[1] == model.rows[1]  # bilirubin: many patients have twice another's


def test_a_logarithm_is_held_against_its_own_line():
    pbc = read_cohort(Path(__file__).parents[2] / "sample_data" / "pbc_liver")
    spec = spec_of(pbc, [Log("bilirubin_mg_dl", 2.0), "age"])
    model = multivariable(pbc, pbc.outcomes[0], spec)
    made = numbers_checks._bent(model.design, 0, 4)
    held = spline_curve(made, fit_cox(made.data), "bilirubin_mg_dl")
    # R, survival::pbc: coxph(Surv(time, status > 0) ~ rcs(log2(bili), 4) + age), which has age unrounded.
    assert held.nonlinearity.wald.statistic == pytest.approx(6.028015690, rel=1e-4)
    assert held.nonlinearity.likelihood_ratio.statistic == pytest.approx(6.188412288, rel=1e-4)
    line = numbers_checks._line(model, model.design.terms[0], held)
    shown = numbers_checks._back(held, 2.0)
    doubled = np.interp([shown.curve.reference, 2 * shown.curve.reference], shown.curve.value, line)
    np.testing.assert_allclose(doubled, [1, model.rows[0].hr], rtol=1e-3)
    fig = spline_figure(shown, np.exp2(made.data.x[:, 0]), line=line, log=True)
    drawn = fig.data[2]
    slopes = np.diff(drawn.y) / np.diff(drawn.x)
    np.testing.assert_allclose(slopes, slopes[0], rtol=1e-6)  # straight on the axis that is drawn
    assert list(fig.layout.xaxis.ticktext) == ["0.5", "1", "2", "5", "10", "20"]


def test_the_ratio_over_time_is_drawn_whole_and_its_dots_as_far_as_they_are_near(models):
    series = check_proportional(models[1].fit).series[0]
    fig = beta_figure(series, per_unit=1 / 365.25, x_title="Years")
    dots, band, smooth, one, none = fig.data
    low, high = fig.layout.yaxis.range
    assert low < series.smooth.min() and series.smooth.max() < high
    np.testing.assert_allclose(smooth.y, series.smooth)
    assert all(low <= y <= high for y in dots.y) and len(dots.y) <= 400
    assert one.y[0] == series.estimate and none.y[0] == 0
    assert len(band.x) == 80
    assert "Hazard ratio at that time" in fig.layout.yaxis.title.text
    said = r"Age over time, 299 events: about hazard ratio [\d.]+ \([\d.]+ to [\d.]+\) early"
    assert re.search(said, beta_alt(series))
    assert len(beta_rows(series, unit="years")[1]) == 299 + 40


def test_a_term_of_several_columns_is_shown_as_a_share_of_its_effect(models):
    series = check_proportional(models[1].fit).series[1]
    fig = beta_figure(series, single=False)
    assert fig.layout.yaxis.title.text == "Ratio to the model's one value<br>(log scale)"
    assert "times the model's" in beta_alt(series, single=False)


def test_the_curve_has_its_reference_and_a_floor_of_bars(cohort):
    made = design(cohort, cohort.outcomes[0], spec_of(cohort, [Spline("age", 4)]))
    found = spline_curve(made, fit_cox(made.data), "age", reference=50)
    values = cohort.frame["age"].to_numpy(float)
    bars, _, line, mark = spline_figure(found, values, x_title="Age").data
    inside = (values >= found.low) & (values <= found.high)
    heights = np.asarray(bars.y)
    assert len(heights) == 40
    counts = np.histogram(values[inside], 40, (found.low, found.high))[0]
    np.testing.assert_allclose(heights / heights.max(), counts / counts.max())
    assert (mark.x[0], mark.y[0]) == (50, 0)
    np.testing.assert_allclose(line.y, np.log(found.curve.hazard_ratio))
    assert spline_alt(found, said_at=[("50 years", 50.0)]).endswith("50 years: 1.00 (1.00 to 1.00).")
    assert len(spline_rows(found)[1]) == len(found.curve.value)


def test_smooth_curves_over_steps_are_shaded_beyond_follow_up(cohort):
    outcome = cohort.outcomes[0]
    until = 1.5 * float(cohort.time(outcome).max())
    found = compare_parametric(cohort, outcome, until=until, models=("weibull", "lognormal"))
    steps = [c.convert("years") for c in curves_by(cohort, outcome, None)]
    per = 1 / 365.25
    fig = overlay_figure(steps, found.models, per_unit=per, until=until * per, followed=found.followed_until * per)
    assert len(fig.data) == 3
    assert {t.line.dash for t in fig.data[1:]} == {"dash", "dot"}
    assert fig.layout.shapes[0].x0 == pytest.approx(found.followed_until * per)
    assert not overlay_figure(steps, found.models, per_unit=per, until=5, followed=7).layout.shapes
    assert overlay_alt(found.models, groups=1).startswith("Kaplan-Meier curve with Weibull, at most")
    rows = overlay_rows(found.models, per_unit=per, unit="years")[1]
    assert len(rows) == 2 * 201
    assert {row[-1] for row in rows} == {True, False}


def test_points_of_a_model_add_up_to_its_chances(cohort):
    found = multivariable(cohort, cohort.outcomes[0], spec_of(cohort, ["age", "grade", "nodes"]))
    points = points_of(cohort, found.design, found.fit, time=5 * 365.25)
    board = {axis.name: axis for axis in points.board.axes}
    assert max(axis.points.max() for axis in points.board.axes) == pytest.approx(100)
    # A patient of 40 years, grade 2, 8 nodes: coefficients and points must say the same.
    coef = dict(zip(found.fit.data.names, found.fit.coef, strict=True))
    grade = list(board["Tumour grade"].values).index("2")
    age, nodes = list(board["Age"].values).index("40"), list(board["Positive lymph nodes"].values).index("10")
    total = sum(
        board[name].points[i] for name, i in (("Age", age), ("Tumour grade", grade), ("Positive lymph nodes", nodes))
    )
    linear = coef["Age, per 10 years"] * 4 + coef["Tumour grade: 2 against 1"]
    linear += coef["Positive lymph nodes, per doubling"] * math.log2(10) - float(found.fit.means @ found.fit.coef)
    assert points.board.linear_predictor(total) == pytest.approx(linear, rel=1e-9)
    fig = nomogram_figure(points.board, [("50%", 30.0)], title="Without the event at 5 years")
    assert "Sum of points" in [a.text for a in fig.layout.annotations]
    assert "Tumour grade: 1 0, 2 " in nomogram_alt(points.board)
    assert nomogram_rows(points.board, [("50%", 30.0)])[1][-1] == ["chance without the event", "50%", 30.0, None]


def test_names_that_would_touch_are_moved_or_left_out():
    board = nomogram(
        {"x": (("a", "b", "c"), np.array([0.0, 1e-6, 1.0]))}, linear_predictor=np.array([0.0, 1.0]), centre=0
    )
    notes = nomogram_figure(board, []).layout.annotations
    assert [(a.text, a.yshift) for a in notes if a.text in "abc"] == [("a", -13), ("b", 13), ("c", -13)]


def test_all_of_them_print(models, cohort):
    lines = lines_of(models[0], models[1].rows)
    series = check_proportional(models[1].fit).series[0]
    for fig in (forest_pair_figure(lines), beta_figure(series)):
        sheet = draw(fig)
        sheet.canvas.draw()
        assert len(sheet.axes) >= 1
