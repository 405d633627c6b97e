"""Patients like this one: who they are, how they are alike, and what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from bedside.cohort.selection import FEWEST_SHARED
from bedside.competing.incidence import cumulative_incidence
from bedside.errors import Fixable
from bedside.explain.contributions import readings_of
from bedside.patient.conditional import conditional_states
from bedside.patient.matches import Match, Tally, matches_of, tally
from bedside.patient.metric import Metric
from bedside.risk.fitted import Fitted
from bedside.risk.training import Training
from bedside.survival.curve import SLACK
from bedside.survival.estimate import kaplan_meier
from bedside.validation.measure import rows_of
from bedside.validation.observed import observed_risk

NEAREST = 50
WHY_FEW = f"Counts of fewer than {FEWEST_SHARED} patients are not shown."


@dataclass(frozen=True, eq=False)
class ObservedCurve:
    """Risk as it came out, without a model: right-continuous steps that start at 0, or where they are asked from.

    Attributes
    ----------
    time, risk, lower, upper : arrays, shape (s,)
        1 minus Kaplan-Meier, or Aalen-Johansen with competing events, and its pointwise interval; no further than
        enough patients are at risk.
    at_risk : array, shape (s,)
        Just before each of its times.
    n : int
    n_events : Tally
    """

    time: np.ndarray
    risk: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    at_risk: np.ndarray
    n: int
    n_events: Tally

    @property
    def last(self) -> float:
        """How far it goes, in the outcome's unit."""
        return float(self.time[-1])

    def remaining(self, times: Sequence[float] | np.ndarray, *, threshold: int = FEWEST_SHARED) -> list[int | None]:
        """How many are at risk at some ascending times; None where it would tell of fewer than the threshold.

        A number is kept back if it is small itself, or differs by less than the threshold from the last one told, so
        that none can be had by subtraction.
        """
        told, last = [], self.n
        for place in np.searchsorted(self.time, np.asarray(times, dtype=float) * (1 - SLACK), side="left"):
            left = int(self.at_risk[place]) if place < len(self.time) else 0
            shown = left >= threshold and (left == last or last - left >= threshold)
            told.append(left if shown else None)
            last = left if shown else last
        return told


@dataclass(frozen=True, eq=False)
class Similar:
    """The nearest patients of one patient.

    Attributes
    ----------
    rows : array of int, shape (k,)
        Their places in the cohort, the nearest first.
    distance : array, shape (k,)
        In the metric's unit.
    risks : array, shape (k,)
        What the model says of each by time `t`.
    observed : ObservedCurve
        What happened to them.
    predicted, expected : arrays, shape (s,)
        At the times of `observed`: this patient's predicted risk, and the mean of theirs.
    matches : tuple of Match
        By weight.
    close : int
        How many of them are much like the patient: within the metric's close distance.
    t : float
    alive_at : float
        All of them are event-free and observed then, and all risks are of patients who are.
    predicted_at, expected_at, observed_at, lower_at, upper_at : float
        The same by time `t`; those of the observed risk are NaN where `observed` ends before.
    """

    rows: np.ndarray
    distance: np.ndarray
    risks: np.ndarray = field(repr=False)
    observed: ObservedCurve
    predicted: np.ndarray = field(repr=False)
    expected: np.ndarray = field(repr=False)
    matches: tuple[Match, ...]
    close: int
    t: float
    alive_at: float
    predicted_at: float
    expected_at: float
    observed_at: float
    lower_at: float
    upper_at: float

    @property
    def shared(self) -> tuple[Match, ...]:
        """What they have in common with the patient, by weight."""
        return tuple(m for m in self.matches if m.verdict == "alike")

    @property
    def differing(self) -> tuple[Match, ...]:
        """Where they differ, by what the difference does."""
        return tuple(sorted((m for m in self.matches if m.verdict == "differs"), key=lambda m: -m.apart * m.weight))


def nearest(
    metric: Metric,
    patient: pd.DataFrame,
    *,
    k: int = NEAREST,
    leave_out: int | None = None,
    among: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest training patients and their distances, the nearest first; ties in the order of the cohort.

    Parameters
    ----------
    metric : Metric
    patient : pandas.DataFrame of one row
    k : int
        All others if there are fewer.
    leave_out : int, optional
        The patient's own place among the training patients.
    among : array of bool, shape (n,), optional
        Training patients that may be chosen. Default: all.
    """
    distance = metric.distances(patient)
    asked = np.ones(len(distance), dtype=bool) if among is None else among.copy()
    if leave_out is not None:
        asked[leave_out] = False
    distance[~asked] = np.inf
    k = min(k, int(asked.sum()))
    if k < len(distance):
        # Everybody as near as the k-th, ties included, before the order is made.
        found = np.flatnonzero(distance <= np.partition(distance, k - 1)[k - 1]) if k else np.zeros(0, dtype=int)
    else:
        found = np.arange(len(distance))
    found = found[np.argsort(distance[found], kind="stable")][:k]
    return found, distance[found]


def similar(
    metric: Metric,
    model: Fitted,
    rows: Training,
    patient: pd.DataFrame,
    t: float,
    *,
    k: int = NEAREST,
    leave_out: int | None = None,
    alive_at: float = 0.0,
    whole: Fitted | None = None,
    level: float = 0.95,
    threshold: int = FEWEST_SHARED,
) -> Similar:
    """The nearest patients in a model's own metric, what they share, and their observed risk against the predicted.

    Parameters
    ----------
    metric : Metric
        Of the same model and rows.
    model : Fitted
    rows : Training
    patient : pandas.DataFrame of one row
    t : float
        The horizon, in the outcome's unit.
    k : int, default 50
    leave_out : int, optional
        The patient's own place in `rows`, so that nobody is compared with themselves.
    alive_at : float, default 0
        The nearest are sought among those event-free and observed then; their curve begins there, and risks are those
        of patients who came so far. Times count from time zero.
    whole : Fitted, optional
        As in `bedside.patient.conditional_risk`.
    level : float, default 0.95
    threshold : int, default 10
        Smaller counts are kept back, and the curve ends where fewer are at risk.

    Raises
    ------
    Fixable
        If there are fewer others than `threshold`, the metric is another model's, or `t` is outside the follow-up or
        not after `alive_at`.

    References
    ----------
    R: ``survfit(Surv(time, event) ~ 1, conf.type = "log-log")`` of the nearest; with competing events
    ``survfit(Surv(time, factor(cause)) ~ 1)``.
    """
    _check(metric, model, t, alive_at)
    there = still_there(rows, alive_at)
    found, distance = nearest(metric, patient, k=max(k, threshold), leave_out=leave_out, among=there)
    if len(found) < threshold:
        raise _too_few(threshold, started=there is None)
    near = rows.take(found)
    observed = _observed(near, alive_at, level, threshold)
    every = np.append(np.minimum(observed.time, model.last), t)
    own = _risks(model, patient.iloc[[0]], alive_at, every, whole)[0]
    theirs = _risks(model, near.frame, alive_at, every, whole)
    mean, seen = theirs.mean(axis=0), (np.nan,) * 3
    if t <= observed.last * (1 + SLACK):
        after = _after(near, alive_at)
        at = observed_risk(rows_of(after.time, after.cause, after.entry), t - alive_at, level=level)
        seen = (at.risk, at.lower, at.upper)
    return Similar(
        rows=found, distance=distance, risks=theirs[:, -1], observed=observed, predicted=own[:-1], expected=mean[:-1],
        matches=matches_of(metric, readings_of(model), near.frame, patient, found, threshold),
        close=int((distance <= metric.close).sum()), t=float(t), alive_at=float(alive_at),
        predicted_at=float(own[-1]), expected_at=float(mean[-1]), observed_at=seen[0], lower_at=seen[1],
        upper_at=seen[2],
    )  # fmt: skip


def _check(metric: Metric, model: Fitted, t: float, alive_at: float) -> None:
    if metric.model_fingerprint != model.fingerprint:
        raise Fixable(
            "No similar patients.",
            "What counts as similar was worked out for another model.",
            "Open the patient again, so that both are made from the same model.",
        )
    if alive_at and not t > alive_at:
        raise Fixable(
            "No similar patients.",
            "The time asked for is not after the time that the patient has come through.",
            "Ask for a later time.",
        )


def _too_few(threshold: int, *, started: bool) -> Fixable:
    came = "" if started else " who came so far event-free"
    return Fixable(
        "No similar patients.",
        f"There are fewer than {threshold} others{came}, and smaller groups are not shown.",
        "Include more patients." if started else "Choose an earlier time, or include more patients.",
    )


def still_there(rows: Training, s: float) -> np.ndarray | None:
    """Who is event-free and under observation at a time; None for time zero, when everybody counts."""
    if not s:
        return None
    left = rows.time > s * (1 + SLACK)
    return left if rows.entry is None else left & (rows.entry <= s * (1 + SLACK))


def _after(near: Training, s: float) -> Training:
    """Their time from there on."""
    return near if not s else replace(near, time=near.time - s, entry=None)


def _risks(model: Fitted, frame: pd.DataFrame, s: float, times: np.ndarray, whole: Fitted | None) -> np.ndarray:
    if not s:
        return model.risk(frame, times)
    return conditional_states(model, frame, s, times, whole=whole).event


def _observed(near: Training, s: float, level: float, threshold: int) -> ObservedCurve:
    """The curve of some patients from a time on, as far as enough of them are at risk."""
    near = _after(near, s)
    counted = tally(int(near.event.sum()), len(near), threshold=threshold)
    if (near.cause > 1).any():
        curve = cumulative_incidence(near.time, near.cause, entry=near.entry, level=level, unit=near.outcome.unit)
        steps = (curve.incidence[:, 0], curve.lower[:, 0], curve.upper[:, 0])
    else:
        curve = kaplan_meier(near.time, near.event, entry=near.entry, level=level, unit=near.outcome.unit)
        steps = (1 - curve.survival, 1 - curve.upper, 1 - curve.lower)
    enough = np.flatnonzero(curve.at_risk >= threshold)
    upto = int(enough[-1]) + 1 if len(enough) else 1
    return ObservedCurve(
        s + curve.time[:upto], *(values[:upto] for values in steps), at_risk=curve.at_risk[:upto], n=len(near),
        n_events=counted,
    )  # fmt: skip
