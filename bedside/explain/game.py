"""What every kind of model's Shapley values come from: a model beside its background patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


def players_of(design: Design) -> tuple[Variable, ...]:
    """Variables that a design reads."""
    return tuple(reading.variable for reading in design.readings)
