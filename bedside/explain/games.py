"""For every kind of model: what its Shapley values are worked out from, made ready once for some background patients.

One definition for all: players are variables, a coalition keeps the patient's values of its variables and takes a
background patient's for the others, and is worth the model's risk by a time, averaged over the background.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bedside.cohort.variable import Variable
from bedside.explain.asked import FrameGame
from bedside.explain.forest_pairs import interaction_leaves
from bedside.explain.forest_shapley import Leaves, TooDeep, leaves_beside, shapley_leaves
from bedside.explain.game import Effort, Game, Points, players_of
from bedside.explain.hazard_shapley import (
    Curve,
    LogHazards,
    Terms,
    TreeSums,
    exact,
    one_hazard,
    sampled,
    several_hazards,
    table,
)
from bedside.explain.pairs import drawn, of_table
from bedside.explain.shapley import EXACT_UP_TO, TARGET_ERROR, coalition_risks, shapley_cox, shapley_cox_sampled
from bedside.risk.average import Average
from bedside.risk.boosted import Boosted
from bedside.risk.cause_specific import FINE_GRAY, CompetingModel
from bedside.risk.design import Design
from bedside.risk.fitted import Fitted
from bedside.risk.forest import Forest
from bedside.risk.hazards import all_within, at_times
from bedside.risk.incidence import CauseSteps
from bedside.risk.model import Model
from bedside.risk.penalised_model import Penalised
from bedside.risk.prediction import cumulative_hazard
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
            lambda times: _of_causes(model.causes, model.time, times, model),
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
        coef, curve = [model.coef], lambda times: _plain(model, times)
    elif isinstance(model, Penalised):
        coef, curve = [hazard.coef for hazard in model.hazards], lambda times: _penalised(model, times)
    else:
        coef, curve = [cause.coef for cause in model.causes], lambda times: _competing(model, times)
    design = model.design

    def read(frame: pd.DataFrame) -> np.ndarray:
        return terms_of(design, coef, frame)

    terms = read(background)
    return HazardGame(players_of(design), Terms(terms), read, curve, terms.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Horizon:
    """How log hazards become risks at some times.

    Attributes
    ----------
    curve : callable
    cost : int
        Numbers gone through for one patient.
    cumulative : array, shape (t,), or None
        Where there is one hazard, its baseline at these times.
    """

    curve: Curve
    cost: int
    cumulative: np.ndarray | None = None


def _one(cumulative: np.ndarray) -> Horizon:
    return Horizon(one_hazard(cumulative), len(cumulative), cumulative)


def _plain(model: Model, times: np.ndarray) -> Horizon:
    return _one(np.array([cumulative_hazard(model, float(t)) for t in times]))


def _penalised(model: Penalised, times: np.ndarray) -> Horizon:
    asked = all_within(times, model.last, model.outcome.unit)
    if len(model.hazards) == 1:
        return _one(at_times(model.hazards[0].time, np.cumsum(model.hazards[0].increment), asked))
    grid = np.unique(np.concatenate([hazard.time for hazard in model.hazards]))
    none, causes = np.empty(0), []
    for hazard in model.hazards:
        steps = np.zeros(len(grid))
        steps[np.searchsorted(grid, hazard.time)] = hazard.increment
        causes.append(CauseSteps(none, none, steps, none, none))
    return _of_causes(causes, grid, times, model)


def _competing(model: CompetingModel, times: np.ndarray) -> Horizon:
    return _of_causes(model.causes, model.time, times, model, single=model.method == FINE_GRAY)


def _of_causes(
    causes: Sequence[CauseSteps], grid: np.ndarray, times: np.ndarray, model: Fitted, *, single: bool = False
) -> Horizon:
    upto = np.searchsorted(grid, all_within(times, model.last, model.outcome.unit), side="right")
    if single or len(causes) == 1:
        return _one(np.concatenate(([0.0], np.cumsum(causes[0].hazard)))[upto])
    steps = int(upto.max(initial=0))
    return Horizon(several_hazards(causes, upto), min(steps, 100 * len(times)) if len(causes) == 2 else steps)


@dataclass(frozen=True, eq=False)
class HazardGame:
    """A risk that comes from one log hazard or several; `own` are those of the background patients."""

    players: tuple[Variable, ...]
    hazards: LogHazards = field(repr=False)
    read: Callable[[pd.DataFrame], np.ndarray] = field(repr=False)
    horizon: Callable[[np.ndarray], Horizon] = field(repr=False)
    own: np.ndarray = field(repr=False)

    def points(self, patients: pd.DataFrame, times: np.ndarray, *, seed: int, effort: Effort) -> Points:
        """See `Game`."""
        horizon, read = self.horizon(times), self.read(patients)
        values = np.zeros((len(read), len(self.players), len(times)))
        errors, sampling = np.zeros_like(values), False
        for i, own in enumerate(read):
            found, error = self._one(own, horizon, len(times), seed + i, effort)
            values[i] = found.T
            if error is not None:
                errors[i], sampling = error.T, True
        return values, errors if sampling else None

    def pairs(self, patients: pd.DataFrame, t: float, *, seed: int, effort: Effort) -> Points:
        """See `Game`."""
        horizon, game, p = self.horizon(np.array([t])), self.hazards, len(self.players)
        linear = isinstance(game, Terms) and horizon.cumulative is not None
        cost = 2.0**p * game.n_background * (1 if linear else horizon.cost)
        whole = p <= EXACT_UP_TO and cost <= effort.cells
        values, errors = np.zeros((2, len(patients), p, p))
        for i, own in enumerate(self.read(patients)):
            if not whole:
                found, error = drawn(
                    _beside(game, own, horizon.curve), p, game.n_background, seed=seed + i, draws=2 * effort.pairs
                )
                values[i], errors[i] = found[0], error[0]
            elif linear:
                values[i] = of_table(coalition_risks(own[:, 0], game.background[:, :, 0], horizon.cumulative))[0]
            else:
                values[i] = of_table(table(game, own, horizon.curve, 1))[0]
        return values, None if whole else errors

    def base(self, times: np.ndarray) -> np.ndarray:
        """See `Game`."""
        return self.horizon(times).curve(self.own).mean(axis=1)

    def cells(self, times: np.ndarray) -> float:
        """See `Game`."""
        horizon, game = self.horizon(times), self.hazards
        if isinstance(game, Terms) and horizon.cumulative is not None:
            return 0.0
        return 2.0**game.n_players * game.n_background * horizon.cost

    def _one(self, own: np.ndarray, horizon: Horizon, t: int, seed: int, effort: Effort) -> Points:
        """One patient's, shape (t, p)."""
        game = self.hazards
        if isinstance(game, Terms) and horizon.cumulative is not None:
            return _one_linear(game, own, horizon.cumulative, seed, effort)
        p = game.n_players
        if p <= EXACT_UP_TO and 2.0**p * game.n_background * horizon.cost <= effort.cells:
            return exact(game, own, horizon.curve, t), None
        return sampled(game, own, horizon.curve, t, seed=seed, most_pairs=effort.pairs, batch=effort.batch)


def _beside(game: LogHazards, own: np.ndarray, curve: Curve) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Risks of sets of players, each beside one background patient."""
    return lambda member, rows: curve(game.mixed(own, member, rows))


def _one_linear(game: Terms, own: np.ndarray, cumulative: np.ndarray, seed: int, effort: Effort) -> Points:
    """One hazard of added terms; who adds nothing to anyone is no player, and gets exactly 0."""
    active = np.flatnonzero((own[:, 0] != 0) | (game.background[:, :, 0] != 0).any(axis=0))
    out, error = np.zeros((2, len(cumulative), game.n_players))
    terms, rows = own[active, 0], game.background[:, active, 0]
    if len(active) <= EXACT_UP_TO and 2.0 ** len(active) * len(rows) * len(cumulative) <= effort.sums:
        out[:, active] = shapley_cox(terms, rows, cumulative)[1]
        return out, None
    drawn = shapley_cox_sampled(
        terms, rows, cumulative, seed=seed, batch=4 * effort.batch, most_pairs=128 * effort.pairs, target=TARGET_ERROR
    )
    out[:, active], error[:, active] = drawn.points, drawn.error
    return out, error


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

    def base(self, times: np.ndarray) -> np.ndarray:
        """See `Game`."""
        return sum(game.base(times) for game in self.members) / len(self.members)

    def cells(self, times: np.ndarray) -> float:
        """See `Game`."""
        return max(game.cells(times) for game in self.members)
