"""A model on patients of another cohort: what it said, and what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.cohort.units import Unit, convert
from bedside.errors import Fixable
from bedside.risk.fits import Misfit, require_fit
from bedside.risk.fitted import Fitted
from bedside.survival.checks import merge_ties
from bedside.survival.curve import SLACK
from bedside.validation.audit import accuracy_of, harrell
from bedside.validation.audit_threshold import observed_with_error
from bedside.validation.calibration import (
    CalibrationGroup,
    Estimate,
    OverallCalibration,
    calibration_groups,
    calibration_slope,
    cloglog,
    overall_calibration,
)
from bedside.validation.calibration_curve import SmoothCalibration, smooth_calibration
from bedside.validation.discrimination import auc
from bedside.validation.external_map import (
    Mapped,
    Mapping,
    Problem,
    compare_definitions,
    compare_variables,
    guess_mapping,
    mapped_cohort,
)
from bedside.validation.measure import Rows, rows_of
from bedside.validation.weak import weak_calibration

ENOUGH_EVENTS = 100
"""Fewer events leave calibration open (Collins, Ogundimu & Altman 2016)."""

__all__ = [
    "External",
    "Mapped",
    "Mapping",
    "Performance",
    "PerformanceAt",
    "Problem",
    "Rows",
    "compare_definitions",
    "external",
    "guess_mapping",
    "performance",
]


@dataclass(frozen=True, eq=False)
class PerformanceAt:
    """How risks by one time compare with what came.

    Attributes
    ----------
    t : float
    overall : OverallCalibration
        Observed over expected, with the limits of the observed risk over the expected one.
    ratio_error : float
        Standard error of log(O/E).
    intercept, slope : Estimate
        On the log(-log) scale at this time, from pseudo-values.
    smooth : SmoothCalibration or None
    groups : tuple of CalibrationGroup
        Fifths of predicted risk.
    brier, ipa, auc : Estimate
        The index of prediction accuracy is against these patients' own Kaplan-Meier (Aalen-Johansen) curve.
    n_events, n_followed : int
        Events by then, and patients still under observation.
    """

    t: float
    overall: OverallCalibration
    ratio_error: float
    intercept: Estimate
    slope: Estimate
    smooth: SmoothCalibration | None
    groups: tuple[CalibrationGroup, ...]
    brier: Estimate
    ipa: Estimate
    auc: Estimate
    n_events: int
    n_followed: int


@dataclass(frozen=True, eq=False)
class Performance:
    """How risks compare with what came, at several times and over all follow-up.

    Attributes
    ----------
    at : tuple of PerformanceAt
    c : Estimate
        Harrell's.
    slope : Estimate
        Of log(-log(1 - risk by the last time)) in a Cox model of its own (with competing events cause-specific).
    n, n_events : int
    """

    at: tuple[PerformanceAt, ...]
    c: Estimate
    slope: Estimate
    n: int
    n_events: int


@dataclass(frozen=True, eq=False)
class External:
    """A model tested on another cohort.

    Attributes
    ----------
    label, outcome_label, cohort_title : str
    unit : str
        Of all times: the cohort's outcome.
    times : array, shape (t,)
    rows : Rows
    risk : array, shape (n, t)
    score : array, shape (n,)
    performance : Performance
    mapping : tuple of Mapped
    problems : tuple of Problem
        What differs between the outcomes and was confirmed or converted.
    misfits : tuple of Misfit
        Alarms on units, absent columns, levels and values outside training.
    cautions : tuple of str
    """

    label: str
    outcome_label: str
    cohort_title: str
    unit: Unit
    times: np.ndarray
    rows: Rows
    risk: np.ndarray = field(repr=False)
    score: np.ndarray = field(repr=False)
    performance: Performance
    mapping: Mapping
    problems: tuple[Problem, ...]
    misfits: tuple[Misfit, ...]
    cautions: tuple[str, ...]


def external(
    model: Fitted,
    cohort: Cohort,
    outcome: Outcome | str,
    *,
    times: Sequence[float] | np.ndarray,
    mapping: Mapping | None = None,
    confirmed: bool = False,
    learnt_from: Cohort | None = None,
    level: float = 0.95,
) -> External:
    """Test a model on another cohort, or on patients of its own cohort that it has not seen.

    Parameters
    ----------
    model : Fitted
    cohort : Cohort
        Any selection of patients.
    outcome : Outcome or str
        What came.
    times : array, shape (t,)
        In the unit of `outcome`, within the follow-up of both cohorts.
    mapping : tuple of Mapped, optional
        `guess_mapping` if not given.
    confirmed : bool, default False
        A person has said that what `compare_definitions` asks about is the same, and that alarms are no fault.
    learnt_from : Cohort, optional
        The patients the model learnt from, where they are at hand: those who are in both are then counted.
    level : float, default 0.95

    Raises
    ------
    Fixable
        Other outcome, column of another kind or unit, nothing in common, something unconfirmed, no event, or a time
        outside follow-up.

    References
    ----------
    Royston & Altman (2013), BMC Med Res Methodol 13:33. McLernon et al. (2023), Ann Intern Med 176:105-114.
    """
    theirs = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    used = guess_mapping(model, cohort) if mapping is None else mapping
    problems = settled(model, cohort, theirs, confirmed=confirmed, mapping=used)
    patients = mapped_cohort(model, cohort, used)
    misfits = require_fit(model, patients)
    alarm = next((m for m in misfits if m.weight == "alarm"), None)
    if alarm is not None and not confirmed:
        raise Fixable("The model was not tested yet.", alarm.why, alarm.next_step)
    rows = followed_rows(model, cohort, theirs)
    at = within_both(model, rows, theirs, times)
    own = convert(at, theirs.unit, model.outcome.unit)
    risk = model.risk(patients.frame, np.minimum(own, model.last))
    score = model.score(patients.frame)
    return External(
        label=model.label, outcome_label=theirs.label, cohort_title=cohort.short_title, unit=theirs.unit, times=at,
        rows=rows, risk=risk, score=score, performance=performance(rows, risk, score, at, level=level), mapping=used,
        problems=problems, misfits=misfits, cautions=_cautions(model, cohort, rows, learnt_from),
    )  # fmt: skip


def settled(
    model: Fitted, cohort: Cohort, outcome: Outcome, *, confirmed: bool, mapping: Mapping = ()
) -> tuple[Problem, ...]:
    """What differs between the outcomes, or is not recorded, where that does not stand in the way.

    Raises
    ------
    Fixable
        If they are different events, or might be and nobody has confirmed that they are not; or if too few of the
        model's variables are recorded.
    """
    problems = (*compare_definitions(model, cohort, outcome), *compare_variables(model, mapping))
    for problem in problems:
        if problem.weight == "refuse":
            raise Fixable("The model can't be tested on this outcome.", problem.why, problem.next_step)
        if problem.weight == "confirm" and not confirmed:
            raise Fixable("The model was not tested yet.", problem.why, problem.next_step)
    return problems


def followed_rows(model: Fitted, cohort: Cohort, outcome: Outcome) -> Rows:
    """What came, as the model's target counts it.

    Raises
    ------
    Fixable
        If nobody had the event.
    """
    split = model.target == "event" and outcome.has_competing
    cause = cohort.cause(outcome) if split else cohort.event(outcome).astype(int)
    rows = rows_of(merge_ties(cohort.time(outcome)), cause, cohort.entry(outcome))
    if not (rows.cause == 1).any():
        raise Fixable(
            "The model can't be tested on these patients.",
            f"“{outcome.label}” occurred in none of the {len(cohort):,} patients.",
            "Choose more patients, or another outcome.",
        )
    return rows


def within_both(model: Fitted, rows: Rows, outcome: Outcome, times: Sequence[float] | np.ndarray) -> np.ndarray:
    """Times at which both the model and these patients have something to say, ascending.

    Raises
    ------
    Fixable
        If one is not.
    """
    at = np.unique(np.asarray(times, dtype=float))
    last = min(float(rows.time.max()), float(convert(model.last, model.outcome.unit, outcome.unit)))
    if not (len(at) and at[0] > 0 and at[-1] <= last * (1 + SLACK)):
        raise Fixable(
            "The model can't be tested at that time.",
            f"Both the patients it learnt from and these were followed to {last:.6g} {outcome.unit} at most.",
            "Choose a time above 0 and within it.",
        )
    return at


def performance(
    rows: Rows, risk: np.ndarray, score: np.ndarray, times: np.ndarray, *, level: float = 0.95
) -> Performance:
    """How risks compare with what came.

    Parameters
    ----------
    rows : Rows
    risk : array, shape (n, t)
    score : array, shape (n,)
        Higher means sooner.
    times : array, shape (t,)
    """
    return Performance(
        at=tuple(_at(rows, risk[:, j], float(t), level) for j, t in enumerate(times)),
        c=harrell(rows, score, level),
        slope=calibration_slope(rows.time, rows.cause, cloglog(risk[:, -1]), entry=rows.entry, level=level),
        n=len(rows.time),
        n_events=int((rows.cause == 1).sum()),
    )


def _at(rows: Rows, risk: np.ndarray, t: float, level: float) -> PerformanceAt:
    given, entry = (rows.time, rows.cause, risk, t), rows.entry
    overall = overall_calibration(*given, entry=entry, level=level)
    weak = weak_calibration(*given, entry=entry, level=level)
    brier, ipa = accuracy_of(rows, risk, t, level)
    area = auc(rows.time, rows.cause, risk, [t], entry=entry, level=level)
    error = observed_with_error(rows, t, level)[1]
    return PerformanceAt(
        t=t, overall=overall,
        ratio_error=error / overall.observed.risk if overall.observed.risk > 0 else float("nan"),
        intercept=weak.intercept, slope=weak.slope,
        smooth=smooth_calibration(*given, entry=entry, level=level),
        groups=calibration_groups(*given, groups=5, entry=entry, level=level),
        brier=brier, ipa=ipa,
        auc=Estimate(*(float(x[0]) for x in (area.value, area.std_err, area.lower, area.upper))),
        n_events=overall.observed.n_events, n_followed=int((rows.time > t * (1 + SLACK)).sum()),
    )  # fmt: skip


def _updated_on(model: Fitted) -> set[str]:
    """Fingerprints of the patients that a recalibrated model, or what it was before, was fitted anew to."""
    found: set[str] = set()
    inner: object = model
    while (updated := getattr(inner, "updated", None)) is not None:
        found.add(str(updated["fingerprint"]))
        inner = getattr(inner, "model", None)
    return found


def _cautions(model: Fitted, cohort: Cohort, rows: Rows, learnt_from: Cohort | None) -> tuple[str, ...]:
    found = []
    if cohort.fingerprint in _updated_on(model):
        found.append("The model was updated on these patients: this is no test of the update.")
    if model.cohort_fingerprint == cohort.fingerprint:
        found.append("These are the patients that the model learnt from: this is no test of it.")
    elif learnt_from is not None and learnt_from.fingerprint == model.cohort_fingerprint:
        both = len(set(learnt_from.identifiers) & set(cohort.identifiers)) if learnt_from.key == cohort.key else 0
        if both:
            found.append(f"The model learnt from {both:,} of these {len(cohort):,} patients: the test is too kind.")
    elif model.cohort_key == cohort.key:
        found.append(
            "These patients are of the cohort that the model learnt from: if some were among those, the test is "
            "too kind."
        )
    events = int((rows.cause == 1).sum())
    if events < ENOUGH_EVENTS:
        found.append(
            f"{events:,} events leave the calibration open within wide limits; {ENOUGH_EVENTS} or more are asked for."
        )
    return tuple(found)
