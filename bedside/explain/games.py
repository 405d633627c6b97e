"""For every kind of model: what its Shapley values are worked out from, made ready once for some background patients.

One definition for all: players are variables, a coalition keeps the patient's values of its variables and takes a
background patient's for the others, and is worth the model's risk by a time, averaged over the background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from bedside.cohort.variable import Variable
from bedside.explain.asked import FrameGame
from bedside.explain.forest_pairs import interaction_leaves
from bedside.explain.forest_shapley import Leaves, TooDeep, leaves_beside, shapley_leaves
from bedside.explain.game import Effort, Game, Points, players_of
from bedside.explain.hazard_game import HazardGame, competing, of_causes, penalised, plain
from bedside.explain.hazard_shapley import Terms, TreeSums
from bedside.risk.average import Average
from bedside.risk.boosted import Boosted
from bedside.risk.cause_specific import FINE_GRAY, CompetingModel
from bedside.risk.design import Design
from bedside.risk.fitted import Fitted
from bedside.risk.forest import Forest
from bedside.risk.model import Model
from bedside.risk.penalised_model import Penalised
from bedside.risk.variability import Varied


def prepared(model: Fitted, background: pd.DataFrame) -> Game:
    """The game of a model, whatever its kind."""
    if isinstance(model, Varied):
        return prepared(model.model, background)
    if isinstance(model, Average):
        return AverageGame(tuple(prepared(member, background) for member in model.members))
    if isinstance(model, Forest):
        try:
            columns = model.columns(background)
            return ForestGame(model, leaves_beside(model.trees, columns), model.trees.mean(columns).mean(axis=0))
        except TooDeep:
            return FrameGame(model, background)
    if isinstance(model, Boosted):
        columns = model.columns(background)
        return HazardGame(
            players_of(model.design),
            TreeSums.of(columns, [booster.trees for booster in model.boosters], model.log_hazards),
            model.columns,
            lambda times, since: of_causes(model.causes, model.time, times, model, since=since),
            model.log_hazards(columns),
        )
    if isinstance(model, Model | Penalised | CompetingModel):
        return _linear(model, background)
    return FrameGame(model, background)


def terms_of(design: Design, coef: Sequence[np.ndarray], frame: pd.DataFrame) -> np.ndarray:
    """Share of each variable in the log hazard of each cause, shape (n, n_variables, causes)."""
    x = design.encode(frame)
    player = {reading.variable.name: j for j, reading in enumerate(design.readings)}
    found = np.zeros((len(frame), len(player), len(coef)))
    for term in design.terms:
        for k, beta in enumerate(coef):
            found[:, player[term.variable], k] += x[:, term.column] * beta[term.column]
    return found


def _linear(model: Model | Penalised | CompetingModel, background: pd.DataFrame) -> Game:
    """Log hazards that are sums over the design's columns."""
    if isinstance(model, Model):
        coef, horizon = [model.coef], partial(plain, model)
    elif isinstance(model, Penalised):
        coef, horizon = [hazard.coef for hazard in model.hazards], partial(penalised, model)
    else:
        coef, horizon = [cause.coef for cause in model.causes], partial(competing, model)
    design = model.design

    def read(frame: pd.DataFrame) -> np.ndarray:
        return terms_of(design, coef, frame)

    terms = read(background)
    lasting = not (isinstance(model, CompetingModel) and model.method == FINE_GRAY)
    return HazardGame(players_of(design), Terms(terms), read, horizon, terms.sum(axis=1), lasting=lasting)


@dataclass(frozen=True, eq=False)
class ForestGame:
    """A forest's risk: exact, leaf by leaf."""

    model: Forest
    leaves: Leaves = field(repr=False)
    at_grid: np.ndarray = field(repr=False)

    @property
    def players(self) -> tuple[Variable, ...]:
        """The forest looks at one column for each variable."""
        return players_of(self.model.design)

    def points(self, patients: pd.DataFrame, times: np.ndarray, *, seed: int, effort: Effort) -> Points:
        """See `Game`; nothing is sampled."""
        value, p = self._values(times), len(self.players)
        each = [shapley_leaves(self.leaves, own, value, p) for own in self.model.columns(patients)]
        return np.reshape(each, (len(patients), len(times), p)).transpose(0, 2, 1) / len(self.model.trees), None

    def pairs(self, patients: pd.DataFrame, t: float, *, seed: int, effort: Effort) -> Points:
        """See `Game`; nothing is sampled."""
        value, p = self._values(np.array([t]))[0], len(self.players)
        each = [interaction_leaves(self.leaves, own, value, p) for own in self.model.columns(patients)]
        return np.reshape(each, (len(patients), p, p)) / len(self.model.trees), None

    def _values(self, times: np.ndarray) -> np.ndarray:
        """Of each leaf at each time, shape (t, n_leaves)."""
        trees, weights = self.model.trees, self.model.weights(times)[0]
        needed = np.flatnonzero(weights.any(axis=1))
        value = np.zeros((len(times), self.leaves.n_leaves))
        held = trees.value[:, needed][self.leaves.row].astype(float)
        for i, column in enumerate(weights.T):
            for k in np.flatnonzero(column):
                value[i] += held[:, np.searchsorted(needed, k)] * column[k]
        return value

    def risk(self, patients: pd.DataFrame, times: np.ndarray) -> np.ndarray:
        """See `Game`."""
        return self.model.risk(patients, times)

    def after(self, since: float) -> None:
        """See `Game`: what a tree adds to a risk from later on is not a sum over its leaves."""
        return None

    def base(self, times: np.ndarray) -> np.ndarray:
        """See `Game`."""
        weights, constant = self.model.weights(times)
        return (self.at_grid[:, None] * weights).sum(axis=0) + constant

    def cells(self, times: np.ndarray) -> float:
        """See `Game`."""
        return len(self.leaves.pair_leaf) / 4


@dataclass(frozen=True, eq=False)
class AverageGame:
    """The average of models: contributions are averaged as risks are."""

    members: tuple[Game, ...]

    @property
    def players(self) -> tuple[Variable, ...]:
        """Variables of any member, those of the first member first."""
        return tuple({v.name: v for game in reversed(self.members) for v in game.players}[name] for name in self._names)

    @property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(v.name for game in self.members for v in game.players))

    def points(self, patients: pd.DataFrame, times: np.ndarray, *, seed: int, effort: Effort) -> Points:
        """See `Game`; the members' errors are independent."""
        names = self._names
        values, squares = np.zeros((2, len(patients), len(names), len(times)))
        sampling = False
        for game in self.members:
            found, error = game.points(patients, times, seed=seed, effort=effort)
            at = [names.index(v.name) for v in game.players]
            values[:, at] += found
            if error is not None:
                squares[:, at] += error**2
                sampling = True
        count = len(self.members)
        return values / count, np.sqrt(squares) / count if sampling else None

    def pairs(self, patients: pd.DataFrame, t: float, *, seed: int, effort: Effort) -> Points:
        """See `Game`."""
        names, count = self._names, len(self.members)
        values, squares = np.zeros((2, len(patients), len(names), len(names)))
        sampling = False
        for game in self.members:
            found, error = game.pairs(patients, t, seed=seed, effort=effort)
            at = [names.index(v.name) for v in game.players]
            values[:, np.array(at)[:, None], at] += found
            if error is not None:
                squares[:, np.array(at)[:, None], at] += error**2
                sampling = True
        return values / count, np.sqrt(squares) / count if sampling else None

    def risk(self, patients: pd.DataFrame, times: np.ndarray) -> np.ndarray:
        """See `Game`."""
        return sum(game.risk(patients, times) for game in self.members) / len(self.members)

    def after(self, since: float) -> None:
        """See `Game`: a risk from later on is not the members' average."""
        return None

    def base(self, times: np.ndarray) -> np.ndarray:
        """See `Game`."""
        return sum(game.base(times) for game in self.members) / len(self.members)

    def cells(self, times: np.ndarray) -> float:
        """See `Game`."""
        return max(game.cells(times) for game in self.members)
