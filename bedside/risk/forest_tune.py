"""Settings of a forest, chosen on patients whom a tree has not drawn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bedside.regression.concordance import concordance
from bedside.risk.fitted import Progress
from bedside.risk.forest_grow import Settings, grow
from bedside.risk.forest_late import LateEntry
from bedside.risk.training import Training

DEFAULTS: Settings = {"trees": 300, "leaf": 20, "share": 0.34, "depth": 0, "rows": 10_000}
LEAVES = (10, 20, 40, 80, 160)
SHARES = (0.0, 0.34, 0.67, 1.0)
"""Of the variables; never fewer than one."""
FEWEST_LEAVES = 4
TREES_TO_TUNE = 100
MANY, TREES_FOR_MANY = 10_000, 40
MOST_JUDGED = 5_000
ALIKE = 5e-4
"""Concordances closer than this are the same, and the squared error decides."""


def tuned(
    x: np.ndarray,
    pseudo: np.ndarray,
    rows: Training,
    settings: Settings,
    *,
    asked: Mapping[str, float | int | str],
    seed: int,
    progress: Progress,
    late: LateEntry | None = None,
) -> Settings:
    """Size of the leaves, then the share of the variables looked at in each node, by Harrell's C out of bag.

    Small forests are grown for each value; a patient is judged by the trees that did not draw that patient. The highest
    concordance wins; among those alike to 0.0005 the smallest squared distance from the pseudo-observations. Up to
    5,000 patients are judged.

    Parameters
    ----------
    x, pseudo, seed, progress, late
        As in `grow`.
    rows : Training
    settings : mapping
        What to start from.
    asked : mapping
        Settings that are not to be changed.
    """
    judged = np.arange(len(x))
    if len(x) > MOST_JUDGED:
        judged = np.sort(np.random.default_rng(seed).permutation(len(x))[:MOST_JUDGED])
    held = rows.take(judged)
    trees = min(int(settings["trees"]), TREES_TO_TUNE if len(x) <= MANY else TREES_FOR_MANY)
    tried: dict[tuple[float, float], tuple[float, float]] = {}
    best = dict(settings)
    grids = {"leaf": _leaves(min(len(x), int(settings["rows"]) or len(x))), "share": _shares(x.shape[1])}
    stages = [(name, value) for name, values in grids.items() if name not in asked for value in values]
    for name in [name for name in grids if name not in asked]:
        found: dict[float, tuple[float, float]] = {}
        for value in grids[name]:
            step = stages.index((name, value))
            progress(step / len(stages), f"Trying settings, {step + 1} of {len(stages)}")
            here = best | {name: value, "trees": trees}
            key = float(here["leaf"]), max(1, round(float(here["share"]) * x.shape[1]))
            if key not in tried:
                grown = grow(x, pseudo, here, seed=seed, judged=judged, late=late)
                tried[key] = _judged(grown.outside, pseudo[judged], held)
            found[value] = tried[key]
        best[name] = _best(found)
    return best


def _best(found: Mapping[float, tuple[float, float]]) -> float:
    top = max(c for c, _ in found.values())
    alike = {value: error for value, (c, error) in found.items() if c >= top - ALIKE}
    return min(alike, key=lambda value: alike[value])


def _judged(outside: np.ndarray, pseudo: np.ndarray, held: Training) -> tuple[float, float]:
    """Harrell's C and the mean squared error of what trees say of patients they did not draw."""
    known = np.isfinite(outside[:, 0])
    if not known.any():
        return 0.5, np.inf
    part = held.take(known)
    score = outside[known].mean(axis=1)
    c = concordance(part.time, part.event, score, entry=part.entry).c
    return (c if np.isfinite(c) else 0.5), float(((outside[known] - pseudo[known]) ** 2).mean())


def _leaves(n: int) -> list[int]:
    return [leaf for leaf in LEAVES if leaf * FEWEST_LEAVES <= n] or [max(1, n // FEWEST_LEAVES)]


def _shares(p: int) -> list[float]:
    """Shares that differ in how many variables they mean."""
    return list({max(1, round(share * p)): share for share in reversed(SHARES)}.values())[::-1]
