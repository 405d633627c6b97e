"""The forest: what it predicts, that it is the same bits again, and that it reads patients as Cox does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, levels, number
from sklearn.isotonic import IsotonicRegression

from bedside.cohort import Level, Variable
from bedside.errors import Fixable
from bedside.regression.concordance import concordance
from bedside.risk.forest import Forest, fit_forest, grid_times, marginal, restore_forest
from bedside.risk.forest_arrays import rising
from bedside.risk.forest_grow import components, grow
from bedside.risk.forest_tune import tuned
from bedside.risk.pseudo import pseudo_survival
from bedside.risk.save import about_model, pack, unpack
from bedside.risk.training import Training, training

SMALL = {"trees": 40, "leaf": 15, "share": 0.5}


def made_up(n: int = 500, seed: int = 0) -> pd.DataFrame:
    """Risk rises with x below 0 and falls above it, which no line can say; and is twice as high in site b."""
    rng = np.random.default_rng(seed)
    x, site = rng.normal(0, 1, n), rng.choice(["a", "b", "c"], n)
    rate = np.exp(-(x**2)) * np.where(site == "b", 2.0, 0.7) * 0.2
    time, censored = rng.exponential(1 / rate), rng.uniform(2, 20, n)
    return pd.DataFrame(
        {"x": x, "site": site, "noise": rng.normal(0, 1, n), "stage": rng.choice(["1", "2", "3"], n),
         "time": np.minimum(time, censored).round(2) + 0.01, "event": (time <= censored).astype(int)}
    )  # fmt: skip


STAGE = Variable(name="stage", kind="ordinal", levels=tuple(Level(code=c, label=c) for c in "123"))
VARIABLES = (number("x"), levels("site", ["a", "b", "c"]), number("noise"), STAGE)


def rows_of(frame: pd.DataFrame) -> Training:
    cohort = cohort_of(frame, VARIABLES)
    return training(cohort, cohort.outcomes[0])


@pytest.fixture(scope="module")
def rows() -> Training:
    return rows_of(made_up())


@pytest.fixture(scope="module")
def forest(rows: Training) -> Forest:
    return fit_forest(rows, settings=SMALL, seed=3)


def test_it_finds_what_a_line_cannot_say(forest):
    new = rows_of(made_up(2000, seed=1))
    assert concordance(new.time, new.event, forest.score(new.frame)).c > 0.65
    curve = forest.risk(pd.DataFrame({"x": [-2.0, 0.0, 2.0], "site": "a", "noise": 0.0, "stage": "2"}), [5.0])[:, 0]
    assert curve[1] > 2 * max(curve[0], curve[2])


def test_risks_are_calibrated_on_average(forest):
    new = made_up(4000, seed=2)
    by_five = 1 - pseudo_survival(new["time"].to_numpy(), new["event"].to_numpy() == 1, [5.0])
    assert forest.risk(new, [5.0]).mean() == pytest.approx(by_five.mean(), abs=0.03)


def test_risks_never_fall_and_stay_within_bounds(forest, rows):
    times = np.linspace(0, forest.last, 200)
    risk = forest.risk(rows.frame, times)
    assert (risk[:, 0] == 0).all()
    assert (np.diff(risk, axis=1) >= 0).all()
    assert ((risk >= 0) & (risk <= 1)).all()


def test_risk_is_linear_in_what_the_trees_say(forest, rows):
    times = np.sort(np.append(np.linspace(0, forest.last, 31), forest.grid))
    weights, constant = forest.weights(times)
    assert forest.at_grid(rows.frame) @ weights + constant == pytest.approx(forest.risk(rows.frame, times), abs=1e-12)
    on_grid = np.isin(times, forest.grid)
    assert forest.risk(rows.frame, times[on_grid]) == pytest.approx(forest.at_grid(rows.frame), abs=1e-12)


def test_trees_give_the_mean_of_the_leaves_found_one_patient_and_node_at_a_time(forest, rows):
    trees, x = forest.trees, forest.columns(rows.frame)
    for i in (0, 7):
        total = np.zeros(len(forest.grid))
        for root in trees.root:
            node = root
            while trees.leaf[node] < 0:
                below = x[i, trees.feature[node]] <= trees.threshold[node]
                node = trees.left[node] if below else trees.right[node]
            total += trees.value[trees.leaf[node]]
        assert total / len(trees) == pytest.approx(trees.mean(x)[i], abs=1e-12)


def test_the_same_bits_again(forest, rows):
    times = [1.0, 5.0, 9.0]
    again = fit_forest(rows, settings=SMALL, seed=3)
    assert again.fingerprint == forest.fingerprint
    assert np.array_equal(again.risk(rows.frame, times), forest.risk(rows.frame, times))
    assert fit_forest(rows, settings=SMALL, seed=4).fingerprint != forest.fingerprint
    alone = np.vstack([forest.risk(rows.frame.iloc[[i]], times) for i in range(20)])
    assert np.array_equal(alone, forest.risk(rows.frame, times)[:20])


def test_the_same_bits_after_saving(forest, rows):
    state = forest.state()
    back = restore_forest(state)
    assert state.kind == "forest"
    assert all(array.dtype != object for array in state.arrays.values())
    assert back.fingerprint == forest.fingerprint
    assert np.array_equal(back.risk(rows.frame, [2.0, forest.last]), forest.risk(rows.frame, [2.0, forest.last]))
    assert np.array_equal(back.score(rows.frame), forest.score(rows.frame))
    assert (back.n, back.n_events, dict(back.settings)) == (forest.n, forest.n_events, dict(forest.settings))


def put(array: np.ndarray, at: tuple[int, ...] | int, value: float) -> np.ndarray:
    changed = array.copy()
    changed[at] = value
    return changed


def test_a_file_that_somebody_made_up_is_refused(forest):
    """Its hashes are right; the damage lies where the patient on whom a file is tried out need not come by."""
    trees = forest.trees
    node, leaf = int(np.flatnonzero(trees.leaf < 0)[-1]), int(np.flatnonzero(trees.leaf >= 0)[-1])
    of_trees = [
        {"feature": put(trees.feature, node, 4)},
        {"feature": put(trees.feature, leaf, -5)},
        {"root": put(trees.root, -1, len(trees.left))},
        {"root": put(trees.root, -1, -1)},
        {"root": trees.root[:0]},
        {"leaf": put(trees.leaf, leaf, len(trees.value))},
        {"leaf": put(trees.leaf, leaf, -1)},
        {"leaf": put(trees.leaf, node, 0)},
        {"right": put(trees.right, node, len(trees.right))},
        {"left": put(trees.left, node, node)},
        {"left": put(trees.left, node, node - 1)},
        {"left": trees.left.astype(float)},
        {"threshold": trees.threshold[:-1]},
        {"value": put(trees.value, (-1, 0), 0.999)},
        {"value": put(trees.value, (-1, -1), 1.5)},
        {"value": trees.value[:, 1:]},
    ]
    changed = [replace(forest, trees=replace(trees, **part)) for part in of_trees]
    changed += [replace(forest, grid=forest.grid[::-1].copy()), replace(forest, curve=forest.curve[::-1].copy())]
    changed += [replace(forest, curve=forest.curve[:-1]), replace(forest, order={"site": np.arange(2.0)})]
    changed += [replace(forest, order={"another": np.arange(3.0)})]
    told = about_model(forest, name="Made up", saved="2026-01-01T00:00:00+00:00")
    assert unpack(pack(forest, told)).model.fingerprint == forest.fingerprint
    for model in changed:
        about = told.model_copy(update={"model_fingerprint": model.fingerprint})
        with pytest.raises(Fixable, match="do not make a model of its kind"):
            unpack(pack(model, about))


def test_gaps_unseen_levels_and_absent_columns_are_filled_as_in_training(forest):
    usual = {r.variable.name: r.fill for r in forest.design.readings}
    known = pd.DataFrame([{"x": 0.3, "site": usual["site"], "noise": usual["noise"], "stage": usual["stage"]}])
    gaps = pd.DataFrame([{"x": 0.3, "site": None, "noise": np.nan, "stage": "9"}])
    assert np.array_equal(forest.risk(gaps, [5.0]), forest.risk(known, [5.0]))
    assert np.array_equal(forest.risk(gaps[["x"]], [5.0]), forest.risk(known, [5.0]))


def test_levels_without_an_order_are_ordered_by_what_happened(forest):
    assert "stage" not in forest.order
    assert forest.order["site"][1] == 2


def test_competing_events_and_delayed_entry():
    frame = made_up(600, seed=5)
    rows = rows_of(frame)
    rng = np.random.default_rng(1)
    cause = np.where(rows.cause > 0, rng.choice([1, 2], len(rows)), 0)
    entry = rng.uniform(0, 3, len(rows))
    late = Training(**{**vars(rows), "cause": cause, "entry": entry, "target": "event"}).take(rows.time > entry)
    forest = fit_forest(late, settings=SMALL)
    every = fit_forest(rows, settings=SMALL)
    assert forest.n_events == (late.cause == 1).sum()
    assert forest.risk(frame, [5.0]).mean() < 0.75 * every.risk(frame, [5.0]).mean()
    time, curve = marginal(late)
    assert forest.risk(frame, [5.0]).mean() == pytest.approx(curve[np.searchsorted(time, 5.0) - 1], abs=0.04)


def test_settings_are_chosen_from_these_rows_alone_and_told(rows):
    told = []
    forest = fit_forest(rows, settings={"trees": 60}, progress=lambda share, sentence: told.append(share))
    assert forest.settings["trees"] == 60
    assert set(forest.settings) >= {"leaf", "share", "depth", "rows"}
    assert told == sorted(told)
    assert told[-1] <= 1
    again = fit_forest(rows, settings={"trees": 60, "leaf": forest.settings["leaf"], "share": forest.settings["share"]})
    assert again.fingerprint == forest.fingerprint


def test_the_highest_concordance_out_of_bag_wins_and_the_squared_error_among_those_alike(rows):
    """First the leaf, then the share, each tried here by hand with the same trees."""
    x = rows.frame[["x", "noise"]].to_numpy(dtype=np.float32)
    pseudo = 1 - pseudo_survival(rows.time, rows.event, [1.0, 3.0, 6.0])
    start = {"trees": 60, "leaf": 80, "share": 0.34, "depth": 0, "rows": 0}
    chosen = tuned(x, pseudo, rows, start, asked={}, seed=2, progress=lambda share, sentence: None)

    def best(name, values, start):
        found = []
        for value in values:
            outside = grow(x, pseudo, start | {name: value}, seed=2, judged=np.arange(len(x))).outside
            assert np.isfinite(outside).all()
            c = concordance(rows.time, rows.event, outside.mean(axis=1)).c
            found.append((c, ((outside - pseudo) ** 2).mean(), value))
        highest = max(found)[0]
        return min((error, value) for c, error, value in found if c >= highest - 5e-4)[1]

    leaf = best("leaf", (10, 20, 40, 80), start)  # four leaves of 160 take 640 patients
    share = best("share", (0.34, 1.0), start | {"leaf": leaf})  # one variable, or both
    assert (chosen["leaf"], max(1, round(chosen["share"] * 2))) == (leaf, max(1, round(share * 2)))
    assert leaf != start["leaf"]


def test_progress_can_stop_the_work(rows):
    def stop(share, sentence):
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_forest(rows, progress=stop)


def test_too_few_events_and_nothing_to_predict_with(rows):
    few = np.flatnonzero(rows.event)[:9]
    with pytest.raises(Fixable, match="9 patients"):
        fit_forest(rows.take(np.concatenate([few, np.flatnonzero(~rows.event)])))
    frame = made_up()
    frame["x"] = frame["noise"] = 1.0
    frame["site"], frame["stage"] = "a", "1"
    with pytest.raises(Fixable, match="None of the variables"):
        fit_forest(rows_of(frame))


def test_times_outside(forest, rows):
    for t in (-1.0, forest.last * 1.01):
        with pytest.raises(Fixable, match="longest follow-up"):
            forest.risk(rows.frame, [t])


def test_ten_events_are_enough():
    frame = made_up(60, seed=8)
    rows = rows_of(frame)
    died = np.flatnonzero(rows.event)
    frame.loc[died[10:], "event"] = 0
    forest = fit_forest(rows_of(frame), settings={"trees": 20})
    assert forest.n_events == 10
    assert np.isfinite(forest.risk(frame, [forest.last])).all()


def test_grid_ends_where_few_are_left(rows):
    grid = grid_times(rows)
    assert len(grid) <= 20
    assert (rows.time >= grid[-1]).sum() >= 5
    assert set(grid) <= set(rows.time[rows.event])


def test_what_the_cohorts_curve_is(rows):
    time, curve = marginal(rows)
    u = time[3]
    factors = [
        1 - ((rows.time == t) & rows.event).sum() / (rows.time >= t).sum() for t in np.unique(rows.time) if t <= u
    ]
    assert curve[3] == pytest.approx(1 - np.prod(factors), abs=1e-12)


def test_nearest_curves_that_never_fall():
    rng = np.random.default_rng(0)
    noisy = np.cumsum(rng.normal(0.05, 0.2, (30, 8)), axis=1)
    best = rising(noisy)
    assert (np.diff(best, axis=1) >= 0).all()
    assert ((best >= 0) & (best <= 1)).all()
    isotonic = IsotonicRegression(y_min=0.0, y_max=1.0)
    for row, made in zip(noisy, best, strict=True):
        assert made == pytest.approx(isotonic.fit_transform(np.arange(8), row), abs=1e-12)


def test_out_of_bag_is_the_mean_over_trees_that_did_not_draw_a_patient():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 2)).astype(np.float32)
    pseudo = np.cumsum(rng.uniform(0, 0.2, (50, 4)), axis=1) * (x[:, :1] > 0)
    settings = {"trees": 1, "leaf": 5, "share": 1.0, "depth": 0, "rows": 0}
    grown = grow(x, pseudo, settings, seed=1, judged=np.arange(50))
    unseen = np.isfinite(grown.outside[:, 0])
    assert 5 < unseen.sum() < 35
    assert grown.outside[unseen] == pytest.approx(grown.trees.mean(x)[unseen], abs=1e-6)


def test_components_hold_almost_all_distances():
    rng = np.random.default_rng(0)
    curves = (rng.exponential(1, (300, 1)) < np.linspace(0.1, 3, 20)).astype(float)
    made = components(curves)
    assert made.shape[1] < 20
    centred = curves - curves.mean(axis=0)
    assert (made**2).sum() >= 0.95 * (centred**2).sum()
