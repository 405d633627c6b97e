"""Contributions of a patient's values to the risk of any kind of model, at several times at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from bedside.cohort import Cohort
from bedside.cohort.variable import Variable
from bedside.errors import Fixable
from bedside.explain.explanation import Method
from bedside.explain.game import ONE, Effort, Game
from bedside.explain.games import prepared, terms_of
from bedside.risk.average import Average
from bedside.risk.design import Reading
from bedside.risk.fitted import Fitted
from bedside.risk.model import Model
from bedside.risk.variability import Varied

LARGEST_BACKGROUND = 100
"""More patients make every explanation slower and hardly move its base."""


@dataclass(frozen=True, eq=False)
class Background:
    """The patients that an explanation compares with, as the model reads them.

    Attributes
    ----------
    model_fingerprint : str
        The model that read them.
    rows : ndarray of int, shape (n_background,)
        Their positions in the cohort.
    frame : pandas.DataFrame, shape (n_background, n_columns)
        The patients.
    game : Game
        What contributions are worked out from.
    terms : ndarray, shape (n_background, n_variables), or None
        Of a Cox model: share of the linear predictor from each of its variables.
    kept : dict
        What was worked out once for these patients.
    since : float
        Time from which risks count, in the outcome's unit: those of patients who are event-free then.
    """

    model_fingerprint: str
    rows: np.ndarray
    frame: pd.DataFrame = field(repr=False)
    game: Game = field(repr=False)
    terms: np.ndarray | None = field(default=None, repr=False)
    kept: dict[str, Any] = field(default_factory=dict, repr=False)
    since: float = 0.0

    def after(self, since: float) -> Background | None:
        """The same patients for risks from a time on; None for models whose reasons can't be told from there."""
        game = self.game.after(since)
        return None if game is None else replace(self, game=game, since=since)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each value of some patients adds to their risk beside the background's mean risk.

    Attributes
    ----------
    variables : tuple of Variable
        The players. A variable that the model does not use is none, and adds exactly 0.
    times : array, shape (t,)
        In the outcome's unit.
    base : array, shape (t,)
        Mean risk of the background patients.
    values : array, shape (n, n_variables, t)
        Contributions as shares of 1: .17 is 17 percentage points.
    prediction : array, shape (n, t)
        The model's risks. Base and contributions add up to them.
    how : {"exact", "permutation pairs"}
        All coalitions, or a sample of player orders.
    error : array, shape (n, n_variables, t), or None
        Sampling standard error of each contribution; None when exact.
    n_background : int
    """

    variables: tuple[Variable, ...]
    times: np.ndarray
    base: np.ndarray
    values: np.ndarray
    prediction: np.ndarray
    how: Method
    error: np.ndarray | None
    n_background: int

    @property
    def additivity_error(self) -> float:
        """Largest distance between a risk and base plus contributions."""
        return float(np.abs(self.base + self.values.sum(axis=1) - self.prediction).max(initial=0.0))


def background(
    model: Fitted, cohort: Cohort | pd.DataFrame, *, size: int = LARGEST_BACKGROUND, rows: np.ndarray | None = None
) -> Background:
    """The reference population: patients evenly spaced from the lowest to the highest risk in the cohort.

    Ordered by the model's score, the patients are cut into `size` equal slices and the middle one of each is taken,
    so that their mean risk is close to the whole cohort's at every time; that of a random sample is not. Nothing is
    left to chance.

    Parameters
    ----------
    model : Fitted
        Of any kind.
    cohort : Cohort or pandas.DataFrame
        The patients that the model was fitted to, or those to compare with: a stage, an age band.
    size : int
        At most 100; the whole cohort when it is no larger. Patients with equal scores keep their order.
    rows : array of int, optional
        Positions of the patients to take instead, at most 100: the same ones for several models.

    Raises
    ------
    Fixable
        If the cohort is empty.
    """
    frame = cohort.frame if isinstance(cohort, Cohort) else cohort
    if not len(frame):
        raise Fixable(
            "No explanation for this selection.",
            "There are no patients to compare with.",
            "Remove a filter so that patients remain.",
        )
    taken = _evenly(model.score(frame), min(size, LARGEST_BACKGROUND)) if rows is None else rows[:LARGEST_BACKGROUND]
    chosen = frame.iloc[taken]
    terms = variable_terms(model, chosen) if isinstance(model, Model) else None
    return Background(model.fingerprint, taken, chosen, prepared(model, chosen), terms)


def variable_terms(model: Model, frame: pd.DataFrame) -> np.ndarray:
    """Share of the linear predictor from each variable, shape (n, n_variables): its columns are added up."""
    return terms_of(model.design, [model.coef], frame)[:, :, 0]


def contributions(
    model: Fitted,
    patients: pd.DataFrame,
    background: Background,
    times: Sequence[float] | np.ndarray,
    *,
    seed: int = 0,
    effort: Effort = ONE,
) -> Contributions:
    """Shapley values of the absolute risk of any kind of model, by one definition.

    Players are the variables; a coalition keeps the patient's values and takes each background patient's for the
    others (interventional expectation). Exact for forests; for Cox, penalised and boosted models up to 14 variables
    in use, with competing events as far as `effort` goes; else from random orders, each with its reverse.

    Parameters
    ----------
    model : Fitted
    patients : pandas.DataFrame, shape (n, n_columns)
        In the cohort's units and codes, gaps included.
    background : Background
        Made with the same model.
    times : sequence of float
        In the outcome's unit, from 0 to the longest follow-up.
    seed : int
        Of the random orders: the same seed gives the same values.
    effort : Effort
        How much work one patient is worth.

    Raises
    ------
    Fixable
        If a time lies outside the follow-up, or the background belongs to another model.

    References
    ----------
    Shapley (1953). Lundberg & Lee (2017), NeurIPS 30. Janzing, Minorics & Bloebaum (2020), AISTATS 108:2907-2916.
    Lundberg et al. (2020), Nat Mach Intell 2:56-67 (trees). Krzyzinski et al. (2023), Knowl Based Syst 262:110234.
    """
    own_background(model, background)
    asked = np.atleast_1d(np.asarray(times, dtype=float))
    prediction = background.game.risk(patients, asked) if background.since else model.risk(patients, asked)
    values, error = background.game.points(patients, asked, seed=seed, effort=effort)
    return Contributions(
        variables=background.game.players,
        times=asked,
        base=background.game.base(asked),
        values=values,
        prediction=prediction,
        how="exact" if error is None else "permutation pairs",
        error=error,
        n_background=len(background),
    )


def own_background(model: Fitted, background: Background) -> None:
    """Raise a `Fixable` if the background was made with another model."""
    if background.model_fingerprint != model.fingerprint:
        raise Fixable(
            "No explanation.",
            "The patients compared with were read by another model.",
            "Open the patient again, so that both are made from the same model.",
        )


def readings_of(model: Fitted) -> dict[str, Reading]:
    """How each variable is read, by name, over all members of an average."""
    if isinstance(model, Varied):
        return readings_of(model.model)
    if isinstance(model, Average):
        return {name: r for member in reversed(model.members) for name, r in readings_of(member).items()}
    return {reading.variable.name: reading for reading in model.design.readings}


def _evenly(score: np.ndarray, size: int) -> np.ndarray:
    """Positions, ascending, of the middle ones of `size` equal slices in the order of a score; all if so few."""
    n = len(score)
    if size >= n:
        return np.arange(n)
    middle = ((np.arange(size) + 0.5) * n / size).astype(int)
    return np.sort(np.argsort(score, kind="stable")[middle])
