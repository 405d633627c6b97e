"""How far each contribution may be off: its spread over refits to bootstrap samples of the same patients."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from bedside.cohort.variable import Variable
from bedside.explain.contributions import Background, own_background
from bedside.explain.coverage import INTERVAL, measure_of
from bedside.explain.explanation import Explanation
from bedside.explain.game import Effort, Game
from bedside.explain.games import prepared
from bedside.explain.hazard_game import HazardGame
from bedside.explain.hazard_shapley import Terms
from bedside.risk.fitted import Fitted

ENOUGH = 50
"""Refits: the spread is known to about 10% of itself."""
FEWER = 25
"""Background patients beside whom refits of trees are explained."""
EVEN, EARLY = 15, (1 / 240, 1 / 120, 1 / 60, 1 / 30)
"""Times between which intervals are taken as straight: evenly spread, and shares of the time that are early."""
REFITS = "refits"
QUICK = Effort(cells=2.0e7, pairs=16, batch=8)


@dataclass(frozen=True, eq=False)
class Spread:
    """Standard deviations of one patient's contributions over the refits.

    Attributes
    ----------
    variables : tuple of Variable
        The players, in the order of `contributions`.
    times : array, shape (t,)
        In the outcome's unit, ascending.
    sd : array, shape (n_variables, t)
        As shares of 1.
    n_refits : int
    since : float
        Time from which risks count, when nothing varies yet.
    measure : str
        What the interval is, see `Contribution`.
    """

    variables: tuple[Variable, ...]
    times: np.ndarray
    sd: np.ndarray = field(repr=False)
    n_refits: int
    since: float = 0.0
    measure: str = INTERVAL

    def at(self, t: float, *, level: float = 0.95) -> dict[str, float]:
        """How far each variable's interval reaches by a time, by column name; straight between the times."""
        reach = self.between([t], level=level)[:, 0]
        return {v.name: float(each) for v, each in zip(self.variables, reach, strict=True)}

    def between(self, times: Sequence[float] | np.ndarray, *, level: float = 0.95) -> np.ndarray:
        """As `reach`, by any times: straight between those asked, from 0 where risks begin to count."""
        known = self.times > self.since
        at, reach = np.append(self.since, self.times[known]), self.reach(level=level)[:, known]
        return np.array([np.interp(times, at, np.append(0.0, row)) for row in reach]).reshape(len(reach), len(times))

    def reach(self, *, level: float = 0.95) -> np.ndarray:
        """How far the intervals reach on either side, shape (n_variables, t).

        The standard deviation is known from so many refits only: Student's t in the place of the normal quantile.
        """
        return float(stdtrit(max(self.n_refits - 1, 1), (1 + level) / 2)) * self.sd

    def limits(self, values: np.ndarray, *, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Interval of contributions of shape (n_variables, t)."""
        reach = self.reach(level=level)
        return values - reach, values + reach


class Spreading:
    """One patient's contributions by every refit, some refits at a time, so that a page can answer between them.

    Each refit is asked about the same patient beside the same background patients as the model itself: what it says of
    a variable that it left out is 0. Refits of trees are asked beside every fourth of them, since reading a forest
    beside all takes longer than asking it.
    """

    def __init__(
        self, model: Fitted, refits: Sequence[Fitted], background: Background, patient: pd.DataFrame,
        times: Sequence[float] | np.ndarray,
    ) -> None:  # fmt: skip
        own_background(model, background)
        self.measure = measure_of(model)
        self.refits = tuple(refits)[:ENOUGH]
        self.background, self.patient = background, patient
        self.times = np.unique(np.asarray(times, dtype=float))
        self.names = [v.name for v in background.game.players]
        self.total, self.squares = np.zeros((2, len(self.names), len(self.times)))
        self.done = 0

    @property
    def share(self) -> float:
        """How far it is, from 0 to 1."""
        return self.done / max(len(self.refits), 1)

    def go(self, seconds: float = float("inf")) -> Spread | None:
        """Ask refits for so long, at least one; the spread once all were asked."""
        until = time.monotonic() + seconds
        while self.done < len(self.refits):
            found = self._asked(self.done)
            self.total += found
            self.squares += found**2
            self.done += 1
            if time.monotonic() >= until:
                break
        if self.done < len(self.refits):
            return None
        n = max(len(self.refits), 2)
        sd = np.sqrt(np.maximum(self.squares - self.total**2 / n, 0.0) / (n - 1))
        return Spread(
            self.background.game.players, self.times, sd, len(self.refits), self.background.since, self.measure
        )

    @staticmethod
    def knots(background: Background, last: float, asked: Sequence[float] = ()) -> np.ndarray:
        """Times to ask refits about: evenly spread ones and early ones, and all those that are `asked`.

        Where log hazards are sums of terms more times cost next to nothing; refits of trees take at most the first.
        """
        since = background.since
        shares = np.append(EARLY, np.arange(1, EVEN + 1) / EVEN)
        wanted = np.asarray(asked, dtype=float)
        wanted = wanted[(wanted > since) & (wanted <= last)]
        if not _light(background):
            wanted = wanted[:1]
        return np.unique(np.concatenate([since + (last - since) * shares, wanted]))

    def _asked(self, at: int) -> np.ndarray:
        """Contributions by one refit, shape (n_variables, t)."""
        refit, out = self.refits[at], np.zeros((len(self.names), len(self.times)))
        game = self._game(at, refit)
        reached = np.minimum(self.times, refit.last)
        found, _ = game.points(self.patient, reached, seed=at, effort=QUICK)
        place = {name: j for j, name in enumerate(self.names)}
        for variable, row in zip(game.players, found[0], strict=True):
            if variable.name in place:
                out[place[variable.name]] = row
        return out

    def _game(self, at: int, refit: Fitted) -> Game:
        """Made ready once for all patients where that is little to keep."""
        held: dict[int, Game] = self.background.kept.setdefault(REFITS, {})
        if at in held:
            return self._since(held[at])
        frame, light = self.background.frame, _light(self.background)
        if not light:
            frame = frame.iloc[np.linspace(0, len(frame) - 1, min(FEWER, len(frame))).astype(int)]
        game = prepared(refit, frame)
        if light:
            held[at] = game
        return self._since(game)

    def _since(self, game: Game) -> Game:
        later = game.after(self.background.since) if self.background.since else game
        return game if later is None else later


def _light(background: Background) -> bool:
    """True where log hazards are sums of terms."""
    own = background.game
    return isinstance(own, HazardGame) and isinstance(own.hazards, Terms)


def spread(
    model: Fitted, refits: Sequence[Fitted], background: Background, patient: pd.DataFrame,
    times: Sequence[float] | np.ndarray,
) -> Spread:  # fmt: skip
    """Spread of one patient's contributions over refits, all at once.

    Parameters
    ----------
    model : Fitted
    refits : sequence of Fitted
        Of the same kind with the same settings, from bootstrap samples of the same rows (``Varied.refits``); at most
        50 are asked.
    background : Background
        Made with the model; refits are compared with the same patients.
    patient : pandas.DataFrame, shape (1, n_columns)
    times : sequence of float
        In the outcome's unit.

    Returns
    -------
    Spread
        What choosing the settings adds is not in it.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapters 6 and 13.
    """
    found = Spreading(model, refits, background, patient, times).go()
    assert found is not None
    return found


def with_spread(explanation: Explanation, found: Spread, t: float, *, level: float = 0.95) -> Explanation:
    """An explanation whose contributions know their intervals.

    Parameters
    ----------
    explanation : Explanation
    found : Spread
    t : float
        The explanation's time in the outcome's unit.
    level : float, default 0.95
    """
    reach = found.at(t, level=level)
    parts = [
        replace(c, lower=c.points - reach[c.variable], upper=c.points + reach[c.variable], measure=found.measure)
        if c.variable in reach
        else c
        for c in explanation.contributions
    ]
    return replace(explanation, contributions=tuple(parts))


def with_partners(explanation: Explanation, partners: Mapping[str, tuple[Variable, float]]) -> Explanation:
    """An explanation whose contributions know whose value they depend on most (`Interactions.partners`)."""
    parts = [
        replace(c, partner=partners[c.variable][0].label, together=partners[c.variable][1])
        if c.variable in partners
        else c
        for c in explanation.contributions
    ]
    return replace(explanation, contributions=tuple(parts))
