"""Pseudo-observations against leaving each patient out."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.risk.pseudo import pseudo_incidence, pseudo_survival

DIGITS = 1e-11
"""What is left of the digits of n times a curve after taking n - 1 times another one away."""


def aalen_johansen(time, cause, entry, t):
    """Survival and incidence of cause 1 by time t, one time after the other, as in a textbook."""
    survival, incidence = 1.0, 0.0
    for u in np.unique(time[time <= t]):
        at_risk = ((entry < u) & (time >= u)).sum()
        if not at_risk:
            continue
        here = time == u
        incidence += survival * (here & (cause == 1)).sum() / at_risk
        survival *= 1 - (here & (cause > 0)).sum() / at_risk
    return survival, incidence


def left_out(time, cause, entry, times):
    n = len(time)
    out = np.empty((2, n, len(times)))
    for k, t in enumerate(times):
        whole = np.array(aalen_johansen(time, cause, entry, t))
        for i in range(n):
            kept = np.arange(n) != i
            out[:, i, k] = n * whole - (n - 1) * np.array(aalen_johansen(time[kept], cause[kept], entry[kept], t))
    return out


@pytest.mark.parametrize(("ties", "late", "seed"), [*product([True, False], [True, False], [1, 2])])
def test_equal_to_leaving_each_patient_out(ties, late, seed):
    rng = np.random.default_rng(seed)
    n = 70
    time = rng.integers(1, 20, n).astype(float) if ties else rng.exponential(10, n)
    cause = rng.integers(0, 3, n)
    entry = time * rng.uniform(0, 0.9, n) * (rng.random(n) < 0.6) if late else np.full(n, -1.0)
    times = np.r_[0.0, np.quantile(time, [0.1, 0.3, 0.5, 0.8, 0.97]), time.max(), time.max() + 1]
    survival, incidence = left_out(time, cause, entry, times)
    given_entry = entry if late else None
    assert pseudo_survival(time, cause > 0, times, entry=given_entry) == pytest.approx(survival, abs=1e-10)
    assert pseudo_incidence(time, cause, times, entry=given_entry) == pytest.approx(incidence, abs=1e-10)
    only = pseudo_incidence(time, (cause > 0).astype(int), times, entry=given_entry)
    assert only == pytest.approx(1 - survival, abs=1e-10)


def test_kaplan_meier_equals_prodlim(r, reference_frame, same):
    frame, blocks = reference_frame("lung"), r("28_pseudo")
    time, dead = frame["time"].to_numpy(dtype=float), (frame["status"] == frame["status"].max()).to_numpy()
    for name, seen in (("lung", time), ("lung_months", np.ceil(time / 30))):
        ours = pseudo_survival(seen, dead, blocks[name]["times"])
        same(ours.ravel(), np.ravel(blocks[name]["pseudo"]["matrix"]).tolist(), atol=DIGITS)


@pytest.mark.parametrize("kind", [1, 2])
def test_aalen_johansen_equals_prodlim(kind, r, reference_frame, same):
    frame, block = reference_frame("comp_transplant"), r("28_pseudo")["transplant"][f"cause_{kind}"]
    event = frame["ev"].to_numpy()
    cause = np.where(event == 0, 0, np.where(event == kind, 1, 2))
    ours = pseudo_incidence(frame["futime"].to_numpy(dtype=float), cause, block["times"])
    same(ours.ravel(), np.ravel(block["pseudo"]["matrix"]).tolist(), atol=DIGITS)


def test_delayed_entry_equals_survfit_without_each_patient(r, reference_frame, same):
    block = r("28_pseudo")["channing"]
    frame = reference_frame("channing").iloc[np.array(block["rows"]) - 1]
    time, entry = (frame[name].to_numpy(dtype=float) for name in ("age", "ageentry"))
    ours = pseudo_survival(time, frame["death"].to_numpy() == 1, block["times"], entry=entry)
    same(ours.ravel(), np.ravel(block["pseudo"]["matrix"]).tolist(), atol=DIGITS)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2), st.integers(0, 5)), min_size=2, max_size=9),
    st.integers(0, 7),
)
def test_small_cohorts_with_curves_that_reach_zero(patients, t):
    time = np.array([p[0] for p in patients], dtype=float)
    cause = np.array([p[1] for p in patients])
    entry = np.minimum(np.array([p[2] for p in patients], dtype=float), time - 1)
    survival, incidence = left_out(time, cause, entry, [t])
    assert pseudo_survival(time, cause > 0, [t], entry=entry) == pytest.approx(survival, abs=1e-10)
    assert pseudo_incidence(time, cause, [t], entry=entry) == pytest.approx(incidence, abs=1e-10)


def test_without_censoring_a_pseudo_observation_is_what_happened():
    time = np.array([3.0, 1.0, 2.0, 5.0, 2.0])
    cause = np.array([1, 1, 2, 1, 1])
    assert pseudo_survival(time, cause > 0, [2, 4]) == pytest.approx((time[:, None] > [2, 4]).astype(float))
    happened = ((time[:, None] <= [2, 4]) & (cause == 1)[:, None]).astype(float)
    assert pseudo_incidence(time, cause, [2, 4]) == pytest.approx(happened, abs=1e-12)


def test_many_patients_keep_their_digits():
    """Their mean is the curve itself, up to terms of order 1/n, also for 100,000 patients."""
    rng = np.random.default_rng(3)
    time, censored = rng.exponential(1, 100_000), rng.exponential(2, 100_000)
    seen = np.minimum(time, censored)
    values = pseudo_survival(seen, time <= censored, [0.5, 1.0, 2.0])
    assert values.mean(axis=0) == pytest.approx(np.exp([-0.5, -1.0, -2.0]), abs=0.01)
    # Somebody followed beyond all three times adds 1/G(t-) of the event-free share of those at risk: above 1.
    assert (values[seen > 2.0] > 1).all()
