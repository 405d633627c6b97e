"""The Kaplan-Meier figure: what it draws is what was estimated, and all of it can be read."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.survival import kaplan_meier
from components.figures.km import km_alt, km_figure, km_rows, km_summary_rows, nice_times
from components.figures.palette import contrast, palette
from components.figures.steps import band_outline, censor_marks, drawn_rows, short, spread

HOSTILE = "<script>alert(1)</script> %{x} $y$"


@pytest.fixture(scope="module")
def gbsg(reference_frame):
    """Two curves of real patients, in days."""
    frame = reference_frame("gbsg")
    arms = (("No hormone therapy", 0), ("Hormone therapy", 1))
    return tuple(
        kaplan_meier(frame.rfstime[frame.hormon == arm], frame.status[frame.hormon == arm], group=name)
        for name, arm in arms
    )


def many(n: int, patients: int = 60):
    """Curves of n made-up groups, in months."""
    rng = np.random.default_rng(n)
    return tuple(
        kaplan_meier(
            rng.exponential(20 + 5 * i, patients), rng.random(patients) < 0.6, group=f"Group {i}", unit="months"
        )
        for i in range(n)
    )


def traces(figure, mode, **having):
    return [t for t in figure.data if t.mode == mode and all(getattr(t, k) == v for k, v in having.items())]


def lines(figure, name):
    """The solid and the pale part of a curve."""
    return [t for t in figure.data if t.mode == "lines" and t.name == name]


def table(figure):
    """Rows of numbers under the plot, from top to bottom."""
    numbers = traces(figure, "text")[0]
    columns = len(figure.layout.xaxis.tickvals)
    return np.reshape([int(v.replace(",", "")) for v in numbers.text], (-1, columns))


def test_every_drawn_point_is_the_estimate(gbsg):
    figure = km_figure(gbsg, unit="years")
    for curve in gbsg:
        years = curve.convert("years")
        parts = lines(figure, curve.group)
        assert all(part.line.shape == "hv" for part in parts)
        for part in parts:
            np.testing.assert_array_equal(part.y, years.at(part.x, extend=True).survival)
        assert parts[0].x[0] == 0
        assert parts[-1].x[-1] == years.last


def test_curve_is_paler_from_where_fewer_than_ten_remain(gbsg):
    figure = km_figure(gbsg, unit="days")
    for curve in gbsg:
        solid, pale = lines(figure, curve.group)
        assert solid.x[-1] == pale.x[0] == curve.reliable_until(10)
        assert curve.counts(solid.x[-1]).at_risk[0] >= 10
        assert curve.counts(pale.x[1]).at_risk[0] < 10
        assert pale.line.color.startswith("rgba") and solid.line.color.startswith("#")


def test_small_group_is_pale_throughout():
    curve = kaplan_meier([1, 2, 3], [1, 0, 1], group="Three")
    solid, pale = lines(km_figure([curve]), "Three")
    assert set(solid.x) == {0}
    assert (pale.x[0], pale.x[-1]) == (0, 3)


def test_table_is_the_counts_at_the_ticks_of_the_axis(gbsg):
    figure = km_figure(gbsg, unit="years")
    ticks = figure.layout.xaxis.tickvals
    np.testing.assert_array_equal(ticks, np.arange(8))
    counts = [c.convert("years").counts(ticks) for c in gbsg]
    expected = [row for c in counts for row in (c.at_risk, c.censored, c.events)]
    np.testing.assert_array_equal(table(figure), expected)
    assert figure.layout.yaxis2.ticktext == ("At risk", "Censored so far", "Events so far") * 2
    assert table(figure)[0].tolist() == [440, 379, 281, 195, 124, 63, 18, 1]
    numbers = traces(figure, "text")[0]
    assert (numbers.xaxis or "x", numbers.yaxis) == ("x", "y2")
    np.testing.assert_array_equal(numbers.x[:8], ticks)


def test_chosen_window_and_columns(gbsg):
    figure = km_figure(gbsg, unit="months", until=60, table_times=[0, 6, 60, 61])
    assert tuple(figure.layout.xaxis.range) == (0, 60)
    assert figure.layout.xaxis.tickvals.tolist() == [0, 6, 60]
    assert max(max(t.x) for t in figure.data if t.name) == 60


def test_names_are_text_and_never_markup():
    curves = [kaplan_meier([1, 2, 3], [1, 1, 0], group=HOSTILE), kaplan_meier([2, 3], [1, 0], group="ذراع 💊")]
    drawn = km_figure(curves, y_title=HOSTILE, x_title=HOSTILE).to_json()
    assert "<script" not in drawn and "\\u003cscript" not in drawn
    assert "&lt;script" in drawn
    assert "%{x} $y$" not in drawn
    assert "ذراع 💊" in "".join(a.text for a in km_figure(curves).layout.annotations)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_in_a_groups_colour_can_be_read(mode):
    figure = km_figure(many(8), mode=mode)
    colours = {a.font.color for a in figure.layout.annotations}
    assert len(colours) == 9
    assert min(contrast(c, palette(mode).card) for c in colours) >= 4.5


def test_no_two_groups_look_alike():
    figure = km_figure(many(20))
    looks = {(t.line.color, t.line.dash) for t in figure.data if t.name and t.line.color.startswith("#")}
    assert len(looks) == 20
    first = {(t.line.dash) for t in km_figure(many(8)).data if t.name}
    assert len(first) == 8


def test_each_name_stands_beside_its_curve_and_apart_from_the_others():
    curves = many(12)
    figure = km_figure(curves, height=340)
    named = [a for a in figure.layout.annotations if a.yref == "y"]
    assert [a.text for a in named] == [c.group for c in curves]
    beside = [a.y * 340 for a in named if a.xref == "paper"]
    assert np.diff(sorted(beside)).min() >= 15 - 1e-9
    assert 0 <= min(beside) <= max(beside) <= 340


def ended(**groups):
    """Curves by name: (last time, survival there), the way down in ten equal steps of time."""
    made = []
    for name, (last, left) in groups.items():
        events = np.r_[np.ones(round(20 * (1 - left))), np.zeros(round(20 * left))]
        time = np.r_[np.linspace(last / 10, last * 0.9, round(20 * (1 - left))), np.full(round(20 * left), last)]
        if not left:
            time[-1] = last
        made.append(kaplan_meier(time, events, group=name, unit="years"))
    return made


def name_of(figure, group):
    return next(a for a in figure.layout.annotations if a.text == group and a.yref == "y")


def leader_lines(figure):
    return [t for t in figure.data if t.mode == "lines" and t.line.dash == "1px,3px"]


def test_a_curve_that_ends_early_is_named_where_it_ends():
    figure = km_figure(ended(Long=(10, 0.5), Short=(3, 0.2)))
    short_, long_ = name_of(figure, "Short"), name_of(figure, "Long")
    assert (short_.xref, short_.x, short_.y) == ("x", 3, pytest.approx(0.2))
    assert (long_.xref, long_.x) == ("paper", 1)
    assert leader_lines(figure) == []


def test_a_name_does_not_stand_on_another_curve():
    figure = km_figure(ended(Long=(10, 0.5), Short=(3, 0.85)))
    assert name_of(figure, "Short").xref == "paper"
    assert len(leader_lines(figure)) == 1


def test_no_line_crosses_the_figure_from_a_curve_that_is_down_to_zero():
    """One lies where the other's name would be, so that both names are in the margin."""
    figure = km_figure(ended(Dead=(3, 0.0), Low=(10, 0.0), High=(10, 0.7)))
    assert name_of(figure, "Dead").xref == "x"
    crowded = km_figure(ended(Dead=(3, 0.0), Flat=(10, 0.05), High=(10, 0.7)) + ended(Early=(2.8, 0.0)))
    inside = [a.text for a in crowded.layout.annotations if a.yref == "y" and a.xref == "x"]
    assert len(inside) == 1
    assert all(t.x[0] >= 7 for t in leader_lines(crowded))


def test_more_than_eight_groups_have_one_row_each():
    curves = many(9)
    figure = km_figure(curves)
    assert table(figure).shape[0] == 9
    assert table(figure)[:, 0].tolist() == [60] * 9
    assert all(c.group in label for c, label in zip(curves, figure.layout.yaxis2.ticktext, strict=True))


def test_one_group_has_no_labels():
    figure = km_figure(many(1))
    assert [a.text for a in figure.layout.annotations] == ["Free of the event"]
    assert figure.layout.yaxis2.ticktext == ("At risk", "Censored so far", "Events so far")


def test_margins_hold_the_longest_name():
    """24 characters of Inter at 12 px need at most 24 x 7 px; twice that where the script is wide."""
    narrow = km_figure([kaplan_meier([1, 2], [1, 0], group=g) for g in ("A", "B")])
    latin = km_figure([kaplan_meier([1, 2], [1, 0], group=g) for g in ("A", "n" * 40)])
    wide = km_figure([kaplan_meier([1, 2], [1, 0], group=g) for g in ("A", "漢" * 40)])
    assert narrow.layout.margin.r < 40 < 150 < latin.layout.margin.r < 200 < 300 < wide.layout.margin.r
    assert all(len(a.text) <= 24 for a in latin.layout.annotations if a.xshift == 10)


def test_short_names_keep_their_beginning_and_their_end():
    assert short("Institution of medicine number 10") == "Institution of…umber 10"
    assert short("Grade 3") == "Grade 3"
    assert len(short("x" * 100, 24)) == 24


def test_band_goes_with_the_switch_and_stops_where_there_is_none(gbsg):
    assert len([t for t in km_figure(gbsg).data if t.fill == "toself"]) == 4
    assert not [t for t in km_figure(gbsg, band=False).data if t.fill]
    assert not [t for t in km_figure([kaplan_meier([1, 2], [0, 0])]).data if t.fill]


def test_band_turns_pale_with_its_curve(gbsg):
    figure = km_figure(gbsg, unit="years")
    bands = [t for t in figure.data if t.fill == "toself"]
    for i, curve in enumerate(gbsg):
        full, pale = bands[2 * i : 2 * i + 2]
        turn = curve.convert("years").reliable_until(10)
        assert max(full.x) == min(pale.x) == turn
        assert max(pale.x) == curve.convert("years").last
        opacity = [float(t.fillcolor.rsplit(",", 1)[1].rstrip(")")) for t in (full, pale)]
        assert opacity[1] == pytest.approx(0.45 * opacity[0], rel=1e-4)
        at_turn = curve.convert("years").at(turn)
        assert {pale.y[0], pale.y[-1]} == {at_turn.upper[0], at_turn.lower[0]}


def test_band_outline_has_the_corners_of_the_steps():
    curve = kaplan_meier([1, 2, 3, 4], [1, 0, 1, 0], interval="log")
    x, y = band_outline(curve, np.array([0, 1, 3]), 4.0)
    np.testing.assert_array_equal(x, [0, 1, 1, 3, 3, 4, 4, 3, 3, 1, 1, 0])
    up, low = curve.upper[[0, 1, 3]], curve.lower[[0, 1, 3]]
    np.testing.assert_array_equal(y, np.concatenate((np.repeat(up, 2), np.repeat(low, 2)[::-1])))


def test_band_outline_leaves_out_what_has_no_limits():
    """The curve reaches zero at 3: the band ends there."""
    curve = kaplan_meier([1, 2, 3], [1, 1, 1])
    x, y = band_outline(curve, np.arange(4), 5.0)
    assert np.nanmax(x) == 3
    assert np.isfinite(y).all()


def test_a_hundred_thousand_patients_are_drawn_with_a_few_hundred_exact_points():
    rng = np.random.default_rng(5)
    curve = kaplan_meier(rng.exponential(900, 100_000), rng.random(100_000) < 0.5)
    rows = drawn_rows(curve, curve.last)
    assert 200 < len(rows) <= 401
    assert (curve.events[rows[1:]] > 0).all()
    last = rows[np.searchsorted(rows, np.arange(len(curve.time)), side="right") - 1]
    assert np.abs(curve.survival - curve.survival[last]).max() < 1 / 190
    assert len(censor_marks(curve, curve.last)[0]) <= 61
    figure = km_figure([curve])
    assert max(len(t.x) for t in figure.data) <= 4 * 402
    three = km_figure([curve] * 3)
    assert max(len(t.x) for t in three.data) <= 4 * 262
    rows = drawn_rows(curve, curve.last, limit=260)
    last = rows[np.searchsorted(rows, np.arange(len(curve.time)), side="right") - 1]
    assert np.abs(curve.survival - curve.survival[last]).max() < 1 / 128


@pytest.mark.parametrize("scale", ["survival", "incidence", "hazard"])
def test_every_property_of_the_figure_is_one_that_plotly_knows(scale):
    rng = np.random.default_rng(6)
    curves = [kaplan_meier(rng.exponential(900, n), rng.random(n) < 0.5) for n in (2000, 40)]
    figure = km_figure(curves, scale=scale)
    # Checked in full here, and so not in every run of the page: what Plotly does not know it would refuse.
    assert json.loads(go.Figure(figure.to_dict()).to_json()) == json.loads(figure.to_json())


def test_nothing_is_thinned_that_need_not_be():
    curve = kaplan_meier(np.arange(1, 301), np.tile([1, 0, 0], 100))
    rows = drawn_rows(curve, 150)
    np.testing.assert_array_equal(rows, [0, *np.flatnonzero(curve.events[: np.searchsorted(curve.time, 150, "right")])])
    x, y = censor_marks(curve, 30)
    assert len(x) == 20
    np.testing.assert_array_equal(y, curve.at(x).survival)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 300), min_size=1, max_size=18))
def test_labels_are_spread_without_changing_their_order(wanted):
    wanted = np.array(wanted)
    placed = spread(wanted, gap=15, top=300)
    assert placed.min() >= -1e-9 and placed.max() <= 300 + 1e-9
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(placed[order]) >= 15 - 1e-6).all()
    if (np.diff(wanted[order]) >= 15).all():
        np.testing.assert_allclose(placed, wanted, atol=1e-9)


@pytest.mark.parametrize(
    ("until", "unit", "most", "ticks"),
    [
        (7.28, "years", 8, [0, 1, 2, 3, 4, 5, 6, 7]),
        (7.28, "years", 5, [0, 2, 4, 6]),
        (5, "years", 6, [0, 1, 2, 3, 4, 5]),
        (60, "months", 6, [0, 12, 24, 36, 48, 60]),
        (1022, "days", 8, [0, 180, 360, 540, 720, 900]),
        (20, "weeks", 8, [0, 4, 8, 12, 16, 20]),
        (0.02, "years", 8, [0, 0.005, 0.01, 0.015, 0.02]),
    ],
)
def test_ticks_are_round_times(until, unit, most, ticks):
    np.testing.assert_allclose(nice_times(until, unit, most=most), ticks)


def test_narrow_page_gets_fewer_columns(gbsg):
    wide, narrow = (len(km_figure(gbsg, unit="years", width=w).layout.xaxis.tickvals) for w in (1100, 400))
    assert narrow < wide
    big = km_figure([kaplan_meier(np.arange(1.0, 100_001) / 8000, np.ones(100_000), unit="years")], width=400)
    assert len(big.layout.xaxis.tickvals) <= 5


def test_odd_curves_are_drawn():
    """All at time 0, no events, one patient: a figure, and no warning."""
    for curve in (kaplan_meier([0, 0], [1, 0]), kaplan_meier([3, 4], [0, 0]), kaplan_meier([5], [1])):
        figure = km_figure([curve])
        assert figure.layout.xaxis.range[1] > 0
        assert figure.to_json()


def test_alt_says_what_the_figure_shows(gbsg):
    said = km_alt(gbsg, unit="years", y_title="Alive and free of recurrence")
    assert said.startswith("Kaplan-Meier curves of 2 groups, alive and free of recurrence.")
    assert "Hormone therapy: 246 patients, 94 events, median 5.5 years (95% interval 5.3 to not reached)" in said
    flat = kaplan_meier([1, 2, 3], [0, 0, 0], group="Arm B")
    assert "Arm B: 3 patients, no events, median not reached" in km_alt([flat])
    assert "1 patient, 1 event, median 5 days" in km_alt([kaplan_meier([5], [1])])


def test_rows_are_every_step_unrounded(gbsg):
    header, rows = km_rows(gbsg, unit="years")
    assert header[:3] == ["Group", "Time (years)", "At risk"] and header[-1] == "Upper 95% limit"
    assert len(rows) == sum(len(c.time) for c in gbsg)
    assert all(len(row) == len(header) for row in rows)
    assert rows[0] == ["No hormone therapy", 0.0, 440, 0, 0, 1.0, 1.0, 1.0]
    assert rows[1][6:] == [None, None]
    assert rows[200][5] == gbsg[0].survival[200]


def test_summary_rows_are_medians_and_chosen_times(gbsg):
    header, rows = km_summary_rows(gbsg, [1, 5, 20], unit="years")
    years = gbsg[1].convert("years")
    ours = dict(zip(header, rows[1], strict=True))
    assert (ours["Patients"], ours["Events"]) == (246, 94)
    assert ours["Median (years)"] == years.median.estimate
    assert ours["Median, upper 95% limit"] is None
    assert ours["Survival at 1 year"] == years.at(1).survival[0]
    assert ours["Lower 95% limit at 5 years"] == years.at(5).lower[0]
    assert ours["At risk at 5 years"] == 58
    assert (ours["Survival at 20 years"], ours["At risk at 20 years"]) == (None, 0)
