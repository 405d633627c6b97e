"""The game of every risk that comes from log hazards: Cox models of one event or several, penalised, boosted trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from bedside.cohort.variable import Variable
from bedside.explain.curves import Curve, one_hazard, several_hazards
from bedside.explain.game import Effort, Points
from bedside.explain.hazard_shapley import LogHazards, Terms, exact, sampled, table
from bedside.explain.pairs import drawn, of_table
from bedside.explain.shapley import EXACT_UP_TO, TARGET_ERROR, coalition_risks, shapley_cox, shapley_cox_sampled
from bedside.explain.waves import Waves, box, efficient, pair_spectrum, spectrum, waves
from bedside.risk.cause_specific import FINE_GRAY, CompetingModel
from bedside.risk.fitted import Fitted
from bedside.risk.hazards import all_within, at_times
from bedside.risk.incidence import CauseSteps
from bedside.risk.model import Model
from bedside.risk.penalised_model import Penalised

QUICK = {1: 2.0e5, 2: 2.0e4}
"""Numbers to go through, of one hazard and of two, up to which enumerating coalitions is quicker than waves."""
USUAL = {1: 40, 2: 550}
"""Waves that a risk usually takes."""
KEPT = 16
"""Patients whose waves are kept, so that another time costs next to nothing."""


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


def _later(running: np.ndarray, since: float) -> np.ndarray:
    """What was added since the first entry; all of it from time 0 on."""
    return np.maximum(running[1:] - running[0], 0.0) if since > 0 else running[1:]


def plain(model: Model, times: np.ndarray, since: float = 0.0) -> Horizon:
    """Of a Cox model."""
    asked = all_within([since, *times], model.last, model.unit)
    return _one(_later(at_times(model.baseline.time, model.baseline.cumulative, asked), since))


def penalised(model: Penalised, times: np.ndarray, since: float = 0.0) -> Horizon:
    """Of a penalised model of one event or several."""
    if len(model.hazards) == 1:
        asked = all_within([since, *times], model.last, model.outcome.unit)
        return _one(_later(at_times(model.hazards[0].time, np.cumsum(model.hazards[0].increment), asked), since))
    grid = np.unique(np.concatenate([hazard.time for hazard in model.hazards]))
    none, causes = np.empty(0), []
    for hazard in model.hazards:
        steps = np.zeros(len(grid))
        steps[np.searchsorted(grid, hazard.time)] = hazard.increment
        causes.append(CauseSteps(none, none, steps, none, none))
    return of_causes(causes, grid, times, model, since=since)


def competing(model: CompetingModel, times: np.ndarray, since: float = 0.0) -> Horizon:
    """Of models of each event, or a Fine-Gray model."""
    return of_causes(model.causes, model.time, times, model, single=model.method == FINE_GRAY, since=since)


def of_causes(
    causes: Sequence[CauseSteps], grid: np.ndarray, times: np.ndarray, model: Fitted, *, single: bool = False,
    since: float = 0.0,
) -> Horizon:  # fmt: skip
    """Of the baseline steps of one event or several, after some time."""
    asked = all_within([since, *times], model.last, model.outcome.unit)
    start, *upto = np.searchsorted(grid, asked, side="right") if since > 0 else _from_start(grid, asked)
    upto = np.maximum(np.array(upto, dtype=np.int64) - start, 0)
    if single or len(causes) == 1:
        return _one(np.concatenate(([0.0], np.cumsum(causes[0].hazard[start:])))[upto])
    later = [replace(cause, hazard=cause.hazard[start:]) for cause in causes] if start else causes
    steps = int(upto.max(initial=0))
    return Horizon(several_hazards(later, upto), min(steps, 100 * len(times)) if len(causes) == 2 else steps)


def _from_start(grid: np.ndarray, asked: np.ndarray) -> list[int]:
    return [0, *np.searchsorted(grid, asked[1:], side="right")]


@dataclass(frozen=True, eq=False)
class HazardGame:
    """A risk that comes from one log hazard or several.

    Attributes
    ----------
    players : tuple of Variable
    hazards : LogHazards
    read : callable
        Patients to what `hazards` is asked about.
    horizon : callable
        Times, and the time since when, to a Horizon.
    own : array, shape (n_background, causes)
        Log hazards of the background patients.
    since : float
        Time from which the risk counts.
    lasting : bool
        True if risks from a later time on come from the same hazards.
    kept : dict
        Waves of the patients that were explained last.
    """

    players: tuple[Variable, ...]
    hazards: LogHazards = field(repr=False)
    read: Callable[[pd.DataFrame], np.ndarray] = field(repr=False)
    horizon: Callable[[np.ndarray, float], Horizon] = field(repr=False)
    own: np.ndarray = field(repr=False)
    since: float = 0.0
    lasting: bool = True
    kept: dict[tuple[bytes | int, ...], np.ndarray] = field(default_factory=dict, repr=False)

    def points(self, patients: pd.DataFrame, times: np.ndarray, *, seed: int, effort: Effort) -> Points:
        """See `Game`."""
        horizon, read = self.horizon(times, self.since), self.read(patients)
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
        horizon, p = self.horizon(np.array([t]), self.since), len(self.players)
        values, errors, sampling = *np.zeros((2, len(patients), p, p)), False
        for i, own in enumerate(self.read(patients)):
            found, error = self._one_pairs(own, horizon, seed + i, effort)
            values[i] = found
            if error is not None:
                errors[i], sampling = error, True
        return values, errors if sampling else None

    def base(self, times: np.ndarray) -> np.ndarray:
        """See `Game`."""
        return self.horizon(times, self.since).curve(self.own).mean(axis=1)

    def risk(self, patients: pd.DataFrame, times: np.ndarray) -> np.ndarray:
        """Risks since `since`, shape (n, t)."""
        read = self.read(patients)
        log = read.sum(axis=1) if isinstance(self.hazards, Terms) else self.hazards.log_hazards(read)
        return self.horizon(times, self.since).curve(log).T

    def after(self, since: float) -> HazardGame | None:
        """See `Game`."""
        return replace(self, since=since, kept={}) if self.lasting else None

    def cells(self, times: np.ndarray) -> float:
        """See `Game`."""
        horizon, game = self.horizon(times, self.since), self.hazards
        whole = 2.0**game.n_players * game.n_background * horizon.cost
        if not isinstance(game, Terms):
            return whole
        return 0.0 if horizon.cumulative is not None else min(whole, _by_waves(game, game.n_players))

    def _one(self, own: np.ndarray, horizon: Horizon, t: int, seed: int, effort: Effort) -> Points:
        """One patient's, shape (t, p)."""
        game = self.hazards
        if isinstance(game, Terms):
            found = self._waved(own, horizon, t, effort)
            if found is not None:
                return found, None
            if horizon.cumulative is not None:
                return _one_linear(game, own, horizon.cumulative, seed, effort)
        p = game.n_players
        if p <= EXACT_UP_TO and 2.0**p * game.n_background * horizon.cost <= effort.cells:
            return exact(game, own, horizon.curve, t), None
        return sampled(game, own, horizon.curve, t, seed=seed, most_pairs=effort.pairs, batch=effort.batch)

    def _waved(self, own: np.ndarray, horizon: Horizon, t: int, effort: Effort) -> np.ndarray | None:
        """One patient's by waves, shape (t, p); None where enumerating is quicker, or waves would be too many."""
        game = self.hazards
        active = _active(game, own)
        if not _waves_pay(game, len(active), t, effort):
            return None
        terms, rows = own[active], game.background[:, active]
        found = waves(horizon.curve, *box(terms, rows))
        if found is None:
            return None
        each = self._kept(found, terms, rows)
        gap = (horizon.curve(own.sum(axis=0)[None]) - horizon.curve(self.own)).mean(axis=1)
        out = np.zeros((t, game.n_players))
        out[:, active] = efficient((found.coef @ each).real, gap)
        return out

    def _kept(self, found: Waves, terms: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The waves' Shapley values, which do not depend on the times."""
        key = (terms.tobytes(), found.middle.tobytes(), found.slowest.tobytes(), len(found.order))
        if key not in self.kept:
            while len(self.kept) >= KEPT:
                self.kept.pop(next(iter(self.kept)))
            self.kept[key] = spectrum(found, terms, rows)
        return self.kept[key]

    def _one_pairs(self, own: np.ndarray, horizon: Horizon, seed: int, effort: Effort) -> Points:
        """One patient's interaction indices, shape (p, p)."""
        game, p = self.hazards, self.hazards.n_players
        linear = isinstance(game, Terms)
        if linear and _waves_pay(game, p, 1, effort):
            found = waves(horizon.curve, *box(own, game.background))
            if found is not None:
                each = pair_spectrum(found, own, game.background)
                return np.tensordot(found.coef[0], each, 1).real, None
        one = linear and horizon.cumulative is not None
        if p <= EXACT_UP_TO and 2.0**p * game.n_background * (1 if one else horizon.cost) <= effort.cells:
            if one:
                return of_table(coalition_risks(own[:, 0], game.background[:, :, 0], horizon.cumulative))[0], None
            return of_table(table(game, own, horizon.curve, 1))[0], None
        values, error = drawn(
            lambda member, rows: horizon.curve(game.mixed(own, member, rows)), p, game.n_background, seed=seed,
            draws=2 * effort.pairs,
        )  # fmt: skip
        return values[0], error[0]


def _active(game: Terms, own: np.ndarray) -> np.ndarray:
    """Players that add something to anyone: the others get exactly 0."""
    return np.flatnonzero((own != 0).any(axis=1) | (game.background != 0).any(axis=(0, 2)))


def _by_waves(game: Terms, players: int) -> float:
    """Numbers gone through for one patient."""
    usual = USUAL.get(game.background.shape[2], np.inf)
    return 0.7 * usual * game.n_background * players * ((players + 1) // 2)


def _waves_pay(game: Terms, players: int, t: int, effort: Effort) -> bool:
    causes = game.background.shape[2]
    if not players or causes not in QUICK or 2.0**players * game.n_background * t <= QUICK[causes]:
        return False
    return _by_waves(game, players) <= effort.cells


def _one_linear(game: Terms, own: np.ndarray, cumulative: np.ndarray, seed: int, effort: Effort) -> Points:
    """One hazard of added terms, coalition by coalition or from random orders."""
    active = _active(game, own)
    out, error = np.zeros((2, len(cumulative), game.n_players))
    terms, rows = own[active, 0], game.background[:, active, 0]
    if len(active) <= EXACT_UP_TO and 2.0 ** len(active) * len(rows) * len(cumulative) <= effort.sums:
        out[:, active] = shapley_cox(terms, rows, cumulative)[1]
        return out, None
    drawn_ = shapley_cox_sampled(
        terms, rows, cumulative, seed=seed, batch=4 * effort.batch, most_pairs=128 * effort.pairs, target=TARGET_ERROR
    )
    out[:, active], error[:, active] = drawn_.points, drawn_.error
    return out, error
