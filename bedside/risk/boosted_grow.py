"""Growing boosted trees with xgboost, and choosing how many and how deep on patients held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from bedside.errors import Fixable
from bedside.risk.fitted import Progress
from bedside.risk.tuning import stratified_folds

DEFAULTS: dict[str, float | int | str] = {"eta": 0.05, "child": 2.0, "drawn": 0.7, "share": 0.8, "ridge": 1.0}
"""Learning rate, least weight of a leaf, shares of patients and variables drawn for each tree, L2 penalty."""
DEPTHS = (1, 2, 3)
MOST_ROUNDS = 400
PATIENCE = 25
"""Rounds without gain on held-out patients after which growing stops."""
FOLDS = 4
ENOUGH = 5000
"""Patients among whom settings are chosen; more would take longer and choose the same."""

Settings = Mapping[str, float | int | str]


@dataclass(frozen=True, eq=False)
class Cases:
    """What one booster learns from.

    Attributes
    ----------
    x : array of float32, shape (n, p)
    time : array, shape (n,)
    event : array of bool, shape (n,)
    entry : array, shape (n,), or None
        Under observation in (entry, time].
    """

    x: np.ndarray
    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None

    def take(self, rows: np.ndarray) -> Cases:
        """Some of them."""
        return Cases(self.x[rows], self.time[rows], self.event[rows], None if self.entry is None else self.entry[rows])


def xgboost() -> ModuleType:
    """The package, which the app runs without.

    Raises
    ------
    Fixable
        If it is not installed.
    """
    try:
        import xgboost as package
    except ImportError as fault:
        raise Fixable(
            "No boosted trees on this computer.",
            "They need xgboost, which is not installed; every other model works without it.",
            "Run `pip install -r requirements-boost.txt`, then start Bedside again.",
        ) from fault
    return package


def grown(cases: Cases, settings: Settings, seed: int) -> str:
    """A booster of one cause's log hazard as xgboost's JSON text.

    The objective is ``survival:cox``. Times go in as their ranks, which is all that the partial likelihood looks at:
    as 32-bit numbers with a sign for the event, times might tie that did not, and an event at time 0 would be lost.
    With delayed entry, which xgboost does not know, the gradient of the same likelihood with risk sets (entry, time]
    is handed to it.
    """
    package = xgboost()
    booster = package.train(
        _parameters(settings, seed, own=cases.entry is not None),
        _matrix(package, cases),
        num_boost_round=int(settings["rounds"]),
        obj=_objective(cases),
    )
    return bytes(booster.save_raw("json")).decode()


def tuned(cases: Cases, asked: Settings, *, seed: int, progress: Progress) -> dict[str, float | int | str]:
    """Depth and number of the trees by cross-validation, with early stopping by the held-out partial likelihood.

    What `asked` holds is kept. The lowest mean loss wins; of two alike the shallower.
    """
    used = DEFAULTS | dict(asked)
    if "depth" in asked and "rounds" in asked:
        return used
    depths = (int(asked["depth"]),) if "depth" in asked else DEPTHS
    most = int(asked["rounds"]) if "rounds" in asked else MOST_ROUNDS
    some = _some(cases, seed)
    count = max(2, min(FOLDS, int(some.event.sum()) // 2))
    fold = stratified_folds(some.event, count, seed)
    best: tuple[float, int, int] | None = None
    for i, depth in enumerate(depths):
        curves = []
        for k in range(count):
            step, steps = i * count + k, len(depths) * count
            progress(step / steps, f"Trying settings, {step + 1} of {steps}")
            parts = some.take(fold != k), some.take(fold == k)
            curves.append(_held_out(*parts, used | {"depth": depth, "rounds": most}, seed, stop="rounds" not in asked))
        loss = np.mean([curve[: min(map(len, curves))] for curve in curves], axis=0)
        at = int(np.argmin(loss)) if "rounds" not in asked else len(loss) - 1
        if best is None or loss[at] < best[0]:
            best = float(loss[at]), depth, at + 1
    return used | {"depth": best[1], "rounds": most if "rounds" in asked else best[2]}


def _some(cases: Cases, seed: int) -> Cases:
    parts = -(-len(cases.time) // ENOUGH)
    return cases if parts == 1 else cases.take(stratified_folds(cases.event, parts, seed) == 0)


def _held_out(known: Cases, held: Cases, settings: Settings, seed: int, *, stop: bool) -> Sequence[float]:
    """Loss of held-out patients after each round."""
    package, own = xgboost(), known.entry is not None
    judge = Likelihood(held.time, held.event, held.entry)

    def loss(predicted: np.ndarray, _: object) -> tuple[str, float]:
        margin = predicted.astype(float) if own else np.log(np.maximum(predicted.astype(float), 1e-300))
        return "loss", judge.loss(margin)

    found: dict[str, Any] = {}
    package.train(
        _parameters(settings, seed, own=own) | {"disable_default_eval_metric": 1},
        _matrix(package, known),
        num_boost_round=int(settings["rounds"]),
        evals=[(_matrix(package, held), "held")],
        obj=_objective(known),
        custom_metric=loss,
        maximize=False,
        early_stopping_rounds=PATIENCE if stop else None,
        evals_result=found,
        verbose_eval=False,
    )
    return found["held"]["loss"]


def _parameters(settings: Settings, seed: int, *, own: bool) -> dict[str, Any]:
    objective = {"base_score": 0.0, "disable_default_eval_metric": 1} if own else {"objective": "survival:cox"}
    return objective | {
        "tree_method": "hist", "nthread": 1, "seed": seed, "verbosity": 0, "eta": float(settings["eta"]),
        "max_depth": int(settings["depth"]), "min_child_weight": float(settings["child"]),
        "subsample": float(settings["drawn"]), "colsample_bytree": float(settings["share"]),
        "lambda": float(settings["ridge"]),
    }  # fmt: skip


def _matrix(package: ModuleType, cases: Cases) -> Any:
    rank = np.unique(cases.time, return_inverse=True)[1] + 1.0
    return package.DMatrix(cases.x, label=np.where(cases.event, rank, -rank), nthread=1)


def _objective(cases: Cases) -> Callable[[np.ndarray, object], tuple[np.ndarray, np.ndarray]] | None:
    if cases.entry is None:
        return None
    of = Likelihood(cases.time, cases.event, cases.entry)

    def derivatives(margin: np.ndarray, _: object) -> tuple[np.ndarray, np.ndarray]:
        return of.derivatives(margin.astype(float))

    return derivatives


class Likelihood:
    """Breslow's partial likelihood as a function of the log hazards of patients.

    Parameters
    ----------
    time : array, shape (n,)
    event : array of bool, shape (n,)
    entry : array, shape (n,), or None
        At risk in (entry, time].
    """

    def __init__(self, time: np.ndarray, event: np.ndarray, entry: np.ndarray | None) -> None:
        self.event = event
        self.deaths = np.unique(time[event])
        self.count = np.bincount(np.searchsorted(self.deaths, time[event]), minlength=len(self.deaths))
        # Death times so far at the end and at the start of each patient's follow-up.
        self.until = np.searchsorted(self.deaths, time, side="right")
        self.since = np.zeros(len(time), int) if entry is None else np.searchsorted(self.deaths, entry, side="right")

    def loss(self, margin: np.ndarray) -> float:
        """Minus the log partial likelihood, for each event; 0 without events."""
        if not len(self.deaths):
            return 0.0
        top = margin.max()
        at_risk = self._at_risk(np.exp(margin - top))
        return float((self.count @ np.log(at_risk) - (margin[self.event] - top).sum()) / self.count.sum())

    def derivatives(self, margin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First and second derivatives of minus the log partial likelihood for each patient, shape (n,) each."""
        relative = np.exp(margin - margin.max())
        at_risk = self._at_risk(relative)
        first, second = (np.concatenate(([0.0], np.cumsum(self.count / at_risk**k))) for k in (1, 2))
        expected = relative * (first[self.until] - first[self.since])
        curved = expected - relative**2 * (second[self.until] - second[self.since])
        return expected - self.event, np.maximum(curved, 1e-16)

    def _at_risk(self, relative: np.ndarray) -> np.ndarray:
        """Sum of the relative hazards of those at risk at each death time."""
        k = len(self.deaths) + 1
        change = np.bincount(self.since, relative, k) - np.bincount(self.until, relative, k)
        return np.maximum(np.cumsum(change)[:-1], 1e-12 * relative.max(initial=0.0))
