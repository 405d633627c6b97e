"""Settings of a forest, chosen on patients whom a tree has not drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bedside.regression.concordance import concordance
from bedside.risk.fitted import Progress
from bedside.risk.forest_grow import Settings, grow
from bedside.risk.training import Training
from bedside.risk.tuning import stratified_folds

DEFAULTS: Settings = {"trees": 300, "leaf": 20, "share": 0.34, "depth": 0, "rows": 10_000}
SMALL_LEAF, PATIENTS_TO_A_LEAF = 10, 25
"""Below 500 patients leaves start from a 25th of them, though from no fewer than 10."""
LEAVES = (10, 20, 40, 80)
SHARES = (0.0, 0.34, 0.67, 1.0)
"""Of the variables; never fewer than one."""
FEWEST_LEAVES = 4
TREES_TO_TUNE = 100
MANY, TREES_FOR_MANY = 10_000, 40
MOST_JUDGED = 5_000
ALIKE = 5e-4
"""Concordances closer than this are the same, and the squared error decides."""
PARTS = 10
"""Parts of the patients in which concordances are compared, to know how much of a difference is chance."""


def tuned(
    x: np.ndarray,
    pseudo: np.ndarray,
    rows: Training,
    settings: Settings,
    *,
    asked: Mapping[str, float | int | str],
    seed: int,
    progress: Progress,
) -> Settings:
    """Size of the leaves, then the share of the variables looked at in each node, by Harrell's C out of bag.

    Small forests are grown for each value; a patient is judged by the trees that did not draw that patient. The highest
    concordance wins, and among those alike to 0.0005 the smallest squared distance from the pseudo-observations; but
    the usual value stays where the gain is no more than its standard error, from the gains in 10 parts of the patients.
    Up to 5,000 patients are judged.

    Parameters
    ----------
    x, pseudo, seed, progress
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
    tried: dict[tuple[float, float], _Verdict] = {}
    best = dict(settings)
    if "leaf" not in asked:
        best["leaf"] = min(int(best["leaf"]), max(SMALL_LEAF, len(x) // PATIENTS_TO_A_LEAF))
    if "share" not in asked:
        # With one variable to look at, a node would have no choice.
        best["share"] = min(1.0, max(float(best["share"]), round(2 / x.shape[1], 2)))
    fold = stratified_folds(held.event, PARTS, seed)
    grids = {
        "leaf": _leaves(min(len(x), int(settings["rows"]) or len(x)), int(best["leaf"])),
        "share": _shares(x.shape[1], float(best["share"])),
    }
    stages = [(name, value) for name, values in grids.items() if name not in asked for value in values]
    for name in [name for name in grids if name not in asked]:
        found: dict[float, _Verdict] = {}
        for value in grids[name]:
            progress(stages.index((name, value)) / len(stages), f"Choosing settings of the forest: {name} {value:.3g}")
            here = best | {name: value, "trees": trees}
            key = float(here["leaf"]), max(1, round(float(here["share"]) * x.shape[1]))
            if key not in tried:
                tried[key] = _judged(
                    grow(x, pseudo, here, seed=seed, judged=judged).outside, pseudo[judged], held, fold
                )
            found[value] = tried[key]
        best[name] = _best(found, float(best[name]))
    return best | {"leaf": int(best["leaf"])}


@dataclass(frozen=True, eq=False)
class _Verdict:
    c: float
    parts: np.ndarray  # (PARTS,) concordance in each part; NaN where nobody can be compared
    error: float


def _best(found: Mapping[float, _Verdict], usual: float) -> float:
    top = max(verdict.c for verdict in found.values())
    alike = {value: verdict.error for value, verdict in found.items() if verdict.c >= top - ALIKE}
    best = min(alike, key=lambda value: alike[value])
    if usual not in found:
        return best
    gains = found[best].parts - found[usual].parts
    gains = gains[np.isfinite(gains)]
    chance = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else np.inf
    return best if found[best].c - found[usual].c > chance else usual


def _judged(outside: np.ndarray, pseudo: np.ndarray, held: Training, fold: np.ndarray) -> _Verdict:
    """How what trees say of patients they did not draw agrees with what happened."""
    known = np.isfinite(outside[:, 0])
    score = np.where(known, outside.mean(axis=1), 0.0)
    if not known.any():
        return _Verdict(0.5, np.full(PARTS, np.nan), np.inf)
    c = _ranked(held, score, known)
    return _Verdict(
        c=c if np.isfinite(c) else 0.5,
        parts=np.array([_ranked(held, score, known & (fold == k)) for k in range(PARTS)]),
        error=float(((outside[known] - pseudo[known]) ** 2).mean()),
    )


def _ranked(held: Training, score: np.ndarray, rows: np.ndarray) -> float:
    if not held.event[rows].any():
        return float("nan")
    entry = None if held.entry is None else held.entry[rows]
    return float(concordance(held.time[rows], held.event[rows], score[rows], entry=entry).c)


def _leaves(n: int, usual: int) -> list[int]:
    return sorted({leaf for leaf in (*LEAVES, usual) if leaf * FEWEST_LEAVES <= n} or {max(1, n // FEWEST_LEAVES)})


def _shares(p: int, usual: float) -> list[float]:
    """Shares that differ in how many variables they mean."""
    by_count = {max(1, round(share * p)): share for share in SHARES}
    return sorted((by_count | {max(1, round(usual * p)): usual}).values())
