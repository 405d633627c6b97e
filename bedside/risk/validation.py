"""How the model does on patients it has not seen: cross-validated concordance and calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bedside.cohort import Cohort, Outcome, Variable
from bedside.cohort.units import Unit
from bedside.competing.checks import check_entry
from bedside.errors import Fixable
from bedside.regression.concordance import concordance
from bedside.risk.choice import chosen
from bedside.risk.fit import check_size, fit_rows
from bedside.risk.hazards import combine
from bedside.risk.model import Model
from bedside.risk.prediction import encode, predicted_risk
from bedside.risk.tuning import stratified_folds
from bedside.survival.checks import merge_ties
from bedside.validation.calibration import calibration_groups, calibration_slope

EVENTS_PER_FOLD = 4
PATIENTS_PER_GROUP = 10
GROUPS = 5
TOO_EXTREME, TOO_ALIKE = 0.8, 1.25
C_NAME = "Harrell's C"


@dataclass(frozen=True)
class CalibrationPoint:
    """One group of patients of similar predicted risk.

    Attributes
    ----------
    predicted : float
        Mean predicted risk by the time asked for, 0 to 1.
    observed, lower, upper : float
        1 minus Kaplan-Meier at that time and its 95% interval; NaN where the group's follow-up is shorter.
    n : int
        Patients.
    events : int
        Events seen by that time.
    """

    predicted: float
    observed: float
    lower: float
    upper: float
    n: int
    events: int


@dataclass(frozen=True)
class Validation:
    """What cross-validation found.

    Attributes
    ----------
    t : float
        Time of the risks, in `unit`.
    unit : str
    c_mean, c_sd : float
        Over the folds; the SD is NaN for a single one.
    c_folds : tuple of float
        Of each fold in which a pair could be compared.
    c_name : str
    folds, repeats : int
        Folds used, which are fewer than asked for in a small cohort.
    calibration : tuple of CalibrationPoint
        From low to high predicted risk.
    mean_predicted, observed : float
        Over all patients by time `t`: mean predicted risk, and 1 minus Kaplan-Meier.
    slope : float
        Calibration slope: 1 where risks are as spread out as they should be, below 1 where too extreme; NaN
        where it has no finite value.
    n, n_events : int
    n_events_by_t : int
        Events among all patients by time `t`: what calibration rests on.
    reading : str
        What it comes to, in plain words.
    notes : tuple of str
        What was done differently because the cohort is small.
    """

    t: float
    unit: Unit
    c_mean: float
    c_sd: float
    c_folds: tuple[float, ...]
    c_name: str
    folds: int
    repeats: int
    calibration: tuple[CalibrationPoint, ...]
    mean_predicted: float
    observed: float
    slope: float
    n: int
    n_events: int
    n_events_by_t: int
    reading: str
    notes: tuple[str, ...]


def validate(
    cohort: Cohort,
    outcome: Outcome | str,
    *,
    t: float,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    variables: Sequence[str] | None = None,
    penalizer: float | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Validation:
    """Cross-validate the model that `fit` would make; dropping, filling, scaling and ridge are done inside the folds.

    Parameters
    ----------
    cohort, outcome, variables, penalizer, progress
        As in `fit`.
    t : float
        Time at which calibration is judged, in the outcome's unit, within the longest follow-up.
    folds, repeats, seed : int
        Folds hold equal shares of the events, and are reduced until each holds 4. Predictions are averaged over
        the repeats. The same seed gives the same folds.

    Raises
    ------
    Fixable
        As `fit`; or if `t` is outside the follow-up.

    References
    ----------
    Harrell et al. (1996), Stat Med 15:361-387. Van Houwelingen (2000), Stat Med 19:3401-3415 (slope). R:
    ``concordance(Surv(time, event) ~ lp, reverse = TRUE)`` in each fold.
    """
    outcome = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    asked = chosen(cohort, variables)
    event = cohort.event(outcome)
    check_size(len(cohort), int(event.sum()), outcome)
    time, entry = check_entry(cohort.entry(outcome), merge_ties(cohort.time(outcome)))
    _check_time(t, time, outcome)
    used = max(2, min(folds, int(event.sum()) // EVENTS_PER_FOLD))
    parts = [(repeat, k) for repeat in range(repeats) for k in range(used)]
    risk, score = np.zeros(len(cohort)), np.zeros(len(cohort))
    c_folds: list[float] = []
    for done, (repeat, k) in enumerate(parts):
        if progress is not None:
            progress(done / len(parts), f"Checking part {done + 1} of {len(parts)}")
        held = stratified_folds(event, used, seed + repeat) == k
        model = _model_of_the_others(
            cohort, outcome, asked, time, entry, ~held, penalizer, f"fold {k}/{used}, {seed + repeat}"
        )
        lp = combine(encode(model, cohort.frame[held]), model.coef)
        c_folds.append(concordance(time[held], event[held], lp, entry=None if entry is None else entry[held]).c)
        # A training part may end a little before the whole cohort: its last hazard is then carried on.
        risk[held] += predicted_risk(model, lp, min(t, model.last)) / repeats
        score[held] += lp / repeats
    if progress is not None:
        progress(1.0, "Model checked")
    return _summary(
        time, event, entry, risk, score, c_folds, t=t, outcome=outcome, folds=used, asked_folds=folds, repeats=repeats
    )


def _model_of_the_others(
    cohort: Cohort,
    outcome: Outcome,
    variables: Sequence[Variable],
    time: np.ndarray,
    entry: np.ndarray | None,
    rows: np.ndarray,
    penalizer: float | None,
    seal: str,
) -> Model:
    return fit_rows(
        cohort.frame.loc[rows, [v.name for v in variables]],
        time[rows],
        cohort.event(outcome)[rows],
        variables,
        entry=None if entry is None else entry[rows],
        outcome=outcome,
        cohort_key=cohort.key,
        cohort_fingerprint=f"{cohort.fingerprint} {seal}",
        penalizer=penalizer,
    )


def calibration_by_risk(
    time: np.ndarray,
    event: np.ndarray,
    risk: np.ndarray,
    *,
    t: float,
    groups: int = GROUPS,
    entry: np.ndarray | None = None,
) -> tuple[CalibrationPoint, ...]:
    """Mean predicted and observed risk by time `t`, in equal groups of predicted risk.

    Parameters
    ----------
    time, event : arrays, shape (n,)
    risk : array, shape (n,)
        Predicted risk by `t`, 0 to 1.
    t : float
        In the unit of `time`.
    groups : int
        Equal risks stay in one group, so there may be fewer.
    entry : array, shape (n,), optional
        At risk in (entry, time].

    References
    ----------
    R: ``1 - summary(survfit(Surv(time, event) ~ cut(risk, ...), conf.type = "log-log"), times = t)$surv``.
    """
    found = calibration_groups(time, event, risk, t, groups=groups, entry=entry)
    return tuple(CalibrationPoint(g.predicted, g.observed, g.lower, g.upper, g.n, g.n_events) for g in found)


def _check_time(t: float, time: np.ndarray, outcome: Outcome) -> None:
    if not 0 < t <= time.max() * (1 + 1e-9):
        raise Fixable(
            "Risks can't be checked at that time.",
            f"The longest follow-up is {time.max():.6g} {outcome.unit}.",
            "Choose a time above 0 and within it.",
        )


def _summary(
    time: np.ndarray,
    event: np.ndarray,
    entry: np.ndarray | None,
    risk: np.ndarray,
    score: np.ndarray,
    c_folds: list[float],
    *,
    t: float,
    outcome: Outcome,
    folds: int,
    asked_folds: int,
    repeats: int,
) -> Validation:
    n, deaths = len(time), int(event.sum())
    known = [c for c in c_folds if c == c]
    groups = max(1, min(GROUPS, n // PATIENTS_PER_GROUP))
    points = calibration_by_risk(time, event, risk, t=t, groups=groups, entry=entry)
    told = []
    if folds < asked_folds:
        told.append(f"{deaths} events allow {folds} folds instead of {asked_folds}.")
    if len(known) < len(c_folds):
        told.append(f"In {len(c_folds) - len(known)} of {len(c_folds)} folds no two patients could be compared.")
    if groups < GROUPS:
        told.append(f"{n} patients allow {groups} group{'s' if groups != 1 else ''} of risk instead of {GROUPS}.")
    mean = float(np.mean(known)) if known else float("nan")
    sd = float(np.std(known, ddof=1)) if len(known) > 1 else float("nan")
    (overall,) = calibration_by_risk(time, event, risk, t=t, groups=1, entry=entry)
    slope = calibration_slope(time, event, score, entry=entry).value
    return Validation(
        t=t,
        unit=outcome.unit,
        c_mean=mean,
        c_sd=sd,
        c_folds=tuple(known),
        c_name=C_NAME,
        folds=folds,
        repeats=repeats,
        calibration=points,
        mean_predicted=overall.predicted,
        observed=overall.observed,
        slope=slope,
        n=n,
        n_events=deaths,
        n_events_by_t=overall.events,
        reading=_reading(mean, points, overall, slope),
        notes=tuple(told),
    )


def _reading(mean: float, points: Sequence[CalibrationPoint], overall: CalibrationPoint, slope: float) -> str:
    ranked = (
        f"Of 100 pairs of patients it had not seen, and of whom it is known who had the event first, the model put "
        f"{round(100 * mean)} in the right order ({C_NAME} {mean:.2f}; {_against_chance(mean)})."
        if mean == mean
        else "No two patients could be compared, so nothing is known of its ranking."
    )
    gaps = [(abs(p.predicted - p.observed), p.n) for p in points if p.observed == p.observed]
    if not gaps:
        return f"{ranked} Follow-up is too short to compare its risks with what happened."
    off = 100 * sum(gap * n for gap, n in gaps) / sum(n for _, n in gaps)
    inside = sum(p.lower <= p.predicted <= p.upper for p in points)
    average = ""
    if overall.observed == overall.observed:
        predicted, observed = round(100 * overall.predicted), round(100 * overall.observed)
        average = f" On average it predicted {predicted} of 100, and {observed} of 100 had the event."
    return (
        f"{ranked}{average} By group of risk it was {off:.0f} point{'s' if round(off) != 1 else ''} off on average; "
        f"in {inside} of {len(points)} groups the predicted risk lies within the interval of what was observed."
        f"{_about_slope(slope)}"
    )


def _against_chance(c: float) -> str:
    return "50 would be chance, so this is worse than chance" if round(c, 2) < 0.5 else "50 would be chance"


def _about_slope(slope: float) -> str:
    if slope <= 0:
        return (
            " Its ranking is reversed over all patients together: those with the higher predicted risks had the event "
            f"later (slope {slope:.2f}, ideally 1)."
        )
    if slope < TOO_EXTREME:
        return f" Its risks are too far apart: high ones too high, low ones too low (slope {slope:.2f}, ideally 1)."
    if slope > TOO_ALIKE:
        return (
            f" Its risks are too close together: high ones too low, low ones too high (slope {slope:.2f}, ideally 1)."
        )
    return ""
