"""Who is in the cohort, and for how long they were followed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bedside.cohort.cohort import Cohort
from bedside.cohort.outcome import Outcome
from bedside.cohort.units import Unit
from bedside.cohort.variable import Variable

MOST_BARS = 20


@dataclass(frozen=True)
class LevelCount:
    """Patients at one level; ``share`` is of those in whom the variable was recorded."""

    code: str
    label: str
    n: int
    share: float


@dataclass(frozen=True, eq=False)
class Histogram:
    """Patients in bars: ``counts`` shape (n_bars,), ``edges`` shape (n_bars + 1,)."""

    counts: np.ndarray
    edges: np.ndarray


@dataclass(frozen=True, eq=False)
class Summary:
    """One variable over all patients.

    Parameters
    ----------
    variable : Variable
        What is summarised.
    n, missing : int
        Patients in whom it was recorded, and in whom it was not.
    mean, sd, median, q1, q3, min, max : float
        Of a continuous variable, in its unit; quartiles as R's type 7, ``sd``
        with n - 1. NaN if there is nothing to compute them from.
    histogram : Histogram or None
        Of a continuous variable with at least one value.
    out_of_range : int
        Values outside the plausible range; they are kept.
    levels : tuple of LevelCount
        Of a grouped variable, in dictionary order, empty levels included.
    """

    variable: Variable
    n: int
    missing: int
    mean: float = math.nan
    sd: float = math.nan
    median: float = math.nan
    q1: float = math.nan
    q3: float = math.nan
    min: float = math.nan
    max: float = math.nan
    histogram: Histogram | None = None
    out_of_range: int = 0
    levels: tuple[LevelCount, ...] = ()

    def say(self) -> str:
        """``"53 years (46 to 61)"``: median and quartiles; or the commonest level and its share."""
        if not self.n:
            return "not recorded in anyone"
        if self.variable.is_numeric:
            v = self.variable
            return f"{v.say(self.median)} ({v.number(self.q1)} to {v.number(self.q3)})"
        top = max(self.levels, key=lambda level: level.n)
        percent = f"{100 * top.share:.0f}"
        return f"{top.label} {'over 99' if percent == '100' and top.n < self.n else percent}%"


@dataclass(frozen=True)
class FollowUp:
    """Follow-up for one outcome.

    Parameters
    ----------
    n, events, censored : int
        Patients; with an event (competing ones included); without.
    median_followup : float
        Median follow-up in ``unit`` by reverse Kaplan-Meier; NaN if it was
        not reached.
    unit : str
        Unit of the outcome's time.
    longest : float
        Longest time in ``unit``.
    causes : tuple of (str, int)
        Patients by kind of event, where events compete.
    """

    n: int
    events: int
    censored: int
    median_followup: float
    unit: Unit
    longest: float
    causes: tuple[tuple[str, int], ...] = ()


def table_one(cohort: Cohort) -> tuple[Summary, ...]:
    """A summary of each variable that patients can be chosen by, in file order.

    Parameters
    ----------
    cohort : Cohort
        The patients.

    Returns
    -------
    tuple of Summary
        Identifiers, dates and free text are left out.

    References
    ----------
    Quartiles: Hyndman & Fan (1996), Am Stat 50:361-365, type 7;
    R: ``quantile(x, c(.25, .5, .75))``.
    """
    return tuple(summarise(variable, cohort.frame[variable.name]) for variable in cohort.filterable)


def summarise(variable: Variable, column: pd.Series) -> Summary:
    """One variable over the rows of its column."""
    return _numbers(variable, column) if variable.is_numeric else _levels(variable, column)


def _numbers(variable: Variable, column: pd.Series) -> Summary:
    values = column.to_numpy(dtype=float)
    known = values[~np.isnan(values)]
    missing = len(values) - len(known)
    if not known.size:
        return Summary(variable, 0, missing)
    # Halving four times is exact, and keeps what lies between two values within what a number can be.
    shrunk = 16.0 if np.abs(known).max() > 1e300 else 1.0
    q1, median, q3 = np.quantile(known / shrunk, [0.25, 0.5, 0.75]) * shrunk
    outside = 0
    if variable.plausible is not None:
        low, high = variable.plausible
        outside = int(((known < low) | (known > high)).sum())
    with np.errstate(over="ignore", invalid="ignore"):
        mean, sd = float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else math.nan
    return Summary(
        variable,
        n=len(known),
        missing=missing,
        mean=mean,
        sd=sd,
        median=float(median),
        q1=float(q1),
        q3=float(q3),
        min=float(known.min()),
        max=float(known.max()),
        histogram=_histogram(known),
        out_of_range=outside,
    )


def _histogram(known: np.ndarray) -> Histogram:
    """Up to twenty bars of equal width; whole numbers sit in the middle of theirs."""
    low, high = float(known.min()), float(known.max())
    if not math.isfinite(high - low + 1):
        # Further apart than a number can be: no bars of equal width lie between them.
        return Histogram(np.array([len(known)]), np.array([low, high]))
    if np.all(known == np.round(known)):
        width = float(max(1, math.ceil((high - low + 1) / MOST_BARS)))
        edges = np.arange(low - 0.5, high + width, width)
    elif low == high:
        edges = np.array([np.nextafter(low, -np.inf), np.nextafter(high, np.inf)])
    else:
        edges = np.linspace(low, high, MOST_BARS + 1)
    return Histogram(*np.histogram(known, bins=edges))


def _levels(variable: Variable, column: pd.Series) -> Summary:
    codes = column.cat.codes.to_numpy()
    n = int((codes >= 0).sum())
    counts = np.bincount(codes[codes >= 0], minlength=len(column.cat.categories))
    levels = tuple(
        LevelCount(str(code), variable.label_of(code), int(count), int(count) / n if n else math.nan)
        for code, count in zip(column.cat.categories, counts, strict=True)
    )
    return Summary(variable, n, len(codes) - n, levels=levels)


def followup(cohort: Cohort, outcome: Outcome | str) -> FollowUp:
    """How long patients were followed for an outcome.

    Parameters
    ----------
    cohort : Cohort
        The patients.
    outcome : Outcome or str
        One of the cohort's outcomes, or its key.

    Returns
    -------
    FollowUp
        In the outcome's own unit.

    References
    ----------
    Schemper & Smith (1996), Control Clin Trials 17:343-346.
    R: ``quantile(survfit(Surv(time, 1 - status) ~ 1), 0.5)``.
    """
    from bedside.survival import reverse_kaplan_meier  # survival knows cohorts; imported here to break the circle

    told = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    time, event = cohort.time(told), cohort.event(told)
    entry = cohort.entry(told)
    if entry is None or np.isnan(entry).all():
        curve = reverse_kaplan_meier(time, event, unit=told.unit)
    else:
        known = ~np.isnan(entry)
        curve = reverse_kaplan_meier(time[known], event[known], unit=told.unit, entry=entry[known])
    status = cohort.frame[told.status]
    kinds = {told.cause_label or told.label: told.event, **told.competing} if told.has_competing else {}
    return FollowUp(
        n=len(cohort),
        events=int(event.sum()),
        censored=int((~event).sum()),
        median_followup=float(curve.median.estimate),
        unit=told.unit,
        longest=float(time.max()) if len(time) else math.nan,
        causes=tuple((label, int(status.isin(codes).sum())) for label, codes in kinds.items()),
    )
