"""Shapley values by waves: against every coalition, for one hazard and two; reasons of risks from a later time on."""

from __future__ import annotations

import numpy as np
import pytest
from test_contributions import beside, model, patients, written_out

from bedside.explain import contributions
from bedside.explain.curves import one_hazard, several_hazards
from bedside.explain.game import Effort
from bedside.explain.hazard_shapley import Terms, exact, table
from bedside.explain.pairs import of_table
from bedside.explain.waves import box, pair_spectrum, spectrum, waves
from bedside.patient import conditional_risk
from bedside.risk.incidence import CauseSteps


def _found(curve, own, rows):
    found = waves(curve, *box(own, rows))
    return (found.coef @ spectrum(found, own, rows)).real, np.tensordot(
        found.coef, pair_spectrum(found, own, rows), 1
    ).real


@pytest.mark.parametrize(("players", "spread"), [(1, 1.0), (2, 0.4), (7, 0.2), (7, 1.0), (11, 0.5)])
def test_of_one_hazard(players, spread):
    rng = np.random.default_rng(players)
    own, rows = rng.normal(size=(players, 1)) * spread, rng.normal(size=(20, players, 1)) * spread
    curve = one_hazard(np.array([0.0, 1e-4, 0.3, 5.0]))
    single, pairs = _found(curve, own, rows)
    np.testing.assert_allclose(single, exact(Terms(rows), own, curve, 4), rtol=0, atol=1e-11)
    np.testing.assert_allclose(pairs, of_table(table(Terms(rows), own, curve, 4)), rtol=0, atol=1e-10)
    assert np.abs(single[2]).max() > 0.01


@pytest.mark.parametrize("tied", [0.0, 0.002, 0.4])
def test_of_two_hazards(tied):
    rng = np.random.default_rng(3)
    first = np.where(rng.random(300) < 0.6, rng.random(300) * 4e-3, 0.0)
    second = np.where(first == 0, rng.random(300) * 3e-3, np.where(rng.random(300) < 0.1, tied, 0.0))
    none, upto = np.empty(0), np.array([0, 90, 300])
    curve = several_hazards([CauseSteps(none, none, steps, none, none) for steps in (first, second)], upto)
    own, rows = rng.normal(size=(5, 2)) * 0.4, rng.normal(size=(12, 5, 2)) * 0.4
    plain = curve.curve
    grid = plain.grid(np.array([-1.0, 0.5]), np.array([0.2, 2.0, -40.0]))
    for i, x in enumerate((-1.0, 0.5)):
        for j, y in enumerate((0.2, 2.0, -40.0)):
            np.testing.assert_allclose(grid[:, i, j], plain(np.array([[x, y]]))[:, 0], rtol=0, atol=1e-10)
    single, pairs = _found(curve, own, rows)
    np.testing.assert_allclose(single, exact(Terms(rows), own, plain, 3), rtol=0, atol=1e-7)
    np.testing.assert_allclose(pairs, of_table(table(Terms(rows), own, plain, 3)), rtol=0, atol=1e-6)


def test_far_outside_is_left_to_another_way():
    own, rows = np.full((3, 1), 90.0), np.zeros((4, 3, 1))
    assert waves(one_hazard(np.array([0.1])), *box(own, rows)) is None
    assert waves(one_hazard(np.array([0.1])), np.array([-np.inf]), np.array([1.0])) is None
    assert waves(one_hazard(np.array([0.1])), np.zeros(3), np.ones(3)) is None


def test_models_take_them_wherever_they_pay(monkeypatch):
    monkeypatch.setattr("bedside.explain.hazard_game.QUICK", {1: 0.0, 2: 0.0})
    times = (2.0, 5.5)
    for name in ("curves", "cause-specific", "fine-gray"):
        found = contributions(model(name), patients().head(2), beside(name), times)
        names = [v.name for v in found.variables]
        asked = written_out(model(name), beside(name).frame, patients().iloc[[0]], names, times)
        np.testing.assert_allclose(found.values[0], asked, rtol=0, atol=1e-7)
        assert found.how == "exact" and found.additivity_error < 1e-12
        assert beside(name).game.kept
        drawn = contributions(model(name), patients().head(2), beside(name), times, effort=Effort(0.0, 64, 16, 0.0))
        assert drawn.how == "permutation pairs"


@pytest.mark.parametrize("name", ["curves", "cause-specific", "penalised two", "boosted two"])
def test_reasons_from_a_later_time_on(name):
    class Later:
        """The conditional risk in the place of the risk."""

        def risk(self, frame, times):
            return conditional_risk(model(name), frame, 2.0, times).risk

    rows, times = beside(name).after(2.0), [2.0, 5.5, 9.0]
    found = contributions(model(name), patients().head(1), rows, times)
    names = [v.name for v in found.variables]
    asked = written_out(Later(), rows.frame, patients().iloc[[0]], names, times)
    np.testing.assert_allclose(found.values[0], asked, rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.prediction, Later().risk(patients().head(1), times), rtol=0, atol=1e-11)
    assert found.additivity_error < 1e-9 and not found.values[0, :, 0].any()
    assert (
        np.abs(
            found.values[0, :, 1] - contributions(model(name), patients().head(1), beside(name), [5.5]).values[0, :, 0]
        ).max()
        > 0.003
    )


def test_where_reasons_from_a_later_time_on_are_not_known():
    for name in ("fine-gray", "forest", "average"):
        assert beside(name).after(2.0) is None
