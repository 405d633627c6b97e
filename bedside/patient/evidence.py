"""What stands behind one patient's risk: patients alike, calibration at this risk, distance, gaps, other models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from bedside.cohort.selection import FEWEST_SHARED
from bedside.cohort.variable import Variable
from bedside.explain.contributions import readings_of
from bedside.patient.held_out import held_out
from bedside.patient.inputs import Outside, ReadAs, gaps, outside, read_as
from bedside.patient.metric import Metric, metric
from bedside.patient.similar import Tally, still_there, tally
from bedside.risk.fitted import Fitted
from bedside.risk.training import Training
from bedside.survival.curve import SLACK
from bedside.validation.measure import rows_of
from bedside.validation.observed import observed_risk
from bedside.validation.resample import Resampled

FAR = 0.10
"""Risks further apart disagree: ten points are what a clinician would want to know of."""
OUTLYING = 0.05
"""A patient is far from the others if no larger share of them is further from the centre."""
ODD = 0.90
"""Nearer to the centre than an odd patient is so large a share of the others."""
BAND, BAND_SHARE = 50, 0.1
"""Patients of similar risk on whom calibration is judged: at least so many, and at least this share."""
ROWS_PER_COLUMN = 5
"""With fewer patients for each column, columns are taken as independent: their covariance is not known."""
SINGULAR = 1e-9

Verdict = Literal["as predicted", "too low", "too high", "not known"]


@dataclass(frozen=True, eq=False)
class Ground:
    """What is worked out once for a model, whichever patient is opened.

    Attributes
    ----------
    model : Fitted
    rows : Training
    metric : Metric
    further : array, shape (n,)
        Distances of the training patients from their centre, ascending.
    covariance : bool
        True for Mahalanobis' distance; False where there are too few patients for it and columns are only
        standardised.
    """

    model: Fitted
    rows: Training
    metric: Metric
    further: np.ndarray = field(repr=False)
    covariance: bool
    whiten: np.ndarray = field(repr=False)

    def from_centre(self, patients: pd.DataFrame) -> np.ndarray:
        """Distance of patients from the centre of the training patients, shape (n,)."""
        return _lengths(self.model, patients, self.whiten)


def ground(model: Fitted, rows: Training, *, metric_of: Metric | None = None) -> Ground:
    """Prepare the evidence of a model.

    Parameters
    ----------
    model : Fitted
    rows : Training
        What it learnt from.
    metric_of : Metric, optional
        Its metric, if there is one already.

    References
    ----------
    Mahalanobis (1936), Proc Natl Inst Sci India 2:49-55.
    """
    x = model.design.encode(rows.frame) / model.design.scale
    n, p = x.shape
    covariance = n >= ROWS_PER_COLUMN * p
    whiten = np.eye(p)
    if covariance:
        value, vector = np.linalg.eigh(np.cov(x, rowvar=False).reshape(p, p))
        kept = value > SINGULAR * value.max()
        whiten = vector[:, kept] / np.sqrt(value[kept])
    further = np.sort(_lengths(model, rows.frame, whiten))
    return Ground(model, rows, metric_of or metric(model, rows), further, covariance, whiten)


def _lengths(model: Fitted, patients: pd.DataFrame, whiten: np.ndarray) -> np.ndarray:
    z = (model.design.encode(patients) / model.design.scale) @ whiten
    return np.sqrt((z**2).sum(axis=1))


@dataclass(frozen=True)
class Band:
    """Calibration among patients whose predicted risk was about this patient's, by models that had not seen them.

    Attributes
    ----------
    low, high : float
        Their lowest and highest predicted risk.
    predicted : float
        The mean.
    observed, lower, upper : float
        What came true, with its interval; NaN where follow-up is too short.
    n : int
    n_events : Tally
        By the time asked for.
    verdict : {"as predicted", "too low", "too high", "not known"}
        The mean predicted risk beside the interval of the observed one.
    """

    low: float
    high: float
    predicted: float
    observed: float
    lower: float
    upper: float
    n: int
    n_events: Tally
    verdict: Verdict


@dataclass(frozen=True)
class Said:
    """What another model or a published score says of the patient.

    Attributes
    ----------
    label : str
    risk : float
    points : float
        Percentage points above (or below) the model's risk.
    far : bool
        More than 10 points away.
    """

    label: str
    risk: float
    points: float
    far: bool


@dataclass(frozen=True)
class Evidence:
    """The evidence strip of one patient.

    Attributes
    ----------
    t, risk : float
        By when, and the model's risk.
    alike, alike_events : Tally
        Other training patients within the metric's close distance, and how many of them were seen with the event by
        `t`; of those still under observation and free of any event at `since`, where that is not 0.
    alike_seen : (float, float, float)
        Their observed risk by `t`, which allows for those not followed so long, with its interval; NaN where their
        events are not told, or nobody was followed so long.
    close : float
        That distance, in the metric's unit.
    metric_unit : str
    band : Band or None
    further : float
        Share of the other training patients who are further from the centre than this one.
    nearer : float
        Share of those who are nearer to it.
    outlying : bool
        Hardly anybody is further from it.
    covariance : bool
        As in `Ground`.
    since : float
        As asked.
    outside : tuple of Outside
    filled : tuple of Variable
        Missing: the usual value stands in.
    pooled : tuple of ReadAs
        Levels with too few training patients, or none.
    asked : int
        How many variables the model reads.
    others : tuple of Said
    apart : float
        Distance in points of the lowest and the highest of all risks, the model's among them.
    """

    t: float
    risk: float
    alike: Tally
    alike_events: Tally
    alike_seen: tuple[float, float, float]
    close: float
    metric_unit: str
    band: Band | None
    further: float
    outlying: bool
    covariance: bool
    outside: tuple[Outside, ...]
    filled: tuple[Variable, ...]
    pooled: tuple[ReadAs, ...]
    others: tuple[Said, ...]
    apart: float
    asked: int
    nearer: float
    since: float = 0.0

    @property
    def bare(self) -> bool:
        """True if nothing is known of what the model asks for."""
        return 0 < self.asked == len(self.filled)

    @property
    def odd(self) -> bool:
        """True if hardly anybody of the others is as far from the centre."""
        return self.outlying or self.nearer >= ODD

    @property
    def disagree(self) -> bool:
        """True if the lowest and the highest risk are more than 10 points apart."""
        return self.apart > 100 * FAR + 1e-9

    @property
    def sound(self) -> bool:
        """True if nothing here asks for caution."""
        weak = self.odd or self.outside or self.filled or self.pooled or self.disagree or self.alike.value is None
        return not weak and (self.band is None or self.band.verdict == "as predicted")


def evidence(
    on: Ground,
    patient: pd.DataFrame,
    t: float,
    *,
    leave_out: int | None = None,
    found: Resampled | None = None,
    kind: str | None = None,
    others: Sequence[Fitted] = (),
    published: Mapping[str, float] | None = None,
    threshold: int = FEWEST_SHARED,
    since: float = 0.0,
    risk: float | None = None,
) -> Evidence:
    """What stands behind the risk of one patient by a time.

    Parameters
    ----------
    on : Ground
    patient : pandas.DataFrame of one row
    t : float
        In the outcome's unit.
    leave_out : int, optional
        The patient's own place among the training patients.
    found : Resampled, optional
        Cross-validation of the model on the same rows: without it there is no band.
    kind : str, optional
        The model's key in `found`. Default: its kind.
    others : sequence of Fitted
        Other models; those of another event, or with too short a follow-up, are left out.
    published : mapping of str to float, optional
        Risks of published scores of the same event by `t`, by name.
    threshold : int, default 10
        Smaller counts are kept back.
    since : float
        For patients known to be free of any event so far: alike are those who came so far too, and risks of the band
        are conditional on it. There is no band then where other events compete, whose chance was not held back.
    risk : float, optional
        The patient's risk as it is shown. Default: the model's from time zero.

    Raises
    ------
    Fixable
        If `t` is outside the follow-up.
    """
    row = patient.iloc[[0]]
    risk = float(on.model.risk(row, [t])[0, 0]) if risk is None else float(risk)
    alike = on.metric.distances(row) <= on.metric.close
    there = still_there(on.rows, since)
    elsewhere = np.ones(len(on.rows), dtype=bool) if there is None else there.copy()
    if leave_out is not None:
        elsewhere[leave_out] = False
    alike &= elsewhere
    had = on.rows.event & (on.rows.time <= t * (1 + SLACK))
    counted = tally(int(alike.sum()), int(elsewhere.sum()), threshold=threshold)
    events = Tally(None, 0)
    if counted.value is not None:
        events = tally(int((alike & had).sum()), counted.value, threshold=threshold)
    share, nearer = _around(on, row, leave_out)
    said = _said(on.model, others, published or {}, row, t, risk)
    every = [risk, *(s.risk for s in said)]
    readings = list(readings_of(on.model).values())
    return Evidence(
        t=float(t), risk=risk,
        alike=counted,
        alike_events=events, alike_seen=_seen(on.rows, alike, since, t) if events.value else (np.nan,) * 3,
        close=on.metric.close, metric_unit=on.metric.unit,
        band=_band(found, kind or on.model.kind, risk, (since, t), leave_out, threshold) if found else None,
        further=share, outlying=share <= OUTLYING, covariance=on.covariance,
        outside=tuple(o for r in readings if (o := outside(r, row, on.rows.frame, leave_out)) is not None),
        filled=gaps(readings, row), pooled=tuple(p for r in readings if (p := read_as(r, row)) is not None),
        others=said, apart=100 * (max(every) - min(every)), asked=len(readings), nearer=nearer, since=float(since),
    )  # fmt: skip


def _seen(rows: Training, alike: np.ndarray, since: float, t: float) -> tuple[float, float, float]:
    """What happened to them by a time, from `since` on."""
    entry = None if rows.entry is None else rows.entry[alike]
    if since > 0:
        entry = np.full(int(alike.sum()), since) if entry is None else np.maximum(entry, since)
    seen = observed_risk(rows_of(rows.time[alike], rows.cause[alike], entry), t)
    return seen.risk, seen.lower, seen.upper


def _around(on: Ground, row: pd.DataFrame, leave_out: int | None) -> tuple[float, float]:
    """Share of the others who are further from the centre, and of those who are nearer."""
    own, others = float(on.from_centre(row)[0]), max(len(on.further) - (leave_out is not None), 1)
    beyond = len(on.further) - int(np.searchsorted(on.further, own * (1 + 1e-9), side="right"))
    return beyond / others, int(np.searchsorted(on.further, own * (1 - 1e-9), side="left")) / others


def _band(
    found: Resampled, kind: str, risk: float, span: tuple[float, float], leave_out: int | None, threshold: int
) -> Band | None:
    """Of patients free of the event at the start of the span, by its end."""
    since, t = span
    rows, said = found.rows, held_out(found, kind, t, since=since)
    if said is None:
        return None
    there = np.ones(len(said), dtype=bool)
    entry = rows.entry
    if since > 0:
        there = rows.time > since * (1 + SLACK)
        if entry is not None:
            there &= entry <= since * (1 + SLACK)
        entry = np.full(len(said), since) if entry is None else np.maximum(entry, since)
    if leave_out is not None:
        there[leave_out] = False
    size = min(max(BAND, int(BAND_SHARE * len(said))), int(there.sum()))
    if not size:
        return None
    near = np.sort(np.argsort(np.where(there, np.abs(said - risk), np.inf), kind="stable")[:size])
    part = rows_of(rows.time[near], rows.cause[near], None if entry is None else entry[near])
    seen = observed_risk(part, t)
    predicted = float(said[near].mean())
    return Band(
        low=float(said[near].min()), high=float(said[near].max()), predicted=predicted, observed=seen.risk,
        lower=seen.lower, upper=seen.upper, n=seen.n, n_events=tally(seen.n_events, seen.n, threshold=threshold),
        verdict=_verdict(predicted, seen.lower, seen.upper),
    )  # fmt: skip


def _verdict(predicted: float, lower: float, upper: float) -> Verdict:
    if np.isnan(lower) or np.isnan(upper):
        return "not known"
    if predicted < lower:
        return "too low"
    return "too high" if predicted > upper else "as predicted"


def _said(
    model: Fitted, others: Sequence[Fitted], published: Mapping[str, float], row: pd.DataFrame, t: float, risk: float
) -> tuple[Said, ...]:
    known: list[tuple[str, float]] = [
        (other.label, float(other.risk(row, [t])[0, 0]))
        for other in others
        if other.outcome.key == model.outcome.key and other.target == model.target and t <= other.last * (1 + SLACK)
    ]
    known += [(label, float(value)) for label, value in published.items() if np.isfinite(value)]
    return tuple(
        Said(label, value, 100 * (value - risk), abs(100 * (value - risk)) > 100 * FAR + 1e-9) for label, value in known
    )
