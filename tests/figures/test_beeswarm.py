"""Beeswarm and importance: every patient's contributions, and their average size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bedside.explain import Global
from components.figures.beeswarm import (
    DRAWN,
    beeswarm_alt,
    beeswarm_figure,
    beeswarm_rows,
    dots_text,
    importance_rows,
    value_scale,
)
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


def dots_of(fig, row):
    """Patient and contribution of every dot in a row of the figure."""
    return [
        (int(k), float(x))
        for t in rows_of(fig)
        for k, x, y in zip(t.customdata, t.x, t.y, strict=True)
        if abs(y - row) <= 0.45
    ]


def test_dots_stand_at_their_contribution_in_their_row_and_know_their_patient():
    told = everyone(n=50)
    fig = beeswarm_figure(told)
    for row in range(10):
        found = dict(dots_of(fig, row))
        assert len(found) == 50
        np.testing.assert_allclose([found[k] for k in told.rows], 100 * told.points[:, row])


def test_a_dot_says_what_it_is_told_and_nothing_of_it_is_read_as_markup():
    said = "<b>Ann</b> %{x} $5$"
    fig = beeswarm_figure(everyone(n=5), most=2, named=lambda row, keep: [f"{said} {row} {i}" for i in keep])
    texts = [text for t in rows_of(fig) for text in t.text]
    assert len(texts) == 10 and all("<" not in text and "%{x}" not in text and "$" not in text for text in texts)
    assert {text[-3:] for text in texts} == {f"{row} {i}" for row in (0, 1) for i in range(5)}


def test_missing_values_are_hollow_and_grey():
    told = everyone()
    hollow = [t for t in rows_of(beeswarm_figure(told)) if t.marker.symbol == "circle-open"]
    assert {t.marker.color for t in hollow} == {palette().neutral}
    assert sum(len(t.x) for t in hollow) >= DRAWN


def test_many_patients_are_thinned_but_both_ends_stay():
    told = everyone()
    fig = beeswarm_figure(told)
    x = [x for _, x in dots_of(fig, 0)]
    assert len(x) == DRAWN
    assert (min(x), max(x)) == (100 * told.points[:, 0].min(), 100 * told.points[:, 0].max())
    assert sum(len(t.x) for t in rows_of(fig)) == 10 * DRAWN == 1000


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
    fig = beeswarm_figure(long, most=2)
    assert tuple(fig.layout.yaxis.ticktext) == ("ECOG performance status by<br>the physician", "Age")
    assert 26 * 6 < fig.layout.margin.l < 26 * 8


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


def test_the_mean_size_is_a_band_and_a_number_beside_each_row():
    told = everyone()
    fig = beeswarm_figure(told)
    bands = [shape for shape in fig.layout.shapes if shape.type == "rect"]
    np.testing.assert_allclose([band.x1 for band in bands], 100 * told.mean_abs[:10])
    assert all(band.x0 == -band.x1 for band in bands)
    numbers = [a.text for a in fig.layout.annotations if a.y in range(10) and a.yref != "paper"]
    assert numbers == [f"{100 * size:.1f}" for size in told.mean_abs[:10]]
    assert importance_rows(told)[1][0] == [told.labels[0], pytest.approx(100 * told.mean_abs[0])]
    assert len(importance_rows(told)[1]) == 12
    assert f"{told.labels[0]} {100 * told.mean_abs[0]:.1f} on average" in beeswarm_alt(told)
    assert "of 1,000 patients" in beeswarm_alt(told)
