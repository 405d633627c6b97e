"""The comparison page's figures: what is drawn where, what is said, and that paper shows them too."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bedside.cohort import Cohort
from bedside.cohort.groups import group_by
from bedside.cohort.variable import Level, Variable
from bedside.intake import read_cohort
from bedside.treatment import Adjusted, BalanceRow, Column, SubgroupForest, adjusted, histogram, subgroups
from components.figures.adjusted import Panel, adjusted_alt, adjusted_figure, adjusted_rows, line_of
from components.figures.love import MOST, love_alt, love_figure, love_order, love_rows, name_of
from components.figures.overlap import overlap_alt, overlap_figure, overlap_rows
from components.figures.subgroups import ratio_text, subgroup_alt, subgroup_figure, subgroup_table
from components.printing.paper import draw

ROOT = Path(__file__).resolve().parents[2]
NASTY = "<b>x</b> %{y} $z$"


@cache
def opened() -> Cohort:
    return read_cohort(ROOT / "sample_data" / "gbsg2_breast")


@cache
def weighted() -> Adjusted:
    cohort = opened()
    return adjusted(cohort, cohort.outcomes[0], group_by(cohort, "hormone_therapy"), ["age", "grade", "er_fmol_mg"])


@cache
def forest() -> SubgroupForest:
    cohort = opened()
    return subgroups(cohort, cohort.outcomes[0], group_by(cohort, "hormone_therapy"), ["grade", "age"])


def row(label: str, before: float, after: float, name: str | None = None, level: str | None = None) -> BalanceRow:
    if level is None:
        variable = Variable(name=name or label, label=label, kind="continuous")
    else:
        variable = Variable(name=name or label, kind="categorical", levels=(Level(code=level, label=label),))
    return BalanceRow(Column(variable, level, label), before, after, (0.0, 1.0), (0.5, 0.5))


def test_raw_curves_are_dashed_and_thin_beside_solid_ones_with_bands():
    found = weighted()
    raw, lines = ([line_of(c, "years") for c in curves] for curves in (found.raw_curves, found.curves))
    figure = adjusted_figure(raw, [Panel("Weighted", tuple(lines))], unit="years", at=5.0)
    drawn = [t for t in figure.data if t.line.width]
    raw_drawn = [t for t in drawn if t.line.dash == "4px,3px"]
    assert raw_drawn and all(t.line.width < 2 for t in raw_drawn)
    assert len([t for t in figure.data if t.fill == "toself"]) == 2
    (mark,) = figure.layout.shapes
    assert mark.x0 == mark.x1 == 5.0
    alone = adjusted_figure(raw, [], unit="years")
    assert {t.line.dash for t in alone.data} == {"solid"}
    assert len(adjusted_figure(raw, [Panel("A", tuple(lines))] * 2, unit="years").layout.shapes) == 0


def test_every_step_is_in_the_file_and_the_words_say_one_time():
    found = weighted()
    raw = [line_of(c, "years") for c in found.raw_curves]
    header, rows = adjusted_rows(found.raw_curves, found.curves, (), "days", "years")
    assert len(rows) == sum(len(c.time) for c in (*found.raw_curves, *found.curves))
    assert len(header) == len(rows[0]) and rows[-1][2] == pytest.approx(found.curves[1].last / 365.25)
    # R: summary(survfit(...), times = 5 * 365.25): 0.436 and 0.583.
    assert "as observed: No hormone therapy 44%, Hormone therapy 58%" in adjusted_alt(raw, [], 5.0, "years")
    assert "not known" in adjusted_alt(raw, [], 50.0, "years")


def test_love_plot_orders_by_difference_and_shows_one_of_two_levels():
    rows = [row("a", 0.05, 0.0), row("no", -0.4, 0.1, "b", "0"), row("yes", 0.4, -0.1, "b", "1"), row("c", -0.9, 0.2)]
    assert [r.column.label for r in love_order(rows)] == ["c", "yes", "a"]
    figure = love_figure(rows)
    before, after = figure.data[1], figure.data[2]
    assert list(before.x) == [0.9, 0.4, 0.05] and list(after.x) == [0.2, 0.1, 0.0]
    assert figure.layout.shapes[0].x0 == 0.1
    assert "c: −0.90 before, 0.20 after" in love_alt(rows)
    assert love_rows(rows, ("x", "y"))[1][3][:3] == ["c", -0.9, 0.2]


def test_groups_that_do_not_overlap_at_all_stay_inside_the_figure():
    figure = love_figure([row(NASTY, float("inf"), 0.0), row("b", 0.3, 0.1)])
    assert max(figure.data[1].x) <= figure.layout.xaxis.range[1]
    assert "no overlap before" in love_alt([row("a", float("inf"), 0.0)])
    assert "<b>x" not in figure.layout.yaxis.ticktext[0]
    assert len(love_figure([row(f"v{i}", i / 100, 0.0) for i in range(60)]).data[1].x) == MOST


def test_overlap_counts_every_patient_once():
    scores = weighted().scores
    edges, counts = histogram(scores, group=1)
    figure = overlap_figure(edges, counts[1], counts[0], names=(NASTY, "other"), colours=("#000000", "#111111"))
    assert sum(figure.data[0].y) == 246 and sum(figure.data[1].y) == -440
    assert all("<b>x" not in note.text for note in figure.layout.annotations)
    header, rows = overlap_rows(edges, counts, scores.labels)
    assert header[2:] == list(scores.labels) and sum(r[2] + r[3] for r in rows) == 686
    assert "nowhere" in overlap_alt(edges, np.zeros(20, dtype=int), counts[1], ("a", "b"))


def test_subgroups_have_an_interaction_each_and_no_p_of_their_own():
    found = forest()
    texts = [note.text for note in subgroup_figure(found).layout.annotations]
    assert sum(t.startswith("interaction p") for t in texts) == 2
    assert not any(t.startswith("p ") for t in texts)
    header, rows = subgroup_table(found)
    assert rows[0][1] == "All patients" and len(rows[0]) == len(header)
    assert len(rows) == 1 + sum(len(r.levels) for r in found.rows)
    assert subgroup_alt(found).count("interaction p") == 2
    assert [ratio_text(v) for v in (0.004, 0.5, 12.34, 123.4, float("inf"))] == [
        "< 0.01",
        "0.50",
        "12.3",
        "123",
        "> 1000",
    ]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_paper_shows_them(mode):
    found = weighted()
    raw, lines = ([line_of(c, "years") for c in curves] for curves in (found.raw_curves, found.curves))
    edges, counts = histogram(found.scores)
    panels = [Panel("Weighted", tuple(lines)), Panel("Standardised", tuple(lines))]
    for figure in (
        adjusted_figure(raw, panels, unit="years", at=4, mode=mode),
        love_figure(found.balance, mode=mode),
        overlap_figure(edges, counts[1], counts[0], names=("a", "b"), colours=("#000000", "#111111"), mode=mode),
        subgroup_figure(forest(), mode=mode),
    ):
        assert {t.type for t in figure.data} <= {"scatter", "bar"}
        sheet = draw(figure)
        assert sheet.axes and sheet.get_figheight() > 1


@pytest.mark.parametrize(
    ("variable", "level", "name"),
    [
        ("Symptoms of HIV", "symptoms of HIV", "Symptoms of HIV"),
        ("Injected drugs", "has injected drugs", "Has injected drugs"),
        ("Sex", "male", "Sex: male"),
    ],
)
def test_what_a_level_repeats_is_said_once(variable, level, name):
    told = Variable(name="x", label=variable, kind="categorical", levels=(Level(code="1", label=level),))
    assert name_of(Column(told, "1", f"{variable}: {level}")) == name


def test_nothing_of_the_overlap_lies_on_anything_else():
    edges, up = np.linspace(0, 1, 21), np.zeros(20, dtype=int)
    up[-1] = 50
    title = "Chance of “Oestrogen receptor positive”, known at the start"
    figure = overlap_figure(edges, up, up, names=("a", "b"), colours=("#000000", "#111111"), x_title=title)
    # A name is 15 px high; the tallest bar leaves it more than that on either side.
    plot = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    assert plot / 2 * (1 - 50 / figure.layout.yaxis.range[1]) > 20
    assert figure.layout.xaxis.title.text.count("<br>") == 1
    assert "patients" in [note.text for note in figure.layout.annotations]
