"""The nearest values on the other side of a chosen risk: one variable at a time, then two together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
import pandas as pd

from bedside.cohort.variable import Variable
from bedside.errors import Fixable
from bedside.explain.contributions import readings_of
from bedside.patient.conditional import conditional_states
from bedside.patient.scenarios import CAVEAT, Change, limits_of, value_of
from bedside.report import say
from bedside.risk.design import Reading, read
from bedside.risk.fitted import Fitted
from bedside.risk.variability import Varied

GRID, PAIR_GRID, ROUNDS = 48, 12, 8
MOST_PAIRED = 8
"""Variables that are tried two at a time: those that move the risk furthest the right way."""
MOST_ANSWERS = 3
LEVEL_COST = 1.0
"""Another level counts as one standard deviation, of ordered levels each step."""
NORMAL_IQR, NORMAL_98 = 1.349, 4.653
"""Interquartile range, and distance of the 1st and 99th percentile, of a normal variable in standard deviations."""

Value = float | str


@dataclass(frozen=True)
class Step:
    """Other values with which the risk lies on the other side.

    Attributes
    ----------
    changes : tuple of Change
        One or two.
    cost : float
        How far they are: standard deviations, added up.
    risk : float
    """

    changes: tuple[Change, ...]
    cost: float
    risk: float


@dataclass(frozen=True)
class Crossing:
    """The nearest values on the other side of a chosen risk.

    Attributes
    ----------
    t, threshold, risk : float
        By when, the chosen risk, and the patient's.
    lower : bool
        True if a risk at or below the threshold was looked for, False for one at or above it.
    steps : tuple of Step
        The nearest first; empty if there are none within plausible values.
    tried : tuple of Variable
        Which values were replaced.
    caveat : str
        To be shown with it.
    """

    t: float
    threshold: float
    risk: float
    lower: bool
    steps: tuple[Step, ...]
    tried: tuple[Variable, ...]
    caveat: str = CAVEAT

    @property
    def sentence(self) -> str:
        """The answer in whole points; the caveat goes with it."""
        return self.told()

    @property
    def side(self) -> str:
        """What was looked for, e.g. ``"at or below 20 of 100"``."""
        return f"at or {'below' if self.lower else 'above'} {say.of_100(self.threshold)}"

    def told(self, *, decimals: int = 0) -> str:
        """The answer; the caveat goes with it."""
        if not self.tried:
            return "This model reads nothing that the dictionary marks as modifiable."
        if not self.steps:
            return f"There is none within plausible values: with one or two other values the risk is never {self.side}."
        best = self.steps[0]
        that, own = (say.of_100(share, decimals=decimals) for share in (best.risk, self.risk))
        return (
            f"The nearest patient with a risk {self.side}: {' and '.join(c.instead for c in best.changes)}, other "
            f"values alike. That patient's predicted risk is {that}, this one's {own}."
        )


@dataclass(frozen=True, eq=False)
class _Search:
    """What stays the same while values are tried."""

    model: Fitted
    patient: pd.DataFrame = field(repr=False)
    t: float
    threshold: float
    lower: bool
    readings: Mapping[str, Reading]
    alive_at: float = 0.0
    whole: Fitted | None = field(default=None, repr=False)

    def risks(self, trials: Sequence[Mapping[str, Value]]) -> np.ndarray:
        """Risk of the patient with each trial's values, all at once."""
        if not trials:
            return np.zeros(0)
        base = self.patient.iloc[np.zeros(len(trials), dtype=int)].reset_index(drop=True)
        for name in dict.fromkeys(name for trial in trials for name in trial):
            own = value_of(self.readings[name].variable, self.patient)
            base[name] = pd.Series([trial.get(name, own) for trial in trials], dtype=object)
        return _at(self.model, base, self.t, self.alive_at, self.whole)

    def crosses(self, risk: np.ndarray) -> np.ndarray:
        """True on the other side of the threshold."""
        return risk <= self.threshold if self.lower else risk >= self.threshold

    def cost(self, name: str, values: Sequence[Value]) -> np.ndarray:
        """How far values of a variable are from the patient's."""
        reading = self.readings[name]
        asked = read(reading, pd.DataFrame({name: pd.Series(list(values), dtype=object)})).astype(float)
        gap = np.abs(asked - float(read(reading, self.patient.iloc[[0]])[0]))
        if reading.variable.is_numeric:
            return gap / spread(reading)
        return LEVEL_COST * (gap if reading.variable.kind == "ordinal" else (gap > 0).astype(float))

    def values(self, name: str, count: int) -> list[Value]:
        """Other values of a variable within what is plausible and was seen, the nearest first."""
        reading = self.readings[name]
        if reading.variable.is_numeric:
            low, high = searched(reading)
            found: list[Value] = list(self.between(name, low, high, count)) if low < high else []
        else:
            found = [code for code in reading.present if code not in reading.rare]
        own = value_of(reading.variable, self.patient)
        found = [value for value in found if value != own]
        cost = self.cost(name, found) if found else np.zeros(0)
        return [found[i] for i in np.argsort(cost, kind="stable") if cost[i] > 0]

    def between(self, name: str, low: float, high: float, count: int) -> list[float]:
        """Values from low to high, even on the scale that the model reads, as they would be said."""
        reading, variable = self.readings[name], self.readings[name].variable
        if reading.floor is not None and low > 0 and high > 0:
            points = np.exp(np.linspace(np.log(low), np.log(high), count))
        else:
            points = np.linspace(low, high, count)
        said = {float(variable.digits(value)) for value in points}
        ends = sorted((low, high))
        return sorted(value for value in said if ends[0] <= value <= ends[1])


def _at(model: Fitted, patients: pd.DataFrame, t: float, alive_at: float, whole: Fitted | None) -> np.ndarray:
    """Risks by t, shape (n,), of patients who are event-free at `alive_at`."""
    if alive_at > 0:
        return conditional_states(model, patients, alive_at, np.array([t]), whole=whole).event[:, 0]
    return model.risk(patients, [t])[:, 0]


def spread(reading: Reading) -> float:
    """A number's standard deviation on the scale it is read on, as its quartiles tell it."""
    seen = reading.range
    ends = pd.DataFrame({reading.variable.name: [seen.q1, seen.q3, seen.p01, seen.p99, seen.low, seen.high]})
    q1, q3, p01, p99, low, high = read(reading, ends)
    return float((q3 - q1) / NORMAL_IQR or (p99 - p01) / NORMAL_98 or (high - low) / NORMAL_98)


def searched(reading: Reading) -> tuple[float, float]:
    """Where a number is looked for: within what is plausible and what training patients had."""
    low, high = limits_of(reading)
    return max(low, reading.range.low), min(high, reading.range.high)


def smallest_change(
    model: Fitted,
    patient: pd.DataFrame,
    t: float,
    threshold: float,
    *,
    variables: Sequence[str] | None = None,
    alive_at: float = 0.0,
    whole: Fitted | None = None,
) -> Crossing:
    """The nearest other values with which the predicted risk lies on the other side of a chosen one.

    Each variable is tried alone over its plausible values, on a grid that is refined where the risk first crosses; if
    none crosses, every two of them together. Numbers are those that would be said, with the dictionary's decimals.

    Parameters
    ----------
    model : Fitted
    patient : pandas.DataFrame of one row
    t : float
        In the outcome's unit.
    threshold : float
        The chosen risk, above 0 and below 1. From above it a risk at or below is looked for, else one at or above.
    variables : sequence of str, optional
        Which may differ. Default: those that the dictionary marks as modifiable.
    alive_at : float
        Time that all of these patients are known to be event-free, in the outcome's unit; 0 from the start.
    whole : Fitted, optional
        As in `state_risks`.

    Returns
    -------
    Crossing
        Up to three answers. Costs: numbers in standard deviations on the scale they are read on, levels one each (of
        ordered levels each step). A variable whose value is missing starts from what stands in for it.

    Raises
    ------
    Fixable
        If the threshold is no risk, the time is outside the follow-up, or the model does not read a variable.

    References
    ----------
    Wachter, Mittelstadt & Russell (2018), Harv J Law Technol 31:841-887.
    """
    if not 0 < threshold < 1:
        raise Fixable(
            "No such risk.", "The chosen risk must lie above 0 and below 100 of 100.", "Choose one such as 20 of 100."
        )
    readings = readings_of(model)
    names = [name for name, r in readings.items() if r.variable.modifiable] if variables is None else list(variables)
    if any(name not in readings for name in names):
        raise Fixable(
            "That variable can't be looked at.",
            "The model does not read it, so its risk is the same for every value of it.",
            "Choose a variable of the model.",
        )
    if isinstance(model, Varied):
        model = model.model  # no interval is asked for
    now = float(_at(model, patient.iloc[[0]], float(t), alive_at, whole)[0])
    search = _Search(model, patient, float(t), float(threshold), now > threshold, readings, alive_at, whole)
    steps, reach = _alone(search, names)
    if not steps:
        steps = _together(search, sorted(names, key=lambda name: reach[name])[:MOST_PAIRED])
    ordered = sorted(steps, key=lambda step: step.cost)[:MOST_ANSWERS]
    tried = tuple(readings[name].variable for name in names)
    return Crossing(search.t, search.threshold, now, search.lower, tuple(ordered), tried)


def _alone(search: _Search, names: Sequence[str]) -> tuple[list[Step], dict[str, float]]:
    """The nearest crossing of each variable, and the furthest risk that each reaches (smaller is further)."""
    trials = {name: search.values(name, GRID) for name in names}
    flat = [{name: value} for name in names for value in trials[name]]
    risk, at, steps, reach = search.risks(flat), 0, [], {}
    for name in names:
        own = risk[at : at + len(trials[name])]
        at += len(own)
        reach[name] = float((own if search.lower else -own).min(initial=np.inf))
        hit = np.flatnonzero(search.crosses(own))
        if len(hit):
            steps.append(_step(search, _nearer(search, {name: trials[name][hit[0]]}, name)))
    return steps, reach


def _nearer(search: _Search, trial: dict[str, Value], name: str) -> dict[str, Value]:
    """The same with a variable's value moved towards the patient's as far as the risk still lies beyond."""
    reading = search.readings[name]
    if not reading.variable.is_numeric:
        return trial
    own = value_of(reading.variable, search.patient)
    start, end = float(np.clip(reading.fill if own is None else own, *searched(reading))), float(trial[name])
    for _ in range(ROUNDS):
        inside = [v for v in search.between(name, start, end, GRID) if v not in (start, end)]
        inside.sort(reverse=start > end)
        hit = np.flatnonzero(search.crosses(search.risks([{**trial, name: value} for value in inside])))
        if not len(inside):
            break
        first = int(hit[0]) if len(hit) else len(inside)
        start, end = (inside[first - 1] if first else start), (inside[first] if len(hit) else end)
    return {**trial, name: end}


def _together(search: _Search, names: Sequence[str]) -> list[Step]:
    """The nearest crossing of every two variables that have one."""
    values = {name: search.values(name, PAIR_GRID) for name in names}
    cost = {name: search.cost(name, values[name]) if values[name] else np.zeros(0) for name in names}
    pairs = list(combinations(names, 2))
    flat = [{a: x, b: y} for a, b in pairs for x, y in product(values[a], values[b])]
    crosses, at, steps = search.crosses(search.risks(flat)), 0, []
    for a, b in pairs:
        together = (cost[a][:, None] + cost[b]).ravel()
        hit = np.flatnonzero(crosses[at : at + len(together)])
        if len(hit):
            trial = flat[at + int(hit[np.argmin(together[hit])])]
            steps.append(_step(search, _nearer(search, _nearer(search, trial, a), b)))
        at += len(together)
    return steps


def _step(search: _Search, trial: Mapping[str, Value]) -> Step:
    changes = tuple(
        Change(search.readings[name].variable, value_of(search.readings[name].variable, search.patient), value)
        for name, value in trial.items()
    )
    cost = sum(float(search.cost(name, [value])[0]) for name, value in trial.items())
    return Step(changes, cost, float(search.risks([trial])[0]))
