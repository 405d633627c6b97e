"""Boosted trees: a log hazard added up from many small trees (xgboost), with a baseline hazard of our own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from bedside.cohort.outcome import Outcome
from bedside.competing.checks import check_entry
from bedside.errors import Fixable
from bedside.risk.boosted_grow import DEFAULTS, Cases, grown, tuned, xgboost
from bedside.risk.boosted_trees import margins, trees_of
from bedside.risk.design import Design, build
from bedside.risk.efron import baseline, likelihood
from bedside.risk.fit import FEWEST_EVENTS, check_size
from bedside.risk.fitted import Limits, Progress, State
from bedside.risk.forest import encoded, mean_risk, stage
from bedside.risk.forest_arrays import Trees
from bedside.risk.forest_grow import nominal_order
from bedside.risk.hazards import FURTHEST, all_within
from bedside.risk.incidence import CauseSteps, incidence, on_grid, thinned
from bedside.risk.learners import KINDS
from bedside.risk.state import common_facts, design_arrays, read_common
from bedside.risk.training import Target, Training

MOST_STEPS = 2000
RANKING_TIMES = 15


@dataclass(frozen=True, eq=False)
class Booster:
    """The hazard of one cause.

    Attributes
    ----------
    cause : int
        1 the event that is predicted, 2 and more the competing ones.
    n_events : int
    text : str
        The trees as xgboost's JSON, from which `trees` were read.
    trees : Trees
        Without any where the cause had too few events to learn from.
    centre : float
        Mean log hazard of the training patients, which the baseline belongs to.
    hazard : array, shape (g,)
        Efron's steps of the baseline hazard at the model's `time`.
    """

    cause: int
    n_events: int
    text: str = field(repr=False)
    trees: Trees = field(repr=False)
    centre: float
    hazard: np.ndarray = field(repr=False)

    def log_hazard(self, x: np.ndarray) -> np.ndarray:
        """Log hazard beside the baseline, shape (n,)."""
        return np.clip(margins(self.trees, x) - self.centre, -FURTHEST, FURTHEST)


@dataclass(frozen=True, eq=False)
class Boosted:
    """Boosted trees of one outcome, ready to predict; see `Fitted` for what all models have.

    Attributes
    ----------
    boosters : tuple of Booster
        One for each cause that occurred, the one that is predicted first.
    time : array, shape (g,)
        Event times, ascending, in the outcome's unit.
    ranking : array, shape (r,)
        With competing events, times over which the risk is averaged into `score`.
    order : mapping of str to array
        Number that stands for each level of a variable whose levels have no order.
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
    boosters: tuple[Booster, ...] = field(repr=False)
    time: np.ndarray = field(repr=False)
    ranking: np.ndarray = field(repr=False)
    order: Mapping[str, np.ndarray] = field(repr=False)
    kind: str = "boosted"
    label: str = KINDS["boosted"]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that a prediction depends on."""
        seal = hashlib.sha256(json.dumps(self.state().facts, sort_keys=True, default=float).encode())
        for name, array in sorted(self.state().arrays.items()):
            seal.update(name.encode())
            seal.update(np.ascontiguousarray(array))
        return seal.hexdigest()

    @property
    def causes(self) -> tuple[CauseSteps, ...]:
        """The baselines as `incidence` takes them."""
        none = np.empty(0)
        return tuple(CauseSteps(none, none, booster.hazard, none, none) for booster in self.boosters)

    def columns(self, patients: pd.DataFrame) -> np.ndarray:
        """What the trees look at, shape (n, p): one column for each variable, gaps and unseen levels filled."""
        return columns(self.design, self.order, patients)

    def log_hazards(self, x: np.ndarray) -> np.ndarray:
        """Each cause's log hazard beside its baseline, of patients as `columns` gives them, shape (n, causes)."""
        return np.column_stack([booster.log_hazard(x) for booster in self.boosters])

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Risk of the event by each time, shape (n, t), never falling over time.

        Raises
        ------
        Fixable
            If a time is negative or beyond the longest follow-up.
        """
        upto = np.searchsorted(self.time, all_within(times, self.last, self.outcome.unit), side="right")
        relative = np.exp(self.log_hazards(self.columns(patients)))
        if len(self.boosters) > 1:
            return incidence(relative, self.causes, upto)
        hazard = np.concatenate(([0.0], np.cumsum(self.boosters[0].hazard)))[upto]
        return -np.expm1(-np.outer(relative[:, 0], hazard))

    def score(self, patients: pd.DataFrame) -> np.ndarray:
        """Log hazard, or with competing events the mean risk over the times of `ranking`, shape (n,)."""
        if len(self.boosters) == 1:
            return self.boosters[0].log_hazard(self.columns(patients))
        return mean_risk(self.risk(patients, self.ranking))

    def limits(
        self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, level: float = 0.95
    ) -> Limits | None:
        """None: how much boosted trees vary takes refits."""
        return None

    def state(self) -> State:
        """Everything needed to have it back with the same bits, the trees as xgboost's JSON text."""
        told = [{"cause": b.cause, "n_events": b.n_events, "centre": b.centre, "trees": b.text} for b in self.boosters]
        facts: dict[str, Any] = {**common_facts(self), "boosters": told, "ordered": list(self.order)}
        arrays = {f"hazard.{i}": booster.hazard for i, booster in enumerate(self.boosters)}
        arrays |= {f"order.{i}": values for i, values in enumerate(self.order.values())}
        return State(
            self.kind, facts, {**arrays, "time": self.time, "ranking": self.ranking, **design_arrays(self.design)}
        )


def fit_boosted(
    rows: Training,
    *,
    settings: Mapping[str, float | int | str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Boosted:
    """Boosted trees of the log hazard, with Efron's baseline for them; with competing events, for each cause.

    Parameters
    ----------
    rows : Training
        At least 2 patients and 10 events; delayed entry is part of the likelihood.
    settings : mapping, optional
        ``rounds`` (trees) and ``depth``, chosen inside these rows if not given (`tuned`); ``eta`` (step, 0.05),
        ``child`` (least weight of a leaf, 2), ``drawn`` and ``share`` (of patients and variables for each tree, 0.7 and
        0.8), ``ridge`` (1). Those of a competing cause end in its number, as ``rounds.2``.
    seed : int
        The same seed gives the same bits.
    progress : callable, optional

    Raises
    ------
    Fixable
        Fewer than 2 patients or 10 events, nothing left to predict with, or xgboost is not installed.

    References
    ----------
    Friedman (2001), Ann Stat 29:1189-1232. Ridgeway (1999), Comput Sci Stat 31:172-181 (the partial likelihood).
    Chen & Guestrin (2016), KDD, 785-794.
    """
    tell = progress or (lambda share, sentence: None)
    xgboost()
    check_size(len(rows), int(rows.event.sum()), rows.outcome)
    time, entry = check_entry(rows.entry, rows.time)
    tell(0.02, "Reading the variables")
    design, _ = build(rows.frame, time, rows.cause > 0, rows.variables)
    if not design.terms:
        raise Fixable(
            "No model for this selection.",
            "None of the variables can predict here. " + " ".join(d.why for d in design.dropped),
            "Choose other variables, or include more patients.",
        )
    order = nominal_order(design, rows.frame, _surplus(time, rows.event, entry)[:, None])
    x = columns(design, order, rows.frame)
    numbers = [k for k in range(1, int(rows.cause.max()) + 1) if (rows.cause == k).any()]
    grid = thinned(np.unique(time[rows.cause > 0]), MOST_STEPS)
    boosters, used = [], {}
    for i, number in enumerate(numbers):
        told = stage(tell, 0.05 + 0.95 * i / len(numbers), 0.05 + 0.95 * (i + 1) / len(numbers))
        cases = Cases(x, time, rows.cause == number, entry)
        booster, own = _booster(cases, number, _asked(settings or {}, number), grid, seed=seed, progress=told)
        boosters.append(booster)
        used |= {_named(name, number): value for name, value in own.items()}
    shares = (np.arange(RANKING_TIMES) + 0.5) / RANKING_TIMES
    tell(1.0, "Model ready")
    return Boosted(
        outcome=rows.outcome, target=rows.target, cohort_key=rows.cohort_key,
        cohort_fingerprint=rows.cohort_fingerprint, n=len(rows), n_events=int(rows.event.sum()), design=design,
        last=float(time.max()), settings=used, cautions=_cautions(rows), boosters=tuple(boosters), time=grid,
        ranking=np.unique(np.quantile(time[rows.event], shares)), order=order,
    )  # fmt: skip


def restore_boosted(state: State) -> Boosted:
    """The inverse of ``Boosted.state``; it needs no xgboost.

    Raises
    ------
    Fixable
        If the text of the trees is damaged.
    """
    facts, arrays = state.facts, state.arrays
    common = read_common(facts, arrays)
    boosters = [
        Booster(
            int(told["cause"]), int(told["n_events"]), str(told["trees"]),
            trees_of(str(told["trees"]), len(common["design"].readings)), float(told["centre"]),
            np.asarray(arrays[f"hazard.{i}"], dtype=float),
        )
        for i, told in enumerate(facts["boosters"])
    ]  # fmt: skip
    return Boosted(
        **common,
        boosters=tuple(boosters),
        time=np.asarray(arrays["time"], dtype=float),
        ranking=np.asarray(arrays["ranking"], dtype=float),
        order={name: np.asarray(arrays[f"order.{i}"]) for i, name in enumerate(facts["ordered"])},
    )


def columns(design: Design, order: Mapping[str, np.ndarray], frame: pd.DataFrame) -> np.ndarray:
    """What the trees look at, shape (n, p) float32, finite."""
    with np.errstate(over="ignore"):
        return np.nan_to_num(encoded(design, order, frame))


def _booster(
    cases: Cases,
    number: int,
    asked: Mapping[str, float | int | str],
    grid: np.ndarray,
    *,
    seed: int,
    progress: Progress,
) -> tuple[Booster, dict[str, float | int | str]]:
    """One cause's hazard and the settings it was grown with."""
    events = int(cases.event.sum())
    if events < FEWEST_EVENTS:
        used = DEFAULTS | {"depth": 1} | dict(asked) | {"rounds": 0}
    else:
        used = tuned(cases, asked, seed=seed, progress=stage(progress, 0.0, 0.8))
    progress(0.8, f"Growing {used['rounds']} trees")
    text = grown(cases, used, seed)
    trees = trees_of(text, cases.x.shape[1])
    raw = margins(trees, cases.x)
    centre = float(raw.mean())
    log_hazard = np.clip(raw - centre, -FURTHEST, FURTHEST)[:, None]
    of = likelihood(cases.time, cases.event, log_hazard, entry=cases.entry)
    base = baseline(of, np.ones(1), np.ones(1), last=float(cases.time.max()))
    return Booster(number, events, text, trees, centre, on_grid(grid, base.time, base.hazard)), used


def _surplus(time: np.ndarray, event: np.ndarray, entry: np.ndarray | None) -> np.ndarray:
    """Events of each patient beyond those expected of anyone followed as long (martingale residuals), shape (n,)."""
    of = likelihood(time, event, np.zeros((len(time), 1)), entry=entry)
    base = baseline(of, np.zeros(1), np.ones(1), last=float(time.max()))
    running = np.concatenate(([0.0], base.cumulative))
    expected = running[np.searchsorted(base.time, time, side="right")]
    if entry is not None:
        expected = expected - running[np.searchsorted(base.time, entry, side="right")]
    return event - expected


def _named(name: str, number: int) -> str:
    return name if number == 1 else f"{name}.{number}"


def _asked(settings: Mapping[str, float | int | str], number: int) -> dict[str, float | int | str]:
    """The settings of one cause, by their plain names."""
    names = (*DEFAULTS, "depth", "rounds")
    return {name: settings[_named(name, number)] for name in names if _named(name, number) in settings}


def _cautions(rows: Training) -> tuple[str, ...]:
    events = int(rows.event.sum())
    if events < 100:
        return (
            f"Boosted trees learn little from {events} events: their risks vary much from one group of patients to the "
            "next.",
        )
    return ()
