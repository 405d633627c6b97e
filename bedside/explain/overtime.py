"""What drives risk across a cohort: importance over time, beeswarm values, dependence with its partner, stability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bedside.cohort import Cohort
from bedside.cohort.values import level_index, numbers
from bedside.cohort.variable import Variable
from bedside.explain.contributions import Background, background, contributions, readings_of
from bedside.explain.explanation import Method
from bedside.explain.game import Effort
from bedside.explain.interaction import Interactions, among
from bedside.explain.value_words import places
from bedside.risk.design import Reading
from bedside.risk.fitted import Fitted, Progress
from bedside.risk.learners import learn
from bedside.risk.training import Training
from bedside.risk.tuning import stratified_folds

GLOBAL_CELLS = 4.2e8
"""Numbers to go through for a whole cohort, a few seconds: exact for 1,000 patients, 12 variables, one time."""
FEWER = 25
"""Background patients where all of them would take too long."""
PAIRS = 16
MOST_JUDGED = 200


@dataclass(frozen=True, eq=False)
class OverTime:
    """Contributions of many patients at several times.

    Attributes
    ----------
    variables : tuple of Variable
        In the model's order.
    times : array, shape (t,)
        In the outcome's unit.
    points : array, shape (n, n_variables, t)
        Contributions as shares of 1.
    values : array, shape (n, n_variables)
        Each value's place from 0 (lowest) to 1 (highest); NaN where missing or without an order.
    mean_abs : array, shape (n_variables, t)
        Mean absolute contribution.
    rows : array of int, shape (n,)
        Positions of the patients in the cohort.
    base : array, shape (t,)
    how : {"exact", "permutation pairs"}
    sampling_error : float or None
        Root mean square over patients, variables and times; None when exact.
    n_background : int
        Patients compared with; fewer than in the explanation of one patient where that would take too long.
    """

    variables: tuple[Variable, ...]
    times: np.ndarray
    points: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)
    mean_abs: np.ndarray
    rows: np.ndarray = field(repr=False)
    base: np.ndarray
    how: Method
    sampling_error: float | None
    n_background: int


@dataclass(frozen=True, eq=False)
class Dependence:
    """How the contribution of one variable goes with its value, and with whose it also goes.

    Attributes
    ----------
    variable : Variable
    value : array, shape (n,)
        The value as it is read: number (NaN where missing) or position of the level.
    points : array, shape (n,)
        Its contribution.
    partner : Variable or None
        The variable with the largest mean absolute interaction index beside it; None if that is little, or not known.
    strength : float
        That index, as a share of 1: .02 is 2 percentage points on average.
    partner_value : array, shape (n,), or None
        As `value`.
    """

    variable: Variable
    value: np.ndarray
    points: np.ndarray
    partner: Variable | None
    strength: float
    partner_value: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Stability:
    """Importance of the variables in models fitted on parts of the patients.

    Attributes
    ----------
    variables : tuple of Variable
        Most important on average first.
    t : float
    importance : array, shape (n_folds, n_variables)
        Mean absolute contribution among held-out patients, as a share of 1; 0 where the model left a variable out.
    mean, sd : arrays, shape (n_variables,)
        Over the folds.
    best, worst : arrays of int, shape (n_variables,)
        Highest and lowest place in the order of importance, from 1.
    """

    variables: tuple[Variable, ...]
    t: float
    importance: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    best: np.ndarray
    worst: np.ndarray


def global_over_time(
    model: Fitted,
    cohort: Cohort | pd.DataFrame,
    compared: Background,
    times: Sequence[float],
    *,
    max_patients: int = 1000,
    seed: int = 0,
) -> OverTime:
    """Contributions of many patients at several times.

    Exact where that takes seconds (a forest always is). Where it would take longer, 25 background patients stand for
    all, and where that is not enough either, random orders are drawn, and their error is given.

    Parameters
    ----------
    model : Fitted
        Of any kind.
    cohort : Cohort or pandas.DataFrame
        Patients to explain.
    compared : Background
        Made with the same model.
    times : sequence of float
        In the outcome's unit.
    max_patients : int
        A random sample of this size is explained where there are more.
    seed : int
        Of that sample and of the orders.
    """
    frame = cohort.frame if isinstance(cohort, Cohort) else cohort
    rows = _sample(len(frame), max_patients, seed)
    some = frame.iloc[rows]
    share = GLOBAL_CELLS / max(len(rows), 1)
    if compared.game.cells(np.atleast_1d(np.asarray(times, dtype=float))) > share:
        compared = background(model, compared.frame, size=FEWER)
    effort = Effort(cells=share, pairs=PAIRS, batch=PAIRS // 4, sums=share)
    found = contributions(model, some, compared, times, seed=seed, effort=effort)
    readings = readings_of(model)
    size = max(found.values.size, 1)
    return OverTime(
        variables=found.variables,
        times=found.times,
        points=found.values,
        values=places([readings[v.name] for v in found.variables], some),
        mean_abs=_mean_abs(found.values),
        rows=rows,
        base=found.base,
        how=found.how,
        sampling_error=None if found.error is None else float(np.sqrt((found.error**2).sum() / size)),
        n_background=found.n_background,
    )


def dependence(
    model: Fitted, cohort: Cohort | pd.DataFrame, overall: OverTime, variable: str, at: int, *,
    pairs: Interactions | None = None,
) -> Dependence:  # fmt: skip
    """Contribution of one variable against its value, and the partner it interacts with most.

    The partner is by the one definition of `interactions`: the mean absolute Shapley interaction index over patients.

    Parameters
    ----------
    model, cohort
        Those of `overall`.
    overall : OverTime
    variable : str
        Column name.
    at : int
        Which of its times.
    pairs : Interactions, optional
        Of the cohort by that time, so that they need not be worked out for each variable.
    """
    whole = cohort.frame if isinstance(cohort, Cohort) else cohort
    pairs = among(model, whole, float(overall.times[at])) if pairs is None else pairs
    frame, readings = whole.iloc[overall.rows], readings_of(model)
    names = [v.name for v in overall.variables]
    points = overall.points[:, names.index(variable), at]
    own = _plain(readings[variable], frame)
    found = pairs.partner_of(variable)
    if found is None:
        return Dependence(readings[variable].variable, own, points, None, 0.0, None)
    partner, strength = found
    return Dependence(
        readings[variable].variable, own, points, partner, strength, _plain(readings[partner.name], frame)
    )


def stability(
    kind: str,
    rows: Training,
    t: float,
    *,
    folds: int = 5,
    settings: Mapping[str, float | int | str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Stability:
    """How much the importance of the variables changes from one part of the patients to the next.

    Each model is fitted without one fold, and explains up to 200 patients of that fold beside background patients of
    its own training part.

    Parameters
    ----------
    kind : str
        Key of `LEARNERS`.
    rows : Training
    t : float
        In the outcome's unit; cut at the follow-up of a training part where that is shorter.
    folds : int
        Stratified by the event.
    settings, seed, progress
        As in `learn`.
    """
    fold = stratified_folds(rows.event, folds, seed)
    importance = np.zeros((folds, len(rows.variables)))
    place = {v.name: j for j, v in enumerate(rows.variables)}
    for k in range(folds):
        if progress is not None:
            progress(k / folds, f"Explaining part {k + 1} of {folds}")
        known = rows.take(fold != k)
        model = learn(kind, known, settings, seed=seed)
        held = rows.frame.iloc[np.flatnonzero(fold == k)]
        compared = background(model, known.frame)
        found = global_over_time(model, held, compared, [min(t, model.last)], max_patients=MOST_JUDGED, seed=seed)
        for variable, mean in zip(found.variables, found.mean_abs[:, 0], strict=True):
            importance[k, place[variable.name]] = mean
    order = np.argsort(-importance.mean(axis=0), kind="stable")
    rank = np.argsort(np.argsort(-importance, axis=1, kind="stable"), axis=1) + 1
    return Stability(
        variables=tuple(rows.variables[j] for j in order),
        t=float(t),
        importance=importance[:, order],
        mean=importance.mean(axis=0)[order],
        sd=importance.std(axis=0, ddof=1)[order],
        best=rank.min(axis=0)[order],
        worst=rank.max(axis=0)[order],
    )


def _mean_abs(values: np.ndarray) -> np.ndarray:
    return np.abs(values).mean(axis=0) if len(values) else np.zeros(values.shape[1:])


def _sample(n: int, size: int, seed: int) -> np.ndarray:
    """Positions of a random sample, ascending; everyone when `size` is not smaller."""
    return np.arange(n) if size >= n else np.sort(np.random.default_rng(seed).choice(n, size=size, replace=False))


def _plain(reading: Reading, frame: pd.DataFrame) -> np.ndarray:
    """Number or position of the level, NaN where missing or unseen."""
    if reading.variable.is_numeric:
        return numbers(frame, reading.variable.name)
    index = level_index(frame, reading.variable.name, reading.codes)
    return np.where(index < 0, np.nan, index)
