"""Figures of validation and audit: what is drawn is what was found, on paper too, and labels are literal."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from bedside.cohort.groups import Grouping
from bedside.validation import Calibrated, calibrated, rows_of
from bedside.validation.audit import Audit, audit
from bedside.validation.resample import Resampled
from components.figures.audit_groups import audit_alt, audit_figure, audit_rows
from components.figures.calibration_curve import (
    calibration_curve_alt,
    calibration_curve_figure,
    calibration_curve_rows,
)
from components.figures.decision_curve import decision_alt, decision_figure, decision_rows
from components.figures.scores_over_time import Course, over_time_alt, over_time_figure, over_time_rows
from components.printing import draw
from components.printing.words import drawable

BLUE = "#0072B2"
HOSTILE = "<b>sex</b> %{x} $y$"


def on_paper(fig: go.Figure) -> bool:
    """True if every text of the figure has its letters in the font that prints."""
    texts = [note.text.replace("\u200b", "") for note in fig.layout.annotations]
    return all("\ufffd" not in drawable(text) for text in texts) and bool(draw(fig).axes)


@pytest.fixture(scope="module")
def patients() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, event and a risk by time 2 that is true."""
    rng = np.random.default_rng(3)
    rate = rng.uniform(0.05, 0.8, 400)
    event, last = rng.exponential(1 / rate), rng.uniform(1, 6, 400)
    return np.minimum(event, last), (event <= last).astype(int), 1 - np.exp(-2 * rate)


@pytest.fixture(scope="module")
def found(patients) -> Calibrated:
    time, cause, risk = patients
    grid = np.array([2.0])
    of = Resampled(
        labels={"cox": "Cox model"}, outcome=None, rows=rows_of(time, cause), times=grid, grid=grid,
        risk={"cox": risk[None, :, None]}, score={"cox": risk[None]}, parts=(), folds=5, repeats=1, seed=0, failed={},
        notes=(),
    )  # fmt: skip
    return calibrated(of, "cox", 2.0)


@pytest.fixture(scope="module")
def audits(patients) -> tuple[Audit, ...]:
    time, cause, risk = patients
    groups = Grouping((HOSTILE, "few"), (np.arange(400) < 40).astype(np.int64), 0, "Sex")
    return (audit(rows_of(time, cause), risk, groups, 2.0, threshold=0.5),)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_calibration_draws_groups_curve_and_everybody(found, patients, mode):
    fig = calibration_curve_figure(found, patients[2], colour=BLUE, mode=mode)
    (dots,) = [t for t in fig.data if t.type == "scatter" and t.mode == "markers"]
    assert list(dots.x) == [g.predicted for g in found.groups] and list(dots.y) == [g.observed for g in found.groups]
    assert list(dots.error_y.array) == pytest.approx([g.upper - g.observed for g in found.groups])
    (bars,) = [t for t in fig.data if t.type == "bar"]
    assert sum(bars.y) == 400
    assert on_paper(fig)
    said = calibration_curve_alt(found)
    assert said.count("predicted") == 10 + 1 and "points off" in said
    header, rows = calibration_curve_rows(found)
    assert [row[0] for row in rows].count("group") == 10 and len(rows) == 10 + len(found.smooth.predicted)
    assert all(len(row) == len(header) for row in rows)


def test_decision_draws_three_lines_per_1000_and_marks_the_threshold(found):
    curve = found.decision
    fig = decision_figure(curve, threshold=0.25, shown=(0.1, 0.6), colour=BLUE)
    everybody, nobody, model = fig.data
    assert min(model.x) == 0.1 and max(model.x) == 0.6
    here = (curve.thresholds >= 0.1) & (curve.thresholds <= 0.6)
    shown = np.asarray(model.y, dtype=float)
    assert np.allclose(shown[np.isfinite(shown)], 1000 * curve.model[here][np.isfinite(shown)])
    assert set(nobody.y) == {0.0}
    # Treating everybody: R - (1 - R) odds, R the observed risk.
    risk = found.overall.observed.risk
    assert everybody.y[10] == pytest.approx(1000 * (risk - (1 - risk) * 0.2 / 0.8))
    assert fig.layout.shapes[0].x0 == 0.25 and on_paper(fig)
    assert "at 25%: by the model" in decision_alt(curve, 0.25)
    assert len(decision_rows(curve)[1]) == len(curve.thresholds)


def test_courses_have_a_band_for_the_first_and_names_for_all():
    times = np.array([1.0, 2.0, 3.0])
    courses = [
        Course("Cox model", times, np.array([0.7, 0.72, np.nan]), np.array([0.02, 0.03, np.nan]), 0),
        Course(HOSTILE, times, np.array([0.6, 0.61, 0.62]), np.full(3, np.nan), 1),
        Course("Kaplan-Meier", times, np.full(3, 0.5), np.zeros(3), -1),
    ]
    fig = over_time_figure(courses, unit="years", y_title="AUC", when=2.0)
    assert [t.fill for t in fig.data].count("toself") == 1 and len(fig.data) == 4
    assert on_paper(fig)
    assert not any("<b>sex" in note.text or "%{x}" in note.text for note in fig.layout.annotations)
    assert "Cox model: 1 years 0.700, 2 years 0.720." in over_time_alt(courses, unit="years", what="AUC")
    assert len(over_time_rows(courses, "years")[1]) == 9


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_audit_draws_small_groups_grey(audits, mode):
    fig = audit_figure(audits, mode=mode)
    marks = [t for t in fig.data if t.mode == "markers"]
    large, small = audits[0].groups
    assert not large.greyed and small.greyed
    assert [list(t.x) for t in marks] == [
        [large.observed.risk], [large.predicted], [small.observed.risk], [small.predicted]
    ]  # fmt: skip
    assert on_paper(fig)
    assert not any("<b>sex" in note.text for note in fig.layout.annotations)
    assert "few: said" in audit_alt(audits) and "too few to judge by" in audit_alt(audits)
    header, rows = audit_rows(audits)
    assert len(rows) == 2 and all(len(row) == len(header) for row in rows)
