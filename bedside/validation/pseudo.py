"""Pseudo-values of a risk: what each patient adds to the estimate, so that censored patients can be regressed on."""

from __future__ import annotations

import numpy as np

from bedside.survival.curve import SLACK
from bedside.validation.measure import Rows, rows_of


def pseudo_risk(
    time: np.ndarray, cause: np.ndarray, times: np.ndarray, *, entry: np.ndarray | None = None
) -> np.ndarray:
    """Jackknife pseudo-values of the risk of the event by each time, shape (n, t).

    n times the estimate (1 minus Kaplan-Meier; Aalen-Johansen with competing events) less n - 1 times the estimate
    without the patient, all from running products: no estimate is made anew.

    Parameters
    ----------
    time, cause : arrays, shape (n,)
        `cause` 0 censored, 1 the event, 2 and more competing.
    times : array, shape (t,)
    entry : array, shape (n,), optional
        Delayed entry: at risk in (entry, time].

    References
    ----------
    Andersen, Klein & Rosthøj (2003), Biometrika 90:15-27. R: ``prodlim::jackknife``.
    """
    rows = rows_of(time, cause, entry)
    at = np.atleast_1d(np.asarray(times, dtype=float)) * (1 + SLACK)
    n = len(rows.time)
    whole, without = _leave_one_out(rows, at)
    return n * whole - (n - 1) * without


def _leave_one_out(rows: Rows, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Risk by each time of all patients, shape (t,), and without each one, shape (n, t)."""
    n = len(rows.time)
    grid = np.unique(rows.time[rows.event])
    m = len(grid)
    began = np.full(n, -np.inf) if rows.entry is None else rows.entry
    at_risk = np.searchsorted(np.sort(began), grid, side="left") - np.searchsorted(
        np.sort(rows.time), grid, side="left"
    )
    place = np.searchsorted(grid, rows.time[rows.event])
    died = np.bincount(place, minlength=m).astype(float)
    own = np.bincount(place, weights=rows.cause[rows.event] == 1, minlength=m)
    free, risk = _running(died, own, at_risk)
    # One patient fewer at risk, but not the one with the event: what holds between a patient's entry and end.
    fewer = np.maximum(at_risk - 1, 0)
    free_less, risk_less = _running(died, own, fewer)
    first = np.searchsorted(grid, began, side="right")
    end = np.searchsorted(grid, rows.time, side="left")
    ends_here = rows.event
    reach = np.searchsorted(grid, at, side="right")
    without = np.empty((n, len(at)))
    for j, upto in enumerate(reach):
        a, b = np.minimum(first, upto), np.minimum(end, upto)
        base = np.divide(free[a], free_less[a], out=np.zeros(n), where=free_less[a] > 0)
        value = risk[a] + base * (risk_less[b] - risk_less[a])
        left = base * free_less[b]
        last = (end < upto) & (np.searchsorted(grid, rows.time, side="right") > end)
        k = np.minimum(end, max(m - 1, 0))
        if m:
            gone = last & ends_here
            others = np.maximum(fewer[k], 1)
            value = value + np.where(last, left * (own[k] - (gone & (rows.cause == 1))) / others, 0.0)
            left = np.where(last, left * (1 - (died[k] - gone) / others), left)
        after = np.minimum(np.searchsorted(grid, rows.time, side="right"), upto)
        rest = np.divide(left, free[after], out=np.zeros(n), where=free[after] > 0)
        without[:, j] = value + rest * (risk[upto] - risk[after])
    return risk[reach], without


def _running(died: np.ndarray, own: np.ndarray, at_risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Event-free chance and risk after 0, 1, 2, ... of the event times, shape (m + 1,) each."""
    there = np.maximum(at_risk, 1)
    free = np.concatenate(([1.0], np.cumprod(np.maximum(1 - died / there, 0.0))))
    return free, np.concatenate(([0.0], np.cumsum(free[:-1] * own / there)))
