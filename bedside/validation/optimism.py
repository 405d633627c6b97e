"""What measures lose on new patients, by the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bedside.errors import Fixable
from bedside.risk.fit import check_size
from bedside.risk.fitted import Fitted, Progress
from bedside.risk.learners import KINDS
from bedside.risk.training import Training
from bedside.validation.accuracy import null_risk
from bedside.validation.measure import rows_of
from bedside.validation.panel import measures
from bedside.validation.resample import Learners, Plan, Settings, checked_times, fit_all, grid_of, predicted


@dataclass(frozen=True, eq=False)
class Optimism:
    """What a model's measures lose on patients it has not seen, by the bootstrap.

    Attributes
    ----------
    label : str
    apparent, optimism, corrected, sd : dict of str to array
        By measure: on the patients the model learnt from; mean over the resamples of (on the resample - on all
        patients); apparent less optimism; and the standard deviation of that difference over the resamples.
    resamples : int
        In which the model could be fitted.
    """

    label: str
    apparent: dict[str, np.ndarray]
    optimism: dict[str, np.ndarray]
    corrected: dict[str, np.ndarray]
    sd: dict[str, np.ndarray]
    resamples: int


def bootstrap_optimism(
    kinds: Learners,
    rows: Training,
    *,
    times: Sequence[float] | np.ndarray,
    resamples: int = 100,
    seed: int = 0,
    settings: Mapping[str, Settings] | None = None,
    progress: Progress | None = None,
) -> dict[str, Optimism]:
    """Harrell's correction for optimism: fit in resamples, compare how they do there and on all patients.

    Parameters
    ----------
    kinds, rows, times, settings, progress
        As in `cross_validate`. A model that chooses its settings does so anew in each resample, where a patient may
        stand on both sides of an inner fold: give settings for the forest, or cross-validate it.
    resamples, seed : int

    References
    ----------
    Harrell, Lee & Mark (1996), Stat Med 15:361-387. R: ``rms::validate(fit, B = )``.
    """
    at = checked_times(rows, times)
    check_size(len(rows), int(rows.event.sum()), rows.outcome)
    plan = Plan(np.zeros((1, len(rows)), dtype=int), 1, at, grid_of(rows, at), seed, ())
    models, failed = fit_all(kinds, rows, settings=settings, seed=seed)
    if not models:
        raise Fixable("No model could be checked.", next(iter(failed.values())), "Choose other variables or models.")
    apparent = {kind: _judged(model, rows, rows, plan) for kind, model in models.items()}
    lost: dict[str, list[dict[str, np.ndarray]]] = {kind: [] for kind in models}
    rng = np.random.default_rng(seed)
    for b in range(resamples):
        if progress is not None:
            progress(b / resamples, f"Resample {b + 1} of {resamples}")
        drawn = rows.take(rng.integers(0, len(rows), len(rows)))
        again, _ = fit_all(kinds, drawn, settings=settings, seed=seed)
        for kind, model in again.items():
            if kind in lost:
                here, there = _judged(model, drawn, drawn, plan), _judged(model, rows, drawn, plan)
                lost[kind].append({key: here[key] - there[key] for key in here})
    if progress is not None:
        progress(1.0, "Models checked")
    return {kind: _optimism(KINDS.get(kind, kind), apparent[kind], found) for kind, found in lost.items()}


def _judged(model: Fitted, on: Training, learnt: Training, plan: Plan) -> Mapping[str, np.ndarray]:
    null = null_risk(learnt.time, learnt.cause, plan.grid, entry=learnt.entry, extend=True)
    return measures(rows_of(on.time, on.cause, on.entry), predicted(model, on, plan.times, plan.grid), null)


def _optimism(label: str, apparent: Mapping[str, np.ndarray], found: list[dict[str, np.ndarray]]) -> Optimism:
    mean, sd = {}, {}
    for key, value in apparent.items():
        values = np.array([part[key] for part in found]).reshape(len(found), len(value))
        known = np.isfinite(values)
        count = known.sum(axis=0)
        mean[key] = np.divide(
            np.where(known, values, 0).sum(axis=0), count, out=np.full(len(value), np.nan), where=count > 0
        )
        spread = (np.where(known, values - mean[key], 0) ** 2).sum(axis=0)
        sd[key] = np.sqrt(np.divide(spread, count - 1, out=np.full(len(value), np.nan), where=count > 1))
    corrected = {key: value - mean[key] for key, value in apparent.items()}
    return Optimism(label, dict(apparent), mean, corrected, sd, len(found))
