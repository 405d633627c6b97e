"""A patient's predicted curve and the cohort's beside it: worked out once for a patient, read at any horizon."""

from __future__ import annotations

import numpy as np

from bedside import risk, survival
from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.patient import conditional_risk
from bedside.risk.fitted import Fitted, Limits
from components import desk, model_choice, numbers
from components.figures.patient import PatientCurve
from components.model_choice import Choice

STEPS = 240
"""Times of the curve of a model whose steps are not known."""
FEW = 10
"""Patients under observation below which a curve is pale."""


def curve(
    cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, row: int, *, when: float, unit: Unit,
    alive: float, whole: Fitted | None, at: tuple[float, float, float] | None,
) -> PatientCurve:  # fmt: skip
    """Both curves from `alive` on, in `unit`.

    Parameters
    ----------
    cohort, outcome, choice, fitted, row
        Who, and which model.
    when, unit, alive
        By when, and how long free of the event so far.
    whole : Fitted or None
        As in `bedside.patient.state_risks`.
    at : risk, lower, upper or None
        What is said by `when`, which the curve then passes through; None where nothing is.
    """
    s = float(convert(alive, unit, outcome.unit))
    key = (*model_choice.key(cohort, outcome, choice), fitted.fingerprint)
    time, lines, band = desk.kept(
        ("patient curve", *key, row, s), lambda: _patient(cohort, outcome, fitted, row, s, whole)
    )
    if at is not None:
        time, lines = _through(time, lines, float(convert(when, unit, outcome.unit)), at)
    everyone = desk.curves(cohort, outcome, None)[0]
    one_event = choice.target == model_choice.EVENT and outcome.has_competing
    cohort_time, cohort_free = _cohort(cohort, outcome, everyone, s, one_event=one_event)
    return PatientCurve(
        time=convert(time, outcome.unit, unit), survival=lines[0], lower=lines[1], upper=lines[2],
        cohort_time=convert(cohort_time, outcome.unit, unit), cohort_survival=cohort_free,
        n=everyone.n, n_events=fitted.n_events if one_event else everyone.n_events, horizon=when, unit=unit,
        since=outcome.since, reliable_until=float(convert(everyone.reliable_until(FEW), outcome.unit, unit)),
        level=everyone.level, band=band, start=alive, said=at is not None,
    )  # fmt: skip


def _patient(
    cohort: Cohort, outcome: Outcome, fitted: Fitted, row: int, s: float, whole: Fitted | None
) -> tuple[np.ndarray, np.ndarray, str | None]:
    """Times, shares still free with their band, shape (3, t), and what the band is."""
    patient = cohort.frame.iloc[[row]]
    if s == 0 and isinstance(fitted, risk.Model):
        found = risk.predict(fitted, patient)
        return found.time, np.stack([found.survival[0], found.lower[0], found.upper[0]]), None
    time = _times(fitted, desk.curves(cohort, outcome, None)[0], s)
    if s > 0:
        later = conditional_risk(fitted, patient, s, time, whole=whole)
        said, limits = later.risk[0], later.limits
    else:
        said, limits = fitted.risk(patient, time)[0], fitted.limits(patient, time)
    return time, np.stack([1 - said, *_ends(said, limits)]), _band(limits)


def _times(fitted: Fitted, everyone: survival.Curve, s: float) -> np.ndarray:
    """A Cox model's own steps, else evenly spread times of the cohort's, from s on."""
    if isinstance(fitted, risk.Model):
        inside = np.asarray(fitted.baseline.time, dtype=float)
    else:
        inside = everyone.time[everyone.time <= fitted.last]
        inside = inside[np.linspace(0, len(inside) - 1, min(STEPS, len(inside))).round().astype(int)]
    return np.unique([s, *inside[(inside > s) & (inside <= fitted.last)], fitted.last])


def _ends(said: np.ndarray, limits: Limits | None) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper share still free; the share itself where there is no limit."""
    if limits is None:
        return 1 - said, 1 - said
    lower, upper = (np.where(np.isnan(end[0]), said, end[0]) for end in (limits.lower, limits.upper))
    return 1 - upper, 1 - lower


def _band(limits: Limits | None) -> str | None:
    if limits is None:
        return ""
    return "model variability" if "variability" in limits.name else None


def _through(
    time: np.ndarray, lines: np.ndarray, t: float, at: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """The curve with what is said at the horizon as one of its points."""
    share, lower, upper = at
    ends = [1 - share if np.isnan(end) else 1 - end for end in (upper, lower)]
    place = int(np.searchsorted(time, t * (1 - 1e-9)))
    here = place < len(time) and time[place] <= t * (1 + 1e-9)
    kept = lines[:, place + 1 :] if here else lines[:, place:]
    later = time[place + 1 :] if here else time[place:]
    point = np.array([[1 - share], *([end] for end in ends)])
    return np.concatenate([time[:place], [t], later]), np.concatenate([lines[:, :place], point, kept], axis=1)


def _cohort(
    cohort: Cohort, outcome: Outcome, everyone: survival.Curve, s: float, *, one_event: bool
) -> tuple[np.ndarray, np.ndarray]:
    """What happened to all patients, or to those of them who were free of the event at s."""
    time, free = everyone.time, everyone.survival
    if one_event:
        seen = numbers.incidence(cohort, outcome, None, numbers.Plan())[0]
        time, free = seen.time, 1 - seen.incidence[:, 0]
    if s == 0:
        return time, free
    left = _at(everyone.time, everyone.survival, s)
    later = time > s
    if left <= 0 or not later.any():
        return np.array([s]), np.array([1.0])
    return np.concatenate([[s], time[later]]), np.concatenate([[1.0], 1 - (_at(time, free, s) - free[later]) / left])


def _at(time: np.ndarray, values: np.ndarray, t: float) -> float:
    return float(values[max(int(np.searchsorted(time, t * (1 + 1e-9), side="right")) - 1, 0)])
