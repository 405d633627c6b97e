"""How much each patient counts by a time, so that those lost from follow-up are stood in for by those who were not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from bedside.survival.curve import SLACK

Convention = Literal[
    "G_test_left", "G_test_at", "G_train_left", "G_train_at", "G_test_left_plain_reverse_km", "kaplan_meier_mass"
]
"""Which curve of remaining uncensored, G, and where it is read for a patient with an event at T.

``G_test_left``: G of these patients, just before T. What riskRegression's ``Score`` and pec do, and the default here.
``G_test_at``: the same at T. ``G_train_left``, ``G_train_at``: G of the patients the model learnt from; scikit-survival
has ``G_train_at``. In all of them an event comes before a censoring of the same time;
``G_test_left_plain_reverse_km`` leaves that out, as ``survfit(Surv(time, 1 - status) ~ 1)`` does.
``kaplan_meier_mass``: the share of the Kaplan-Meier curve each patient stands for, which is the same as
``G_test_left`` without delayed entry, and has a meaning with it.
"""


@dataclass(frozen=True, eq=False)
class CensoringCurve:
    """Chance of being still uncensored: a right-continuous step function that starts at 1.

    Attributes
    ----------
    time : array, shape (m,)
        Distinct times of follow-up, ascending.
    chance : array, shape (m,)
        After each of them.
    """

    time: np.ndarray
    chance: np.ndarray = field(repr=False)

    def at(self, times: ArrayLike) -> np.ndarray:
        """Chance after each time."""
        return self._read(times, "right")

    def before(self, times: ArrayLike) -> np.ndarray:
        """Chance just before each time."""
        return self._read(times, "left")

    def _read(self, times: ArrayLike, side: Literal["left", "right"]) -> np.ndarray:
        return np.concatenate(([1.0], self.chance))[np.searchsorted(self.time, times, side=side)]


def censoring_curve(time: np.ndarray, event: np.ndarray, *, plain: bool = False) -> CensoringCurve:
    """Kaplan-Meier curve of being censored.

    Parameters
    ----------
    time : array, shape (n,)
    event : array of bool, shape (n,)
        True where follow-up ended with an event of any kind.
    plain : bool, default False
        True leaves patients with an event at a time at risk of a censoring at the same time.

    References
    ----------
    R: ``prodlim(Hist(time, event) ~ 1, reverse = TRUE)``; plain: ``survfit(Surv(time, 1 - event) ~ 1)``.
    """
    times, place = np.unique(np.asarray(time, dtype=float), return_inverse=True)
    ended = np.bincount(place, weights=np.asarray(event, dtype=float), minlength=len(times))
    left = np.bincount(place, minlength=len(times)) - ended
    at_risk = np.cumsum((ended + left)[::-1])[::-1]
    exposed = at_risk if plain else at_risk - ended
    share = np.divide(left, exposed, out=np.zeros(len(times)), where=exposed > 0)
    return CensoringCurve(times, np.cumprod(1 - share))


def uncensored_weights(
    time: np.ndarray,
    event: np.ndarray,
    times: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    convention: Convention = "G_test_left",
    train: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Weight of each patient by each time, shape (n, t): 0 for those censored by then.

    Parameters
    ----------
    time : array, shape (n,)
    event : array of bool, shape (n,)
        An event of any kind.
    times : array, shape (t,)
    entry : array, shape (n,), optional
        Delayed entry. Weights are then shares of the Kaplan-Meier curve with left truncation: S(T-)/Y(T) for an
        event at T, S(t)/Y(t+) for everybody known to be event-free after t, times n. They add up to n.
    convention : str, default "G_test_left"
        See `Convention`; not asked where there is delayed entry.
    train : (time, event), optional
        Of the patients the model learnt from, for the two conventions that need them.

    Returns
    -------
    array, shape (n, t)
        NaN where the weight has no finite value: nobody in training was uncensored for so long.

    References
    ----------
    Graf et al. (1999), Stat Med 18:2529-2545. Gerds & Schumacher (2006), Biom J 48:1029-1040. Satten & Datta (2001),
    Am Stat 55:207-210 (Kaplan-Meier as an average with such weights). Tsai, Jewell & Wang (1987), Biometrika
    74:883-886 (left truncation).
    """
    if convention not in get_args(Convention):
        raise ValueError(f"convention must be one of {', '.join(get_args(Convention))}")
    reach = np.asarray(times, dtype=float) * (1 + SLACK)
    ended, going = event[:, None] & (time[:, None] <= reach), time[:, None] > reach
    if entry is not None or convention == "kaplan_meier_mass":
        return _mass(time, event, entry, reach, ended, going)
    if convention.startswith("G_train"):
        if train is None:
            raise ValueError("the times and events of training are needed for this convention")
        curve = censoring_curve(*train)
    else:
        curve = censoring_curve(time, event, plain=convention.endswith("plain_reverse_km"))
    own = curve.before(time) if "_left" in convention else curve.at(time)
    with np.errstate(divide="ignore"):
        weight = np.where(ended, (1 / own)[:, None], np.where(going, 1 / curve.at(reach), 0.0))
    weight[~np.isfinite(weight)] = np.nan
    return weight


def _mass(
    time: np.ndarray,
    event: np.ndarray,
    entry: np.ndarray | None,
    reach: np.ndarray,
    ended: np.ndarray,
    going: np.ndarray,
) -> np.ndarray:
    """n times the share of the Kaplan-Meier curve that each patient stands for."""
    n = len(time)
    began = np.full(n, -np.inf) if entry is None else np.asarray(entry, dtype=float)
    starts, stops = np.sort(began), np.sort(time)
    at, place = np.unique(time, return_inverse=True)
    at_risk = np.searchsorted(starts, at, side="left") - np.searchsorted(stops, at, side="left")
    died = np.bincount(place, weights=event, minlength=len(at))
    survival = np.concatenate(([1.0], np.cumprod(1 - died / at_risk)))
    own = (survival[:-1] / at_risk)[place]
    there = going & (began[:, None] <= reach)
    number = there.sum(axis=0)
    beyond = survival[np.searchsorted(at, reach, side="right")]
    share = np.divide(beyond, number, out=np.zeros(len(reach)), where=number > 0)
    return n * np.where(ended, own[:, None], np.where(there, share, 0.0))


@dataclass(frozen=True, eq=False)
class CensoringInfluence:
    """What each patient's censoring does to an estimate through the censoring curve of the same patients.

    Made once for a set of follow-up times, and asked for any number of sums: see `moved`.
    """

    time: np.ndarray
    place: np.ndarray = field(repr=False)
    own: np.ndarray = field(repr=False)
    running: np.ndarray = field(repr=False)
    distinct: np.ndarray = field(repr=False)

    def moved(self, seen: np.ndarray, going: np.ndarray | float, t: float) -> np.ndarray:
        """Change in a sum of weighted terms, one for each patient, shape (n,).

        Parameters
        ----------
        seen : array, shape (n,)
            Terms of the patients with an event by `t` (weighted by 1/G(T-)), 0 for all others.
        going : float
            Sum of the terms of those event-free after `t` (weighted by 1/G(t)).
        t : float
        """
        m = len(self.distinct)
        before = np.concatenate(([0.0], self.running[:-1]))
        by_time = np.bincount(self.place, weights=seen, minlength=m)
        total = np.cumsum(by_time)
        drained = np.cumsum(by_time * before)
        later = total[-1] - total
        last = int(np.searchsorted(self.distinct, t * (1 + SLACK), side="right")) - 1
        within = self.place <= last
        reached = np.where(within, self.own, -self.running[last] if last >= 0 else 0.0)
        past = np.where(within, self.own * later[self.place] - drained[self.place], -drained[-1])
        return past + reached * going


def censoring_influence(time: np.ndarray, event: np.ndarray) -> CensoringInfluence:
    """Influence of each patient on the cumulative hazard of censoring, with all patients at risk as prodlim has it.

    References
    ----------
    Blanche, Dartigues & Jacqmin-Gadda (2013), Stat Med 32:5381-5397. R: riskRegression 2022.11.28,
    ``Score(..., se.fit = TRUE, cens.model = "km", conservative = FALSE)``.
    """
    n = len(time)
    distinct, place = np.unique(time, return_inverse=True)
    counts = np.bincount(place, minlength=len(distinct))
    at_risk = np.cumsum(counts[::-1])[::-1]
    censored = np.bincount(place, weights=~event, minlength=len(distinct))
    running = np.cumsum(censored * n / at_risk.astype(float) ** 2)
    own = ~event * (n / at_risk)[place] - running[place]
    return CensoringInfluence(time, place, own, running, distinct)
