"""Covariates and effects that change with time: risk sets spelled out, and follow-up cut at chosen times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bedside.errors import Fixable
from bedside.regression.data import CoxData
from bedside.regression.risksets import risk_sets, same_times

MOST_ROWS = 20_000_000


@dataclass(frozen=True, eq=False)
class TimeTerm:
    """A column that changes with time.

    Attributes
    ----------
    name : str
    values : array, shape (n,)
        One value for each row of the data.
    transform : callable
        Called with values and times of the same shape; gives the column.
    """

    name: str
    values: np.ndarray
    transform: Callable[[np.ndarray, np.ndarray], np.ndarray]


def with_time_terms(data: CoxData, terms: Sequence[TimeTerm]) -> CoxData:
    """Each risk set as a stratum of its own, with columns worked out at its event time.

    Parameters
    ----------
    data : CoxData
    terms : sequence of TimeTerm
        Appended to the columns.

    Returns
    -------
    CoxData
        A row for each event time and row at risk then; `rows` points into the table that `data` came from.

    Raises
    ------
    Fixable
        If that would be more than 20 million rows.

    References
    ----------
    R: ``coxph(... + tt(x), tt = function(x, t, ...) ...)``.
    """
    time, entry = same_times(data.time, data.entry)
    sets = risk_sets(time, data.event, entry=entry, strata=data.strata)
    lengths = sets.high - sets.low
    total = int(lengths.sum())
    if total * max(1, data.x.shape[1] + len(terms)) > 10 * MOST_ROWS or total > MOST_ROWS:
        raise Fixable(
            "This effect over time is too large to compute.",
            f"{len(data)} rows with {len(sets.time)} event times would become {total} rows.",
            "Let the effect change at a few chosen times instead, or use fewer patients.",
        )
    place = np.repeat(np.arange(len(data)), lengths)
    group = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths) + np.repeat(sets.low, lengths)
    row = sets.order[place]
    at = sets.time[group]
    taken = data.take(row)
    first = len(data.terms)
    return replace(
        taken,
        x=np.column_stack([taken.x, *(term.transform(term.values[row], at) for term in terms)]),
        names=data.names + tuple(term.name for term in terms),
        assign=data.assign + tuple(first + i for i in range(len(terms))),
        terms=data.terms + tuple(term.name for term in terms),
        time=at,
        event=data.event[row] & (time[row] == at),
        entry=None,
        strata=group,
        strata_labels=tuple(f"{t:g}" for t in sets.time),
    )


def split_at(data: CoxData, cuts: Sequence[float]) -> tuple[CoxData, np.ndarray]:
    """Follow-up cut at chosen times, so that an effect may differ before and after.

    Parameters
    ----------
    data : CoxData
    cuts : sequence of float
        Ascending, in the outcome's unit.

    Returns
    -------
    data : CoxData
        A row for each interval (entry, time] that a row of `data` reaches.
    interval : array of int
        Which interval each row is in, from 0.

    References
    ----------
    R: ``survSplit(Surv(time, event) ~ ., cut = , episode = )``.
    """
    begin = np.full(len(data), -np.inf) if data.entry is None else data.entry
    edges = np.concatenate(([-np.inf], np.asarray(cuts, dtype=float), [np.inf]))
    first = np.searchsorted(edges, begin, side="right") - 1
    last = np.searchsorted(edges, data.time, side="left") - 1
    lengths = last - first + 1
    row = np.repeat(np.arange(len(data)), lengths)
    interval = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + first[row]
    lowest = float(min(0.0, data.time.min(initial=0.0) - 1.0))
    entry = np.maximum(begin[row], edges[interval])
    split = replace(
        data.take(row),
        entry=np.where(np.isfinite(entry), entry, lowest if data.time.min(initial=1.0) <= 0 else 0.0),
        time=np.minimum(data.time[row], edges[interval + 1]),
        event=data.event[row] & (interval == last[row]),
    )
    return split, interval
