"""What is known of each time: seen, censored on the right or on the left, or between two visits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bedside.errors import Fixable

RIGHT, EXACT, LEFT, INTERVAL = 0, 1, 2, 3
MOST_NAMED = 5
NO_FIT = "No parametric model."


@dataclass(frozen=True, eq=False)
class Response:
    """Times with what is known of them, one for each row.

    Attributes
    ----------
    time : array, shape (n,)
        When the event was seen; the last time without it, if censored on the right or between two times; the first
        time with it, if censored on the left. In the outcome's unit.
    upper : array, shape (n,)
        First time with the event where it came between two times; else equal to `time`.
    kind : array of int, shape (n,)
        0 censored on the right, 1 seen, 2 censored on the left, 3 between two times (R's codes).
    """

    time: np.ndarray
    upper: np.ndarray
    kind: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    @property
    def n_events(self) -> int:
        """Rows that are known to have had the event, whenever."""
        return int((self.kind != RIGHT).sum())

    def take(self, keep: np.ndarray) -> Response:
        """The rows where `keep` is True, or at the positions it holds."""
        return Response(self.time[keep], self.upper[keep], self.kind[keep])


def right_censored(time: ArrayLike, event: ArrayLike) -> Response:
    """The event was seen at `time`, or not until then. R: ``Surv(time, event)``."""
    times = _finite(time)
    return Response(times, times, np.where(np.asarray(event, dtype=bool), EXACT, RIGHT))


def left_censored(time: ArrayLike, event: ArrayLike) -> Response:
    """The event was seen at `time`, or had come before. R: ``Surv(time, event, type = "left")``."""
    times = _finite(time)
    return Response(times, times, np.where(np.asarray(event, dtype=bool), EXACT, LEFT))


def between(left: ArrayLike, right: ArrayLike) -> Response:
    """The event came after `left` and not after `right`.

    Parameters
    ----------
    left : array-like, shape (n,)
        Last time known without the event; missing or minus infinity: censored on the left at `right`.
    right : array-like, shape (n,)
        First time known with it; missing or infinite: censored on the right at `left`. Equal to `left`: seen then.

    Raises
    ------
    Fixable
        If both are missing, or `left` is after `right`; the rows are named.

    References
    ----------
    R: ``Surv(left, right, type = "interval2")``.
    """
    low, high = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    no_low, no_high = ~np.isfinite(low), ~np.isfinite(high)
    refuse_rows(
        no_low & no_high,
        "has neither a time without the event nor one with it",
        "have neither a time without the event nor one with it",
        "Fill in one of the two, or leave these rows out with a filter.",
    )
    known = ~(no_low | no_high)
    refuse_rows(
        known & (np.where(known, low, 0) > np.where(known, high, 0)),
        "has an interval that ends before it begins",
        "have an interval that ends before it begins",
        "Correct the two times in the source.",
    )
    kind = np.where(no_high, RIGHT, np.where(no_low, LEFT, np.where(low == high, EXACT, INTERVAL)))
    time = np.where(no_low, high, low)
    return Response(time, np.where(kind == INTERVAL, high, time), kind)


def refuse_rows(bad: np.ndarray, one: str, many: str, next_step: str, *, places: np.ndarray | None = None) -> None:
    """Refuse, with the places of the rows that are no good, if any are.

    Parameters
    ----------
    bad : array of bool, shape (n,)
    one, many, next_step : str
        What is wrong with one or many of them, and what to do.
    places : array of int, shape (n,), optional
        Positions of the rows in the table they come from, counted from 0.

    Raises
    ------
    Fixable
    """
    rows = np.flatnonzero(bad) if places is None else places[bad]
    if not len(rows):
        return
    if len(rows) == 1:
        raise Fixable(NO_FIT, f"Row {rows[0] + 1} {one}.", next_step)
    named = ", ".join(str(row + 1) for row in rows[:MOST_NAMED])
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    raise Fixable(NO_FIT, f"{len(rows)} rows {many}: rows {named}{more}.", next_step)


def on_log_scale(
    response: Response, *, zero_as: float | None, label: str, places: np.ndarray | None = None
) -> Response:
    """The response with logarithms of its times.

    Rows censored at 0 stay as rows that say nothing (minus infinity, censored on the right); an interval that
    begins at 0 is one that is censored on the left.

    Raises
    ------
    Fixable
        If a time is negative, or an event came at 0 and `zero_as` is not given; the rows are named.
    """
    refuse_rows(
        (response.time < 0) | (response.upper < 0),
        "has a negative time",
        "have negative times",
        "Correct them in the source, or leave them out with a filter.",
        places=places,
    )
    time, upper, kind = response.time, response.upper, response.kind
    begins = (kind == INTERVAL) & (time == 0)
    time, kind = np.where(begins, upper, time), np.where(begins, LEFT, kind)
    at_zero = (time == 0) & (kind != RIGHT)
    if zero_as is not None and zero_as > 0:
        time = np.where(at_zero, zero_as, time)
        upper = np.where(at_zero, zero_as, upper)
    else:
        refuse_rows(
            at_zero,
            f"has the event at time 0, where the {label} model has no chance of one",
            f"have the event at time 0, where the {label} model has no chance of one",
            "Count them as half a day (half the smallest unit), leave them out with a filter, or use Cox regression.",
            places=places,
        )
    with np.errstate(divide="ignore"):
        return Response(np.log(time), np.log(upper), kind)


def _finite(time: ArrayLike) -> np.ndarray:
    times = np.asarray(time, dtype=float)
    refuse_rows(
        ~np.isfinite(times),
        "has no follow-up time",
        "have no follow-up time",
        "Correct these rows in the source, or leave them out with a filter.",
    )
    return times
