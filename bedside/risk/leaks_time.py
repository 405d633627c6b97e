"""Columns that grow with follow-up: times that it bounds, and levels that only survivors can reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bedside.cohort.units import DAYS, Unit, convert
from bedside.risk.leaks_columns import Column, Followed

FEWEST = 20
FEWEST_EARLY, FEWEST_LATER = 10, 5
RARE = 1e-4
EQUAL = 0.2


@dataclass(frozen=True)
class Bounded:
    """A column that follow-up bounds: shares of the patients with it recorded.

    Attributes
    ----------
    unit : str
        In which it was read.
    above, expected : float
        Longer than the patient's own follow-up, and than that of patients in general.
    equal : float
        Equal to it.
    """

    unit: Unit
    above: float
    expected: float
    equal: float


def bounded(column: Column, seen: Followed, unit: Unit) -> Bounded | None:
    """Whether a number behaves like a time within follow-up, in any unit of time.

    It does if at most 0.5% of patients have a longer one, where at least 10% (and 10 patients) would if values were
    dealt out anew, or if it equals the follow-up of 20% and five times as many as it would by chance.
    """
    here = column.present
    if column.levels or here.sum() < FEWEST or column.distinct < FEWEST:
        return None
    values, time = column.values[here], seen.stop[here]
    if values.min() < 0:
        return None
    named = [u for u in DAYS if column.variable.unit.casefold().strip() in (u, u[:-1])]
    for read_in in named or (unit, *(u for u in DAYS if u != unit)):
        own = convert(values, read_in, unit)
        told = _compared(own, time)
        if told is not None:
            return Bounded(read_in, *told)
    return None


def _compared(own: np.ndarray, time: np.ndarray) -> tuple[float, float, float] | None:
    n, slack = len(own), 1 + 1e-6
    above = float((own > time * slack).mean())
    ordered = np.sort(time)
    expected = float((np.searchsorted(ordered, own / slack, side="left") / n).mean())
    equal = float((np.abs(own - time) <= 1e-6 * time).mean())
    by_chance = np.searchsorted(ordered, own * slack, side="right") - np.searchsorted(ordered, own / slack, side="left")
    bound = above <= 0.005 and expected >= max(0.1, 10 / n)
    same = equal >= EQUAL and equal >= 5 * float(by_chance.mean()) / n
    return (above, expected, equal) if bound or same else None


@dataclass(frozen=True)
class Immortal:
    """A group of patients without any event for a while.

    Attributes
    ----------
    what : str
        Which patients, in words.
    n, others : int
        Patients in it; events of the others before its first.
    first, shortest : float
        Time of its first event, and its shortest follow-up.
    p : float
        Chance that it is spared for so long at the rate seen later.
    """

    what: str
    n: int
    others: int
    first: float
    shortest: float
    p: float


def immortal(column: Column, seen: Followed, tests: int) -> Immortal | None:
    """The group of a column whose event-free start is least likely by chance, if it is below 1 in 10,000.

    Groups are the levels, those with a value where some have none, and the highest quarter of a number. From the
    group's first event on, the ratio of its event rate to the others' is estimated (exact partial likelihood); the
    chance of no event in it before is the product, over the events before, of their not falling into it, at the lower
    95% limit of that ratio. It is multiplied by the number of tests.
    """
    found = [told for what, inside in _groups(column) if (told := _spared(inside, what, seen, tests)) is not None]
    return min(found, key=lambda told: told.p, default=None)


def _groups(column: Column) -> Iterator[tuple[str, np.ndarray]]:
    v, present = column.variable, column.present
    if not present.all() and present.any():
        yield f"{v.label} recorded", present
    if column.levels:
        for i, level in enumerate(column.levels):
            yield f"{v.label} “{v.label_of(level)}”", column.codes == i
    elif present.any():
        values = column.values[present]
        cut = float(np.quantile(values, 0.75))
        cut = cut if cut > values.min() else float(values[values > values.min()].min(initial=np.inf))
        yield f"{v.label} of {v.number(cut)} or more", np.where(present, column.values, -np.inf) >= cut


def _spared(inside: np.ndarray, what: str, seen: Followed, tests: int) -> Immortal | None:
    n, size = len(inside), int(inside.sum())
    if size < FEWEST or n - size < FEWEST or (seen.event & inside).sum() <= FEWEST_LATER:
        return None
    first = float(seen.stop[seen.event & inside].min())
    others = int((seen.event & ~inside & (seen.stop < first)).sum())
    if others < FEWEST_EARLY:
        return None
    when = seen.stop[seen.event]
    share = _at_risk(seen, inside, when) / _at_risk(seen, np.ones(n, dtype=bool), when)
    later = when > first
    ratio = _lower_ratio(share[later], inside[seen.event][later])
    early = share[when < first]
    log_p = float(np.log1p(-early * ratio / (early * ratio + 1 - early + 1e-300)).sum())
    p = min(1.0, float(np.exp(log_p)) * tests)
    if p >= RARE:
        return None
    return Immortal(what, size, others, first, float(seen.stop[inside].min()), p)


def _at_risk(seen: Followed, inside: np.ndarray, when: np.ndarray) -> np.ndarray:
    stops = np.sort(seen.stop[inside])
    number = len(stops) - np.searchsorted(stops, when, side="left")
    if seen.entry is not None:
        starts = np.sort(seen.entry[inside])
        number = number - (len(starts) - np.searchsorted(starts, when, side="left"))
    return number.astype(float)


def _lower_ratio(share: np.ndarray, inside: np.ndarray) -> float:
    """Lower 95% limit of the ratio of event rates, from which of two groups each event fell into."""
    if not inside.any():
        return 0.0
    beta = 0.0
    for _ in range(50):
        chance = share * np.exp(beta) / (share * np.exp(beta) + 1 - share)
        information = float((chance * (1 - chance)).sum())
        if information <= 1e-12:
            return 0.0
        step = float(np.clip((inside - chance).sum() / information, -1, 1))
        beta += step
        if abs(step) < 1e-9 or abs(beta) > 20:
            break
    return float(np.exp(np.clip(beta - 1.96 / np.sqrt(information), -20, 20)))
