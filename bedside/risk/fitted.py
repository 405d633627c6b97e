"""What every model can do, whichever way it learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from bedside.cohort.outcome import Outcome
from bedside.risk.design import Design
from bedside.risk.training import Target, Training

Progress = Callable[[float, str], None]
"""Called with a share from 0 to 1 and a sentence; it may raise to stop the work."""


@dataclass(frozen=True, eq=False)
class State:
    """A model as plain facts and plain arrays: what is kept on disk, without anything that could run.

    Attributes
    ----------
    kind : str
    facts : mapping
        Text, numbers, lists and mappings of them: what JSON can hold.
    arrays : mapping of str to array
        Of numbers or booleans, never objects.
    """

    kind: str
    facts: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Limits:
    """An interval of risks, shape (n, t) each, and what it is.

    Attributes
    ----------
    lower, upper : arrays, shape (n, t)
    name : str
        ``"95% interval"`` where it covers what sampling does to the estimate, ``"model variability"`` where it is
        the spread of refits.
    """

    lower: np.ndarray
    upper: np.ndarray
    name: str


class Fitted(Protocol):
    """A model of one outcome that gives absolute risks.

    Attributes
    ----------
    kind : str
        Key of its learner: ``"cox"``, ``"penalised"``, ``"forest"``, ``"boosted"``, ``"average"``.
    label : str
        What it is called on screen.
    outcome, target
        What it predicts.
    cohort_key, cohort_fingerprint : str
        What it learnt from.
    n, n_events : int
        Patients, and events of the kind that is predicted.
    design : Design
        How patients are read: variables, fills, ranges, levels, and what was left out.
    last : float
        Longest follow-up in training, in the outcome's unit: no risk is known beyond it.
    settings : mapping
        Hyper-parameters in use, by name.
    cautions : tuple of str
        Sentences the reader of any number from this model should see.
    fingerprint : str
        SHA-256 of everything that a prediction depends on.
    """

    @property
    def kind(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def outcome(self) -> Outcome: ...
    @property
    def target(self) -> Target: ...
    @property
    def cohort_key(self) -> str: ...
    @property
    def cohort_fingerprint(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def n_events(self) -> int: ...
    @property
    def design(self) -> Design: ...
    @property
    def last(self) -> float: ...
    @property
    def settings(self) -> Mapping[str, float | int | str]: ...
    @property
    def cautions(self) -> tuple[str, ...]: ...
    @property
    def fingerprint(self) -> str: ...

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Risk of the event by each time (in the outcome's unit), shape (n, t), never falling over time.

        Beyond `last` a `Fixable` is raised.
        """
        ...

    def score(self, patients: pd.DataFrame) -> np.ndarray:
        """One number a patient for ranking, shape (n,): higher means sooner."""
        ...

    def limits(
        self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, level: float = 0.95
    ) -> Limits | None:
        """Interval of `risk`, or None for a model whose variability was not worked out."""
        ...

    def state(self) -> State:
        """Everything needed to have it back with the same bits."""
        ...


class Learner(Protocol):
    """A way to learn a model from rows."""

    def __call__(
        self,
        rows: Training,
        *,
        settings: Mapping[str, float | int | str] | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Fitted:
        """Fit. Without settings they are chosen inside these rows, by cross-validation on a small grid."""
        ...
