"""Which variables matter together: the Shapley interaction index of patients' absolute risks, for any kind of model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bedside.cohort.variable import Variable
from bedside.explain.contributions import Background, own_background
from bedside.explain.contributions import background as background_of
from bedside.explain.explanation import Method
from bedside.explain.game import ONE, Effort
from bedside.risk.fitted import Fitted

SEVERAL_CELLS = 8.0e8
"""Numbers to go through for several patients together: some ten seconds."""
FEWER = 25
"""Background patients of several patients where all of them would take too long."""
AMONG = 200
"""Patients of a cohort in whom pairs are looked at."""
LITTLE = 5e-4
"""A partner that moves a contribution by less than a twentieth of a point is none."""


@dataclass(frozen=True, eq=False)
class Interactions:
    """How far the contributions of two variables depend on each other.

    Attributes
    ----------
    variables : tuple of Variable
        The players, in the order of `contributions`.
    t : float
        In the outcome's unit.
    values : array, shape (n, p, p)
        Of each patient, as shares of 1: .02 is 2 percentage points more risk when both values are there than the two
        add up to alone. Symmetric, 0 on the diagonal.
    how : {"exact", "permutation pairs"}
        All coalitions, or some drawn at random.
    error : array, shape (n, p, p), or None
        Sampling standard error; None when exact.
    n_background : int
    """

    variables: tuple[Variable, ...]
    t: float
    values: np.ndarray = field(repr=False)
    how: Method
    error: np.ndarray | None = field(repr=False)
    n_background: int

    @property
    def mean_abs(self) -> np.ndarray:
        """Mean absolute index of each pair over the patients, shape (p, p)."""
        return np.abs(self.values).mean(axis=0) if len(self.values) else np.zeros(self.values.shape[1:])

    def partner_of(self, variable: str) -> tuple[Variable, float] | None:
        """The variable with the largest mean absolute index beside one of them, and that; None where it is little."""
        names = [v.name for v in self.variables]
        if variable not in names or len(names) < 2:
            return None
        size = self.mean_abs[names.index(variable)]
        best = int(size.argmax())
        return (self.variables[best], float(size[best])) if size[best] >= LITTLE else None

    def partners(self, row: int = 0) -> dict[str, tuple[Variable, float]]:
        """The strongest partner of each variable and the index, where there is one beyond what sampling leaves."""
        found = {}
        for j, variable in enumerate(self.variables):
            size = np.abs(self.values[row, j])
            if not len(size) or size.max() < LITTLE:
                continue
            best = int(size.argmax())
            if self.error is None or size[best] > 2 * self.error[row, j, best]:
                found[variable.name] = (self.variables[best], float(self.values[row, j, best]))
        return found


def among(model: Fitted, frame: pd.DataFrame, t: float, most: int = AMONG) -> Interactions:
    """Interactions of every pair of variables among some of a cohort's patients, evenly chosen by their risk."""
    order = np.argsort(model.risk(frame, [t])[:, 0], kind="stable")
    some = np.sort(order[np.linspace(0, len(frame) - 1, min(most, len(frame))).round().astype(int)])
    return interactions(model, frame.iloc[some], background_of(model, frame), t)


def interactions(
    model: Fitted, patients: pd.DataFrame, background: Background, t: float, *, seed: int = 0,
    effort: Effort | None = None,
) -> Interactions:  # fmt: skip
    """Shapley interaction indices of every pair of variables, of the same game as `contributions`.

    Exact for forests, and by enumeration up to 14 variables in use as far as `effort` goes; else from coalitions drawn
    at random. Several patients share a budget of some ten seconds, beside 25 background patients where all of them
    would take longer (a forest takes up to .2 s a patient: some hundred are enough).

    Parameters
    ----------
    model : Fitted
        Of any kind.
    patients : pandas.DataFrame, shape (n, n_columns)
    background : Background
        Made with the same model.
    t : float
        In the outcome's unit, from 0 to the longest follow-up.
    seed : int
    effort : Effort, optional
        How much work one patient is worth.

    Raises
    ------
    Fixable
        If the time lies outside the follow-up, or the background belongs to another model.

    References
    ----------
    Grabisch & Roubens (1999), Int J Game Theory 28:547-565. Fujimoto, Kojadinovic & Marichal (2006), Games Econ
    Behav 55:72-99.
    """
    own_background(model, background)
    model.risk(patients.iloc[:1], [t])
    if effort is None and len(patients) > 1:
        share = SEVERAL_CELLS / len(patients)
        effort = Effort(cells=share, pairs=16)
        cost = background.game.cells(np.array([t])) or 2.0 ** len(background.game.players) * len(background)
        if cost > share:
            background = background_of(model, background.frame, size=FEWER)
    values, error = background.game.pairs(patients, float(t), seed=seed, effort=effort or ONE)
    return Interactions(
        background.game.players, float(t), values, "exact" if error is None else "permutation pairs", error,
        len(background),
    )  # fmt: skip
