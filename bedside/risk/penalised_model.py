"""A penalised Cox model as one frozen value: which variables were kept, and the risks they give."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from bedside.cohort.outcome import Outcome
from bedside.risk.design import Design
from bedside.risk.fitted import Limits, State
from bedside.risk.hazards import all_within, at_times, combine
from bedside.risk.learners import KINDS
from bedside.risk.penalised_path import Curve, Path
from bedside.risk.state import common_facts, design_arrays, read_common
from bedside.risk.training import Target

AT_ONCE = 2_000_000
"""Patients times event times that are held at once."""


@dataclass(frozen=True, eq=False)
class Hazard:
    """The hazard of one kind of event.

    Attributes
    ----------
    cause : int
        1 the event that is predicted, 2 and more the competing ones.
    n_events : int
    coef : array, shape (p,)
        Log hazard ratios of the design's columns, per unit of each; 0 where the penalty left nothing.
    time, increment : arrays, shape (g,)
        Event times, and Breslow's steps of the cumulative hazard of a patient at the centre of the design.
    alpha, penalty : float
        1 lasso, 0 ridge; and lambda. NaN where there were too few events for any coefficient.
    path : Path or None
        All strengths of the penalty that were looked at, of the columns that were ever kept.
    """

    cause: int
    n_events: int
    coef: np.ndarray
    time: np.ndarray = field(repr=False)
    increment: np.ndarray = field(repr=False)
    alpha: float
    penalty: float
    path: Path | None = field(repr=False)


@dataclass(frozen=True, eq=False)
class Penalised:
    """An elastic net Cox model of one outcome; with competing events, one for each kind of event.

    Attributes
    ----------
    outcome, target, cohort_key, cohort_fingerprint, n, n_events, design, last, settings, cautions
        As in `Fitted`. The design reads the kept variables alone: no other is needed to predict.
    hazards : tuple of Hazard
        That of the predicted event first.
    kept : tuple of str
        Variables with a coefficient, in dictionary order.
    offered : int
        Variables that could have been kept.
    """

    outcome: Outcome
    target: Target
    cohort_key: str
    cohort_fingerprint: str
    n: int
    n_events: int
    design: Design = field(repr=False)
    last: float
    settings: Mapping[str, float | int | str]
    cautions: tuple[str, ...]
    hazards: tuple[Hazard, ...] = field(repr=False)
    offered: int
    kind: str = "penalised"
    label: str = KINDS["penalised"]

    @property
    def kept(self) -> tuple[str, ...]:
        """Variables with a coefficient, in dictionary order."""
        return tuple(reading.variable.name for reading in self.design.readings)

    @property
    def path(self) -> Path | None:
        """All strengths of the penalty for the predicted event, to be drawn."""
        return self.hazards[0].path

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that a prediction depends on."""
        told = common_facts(self)
        seal = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        seal.update(np.ascontiguousarray(self.design.centre))
        for hazard in self.hazards:
            for numbers in (hazard.coef, hazard.time, hazard.increment):
                seal.update(np.ascontiguousarray(numbers))
        return seal.hexdigest()

    def score(self, patients: pd.DataFrame) -> np.ndarray:
        """Log hazard of the predicted event beside the centre of the training patients, shape (n,)."""
        return combine(self.design.encode(patients), self.hazards[0].coef)

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Risk of the event by each time, shape (n, t).

        Without competing events 1 - exp(-H). With them, each event time takes S(t-) - S(t) from the share that is
        still free of any event, S = exp(-ΣH), and gives each kind of event its part of the hazard at that time.
        """
        asked = all_within(times, self.last, self.outcome.unit)
        x = self.design.encode(patients)
        relative = [np.exp(combine(x, hazard.coef)) for hazard in self.hazards]
        if len(self.hazards) == 1:
            own = self.hazards[0]
            return -np.expm1(-relative[0][:, None] * at_times(own.time, np.cumsum(own.increment), asked))
        return self._incidence(relative, asked)

    def _incidence(self, relative: Sequence[np.ndarray], asked: np.ndarray) -> np.ndarray:
        """Risk of the first kind of event where others can prevent it, some patients at a time."""
        time = np.unique(np.concatenate([hazard.time for hazard in self.hazards]))
        steps = [np.zeros(len(time)) for _ in self.hazards]
        for step, hazard in zip(steps, self.hazards, strict=True):
            step[np.searchsorted(time, hazard.time)] = hazard.increment
        n = len(relative[0])
        risk = np.empty((n, len(asked)))
        block = max(AT_ONCE // max(len(time), 1), 1)
        for begin in range(0, n, block):
            at = slice(begin, begin + block)
            own = relative[0][at, None] * steps[0]
            total = own.copy()
            for other, step in zip(relative[1:], steps[1:], strict=True):
                total += other[at, None] * step
            free = np.exp(-(np.cumsum(total, axis=1) - total))
            drop = np.divide(own, total, out=np.zeros_like(own), where=total > 0) * (-np.expm1(-total) * free)
            risk[at] = at_times(time, np.cumsum(drop, axis=1).T, asked).T
        return np.minimum(risk, 1.0)

    def limits(
        self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, level: float = 0.95
    ) -> Limits | None:
        """None: what a penalty does to an interval takes refits."""
        return None

    def state(self) -> State:
        """Coefficients, baselines and paths as plain arrays."""
        facts: dict[str, Any] = {**common_facts(self), "offered": self.offered, "hazards": []}
        arrays = dict(design_arrays(self.design))
        for i, hazard in enumerate(self.hazards):
            own, told = _path_state(hazard.path)
            facts["hazards"].append({"cause": hazard.cause, "n_events": hazard.n_events, "path": told})
            # Too few events of a cause for a path: neither is a number, and a file holds numbers.
            strength = np.array([] if hazard.path is None else [hazard.alpha, hazard.penalty])
            own |= {"coef": hazard.coef, "time": hazard.time, "increment": hazard.increment, "strength": strength}
            arrays |= {f"{i}.{name}": array for name, array in own.items()}
        return State(self.kind, facts, arrays)


def restore_penalised(state: State) -> Penalised:
    """The inverse of ``Penalised.state``."""
    hazards = []
    for i, told in enumerate(state.facts["hazards"]):
        start = f"{i}."
        own = {k.removeprefix(start): np.asarray(v) for k, v in state.arrays.items() if k.startswith(start)}
        alpha, penalty = (float("nan"), float("nan")) if told["path"] is None else map(float, own["strength"])
        hazards.append(
            Hazard(
                cause=int(told["cause"]),
                n_events=int(told["n_events"]),
                coef=own["coef"],
                time=own["time"],
                increment=own["increment"],
                alpha=alpha,
                penalty=penalty,
                path=_read_path(told["path"], own),
            )
        )
    common = read_common(state.facts, state.arrays)
    return Penalised(**common, hazards=tuple(hazards), offered=int(state.facts["offered"]))


def _path_state(path: Path | None) -> tuple[dict[str, np.ndarray], dict[str, Any] | None]:
    """A path as arrays and facts."""
    if path is None:
        return {}, None
    arrays = {
        "path.lambdas": path.lambdas,
        "path.coef": path.coef,
        "path.kept": path.kept,
        "path.ratio": path.dev_ratio,
    }
    told: dict[str, Any] = {
        "names": list(path.names),
        "alpha": path.alpha,
        "null_deviance": path.null_deviance,
        "chosen": path.chosen,
    }
    if path.curve is not None:
        curve = path.curve
        arrays |= {"curve.lambdas": curve.lambdas, "curve.mean": curve.mean, "curve.se": curve.se}
        told["curve"] = {"min": curve.lambda_min, "1se": curve.lambda_1se, "folds": curve.folds}
    return arrays, told


def _read_path(told: Mapping[str, Any] | None, own: Mapping[str, np.ndarray]) -> Path | None:
    """The inverse of `_path_state`."""
    if told is None:
        return None
    curve = None
    if "curve" in told:
        near = told["curve"]
        lambdas, mean, se = (own[f"curve.{name}"] for name in ("lambdas", "mean", "se"))
        curve = Curve(lambdas, mean, se, float(near["min"]), float(near["1se"]), int(near["folds"]))
    return Path(
        alpha=float(told["alpha"]),
        lambdas=own["path.lambdas"],
        coef=own["path.coef"],
        kept=own["path.kept"],
        dev_ratio=own["path.ratio"],
        null_deviance=float(told["null_deviance"]),
        names=tuple(told["names"]),
        curve=curve,
        chosen=told["chosen"],
    )
