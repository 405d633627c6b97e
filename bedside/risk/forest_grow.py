"""Growing the trees, and what they say of patients who were not drawn for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bedside.risk.design import Design, read
from bedside.risk.fitted import Progress
from bedside.risk.forest_arrays import Trees, flat, rising
from bedside.risk.forest_late import LateEntry

Settings = Mapping[str, float | int | str]

BATCH = 20
"""Trees between two calls of the progress."""
WORKERS = 2
KEPT_VARIANCE = 0.95
"""Share of the pseudo-observations' variance that splits look at."""


@dataclass(frozen=True, eq=False)
class Grown:
    """Trees, and what those that did not draw a patient say of that patient.

    Attributes
    ----------
    trees : Trees
    outside : array, shape (n_judged, k)
        Mean risk at each grid time over the trees that did not draw the patient; NaN where all did.
    """

    trees: Trees
    outside: np.ndarray


@dataclass(frozen=True, eq=False)
class _Tree:
    built: object
    means: np.ndarray  # (n_leaves, k) mean pseudo-observations, or with delayed entry the leaf's own curve
    others: np.ndarray  # which of the judged patients were not drawn
    leaf: np.ndarray  # and the leaf each of them falls into


def grow(
    x: np.ndarray,
    pseudo: np.ndarray,
    settings: Settings,
    *,
    seed: int,
    judged: np.ndarray | None = None,
    late: LateEntry | None = None,
    progress: Progress | None = None,
) -> Grown:
    """Trees on pseudo-observations; their leaves hold risks that never fall over time.

    Splits minimise the squared error summed over all grid times, in the principal components that hold 95% of the
    variance: the sum does not change under rotation, and neighbouring times say almost the same. A leaf's value is the
    mean pseudo-observation of the patients drawn into it at each time, made never to fall (isotonic regression over
    time) and cut at 0 and 1. With delayed entry it is the left-truncated curve of those patients instead.

    Parameters
    ----------
    x : array of float32, shape (n, p)
    pseudo : array, shape (n, k)
    settings : mapping
        ``trees``, ``leaf``, ``share``, ``depth`` and ``rows``.
    seed : int
        Each tree has a generator of its own made from it, so that they may be grown in any order.
    judged : array of int, optional
        Rows for which `Grown.outside` is worked out; default none.
    late : LateEntry, optional
        Follow-up of the n patients where some came under observation after time zero.
    progress : callable, optional
    """
    count = int(settings["trees"])
    seeds = np.random.SeedSequence(seed).spawn(count)
    target = components(pseudo)
    asked = np.empty(0, dtype=np.int64) if judged is None else judged
    total, times = np.zeros((len(asked), pseudo.shape[1])), np.zeros(len(asked))
    built, values = [], []

    def one(own: np.random.SeedSequence) -> _Tree:
        return _tree(x, pseudo, target, settings, np.random.default_rng(own), asked, late)

    with ThreadPoolExecutor(WORKERS) as pool:
        for begin in range(0, count, BATCH):
            if progress is not None:
                progress(begin / count, f"Growing trees: {begin} of {count}")
            batch = list(pool.map(one, seeds[begin : begin + BATCH]))
            sizes = np.cumsum([len(tree.means) for tree in batch])[:-1]
            for tree, own in zip(batch, np.split(rising(np.concatenate([t.means for t in batch])), sizes), strict=True):
                built.append(tree.built)
                values.append(own)
                total[tree.others] += own[tree.leaf]
                times[tree.others] += 1
    outside = np.divide(total, times[:, None], out=np.full_like(total, np.nan), where=times[:, None] > 0)
    return Grown(flat(built, values), outside)


def _tree(
    x: np.ndarray,
    pseudo: np.ndarray,
    target: np.ndarray,
    settings: Settings,
    rng: np.random.Generator,
    judged: np.ndarray,
    late: LateEntry | None,
) -> _Tree:
    from sklearn.tree import DecisionTreeRegressor

    n = len(x)
    weight = np.bincount(rng.integers(0, n, min(int(settings["rows"]) or n, n)), minlength=n).astype(float)
    rows = np.flatnonzero(weight)
    tree = DecisionTreeRegressor(
        min_samples_leaf=max(1, int(settings["leaf"])),
        max_features=max(1, round(float(settings["share"]) * x.shape[1])),
        max_depth=int(settings["depth"]) or None,
        random_state=int(rng.integers(2**31 - 1)),
    ).fit(x[rows], target[rows], sample_weight=weight[rows])
    place = np.cumsum(tree.tree_.children_left < 0) - 1
    inside = place[tree.tree_.apply(x[rows])]
    if late is None:
        mean = _means(pseudo, rows, weight, inside)
    else:
        mean = late.risks(rows, weight[rows], inside, int(place[-1]) + 1)
    others = np.flatnonzero(weight[judged] == 0)
    return _Tree(tree.tree_, mean, others, place[tree.tree_.apply(x[judged[others]])])


def _means(pseudo: np.ndarray, rows: np.ndarray, weight: np.ndarray, inside: np.ndarray) -> np.ndarray:
    order = np.argsort(inside, kind="stable")
    first = np.searchsorted(inside[order], np.arange(inside.max() + 1))
    drawn = rows[order]
    sums = np.add.reduceat(pseudo[drawn] * weight[drawn, None], first, axis=0)
    return sums / np.add.reduceat(weight[drawn], first)[:, None]


def components(pseudo: np.ndarray) -> np.ndarray:
    """Principal components that hold 95% of the variance of pseudo-observations, shape (n, up to k)."""
    centred = pseudo - pseudo.mean(axis=0)
    variance, axes = np.linalg.eigh(centred.T @ centred)
    share = np.cumsum(variance[::-1]) / max(float(variance.sum()), np.finfo(float).tiny)
    kept = min(int(np.searchsorted(share, KEPT_VARIANCE)) + 1, len(share))
    return np.ascontiguousarray(centred @ axes[:, ::-1][:, :kept])


def nominal_order(design: Design, frame: pd.DataFrame, pseudo: np.ndarray) -> dict[str, np.ndarray]:
    """Number that stands for each level, in the order of `Reading.codes`, for variables whose levels have no order.

    It is the level's place in the order of mean pseudo-observations over all grid times.
    """
    return dict(_places(design, frame, pseudo.mean(axis=1)))


def _places(design: Design, frame: pd.DataFrame, each: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    for reading in design.readings:
        variable = reading.variable
        if variable.is_numeric or variable.kind == "ordinal":
            continue
        at = read(reading, frame)
        many = np.bincount(at, minlength=len(reading.codes))
        mean = np.bincount(at, weights=each, minlength=len(reading.codes)) / np.maximum(many, 1)
        place = np.empty(len(mean))
        place[np.argsort(mean, kind="stable")] = np.arange(len(mean))
        yield variable.name, place
