"""Similar patients and visits: what is given is drawn, unusual values have their own shape, all is in words."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from components.figures.similar import SimilarCurves, similar_alt, similar_figure, similar_rows
from components.figures.visits import (
    Measured,
    Updated,
    measured_alt,
    measured_figure,
    measured_rows,
    updated_alt,
    updated_figure,
    updated_rows,
)
from components.printing.paper import draw

CURVES = SimilarCurves(
    time=np.array([0.0, 1.0, 2.0, 3.0]), seen=np.array([1.0, 0.8, 0.7, 0.6]), lower=np.array([1.0, 0.7, 0.55, 0.45]),
    upper=np.array([1.0, 0.9, 0.85, 0.75]), expected=np.array([1.0, 0.82, 0.74, 0.66]),
    own_time=np.array([0.0, 1.5, 2.5]), own=np.array([1.0, 0.9, 0.5]), horizon=2.0, alive=0.0, unit="years",
    since="surgery <b>", n=50, ticks=np.array([0.0, 1.0, 2.0, 3.0]), remaining=(50, 40, None, 21),
)  # fmt: skip
BILIRUBIN = Measured(
    "Bilirubin", "mg/dl", np.array([0.0, 1.0, 2.0]), np.array([0.6, 0.2, 3.4]), ("0.6", "0.2", "3.4"), 0.3, 1.0,
    "0.3 to 1.0",
)  # fmt: skip
OEDEMA = Measured("Oedema", "", np.array([0.0, 2.0]), np.array([0.0, 1.0]), ("no", "oedema"), levels=("no", "oedema"))
VISITS = [
    Updated(0.0, 0.2, 0.1, 0.3, float("nan"), 418, 186),
    Updated(1.0, 0.5, 0.3, 0.7, 0.25, 303, 135, 1.0),
    Updated(1.6, 0.6, 0.3, 0.9, 0.3, 200, 60, 1.5, True),
    Updated(2.0, float("nan"), float("nan"), float("nan"), float("nan"), 0, 0),
]


def trace(figure: go.Figure, name: str) -> go.Scatter:
    (found,) = [each for each in figure.data if each.name == name]
    return found


def texts(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_similar_curves_their_key_and_their_numbers():
    figure = similar_figure(CURVES)
    go.Figure(figure.to_plotly_json())
    np.testing.assert_array_equal(trace(figure, "observed").y, CURVES.seen)
    np.testing.assert_array_equal(trace(figure, "expected").y, CURVES.expected)
    np.testing.assert_array_equal(trace(figure, "this patient").x, CURVES.own_time)
    assert [t for t in texts(figure) if t in ("50", "40", "·", "21")] == ["50", "40", "·", "21"]
    assert figure.layout.xaxis.title.text == "years since surgery &lt;b&gt;"
    assert len([t for t in texts(figure) if t.startswith("what ")]) == 3
    assert "observed 70% (55% to 85%); predicted for them 74%; predicted for this patient 90%" in similar_alt(CURVES)
    assert "not enough of them were followed beyond 3 years" in similar_alt(replace(CURVES, horizon=4.0))
    header, rows = similar_rows(CURVES)
    assert len(header) == 6
    assert rows[2] == [2.0, 0.7, 0.55, 0.85, 0.74, 0.9]


def test_values_outside_the_reference_range_have_another_shape():
    figure = go.Figure(measured_figure([BILIRUBIN, OEDEMA], end=3.0, unit="years", since="start").to_plotly_json())
    assert list(figure.data[0].marker.symbol) == ["circle", "triangle-down", "triangle-up"]
    assert set(figure.data[1].marker.symbol) == {"circle"}
    (band,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert (band.y0, band.y1, band.yref) == (0.3, 1.0, "y")
    assert "mg/dl, usual 0.3 to 1.0" in texts(figure)
    assert measured_alt([BILIRUBIN, OEDEMA], "years") == (
        "Measurements over time. Bilirubin: 0.6 first, 3.4 (above what is usual) at 2 years last; Oedema: no first, "
        "oedema at 2 years last."
    )
    assert [row[-1] for row in measured_rows([BILIRUBIN], "years")[1]] == ["", "below", "above"]
    open_end = replace(BILIRUBIN, low=float("nan"), usual="up to 1.0")
    assert open_end.side.tolist() == [0, 0, 1]


def test_the_updated_risk_and_what_happened_only_when_it_is_given():
    figure = updated_figure(VISITS, end=3.0, unit="years", since="start", ahead="4 years")
    figure = go.Figure(figure.to_plotly_json())
    assert trace(figure, "updated").y == (0.5, 0.6)
    assert trace(figure, "unchanged").y == (0.25, 0.3)
    # Another model's risk stands apart, and a weak one is hollow.
    assert (trace(figure, "start").y, trace(figure, "start").marker.symbol) == ((0.2,), "diamond")
    strong, weak = trace(figure, "updated").marker.color
    assert strong != weak
    assert trace(figure, "updated").text[1] == "learnt at 1.5 years: 200 patients, 60 events"
    assert not [shape for shape in figure.layout.shapes if shape.xref == "x"]
    told = updated_figure(VISITS, end=3.0, unit="years", since="start", ahead="4 years", marks=[(2.5, "Death")])
    assert "Death" in texts(told)
    assert updated_alt(VISITS, unit="years", ahead="4 years") == (
        "Risk within the next 4 years, updated at each visit: at 0 years 20% (10% to 30%); at 1 year 50% (30% to 70%), "
        "by the start alone 25%; at 1.6 years 60% (30% to 90%), by the start alone 30%, few events behind it."
    )
    assert updated_rows(VISITS, unit="years", ahead="4 years")[1][1] == [1.0, 0.5, 0.3, 0.7, 0.25, 1.0, 303, 135]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_they_are_drawn_on_paper_too(mode):
    figures = (
        similar_figure(CURVES, mode=mode),
        measured_figure([BILIRUBIN, OEDEMA], end=3.0, unit="years", since="start", marks=[(2.5, "Death")], mode=mode),
        updated_figure(VISITS, end=3.0, unit="years", since="start", ahead="4 years", mode=mode),
    )
    for figure in figures:
        sheet, held = draw(figure), io.BytesIO()
        sheet.savefig(held, format="png", dpi=50)
        assert len(held.getvalue()) > 2_000
