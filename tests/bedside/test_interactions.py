"""Interaction indices of every kind of model: against the definition written out."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from test_contributions import beside, model, patients

from bedside.errors import Fixable
from bedside.explain import interactions
from bedside.explain.asked import FrameGame
from bedside.explain.game import ONE, Effort

AT = 5.5


def written_out(fitted, rows, patient, names: list[str]) -> np.ndarray:
    """Mean over coalitions of what two join together beyond what each joins alone, through raw columns."""
    worth = {}
    for size in range(len(names) + 1):
        for inside in combinations(names, size):
            mixed = rows.copy()
            mixed["site"] = mixed["site"].astype(object)
            for name in inside:
                mixed[name] = patient[name].iloc[0]
            worth[frozenset(inside)] = fitted.risk(mixed, [AT]).mean()
    p, out = len(names), np.zeros((len(names), len(names)))
    for i, j in combinations(range(p), 2):
        others = [name for name in names if name not in (names[i], names[j])]
        for size in range(p - 1):
            weight = factorial(size) * factorial(p - size - 2) / factorial(p - 1)
            for inside in combinations(others, size):
                one, two = {names[i], *inside}, {names[j], *inside}
                out[i, j] += weight * (
                    worth[frozenset(one | two)] - worth[frozenset(one)] - worth[frozenset(two)]
                    + worth[frozenset(inside)]
                )  # fmt: skip
    return out + out.T


@pytest.mark.parametrize("name", ["curves", "cause-specific", "forest", "boosted two", "average"])
def test_is_the_definition(name):
    fitted, rows = model(name), beside(name)
    found = interactions(fitted, patients(), rows, AT)
    assert found.how == "exact" and found.error is None and found.n_background == 7
    names = [v.name for v in found.variables]
    for i in (0, 3):
        asked = written_out(fitted, rows.frame, patients().iloc[[i]], names)
        np.testing.assert_allclose(found.values[i], asked, rtol=0, atol=1e-10)
    assert found.mean_abs.max() > 0.003
    told = found.partners(0)
    for j, variable in enumerate(found.variables):
        if variable.name in told:
            best, index = told[variable.name]
            assert abs(index) == np.abs(found.values[0, j]).max() and best.name != variable.name


def test_drawn_coalitions_come_near():
    for name in ("cause-specific", "boosted"):
        fitted, rows = model(name), beside(name)
        exact = interactions(fitted, patients(), rows, AT)
        found = interactions(fitted, patients(), rows, AT, effort=Effort(cells=0, pairs=140))
        assert found.how == "permutation pairs" and 0 < found.error.max() < 0.05
        away = np.abs(found.values - exact.values)
        assert (away <= 4.5 * found.error + 1e-12).all()
    game = FrameGame(model("cox"), beside("cox").frame)
    asked, error = game.pairs(patients().head(1), AT, seed=0, effort=ONE)
    assert error is None
    np.testing.assert_allclose(
        asked, interactions(model("cox"), patients().head(1), beside("cox"), AT).values, atol=1e-12
    )


def test_a_wide_forest_is_exact_too():
    from bedside.explain.forest_pairs import interaction_leaves
    from bedside.explain.forest_shapley import leaves_beside

    fitted = model("forest")
    x, own = fitted.columns(beside("forest").frame), fitted.columns(patients())[0]
    spare = np.zeros((len(x), 12), dtype=np.float32)
    narrow, wide = leaves_beside(fitted.trees, x), leaves_beside(fitted.trees, np.hstack([x, spare]))
    value = np.random.default_rng(0).random(narrow.n_leaves)
    found = interaction_leaves(wide, np.r_[own, spare[0]], value, 17)
    np.testing.assert_allclose(found[:5, :5], interaction_leaves(narrow, own, value, 5), atol=1e-12)
    assert not found[5:].any()


def test_refusals():
    with pytest.raises(Fixable, match="another model"):
        interactions(model("forest"), patients(), beside("cox"), AT)
    with pytest.raises(Fixable):
        interactions(model("cox"), patients(), beside("cox"), 1e6)
