"""Many models asked about the same patients: the bits of each model alone, and one way through a forest's trees."""

from __future__ import annotations

import numpy as np
import pytest
from risk_cases import simulated

from bedside.errors import Fixable
from bedside.risk import forest_arrays
from bedside.risk.asked import Asked
from bedside.risk.forest_arrays import Trees
from bedside.risk.learners import DEFAULT_SET, learn
from bedside.risk.training import training
from bedside.validation import cross_validate
from bedside.validation.resample import plan_folds

SETTINGS = {
    "cox": {"knots": 0},
    "forest": {"trees": 30, "leaf": 15, "share": 0.5},
    "average": {"cox.knots": 0, "forest.trees": 30, "forest.leaf": 15, "forest.share": 0.5},
}
TIMES = [300.0, 600.0]


@pytest.fixture(scope="module")
def rows():
    return training(simulated(300, seed=2), "death")


@pytest.fixture(scope="module")
def models(rows):
    return {kind: learn(kind, rows, SETTINGS[kind]) for kind in DEFAULT_SET}


@pytest.mark.parametrize("kind", DEFAULT_SET)
def test_answers_are_those_of_the_model_alone(rows, models, kind):
    asked, model = Asked(rows.frame), models[kind]
    for other in models.values():
        asked.score(other)
    np.testing.assert_array_equal(asked.risk(model, TIMES), model.risk(rows.frame, TIMES))
    np.testing.assert_array_equal(asked.score(model), model.score(rows.frame))


def test_an_average_and_its_forest_go_through_the_trees_once(rows, models, monkeypatch):
    average, seen = models["average"], []
    through = Trees.mean
    monkeypatch.setattr(Trees, "mean", lambda trees, x: (seen.append(len(x)), through(trees, x))[1])
    asked = Asked(rows.frame)
    for model in (average.members[1], average):
        asked.risk(model, TIMES)
        asked.score(model)
    assert seen == [len(rows)]


def test_two_forests_are_not_taken_for_each_other(rows, models):
    other = learn("forest", rows, SETTINGS["forest"], seed=5)
    asked = Asked(rows.frame)
    asked.score(models["forest"])
    np.testing.assert_array_equal(asked.score(other), other.score(rows.frame))
    assert (asked.score(other) != asked.score(models["forest"])).any()


def test_a_time_beyond_follow_up_is_refused_as_by_the_model(rows, models):
    for model in (models["forest"], models["average"]):
        with pytest.raises(Fixable, match="longest follow-up"):
            Asked(rows.frame).risk(model, [2 * model.last])


def test_cross_validation_gives_the_bits_of_models_asked_alone(rows):
    found = cross_validate(DEFAULT_SET, rows, times=TIMES, folds=2, settings=SETTINGS)
    out = plan_folds(rows, times=TIMES, folds=2).fold[0] == 1
    model = learn("average", rows.take(~out), SETTINGS["average"])
    at = np.minimum(found.grid, model.last)
    np.testing.assert_array_equal(found.risk["average"][0, out], model.risk(rows.frame[out], at))
    np.testing.assert_array_equal(found.score["average"][0, out], model.score(rows.frame[out]))


@pytest.mark.parametrize(("together", "at_once"), [(1, 1), (7, 100), (500, 4000), (10**6, 10**9)])
def test_how_many_go_down_together_does_not_matter(rows, models, monkeypatch, together, at_once):
    forest = models["forest"]
    x = forest.columns(rows.frame)
    alone = np.stack([forest.trees.mean(x[[i]])[0] for i in range(40)])
    leaves, mean = forest.trees.leaves(x[:40]), forest.trees.mean(x[:40])
    monkeypatch.setattr(forest_arrays, "TOGETHER", together)
    monkeypatch.setattr(forest_arrays, "AT_ONCE", at_once)
    np.testing.assert_array_equal(forest.trees.leaves(x[:40]), leaves)
    np.testing.assert_array_equal(forest.trees.mean(x[:40]), mean)
    np.testing.assert_array_equal(mean, alone)
    assert forest.trees.leaves(x[:0]).shape == (0, len(forest.trees))
