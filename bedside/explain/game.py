"""What every kind of model's Shapley values come from: a model beside its background patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from bedside.cohort.variable import Variable
from bedside.risk.design import Design

Points = tuple[np.ndarray, np.ndarray | None]
"""Contributions (n, p, t), and their sampling errors in the same shape, or None where they are exact."""


@dataclass(frozen=True)
class Effort:
    """How much work one patient is worth.

    Attributes
    ----------
    cells : float
        Numbers to go through for exact values; beyond it orders are sampled.
    pairs : int
        Most pairs of orders.
    batch : int
        Pairs between two looks at the error.
    sums : float
        As `cells`, for a single log hazard that is a sum of terms.
    """

    cells: float = 1.0e8
    pairs: int = 64
    batch: int = 16
    sums: float = float("inf")


ONE = Effort()


class Game(Protocol):
    """A model beside its background patients.

    Attributes
    ----------
    players : tuple of Variable
    """

    @property
    def players(self) -> tuple[Variable, ...]: ...

    def points(self, patients: pd.DataFrame, times: np.ndarray, *, seed: int, effort: Effort) -> Points:
        """Contributions of some patients at times in the outcome's unit."""
        ...

    def pairs(self, patients: pd.DataFrame, t: float, *, seed: int, effort: Effort) -> Points:
        """Interaction indices (n, p, p) of some patients at a time, and their sampling errors or None."""
        ...

    def after(self, since: float) -> Game | None:
        """The game of the risk from a time on, of patients who are event-free then; None if it can't be told apart."""
        ...

    def risk(self, patients: pd.DataFrame, times: np.ndarray) -> np.ndarray:
        """Risks as the game counts them, shape (n, t)."""
        ...

    def base(self, times: np.ndarray) -> np.ndarray:
        """Mean risk of the background patients, shape (t,)."""
        ...

    def cells(self, times: np.ndarray) -> float:
        """Numbers that exact values of one patient take; 0 where a cheaper way is at hand."""
        ...


def players_of(design: Design) -> tuple[Variable, ...]:
    """Variables that a design reads."""
    return tuple(reading.variable for reading in design.readings)
