"""Columns that hold another outcome: what happened later to the same patients, under a name of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from bedside.cohort import Outcome, Variable
from bedside.risk.leaks_columns import FEW_VALUES, Column, Followed

FEWEST = 20
"""Patients of a level, and of the others."""
STRAY = 0.01
"""Share of a level that may be wrongly recorded."""
CHANCE = 1e-6
EXPECTED = float(-np.log(CHANCE))
"""Events that must have been expected where none came: the chance of none is then below one in a million."""
NEARLY_ALL = 0.8

WORDS = frozenset((
    "death", "deceased", "dead", "died", "dfs", "dss", "efs", "pfs", "progression", "recur", "recurred", "recurrence",
    "recurrent", "relapse", "relapsed", "rfs", "survival", "vital",
))  # fmt: skip
"""Words for what is seen in follow-up."""
BEFORE = frozenset((
    "baseline", "before", "earlier", "family", "father", "history", "mother", "number", "parent", "previous", "prior",
))  # fmt: skip
"""Words of what was there at time zero."""


@dataclass(frozen=True)
class Implied:
    """A level that settles what happened to its patients.

    Attributes
    ----------
    level : str
    with_event : bool
        True if all had the event, False if none had.
    patients, events : int
        Of the level.
    expected : float
        Events that the follow-up of its patients would have had at everybody's hazard.
    others : float
        Share with the event among the other levels together.
    """

    level: str
    with_event: bool
    patients: int
    events: int
    expected: float
    others: float

    @property
    def grave(self) -> bool:
        """True if the other levels say nearly the opposite, as the status of a wider or narrower outcome does."""
        return self.others >= NEARLY_ALL if not self.with_event else self.others <= 1 - NEARLY_ALL


def implied(column: Column, seen: Followed) -> Implied | None:
    """The level of a column whose patients all had the event, or none of them, against what was to be expected.

    By Fisher's exact test, and where none had it by the number expected from their follow-up too, so that a level of
    short follow-up is not suspected. One of 100 in a level may be wrong.
    """
    here = column.present
    if column.variable.is_numeric and column.distinct > FEW_VALUES:
        return None
    values, code = np.unique(column.values[here], return_inverse=True)
    if not 2 <= len(values) <= FEW_VALUES:
        return None
    event, expected = seen.event[here], _expected(seen)[here]
    count, events = (np.bincount(code, weights=w, minlength=len(values)) for w in (np.ones(len(code)), event))
    hoped = np.bincount(code, weights=expected, minlength=len(values))
    n, total = count.sum(), events.sum()
    for level in np.argsort(-count, kind="stable"):
        size, ended = count[level], events[level]
        none, every = ended <= STRAY * size, ended >= (1 - STRAY) * size
        if min(size, n - size) < FEWEST or not (every or (none and hoped[level] - ended >= EXPECTED)):
            continue
        table = [[ended, size - ended], [total - ended, n - size - (total - ended)]]
        if _fisher(table) < CHANCE:
            name = column.levels[int(values[level])] if column.levels else f"{values[level]:g}"
            rest = float((total - ended) / (n - size))
            return Implied(name, bool(every), int(size), int(ended), float(hoped[level]), rest)
    return None


def _fisher(table: list[list[int]]) -> float:
    from scipy.stats import fisher_exact  # half a second, for the few columns that come so far

    return float(fisher_exact(table)[1])


def _expected(seen: Followed) -> np.ndarray:
    """Events that each patient's follow-up would have had at everybody's hazard, shape (n,)."""
    times, many = np.unique(seen.stop[seen.event], return_counts=True)
    stops = np.sort(seen.stop)
    at_risk = len(stops) - np.searchsorted(stops, times, side="left")
    if seen.entry is not None:
        at_risk = at_risk - (len(stops) - np.searchsorted(np.sort(seen.entry), times, side="left"))
    hazard = np.concatenate(([0.0], np.cumsum(many / np.maximum(at_risk, 1))))
    until = hazard[np.searchsorted(times, seen.stop, side="right")]
    return until if seen.entry is None else until - hazard[np.searchsorted(times, seen.entry, side="right")]


def sounds_like_an_outcome(column: Column, outcomes: tuple[Outcome, ...]) -> str | None:
    """The word in the name or the label of a column of two or three levels that outcomes are called by, if any.

    Words of the outcomes' own columns and labels count too. "Previous", "family" and the like speak of time zero.
    """
    if not 2 <= column.distinct <= 3:
        return None
    words = _words(column.variable)
    if any(word in BEFORE for word in words):
        return None
    own = {word for outcome in outcomes for word in _split(outcome.status) if word not in ("status", "event")}
    return next((word for word in words if word in WORDS or word in own), None)


def related(column: Column, seen: Followed) -> float:
    """How likely the levels differ so much in having the event by chance: the smallest of Fisher's tests, times k."""
    here = column.present
    values, code = np.unique(column.values[here], return_inverse=True)
    event = seen.event[here]
    chances = [
        _fisher([[int((event & of).sum()), int((~event & of).sum())],
                 [int((event & ~of).sum()), int((~event & ~of).sum())]])
        for of in (code == k for k in range(len(values)))
    ]  # fmt: skip
    return min(1.0, len(values) * float(min(chances)))


def _words(variable: Variable) -> list[str]:
    return [*_split(variable.name), *_split(variable.label)]


def _split(text: str) -> list[str]:
    return [word for word in re.split(r"[^a-z]+", text.lower()) if word]
