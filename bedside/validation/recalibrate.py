"""A model fitted anew to other patients: its baseline, or its baseline and how far its risks are apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.cohort.units import convert
from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.risk.fit import FEWEST_EVENTS
from bedside.risk.fits import require_fit
from bedside.risk.fitted import Fitted
from bedside.validation.calibration import Estimate, cloglog, estimate
from bedside.validation.external import External, Performance, external, followed_rows, performance
from bedside.validation.external_map import Mapping, guess_mapping, mapped_cohort
from bedside.validation.measure import Rows
from bedside.validation.recalibrated import ENOUGH_EVENTS, How, Recalibrated, baseline_hazard
from bedside.validation.resample import folds_for, stratified_by_cause
from bedside.validation.weak import weak_calibration

FOLDS, REPEATS = 10, 5


@dataclass(frozen=True, eq=False)
class Update:
    """A recalibration, before and after.

    Attributes
    ----------
    model : Recalibrated
        Updated on all patients.
    before : External
    after : Performance
        Of risks from updates on the other patients: ten-fold cross-validation, repeated five times and averaged, since
        the same patients can't both update a model and test it.
    apparent : Performance
        Of the update on the patients it was made on: too kind, for comparison alone.
    risk : array, shape (n, t)
        Those behind `after`.
    folds, repeats : int
    sentence : str
        How `after` was worked out.
    cautions : tuple of str
    """

    model: Recalibrated
    before: External
    after: Performance
    apparent: Performance
    risk: np.ndarray = field(repr=False)
    folds: int
    repeats: int
    sentence: str
    cautions: tuple[str, ...]


def recalibrate(
    model: Fitted,
    cohort: Cohort,
    outcome: Outcome | str,
    *,
    times: Sequence[float] | np.ndarray,
    how: How = "baseline",
    mapping: Mapping | None = None,
    confirmed: bool = False,
    learnt_from: Cohort | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> Update:
    """Fit a model's baseline, or baseline and slope, to another cohort's patients.

    Parameters
    ----------
    model, cohort, outcome, times, mapping, confirmed, learnt_from, level
        As `bedside.validation.external.external`. The last of `times` is the anchor: patients are told apart by
        their risk by then, for any kind of model.
    how : {"baseline", "slope"}
    seed : int
        Of the folds.

    Raises
    ------
    Fixable
        As `external`; with fewer than 10 events, or a slope that is not above 0.

    Notes
    -----
    Without competing events a Cox model of the new outcome with log(-log(1 - risk by the anchor)) as offset (baseline)
    or only column (slope), Efron's ties and baseline; for a Cox model that is its linear predictor. The new baseline is
    proportional: a model whose hazards cross in time loses that. With competing events intercept, or intercept and
    slope, on the log(-log) scale by the anchor, from pseudo-values.

    References
    ----------
    Van Houwelingen (2000), Stat Med 19:3401-3415. Steyerberg et al. (2004), Stat Med 23:2567-2586. Vergouwe et al.
    (2017), Stat Med 36:4529-4539. R: ``coxph(Surv(time, event) ~ offset(lp))`` and ``~ lp`` with ``survfit``.
    """
    theirs = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    before = external(
        model, cohort, theirs, times=times, mapping=mapping, confirmed=confirmed, learnt_from=learnt_from, level=level
    )
    used = guess_mapping(model, cohort) if mapping is None else mapping
    patients = mapped_cohort(model, cohort, used)
    require_fit(model, patients)
    rows = followed_rows(model, cohort, theirs)
    check_events(rows, theirs)
    updated = {"title": cohort.short_title, "fingerprint": cohort.fingerprint, "n": len(cohort),
               "n_events": int((rows.cause == 1).sum())}  # fmt: skip
    to_unit = float(convert(1.0, theirs.unit, model.outcome.unit))
    own = Rows(rows.time * to_unit, rows.cause, rows.event, None if rows.entry is None else rows.entry * to_unit)
    at = before.times * to_unit
    anchor = float(min(at[-1], model.last))
    seen = model.risk(patients.frame, [anchor])[:, 0]
    made = _updated(model, seen, own, anchor, how, updated, level)
    risk = made.adjusted(seen, before.risk, at)

    def again(part: Rows, rows_of_part: np.ndarray) -> Recalibrated:
        return _updated(model, seen[rows_of_part], part, anchor, how, updated, level)

    out, folds = _held_out(again, seen, before.risk, own, at, seed)
    after = performance(rows, out, before.score, before.times, level=level)
    return Update(
        model=made, before=before, after=after,
        apparent=performance(rows, risk, before.score, before.times, level=level),
        risk=out, folds=folds, repeats=REPEATS, cautions=_cautions(made, how),
        sentence=f"After the update: each patient's risk comes from updates on the others ({folds}-fold "
        f"cross-validation, {REPEATS} times, averaged). C stays as it was: an update changes no order.",
    )  # fmt: skip


def check_events(rows: Rows, outcome: Outcome) -> None:
    """Stop with the reason where there are fewer than 10 events.

    Raises
    ------
    Fixable
    """
    events = int((rows.cause == 1).sum())
    if events < FEWEST_EVENTS:
        raise Fixable(
            "The model can't be updated on these patients.",
            f"“{outcome.label}” occurred {events} time{'s' if events != 1 else ''} here; an update needs at least "
            f"{FEWEST_EVENTS} events.",
            "Use the model as it is, or collect more patients.",
        )


def _updated(
    model: Fitted, risk: np.ndarray, rows: Rows, anchor: float, how: How, updated: Map[str, Any], level: float
) -> Recalibrated:
    """From the model's risks by the anchor; times in the model's unit."""
    cll = cloglog(risk)
    centre, none = float(cll.mean()), np.zeros(0)
    given = {"model": model, "how": how, "anchor": anchor, "reach": float(rows.time.max()), "updated": updated}
    if rows.competes:
        weak = weak_calibration(rows.time, rows.cause, risk, anchor, entry=rows.entry, level=level)
        slope = estimate(1.0, 0.0, level) if how == "baseline" else weak.slope
        shift = weak.intercept.value if how == "baseline" else _shift(rows, risk, anchor, slope.value)
        _check_slope(slope, np.isfinite(shift))
        return Recalibrated(**given, slope=slope, shift=shift, centre=0.0, time=none, hazard=none)
    lp = cll - centre
    event = rows.cause == 1
    slope = estimate(1.0, 0.0, level)
    if how == "slope":
        fit = fit_cox(cox_data(lp, rows.time, event, names=("risk",), entry=rows.entry))
        slope = estimate(float(fit.coef[0]), float(np.sqrt(fit.variance[0, 0])), level)
    _check_slope(slope, found=True)
    time, hazard = baseline_hazard(rows, slope.value * lp)
    return Recalibrated(**given, slope=slope, shift=0.0, centre=centre, time=time, hazard=hazard)


def _check_slope(slope: Estimate, found: bool) -> None:
    if not (found and slope.value > 0):
        raise Fixable(
            "The model can't be updated on these patients.",
            "Its risks do not rank them: patients with a higher risk did not have the event sooner.",
            "Do not use this model for such patients; fit a new one.",
        )


def _shift(rows: Rows, risk: np.ndarray, t: float, slope: float) -> float:
    """Intercept beside a given slope: that of the risks as the slope makes them."""
    scaled = -np.expm1(-np.exp(np.minimum(slope * cloglog(risk), 700.0)))
    return weak_calibration(rows.time, rows.cause, scaled, t, entry=rows.entry).intercept.value


def _held_out(
    again: Callable[[Rows, np.ndarray], Recalibrated],
    seen: np.ndarray,
    before: np.ndarray,
    rows: Rows,
    at: np.ndarray,
    seed: int,
) -> tuple[np.ndarray, int]:
    """Each patient's mean risk from updates on others, shape (n, t), and how many folds there were."""
    folds = folds_for(int((rows.cause == 1).sum()), FOLDS)
    if folds is None:
        raise Fixable(
            "The update can't be tested.",
            f"Each part that it is made on needs {FEWEST_EVENTS} events.",
            "Use the model as it is, or collect more patients.",
        )
    total = np.zeros(before.shape)
    for repeat in range(REPEATS):
        fold = stratified_by_cause(rows.cause, folds, seed=seed + repeat)
        for k in range(folds):
            known, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            entry = None if rows.entry is None else rows.entry[known]
            made = again(Rows(rows.time[known], rows.cause[known], rows.event[known], entry), known)
            total[held] += made.adjusted(seen[held], before[held], at)
    return total / REPEATS, folds


def _cautions(made: Recalibrated, how: How) -> tuple[str, ...]:
    found = []
    events = int(made.updated["n_events"])
    if events < ENOUGH_EVENTS:
        safer = "" if how == "baseline" else " Updating the baseline alone asks less of them."
        found.append(f"{events} events are few for an update: fewer than {ENOUGH_EVENTS} may follow chance.{safer}")
    if how == "slope" and made.slope.lower <= 1 <= made.slope.upper:
        found.append(
            f"The slope of {made.slope.value:.2f} ({made.slope.lower:.2f} to {made.slope.upper:.2f}) is not shown to "
            "differ from 1: updating the baseline alone may be enough."
        )
    return tuple(found)
