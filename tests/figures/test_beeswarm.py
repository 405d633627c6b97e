"""Beeswarm and importance: every patient's contributions, and their average size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bedside.explain import Global
from components.figures.beeswarm import DRAWN, beeswarm_alt, beeswarm_figure, beeswarm_rows, dots_text, value_scale
from components.figures.importance import importance_alt, importance_figure, importance_rows
from components.figures.palette import contrast, palette


def everyone(n: int = 1000, p: int = 12) -> Global:
    rng = np.random.default_rng(1)
    values = rng.random((n, p))
    values[:, 1] = np.nan
    values[:30, 2] = np.nan
    points = (np.nan_to_num(values, nan=0.3) - 0.5) * np.linspace(0.2, 0.01, p)
    points[0, 0] = 0.4
    mean = np.abs(points).mean(axis=0)
    order = np.argsort(-mean)
    labels = tuple(f"Variable {j}" for j in order)
    return Global(
        labels, labels, points[:, order], values[:, order], mean[order], n, 5, "years", "exact", None, 100,
        np.arange(n) * 2,
    )  # fmt: skip


def rows_of(fig):
    return [t for t in fig.data if t.customdata is not None and len(t.x)]


def test_dots_stand_at_their_contribution_in_their_row_and_know_their_patient():
    told = everyone(n=50)
    fig = beeswarm_figure(told)
    for row in range(10):
        mine = [t for t in rows_of(fig) if np.all(np.abs(np.asarray(t.y) - row) <= 0.45)]
        found = {int(k): x for t in mine for k, x in zip(t.customdata, t.x, strict=True)}
        assert len(found) == 50
        np.testing.assert_allclose([found[k] for k in told.rows], 100 * told.points[:, row])


def test_missing_values_are_hollow_and_grey():
    told = everyone()
    hollow = [t for t in rows_of(beeswarm_figure(told)) if t.marker.symbol == "circle-open"]
    assert {t.marker.color for t in hollow} == {palette().neutral}
    assert sum(len(t.x) for t in hollow) >= DRAWN


def test_many_patients_are_thinned_but_both_ends_stay():
    told = everyone()
    first = [t for t in rows_of(beeswarm_figure(told)) if np.all(np.abs(np.asarray(t.y)) <= 0.45)]
    x = np.concatenate([t.x for t in first])
    assert len(x) == DRAWN
    assert (x.min(), x.max()) == (100 * told.points[:, 0].min(), 100 * told.points[:, 0].max())


def test_only_the_most_important_rows_are_drawn_and_the_rest_is_counted():
    told = everyone()
    assert list(beeswarm_figure(told).layout.yaxis.ticktext) == list(told.labels[:10])
    assert "2 less important variables are not shown" in beeswarm_alt(told)
    assert "not shown" not in beeswarm_alt(told, most=12)


def test_how_many_dots_are_drawn_is_said_as_it_is():
    assert dots_text(everyone(n=100)) == "one dot per patient"
    assert dots_text(everyone()) == "up to 100 dots a row for 1,000 patients"
    assert beeswarm_alt(everyone()).endswith(" Up to 100 dots a row for 1,000 patients.")
    assert beeswarm_alt(everyone(n=20)).endswith(" One dot per patient.")


def test_long_names_of_variables_have_two_lines():
    told = everyone(n=20, p=3)
    long = replace(told, labels=("ECOG performance status by the physician", "Age", "Sex"))
    for fig in (beeswarm_figure(long, most=2), importance_figure(long, most=2)):
        assert tuple(fig.layout.yaxis.ticktext) == ("ECOG performance status by<br>the physician", "Age")
        assert 26 * 6 < fig.layout.margin.l < 26 * 8
    assert importance_figure(long).layout.height > importance_figure(told).layout.height


def test_the_colour_legend_is_in_words():
    fig = beeswarm_figure(everyone(n=20))
    bar = next(t.marker.colorbar for t in fig.data if t.marker.showscale)
    assert bar.ticktext == ("low", "high")
    assert any("missing" in a.text for a in fig.layout.annotations)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_dot_can_be_seen(mode):
    for _, colour in value_scale(mode):
        assert contrast(colour, palette(mode).card) >= 3


def test_identical_contributions_do_not_break_the_jitter():
    flat = replace(everyone(n=5), points=np.zeros((5, 12)))
    y = np.concatenate([t.y for t in rows_of(beeswarm_figure(flat, most=1))])
    assert len(set(y)) == 5
    assert np.abs(y).max() <= 0.4


def test_rows_hold_every_patient_and_leave_missing_empty():
    told = everyone(n=40)
    header, rows = beeswarm_rows(told)
    assert len(rows) == 40
    assert len(header) == len(rows[0]) == 1 + 2 * 12
    assert rows[3][0] == 7
    place = 1 + 2 * told.labels.index("Variable 1")
    assert rows[3][place + 1] == ""
    assert rows[3][place] == pytest.approx(100 * told.points[3, told.labels.index("Variable 1")])


def test_importance_is_the_mean_size_in_points():
    told = everyone()
    (bar,) = importance_figure(told).data
    np.testing.assert_allclose(bar.x, 100 * told.mean_abs)
    assert bar.text[0] == f"{100 * told.mean_abs[0]:.1f}"
    assert importance_figure(told).layout.yaxis.range[0] > importance_figure(told).layout.yaxis.range[1]
    assert importance_rows(told)[1][0] == [told.labels[0], pytest.approx(100 * told.mean_abs[0])]
    assert f"{told.labels[0]} {100 * told.mean_abs[0]:.1f}" in importance_alt(told)
    assert "over 1,000 patients" in importance_alt(told)
