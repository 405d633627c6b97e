"""Hazard ratios of groups against one of them, weighted or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.data import CoxData, cox_data
from bedside.survival.events import Rows


@dataclass(frozen=True)
class HazardRatio:
    """One group against the reference.

    Attributes
    ----------
    label, reference : str
        The two groups.
    n, events : int
        Patients and events in both together, not weighted.
    hr, lower, upper : float
        Hazard ratio and its interval; NaN where there is none.
    log_hr, se : float
        On the log scale; ``se`` is robust if ``robust``.
    p : float
        Two-sided Wald test.
    robust : bool
    why : str
        Where there is no hazard ratio, the reason as a sentence.
    """

    label: str
    reference: str
    n: int
    events: int
    hr: float
    lower: float
    upper: float
    log_hr: float
    se: float
    p: float
    robust: bool
    why: str = ""


def hazard_ratios(
    rows: Rows, codes: np.ndarray, labels: tuple[str, ...], *, reference: int = 0, level: float = 0.95
) -> tuple[HazardRatio, ...]:
    """Each group against the reference, from one Cox model with Efron's ties.

    Parameters
    ----------
    rows : Rows
        Checked columns of n patients; with weights, standard errors are robust.
    codes : int array, shape (n,)
        Group of each, from 0.
    labels : tuple of str
    reference : int, default 0
        The group that others are compared with.
    level : float, default 0.95
        Coverage.

    Returns
    -------
    tuple of HazardRatio
        One for each group but the reference. A group without patients or events, or a reference without them, gives
        one without numbers and with the reason.

    References
    ----------
    Binder (1992), Biometrika 79:139-147 (robust variance with weights).
    R: ``coxph(Surv(time, event) ~ group, weights = w, robust = TRUE)``.
    """
    robust = rows.weights is not None
    count = np.bincount(codes, minlength=len(labels))
    events = np.bincount(codes[rows.event], minlength=len(labels))
    others = [code for code in range(len(labels)) if code != reference]
    fitted, why = _fitted(rows, codes, labels, reference, [code for code in others if events[code]], robust=robust)
    told = []
    for code in others:
        n, seen = int(count[code] + count[reference]), int(events[code] + events[reference])
        if code in fitted:
            numbers = _numbers(*fitted[code], level)
            told.append(HazardRatio(labels[code], labels[reference], n, seen, *numbers, robust))
            continue
        reason = f"Nobody in “{labels[code]}” had the event." if not events[code] else why
        told.append(HazardRatio(labels[code], labels[reference], n, seen, *[math.nan] * 6, robust, reason))
    return tuple(told)


def _fitted(
    rows: Rows, codes: np.ndarray, labels: tuple[str, ...], reference: int, with_events: list[int], *, robust: bool
) -> tuple[dict[int, tuple[float, float]], str]:
    """Log hazard ratio and standard error of each group that has one, or why there is none."""
    if not (codes == reference).any():
        return {}, "The reference group has no patients here."
    if not rows.event[codes == reference].any():
        return {}, "Nobody in the reference group had the event."
    # A group without events would have a hazard ratio of 0; at that limit it weighs nothing for the others.
    keep = np.isin(codes, [reference, *with_events])
    data = group_data(rows.take(keep), codes[keep], with_events, labels)
    try:
        fit = fit_cox(data, robust=robust)
    except Fixable as stop:
        return {}, stop.why
    place = {name: code for name, code in zip(data.names, with_events, strict=True)}
    return {place[name]: (float(b), float(s)) for name, b, s in zip(fit.data.names, fit.coef, fit.se, strict=True)}, (
        "Its patients were never at risk at the same time as the others'."
    )


def group_data(rows: Rows, codes: np.ndarray, marked: list[int], labels: tuple[str, ...]) -> CoxData:
    """Columns that mark the groups, as one term."""
    # Two groups may have the same label; a number tells them apart.
    unique = len(set(labels)) == len(labels)
    return cox_data(
        (codes[:, None] == np.array(marked, dtype=int)).astype(float),
        rows.time,
        rows.event,
        names=tuple(labels[code] if unique else f"{labels[code]} ({code + 1})" for code in marked),
        assign=(0,) * len(marked),
        terms=("group",),
        entry=rows.entry,
        weights=rows.weights,
    )


def _numbers(log_hr: float, se: float, level: float) -> tuple[float, ...]:
    reach = float(ndtri((1 + level) / 2)) * se
    hr, lower, upper = (
        math.exp(value) if value < 700 else math.inf for value in (log_hr, log_hr - reach, log_hr + reach)
    )
    return hr, lower, upper, log_hr, se, float(2 * ndtr(-abs(log_hr) / se)) if se > 0 else math.nan
