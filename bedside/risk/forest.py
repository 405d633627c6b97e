"""A forest grown on pseudo-observations: risks at about 20 times at once, without assuming proportional hazards."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from bedside.cohort.outcome import Outcome
from bedside.errors import Fixable
from bedside.risk.design import Design, build, read
from bedside.risk.fit import check_size
from bedside.risk.fitted import Fitted, Limits, Progress, State
from bedside.risk.forest_arrays import Trees, check_sound, risks
from bedside.risk.forest_grow import Grown, Settings, grow, nominal_order
from bedside.risk.forest_late import late_entry
from bedside.risk.forest_tune import DEFAULTS, tuned
from bedside.risk.learners import KINDS
from bedside.risk.pseudo import pseudo_incidence
from bedside.risk.state import common_facts, design_arrays, read_common
from bedside.risk.training import Target, Training
from bedside.survival.curve import SLACK

GRID = 20
"""Times at which the trees hold a risk."""
FEWEST_AT_RISK = 5
"""The grid ends where fewer are under observation: pseudo-observations are wild beyond."""


@dataclass(frozen=True, eq=False)
class Forest:
    """A forest of one outcome, ready to predict; see `Fitted` for what all models have.

    A patient's risk at a grid time is the mean over the trees of the value of the leaf that the patient falls into.
    Between grid times it rises in step with the cohort's own curve: F(t) = F₁ + (F₂ - F₁)(M(t) - M₁)/(M₂ - M₁), with
    M the cohort's cumulative incidence; after the last grid time a patient who is free of the event has the cohort's
    chance of it. Both are linear in the leaves' values, so that contributions of variables add up tree by tree.

    Attributes
    ----------
    grid : array, shape (k,)
        Grid times, ascending, in the outcome's unit.
    curve_time, curve : arrays, shape (m,)
        The cohort's cumulative incidence M: its value from each time on.
    order : mapping of str to array
        For each variable with levels, the number that stands for each level: its rank, or, where levels have no order,
        its place in the order of their mean pseudo-observations.
    trees : Trees
        Columns are the variables of `design.readings`, one each.
    """

    outcome: Outcome
    target: Target
    cohort_key: str
    cohort_fingerprint: str
    n: int
    n_events: int
    design: Design = field(repr=False)
    last: float
    settings: Mapping[str, float | int | str]
    cautions: tuple[str, ...]
    grid: np.ndarray
    curve_time: np.ndarray = field(repr=False)
    curve: np.ndarray = field(repr=False)
    order: Mapping[str, np.ndarray] = field(repr=False)
    trees: Trees = field(repr=False)
    kind: str = "forest"
    label: str = KINDS["forest"]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that a prediction depends on."""
        seal = hashlib.sha256()
        told = (self.cohort_key, self.cohort_fingerprint, self.outcome.model_dump_json(), self.target, self.last)
        seal.update(repr((told, self.design.readings, self.n, self.n_events)).encode())
        for name, array in sorted(self._arrays().items()):
            seal.update(name.encode())
            seal.update(np.ascontiguousarray(array))
        return seal.hexdigest()

    def columns(self, patients: pd.DataFrame) -> np.ndarray:
        """What the trees look at, shape (n, p): one column for each variable, gaps and unseen levels filled."""
        return encoded(self.design, self.order, patients)

    def at_grid(self, patients: pd.DataFrame) -> np.ndarray:
        """Risk at each grid time, shape (n, k)."""
        return self.trees.mean(self.columns(patients))

    def weights(self, times: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How risks at any times follow from those at grid times: ``risk = at_grid @ weights + constant``.

        Parameters
        ----------
        times : array, shape (t,)
            From 0 to `last`.

        Returns
        -------
        weights : array, shape (k, t)
            Not negative, at most two in a column.
        constant : array, shape (t,)

        Raises
        ------
        Fixable
            If a time is outside.
        """
        k, share = self._between(times)
        after = k == len(self.grid)
        weights = np.zeros((len(self.grid) + 1, len(k)))
        column = np.arange(len(k))
        weights[k, column] = 1 - share
        weights[np.minimum(k + 1, len(self.grid)), column] += np.where(after, 0.0, share)
        return weights[1:], np.where(after, share, 0.0)

    def _between(self, times: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which grid time each time follows (0: none), and how far its risk is on the way to the next one."""
        asked = np.asarray(times, dtype=float)
        if not ((asked >= 0) & (asked <= self.last * (1 + SLACK))).all():
            raise Fixable(
                "No risk at that time.",
                f"The model knows the time from 0 to {self.last:.6g} {self.outcome.unit}, the longest follow-up it was "
                "fitted on.",
                "Choose a time within it.",
            )
        at = asked * (1 + SLACK)
        k = np.searchsorted(self.grid, at, side="right")
        stops = np.concatenate(([0.0], self._marginal(self.grid), [1.0]))
        gap = stops[k + 1] - stops[k]
        return k, np.divide(self._marginal(at) - stops[k], gap, out=np.zeros(len(at)), where=gap > 0)

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Risk of the event by each time, shape (n, t), never falling over time.

        Raises
        ------
        Fixable
            If a time is negative or beyond the longest follow-up.
        """
        self._between(times)  # before the patients go through the trees
        return self.risk_between(self.at_grid(patients), times)

    def risk_between(self, at_grid: np.ndarray, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Risk by any times, shape (n, t), from what `at_grid` gave."""
        k, share = self._between(times)
        ends = np.ones((len(at_grid), 1))
        stops = np.concatenate([0 * ends, at_grid, ends], axis=1)
        low, high = stops[:, k], stops[:, k + 1]
        # In this form rounding can't make the risk fall from one time to the next.
        return np.minimum(low + share * (high - low), high)

    def score(self, patients: pd.DataFrame) -> np.ndarray:
        """Mean risk over the grid times, shape (n,): higher means sooner."""
        return mean_risk(self.at_grid(patients))

    def limits(
        self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, level: float = 0.95
    ) -> Limits | None:
        """None: how much a forest varies takes refits."""
        return None

    def state(self) -> State:
        """Everything needed to have it back with the same bits."""
        facts: dict[str, Any] = {**common_facts(self), "ordered": list(self.order)}
        return State(self.kind, facts, self._arrays())

    def _marginal(self, times: np.ndarray) -> np.ndarray:
        """The cohort's cumulative incidence at times, shape (t,)."""
        return np.concatenate(([0.0], self.curve))[np.searchsorted(self.curve_time, times, side="right")]

    def _arrays(self) -> dict[str, np.ndarray]:
        own = {"grid": self.grid, "curve_time": self.curve_time, "curve": self.curve}
        ordered = {f"order.{i}": values for i, values in enumerate(self.order.values())}
        trees = {f"trees.{name}": array for name, array in vars(self.trees).items()}
        return {**own, **ordered, **trees, **design_arrays(self.design)}


def fit_forest(
    rows: Training,
    *,
    settings: Mapping[str, float | int | str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Forest:
    """A forest of regression trees on the jackknife pseudo-observations of the cumulative incidence.

    Parameters
    ----------
    rows : Training
        At least 2 patients and 10 events; competing events are part of the pseudo-observations. With delayed entry
        leaves hold left-truncated curves (`LateEntry`).
    settings : mapping, optional
        ``trees`` (300), ``leaf`` (fewest patients in a leaf), ``share`` (of the variables looked at in each node, 0 to
        1), ``depth`` (0: no limit), ``rows`` (drawn for each tree, with replacement; at most the number of patients).
        What is left out is chosen on patients who were not drawn for a tree (out of bag), see `tuned`.
    seed : int
        The same seed gives the same bits.
    progress : callable, optional

    Raises
    ------
    Fixable
        Fewer than 2 patients or 10 events, or nothing left to predict with.

    References
    ----------
    Andersen, Klein & Rosthoj (2003), Biometrika 90:15-27 (pseudo-observations). Breiman (2001), Mach Learn 45:5-32.
    Mogensen & Gerds (2013), Stat Med 32:3102-3114 (pseudo-value forest). Wright & Konig (2019), PeerJ 7:e6339 (order
    of levels).
    """
    tell = progress or (lambda share, sentence: None)
    check_size(len(rows), int(rows.event.sum()), rows.outcome)
    tell(0.02, "Reading the variables")
    design, _ = build(rows.frame, rows.time, rows.cause > 0, rows.variables)
    if not design.terms:
        raise Fixable(
            "No model for this selection.",
            "None of the variables can predict here. " + " ".join(d.why for d in design.dropped),
            "Choose other variables, or include more patients.",
        )
    tell(0.05, "Working out pseudo-observations")
    grid = grid_times(rows)
    pseudo = pseudo_incidence(rows.time, rows.cause, grid, entry=rows.entry)
    order = nominal_order(design, rows.frame, pseudo)
    x = encoded(design, order, rows.frame)
    late = late_entry(rows, grid)
    used = dict(DEFAULTS) | dict(settings or {})
    if any(name not in (settings or {}) for name in ("leaf", "share")):
        chosen = stage(tell, 0.1, 0.6)
        used = tuned(x, pseudo, rows, used, asked=settings or {}, seed=seed, late=late, progress=chosen)
    grown = grow(x, pseudo, used, seed=seed, late=late, progress=stage(tell, 0.6, 1.0))
    curve_time, curve = marginal(rows)
    return _made(rows, design, grid, curve_time, curve, order, grown, used)


def _made(
    rows: Training,
    design: Design,
    grid: np.ndarray,
    curve_time: np.ndarray,
    curve: np.ndarray,
    order: Mapping[str, np.ndarray],
    grown: Grown,
    used: Settings,
) -> Forest:
    return Forest(
        outcome=rows.outcome,
        target=rows.target,
        cohort_key=rows.cohort_key,
        cohort_fingerprint=rows.cohort_fingerprint,
        n=len(rows),
        n_events=int(rows.event.sum()),
        design=design,
        last=float(rows.time.max()),
        settings=used,
        cautions=_cautions(rows),
        grid=grid,
        curve_time=curve_time,
        curve=curve,
        order=order,
        trees=grown.trees,
    )


def restore_forest(state: State) -> Fitted:
    """The inverse of ``Forest.state``.

    Raises
    ------
    ValueError, LookupError
        If it is no state of a forest.
    """
    arrays = state.arrays
    model = Forest(
        **read_common(state.facts, arrays),
        grid=np.asarray(arrays["grid"]),
        curve_time=np.asarray(arrays["curve_time"]),
        curve=np.asarray(arrays["curve"]),
        order={name: np.asarray(arrays[f"order.{i}"]) for i, name in enumerate(state.facts["ordered"])},
        trees=Trees(**{name: np.asarray(arrays[f"trees.{name}"]) for name in Trees.__dataclass_fields__}),
    )
    _check_sound(model)
    return model


def _check_sound(model: Forest) -> None:
    check_sound(model.trees, len(model.design.readings), len(model.grid))
    for times in (model.grid, model.curve_time):
        if times.ndim != 1 or not times.size or not (np.diff(times) > 0).all():
            raise ValueError("no times")
    if model.curve.shape != model.curve_time.shape or not risks(model.curve):
        raise ValueError("no curve of the cohort")
    levels = {reading.variable.name: len(reading.codes) for reading in model.design.readings}
    if any(places.shape != (levels[name],) or not np.isfinite(places).all() for name, places in model.order.items()):
        raise ValueError("places of other levels")


def encoded(design: Design, order: Mapping[str, np.ndarray], frame: pd.DataFrame) -> np.ndarray:
    """What the trees look at, shape (n, p) float32: one column for each variable that is read."""
    x = np.empty((len(frame), len(design.readings)), dtype=np.float32)
    for j, reading in enumerate(design.readings):
        values = read(reading, frame)
        name = reading.variable.name
        x[:, j] = order[name][values] if name in order else values
    return x


def mean_risk(at_grid: np.ndarray) -> np.ndarray:
    """Mean over the grid times, added in their order, shape (n,)."""
    total = np.zeros(len(at_grid))
    for column in at_grid.T:
        total += column
    return total / at_grid.shape[1]


def grid_times(rows: Training) -> np.ndarray:
    """About 20 event times with equal shares of the events between them, ending where 5 are still under observation."""
    times = np.sort(rows.time[rows.event])
    ordered = np.sort(rows.time)
    enough = times[len(ordered) - np.searchsorted(ordered, times, side="left") >= FEWEST_AT_RISK]
    kept = enough if len(enough) else times[:1]
    at = np.linspace(0, len(kept) - 1, GRID + 1)[1:]
    return np.unique(kept[np.round(at).astype(int)])


def marginal(rows: Training) -> tuple[np.ndarray, np.ndarray]:
    """The cohort's cumulative incidence (Aalen-Johansen) at each time of the event, and those times."""
    distinct, at = np.unique(rows.time, return_inverse=True)
    at_risk = len(rows) - np.searchsorted(np.sort(rows.time), distinct, side="left")
    if rows.entry is not None:
        at_risk = at_risk - (len(rows) - np.searchsorted(np.sort(rows.entry), distinct, side="left"))
    any_event = np.bincount(at[rows.cause > 0], minlength=len(distinct))
    wanted = np.bincount(at[rows.event], minlength=len(distinct))
    free = np.concatenate(([1.0], np.cumprod(1 - any_event / at_risk)[:-1]))
    seen = wanted > 0
    return distinct[seen], np.minimum(np.cumsum(free * wanted / at_risk)[seen], 1.0)


def stage(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a stage that goes from one share of the whole to another."""

    def told(share: float, sentence: str) -> None:
        progress(start + share * (end - start), sentence)

    return told


def _cautions(rows: Training) -> tuple[str, ...]:
    events = int(rows.event.sum())
    told: list[str] = []
    if events < 100:
        told.append(
            f"A forest learns little from {events} events: its risks stay close to the cohort's average, and vary from "
            "one group of patients to the next."
        )
    if rows.entry is not None:
        told.append(
            "Some patients came under observation late, so few were seen early on. In simulations with known truth the "
            "forest's risks were then right on average, but those of the lowest fifth a tenth to a fifth too high: "
            "compare it with a Cox model before relying on a low risk."
        )
    return tuple(told)
