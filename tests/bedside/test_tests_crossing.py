"""Curves that cross, and curves that only touch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bedside.errors import Fixable
from bedside.survival import crossings, kaplan_meier


def arm(n, early, late, seed, *, group="All patients"):
    """n patients with one hazard in the first year and another later, followed for 1 to 5 years."""
    chance = np.random.default_rng(seed)
    risk = chance.exponential(1, n)
    time = np.where(risk < early, risk / early, 1 + (risk - early) / late)
    stop = chance.uniform(1, 5, n)
    return kaplan_meier(np.minimum(time, stop), time <= stop, group=group, unit="years")


def test_curves_that_cross_are_found_where_they_cross():
    """S = exp(-0.9 t) against exp(-0.3 t) in the first year; -0.9 - 0.1 s against -0.3 - 1.2 s after: equal at 1.55."""
    found = crossings([arm(2000, 0.9, 0.1, 1), arm(2000, 0.3, 1.2, 2)])
    assert [(c.first, c.second) for c in found] == [(0, 1)]
    crossing = found[0]
    assert crossing.when == pytest.approx(1 + 0.6 / 1.1, abs=0.1)
    assert crossing.before.difference < -0.2 and crossing.after.difference > 0.2
    assert crossing.before.time < crossing.when < crossing.after.time <= crossing.until
    assert crossing.before.std_err == pytest.approx(0.015, abs=0.005)


def test_the_clearer_side_decides_which_weights_are_named():
    early = crossings([arm(2000, 1.2, 0.35, 1), arm(2000, 0.4, 1.0, 2)])[0]
    late = crossings([arm(2000, 0.7, 0.1, 1), arm(2000, 0.4, 1.5, 2)])[0]
    assert early.instead == ("restricted mean", "early weights")
    assert late.instead == ("restricted mean", "late weights")


@pytest.mark.parametrize("seed", range(5))
def test_proportional_hazards_do_not_cross(seed):
    assert crossings([arm(500, 0.5, 0.5, seed), arm(500, 0.3, 0.3, seed + 100)]) == ()


def test_equal_curves_rarely_cross():
    """At most 1 in 10 of 120 pairs with the same hazards (1 in 15 in the long run)."""
    found = [bool(crossings([arm(100, 0.5, 0.5, seed), arm(100, 0.5, 0.5, seed + 1000)])) for seed in range(120)]
    assert np.mean(found) < 0.1


def test_nothing_is_said_of_small_groups_and_flat_curves():
    small = [arm(9, 0.9, 0.1, 1), arm(9, 0.3, 1.2, 2)]
    flat = [kaplan_meier([1, 2, 3] * 10, [0] * 30), kaplan_meier([1, 2, 3] * 10, [0] * 30)]
    one = [kaplan_meier([4.0], [1]), kaplan_meier([2.0], [1])]
    for curves in (small, flat, one, flat[:1], []):
        assert crossings(curves) == ()


def test_every_pair_of_twelve_is_looked_at():
    curves = [arm(833, 0.5, 0.5, seed) for seed in range(11)] + [arm(833, 0.1, 1.5, 99)]
    found = crossings(curves)
    assert {(c.first, c.second) for c in found} >= {(i, 11) for i in range(11)}


def test_units_must_agree():
    curve = arm(50, 0.5, 0.5, 1)
    with pytest.raises(Fixable, match="different units"):
        crossings([curve, replace(curve, unit="days")])
