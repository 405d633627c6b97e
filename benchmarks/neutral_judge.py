"""One outer fold: every model learns from its training rows and is judged on its test rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bedside.errors import Fixable
from bedside.risk.average import MEMBERS, average_of
from bedside.risk.fitted import Fitted
from bedside.risk.learners import learn
from bedside.risk.training import Training
from bedside.risk.tuning import stratified_folds
from bedside.survival import kaplan_meier
from bedside.validation.discrimination import concordance, uno
from benchmarks.neutral_data import DataSet

P_MAX = 0.8


@dataclass(frozen=True)
class Scores:
    """Harrell's and Uno's C and the integrated Brier score of a model on the test rows of a fold."""

    harrell: float
    uno: float
    brier: float


@dataclass(frozen=True, eq=False)
class FoldResult:
    """What a fold gave.

    Attributes
    ----------
    scores : dict of str to Scores
        By kind of model; ``"km"`` is the Kaplan-Meier curve of the training rows.
    chosen : str
        Kind with the highest mean Harrell C in an inner cross-validation of the training rows; empty if none was made.
    settings : dict of str to mapping
        What each model chose inside the training rows.
    failed : dict of str to str
        Why a kind could not be fitted.
    """

    data_set: str
    fold: int
    scores: dict[str, Scores]
    chosen: str
    settings: dict[str, dict[str, float | int | str]]
    failed: dict[str, str]


def judge(data: DataSet, fold: int, kinds: Sequence[str], inner: int) -> FoldResult:
    """All kinds on one outer fold.

    Parameters
    ----------
    data : DataSet
    fold : int
    kinds : sequence of str
    inner : int
        Inner folds in which one kind would be chosen; 0 makes no choice.
    """
    train, test = data.split(fold)
    models, failed = _fitted(kinds, train)
    scores = {kind: scores_of(model, train, test) for kind, model in models.items()}
    scores["km"] = Scores(0.5, 0.5, integrated_brier(train, test, None))
    return FoldResult(
        data_set=data.name,
        fold=fold,
        scores=scores,
        chosen=_choice(list(models), train, inner) if inner and len(models) > 1 else "",
        settings={kind: dict(model.settings) for kind, model in models.items()},
        failed=failed,
    )


def _fitted(kinds: Sequence[str], train: Training) -> tuple[dict[str, Fitted], dict[str, str]]:
    """Models by kind; the average is made of its members where these are there, with the same result."""
    models: dict[str, Fitted] = {}
    failed: dict[str, str] = {}
    for kind in kinds:
        try:
            if kind == "average" and all(member in models for member in MEMBERS):
                models[kind] = average_of([models[member] for member in MEMBERS], train)
            else:
                models[kind] = learn(kind, train)
        except (Fixable, ModuleNotFoundError) as reason:
            failed[kind] = str(reason)
    return models, failed


def _choice(kinds: Sequence[str], train: Training, inner: int) -> str:
    fold = stratified_folds(train.event, inner, seed=0)
    c = np.zeros(len(kinds))
    for k in range(inner):
        held = train.take(fold == k)
        models, _ = _fitted(kinds, train.take(fold != k))
        c += [
            concordance(held.time, held.cause, models[kind].score(held.frame)).c if kind in models else 0.5
            for kind in kinds
        ]
    return kinds[int(np.argmax(c))]


def scores_of(model: Fitted, train: Training, test: Training) -> Scores:
    """How a model did on test rows."""
    score = model.score(test.frame)
    return Scores(
        harrell=float(concordance(test.time, test.cause, score).c),
        uno=float(uno(test.time, test.cause, score)),
        brier=integrated_brier(train, test, model),
    )


def integrated_brier(train: Training, test: Training, model: Fitted | None) -> float:
    """Integrated Brier score as the published study has it; of the training rows' Kaplan-Meier curve without a model.

    Graf's score with the censoring curve of the training rows, G(T) for events and G(t) for those still at risk, at
    each distinct time of the test rows up to the first at which more than 80% of them have left observation, integrated
    by trapezoids and divided by the span (mlr3proba's ``surv.brier`` with ``p_max = 0.8``). With the study's own folds
    its Kaplan-Meier rows come out to four decimals.
    """
    times = np.unique(test.time)
    at_risk = len(test) - np.searchsorted(np.sort(test.time), times)
    over = np.flatnonzero(1 - at_risk / len(test) > P_MAX)
    times = times[: over[0] + 1] if len(over) else times
    censoring = kaplan_meier(train.time, train.cause == 0)
    at_times = _step(censoring.time, censoring.survival, times)
    at_own = _step(censoring.time, censoring.survival, test.time)
    score = np.empty(len(times))
    if model is None:
        curve = kaplan_meier(train.time, train.event)
        free = np.broadcast_to(_step(curve.time, curve.survival, times), (len(test), len(times)))
    else:
        free = 1 - model.risk(test.frame, np.minimum(times, model.last))
    for k, t in enumerate(times):
        here = test.time > t
        weight = np.where(here, 1 / max(at_times[k], 1e-3), np.where(test.event, 1 / np.maximum(at_own, 1e-3), 0.0))
        score[k] = (weight * (here - free[:, k]) ** 2).mean()
    if len(times) == 1:
        return float(score[0])
    return float(np.trapezoid(score, times) / (times[-1] - times[0]))


def _step(time: np.ndarray, value: np.ndarray, at: np.ndarray) -> np.ndarray:
    """A right-continuous step curve that starts at 1."""
    return np.concatenate(([1.0], value))[np.searchsorted(time, at, side="right")]
