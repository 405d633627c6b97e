"""The forest under delayed entry: leaves hold left-truncated curves, and risks are those of all patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, levels, number

from bedside.risk.average import average_of
from bedside.risk.cox import fit_cox_rows
from bedside.risk.forest import fit_forest, grid_times, marginal, restore_forest
from bedside.risk.forest_late import LENT, MOST_TIMES, late_entry
from bedside.risk.training import Training, training

VARIABLES = (number("x"), number("z"), levels("g", ["a", "b", "c"]))
TIMES = np.array([2.0, 5.0, 10.0])


def patients(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Six of ten join up to 8 years late; and the risk that each one has by 2, 5 and 10 years."""
    rng = np.random.default_rng(seed)
    x, z, g = rng.normal(size=n), rng.normal(size=n), rng.integers(0, 3, n)
    rate = 0.08 * np.exp(0.7 * x + 0.5 * (z**2 - 1) + np.where(g == 2, 0.8, 0))
    time, end = rng.exponential(1 / rate), rng.uniform(3, 20, n)
    frame = pd.DataFrame(
        {"x": x, "z": z, "g": np.array(["a", "b", "c"])[g], "time": np.minimum(time, end).round(6) + 1e-6,
         "event": (time <= end).astype(int), "entry": rng.uniform(0, 8, n) * (rng.random(n) < 0.6)}
    )  # fmt: skip
    return frame, 1 - np.exp(-rate[:, None] * TIMES)


def late_rows(frame: pd.DataFrame) -> Training:
    kept = frame[frame["time"] > frame["entry"] + 1e-5].reset_index(drop=True)
    cohort = cohort_of(kept.drop(columns="entry"), VARIABLES)
    return replace(training(cohort, cohort.outcomes[0]), entry=kept["entry"].to_numpy())


def test_risks_are_those_of_all_patients_and_not_of_those_who_lived_to_join():
    everybody, truth = patients(10_000, 77)
    low = truth[:, 1] < np.quantile(truth[:, 1], 0.2)
    ratios, lowest, averages = [], [], []
    for seed in range(100, 105):
        rows = late_rows(patients(4000, seed)[0])
        forest = fit_forest(rows, settings={"trees": 30, "leaf": 20, "share": 0.67})
        predicted = forest.risk(everybody, TIMES)
        ratios.append(truth.mean(axis=0) / predicted.mean(axis=0))
        lowest.append(truth[low].mean(axis=0) / predicted[low].mean(axis=0))
        average = average_of([fit_cox_rows(rows, settings={"knots": 4}), forest], rows)
        averages.append(truth.mean(axis=0) / average.risk(everybody, TIMES).mean(axis=0))
    # Leaves of pseudo-observations came to .89, .94 and .98, and to .67 in the lowest fifth by 2 years.
    assert np.mean(ratios, axis=0) == pytest.approx([1, 1, 1], abs=0.04)
    assert np.mean(averages, axis=0) == pytest.approx([1, 1, 1], abs=0.04)
    assert np.mean(lowest, axis=0) == pytest.approx([1, 1, 1], abs=0.2)
    assert any("lowest fifth a tenth to a fifth too high" in caution for caution in average.cautions)


def small(seed: int = 3, n: int = 300) -> Training:
    rng = np.random.default_rng(seed)
    rows = late_rows(patients(n, seed)[0])
    cause = np.where(rows.cause > 0, rng.choice([1, 2], len(rows)), 0)
    return replace(rows, cause=cause, target="event", time=np.ceil(rows.time * 4) / 4)


def test_one_leaf_of_everybody_is_the_left_truncated_curve_of_the_cohort():
    rows = small()
    grid = grid_times(rows)
    everybody = np.arange(len(rows))
    found = late_entry(rows, grid).risks(everybody, np.ones(len(rows)), np.zeros(len(rows), int), 1)[0]
    time, curve = marginal(rows)
    assert found == pytest.approx(curve[np.searchsorted(time, grid, side="right") - 1], abs=1e-12)


def test_two_leaves_by_hand_with_patients_drawn_more_than_once():
    rows = small(5, 60)
    grid = grid_times(rows)
    rng = np.random.default_rng(1)
    drawn = np.sort(rng.permutation(len(rows))[:40])
    weight, leaf = rng.integers(1, 4, 40).astype(float), rng.integers(0, 2, 40)
    found = late_entry(rows, grid).risks(drawn, weight, leaf, 2)
    time, cause, entry = rows.time, rows.cause, rows.entry
    for part in (0, 1):
        mine, count = drawn[leaf == part], weight[leaf == part]
        free, risk, at_grid = 1.0, 0.0, []
        steps = sorted(set(time[cause > 0]) | set(grid))
        for step in steps:
            everybody = ((entry < step) & (time >= step)).sum()
            here = count[(entry[mine] < step) & (time[mine] >= step)].sum() + LENT
            any_event, event = (
                count[(time[mine] == step) & of[mine]].sum() + LENT * ((time == step) & of).sum() / everybody
                for of in (cause > 0, cause == 1)
            )
            risk += free * event / here
            free *= 1 - any_event / here
            if step in grid:
                at_grid.append(risk)
        assert found[part] == pytest.approx(at_grid, abs=1e-12)


def test_a_leaf_with_nobody_at_risk_at_first_follows_the_cohort_until_somebody_is():
    rows = small(7)
    grid = grid_times(rows)
    late = np.flatnonzero(rows.entry > grid[2])
    found = late_entry(rows, grid).risks(late, np.ones(len(late)), np.zeros(len(late), int), 1)[0]
    time, curve = marginal(rows)
    assert found[:3] == pytest.approx(curve[np.searchsorted(time, grid[:3], side="right") - 1], abs=1e-12)
    assert (np.diff(found) >= 0).all()


def test_many_event_times_are_joined_without_moving_the_risk():
    rows = late_rows(patients(4000, 9)[0])
    assert rows.event.sum() > 4 * MOST_TIMES
    grid = grid_times(rows)
    found = late_entry(rows, grid).risks(np.arange(len(rows)), np.ones(len(rows)), np.zeros(len(rows), int), 1)[0]
    time, curve = marginal(rows)
    assert found == pytest.approx(curve[np.searchsorted(time, grid, side="right") - 1], abs=0.004)


def test_the_same_bits_again_and_from_a_file():
    rows = late_rows(patients(500, 4)[0])
    forest = fit_forest(rows, settings={"trees": 20}, seed=2)
    assert fit_forest(rows, settings={"trees": 20}, seed=2).fingerprint == forest.fingerprint
    kept = restore_forest(forest.state())
    assert np.array_equal(kept.risk(rows.frame, TIMES), forest.risk(rows.frame, TIMES))
    assert fit_forest(replace(rows, entry=None), settings={"trees": 20}).fingerprint != forest.fingerprint
