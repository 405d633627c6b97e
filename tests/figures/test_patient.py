"""The patient's curve: read at the horizon, paler where few remain, labels clear of curves and of each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.risk import Prediction
from bedside.survival import kaplan_meier
from components.figures.patient import NARROWEST, PALE, patient_alt, patient_curve, patient_figure, patient_rows

HEIGHT = 280


def shown(power: float = 1.5, horizon: float = 5.0, unit: str = "years"):
    rng = np.random.default_rng(4)
    event, left = np.ceil(rng.exponential(2200, 300)), np.ceil(rng.uniform(900, 3000, 300))
    km = kaplan_meier(np.minimum(event, left), event <= left, unit="days")
    s = km.survival**power
    prediction = Prediction(km.time, s[None], (s**1.3)[None], (s**0.75)[None], "days", 0.95)
    return km, patient_curve(prediction, km, horizon=horizon, unit=unit, since="surgery")


def labels(fig):
    return [a for a in fig.layout.annotations if a.text]


def test_values_at_the_horizon_are_those_of_the_curves():
    km, curve = shown()
    mine, all_ = curve.at_horizon
    assert all_ == km.at([5 * 365.25]).survival[0]
    assert mine == pytest.approx(all_**1.5)
    texts = [a.text for a in labels(patient_figure(curve))]
    assert f"all 300: {100 * all_:.0f}%" in texts
    assert f"<b>this patient {100 * mine:.0f}%</b>" in texts


def test_a_step_at_exactly_the_horizon_counts():
    km = kaplan_meier(np.array([1461.0, 2000.0]), np.array([True, True]), unit="days")
    prediction = Prediction(km.time, km.survival[None], km.survival[None], km.survival[None], "days", 0.95)
    assert patient_curve(prediction, km, horizon=4.0, unit="years", since="surgery").at_horizon == (0.5, 0.5)


def test_the_unit_changes_the_axis_and_nothing_else():
    _, years = shown(horizon=5.0)
    _, months = shown(horizon=60.0, unit="months")
    assert years.at_horizon == months.at_horizon
    assert patient_figure(months).layout.xaxis.title.text == "months since surgery"
    assert months.reliable_until == pytest.approx(12 * years.reliable_until)


def test_curves_turn_pale_where_few_remain():
    km, curve = shown()
    assert curve.reliable_until == pytest.approx(km.reliable_until(10) / 365.25)
    for name in ("this patient", "all 300"):
        full, pale = (t for t in patient_figure(curve).data if t.name == name)
        assert (full.opacity, pale.opacity) == (1, PALE)
        assert full.x[-1] == pale.x[0] == curve.reliable_until
        assert full.y[-1] == pale.y[0]


@given(power=st.floats(0.01, 12), horizon=st.floats(0.05, 7.9))
def test_labels_never_overlap_and_stay_inside(power, horizon):
    _, curve = shown(power, horizon)
    fig = patient_figure(curve, height=HEIGHT)
    low, high = sorted(a.y for a in labels(fig))
    assert (high - low) * (HEIGHT - 48) >= 15.9
    assert low - 8 / (HEIGHT - 48) >= -0.02
    assert high + 8 / (HEIGHT - 48) <= 1.04
    upper = max(labels(fig), key=lambda a: a.y)
    mine, all_ = curve.at_horizon
    assert upper.text.startswith("<b>this") == (mine >= all_)


@pytest.mark.parametrize(("power", "horizon"), [(1.5, 5), (1.05, 7), (0.02, 2), (6, 6), (0.5, 1)])
def test_labels_are_clear_of_both_curves(power, horizon):
    _, curve = shown(power, horizon)
    fig = patient_figure(curve, height=HEIGHT)
    half = 8 / (HEIGHT - 48)
    end = fig.layout.xaxis.range[1] / 1.01
    for label in labels(fig):
        wide = len(label.text.replace("<b>", "").replace("</b>", "")) * 6.2 / NARROWEST * end
        span = (horizon, horizon + wide) if label.xanchor == "left" else (horizon - wide, horizon)
        assert span[0] >= 0
        assert span[1] <= end * 1.02
        for time, share in ((curve.time, curve.survival), (curve.cohort_time, curve.cohort_survival)):
            inside = share[(time >= span[0]) & (time <= span[1])]
            assert not np.any((inside > label.y - half) & (inside < label.y + half))


def test_a_long_curve_is_thinned_but_reads_the_same():
    rng = np.random.default_rng(0)
    km = kaplan_meier(rng.exponential(1500, 5000), np.ones(5000, dtype=bool), unit="days")
    prediction = Prediction(km.time, km.survival[None], km.survival[None], km.survival[None], "days", 0.95)
    curve = patient_curve(prediction, km, horizon=3.0, unit="years", since="surgery")
    (line, _) = (t for t in patient_figure(curve).data if t.name == "this patient")
    assert len(line.x) <= 502
    at = np.searchsorted(line.x, 3.0, side="right") - 1
    assert line.y[at] == pytest.approx(curve.at_horizon[0], abs=0.003)
    assert len(patient_rows(curve)[1]) == 5001


def test_alt_and_rows():
    km, curve = shown()
    mine, all_ = curve.at_horizon
    text = patient_alt(curve)
    assert f"At 5 years: this patient {100 * mine:.0f}% (95% band" in text
    assert f"all 300 patients {100 * all_:.0f}%, with {km.n_events} events" in text
    header, rows = patient_rows(curve)
    assert header == ["time (years)", "this patient", "lower", "upper", "all 300 patients"]
    assert rows[0] == [0, 1, 1, 1, 1]
    assert rows[-1][1] == pytest.approx(rows[-1][4] ** 1.5)
    assert [row[0] for row in rows] == sorted({row[0] for row in rows})


def test_a_curve_far_below_the_cohorts_leaves_the_cohorts_label_at_its_own_dot():
    # The patient's curve is at 0 long before the horizon: together the labels would stand over it.
    _, curve = shown(power=40, horizon=4.6)
    all_ = curve.at_horizon[1]
    lower, upper = sorted(labels(patient_figure(curve, height=HEIGHT)), key=lambda a: a.y)
    assert upper.text.startswith("all 300") and lower.text.startswith("<b>this patient")
    assert abs(upper.y - all_) < 0.1
