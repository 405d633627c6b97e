"""How much a model's risks vary from one sample of patients to the next: the spread of refits to bootstrap samples."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import norm

from bedside.risk.around import Around
from bedside.risk.fit import FEWEST_EVENTS
from bedside.risk.fitted import Fitted, Limits, Progress, State
from bedside.risk.learners import LEARNERS, VARIED, restore
from bedside.risk.training import Training

NAME = "model variability"
EDGE = 1e-12
"""Risks nearer to 0 or 1 are read as this far from it, where the complementary log-log scale has no end."""


@dataclass(frozen=True, eq=False)
class Varied(Around):
    """A model that knows its spread; everything but `limits` is the model's own.

    Attributes
    ----------
    model : Fitted
    refits : tuple of Fitted
        The same kind with the same settings, from bootstrap samples of the same rows.
    """

    model: Fitted
    refits: tuple[Fitted, ...] = field(repr=False)

    @property
    def kind(self) -> str:
        """The model's."""
        return self.model.kind

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the model's and of every refit's."""
        prints = " ".join([self.model.fingerprint, *(refit.fingerprint for refit in self.refits)])
        return hashlib.sha256(prints.encode()).hexdigest()

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """The model's."""
        return self.model.risk(patients, times)

    def limits(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, level: float = 0.95) -> Limits:
        """The risk plus and minus the refits' spread on the complementary log-log scale.

        NaN where the model's risk after time 0 is still 0.
        """
        asked = np.atleast_1d(np.asarray(times, dtype=float))
        risk = self.model.risk(patients, asked)
        middle = _scaled(risk)
        total, squares = np.zeros_like(risk), np.zeros_like(risk)
        for refit in self.refits:
            away = _scaled(refit.risk(patients, np.minimum(asked, refit.last))) - middle
            total += away
            squares += away**2
        count = len(self.refits)
        spread = np.sqrt(np.maximum(squares - total**2 / count, 0.0) / (count - 1))
        reach = norm.ppf((1 + level) / 2) * spread
        lower, upper = _risk(middle - reach), _risk(middle + reach)
        lower, upper = np.minimum(lower, risk), np.maximum(upper, risk)
        unknown = np.where(asked > 0, np.nan, 0.0)
        return Limits(np.where(risk > 0, lower, unknown), np.where(risk > 0, upper, unknown), NAME)

    def state(self) -> State:
        """The model's state and those of the refits, one inside the other."""
        states = [self.model.state(), *(refit.state() for refit in self.refits)]
        arrays = {f"{i}.{name}": array for i, state in enumerate(states) for name, array in state.arrays.items()}
        return State(VARIED, {"models": [{"kind": s.kind, "facts": dict(s.facts)} for s in states]}, arrays)


def _scaled(risk: np.ndarray) -> np.ndarray:
    return np.log(-np.log1p(-np.clip(risk, EDGE, 1 - EDGE)))


def _risk(scaled: np.ndarray) -> np.ndarray:
    return -np.expm1(-np.exp(np.minimum(scaled, 700.0)))


def with_variability(
    model: Fitted, rows: Training, *, refits: int = 50, seed: int = 0, progress: Progress | None = None
) -> Varied:
    """Refit a model to bootstrap samples of its rows, its settings kept as they are.

    Parameters
    ----------
    model : Fitted
    rows : Training
        What it learnt from.
    refits : int, default 50
        At least 2. The spread of 50 is known to about 10% of itself.
    seed : int
        The same seed gives the same bits.
    progress : callable, optional

    Returns
    -------
    Varied
        Choosing the settings, and what all refits get wrong alike, are not part of the spread.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapters 6 and 13.
    """
    if refits < 2:
        raise ValueError("a spread needs at least 2 refits")
    rng = np.random.default_rng(seed)
    learner, made = LEARNERS[model.kind], []
    for i in range(refits):
        if progress is not None:
            progress(i / refits, f"Refitting, {i + 1} of {refits}")
        made.append(learner(_sample(rows, rng), settings=model.settings, seed=seed + 1 + i))
    if progress is not None:
        progress(1.0, "Variability known")
    return Varied(model, tuple(made))


def _sample(rows: Training, rng: np.random.Generator) -> Training:
    """As many rows again, drawn with replacement until they hold enough events for a model."""
    while True:
        drawn = rng.integers(len(rows), size=len(rows))
        if rows.event[drawn].sum() >= FEWEST_EVENTS:
            return rows.take(drawn)


def restore_varied(state: State) -> Varied:
    """The inverse of ``Varied.state``."""
    models = []
    for i, told in enumerate(state.facts["models"]):
        start = f"{i}."
        arrays = {k.removeprefix(start): v for k, v in state.arrays.items() if k.startswith(start)}
        models.append(restore(State(told["kind"], told["facts"], arrays)))
    return Varied(models[0], tuple(models[1:]))
