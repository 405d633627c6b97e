"""From counts to a curve: survival, hazard, standard errors and interval at each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from bedside.cohort.units import Unit
from bedside.errors import Fixable
from bedside.survival.curve import Curve, Estimator
from bedside.survival.influence import Influence, influence_on
from bedside.survival.intervals import Interval, interval_of

if TYPE_CHECKING:
    from bedside.survival.events import EventTable, Rows

EVERYONE = "All patients"


@dataclass(frozen=True, eq=False)
class _Path:
    """An estimate and what its robust variance needs: see `influence_on`."""

    value: np.ndarray
    variance: np.ndarray
    path: np.ndarray
    jump: np.ndarray


def curve_of(
    table: EventTable,
    *,
    group: str = EVERYONE,
    unit: Unit = "days",
    level: float = 0.95,
    interval: Interval = "log-log",
    estimator: Estimator = "kaplan-meier",
    rows: Rows | None = None,
    origin: float = 0.0,
    dropped: int = 0,
) -> Curve:
    """The curve of a table of counts.

    Parameters
    ----------
    table : EventTable
        Counts, from `event_table` or from an engine.
    group, unit, level, interval
        As in `kaplan_meier`.
    estimator : {"kaplan-meier", "nelson-aalen", "fleming-harrington"}, default "kaplan-meier"
        S(t) as the product of 1 - d/n, or as exp(-H(t)) with H the sum of d/n
        (Nelson-Aalen), or of 1/n + 1/(n - 1) + ... where d events are tied
        (Fleming and Harrington). The cumulative hazard of the curve is the
        latter's, or else Nelson-Aalen's.
    rows : Rows, optional
        The patients that the table counts. If given, standard errors are the
        infinitesimal jackknife's, right for weights that are no counts and for
        repeated rows; else Greenwood's.
    origin : float, default 0
        Where the curve starts.
    dropped : int
        How many patients of the group are in no count.

    Returns
    -------
    Curve

    Raises
    ------
    Fixable
        If the estimator, the level or the scale is not known.

    Notes
    -----
    R 3.5-3's ``survfit(..., stype = 2, ctype = 1, robust = TRUE)`` takes the
    standard error of the hazard for that of S; here it is that of log S.

    References
    ----------
    Kaplan & Meier (1958), JASA 53:457-481; Nelson (1972), Technometrics
    14:945-966; Aalen (1978), Ann Stat 6:701-726; Fleming & Harrington (1984),
    Comm Stat Theory 13:2469-2486. R: ``survfit(..., stype = , ctype = , robust = )``.
    """
    if estimator not in get_args(Estimator):
        known = ", ".join(get_args(Estimator))
        raise Fixable("No curve.", "The estimator is not known.", f"Choose one of: {known}.")
    hazard = _fleming_harrington(table) if estimator == "fleming-harrington" else _nelson_aalen(table)
    if estimator == "kaplan-meier":
        log_survival = _greenwood(table)
        survival = log_survival.value
    else:
        log_survival, survival = hazard, np.exp(-hazard.value)
    influence, log_variance, hazard_variance = None, log_survival.variance, hazard.variance
    if rows is not None:
        influence = _influence(table, log_survival, rows)
        log_variance = np.where(survival > 0, influence.variance(), 0.0)
        hazard_variance = log_variance if log_survival is hazard else _influence(table, hazard, rows).variance()
    log_std_err = np.sqrt(log_variance)
    lower, upper = interval_of(survival, log_std_err, level=level, interval=interval)
    with np.errstate(invalid="ignore"):
        std_err = log_std_err * survival
    first, later = _first(table, origin), {
        "time": table.time, "survival": survival, "lower": lower, "upper": upper,
        "at_risk": table.at_risk, "events": table.events, "censored": table.censored,
        "std_err": std_err, "log_std_err": log_std_err,
        "cumulative_hazard": hazard.value, "hazard_std_err": np.sqrt(hazard_variance),
    }  # fmt: skip
    later |= {"entered": table.entered, "count": table.event_count}
    arrays = {name: np.concatenate(([first[name]], values)) for name, values in later.items() if values is not None}
    for values in arrays.values():
        values.flags.writeable = False
    return Curve(
        group=group, unit=unit, **arrays, n=table.n, n_events=int(table.counted.sum()), level=level, interval=interval,
        estimator=estimator, entry_time=table.entry_time, entry_number=table.entry_number, influence=influence,
        dropped=dropped,
    )  # fmt: skip


def _first(table: EventTable, origin: float) -> dict[str, float]:
    """The step that the curve starts with: everybody alive, and at risk who is observed from there."""
    present, joining = table.at_risk[0], 0
    if table.entry_time is not None and table.entry_number is not None:
        early = table.entry_number[(table.entry_time > origin) & (table.entry_time < table.time[0])].sum()
        present, joining = present - early, early
    return {
        "time": origin, "survival": 1.0, "lower": 1.0, "upper": 1.0,
        "at_risk": present, "events": 0, "censored": 0, "entered": joining, "count": 0,
        "std_err": 0.0, "log_std_err": 0.0, "cumulative_hazard": 0.0, "hazard_std_err": 0.0,
    }  # fmt: skip


def _greenwood(table: EventTable) -> _Path:
    n, d = table.at_risk, table.events
    with np.errstate(divide="ignore"):
        step = d / (n * (n - d).astype(float))
        jump = 1 / (n - d).astype(float)
    # Where nobody stays, S is 0 and nobody's weight can change it.
    over = n == d
    path = np.cumsum(np.where(over, 0.0, step))
    return _Path(np.cumprod((n - d) / n), np.cumsum(step), path, np.where(over, 0.0, jump))


def _nelson_aalen(table: EventTable) -> _Path:
    n, d = table.at_risk, table.events
    squared = np.cumsum(d / (n * n.astype(float)))
    return _Path(np.cumsum(d / n), squared, squared, 1 / n)


def _fleming_harrington(table: EventTable) -> _Path:
    """Tied events one after the other, each with its share of their weight."""
    count = table.counted
    place = np.repeat(np.arange(len(count)), count)
    before = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
    share = (table.events / np.maximum(count, 1))[place]
    inverse = 1 / (table.at_risk[place] - before * share)
    left = 1 - before / count[place]
    total, squared, tilted = (
        np.bincount(place, weights=share * y, minlength=len(count)) for y in (inverse, inverse**2, left * inverse**2)
    )
    mean = np.divide(total, table.events, out=np.zeros(len(count)), where=count > 0)
    variance = np.cumsum(squared)
    return _Path(np.cumsum(total), variance, variance, mean + squared - tilted)


def _influence(table: EventTable, of: _Path, rows: Rows) -> Influence:
    return influence_on(
        table, of.path, of.jump,
        time=rows.time, event=rows.event, entry=rows.entry, weights=rows.weights, cluster=rows.cluster,
    )  # fmt: skip
