"""How far a model's risks may be off: the spread of refits to bootstrap samples, and what they say of shrinkage."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtri

from bedside.risk.around import Around
from bedside.risk.efron import NotConverged, likelihood, maximise
from bedside.risk.fit import FEWEST_EVENTS
from bedside.risk.fitted import Fitted, Limits, Progress, State
from bedside.risk.learners import LEARNERS, VARIED, restore
from bedside.risk.training import Training

NAME = "model variability"
EDGE = 1e-12
"""Risks nearer to 0 or 1 are read as this far from it, where the complementary log-log scale has no end."""
UNSMOOTHED = ("cox",)
"""Kinds whose strength of smoothing is not chosen from the data: the spread of their refits is all there is."""
BALANCE = 2.0
"""A learner tuned for the smallest error gives up as much by squared bias as by variance: its mean squared error is
about twice the variance of its refits."""
STEEPEST = 3.0
"""A calibration slope beyond it is chance."""
CENTRE_TIMES, CENTRE_PATIENTS = 24, 1_000


@dataclass(frozen=True, eq=False)
class Shrinkage:
    """How much a model draws risks together, as patients tell whom a refit did not see.

    Attributes
    ----------
    slope, std_err : float
        Calibration slope of out-of-bag risks on the scale log(-log(1 - risk)), cut to 0 to 3: above 1 risks lie too
        near to each other. 1 and 0 where it is not known.
    time, hazard : arrays, shape (k,)
        -log(1 - risk) of the patient in the middle, by some times: the point from which risks are drawn apart.
    """

    slope: float = 1.0
    std_err: float = 0.0
    time: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)
    hazard: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False)

    def middle(self, times: np.ndarray, *, since: float = 0.0) -> np.ndarray:
        """log(-log(1 - risk)) of the middle by times, of those who were free of the event at `since`, shape (t,)."""
        time, hazard = np.concatenate([[0.0], self.time]), np.concatenate([[0.0], self.hazard])
        gained = np.interp(times, time, hazard) - np.interp(since, time, hazard)
        return np.log(np.maximum(gained, EDGE))


@dataclass(frozen=True, eq=False)
class Varied(Around):
    """A model that knows how far it may be off; everything but `limits` is the model's own.

    Attributes
    ----------
    model : Fitted
    refits : tuple of Fitted
        The same kind with the same settings, from bootstrap samples of the same rows.
    shrinkage : Shrinkage
    """

    model: Fitted
    refits: tuple[Fitted, ...] = field(repr=False)
    shrinkage: Shrinkage = field(default_factory=Shrinkage)

    @property
    def kind(self) -> str:
        """The model's."""
        return self.model.kind

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the model's and of every refit's, and of the shrinkage where it is known."""
        prints = " ".join([self.model.fingerprint, *(refit.fingerprint for refit in self.refits)])
        seal = hashlib.sha256(prints.encode())
        for array in (self.shrinkage.time, self.shrinkage.hazard):
            seal.update(np.ascontiguousarray(array))
        if len(self.shrinkage.time):
            seal.update(repr((self.shrinkage.slope, self.shrinkage.std_err)).encode())
        return seal.hexdigest()

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """The model's."""
        return self.model.risk(patients, times)

    def limits(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, level: float = 0.95) -> Limits:
        """Band of the risk from the refits' spread, see `band`; NaN where the model's risk after time 0 is still 0."""
        asked = np.atleast_1d(np.asarray(times, dtype=float))
        risk = self.model.risk(patients, asked)
        middle = scaled(risk)
        total, squares = np.zeros_like(risk), np.zeros_like(risk)
        for refit in self.refits:
            away = scaled(refit.risk(patients, np.minimum(asked, refit.last))) - middle
            total += away
            squares += away**2
        count = len(self.refits)
        spread = np.sqrt(np.maximum(squares - total**2 / count, 0.0) / (count - 1))
        return self.band(risk, spread, asked, level=level)

    def band(
        self, risk: np.ndarray, spread: np.ndarray, times: np.ndarray, *, since: float = 0.0, level: float = 0.95
    ) -> Limits:
        """Limits of risks whose refits have a spread.

        On the scale log(-log(1 - risk)). Risks are drawn apart from the middle by the calibration slope b of patients
        whom refits did not see; around that, z times the root of 2 (max(b, 1) spread)^2 + (error of b, times the
        distance from the middle)^2. The band reaches to the model's own risk. A Cox model's is risk and z times spread.

        Parameters
        ----------
        risk, spread : arrays, shape (n, t)
            The model's risks, and the standard deviation of the refits' on that scale.
        times : array, shape (t,)
        since : float
            For risks of patients who were free of the event at this time.

        References
        ----------
        Nychka (1988), J Am Stat Assoc 83:1134-1143 (squared bias and variance of a tuned smoother). Van Houwelingen &
        le Cessie (1990), Stat Med 9:1303-1325 (shrinkage by calibration). What it holds: `benchmarks.coverage`.
        """
        own, z = scaled(risk), ndtri((1 + level) / 2)
        if self.kind in UNSMOOTHED:
            lower, upper = _risk(own - z * spread), _risk(own + z * spread)
        else:
            bent = self.shrinkage
            middle = bent.middle(times, since=since) if len(bent.time) else own
            away = np.where(risk > EDGE, own - middle, 0.0)
            centre = own + (bent.slope - 1) * away
            reach = z * np.sqrt(BALANCE * (max(bent.slope, 1.0) * spread) ** 2 + (bent.std_err * away) ** 2)
            lower, upper = _risk(centre - reach), _risk(centre + reach)
        lower, upper = np.minimum(lower, risk), np.maximum(upper, risk)
        unknown = np.where(np.broadcast_to(times > since, risk.shape), np.nan, 0.0)
        return Limits(np.where(risk > 0, lower, unknown), np.where(risk > 0, upper, unknown), NAME)

    def state(self) -> State:
        """The model's state and those of the refits, one inside the other."""
        states = [self.model.state(), *(refit.state() for refit in self.refits)]
        arrays = {f"{i}.{name}": array for i, state in enumerate(states) for name, array in state.arrays.items()}
        bent = self.shrinkage
        facts = {"models": [{"kind": s.kind, "facts": dict(s.facts)} for s in states],
                 "slope": bent.slope, "slope_std_err": bent.std_err}  # fmt: skip
        return State(VARIED, facts, arrays | {"middle.time": bent.time, "middle.hazard": bent.hazard})


def scaled(risk: np.ndarray) -> np.ndarray:
    """log(-log(1 - risk)), the scale of the spread."""
    return np.log(-np.log1p(-np.clip(risk, EDGE, 1 - EDGE)))


def _risk(scale: np.ndarray) -> np.ndarray:
    return -np.expm1(-np.exp(np.minimum(scale, 700.0)))


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
        Choosing the settings is not part of the spread.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapters 6 and 13.
    """
    if refits < 2:
        raise ValueError("a spread needs at least 2 refits")
    rng = np.random.default_rng(seed)
    learner, made, outside = LEARNERS[model.kind], [], OutOfBag(rows, middle_time(model, rows))
    for i in range(refits):
        if progress is not None:
            progress(i / refits, f"Refitting, {i + 1} of {refits}")
        drawn = drawn_rows(rows, rng)
        made.append(learner(rows.take(drawn), settings=model.settings, seed=seed + 1 + i))
        outside.add(made[-1], drawn)
    if progress is not None:
        progress(1.0, "Variability known")
    return Varied(model, tuple(made), shrinkage_of(model, rows, outside))


def drawn_rows(rows: Training, rng: np.random.Generator) -> np.ndarray:
    """As many rows again, drawn with replacement until they hold enough events for a model."""
    while True:
        drawn = rng.integers(len(rows), size=len(rows))
        if rows.event[drawn].sum() >= FEWEST_EVENTS:
            return drawn


def middle_time(model: Fitted, rows: Training) -> float:
    """The median time of the events: by when out-of-bag risks are compared."""
    return float(min(np.median(rows.time[rows.event]), model.last))


class OutOfBag:
    """Mean risk of each patient by one time, over the refits that had not seen the patient."""

    def __init__(self, rows: Training, t: float) -> None:
        self.rows, self.t = rows, t
        self._total, self._count = np.zeros(len(rows)), np.zeros(len(rows), dtype=int)

    def add(self, refit: Fitted, drawn: np.ndarray) -> None:
        """Take in a refit to these rows."""
        out = np.setdiff1d(np.arange(len(self.rows)), drawn)
        if len(out):
            self._total[out] += refit.risk(self.rows.frame.iloc[out], [min(self.t, refit.last)])[:, 0]
            self._count[out] += 1

    @property
    def seen(self) -> np.ndarray:
        """Positions of the patients whom at least one refit left out."""
        return np.flatnonzero(self._count)

    @property
    def risk(self) -> np.ndarray:
        """Their mean risk."""
        return self._total[self.seen] / self._count[self.seen]


def shrinkage_of(model: Fitted, rows: Training, outside: OutOfBag) -> Shrinkage:
    """Calibration slope of out-of-bag risks: the coefficient of log(-log(1 - risk)) in a Cox model of its own."""
    held = rows.take(outside.seen)
    x = scaled(outside.risk)
    slope, error = 1.0, 0.0
    if held.event.any() and np.ptp(x) > 0:
        try:
            best = maximise(likelihood(held.time, held.event, (x - x.mean())[:, None], entry=held.entry), np.zeros(1))
            slope, error = float(np.clip(best.beta[0], 0.0, STEEPEST)), float(best.information[0, 0] ** -0.5)
        except NotConverged:
            slope, error = 1.0, 0.0
    some = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), CENTRE_PATIENTS)).astype(int))
    times = np.unique(np.minimum(np.quantile(rows.time[rows.event], np.linspace(0, 1, CENTRE_TIMES)), model.last))
    hazard = np.exp(scaled(model.risk(rows.frame.iloc[some], times)).mean(axis=0))
    return Shrinkage(slope, error, times, np.maximum.accumulate(hazard))


def restore_varied(state: State) -> Varied:
    """The inverse of ``Varied.state``.

    Raises
    ------
    ValueError, LookupError
        If it is no such state.
    """
    models = []
    for i, told in enumerate(state.facts["models"]):
        start = f"{i}."
        arrays = {k.removeprefix(start): v for k, v in state.arrays.items() if k.startswith(start)}
        models.append(restore(State(told["kind"], told["facts"], arrays)))
    return Varied(models[0], tuple(models[1:]), _shrinkage(state))


def _shrinkage(state: State) -> Shrinkage:
    """As it was kept; models kept before it was worked out have none."""
    if "slope" not in state.facts:
        return Shrinkage()
    time, hazard = (np.asarray(state.arrays[f"middle.{name}"], dtype=float) for name in ("time", "hazard"))
    if time.ndim != 1 or time.shape != hazard.shape or not np.isfinite([time, hazard]).all():
        raise ValueError("no middle")
    if (np.diff(time) <= 0).any() or (np.diff(hazard) < 0).any() or (hazard < 0).any():
        raise ValueError("a middle that falls")
    return Shrinkage(float(state.facts["slope"]), float(state.facts["slope_std_err"]), time, hazard)
